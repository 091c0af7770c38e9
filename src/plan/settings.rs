//! The settings and the selection with which a plan is made.

use super::{Origin, Shard};
use crate::state::{Ownership, Safety};

/// Settings with which a plan is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Name of the run (`--name`).
    pub name: Option<String>,
    /// `shopify`, `sandbox`, or the URL that replaces Shopify.
    pub endpoint: String,
    /// The sandbox state; `None` if the endpoint is not `sandbox`.
    pub sandbox: Option<Sandbox>,
    /// The URL that replaces Adobe, if destinations were looked up there.
    pub adobe: Option<String>,
    /// Version and transport of the Admin API.
    pub admin_api: AdminApi,
    /// The ownership rule.
    pub ownership: Ownership,
    /// The limits of the run.
    pub safety: Safety,
}

/// A state of the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox {
    /// Identifier of the state.
    pub id: String,
    /// Path of the state file.
    pub state: String,
}

/// The Admin API that was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminApi {
    /// `2026-10`, or `unstable`.
    pub version: String,
    /// `graphql` or `rest`.
    pub transport: String,
}

/// Selection of shops, and of their changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Patterns of `--shop`; those of `--exclude-shop` start with `!`. Sorted.
    pub shops: Vec<String>,
    /// Values of `--label`: `KEY=VALUE` and `KEY!=VALUE`. Sorted.
    pub labels: Vec<String>,
    /// The shard; `None` for all shops.
    pub shard: Option<Shard>,
    /// The origin of the changes that the plan contains; `None` for all changes.
    pub only: Option<Origin>,
}

/// Maximum length of the name of a run.
const NAME_LENGTH: usize = 64;

/// Parses the name of a run, which is a part of the marker of a comment.
pub fn run_name(text: &str) -> Result<String, String> {
    let is_valid = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.len() <= NAME_LENGTH
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'))
        && !text.contains("--");
    if is_valid {
        return Ok(text.to_owned());
    }
    Err("expected at most 64 letters, digits, `-`, `_` and `.`, starting with a letter or digit, without `--`"
        .to_owned())
}
