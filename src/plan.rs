//! The plan: what would be done, why, and what it needs consent for. Pure, and data: deterministic bytes for the same
//! inputs, whatever their order.
//!
//! `shop` turns one shop's reading into its part of the plan as soon as it is there, so that readings need not be kept;
//! `assemble` puts the parts together, judges the run as a whole and seals the plan with its digest.

mod apps;
mod audit;
mod consent;
mod destination_health;
mod digest;
mod file;
mod findings;
mod hazards;
mod judge;
mod shards;
mod shop;
mod subscription;

pub use crate::digest::sha256;
pub use apps::{
    Connected, Expiry, NON_EXPIRING, REJECTION_DAY, mixed_apps, non_expiring, not_exempt, rejected_from,
    rejects_non_expiring,
};
pub use audit::{Unasked, relabel, unasked};
pub use consent::{Consent, ConsentError, consented, refused};
pub use destination_health::{DestinationHealth, destination_order, is_closed};
pub use digest::desired_digest;
pub use file::{PlanFileError, read};
pub use findings::{
    RETRIES, RETRY_HOURS as OLD_ENDPOINT_HOURS, add, double_delivery, drop_gone_endpoints, old_endpoint_of,
    order as finding_order, two_payloads,
};
pub use hazards::{dismiss_own, is_foreign, of_plan as hazards_of, settling, together};
pub use judge::{Asked, Stale, Task, judge, within_limits};
pub use shards::{lacking, place};
pub use shop::{Base, BaseDesired, Context, Failure, ShopInput, shop, unresolved};
pub use subscription::{ParsedChange, parse_change};

use std::collections::{BTreeSet, HashSet};

use crate::model::Address;
use crate::wire;
use crate::wire::plan::{Plan, Selection, Settings, Severity, Shop, ShopCounts, ShopStatus, Summary};

/// A shop's part of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct ShopPlan {
    /// What is written.
    pub shop: Shop,
    /// What needs consent in this shop alone.
    pub hazards: Vec<wire::plan::Hazard>,
}

/// What the plan says besides its shops.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanHeader {
    /// What the plan is made with.
    pub settings: Settings,
    /// Which shops were looked at.
    pub selection: Selection,
    /// What Adobe said of destinations.
    pub destinations: Vec<wire::plan::Destination>,
    /// Of the whole manifest.
    pub manifest_digest: String,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// Shops of the base manifest that are not in this one.
    pub shops_left: Vec<String>,
    /// Addresses that only the base manifest has, with scheme and host in lower case.
    pub base_addresses: HashSet<String>,
    /// What earlier files say.
    pub since: Option<wire::plan::Since>,
}

/// Puts the parts together. `exit_code` says what the command exits with, given the summary.
pub fn assemble(frame: PlanHeader, parts: Vec<ShopPlan>, exit_code: impl FnOnce(&Plan) -> u8) -> Plan {
    let mut hazards = Vec::new();
    let mut shops: Vec<Shop> = Vec::with_capacity(parts.len());
    for part in parts {
        hazards.extend(part.hazards);
        shops.push(part.shop);
    }
    shops.sort_by(|a, b| a.shop.cmp(&b.shop));
    let whole_run = frame.selection.shard.is_none();
    if whole_run {
        hazards.extend(hazards::of_run(&frame.settings, &frame.destinations, &shops.iter()));
    }
    hazards::sort(&mut hazards);
    let summary = summarise(&shops);
    let former_addresses = former(&shops, &frame.base_addresses);
    let PlanHeader {
        settings, selection, mut destinations, manifest_digest, created_at, mut shops_left, since, ..
    } = frame;
    shops_left.sort();
    destinations.sort_by(destination_order);
    let mut plan = Plan {
        format_version: wire::plan::FORMAT_VERSION.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        created_at,
        plan_digest: String::new(),
        exit_code: 0,
        manifest_digest,
        complete: summary.shops.failed == 0 && destinations.iter().all(|d| d.error.is_none()),
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
    seal(&mut plan);
    plan
}

/// The addresses of the base manifest whose live subscriptions are changed.
fn former(shops: &[Shop], base: &HashSet<String>) -> Vec<String> {
    let changed =
        shops.iter().flat_map(|shop| &shop.changes).filter_map(|change| Some(&change.before.as_ref()?.address));
    let former: BTreeSet<&String> = changed.filter(|address| base.contains(&Address::new(address).folded())).collect();
    former.into_iter().cloned().collect()
}

/// Writes the digest. Shop by shop: the JSON of a fleet's plan is many times the plan.
fn seal(plan: &mut Plan) {
    let shops = std::mem::take(&mut plan.shops);
    let frame = json::<Plan>(plan).as_object_mut().map(std::mem::take).unwrap_or_default();
    plan.plan_digest = digest::of_plan(frame, shops.iter().map(json::<Shop>));
    plan.shops = shops;
}

/// Of a wire struct, which nothing in it can refuse.
fn json<T: serde::Serialize>(wire: &T) -> serde_json::Value {
    serde_json::to_value(wire).unwrap_or_default()
}

/// Counts over shops; also of several plans' shops together.
pub fn summarise<'a>(shops: impl IntoIterator<Item = &'a Shop>) -> Summary {
    let mut sum = Summary { shops: ShopCounts::default(), ..Summary::default() };
    for shop in shops {
        for change in &shop.changes {
            match change.action {
                wire::plan::Action::Create => sum.add += 1,
                wire::plan::Action::Update => sum.change += 1,
                wire::plan::Action::Delete => sum.destroy += 1,
            }
        }
        sum.unchanged += shop.bound.iter().map(|b| b.count).sum::<usize>();
        sum.blocked += shop.blocked.len();
        sum.unmanaged += shop.unmanaged;
        sum.attention += shop.findings.iter().filter(|f| f.severity == Severity::Attention).count();
        sum.shops.total += 1;
        match shop.status {
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
