//! Client assertions (RFC 7523): a JWT signed by the app in place of its client secret.
//!
//! Assertions are verified with another library (ring) than the client signs with (aws-lc-rs), so that the two
//! implementations are independent. Shopify's rules beyond the standard, and its messages, are not recorded:
//! `invalid_client` (RFC 7521, section 4.2.1) with these descriptions, the required `kid`, the leeway and the maximum
//! lifetime are assumed.

use std::collections::HashMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::files;
use crate::model::ShopDomain;
use crate::sandbox::error::SandboxError;

use super::app::{App, Apps};

/// RFC 7523, section 2.2.
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// By how many seconds the clock of the client may be ahead.
const LEEWAY: i64 = 60;
/// Maximum lifetime of an assertion, in seconds.
const MAX_LIFETIME: i64 = 3_600;

/// The accepted assertions that have not expired: client id and `jti`, with the expiry in seconds. They are kept in memory
/// only, so a restarted sandbox accepts them again.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct UsedAssertions(HashMap<(String, String), i64>);

impl UsedAssertions {
    /// Returns whether this `jti` is new, and remembers it.
    fn is_new(&mut self, client_id: &str, jti: &str, until: i64, now: i64) -> bool {
        self.0.retain(|_, until| *until > now);
        self.0.insert((client_id.to_owned(), jti.to_owned()), until).is_none()
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: String,
}

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    iss: String,
    #[serde(default)]
    sub: String,
    aud: Option<Audience>,
    exp: Option<i64>,
    iat: Option<i64>,
    nbf: Option<i64>,
    #[serde(default)]
    jti: String,
}

/// One audience, or several (RFC 7519, section 4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn names(&self, expected: &str) -> bool {
        match self {
            Self::One(audience) => audience == expected,
            Self::Several(audiences) => audiences.iter().any(|audience| audience == expected),
        }
    }
}

/// Returns the app that signed `assertion` for this shop, or an error message. `now` is in milliseconds since 1970.
pub(super) fn verify(
    assertion: &str,
    apps: &Apps<'_>,
    shop: &ShopDomain,
    used: &mut UsedAssertions,
    now: i64,
) -> Result<App, String> {
    let malformed = || "The client assertion is not a JWT.".to_owned();
    let mut parts = assertion.split('.');
    let (Some(header), Some(claims), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(malformed());
    };
    let signed = assertion.rsplit_once('.').map_or("", |(signed, _)| signed);
    let header: Header = part(header).ok_or_else(malformed)?;
    let claims: Claims = part(claims).ok_or_else(malformed)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed())?;
    if header.alg != "RS256" {
        return Err("The client assertion must be signed with RS256.".to_owned());
    }
    if claims.sub.is_empty() || claims.iss != claims.sub {
        return Err("The issuer and the subject of the client assertion must both be the client id.".to_owned());
    }
    let app = apps.find(&claims.sub).ok_or("The subject of the client assertion is not the client id of an app.")?;
    let mut keys = app.keys.iter().filter(|key| key.id() == header.kid).peekable();
    if keys.peek().is_none() {
        return Err("The key id of the client assertion is not registered for this app.".to_owned());
    }
    if !keys.any(|key| key.verifies(signed.as_bytes(), &signature)) {
        return Err("The signature of the client assertion is not valid for the registered key.".to_owned());
    }
    claims.check(&app, shop, used, app.clock(now).div_euclid(1000))?;
    Ok(app)
}

