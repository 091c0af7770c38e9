//! One shop's part of the plan.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::destination_health::DestinationHealth;
use super::{Asked, ShopPlan, digest, findings, hazards, subscription};
use crate::diff::{Blocked, Change, DeleteReason, Obstacle, ShopDiff, UpdateReason, diff, diff_around};
use crate::model::{Address, Binding, Field, Live, ScopeSet, ShopDomain, Topic};
use crate::state::aep::Target;
use crate::state::{Desired, Entry, Observed, Ownership, Safety, ShopLimits, Source, Unresolved, Wanted};
use crate::wire;
use crate::wire::plan::{Action, Bound, Destinations, Origin, ShopStatus, Subscription};

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

/// What the plan of one shop is made from.
#[derive(Debug)]
pub struct ShopInput<'a> {
    /// Whose.
    pub shop: &'a ShopDomain,
    /// How its merchant approves a scope that the app lacks, in words.
    pub approval: &'a str,
    /// From the manifest.
    pub labels: &'a BTreeMap<String, String>,
    /// What the manifest asks.
    pub desired: &'a Desired,
    /// Names of addresses, for people.
    pub destinations: &'a BTreeMap<Arc<str>, Address>,
    /// The shop's own limits.
    pub limits: &'a ShopLimits,
    /// What the base manifest asks of this shop, if there is a base manifest.
    pub base: Option<Base<'a>>,
    /// What the Admin API said, or why not.
    pub reading: Result<&'a Observed, Failure>,
    /// What reading brought to light besides, such as a version that fell forward.
    pub findings: Vec<wire::plan::Finding>,
}

/// What the base manifest asks of a shop; nothing if the shop is not in it.
#[derive(Debug, Clone, Copy)]
pub struct Base<'a> {
    /// The shop's part, if it has one.
    pub desired: Option<BaseDesired<'a>>,
    /// The base manifest's own rule.
    pub ownership: &'a Ownership,
}

/// What the base manifest asks of a shop.
#[derive(Debug, Clone, Copy)]
pub enum BaseDesired<'a> {
    /// Every binding has an address.
    Resolved(&'a Desired),
    /// A binding has none: what the run looked up does not answer its query.
    Unresolved(&'a Unresolved),
}

/// Why a shop was not read.
#[derive(Debug, Clone)]
pub struct Failure {
    /// As it stands in the plan.
    pub error: wire::plan::ShopError,
    /// Whether the manifest or the command line tolerates it.
    pub tolerated: bool,
}

/// Plans one shop.
pub fn shop(context: &Context<'_>, input: ShopInput<'_>) -> ShopPlan {
    let ShopInput { shop, approval, labels, desired, destinations, limits, base, reading, findings } = input;
    let desired_digest = digest::desired_digest(desired, context.ownership);
    let mut out = wire::plan::Shop { findings, ..blank(shop, labels, limits, desired_digest) };
    let repeated = |id| Failure { error: findings::repeated(id), tolerated: false };
    let reading = reading.and_then(|observed| match observed.repeated_id() {
        Some(id) => Err(repeated(id)),
        None => Ok(observed),
    });
    let observed = match reading {
        Ok(observed) => observed,
        Err(failure) => {
            out.status = if failure.tolerated { ShopStatus::Unavailable } else { ShopStatus::Failed };
            if failure.tolerated {
                out.findings.push(findings::unavailable(&failure.error));
            }
            out.error = Some(failure.error);
            return ShopPlan { shop: out, hazards: Vec::new() };
        }
    };

    let names = Names { destinations };
    let result = diff_around(desired, observed, context.ownership, &context.inlets.closed);
    out.managed = result.managed;
    out.unmanaged = observed.entries.len() - result.managed;
    out.changes = result.changes.iter().map(|change| wire(change, &names)).collect();
    out.bound = bound(&result, &names);
    out.blocked = result.blocked.iter().map(|b| blocked(b, &names, context.inlets, approval)).collect();
    out.observed_digest = Some(context_digest(&result, observed, context.ownership));
    out.findings.extend(findings::of_shop(approval, desired, observed, &result, context.ownership));
    out.findings.extend(context.inlets.findings(&result));
    out.findings.sort_by_key(findings::order);
    if let Some(base) = base {
        mark_origin(&mut out.changes, base, observed, &names);
    }
    if !out.changes.is_empty() {
        out.status = ShopStatus::Changed;
    }
    let hazards = hazards::of_shop(context, &out, limits);
    ShopPlan { shop: out, hazards }
}

/// The part of a shop that is not read, because a binding has no address.
pub fn unresolved(
    shop: &ShopDomain,
    labels: &BTreeMap<String, String>,
    limits: &ShopLimits,
    unresolved: &Unresolved,
    ownership: &Ownership,
    error: wire::plan::ShopError,
) -> ShopPlan {
    let blank = blank(shop, labels, limits, digest::unresolved_digest(unresolved, ownership));
    let shop = wire::plan::Shop { status: ShopStatus::Failed, error: Some(error), ..blank };
    ShopPlan { shop, hazards: Vec::new() }
}

/// A shop of which nothing is known but what the manifest says.
fn blank(
    shop: &ShopDomain,
    labels: &BTreeMap<String, String>,
    limits: &ShopLimits,
    desired_digest: String,
) -> wire::plan::Shop {
    wire::plan::Shop {
        shop: shop.to_string(),
        labels: labels.clone(),
        status: ShopStatus::Unchanged,
        observed_digest: None,
        desired_digest,
        managed: 0,
        unmanaged: 0,
        safety: shop_safety(limits),
        bound: Vec::new(),
        blocked: Vec::new(),
        changes: Vec::new(),
        findings: Vec::new(),
        error: None,
    }
}

/// Looks up the names of addresses.
struct Names<'a> {
    destinations: &'a BTreeMap<Arc<str>, Address>,
}

