//! The JSON format of plans, version 1, which users save and parse. A minor version adds keys and kinds; readers ignore
//! unknown keys. An unknown major version, action or status is rejected.

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
pub use encode::{SharedSubscriptions, digest};
pub use file::{PlanFileError, read};
pub use shards::{lacking, place, to_hazard, together};

/// Major and minor version of this format.
pub const FORMAT_VERSION: &str = "1.1";

/// A plan: the changes, their reasons, and what cannot be changed. Contains no secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// `1.x`.
    pub format_version: String,
    /// Version of Hookwright that wrote the plan.
    pub tool_version: String,
    /// RFC 3339, UTC. Follows `SOURCE_DATE_EPOCH`. Not covered by the digest.
    pub created_at: String,
    /// `sha256:…` over the canonical JSON of the plan without this key and `created_at`.
    pub plan_digest: String,
    /// Exit code of the command.
    pub exit_code: u8,
    /// Paths of the manifest, as given to the command. `apply` without `-f` reads relative ones under its working
    /// directory. Absent in plans of earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub manifest: Vec<String>,
    /// `sha256:…` over the content of the manifest: all shops, regardless of the selection.
    pub manifest_digest: String,
    /// Whether every selected shop was read, except for tolerated ones, and every lookup at Adobe was answered.
    pub complete: bool,
    /// Settings of the plan.
    pub settings: Settings,
    /// Selection of shops, and of their changes.
    pub selection: Selection,
    /// Counts over all shops.
    pub summary: Summary,
    /// Destinations that were looked up or checked at Adobe, sorted by name; absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<Destination>,
    /// Hazards: properties of the plan that require consent before apply.
    pub hazards: Vec<Hazard>,
    /// Consents of the manifest that were valid when the plan was made; absent if there are none. They are information:
    /// `apply` reads the consents of the manifest that it is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<PlanConsent>,
    /// Values of `--allow` with which the plan is shown. Not part of the format.
    #[serde(skip)]
    pub allowed: Vec<String>,
    /// Shops that are in the base manifest (`--base`) but not in this manifest. They are not changed.
    #[serde(default)]
    pub shops_left: Vec<String>,
    /// Number of bindings in the base manifest of each shop in `shops_left`. Their subscriptions continue to deliver.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shops_left_bindings: BTreeMap<String, usize>,
    /// Addresses that are only in the base manifest (`--base`) and whose live subscriptions the plan changes. They
    /// count as addresses of this manifest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_addresses: Vec<String>,
    /// Whether it is a drift report, which `drift` wrote; absent in a plan.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drift: bool,
    /// Commands that a drift report proposes. Not part of the format.
    #[serde(skip)]
    pub commands: Option<Commands>,
    /// Counts of `drift --since`: how the changes relate to earlier files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
    /// One element for each selected shop, sorted by domain.
    pub shops: Vec<Shop>,
}

/// Commands that continue from a drift report, with the options of its run.
#[derive(Debug, Clone, PartialEq)]
pub struct Commands {
    /// Repairs the drift.
    pub repair: String,
    /// Checks the destinations.
    pub destinations: String,
    /// Lists the windows in which bindings were not live.
    pub gaps: Option<String>,
}

/// How the changes relate to earlier files. Each change is either new or known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Since {
    /// Changes that are not in the newest earlier report of their shop.
    pub new: usize,
    /// Changes that are in an earlier report.
    pub known: usize,
    /// Creates of subscriptions that were removed outside Hookwright: an earlier file shows them live.
    pub removed_remotely: usize,
    /// Creates of subscriptions that were never created, as far as the earlier files show.
    pub never_made: usize,
}

/// Settings of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// Name of the run (`--name`); absent if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `shopify`, `sandbox`, or the URL that replaces Shopify (`HOOKWRIGHT_ADMIN_URL`).
    pub endpoint: String,
    /// The sandbox state; absent if the endpoint is not `sandbox`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<Sandbox>,
    /// The URL that replaces Adobe (`HOOKWRIGHT_ADOBE_URL`), if destinations were looked up there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adobe: Option<String>,
    /// Version and transport of the Admin API.
    pub admin_api: AdminApi,
    /// The ownership rule.
    pub ownership: Ownership,
    /// Limits of the run.
    pub safety: Safety,
}

