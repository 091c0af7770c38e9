//! The JSON of `auth status`, version 1. Minor versions add keys; no secret is in it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::wire::plan::{Finding, ShopError};

/// What each shop's token is worth.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Status {
    /// `1.x`
    pub(super) format_version: String,
    pub(super) tool_version: String,
    /// `shopify`, `sandbox`, or the URL that stands in for Shopify.
    pub(super) endpoint: String,
    /// What the command exited with.
    pub(super) exit_code: u8,
    pub(super) summary: StatusSummary,
    /// Sorted by domain.
    pub(super) shops: Vec<StatusShop>,
}

/// Shops by verdict; those that are tolerated as unavailable are in none of the three.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StatusSummary {
    pub(super) shops: usize,
    pub(super) ready: usize,
    pub(super) attention: usize,
    pub(super) failed: usize,
}

/// One shop.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StatusShop {
    pub(super) shop: String,
    pub(super) status: Verdict,
    pub(super) source: Source,
    /// Whether the token is a user's, not the app's own.
    pub(super) online: bool,
    /// RFC 3339, as far as a token store knows.
    pub(super) expires_at: Option<String>,
    /// RFC 3339; after it somebody has to log in.
    pub(super) refresh_expires_at: Option<String>,
    /// Scopes granted, as Shopify lists them.
    pub(super) granted: Vec<String>,
    /// Wanted by the manifest and not granted.
    pub(super) missing: Vec<String>,
    /// Granted and not wanted.
    pub(super) superfluous: Vec<String>,
    /// Topics of bindings that no granted scope covers.
    pub(super) blocked_topics: Vec<String>,
    /// Whether somebody will have to log in within two weeks.
    pub(super) login_soon: bool,
    /// What is to be done about the token besides, as in a plan: `non_expiring_token`.
    pub(super) findings: Vec<Finding>,
    /// In the sandbox: why the token or a secret behind it was made up. At Shopify this shop would fail.
    pub(super) made_up: Option<String>,
    /// Why the token does not work.
    pub(super) error: Option<ShopError>,
}

/// Where the token comes from.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Source {
    pub(super) kind: SourceKind,
    /// In words: a variable, a file, a program; never what is in it.
    pub(super) from: String,
}

/// The form of `auth` in the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SourceKind {
    AccessToken,
    ClientCredentials,
    ClientAssertion,
    TokenStore,
    None,
}

/// What the token is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// It works and has the wanted scopes.
    Ready,
    /// It works; something is to be done.
    Attention,
    /// The shop is in a state that is tolerated.
    Unavailable,
    /// It does not work, or could not be had.
    Failed,
}
