//! Properties of a plan that need somebody's consent, with figures and the way out in the message.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::DestinationHealth;
use super::shop::Context;
use crate::model::{Address, ShopDomain, Topic};
use crate::state::{Ownership, Safety, ShopLimits, Unmanaged};
use crate::wire;
use crate::wire::plan::{Action, Change, Destination, Hazard, Plan, Settings, Shop};

/// When a limit in percent applies to few subscriptions: below `of` live ones, only `from` or more changes exceed it.
struct Few {
    of: usize,
    from: usize,
}

const FEW_IN_A_SHOP: Few = Few { of: 5, from: 2 };
const FEW_IN_A_RUN: Few = Few { of: 50, from: 5 };

fn hazard(kind: &str, shop: Option<&str>, message: String, details: Value) -> Hazard {
    let details = if let Value::Object(map) = details { map } else { Map::new() };
    Hazard { kind: kind.to_owned(), shop: shop.map(ToOwned::to_owned), message, allow: consent_to(kind, shop), details }
}

/// What to pass to `--allow` for a hazard.
pub(super) fn consent_to(kind: &str, shop: Option<&str>) -> String {
    let handle = |shop: &str| ShopDomain::parse(shop).map_or_else(|_| shop.to_owned(), |s| s.handle().to_owned());
    shop.map_or_else(|| kind.to_owned(), |shop| format!("{kind}:{}", handle(shop)))
}

/// What counts as a delete for every limit: not the second of two alike nor the second half of a replace, but a
/// subscription that is repurposed.
fn loses_a_route(change: &Change) -> bool {
    match change.action {
        Action::Delete => !matches!(change.reason.as_str(), "duplicate" | "replaced"),
        Action::Update => change.reason == "repurposed",
        Action::Create => false,
    }
}

fn changes_address(change: &Change) -> bool {
    change.action == Action::Update && change.fields.iter().any(|f| f == "address")
}

fn id_of(change: &Change) -> Option<&str> {
    change.before.as_ref()?.id.as_deref()
}

fn binds_anew(change: &Change) -> bool {
    change.action == Action::Create || changes_address(change)
}

/// What percentages are of: the managed ones; with `unmanaged: delete` all live ones.
fn population(shop: &Shop, counts_all: bool) -> usize {
    shop.managed + if counts_all { shop.unmanaged } else { 0 }
}

fn exceeds(part: usize, whole: usize, percent: u8, few: &Few) -> bool {
    (whole >= few.of || part >= few.from) && part * 100 > whole * usize::from(percent)
}

fn percent(part: usize, whole: usize) -> usize {
    (part * 100).checked_div(whole).unwrap_or(0)
}

