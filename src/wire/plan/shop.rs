//! The parts of a plan that describe one shop.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{BlockedReason, ErrorKind, Field, FindingKind, Reason};

/// The plan of one shop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Shop {
    /// Full domain of the shop.
    pub shop: String,
    /// Labels from the manifest.
    pub labels: Arc<BTreeMap<String, String>>,
    /// Status of the shop.
    pub status: ShopStatus,
    /// `sha256:…` over everything on which the changes depend, except for the subscriptions that they change; null if
    /// the shop was not read.
    pub observed_digest: Option<Arc<str>>,
    /// `sha256:…` over the wanted state of the shop in the manifest.
    pub desired_digest: Arc<str>,
    /// Number of live managed subscriptions.
    pub managed: usize,
    /// Number of live subscriptions that are not managed by the manifest.
    #[serde(default)]
    pub unmanaged: usize,
    /// Limits of this shop, if it has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safety: Option<ShopSafety>,
    /// Bindings that are live as wanted.
    pub bound: Arc<[Bound]>,
    /// Bindings that cannot be created or updated now.
    pub blocked: Vec<Blocked>,
    /// Changes, in the order in which they are applied.
    pub changes: Vec<Change>,
    /// With `--only`: what the plan leaves out and `apply` does not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<Box<LeftOut>>,
    /// Findings that no change can resolve.
    pub findings: Vec<Finding>,
    /// Why the shop could not be read; null if it was read.
    pub error: Option<Box<ShopError>>,
}

/// What a plan with `--only` leaves out of a shop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    /// Changes of the other origin. Their topics have no change in the plan.
    pub changes: Vec<Change>,
    /// Blocked bindings of the other origin.
    pub blocked: Vec<Blocked>,
}

/// Limits of one shop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShopSafety {
    /// Replaces the common limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_delete_percent: Option<u8>,
    /// Replaces the common list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected_topics: Option<Vec<String>>,
}

/// Status of a shop in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShopStatus {
    /// The shop has changes.
    Changed,
    /// The shop has no changes.
    Unchanged,
    /// The shop could not be read.
    Failed,
    /// The shop could not be read, for a reason that is tolerated.
    Unavailable,
}

/// Bindings of one topic and destination that are live as wanted.
// A fleet has many of these with few different texts, so the texts are shared with the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Bound {
    /// Topic in slash form.
    pub topic: Arc<str>,
    /// Name of the destination, or the address if it has no name.
    pub destination: Arc<str>,
    /// Number of bindings.
    pub count: usize,
}

/// A binding that cannot be created or updated now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Blocked {
    /// Topic in slash form.
    pub topic: String,
    /// Name of the destination, or the address if it has no name.
    pub destination: String,
    /// `scope`, `name_taken`, or `destination_…` with a verdict about the destination, where events would be lost.
    pub reason: BlockedReason,
    /// Delivery address. Absent in plans of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `json` or `xml`. Absent in plans of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Filter in Shopify's search syntax; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Scopes of which one is required; empty unless the reason is `scope`.
    pub any_of: Vec<String>,
    /// Problem and remedy.
    pub message: String,
    /// Where the binding is defined.
    pub source: Option<Source>,
}

/// What a change does to a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// `+`
    Create,
    /// `~`
    Update,
    /// `-`
    Delete,
}

impl Action {
    /// Returns the value in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// What the change does.
    pub action: Action,
    /// Topic in slash form, or its GraphQL name if the catalogue does not contain it.
    pub topic: Arc<str>,
    /// Reason: `missing` (create), `differs`, `repurposed`, `name_step` (update), `not_in_manifest`, `duplicate`,
    /// `replaced`, `unmanaged` (delete), or a reason that a later minor version adds.
    pub reason: Reason,
    /// With `--base`: `drift` if the base manifest would plan the same change, otherwise `manifest`.
    pub origin: Option<Origin>,
    /// Fields that an update changes.
    pub fields: Vec<Field>,
    /// Names of the destinations, if the addresses have names.
    pub destination: Destinations,
    /// Where the binding is defined; null for deletes.
    pub source: Option<Source>,
    // Not inline, because most changes have only one of the two, and the plan of a fleet holds many changes. Its shops
    // share equal ones.
    /// The subscription before the change; null for creates.
    pub before: Option<Arc<Subscription>>,
    /// The subscription after the change; null for deletes.
    pub after: Option<Arc<Subscription>>,
}

/// Origin of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The base manifest would plan the same change.
    Drift,
    /// The change comes from this manifest.
    Manifest,
}

impl Origin {
    /// Returns the value in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drift => "drift",
            Self::Manifest => "manifest",
        }
    }
}

/// Names of the destinations of a change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Destinations {
    /// Name of the address before the change.
    pub before: Option<Arc<str>>,
    /// Name of the address after the change.
    pub after: Option<Arc<str>>,
}

/// A place in the manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Path of the file as given on the command line.
    pub file: Arc<str>,
    /// Line, 1-based.
    pub line: u32,
}

/// A subscription before or after a change.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Subscription {
    /// `gid://shopify/WebhookSubscription/…`; absent if the subscription does not exist yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Delivery address.
    pub address: String,
    /// `json` or `xml`.
    pub format: String,
    /// Included fields, as written.
    pub include_fields: Vec<String>,
    /// Metafield namespaces, as written.
    pub metafield_namespaces: Vec<String>,
    /// Filter in Shopify's search syntax; null for none, and with REST, which does not return it.
    pub filter: Option<String>,
    /// Name, unique per shop, ignoring case; null for none, and with REST, which does not return it.
    pub name: Option<String>,
    /// Metafields as `namespace.key`; absent with REST, which does not return them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metafields: Option<Vec<String>>,
    /// RFC 3339. Not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// RFC 3339. Not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// API version of the payloads. Not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
}

/// Something that the plan reports and that no change can resolve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Kind of the finding. Readers handle an unknown kind by its severity.
    pub kind: FindingKind,
    /// Severity of the finding.
    pub severity: Severity,
    /// Topic in slash form, if the finding concerns one topic.
    pub topic: Option<String>,
    /// Id of the live subscription, if the finding concerns one.
    pub id: Option<String>,
    /// Problem and remedy.
    pub message: String,
    /// Figures and names.
    pub details: Arc<Map<String, Value>>,
}

/// Severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Information only.
    Info,
    /// Should be checked at some time. Never changes an exit code.
    Warning,
    /// Needs attention: `drift` and `plan --detailed-exitcode` exit with 2.
    Attention,
}

/// Why a shop or a destination could not be read, or why a change failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShopError {
    /// Kind of the error: `token_refused`, `frozen`, `locked` and others; see docs/diagnostics.md.
    pub kind: ErrorKind,
    /// HTTP status of the answer, if there was one.
    pub http_status: Option<u16>,
    /// Problem and remedy.
    pub message: String,
    /// Whether a retry may succeed.
    pub retryable: bool,
}
