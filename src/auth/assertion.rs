//! Client assertions (RFC 7523): a short-lived JWT, signed with the app's private key, in place of a client secret.
//!
//! Shopify's page on application-only access tokens was only partly readable. Assumed from the standard: the claims,
//! RS256, `kid` in the header, the token endpoint of the shop as audience, and the parameters of the request, which is
//! JSON as in the other grants. `audience` and `lifetime` in the manifest change the parts that are most likely to
//! differ.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::key::Key;
use super::oauth::{self, Grant};
use crate::admin::{AdminClient, AdminError, AdminErrorKind, OauthAnswer, Repeat, not_installed};
use crate::model::ShopDomain;

/// RFC 7523, section 2.2.
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The default lifetime of an assertion.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// Clocks count as equal below this difference: a `Date` header has whole seconds.
const SAME: SignedDuration = SignedDuration::from_secs(5);

/// Signs the assertions of an app for one shop.
pub(super) struct Signer {
    pub(super) client_id: SecretString,
    pub(super) key: Key,
    pub(super) key_id: String,
    pub(super) audience: String,
    pub(super) lifetime: SignedDuration,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// Returns the audience of an assertion for `shop`: by default its token endpoint (RFC 7523, section 3; assumed). The
/// default is Shopify's address even for a sandbox, so that a test covers the real configuration.
pub(super) fn audience(configured: Option<&str>, shop: &ShopDomain) -> String {
    let audience = configured.unwrap_or("https://{shop}/admin/oauth/access_token");
    audience.replace("{shop}", shop.as_str())
}

/// Returns the configured lifetime, or the default.
pub(super) fn lifetime(configured: Option<SignedDuration>) -> SignedDuration {
    configured.unwrap_or(LIFETIME)
}

impl Signer {
    /// Creates an assertion with a unique `jti`.
    fn assertion(&self, now: Timestamp) -> Result<SecretString, String> {
        let mut jti = [0; 16];
        aws_lc_rs::rand::fill(&mut jti)
            .map_err(|_| "the system's random number generator failed; no client assertion was created".to_owned())?;
        let issued = now.as_second();
        let client_id = self.client_id.expose_secret();
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.key_id });
        let claims = json!({
            "iss": client_id,
            "sub": client_id,
            "aud": self.audience,
            "jti": URL_SAFE_NO_PAD.encode(jti),
            "iat": issued,
            "exp": issued.saturating_add(self.lifetime.as_secs()),
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(&signed)?);
        Ok(format!("{signed}.{signature}").into())
    }
}

/// Requests a token. A repeated request has a new assertion, because a server accepts each `jti` once.
pub(super) async fn grant(
    client: &AdminClient,
    shop: &ShopDomain,
    signer: &Signer,
    clock: fn() -> Timestamp,
) -> Result<Grant, AdminError> {
    client.remember(shop, &signer.client_id);
    let body = || {
        let assertion =
            signer.assertion(clock()).map_err(|why| AdminError::new(AdminErrorKind::SecretUnavailable, why))?;
        client.remember(shop, &assertion);
        for part in assertion.expose_secret().split('.') {
            client.remember(shop, &part.into());
        }
        let body = json!({
            "grant_type": "client_credentials",
            "client_assertion_type": TYPE,
            "client_assertion": assertion.expose_secret(),
        });
        Ok(SecretString::from(body.to_string()))
    };
    match client.post_oauth(shop, &body, Repeat::Safe).await? {
        OauthAnswer::Granted(json) => oauth::granted(client, shop, &json),
        OauthAnswer::Refused { said, error, date } => {
            let ahead = date.map(|date| clock().duration_since(date));
            Err(refusal(shop, signer, &said, error, ahead))
        }
    }
}

