//! Tests of tokens, retries, deadlines and redaction: the client with a test server.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::test_server::{CLIENT_ID, CLIENT_SECRET, ORG, Server, client, flow, granted, page, respond};
use super::{AdobeClient, AdobeErrorKind, AdobeOptions, InletKind};
use crate::state::aep::{Lookup, LookupBy};

fn wanted() -> Lookup {
    Lookup { account: "default".into(), kind: InletKind::Flow, by: LookupBy::Id("a".into()) }
}

async fn kind_of(client: &AdobeClient) -> AdobeErrorKind {
    client.find(&wanted()).await.expect_err("an error").kind
}

#[tokio::test]
async fn the_form_and_the_headers_are_those_that_adobe_documents() {
    let server = Server::with_tokens(|_, _| page(&[flow("a", "A")])).await;
    server.client().find(&wanted()).await.expect("found");
    let seen = server.seen();
    let [token, get] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!((token.method.as_str(), token.header("content-type")), ("POST", "application/x-www-form-urlencoded"));
    let form: Vec<_> = url::form_urlencoded::parse(token.body.as_bytes()).collect();
    let form: Vec<_> = form.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
    assert_eq!(
        form,
        [
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT_ID),
            ("client_secret", CLIENT_SECRET),
            ("scope", "openid,AdobeID")
        ]
    );
    assert_eq!((get.method.as_str(), get.path.as_str(), get.query.as_str()), ("GET", "/flows/a", ""));
    for (name, value) in [
        ("authorization", "Bearer tok3n-1"),
        ("x-api-key", CLIENT_ID),
        ("x-gw-ims-org-id", ORG),
        ("x-sandbox-name", "prod"),
        ("accept", "application/json"),
    ] {
        assert_eq!(get.header(name), value, "{name}");
    }
}

#[tokio::test]
async fn concurrent_requests_share_one_token() {
    let server = Server::with_tokens(|_, _| page(&[flow("a", "A")])).await;
    let client = server.client();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let client = client.clone();
        tasks.spawn(async move { client.find(&wanted()).await.expect("found").len() });
    }
    assert_eq!(tasks.join_all().await, [1; 20]);
    assert_eq!((server.tokens(), server.asked().len()), (1, 20));
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_for_all_requests() {
    let server = Server::with_tokens(|_, seen| match seen.header("authorization") {
        "Bearer tok3n-1" => respond(401, r#"{"error_code":"401013","message":"Oauth token is not valid"}"#),
        _ => page(&[flow("a", "A")]),
    })
    .await;
    let client = server.client();
    let (a, b) = (wanted(), wanted());
    let (first, second) = tokio::join!(client.find(&a), client.find(&b));
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(server.tokens(), 2);
}

#[tokio::test]
async fn a_fresh_token_that_is_refused_is_an_error() {
    let body = r#"{"error_code":"401013","message":"Oauth token is not valid"}"#;
    let server = Server::with_tokens(move |_, _| respond(401, body)).await;
    let error = server.client().find(&wanted()).await.expect_err("refused");
    assert_eq!((error.kind, error.http_status, error.retryable), (AdobeErrorKind::TokenRefused, Some(401), false));
    assert!(error.message.starts_with("aep `default`: Flow Service refused the token (\"401013: Oauth token is not"));
    assert_eq!((server.tokens(), server.asked().len()), (2, 2));
}

#[tokio::test]
async fn a_token_that_expires_soon_is_renewed_before_it_is_used() {
    let server = Server::start(|n, seen| if seen.is_token() { granted(n, &json!(0)) } else { page(&[]) }).await;
    let client = server.client();
    for _ in 0..3 {
        client.find(&wanted()).await.expect("found");
    }
    assert_eq!((server.tokens(), server.asked().len()), (3, 3));
}

#[tokio::test]
async fn a_refused_client_is_reported_and_not_tried_again() {
    let body = r#"{"error":"invalid_client","error_description":"invalid client_secret parameter"}"#;
    let server = Server::start(move |_, _| respond(401, body)).await;
    let client = server.client();
    let error = client.find(&wanted()).await.expect_err("refused");
    assert_eq!(
        error.to_string(),
        "aep `default`: IMS refused the client (\"invalid_client: invalid client_secret parameter\"). Check \
         `client_id` and `client_secret`, which must belong to an OAuth Server-to-Server credential. Adobe has retired \
         Service Account (JWT) credentials: create an OAuth Server-to-Server credential in the project at Adobe \
         Developer Console, and use its client id, client secret and scopes"
    );
    assert_eq!((error.kind, error.class()), (AdobeErrorKind::ClientRefused, crate::http::Class::Auth));
    assert_eq!(client.find(&wanted()).await, Err(error));
    assert_eq!((server.tokens(), server.asked().len()), (1, 0));
}

#[tokio::test]
async fn requests_that_wait_for_one_token_fail_together() {
    let server = Server::start(|_, _| respond(503, "")).await;
    let client = server.client();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let client = client.clone();
        tasks.spawn(async move { (kind_of(&client).await, client.last_run("a").await.is_err()) });
    }
    for (kind, _) in tasks.join_all().await {
        assert_eq!(kind, AdobeErrorKind::Unavailable);
    }
    // Six requests each time: the five concurrent ones, and then one more.
    assert!(server.tokens() <= 12, "{}", server.tokens());
}

