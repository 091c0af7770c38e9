//! The rules that determine the hazards of a plan.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use super::losses::Losses;
use super::{
    Context, Destination, DestinationHealth, Hazard, HazardKind, HazardName, Plan, PlannedChange, Settings, ShopPlan,
};
use crate::diff::{Change, DeleteReason, UpdateReason};
use crate::model::{Address, Field};
use crate::state::{Ownership, Safety, ShopLimits, Unmanaged};

/// How a limit in percent applies to small numbers: with fewer than `of` live subscriptions, only `from` or more
/// changes can exceed it.
struct Few {
    of: usize,
    from: usize,
}

const FEW_IN_A_SHOP: Few = Few { of: 5, from: 2 };
const FEW_IN_A_RUN: Few = Few { of: 50, from: 5 };

/// Returns whether a change counts as a delete for all limits. A repurposed subscription counts; the delete of a
/// duplicate and the delete of a replaced subscription do not.
fn loses_a_route(change: &Change) -> bool {
    match change {
        Change::Delete { reason, .. } => !matches!(reason, DeleteReason::Duplicate | DeleteReason::Replaced),
        Change::Update { reason, .. } => *reason == UpdateReason::Repurposed,
        Change::Create { .. } => false,
    }
}

pub(super) fn changes_address(change: &Change) -> bool {
    change.fields().contains(&Field::Address)
}

fn binds_anew(change: &Change) -> bool {
    matches!(change, Change::Create { .. }) || changes_address(change)
}

/// Returns whether a change deletes a subscription that is not managed by the manifest.
pub(super) fn deletes_unmanaged(change: &Change) -> bool {
    matches!(change, Change::Delete { reason: DeleteReason::Unmanaged, .. })
}

pub(super) fn changes(shop: &ShopPlan) -> impl Iterator<Item = &Change> {
    shop.changes.iter().map(|planned: &PlannedChange| &planned.change)
}

/// Returns the number to which percentages refer: the managed subscriptions, or all live ones with `unmanaged: delete`.
fn population(shop: &ShopPlan, unmanaged: Unmanaged) -> usize {
    shop.managed + if unmanaged == Unmanaged::Delete { shop.unmanaged } else { 0 }
}

fn exceeds(part: usize, whole: usize, percent: u8, few: &Few) -> bool {
    (whole >= few.of || part >= few.from) && part * 100 > whole * usize::from(percent)
}

/// Returns the hazards of one shop. `in_base` says whether the base manifest has the shop; `None` without a base manifest.
pub(super) fn of_shop(
    context: &Context<'_>,
    shop: &ShopPlan,
    limits: &ShopLimits,
    in_base: Option<bool>,
) -> Vec<Hazard> {
    let mut kinds = of_deletes(context.safety, context.ownership.unmanaged, shop, limits);
    let lost: Vec<&Change> = changes(shop).filter(|c| loses_a_route(c)).collect();
    let unmanaged = changes(shop).filter(|c| deletes_unmanaged(c)).count();
    // These hazards are consent to the same deletes.
    if kinds.is_empty() {
        kinds.extend(adoption(shop, in_base));
    }

    let is_foreign = |address: &Address| !context.addresses.contains(&address.folded());
    let lost = lost.iter().filter(|c| !deletes_unmanaged(c)).filter_map(|c| c.before());
    let deleted = lost.map(|before| &before.binding.address).filter(|a| is_foreign(a));
    kinds.extend(delete_foreign(deleted.map(ToString::to_string).collect()));
    // An update that keeps a foreign address counts, too: it renames the subscription, possibly permanently.
    let goes = |id| changes(shop).any(|c| matches!(c, Change::Delete { .. }) && c.id() == id);
    let moved = changes(shop).filter(|c| !loses_a_route(c) && !goes(c.id()));
    let moves = moved.filter_map(|c| match c {
        Change::Update { before, after, .. } => Some((&before.binding.address, &after.address)),
        Change::Create { .. } | Change::Delete { .. } => None,
    });
    let moves = moves.filter(|(from, _)| is_foreign(from)).map(|(from, to)| (from.to_string(), to.to_string()));
    kinds.extend(reroute_foreign(moves.collect()));

    if unmanaged > 0 {
        kinds.push(HazardKind::DeleteUnmanaged { deletes: unmanaged });
    }

    let protected = limits.protected_topics.as_ref().unwrap_or(&context.safety.protected_topics);
    let touches = |c: &&Change| {
        let reroutes = changes_address(c) || c.fields().contains(&Field::Filter);
        (reroutes || matches!(c, Change::Delete { .. })) && protected.contains(c.topic())
    };
    let topics: BTreeSet<&str> = changes(shop).filter(touches).map(|c| c.topic().as_str()).collect();
    if !topics.is_empty() {
        kinds.push(HazardKind::ProtectedTopic { topics: topics.into_iter().map(str::to_owned).collect() });
    }
    kinds.into_iter().map(|kind| Hazard { kind, shop: Some(shop.shop.clone()) }).collect()
}

