//! The plan: what would be done, why, and what needs consent. Pure, and data: the same inputs give the same plan, whatever
//! their order.
//!
//! `shop` turns the reading of one shop into its part of the plan, so that readings need not be kept; `assemble` puts the
//! parts together and judges the run as a whole. A saved plan is judged again before it is applied: `audit` compares it
//! with the manifest, `judge` with a fresh reading. The JSON of a plan is in `wire`.

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
mod settings;
mod shards;
mod shop;

pub use crate::digest::sha256;
pub use apps::{
    Connected, Expiry, REJECTION_DAY, mixed_apps, non_expiring, not_exempt, rejected_from, rejects_non_expiring,
};
pub use audit::{Unasked, contradiction, relabel, unasked};
pub use change::{BindingKey, DestinationNames, Origin, PlannedChange, UnknownWords, same_edit};
pub use consent::{Consent, ConsentError, consented, refused};
pub use destination::{Destination, Failing, Replaced, Verdict, destination_order};
pub use destination_health::DestinationHealth;
pub use digest::desired_digest;
pub use error::{ErrorKind, ShopError, Unread};
pub use finding::{Earlier, Finding, FindingKind, Severity};
pub use findings::{
    RETRIES, RETRY_HOURS as OLD_ENDPOINT_HOURS, add, double_delivery, drop_gone_endpoints, old_endpoint_of,
    order as finding_order, two_payloads, version_served,
};
pub use hazard::{Hazard, HazardKind, HazardName};
pub use hazards::{RunTotals, dismiss_known_addresses, each_once, of_plan as hazards_of, settling, together};
pub use judge::{Asked, Stale, Task, judge, within_limits};
pub use settings::{AdminApi, Sandbox, Selection, Settings};
pub use shards::{NotOneRun, Shard, lacking, one_run};
pub use shop::{Base, BaseDesired, ShopInput, shop, unresolved};

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use crate::diff::Change;
use crate::model::{Address, ShopDomain, Topic};
use crate::state::{Ownership, Safety, ShopLimits, Source};

/// What would be done, why, and what cannot be done. Holds no secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Version of the hookwright that made the plan.
    pub tool_version: String,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// Over the plan's JSON.
    pub plan_digest: String,
    /// What the command exited with.
    pub exit_code: u8,
    /// Over the meaning of the whole manifest.
    pub manifest_digest: String,
    /// Whether every selected shop was read, apart from tolerated ones, and Adobe answered what it was asked.
    pub complete: bool,
    /// What the plan was made with.
    pub settings: Settings,
    /// Which shops were selected.
    pub selection: Selection,
    /// Counts over all shops.
    pub summary: Summary,
    /// What Adobe said of destinations, sorted by name.
    pub destinations: Vec<Destination>,
    /// What needs consent: hazards of the run first, then shop by shop.
    pub hazards: Vec<Hazard>,
    /// Shops of the base manifest that are not in this one, sorted.
    pub shops_left: Vec<String>,
    /// Addresses of the base manifest whose live subscriptions are changed, sorted.
    pub former_addresses: Vec<String>,
    /// What earlier files say about the changes.
    pub since: Option<SinceCounts>,
    /// One for each selected shop, sorted by domain.
    pub shops: Vec<ShopPlan>,
}

/// A shop's part of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct ShopPlan {
    /// Its domain.
    pub shop: ShopDomain,
    /// From the manifest.
    pub labels: BTreeMap<String, String>,
    /// Over what the manifest asks of this shop.
    pub desired_digest: String,
    /// Over what the changes were computed from besides their own subscriptions; none if the shop was not read.
    pub context_digest: Option<String>,
    /// Number of live managed subscriptions.
    pub managed: usize,
    /// Number of live subscriptions outside the ownership rule.
    pub unmanaged: usize,
    /// The shop's own limits.
    pub limits: ShopLimits,
    /// Bindings that are live as wanted.
    pub bound: Vec<Bound>,
    /// Bindings that cannot be made now.
    pub blocked: Vec<Blocked>,
    /// What is to be done, in this order.
    pub changes: Vec<PlannedChange>,
    /// What the plan must say but cannot do.
    pub findings: Vec<Finding>,
    /// Why the shop was not read.
    pub unread: Option<Unread>,
}

impl Plan {
    /// Returns whether there are changes, blocked bindings or findings that need attention.
    pub fn needs_attention(&self) -> bool {
        let Summary { add, change, destroy, blocked, attention, .. } = &self.summary;
        add + change + destroy + blocked + attention > 0
    }
}

