//! From an answer that is not the one asked for to a kind and a message. Pure.
//!
//! Error bodies come in every shape listed in `upstream_text`; the status decides the kind, the text only refines it.

use serde_json::Value;

use super::endpoint::Endpoint;
use super::error::{AdminError, Kind};
use super::http::Answer;
use super::redact::Redactor;
use crate::catalog;
use crate::json::names_a_key_twice;
use crate::model::{ApiVersion, ShopDomain};

/// What was asked.
pub(super) struct Asked<'a> {
    pub(super) shop: &'a ShopDomain,
    /// The version in the URL, if there is one.
    pub(super) version: Option<&'a ApiVersion>,
    pub(super) endpoint: &'a Endpoint,
}

/// What an answer other than 200 means.
pub(super) fn status_error(asked: &Asked<'_>, answer: &Answer, redactor: &Redactor) -> AdminError {
    let (shop, status) = (asked.shop, answer.status);
    let raw = upstream_text(&answer.body);
    let kind = kind_of(status, &raw, &answer.body);
    let said = match redactor.clean(&raw) {
        text if text.is_empty() => String::new(),
        text => format!(" (\"{text}\")"),
    };
    let message = match kind {
        Kind::TokenRefused => format!(
            "the access token was refused{said}. The app may have been uninstalled, or the token revoked or expired: \
             install the app again, or put a current token where `auth` points"
        ),
        Kind::NonExpiringToken => format!(
            "Shopify no longer accepts the access token, because it has no expiry{said}. Tokens must expire now"
        ),
        Kind::MissingScope => format!(
            "the token lacks a scope{said}. Add it to the app and have the merchant approve it, see `hookwright auth url \
             --shop {}`",
            shop.handle()
        ),
        Kind::Forbidden => format!("the request was forbidden{said}. Check what the app is allowed to do in this shop"),
        Kind::UnavailableShop => {
            format!("the shop is unavailable{said}: closed, deleted or blocked. Leave it out if it stays so")
        }
        Kind::Frozen => {
            format!(
                "the shop is frozen{said} until its owner settles the bill; `--tolerate frozen` keeps it from failing the run"
            )
        }
        Kind::PaymentRequired => format!("the shop's plan does not allow this{said}"),
        Kind::NotFound => not_found(asked, &said),
        Kind::Locked => {
            format!("the shop is locked{said}; try again later, or `--tolerate locked` keeps it from failing the run")
        }
        Kind::RateLimited => format!("too many requests{said}; run again later, or with a longer --timeout"),
        Kind::SecurityRejection => {
            format!("the request was rejected as suspicious{said}; wait, and ask Shopify's support if it stays so")
        }
        Kind::Uninstalled => not_installed(&said),
        Kind::ServerError => format!("the Admin API failed with status {status}{said}; try again later"),
        Kind::Redirected => {
            let to = redactor.clean(answer.location.as_deref().unwrap_or("nowhere"));
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

fn kind_of(status: u16, text: &str, body: &[u8]) -> Kind {
    let has = |word: &str| text.to_ascii_lowercase().contains(word);
    if matches!(status, 400 | 401 | 403) && is_uninstalled(body) {
        return Kind::Uninstalled;
    }
    match status {
        300..=399 => Kind::Redirected,
        401 => Kind::TokenRefused,
        402 if has("unavailable shop") => Kind::Frozen,
        402 => Kind::PaymentRequired,
        403 if has("non-expiring access token") => Kind::NonExpiringToken,
        403 if has("requires merchant approval") => Kind::MissingScope,
        403 if has("unavailable shop") => Kind::UnavailableShop,
        403 => Kind::Forbidden,
        404 => Kind::NotFound,
        423 => Kind::Locked,
        429 => Kind::RateLimited,
        430 => Kind::SecurityRejection,
        500..=599 => Kind::ServerError,
        _ => Kind::UnexpectedAnswer,
    }
}

/// The one evidence that the app is gone.
pub(super) fn is_uninstalled(body: &[u8]) -> bool {
    oauth_error(body).as_deref() == Some("app_not_installed")
}

fn oauth_error(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Value>(body).ok()?.get("error")?.as_str().map(str::to_owned)
}

/// An answer of status 200 that is none of `protocol` (GraphQL or REST).
pub(super) fn unreadable(answer: &Answer, protocol: &str, redactor: &Redactor) -> AdminError {
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
    let error = AdminError::new(Kind::UnexpectedAnswer, message).with_status(answer.status);
    if again { error.worth_retrying() } else { error }
}

pub(crate) fn looks_like_html(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

/// The message of a shop that has no such app; `said` quotes the server.
pub(crate) fn not_installed(said: &str) -> String {
    format!("the app is not installed in this shop{said}; `--tolerate uninstalled` keeps it from failing the run")
}

/// The words of an error body: `{"errors": "text"}`, `{"errors": {"field": ["a"]}}`, `{"errors": {"field": "a"}}`,
/// `{"errors": ["a"]}`, `{"errors": [{"message": "a"}]}`, `{"error": "x", "error_description": "y"}`, an HTML page's
/// title, or the text itself.
pub(crate) fn upstream_text(body: &[u8]) -> String {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        let text = String::from_utf8_lossy(body);
        return if looks_like_html(body) { html_title(&text) } else { text.into_owned() };
    };
    let described = ["error", "error_description", "message"].map(|key| value.get(key).map(words).unwrap_or_default());
    let mut parts = vec![value.get("errors").map(words).unwrap_or_default()];
    parts.extend(described);
    parts.retain(|part| !part.is_empty());
    if parts.is_empty() && value.as_object().is_none_or(|object| !object.is_empty()) {
        return words(&value);
    }
    parts.join(": ")
}

pub(super) fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(words).collect::<Vec<_>>().join("; "),
        Value::Object(fields) => match fields.get("message") {
            Some(message) => words(message),
            None => fields.iter().map(|(key, value)| format!("{key}: {}", words(value))).collect::<Vec<_>>().join("; "),
        },
        other => other.to_string(),
    }
}

fn html_title(page: &str) -> String {
    // Searched in lower case; ASCII folding keeps the positions.
    let lower = page.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|at| {
        let start = at + lower.get(at..)?.find('>')? + 1;
        let end = start + lower.get(start..)?.find("</title")?;
        page.get(start..end)
    });
    match title.map(str::trim) {
        Some(title) if !title.is_empty() => format!("an HTML page: {title}"),
        _ => "an HTML page".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_shape_of_error_body_is_read() {
        for (body, text) in [
            (r#"{"errors":"text"}"#, "text"),
            (r#"{"errors":{"topic":["a","b"],"address":["c"]}}"#, "address: c; topic: a; b"),
            (r#"{"errors":{"address":"a"}}"#, "address: a"),
            (r#"{"errors":["a","b"]}"#, "a; b"),
            (r#"{"errors":[{"message":"a","locations":[]}]}"#, "a"),
            (r#"{"error":"x","error_description":"y"}"#, "x: y"),
            (r#"{"error":"text"}"#, "text"),
            ("{}", ""),
            ("", ""),
            ("<html><head><TITLE lang=en> 503 Gone\n</Title></head>", "an HTML page: 503 Gone"),
            ("<!doctype html><p>é", "an HTML page"),
            ("plain", "plain"),
        ] {
            assert_eq!(upstream_text(body.as_bytes()), text, "{body}");
        }
    }
}