/// Returns the hazards of too many deletes in one shop.
fn of_deletes(safety: &Safety, unmanaged: Unmanaged, shop: &ShopPlan, limits: &ShopLimits) -> Vec<HazardKind> {
    let mut kinds = Vec::new();
    let limit_percent = limits.max_delete_percent.unwrap_or(safety.max_delete_percent);
    let lost = changes(shop).filter(|c| loses_a_route(c)).count();
    let whole = population(shop, unmanaged);
    let deletes = changes(shop).filter(|c| matches!(c, Change::Delete { .. }) && !deletes_unmanaged(c)).count();
    let creates = changes(shop).any(|c| matches!(c, Change::Create { .. }));
    let empties = shop.managed > 0 && deletes == shop.managed && !creates;
    // In a small shop, only `empty_shop` reports the loss of all subscriptions.
    if !(empties && whole < FEW_IN_A_SHOP.of) && exceeds(lost, whole, limit_percent, &FEW_IN_A_SHOP) {
        kinds.push(HazardKind::MaxDeletePercent { deletes: lost, of: whole, limit_percent });
    }
    if empties {
        kinds.push(HazardKind::EmptyShop { managed: shop.managed });
    }
    kinds
}

/// Returns the hazard of deletes in a shop that the manifest takes over for the first time: the base manifest does not have the
/// shop. Without a base manifest, nothing that the manifest wants is live. The changes of a plan with a base manifest have
/// origins; such a file does not say which shops are new.
fn adoption(shop: &ShopPlan, in_base: Option<bool>) -> Option<HazardKind> {
    let updates = changes(shop).any(|c| matches!(c, Change::Update { .. }));
    let nothing_live = shop.bound.is_empty() && !updates;
    let without_base = shop.changes.iter().all(|planned| planned.origin.is_none());
    if !in_base.map_or(nothing_live && without_base, |known| !known) {
        return None;
    }
    let deleted = changes(shop).filter_map(|change| match change {
        Change::Delete { before, reason: DeleteReason::NotInManifest } => Some(before.binding.address.to_string()),
        _ => None,
    });
    let deleted: Vec<String> = deleted.collect();
    let (deletes, of) = (deleted.len(), shop.managed);
    (deletes > 0).then(|| HazardKind::AdoptionDelete { deletes, of, addresses: deleted.into_iter().collect() })
}

/// Removes each `adoption_delete` whose deletes are all in the `delete_foreign` of the same shop, because consent to both is the
/// same decision.
pub fn drop_repeated(hazards: &mut Vec<Hazard>) {
    let foreign = hazards.clone();
    hazards.retain(|hazard| !repeats(hazard, &foreign));
}

fn repeats(hazard: &Hazard, others: &[Hazard]) -> bool {
    let HazardKind::AdoptionDelete { addresses: adopted, .. } = &hazard.kind else { return false };
    others.iter().filter(|other| other.shop == hazard.shop).any(|other| match &other.kind {
        HazardKind::DeleteForeign { addresses } => adopted.iter().all(|address| addresses.contains(address)),
        _ => false,
    })
}

/// Returns the hazards of a saved plan's changes by the rules of the given manifest, regardless of the hazards in the
/// file. `limits_of` returns the limits of a shop, or `None` for a shop that is not in the manifest or whose wanted
/// state changed; nothing is applied to such a shop.
pub fn of_plan<'a>(
    context: &Context<'_>,
    settings: &Settings,
    plan: &Plan,
    limits_of: impl Fn(&ShopPlan) -> Option<&'a ShopLimits>,
) -> Vec<Hazard> {
    let known: Vec<(&ShopPlan, &ShopLimits)> = plan.shops.iter().filter_map(|s| Some((s, limits_of(s)?))).collect();
    let mut out: Vec<Hazard> = known.iter().flat_map(|(shop, limits)| of_shop(context, shop, limits, None)).collect();
    if plan.selection.shard.is_none() {
        // The hazards of the run are computed twice, over all shops and over the shops that match the manifest: the
        // other shops must not dilute the percentages, and must not be missing where small numbers are judged less
        // strictly.
        out.extend(of_run(settings, &plan.destinations, &plan.shops));
        for hazard in of_run(settings, &plan.destinations, known.iter().map(|(shop, _)| *shop)) {
            if !out.iter().any(|other| other.is_like(&hazard)) {
                out.push(hazard);
            }
        }
    }
    sort(&mut out);
    out
}

