//! The hosts that may receive the client secret and the token: Adobe's, and those that an operator trusts.
//!
//! Pure: the values of the variables are arguments. Without this check a pull request that changes a manifest could
//! send the secret to any host. The secret may be sent to every [`Endpoints`].

use std::fmt;

use url::{Host, Url};

use crate::words;

/// The token endpoint of IMS in production, OAuth server-to-server (developer.adobe.com, "IMS APIs").
pub(crate) const TOKEN_URL: &str = "https://ims-na1.adobelogin.com/ims/token/v3";
/// The root of Flow Service in production (experience-platform-apis, flow-service.yaml).
pub(crate) const BASE_URL: &str = "https://platform.adobe.io/data/foundation/flowservice";

/// The domain of IMS, whose hosts may receive the client secret because they all belong to Adobe.
const IMS: &str = "adobelogin.com";
/// The hosts of Flow Service and of its other stages. Other hosts of `adobe.io` are not trusted, because customers'
/// code runs under `runtime.adobe.io`.
const PLATFORM: [&str; 2] = ["platform", "platform-"];
const ADOBE_IO: &str = ".adobe.io";

/// The endpoints of IMS and Flow Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoints {
    token_url: Url,
    base_url: Url,
}

impl Endpoints {
    /// Checks `token_url` and `base_url` of a manifest. `token_url` must be https on `adobelogin.com` or a subdomain of
    /// it, `base_url` https on `platform.adobe.io` or `platform-….adobe.io`, or the host must be in `trusted`
    /// (HOOKWRIGHT_TRUST_HOSTS); http is allowed only for a trusted loopback host. The error names the value, the
    /// problem and the remedy.
    pub(crate) fn check(token_url: &str, base_url: &str, trusted: &[String]) -> Result<Self, String> {
        let token_url = parse("token_url", token_url).and_then(|url| vouched("token_url", url, is_ims, trusted))?;
        let base_url = parse("base_url", base_url).and_then(|url| vouched("base_url", url, is_platform, trusted))?;
        Ok(Self { token_url, base_url })
    }

    /// Parses HOOKWRIGHT_ADOBE_URL, an operator's variable: a server in place of Adobe, with both services below its
    /// path. A loopback host needs no trust; any other must be https and in `trusted`, even Adobe's.
    pub(crate) fn stand_in(url: &str, trusted: &[String]) -> Result<Self, String> {
        let name = "HOOKWRIGHT_ADOBE_URL";
        let base = parse(name, url)?;
        if !is_loopback(&base) {
            if base.scheme() == "http" {
                return Err(plain(name, &base));
            }
            if !is_named(&base, trusted) {
                return Err(stranger(name, &base));
            }
        }
        let below = |path: &[&str]| {
            let mut url = base.clone();
            if let Ok(mut segments) = url.path_segments_mut() {
                segments.pop_if_empty().extend(path);
            }
            url
        };
        let base_url = below(&["data", "foundation", "flowservice"]);
        Ok(Self { token_url: below(&["ims", "token", "v3"]), base_url })
    }

    /// Returns the token endpoint of IMS.
    pub(crate) fn token_url(&self) -> &Url {
        &self.token_url
    }

    /// Returns the root of Flow Service, without a trailing slash.
    pub(crate) fn base_url(&self) -> &Url {
        &self.base_url
    }
}

/// The endpoint in a plan's settings: the root of Flow Service.
impl fmt::Display for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base_url.as_str())
    }
}

/// Returns whether the host belongs to Adobe.
pub(super) fn is_adobes(url: &Url) -> bool {
    is_ims(url) || is_platform(url)
}

