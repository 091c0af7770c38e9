//! Holds a saved plan against what it claims to come from.
//!
//! A plan file is sealed, not signed: whatever can write the file can also compute its digest. So nothing in it is
//! believed that can be computed: counts and hazards follow from the changes (`contradiction`), each change from the
//! manifest (`unasked`), and, once the shop was read, all of a topic's changes from both (`judge`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::subscription::{ParsedChange, parse_change};
use super::{hazards, summarise};
use crate::model::{Address, Binding};
use crate::state::{Desired, Entry, Ownership, Wanted};
use crate::wire::plan::{Action, Change, Hazard, Plan, Shop, ShopStatus};

/// What a plan says that cannot be true of one that this program wrote; `None` if it agrees with itself.
pub(super) fn contradiction(plan: &Plan) -> Option<String> {
    for shop in &plan.shops {
        let fits = match shop.status {
            ShopStatus::Changed => !shop.changes.is_empty() && shop.error.is_none(),
            ShopStatus::Unchanged => shop.changes.is_empty() && shop.error.is_none(),
            ShopStatus::Failed | ShopStatus::Unavailable => shop.changes.is_empty(),
        };
        if !fits {
            return Some(format!("the status of {} does not fit its changes", shop.shop));
        }
        if let Some(id) = changed_and_deleted(&shop.changes) {
            return Some(format!("two changes of {} contradict each other: both are of {id}", shop.shop));
        }
        if shop.managed > accounted_for(shop) {
            return Some(format!("{} has more managed subscriptions than it accounts for", shop.shop));
        }
    }
    let summary = summarise(&plan.shops);
    let complete = summary.shops.failed == 0 && plan.destinations.iter().all(|d| d.error.is_none());
    if summary != plan.summary || complete != plan.complete {
        return Some("its summary does not match its changes".to_owned());
    }
    // It is printed to be copied, and written into the file of `show --check --out`.
    let odd = |hazard: &&Hazard| hazard.allow != hazards::consent_to(&hazard.kind, hazard.shop.as_deref());
    if let Some(hazard) = plan.hazards.iter().find(odd) {
        return Some(format!("`allow` of the hazard {} does not follow from its kind and shop", hazard.kind));
    }
    let told = |hazard: &Hazard| {
        let same = |h: &Hazard| (&h.kind, &h.shop, &h.details) == (&hazard.kind, &hazard.shop, &hazard.details);
        plan.hazards.iter().any(same)
    };
    let untold = hazards::of_file(plan).into_iter().find(|hazard| !told(hazard))?;
    let of = untold.shop.map(|shop| format!(" of {shop}")).unwrap_or_default();
    Some(format!("its changes have the hazard {}{of}, which it does not name", untold.kind))
}

/// The most live managed subscriptions that a shop can have by what the plan says of it.
fn accounted_for(shop: &Shop) -> usize {
    let bound: usize = shop.bound.iter().map(|bound| bound.count).sum();
    let managed = shop.changes.iter().filter(|change| change.reason != "unmanaged");
    let changed: BTreeSet<&str> = managed.filter_map(|change| change.before.as_ref()?.id.as_deref()).collect();
    // A blocked binding may have a live subscription that cannot be updated.
    bound.saturating_add(changed.len() + kept(shop) + shop.blocked.len())
}

/// Live managed subscriptions that no binding asks for and that stay.
fn kept(shop: &Shop) -> usize {
    shop.findings.iter().filter(|f| matches!(f.kind.as_str(), "held_back" | "not_readable")).count()
}

/// An id that is deleted and also changed in another way than stepping aside with its name, or deleted twice.
pub(super) fn changed_and_deleted(changes: &[Change]) -> Option<&str> {
    let mut of_id: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        if let Some(id) = change.before.as_ref().and_then(|before| before.id.as_deref()) {
            of_id.entry(id).or_default().push(change);
        }
    }
    let contradicts = |all: &[&Change]| match all {
        [steps @ .., last] => {
            let deletes = all.iter().filter(|change| change.action == Action::Delete).count();
            let only_steps = steps.iter().all(|change| change.reason == "name_step");
            deletes > 1 || deletes == 1 && !(last.action == Action::Delete && only_steps)
        }
        [] => false,
    };
    of_id.into_iter().find(|(_, all)| contradicts(all)).map(|(id, _)| id)
}

