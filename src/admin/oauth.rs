//! The one OAuth endpoint that takes requests without a token: `POST /admin/oauth/access_token`.
//!
//! Sends a body and reads the answer. `auth` knows the grants and the meaning of the answers. An answer of Shopify's own,
//! also a refusal, is returned; anything else is an error.

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

/// Whether a request may be sent again after an answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It asks for the same again.
    Safe,
    /// What it carries is good for one use.
    Never,
}

/// What the endpoint said.
pub(crate) enum OauthAnswer {
    /// A JSON object with an `access_token`, so never to be printed.
    Granted(Value),
    /// Anything else.
    Refused {
        /// The text of the answer, whatever shape that has, without secrets.
        said: String,
        /// What the status alone means.
        error: AdminError,
        /// The server's clock, as far as the answer says.
        date: Option<Timestamp>,
    },
}

impl AdminClient {
    /// Asks for a token. `body` makes JSON with secrets in it, which the client remembers for this shop, for each time that
    /// the request is sent.
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
                    // Not quoted, whatever it is: there may be a token in it.
                    Ok(_) => unexpected("has no access token").into(),
                    Err(_) => unexpected("is not JSON, or cut off").retryable(true).into(),
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

/// The part of an error's body that may stand in a message. The rest may hold a token that is not known yet.
fn quotable(body: &[u8]) -> Vec<u8> {
    let Ok(json) = serde_json::from_slice::<Value>(body) else {
        // Of a page only the title is quoted.
        return if looks_like_html(body) { body.to_owned() } else { Vec::new() };
    };
    let told = ["error", "error_description", "errors", "message"].into_iter();
    let told = told.filter_map(|key| Some((key.to_owned(), json.get(key).filter(|text| text.is_string())?.clone())));
    Value::Object(told.collect()).to_string().into_bytes()
}

/// The time of a `Date` header (RFC 9110, section 5.6.7).
fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

fn unexpected(what: &str) -> AdminError {
    let message = format!(
        "the answer to a request for a token {what}. Try again later; if it stays so, check what stands between here \
         and the shop"
    );
    AdminError::new(AdminErrorKind::UnexpectedAnswer, message).with_status(200)
}