#[tokio::test]
async fn a_response_of_ims_without_a_token_is_not_quoted() {
    for body in [r#"{"acces_token":"tok3n-1"}"#, "tok3n-1", r#"{"access_token":"tok3n-1"#, r#"{"access_token":""}"#] {
        let server = Server::start(move |_, _| respond(200, body)).await;
        let error = server.client().find(&wanted()).await.expect_err("no token");
        assert!(error.kind == AdobeErrorKind::BadAnswer && !format!("{error:?}").contains("tok3n"), "{error:?}");
    }
}

#[tokio::test]
async fn temporary_failures_are_retried() {
    let server = Server::start(|n, seen| match n {
        0 => respond(503, ""),
        1 => respond(200, "<html><title>Maintenance</title>"),
        2 => granted(1, &json!(86_399)),
        3 => respond(429, r#"{"error_code":"429050","message":"Too many requests"}"#),
        4 => respond(400, r#"{"error_code":"429050","message":"Too many requests"}"#),
        5 => respond(500, r#"{"code":"1102-500"}"#),
        6 => respond(200, ""),
        7 => respond(200, r#"{"items":[{"id""#),
        _ => {
            assert!(!seen.is_token());
            page(&[flow("a", "A")])
        }
    })
    .await;
    let waits = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&waits);
    let on_wait = Arc::new(move |_: Duration, why: &str| log.lock().expect("log").push(why.to_owned()));
    let client = server.client_with(AdobeOptions { on_wait: Some(on_wait), ..AdobeOptions::default() });
    assert_eq!(client.find(&wanted()).await.expect("found").len(), 1);
    let told = waits.lock().expect("log").clone();
    assert_eq!(told, ["retry", "retry", "rate limit", "rate limit", "retry", "retry", "retry"]);
}

#[tokio::test]
async fn retries_are_bounded() {
    for (status, kind) in [(429, AdobeErrorKind::RateLimited), (502, AdobeErrorKind::Unavailable)] {
        let server = Server::with_tokens(move |_, _| respond(status, "")).await;
        assert_eq!(kind_of(&server.client()).await, kind);
        assert_eq!(server.asked().len(), 6);
    }
    for status in [400, 403, 404, 418] {
        let server = Server::with_tokens(move |_, _| respond(status, "")).await;
        server.client().find(&wanted()).await.expect_err("an error");
        assert_eq!(server.asked().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_missing_or_incomplete_response_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let accepting = tokio::spawn(async move {
        loop {
            // Dropped at once.
            let _ = listener.accept().await;
        }
    });
    let lost = client(&url, AdobeOptions::default()).find(&wanted()).await.expect_err("lost");
    assert_eq!((lost.kind, lost.retryable), (AdobeErrorKind::Unavailable, true), "{lost}");
    accepting.abort();
    let _ = accepting.await;
    let refused = client(&url, AdobeOptions::default()).find(&wanted()).await.expect_err("refused");
    assert_eq!(refused.kind, AdobeErrorKind::Unavailable);
    assert!(
        refused.message.contains("cannot connect to 127.0.0.1:") && refused.message.contains(" (IMS): "),
        "{refused}"
    );
}

/// Starts a server whose responses ask for a retry after this many seconds.
async fn later(seconds: &'static str) -> Server {
    Server::with_tokens(move |_, _| {
        let mut response = respond(429, "");
        response.headers_mut().insert("retry-after", seconds.parse().expect("header"));
        response
    })
    .await
}

#[tokio::test]
async fn no_wait_exceeds_the_end_of_the_run() {
    let server = later("3600").await;
    let deadline = Some(Instant::now() + Duration::from_mins(10));
    let error = server
        .client_with(AdobeOptions { deadline, ..AdobeOptions::default() })
        .find(&wanted())
        .await
        .expect_err("late");
    assert_eq!((error.kind, error.class()), (AdobeErrorKind::RateLimited, crate::http::Class::RateLimit));
    assert!(error.message.starts_with("aep `default`: too many requests"), "{error}");
    assert!(error.message.ends_with(". `--timeout` leaves no time for another attempt"), "{error}");
    assert_eq!(server.asked().len(), 1);

    let over = server.client_with(AdobeOptions { deadline: Some(Instant::now()), ..AdobeOptions::default() });
    assert_eq!(kind_of(&over).await, AdobeErrorKind::TimeBudget);
    assert_eq!(server.asked().len(), 1, "nothing is sent after the end");
}

#[tokio::test]
async fn a_client_with_less_time_reports_its_last_error() {
    let soon = || tokio::time::Instant::now() + std::time::Duration::from_millis(300);
    let limited = later("60").await;
    let error = limited.client().until(soon()).find(&wanted()).await.expect_err("too late");
    assert_eq!(error.kind, AdobeErrorKind::RateLimited, "{error}");
    let silent = Server::with_tokens(|_, _| {
        std::thread::sleep(std::time::Duration::from_secs(1));
        page(&[])
    })
    .await;
    let client = silent.client();
    let error = client.until(soon()).find(&wanted()).await.expect_err("too late");
    assert!(error.kind == AdobeErrorKind::Unavailable && error.retryable, "{error}");
    assert_eq!(client.find(&wanted()).await, Ok(vec![]), "the client itself has its time");
}

#[tokio::test]
async fn an_interrupt_ends_waits_and_further_requests() {
    let server = later("1").await;
    let stop = CancellationToken::new();
    let ask = stop.clone();
    let on_wait = Arc::new(move |_: Duration, _: &str| ask.cancel());
    let options = AdobeOptions { stop, on_wait: Some(on_wait), ..AdobeOptions::default() };
    let client = server.client_with(options);
    assert_eq!(kind_of(&client).await, AdobeErrorKind::Interrupted);
    assert_eq!(kind_of(&client).await, AdobeErrorKind::Interrupted);
    assert_eq!((server.tokens(), server.asked().len()), (1, 1));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let redirect = |to: &str| {
        let mut response = respond(307, "");
        response.headers_mut().insert("location", to.parse().expect("header"));
        response
    };
    let server = Server::with_tokens(move |_, _| redirect("/elsewhere")).await;
    let error = server.client().find(&wanted()).await.expect_err("redirected");
    assert_eq!((error.kind, error.http_status), (AdobeErrorKind::BadAnswer, Some(307)));
    assert!(error.message.contains("a redirect to /elsewhere"), "{error}");
    assert_eq!(server.asked(), ["/flows/a"]);
    let server = Server::start(move |_, _| redirect("/elsewhere")).await;
    assert_eq!(kind_of(&server.client()).await, AdobeErrorKind::BadAnswer);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_huge_response_is_not_read_completely() {
    let server = Server::with_tokens(|_, _| respond(200, " ".repeat((8 << 20) + 1))).await;
    let error = server.client().find(&wanted()).await.expect_err("too large");
    assert_eq!(error.kind, AdobeErrorKind::BadAnswer);
    assert!(error.message.contains("larger than 8 MiB"), "{error}");
}

#[tokio::test]
async fn a_value_that_a_header_cannot_have_is_refused_before_a_request() {
    let mut account = client("http://127.0.0.1:1", AdobeOptions::default()).account().clone();
    for (org, sandbox, id, name) in
        [("a\nb", "prod", "c", "org"), (ORG, "", "c", "sandbox"), (ORG, "prod", "c\r\nx: y", "client_id")]
    {
        (account.org, account.sandbox, account.client_id) = (org.to_owned(), sandbox.to_owned(), id.into());
        let error = AdobeClient::new(account.clone(), AdobeOptions::default()).expect_err("refused");
        assert!(error.message.starts_with(&format!("aep `default`: `{name}` ")), "{error}");
    }
}

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_server_that_echoes_every_secret_reveals_none() {
    // With one subscriber in the process, tracing asks only the thread that first reaches a log line whether it is
    // enabled, for all threads; concurrent tests would disable it. With two subscribers it asks each.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::level_filters::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let wanted = wanted();
    let mut printed = Vec::new();
    for status in [200, 302, 400, 401, 403, 404, 429, 500] {
        for of_ims in [true, false] {
            for html in [true, false] {
                let server = Server::start(move |_, seen| {
                    if seen.is_token() && !of_ims {
                        return granted(1, &json!(86_399));
                    }
                    let key = seen.header("x-api-key");
                    let heard = format!("{} {key} {} {CLIENT_SECRET}", seen.header("authorization"), seen.body);
                    let json = json!({ "error": heard, "error_code": heard, "message": { "deep": [heard] } });
                    let body = if html { format!("<title>{heard}</title>") } else { json.to_string() };
                    let mut response = respond(status, body);
                    let header = axum::http::HeaderValue::from_str(&heard).expect("header");
                    response.headers_mut().insert("location", header.clone());
                    response.headers_mut().insert("x-request-id", header);
                    response
                })
                .await;
                let client = server.client();
                let error = client.find(&wanted).await.expect_err("an error");
                printed.push(format!("{error}\n{error:?}\n{client:?}\n{:?}", client.account()));
            }
        }
    }
    let logged = String::from_utf8_lossy(&log.0.lock().expect("log")).into_owned();
    assert!(logged.contains("retrying") && logged.contains("obtained a token from IMS"), "the log was not read");
    let printed = printed.join("\n");
    assert!(printed.contains("[redacted]"));
    for text in [&printed, &logged] {
        for secret in ["tok3n", "cl1ent", "s3cr3t"] {
            let at = text.find(secret).map(|at| &text[at.saturating_sub(200)..(at + 60).min(text.len())]);
            assert_eq!(at, None, "{secret}");
        }
    }
}
