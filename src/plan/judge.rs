//! Judges whether a shop is still as planned.
//! Each subscription that the plan names is judged on its own: if it equals `before`, its change is still to do; if it
//! equals `after`, the change is already in effect. Everything else on which the changes depend must be unchanged.
//! Therefore a plan that was interrupted can be applied again, and an unrelated change in the shop does not make the
//! plan stale.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::audit::changed_and_deleted;
use super::change::same_change;
use super::hazards::{deletes_unmanaged, of_shop};
use super::{Context, DestinationHealth, Hazard, HazardName, PlannedChange, ShopPlan, digest};
use crate::diff::{Change, diff_around};
use crate::model::{Binding, Field, Live, SubscriptionId, Topic, Visibility};
use crate::state::{Desired, Entry, Observed, Ownership, ShopLimits, Unmanaged};

/// The wanted state with which a planned shop is compared.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Wanted state of the shop in the manifest now.
    pub desired: &'a Desired,
    /// Ownership rule of the manifest.
    pub ownership: &'a Ownership,
    /// Verdicts about addresses at the time of the plan.
    pub inlets: &'a DestinationHealth,
}

/// The remaining work for one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// The change is still to do.
    Do,
    /// The change is already in effect. Contains the subscription, unless the change is a delete.
    AlreadySo(Option<SubscriptionId>),
}

/// Why a shop is stale.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stale {
    /// A subscription that the plan names equals neither `before` nor `after`.
    #[error("{topic}: subscription {id} was {what} after the plan was created")]
    Subscription {
        /// Topic of the subscription.
        topic: String,
        /// Id of the subscription.
        id: String,
        /// "changed" or "deleted".
        what: &'static str,
    },
    /// The shop listed a subscription twice, so the list is not reliable.
    #[error("the shop listed subscription {id} twice")]
    Repeated {
        /// Id of the subscription.
        id: String,
    },
    /// Something else on which the changes depend has changed.
    #[error("other subscriptions, names or scopes on which the plan depends changed after it was created")]
    Rest,
    /// A destination that was looked up at Adobe has changed.
    #[error("{what}")]
    Destination {
        /// Description of the change.
        what: String,
    },
    /// The manifest does not contain the shop.
    #[error("the shop is not in the manifest given with `-f`")]
    NoShop,
    /// The wanted state of the shop in the manifest has changed.
    #[error("the manifest changed for this shop after the plan was created")]
    Manifest,
    /// The plan changes or deletes an unmanaged subscription. A plan file is not signed, so an edited file can contain
    /// such a change, which is not applied.
    #[error("{topic}: the plan changes a subscription that is not managed by this manifest")]
    NotOurs {
        /// Topic of the subscription.
        topic: String,
    },
    /// The manifest and the shop, as it was when the plan was made, require other changes than those of the plan.
    #[error(
        "the plan's changes differ from those that the manifest and the shop require: the file was edited or written \
         by another version of Hookwright"
    )]
    Changes,
    /// With the figures of the reading, the plan has a hazard that it does not have with its own figures.
    #[error("the plan {message} if it is judged by the current live subscriptions, and has no consent for that")]
    Limit {
        /// Message of the hazard.
        message: String,
    },
}

