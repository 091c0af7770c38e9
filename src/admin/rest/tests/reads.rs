//! Tests of reading: paging by link and by id, complete or not at all, and every documented error body.

use super::{SCOPES, page, respond, scopes, start, with};
use crate::admin::{AdminErrorKind, Reading};
use crate::model::Visibility;

fn ids(reading: &Reading) -> Vec<u64> {
    reading.observed.entries.iter().map(|e| e.meta.id.number().unwrap()).collect()
}

#[tokio::test]
async fn a_shop_takes_two_requests_and_the_fields_that_rest_hides_are_marked() {
    let server = start(|_, seen| {
        if seen.is_scopes() {
            return scopes();
        }
        let answer = with(page([3]), "x-shopify-api-version", "2027-01");
        with(answer, "x-shopify-shop-api-call-limit", "32/40")
    })
    .await;
    let reading = server.rest_reader().read().await.unwrap();
    assert_eq!(server.lines(), ["GET webhooks.json?limit=250".to_owned(), format!("GET {SCOPES}")]);
    let entry = &reading.observed.entries[0];
    assert_eq!(entry.meta.id.as_str(), "gid://shopify/WebhookSubscription/3");
    assert_eq!(
        (entry.meta.visibility, entry.meta.created_at.as_str()),
        (Visibility::WithoutFilterAndName, "2026-01-09T22:45:49Z")
    );
    assert_eq!((&entry.binding.filter, &entry.binding.name, &entry.binding.metafields), (&None, &None, &None));
    assert!(reading.observed.scopes.unwrap().grants("read_orders"));
    assert_eq!(reading.served_version.as_deref(), Some("2027-01"));
    let bucket = reading.bucket.unwrap();
    assert_eq!((bucket.maximum, bucket.restore_rate), (40.0, 2.0));
    assert!(bucket.available < 8.0, "the scopes took a call of which the answer said nothing: {bucket:?}");
}

#[tokio::test]
async fn pages_are_followed_by_their_cursor_at_the_original_address() {
    let server = start(|n, seen| match n % 4 {
        _ if seen.is_scopes() => scopes(),
        // Short pages and pages in any order: only the link shows whether there are more.
        0 => with(page([9, 2]), "link", "<https://evil.example/x.json?limit=2&page_info=a%2Bb>; rel=\"next\""),
        1 => with(
            page([5]),
            "link",
            "<https://evil.example/x?page_info=p>; rel=\"previous\", <https://evil.example/x?page_info=c>; rel=\"next\"",
        ),
        _ => with(page([7]), "link", "<https://evil.example/x?page_info=p>; rel=\"previous\""),
    })
    .await;
    let reading = server.rest_reader().read().await.unwrap();
    assert_eq!(ids(&reading), [9, 2, 5, 7]);
    let pages = ["", "&page_info=a%2Bb", "&page_info=c"].map(|page| format!("GET webhooks.json?limit=250{page}"));
    assert_eq!(server.lines()[..3], pages);
}

#[tokio::test]
async fn a_full_page_without_a_link_is_followed_by_the_last_id() {
    let server = start(|n, seen| match n % 4 {
        _ if seen.is_scopes() => scopes(),
        0 => page(1..=250),
        1 => page(251..=500),
        _ => page([]),
    })
    .await;
    let reading = server.rest_reader().read().await.unwrap();
    assert_eq!(ids(&reading), (1..=500).collect::<Vec<_>>());
    assert_eq!(
        server.lines()[1..3],
        ["GET webhooks.json?limit=250&since_id=250", "GET webhooks.json?limit=250&since_id=500"]
    );
}