/// A state of the sandbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sandbox {
    /// Identifier of the state. A plan for another state is rejected.
    pub id: String,
    /// Path of the state file.
    pub state: String,
}

/// The Admin API that was used.
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
    /// A live subscription is managed if one of these prefixes covers its address.
    pub address_prefixes: Vec<String>,
    /// What the plan does with unmanaged subscriptions: `report`, `ignore` or `delete`.
    pub unmanaged: Unmanaged,
}

/// Limits of the run, in whole percent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Safety {
    /// Largest share of a shop's managed subscriptions that a plan may delete, for shops with at least 5.
    pub max_delete_percent: u8,
    /// Largest share of the run's managed subscriptions that a plan may delete, for runs with at least 50.
    pub max_total_delete_percent: u8,
    /// Largest share of the run's managed subscriptions whose address a plan may change, for runs with at least 50.
    pub max_address_change_percent: u8,
    /// Largest share of the live managed subscriptions of one destination that a plan may delete or move to another
    /// address, for destinations with at least 5. Plans of earlier versions have no such limit.
    #[serde(default = "no_limit")]
    pub max_destination_loss_percent: u8,
    /// Topics for which a delete, or a change of address or filter, requires consent.
    pub protected_topics: Vec<String>,
}

fn no_limit() -> u8 {
    100
}

/// Selection of shops.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Selection {
    /// Patterns of `--shop`; those of `--exclude-shop` start with `!`.
    pub shops: Vec<String>,
    /// Patterns of `--label`: `KEY=VALUE` and `KEY!=VALUE`.
    pub labels: Vec<String>,
    /// Shard `K/N`, 1-based; null for all shops.
    pub shard: Option<String>,
    /// Origin of the changes that the plan contains (`--only`); absent for all changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Origin>,
}

/// Counts over all shops.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Number of creates.
    pub add: usize,
    /// Number of updates in place.
    pub change: usize,
    /// Number of deletes.
    pub destroy: usize,
    /// Number of bindings that are live as wanted.
    pub unchanged: usize,
    /// Number of blocked bindings.
    pub blocked: usize,
    /// Number of live subscriptions that are not managed by the manifest.
    pub unmanaged: usize,
    /// Number of findings with the severity `attention`.
    #[serde(default)]
    pub attention: usize,
    /// Number of changes that `--only` leaves out; absent if there are none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: usize,
    /// Counts of shops.
    pub shops: ShopCounts,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde requires")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// Counts of shops.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShopCounts {
    /// Number of selected shops.
    pub total: usize,
    /// Shops with changes.
    pub changed: usize,
    /// Shops without changes.
    pub unchanged: usize,
    /// Shops that could not be read.
    pub failed: usize,
    /// Shops that could not be read, for a reason that is tolerated.
    pub unavailable: usize,
}

/// A property of the plan that requires consent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hazard {
    /// `max_delete_percent`, `max_total_delete_percent`, `max_address_change_percent`, `max_destination_loss_percent`,
    /// `empty_shop`, `adoption_delete`, `delete_foreign`, `reroute_foreign`, `delete_unmanaged`, `protected_topic`,
    /// `destination_settling`, or a kind that a later minor version adds.
    pub kind: HazardKind,
    /// The shop, or null for a hazard of the run.
    pub shop: Option<String>,
    /// Description of the hazard, with figures.
    pub message: String,
    /// Value of `--allow` that gives consent.
    pub allow: String,
    /// `allow` of the consent in `consents` that covers the hazard; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
    /// Figures of the hazard.
    pub details: Map<String, Value>,
}

/// A consent of the manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanConsent {
    /// The hazards that it covers, as in the manifest: `KIND:SHOP`, where `SHOP` can be a glob, or `KIND` for a hazard of
    /// the run.
    pub allow: String,
    /// Why the hazards are intended.
    pub reason: String,
    /// The last day on which it is valid, `YYYY-MM-DD` in UTC.
    pub expires: String,
    /// Where the consent is defined.
    pub source: Source,
    /// `allow` of each hazard of the plan that it covers. Empty if the plan does not need the consent.
    pub covers: Vec<String>,
}

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
