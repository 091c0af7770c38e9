//! The JSON format of plans, version 1, which users save and parse. A minor version adds keys and kinds; readers ignore
//! unknown keys. An unknown major version, action or status is rejected.

mod decode;
mod destination;
mod encode;
mod file;
mod shards;
mod shop;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use super::kinds::{BlockedReason, ErrorKind, Field, FindingKind, HazardKind, Reason, Unmanaged};
pub(in crate::wire) use decode::topic;
pub use destination::{Destination, Failing, Replaced, destination_order};
pub use encode::{SharedSubscriptions, digest};
pub use file::{PlanFileError, read};
pub use shards::{lacking, place, to_hazard, together};
pub use shop::{
    Action, Blocked, Bound, Change, Destinations, Finding, LeftOut, Origin, Severity, Shop, ShopError, ShopSafety,
    ShopStatus, Source, Subscription,
};

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
    /// `sha256:…` over the canonical JSON of the plan without this key, `created_at` and `started_at`.
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
    /// Of a drift report: the time before the first shop was read; `created_at` is the time after the last one. RFC 3339,
    /// UTC. Not covered by the digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
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
    /// Repairs the drift. For a shard: judges the reports of all shards, because only then each of them can be applied.
    pub repair: String,
    /// Whether `repair` only judges the report of a shard.
    pub judges: bool,
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
