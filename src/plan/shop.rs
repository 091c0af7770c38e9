//! Plans one shop.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::change::same_change;
use super::{
    BindingKey, Blocked, Bound, Context, DestinationHealth, DestinationNames, Finding, LeftOut, Obstacle, Origin,
    PlannedChange, PlannedShop, ShopError, ShopPlan, Unread, digest, findings, hazards, only,
};
use crate::diff::{self, Change, DeleteReason, ShopDiff, diff, diff_around};
use crate::model::{Address, Binding, ShopDomain};
use crate::state::aep::Target;
use crate::state::{Desired, Entry, Observed, Ownership, ShopLimits, Unresolved, Wanted};

/// Inputs for the plan of one shop.
#[derive(Debug)]
pub struct ShopInput<'a> {
    /// Domain of the shop.
    pub shop: &'a ShopDomain,
    /// How the merchant approves a missing scope, as a part of a message.
    pub approval: &'a str,
    /// Labels from the manifest.
    pub labels: &'a Arc<BTreeMap<String, String>>,
    /// Wanted state of the shop.
    pub desired: &'a Desired,
    /// Its digest ([`digest::desired_digest`]), which shops with the same wanted state share.
    pub desired_digest: &'a Arc<str>,
    /// Addresses of the shop's destinations, by name.
    pub destinations: &'a BTreeMap<Arc<str>, Address>,
    /// The shop's own limits.
    pub limits: &'a ShopLimits,
    /// The shop in the base manifest; `None` without a base manifest.
    pub base: Option<Base<'a>>,
    /// The reading of the shop, or why it failed.
    pub reading: Result<&'a Observed, Unread>,
    /// Findings of the reading, such as an API version that Shopify replaced.
    pub findings: Vec<Finding>,
}

/// A shop in the base manifest.
#[derive(Debug, Clone, Copy)]
pub struct Base<'a> {
    /// Wanted state of the shop; `None` if the base manifest does not contain the shop.
    pub desired: Option<BaseDesired<'a>>,
    /// Ownership rule of the base manifest.
    pub ownership: &'a Ownership,
    /// The origin of the changes that the plan contains; `None` for all changes.
    pub only: Option<Origin>,
}

