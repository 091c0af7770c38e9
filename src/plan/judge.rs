//! Whether a shop is still as a plan found it.
//!
//! Each subscription that the plan names is judged on its own: as its `before` it is to do, as its `after` it is
//! already so. Everything else that the changes were computed from must be as it was. So a plan that was cut short can
//! be applied again, and what does not concern it makes nothing stale.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::audit::changed_and_deleted;
use super::change::same_change;
use super::hazards::{deletes_unmanaged, of_shop};
use super::{Context, DestinationHealth, Hazard, HazardName, PlannedChange, ShopPlan, UnknownWords, digest};
use crate::diff::{Change, diff_around};
use crate::model::{Binding, Field, Live, SubscriptionId, Topic, Visibility};
use crate::state::{Desired, Entry, Observed, Ownership, ShopLimits, Unmanaged};

/// What a planned shop is compared with.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What the manifest asks of the shop now.
    pub desired: &'a Desired,
    /// The manifest's rule.
    pub ownership: &'a Ownership,
    /// The addresses that nothing could be bound to when the plan was made.
    pub inlets: &'a DestinationHealth,
}

/// What is left to do of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// It is still to do.
    Do,
    /// It is so already; with the subscription, unless that is gone as it should be.
    AlreadySo(Option<SubscriptionId>),
}

/// Why a shop is not as planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stale {
    /// A subscription that the plan names is neither as before nor as after.
    #[error("{topic}: subscription {id} was {what} after the plan was made")]
    Subscription {
        /// Its topic.
        topic: String,
        /// Its id.
        id: String,
        /// "changed" or "deleted".
        what: &'static str,
    },
    /// The list that was read has one subscription twice, so it cannot be trusted.
    #[error("the shop listed subscription {id} twice")]
    Repeated {
        /// Its id.
        id: String,
    },
    /// Something else changed that the plan was computed from.
    #[error("other subscriptions, names or scopes on which the plan depends changed after it was made")]
    Rest,
    /// A destination that was looked up is not what it was.
    #[error("{what}")]
    Destination {
        /// What changed.
        what: String,
    },
    /// The shop left the manifest, or the manifest is another one.
    #[error("the shop is not in the manifest given with `-f`")]
    NoShop,
    /// What the manifest asks of the shop differs from what the plan was made from.
    #[error("the manifest changed for this shop after the plan was made")]
    Manifest,
    /// The plan changes or deletes what is not managed. It is sealed, not signed: whoever can write the file can write
    /// that, and it is not done all the same.
    #[error("{topic}: the plan changes a subscription that is not managed by this manifest")]
    NotOurs {
        /// Its topic.
        topic: String,
    },
    /// The manifest and the shop, as it was when the plan was made, call for other changes than the plan has.
    #[error(
        "the plan's changes differ from those that the manifest and the shop require: the file was edited or written \
         by another version of Hookwright"
    )]
    Changes,
    /// By what was read of the shop the plan goes past a limit that its own numbers do not.
    #[error("measured against the live subscriptions, the plan {message}, and no consent covers this")]
    Limit {
        /// The hazard's message.
        message: String,
    },
}

