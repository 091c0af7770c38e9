//! Tests of mutations: every mutation has one answer, and no answer claims more than is known.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{TOKEN, client, cost, node, ok, one_shop, respond, shop, start, throttled};
use crate::admin::{Answer, Input, Mutation, RefusalKind};
use crate::http::Proof;
use crate::model::{Address, Format, SubscriptionId, Topic};

fn input(address: &str) -> Input {
    Input {
        address: Address::new(address),
        format: Format::Json,
        filter: String::new(),
        include_fields: vec![],
        metafield_namespaces: vec![],
        name: None,
        metafields: None,
    }
}

fn create(n: usize) -> Mutation {
    Mutation::Create { topic: Topic::from_slash("orders/create"), input: input(&format!("https://x.example/{n}")) }
}

fn id(n: usize) -> SubscriptionId {
    SubscriptionId::new(&format!("gid://shopify/WebhookSubscription/{n}"))
}

/// Returns the aliases of a document, in order.
fn aliases(body: &Value) -> Vec<String> {
    let query = body["query"].as_str().expect("query");
    let alias = |line: &str| Some(line.trim().split_once(": webhookSubscription")?.0.to_owned());
    query.lines().filter_map(alias).collect()
}

/// The successful result of one alias.
fn done(alias: &str) -> Value {
    let n: usize = alias[1..].parse().expect("number");
    match &alias[..1] {
        "d" => json!({ "deletedWebhookSubscriptionId": id(n).as_str(), "userErrors": [] }),
        _ => json!({ "webhookSubscription": node(n), "userErrors": [] }),
    }
}

fn all_done(body: &Value) -> Value {
    let data: Map<_, _> = aliases(body).into_iter().map(|alias| (alias.clone(), done(&alias))).collect();
    json!({ "data": data, "extensions": cost(10, 900.0) })
}

/// Returns one word for each answer.
fn words(answers: &[Answer]) -> Vec<String> {
    answers
        .iter()
        .map(|answer| match answer {
            Answer::Done(entry) => format!("done {}", entry.as_ref().map_or("-", |e| e.meta.id.as_str())),
            Answer::Refused { kind, .. } => format!("refused {}", kind.as_str()),
            Answer::Failed(error) => {
                assert_eq!(error.proof, Proof::NothingHappened, "{error}");
                format!("failed {}", error.kind)
            }
            Answer::Lost(error) => format!("lost {}", error.kind),
        })
        .collect()
}

#[tokio::test]
async fn an_answer_about_another_subscription_is_lost() {
    let gid = "gid://shopify/WebhookSubscription/1";
    for (key, value) in [
        ("topic", json!("ORDERS_PAID")),
        ("id", json!("")),
        ("id", json!("gid://shopify/WebhookSubscription/1\n::error::x")),
        ("id", json!("gid://shopify/Product/1")),
    ] {
        let server = start(move |_, body| {
            let mut answer = all_done(body);
            answer["data"]["c0"]["webhookSubscription"][key] = value.clone();
            ok(&answer)
        })
        .await;
        let answers = server.writer().send(&[create(0)]).await;
        assert_eq!((words(&answers), server.seen().len()), (vec!["lost unexpected_answer".to_owned()], 1), "{key}");
    }
    let server = start(move |_, body| {
        let mut answer = all_done(body);
        answer["data"]["u0"]["webhookSubscription"]["id"] = json!(gid);
        ok(&answer)
    })
    .await;
    let answers = server.writer().send(&[Mutation::Update { id: id(7), input: input("https://x.example/") }]).await;
    assert_eq!(words(&answers), ["lost unexpected_answer"]);

    let server = start(|_, body| {
        let refused = r#"[{"field":null,"message":"no"}],"userErrors":[]"#;
        super::respond(
            200,
            all_done(body).to_string().replacen("\"userErrors\":[]", &format!("\"userErrors\":{refused}"), 1),
        )
    })
    .await;
    assert_eq!(words(&server.writer().send(&[create(0)]).await), ["lost unexpected_answer"]);
}