/// Returns the hazards that follow from a plan file alone. The file does not contain the addresses of the manifest, so
/// `delete_foreign` and `reroute_foreign` are not included.
pub(super) fn of_file(plan: &Plan) -> Vec<Hazard> {
    let Settings { ownership: Ownership { unmanaged, .. }, safety, .. } = &plan.settings;
    let ownership = Ownership { address_prefixes: Vec::new(), unmanaged: *unmanaged };
    let (addresses, inlets) = (HashSet::new(), DestinationHealth::default());
    let context = Context { ownership: &ownership, safety, addresses: &addresses, inlets: &inlets };
    let mut out: Vec<Hazard> = plan.shops.iter().flat_map(|shop| of_shop(&context, shop, &shop.limits, None)).collect();
    out.retain(|hazard| !hazard.is_foreign() && !repeats(hazard, &plan.hazards));
    if plan.selection.shard.is_none() {
        out.extend(of_run(&plan.settings, &plan.destinations, &plan.shops));
    }
    out
}

/// Removes addresses that the manifest owns from the hazards `delete_foreign` and `reroute_foreign`. The addresses in
/// `own` have scheme and host in lower case.
pub fn dismiss_known_addresses(hazards: &mut Vec<Hazard>, own: &BTreeSet<String>) {
    let foreign = |address: &str| !own.contains(&Address::new(address).folded());
    let left = |Hazard { kind, shop }: Hazard| {
        let kind = match kind {
            HazardKind::DeleteForeign { mut addresses } => {
                addresses.retain(|address| foreign(address));
                delete_foreign(addresses)
            }
            HazardKind::RerouteForeign { mut moves } => {
                moves.retain(|(from, _)| foreign(from));
                reroute_foreign(moves)
            }
            other => Some(other),
        };
        kind.map(|kind| Hazard { kind, shop })
    };
    *hazards = std::mem::take(hazards).into_iter().filter_map(left).collect();
}

/// Returns `None` if there is no address.
fn delete_foreign(addresses: Vec<String>) -> Option<HazardKind> {
    (!addresses.is_empty()).then_some(HazardKind::DeleteForeign { addresses })
}

/// Returns `None` if there is no move.
fn reroute_foreign(moves: BTreeSet<(String, String)>) -> Option<HazardKind> {
    (!moves.is_empty()).then_some(HazardKind::RerouteForeign { moves })
}

/// Returns the hazards of several plans of one run, in the order of a plan: the hazards of shops unchanged, and the
/// hazards of the run computed over all shops.
pub fn together(plans: &[Plan]) -> Vec<Hazard> {
    let Some(first) = plans.first() else { return Vec::new() };
    let of_shops = plans.iter().flat_map(|plan| &plan.hazards).filter(|hazard| hazard.shop.is_some());
    let destinations = each_once(plans.iter().flat_map(|plan| &plan.destinations));
    let mut out = of_run(&first.settings, destinations, plans.iter().flat_map(|plan| &plan.shops));
    out.extend(of_shops.cloned());
    sort(&mut out);
    out
}

/// Returns each destination once. If shards have different records of a destination, the one that settles last counts.
pub fn each_once<'a>(destinations: impl IntoIterator<Item = &'a Destination>) -> Vec<&'a Destination> {
    let mut all: Vec<&Destination> = destinations.into_iter().collect();
    all.sort_by_key(|destination| std::cmp::Reverse(destination.settles_at));
    let mut seen = HashSet::new();
    all.retain(|d| seen.insert((&d.name, &d.shop, &d.wanted)));
    all
}

/// Sorts hazards: those of the run first, then those of each shop.
pub fn sort(hazards: &mut [Hazard]) {
    hazards.sort_by(|a, b| (&a.shop, a.kind.as_str()).cmp(&(&b.shop, b.kind.as_str())));
}

/// Returns the hazards of the run as a whole.
pub(super) fn of_run<'a>(
    settings: &'a Settings,
    destinations: impl IntoIterator<Item = &'a Destination>,
    shops: impl IntoIterator<Item = &'a ShopPlan>,
) -> Vec<Hazard> {
    let mut totals = RunTotals::new(settings, destinations);
    shops.into_iter().for_each(|shop| totals.add(shop));
    totals.hazards()
}

/// Returns the hazard of destinations that changed so recently that Adobe may lose events (documented: within five
/// minutes), if the changes of the shops bind to them.
pub fn settling<'a>(
    destinations: impl IntoIterator<Item = &'a Destination>,
    shops: impl IntoIterator<Item = &'a ShopPlan>,
) -> Option<Hazard> {
    let mut settling = Settling::new(destinations);
    shops.into_iter().for_each(|shop| settling.add(shop));
    settling.hazard()
}