/// Wanted state of a shop in the base manifest.
#[derive(Debug, Clone, Copy)]
pub enum BaseDesired<'a> {
    /// All bindings have addresses.
    Resolved(&'a Desired),
    /// Some bindings have no address, because the lookups of the run do not include theirs.
    Unresolved(&'a Unresolved),
}

/// Plans one shop.
pub fn shop(context: &Context<'_>, input: ShopInput<'_>) -> PlannedShop {
    let ShopInput { shop, approval, labels, desired, desired_digest, destinations, limits, base, reading, findings } =
        input;
    let mut out = ShopPlan { findings, ..blank(shop, labels, limits, Arc::clone(desired_digest)) };
    let repeated = |id| Unread { error: findings::repeated(id), tolerated: false };
    let reading = reading.and_then(|observed| match observed.repeated_id() {
        Some(id) => Err(repeated(id)),
        None => Ok(observed),
    });
    let observed = match reading {
        Ok(observed) => observed,
        Err(unread) => {
            if unread.tolerated {
                out.findings.push(findings::unavailable(&unread.error));
            }
            out.unread = Some(Box::new(unread));
            return PlannedShop { shop: out, hazards: Vec::new() };
        }
    };

    let names = Names { destinations };
    let result = diff_around(desired, observed, context.ownership, &context.inlets.closed);
    out.managed = result.managed;
    out.unmanaged = observed.entries.len() - result.managed;
    out.bound = bound(&result, &names);
    out.blocked = result.blocked.iter().map(|b| blocked(b, &names, context.inlets, approval)).collect();
    out.findings.extend(findings::of_shop(approval, desired, observed, &result, context.ownership));
    out.findings.extend(context.inlets.findings(&result));
    out.findings.sort_by_cached_key(findings::order);
    out.changes = result.changes.into_iter().map(|change| planned(change, &names)).collect();
    if let Some(base) = base {
        mark_origin(&mut out.changes, base, observed, &names);
        if let Some(origin) = base.only {
            let of_base = blocked_in(base, observed, &context.inlets.closed);
            let (blocked, left) = only::split_blocked(out.blocked, &result.blocked, &of_base, origin);
            (out.blocked, out.left_out.blocked) = (blocked, left);
            (out.changes, out.left_out.changes) = only::split(out.changes, origin);
            let is_kept = |address: &str| {
                let mut before = out.changes.iter().filter_map(|planned| planned.change.before());
                before.any(|before| before.binding.address.as_str() == address)
            };
            out.findings.retain(|finding| findings::old_endpoint_of(finding).is_none_or(is_kept));
        }
    }
    let changes = out.changes.iter().map(|planned| &planned.change);
    out.context_digest = Some(digest::context_digest(changes, observed, context.ownership, |_| false).into());
    let hazards = hazards::of_shop(context, &out, limits, base.map(|base| base.desired.is_some()));
    PlannedShop { shop: out, hazards }
}

/// Returns the part of a shop that is not read, because a binding has no address.
pub fn unresolved(
    shop: &ShopDomain,
    labels: &Arc<BTreeMap<String, String>>,
    limits: &ShopLimits,
    unresolved: &Unresolved,
    ownership: &Ownership,
    error: ShopError,
) -> PlannedShop {
    let blank = blank(shop, labels, limits, digest::unresolved_digest(unresolved, ownership).into());
    let shop = ShopPlan { unread: Some(Box::new(Unread { error, tolerated: false })), ..blank };
    PlannedShop { shop, hazards: Vec::new() }
}

/// Returns a part with the data of the manifest only.
fn blank(
    shop: &ShopDomain,
    labels: &Arc<BTreeMap<String, String>>,
    limits: &ShopLimits,
    desired_digest: Arc<str>,
) -> ShopPlan {
    ShopPlan {
        shop: shop.clone(),
        labels: Arc::clone(labels),
        desired_digest,
        context_digest: None,
        managed: 0,
        unmanaged: 0,
        limits: limits.clone(),
        bound: Arc::default(),
        blocked: Vec::new(),
        changes: Vec::new(),
        left_out: LeftOut::default(),
        findings: Vec::new(),
        unread: None,
    }
}

/// The names of addresses.
struct Names<'a> {
    destinations: &'a BTreeMap<Arc<str>, Address>,
}

impl Names<'_> {
    fn find(&self, address: &Address) -> Option<Arc<str>> {
        self.destinations.iter().find(|(_, a)| *a == address).map(|(name, _)| Arc::clone(name))
    }

    fn of_wanted(&self, wanted: Option<&Wanted>, address: &Address) -> Option<Arc<str>> {
        wanted.and_then(|w| w.destination.clone()).or_else(|| self.find(address))
    }

    fn label(&self, wanted: &Wanted, address: &Address) -> Arc<str> {
        wanted.destination.clone().or_else(|| self.find(address)).unwrap_or_else(|| address.shared())
    }
}

fn planned(change: Change, names: &Names<'_>) -> PlannedChange {
    let wanted = match &change {
        Change::Create { wanted, .. } => Some(wanted),
        Change::Update { wanted, .. } => wanted.as_ref(),
        Change::Delete { .. } => None,
    };
    let destinations = DestinationNames {
        before: change.before().and_then(|before| names.find(&before.binding.address)),
        after: change.after().and_then(|after| names.of_wanted(wanted, &after.address)),
    };
    PlannedChange { change, origin: None, destinations, unknown: None }
}

fn bound(result: &ShopDiff<'_>, names: &Names<'_>) -> Arc<[Bound]> {
    let mut counts: BTreeMap<(Arc<str>, Arc<str>), usize> = BTreeMap::new();
    for (wanted, _) in &result.bound {
        let label = names.label(&wanted.meta, &wanted.binding.address);
        *counts.entry((wanted.binding.topic.shared(), label)).or_default() += 1;
    }
    counts.into_iter().map(|((topic, destination), count)| Bound { topic, destination, count }).collect()
}