/// Judges a shop of a saved plan against a fresh reading: one task for each change, in order, or why it is stale.
///
/// A plan file is not signed, so its changes are not believed: they are computed again from the manifest and from the
/// shop as the plan found it, and every topic that the plan changes must come out the same.
pub fn judge(planned: &ShopPlan, observed: &Observed, asked: Asked<'_>) -> Result<Vec<Task>, Stale> {
    let ownership = asked.ownership;
    let changes: Vec<&Change> = planned.changes.iter().map(|planned| &planned.change).collect();
    let foreign = changes.iter().find(|change| {
        let ours = change.before().is_none_or(|before| ownership.covers(&before.binding.address));
        !(ours || deletes_unmanaged(change) && ownership.unmanaged == Unmanaged::Delete)
    });
    if let Some(change) = foreign {
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
    // A create that is already so: a subscription with its key and fields that no change names.
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

/// Judges the limits of a shop by its reading. `known` are the hazards that have a consent.
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
    // What this plan has made or deleted already is put back.
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
    let beyond = of_shop(context, &real, limits).into_iter().find(|hazard| by_numbers(hazard) && !is_known(hazard));
    beyond.map_or(Ok(()), |hazard| Err(Stale::Limit { message: hazard.message() }))
}

/// The changes of one subscription, with their places and what each expects.
type Chain<'a> = Vec<(usize, &'a Change, &'a Entry<Live>)>;

/// The updates and deletes that are already so. Several changes may name one subscription (it steps aside with its
/// name, then gets its own): it stands somewhere along that chain, and what lies behind it is done.
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
        let stands_before =
            |(_, _, before): &(usize, &Change, &Entry<Live>)| now.is_some_and(|n| same(&before.binding, n));
        let ends = chain.last().is_some_and(|(_, change, _)| match (change.after(), now) {
            (Some(after), Some(now)) => same(after, now),
            (None, None) => true,
            _ => false,
        });
        let reached = if ends { Some(chain.len()) } else { chain.iter().position(stands_before) };
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

/// The shop as the plan found it: what the plan's changes have made by now is undone.
fn as_planned(
    changes: &[&Change],
    observed: &Observed,
    live: &HashMap<&SubscriptionId, &Entry<Live>>,
    made: impl Fn(&SubscriptionId) -> bool,
) -> Observed {
    let mut entries: HashMap<&SubscriptionId, Entry<Live>> =
        observed.entries.iter().filter(|e| !made(&e.meta.id)).map(|e| (&e.meta.id, e.clone())).collect();
    // Of several changes of one subscription the first says what was found.
    for before in changes.iter().rev().filter_map(|change| change.before()) {
        let id = &before.meta.id;
        let meta = live.get(id).map_or_else(|| gone(&before.meta, observed), |entry| entry.meta.clone());
        entries.insert(id, Entry { binding: before.binding.clone(), meta });
    }
    Observed { scopes: observed.scopes.clone(), entries: entries.into_values().collect() }
}

/// What the plan knows of a subscription that is gone by now.
fn gone(planned: &Live, observed: &Observed) -> Live {
    Live {
        api_version: None,
        // A transport shows the same of all subscriptions. Without any other, the whole of it is taken as known.
        visibility: observed.entries.first().map_or(Visibility::Whole, |entry| entry.meta.visibility),
        app: observed.entries.first().and_then(|entry| entry.meta.app),
        ..planned.clone()
    }
}

/// Whether `called_for` has, of the topics that the plan changes, exactly the changes of the plan, in its order. Other
/// topics may have changed since: that makes nothing stale, and nothing is done about it.
fn same_changes(planned: &[PlannedChange], called_for: &[Change]) -> bool {
    let topics: BTreeSet<&Topic> = planned.iter().map(|planned| planned.change.topic()).collect();
    let named: HashSet<&SubscriptionId> = planned.iter().filter_map(|planned| planned.change.id()).collect();
    let came_since = |change: &Change| deletes_unmanaged(change) && change.id().is_some_and(|id| !named.contains(id));
    let mut expected = called_for.iter().filter(|c| topics.contains(c.topic()) && !came_since(c));
    let same = |planned: &PlannedChange| {
        planned.unknown == UnknownWords::default()
            && expected.next().is_some_and(|other| same_change(&planned.change, other))
    };
    planned.iter().all(same) && expected.next().is_none()
}

/// Whether two live states are the same in every compared field, name and metafields included, as far as they show.
fn same(planned: &Binding, now: &Entry<Live>) -> bool {
    let same_name = planned.name == now.binding.name || !now.meta.visibility.shows(Field::Name);
    planned.topic == now.binding.topic && now.differs_from(planned).is_empty() && same_name
}
