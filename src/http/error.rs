//! The error of a request, and the table of kinds that a client declares with [`error_kinds!`].

use std::time::Duration;

/// The class of exit codes of a failure, which counts if it is the only cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// Authentication or a missing scope (4).
    Auth,
    /// Rate limit or time budget (5).
    RateLimit,
    /// Anything else (1 or 8).
    Other,
}

/// Whether sending the same request again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    /// It does not help.
    Never,
    /// It may help, in a later run only.
    Later,
    /// It may help.
    Now,
}

/// Whether a failed request may have changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Proof {
    /// The request was certainly not carried out.
    NothingHappened,
    /// It may have been carried out.
    Unknown,
}

/// The columns of a table of kinds.
pub(crate) trait Classified: Copy {
    /// Returns the class of exit codes.
    fn class(self) -> Class;
    /// Returns whether another attempt may help.
    fn retry(self) -> Retry;
    /// Returns what the kind proves about a mutation, unless the error itself proves more.
    fn proof(self) -> Proof;
    /// Returns whether every other request to the shop fails in the same way.
    fn ends_shop(self) -> bool;
}

/// Declares an enum of kinds with one row each: name, class, retry and, where requests change something, proof and
/// whether it ends the shop (`Shop`, `Request`).
macro_rules! error_kinds {
    (
        $(#[$meta:meta])* $kinds:ident;
        $($(#[$doc:meta])* $kind:ident = $name:literal, $class:ident, $retry:ident $(, $proof:ident, $scope:ident)?;)*
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum $kinds { $($(#[$doc])* $kind,)* }

        impl $kinds {
            /// Every kind.
            pub(crate) const ALL: &[Self] = &[$(Self::$kind),*];

            /// Returns the stable name.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// Returns the class of exit codes.
            pub(crate) const fn class(self) -> $crate::http::Class {
                match self { $(Self::$kind => $crate::http::Class::$class,)* }
            }
        }

        impl $crate::http::Classified for $kinds {
            fn class(self) -> $crate::http::Class {
                $kinds::class(self)
            }

            fn retry(self) -> $crate::http::Retry {
                match self { $(Self::$kind => $crate::http::Retry::$retry,)* }
            }

            fn proof(self) -> $crate::http::Proof {
                match self { $(Self::$kind => $crate::http::error_kinds!(@proof $($proof)?),)* }
            }

            fn ends_shop(self) -> bool {
                match self { $(Self::$kind => $crate::http::error_kinds!(@ends_shop $($scope)?),)* }
            }
        }

        impl std::fmt::Display for $kinds {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
    (@proof) => { $crate::http::Proof::Unknown };
    (@proof $proof:ident) => { $crate::http::Proof::$proof };
    (@ends_shop Shop) => { true };
    (@ends_shop $(Request)?) => { false };
}
pub(crate) use error_kinds;

/// The failure of a request, or of its preparation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Error<K> {
    /// The kind of failure.
    pub kind: K,
    /// The status of the response, if there was one.
    pub http_status: Option<u16>,
    /// The problem and the remedy; free of secrets and control characters.
    pub message: String,
    /// Whether another attempt may help.
    pub retryable: bool,
    /// Whether certainly nothing was changed.
    pub proof: Proof,
}

impl<K: Classified> Error<K> {
    /// Creates an error of `kind`. The message is the program's own; texts of servers pass through `Redactor` first.
    pub(crate) fn new(kind: K, message: impl Into<String>) -> Self {
        let (retryable, proof) = (kind.retry() != Retry::Never, kind.proof());
        Self { kind, http_status: None, message: message.into(), retryable, proof }
    }

    /// Returns the class of exit codes.
    pub(crate) fn class(&self) -> Class {
        self.kind.class()
    }

    pub(crate) fn with_status(self, status: u16) -> Self {
        Self { http_status: Some(status), ..self }
    }

    pub(crate) fn retryable(self, retryable: bool) -> Self {
        Self { retryable, ..self }
    }

    /// Marks the error of a request that was certainly not carried out.
    pub(crate) fn proven(self) -> Self {
        Self { proof: Proof::NothingHappened, ..self }
    }

    /// Adds that the run has no time for another attempt.
    pub(crate) fn out_of_time(&self) -> Self {
        let message = format!("{}. `--timeout` leaves no time for another attempt", self.message);
        Self { message, ..self.clone() }
    }
}

/// A failed attempt, and the wait that the server requested.
pub(crate) struct Failed<K> {
    pub(crate) error: Error<K>,
    pub(crate) asked: Option<Duration>,
}

impl<K> From<Error<K>> for Failed<K> {
    fn from(error: Error<K>) -> Self {
        Self { error, asked: None }
    }
}
