//! One HTTP exchange with IMS or Flow Service: the secrets in their one place, and a bounded answer.
//!
//! Knows nothing of dataflows and retries nothing.

use std::time::Duration;

use reqwest::header::{HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret as _, SecretString};

use super::endpoints::{self, is_loopback};
use super::error::{AdobeError, Kind};
use super::{Account, Endpoints};
use crate::admin::{Redactor, Unconnected, host_of, http_client, root_cause, unconnected};

/// The largest answer that is read; a page of Flow Service is far smaller.
const BODY_LIMIT: usize = 8 * 1024 * 1024;
/// For one request and its answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// An answer as it came.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) retry_after: Option<String>,
    pub(super) location: Option<String>,
    pub(super) request_id: Option<String>,
}

/// One for IMS and one for Flow Service; the same one where both are alike.
pub(super) fn clients(endpoints: &Endpoints) -> Result<(Client, Client), AdobeError> {
    let kind = |url: &url::Url| (url.scheme() == "http", is_loopback(url));
    let make = |(plain, loopback)| {
        http_client(plain, loopback, REQUEST_TIMEOUT)
            .map_err(|error| AdobeError::new(Kind::Unavailable, error.message).retryable(false))
    };
    let (ims, flow_service) = (kind(endpoints.token_url()), kind(endpoints.base_url()));
    let first = make(ims)?;
    let second = if ims == flow_service { first.clone() } else { make(flow_service)? };
    Ok((first, second))
}

/// Everything of an account that goes into a header has to be fit for one.
pub(super) fn check_headers(account: &Account) -> Result<(), AdobeError> {
    let Account { org, sandbox, client_id, .. } = account;
    for (name, text) in [("org", org.as_str()), ("sandbox", sandbox), ("client_id", client_id.expose_secret())] {
        if text.is_empty() || HeaderValue::from_str(text).is_err() {
            let message =
                format!("`{name}` is empty or holds characters that cannot stand in an HTTP header; check it");
            return Err(AdobeError::new(Kind::ClientRefused, message));
        }
    }
    Ok(())
}

/// Marked, so that nothing that logs headers prints it.
pub(super) fn secret_header(text: &str) -> Result<HeaderValue, AdobeError> {
    let mut header = HeaderValue::from_str(text).map_err(|_| {
        AdobeError::new(Kind::BadAnswer, "IMS gave a token with characters that cannot stand in an HTTP header")
    })?;
    header.set_sensitive(true);
    Ok(header)
}

/// `Bearer` and the token.
pub(super) fn bearer(token: &SecretString) -> Result<HeaderValue, AdobeError> {
    secret_header(&format!("Bearer {}", token.expose_secret()))
}

/// Sends a request and reads the answer up to its bound. `whom`: "IMS" or "Flow Service".
pub(super) async fn send(request: RequestBuilder, whom: &str, redactor: &Redactor) -> Result<Answer, AdobeError> {
    let mut response = request.send().await.map_err(|error| failure(error, whom, redactor))?;
    let text = |name: &str| {
        let value = response.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let mut answer = Answer {
        status: response.status().as_u16(),
        body: Vec::new(),
        retry_after: text(RETRY_AFTER.as_str()),
        location: text(LOCATION.as_str()),
        request_id: text("x-request-id"),
    };
    while let Some(chunk) =
        response.chunk().await.map_err(|error| failure(error, whom, redactor).with_status(answer.status))?
    {
        if answer.body.len() + chunk.len() > BODY_LIMIT {
            let message =
                format!("the answer of {whom} is larger than {} MiB and was not read further", BODY_LIMIT >> 20);
            return Err(AdobeError::new(Kind::BadAnswer, message).with_status(answer.status));
        }
        answer.body.extend_from_slice(&chunk);
    }
    Ok(answer)
}

fn failure(error: reqwest::Error, whom: &str, redactor: &Redactor) -> AdobeError {
    let host = format!("{} ({whom})", host_of(&error));
    let of_adobe = error.url().is_some_and(endpoints::is_adobes);
    let error = error.without_url();
    let unavailable = |message: String| AdobeError::new(Kind::Unavailable, message);
    if error.is_connect() {
        let check = if of_adobe {
            "Check the network, and try again later"
        } else {
            "Check HOOKWRIGHT_ADOBE_URL, or `base_url` and `token_url` under `aep`"
        };
        let Unconnected { message, tls, lasting } = unconnected(&error, &host, check, redactor);
        return unavailable(message).retryable(!tls && !lasting);
    }
    let cause = redactor.clean(&root_cause(&error));
    if error.is_builder() {
        unavailable(format!("no request to {whom} could be made: {cause}")).retryable(false)
    } else if error.is_timeout() {
        unavailable(format!("{host} did not answer in time; try again later"))
    } else {
        unavailable(format!("the connection to {host} ended before the answer did: {cause}. Try again later"))
    }
}
