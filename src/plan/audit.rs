//! Compares a saved plan with the manifest that it names as its source.
//! A plan file has a digest but no signature: a program that can write the file can also compute the digest. Therefore
//! everything that can be computed is verified: counts and hazards against the changes (`contradiction`), each change
//! against the manifest (`unasked`), and, after the shop was read, all changes of a topic against both (`judge`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::hazards::{self, deletes_unmanaged};
use super::{Bound, FindingKind, Plan, PlannedChange, ShopPlan, is_complete, summarise};
use crate::diff::{Change, DeleteReason, UpdateReason};
use crate::model::{Address, Binding, Live, SubscriptionId};
use crate::state::{Desired, Entry, Ownership, Wanted};

/// Returns an inconsistency of a plan that this program cannot have written; `None` if the plan is consistent.
pub fn contradiction(plan: &Plan) -> Option<String> {
    for shop in &plan.shops {
        if let Some(id) = changed_and_deleted(&shop.changes) {
            return Some(format!("{} has conflicting changes of subscription {id}", shop.shop));
        }
        if shop.managed > accounted_for(shop) {
            return Some(format!(
                "{} has more managed subscriptions than its bindings, changes and findings account for",
                shop.shop
            ));
        }
    }
    let summary = summarise(&plan.shops);
    if summary != plan.summary || is_complete(&summary, &plan.destinations) != plan.complete {
        return Some("the summary does not match the changes".to_owned());
    }
    if let Some(consent) = plan.consents.iter().find(|consent| !consent.is_consistent(&plan.hazards)) {
        return Some(format!("the consent `{}` does not cover the hazards that the plan says", consent.allow));
    }
    let unlisted = hazards::of_file(plan).into_iter().find(|hazard| !plan.hazards.contains(hazard))?;
    let of = unlisted.shop.as_ref().map(|shop| format!(" of {shop}")).unwrap_or_default();
    Some(format!("the changes have the hazard `{}`{of}, but the plan does not list it", unlisted.kind.as_str()))
}

/// Returns the largest number of live managed subscriptions for which the plan of a shop accounts.
fn accounted_for(shop: &ShopPlan) -> usize {
    let bound: usize = shop.bound.iter().map(|bound| bound.count).sum();
    let all = shop.changes.iter().chain(&shop.left_out.changes);
    let managed = all.filter(|planned| !deletes_unmanaged(&planned.change));
    let changed: BTreeSet<&SubscriptionId> = managed.filter_map(|planned| planned.change.id()).collect();
    // A blocked binding can have a live subscription that cannot be updated.
    bound.saturating_add(changed.len() + kept(shop) + shop.blocked.len() + shop.left_out.blocked.len())
}

/// Returns the number of live managed subscriptions that no binding wants and that are kept.
fn kept(shop: &ShopPlan) -> usize {
    shop.findings.iter().filter(|f| matches!(f.kind, FindingKind::HeldBack | FindingKind::NotReadable)).count()
}

/// Returns the id of a subscription that is deleted twice, or deleted and also changed by something other than a name
/// step.
pub(super) fn changed_and_deleted(changes: &[PlannedChange]) -> Option<&SubscriptionId> {
    let mut of_id: BTreeMap<&SubscriptionId, Vec<&Change>> = BTreeMap::new();
    for PlannedChange { change, .. } in changes {
        if let Some(id) = change.id() {
            of_id.entry(id).or_default().push(change);
        }
    }
    let is_delete = |change: &Change| matches!(change, Change::Delete { .. });
    let contradicts = |all: &[&Change]| match all {
        [steps @ .., last] => {
            let deletes = all.iter().filter(|change| is_delete(change)).count();
            let only_steps = steps.iter().all(|change| is_name_step(change));
            deletes > 1 || deletes == 1 && !(is_delete(last) && only_steps)
        }
        [] => false,
    };
    of_id.into_iter().find(|(_, all)| contradicts(all)).map(|(id, _)| id)
}

fn is_name_step(change: &Change) -> bool {
    matches!(change, Change::Update { reason: UpdateReason::NameStep, .. })
}

/// Returns the first part of a shop's plan that the manifest does not require: an `after` that is not a wanted binding,
/// a delete of a wanted binding, or counts that do not match the changes and the manifest. Needs no reading, so it runs
/// before anything is sent.
pub fn unasked<'a>(planned: &'a ShopPlan, desired: &Desired, ownership: &Ownership) -> Option<Unasked<'a>> {
    let changes = || planned.changes.iter().map(|planned| &planned.change);
    if let Some(change) = changes().find(|change| !is_asked(change, desired, ownership)) {
        return Some(Unasked::Change(change));
    }
    let bound: usize = planned.bound.iter().map(|bound| bound.count).sum();
    let all = || changes().chain(planned.left_out.changes.iter().map(|left| &left.change));
    let creates = all().filter(|c| matches!(c, Change::Create { .. })).count();
    let deletes = all().filter(|c| matches!(c, Change::Delete { .. }) && !deletes_unmanaged(c)).count();
    let blocked = planned.blocked.len() + planned.left_out.blocked.len();
    // Each wanted binding is live as wanted, updated, created or blocked. Each live subscription realises one of these,
    // is deleted, or is kept.
    let least = (desired.entries.len() + deletes).saturating_sub(creates + blocked);
    let most = least + kept(planned) + blocked;
    let fits = bound <= desired.entries.len() && (least..=most).contains(&planned.managed);
    (planned.unread.is_none() && !fits).then_some(Unasked::Counts)
}

