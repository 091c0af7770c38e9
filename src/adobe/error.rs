//! What can go wrong with Adobe, as kinds with stable names. None of them is ever taken for drift.

use crate::admin::Class;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $class:ident, $retryable:literal;)*) => {
        /// What went wrong. The names are part of the plan format.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum ErrorKind { $($(#[$doc])* $kind,)* }

        impl ErrorKind {
            pub(crate) const ALL: &[Self] = &[$(Self::$kind),*];

            /// The stable name.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// Which exit code it belongs to.
            pub(crate) fn class(self) -> Class {
                match self { $(Self::$kind => Class::$class,)* }
            }

            pub(super) fn retryable(self) -> bool {
                match self { $(Self::$kind => $retryable,)* }
            }
        }
    };
}

kinds! {
    /// IMS gives this client no token.
    ClientRefused = "adobe_client_refused", Auth, false;
    /// Flow Service does not take the token.
    TokenRefused = "adobe_token_refused", Auth, false;
    /// The credential may not read this.
    Forbidden = "adobe_forbidden", Auth, false;
    /// Too many requests.
    RateLimited = "adobe_rate_limited", RateLimit, true;
    /// No answer, or one that says that there is none now.
    Unavailable = "adobe_unavailable", Other, true;
    /// An answer that is none.
    BadAnswer = "adobe_bad_answer", Other, false;
    /// Adobe does not know the sandbox, or the path.
    NotFound = "adobe_not_found", Other, false;
    /// What came belongs to somebody else.
    OtherOrg = "adobe_other_org", Other, false;
    /// What came is in another sandbox.
    OtherSandbox = "adobe_other_sandbox", Other, false;
    /// The run's time is over.
    TimeBudget = "time_budget", RateLimit, false;
    /// Somebody asked to stop.
    Interrupted = "interrupted", Other, false;
}

/// Why Adobe could not be asked. The message says what to do; no secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct AdobeError {
    pub(crate) kind: ErrorKind,
    pub(crate) http_status: Option<u16>,
    pub(crate) message: String,
    /// Whether trying again may help.
    pub(crate) retryable: bool,
}

impl AdobeError {
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, http_status: None, message: message.into(), retryable: kind.retryable() }
    }

    pub(super) fn with_status(self, status: u16) -> Self {
        Self { http_status: Some(status), ..self }
    }
}
