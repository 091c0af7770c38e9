//! One HTTP exchange: a request with the token in its one place, and a bounded answer.
//!
//! Knows nothing of GraphQL or webhooks and retries nothing.

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderValue, LINK, LOCATION, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};

use super::connect::{Unconnected, root_cause, unconnected};
use super::error::{AdminError, Kind};
use super::redact::Redactor;

/// No answer of the Admin API that this program asks for comes near this.
pub(super) const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// What is sent.
pub(super) struct Request<'a> {
    pub(super) method: Method,
    pub(super) url: &'a str,
    /// JSON.
    pub(super) body: Option<Vec<u8>>,
}

/// The server that a request goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The shop itself, or the sandbox in this process that plays it.
    Shopify,
    /// What HOOKWRIGHT_ADMIN_URL names.
    AdminUrl,
}

impl Place {
    /// Returns what to check if the server was not reached, or another one answered.
    pub(super) fn check(self) -> &'static str {
        match self {
            Self::Shopify => "Check the network and the shop's name",
            Self::AdminUrl => "Check HOOKWRIGHT_ADMIN_URL, and that the server there is running",
        }
    }
}

/// An answer as it came.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) retry_after: Option<String>,
    pub(super) date: Option<String>,
    pub(super) served_version: Option<String>,
    pub(super) deprecated_reason: Option<String>,
    pub(super) location: Option<String>,
    pub(super) request_id: Option<String>,
    /// REST: the bucket, as `used/size`.
    pub(super) call_limit: Option<String>,
    /// REST: where the next page is.
    pub(super) link: Option<String>,
}

/// Sends a request, with the token if there is one, and reads the answer up to its bound.
pub(super) async fn send(
    client: &reqwest::Client,
    request: Request<'_>,
    token: Option<&SecretString>,
    place: Place,
    redactor: &Redactor,
) -> Result<Answer, AdminError> {
    let Request { method, url, body } = request;
    let mut request = client.request(method, url);
    if let Some(token) = token {
        request = request.header("X-Shopify-Access-Token", header_of(token)?);
    }
    if let Some(json) = body {
        request = request.header(CONTENT_TYPE, "application/json").body(json);
    }
    let mut response = request.send().await.map_err(|error| failure(error, place, redactor))?;
    let text = |name: &str| {
        let value = response.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let mut answer = Answer {
        status: response.status().as_u16(),
        body: Vec::new(),
        retry_after: text(RETRY_AFTER.as_str()),
        date: text(DATE.as_str()),
        served_version: text("x-shopify-api-version"),
        deprecated_reason: text("x-shopify-api-deprecated-reason"),
        location: text(LOCATION.as_str()),
        request_id: text("x-request-id"),
        call_limit: text("x-shopify-shop-api-call-limit"),
        link: text(LINK.as_str()),
    };
    while let Some(chunk) =
        response.chunk().await.map_err(|error| failure(error, place, redactor).with_status(answer.status))?
    {
        if answer.body.len() + chunk.len() > BODY_LIMIT {
            let message = format!("the answer is larger than {} MiB and was not read further", BODY_LIMIT >> 20);
            return Err(AdminError::new(Kind::TooLarge, message).with_status(answer.status));
        }
        answer.body.extend_from_slice(&chunk);
    }
    Ok(answer)
}

/// Marked, so that nothing that logs headers prints it.
fn header_of(token: &SecretString) -> Result<HeaderValue, AdminError> {
    let mut header = HeaderValue::from_str(token.expose_secret()).map_err(|_| {
        AdminError::secret_unavailable("the access token holds characters that cannot stand in an HTTP header")
    })?;
    header.set_sensitive(true);
    Ok(header)
}

fn failure(error: reqwest::Error, place: Place, redactor: &Redactor) -> AdminError {
    let host = host_of(&error);
    let error = error.without_url();
    if error.is_builder() {
        let cause = redactor.clean(&root_cause(&error));
        return AdminError::new(Kind::ConnectFailed, format!("no request could be made of it: {cause}"));
    }
    if error.is_connect() {
        let Unconnected { message, tls, lasting } = unconnected(&error, &host, place.check(), redactor);
        let error = AdminError::new(if tls { Kind::Tls } else { Kind::ConnectFailed }, message);
        return AdminError { retryable: error.retryable && !lasting, ..error };
    }
    if error.is_timeout() {
        return AdminError::new(Kind::Timeout, format!("{host} did not answer in time; try again later"));
    }
    let cause = redactor.clean(&root_cause(&error));
    let message = if is_not_http(&cause) {
        format!("the answer of {host} is not HTTP; probably https is spoken on that port. Check HOOKWRIGHT_ADMIN_URL")
    } else {
        format!("the connection to {host} ended before the answer did: {cause}")
    };
    AdminError::new(Kind::ConnectionLost, message)
}

/// The host of the URL, with its port where it has one.
pub(crate) fn host_of(error: &reqwest::Error) -> String {
    let Some(url) = error.url() else { return "the host".to_owned() };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", url.host_str().unwrap_or("the host"))
}

/// Whether an answer's first bytes are not those of HTTP, as a TLS alert's are.
fn is_not_http(cause: &str) -> bool {
    cause.starts_with("invalid HTTP version")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_cannot_be_printed_from_its_header_and_adds_no_header_of_its_own() {
        let header = header_of(&"s3cr3t".into()).expect("header");
        assert!(header.is_sensitive() && !format!("{header:?}").contains("s3cr3t"));
        let error = header_of(&"s3cr3t\r\nX-Evil: 1".into()).expect_err("a second header");
        assert!(error.kind == Kind::SecretUnavailable && !format!("{error:?}").contains("s3cr3t"));
    }
}
