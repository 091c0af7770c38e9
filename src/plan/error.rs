//! Errors of shops, as a plan contains them.

use std::sync::Arc;

/// An error of the Admin API or of Adobe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopError {
    /// Kind of the error.
    pub kind: ErrorKind,
    /// HTTP status of the answer, if there was one.
    pub http_status: Option<u16>,
    /// Problem and remedy.
    pub message: String,
    /// Whether a retry may succeed.
    pub retryable: bool,
}

/// The stable name of a kind of error. The core does not interpret it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorKind(Arc<str>);

impl ErrorKind {
    /// Creates the kind with this name.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a shop could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The error.
    pub error: ShopError,
    /// Whether the manifest or the command line tolerates it.
    pub tolerated: bool,
}
