//! What the app was given in one shop: codes and tokens, with Shopify's rules of how they end. Pure; milliseconds are
//! passed in.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::app::Secret;

/// For so long at most a refresh token may be used again (shopify.dev changelog of 2026-08-28).
const RETRY_MILLIS: i64 = 30 * 86_400_000;
/// The time of what was ended by hand.
const LONG_AGO: i64 = 0;

/// Codes and tokens of a shop that are not over.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::sandbox) struct Grants {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    codes: Vec<Code>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tokens: Vec<Token>,
    /// SHA-256 of tokens without an end that were exchanged for expiring ones: a real one must not stay here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    exchanged: Vec<String>,
}

/// An authorization code; used once, it is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Code {
    pub(super) text: Secret,
    pub(super) client_id: String,
    pub(super) online: bool,
    pub(super) expires_at: i64,
}

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Offline,
    Online,
    ClientCredentials,
    ClientAssertion,
}

/// An access token, with its refresh token if it has one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Token {
    pub(super) access: Secret,
    pub(super) kind: Kind,
    pub(super) client_id: String,
    /// The scopes of the shop when it was issued.
    pub(super) scopes: Vec<String>,
    /// `None`: never.
    pub(super) expires_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refresh: Option<Refresh>,
    /// The refresh token that gave this pair, and still works until this pair is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) replaces: Option<Secret>,
}

/// A refresh token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Refresh {
    pub(super) token: Secret,
    pub(super) expires_at: i64,
    /// When it was first used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) used_at: Option<i64>,
}

/// What an access token is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum Standing {
    /// Not one of this shop's.
    Unknown,
    Expired,
    Good {
        /// Whether it ends some time.
        expiring: bool,
    },
}

/// What is ended by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// All tokens and codes, as when the app's access is revoked.
    Revoke,
    /// Access tokens that end some time have ended.
    ExpireTokens,
    /// Refresh tokens have ended.
    ExpireRefreshTokens,
    /// Authorization codes have ended.
    ExpireCodes,
}

