//! The codes and tokens of the app in a shop, with Shopify's rules for their expiry and revocation. Pure: times are passed
//! in, in milliseconds.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::app::Secret;

/// How long a used refresh token may be used again (shopify.dev changelog of 2026-08-28).
const RETRY_MILLIS: i64 = 30 * 86_400_000;
/// The expiry of codes and tokens that were expired by hand.
const LONG_AGO: i64 = 0;

/// The codes and tokens of a shop.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::sandbox) struct Grants {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    codes: Vec<Code>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tokens: Vec<Token>,
    /// SHA-256 of the non-expiring tokens that were exchanged for expiring ones. The tokens may be real ones, so they are
    /// not kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    exchanged: Vec<String>,
}

/// An authorization code. It can be used once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Code {
    pub(super) text: Secret,
    pub(super) client_id: String,
    pub(super) online: bool,
    pub(super) expires_at: i64,
}

/// How a token was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TokenKind {
    Offline,
    Online,
    ClientCredentials,
    ClientAssertion,
}

/// An access token and its refresh token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Token {
    pub(super) access: Secret,
    pub(super) kind: TokenKind,
    pub(super) client_id: String,
    /// The scopes of the shop when it was issued.
    pub(super) scopes: Vec<String>,
    /// `None` for a non-expiring token.
    pub(super) expires_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refresh: Option<Refresh>,
    /// The refresh token that was exchanged for this pair. It is valid until the first use of this pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) replaces: Option<Secret>,
}

/// A refresh token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Refresh {
    pub(super) token: Secret,
    pub(super) expires_at: i64,
    /// The time of its first use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) used_at: Option<i64>,
}

/// The state of an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum TokenState {
    /// It was not issued for this shop.
    Unknown,
    Expired,
    Valid {
        /// Whether it has an expiry.
        expiring: bool,
    },
}

/// Which codes and tokens `sandbox edit tokens` invalidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Invalidation {
    /// Revoke all tokens and codes, as when the access of the app is revoked.
    Revoke,
    /// Expire the access tokens that have an expiry.
    ExpireTokens,
    /// Expire the refresh tokens.
    ExpireRefreshTokens,
    /// Expire the authorization codes.
    ExpireCodes,
}

fn digest(token: &str) -> String {
    Sha256::digest(token).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Token {
    fn is_expired(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|at| at <= now) && self.refresh.as_ref().is_none_or(|r| r.expires_at <= now)
    }

    fn refreshes_with(&self, token: &str) -> bool {
        self.refresh.as_ref().is_some_and(|refresh| refresh.token.reveal() == token)
    }
}

impl Grants {
    pub(in crate::sandbox) fn is_empty(&self) -> bool {
        self.codes.is_empty() && self.tokens.is_empty() && self.exchanged.is_empty()
    }

    /// Returns the state of an access token at the time `now`.
    pub(in crate::sandbox) fn state_of(&self, access: &str, now: i64) -> TokenState {
        if self.exchanged.contains(&digest(access)) {
            return TokenState::Expired;
        }
        match self.tokens.iter().find(|token| token.access.reveal() == access).map(|token| token.expires_at) {
            None => TokenState::Unknown,
            Some(Some(at)) if at <= now => TokenState::Expired,
            Some(at) => TokenState::Valid { expiring: at.is_some() },
        }
    }

    /// Registers the use of an access token: the refresh token that it replaces becomes invalid. Returns whether that
    /// changed anything.
    pub(in crate::sandbox) fn used(&mut self, access: &str) -> bool {
        let pair = self.tokens.iter_mut().find(|token| token.access.reveal() == access);
        let Some(before) = pair.and_then(|token| token.replaces.take()) else { return false };
        for token in self.tokens.iter_mut().filter(|token| token.refreshes_with(before.reveal())) {
            token.refresh = None;
        }
        true
    }

    /// Invalidates a token that was exchanged for an expiring one.
    pub(super) fn exchanged(&mut self, access: &str) {
        self.tokens.retain(|token| token.access.reveal() != access);
        self.exchanged.push(digest(access));
    }

    pub(super) fn add_code(&mut self, code: Code, now: i64) {
        self.codes.retain(|code| code.expires_at > now);
        self.codes.push(code);
    }

    /// Removes and returns a code of this client if it is valid.
    pub(super) fn take_code(&mut self, client_id: &str, code: &str, now: i64) -> Option<Code> {
        let at = self.codes.iter().position(|c| c.text.reveal() == code && c.client_id == client_id)?;
        Some(self.codes.remove(at)).filter(|code| code.expires_at > now)
    }

    /// Adds a token. An expiring offline token invalidates the previous ones: only one can be active per app and shop
    /// (shopify.dev, "About offline access tokens").
    pub(super) fn issue(&mut self, token: Token, now: i64) {
        let rival = |t: &Token| token.refresh.is_some() && t.refresh.is_some() && t.client_id == token.client_id;
        self.tokens.retain(|t| !t.is_expired(now) && !rival(t));
        self.tokens.push(token);
    }

