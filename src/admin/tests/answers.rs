//! Tests that each documented failure has its kind, and is retried only if that helps.

use axum::body::Body;
use axum::http::Response;
use serde_json::json;

use super::{TOKEN, ok, one_shop, respond, start, throttled};
use crate::admin::{AdminError, AdminErrorKind};
use crate::http::{Class, Proof};

struct Case {
    status: u16,
    body: &'static str,
    kind: AdminErrorKind,
    class: Class,
    requests: usize,
    says: &'static str,
}

fn case(
    status: u16,
    body: &'static str,
    kind: AdminErrorKind,
    class: Class,
    requests: usize,
    says: &'static str,
) -> Case {
    Case { status, body, kind, class, requests, says }
}

#[tokio::test]
async fn every_documented_failure_has_its_kind_and_its_message() {
    use Class::{Auth, Other, RateLimit};
    for case in [
        case(
            401,
            r#"{"errors":"[API] Invalid API key or access token (unrecognized login or wrong password)"}"#,
            AdminErrorKind::TokenRefused,
            Auth,
            1,
            "may have been uninstalled",
        ),
        case(402, r#"{"errors":"Unavailable Shop"}"#, AdminErrorKind::Frozen, Other, 1, "--tolerate frozen"),
        case(
            402,
            r#"{"errors":"This shop's plan does not have access to this feature"}"#,
            AdminErrorKind::PaymentRequired,
            Other,
            1,
            "plan",
        ),
        case(
            403,
            r#"{"errors":"[API] This action requires merchant approval for read_products scope."}"#,
            AdminErrorKind::MissingScope,
            Auth,
            1,
            "`hookwright auth url --shop a`",
        ),
        case(
            403,
            r#"{"errors":"[API] Non-expiring access tokens are no longer accepted for the Admin API. Start using expiring offline tokens: https://shopify.dev/docs/"}"#,
            AdminErrorKind::NonExpiringToken,
            Auth,
            1,
            "requires tokens that expire",
        ),
        case(403, r#"{"errors":"Unavailable Shop"}"#, AdminErrorKind::UnavailableShop, Other, 1, "closed"),
        case(
            403,
            "<html><title>Attention</title></html>",
            AdminErrorKind::Forbidden,
            Auth,
            1,
            "an HTML page: Attention",
        ),
        case(404, r#"{"errors":"Not Found"}"#, AdminErrorKind::NotFound, Other, 1, "returned 404"),
        case(423, r#"{"errors":"This shop is unavailable"}"#, AdminErrorKind::Locked, Other, 1, "--tolerate locked"),
        case(
            429,
            r#"{"errors":"Exceeded 2 calls per second for api client."}"#,
            AdminErrorKind::RateLimited,
            RateLimit,
            6,
            "Exceeded 2 calls",
        ),
        case(430, "", AdminErrorKind::SecurityRejection, Other, 1, "suspicious"),
        case(500, r#"{"errors":"An unexpected error occurred"}"#, AdminErrorKind::ServerError, Other, 6, "status 500"),
        case(502, "", AdminErrorKind::ServerError, Other, 6, "status 502"),
        case(
            503,
            "<!DOCTYPE html><head><title>Down</title></head>",
            AdminErrorKind::ServerError,
            Other,
            6,
            "an HTML page: Down",
        ),
        case(520, "x", AdminErrorKind::ServerError, Other, 6, "status 520"),
        case(
            400,
            r#"{"errors":{"query":"Required parameter missing or invalid"}}"#,
            AdminErrorKind::UnexpectedAnswer,
            Other,
            1,
            "query: Required",
        ),
        case(
            400,
            r#"{"error":"app_not_installed","error_description":"x"}"#,
            AdminErrorKind::Uninstalled,
            Auth,
            1,
            "not installed",
        ),
        case(
            401,
            r#"{"errors":"app_not_installed, so they say"}"#,
            AdminErrorKind::TokenRefused,
            Auth,
            1,
            "uninstalled",
        ),
        case(200, "", AdminErrorKind::UnexpectedAnswer, Other, 6, "is empty"),
        case(
            200,
            "<html><title>Login</title></html>",
            AdminErrorKind::UnexpectedAnswer,
            Other,
            6,
            "is an HTML page: Login",
        ),
        case(
            200,
            r#"{"data":{"webhookSubscriptions":{"nod"#,
            AdminErrorKind::UnexpectedAnswer,
            Other,
            6,
            "is truncated",
        ),
        case(200, "[]", AdminErrorKind::UnexpectedAnswer, Other, 1, "not a JSON object"),
        case(200, "{}", AdminErrorKind::UnexpectedAnswer, Other, 1, "not a GraphQL response"),
        case(200, r#"{"data":null}"#, AdminErrorKind::UnexpectedAnswer, Other, 1, "not a GraphQL response"),
        case(200, r#"{"data":{}}"#, AdminErrorKind::UnexpectedAnswer, Other, 1, "`currentAppInstallation` is missing"),
        case(200, r#"{"data":{},"errors":["\ud800"]}"#, AdminErrorKind::UnexpectedAnswer, Other, 6, "is not JSON"),
        case(200, r#"{"errors":"Unavailable"}"#, AdminErrorKind::UnexpectedAnswer, Other, 1, "Unavailable"),
        case(
            200,
            r#"{"errors":[{"message":"Query cost is 2003","extensions":{"code":"MAX_COST_EXCEEDED"}}]}"#,
            AdminErrorKind::CostExceeded,
            Other,
            1,
            "2003",
        ),
        case(
            200,
            r#"{"errors":[{"message":"Internal error. Request ID: 7","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#,
            AdminErrorKind::InternalError,
            Other,
            6,
            "Request ID: 7",
        ),
        case(
            200,
            r#"{"errors":[{"message":"Inactive","extensions":{"code":"SHOP_INACTIVE"}}]}"#,
            AdminErrorKind::ShopInactive,
            Other,
            1,
            "inactive",
        ),
        case(
            200,
            r#"{"errors":[{"message":"Field 'x' doesn't exist","path":["query","x"],"extensions":{"code":"undefinedField"}}]}"#,
            AdminErrorKind::GraphqlError,
            Other,
            1,
            "at query.x",
        ),
    ] {
        let server = start(move |_, _| respond(case.status, case.body)).await;
        let error = server.reader().read().await.expect_err(case.body);
        assert_eq!(
            (error.kind, error.http_status, error.class()),
            (case.kind, Some(case.status), case.class),
            "{}",
            case.body
        );
        assert!(error.message.contains(case.says), "{:?} lacks {:?}", error.message, case.says);
        assert_eq!(server.seen().len(), case.requests, "{}", case.body);
    }
}

#[tokio::test]
async fn a_read_is_retried_after_temporary_failures() {
    let server = start(|n, _| match n {
        0 => {
            let builder = Response::builder().status(429).header("Retry-After", "0.01");
            builder.body(Body::from("{}")).expect("response")
        }
        1 => respond(503, "<html>"),
        2 | 3 => ok(&throttled()),
        4 => respond(429, throttled().to_string()),
        _ => ok(&one_shop()),
    })
    .await;
    let reading = server.reader().read().await.expect("a reading");
    assert_eq!((reading.observed.entries.len(), server.seen().len()), (1, 6));
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_a_token() {
    let other = start(|_, _| ok(&one_shop())).await;
    let to = format!("{}/x\u{1b}", other.url).replace('\u{1b}', "");
    let server = start(move |_, _| {
        Response::builder().status(307).header("Location", &to).body(Body::empty()).expect("response")
    })
    .await;
    let error = server.reader().read().await.expect_err("a redirect");
    assert_eq!((error.kind, error.http_status), (AdminErrorKind::Redirected, Some(307)));
    assert!(error.message.contains(&other.url), "{error}");
    assert!(other.seen().is_empty());
    assert_eq!(server.seen()[0].headers["x-shopify-access-token"], TOKEN);
}

#[tokio::test]
async fn the_size_of_a_response_is_bounded() {
    let server = start(|_, _| respond(200, " ".repeat(9 << 20))).await;
    let error = server.reader().read().await.expect_err("too much");
    assert_eq!((error.kind, error.http_status, server.seen().len()), (AdminErrorKind::TooLarge, Some(200), 1));
}

/// Returns every printed form of an error.
fn printed(error: &AdminError) -> String {
    format!("{error} {error:?} {}", error.message)
}

#[tokio::test]
async fn an_echoed_token_is_redacted() {
    let hex = "0123456789abcdef0123456789abcdef"; // an old token has no prefix
    for echo in [TOKEN, hex, "shprt_ffeeddcc", "shpss_ffeeddcc"] {
        for status in [200, 302, 401, 403, 500] {
            for body in [
                json!({ "errors": format!("bad key {echo}.") }),
                json!({ "errors": [{ "message": format!("bad key {echo}"), "path": [echo],
                    "extensions": { "problems": [{ "explanation": echo }] } }] }),
                json!({ "error": "invalid_request", "error_description": echo }),
                json!({ "data": { "webhookSubscriptions": { "nodes": [echo] }, "currentAppInstallation": { "accessScopes": [] } } }),
                json!(format!("<html><title>{echo}</title>")),
            ] {
                let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
                let server = start(move |_, _| {
                    let to = format!("https://x.example/{echo}");
                    let builder = Response::builder().status(status).header("Location", to);
                    builder.body(Body::from(text.clone())).expect("response")
                })
                .await;
                let token = if echo == hex { hex } else { TOKEN };
                let mut reader = super::client(&server.url).reader(&super::shop(), &secrecy::SecretString::from(token));
                let error = reader.read().await.expect_err("an error");
                assert!(!printed(&error).contains(echo), "{status} {body}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn a_failed_connection_proves_that_nothing_happened() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    drop(listener);
    let error = super::client(&url).reader(&super::shop(), &TOKEN.into()).read().await.expect_err("no server");
    assert_eq!(
        (error.kind, error.proof, error.retryable),
        (AdminErrorKind::ConnectFailed, Proof::NothingHappened, true)
    );
    assert!(error.message.contains("127.0.0.1"), "{error}");
}

#[tokio::test]
async fn a_server_without_tls_has_its_own_kind() {
    let server = start(|_, _| ok(&one_shop())).await;
    let url = server.url.replace("http:", "https:");
    let error = super::client(&url).reader(&super::shop(), &TOKEN.into()).read().await.expect_err("no TLS");
    assert_eq!((error.kind, error.proof), (AdminErrorKind::Tls, Proof::NothingHappened), "{error}");
    assert!(server.seen().is_empty());
}
