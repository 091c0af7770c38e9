//! The token for Flow Service: IMS client credentials, one for the run, asked for by one task at a time.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::form_urlencoded::Serializer;

use super::client::Account;
use super::error::{AdobeError, ErrorKind};
use super::exchange::Exchange;

/// A token is not used for the last 24th of its life; Adobe advises to renew at 23 of 24 hours (documented).
const SHARE: u32 = 24;
/// Nor for less than this.
const MARGIN: Duration = Duration::from_mins(1);

#[derive(Default)]
pub(super) struct Tokens {
    /// Held while one is asked for, so that nobody asks twice.
    slot: Mutex<Option<Held>>,
}

struct Held {
    token: SecretString,
    until: Instant,
}

impl Tokens {
    /// A token that is good for a while; another one than `refused`, if there is that.
    pub(super) async fn get(
        &self,
        account: &Account,
        exchange: &Exchange,
        refused: Option<&SecretString>,
    ) -> Result<SecretString, AdobeError> {
        let mut slot = self.slot.lock().await;
        let same = |token: &SecretString| refused.is_some_and(|r| r.expose_secret() == token.expose_secret());
        if let Some(held) = slot.as_ref().filter(|held| held.until > Instant::now() && !same(&held.token)) {
            return Ok(held.token.clone());
        }
        let held = fetch(account, exchange).await?;
        let token = held.token.clone();
        *slot = Some(held);
        Ok(token)
    }
}

async fn fetch(account: &Account, exchange: &Exchange) -> Result<Held, AdobeError> {
    let form = Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", account.client_id.expose_secret())
        .append_pair("client_secret", account.client_secret.expose_secret())
        // Commas, not blanks (documented).
        .append_pair("scope", &account.scopes.join(","))
        .finish();
    let mut request = Request::new(Method::POST, account.endpoints.token_url.clone());
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    *request.body_mut() = Some(form.into());
    let asked_at = Instant::now();
    let answer = exchange.send(&request).await?;
    if !answer.status.is_success() {
        let message = format!(
            "IMS refused the client with {}{}: check client_id, client_secret, org and scopes against the project in Adobe \
             Developer Console",
            answer.status.as_u16(),
            exchange.said(&answer.body)
        );
        return Err(exchange.error(ErrorKind::ClientRefused, &message).with_status(answer.status.as_u16()));
    }
    let token = answer.body.get("access_token").and_then(|token| token.as_str()).filter(|token| !token.is_empty());
    let Some(token) = token else {
        // Not quoted, whatever it is: there may be a secret in it.
        return Err(exchange.error(ErrorKind::BadAnswer, "the answer of IMS has no access token"));
    };
    let seconds = answer.body.get("expires_in").and_then(serde_json::Value::as_u64).unwrap_or(0);
    let life = Duration::from_secs(seconds.min(30 * 24 * 3_600));
    let left = life.saturating_sub((life / SHARE).max(MARGIN));
    Ok(Held { token: token.into(), until: asked_at + left })
}