impl Names<'_> {
    fn find(&self, address: &Address) -> Option<Arc<str>> {
        self.destinations.iter().find(|(_, a)| *a == address).map(|(name, _)| Arc::clone(name))
    }

    fn of(&self, address: &Address) -> Option<String> {
        self.find(address).as_deref().map(str::to_owned)
    }

    fn of_wanted(&self, wanted: Option<&Wanted>, address: &Address) -> Option<String> {
        wanted.and_then(|w| w.destination.as_deref()).map(str::to_owned).or_else(|| self.of(address))
    }

    fn label(&self, wanted: &Wanted, address: &Address) -> Arc<str> {
        wanted.destination.clone().or_else(|| self.find(address)).unwrap_or_else(|| address.shared())
    }
}

fn shop_safety(limits: &ShopLimits) -> Option<wire::plan::ShopSafety> {
    let ShopLimits { max_delete_percent, protected_topics } = limits;
    let some = max_delete_percent.is_some() || protected_topics.is_some();
    some.then(|| wire::plan::ShopSafety {
        max_delete_percent: *max_delete_percent,
        protected_topics: protected_topics.as_ref().map(|list| list.iter().map(ToString::to_string).collect()),
    })
}

fn source(source: &Source) -> wire::plan::Source {
    wire::plan::Source { file: source.file.to_string(), line: source.line }
}

fn wire(change: &Change, names: &Names<'_>) -> wire::plan::Change {
    match change {
        Change::Create { after, wanted } => wire::plan::Change {
            action: Action::Create,
            topic: after.topic.to_string(),
            reason: "missing".to_owned(),
            origin: None,
            fields: Vec::new(),
            destination: Destinations { before: None, after: names.of_wanted(Some(wanted), &after.address) },
            source: Some(source(&wanted.source)),
            before: None,
            after: Some(subscription::wanted(after)),
        },
        Change::Update { before, after, fields, reason, wanted } => wire::plan::Change {
            action: Action::Update,
            topic: after.topic.to_string(),
            reason: match reason {
                UpdateReason::Differs => "differs",
                UpdateReason::Repurposed => "repurposed",
                UpdateReason::NameStep => "name_step",
            }
            .to_owned(),
            origin: None,
            fields: fields.iter().map(ToString::to_string).collect(),
            destination: Destinations {
                before: names.of(&before.binding.address),
                after: names.of_wanted(wanted.as_ref(), &after.address),
            },
            source: wanted.as_ref().map(|w| source(&w.source)),
            before: Some(subscription::live(before)),
            after: Some(Subscription { id: Some(before.meta.id.to_string()), ..subscription::wanted(after) }),
        },
        Change::Delete { before, reason } => wire::plan::Change {
            action: Action::Delete,
            topic: before.binding.topic.to_string(),
            reason: match reason {
                DeleteReason::NotInManifest => "not_in_manifest",
                DeleteReason::Duplicate => "duplicate",
                DeleteReason::Replaced => "replaced",
                DeleteReason::Unmanaged => "unmanaged",
            }
            .to_owned(),
            origin: None,
            fields: Vec::new(),
            destination: Destinations { before: names.of(&before.binding.address), after: None },
            source: None,
            before: Some(subscription::live(before)),
            after: None,
        },
    }
}

