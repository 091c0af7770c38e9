//! Lost answers over REST: the result is found by reading, and no change is repeated.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};

use crate::server::{Seen, Server, respond};
use crate::world::{Run, World};

const TOKEN: &str = "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";

/// What a shop does with a request that changes something.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    /// It is done and answered.
    Done,
    /// It is done, and the answer is lost.
    DoneAndLost,
    /// It is not done, and the answer is lost.
    Lost,
    /// 422.
    Refused,
    /// Of these statuses none is of Shopify's usual refusals: it is not done.
    Status(u16),
}

type Webhooks = Arc<Mutex<Vec<Value>>>;

/// A shop that keeps its webhooks; the nth change has the nth fate, and those after the last are done.
async fn shop(live: Vec<Value>, fates: &'static [Fate]) -> (Server, Webhooks) {
    let webhooks: Webhooks = Arc::new(Mutex::new(live));
    let (store, changes) = (webhooks.clone(), Mutex::new(0));
    let server = Server::start(move |_, seen| {
        assert_eq!(seen.headers["x-shopify-access-token"], TOKEN);
        if seen.line.ends_with("/a.myshopify.com/admin/oauth/access_scopes.json") {
            return respond(200, r#"{"access_scopes":[{"handle":"write_orders"}]}"#);
        }
        let mut store = store.lock().unwrap();
        if seen.line.starts_with("GET") {
            return respond(200, json!({ "webhooks": *store }).to_string());
        }
        let mut changes = changes.lock().unwrap();
        *changes += 1;
        match fates.get(*changes - 1).unwrap_or(&Fate::Done) {
            Fate::Done => change(&mut store, seen),
            Fate::DoneAndLost => {
                change(&mut store, seen);
                respond(503, "<html></html>")
            }
            Fate::Lost => respond(500, ""),
            Fate::Status(status) => respond(*status, ""),
            Fate::Refused => respond(422, r#"{"errors":{"address":["is invalid"]}}"#),
        }
    })
    .await;
    (server, webhooks)
}

fn change(store: &mut Vec<Value>, seen: &Seen) -> Response<Body> {
    let id = seen.line.rsplit_once("webhooks/").and_then(|(_, rest)| rest.strip_suffix(".json")?.parse::<u64>().ok());
    let sent = &seen.body["webhook"];
    let Some(id) = id else {
        let id = 100 + store.len();
        store.push(webhook(id, sent["address"].clone(), sent["format"].clone()));
        return respond(201, json!({ "webhook": store.last() }).to_string());
    };
    let Some(at) = store.iter().position(|w| w["id"] == id) else { return respond(404, r#"{"errors":"Not Found"}"#) };
    if seen.line.starts_with("DELETE") {
        store.remove(at);
        return respond(200, "{}");
    }
    store[at]["address"] = sent["address"].clone();
    respond(200, json!({ "webhook": store[at] }).to_string())
}

fn webhook(id: usize, address: impl Into<Value>, format: impl Into<Value>) -> Value {
    json!({
        "id": id, "address": address.into(), "topic": "orders/create", "format": format.into(), "fields": [],
        "metafield_namespaces": [], "metafield_identifiers": [], "api_version": "2026-07",
        "created_at": "2026-01-09T17:45:49-05:00", "updated_at": "2026-01-09T17:45:49-05:00",
    })
}

/// Applies a manifest that sends orders/create to `https://x.example/a`, and gives back the report.
async fn apply(server: &Server, exit: i32) -> Value {
    let manifest = "version: 1\nadmin_api: { version: \"2026-10\", transport: rest }\n\
        auth: { access_token: { env: TOKEN } }\nownership: { address_prefixes: [\"https://x.example/\"] }\n\
        shops:\n  - { shop: a, bindings: [{ topic: orders/create, address: \"https://x.example/a\" }] }\n";
    let world = World::new(manifest, "");
    let consents = ["--allow", "delete_foreign:*", "--allow", "reroute_foreign:*"];
    let mut command = world.command(&[&["apply", "--auto-approve", "--format", "json"], &consents[..]].concat());
    command.env("HOOKWRIGHT_ADMIN_URL", format!("{}/{{shop}}", server.url)).env("TOKEN", TOKEN);
    let run = Run::of(&tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap());
    run.exits(exit).lacks(TOKEN).json()
}

/// `action result by`, one a change.
fn outcomes(report: &Value) -> Vec<String> {
    let word = |o: &Value| {
        let by = o["confirmed_by"].as_str().unwrap_or("-");
        format!("{} {} {by}", o["change"]["action"].as_str().unwrap(), o["result"].as_str().unwrap())
    };
    report["shops"][0]["outcomes"].as_array().unwrap().iter().map(word).collect()
}

fn sent(server: &Server, method: &str) -> usize {
    server.seen().iter().filter(|seen| seen.line.starts_with(method)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_whose_answer_was_lost_is_found_and_not_repeated() {
    let (server, webhooks) = shop(vec![], &[Fate::DoneAndLost]).await;
    assert_eq!(outcomes(&apply(&server, 0).await), ["create applied read"]);
    assert_eq!((sent(&server, "POST"), webhooks.lock().unwrap().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_without_effect_is_sent_again() {
    let (server, webhooks) = shop(vec![], &[Fate::Lost, Fate::DoneAndLost]).await;
    assert_eq!(outcomes(&apply(&server, 0).await), ["create applied read"]);
    assert_eq!((sent(&server, "POST"), webhooks.lock().unwrap().len()), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_and_a_delete_whose_answers_were_lost_are_found() {
    // The newer one has another address, so that it is deleted.
    let live = vec![webhook(1, "https://x.example/b", "json"), webhook(2, "https://x.example/c", "json")];
    let (server, webhooks) = shop(live, &[Fate::DoneAndLost, Fate::DoneAndLost]).await;
    assert_eq!(outcomes(&apply(&server, 0).await), ["update applied read", "delete applied read"]);
    let left = webhooks.lock().unwrap().clone();
    assert_eq!((left.len(), &left[0]["id"], &left[0]["address"]), (1, &1.into(), &"https://x.example/a".into()));
    assert_eq!((sent(&server, "PUT"), sent(&server, "DELETE")), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replace_whose_create_is_refused_deletes_nothing() {
    let (server, webhooks) = shop(vec![webhook(1, "https://x.example/a", "xml")], &[Fate::Refused]).await;
    assert_eq!(outcomes(&apply(&server, 1).await), ["create failed -", "delete skipped -"]);
    assert_eq!((webhooks.lock().unwrap().len(), sent(&server, "DELETE")), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replace_whose_create_was_lost_is_settled_before_the_delete() {
    let (server, webhooks) = shop(vec![webhook(1, "https://x.example/a", "xml")], &[Fate::DoneAndLost]).await;
    assert_eq!(outcomes(&apply(&server, 0).await), ["create applied read", "delete applied answer"]);
    let left = webhooks.lock().unwrap().clone();
    assert_eq!((left.len(), &left[0]["format"]), (1, &"json".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_create_is_sent_once() {
    for fates in [&[Fate::Status(400); 9], &[Fate::Status(406); 9], &[Fate::Status(415); 9]] {
        let (server, webhooks) = shop(vec![], fates).await;
        let report = apply(&server, 1).await;
        assert_eq!(outcomes(&report), ["create failed -"]);
        let error = &report["shops"][0]["outcomes"][0]["error"];
        assert_eq!((error["kind"].as_str(), error["retryable"].as_bool()), (Some("invalid"), Some(false)), "{error}");
        // Of the plan the webhooks and the scopes are read, and nothing more.
        assert_eq!((sent(&server, "POST"), sent(&server, "GET")), (1, 2));
        assert!(webhooks.lock().unwrap().is_empty());
    }
}