/// Judges a shop of a saved plan against a fresh reading. Returns one task for each change, in order, or why the shop
/// is stale. A plan file is not signed, so its changes are verified: they are computed again from the manifest and from
/// the shop as it was when the plan was made. For each topic that the plan changes, the result must equal the plan.
pub fn judge(planned: &ShopPlan, observed: &Observed, asked: Asked<'_>) -> Result<Vec<Task>, Stale> {
    let ownership = asked.ownership;
    let changes: Vec<&Change> = planned.changes.iter().map(|planned| &planned.change).collect();
    let unmanaged = changes.iter().find(|change| {
        let ours = change.before().is_none_or(|before| ownership.covers(&before.binding.address));
        !(ours || deletes_unmanaged(change) && ownership.unmanaged == Unmanaged::Delete)
    });
    if let Some(change) = unmanaged {
        return Err(Stale::NotOurs { topic: change.topic().to_string() });
    }
    if changed_and_deleted(&planned.changes).is_some() {
        return Err(Stale::Changes);
    }
    if let Some(id) = observed.repeated_id() {
        return Err(Stale::Repeated { id: id.to_string() });
    }
    let live: HashMap<&SubscriptionId, &Entry<Live>> = observed.entries.iter().map(|e| (&e.meta.id, e)).collect();
    let named: HashSet<&SubscriptionId> = changes.iter().filter_map(|c| c.id()).collect();

    let mut done = chains_done(&changes, &live)?;
    // A create is already in effect if there is a subscription with its key and fields that no change names.
    let mut made: HashSet<&SubscriptionId> = HashSet::new();
    for (at, change) in changes.iter().enumerate() {
        let Change::Create { after, .. } = change else { continue };
        let found = observed.entries.iter().find(|entry| {
            let free = !named.contains(&entry.meta.id) && !made.contains(&entry.meta.id);
            free && entry.binding.key() == after.key() && entry.differs_from(after).is_empty()
        });
        if let Some(entry) = found {
            made.insert(&entry.meta.id);
            done.insert(at, Some(entry.meta.id.clone()));
        }
    }

    let made = |id: &SubscriptionId| made.contains(id);
    let digest = digest::context_digest(changes.iter().copied(), observed, ownership, made);
    if planned.context_digest.as_deref() != Some(digest.as_str()) {
        return Err(Stale::Rest);
    }
    let before = as_planned(&changes, observed, &live, made);
    let called_for = diff_around(asked.desired, &before, ownership, &asked.inlets.closed).changes;
    if !same_changes(&planned.changes, &called_for) {
        return Err(Stale::Changes);
    }
    Ok((0..changes.len()).map(|at| done.remove(&at).map_or(Task::Do, Task::AlreadySo)).collect())
}

/// Judges the limits of a shop with the figures of a reading. `known` contains the hazards of the plan, for which
/// consent was given.
pub fn within_limits(
    context: &Context<'_>,
    limits: &ShopLimits,
    planned: &ShopPlan,
    known: &[Hazard],
    observed: &Observed,
    tasks: &[Task],
) -> Result<(), Stale> {
    let (ours, others): (Vec<_>, Vec<_>) =
        observed.entries.iter().partition(|entry| context.ownership.covers(&entry.binding.address));
    let (mut managed, mut unmanaged) = (ours.len(), others.len());
    // Changes of this plan that are already in effect are reverted in the figures.
    let already_so = planned.changes.iter().zip(tasks).filter(|(_, task)| matches!(task, Task::AlreadySo(_)));
    for (PlannedChange { change, .. }, _) in already_so {
        match change {
            Change::Create { .. } => managed = managed.saturating_sub(1),
            Change::Delete { .. } if deletes_unmanaged(change) => unmanaged += 1,
            Change::Delete { .. } => managed += 1,
            Change::Update { .. } => {}
        }
    }
    let real = ShopPlan { managed, unmanaged, ..planned.clone() };
    let by_numbers =
        |hazard: &Hazard| matches!(hazard.kind.name(), Some(HazardName::MaxDeletePercent | HazardName::EmptyShop));
    let is_known = |hazard: &Hazard| known.iter().any(|k| k.is_like(hazard));
    let beyond =
        of_shop(context, &real, limits, None).into_iter().find(|hazard| by_numbers(hazard) && !is_known(hazard));
    beyond.map_or(Ok(()), |hazard| Err(Stale::Limit { message: hazard.message() }))
}

/// The changes of one subscription, with their indices and the `before` that each expects.
type Chain<'a> = Vec<(usize, &'a Change, &'a Entry<Live>)>;