/// Sums from which the hazards of a run are computed, added shop by shop.
#[derive(Debug)]
pub struct RunTotals<'a> {
    settings: &'a Settings,
    settling: Settling<'a>,
    /// Number of live subscriptions.
    whole: usize,
    lost: usize,
    lost_in: usize,
    moved: usize,
    moved_in: usize,
    losses: Losses,
}

impl<'a> RunTotals<'a> {
    /// Creates totals without shops.
    pub fn new(settings: &'a Settings, destinations: impl IntoIterator<Item = &'a Destination>) -> Self {
        let settling = Settling::new(destinations);
        Self { settings, settling, whole: 0, lost: 0, lost_in: 0, moved: 0, moved_in: 0, losses: Losses::default() }
    }

    /// Adds a shop.
    pub fn add(&mut self, shop: &ShopPlan) {
        self.settling.add(shop);
        self.whole += population(shop, self.settings.ownership.unmanaged);
        let losses = changes(shop).filter(|c| loses_a_route(c)).count();
        self.lost += losses;
        self.lost_in += usize::from(losses > 0);
        let moves = changes(shop).filter(|c| changes_address(c)).count();
        self.moved += moves;
        self.moved_in += usize::from(moves > 0);
        let Settings { safety, ownership, .. } = self.settings;
        let judged = !of_deletes(safety, ownership.unmanaged, shop, &shop.limits).is_empty();
        self.losses.add(shop, judged);
    }

    /// Returns the hazards of the run.
    pub fn hazards(self) -> Vec<Hazard> {
        let Self { settings, settling, whole, lost, lost_in, moved, moved_in, losses } = self;
        let mut out: Vec<Hazard> = settling.hazard().into_iter().collect();
        let limit_percent = settings.safety.max_total_delete_percent;
        // In a small run, deletes in a single shop are judged only by the limit of that shop.
        if (lost_in > 1 || whole >= FEW_IN_A_RUN.of) && exceeds(lost, whole, limit_percent, &FEW_IN_A_RUN) {
            let kind = HazardKind::MaxTotalDeletePercent { deletes: lost, of: whole, limit_percent };
            out.push(Hazard { kind, shop: None });
        }
        let limit_percent = settings.safety.max_address_change_percent;
        if exceeds(moved, whole, limit_percent, &FEW_IN_A_RUN) {
            let (address_changes, of, shops) = (moved, whole, moved_in);
            let kind = HazardKind::MaxAddressChangePercent { address_changes, of, shops, limit_percent };
            out.push(Hazard { kind, shop: None });
        }
        // Changes that these hazards cover need no second consent.
        let has = |name| out.iter().any(|hazard| hazard.kind.name() == Some(name));
        let known = (has(HazardName::MaxTotalDeletePercent), has(HazardName::MaxAddressChangePercent));
        let kind = losses.beyond(settings.safety.max_destination_loss_percent, known);
        out.extend(kind.map(|kind| Hazard { kind, shop: None }));
        out
    }
}

/// Counts the changes that bind to destinations which are settling.
#[derive(Debug)]
struct Settling<'a> {
    young: Vec<(&'a Destination, Timestamp, &'a Address)>,
    bound: HashMap<Address, usize>,
}

impl<'a> Settling<'a> {
    fn new(destinations: impl IntoIterator<Item = &'a Destination>) -> Self {
        let young = destinations.into_iter().filter_map(|d| Some((d, d.settles_at?, d.address.as_ref()?)));
        Self { young: young.collect(), bound: HashMap::new() }
    }

    fn add(&mut self, shop: &ShopPlan) {
        if self.young.is_empty() {
            return;
        }
        for after in changes(shop).filter(|change| binds_anew(change)).filter_map(Change::after) {
            *self.bound.entry(after.address.clone()).or_default() += 1;
        }
    }

    fn hazard(self) -> Option<Hazard> {
        let Self { mut young, bound } = self;
        young.retain(|(.., address)| bound.contains_key(*address));
        let until = young.iter().map(|(_, until, _)| *until).max()?;
        let name = |(d, _, address): &(&Destination, Timestamp, &Address)| {
            d.name.clone().unwrap_or_else(|| address.to_string())
        };
        let addresses: BTreeSet<&Address> = young.iter().map(|(.., address)| *address).collect();
        let kind = HazardKind::DestinationSettling {
            destinations: young.iter().map(name).collect(),
            subscriptions: addresses.iter().filter_map(|address| bound.get(*address)).sum(),
            until,
        };
        Some(Hazard { kind, shop: None })
    }
}
