//! Kind and message of an answer that is not the expected one. Pure.
//!
//! Error bodies come in every shape listed in `upstream_text`; the status decides the kind, the text only refines it.

use serde_json::Value;

use super::endpoint::Endpoint;
use super::error::{AdminError, AdminErrorKind};
use crate::catalog;
use crate::http::{Redactor, Response, looks_like_html, oauth_error, quotation, upstream_text};
use crate::json::names_a_key_twice;
use crate::model::{ApiVersion, ShopDomain};

/// The request that was answered.
pub(super) struct Asked<'a> {
    pub(super) shop: &'a ShopDomain,
    /// The version in the URL, if there is one.
    pub(super) version: Option<&'a ApiVersion>,
    pub(super) endpoint: &'a Endpoint,
}

/// Makes the error of an answer other than 200.
pub(super) fn status_error(asked: &Asked<'_>, answer: &Response, redactor: &Redactor) -> AdminError {
    let (shop, status) = (asked.shop, answer.status);
    let raw = upstream_text(&answer.body);
    let kind = kind_of(status, &raw, &answer.body);
    let said = quotation(&raw, redactor);
    let message = match kind {
        AdminErrorKind::TokenRefused => format!(
            "the access token was refused{said}. The app may have been uninstalled, or the token revoked or expired: \
             install the app again, or put a current token where `auth` points"
        ),
        AdminErrorKind::NonExpiringToken => format!(
            "Shopify no longer accepts the access token, because it has no expiry{said}. Tokens must expire now"
        ),
        AdminErrorKind::MissingScope => format!(
            "the token lacks a scope{said}. Add it to the app and have the merchant approve it, see `hookwright auth url \
             --shop {}`",
            shop.handle()
        ),
        AdminErrorKind::Forbidden => {
            format!("the request was forbidden{said}. Check what the app is allowed to do in this shop")
        }
        AdminErrorKind::UnavailableShop => {
            format!("the shop is unavailable{said}: closed, deleted or blocked. Leave it out if it stays so")
        }
        AdminErrorKind::Frozen => {
            format!(
                "the shop is frozen{said} until its owner settles the bill; `--tolerate frozen` keeps it from failing the run"
            )
        }
        AdminErrorKind::PaymentRequired => format!("the shop's plan does not allow this{said}"),
        AdminErrorKind::NotFound => not_found(asked, &said),
        AdminErrorKind::Locked => {
            format!("the shop is locked{said}; try again later, or `--tolerate locked` keeps it from failing the run")
        }
        AdminErrorKind::RateLimited => format!("too many requests{said}; run again later, or with a longer --timeout"),
        AdminErrorKind::SecurityRejection => {
            format!("the request was rejected as suspicious{said}; wait, and ask Shopify's support if it stays so")
        }
        AdminErrorKind::Uninstalled => not_installed(&said),
        AdminErrorKind::ServerError => format!("the Admin API failed with status {status}{said}; try again later"),
        AdminErrorKind::Redirected => {
            let to = redactor.clean(answer.header("location").as_deref().unwrap_or("nowhere"));
            format!(
                "the answer was a redirect to {to}, which is never followed with a token. {}",
                asked.endpoint.place().check()
            )
        }
        _ => format!("an answer with status {status} was not expected{said}"),
    };
    AdminError::new(kind, message).with_status(status)
}

/// Shopify answers 404 to an unknown version as well as to an unknown shop.
fn not_found(asked: &Asked<'_>, said: &str) -> String {
    let unknown = asked.version.filter(|version| !catalog::has_version(version));
    let or_version = unknown.map_or_else(String::new, |version| {
        format!(
            ", or the Admin API has no version {version}. The newest version that hookwright knows is {}: set \
             admin_api.version, or --api-version of `import`",
            ApiVersion::DEFAULT
        )
    });
    match asked.endpoint.admin_url_host() {
        Some(server) => format!(
            "{server} answered 404 for {}{said}: HOOKWRIGHT_ADMIN_URL has a wrong path, or the server does not know the \
             shop{or_version}",
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

/// Whether the body is the one evidence that the app is gone.
pub(super) fn is_uninstalled(body: &[u8]) -> bool {
    oauth_error(body).as_deref() == Some("app_not_installed")
}

/// Makes the error of an answer of status 200 that is not one of `protocol` (GraphQL or REST).
pub(super) fn unreadable(answer: &Response, protocol: &str, redactor: &Redactor) -> AdminError {
    let (what, again) = match serde_json::from_slice::<Value>(&answer.body) {
        _ if answer.body.iter().all(u8::is_ascii_whitespace) => ("is empty".to_owned(), true),
        Ok(Value::Object(_)) if names_a_key_twice(&answer.body) => ("names a key twice".to_owned(), false),
        Ok(Value::Object(_)) => (format!("is no {protocol} answer (\"{}\")", upstream_text(&answer.body)), false),
        Ok(_) => ("is not a JSON object".to_owned(), false),
        Err(_) if looks_like_html(&answer.body) => (format!("is {}", upstream_text(&answer.body)), true),
        Err(error) if error.is_eof() => ("is cut off".to_owned(), true),
        Err(_) => (format!("is not JSON (\"{}\")", upstream_text(&answer.body)), true),
    };
    let message = format!(
        "the answer {}. Try again later; if it stays so, check what stands between here and the shop",
        redactor.clean(&what)
    );
    AdminError::new(AdminErrorKind::UnexpectedAnswer, message).with_status(answer.status).retryable(again)
}

/// Returns the message of a shop without the app; `said` quotes the server.
pub(crate) fn not_installed(said: &str) -> String {
    format!("the app is not installed in this shop{said}; `--tolerate uninstalled` keeps it from failing the run")
}
