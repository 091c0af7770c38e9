//! Errors of the sandbox itself. Errors that Shopify would report are responses.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::words;

/// An error of the sandbox. Its message contains the remedy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SandboxError {
    /// The file is not a sandbox state.
    #[error("{} is not a sandbox state and was not changed; use another file with `--sandbox-state` (`hookwright sandbox`: `--state`), or move this file away", .path.display())]
    NotAState {
        /// The file.
        path: PathBuf,
    },
    /// The state is damaged or has a newer format.
    #[error("cannot read the sandbox state {}: {why}; move the file away to start with an empty state", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The reason.
        why: String,
    },
    /// Another process has locked the state.
    #[error("the sandbox state {} is in use by another process{}; stop that process, or use another file with `--sandbox-state` (`hookwright sandbox`: `--state`)",
        .path.display(), .server.map(|at| format!(" (it listens on {at})")).unwrap_or_default())]
    InUse {
        /// The file.
        path: PathBuf,
        /// The address of the server in the other process.
        server: Option<SocketAddr>,
    },
    /// A file could not be read or written.
    #[error("{}: {}", .path.display(), words::of_io(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The address could not be bound.
    #[error("cannot listen on {address}: {}", words::of_io(source))]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The cause.
        source: io::Error,
    },
    /// The errors of seed files, each `file:line:column: message`.
    #[error("{}", .0.join("\n"))]
    Seed(Vec<String>),
    /// The errors of fault rules, each with its place if it is in a file.
    #[error("{}", .0.join("\n"))]
    Faults(Vec<String>),
    /// An edit is not possible.
    #[error("{0}")]
    Edit(String),
}

impl SandboxError {
    /// The message of a YAML error in the file `path`, with its place.
    pub(super) fn yaml(path: &Path, error: &serde_yaml::Error) -> String {
        let at = error.location().map_or_else(String::new, |at| format!("{}:{}:", at.line(), at.column()));
        format!("{}:{at} {}", path.display(), words::of_yaml(error))
    }

    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