fn bound(result: &ShopDiff<'_>, names: &Names<'_>) -> Vec<Bound> {
    let mut counts: BTreeMap<(Arc<str>, Arc<str>), usize> = BTreeMap::new();
    for (wanted, _) in &result.bound {
        let label = names.label(&wanted.meta, &wanted.binding.address);
        *counts.entry((wanted.binding.topic.shared(), label)).or_default() += 1;
    }
    counts.into_iter().map(|((topic, destination), count)| Bound { topic, destination, count }).collect()
}

fn blocked(blocked: &Blocked, names: &Names<'_>, inlets: &DestinationHealth, approval: &str) -> wire::plan::Blocked {
    let Entry { binding, meta } = &blocked.entry;
    let (reason, any_of, message) = match &blocked.why {
        Obstacle::Scope(any_of) => (
            "scope",
            any_of.iter().map(|&s| s.to_owned()).collect::<Vec<_>>(),
            format!("needs {}, and it is not granted: add it to the app and {approval}", findings::one_of(any_of)),
        ),
        Obstacle::Closed => {
            let (reason, message) = inlets.refusal(&binding.address);
            (reason, Vec::new(), message)
        }
        Obstacle::NameTaken(holder) => (
            "name_taken",
            Vec::new(),
            format!(
                "the name {:?} is held by {} -> {}, which cannot be renamed: choose another name, or remove that subscription",
                binding.name.as_deref().unwrap_or_default(),
                holder.binding.topic,
                holder.binding.address.masked()
            ),
        ),
    };
    wire::plan::Blocked {
        topic: binding.topic.to_string(),
        destination: names.label(meta, &binding.address).to_string(),
        reason: reason.to_owned(),
        any_of,
        message,
        source: Some(source(&meta.source)),
    }
}

/// The changes that a manifest and a shop call for, without the names of destinations.
pub(super) fn called_for(asked: Asked<'_>, observed: &Observed) -> Vec<wire::plan::Change> {
    let names = Names { destinations: &BTreeMap::new() };
    let result = diff_around(asked.desired, observed, asked.ownership, &asked.inlets.closed);
    result.changes.iter().map(|change| wire(change, &names)).collect()
}

/// Over what the changes were computed from besides the subscriptions that they name.
fn context_digest(result: &ShopDiff<'_>, observed: &Observed, ownership: &Ownership) -> String {
    let (mut named, mut topics, mut writes, mut names) = (HashSet::new(), BTreeSet::new(), Vec::new(), Vec::new());
    for change in &result.changes {
        match change {
            Change::Create { after, .. } => {
                writes.push(&after.topic);
                topics.insert(&after.topic);
                names.extend(after.name.as_deref());
            }
            Change::Update { before, after, fields, .. } => {
                named.insert(&before.meta.id);
                writes.push(&after.topic);
                topics.insert(&after.topic);
                names.extend(after.name.as_deref().filter(|_| fields.contains(&Field::Name)));
            }
            Change::Delete { before, .. } => {
                named.insert(&before.meta.id);
                topics.insert(&before.binding.topic);
            }
        }
    }
    rest(observed, ownership, &topics, &writes, &names, |live| named.contains(&live.meta.id))
}

/// The digest of the rest, leaving out the subscriptions that a change names or has made.
pub(super) fn rest(
    observed: &Observed,
    ownership: &Ownership,
    topics: &BTreeSet<&Topic>,
    writes: &[&Topic],
    names: &[&str],
    named: impl Fn(&Entry<Live>) -> bool,
) -> String {
    let others = || observed.entries.iter().filter(|live| !named(live));
    let same = others().filter(|l| topics.contains(&l.binding.topic) && ownership.covers(&l.binding.address));
    let taken: HashSet<String> = names.iter().map(|n| n.to_lowercase()).collect();
    let holders = others().filter_map(|live| {
        let name = live.binding.name.as_ref()?.to_lowercase();
        taken.contains(&name).then_some((name, live))
    });
    let granted: Option<&ScopeSet> = observed.scopes.as_ref();
    digest::observed_digest(same, holders, writes.iter().copied(), granted)
}

