//! Several plans, or several reports, as one. A single one is the merge of itself.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::wire;
use crate::wire::plan::{Destination, Hazard, Plan, Selection, Settings, Shop, ShopCounts, Since, Summary};
use crate::wire::report::{Report, ReportShop, ReportSummary};

/// What the shards of one plan say together.
pub(super) struct Plans<'a> {
    /// The different settings; one, unless the files do not belong together.
    pub(super) settings: Vec<&'a Settings>,
    pub(super) selections: Vec<&'a Selection>,
    /// Why several plans are not a whole run.
    pub(super) lacking: Option<String>,
    pub(super) summary: Summary,
    pub(super) complete: bool,
    /// Each once.
    pub(super) destinations: Vec<&'a Destination>,
    /// Those of the run are judged over all of it.
    pub(super) hazards: Cow<'a, [Hazard]>,
    pub(super) shops_left: BTreeSet<&'a str>,
    pub(super) former_addresses: BTreeSet<&'a str>,
    pub(super) since: Option<Since>,
    pub(super) digests: BTreeSet<&'a str>,
    /// Sorted by domain.
    pub(super) shops: Vec<&'a Shop>,
}

/// What the reports of one apply say together.
pub(super) struct Reports<'a> {
    pub(super) settings: Vec<&'a Settings>,
    /// Of the plans that were carried out.
    pub(super) digests: BTreeSet<&'a str>,
    pub(super) summary: ReportSummary,
    pub(super) complete: bool,
    /// Sorted by domain.
    pub(super) shops: Vec<&'a ReportShop>,
}

/// Merges plans. None at all is not complete: nothing was looked at.
pub(super) fn plans(plans: &[Plan]) -> Plans<'_> {
    let (hazards, lacking) = match plans {
        // What a single one is a part of, its selection says.
        [one] => (Cow::Borrowed(one.hazards.as_slice()), None),
        many => (Cow::Owned(wire::plan::together(many)), wire::plan::lacking(many.iter().map(|p| &p.selection))),
    };
    // The order of the files means nothing.
    let mut sorted: Vec<&Plan> = plans.iter().collect();
    sorted.sort_by(|a, b| (&a.plan_digest, &a.created_at).cmp(&(&b.plan_digest, &b.created_at)));
    let plans = sorted.as_slice();
    let mut shops: Vec<&Shop> = plans.iter().flat_map(|p| &p.shops).collect();
    shops.sort_by(|a, b| a.shop.cmp(&b.shop));
    Plans {
        settings: distinct(plans.iter().map(|p| &p.settings)),
        selections: distinct(plans.iter().map(|p| &p.selection)),
        summary: plans.iter().fold(Summary::default(), |sum, p| add(&sum, &p.summary)),
        complete: !plans.is_empty() && plans.iter().all(|p| p.complete),
        destinations: destinations(plans),
        lacking,
        hazards,
        former_addresses: plans.iter().flat_map(|p| &p.former_addresses).map(String::as_str).collect(),
        shops_left: plans.iter().flat_map(|p| &p.shops_left).map(String::as_str).collect(),
        since: plans.iter().filter_map(|p| p.since).reduce(add_since),
        digests: plans.iter().map(|p| p.plan_digest.as_str()).collect(),
        shops,
    }
}

/// What shards say of one destination stands once, but for what gives way to it: that is each shard's own.
fn destinations<'a>(plans: &[&'a Plan]) -> Vec<&'a Destination> {
    let mut all = distinct(plans.iter().flat_map(|p| &p.destinations));
    all.sort_by(|a, b| wire::plan::destination_order(a, b));
    all
}

/// Merges reports. None at all is not complete.
pub(super) fn reports(reports: &[Report]) -> Reports<'_> {
    let mut sorted: Vec<&Report> = reports.iter().collect();
    let key = |r: &Report| (r.plan_digest.clone(), r.started_at.clone(), r.finished_at.clone());
    sorted.sort_by_cached_key(|r| key(r));
    let reports = sorted.as_slice();
    let mut shops: Vec<&ReportShop> = reports.iter().flat_map(|r| &r.shops).collect();
    shops.sort_by(|a, b| a.shop.cmp(&b.shop));
    Reports {
        settings: distinct(reports.iter().map(|r| &r.settings)),
        digests: reports.iter().map(|r| r.plan_digest.as_str()).collect(),
        summary: reports.iter().fold(ReportSummary::default(), |sum, r| add_reports(&sum, &r.summary)),
        complete: !reports.is_empty() && reports.iter().all(|r| r.complete),
        shops,
    }
}

fn distinct<'a, T: PartialEq>(all: impl Iterator<Item = &'a T>) -> Vec<&'a T> {
    let mut out: Vec<&T> = Vec::new();
    for one in all {
        if !out.contains(&one) {
            out.push(one);
        }
    }
    out
}

/// Every field is named, so that a new one does not compile until somebody adds it up. Sums saturate: a file may say
/// anything, and rendering it must not fail.
fn add(a: &Summary, b: &Summary) -> Summary {
    let plus = usize::saturating_add;
    Summary {
        add: plus(a.add, b.add),
        change: plus(a.change, b.change),
        destroy: plus(a.destroy, b.destroy),
        unchanged: plus(a.unchanged, b.unchanged),
        blocked: plus(a.blocked, b.blocked),
        unmanaged: plus(a.unmanaged, b.unmanaged),
        attention: plus(a.attention, b.attention),
        shops: ShopCounts {
            total: plus(a.shops.total, b.shops.total),
            changed: plus(a.shops.changed, b.shops.changed),
            unchanged: plus(a.shops.unchanged, b.shops.unchanged),
            failed: plus(a.shops.failed, b.shops.failed),
            unavailable: plus(a.shops.unavailable, b.shops.unavailable),
        },
    }
}

fn add_since(a: Since, b: Since) -> Since {
    let plus = usize::saturating_add;
    Since {
        new: plus(a.new, b.new),
        known: plus(a.known, b.known),
        removed_remotely: plus(a.removed_remotely, b.removed_remotely),
        never_made: plus(a.never_made, b.never_made),
    }
}

fn add_reports(a: &ReportSummary, b: &ReportSummary) -> ReportSummary {
    let plus = usize::saturating_add;
    ReportSummary {
        added: plus(a.added, b.added),
        changed: plus(a.changed, b.changed),
        destroyed: plus(a.destroyed, b.destroyed),
        already_so: plus(a.already_so, b.already_so),
        failed: plus(a.failed, b.failed),
        skipped: plus(a.skipped, b.skipped),
        blocked: plus(a.blocked, b.blocked),
        shops_not_read: plus(a.shops_not_read, b.shops_not_read),
        shops_stale: plus(a.shops_stale, b.shops_stale),
    }
}
