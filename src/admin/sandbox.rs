//! Asks a server on this machine whether it is the sandbox, which needs no secrets.

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use url::Url;

use super::endpoint::Endpoint;
use super::hosts;
use super::http::{Place, Request, send};
use super::redact::Redactor;
use crate::json::Object;

const PATIENCE: Duration = Duration::from_secs(5);

/// What the sandbox says of itself, and no other server does.
#[derive(Deserialize)]
struct Identity {
    hookwright_sandbox: u64,
}

/// Whether the sandbox listens where `url` leads. Sends nothing beyond this machine, and no secret.
pub(crate) async fn is_sandbox(url: &str) -> bool {
    let Some(url) = identity_url(url) else { return false };
    let Ok(client) = hosts::client(url.scheme() == "http", true, PATIENCE) else { return false };
    let request = Request { method: Method::GET, url: url.as_str(), body: None };
    let Ok(answer) = send(&client, request, None, Place::AdminUrl, &Redactor::of_all([])).await else { return false };
    answer.status == 200
        && serde_json::from_slice(&answer.body).is_ok_and(|Object(i): Object<Identity>| i.hookwright_sandbox > 0)
}

/// Where the sandbox says who it is; `None` where the host is not a loopback address.
fn identity_url(url: &str) -> Option<Url> {
    if !Endpoint::parse(url, &[]).ok()?.is_loopback() {
        return None;
    }
    Url::parse(url.trim()).ok()?.join("/__sandbox/identity").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked() {
        let asked = |url: &str| identity_url(url).map(|url| url.to_string());
        for url in ["http://127.0.0.1:4000/{shop}", "http://127.0.0.1:4000/x/{shop}/", "http://127.0.0.1:4000/__adobe"]
        {
            assert_eq!(asked(url).as_deref(), Some("http://127.0.0.1:4000/__sandbox/identity"), "{url}");
        }
        assert_eq!(asked("https://[::1]:4/{shop}").as_deref(), Some("https://[::1]:4/__sandbox/identity"));
        for url in ["", "http://10.0.0.1/{shop}", "https://proxy.example/{shop}", "http://127.0.0.1.evil.example/"] {
            assert_eq!(asked(url), None, "{url}");
        }
    }
}
