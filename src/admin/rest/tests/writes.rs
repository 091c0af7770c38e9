//! Tests of single mutations: every mutation has one answer, and no answer claims more than is known.

use serde_json::{Value, json};

use super::{TOKEN, respond, start, webhook, with};
use crate::admin::{Answer, Input, Mutation, RefusalKind};
use crate::http::{Class, Proof};
use crate::model::{Address, Format, SubscriptionId, Topic};

pub(crate) fn input(address: &str) -> Input {
    Input {
        address: Address::new(address),
        format: Format::Json,
        filter: String::new(),
        include_fields: vec!["id".into()],
        metafield_namespaces: vec![],
        name: None,
        metafields: None,
    }
}

fn id(n: usize) -> SubscriptionId {
    SubscriptionId::new(&format!("gid://shopify/WebhookSubscription/{n}"))
}

fn create(n: usize) -> Mutation {
    Mutation::Create { topic: Topic::from_slash("orders/create"), input: input(&format!("https://x.example/{n}")) }
}

fn update(n: usize) -> Mutation {
    Mutation::Update { id: id(n), input: input(&format!("https://x.example/{n}")) }
}

fn delete(n: usize) -> Mutation {
    Mutation::Delete { id: id(n) }
}

fn one(n: usize) -> String {
    json!({ "webhook": webhook(n) }).to_string()
}

/// Returns one word for each answer.
fn words(answers: &[Answer]) -> Vec<String> {
    let word = |answer: &Answer| match answer {
        Answer::Done(entry) => format!("done {}", entry.as_ref().map_or("-", |e| e.meta.id.as_str())),
        Answer::Refused { kind, .. } => format!("refused {}", kind.as_str()),
        Answer::Failed(error) => {
            assert_eq!(error.proof, Proof::NothingHappened, "{error}");
            format!("failed {}", error.kind)
        }
        Answer::Lost(error) => format!("lost {}", error.kind),
    };
    answers.iter().map(word).collect()
}

#[tokio::test]
async fn an_answer_about_another_subscription_is_lost() {
    let mut other = webhook(7);
    other["topic"] = json!("orders/paid");
    let both = json!({ "webhook": webhook(7), "errors": { "topic": ["no"] } });
    for (mutation, body) in
        [(create(7), json!({ "webhook": other }).to_string()), (create(7), both.to_string()), (update(7), one(8))]
    {
        let server = start(move |_, _| respond(200, body.clone())).await;
        assert_eq!(words(&server.rest_writer().send(&[mutation]).await), ["lost unexpected_answer"]);
    }
}

#[tokio::test]
async fn each_mutation_is_one_request_in_order() {
    let server = start(|n, _| match n {
        0 => respond(201, one(7)),
        1 => respond(200, one(8)),
        _ => respond(200, "{}"),
    })
    .await;
    let answers = server.rest_writer().send(&[create(7), update(8), delete(9)]).await;
    let gid = |n| format!("done {}", id(n));
    assert_eq!(words(&answers), [gid(7), gid(8), "done -".to_owned()]);
    assert_eq!(server.lines(), ["POST webhooks.json", "PUT webhooks/8.json", "DELETE webhooks/9.json"]);
    let bodies: Vec<Value> = server.seen().into_iter().map(|s| s.body).collect();
    let lists = json!({ "address": "https://x.example/8", "fields": ["id"], "metafield_namespaces": [] });
    assert_eq!(bodies[1], json!({ "webhook": lists }), "all that PUT can change, and nothing else");
    assert_eq!(
        (&bodies[0]["webhook"]["topic"], &bodies[0]["webhook"]["format"]),
        (&"orders/create".into(), &"json".into())
    );
    assert_eq!(bodies[2], Value::Null);
}

