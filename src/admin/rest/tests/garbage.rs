//! A fixed number of damaged responses: none causes a panic, and a response that is accepted has the original content.
//! A failing input can be reproduced from its number.

use std::time::Duration;

use axum::http::HeaderValue;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{TOKEN, respond, start, webhook};
use crate::admin::{AdminClient, AdminOptions, Answer, Backoff, Endpoint, Mutation};
use crate::model::{ApiVersion, ShopDomain, SubscriptionId, Transport};

const ANSWERS: u64 = 3000;

/// Characters that often break parsers.
const TOKENS: [&str; 16] = [
    "null",
    "{}",
    "[]",
    "\"\"",
    "-1",
    "1e999",
    "18446744073709551616",
    "true",
    "\u{0}",
    "\u{202e}",
    "é",
    "\\ud800",
    "{",
    "]",
    "\"errors\":\"x\",",
    "<",
];
const LINKS: [&str; 5] = [
    "<https://x/?page_info=a>; rel=\"next\"",
    "<https://x/?page_info=%zz&page_info=%00>; rel=next",
    "<<>>;;rel",
    "<https://x/?page_info=a>; rel=\"previous\"",
    "é",
];
const LIMITS: [&str; 6] = ["1/40", "40/40", "-1/1e999", "/", "1/0", "999999/1"];

/// Applies a few random edits.
fn scribble(text: &str, rng: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..rng.usize(1..4) {
        let at = rng.usize(..=bytes.len());
        let to = (at + rng.usize(..6)).min(bytes.len());
        match rng.u8(..4) {
            0 => drop(bytes.drain(at..to)),
            1 => bytes.truncate(at),
            2 => drop(bytes.splice(at..to, rng.choice(TOKENS).unwrap().bytes())),
            _ => bytes.iter_mut().skip(at).take(1).for_each(|b| *b = rng.u8(..)),
        }
    }
    bytes
}

/// The body of every response of case `n`; those of the first three cases are valid.
fn body(n: u64) -> Vec<u8> {
    let rng = &mut fastrand::Rng::with_seed(n);
    let right = match n % 3 {
        0 => json!({ "webhooks": [webhook(1), webhook(2)], "access_scopes": [{ "handle": "read_orders" }] }),
        1 => json!({ "webhook": webhook(7) }),
        _ => json!({ "errors": { "address": ["is invalid"], "base": "odd" } }),
    };
    if n < 3 { right.to_string().into_bytes() } else { scribble(&right.to_string(), rng) }
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_never_accepted_as_a_response() {
    let server = start(|_, seen| {
        let n: u64 = seen.line.split_once("/c").unwrap().1.split_once('.').unwrap().0.parse().unwrap();
        let rng = &mut fastrand::Rng::with_seed(!n);
        let usual = if n % 3 == 2 { 422 } else { 200 };
        let status =
            if n < 3 || rng.u8(..5) > 0 { usual } else { *rng.choice(&[201, 204, 301, 404, 422, 429, 500]).unwrap() };
        let mut answer = respond(status, "");
        *answer.body_mut() = body(n).into();
        for (name, odd) in
            [("link", &LINKS[..]), ("x-shopify-shop-api-call-limit", &LIMITS), ("retry-after", &TOKENS[..5])]
        {
            if n > 2 && rng.u8(..8) == 0 {
                let value = HeaderValue::from_bytes(rng.choice(odd).unwrap().as_bytes()).unwrap();
                answer.headers_mut().insert(name, value);
            }
        }
        answer
    })
    .await;
    let cases: Vec<u64> = (0..ANSWERS).collect();
    let mut taken = Vec::new();
    for some in cases.chunks(8) {
        let tasks: Vec<_> = some.iter().map(|&n| (n, tokio::spawn(case(server.url.clone(), n)))).collect();
        for (n, task) in tasks {
            taken.extend(task.await.unwrap_or_else(|error| panic!("case {n}: {error}")).then_some(n));
        }
    }
    assert!(taken.starts_with(&[0, 1, 2]), "the right answers were not taken: {taken:?}");
}

/// Returns whether the response was accepted; panics if it should not have been.
async fn case(url: String, n: u64) -> bool {
    let endpoint = Endpoint::parse(&format!("{url}/{{shop}}"), &[]).unwrap();
    let retry = Backoff { attempts: 2, base: Duration::ZERO, cap: Duration::ZERO };
    let patience = Duration::from_millis(if n < 3 { 10_000 } else { 300 });
    let base = AdminOptions::new(endpoint, ApiVersion::default());
    let options = AdminOptions { retry, deadline: Some(Instant::now() + patience), transport: Transport::Rest, ..base };
    let client = AdminClient::new(options).unwrap();
    let (shop, token) = (ShopDomain::parse(&format!("c{n}")).unwrap(), SecretString::from(TOKEN));
    let said: Value = serde_json::from_slice(&body(n)).unwrap_or_default();
    if n.is_multiple_of(3) {
        let Ok(reading) = client.reader(&shop, &token).read().await else { return false };
        let there = said["webhooks"].as_array().map(Vec::len);
        // A damaged link may make the reader request the same page once more.
        let read = reading.observed.entries.len();
        assert!(there.is_some_and(|there| read == there || read == 2 * there), "{read} were read of {said}");
        assert!(said["access_scopes"].is_array(), "{said}");
        return true;
    }
    let update = Mutation::Update {
        id: SubscriptionId::new("gid://shopify/WebhookSubscription/7"),
        input: super::writes::input("https://x.example/7"),
    };
    match client.writer(&shop, &token).send(&[update]).await.remove(0) {
        Answer::Done(entry) => assert!(entry.is_some() && said["webhook"]["id"].is_u64(), "{said}"),
        Answer::Refused { errors, .. } => assert!(!errors.is_empty() && said.is_object(), "{said}"),
        Answer::Failed(_) | Answer::Lost(_) => return false,
    }
    true
}
