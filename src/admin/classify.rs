//! Determines the kind and the message of an unexpected response. Pure.
//!
//! Error bodies have every shape listed in `upstream_text`; the status determines the kind, the text only refines it.

use serde_json::Value;

use super::endpoint::Endpoint;
use super::error::{AdminError, AdminErrorKind};
use crate::catalog;
use crate::http::{Redactor, Response, looks_like_html, oauth_error, quotation, upstream_text};
use crate::json::names_a_key_twice;
use crate::model::{ApiVersion, ShopDomain};

/// The request of a response.
pub(super) struct Asked<'a> {
    pub(super) shop: &'a ShopDomain,
    /// The version in the URL, if there is one.
    pub(super) version: Option<&'a ApiVersion>,
    pub(super) endpoint: &'a Endpoint,
}

/// Returns the error of a response with a status other than 200.
pub(super) fn status_error(asked: &Asked<'_>, answer: &Response, redactor: &Redactor) -> AdminError {
    let (shop, status) = (asked.shop, answer.status);
    let raw = upstream_text(&answer.body);
    let kind = kind_of(status, &raw, &answer.body);
    let said = quotation(&raw, redactor);
    let message = match kind {
        AdminErrorKind::TokenRefused => format!(
            "the access token was refused{said}. The app may have been uninstalled, or the token may be revoked or \
             expired. Install the app again, or replace the token"
        ),
        AdminErrorKind::NonExpiringToken => format!(
            "the access token was refused, because it does not expire{said}. Shopify requires tokens that expire"
        ),
        AdminErrorKind::MissingScope => format!(
            "the token lacks a scope{said}. Add the scope to the app, and let the merchant approve it with the link \
             of `hookwright auth url --shop {}`",
            shop.handle()
        ),
        AdminErrorKind::Forbidden => {
            format!("the request was forbidden{said}. Check the app's permissions in this shop")
        }
        AdminErrorKind::UnavailableShop => {
            format!(
                "the shop is unavailable{said}: it is closed, deleted or blocked. If this persists, remove it from the \
                 manifest"
            )
        }
        AdminErrorKind::Frozen => {
            format!("the shop is frozen until its owner pays the bill{said}{}", tolerance("frozen"))
        }
        AdminErrorKind::PaymentRequired => format!("the shop's plan does not allow this request{said}"),
        AdminErrorKind::NotFound => not_found(asked, &said),
        AdminErrorKind::Locked => {
            format!("the shop is locked{said}. Try again later{}", tolerance("locked"))
        }
        AdminErrorKind::RateLimited => {
            format!("too many requests{said}. Run again later, or with a longer `--timeout`")
        }
        AdminErrorKind::SecurityRejection => {
            format!("the request was rejected as suspicious{said}. Wait; if this persists, ask Shopify's support")
        }
        AdminErrorKind::Uninstalled => not_installed(&said),
        AdminErrorKind::ServerError => format!("the Admin API failed with status {status}{said}. Try again later"),
        AdminErrorKind::Redirected => {
            let to = redactor.clean(answer.header("location").as_deref().unwrap_or("an unknown address"));
            format!(
                "the response is a redirect to {to}, which is never followed with a token. {}",
                asked.endpoint.place().check()
            )
        }
        _ => format!("unexpected status {status} of the response{said}"),
    };
    AdminError::new(kind, message).with_status(status)
}

/// Explains a 404, which Shopify returns for an unknown version as well as for an unknown shop.
fn not_found(asked: &Asked<'_>, said: &str) -> String {
    let unknown = asked.version.filter(|version| !catalog::has_version(version));
    let or_version = unknown.map_or_else(String::new, |version| {
        format!(
            ", or the Admin API has no version {version}. The newest version that this version of Hookwright knows is \
             {}. Set `admin_api.version` (or `--api-version` of `import`)",
            ApiVersion::DEFAULT
        )
    });
    match asked.endpoint.admin_url_host() {
        Some(server) => format!(
            "{server} returned 404 for {}{said}: `HOOKWRIGHT_ADMIN_URL` has a wrong path, or the server does not have \
             this shop{or_version}",
            asked.shop
        ),
        None => {
            format!("the shop does not exist{said}: it was renamed or closed, or its name is misspelled{or_version}")
        }
    }
}

fn kind_of(status: u16, text: &str, body: &[u8]) -> AdminErrorKind {
    let has = |word: &str| text.to_ascii_lowercase().contains(word);
    if matches!(status, 400 | 401 | 403) && is_uninstalled(body) {
        return AdminErrorKind::Uninstalled;
    }
    match status {
        300..=399 => AdminErrorKind::Redirected,
        401 => AdminErrorKind::TokenRefused,
        402 if has("unavailable shop") => AdminErrorKind::Frozen,
        402 => AdminErrorKind::PaymentRequired,
        403 if has("non-expiring access token") => AdminErrorKind::NonExpiringToken,
        403 if has("requires merchant approval") => AdminErrorKind::MissingScope,
        403 if has("unavailable shop") => AdminErrorKind::UnavailableShop,
        403 => AdminErrorKind::Forbidden,
        404 => AdminErrorKind::NotFound,
        423 => AdminErrorKind::Locked,
        429 => AdminErrorKind::RateLimited,
        430 => AdminErrorKind::SecurityRejection,
        500..=599 => AdminErrorKind::ServerError,
        _ => AdminErrorKind::UnexpectedAnswer,
    }
}

/// Returns whether the body has the OAuth error `app_not_installed`, the only evidence of an uninstalled app.
pub(super) fn is_uninstalled(body: &[u8]) -> bool {
    oauth_error(body).as_deref() == Some("app_not_installed")
}

/// Returns the error of a response with status 200 that is not one of `protocol` (GraphQL or REST).
pub(super) fn unreadable(answer: &Response, protocol: &str, redactor: &Redactor) -> AdminError {
    let (what, again) = match serde_json::from_slice::<Value>(&answer.body) {
        _ if answer.body.iter().all(u8::is_ascii_whitespace) => ("is empty".to_owned(), true),
        Ok(Value::Object(_)) if names_a_key_twice(&answer.body) => ("has a duplicate key".to_owned(), false),
        Ok(Value::Object(_)) => (format!("is not a {protocol} response (\"{}\")", upstream_text(&answer.body)), false),
        Ok(_) => ("is not a JSON object".to_owned(), false),
        Err(_) if looks_like_html(&answer.body) => (format!("is {}", upstream_text(&answer.body)), true),
        Err(error) if error.is_eof() => ("is truncated".to_owned(), true),
        Err(_) => (format!("is not JSON (\"{}\")", upstream_text(&answer.body)), true),
    };
    let message = format!(
        "the response {}. Try again later. If this persists, check the proxies between this machine and the shop",
        redactor.clean(&what)
    );
    AdminError::new(AdminErrorKind::UnexpectedAnswer, message).with_status(answer.status).retryable(again)
}

/// Returns the message for a shop without the app; `said` quotes the server.
pub(crate) fn not_installed(said: &str) -> String {
    format!("the app is not installed in this shop{said}{}", tolerance("uninstalled"))
}

/// Returns the remedy for a shop in a state that a run can tolerate, as the end of a message.
pub(crate) fn tolerance(state: &str) -> String {
    format!(". To keep the shop from failing the run, pass `--tolerate {state}`")
}