impl Claims {
    /// Checks the claims. `now` is in seconds since 1970.
    fn check(&self, app: &App, shop: &ShopDomain, used: &mut UsedAssertions, now: i64) -> Result<(), &'static str> {
        let exp = self.exp.ok_or("The client assertion has no expiration time.")?;
        if exp <= now {
            return Err("The client assertion has expired.");
        }
        if exp > now + MAX_LIFETIME + LEEWAY {
            return Err("The client assertion expires too far in the future.");
        }
        if [self.iat, self.nbf].into_iter().flatten().any(|from| from > now + LEEWAY) {
            return Err("The client assertion was issued in the future.");
        }
        let endpoint = format!("https://{shop}/admin/oauth/access_token");
        let others = app.assertion_audiences.iter().map(|audience| audience.replace("{shop}", shop.as_str()));
        let audience = self.aud.as_ref().ok_or("The client assertion has no audience.")?;
        if !std::iter::once(endpoint).chain(others).any(|expected| audience.names(&expected)) {
            return Err("The audience of the client assertion is not this shop's token endpoint.");
        }
        if self.jti.is_empty() {
            return Err("The client assertion has no jti.");
        }
        if !used.is_new(&app.client_id, &self.jti, exp, now) {
            return Err("The jti of the client assertion has already been used.");
        }
        Ok(())
    }
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// A public RSA key as a JSON Web Key (RFC 7517), as the Dev Dashboard takes it. A private key is refused because of its
/// additional members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Jwk {
    kty: String,
    /// Modulus, base64url.
    n: String,
    /// Exponent, base64url.
    e: String,
    /// The key id that the header of an assertion names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::sandbox) kid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    usage: Option<String>,
}

impl Jwk {
    /// Reads the key in a file. `key_id` replaces its id.
    pub(crate) fn read(path: &Path, key_id: Option<String>) -> Result<Self, SandboxError> {
        let wrong = |problem: String| SandboxError::Edit(format!("{}: {problem}", path.display()));
        let text = files::read_text(path, files::WRITTEN).map_err(|error| wrong(error.to_string()))?;
        let jwk: Self = serde_json::from_str(&text).map_err(|error| {
            wrong(format!(
                "is not the JWK of a public RSA key (line {}, column {}); `hookwright auth key public FILE` prints one",
                error.line(),
                error.column()
            ))
        })?;
        Ok(Self { kid: key_id.or(jwk.kid), ..jwk })
    }

    /// The key id, or an empty text.
    pub(in crate::sandbox) fn id(&self) -> &str {
        self.kid.as_deref().unwrap_or_default()
    }

    /// Checks the key of a seed or an edit.
    pub(in crate::sandbox) fn check(&self) -> Result<(), String> {
        let named = format!("the key `{}`", self.id());
        if self.id().is_empty() {
            return Err("`kid` is required: the header of an assertion names the key by it".to_owned());
        }
        if self.kty != "RSA" || self.alg.as_ref().is_some_and(|alg| alg != "RS256") {
            return Err(format!("{named} must have `kty: RSA` and `alg: RS256`"));
        }
        if self.usage.as_ref().is_some_and(|usage| usage != "sig") {
            return Err(format!("{named} cannot verify signatures; write `use: sig`"));
        }
        match self.components() {
            Some(components) if components.n.len() >= 256 => Ok(()),
            Some(_) => Err(format!("{named} is shorter than 2048 bits")),
            None => Err(format!("`n` and `e` of {named} must be base64url without padding")),
        }
    }

    /// Whether the signature of `signed` is valid for this key: RSASSA-PKCS1-v1_5 with SHA-256 (RS256).
    pub(super) fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        let components = self.components();
        components.is_some_and(|key| key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok())
    }

    fn components(&self) -> Option<RsaPublicKeyComponents<Vec<u8>>> {
        let number = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        Some(RsaPublicKeyComponents { n: number(&self.n)?, e: number(&self.e)? })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn invalid_keys_are_refused() {
        let n = URL_SAFE_NO_PAD.encode([0xff; 256]);
        let with = |key: &str, value: Value| {
            let mut jwk = json!({ "kty": "RSA", "n": n, "e": "AQAB", "kid": "k", "alg": "RS256", "use": "sig" });
            jwk[key] = value;
            serde_json::from_value::<Jwk>(jwk).map_err(|e| e.to_string()).and_then(|jwk| jwk.check())
        };
        assert_eq!(with("kid", "other".into()), Ok(()));
        for (key, value, said) in [
            ("kid", Value::Null, "`kid` is required"),
            ("kty", "EC".into(), "must have `kty: RSA`"),
            ("alg", "PS256".into(), "`alg: RS256`"),
            ("use", "enc".into(), "cannot verify signatures"),
            ("n", "AQAB".into(), "is shorter than 2048 bits"),
            ("n", "+/".into(), "base64url without padding"),
            ("d", "AQAB".into(), "unknown field `d`"),
        ] {
            let message = with(key, value).expect_err(said);
            assert!(message.contains(said), "{message}");
        }
    }
}