#[tokio::test]
async fn a_batch_is_one_document_and_each_alias_has_its_own_answer() {
    let server = start(|_, body| {
        let mut answer = all_done(body);
        let refused = |message: &str| {
            json!({ "webhookSubscription": null, "deletedWebhookSubscriptionId": null,
            "userErrors": [{ "field": ["webhookSubscription", "callbackUrl"], "message": message }] })
        };
        answer["data"]["c3"] = refused("Address for this topic has already been taken");
        answer["data"]["d4"] = refused("Webhook subscription does not exist");
        ok(&answer)
    })
    .await;
    let batch = [
        create(0),
        Mutation::Update { id: id(1), input: input("https://x.example/") },
        Mutation::Delete { id: id(2) },
        create(3),
        Mutation::Delete { id: id(4) },
    ];
    let mut writer = server.writer();
    assert_eq!(writer.batch_limit(), 25);
    let answers = writer.send(&batch).await;
    assert_eq!(
        words(&answers),
        [
            "done gid://shopify/WebhookSubscription/0",
            "done gid://shopify/WebhookSubscription/1",
            "done -",
            "refused already_taken",
            "refused does_not_exist"
        ]
    );
    let Answer::Refused { errors, kind: RefusalKind::AlreadyTaken } = &answers[3] else { panic!("{answers:?}") };
    assert_eq!(errors[0].field, ["webhookSubscription", "callbackUrl"]);
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(aliases(&seen[0].body), ["c0", "u1", "d2", "c3", "d4"]);
    assert_eq!(seen[0].body["variables"]["i1"]["filter"], "", "an update clears the filter explicitly");
    assert_eq!(writer.send(&[]).await, []);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn the_rest_of_a_refused_document_is_sent_again() {
    let server = start(|_, body| {
        let sent = aliases(body);
        if sent.contains(&"c1".to_owned()) {
            return ok(&json!({ "errors": [{
                "message": "Variable $t1 of type WebhookSubscriptionTopic! was provided invalid value",
                "extensions": { "code": "INVALID_VARIABLE", "problems": [{ "explanation": "Expected \"X\" to be one of: Y" }] } }] }));
        }
        if sent.contains(&"c3".to_owned()) {
            return ok(&json!({ "errors": [{ "message": "Argument 'topic' has an invalid value",
                "path": ["mutation HookwrightApply", "c3", "topic"], "extensions": { "code": "argumentLiteralsIncompatible" } }] }));
        }
        ok(&all_done(body))
    })
    .await;
    let answers = server.writer().send(&[create(0), create(1), create(2), create(3)]).await;
    let words = words(&answers);
    assert_eq!(
        words[1..],
        ["failed graphql_error", "done gid://shopify/WebhookSubscription/2", "failed graphql_error"]
    );
    assert!(words[0].starts_with("done"));
    let Answer::Failed(error) = &answers[1] else { panic!("{answers:?}") };
    // The message names the topic, not an internal variable, and does not list every topic.
    let topic = error.message.contains("the topic orders/create (ORDERS_CREATE) does not exist");
    assert!(topic && !error.message.contains("$t1") && !error.message.contains("Expected"), "{error}");
    let sent: Vec<_> = server.seen().iter().map(|seen| aliases(&seen.body).len()).collect();
    assert_eq!(sent, [4, 3, 2]);
}

#[tokio::test]
async fn without_a_named_mutation_each_is_sent_alone() {
    let server = start(|_, body| match aliases(body).as_slice() {
        [one] if one != "c1" => ok(&all_done(body)),
        _ => ok(&json!({ "errors": [{ "message": "Something in here is wrong" }] })),
    })
    .await;
    let answers = server.writer().send(&[create(0), create(1), create(2)]).await;
    let words = words(&answers);
    assert!(words[0].starts_with("done") && words[2].starts_with("done"));
    assert_eq!(words[1], "failed graphql_error");
    let sent: Vec<_> = server.seen().iter().map(|seen| aliases(&seen.body).join(" ")).collect();
    assert_eq!(sent, ["c0 c1 c2", "c0", "c1", "c2"]);
}

#[tokio::test]
async fn partial_data_is_judged_alias_by_alias() {
    let server = start(|_, body| {
        let mut answer = all_done(body);
        for alias in ["c1", "c2", "c5"] {
            answer["data"][alias] = json!(null);
        }
        answer["data"].as_object_mut().expect("data").remove("c3");
        answer["data"]["c4"]["webhookSubscription"] = json!(null);
        answer["data"]["c6"]["webhookSubscription"] = json!(null);
        answer["data"]["d7"]["deletedWebhookSubscriptionId"] = json!(null);
        let error = |path: Value, code: &str| json!({ "message": code, "path": path, "extensions": { "code": code } });
        answer["errors"] = json!([
            error(json!(["c2"]), "INTERNAL_SERVER_ERROR"),
            error(json!(["c1"]), "ACCESS_DENIED"),
            error(json!(["c4", "webhookSubscription", "apiVersion"]), "ACCESS_DENIED"),
        ]);
        ok(&answer)
    })
    .await;
    let batch =
        [create(0), create(1), create(2), create(3), create(4), create(5), create(6), Mutation::Delete { id: id(7) }];
    let words = words(&server.writer().send(&batch).await);
    assert!(words[0].starts_with("done"));
    assert_eq!(words[1], "failed access_denied");
    assert!(words[2..].iter().all(|word| word.starts_with("lost")), "{words:?}");
    assert_eq!(words[2], "lost internal_error");
}

#[tokio::test]
async fn a_failure_that_changed_nothing_is_retried() {
    let server = start(|n, body| match n {
        0 | 2 => ok(&throttled()),
        1 => respond(429, "{}"),
        _ => ok(&all_done(body)),
    })
    .await;
    let answers = server.writer().send(&[create(0)]).await;
    assert_eq!(words(&answers), ["done gid://shopify/WebhookSubscription/0"]);
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_document_without_a_response_is_lost_and_never_sent_twice() {
    for (status, body) in [
        (500, r#"{"errors":"An unexpected error occurred"}"#),
        (502, "<html>"),
        (404, r#"{"errors":"Not Found"}"#),
        (200, ""),
        (200, "<html>"),
        (200, r#"{"data":{"c0":{"webh"#),
        (200, r#"{"errors":"text"}"#),
        (200, r#"{"errors":[{"message":"Internal error.","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#),
        (200, r#"{"data":null,"errors":[{"message":"odd"}]}"#),
    ] {
        let server = start(move |_, _| respond(status, body)).await;
        let words = words(&server.writer().send(&[create(0), create(1)]).await);
        assert!(words.len() == 2 && words.iter().all(|word| word.starts_with("lost")), "{status} {body}: {words:?}");
        assert_eq!(server.seen().len(), 1, "{status} {body}");
    }
}

#[tokio::test]
async fn a_shop_that_refuses_fails_the_whole_batch_with_proof() {
    for (status, kind) in [
        (401, "token_refused"),
        (402, "payment_required"),
        (403, "forbidden"),
        (423, "locked"),
        (430, "security_rejection"),
    ] {
        let server = start(move |n, _| match n {
            0 => ok(&json!({ "errors": [{ "message": "unnamed" }] })),
            _ => respond(status, "{}"),
        })
        .await;
        let words = words(&server.writer().send(&[create(0), create(1), create(2)]).await);
        assert_eq!(words, [format!("failed {kind}"), format!("failed {kind}"), format!("failed {kind}")]);
        assert_eq!(server.seen().len(), 2, "no further request");
    }
}

/// Refuses a document of several mutations as a whole. Sent alone, the second one has `answer` and the others succeed.
async fn second_alone(status: u16, body: &'static str) -> (Vec<String>, usize) {
    let server = start(move |_, sent| match aliases(sent).as_slice() {
        [one] if one == "c1" => respond(status, body),
        [_] => ok(&all_done(sent)),
        _ => ok(&json!({ "errors": [{ "message": "unnamed" }] })),
    })
    .await;
    let words = words(&server.writer().send(&[create(0), create(1), create(2)]).await);
    (words, server.seen().len())
}

#[tokio::test]
async fn a_missing_scope_a_404_and_a_redirect_do_not_end_the_shop() {
    let scope = r#"{"errors":"[API] This action requires merchant approval for read_orders scope."}"#;
    for (status, body, word) in [
        (403, scope, "failed missing_scope"),
        (404, r#"{"errors":"Not Found"}"#, "lost not_found"),
        (302, "", "lost redirected"),
    ] {
        let (words, requests) = second_alone(status, body).await;
        assert_eq!((words[1].as_str(), requests), (word, 4), "nothing is sent twice");
        assert!(words[0].starts_with("done") && words[2].starts_with("done"), "{words:?}");
    }
}

#[tokio::test]
async fn an_inactive_shop_ends_with_the_first_response() {
    let body = json!({ "errors": [{ "message": "Inactive", "extensions": { "code": "SHOP_INACTIVE" } }] });
    let server = start(move |_, _| ok(&body)).await;
    let words = words(&server.writer().send(&[create(0), create(1), create(2)]).await);
    assert_eq!((words, server.seen().len()), (vec!["failed shop_inactive".to_owned(); 3], 1));
}

/// Starts a server that reads a whole request and closes the connection without a response.
async fn silent_server() -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    let count = Arc::new(AtomicUsize::new(0));
    let requests = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut text = String::new();
            let mut buffer = [0; 4096];
            while !(text.contains("\r\n\r\n") && text.ends_with('}')) {
                let n = stream.read(&mut buffer).await.expect("read");
                text.push_str(&String::from_utf8_lossy(&buffer[..n]));
            }
            // The second connection is closed in the middle of its response.
            if requests.fetch_add(1, Ordering::SeqCst) == 1 {
                let head = "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"data\":";
                stream.write_all(head.as_bytes()).await.expect("write");
            }
        }
    });
    (url, count)
}

#[tokio::test]
async fn a_connection_that_drops_after_the_request_is_a_lost_answer() {
    let (url, requests) = silent_server().await;
    let mut writer = client(&url).writer(&shop(), &TOKEN.into());
    assert_eq!(words(&writer.send(&[create(0), create(1)]).await), ["lost connection_lost", "lost connection_lost"]);
    assert_eq!(requests.load(Ordering::SeqCst), 1);
    assert_eq!(words(&writer.send(&[create(0)]).await), ["lost connection_lost"]);
    assert_eq!(requests.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_writer_also_reads_and_sizes_its_batches_by_the_bucket() {
    let server = start(|_, _| {
        let mut body = one_shop();
        body["extensions"] = json!({ "cost": { "requestedQueryCost": 5, "throttleStatus":
            { "maximumAvailable": 100, "currentlyAvailable": 95, "restoreRate": 50.0 } } });
        ok(&body)
    })
    .await;
    let mut writer = server.writer();
    let reading = writer.read().await.expect("a reading");
    assert_eq!((reading.observed.entries.len(), writer.batch_limit()), (1, 5));
}

#[tokio::test]
async fn user_errors_are_cleaned() {
    let server = start(|_, _| {
        ok(&json!({ "data": { "c0": { "webhookSubscription": null,
            "userErrors": [{ "field": null, "message": format!("no\u{1b}[2J {TOKEN}") }] } } }))
    })
    .await;
    let answers = server.writer().send(&[create(0)]).await;
    let Answer::Refused { errors, kind: RefusalKind::Invalid } = &answers[0] else { panic!("{answers:?}") };
    assert_eq!(errors[0].message, "no\\u{1b}[2J [redacted]");
}

/// A bucket with Shopify's rules, but faster.
struct Leaky {
    points: f64,
    at: std::time::Instant,
    throttled: usize,
}

#[tokio::test]
async fn hundreds_of_changes_are_sent_at_the_rate_of_the_bucket() {
    const MAXIMUM: f64 = 1000.0;
    const RATE: f64 = 10_000.0;
    let bucket = Arc::new(Mutex::new(Leaky { points: MAXIMUM, at: std::time::Instant::now(), throttled: 0 }));
    let shared = bucket.clone();
    let server = start(move |_, body| {
        let mut bucket = shared.lock().expect("bucket");
        bucket.points = (bucket.points + bucket.at.elapsed().as_secs_f64() * RATE).min(MAXIMUM);
        bucket.at = std::time::Instant::now();
        let count = u32::try_from(aliases(body).len()).expect("count");
        let needs = f64::from(count) * 11.0;
        let status = |available: f64| {
            json!({ "cost": { "requestedQueryCost": needs, "throttleStatus":
                { "maximumAvailable": MAXIMUM, "currentlyAvailable": available.floor(), "restoreRate": RATE } } })
        };
        if bucket.points < needs {
            bucket.throttled += 1;
            let errors = json!([{ "message": "Throttled", "extensions": { "code": "THROTTLED" } }]);
            return ok(&json!({ "errors": errors, "extensions": status(bucket.points) }));
        }
        bucket.points -= needs;
        let mut answer = all_done(body);
        answer["extensions"] = status(bucket.points);
        ok(&answer)
    })
    .await;
    let mut writer = server.writer();
    let mut landed = 0;
    for first in (0..500).step_by(25) {
        let batch: Vec<_> = (first..first + 25).map(create).collect();
        landed += words(&writer.send(&batch).await).iter().filter(|word| word.starts_with("done")).count();
    }
    let throttled = bucket.lock().expect("bucket").throttled;
    assert!(landed == 500 && throttled <= 3, "{landed} landed, {throttled} times throttled");
}