/// The first change that the manifest does not ask for: an `after` that is no wanted binding, a delete of a wanted one,
/// or numbers that do not follow from the changes and the manifest. Needs no reading, so it can be said before anything
/// is sent.
pub fn unasked<'a>(planned: &'a Shop, desired: &Desired, ownership: &Ownership) -> Option<Unasked<'a>> {
    let asked =
        |change: &Change| parse_change(change).is_some_and(|parsed| is_asked(change, &parsed, desired, ownership));
    if let Some(change) = planned.changes.iter().find(|change| !asked(change)) {
        return Some(Unasked::Change(change));
    }
    let bound: usize = planned.bound.iter().map(|bound| bound.count).sum();
    let count = |action| planned.changes.iter().filter(|c| c.action == action && c.reason != "unmanaged").count();
    // Each wanted binding is live as wanted, updated, created or blocked; each live one is one of these or deleted or kept.
    let least =
        (desired.entries.len() + count(Action::Delete)).saturating_sub(count(Action::Create) + planned.blocked.len());
    let read = matches!(planned.status, ShopStatus::Changed | ShopStatus::Unchanged);
    let most = least + kept(planned) + planned.blocked.len();
    let fits = bound <= desired.entries.len() && (least..=most).contains(&planned.managed);
    (read && !fits).then_some(Unasked::Counts)
}

/// What a plan has of a shop that its manifest does not ask for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unasked<'a> {
    /// Numbers that do not follow from its changes.
    Counts,
    /// A change.
    Change(&'a Change),
}

fn is_asked(change: &Change, parsed: &ParsedChange, desired: &Desired, ownership: &Ownership) -> bool {
    match (change.action, &parsed.before, &parsed.after) {
        (Action::Create, _, Some(after)) => wanted(after, None, desired).is_some(),
        (Action::Update, Some((_, before)), Some(after)) if change.reason == "name_step" => {
            ownership.covers(&before.address)
                && Binding { name: None, ..before.clone() } == Binding { name: None, ..after.clone() }
        }
        (Action::Update, Some((_, before)), Some(after)) => {
            ownership.covers(&before.address) && wanted(after, Some(before), desired).is_some()
        }
        // Which of two alike is the second is known only when the shop was read.
        (Action::Delete, Some((_, before)), _) => match change.reason.as_str() {
            "duplicate" => ownership.covers(&before.address),
            "unmanaged" => !ownership.covers(&before.address),
            _ => {
                let key = before.key();
                ownership.covers(&before.address) && !desired.entries.iter().any(|entry| entry.binding.key() == key)
            }
        },
        _ => false,
    }
}

/// The wanted binding that a change makes: name and metafields that it does not ask for stay as they are.
fn wanted<'a>(after: &Binding, before: Option<&Binding>, desired: &'a Desired) -> Option<&'a Entry<Wanted>> {
    desired.entries.iter().find(|entry| {
        let mut asked = entry.binding.clone();
        asked.name = asked.name.or_else(|| before.and(after.name.clone()));
        asked.metafields = asked.metafields.or_else(|| before.and(after.metafields.clone()));
        asked == *after
    })
}

/// Writes the names that the manifest has for the addresses of a saved plan over those that the file has.
pub fn relabel(planned: &mut Shop, desired: &Desired, destinations: &BTreeMap<Arc<str>, Address>) {
    let named = |address: &str| {
        let named = destinations.iter().find(|(_, known)| known.as_str() == address);
        named.map(|(name, _)| name.to_string())
    };
    for change in &mut planned.changes {
        let asked = parse_change(change).and_then(|parsed| {
            let before = parsed.before.map(|(_, before)| before);
            wanted(&parsed.after?, before.as_ref(), desired)?.meta.destination.as_deref().map(str::to_owned)
        });
        change.destination.before = change.before.as_ref().and_then(|before| named(&before.address));
        change.destination.after = change.after.as_ref().and_then(|after| asked.or_else(|| named(&after.address)));
    }
}