/// Returns the updates and deletes that are already in effect, by index. Several changes can name one subscription (a
/// name step, then an update). The live subscription matches some point of this chain; all changes before this point
/// are in effect.
fn chains_done(
    changes: &[&Change],
    live: &HashMap<&SubscriptionId, &Entry<Live>>,
) -> Result<HashMap<usize, Option<SubscriptionId>>, Stale> {
    let mut chains: HashMap<&SubscriptionId, Chain<'_>> = HashMap::new();
    for (at, change) in changes.iter().enumerate() {
        if let Some(before) = change.before() {
            chains.entry(&before.meta.id).or_default().push((at, change, before));
        }
    }
    let mut done = HashMap::new();
    for (id, chain) in chains {
        let now = live.get(id).copied();
        let equals_before =
            |(_, _, before): &(usize, &Change, &Entry<Live>)| now.is_some_and(|n| same(&before.binding, n));
        let ends = chain.last().is_some_and(|(_, change, _)| match (change.after(), now) {
            (Some(after), Some(now)) => same(after, now),
            (None, None) => true,
            _ => false,
        });
        let reached = if ends { Some(chain.len()) } else { chain.iter().position(equals_before) };
        let Some(reached) = reached else {
            let topic = chain.first().map(|(_, change, _)| change.topic().to_string()).unwrap_or_default();
            let what = if now.is_some() { "changed" } else { "deleted" };
            return Err(Stale::Subscription { topic, id: id.to_string(), what });
        };
        for (at, ..) in &chain[..reached] {
            done.insert(*at, now.is_some().then(|| id.clone()));
        }
    }
    Ok(done)
}

/// Reconstructs the shop as it was when the plan was made: reverts the changes of the plan that are already in effect.
fn as_planned(
    changes: &[&Change],
    observed: &Observed,
    live: &HashMap<&SubscriptionId, &Entry<Live>>,
    made: impl Fn(&SubscriptionId) -> bool,
) -> Observed {
    let mut entries: HashMap<&SubscriptionId, Entry<Live>> =
        observed.entries.iter().filter(|e| !made(&e.meta.id)).map(|e| (&e.meta.id, e.clone())).collect();
    // The first of several changes of one subscription has its original state.
    for before in changes.iter().rev().filter_map(|change| change.before()) {
        let id = &before.meta.id;
        let meta = live.get(id).map_or_else(|| gone(&before.meta, observed), |entry| entry.meta.clone());
        entries.insert(id, Entry { binding: before.binding.clone(), meta });
    }
    Observed { scopes: observed.scopes.clone(), entries: entries.into_values().collect() }
}

/// Reconstructs the data of a subscription that no longer exists from the plan.
fn gone(planned: &Live, observed: &Observed) -> Live {
    Live {
        api_version: None,
        // A transport shows the same fields of all subscriptions. Without another subscription, all fields are assumed
        // to be shown.
        visibility: observed.entries.first().map_or(Visibility::Whole, |entry| entry.meta.visibility),
        app: observed.entries.first().and_then(|entry| entry.meta.app),
        ..planned.clone()
    }
}

/// Returns whether the changes in `called_for` of the topics that the plan changes are exactly the changes of the plan,
/// in the same order. Changes of other topics are ignored: they do not make the plan stale, and they are not applied.
fn same_changes(planned: &[PlannedChange], called_for: &[Change]) -> bool {
    let topics: BTreeSet<&Topic> = planned.iter().map(|planned| planned.change.topic()).collect();
    let named: HashSet<&SubscriptionId> = planned.iter().filter_map(|planned| planned.change.id()).collect();
    let is_new = |change: &Change| deletes_unmanaged(change) && change.id().is_some_and(|id| !named.contains(id));
    let mut expected = called_for.iter().filter(|c| topics.contains(c.topic()) && !is_new(c));
    let same = |planned: &PlannedChange| {
        planned.unknown.is_none() && expected.next().is_some_and(|other| same_change(&planned.change, other))
    };
    planned.iter().all(same) && expected.next().is_none()
}

/// Returns whether a live subscription equals a planned state in all fields that the transport shows, including name
/// and metafields.
fn same(planned: &Binding, now: &Entry<Live>) -> bool {
    let same_name = planned.name == now.binding.name || !now.meta.visibility.shows(Field::Name);
    planned.topic == now.binding.topic && now.differs_from(planned).is_empty() && same_name
}
