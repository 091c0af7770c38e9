//! What can go wrong between here and Adobe, as kinds with stable names.
//!
//! A message names the `aep` entry, says what happened and what to do; texts of others in it have gone through
//! `Redactor`. Nothing here prints or decides.

use std::fmt;

use crate::admin::Class;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $class:ident, $retryable:literal;)*) => {
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

            fn retryable(self) -> bool {
                match self { $(Self::$kind => $retryable,)* }
            }
        }
    };
}

// Name, class, whether trying again may help.
kinds! {
    /// IMS refuses the client id, its secret or the scopes.
    ClientRefused = "adobe_client_refused", Auth, false;
    /// 401 of Flow Service, also with a token fresh from IMS.
    TokenRefused = "adobe_token_refused", Auth, false;
    /// 403: a permission is missing.
    Forbidden = "adobe_forbidden", Auth, false;
    /// 429.
    RateLimited = "adobe_rate_limited", RateLimit, true;
    /// 5xx, or no answer: name not found, no connection, no TLS, no answer in time, half an answer.
    Unavailable = "adobe_unavailable", Other, true;
    /// An answer of another shape than Adobe's.
    BadAnswer = "adobe_bad_answer", Other, false;
    /// There is no such sandbox.
    NotFound = "adobe_not_found", Other, false;
    /// The answer is about another organisation.
    OtherOrg = "adobe_other_org", Other, false;
    /// The answer is about another sandbox.
    OtherSandbox = "adobe_other_sandbox", Other, false;
    /// The run's `--timeout` ended.
    TimeBudget = "time_budget", RateLimit, true;
    /// Somebody asked to stop.
    Interrupted = "interrupted", Other, true;
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a question to Adobe has no answer. Never a reason to think that something is gone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AdobeError {
    /// What went wrong.
    pub kind: Kind,
    /// Status of the answer, if there was one.
    pub http_status: Option<u16>,
    /// Which account, what happened and what to do; free of secrets and control characters.
    pub message: String,
    /// Whether trying again later may help.
    pub retryable: bool,
}

impl AdobeError {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, http_status: None, message: message.into(), retryable: kind.retryable() }
    }

    /// Which exit code it belongs to.
    pub fn class(&self) -> Class {
        self.kind.class()
    }

    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.http_status = Some(status);
        self
    }

    pub(super) fn retryable(mut self, retryable: bool) -> Self {
        self.retryable = retryable;
        self
    }

    /// The same error, after which the run has no time to ask again.
    pub(super) fn out_of_time(&self) -> Self {
        let message = format!("{}; --timeout leaves no time for another attempt", self.message);
        Self { message, ..self.clone() }
    }

    /// The error as the account `name` has it; done once, where it leaves this room.
    pub(super) fn of(mut self, name: &str) -> Self {
        self.message = format!("aep `{name}`: {}", self.message);
        self
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
            "adobe_client_refused adobe_token_refused adobe_forbidden adobe_rate_limited adobe_unavailable \
             adobe_bad_answer adobe_not_found adobe_other_org adobe_other_sandbox time_budget interrupted"
        );
    }
}
