//! Whom the client secret may be sent to: a manifest comes with a pull request, so it may not choose freely.

use url::{Host, Url};

/// Where IMS gives tokens (documented).
pub(crate) const DEFAULT_TOKEN_URL: &str = "https://ims-na1.adobelogin.com/ims/token/v3";
/// Where Flow Service is (documented).
pub(crate) const DEFAULT_BASE_URL: &str = "https://platform.adobe.io/data/foundation/flowservice";
/// Adobe's own domains for the two.
const ADOBES: [&str; 2] = ["adobelogin.com", "adobe.io"];

/// Two URLs that were judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoints {
    pub(super) token_url: Url,
    /// Without a slash at its end.
    pub(super) base_url: Url,
    /// Whether the requests leave this machine.
    pub(super) loopback: bool,
}

impl Endpoints {
    /// The URLs of a manifest: https at Adobe, or hosts that `trusted` names.
    pub(crate) fn check(token_url: &str, base_url: &str, trusted: &[String]) -> Result<Self, String> {
        let token = judged(token_url, "token_url", trusted, false)?;
        let base = judged(base_url, "base_url", trusted, false)?;
        Ok(Self::of(token, base))
    }

    /// What stands in for Adobe, as the operator says and not the manifest: the sandbox, or a proxy.
    pub(crate) fn stand_in(url: &str, trusted: &[String]) -> Result<Self, String> {
        let base = judged(url, "HOOKWRIGHT_ADOBE_URL", trusted, true)?;
        let below = |path: &str| {
            let mut url = base.clone();
            url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
            url
        };
        Ok(Self::of(below("/ims/token/v3"), below("/data/foundation/flowservice")))
    }

    fn of(token_url: Url, mut base_url: Url) -> Self {
        let path = base_url.path().trim_end_matches('/').to_owned();
        base_url.set_path(&path);
        let loopback = is_loopback(&token_url) && is_loopback(&base_url);
        Self { token_url, base_url, loopback }
    }
}

/// `own`: the operator names it, so that a loopback address needs no further trust.
fn judged(text: &str, what: &str, trusted: &[String], own: bool) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| format!("{what} is not a URL"))?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(format!("{what} must be a plain URL, without a user, `?` or `#`"));
    }
    let Some(host) = url.host_str().map(str::to_ascii_lowercase) else {
        return Err(format!("{what} has no host"));
    };
    let loopback = is_loopback(&url);
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        _ => return Err(format!("{what} must be https: a client secret is sent there")),
    }
    let adobes = ADOBES.iter().any(|own| host == *own || host.strip_suffix(own).is_some_and(|sub| sub.ends_with('.')));
    let named = trusted.iter().any(|named| named.eq_ignore_ascii_case(&host));
    if (adobes && !own) || named || (own && loopback) {
        return Ok(url);
    }
    Err(format!(
        "{what} leads to {host}, which is not one of Adobe's hosts, and the client secret would be sent there; if that is \
         meant, name the host in HOOKWRIGHT_TRUST_HOSTS"
    ))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_sends_secrets_to_adobe_or_to_whom_the_operator_trusts() {
        let trusted = ["proxy.example".to_owned(), "127.0.0.1".to_owned()];
        let taken = |url: &str, trusted: &[String]| Endpoints::check(url, DEFAULT_BASE_URL, trusted).is_ok();
        for url in [DEFAULT_TOKEN_URL, DEFAULT_BASE_URL, "https://ims-na1-stg1.adobelogin.com/x", "https://ADOBE.IO/x"]
        {
            assert!(taken(url, &[]), "{url}");
        }
        for url in [
            "https://evil-adobe.io/x",
            "https://adobe.io.evil.example/x",
            "https://evil.example/adobe.io",
            "https://adobe.io@evil.example/x",
            "https://evil.example?x=adobe.io",
            "https://adobe.io./x",
            "https://xn--adbe-rqa.io/x",
            "http://platform.adobe.io/x",
            "http://127.0.0.1:1/x",
            "https://127.0.0.1:1/x",
            "https://proxy.example/x",
            "file:///etc/passwd",
            "adobe.io",
        ] {
            let error = Endpoints::check(url, DEFAULT_BASE_URL, &[]).expect_err(url);
            assert!(error.starts_with("token_url "), "{error}");
        }
        assert!(taken("https://PROXY.example/x", &trusted) && taken("http://127.0.0.1:1/x", &trusted));
        assert!(!taken("http://proxy.example/x", &trusted), "a secret goes out over TLS, whoever is trusted");
        assert!(Endpoints::check(DEFAULT_TOKEN_URL, "https://evil.example", &[]).is_err());
    }

    #[test]
    fn a_stand_in_takes_both_and_needs_trust_unless_it_is_here() {
        let endpoints = Endpoints::stand_in("http://127.0.0.1:4000/__adobe/", &[]).expect("loopback");
        assert_eq!(endpoints.token_url.as_str(), "http://127.0.0.1:4000/__adobe/ims/token/v3");
        assert_eq!(endpoints.base_url.as_str(), "http://127.0.0.1:4000/__adobe/data/foundation/flowservice");
        assert!(Endpoints::stand_in("https://proxy.example", &[]).is_err());
        assert!(Endpoints::stand_in("https://proxy.example", &["proxy.example".to_owned()]).is_ok());
    }
}