fn digest(token: &str) -> String {
    Sha256::digest(token).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Token {
    fn is_over(&self, now: i64) -> bool {
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

    /// What `access` is worth at the time `now`.
    pub(in crate::sandbox) fn standing(&self, access: &str, now: i64) -> Standing {
        if self.exchanged.contains(&digest(access)) {
            return Standing::Expired;
        }
        match self.tokens.iter().find(|token| token.access.reveal() == access).map(|token| token.expires_at) {
            None => Standing::Unknown,
            Some(Some(at)) if at <= now => Standing::Expired,
            Some(at) => Standing::Good { expiring: at.is_some() },
        }
    }

    /// A request came with `access`: what its pair replaced ends. Whether that changed anything.
    pub(in crate::sandbox) fn used(&mut self, access: &str) -> bool {
        let pair = self.tokens.iter_mut().find(|token| token.access.reveal() == access);
        let Some(before) = pair.and_then(|token| token.replaces.take()) else { return false };
        for token in self.tokens.iter_mut().filter(|token| token.refreshes_with(before.reveal())) {
            token.refresh = None;
        }
        true
    }

    /// The token was exchanged for an expiring one: it is dead.
    pub(super) fn exchanged(&mut self, access: &str) {
        self.tokens.retain(|token| token.access.reveal() != access);
        self.exchanged.push(digest(access));
    }

    pub(super) fn add_code(&mut self, code: Code, now: i64) {
        self.codes.retain(|code| code.expires_at > now);
        self.codes.push(code);
    }

    /// Takes a code out, if it is there, of this client and not over.
    pub(super) fn take_code(&mut self, client_id: &str, code: &str, now: i64) -> Option<Code> {
        let at = self.codes.iter().position(|c| c.text.reveal() == code && c.client_id == client_id)?;
        Some(self.codes.remove(at)).filter(|code| code.expires_at > now)
    }

    /// Adds a token that a person or the app's secret brought. An expiring offline token ends those before it: only one
    /// can be active per app and shop (shopify.dev, "About offline access tokens").
    pub(super) fn issue(&mut self, token: Token, now: i64) {
        let rival = |t: &Token| token.refresh.is_some() && t.refresh.is_some() && t.client_id == token.client_id;
        self.tokens.retain(|t| !t.is_over(now) && !rival(t));
        self.tokens.push(token);
    }

    /// Gives a new pair, made by `make` from the old one, for a refresh token that is active.
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
        // Used again, it withdraws the pair that it gave before and that nobody has used.
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
        self.tokens.retain(|token| !token.is_over(now));
        self.tokens.push(new);
        self.tokens.last()
    }

    /// Ends what `end` says, and tells how many that were.
    pub(in crate::sandbox) fn end(&mut self, end: End) -> usize {
        let mut ended = 0;
        let mut strike = |at: &mut i64| {
            ended += usize::from(*at != LONG_AGO);
            *at = LONG_AGO;
        };
        match end {
            End::Revoke => {
                ended = self.codes.len() + self.tokens.len();
                *self = Self::default();
            }
            End::ExpireTokens => self.tokens.iter_mut().filter_map(|t| t.expires_at.as_mut()).for_each(strike),
            End::ExpireRefreshTokens => {
                self.tokens.iter_mut().filter_map(|t| t.refresh.as_mut()).for_each(|r| strike(&mut r.expires_at));
            }
            End::ExpireCodes => self.codes.iter_mut().for_each(|c| strike(&mut c.expires_at)),
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
            kind: Kind::Offline,
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
    fn a_refresh_token_works_until_the_pair_that_it_gave_is_used() {
        let good = Standing::Good { expiring: true };
        let mut grants = Grants::default();
        grants.issue(pair(1), 0);
        assert!(!grants.used("a1") && refreshes(&mut grants, "r1", true, 2));
        assert!(refreshes(&mut grants, "r1", true, 3), "the answer was lost");
        assert_eq!([grants.standing("a2", 10), grants.standing("a3", 10)], [Standing::Unknown, good]);
        assert!(!refreshes(&mut grants, "r2", true, 4), "withdrawn");
        assert!(grants.used("a3") && !grants.used("a3"));
        assert!(!refreshes(&mut grants, "r1", true, 4), "retired by a request");
        assert!(refreshes(&mut grants, "r3", true, 4) && refreshes(&mut grants, "r4", true, 5));
        assert!(!refreshes(&mut grants, "r3", true, 6), "retired by a refresh");
        assert_eq!((grants.standing("a1", 10), grants.standing("a1", 1_000)), (good, Standing::Expired));
    }

    #[test]
    fn formerly_a_used_refresh_token_was_dead_and_no_other_client_has_it() {
        let mut grants = Grants::default();
        grants.issue(pair(1), 0);
        assert!(grants.refresh("other", "r1", false, 10, |_| pair(9)).is_none());
        assert!(refreshes(&mut grants, "r1", false, 2) && !refreshes(&mut grants, "r1", false, 3));
        assert!(grants.refresh("c", "r2", false, 90_000, |_| pair(9)).is_none(), "expired");
    }

    #[test]
    fn a_new_expiring_token_ends_the_one_before_and_ends_by_hand_are_counted() {
        let mut grants = Grants::default();
        grants.issue(pair(1), 0);
        grants.issue(Token { refresh: None, expires_at: None, ..pair(2) }, 0);
        grants.issue(pair(3), 0);
        assert_eq!(grants.standing("a1", 0), Standing::Unknown);
        assert_eq!(grants.standing("a2", i64::MAX), Standing::Good { expiring: false });
        assert_eq!((grants.end(End::ExpireTokens), grants.end(End::ExpireTokens)), (1, 0));
        assert_eq!(grants.standing("a3", 1), Standing::Expired);
        assert_eq!((grants.end(End::ExpireRefreshTokens), refreshes(&mut grants, "r3", true, 4)), (1, false));
        assert_eq!((grants.end(End::Revoke), grants.is_empty()), (2, true));
    }
}