impl ShopPlan {
    /// Returns what was found of the shop.
    pub fn status(&self) -> ShopStatus {
        match &self.unread {
            Some(Unread { tolerated: true, .. }) => ShopStatus::Unavailable,
            Some(Unread { tolerated: false, .. }) => ShopStatus::Failed,
            None if self.changes.is_empty() => ShopStatus::Unchanged,
            None => ShopStatus::Changed,
        }
    }

    /// Returns why the shop was not read.
    pub fn error(&self) -> Option<&ShopError> {
        self.unread.as_ref().map(|unread| &unread.error)
    }
}

/// What was found of a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// Slash form.
    pub topic: Arc<str>,
    /// Name of the destination, else the address.
    pub destination: Arc<str>,
    /// How many.
    pub count: usize,
}

/// A binding that cannot be made now.
#[derive(Debug, Clone, PartialEq)]
pub struct Blocked {
    /// Its topic.
    pub topic: Topic,
    /// Name of the destination, else the address.
    pub destination: Arc<str>,
    /// What is in the way.
    pub obstacle: Obstacle,
    /// What is the matter and what to do.
    pub message: String,
    /// Where the binding stands.
    pub source: Option<Source>,
}

/// What is in the way of a binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// None of these scopes is granted.
    Scope(Vec<String>),
    /// Adobe would refuse or lose what is delivered to the address.
    Destination(Verdict),
    /// The wanted name is held by a subscription that may not or cannot be renamed.
    NameTaken,
    /// Something that only a later minor version of the format knows.
    Other(String),
}

/// Counts over all shops.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// Findings of severity `Attention`.
    pub attention: usize,
    /// Counts of shops.
    pub shops: ShopCounts,
}

/// Counts of shops.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

/// Changes in the light of earlier files. Each is new or known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SinceCounts {
    /// Changes that the newest earlier report of their shop did not have.
    pub new: usize,
    /// Changes that an earlier report had already.
    pub known: usize,
    /// Creates of what an earlier file shows live.
    pub removed_remotely: usize,
    /// Creates of what no earlier file shows.
    pub never_made: usize,
}

/// What holds for every shop of a run.
#[derive(Debug)]
pub struct Context<'a> {
    /// The ownership rule.
    pub ownership: &'a Ownership,
    /// The common limits.
    pub safety: &'a Safety,
    /// Every address that the manifest names, for any shop, with scheme and host in lower case.
    pub addresses: &'a HashSet<String>,
    /// What Adobe says of addresses, where it matters.
    pub inlets: &'a DestinationHealth,
}

/// A shop's part of a plan, before the parts are put together.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedShop {
    /// The part.
    pub shop: ShopPlan,
    /// What needs consent in this shop alone.
    pub hazards: Vec<Hazard>,
}

/// What the plan says besides its shops.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanHeader {
    /// What the plan is made with.
    pub settings: Settings,
    /// Which shops were selected.
    pub selection: Selection,
    /// What Adobe said of destinations.
    pub destinations: Vec<Destination>,
    /// Over the meaning of the whole manifest.
    pub manifest_digest: String,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// Shops of the base manifest that are not in this one.
    pub shops_left: Vec<String>,
    /// Addresses that only the base manifest has, with scheme and host in lower case.
    pub base_addresses: HashSet<String>,
    /// What earlier files say.
    pub since: Option<SinceCounts>,
}

/// Puts the parts together. `exit_code` says what the command exits with, and `seal` computes the digest of the plan.
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
    hazards::sort(&mut hazards);
    let summary = summarise(&shops);
    let former_addresses = former(&shops, &header.base_addresses);
    let PlanHeader {
        settings, selection, mut destinations, manifest_digest, created_at, mut shops_left, since, ..
    } = header;
    shops_left.sort();
    destinations.sort_by(destination_order);
    let mut plan = Plan {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        created_at,
        plan_digest: String::new(),
        exit_code: 0,
        manifest_digest,
        complete: is_complete(&summary, &destinations),
        settings,
        selection,
        summary,
        destinations,
        hazards,
        shops_left,
        former_addresses,
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

/// The addresses of the base manifest whose live subscriptions are changed.
fn former(shops: &[ShopPlan], base: &HashSet<String>) -> Vec<String> {
    let changes = shops.iter().flat_map(|shop| &shop.changes);
    let changed = changes.filter_map(|planned| Some(&planned.change.before()?.binding.address));
    let former: BTreeSet<&str> =
        changed.filter(|address| base.contains(&address.folded())).map(Address::as_str).collect();
    former.into_iter().map(str::to_owned).collect()
}

/// Counts over shops; also of several plans' shops together.
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
