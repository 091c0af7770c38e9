//! The `state` of an authorize URL: proves, without anything being kept, that we made the URL for that shop.
//!
//! `hw1.<seconds>.<nonce>.<mac>`, the MAC with the app's client secret over shop, seconds and nonce: whoever does not hold
//! that secret cannot make one up, and one of another shop does not pass. Pure; time and nonce are passed in.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};

use crate::digest::hex;
use crate::model::ShopDomain;

/// A merchant may take some days to open the link that a team sent.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What is the matter with a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StateProblem {
    /// Not made here, or not for this shop.
    Foreign,
    /// Made too long ago.
    Old,
}

/// A state for an authorize URL of `shop`.
pub(crate) fn make(shop: &ShopDomain, secret: &SecretString, now: Timestamp, nonce: u64) -> String {
    let body = format!("hw1.{}.{nonce:016x}", now.as_second());
    let mac = hex(&signature(&body, shop, secret));
    format!("{body}.{mac}")
}

/// Whether `make` made it for `shop`, with one of these secrets, not too long ago.
pub(crate) fn check(
    state: &str,
    shop: &ShopDomain,
    secrets: &[&SecretString],
    now: Timestamp,
) -> Result<(), StateProblem> {
    let (body, mac) = state.rsplit_once('.').ok_or(StateProblem::Foreign)?;
    if !secrets.iter().any(|secret| same(&hex(&signature(body, shop, secret)), mac)) {
        return Err(StateProblem::Foreign);
    }
    let mut parts = body.split('.');
    let made = parts.nth(1).and_then(|seconds| Timestamp::from_second(seconds.parse().ok()?).ok());
    let age = now.duration_since(made.ok_or(StateProblem::Foreign)?);
    if age > GOOD_FOR { Err(StateProblem::Old) } else { Ok(()) }
}

/// Compares in a time that does not tell where the two differ.
pub(crate) fn same(a: &str, b: &str) -> bool {
    Sha256::digest(a) == Sha256::digest(b)
}

fn signature(body: &str, shop: &ShopDomain, secret: &SecretString) -> [u8; 32] {
    // The prefix keeps this apart from everything that Shopify signs with the same secret.
    let message = format!("hookwright authorize state\n{shop}\n{body}");
    keyed(secret).chain_update(message.as_bytes()).finalize().into_bytes().into()
}

/// HMAC-SHA256 with a secret as its key, of whatever length.
pub(super) fn keyed(secret: &SecretString) -> Hmac<Sha256> {
    match Hmac::new_from_slice(secret.expose_secret().as_bytes()) {
        Ok(hmac) => hmac,
        // RFC 2104 knows no key that is too long or too short, and neither does the crate.
        Err(_) => unreachable!("HMAC takes keys of any length"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop(name: &str) -> ShopDomain {
        ShopDomain::parse(name).expect("shop")
    }

    #[test]
    fn a_state_is_good_for_its_shop_its_secrets_and_its_week() {
        let (old, new) = (SecretString::from("old-secret"), SecretString::from("new-secret"));
        let now = Timestamp::from_second(1_790_000_000).expect("time");
        let state = make(&shop("acme"), &old, now, 7);
        assert_eq!(check(&state, &shop("acme"), &[&new, &old], now), Ok(()));
        assert_eq!(check(&state, &shop("acme"), &[&new], now), Err(StateProblem::Foreign));
        assert_eq!(check(&state, &shop("bolt"), &[&old], now), Err(StateProblem::Foreign));
        let later = now + SignedDuration::from_hours(7 * 24 + 1);
        assert_eq!(check(&state, &shop("acme"), &[&old], later), Err(StateProblem::Old));
        let younger = state.replace("1790000000", "1790999999");
        assert_eq!(check(&younger, &shop("acme"), &[&old], later), Err(StateProblem::Foreign));
        for foreign in ["", "123456", "hw1.1.2.", ".", "hw1.1790000000.0000000000000007"] {
            assert_eq!(check(foreign, &shop("acme"), &[&old], now), Err(StateProblem::Foreign), "{foreign}");
        }
        assert_ne!(state, make(&shop("acme"), &old, now, 8));
    }
}
