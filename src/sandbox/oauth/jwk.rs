//! Public keys as a JSON Web Key (RFC 7517), as the Dev Dashboard takes them. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::{Deserialize, Serialize};

/// A public RSA key. A private one has further members and is refused for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jwk {
    kty: String,
    /// The modulus, base64url.
    n: String,
    /// The exponent, base64url.
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
    /// The same key with another id.
    #[must_use]
    pub fn with_id(self, id: String) -> Self {
        Self { kid: Some(id), ..self }
    }

    /// The key id, empty if there is none.
    pub(in crate::sandbox) fn id(&self) -> &str {
        self.kid.as_deref().unwrap_or_default()
    }

    /// What is wrong with it.
    pub(in crate::sandbox) fn check(&self) -> Result<(), String> {
        let named = format!("the key `{}`", self.id());
        if self.id().is_empty() {
            return Err("a key needs a `kid`, which the header of an assertion names".to_owned());
        }
        if self.kty != "RSA" || self.alg.as_ref().is_some_and(|alg| alg != "RS256") {
            return Err(format!("{named} must have kty RSA and alg RS256"));
        }
        if self.usage.as_ref().is_some_and(|usage| usage != "sig") {
            return Err(format!("{named} is not for signatures; write `use: sig`"));
        }
        match self.components() {
            Some(components) if components.n.len() >= 256 => Ok(()),
            Some(_) => Err(format!("{named} is shorter than 2048 bits")),
            None => Err(format!("`n` and `e` of {named} must be base64url without padding")),
        }
    }

    /// Whether the signature over `signed` was made with this key: RSASSA-PKCS1-v1_5 with SHA-256 (RS256).
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
    fn what_is_not_a_public_rsa_key_with_an_id_is_told() {
        let n = URL_SAFE_NO_PAD.encode([0xff; 256]);
        let with = |key: &str, value: Value| {
            let mut jwk = json!({ "kty": "RSA", "n": n, "e": "AQAB", "kid": "k", "alg": "RS256", "use": "sig" });
            jwk[key] = value;
            serde_json::from_value::<Jwk>(jwk).map_err(|e| e.to_string()).and_then(|jwk| jwk.check())
        };
        assert_eq!(with("kid", "other".into()), Ok(()));
        for (key, value, said) in [
            ("kid", Value::Null, "needs a `kid`"),
            ("kty", "EC".into(), "must have kty RSA"),
            ("alg", "PS256".into(), "alg RS256"),
            ("use", "enc".into(), "is not for signatures"),
            ("n", "AQAB".into(), "is shorter than 2048 bits"),
            ("n", "+/".into(), "base64url without padding"),
            ("d", "AQAB".into(), "unknown field `d`"),
        ] {
            let told = with(key, value).expect_err(said);
            assert!(told.contains(said), "{told}");
        }
    }
}
