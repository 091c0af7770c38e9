//! The plan's wire format, version 1: what users save, parse and commit to. A minor version adds keys and kinds;
//! readers ignore keys that they do not know. An unknown major version, action or status is refused.

mod decode;
mod destination;
mod encode;
mod file;
mod shards;

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use super::kinds::{BlockedReason, ErrorKind, Field, FindingKind, HazardKind, Reason, Unmanaged};
pub(in crate::wire) use decode::topic;
pub use destination::{Destination, Failing, Replaced, destination_order};
pub use encode::digest;
pub use file::{PlanFileError, read};
pub use shards::{lacking, place, together};

/// Major and minor version of this format.
pub const FORMAT_VERSION: &str = "1.0";

/// A plan: what would be done, why, and what cannot be done. Holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// `1.x`.
    pub format_version: String,
    /// Version of the hookwright that wrote the plan.
    pub tool_version: String,
    /// RFC 3339, UTC. Follows SOURCE_DATE_EPOCH. Not covered by the digest.
    pub created_at: String,
    /// `sha256:…` over the canonical JSON of the plan without this key and `created_at`.
    pub plan_digest: String,
    /// What the command exited with.
    pub exit_code: u8,
    /// `sha256:…` over the meaning of the manifest: all of its shops, whatever the selection.
    pub manifest_digest: String,
    /// Whether every selected shop was read, apart from tolerated ones, and Adobe said what it was asked.
    pub complete: bool,
    /// What the plan was made with.
    pub settings: Settings,
    /// Which shops were looked at.
    pub selection: Selection,
    /// Counts over all shops.
    pub summary: Summary,
    /// Destinations that were looked up or checked at Adobe, sorted by name; absent if none was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<Destination>,
    /// Properties that need consent before apply.
    pub hazards: Vec<Hazard>,
    /// Shops of the base manifest (`--base`) that are not in this one any more; they are not touched.
    #[serde(default)]
    pub shops_left: Vec<String>,
    /// Addresses that the base manifest (`--base`) has and this one does not, if the plan changes live subscriptions there.
    /// They count as this manifest's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_addresses: Vec<String>,
    /// Counts of `drift --since`: what the earlier files say about the changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
    /// One element for each selected shop, sorted by domain.
    pub shops: Vec<Shop>,
}

/// Changes in the light of earlier files. Each is new or known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Since {
    /// Changes that the newest earlier report of their shop did not have.
    pub new: usize,
    /// Changes that an earlier report had already.
    pub known: usize,
    /// Creates of what an earlier file shows live.
    pub removed_remotely: usize,
    /// Creates of what no earlier file shows.
    pub never_made: usize,
}

/// What a plan was made with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// `shopify`, `sandbox`, or the URL that stands in for Shopify.
    pub endpoint: String,
    /// Which sandbox state, where the endpoint is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<Sandbox>,
    /// The URL that stands in for Adobe (HOOKWRIGHT_ADOBE_URL), where something was looked up there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adobe: Option<String>,
    /// Version and transport.
    pub admin_api: AdminApi,
    /// The ownership rule.
    pub ownership: Ownership,
    /// The limits.
    pub safety: Safety,
}

/// A sandbox state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sandbox {
    /// Identity of the state; a plan for another one is refused.
    pub id: String,
    /// Its file.
    pub state: String,
}

/// The Admin API that was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AdminApi {
    /// `2026-10`, or `unstable`.
    pub version: String,
    /// `graphql` or `rest`.
    pub transport: String,
}

/// The ownership rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ownership {
    /// A live subscription is managed if one of these covers its address.
    pub address_prefixes: Vec<String>,
    /// `report`, `ignore` or `delete`.
    pub unmanaged: Unmanaged,
}

/// The limits, in whole percent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Safety {
    /// Of a shop's managed subscriptions, when it has at least 5.
    pub max_delete_percent: u8,
    /// Of the run's, when there are at least 50.
    pub max_total_delete_percent: u8,
    /// Of the run's, when there are at least 50.
    pub max_address_change_percent: u8,
    /// Topics whose delete or change of address or filter needs consent.
    pub protected_topics: Vec<String>,
}

/// Which shops were looked at.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Selection {
    /// Patterns of `--shop`; those of `--exclude-shop` start with `!`.
    pub shops: Vec<String>,
    /// `KEY=VALUE` and `KEY!=VALUE`.
    pub labels: Vec<String>,
    /// `K/N`, 1-based.
    pub shard: Option<String>,
}

/// Counts over all shops.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Creates.
    pub add: usize,
    /// Updates in place.
    pub change: usize,
    /// Deletes.
    pub destroy: usize,
    /// Bindings that are live as wanted.
    pub unchanged: usize,
    /// Bindings that cannot be made.
    pub blocked: usize,
    /// Live subscriptions outside the ownership rule.
    pub unmanaged: usize,
    /// Findings of severity `attention`.
    #[serde(default)]
    pub attention: usize,
    /// Counts of shops.
    pub shops: ShopCounts,
}

/// Counts of shops.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShopCounts {
    /// All that were selected.
    pub total: usize,
    /// With changes.
    pub changed: usize,
    /// Without changes.
    pub unchanged: usize,
    /// Not read.
    pub failed: usize,
    /// Not read, and tolerated.
    pub unavailable: usize,
}

/// A property of the plan that needs consent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hazard {
    /// `max_delete_percent`, `max_total_delete_percent`, `max_address_change_percent`, `empty_shop`, `delete_foreign`,
    /// `reroute_foreign`, `delete_unmanaged`, `protected_topic`, `destination_settling`, or a kind that a later minor version adds.
    pub kind: HazardKind,
    /// The shop, or null for a hazard of the run.
    pub shop: Option<String>,
    /// What is the matter, with figures.
    pub message: String,
    /// What to pass to `--allow`.
    pub allow: String,
    /// The figures.
    pub details: Map<String, Value>,
}