/// Hazards of one shop.
pub(super) fn of_shop(context: &Context<'_>, shop: &Shop, limits: &ShopLimits) -> Vec<Hazard> {
    let mut out = Vec::new();
    let name = Some(shop.shop.as_str());
    let counts_all = context.ownership.unmanaged == Unmanaged::Delete;
    let limit = limits.max_delete_percent.unwrap_or(context.safety.max_delete_percent);
    let lost: Vec<&Change> = shop.changes.iter().filter(|c| loses_a_route(c)).collect();
    let whole = population(shop, counts_all);
    let count = |wanted: &dyn Fn(&&Change) -> bool| shop.changes.iter().filter(wanted).count();
    let of_ours = count(&|c| c.action == Action::Delete && c.reason != "unmanaged");
    let creates = count(&|c| c.action == Action::Create);
    let empties = shop.managed > 0 && of_ours == shop.managed && creates == 0;
    // In a small shop `empty_shop` alone covers the loss of every subscription.
    if !(empties && whole < FEW_IN_A_SHOP.of) && exceeds(lost.len(), whole, limit, &FEW_IN_A_SHOP) {
        let message = format!(
            "deletes {} of {whole} live subscriptions ({} %); the limit is {limit} %",
            lost.len(),
            percent(lost.len(), whole)
        );
        let details = json!({ "deletes": lost.len(), "of": whole, "limit_percent": limit });
        out.push(hazard("max_delete_percent", name, message, details));
    }
    if empties {
        let message = format!("leaves the shop without any managed subscription (it has {})", shop.managed);
        out.push(hazard("empty_shop", name, message, json!({ "managed": shop.managed })));
    }

    let is_foreign = |address: &str| !context.addresses.contains(&Address::new(address).folded());
    let lost = lost.iter().filter(|c| c.reason != "unmanaged").filter_map(|c| c.before.as_ref());
    let deleted: Vec<&str> = lost.map(|before| before.address.as_str()).filter(|a| is_foreign(a)).collect();
    out.extend(delete_foreign(name, &deleted));
    // An update that keeps a foreign address renames the subscription, possibly for good.
    let goes = |id: Option<&str>| shop.changes.iter().any(|c| c.action == Action::Delete && id_of(c) == id);
    let moved = shop.changes.iter().filter(|c| c.action == Action::Update && !loses_a_route(c) && !goes(id_of(c)));
    let moves = moved.filter_map(|c| Some((c.before.as_ref()?.address.as_str(), c.after.as_ref()?.address.as_str())));
    out.extend(reroute_foreign(name, &moves.filter(|(from, _)| is_foreign(from)).collect()));

    let unmanaged = count(&|c| c.action == Action::Delete && c.reason == "unmanaged");
    if unmanaged > 0 {
        let message = format!("deletes {unmanaged} subscriptions outside the ownership rule (unmanaged: delete)");
        out.push(hazard("delete_unmanaged", name, message, json!({ "deletes": unmanaged })));
    }

    let protected = limits.protected_topics.as_ref().unwrap_or(&context.safety.protected_topics);
    let touches = |c: &Change| {
        let reroutes = c.action == Action::Update && c.fields.iter().any(|f| f == "address" || f == "filter");
        (reroutes || c.action == Action::Delete) && protected.contains(&Topic::from_slash(&c.topic))
    };
    let mut topics: Vec<&str> = shop.changes.iter().filter(|c| touches(c)).map(|c| c.topic.as_str()).collect();
    topics.sort_unstable();
    topics.dedup();
    if !topics.is_empty() {
        let message = format!("deletes or reroutes protected topics: {}", topics.join(", "));
        out.push(hazard("protected_topic", name, message, json!({ "topics": topics })));
    }
    out
}

/// The hazards of a saved plan's changes by the rules of the manifest given, whatever the file says of them.
/// `limits_of` has a shop's own limits; a shop that the manifest does not have, or of which it asks something else by now,
/// has none, and nothing is done there.
pub fn of_plan<'a>(
    context: &Context<'_>,
    settings: &Settings,
    plan: &Plan,
    limits_of: impl Fn(&Shop) -> Option<&'a ShopLimits>,
) -> Vec<Hazard> {
    let known: Vec<(&Shop, &ShopLimits)> = plan.shops.iter().filter_map(|s| Some((s, limits_of(s)?))).collect();
    let mut out: Vec<Hazard> = known.iter().flat_map(|(shop, limits)| of_shop(context, shop, limits)).collect();
    if plan.selection.shard.is_none() {
        // Shops that cannot be held against the manifest must not dilute what is done in the others, nor be missing where
        // small numbers are judged less strictly.
        out.extend(of_run(settings, &plan.destinations, &plan.shops.iter()));
        for hazard in of_run(settings, &plan.destinations, &known.iter().map(|(shop, _)| *shop)) {
            if !out.iter().any(|other| other.shop.is_none() && other.kind == hazard.kind) {
                out.push(hazard);
            }
        }
    }
    sort(&mut out);
    out
}

/// The hazards that follow from what a plan file says and from nothing else. Which addresses the manifest has does not
/// stand there, so `delete_foreign` and `reroute_foreign` are not among them.
pub(super) fn of_file(plan: &Plan) -> Vec<Hazard> {
    let wire::plan::Safety {
        max_delete_percent,
        max_total_delete_percent,
        max_address_change_percent,
        protected_topics,
    } = &plan.settings.safety;
    let topics = |list: &[String]| list.iter().map(|topic| Topic::from_slash(topic)).collect();
    let safety = Safety {
        max_delete_percent: *max_delete_percent,
        max_total_delete_percent: *max_total_delete_percent,
        max_address_change_percent: *max_address_change_percent,
        protected_topics: topics(protected_topics),
    };
    let unmanaged = if plan.settings.ownership.unmanaged == "delete" { Unmanaged::Delete } else { Unmanaged::Report };
    let ownership = Ownership { address_prefixes: Vec::new(), unmanaged };
    let (addresses, inlets) = (HashSet::new(), DestinationHealth::default());
    let context = Context { ownership: &ownership, safety: &safety, addresses: &addresses, inlets: &inlets };
    let of_own = |shop: &Shop| {
        let own = shop.safety.as_ref();
        let limits = ShopLimits {
            max_delete_percent: own.and_then(|own| own.max_delete_percent),
            protected_topics: own.and_then(|own| own.protected_topics.as_deref()).map(topics),
        };
        of_shop(&context, shop, &limits)
    };
    let mut out: Vec<Hazard> = plan.shops.iter().flat_map(of_own).collect();
    out.retain(|hazard| !is_foreign(hazard));
    if plan.selection.shard.is_none() {
        out.extend(of_run(&plan.settings, &plan.destinations, &plan.shops.iter()));
    }
    out
}

