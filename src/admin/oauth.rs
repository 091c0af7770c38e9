//! The OAuth endpoint that needs no token: `POST /admin/oauth/access_token`.
//!
//! Sends a body and reads the response. `auth` knows the grants and the meaning of the responses. A response of Shopify
//! is returned, even a refusal; anything else is an error.

use jiff::Timestamp;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::AdminClient;
use super::error::{AdminError, AdminErrorKind};
use super::retry::{Purpose, Tally};
use super::session::{Request, Session};
use crate::http::{Failed, Response, looks_like_html, retry_seconds, upstream_text};
use crate::json::names_a_key_twice;
use crate::model::ShopDomain;

/// Whether a request may be repeated after a lost response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// A second request gets an equal response.
    Safe,
    /// The request contains a secret that can be used once.
    Never,
}

/// A response of the token endpoint.
pub(crate) enum OauthAnswer {
    /// A JSON object with an `access_token`, which must never be printed.
    Granted(Value),
    /// Anything else.
    Refused {
        /// The text of the response, in any shape, without secrets.
        said: String,
        /// The error for the status alone.
        error: AdminError,
        /// The server's time, if the response has it.
        date: Option<Timestamp>,
    },
}

impl AdminClient {
    /// Requests a token. `body` is called for each attempt, and returns JSON with secrets that the client remembers for
    /// this shop.
    pub(crate) async fn post_oauth(
        &self,
        shop: &ShopDomain,
        body: &(dyn Fn() -> Result<SecretString, AdminError> + Sync),
        repeat: Repeat,
    ) -> Result<OauthAnswer, AdminError> {
        let mut session = Session::without_token(self.clone(), shop);
        let purpose = match repeat {
            Repeat::Safe => Purpose::Token,
            Repeat::Never => Purpose::Mutate,
        };
        let url = session.url("/admin/oauth/access_token");
        let mut tally = Tally::default();
        loop {
            session.before(None, purpose).await?;
            let body = Some(body()?.expose_secret().as_bytes().to_vec());
            session.redactor = self.redactor(shop);
            let failure = match session.send(Request { method: Method::POST, url: &url, body }, purpose).await {
                Ok(answer) if answer.status == 200 => match serde_json::from_slice::<Value>(&answer.body) {
                    Ok(json) if json.get("access_token").is_some() && !names_a_key_twice(&answer.body) => {
                        return Ok(OauthAnswer::Granted(json));
                    }
                    // Never quoted, because it may contain a token.
                    Ok(_) => unexpected("has no access token").into(),
                    Err(_) => unexpected("is not valid JSON, or is truncated").retryable(true).into(),
                },
                Ok(answer) if (201..300).contains(&answer.status) => unexpected("has an unexpected status").into(),
                Ok(answer) => {
                    let answer = Response { body: quotable(&answer.body), ..answer };
                    let error = session.status_error(&answer, false);
                    if !error.retryable {
                        let said = session.redactor.clean(&upstream_text(&answer.body));
                        let date = answer.header("date").as_deref().and_then(http_date);
                        return Ok(OauthAnswer::Refused { said, error, date });
                    }
                    Failed { error, asked: answer.header("retry-after").as_deref().and_then(retry_seconds) }
                }
                Err(error) => error.into(),
            };
            session.again(failure, &mut tally, None, purpose).await?;
        }
    }
}

/// Returns the part of an error's body that a message may quote. The rest may contain a token that is not known yet.
fn quotable(body: &[u8]) -> Vec<u8> {
    let Ok(json) = serde_json::from_slice::<Value>(body) else {
        // Only the title of a page is quoted.
        return if looks_like_html(body) { body.to_owned() } else { Vec::new() };
    };
    let told = ["error", "error_description", "errors", "message"].into_iter();
    let told = told.filter_map(|key| Some((key.to_owned(), json.get(key).filter(|text| text.is_string())?.clone())));
    Value::Object(told.collect()).to_string().into_bytes()
}

/// Parses a `Date` header (RFC 9110, section 5.6.7).
fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

fn unexpected(what: &str) -> AdminError {
    let message = format!(
        "the response to the token request {what}. Try again later. If this persists, check the proxies between this \
         machine and the shop"
    );
    AdminError::new(AdminErrorKind::UnexpectedAnswer, message).with_status(200)
}