#[tokio::test]
async fn an_implausible_list_is_refused() {
    for (name, respond) in [
        ("the same page again", (|_, _: &_| page(1..=250)) as fn(usize, &super::Seen) -> _),
        ("a full page in no order", |_, _| page((1..=250).rev())),
        ("the same cursor again", |_, _| with(page([1]), "link", "<https://x/?page_info=a>; rel=\"next\"")),
        ("a part that cannot be read", |_, _| respond(200, r#"{"webhooks":[{"id":1}]}"#)),
        ("another object", |_, _| respond(200, r#"{"errors":"no"}"#)),
        ("errors beside an empty list", |_, _| respond(200, r#"{"webhooks":[],"errors":"no"}"#)),
        ("an error beside an empty list", |_, _| respond(200, r#"{"error":{"a":["no"]},"webhooks":[]}"#)),
        ("two lists", |_, _| respond(200, r#"{"webhooks":[{}],"webhooks":[]}"#)),
    ] {
        let server = start(respond).await;
        let error = server.rest_reader().read().await.expect_err(name);
        assert_eq!(error.kind, AdminErrorKind::UnexpectedAnswer, "{name}: {error}");
        assert!(server.seen().len() <= 3, "{name}: {:?}", server.lines());
    }
    let server = start(|_, seen| if seen.is_scopes() { respond(200, "{}") } else { page([1]) }).await;
    assert_eq!(server.rest_reader().read().await.expect_err("no scopes").kind, AdminErrorKind::UnexpectedAnswer);
}

#[tokio::test]
async fn a_list_with_a_duplicate_id_is_read_again() {
    for later in [vec![1, 2, 1], vec![1, 2]] {
        let server = start({
            let later = later.clone();
            move |n, seen| match n {
                _ if seen.is_scopes() => scopes(),
                0 => page([1, 2, 1]),
                _ => page(later.clone()),
            }
        })
        .await;
        let reading = server.rest_reader().read().await;
        match reading {
            Ok(reading) => assert_eq!((ids(&reading), server.seen().len()), (vec![1, 2], 4)),
            Err(error) => {
                assert_eq!((error.kind, server.seen().len(), later.len()), (AdminErrorKind::UnexpectedAnswer, 8, 3));
            }
        }
    }
}

#[tokio::test]
async fn an_endless_list_is_read_up_to_its_limits() {
    let server = start(|n, _| {
        let first = n * 250 + 1;
        let link = format!("<https://x.example/?page_info=c{n}>; rel=\"next\"");
        with(page(first..first + 250), "link", &link)
    })
    .await;
    let error = server.rest_reader().read().await.expect_err("no end");
    assert_eq!((error.kind, server.seen().len()), (AdminErrorKind::TooLarge, 101), "{error}");
}

#[tokio::test]
async fn every_documented_error_body_has_its_kind() {
    for (status, body, kind, says) in [
        (401, r#"{"errors":"[API] Invalid API key or access token"}"#, AdminErrorKind::TokenRefused, "Invalid API key"),
        (402, r#"{"errors":"Unavailable Shop"}"#, AdminErrorKind::Frozen, "--tolerate frozen"),
        (402, r#"{"errors":"This shop's plan does not have access"}"#, AdminErrorKind::PaymentRequired, "plan"),
        (
            403,
            r#"{"errors":"[API] This action requires merchant approval for read_products scope."}"#,
            AdminErrorKind::MissingScope,
            "read_products",
        ),
        (403, r#"{"errors":"Unavailable Shop"}"#, AdminErrorKind::UnavailableShop, "closed"),
        (403, r#"{"errors":["a","b"]}"#, AdminErrorKind::Forbidden, "a; b"),
        (404, r#"{"errors":"Not Found"}"#, AdminErrorKind::NotFound, "Not Found"),
        (404, "", AdminErrorKind::NotFound, "returned 404"),
        (423, r#"{"errors":"This shop is unavailable"}"#, AdminErrorKind::Locked, "--tolerate locked"),
        (430, "", AdminErrorKind::SecurityRejection, "suspicious"),
        (422, r#"{"errors":{"limit":["is odd"]}}"#, AdminErrorKind::UnexpectedAnswer, "limit: is odd"),
        (
            400,
            r#"{"error":"invalid_request","error_description":"why"}"#,
            AdminErrorKind::UnexpectedAnswer,
            "invalid_request: why",
        ),
        (400, r#"{"error":"app_not_installed"}"#, AdminErrorKind::Uninstalled, "not installed"),
        (301, "", AdminErrorKind::Redirected, "redirect"),
    ] {
        let server = start(move |_, _| respond(status, body)).await;
        let error = server.rest_reader().read().await.expect_err(body);
        assert_eq!((error.kind, error.http_status), (kind, Some(status)), "{body}");
        assert!(error.message.contains(says), "{says:?} is missing: {error}");
        assert_eq!(server.seen().len(), 1, "{status} is not worth asking again");
    }
}

#[tokio::test]
async fn reads_are_retried_if_that_helps() {
    for (status, body) in [
        (503, "<html><title>503 Service Unavailable</title></html>"),
        (500, r#"{"errors":"An unexpected error occurred"}"#),
        (520, ""),
        (200, ""),
        (200, "<html></html>"),
        (200, r#"{"webhooks":[{"id""#),
        (429, r#"{"errors":"Exceeded 2 calls per second for api client."}"#),
    ] {
        let server = start(move |n, seen| match n {
            0 | 1 => respond(status, body),
            _ if seen.is_scopes() => scopes(),
            _ => page([1]),
        })
        .await;
        assert_eq!(ids(&server.rest_reader().read().await.unwrap()), [1], "{status} {body}");
        assert_eq!(server.seen().len(), 4, "{status} {body}");
    }
}