#[tokio::test]
async fn refusals_are_read_in_every_shape() {
    let taken = "Address for this topic has already been taken";
    for (status, body, kind, texts) in [
        (
            422,
            r#"{"errors":{"address":["for this topic has already been taken"]}}"#,
            RefusalKind::AlreadyTaken,
            vec![taken],
        ),
        (
            422,
            r#"{"errors":{"address":"for this topic has already been taken"}}"#,
            RefusalKind::AlreadyTaken,
            vec![taken],
        ),
        (
            422,
            r#"{"errors":["Address for this topic has already been taken"]}"#,
            RefusalKind::AlreadyTaken,
            vec![taken],
        ),
        (422, r#"{"errors":"Address for this topic has already been taken"}"#, RefusalKind::AlreadyTaken, vec![taken]),
        (
            422,
            r#"{"errors":{"address":["is invalid","protocol http:// is not supported"]}}"#,
            RefusalKind::InvalidAddress,
            vec!["Address is invalid", "Address protocol http:// is not supported"],
        ),
        (
            422,
            r#"{"errors":{"topic":["Invalid topic specified: orders/x. Does it exist? Is there a missing access scope?","can't be blank"]}}"#,
            RefusalKind::TopicRefused,
            vec![
                "Invalid topic specified: orders/x. Does it exist? Is there a missing access scope?",
                "Topic can't be blank",
            ],
        ),
        (
            422,
            r#"{"errors":{"format":["'xml' is invalid for this webhook topic"]}}"#,
            RefusalKind::InvalidFormat,
            vec![],
        ),
        (422, r#"{"errors":{"base":["The thing is odd"]}}"#, RefusalKind::Invalid, vec!["The thing is odd"]),
        (422, r#"{"error":"x","error_description":"y"}"#, RefusalKind::Invalid, vec!["x: y"]),
        (422, r#"{"error":"text"}"#, RefusalKind::Invalid, vec!["text"]),
        (404, r#"{"errors":"Not Found"}"#, RefusalKind::DoesNotExist, vec!["Webhook subscription does not exist"]),
        (
            403,
            r#"{"errors":"This app is not approved to subscribe to webhook topics containing protected customer data."}"#,
            RefusalKind::ProtectedData,
            vec![],
        ),
    ] {
        let server = start(move |_, _| respond(status, body)).await;
        let answers = server.rest_writer().send(&[update(1), update(2)]).await;
        let Answer::Refused { errors, kind: got } = &answers[0] else { panic!("{body}: {answers:?}") };
        assert_eq!(*got, kind, "{body}");
        let messages: Vec<&str> = errors.iter().map(|e| e.message.as_str()).collect();
        assert!(texts.is_empty() || messages == texts, "{body}: {messages:?}");
        assert_eq!(server.seen().len(), 2, "a refusal concerns one mutation");
    }
    assert_eq!(RefusalKind::TopicRefused.class(), Class::Auth);
}

#[tokio::test]
async fn only_these_answers_prove_that_nothing_was_changed() {
    for (status, body, word, requests) in [
        (500, r#"{"errors":"An unexpected error occurred"}"#, "lost server_error", 2),
        (503, "<html></html>", "lost server_error", 2),
        (201, "<html></html>", "lost unexpected_answer", 2),
        (201, "", "lost unexpected_answer", 2),
        (201, r#"{"webhook":{"id":1"#, "lost unexpected_answer", 2),
        (201, r#"{"webhook":{"id":1}}"#, "lost unexpected_answer", 2),
        (422, "<html></html>", "lost unexpected_answer", 2),
        (422, "{}", "lost unexpected_answer", 2),
        (422, r#"{"errors":{}}"#, "lost unexpected_answer", 2),
        // The request was refused, whatever the body is; but an uninstalled app affects the whole shop.
        (400, r#"{"errors":{"webhook":"Required parameter missing or invalid"}}"#, "refused invalid", 2),
        (406, "<html></html>", "refused invalid", 2),
        (415, "", "refused invalid", 2),
        (400, r#"{"error":"app_not_installed"}"#, "failed uninstalled", 1),
        (418, "", "lost unexpected_answer", 2),
        (404, r#"{"errors":"Not Found"}"#, "lost not_found", 2),
        (302, "", "lost redirected", 2),
        (
            403,
            r#"{"errors":"[API] This action requires merchant approval for read_orders scope."}"#,
            "failed missing_scope",
            2,
        ),
        // These affect the whole shop, so nothing else is tried.
        (401, "", "failed token_refused", 1),
        (402, r#"{"errors":"Unavailable Shop"}"#, "failed frozen", 1),
        (403, "", "failed forbidden", 1),
        (423, "", "failed locked", 1),
        (430, "", "failed security_rejection", 1),
        (429, "", "failed rate_limited", 6),
    ] {
        let server = start(move |_, _| respond(status, body)).await;
        let answers = server.rest_writer().send(&[create(1), create(2)]).await;
        assert_eq!(words(&answers), [word, word], "{status} {body}");
        assert_eq!(server.seen().len(), requests, "{status} {body}");
    }
}

#[tokio::test]
async fn a_delete_is_done_only_if_the_answer_confirms_it() {
    for (status, body, word) in [
        (200, "{}", "done -"),
        (200, "", "lost unexpected_answer"),
        (200, "<html></html>", "lost unexpected_answer"),
        (404, "<html></html>", "lost not_found"),
        (404, "{}", "refused does_not_exist"),
    ] {
        let server = start(move |_, _| respond(status, body)).await;
        assert_eq!(words(&server.rest_writer().send(&[delete(1)]).await), [word], "{status} {body}");
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_429_comes_back_after_the_time_asked_for_and_sends_once_more() {
    let server = start(|n, _| match n {
        0 | 2 => with(respond(429, "{}"), "retry-after", "0.02"),
        1 => with(respond(201, one(1)), "x-shopify-shop-api-call-limit", "1/40"),
        _ => respond(201, one(2)),
    })
    .await;
    let mut writer = server.rest_writer();
    assert_eq!(words(&writer.send(&[create(1), create(2)]).await), [1, 2].map(|n| format!("done {}", id(n))));
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn fields_that_rest_cannot_send_are_refused_and_not_omitted() {
    let server = start(|_, _| respond(201, one(1))).await;
    for input in [
        Input { filter: "id:1".into(), ..input("https://x.example/1") },
        Input { name: Some("n".into()), ..input("https://x.example/1") },
        Input { metafields: Some(vec![]), ..input("https://x.example/1") },
    ] {
        let both = [
            Mutation::Create { topic: Topic::from_slash("orders/create"), input: input.clone() },
            Mutation::Update { id: id(1), input },
        ];
        let answers = server.rest_writer().send(&both).await;
        assert!(answers.iter().all(|a| matches!(a, Answer::Refused { .. })), "{answers:?}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn an_echoed_token_is_redacted() {
    let server = start(|_, _| respond(422, json!({ "errors": { TOKEN: [TOKEN] } }).to_string())).await;
    let answers = server.rest_writer().send(&[create(1)]).await;
    assert!(!format!("{answers:?}").contains(TOKEN), "{answers:?}");
}
