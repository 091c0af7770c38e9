//! Fuzz tests: a fixed number of seeded, mutated inputs for every parser of external data; none may panic. They run on
//! stable as plain tests, and a failing input can be reproduced from its number.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::admin::{AdminClient, AdminOptions, Answer, Backoff, Endpoint, Input, Mutation};
use crate::diagnostic;
use crate::manifest::{self, SourceFile};
use crate::model::{Address, ApiVersion, Format, ShopDomain, SubscriptionId, Topic};
use crate::plan;
use crate::render::{self, Style};
use crate::wire;
use crate::wire::report::Report;

const MANIFESTS: u64 = 4000;
const PLANS: u64 = 6000;
const REPORTS: u64 = 4000;
const ANSWERS: u64 = 4000;

/// Texts that often break parsers.
const TOKENS: [&str; 24] = [
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
    "\u{1b}[31m",
    "é",
    "\\u",
    "\\ud800",
    "&a",
    "*a",
    "<<:",
    "---\n",
    "\t",
    "\r\n",
    "#",
    "{",
    "]",
    "%",
];

/// A few random edits of bytes.
fn scribble(text: &[u8], rng: &mut fastrand::Rng) -> Vec<u8> {
    let mut text = text.to_vec();
    for _ in 0..rng.usize(1..5) {
        if text.is_empty() {
            break;
        }
        let (from, to) = (rng.usize(..text.len()), rng.usize(..text.len()));
        let (from, to) = (from.min(to), from.max(to).min(from.min(to) + 40));
        match rng.u8(..7) {
            0 => text[from] = rng.u8(..),
            1 => drop(text.drain(from..to)),
            2 => text.truncate(from),
            3 => {
                let part = text[from..to].to_vec();
                let at = rng.usize(..text.len());
                drop(text.splice(at..at, part));
            }
            _ => drop(text.splice(from..to.min(from + 6), rng.choice(TOKENS).unwrap().bytes())),
        }
    }
    text
}

/// Replaces or removes some values of a JSON document, so that it stays one.
fn reshape(value: &mut Value, rng: &mut fastrand::Rng, edits: &mut usize) {
    if *edits == 0 {
        return;
    }
    if rng.u8(..8) == 0 {
        *edits -= 1;
        *value = match rng.u8(..9) {
            0 => Value::Null,
            1 => json!({}),
            2 => json!([]),
            3 => json!(-1),
            4 => json!(1e300),
            5 => json!("\u{1b}[2J\u{0}é"),
            6 => json!([value.clone(), value.clone()]),
            7 => json!("x".repeat(5000)),
            _ => json!({ "errors": value.clone() }),
        };
        return;
    }
    match value {
        Value::Object(map) if !map.is_empty() => {
            let key = map.keys().nth(rng.usize(..map.len())).unwrap().clone();
            if rng.u8(..12) == 0 {
                map.remove(&key);
                *edits -= 1;
            } else {
                reshape(map.get_mut(&key).unwrap(), rng, edits);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            let at = rng.usize(..list.len());
            reshape(&mut list[at], rng, edits);
        }
        _ => {}
    }
}

fn reshaped(value: &Value, rng: &mut fastrand::Rng) -> Value {
    let mut value = value.clone();
    let mut edits = rng.usize(1..4);
    for _ in 0..40 {
        reshape(&mut value, rng, &mut edits);
    }
    value
}

fn style() -> Style {
    Style { color: true, width: Some(60), verbose: true }
}

#[test]
fn manifests() {
    let mut corpus = Vec::new();
    for name in ["tests/fixtures/manifests/good", "tests/fixtures/manifests/bad", "examples/quickstart"] {
        for entry in std::fs::read_dir(name).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "yaml") {
                corpus.push(std::fs::read(path).unwrap());
            }
        }
    }
    corpus.sort();
    for n in 0..MANIFESTS {
        let rng = &mut fastrand::Rng::with_seed(n);
        let bytes = scribble(rng.choice(&corpus).unwrap(), rng);
        let loaded = manifest::load(vec![SourceFile { path: "m.yaml".into(), bytes }], &manifest::Options::default());
        let errors = loaded.report().errors();
        assert_eq!(loaded.manifest.is_some(), errors == 0, "input {n}: a manifest and {errors} errors");
        let mut out = Vec::new();
        diagnostic::text::write(&mut out, loaded.report(), true).unwrap();
        diagnostic::sarif::write(&mut out, loaded.report()).unwrap();
    }
}

/// A plan and a report over the quickstart. tests/it/examples.rs compares them with the output of the program.
fn samples() -> (Value, Value) {
    let folder = Path::new("tests/fixtures/quickstart");
    let read = |name: &str| serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap();
    (read("plan.json"), read("report.json"))
}

/// Updates the digest of a plan, so that the checks after the digest are reached.
fn seal(plan: &mut Value) {
    let mut content = plan.clone();
    if let (Some(content), Some(_)) = (content.as_object_mut(), plan.as_object()) {
        content.remove("plan_digest");
        content.remove("created_at");
    }
    let digest = plan::sha256(&content);
    if let Some(plan) = plan.as_object_mut() {
        plan.insert("plan_digest".into(), digest.into());
    }
}

