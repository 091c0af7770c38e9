//! HMAC-SHA256: the signature of callbacks, and tokens. Pure except for random numbers.
//!
//! The client has separate code to check signatures, so that the two implementations are independent.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use url::{Url, form_urlencoded};

/// Lower-case hex.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writes to a String cannot fail
        text
    })
}

fn hmac(key: &str, text: &str) -> String {
    // HMAC takes keys of any length.
    Hmac::<Sha256>::new_from_slice(key.as_bytes())
        .map(|mac| hex(&mac.chain_update(text).finalize().into_bytes()))
        .unwrap_or_default()
}

/// `redirect` with `parameters` and their `hmac`: all parameters sorted by key, form-encoded, HMAC-SHA256 with the client
/// secret (shopify.dev, "Verify a request from Shopify"; the libraries' auth_query).
pub(super) fn callback(redirect: &Url, secret: &str, parameters: &[(&str, String)]) -> Url {
    // Parameters of the redirect URI are signed, too. They cannot replace Shopify's parameters.
    let own = |key: &str| key == "hmac" || parameters.iter().any(|(name, _)| *name == key);
    let there = redirect.query_pairs().filter(|(key, _)| !own(key)).map(|(k, v)| (k.into_owned(), v.into_owned()));
    let added = parameters.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
    let mut all: Vec<(String, String)> = there.chain(added).collect();
    all.sort();
    let encoded = |all: &[(String, String)]| form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
    let signature = hmac(secret, &encoded(&all));
    all.push(("hmac".to_owned(), signature));
    all.sort();
    let mut url = redirect.clone();
    url.set_query(Some(&encoded(&all)));
    url
}

/// Issues tokens and recognizes its own tokens.
pub(in crate::sandbox) struct TokenIssuer<'a> {
    /// The id of the state.
    key: &'a str,
}

impl<'a> TokenIssuer<'a> {
    pub(in crate::sandbox) fn new(key: &'a str) -> Self {
        Self { key }
    }

    /// Issues a token: 24 random digits and 8 check digits that depend on them and on the state. They
    /// distinguish an expired token from one that the sandbox never issued.
    pub(super) fn issue(&self, prefix: &str) -> String {
        let random = format!("{:024x}", fastrand::u128(..) >> 32);
        let check = self.check(prefix, &random);
        format!("{prefix}_{random}{check}")
    }

    /// Whether a sandbox with this state issued the token.
    pub(in crate::sandbox) fn issued(&self, token: &str) -> bool {
        let parts = token.split_once('_').and_then(|(prefix, rest)| Some((prefix, rest.split_at_checked(24)?)));
        parts.is_some_and(|(prefix, (random, check))| self.check(prefix, random) == check)
    }

    fn check(&self, prefix: &str, random: &str) -> String {
        hmac(self.key, &format!("{prefix}_{random}")).chars().take(8).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_rfc_4231() {
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hmac("Jefe", "what do ya want for nothing?"), expected);
    }

    #[test]
    fn an_issuer_recognizes_its_own_tokens() {
        let token = TokenIssuer::new("a").issue("shpat");
        assert_eq!(
            (token.len(), TokenIssuer::new("a").issued(&token), TokenIssuer::new("b").issued(&token)),
            (38, true, false)
        );
        for foreign in ["", "shpat_", "shpat_test", "sandbox-token", "shpat_äääääääääääääääääääääääääääääääää"]
        {
            assert!(!TokenIssuer::new("a").issued(foreign), "{foreign}");
        }
    }
}