/// Destinations that changed so lately that Adobe may lose what is delivered (documented: five minutes), if anything is
/// newly bound to them.
pub fn settling<'a>(destinations: &[Destination], shops: impl IntoIterator<Item = &'a Shop>) -> Option<Hazard> {
    let young: Vec<(&Destination, &str, &str)> =
        destinations.iter().filter_map(|d| Some((d, d.settles_at.as_deref()?, d.address.as_deref()?))).collect();
    if young.is_empty() {
        return None;
    }
    let changes = shops.into_iter().flat_map(|shop| &shop.changes).filter(|change| binds_anew(change));
    let mut bound: HashMap<&str, usize> = HashMap::new();
    for after in changes.filter_map(|change| change.after.as_ref()) {
        *bound.entry(&after.address).or_default() += 1;
    }
    let young: Vec<_> = young.into_iter().filter(|(.., address)| bound.contains_key(address)).collect();
    let until = young.iter().map(|(_, until, _)| *until).max()?;
    let named: Vec<&str> = young.iter().map(|(d, _, address)| d.name.as_deref().unwrap_or(address)).collect();
    let addresses: BTreeSet<&str> = young.iter().map(|(.., address)| *address).collect();
    let number: usize = addresses.iter().filter_map(|address| bound.get(address)).sum();
    let what = if number == 1 { "subscription" } else { "subscriptions" };
    let message = format!(
        "binds {number} {what} to destinations that were made or changed less than five minutes before \
         ({}): Adobe may lose what is delivered before {until}; apply the same plan after that",
        named.join(", ")
    );
    let details = json!({ "destinations": named, "subscriptions": number, "until": until });
    Some(hazard("destination_settling", None, message, details))
}

/// Whether a hazard is about routes that another manifest may own.
pub fn is_foreign(hazard: &Hazard) -> bool {
    hazard.kind == "delete_foreign" || hazard.kind == "reroute_foreign"
}

/// Removes the addresses in `own` from the hazards about foreign routes.
pub fn dismiss_own(hazards: &mut Vec<Hazard>, own: &BTreeSet<String>) {
    let foreign = |address: &str| !own.contains(&Address::new(address).folded());
    *hazards = std::mem::take(hazards)
        .into_iter()
        .filter_map(|hazard| match hazard.kind.as_str() {
            "delete_foreign" => {
                let addresses = hazard.details.get("addresses").and_then(Value::as_array).into_iter().flatten();
                let left: Vec<&str> = addresses.filter_map(Value::as_str).filter(|a| foreign(a)).collect();
                delete_foreign(hazard.shop.as_deref(), &left)
            }
            "reroute_foreign" => {
                let left = moves(&hazard).into_iter().filter(|(from, _)| foreign(from)).collect();
                reroute_foreign(hazard.shop.as_deref(), &left)
            }
            _ => Some(hazard),
        })
        .collect();
}

/// From and to which addresses a `reroute_foreign` hazard moves subscriptions.
pub(super) fn moves(hazard: &Hazard) -> BTreeSet<(&str, &str)> {
    let moves = hazard.details.get("moves").and_then(Value::as_array).into_iter().flatten();
    moves.filter_map(|m| Some((m.get("from")?.as_str()?, m.get("to")?.as_str()?))).collect()
}

/// Returns `None` without an address.
fn delete_foreign(shop: Option<&str>, addresses: &[&str]) -> Option<Hazard> {
    let message = format!(
        "deletes managed subscriptions whose address is not in this manifest: {}",
        foreign_addresses(addresses)?
    );
    Some(hazard("delete_foreign", shop, message, json!({ "addresses": addresses })))
}

