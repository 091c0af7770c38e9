//! Tests of lookups with a test server: names, ids, pages, base connections, runs.

use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};

use super::test_server::{Server, connection, flow, ok, page, respond};
use super::{AdobeErrorKind, Inlet, InletKind, decode};
use crate::state::aep::{Lookup, LookupBy};

fn by_name(kind: InletKind, name: &str) -> Lookup {
    Lookup { account: "default".into(), kind, by: LookupBy::Name(name.into()) }
}

fn by_id(kind: InletKind, id: &str) -> Lookup {
    Lookup { account: "default".into(), kind, by: LookupBy::Id(id.into()) }
}

fn next(items: &[Value], href: &str) -> Response<Body> {
    ok(&json!({ "items": items, "_links": { "next": { "href": href } } }))
}

fn not_found() -> Response<Body> {
    respond(404, r#"{"error_code":"1101-404","message":"Resource not found"}"#)
}

fn ids(found: &[Inlet]) -> Vec<&str> {
    found.iter().map(|inlet| inlet.id.as_str()).collect()
}

/// A dataflow without its own address.
fn without_address(id: &str) -> Value {
    let mut flow = flow(id, "A");
    flow["options"] = json!({});
    flow
}

#[tokio::test]
async fn a_name_is_searched_for_on_every_page_and_compared_exactly() {
    let server = Server::with_tokens(|n, _| match n {
        0 => next(&[flow("a", "Orders"), flow("b", "orders")], "/flows?continuationToken=x+y%3D"),
        1 => next(&[], "https://evil.example/other?property=name==Orders&continuationToken=z#part"),
        _ => page(&[flow("c", "Orders "), flow("a", "Orders"), flow("d", "Orders")]),
    })
    .await;
    let found = server.client().find(&by_name(InletKind::Flow, "Orders")).await.expect("found");
    assert_eq!(ids(&found), ["a", "d"], "a duplicate is returned once");
    assert_eq!(
        server.asked(),
        [
            "/flows?property=name==Orders",
            "/flows?continuationToken=x+y%3D&property=name==Orders",
            "/flows?property=name==Orders&continuationToken=z",
        ]
    );
}

#[tokio::test]
async fn special_characters_in_names_are_encoded() {
    for name in ["a&b=c", "a+b %2B \"'\"", "été – \u{202e}x#?/", "100%"] {
        let server = Server::with_tokens(move |_, _| page(&[flow("a", name)])).await;
        assert_eq!(server.client().find(&by_name(InletKind::Flow, name)).await.expect("found").len(), 1, "{name}");
        let sent = server.seen()[1].values("property");
        // Adobe's filter cannot have a comparison operator in a value.
        let expected = if name.contains('=') { vec![] } else { vec![format!("name=={name}")] };
        assert_eq!(sent, expected, "{name}");
    }
    for name in ["a, b", "a==b", "a>b"] {
        let server = Server::with_tokens(move |_, _| page(&[flow("a", name), flow("b", "a")])).await;
        let found = server.client().find(&by_name(InletKind::Flow, name)).await.expect("found");
        assert_eq!((ids(&found), server.asked()), (vec!["a"], vec!["/flows".to_owned()]), "{name}");
    }
}

#[tokio::test]
async fn only_connections_of_the_http_api_are_found() {
    let server = Server::with_tokens(|_, _| {
        let mut other = connection("b", "C", false);
        other["connectionSpec"]["id"] = json!("4f63aa36-bd48-4e33-bb83-49fbcd11c708");
        page(&[connection("a", "C", true), other])
    })
    .await;
    let found = server.client().find(&by_name(InletKind::Connection, "C")).await.expect("found");
    assert!(ids(&found) == ["a"] && found[0].authentication_required, "{found:?}");
    let filter = "property=connectionSpec.id==bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb&property=name==C";
    assert_eq!(server.asked(), [format!("/connections?{filter}")]);
}

#[tokio::test]
async fn an_id_exists_does_not_exist_or_is_unknown() {
    let server = Server::with_tokens(|n, _| match n {
        0 => page(&[flow("A", "x")]),
        1 => not_found(),
        2 => page(&[]),
        3 => respond(400, r#"{"code":"1439-400"}"#),
        4 => page(&[flow("b", "x")]),
        5 => respond(200, "{}"),
        6 => page(&[json!({ "name": "x" })]),
        _ => respond(404, r#"{"message":"no route"}"#),
    })
    .await;
    let client = server.client();
    let wanted = by_id(InletKind::Flow, "a");
    assert_eq!(ids(&client.find(&wanted).await.expect("found")), ["A"]);
    for _ in 0..3 {
        assert_eq!(client.find(&wanted).await, Ok(vec![]));
    }
    for _ in 0..4 {
        assert_eq!(client.find(&wanted).await.expect_err("no answer").kind, AdobeErrorKind::BadAnswer);
    }
    let seen = Server::with_tokens(|_, _| not_found()).await;
    seen.client().find(&by_id(InletKind::Connection, "../a/b?c")).await.expect("nothing");
    assert_eq!(seen.asked(), ["/connections/..%2Fa%2Fb%3Fc"]);
}

#[tokio::test]
async fn a_loop_of_pages_and_an_endless_list_are_errors() {
    let server = Server::with_tokens(|n, _| next(&[], &format!("/flows?continuationToken={}", n % 3))).await;
    let error = server.client().find(&by_name(InletKind::Flow, "A")).await.expect_err("round");
    assert_eq!((error.kind, server.asked().len()), (AdobeErrorKind::BadAnswer, 4), "{error}");
    let server = Server::with_tokens(|n, _| next(&[], &format!("/flows?continuationToken={n}"))).await;
    let error = server.client().all().await.expect_err("no end");
    assert_eq!((error.kind, server.asked().len()), (AdobeErrorKind::BadAnswer, 500), "{error}");
    assert!(error.message.contains("more than 500 pages"), "{error}");
}

#[tokio::test]
async fn the_base_connection_may_have_the_address() {
    let server = Server::with_tokens(|_, seen| match seen.path.as_str() {
        "/flows/a" => page(&[without_address("a")]),
        "/sourceConnections/source-of-a" => page(&[json!({ "id": "source-of-a", "baseConnectionId": "base" })]),
        "/connections/base" => {
            let mut base = connection("base", "B", true);
            base["state"] = json!("disabled");
            page(&[base])
        }
        _ => not_found(),
    })
    .await;
    let found = server.client().find(&by_id(InletKind::Flow, "a")).await.expect("found");
    let inlet = &found[0];
    assert_eq!((inlet.kind, inlet.id.as_str(), inlet.name.as_str()), (InletKind::Flow, "a", "A"));
    assert_eq!(inlet.address.as_deref(), Some("https://dcs.adobedc.net/collection/base"));
    assert_eq!((inlet.state.as_str(), inlet.authentication_required), ("disabled", true));
    assert_eq!(server.asked(), ["/flows/a", "/sourceConnections/source-of-a", "/connections/base"]);
}

#[tokio::test]
async fn a_flow_with_its_base_connection_saves_a_request_and_one_without_has_no_address() {
    let server = Server::with_tokens(|_, seen| match seen.path.as_str() {
        "/flows/a" => {
            let mut flow = without_address("a");
            flow["inheritedAttributes"]["sourceConnections"] = json!([{ "baseConnection": { "id": "base" } }]);
            page(&[flow])
        }
        "/flows/b" => page(&[without_address("b")]),
        "/connections/base" => page(&[connection("base", "B", false)]),
        _ => not_found(),
    })
    .await;
    let client = server.client();
    let found = client.find(&by_id(InletKind::Flow, "a")).await.expect("found");
    assert_eq!(found[0].address.as_deref(), Some("https://dcs.adobedc.net/collection/base"));
    assert_eq!(server.asked(), ["/flows/a", "/connections/base"]);
    let found = client.find(&by_id(InletKind::Flow, "b")).await.expect("found");
    assert_eq!((found.len(), &found[0].address), (1, &None));
}

#[tokio::test]
async fn the_connection_of_an_http_api_flow_says_whether_it_requires_authentication() {
    let server = Server::with_tokens(|_, seen| match seen.path.as_str() {
        "/flows/a" => {
            let mut flow = flow("a", "A");
            flow["flowSpec"]["id"] = json!("c1a19761-d2c7-4702-b9fa-fe91f0613e81");
            flow["inheritedAttributes"]["sourceConnections"] = json!([{ "baseConnection": { "id": "a" } }]);
            page(&[flow])
        }
        _ => page(&[connection("a", "B", true)]),
    })
    .await;
    let found = server.client().find(&by_id(InletKind::Flow, "a")).await.expect("found");
    assert!(found[0].authentication_required && found[0].address.is_some(), "{found:?}");
}

#[tokio::test]
async fn another_organisation_or_sandbox_is_never_a_match() {
    for (key, kind) in [("imsOrgId", AdobeErrorKind::OtherOrg), ("sandboxName", AdobeErrorKind::OtherSandbox)] {
        let server = Server::with_tokens(move |_, _| {
            let mut flow = flow("a", "A");
            flow[key] = json!("other\u{7}");
            page(&[flow])
        })
        .await;
        let client = server.client();
        for error in [
            client.find(&by_id(InletKind::Flow, "a")).await.expect_err("another"),
            client.find(&by_name(InletKind::Flow, "A")).await.expect_err("another"),
            client.all().await.expect_err("another"),
        ] {
            assert_eq!(error.kind, kind);
            assert!(error.message.contains("`other\\u{7}`"), "{error}");
        }
    }
}

#[tokio::test]
async fn everything_with_an_address_is_found_with_few_requests() {
    let server = Server::with_tokens(|_, seen| match seen.path.as_str() {
        "/connections" => page(&[connection("k", "K", true), connection("j", "J", false)]),
        "/flows" => {
            let mut of_connection = without_address("d");
            of_connection["inheritedAttributes"]["sourceConnections"] = json!([{ "baseConnection": { "id": "k" } }]);
            let mut batch = without_address("c");
            batch["flowSpec"]["id"] = json!("9753525b-82c7-4dce-8a9b-5ccfce2b9876");
            page(&[flow("b", "B"), of_connection, batch, without_address("a")])
        }
        _ => not_found(),
    })
    .await;
    let found = server.client().all().await.expect("found");
    assert_eq!(ids(&found), ["b", "d", "j", "k"]);
    assert!(found[1].authentication_required && found[1].address == found[3].address, "{found:?}");
    let asked = server.asked();
    assert_eq!(asked[1..], ["/flows", "/sourceConnections/source-of-a"]);
}

#[tokio::test]
async fn the_last_run_is_the_latest() {
    let run = |id: &str, at: i64| json!({ "id": id, "metrics": { "durationSummary": { "startedAtUTC": at } } });
    let server =
        Server::with_tokens(move |n, _| if n == 0 { page(&[run("a", 1), run("b", 2)]) } else { page(&[]) }).await;
    let client = server.client();
    assert_eq!(client.last_run("f").await.expect("runs").map(|run| run.id).as_deref(), Some("b"));
    assert_eq!(client.last_run("f").await, Ok(None));
    assert_eq!(client.runs("f").await, Ok(vec![]));
    let runs = |limit| format!("/runs?property=flowId==f&orderby=-createdAt&limit={limit}");
    assert_eq!(server.asked(), [runs(1), runs(1), runs(721)]);
}

#[tokio::test]
async fn items_of_a_list_without_options_are_requested_by_id() {
    let bare = || {
        let mut flow = flow("a", "Orders");
        flow.as_object_mut().expect("object").remove("options");
        flow
    };
    let server = Server::with_tokens(move |_, seen| match seen.path.rsplit('/').next() {
        Some("a") => page(&[flow("a", "Orders")]),
        Some("flows") => page(&[bare()]),
        _ => page(&[]),
    })
    .await;
    let address =
        decode::inlet(InletKind::Flow, &flow("a", "Orders"), &server.client().redactor()).expect("flow").address;
    assert!(address.is_some());
    for found in [server.client().find(&by_name(InletKind::Flow, "Orders")).await, server.client().all().await] {
        assert_eq!(found.expect("found").first().map(|inlet| inlet.address.clone()), Some(address.clone()));
    }
}

#[tokio::test]
async fn an_item_without_an_id_is_an_error_and_not_ignored() {
    let server = Server::with_tokens(|_, _| page(&[json!({}), json!({ "name": "x" }), json!(5)])).await;
    for answer in [server.client().all().await, server.client().find(&by_name(InletKind::Flow, "Orders")).await] {
        assert_eq!(answer.expect_err("nothing was understood").kind, AdobeErrorKind::BadAnswer);
    }
}