/// A change that the base manifest would plan too repairs drift; any other comes from the manifest. A binding that is
/// missing in the shop is drift, too, where the manifest also gives it another address or other fields.
fn mark_origin(changes: &mut [wire::plan::Change], base: Base<'_>, observed: &Observed, names: &Names<'_>) {
    let changes_of = |desired: &Desired| -> Vec<wire::plan::Change> {
        diff(desired, observed, base.ownership).changes.iter().map(|change| wire(change, names)).collect()
    };
    let (mut planned, unknown) = match base.desired {
        None => Default::default(),
        Some(BaseDesired::Resolved(desired)) => (changes_of(desired), Vec::new()),
        Some(BaseDesired::Unresolved(asked)) => {
            let (desired, mut unknown) = resolved_part(asked);
            let mut planned = changes_of(&desired);
            // A binding whose address is unknown would have kept a subscription that the rest of the manifest deletes.
            unknown.retain(|binding| {
                let is_its = |change: &wire::plan::Change| {
                    change.reason == "not_in_manifest" && change.topic == binding.topic.as_str()
                };
                planned.iter().position(is_its).map(|at| planned.remove(at)).is_none()
            });
            (planned, unknown)
        }
    };
    for change in changes.iter_mut() {
        change.origin = Some(Origin::Manifest);
    }
    // The closest match first: each change of the base manifest explains one.
    for alike in [is_same as Alike, is_missing_at_its_destination, is_missing] {
        for change in changes.iter_mut().filter(|change| change.origin == Some(Origin::Manifest)) {
            if let Some(at) = planned.iter().position(|other| alike(change, other)) {
                planned.remove(at);
                change.origin = Some(Origin::Drift);
            }
        }
    }
    for binding in unknown {
        let mut left = changes.iter_mut().filter(|change| change.origin == Some(Origin::Manifest));
        if let Some(change) = left.find(|change| is_missing_somewhere(change, binding)) {
            change.origin = Some(Origin::Drift);
        }
    }
}

/// The bindings that have an address, and those that have none.
fn resolved_part(asked: &Unresolved) -> (Desired, Vec<&Binding<Target>>) {
    let mut desired = Desired { scopes: asked.scopes.clone(), entries: Vec::new() };
    let mut unknown = Vec::new();
    for Entry { binding, meta } in &asked.entries {
        match binding.address.address() {
            Some(address) => {
                desired.entries.push(Entry { binding: binding.with_address(address.clone()), meta: meta.clone() });
            }
            None => unknown.push(binding),
        }
    }
    (desired, unknown)
}

/// Whether a binding whose address is unknown would have been made for the same topic, format and filter.
fn is_missing_somewhere(change: &wire::plan::Change, binding: &Binding<Target>) -> bool {
    let same = |after: &Subscription| {
        after.format == binding.format.as_str() && after.filter.as_deref() == binding.filter.as_deref()
    };
    change.action == Action::Create && change.topic == binding.topic.as_str() && change.after.as_ref().is_some_and(same)
}

type Alike = fn(&wire::plan::Change, &wire::plan::Change) -> bool;

fn is_same(a: &wire::plan::Change, b: &wire::plan::Change) -> bool {
    (a.action, &a.topic, &a.reason, &a.before, &a.after) == (b.action, &b.topic, &b.reason, &b.before, &b.after)
}

fn is_missing_at_its_destination(a: &wire::plan::Change, b: &wire::plan::Change) -> bool {
    is_missing(a, b) && a.destination.after == b.destination.after
}

fn is_missing(a: &wire::plan::Change, b: &wire::plan::Change) -> bool {
    let key = |c: &wire::plan::Change| c.after.as_ref().map(|after| (after.format.clone(), after.filter.clone()));
    (a.action, b.action) == (Action::Create, Action::Create) && a.topic == b.topic && key(a) == key(b)
}
