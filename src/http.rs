//! HTTP for the clients of the Admin API and of Adobe: clients, one exchange, backoff, errors, redaction.
//!
//! Independent of Shopify and Adobe. All inputs are arguments, except the operating system's root certificates and, in
//! messages, the proxy variables.
//!
//! ```text
//! admin, adobe ─▶ ClientSetup: TLS, proxies, no redirects, timeouts
//!              └▶ send: one request, a bounded Response, or NoResponse and its Cause
//!              └▶ Error<K>: K is the caller's table of kinds (error_kinds!), whose columns drive Backoff and retries
//!              └▶ Redactor: every quoted text of a server
//! ```

mod client;
mod connect;
mod error;
mod retry;

use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;

pub(crate) use crate::quote::{Redactor, looks_like_html, oauth_error, quotation, upstream_text, words};
pub(crate) use client::{ClientSetup, SetupError};
pub(crate) use connect::{Unconnected, unconnected};
pub(crate) use error::{Class, Proof};
pub(crate) use error::{Classified, Error, Failed, Retry, error_kinds};
pub(crate) use retry::Backoff;
pub(crate) use retry::{retry_seconds, retry_seconds_or_date};

/// The maximum size of a body, in bytes. Expected responses are far smaller.
pub(crate) const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// A response.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// Returns the header's value; bytes that are not UTF-8 are replaced.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        Some(String::from_utf8_lossy(self.headers.get(name)?.as_bytes()).into_owned())
    }
}

/// A request without a complete response.
pub(crate) struct NoResponse {
    /// The host of the URL, with its port if it has one.
    pub(crate) host: String,
    /// The status, if the connection ended after it was received.
    pub(crate) status: Option<u16>,
    pub(crate) cause: Cause,
}

/// Why a request has no complete response.
pub(crate) enum Cause {
    /// The request is invalid and was not sent.
    Request(String),
    /// No connection. [`unconnected`] explains the error.
    Connect(reqwest::Error),
    /// No response in time.
    Timeout,
    /// The connection ended before the response was complete.
    Lost(String),
    /// The body is larger than [`BODY_LIMIT`].
    TooLarge,
}

/// Sends a request once, and reads the response up to [`BODY_LIMIT`].
pub(crate) async fn send(request: RequestBuilder, redactor: &Redactor) -> Result<Response, NoResponse> {
    let mut answer = request.send().await.map_err(|error| NoResponse::of(error, None, redactor))?;
    let status = answer.status().as_u16();
    let host = host_of(Some(answer.url()));
    let (headers, mut body) = (std::mem::take(answer.headers_mut()), Vec::new());
    while let Some(chunk) = answer.chunk().await.map_err(|error| NoResponse::of(error, Some(status), redactor))? {
        if body.len() + chunk.len() > BODY_LIMIT {
            return Err(NoResponse { host, status: Some(status), cause: Cause::TooLarge });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response { status, headers, body })
}

impl NoResponse {
    fn of(error: reqwest::Error, status: Option<u16>, redactor: &Redactor) -> Self {
        let host = host_of(error.url());
        let error = error.without_url();
        let root = |error| redactor.clean(&connect::root_cause(error));
        let cause = if error.is_builder() {
            Cause::Request(root(&error))
        } else if error.is_connect() {
            Cause::Connect(error)
        } else if error.is_timeout() {
            Cause::Timeout
        } else {
            Cause::Lost(root(&error))
        };
        Self { host, status, cause }
    }
}

fn host_of(url: Option<&reqwest::Url>) -> String {
    let Some(url) = url else { return "the host".to_owned() };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", url.host_str().unwrap_or("the host"))
}
