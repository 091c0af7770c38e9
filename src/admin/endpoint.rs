//! The target of requests: Shopify, or the address in HOOKWRIGHT_ADMIN_URL.
//!
//! The values of the variables are arguments. Tokens may be sent to every [`Endpoint`].

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use url::{Host, Url};

use crate::http::{self, ClientSetup, Redactor};
use crate::json::Object;
use crate::model::ShopDomain;
use crate::words;

const PLACEHOLDER: &str = "{shop}";

/// The scheme and host of every Admin API and OAuth request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Endpoint {
    /// `https://<shop>`.
    #[default]
    Shopify,
    /// A server in place of Shopify.
    Replaced(Base),
}

/// An address in place of Shopify, without a trailing slash; its path may contain `{shop}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    text: String,
    loopback: bool,
    /// Whether it is the embedded sandbox of this process, which no variable names.
    embedded: bool,
}

/// Why HOOKWRIGHT_ADMIN_URL is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EndpointError {
    /// Not a URL.
    #[error("`HOOKWRIGHT_ADMIN_URL` is not a URL such as `http://127.0.0.1:4000/{{shop}}`: {0}")]
    NotAUrl(&'static str),
    /// A scheme other than http and https.
    #[error("`HOOKWRIGHT_ADMIN_URL` must start with `https://`, or with `http://` for a loopback address")]
    Scheme,
    /// Credentials in the URL.
    #[error("`HOOKWRIGHT_ADMIN_URL` must not contain a user name or password")]
    UserInfo,
    /// A query or a fragment.
    #[error("`HOOKWRIGHT_ADMIN_URL` must not contain a query (`?`) or a fragment (`#`)")]
    QueryOrFragment,
    /// An unknown placeholder, or one outside the path.
    #[error("`HOOKWRIGHT_ADMIN_URL` must not contain a placeholder other than `{{shop}}` in its path")]
    Placeholder,
    /// Plain http to another machine.
    #[error("`HOOKWRIGHT_ADMIN_URL` would send tokens unencrypted to {0}. Use https, or a loopback address")]
    PlainHttp(String),
    /// A host that HOOKWRIGHT_TRUST_HOSTS does not name.
    #[error("`HOOKWRIGHT_ADMIN_URL` would send tokens to {0}. If this is intended, set `HOOKWRIGHT_TRUST_HOSTS={0}`")]
    UntrustedHost(String),
}

impl Endpoint {
    /// Parses the value of HOOKWRIGHT_ADMIN_URL; empty or blank means Shopify. `trust_hosts`: the host names in
    /// HOOKWRIGHT_TRUST_HOSTS.
    pub(crate) fn parse(text: &str, trust_hosts: &[String]) -> Result<Self, EndpointError> {
        let text = text.trim().trim_end_matches('/');
        if text.is_empty() {
            return Ok(Self::Shopify);
        }
        let Some((_, rest)) = text.split_once("://") else { return Err(EndpointError::Scheme) };
        let authority = rest.split('/').next().unwrap_or_default();
        let others = text.replace(PLACEHOLDER, "");
        if authority.contains(PLACEHOLDER) || others.contains(['{', '}']) {
            return Err(EndpointError::Placeholder);
        }
        let url = Url::parse(&text.replace(PLACEHOLDER, "shop.myshopify.com"))
            .map_err(|error| EndpointError::NotAUrl(words::of_url(error)))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(EndpointError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() || authority.contains('@') {
            return Err(EndpointError::UserInfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(EndpointError::QueryOrFragment);
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        let loopback = match url.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        if !loopback {
            if url.scheme() == "http" {
                return Err(EndpointError::PlainHttp(host));
            }
            if !trust_hosts.iter().any(|trusted| trusted.trim().eq_ignore_ascii_case(&host)) {
                return Err(EndpointError::UntrustedHost(host));
            }
        }
        Ok(Self::Replaced(Base { text: text.to_owned(), loopback, embedded: false }))
    }

    /// Returns the endpoint of the sandbox that this process serves at `url`.
    pub(crate) fn embedded(url: &str) -> Result<Self, EndpointError> {
        Ok(match Self::parse(url, &[])? {
            Self::Replaced(base) => Self::Replaced(Base { embedded: true, ..base }),
            Self::Shopify => Self::Shopify,
        })
    }

    /// Returns the host and port in HOOKWRIGHT_ADMIN_URL.
    pub(super) fn admin_url_host(&self) -> Option<&str> {
        let Self::Replaced(Base { text, embedded: false, .. }) = self else { return None };
        text.split_once("://")?.1.split('/').next()
    }

    /// Returns the URL of `path` (which starts with a slash) for `shop`.
    pub(crate) fn url_for(&self, shop: &ShopDomain, path: &str) -> String {
        match self {
            Self::Shopify => format!("https://{shop}{path}"),
            Self::Replaced(base) => format!("{}{path}", base.text.replace(PLACEHOLDER, shop.as_str())),
        }
    }

    /// Returns whether different shops have different URLs.
    pub(crate) fn has_shop_placeholder(&self) -> bool {
        match self {
            Self::Shopify => true,
            Self::Replaced(base) => base.text.contains(PLACEHOLDER),
        }
    }

    /// Returns whether requests stay on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        matches!(self, Self::Replaced(base) if base.loopback)
    }

    /// Returns the server that receives the requests.
    pub(super) fn place(&self) -> Place {
        if self.admin_url_host().is_some() { Place::AdminUrl } else { Place::Shopify }
    }

    /// Returns whether requests go without TLS (to this machine only).
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self, Self::Replaced(base) if base.text.get(..5).is_some_and(|s| s.eq_ignore_ascii_case("http:")))
    }
}

