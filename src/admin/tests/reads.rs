//! Tests of reading a shop.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use serde_json::json;
use tokio::time::Instant;

use super::{TOKEN, connection, cost, node, ok, one_shop, options, respond, scopes, shop, start, throttled};
use crate::admin::{AdminClient, AdminErrorKind, AdminOptions};
use crate::http::Class;
use crate::model::{Address, Format};

#[tokio::test]
async fn one_request_reads_subscriptions_and_scopes() {
    let server = start(|_, _| {
        let mut body = one_shop();
        body["extensions"] = cost(12, 988.0);
        let builder = Response::builder()
            .header("X-Shopify-API-Version", "2027-01")
            .header("X-Shopify-API-Deprecated-Reason", "WebhookSubscription.x");
        builder.body(Body::from(body.to_string())).expect("response")
    })
    .await;
    let reading = server.reader().read().await.expect("a reading");
    assert_eq!(reading.served_version.as_deref(), Some("2027-01"));
    assert_eq!(reading.deprecated_reason.as_deref(), Some("WebhookSubscription.x"));
    assert_eq!(reading.bucket.map(|b| b.batch_limit()), Some(25));
    assert!(reading.observed.scopes.expect("scopes").grants("read_orders"));
    let entry = &reading.observed.entries[0];
    assert_eq!((entry.binding.topic.as_str(), entry.binding.format), ("orders/create", Format::Json));
    assert_eq!(entry.binding.address, Address::new("https://x.example/1"));
    assert_eq!(entry.binding.filter, None, "an empty filter is none");
    assert_eq!(entry.binding.metafields.as_deref(), Some(&["custom.size".to_owned()][..]));
    assert_eq!(entry.meta.api_version.as_deref(), Some("2026-07"));
    assert_eq!(entry.meta.id.number(), Some(1));

    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].line, "POST /a.myshopify.com/admin/api/2026-10/graphql.json");
    assert_eq!(seen[0].headers["accept"], "application/json");
    assert_eq!(seen[0].headers["accept-encoding"], "gzip");
    assert!(seen[0].headers["user-agent"].to_str().expect("text").starts_with("hookwright/"));
}

#[tokio::test]
async fn past_250_it_reads_on_and_asks_for_scopes_once() {
    let server = start(|n, body| {
        let n = n % 3;
        let nodes: Vec<_> = (n * 250..(n + 1) * 250).map(node).collect();
        let after = body["variables"]["after"].as_str().unwrap_or("start").to_owned();
        assert_eq!(after, ["start", "c0", "c1"][n]);
        let next = format!("c{n}");
        let page = connection(&nodes, (n < 2).then_some(next.as_str()));
        let mut data = json!({ "webhookSubscriptions": page });
        if body["query"].as_str().expect("query").contains("currentAppInstallation") {
            data["currentAppInstallation"] = scopes();
        }
        ok(&json!({ "data": data }))
    })
    .await;
    let reading = server.reader().read().await.expect("a reading");
    // Read twice: several pages count only if two readings agree.
    assert_eq!((reading.observed.entries.len(), server.seen().len()), (750, 6));
    let asks = |n: usize| server.seen()[n].body["query"].to_string().contains("accessScopes");
    assert!(asks(0) && !asks(1) && !asks(2));
}

