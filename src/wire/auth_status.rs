//! The JSON of `auth status`, version 1. A minor version adds keys. It holds no secret.

use schemars::JsonSchema;
use serde::Serialize;

use crate::wire::plan::{Finding, ShopError};

/// What `auth status --format json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Status {
    /// `1.x`
    pub format_version: String,
    /// Version of the hookwright that wrote it.
    pub tool_version: String,
    /// `shopify`, `sandbox`, or the URL that stands in for Shopify.
    pub endpoint: String,
    /// What the command exited with.
    pub exit_code: u8,
    /// Counts over all shops.
    pub summary: StatusSummary,
    /// Sorted by domain.
    pub shops: Vec<StatusShop>,
}

/// Counts of shops by status. A shop that is tolerated as unavailable is in none of the three.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StatusSummary {
    /// All that were selected.
    pub shops: usize,
    /// With status `ready`.
    pub ready: usize,
    /// With status `attention`.
    pub attention: usize,
    /// With status `failed`.
    pub failed: usize,
}

/// One shop.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StatusShop {
    /// The full domain.
    pub shop: String,
    /// Whether its token can be used.
    pub status: TokenStatus,
    /// Where its token comes from.
    pub source: TokenSource,
    /// Whether the token is a user's, not the app's own.
    pub online: bool,
    /// RFC 3339; null where the expiry is unknown.
    pub expires_at: Option<String>,
    /// RFC 3339: after this time a login is required.
    pub refresh_expires_at: Option<String>,
    /// Scopes granted, as Shopify lists them.
    pub granted: Vec<String>,
    /// Wanted by the manifest and not granted.
    pub missing: Vec<String>,
    /// Granted and not wanted.
    pub superfluous: Vec<String>,
    /// Topics of bindings that no granted scope covers.
    pub blocked_topics: Vec<String>,
    /// Whether a login is required within two weeks.
    pub login_soon: bool,
    /// What is to be done about the token besides, as in a plan: `non_expiring_token`.
    pub findings: Vec<Finding>,
    /// In the sandbox: why the token or a secret behind it was made up. At Shopify this shop would fail.
    pub made_up: Option<String>,
    /// Why the token does not work.
    pub error: Option<ShopError>,
}

/// Where the token comes from.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TokenSource {
    /// The form of `auth` in the manifest.
    pub kind: SourceKind,
    /// The name of the variable, file or command; never its content.
    pub from: String,
}

/// The form of `auth` in the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// `access_token`
    AccessToken,
    /// `client_credentials`
    ClientCredentials,
    /// `client_assertion`
    ClientAssertion,
    /// `token_store`
    TokenStore,
    /// The manifest has no `auth`.
    None,
}

/// Whether a token can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenStatus {
    /// It works and has the wanted scopes.
    Ready,
    /// It works; something is to be done.
    Attention,
    /// The shop is in a state that is tolerated.
    Unavailable,
    /// It does not work, or is unavailable.
    Failed,
}