#[test]
fn plan_files_and_reports() {
    let (good, report) = samples();
    let original = wire::plan::read(good.to_string().as_bytes()).unwrap();
    let mut taken = 0;
    for n in 0..PLANS {
        let rng = &mut fastrand::Rng::with_seed(n);
        if n % 3 == 0 {
            let bytes = scribble(good.to_string().as_bytes(), rng);
            // A plan that is accepted with its old digest is equal to the original, except for its creation time.
            if let Ok(mut plan) = wire::plan::read(&bytes) {
                plan.created_at.clone_from(&original.created_at);
                assert_eq!(plan, original, "input {n}: an edited plan was accepted");
            }
            continue;
        }
        let mut value = reshaped(&good, rng);
        seal(&mut value);
        if let Ok(plan) = wire::plan::read(value.to_string().as_bytes()) {
            taken += 1;
            let text = render::plan_text(&plan.into(), &style());
            assert!(!text.contains("\u{1b}[2J"), "input {n}: a control sequence is printed");
        }
    }
    assert!(taken > PLANS / 50, "only {taken} inputs were accepted, too few for a test");
    let mut taken = 0;
    for n in 0..REPORTS {
        let rng = &mut fastrand::Rng::with_seed(n);
        let text = if n % 2 == 0 {
            scribble(report.to_string().as_bytes(), rng)
        } else {
            reshaped(&report, rng).to_string().into_bytes()
        };
        if let Ok(report) = serde_json::from_slice::<Report>(&text) {
            taken += 1;
            let text = render::report_text(&report, &style());
            assert!(!text.contains("\u{1b}[2J"), "input {n}: a control sequence is printed");
        }
    }
    assert!(taken > REPORTS / 50, "only {taken} inputs were accepted, too few for a test");
}

fn node(n: u64) -> Value {
    json!({
        "id": format!("gid://shopify/WebhookSubscription/{n}"), "topic": "ORDERS_CREATE", "uri": format!("https://x.example/{n}"),
        "format": "JSON", "filter": "", "includeFields": ["id"], "metafieldNamespaces": [],
        "metafields": [{ "namespace": "custom", "key": "size" }], "name": null,
        "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "apiVersion": { "handle": "2026-10" }
    })
}

/// The correct answer to a read, or to the three mutations below.
fn right(mutation: bool) -> Value {
    let cost = json!({ "cost": { "requestedQueryCost": 12, "actualQueryCost": 12,
        "throttleStatus": { "maximumAvailable": 2000.0, "currentlyAvailable": 1988, "restoreRate": 100.0 } } });
    let data = if mutation {
        json!({
            "c0": { "webhookSubscription": node(7), "userErrors": [] },
            "u1": { "webhookSubscription": node(2), "userErrors": [] },
            "d2": { "deletedWebhookSubscriptionId": "gid://shopify/WebhookSubscription/3", "userErrors": [] },
        })
    } else {
        json!({
            "webhookSubscriptions": { "nodes": [node(1), node(2)], "pageInfo": { "hasNextPage": false, "endCursor": null } },
            "currentAppInstallation": { "accessScopes": [{ "handle": "read_orders" }] },
        })
    };
    json!({ "data": data, "extensions": cost })
}

fn mutations() -> [Mutation; 3] {
    let input = |n: u64| Input {
        address: Address::new(&format!("https://x.example/{n}")),
        format: Format::Json,
        filter: String::new(),
        include_fields: vec!["id".into()],
        metafield_namespaces: vec![],
        name: None,
        metafields: None,
    };
    let id = |n: u64| SubscriptionId::new(&format!("gid://shopify/WebhookSubscription/{n}"));
    [
        Mutation::Create { topic: Topic::from_slash("orders/create"), input: input(7) },
        Mutation::Update { id: id(2), input: input(2) },
        Mutation::Delete { id: id(3) },
    ]
}

/// The body of the answer to every request of case `n`. The first two are correct.
fn body_of(n: u64) -> Vec<u8> {
    let rng = &mut fastrand::Rng::with_seed(n);
    let mut right = right(n % 2 == 1);
    if n > 1 && rng.u8(..4) == 0 {
        // A partial answer, or one with an additional error.
        let codes = ["THROTTLED", "ACCESS_DENIED", "INTERNAL_SERVER_ERROR", "SHOP_INACTIVE", "ODD"];
        let path = *rng.choice(&["c0", "u1", "d2", "webhookSubscriptions", "currentAppInstallation"]).unwrap();
        right["errors"] = json!([{ "message": "m", "path": [path], "extensions": { "code": rng.choice(codes) } }]);
        if rng.bool() {
            right["data"][path] = Value::Null;
        }
    }
    match n {
        0 | 1 => right.to_string().into_bytes(),
        _ if n.is_multiple_of(3) => scribble(right.to_string().as_bytes(), rng),
        _ => reshaped(&right, rng).to_string().into_bytes(),
    }
}