fn blocked(blocked: &diff::Blocked, names: &Names<'_>, inlets: &DestinationHealth, approval: &str) -> Blocked {
    let Entry { binding, meta } = &blocked.entry;
    let (obstacle, message) = match &blocked.why {
        diff::Obstacle::Scope(any_of) => (
            Obstacle::Scope(any_of.iter().map(|&s| s.to_owned()).collect()),
            format!(
                "{}; add {} to the app and {approval}",
                findings::ungranted(any_of, "not"),
                if any_of.len() == 1 { "it" } else { "one of them" }
            ),
        ),
        diff::Obstacle::Closed => inlets.refusal(&binding.address),
        diff::Obstacle::NameTaken(holder) => (
            Obstacle::NameTaken,
            format!(
                "the name {:?} is used by {} -> {}, which cannot be renamed; choose another name, or delete that \
                 subscription",
                binding.name.as_deref().unwrap_or_default(),
                holder.binding.topic,
                holder.binding.address.masked()
            ),
        ),
    };
    Blocked {
        topic: binding.topic.clone(),
        destination: names.label(meta, &binding.address),
        key: Some(Box::new(BindingKey::from(binding))),
        obstacle,
        message,
        source: Some(meta.source.clone()),
    }
}

/// Sets the origin of changes. A change that the base manifest would also plan repairs drift; any other change comes
/// from the manifest. The create of a missing binding also repairs drift if the manifest changes its address or fields
/// at the same time.
fn mark_origin(changes: &mut [PlannedChange], base: Base<'_>, observed: &Observed, names: &Names<'_>) {
    let changes_of = |desired: &Desired| -> Vec<PlannedChange> {
        diff(desired, observed, base.ownership).changes.into_iter().map(|change| planned(change, names)).collect()
    };
    let (mut of_base, unknown) = match base.desired {
        None => Default::default(),
        Some(BaseDesired::Resolved(desired)) => (changes_of(desired), Vec::new()),
        Some(BaseDesired::Unresolved(asked)) => {
            let (desired, mut unknown) = resolved_part(asked);
            let mut of_base = changes_of(&desired);
            // A binding with an unknown address would have kept a subscription that the rest of the base manifest
            // deletes.
            unknown.retain(|binding| {
                let is_its = |planned: &PlannedChange| match &planned.change {
                    Change::Delete { before, reason: DeleteReason::NotInManifest } => {
                        before.binding.topic == binding.topic
                    }
                    _ => false,
                };
                of_base.iter().position(is_its).map(|at| of_base.remove(at)).is_none()
            });
            (of_base, unknown)
        }
    };
    for change in changes.iter_mut() {
        change.origin = Some(Origin::Manifest);
    }
    // The closest matches first: each change of the base manifest accounts for one change.
    for alike in [is_same as Alike, is_missing_at_its_destination, is_missing] {
        for change in changes.iter_mut().filter(|change| change.origin == Some(Origin::Manifest)) {
            if let Some(at) = of_base.iter().position(|other| alike(change, other)) {
                of_base.remove(at);
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

/// Returns the bindings that are blocked with the base manifest.
fn blocked_in(base: Base<'_>, observed: &Observed, closed: &BTreeSet<Address>) -> Vec<diff::Blocked> {
    let of = |desired: &Desired| diff_around(desired, observed, base.ownership, closed).blocked;
    match base.desired {
        None => Vec::new(),
        Some(BaseDesired::Resolved(desired)) => of(desired),
        Some(BaseDesired::Unresolved(asked)) => of(&resolved_part(asked).0),
    }
}

/// Returns the bindings that have addresses, and those that have none.
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

/// Returns whether a change creates a subscription with the topic, format and filter of a binding with an unknown
/// address.
fn is_missing_somewhere(planned: &PlannedChange, binding: &Binding<Target>) -> bool {
    match &planned.change {
        Change::Create { after, .. } => {
            (&after.topic, after.format, &after.filter) == (&binding.topic, binding.format, &binding.filter)
        }
        _ => false,
    }
}

type Alike = fn(&PlannedChange, &PlannedChange) -> bool;

fn is_same(a: &PlannedChange, b: &PlannedChange) -> bool {
    same_change(&a.change, &b.change)
}

fn is_missing_at_its_destination(a: &PlannedChange, b: &PlannedChange) -> bool {
    is_missing(a, b) && a.destinations.after == b.destinations.after
}

fn is_missing(a: &PlannedChange, b: &PlannedChange) -> bool {
    match (&a.change, &b.change) {
        (Change::Create { after, .. }, Change::Create { after: other, .. }) => {
            (&after.topic, after.format, &after.filter) == (&other.topic, other.format, &other.filter)
        }
        _ => false,
    }
}