    /// Exchanges an active refresh token for a new pair, which `make` builds from the old one.
    pub(super) fn refresh(
        &mut self,
        client_id: &str,
        refresh: &str,
        resilient: bool,
        now: i64,
        make: impl FnOnce(&Token) -> Token,
    ) -> Option<&Token> {
        let active =
            |token: &&Token| token.client_id == client_id && token.refresh.as_ref().is_some_and(|r| r.expires_at > now);
        let old = self.tokens.iter().filter(active).find(|token| token.refreshes_with(refresh))?.clone();
        self.used(old.access.reveal());
        // A second use invalidates the pair of the first use, which was never used.
        self.tokens.retain(|t| t.replaces.as_ref().is_none_or(|before| before.reveal() != refresh));
        let mut new = make(&old);
        new.replaces = resilient.then(|| Secret::new(refresh));
        for token in self.tokens.iter_mut().filter(|token| token.refreshes_with(refresh)) {
            token.refresh = token.refresh.take().filter(|_| resilient).map(|refresh| {
                let used_at = refresh.used_at.unwrap_or(now);
                let expires_at = refresh.expires_at.min(used_at.saturating_add(RETRY_MILLIS));
                Refresh { expires_at, used_at: Some(used_at), ..refresh }
            });
        }
        self.tokens.retain(|token| !token.is_expired(now));
        self.tokens.push(new);
        self.tokens.last()
    }

    /// Invalidates codes or tokens and returns their number.
    pub(in crate::sandbox) fn invalidate(&mut self, which: Invalidation) -> usize {
        let mut ended = 0;
        let mut expire = |at: &mut i64| {
            ended += usize::from(*at != LONG_AGO);
            *at = LONG_AGO;
        };
        match which {
            Invalidation::Revoke => {
                ended = self.codes.len() + self.tokens.len();
                *self = Self::default();
            }
            Invalidation::ExpireTokens => self.tokens.iter_mut().filter_map(|t| t.expires_at.as_mut()).for_each(expire),
            Invalidation::ExpireRefreshTokens => {
                self.tokens.iter_mut().filter_map(|t| t.refresh.as_mut()).for_each(|r| expire(&mut r.expires_at));
            }
            Invalidation::ExpireCodes => self.codes.iter_mut().for_each(|c| expire(&mut c.expires_at)),
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(n: u32) -> Token {
        Token {
            access: Secret::new(format!("a{n}")),
            kind: TokenKind::Offline,
            client_id: "c".into(),
            scopes: Vec::new(),
            expires_at: Some(1_000),
            refresh: Some(Refresh { token: Secret::new(format!("r{n}")), expires_at: 90_000, used_at: None }),
            replaces: None,
        }
    }

    fn refreshes(grants: &mut Grants, with: &str, resilient: bool, n: u32) -> bool {
        grants.refresh("c", with, resilient, 10, |_| pair(n)).is_some()
    }

    #[test]
    fn a_refresh_token_is_valid_until_its_new_pair_is_used() {
        let good = TokenState::Valid { expiring: true };
        let mut grants = Grants::default();
        grants.issue(pair(1), 0);
        assert!(!grants.used("a1") && refreshes(&mut grants, "r1", true, 2));
        assert!(refreshes(&mut grants, "r1", true, 3), "the answer was lost");
        assert_eq!([grants.state_of("a2", 10), grants.state_of("a3", 10)], [TokenState::Unknown, good]);
        assert!(!refreshes(&mut grants, "r2", true, 4), "withdrawn");
        assert!(grants.used("a3") && !grants.used("a3"));
        assert!(!refreshes(&mut grants, "r1", true, 4), "retired by a request");
        assert!(refreshes(&mut grants, "r3", true, 4) && refreshes(&mut grants, "r4", true, 5));
        assert!(!refreshes(&mut grants, "r3", true, 6), "retired by a refresh");
        assert_eq!((grants.state_of("a1", 10), grants.state_of("a1", 1_000)), (good, TokenState::Expired));
    }

    #[test]
    fn without_resilient_refresh_a_used_token_is_invalid_and_tokens_belong_to_one_client() {
        let mut grants = Grants::default();
        grants.issue(pair(1), 0);
        assert!(grants.refresh("other", "r1", false, 10, |_| pair(9)).is_none());
        assert!(refreshes(&mut grants, "r1", false, 2) && !refreshes(&mut grants, "r1", false, 3));
        assert!(grants.refresh("c", "r2", false, 90_000, |_| pair(9)).is_none(), "expired");
    }

    #[test]
    fn a_new_expiring_token_invalidates_the_previous_one_and_invalidations_are_counted() {
        let mut grants = Grants::default();
        grants.issue(pair(1), 0);
        grants.issue(Token { refresh: None, expires_at: None, ..pair(2) }, 0);
        grants.issue(pair(3), 0);
        assert_eq!(grants.state_of("a1", 0), TokenState::Unknown);
        assert_eq!(grants.state_of("a2", i64::MAX), TokenState::Valid { expiring: false });
        assert_eq!(
            (grants.invalidate(Invalidation::ExpireTokens), grants.invalidate(Invalidation::ExpireTokens)),
            (1, 0)
        );
        assert_eq!(grants.state_of("a3", 1), TokenState::Expired);
        assert_eq!(
            (grants.invalidate(Invalidation::ExpireRefreshTokens), refreshes(&mut grants, "r3", true, 4)),
            (1, false)
        );
        assert_eq!((grants.invalidate(Invalidation::Revoke), grants.is_empty()), (2, true));
    }
}