/// The whole answer; sometimes its head is unusual, too.
fn wire_of(n: u64) -> Vec<u8> {
    let rng = &mut fastrand::Rng::with_seed(!n);
    let body = body_of(n);
    let status =
        if n < 2 || rng.u8(..5) > 0 { 200 } else { *rng.choice(&[201, 204, 301, 400, 401, 403, 500]).unwrap() };
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let mut wire = [head.into_bytes(), body].concat();
    if n > 1 && rng.u8(..10) == 0 {
        wire = scribble(&wire, rng);
    }
    wire
}

/// Answers `/c<n>.myshopify.com/…` with the answer of case `n`.
async fn serve(mut stream: TcpStream) -> Option<()> {
    let mut seen = Vec::new();
    let (mut length, mut case) = (None, 0);
    loop {
        let mut buffer = [0; 8192];
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        seen.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&seen).to_ascii_lowercase();
        if length.is_none()
            && let Some(end) = text.find("\r\n\r\n")
        {
            case = text.split_once("/c")?.1.split_once('.')?.0.parse().ok()?;
            let body = text.split_once("content-length: ")?.1.split_once('\r')?.0.parse::<usize>().ok()?;
            length = Some(end + 4 + body);
        }
        if length.is_some_and(|length| seen.len() >= length) {
            break;
        }
    }
    stream.write_all(&wire_of(case)).await.ok()?;
    stream.shutdown().await.ok()
}

/// Returns the part of an answer for an alias. An error in another part (such as half a surrogate pair) is ignored,
/// because each alias has its own outcome.
fn part(body: &[u8], alias: &str) -> Value {
    let inside = |text: &RawValue, key: &str| {
        let all: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text.get()).ok()?;
        all.into_iter().find(|(name, _)| name == key).map(|(_, part)| part)
    };
    let whole = serde_json::from_slice::<Box<RawValue>>(body).ok();
    let part = whole.and_then(|whole| inside(&inside(&whole, "data")?, alias));
    part.and_then(|part| serde_json::from_str(part.get()).ok()).unwrap_or_default()
}

/// Passes the answer of case `n` to the client. Returns whether the client accepted it, and what is wrong with that.
async fn case(url: &str, n: u64) -> (bool, Option<String>) {
    let endpoint = Endpoint::parse(&format!("{url}/{{shop}}"), &[]).unwrap();
    let retry = Backoff { attempts: 2, base: Duration::ZERO, cap: Duration::ZERO };
    // A bucket that is never refilled must not delay the test.
    let patience = Duration::from_millis(if n < 2 { 10_000 } else { 300 });
    let options = AdminOptions {
        retry,
        deadline: Some(Instant::now() + patience),
        ..AdminOptions::new(endpoint, ApiVersion::default())
    };
    let client = AdminClient::new(options).unwrap();
    let (shop, token) = (ShopDomain::parse(&format!("c{n}")).unwrap(), SecretString::from("shpat_0123456789abcdef"));
    let said = serde_json::from_slice::<Value>(&body_of(n)).unwrap_or_default();
    if n.is_multiple_of(2) {
        let Ok(reading) = client.reader(&shop, &token).read().await else { return (false, None) };
        let nodes = said["data"]["webhookSubscriptions"]["nodes"].as_array().map(Vec::len);
        let whole = nodes == Some(reading.observed.entries.len())
            && said["data"]["currentAppInstallation"]["accessScopes"].is_array()
            && said["errors"].as_array().is_none_or(Vec::is_empty);
        let wrong =
            (!whole).then(|| format!("case {n}: {} subscriptions were read of {said}", reading.observed.entries.len()));
        return (true, wrong);
    }
    let answers = client.writer(&shop, &token).send(&mutations()).await;
    let mut wrong = None;
    for (answer, alias) in answers.iter().zip(["c0", "u1", "d2"]) {
        let done = matches!(answer, Answer::Done(_));
        let said = part(&body_of(n), alias);
        if done && said["userErrors"] != json!([]) {
            wrong = Some(format!("case {n}: {alias} was accepted as done from {said}"));
        }
    }
    if answers.len() != 3 {
        wrong = Some(format!("case {n}: {} answers", answers.len()));
    }
    (answers.iter().all(|answer| matches!(answer, Answer::Done(_))), wrong)
}

#[test]
fn graphql_answers() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (taken, wrong) = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
        let (mut taken, mut wrong) = (Vec::new(), Vec::new());
        let cases: Vec<u64> = (0..ANSWERS).collect();
        for some in cases.chunks(8) {
            let tasks: Vec<_> = some.iter().map(|&n| (n, url.clone())).collect();
            let tasks: Vec<_> =
                tasks.into_iter().map(|(n, url)| (n, tokio::spawn(async move { case(&url, n).await }))).collect();
            for (n, task) in tasks {
                let (took, complaint) = task.await.unwrap_or_else(|_| panic!("case {n} panicked"));
                taken.extend(took.then_some(n));
                wrong.extend(complaint);
            }
        }
        (taken, wrong)
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(taken.starts_with(&[0, 1]), "the correct answers were not accepted");
}
