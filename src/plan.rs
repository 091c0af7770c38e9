//! The plan: the changes, their reasons, and the hazards that require consent. A plan is data; the same inputs give the
//! same plan, regardless of their order. This module is pure. `shop` converts the reading of one shop into its part of
//! the plan, so that readings need not be kept. `assemble` combines the parts and judges the run as a whole. A saved
//! plan is judged again before it is applied: `audit` compares it with the manifest, and `judge` with a fresh reading.
//! The JSON of a plan is in `wire`.

mod apps;
mod audit;
mod change;
mod consent;
mod destination;
mod destination_health;
mod digest;
mod error;
mod finding;
mod findings;
mod hazard;
mod hazards;
mod judge;
mod losses;
mod only;
mod settings;
mod shards;
mod shared;
mod shop;

pub use crate::digest::sha256;
pub use apps::{
    Connected, Expiry, REJECTION_DAY, mixed_apps, non_expiring, not_exempt, rejected_from, rejects_non_expiring,
};
pub use audit::{Unasked, contradiction, relabel, unasked};
pub use change::{BindingKey, DestinationNames, Origin, PlannedChange, UnknownWords, same_edit};
pub use consent::{PlanConsent, consented, consents_together, covers, day, refused, valid_consents};
pub use destination::{Destination, Failing, Replaced, Verdict, destination_order};
pub use destination_health::DestinationHealth;
pub use digest::desired_digest;
pub use error::{ErrorKind, ShopError, Unread};
pub use finding::{Earlier, Finding, FindingKind, Severity};
pub use findings::{
    RETRIES, RETRY_HOURS as OLD_ENDPOINT_HOURS, add, double_delivery, drop_gone_endpoints, old_endpoint_of,
    order as finding_order, two_payloads, version_served,
};
pub use hazard::{DestinationLoss, Hazard, HazardKind, merged_message};
pub use hazards::{
    RunTotals, dismiss_known_addresses, drop_repeated, each_once, of_plan as hazards_of, settling,
    sort as sort_hazards, together,
};
pub use judge::{Asked, Stale, Task, judge, within_limits};
pub use only::LeftOut;
pub use settings::{AdminApi, Sandbox, Selection, Settings, run_name};
pub use shards::{NotOneRun, Shard, by_run, lacking, one_run};
pub use shared::{Shared, SharedParts};
pub use shop::{Base, BaseDesired, ShopInput, shop, unresolved};

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use crate::diff::Change;
use crate::model::{Address, ShopDomain, Topic};
pub use crate::state::{Consent, ConsentError, HazardName};
use crate::state::{Ownership, Safety, ShopLimits, Source};

/// The changes of a run, their reasons, and what cannot be changed. Contains no secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Version of Hookwright that made the plan.
    pub tool_version: String,
    /// Time of the plan: RFC 3339, UTC.
    pub created_at: String,
    /// Digest over the plan's JSON.
    pub plan_digest: String,
    /// Exit code of the command.
    pub exit_code: u8,
    /// Paths of the manifest, as given to the command. Empty in a plan of an earlier version.
    pub manifest: Vec<String>,
    /// Digest over the content of the whole manifest.
    pub manifest_digest: String,
    /// Whether every selected shop was read, except for tolerated ones, and every lookup at Adobe was answered.
    pub complete: bool,
    /// Settings with which the plan was made.
    pub settings: Settings,
    /// Selection of shops.
    pub selection: Selection,
    /// Counts over all shops.
    pub summary: Summary,
    /// Destinations that were looked up or checked at Adobe, sorted by name.
    pub destinations: Vec<Destination>,
    /// Hazards: those of the run first, then those of each shop.
    pub hazards: Vec<Hazard>,
    /// Consents of the manifest that were valid when the plan was made, in the order of the manifest.
    pub consents: Vec<PlanConsent>,
    /// Shops of the base manifest that are not in this one, with the number of their bindings there, if it is known.
    pub shops_left: BTreeMap<String, Option<usize>>,
    /// Addresses that only the base manifest has and whose live subscriptions are changed, sorted.
    pub former_addresses: Vec<String>,
    /// Whether `drift` made the plan.
    pub is_drift: bool,
    /// Of a drift report: the time before the first shop was read. RFC 3339, UTC.
    pub started_at: Option<String>,
    /// How the changes relate to earlier files.
    pub since: Option<SinceCounts>,
    /// The parts of the selected shops, sorted by domain.
    pub shops: Vec<ShopPlan>,
}

