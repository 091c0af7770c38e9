//! HMAC-SHA256 and what is made with it: the signature of a callback, and tokens. Pure but for chance.
//!
//! Own code on purpose: the client checks signatures with its own, and neither may lean on the other.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use url::{Url, form_urlencoded};

/// Lower-case hex.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // into a String: cannot fail
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
    // What the redirect URI brought along is signed, too; it can't stand for what Shopify says.
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

/// Makes tokens, and knows again those that it made.
pub(in crate::sandbox) struct Mint<'a> {
    /// The id of the state.
    key: &'a str,
}

impl<'a> Mint<'a> {
    pub(in crate::sandbox) fn new(key: &'a str) -> Self {
        Self { key }
    }

    /// A new token: 24 digits of chance and 8 that follow from them and the state, so that a token which ended long ago
    /// is still told from one that the sandbox never issued.
    pub(super) fn make(&self, prefix: &str) -> String {
        let chance = format!("{:024x}", fastrand::u128(..) >> 32);
        let check = self.check(prefix, &chance);
        format!("{prefix}_{chance}{check}")
    }

    /// Whether a sandbox with this state issued the token.
    pub(in crate::sandbox) fn made(&self, token: &str) -> bool {
        let parts = token.split_once('_').and_then(|(prefix, rest)| Some((prefix, rest.split_at_checked(24)?)));
        parts.is_some_and(|(prefix, (chance, check))| self.check(prefix, chance) == check)
    }

    fn check(&self, prefix: &str, chance: &str) -> String {
        hmac(self.key, &format!("{prefix}_{chance}")).chars().take(8).collect()
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
    fn a_mint_knows_its_own_tokens() {
        let token = Mint::new("a").make("shpat");
        assert_eq!((token.len(), Mint::new("a").made(&token), Mint::new("b").made(&token)), (38, true, false));
        for foreign in ["", "shpat_", "shpat_test", "sandbox-token", "shpat_äääääääääääääääääääääääääääääääää"]
        {
            assert!(!Mint::new("a").made(foreign), "{foreign}");
        }
    }
}
