//! Merges several plans, or several reports, into one.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::wire;
use crate::wire::plan::{
    Commands, Destination, Hazard, Plan, PlanConsent, Selection, Settings, Shop, ShopCounts, Since, Summary,
};
use crate::wire::report::{Report, ReportShop, ReportSummary};

/// The shards of one plan.
pub(super) struct Plans<'a> {
    /// The distinct settings: one, unless the files belong to different runs.
    pub(super) settings: Vec<&'a Settings>,
    pub(super) selections: Vec<&'a Selection>,
    /// Why several plans do not form a whole run.
    pub(super) lacking: Option<String>,
    pub(super) summary: Summary,
    pub(super) complete: bool,
    /// The distinct destinations.
    pub(super) destinations: Vec<&'a Destination>,
    /// The hazards of the shops, and those of the run, which are judged over all shards.
    pub(super) hazards: Cow<'a, [Hazard]>,
    /// The distinct consents of the manifest, with the hazards that they cover.
    pub(super) consents: Cow<'a, [PlanConsent]>,
    /// Values of `--allow`.
    pub(super) allowed: &'a [String],
    /// The domains of the shops, sorted.
    pub(super) domains: Vec<&'a str>,
    /// The time of the plans.
    pub(super) created_at: &'a str,
    /// Shops that left the manifest, with the number of their bindings, if it is known.
    pub(super) shops_left: BTreeMap<&'a str, Option<usize>>,
    pub(super) former_addresses: BTreeSet<&'a str>,
    /// Whether the files are drift reports.
    pub(super) is_drift: bool,
    pub(super) since: Option<Since>,
    /// Commands that continue from each drift report.
    pub(super) commands: Vec<&'a Commands>,
    pub(super) digests: BTreeSet<&'a str>,
    /// The shops, sorted by domain.
    pub(super) shops: Vec<&'a Shop>,
}

/// The reports of one apply.
pub(super) struct Reports<'a> {
    pub(super) settings: Vec<&'a Settings>,
    /// The digests of the applied plans.
    pub(super) digests: BTreeSet<&'a str>,
    pub(super) summary: ReportSummary,
    pub(super) complete: bool,
    /// The shops, sorted by domain.
    pub(super) shops: Vec<&'a ReportShop>,
}

/// Merges plans. The merge of no plans is incomplete.
pub(super) fn plans(plans: &[Plan]) -> Plans<'_> {
    let (hazards, consents, lacking) = match plans {
        // The selection of a single plan names its shard.
        [one] => (Cow::Borrowed(one.hazards.as_slice()), Cow::Borrowed(one.consents.as_slice()), None),
        many => {
            let (hazards, consents) = wire::plan::together(many);
            (Cow::Owned(hazards), Cow::Owned(consents), wire::plan::lacking(many.iter().map(|p| &p.selection)))
        }
    };
    // The order of the files has no meaning.
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
        consents,
        allowed: plans.first().map_or(&[], |plan| &plan.allowed),
        domains: shops.iter().map(|shop| shop.shop.as_str()).collect(),
        created_at: plans.iter().map(|plan| plan.created_at.as_str()).max().unwrap_or_default(),
        former_addresses: plans.iter().flat_map(|p| &p.former_addresses).map(String::as_str).collect(),
        shops_left: plans
            .iter()
            .flat_map(|p| p.shops_left.iter().map(|shop| (shop.as_str(), p.shops_left_bindings.get(shop).copied())))
            .collect(),
        is_drift: !plans.is_empty() && plans.iter().all(|p| p.drift),
        commands: plans.iter().filter_map(|p| p.commands.as_ref()).collect(),
        since: plans.iter().filter_map(|p| p.since).reduce(add_since),
        digests: plans.iter().map(|p| p.plan_digest.as_str()).collect(),
        shops,
    }
}

/// Puts the plans of several runs beside each other. Their hazards are judged for each run on its own.
pub(super) fn side_by_side<'a>(runs: impl Iterator<Item = Plans<'a>>) -> Plans<'a> {
    let mut out = plans(&[]);
    out.complete = true;
    let (mut hazards, mut consents) = (Vec::new(), Vec::new());
    for run in runs {
        out.settings.extend(run.settings);
        out.selections.extend(run.selections);
        out.lacking = out.lacking.or(run.lacking);
        out.summary = add(&out.summary, &run.summary);
        out.complete &= run.complete;
        out.destinations.extend(run.destinations);
        hazards.extend(run.hazards.into_owned());
        consents.extend(run.consents.into_owned());
        out.allowed = run.allowed;
        out.domains.extend(run.domains);
        out.created_at = out.created_at.max(run.created_at);
        out.shops_left.extend(run.shops_left);
        out.former_addresses.extend(run.former_addresses);
        out.since = [out.since, run.since].into_iter().flatten().reduce(add_since);
        out.digests.extend(run.digests);
        out.shops.extend(run.shops);
    }
    out.domains.sort_unstable();
    out.shops.sort_by(|a, b| a.shop.cmp(&b.shop));
    Plans { hazards: Cow::Owned(hazards), consents: Cow::Owned(consents), ..out }
}

/// Returns the distinct destinations. Those of several shards can differ in the addresses that they replace.
fn destinations<'a>(plans: &[&'a Plan]) -> Vec<&'a Destination> {
    let mut all = distinct(plans.iter().flat_map(|p| &p.destinations));
    all.sort_by(|a, b| wire::plan::destination_order(a, b));
    all
}

/// Merges reports. The merge of no reports is incomplete.
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

/// Adds two structs field by field. Names every field, so that a new one does not compile without a decision. Sums saturate,
/// because a file can contain any number and rendering must not fail.
macro_rules! sum {
    ($a:expr, $b:expr, $of:ident { $($field:ident),* } $($rest:tt)*) => {
        $of { $($field: $a.$field.saturating_add($b.$field),)* $($rest)* }
    };
}

fn add(a: &Summary, b: &Summary) -> Summary {
    let shops = sum!(a.shops, b.shops, ShopCounts { total, changed, unchanged, failed, unavailable });
    sum!(a, b, Summary { add, change, destroy, unchanged, blocked, unmanaged, attention, left_out } shops)
}

fn add_since(a: Since, b: Since) -> Since {
    sum!(a, b, Since { new, known, removed_remotely, never_made })
}

fn add_reports(a: &ReportSummary, b: &ReportSummary) -> ReportSummary {
    sum!(
        a,
        b,
        ReportSummary { added, changed, destroyed, already_so, failed, skipped, blocked, shops_not_read, shops_stale }
    )
}