/// A shop's part of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct ShopPlan {
    /// Domain of the shop.
    pub shop: ShopDomain,
    /// Labels from the manifest.
    pub labels: Arc<BTreeMap<String, String>>,
    /// Digest over the wanted state of the shop in the manifest.
    pub desired_digest: Arc<str>,
    /// Digest over everything on which the changes depend, except for the subscriptions that they change; `None` if the
    /// shop was not read.
    pub context_digest: Option<Arc<str>>,
    /// Number of live managed subscriptions.
    pub managed: usize,
    /// Number of live subscriptions that are not managed by the manifest.
    pub unmanaged: usize,
    /// The shop's own limits.
    pub limits: ShopLimits,
    /// Bindings that are live as wanted.
    pub bound: Arc<[Bound]>,
    /// Bindings that cannot be created or updated now.
    pub blocked: Vec<Blocked>,
    /// Changes, in the order in which they are applied.
    pub changes: Vec<PlannedChange>,
    /// What `--only` leaves out.
    pub left_out: LeftOut,
    /// Findings that no change can resolve.
    pub findings: Vec<Finding>,
    /// Why the shop could not be read; `None` if it was read.
    pub unread: Option<Box<Unread>>,
}

impl Plan {
    /// Returns whether there are changes, blocked bindings or findings that need attention.
    pub fn needs_attention(&self) -> bool {
        let Summary { add, change, destroy, blocked, attention, .. } = &self.summary;
        add + change + destroy + blocked + attention > 0
    }
}

impl ShopPlan {
    /// Returns the status of the shop.
    pub fn status(&self) -> ShopStatus {
        match self.unread.as_deref() {
            Some(Unread { tolerated: true, .. }) => ShopStatus::Unavailable,
            Some(Unread { tolerated: false, .. }) => ShopStatus::Failed,
            None if self.changes.is_empty() => ShopStatus::Unchanged,
            None => ShopStatus::Changed,
        }
    }

    /// Returns why the shop could not be read; `None` if it was read.
    pub fn error(&self) -> Option<&ShopError> {
        self.unread.as_ref().map(|unread| &unread.error)
    }
}

/// Status of a shop in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bound {
    /// Topic in slash form.
    pub topic: Arc<str>,
    /// Name of the destination, or the address if it has no name.
    pub destination: Arc<str>,
    /// Number of bindings.
    pub count: usize,
}

/// A binding that cannot be created or updated now.
#[derive(Debug, Clone, PartialEq)]
pub struct Blocked {
    /// Topic of the binding.
    pub topic: Topic,
    /// Name of the destination, or the address if it has no name.
    pub destination: Arc<str>,
    /// Address, format and filter of the binding; `None` in a plan of an earlier version.
    pub key: Option<Box<BindingKey>>,
    /// Why the binding is blocked.
    pub obstacle: Obstacle,
    /// Problem and remedy.
    pub message: String,
    /// Where the binding is defined.
    pub source: Option<Source>,
}

/// Why a binding is blocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// None of these scopes is granted.
    Scope(Vec<String>),
    /// Adobe would reject or lose events that are delivered to the address.
    Destination(Verdict),
    /// Another subscription uses the wanted name and must not or cannot be renamed.
    NameTaken,
    /// A reason from a later minor version of the format.
    Other(String),
}

/// Counts over all shops.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// Number of findings with the severity `Attention`.
    pub attention: usize,
    /// Number of changes that `--only` leaves out.
    pub left_out: usize,
    /// Counts of shops.
    pub shops: ShopCounts,
}

/// Counts of shops.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

/// How the changes relate to earlier files. Each change is either new or known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SinceCounts {
    /// Changes that are not in the newest earlier report of their shop.
    pub new: usize,
    /// Changes that are in an earlier report.
    pub known: usize,
    /// Creates of subscriptions that were removed outside Hookwright: an earlier file shows them live.
    pub removed_remotely: usize,
    /// Creates of subscriptions that were never created, as far as the earlier files show.
    pub never_made: usize,
}

/// Inputs that are common to all shops of a run.
#[derive(Debug)]
pub struct Context<'a> {
    /// The ownership rule.
    pub ownership: &'a Ownership,
    /// The common limits.
    pub safety: &'a Safety,
    /// All addresses in the manifest, with scheme and host in lower case.
    pub addresses: &'a HashSet<String>,
    /// Verdicts about addresses that are not `Ok` or `Unknown`.
    pub inlets: &'a DestinationHealth,
}

/// A shop's part of a plan, before the parts are assembled.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedShop {
    /// The shop's part of the plan.
    pub shop: ShopPlan,
    /// Hazards of this shop.
    pub hazards: Vec<Hazard>,
}