/// Returns whether requests stay on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Parses an http or https URL that consists of scheme, host, port and path only.
fn parse(name: &str, text: &str) -> Result<Url, String> {
    let text = text.trim();
    let wrong = |what: &str| Err(format!("`{name}` {what}"));
    // The parser drops tabs and line breaks and converts backslashes, so a reviewer could misread such a URL.
    if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return wrong("must not contain blanks, backslashes or control characters");
    }
    let Some((_, rest)) = text.split_once("://") else {
        return wrong("must be a URL such as `https://platform.adobe.io/…`");
    };
    let mut url = match Url::parse(text) {
        Ok(url) => url,
        Err(error) => return wrong(&format!("is not a URL: {}", words::of_url(error))),
    };
    if !matches!(url.scheme(), "http" | "https") {
        return wrong("must start with `https://`");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return wrong(
            "must not contain a user name or a password; credentials belong under `client_id` and `client_secret`",
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong("must not contain a query (`?`) or a fragment (`#`)");
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

fn vouched(name: &str, url: Url, is_adobes: fn(&Url) -> bool, trusted: &[String]) -> Result<Url, String> {
    let named = is_named(&url, trusted);
    match (url.scheme(), is_loopback(&url)) {
        ("http", true) if named => Ok(url),
        ("http", false) => Err(plain(name, &url)),
        ("https", _) if named || is_adobes(&url) => Ok(url),
        _ => Err(stranger(name, &url)),
    }
}

/// The parser has converted the host to lower case and punycode.
fn is_ims(url: &Url) -> bool {
    let Some(Host::Domain(host)) = url.host() else { return false };
    let before = host.strip_suffix(IMS);
    before.is_some_and(|before| before.is_empty() || (before.ends_with('.') && !before.starts_with('.')))
}

fn is_platform(url: &Url) -> bool {
    let Some(Host::Domain(host)) = url.host() else { return false };
    let Some(name) = host.strip_suffix(ADOBE_IO) else { return false };
    let [platform, stage] = PLATFORM;
    name == platform || name.strip_prefix(stage).is_some_and(|rest| !rest.is_empty() && !rest.contains('.'))
}

/// Returns whether the host is in `trusted`, whose names are complete hosts without a port.
fn is_named(url: &Url, trusted: &[String]) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    trusted
        .iter()
        .map(|name| name.trim())
        .any(|name| name.eq_ignore_ascii_case(host) || name.eq_ignore_ascii_case(bare))
}

fn plain(name: &str, url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    format!("`{name}` would send the client secret unencrypted to {host}. Use https")
}

fn stranger(name: &str, url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    format!(
        "`{name}` would send the client secret to {host}, which is not a host of Adobe for this purpose \
         (`adobelogin.com` issues tokens, `platform.adobe.io` is Flow Service). If this is intended, set \
         `HOOKWRIGHT_TRUST_HOSTS={host}` in the environment"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted() -> Vec<String> {
        [" Proxy.example ", "127.0.0.1", "::1"].map(str::to_owned).to_vec()
    }

    #[test]
    fn hosts_of_adobe_and_trusted_hosts_are_accepted() {
        for url in [TOKEN_URL, "https://adobelogin.com/x", "https://IMS-na1-stg1.adobelogin.com/ims/token/v2"] {
            Endpoints::check(url, BASE_URL, &[]).expect(url);
            Endpoints::check(TOKEN_URL, url, &[]).expect_err(url);
        }
        for url in [BASE_URL, "HTTPS://Platform.ADOBE.io:8443/x", "https://platform-stage.adobe.io/x"] {
            Endpoints::check(TOKEN_URL, url, &[]).expect(url);
            Endpoints::check(url, BASE_URL, &[]).expect_err(url);
        }
        for url in
            ["https://proxy.example/aep", "http://127.0.0.1:4000/__adobe", "https://127.0.0.1/", "http://[::1]:4000"]
        {
            Endpoints::check(url, BASE_URL, &trusted()).expect(url);
            Endpoints::check(TOKEN_URL, url, &trusted()).expect(url);
        }
        let slash = Endpoints::check(TOKEN_URL, "https://platform.adobe.io/x/", &[]).expect("slash");
        assert_eq!(slash.base_url().as_str(), "https://platform.adobe.io/x");
        assert_eq!(slash.to_string(), "https://platform.adobe.io/x");
    }

    #[test]
    fn the_secret_is_not_sent_to_an_unintended_host() {
        for (url, part) in [
            ("https://evil-adobe.io/", "HOOKWRIGHT_TRUST_HOSTS=evil-adobe.io"),
            ("https://adobe.io.evil.example/", "HOOKWRIGHT_TRUST_HOSTS=adobe.io.evil.example"),
            ("https://adobe.io./", "HOOKWRIGHT_TRUST_HOSTS=adobe.io."),
            ("https://.adobe.io/", "HOOKWRIGHT_TRUST_HOSTS"),
            // Customers' code runs there.
            ("https://runtime.adobe.io/api/v1/web/anybody/x", "HOOKWRIGHT_TRUST_HOSTS=runtime.adobe.io"),
            ("https://anybody.runtime.adobe.io/", "HOOKWRIGHT_TRUST_HOSTS"),
            ("https://platform.anybody.adobe.io/", "HOOKWRIGHT_TRUST_HOSTS"),
            ("https://platform-.adobe.io/", "HOOKWRIGHT_TRUST_HOSTS"),
            ("https://xn--adbe-5qa.io/", "xn--adbe-5qa.io"),
            ("https://adöbe.io/", "xn--"),
            ("https://evil.example/adobe.io", "evil.example"),
            ("https://evil.example/.adobe.io", "evil.example"),
            ("https://proxy.example.evil.example/", "proxy.example.evil.example"),
            ("https://notproxy.example/", "notproxy.example"),
            ("https://localhost/", "HOOKWRIGHT_TRUST_HOSTS=localhost"),
            ("https://1.2.3.4/", "1.2.3.4"),
            ("http://localhost/", "HOOKWRIGHT_TRUST_HOSTS=localhost"),
            ("http://127.0.0.2/", "HOOKWRIGHT_TRUST_HOSTS=127.0.0.2"),
            ("http://platform.adobe.io/", "unencrypted"),
            ("http://proxy.example/", "unencrypted"),
            ("http://127.0.0.1.evil.example/", "unencrypted"),
            ("https://u:p@adobe.io/", "user name"),
            ("https://@adobe.io/", "user name"),
            ("https://evil.example@adobe.io/", "user name"),
            ("https://evil.example\\@adobe.io/", "backslashes"),
            ("https://ado\tbe.io/", "blanks"),
            ("https://adobe.io/?a", "query"),
            ("https://adobe.io/#a", "fragment"),
            ("ftp://adobe.io/", "https://"),
            ("file:///etc/passwd", "https://"),
            ("platform.adobe.io", "must be a URL"),
            ("https://", "not a URL"),
            ("", "must be a URL"),
        ] {
            for (token, base, name) in [(url, BASE_URL, "token_url"), (TOKEN_URL, url, "base_url")] {
                let error = Endpoints::check(token, base, &trusted()).expect_err(url);
                assert!(error.starts_with(&format!("`{name}`")) && error.contains(part), "{url}: {error}");
            }
        }
    }

    #[test]
    fn a_stand_in_has_both_services() {
        for url in ["http://127.0.0.1:4000/__adobe", "http://127.0.0.1:4000/__adobe/"] {
            let stand_in = Endpoints::stand_in(url, &[]).expect(url);
            assert_eq!(stand_in.token_url().as_str(), "http://127.0.0.1:4000/__adobe/ims/token/v3");
            assert_eq!(stand_in.base_url().as_str(), "http://127.0.0.1:4000/__adobe/data/foundation/flowservice");
        }
        let root = Endpoints::stand_in("https://proxy.example", &trusted()).expect("root");
        assert_eq!(root.token_url().as_str(), "https://proxy.example/ims/token/v3");
        for (url, part) in [
            ("http://proxy.example", "unencrypted"),
            ("https://evil.example", "HOOKWRIGHT_TRUST_HOSTS=evil.example"),
            ("https://platform.adobe.io", "HOOKWRIGHT_TRUST_HOSTS"),
            ("http://localhost@evil.example", "user name"),
            ("http://localhost/?x", "query"),
            ("localhost:4000", "must be a URL"),
        ] {
            let error = Endpoints::stand_in(url, &trusted()).expect_err(url);
            assert!(error.starts_with("`HOOKWRIGHT_ADOBE_URL`") && error.contains(part), "{url}: {error}");
        }
    }
}
