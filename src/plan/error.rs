//! Why a shop was not read, as a plan carries it.

use std::sync::Arc;

/// An error of the Admin API or of Adobe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopError {
    /// What went wrong.
    pub kind: ErrorKind,
    /// Status of the answer, if there was one.
    pub http_status: Option<u16>,
    /// What is the matter and what to do.
    pub message: String,
    /// Whether trying again may help.
    pub retryable: bool,
}

/// The stable name of a kind of error. A plan carries it and does not interpret it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorKind(Arc<str>);

impl ErrorKind {
    /// The kind of this name.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a shop was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The error.
    pub error: ShopError,
    /// Whether the manifest or the command line tolerates it.
    pub tolerated: bool,
}
