//! The `state` of an authorize URL: proves, without storing anything, that Hookwright issued the URL for that shop.
//!
//! `hw1.<seconds>.<nonce>.<mac>`, where the MAC covers shop, seconds and nonce with the app's client secret as key: a
//! state cannot be forged without that secret, and is not valid for another shop. Pure; time and nonce are passed in.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};

use crate::digest::hex;
use crate::model::ShopDomain;

/// The lifetime of a state. A merchant may take some days to open the link.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Why a state is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StateProblem {
    /// Not issued by Hookwright, or not for this shop.
    Foreign,
    /// Issued too long ago.
    Old,
}

/// Issues a state for an authorize URL of `shop`.
pub(crate) fn make(shop: &ShopDomain, secret: &SecretString, now: Timestamp, nonce: u64) -> String {
    let body = format!("hw1.{}.{nonce:016x}", now.as_second());
    let mac = hex(&signature(&body, shop, secret));
    format!("{body}.{mac}")
}

/// Checks that `make` issued the state for `shop`, with one of these secrets, not too long ago.
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

/// Compares in a time that does not depend on the position of a difference.
pub(crate) fn same(a: &str, b: &str) -> bool {
    Sha256::digest(a) == Sha256::digest(b)
}

fn signature(body: &str, shop: &ShopDomain, secret: &SecretString) -> [u8; 32] {
    // The prefix separates this MAC from everything that Shopify signs with the same secret.
    let message = format!("hookwright authorize state\n{shop}\n{body}");
    keyed(secret).chain_update(message.as_bytes()).finalize().into_bytes().into()
}

/// Returns HMAC-SHA256 with a secret of any length as its key.
pub(super) fn keyed(secret: &SecretString) -> Hmac<Sha256> {
    match Hmac::new_from_slice(secret.expose_secret().as_bytes()) {
        Ok(hmac) => hmac,
        // RFC 2104 and the crate accept keys of any length.
        Err(_) => unreachable!("HMAC accepts keys of any length"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop(name: &str) -> ShopDomain {
        ShopDomain::parse(name).expect("shop")
    }

    #[test]
    fn a_state_is_valid_for_its_shop_its_secrets_and_one_week() {
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
