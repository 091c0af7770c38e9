//! The JSON of `auth status`, version 1. A minor version adds keys. It holds no secret.

use schemars::JsonSchema;
use serde::Serialize;

use crate::wire::plan::{Finding, ShopError};

/// The document that `auth status --format json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Status {
    /// `1.x`
    pub format_version: String,
    /// Version of Hookwright that wrote the document.
    pub tool_version: String,
    /// `shopify`, `sandbox`, or the URL that replaces Shopify (`HOOKWRIGHT_ADMIN_URL`).
    pub endpoint: String,
    /// Exit code of the command.
    pub exit_code: u8,
    /// Counts over all shops.
    pub summary: StatusSummary,
    /// The selected shops, sorted by domain.
    pub shops: Vec<StatusShop>,
}

/// Counts of shops by status. A shop with the status `unavailable` counts only in `shops`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StatusSummary {
    /// Number of selected shops.
    pub shops: usize,
    /// Number of shops with the status `ready`.
    pub ready: usize,
    /// Number of shops with the status `attention`.
    pub attention: usize,
    /// Number of shops with the status `failed`.
    pub failed: usize,
}

/// The token of one shop.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StatusShop {
    /// Full domain of the shop.
    pub shop: String,
    /// Whether the shop's token can be used.
    pub status: TokenStatus,
    /// Source of the shop's token.
    pub source: TokenSource,
    /// Whether the token belongs to a user (online) and not to the app (offline).
    pub online: bool,
    /// RFC 3339; null if the expiry is unknown.
    pub expires_at: Option<String>,
    /// RFC 3339; after this time a login is required.
    pub refresh_expires_at: Option<String>,
    /// Granted scopes, as Shopify lists them.
    pub granted: Vec<String>,
    /// Scopes that the manifest wants and that are not granted.
    pub missing: Vec<String>,
    /// Scopes that are granted and that the manifest does not want.
    pub superfluous: Vec<String>,
    /// Topics of bindings that no granted scope covers.
    pub blocked_topics: Vec<String>,
    /// Whether a login is required within two weeks.
    pub login_soon: bool,
    /// Findings about the token, as in a plan: `non_expiring_token`.
    pub findings: Vec<Finding>,
    /// Only in the sandbox: why a placeholder replaces the token or a secret. At Shopify this shop would fail.
    pub made_up: Option<String>,
    /// Why the token cannot be used; null if it can.
    pub error: Option<ShopError>,
}

/// Source of a token.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TokenSource {
    /// The form of `auth` in the manifest.
    pub kind: SourceKind,
    /// Name of the environment variable, file or command; never its content.
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
    /// The token works and has the wanted scopes.
    Ready,
    /// The token works, but needs attention.
    Attention,
    /// The shop cannot be read, for a reason that is tolerated.
    Unavailable,
    /// The token does not work or is unavailable.
    Failed,
}