/// One shop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Shop {
    /// The full domain.
    pub shop: String,
    /// From the manifest.
    pub labels: BTreeMap<String, String>,
    /// What was found.
    pub status: ShopStatus,
    /// `sha256:…` over what the changes were computed from besides their own subscriptions; null if not read.
    pub observed_digest: Option<String>,
    /// `sha256:…` over what the manifest asks of this shop.
    pub desired_digest: String,
    /// Number of live managed subscriptions.
    pub managed: usize,
    /// Number of live subscriptions outside the ownership rule.
    #[serde(default)]
    pub unmanaged: usize,
    /// The shop's own limits, where it has some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safety: Option<ShopSafety>,
    /// Bindings that are live as wanted.
    pub bound: Vec<Bound>,
    /// Bindings that cannot be made now.
    pub blocked: Vec<Blocked>,
    /// What is to be done, in this order.
    pub changes: Vec<Change>,
    /// What the plan must say but cannot do.
    pub findings: Vec<Finding>,
    /// Why the shop was not read.
    pub error: Option<ShopError>,
}

/// A shop's own limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShopSafety {
    /// Instead of the common one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_delete_percent: Option<u8>,
    /// Instead of the common ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected_topics: Option<Vec<String>>,
}

/// What was found of a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShopStatus {
    /// It has changes.
    Changed,
    /// It has none.
    Unchanged,
    /// It could not be read.
    Failed,
    /// It could not be read, for a reason that is tolerated.
    Unavailable,
}

/// Bindings of one topic and destination that are live as wanted.
// A fleet has a great many of these and few different texts in them, so the texts are shared with the manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bound {
    /// Slash form.
    pub topic: Arc<str>,
    /// Name of the destination, else the address.
    pub destination: Arc<str>,
    /// How many.
    pub count: usize,
}

/// A binding that cannot be made now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Blocked {
    /// Slash form.
    pub topic: String,
    /// Name of the destination, else the address.
    pub destination: String,
    /// `scope`, `name_taken`, or `destination_…` with a verdict of Adobe's: what is delivered there would be lost.
    pub reason: BlockedReason,
    /// The scopes of which one is needed.
    pub any_of: Vec<String>,
    /// What is the matter and what to do.
    pub message: String,
    /// Where the binding stands.
    pub source: Option<Source>,
}

/// What is done to one subscription.
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
    /// The word in the plan.
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
    /// What is done.
    pub action: Action,
    /// Slash form; the GraphQL name if the catalogue does not know it.
    pub topic: String,
    /// Why: `missing` (create), `differs`, `repurposed`, `name_step` (update), `not_in_manifest`, `duplicate`,
    /// `replaced`, `unmanaged` (delete), or a reason that a later minor version adds.
    pub reason: Reason,
    /// With `--base`: `drift` if the base would plan it too, else `manifest`.
    pub origin: Option<Origin>,
    /// The fields that an update changes.
    pub fields: Vec<Field>,
    /// Names of the destinations, where the addresses have one.
    pub destination: Destinations,
    /// Where the binding stands; null for deletes.
    pub source: Option<Source>,
    // Boxed: most changes have one of the two, and a plan of a fleet holds a great many.
    /// The subscription as it is; null for creates.
    pub before: Option<Box<Subscription>>,
    /// The subscription as it will be; null for deletes.
    pub after: Option<Box<Subscription>>,
}

/// What a change comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The base manifest would plan it too.
    Drift,
    /// This manifest brings it.
    Manifest,
}

/// Names of destinations.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Destinations {
    /// Of the address before.
    pub before: Option<String>,
    /// Of the address after.
    pub after: Option<String>,
}

/// A place in the manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// The path as the user gave it.
    pub file: String,
    /// 1-based.
    pub line: u32,
}

/// A subscription as it is or will be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Subscription {
    /// `gid://shopify/WebhookSubscription/…`; absent where it does not exist yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Delivery address.
    pub address: String,
    /// `json` or `xml`.
    pub format: String,
    /// As written.
    pub include_fields: Vec<String>,
    /// As written.
    pub metafield_namespaces: Vec<String>,
    /// Shopify search syntax; null for none. Null, too, where the transport (REST) cannot say.
    pub filter: Option<String>,
    /// Unique per shop, ignoring case. Null, too, where the transport (REST) cannot say.
    pub name: Option<String>,
    /// `namespace.key`; absent where the transport cannot say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metafields: Option<Vec<String>>,
    /// RFC 3339. Not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// RFC 3339. Not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// Version of the payloads. Not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
}

/// Something the plan must say but cannot do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Take an unknown kind by its severity.
    pub kind: FindingKind,
    /// How much it matters.
    pub severity: Severity,
    /// Slash form, where it concerns one topic.
    pub topic: Option<String>,
    /// The live subscription, where it concerns one.
    pub id: Option<String>,
    /// What is the matter and what to do.
    pub message: String,
    /// Figures and names.
    pub details: Map<String, Value>,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look at it some day. Never changes an exit code.
    Warning,
    /// Needs somebody: exit 2 of `drift` and of `plan --detailed-exitcode`.
    Attention,
}

/// Why a shop was not read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShopError {
    /// `token_refused`, `frozen`, `locked`, … ; see the README.
    pub kind: ErrorKind,
    /// Status of the answer, if there was one.
    pub http_status: Option<u16>,
    /// What is the matter and what to do.
    pub message: String,
    /// Whether trying again may help.
    pub retryable: bool,
}