/// The parts of a plan that do not depend on the shops.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanHeader {
    /// Settings with which the plan is made.
    pub settings: Settings,
    /// Selection of shops.
    pub selection: Selection,
    /// Destinations that were looked up or checked at Adobe.
    pub destinations: Vec<Destination>,
    /// Paths of the manifest, as given to the command.
    pub manifest: Vec<String>,
    /// Digest over the content of the whole manifest.
    pub manifest_digest: String,
    /// Consents of the manifest that are valid.
    pub consents: Vec<PlanConsent>,
    /// Time of the plan: RFC 3339, UTC.
    pub created_at: String,
    /// Shops of the base manifest that are not in this one, with the number of their bindings there.
    pub shops_left: BTreeMap<String, Option<usize>>,
    /// Addresses that only the base manifest has, with scheme and host in lower case.
    pub base_addresses: HashSet<String>,
    /// Whether `drift` makes the plan.
    pub is_drift: bool,
    /// Of a drift report: the time before the first shop is read. RFC 3339, UTC.
    pub started_at: Option<String>,
    /// How the changes relate to earlier files.
    pub since: Option<SinceCounts>,
}

/// Assembles a plan from the parts of its shops. `exit_code` computes the exit code of the command, and `seal` the
/// digest of the plan.
pub fn assemble(
    header: PlanHeader,
    parts: Vec<PlannedShop>,
    exit_code: impl FnOnce(&Plan) -> u8,
    seal: impl FnOnce(&Plan) -> String,
) -> Plan {
    let mut hazards = Vec::new();
    let mut shops: Vec<ShopPlan> = Vec::with_capacity(parts.len());
    for part in parts {
        hazards.extend(part.hazards);
        shops.push(part.shop);
    }
    shops.sort_by(|a, b| a.shop.cmp(&b.shop));
    let whole_run = header.selection.shard.is_none();
    if whole_run {
        hazards.extend(hazards::of_run(&header.settings, &header.destinations, &shops));
    }
    hazards::drop_repeated(&mut hazards);
    hazards::sort(&mut hazards);
    let summary = summarise(&shops);
    let former_addresses = former(&shops, &header.base_addresses);
    let PlanHeader {
        settings,
        selection,
        mut destinations,
        manifest,
        manifest_digest,
        mut consents,
        created_at,
        shops_left,
        is_drift,
        started_at,
        since,
        ..
    } = header;
    for consent in &mut consents {
        consent.cover(&hazards);
    }
    destinations.sort_by(destination_order);
    let mut plan = Plan {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        created_at,
        plan_digest: String::new(),
        exit_code: 0,
        manifest,
        manifest_digest,
        complete: is_complete(&summary, &destinations),
        settings,
        selection,
        summary,
        destinations,
        hazards,
        consents,
        shops_left,
        former_addresses,
        is_drift,
        started_at,
        since,
        shops,
    };
    plan.exit_code = exit_code(&plan);
    plan.plan_digest = seal(&plan);
    plan
}

fn is_complete(summary: &Summary, destinations: &[Destination]) -> bool {
    summary.shops.failed == 0 && destinations.iter().all(|d| d.error.is_none())
}

/// Returns the addresses that only the base manifest has and whose live subscriptions are changed.
fn former(shops: &[ShopPlan], base: &HashSet<String>) -> Vec<String> {
    let changes = shops.iter().flat_map(|shop| &shop.changes);
    let changed = changes.filter_map(|planned| Some(&planned.change.before()?.binding.address));
    let former: BTreeSet<&str> =
        changed.filter(|address| base.contains(&address.folded())).map(Address::as_str).collect();
    former.into_iter().map(str::to_owned).collect()
}

/// Returns the counts over shops, which can belong to several plans.
pub fn summarise<'a>(shops: impl IntoIterator<Item = &'a ShopPlan>) -> Summary {
    let mut sum = Summary::default();
    for shop in shops {
        for planned in &shop.changes {
            match planned.change {
                Change::Create { .. } => sum.add += 1,
                Change::Update { .. } => sum.change += 1,
                Change::Delete { .. } => sum.destroy += 1,
            }
        }
        sum.unchanged += shop.bound.iter().map(|b| b.count).sum::<usize>();
        sum.blocked += shop.blocked.len();
        sum.unmanaged += shop.unmanaged;
        sum.left_out += shop.left_out.changes.len();
        sum.attention += shop.findings.iter().filter(|f| f.severity == Severity::Attention).count();
        sum.shops.total += 1;
        match shop.status() {
            ShopStatus::Changed => sum.shops.changed += 1,
            ShopStatus::Unchanged => sum.shops.unchanged += 1,
            ShopStatus::Failed => sum.shops.failed += 1,
            ShopStatus::Unavailable => sum.shops.unavailable += 1,
        }
    }
    sum
}

#[cfg(test)]
mod tests;