#[tokio::test]
async fn an_unreadable_response_is_never_an_empty_shop() {
    let with = |key: &str, value: serde_json::Value| {
        let mut node = node(1);
        node[key] = value;
        json!({ "data": { "webhookSubscriptions": connection(&[node], None), "currentAppInstallation": scopes() } })
    };
    let mut endless = one_shop();
    endless["data"]["webhookSubscriptions"] = connection(&[node(1)], Some("again"));
    let mut nowhere = endless.clone();
    nowhere["data"]["webhookSubscriptions"]["pageInfo"]["endCursor"] = json!(null);
    let mut partial = one_shop();
    partial["errors"] = json!([{ "message": "Access denied", "path": ["currentAppInstallation"],
        "extensions": { "code": "ACCESS_DENIED" } }]);
    let mut no_list = one_shop();
    no_list["data"]["webhookSubscriptions"] = json!(null);
    for (body, kind, says) in [
        (with("format", json!("CBOR")), AdminErrorKind::UnexpectedAnswer, "unknown format CBOR"),
        (with("uri", json!(null)), AdminErrorKind::UnexpectedAnswer, "webhookSubscriptions"),
        (with("includeFields", json!("id")), AdminErrorKind::UnexpectedAnswer, "webhookSubscriptions"),
        (endless, AdminErrorKind::UnexpectedAnswer, "the same page repeats"),
        (nowhere, AdminErrorKind::UnexpectedAnswer, "cursor is missing"),
        (partial, AdminErrorKind::AccessDenied, "at currentAppInstallation"),
        (no_list, AdminErrorKind::UnexpectedAnswer, "webhookSubscriptions"),
    ] {
        let server = start(move |_, _| ok(&body)).await;
        let error = server.reader().read().await.expect_err(says);
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(says), "{:?} lacks {says:?}", error.message);
    }
    let server = start(move |_, _| ok(&with("topic", json!("BRAND_NEW")))).await;
    let reading = server.reader().read().await.expect("an unknown topic is read");
    assert_eq!(reading.observed.entries[0].binding.topic.as_str(), "BRAND_NEW");
}

/// The response to a read of a shop with exactly these subscriptions.
fn shop_of(nodes: &[serde_json::Value], next: Option<&str>) -> serde_json::Value {
    json!({ "data": { "webhookSubscriptions": connection(nodes, next), "currentAppInstallation": scopes() } })
}

#[tokio::test]
async fn a_list_with_a_duplicate_id_is_read_again() {
    let twice = [node(1), node(2), node(1)];
    let server = start(move |n, _| ok(&shop_of(&twice[..if n == 0 { 3 } else { 2 }], None))).await;
    let reading = server.reader().read().await.expect("a reading");
    assert_eq!((reading.observed.entries.len(), server.seen().len()), (2, 2));

    let server = start(|_, _| ok(&shop_of(&[node(1), node(1)], None))).await;
    let error = server.reader().read().await.expect_err("no reading");
    assert_eq!((error.kind, server.seen().len()), (AdminErrorKind::UnexpectedAnswer, 4));
    assert!(error.message.contains("has a duplicate id"), "{error}");
}

#[tokio::test]
async fn pages_count_when_two_readings_in_a_row_agree() {
    // The second page starts one too early, then one too late, then correctly, twice.
    let pages = |n: usize| match n {
        1 => vec![node(2), node(3), node(4)],
        3 => vec![node(4)],
        _ if n.is_multiple_of(2) => vec![node(1), node(2)],
        _ => vec![node(3), node(4)],
    };
    let server = start(move |n, _| ok(&shop_of(&pages(n), n.is_multiple_of(2).then_some("next")))).await;
    let reading = server.reader().read().await.expect("a reading");
    assert_eq!((reading.observed.entries.len(), server.seen().len()), (4, 8));

    let server = start(move |n, _| {
        let last = if n.is_multiple_of(2) { node(1) } else { node(n + 1) };
        ok(&shop_of(&[last], n.is_multiple_of(2).then_some("next")))
    })
    .await;
    let error = server.reader().read().await.expect_err("no reading");
    assert_eq!((error.kind, server.seen().len()), (AdminErrorKind::UnexpectedAnswer, 8));
    assert!(error.message.contains("different each time"), "{error}");
}