/// A part of a shop's plan that the manifest does not require.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unasked<'a> {
    /// Counts that do not match the changes and the manifest.
    Counts,
    /// A change that the manifest does not require.
    Change(&'a Change),
}

fn is_asked(change: &Change, desired: &Desired, ownership: &Ownership) -> bool {
    let owned = |before: &Entry<Live>| ownership.covers(&before.binding.address);
    match change {
        Change::Create { after, .. } => wanted(after, None, desired).is_some(),
        Change::Update { before, after, reason: UpdateReason::NameStep, .. } => {
            let without_name = |binding: &Binding| Binding { name: None, ..binding.clone() };
            owned(before) && without_name(&before.binding) == without_name(after)
        }
        Change::Update { before, after, .. } => {
            owned(before) && wanted(after, Some(&before.binding), desired).is_some()
        }
        // Which of two equal subscriptions is the duplicate is known only after the shop was read.
        Change::Delete { before, reason } => match reason {
            DeleteReason::Duplicate => owned(before),
            DeleteReason::Unmanaged => !owned(before),
            DeleteReason::NotInManifest | DeleteReason::Replaced => {
                let key = before.binding.key();
                owned(before) && !desired.entries.iter().any(|entry| entry.binding.key() == key)
            }
        },
    }
}

/// Returns the wanted binding that a change realises. A name and metafields that the binding does not have stay
/// unchanged.
fn wanted<'a>(after: &Binding, before: Option<&Binding>, desired: &'a Desired) -> Option<&'a Entry<Wanted>> {
    desired.entries.iter().find(|entry| {
        let mut asked = entry.binding.clone();
        asked.name = asked.name.or_else(|| before.and(after.name.clone()));
        asked.metafields = asked.metafields.or_else(|| before.and(after.metafields.clone()));
        asked == *after
    })
}

/// Replaces the names of destinations in a saved plan with the names that the manifest has for the addresses. Hazards are judged
/// with these names, so that those in the file have no effect.
pub fn relabel(planned: &mut ShopPlan, desired: &Desired, destinations: &BTreeMap<Arc<str>, Address>) {
    let named = |address: &Address| {
        let named = destinations.iter().find(|(_, known)| *known == address);
        named.map(|(name, _)| Arc::clone(name))
    };
    for PlannedChange { change, destinations: names, .. } in &mut planned.changes {
        let before = change.before().map(|before| &before.binding);
        names.before = before.and_then(|before| named(&before.address));
        names.after = change.after().and_then(|after| {
            let asked = wanted(after, before, desired).and_then(|entry| entry.meta.destination.clone());
            asked.or_else(|| named(&after.address))
        });
    }
    let label = |entry: &Entry<Wanted>| {
        let name = entry.meta.destination.clone();
        let name = name.or_else(|| named(&entry.binding.address));
        name.unwrap_or_else(|| entry.binding.address.shared())
    };
    if planned.unread.is_none() {
        planned.bound = bound(planned, desired, label);
    }
}

/// Returns the wanted bindings that no change realises and that are not blocked, with their labels.
fn bound(planned: &ShopPlan, desired: &Desired, label: impl Fn(&Entry<Wanted>) -> Arc<str>) -> Arc<[Bound]> {
    let mut left: Vec<&Entry<Wanted>> = desired.entries.iter().collect();
    for PlannedChange { change, .. } in planned.changes.iter().filter(|planned| !is_name_step(&planned.change)) {
        let before = change.before().map(|before| &before.binding);
        let asked = change.after().and_then(|after| wanted(after, before, desired));
        if let Some(at) = asked.and_then(|asked| left.iter().position(|entry| std::ptr::eq(*entry, asked))) {
            left.remove(at);
        }
    }
    for blocked in &planned.blocked {
        let of_topic = |entry: &&&Entry<Wanted>| entry.binding.topic == blocked.topic;
        let same = left.iter().position(|entry| of_topic(&entry) && label(entry) == blocked.destination);
        if let Some(at) = same.or_else(|| left.iter().position(|entry| of_topic(&entry))) {
            left.remove(at);
        }
    }
    let mut counts: BTreeMap<(Arc<str>, Arc<str>), usize> = BTreeMap::new();
    for entry in left {
        *counts.entry((entry.binding.topic.shared(), label(entry))).or_default() += 1;
    }
    counts.into_iter().map(|((topic, destination), count)| Bound { topic, destination, count }).collect()
}