/// Explains a refusal, and what to check. `ahead`: how far this machine's clock is ahead of the server's.
fn refusal(
    shop: &ShopDomain,
    signer: &Signer,
    said: &str,
    by_status: AdminError,
    ahead: Option<SignedDuration>,
) -> AdminError {
    let quoted = oauth::quoted(said);
    let has = |word: &str| said.to_ascii_lowercase().contains(word);
    let (kind, message) = if has("app_not_installed") {
        (AdminErrorKind::Uninstalled, not_installed(&quoted))
    } else if has("shop_not_permitted") {
        let message = format!(
            "Shopify issues no token for a client assertion in this shop{quoted}: an app that is not public gets \
             tokens only for shops of its own organisation. For other shops use `token_store` and `hookwright auth \
             login --shop {}`",
            shop.handle()
        );
        (AdminErrorKind::ShopNotPermitted, message)
    } else if matches!(by_status.http_status, Some(400 | 401)) {
        let message = format!(
            "Shopify refused the client assertion{quoted}. Check this machine's clock{}, that the Dev Dashboard has \
             the public half of `private_key` under the key id `{}`, the `client_id`, the audience `{}`, and that the \
             app is installed in this shop",
            clocks(ahead),
            signer.key_id.escape_debug(),
            signer.audience.escape_debug()
        );
        (AdminErrorKind::ClientRefused, message)
    } else {
        return by_status;
    };
    AdminError { http_status: by_status.http_status, ..AdminError::new(kind, message) }
}

/// Describes how this machine's clock compares with the server's, if the answer has a date.
fn clocks(ahead: Option<SignedDuration>) -> String {
    match ahead {
        None => String::new(),
        Some(ahead) if ahead.abs() < SAME => " (it agrees with the server's)".to_owned(),
        Some(ahead) => {
            let difference = SignedDuration::from_secs(ahead.abs().as_secs());
            let direction = if ahead.is_positive() { "ahead of" } else { "behind" };
            format!(" (it is {difference:#} {direction} the server's)")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        let shop = ShopDomain::parse("acme").expect("shop");
        Signer {
            client_id: "app".into(),
            key: Key::generate().expect("key"),
            key_id: "k1".to_owned(),
            audience: audience(None, &shop),
            lifetime: lifetime(None),
        }
    }

    #[test]
    fn an_assertion_has_the_claims_of_the_standard_and_a_unique_jti() {
        let signer = signer();
        let now = Timestamp::from_second(1_000).expect("time");
        let parts = || {
            let assertion = signer.assertion(now).expect("assertion");
            let parts =
                assertion.expose_secret().split('.').map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64url"));
            let parts: Vec<Vec<u8>> = parts.collect();
            assert_eq!(parts.len(), 3);
            let json = |at: usize| serde_json::from_slice::<Value>(&parts[at]).expect("json");
            (json(0), json(1))
        };
        let ((header, claims), (_, others)) = (parts(), parts());
        assert_eq!(header, json!({ "alg": "RS256", "typ": "JWT", "kid": "k1" }));
        let jti = claims["jti"].as_str().expect("jti");
        assert_eq!(
            claims,
            json!({ "iss": "app", "sub": "app", "aud": "https://acme.myshopify.com/admin/oauth/access_token",
                    "jti": jti, "iat": 1_000, "exp": 1_300 })
        );
        assert!(jti.len() == 22 && others["jti"] != jti, "{jti}");
        assert!(!format!("{signer:?}").contains("app"));
    }

    #[test]
    fn a_refusal_lists_what_to_check() {
        let (signer, shop) = (signer(), ShopDomain::parse("acme").expect("shop"));
        let of = |said: &str, status: u16, ahead: Option<i64>| {
            let status = AdminError {
                http_status: Some(status),
                ..AdminError::new(AdminErrorKind::UnexpectedAnswer, "unchanged")
            };
            refusal(&shop, &signer, said, status, ahead.map(SignedDuration::from_secs))
        };
        for (ahead, words) in [
            (None, "this machine's clock, that"),
            (Some(4), "this machine's clock (it agrees with the server's), that"),
            (Some(600), "this machine's clock (it is 10m ahead of the server's), that"),
            (Some(-61), "this machine's clock (it is 1m 1s behind the server's), that"),
        ] {
            let error = of("invalid_client: no", 401, ahead);
            assert_eq!(error.kind, AdminErrorKind::ClientRefused);
            for part in [words, "(\"invalid_client: no\")", "key id `k1`", "access_token`", "app is installed"] {
                assert!(error.message.contains(part), "{part}: {error}");
            }
        }
        assert_eq!(of("app_not_installed: x", 400, None).kind, AdminErrorKind::Uninstalled);
        assert_eq!(of("shop_not_permitted: x", 400, None).kind, AdminErrorKind::ShopNotPermitted);
        assert_eq!(of("Unavailable Shop", 402, None).message, "unchanged");
    }
}