#[tokio::test]
async fn an_endless_list_is_read_up_to_its_limits() {
    for (entries, filter, pages) in [(250, 0, 101), (8, 1023 << 10, 5), (0, 0, 401)] {
        let server = start(move |n, _| {
            let long = "x".repeat(filter);
            let of = |at: usize| {
                let mut node = node(n * entries + at + 1);
                node["filter"] = long.as_str().into();
                node
            };
            let nodes: Vec<_> = (0..entries).map(of).collect();
            ok(&shop_of(&nodes, Some(&n.to_string())))
        })
        .await;
        let error = server.reader().read().await.expect_err("no end");
        assert_eq!((error.kind, server.seen().len()), (AdminErrorKind::TooLarge, pages), "{error}");
    }
}

#[tokio::test]
async fn a_response_with_a_duplicate_key_is_refused() {
    let whole = one_shop().to_string();
    let empty = shop_of(&[], None).to_string();
    let data = |text: &str| text.strip_prefix("{\"data\":").and_then(|t| t.strip_suffix('}')).expect("data").to_owned();
    let list = r#"{"nodes":[],"pageInfo":{"hasNextPage":false,"endCursor":null}}"#;
    for body in [
        format!(r#"{{"data":{},"data":{}}}"#, data(&whole), data(&empty)),
        whole.replacen(
            r#""webhookSubscriptions""#,
            &format!(r#""webhookSubscriptions":{list},"webhookSubscriptions""#),
            1,
        ),
        whole.replacen(r#""nodes""#, r#""nodes":[],"nodes""#, 1),
        whole.replacen(r#""uri""#, r#""uri":"https://y.example/","uri""#, 1),
    ] {
        assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok(), "{body}");
        let server = start(move |_, _| ok_text(&body)).await;
        let error = server.reader().read().await.expect_err("no reading");
        assert!(
            error.kind == AdminErrorKind::UnexpectedAnswer && error.message.contains("has a duplicate key"),
            "{error}"
        );
    }
}

fn ok_text(body: &str) -> Response<Body> {
    Response::new(Body::from(body.to_owned()))
}

#[tokio::test]
async fn an_id_of_another_form_is_refused() {
    for id in [
        "",
        "1",
        "gid://shopify/WebhookSubscription/",
        "gid://shopify/WebhookSubscription/1\n::set-output",
        "gid://shopify/WebhookSubscription/01",
        "gid://shopify/WebhookSubscription/+1",
        "gid://shopify/Product/1",
        "gid://shopify/WebhookSubscription/99999999999999999999999",
    ] {
        let mut odd = node(1);
        odd["id"] = json!(id);
        let server = start(move |_, _| ok(&shop_of(&[odd.clone()], None))).await;
        let error = server.reader().read().await.expect_err(id);
        assert_eq!(error.kind, AdminErrorKind::UnexpectedAnswer, "{error}");
        assert!(error.message.contains("not a subscription id") && !error.message.contains('\n'), "{error}");
    }
}

#[tokio::test]
async fn the_end_of_the_run_bounds_waits_and_names_their_reason() {
    let waits: Arc<Mutex<Vec<(String, &'static str)>>> = Arc::default();
    let log = waits.clone();
    let server = start(|n, _| match n {
        0 => ok(&throttled()),
        _ => Response::builder().status(429).header("Retry-After", "86400").body(Body::from("{}")).expect("response"),
    })
    .await;
    let client = AdminClient::new(AdminOptions {
        deadline: Some(Instant::now() + Duration::from_mins(1)),
        on_wait: Some(Arc::new(move |shop, _, why| log.lock().expect("log").push((shop.to_string(), why)))),
        ..options(&server.url)
    })
    .expect("client");
    let error = client.reader(&shop(), &TOKEN.into()).read().await.expect_err("no time");
    assert_eq!(error.kind, AdminErrorKind::TimeBudget);
    assert!(error.message.contains("too many requests"), "{error}");
    assert!(waits.lock().expect("log").contains(&("a.myshopify.com".to_owned(), "throttled")));
    assert_eq!(server.seen().len(), 2, "a wait that ends after the run is not begun");

    let past =
        AdminClient::new(AdminOptions { deadline: Some(Instant::now()), ..options(&server.url) }).expect("client");
    let error = past.reader(&shop(), &TOKEN.into()).read().await.expect_err("no time");
    assert_eq!((error.kind, server.seen().len()), (AdminErrorKind::TimeBudget, 2), "nothing is begun after the end");
}

#[tokio::test]
async fn a_permanent_failure_of_the_server_is_the_cause_when_the_run_ends() {
    const INTERNAL: &str = r#"{"errors":[{"message":"Oops","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#;
    let hours = Duration::from_hours(1000);
    for (status, body, kind) in [(200, INTERNAL, AdminErrorKind::InternalError), (503, "", AdminErrorKind::ServerError)]
    {
        let server = start(move |_, _| respond(status, body)).await;
        let mut options =
            AdminOptions { deadline: Some(Instant::now() + Duration::from_mins(1)), ..options(&server.url) };
        (options.retry.base, options.retry.cap) = (hours, hours);
        let client = AdminClient::new(options).expect("client");
        let error = client.reader(&shop(), &TOKEN.into()).read().await.expect_err("no time");
        assert_eq!((error.kind, error.class()), (kind, Class::Other), "{error}");
        assert!(error.message.ends_with(". `--timeout` leaves no time for another attempt"), "{error}");
    }

    let server = start(|_, _| respond(503, "")).await;
    let error = server.reader().read().await.expect_err("it lasts");
    assert!(error.message.ends_with("Try again later (6 attempts failed)"), "{error}");

    // The last attempt is in flight when the time ends.
    let server = start(|n, _| {
        if n > 0 {
            std::thread::sleep(Duration::from_millis(400));
        }
        respond(503, "")
    })
    .await;
    let deadline = Some(Instant::now() + Duration::from_millis(250));
    let client = AdminClient::new(AdminOptions { deadline, ..options(&server.url) }).expect("client");
    let error = client.reader(&shop(), &TOKEN.into()).read().await.expect_err("no time");
    assert_eq!(error.kind, AdminErrorKind::ServerError, "{error}");
}

#[tokio::test]
async fn a_request_to_a_silent_server_times_out() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    let mut options = AdminOptions { request_timeout: Duration::from_millis(50), ..options(&url) };
    options.retry.attempts = 2;
    let client = AdminClient::new(options).expect("client");
    let error = client.reader(&shop(), &TOKEN.into()).read().await.expect_err("silence");
    assert_eq!(error.kind, AdminErrorKind::Timeout);

    let deadline = Some(Instant::now() + Duration::from_millis(50));
    let client = AdminClient::new(AdminOptions { deadline, ..super::options(&url) }).expect("client");
    let error = client.reader(&shop(), &TOKEN.into()).read().await.expect_err("silence");
    assert_eq!(error.kind, AdminErrorKind::TimeBudget);
    assert!(error.message.contains("waiting for a response"), "{error}");
}

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("log").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_most_verbose_log_has_the_requests_without_the_token() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // For all tests of this binary, so that the log lines of concurrent tests are checked, too.
    tracing::subscriber::set_global_default(subscriber).expect("no other subscriber");
    let server = start(|n, _| match n {
        0 => {
            let builder = Response::builder().status(500).header("X-Request-Id", TOKEN);
            builder.body(Body::from(format!("{{\"errors\":\"{TOKEN}\"}}"))).expect("response")
        }
        1 => ok(
            &json!({ "data": one_shop()["data"], "errors": [{ "message": "Internal error. Half of it is missing" }] }),
        ),
        _ => ok(&one_shop()),
    })
    .await;
    server.reader().read().await.expect("a reading");
    let log = String::from_utf8(log.0.lock().expect("log").clone()).expect("text");
    for part in ["server_error", "internal_error", "status=200", "a.myshopify.com", "elapsed"] {
        assert!(log.contains(part), "{part} is not in {log}");
    }
    assert!(!log.contains("00112233445566778899"), "{log}");
}
