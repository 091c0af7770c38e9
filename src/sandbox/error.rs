//! What can go wrong around the sandbox. What goes wrong inside it, Shopify says.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::words;

/// An error of the sandbox, with the way out in its message.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The state path names something else.
    #[error("{} is not a sandbox state, so it is left alone; name another file with --sandbox-state (`hookwright sandbox`: --state), or move this one away", .path.display())]
    NotAState {
        /// The file.
        path: PathBuf,
    },
    /// The state is damaged or newer.
    #[error("{} can't be read as a sandbox state ({why}); move it away to start afresh", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Another process holds the state.
    #[error("the sandbox state {} is in use by another process{}; stop that one, or name another file with --sandbox-state (`hookwright sandbox`: --state)",
        .path.display(), .server.map(|at| format!(" (it listens on {at})")).unwrap_or_default())]
    InUse {
        /// The file.
        path: PathBuf,
        /// Where the other process answers.
        server: Option<SocketAddr>,
    },
    /// A file could not be read or written.
    #[error("{}: {}", .path.display(), words::of_io(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The address could not be bound.
    #[error("can't listen on {address}: {}", words::of_io(source))]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A seed file is wrong. All places in it, each `file:line:column: message`.
    #[error("{}", .0.join("\n"))]
    Seed(Vec<String>),
    /// A fault can't be. All that is wrong, each with its place if it stands in a file.
    #[error("{}", .0.join("\n"))]
    Faults(Vec<String>),
    /// An edit can't be done.
    #[error("{0}")]
    Edit(String),
}

impl SandboxError {
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
