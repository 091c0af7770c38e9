//! The apps that OAuth knows. Pure.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::assertion::Jwk;

/// A text that `Debug` does not show.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::sandbox) struct Secret(String);

impl Secret {
    pub(in crate::sandbox) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(in crate::sandbox) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The app: `app` in a seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sandbox) struct App {
    pub(in crate::sandbox) client_id: String,
    pub(super) client_secret: Secret,
    /// Also accepted, as during the rotation of a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) old_client_secret: Option<Secret>,
    /// Allowed redirect URIs in addition to loopback.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    redirect_uris: Vec<String>,
    #[serde(default = "some_name")]
    pub(in crate::sandbox) name: String,
    /// Whether a used refresh token stays valid until its new pair is used, as since 2026-08-28.
    #[serde(default = "yes")]
    pub(super) resilient_refresh: bool,
    /// The secret that signs callbacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sign_with: Option<SignWith>,
    /// Lifetime of expiring access tokens; the default is 3600 s, for online tokens and client credentials 86399 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) token_seconds: Option<u32>,
    /// The default is 90 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token_seconds: Option<u32>,
    /// The default is 60.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code_seconds: Option<u32>,
    /// Whether the Admin API accepts non-expiring tokens; by default it refuses those of public apps from 2027-01-01.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::sandbox) non_expiring: Option<NonExpiring>,
    /// The distribution of the app. A shop may have another category.
    #[serde(default)]
    pub(in crate::sandbox) category: Category,
    /// The public keys that verify client assertions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::sandbox) keys: Vec<Jwk>,
    /// Accepted audiences of client assertions in addition to the token endpoint of the shop. `{shop}` is replaced by its domain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) assertion_audiences: Vec<String>,
    /// By how many seconds the clock that checks client assertions and sets the `Date` header of the token endpoint is ahead
    /// of the clock of this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) clock_ahead_seconds: Option<i32>,
}

/// The distribution of an app (`AppPublicCategory`, schema of 2026-10).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Category {
    #[default]
    Custom,
    Private,
    Public,
    Other,
    /// The Admin API denies access to the field. It is unknown whether Shopify ever does.
    Denied,
}

impl Category {
    /// The GraphQL name; `None` if access is denied.
    pub(in crate::sandbox) fn graphql(self) -> Option<&'static str> {
        match self {
            Self::Custom => Some("CUSTOM"),
            Self::Private => Some("PRIVATE"),
            Self::Public => Some("PUBLIC"),
            Self::Other => Some("OTHER"),
            Self::Denied => None,
        }
    }
}

/// The secret that signs callbacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SignWith {
    /// The old secret, as during its rotation.
    Old,
}

/// Whether the Admin API accepts non-expiring tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum NonExpiring {
    Accepted,
    /// 403, as for public apps from 2027-01-01.
    Refused,
}

fn some_name() -> String {
    "Sandbox app".to_owned()
}
fn yes() -> bool {
    true
}

impl Default for App {
    fn default() -> Self {
        Self::new("sandbox-client", Secret::new("sandbox-secret"))
    }
}

impl App {
    fn new(client_id: &str, client_secret: Secret) -> Self {
        Self {
            client_id: client_id.to_owned(),
            client_secret,
            old_client_secret: None,
            redirect_uris: Vec::new(),
            name: some_name(),
            resilient_refresh: true,
            sign_with: None,
            token_seconds: None,
            refresh_token_seconds: None,
            code_seconds: None,
            non_expiring: None,
            category: Category::default(),
            keys: Vec::new(),
            assertion_audiences: Vec::new(),
            clock_ahead_seconds: None,
        }
    }

    /// Whether this is the app without a seed.
    pub(in crate::sandbox) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Checks the app of a seed.
    pub(in crate::sandbox) fn check(&self) -> Result<(), String> {
        if self.client_id.is_empty() || self.client_secret.reveal().is_empty() {
            return Err("`client_id` and `client_secret` of the app must not be empty".into());
        }
        if self.sign_with.is_some() && self.old_client_secret.is_none() {
            return Err("`sign_with: old` requires `old_client_secret`".into());
        }
        for (at, key) in self.keys.iter().enumerate() {
            key.check()?;
            if self.keys[..at].iter().any(|other| other.kid == key.kid) {
                return Err(format!("duplicate key id `{}`; every key must have an id of its own", key.id()));
            }
        }
        match self.redirect_uris.iter().find(|uri| Url::parse(uri).is_err()) {
            Some(uri) => {
                Err(format!("the redirect URI `{uri}` is not a URL; expected the form `https://app.example/callback`"))
            }
            None => Ok(()),
        }
    }