/// Returns `None` without a move.
fn reroute_foreign(shop: Option<&str>, moves: &BTreeSet<(&str, &str)>) -> Option<Hazard> {
    let from: BTreeSet<&str> = moves.iter().map(|(from, _)| *from).collect();
    let from: Vec<&str> = from.into_iter().collect();
    let message =
        format!("changes managed subscriptions whose address is not in this manifest: {}", foreign_addresses(&from)?);
    let moves: Vec<Value> = moves.iter().map(|(from, to)| json!({ "from": from, "to": to })).collect();
    Some(hazard("reroute_foreign", shop, message, json!({ "moves": moves })))
}

fn foreign_addresses(addresses: &[&str]) -> Option<String> {
    let first = addresses.first()?;
    let others = if addresses.len() > 1 { format!(" and {} more", addresses.len() - 1) } else { String::new() };
    Some(format!(
        "{first}{others}; another manifest may own them. If an earlier version of this manifest had the address, plan with \
         --base"
    ))
}

/// Hazards of several plans of one run as one: those of shops as they stand there, those of the run over all shops together.
/// In the order of a plan.
pub fn together(plans: &[Plan]) -> Vec<Hazard> {
    let Some(first) = plans.first() else { return Vec::new() };
    let of_shops = plans.iter().flat_map(|plan| &plan.hazards).filter(|hazard| hazard.shop.is_some());
    // What shards were told of one destination counts once, and what was told last.
    let mut told: Vec<&Destination> = plans.iter().flat_map(|plan| &plan.destinations).collect();
    told.sort_by(|a, b| b.settles_at.cmp(&a.settles_at));
    let mut seen = HashSet::new();
    let told = told.into_iter().filter(|d| seen.insert((&d.name, &d.shop, &d.wanted)));
    let destinations: Vec<Destination> = told.cloned().collect();
    let mut out = of_run(&first.settings, &destinations, &plans.iter().flat_map(|plan| &plan.shops));
    out.extend(of_shops.cloned());
    sort(&mut out);
    out
}

/// Those of the run first, then shop by shop.
pub(super) fn sort(hazards: &mut [Hazard]) {
    hazards.sort_by(|a, b| (&a.shop, &a.kind).cmp(&(&b.shop, &b.kind)));
}

/// Hazards of the run as a whole.
pub(super) fn of_run<'a>(
    settings: &Settings,
    destinations: &[Destination],
    shops: &(impl IntoIterator<Item = &'a Shop> + Clone),
) -> Vec<Hazard> {
    let counts_all = settings.ownership.unmanaged == "delete";
    let (mut whole, mut lost, mut lost_in, mut moved, mut in_shops) = (0, 0, 0, 0, 0);
    for shop in shops.clone() {
        whole += population(shop, counts_all);
        let losses = shop.changes.iter().filter(|c| loses_a_route(c)).count();
        lost += losses;
        lost_in += usize::from(losses > 0);
        let moves = shop.changes.iter().filter(|c| changes_address(c)).count();
        moved += moves;
        in_shops += usize::from(moves > 0);
    }
    let mut out: Vec<Hazard> = settling(destinations, shops.clone()).into_iter().collect();
    let limit = settings.safety.max_total_delete_percent;
    // In a small run the deletes of one shop are judged by that shop's limit alone.
    if (lost_in > 1 || whole >= FEW_IN_A_RUN.of) && exceeds(lost, whole, limit, &FEW_IN_A_RUN) {
        let share = percent(lost, whole);
        let message =
            format!("deletes {lost} of the run's {whole} live subscriptions ({share} %); the limit is {limit} %");
        let details = json!({ "deletes": lost, "of": whole, "limit_percent": limit });
        out.push(hazard("max_total_delete_percent", None, message, details));
    }
    let limit = settings.safety.max_address_change_percent;
    if exceeds(moved, whole, limit, &FEW_IN_A_RUN) {
        let (share, s) = (percent(moved, whole), if in_shops == 1 { "" } else { "s" });
        let message = format!(
            "sends {moved} of the run's {whole} live subscriptions ({share} %) in {in_shops} shop{s} to another address; \
             the limit is {limit} %"
        );
        let details = json!({ "address_changes": moved, "of": whole, "shops": in_shops, "limit_percent": limit });
        out.push(hazard("max_address_change_percent", None, message, details));
    }
    out
}