/// The server that a request goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The shop itself, or the embedded sandbox.
    Shopify,
    /// The server that HOOKWRIGHT_ADMIN_URL names.
    AdminUrl,
}

impl Place {
    /// Returns what to check if the server was not reached, or if another server responded.
    pub(super) fn check(self) -> &'static str {
        match self {
            Self::Shopify => "Check the network and the shop's name",
            Self::AdminUrl => "Check that `HOOKWRIGHT_ADMIN_URL` is correct and that its server is running",
        }
    }
}

/// The endpoint in a plan's settings: `shopify`, or the URL.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shopify => "shopify",
            Self::Replaced(base) => &base.text,
        })
    }
}

/// The time limit for the sandbox to identify itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// The response of a sandbox, and of no other server.
#[derive(Deserialize)]
struct Identity {
    hookwright_sandbox: u64,
}

/// Returns whether a sandbox, which needs no secrets, listens at `url`. Sends nothing to other machines, and no secret.
pub(crate) async fn is_sandbox(url: &str) -> bool {
    let Some(url) = identity_url(url) else { return false };
    let client = ClientSetup::new(url.scheme() == "http", true, PATIENCE).and_then(|setup| setup.client(PATIENCE));
    let Ok(client) = client else { return false };
    let Ok(answer) = http::send(client.get(url), &Redactor::default()).await else { return false };
    answer.status == 200
        && serde_json::from_slice(&answer.body).is_ok_and(|Object(i): Object<Identity>| i.hookwright_sandbox > 0)
}

/// Returns the URL at which a sandbox identifies itself; `None` if the host is not a loopback address.
fn identity_url(url: &str) -> Option<Url> {
    if !Endpoint::parse(url, &[]).ok()?.is_loopback() {
        return None;
    }
    Url::parse(url.trim()).ok()?.join("/__sandbox/identity").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Endpoint, EndpointError> {
        Endpoint::parse(text, &["Proxy.example".to_owned()])
    }

    #[test]
    fn urls_are_built_under_the_base() {
        let shop = ShopDomain::parse("a").expect("shop");
        let url = |text| parse(text).expect(text).url_for(&shop, "/admin/x");
        assert_eq!(url(""), "https://a.myshopify.com/admin/x");
        assert_eq!(url("http://127.0.0.1:4000/{shop}/"), "http://127.0.0.1:4000/a.myshopify.com/admin/x");
        assert_eq!(url("HTTP://localhost:1"), "HTTP://localhost:1/admin/x");
        assert_eq!(url("https://proxy.example/s/{shop}/v"), "https://proxy.example/s/a.myshopify.com/v/admin/x");
        assert!(parse("http://[::1]:4/{shop}").expect("v6").has_shop_placeholder());
        assert!(!parse("http://127.9.9.9").expect("v4").has_shop_placeholder());
        assert!(parse("HTTP://localhost:1").expect("plain").is_plain());
        assert!(!parse("https://localhost:1").expect("tls").is_plain());
    }

    #[test]
    fn a_token_is_not_sent_to_an_unintended_host() {
        for (text, error) in [
            ("http://10.0.0.1/", EndpointError::PlainHttp("10.0.0.1".into())),
            ("http://proxy.example/", EndpointError::PlainHttp("proxy.example".into())),
            ("https://evil.example/", EndpointError::UntrustedHost("evil.example".into())),
            ("https://proxy.example.evil.example/", EndpointError::UntrustedHost("proxy.example.evil.example".into())),
            ("http://127.0.0.1.evil.example/", EndpointError::PlainHttp("127.0.0.1.evil.example".into())),
            ("http://localhost@evil.example/", EndpointError::UserInfo),
            ("http://u:p@localhost/", EndpointError::UserInfo),
            ("http://@localhost/", EndpointError::UserInfo),
            ("http://localhost/?a", EndpointError::QueryOrFragment),
            ("http://localhost/#a", EndpointError::QueryOrFragment),
            ("ftp://localhost/", EndpointError::Scheme),
            ("localhost:4000", EndpointError::Scheme),
            ("https:/{shop}/", EndpointError::Scheme),
            ("https:///{shop}/x", EndpointError::UntrustedHost("shop.myshopify.com".into())),
            ("https://{shop}/", EndpointError::Placeholder),
            ("https://{shop}.proxy.example/", EndpointError::Placeholder),
            ("http://localhost/{SHOP}", EndpointError::Placeholder),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
        assert!(matches!(parse("http://local host/"), Err(EndpointError::NotAUrl(_))));
    }

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