    /// Whether this is a secret of the app.
    pub(super) fn knows_secret(&self, given: &str) -> bool {
        [Some(&self.client_secret), self.old_client_secret.as_ref()]
            .into_iter()
            .flatten()
            .any(|secret| !given.is_empty() && secret.reveal() == given)
    }

    /// The time of the clock that checks client assertions, in milliseconds.
    pub(super) fn clock(&self, now: i64) -> i64 {
        now + i64::from(self.clock_ahead_seconds.unwrap_or_default()) * 1000
    }

    /// The secret that signs callbacks.
    pub(super) fn signing_secret(&self) -> &str {
        let old = self.old_client_secret.as_ref().filter(|_| self.sign_with == Some(SignWith::Old));
        old.unwrap_or(&self.client_secret).reveal()
    }

    /// Returns the redirect URI if it is allowed: the seed declares it, or it is plain http to loopback.
    pub(super) fn redirect(&self, asked: &str) -> Option<Url> {
        let asked = Url::parse(asked).ok()?;
        let loopback = match asked.host()? {
            Host::Ipv4(ip) => ip == std::net::Ipv4Addr::LOCALHOST,
            Host::Ipv6(ip) => ip == std::net::Ipv6Addr::LOCALHOST,
            Host::Domain(name) => name == "localhost",
        };
        let plain = asked.username().is_empty() && asked.password().is_none() && asked.fragment().is_none();
        let declared = || self.redirect_uris.iter().filter_map(|uri| Url::parse(uri).ok()).any(|uri| uri == asked);
        ((loopback && asked.scheme() == "http" && plain) || declared()).then_some(asked)
    }
}

/// An app that the embedding process registered. In memory only, as its secret may be a real one.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct RegisteredApp {
    pub(in crate::sandbox) client_secret: Option<Secret>,
    pub(in crate::sandbox) keys: Vec<Jwk>,
    pub(in crate::sandbox) assertion_audiences: Vec<String>,
}

/// The app of the state, and the apps that the embedding process registered, by client id.
pub(in crate::sandbox) struct Apps<'a> {
    pub(in crate::sandbox) own: &'a App,
    pub(in crate::sandbox) registered: &'a HashMap<String, RegisteredApp>,
}

impl Apps<'_> {
    /// Finds an app. A registered app has the settings of the state's app.
    pub(super) fn find(&self, client_id: &str) -> Option<App> {
        let (own, registered) = (self.own.clone(), self.registered.get(client_id));
        let mut app = match registered {
            _ if own.client_id == client_id => own,
            // Without a secret none is accepted, because an empty secret never is.
            Some(RegisteredApp { client_secret, .. }) => App {
                client_id: client_id.to_owned(),
                client_secret: client_secret.clone().unwrap_or_else(|| Secret::new("")),
                keys: Vec::new(),
                old_client_secret: None,
                sign_with: None,
                ..own
            },
            None => return None,
        };
        if let Some(RegisteredApp { keys, assertion_audiences, .. }) = registered {
            app.keys.extend_from_slice(keys);
            app.assertion_audiences.extend_from_slice(assertion_audiences);
        }
        Some(app)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callbacks_go_to_loopback_or_to_declared_uris() {
        let app = App { redirect_uris: vec!["https://acme.com".into()], ..App::default() };
        for (uri, allowed) in [
            ("http://127.0.0.1:4567/callback?a=1", true),
            ("http://[::1]:1/", true),
            ("http://localhost:9/x", true),
            ("https://acme.com/", true),
            ("https://acme.com/other", false),
            ("https://acme.com.evil.example/", false),
            ("http://localhost.evil.example/", false),
            ("http://user@127.0.0.1:1/", false),
            ("https://127.0.0.1:1/", false),
            ("http://127.0.0.2/", false),
            ("javascript:alert(1)", false),
            ("", false),
        ] {
            assert_eq!(app.redirect(uri).is_some(), allowed, "{uri}");
        }
    }

    #[test]
    fn debug_output_of_an_app_has_no_secrets() {
        let shown = format!("{:?}", App::default());
        assert!(shown.contains("sandbox-client") && !shown.contains("sandbox-secret"), "{shown}");
    }
}
