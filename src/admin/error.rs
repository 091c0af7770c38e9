//! What can go wrong with one shop, as kinds with stable names.
//!
//! A message says what happened and what to do; upstream text in it has gone through `redact`. Nothing here prints or
//! decides.

use std::fmt;

use super::redact::Redactor;

/// Which exit code a failure belongs to, if it is the only cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Authentication or a missing scope (4).
    Auth,
    /// Rate limit or time budget (5).
    RateLimit,
    /// Anything else (1 or 8).
    Other,
}

/// Whether a failed request can have changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Proof {
    /// The request was not carried out, for certain.
    NothingHappened,
    /// It may have been carried out.
    Unknown,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $class:ident, $retryable:literal, $proof:ident;)*) => {
        /// What went wrong. The names are part of the plan and report formats.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// Which exit code it belongs to.
            pub fn class(self) -> Class {
                match self { $(Self::$kind => Class::$class,)* }
            }

            pub(super) fn retryable(self) -> bool {
                match self { $(Self::$kind => $retryable,)* }
            }

            pub(super) fn proof(self) -> Proof {
                match self { $(Self::$kind => Proof::$proof,)* }
            }
        }
    };
}

// Name, class, whether trying again may help, what it proves about a mutation that was answered so (DESIGN section 5).
// The four kinds of GraphQL errors prove nothing by themselves; a document that was refused as a whole does.
kinds! {
    /// 401.
    TokenRefused = "token_refused", Auth, false, NothingHappened;
    /// 403 that asks for an expiring token.
    NonExpiringToken = "non_expiring_token", Auth, false, NothingHappened;
    /// 403 that names a scope.
    MissingScope = "missing_scope", Auth, false, NothingHappened;
    /// Any other 403.
    Forbidden = "forbidden", Auth, false, NothingHappened;
    /// 403 "Unavailable Shop".
    UnavailableShop = "unavailable_shop", Other, false, NothingHappened;
    /// 402 "Unavailable Shop".
    Frozen = "frozen", Other, false, NothingHappened;
    /// Any other 402.
    PaymentRequired = "payment_required", Other, false, NothingHappened;
    /// 404.
    NotFound = "not_found", Other, false, Unknown;
    /// 423.
    Locked = "locked", Other, false, NothingHappened;
    /// 429.
    RateLimited = "rate_limited", RateLimit, true, NothingHappened;
    /// 430.
    SecurityRejection = "security_rejection", Other, false, NothingHappened;
    /// GraphQL `THROTTLED`.
    Throttled = "throttled", RateLimit, true, NothingHappened;
    /// GraphQL `ACCESS_DENIED`.
    AccessDenied = "access_denied", Auth, false, Unknown;
    /// GraphQL `MAX_COST_EXCEEDED`.
    CostExceeded = "cost_exceeded", Other, false, Unknown;
    /// Any other GraphQL error.
    GraphqlError = "graphql_error", Other, false, Unknown;
    /// GraphQL `INTERNAL_SERVER_ERROR`.
    InternalError = "internal_error", Other, true, Unknown;
    /// GraphQL `SHOP_INACTIVE`.
    ShopInactive = "shop_inactive", Other, false, Unknown;
    /// 5xx.
    ServerError = "server_error", Other, true, Unknown;
    /// 3xx, never followed.
    Redirected = "redirected", Other, false, Unknown;
    /// An answer that is not the Admin API's: HTML, empty, cut, of another shape.
    UnexpectedAnswer = "unexpected_answer", Other, false, Unknown;
    /// An answer past the bound.
    TooLarge = "too_large", Other, false, Unknown;
    /// No connection: name not found, refused, no answer to the handshake.
    ConnectFailed = "connect_failed", Other, true, NothingHappened;
    /// A connection, but no TLS: certificate or protocol.
    Tls = "tls", Other, false, NothingHappened;
    /// No answer in time.
    Timeout = "timeout", Other, true, Unknown;
    /// The connection ended before the answer did.
    ConnectionLost = "connection_lost", Other, true, Unknown;
    /// The OAuth error `app_not_installed`, and no other evidence.
    Uninstalled = "uninstalled", Auth, false, NothingHappened;
    /// The client id or secret is not one of the app's.
    ClientRefused = "client_refused", Auth, false, NothingHappened;
    /// The OAuth error `shop_not_permitted`: no client credentials grant for this shop.
    ShopNotPermitted = "shop_not_permitted", Auth, false, NothingHappened;
    /// The authorization code was used already, or is not known.
    CodeRefused = "code_refused", Auth, false, NothingHappened;
    /// Nothing is left to refresh with: somebody has to log in again.
    LoginRequired = "login_required", Auth, false, NothingHappened;
    /// The token could not be had.
    SecretUnavailable = "secret_unavailable", Auth, false, NothingHappened;
    /// The run's `--timeout` ended.
    TimeBudget = "time_budget", RateLimit, true, Unknown;
    /// Somebody asked to stop before it was sent.
    Interrupted = "interrupted", Other, true, NothingHappened;
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a shop, or a change, was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AdminError {
    /// What went wrong.
    pub kind: Kind,
    /// Status of the answer, if there was one.
    pub http_status: Option<u16>,
    /// What happened and what to do; free of secrets and control characters.
    pub message: String,
    /// Whether trying again may help.
    pub retryable: bool,
    /// Whether it is certain that nothing was changed.
    pub proof: Proof,
}

impl AdminError {
    /// An error of `kind`. The message is the program's own; texts of others go through `Redactor` first.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, http_status: None, message: message.into(), retryable: kind.retryable(), proof: kind.proof() }
    }

    /// A secret that could not be had, in the words of whoever tried.
    pub fn secret_unavailable(message: &str) -> Self {
        Self::new(Kind::SecretUnavailable, Redactor::default().clean(message))
    }

    /// Which exit code it belongs to.
    pub fn class(&self) -> Class {
        self.kind.class()
    }

    /// The same error in other words.
    pub(super) fn saying(mut self, message: String) -> Self {
        self.message = message;
        self
    }

    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.http_status = Some(status);
        self
    }

    /// The same error, where it is certain that nothing was changed.
    pub(super) fn proven(mut self) -> Self {
        self.proof = Proof::NothingHappened;
        self
    }

    /// The same error, after which the run has no time to try again.
    pub(super) fn out_of_time(&self) -> Self {
        let message = format!("{}; --timeout leaves no time for another attempt", self.message);
        Self { message, ..self.clone() }
    }

    /// The same error, after so many attempts.
    pub(super) fn given_up(self, attempts: u32) -> Self {
        Self { message: format!("{} ({attempts} attempts failed)", self.message), ..self }
    }

    pub(super) fn worth_retrying(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// Whether the answer concerns the shop and not the request, so that asking again for another change is no use.
    pub(super) fn stops_the_shop(&self) -> bool {
        matches!(
            self.kind,
            Kind::TokenRefused
                | Kind::NonExpiringToken
                | Kind::MissingScope
                | Kind::Forbidden
                | Kind::UnavailableShop
                | Kind::Frozen
                | Kind::PaymentRequired
                | Kind::Locked
                | Kind::SecurityRejection
                | Kind::RateLimited
                | Kind::Throttled
                | Kind::ConnectFailed
                | Kind::Tls
                | Kind::Uninstalled
                | Kind::ClientRefused
                | Kind::ShopNotPermitted
                | Kind::CodeRefused
                | Kind::LoginRequired
                | Kind::SecretUnavailable
                | Kind::TimeBudget
                | Kind::Interrupted
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_the_names_that_plans_and_reports_promise() {
        let names: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(
            names.join(" "),
            "token_refused non_expiring_token missing_scope forbidden unavailable_shop frozen payment_required \
             not_found locked rate_limited security_rejection throttled access_denied cost_exceeded graphql_error \
             internal_error shop_inactive server_error redirected unexpected_answer too_large connect_failed tls \
             timeout connection_lost uninstalled client_refused shop_not_permitted code_refused login_required \
             secret_unavailable time_budget interrupted"
        );
    }
}
