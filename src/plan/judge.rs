//! Whether a shop is still as a plan found it.
//!
//! Each subscription that the plan names is judged on its own: as its `before` it is to do, as its `after` it is
//! already so. Everything else that the changes were computed from must be as it was. So a plan that was cut short can
//! be applied again, and what does not concern it makes nothing stale.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::DestinationHealth;
use super::audit::changed_and_deleted;
use super::hazards::of_shop;
use super::shop::{Context, called_for, rest};
use super::subscription::{ParsedChange, parse_change};
use crate::model::{Binding, Field, Live, SubscriptionId, Visibility};
use crate::state::{Desired, Entry, Observed, Ownership, ShopLimits, Unmanaged};
use crate::wire::plan::{Action, Change, Hazard, Shop};

/// What a planned shop is held against.
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
    Do(Box<ParsedChange>),
    /// It is so already; with the subscription, unless that is gone as it should be.
    AlreadySo(Option<SubscriptionId>),
}

/// Why a shop is not as planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stale {
    /// A subscription that the plan names is neither as before nor as after.
    #[error("{topic}: subscription {id} was {what} since the plan was made")]
    Subscription {
        /// Its topic.
        topic: String,
        /// Its id.
        id: String,
        /// "changed" or "deleted".
        what: &'static str,
    },
    /// The list that was read has one subscription twice, so it cannot be trusted.
    #[error("the list of subscriptions that was read has {id} twice")]
    Repeated {
        /// Its id.
        id: String,
    },
    /// Something else changed that the plan was computed from.
    #[error("other subscriptions of the topics, names or scopes that the plan was made from have changed since")]
    Rest,
    /// A destination that was looked up is not what it was.
    #[error("{what}")]
    Destination {
        /// What changed.
        what: String,
    },
    /// The shop left the manifest, or the manifest is another one.
    #[error("this shop is not in the manifest that -f names")]
    NoShop,
    /// What the manifest asks of the shop differs from what the plan was made from.
    #[error("the manifest asks something else of this shop than when the plan was made")]
    Manifest,
    /// The plan changes or deletes what is not managed. It is sealed, not signed: whoever can write the file can write
    /// that, and it is not done all the same.
    #[error("{topic}: the plan changes a subscription outside the ownership rule")]
    NotOurs {
        /// Its topic.
        topic: String,
    },
    /// The manifest and the shop, as it was when the plan was made, call for other changes than the plan has.
    #[error(
        "the plan's changes are not those that the manifest and the shop call for: the file was edited, or written by \
         another version of hookwright"
    )]
    Changes,
    /// By what was read of the shop the plan goes past a limit that its own numbers do not.
    #[error("judged by the live subscriptions, the plan {message}, and no consent covers it")]
    Limit {
        /// The hazard's message.
        message: String,
    },
    /// The plan does not say what it was made from, or a part of it is missing.
    #[error("the plan lacks a part of this shop")]
    Unreadable,
}

/// Judges a shop of a saved plan against a fresh reading: one task for each change, in order, or why it is stale.
///
/// A plan file is not signed, so its changes are not believed: they are computed again from the manifest and from the
/// shop as the plan found it, and every topic that the plan changes must come out the same.
pub fn judge(planned: &Shop, observed: &Observed, asked: Asked<'_>) -> Result<Vec<Task>, Stale> {
    let ownership = asked.ownership;
    let changes: Option<Vec<ParsedChange>> = planned.changes.iter().map(parse_change).collect();
    let changes = changes.ok_or(Stale::Unreadable)?;
    let foreign = changes.iter().zip(&planned.changes).find(|(change, wire)| {
        let ours = change.before.as_ref().is_none_or(|(_, before)| ownership.covers(&before.address));
        let consented = change.action == Action::Delete && wire.reason == "unmanaged";
        !(ours || consented && ownership.unmanaged == Unmanaged::Delete)
    });
    if let Some((_, wire)) = foreign {
        return Err(Stale::NotOurs { topic: wire.topic.clone() });
    }
    if changed_and_deleted(&planned.changes).is_some() {
        return Err(Stale::Changes);
    }
    if let Some(id) = observed.repeated_id() {
        return Err(Stale::Repeated { id: id.to_string() });
    }
    let live: HashMap<&SubscriptionId, &Entry<Live>> = observed.entries.iter().map(|e| (&e.meta.id, e)).collect();
    let named: HashSet<&SubscriptionId> = changes.iter().filter_map(|c| c.before.as_ref().map(|(id, _)| id)).collect();

    let mut done = chains_done(planned, &changes, &live)?;
    // A create that is already so: a subscription with its key and fields that no change names.
    let mut made: HashMap<&SubscriptionId, usize> = HashMap::new();
    for (at, change) in changes.iter().enumerate().filter(|(_, c)| c.action == Action::Create) {
        let Some(after) = &change.after else { return Err(Stale::Unreadable) };
        let found = observed.entries.iter().find(|entry| {
            let free = !named.contains(&entry.meta.id) && !made.contains_key(&entry.meta.id);
            free && entry.binding.key() == after.key() && entry.differs_from(after).is_empty()
        });
        if let Some(entry) = found {
            made.insert(&entry.meta.id, at);
            done.insert(at, Some(entry.meta.id.clone()));
        }
    }

    let topics: BTreeSet<_> = changes.iter().filter_map(topic).collect();
    let writes: Vec<_> = changes.iter().filter(|c| c.action != Action::Delete).filter_map(topic).collect();
    let names: Vec<&str> = planned
        .changes
        .iter()
        .filter(|c| c.action == Action::Create || c.fields.iter().any(|f| f == "name"))
        .filter_map(|c| c.after.as_ref().and_then(|a| a.name.as_deref()))
        .collect();
    let is_named = |entry: &Entry<Live>| named.contains(&entry.meta.id) || made.contains_key(&entry.meta.id);
    let digest = rest(observed, ownership, &topics, &writes, &names, is_named);
    if planned.observed_digest.as_deref() != Some(digest.as_str()) {
        return Err(Stale::Rest);
    }
    let before = as_planned(planned, &changes, observed, &live, |id| made.contains_key(id));
    if !same_changes(planned, &changes, &called_for(asked, &before)) {
        return Err(Stale::Changes);
    }
    let task = |(at, change)| done.remove(&at).map_or_else(|| Task::Do(Box::new(change)), Task::AlreadySo);
    Ok(changes.into_iter().enumerate().map(task).collect())
}

/// Judges the limits of a shop by its reading. `known` are the hazards that have a consent.
pub fn within_limits(
    context: &Context<'_>,
    limits: &ShopLimits,
    planned: &Shop,
    known: &[Hazard],
    observed: &Observed,
    tasks: &[Task],
) -> Result<(), Stale> {
    let (ours, others): (Vec<_>, Vec<_>) =
        observed.entries.iter().partition(|entry| context.ownership.covers(&entry.binding.address));
    let (mut managed, mut unmanaged) = (ours.len(), others.len());
    // What this plan has made or deleted already is put back.
    for (change, _) in planned.changes.iter().zip(tasks).filter(|(_, task)| matches!(task, Task::AlreadySo(_))) {
        match change.action {
            Action::Create => managed = managed.saturating_sub(1),
            Action::Delete if change.reason == "unmanaged" => unmanaged += 1,
            Action::Delete => managed += 1,
            Action::Update => {}
        }
    }
    let real = Shop { managed, unmanaged, ..planned.clone() };
    let by_numbers = |hazard: &Hazard| matches!(hazard.kind.as_str(), "max_delete_percent" | "empty_shop");
    let is_known = |hazard: &Hazard| known.iter().any(|k| (&k.kind, &k.shop) == (&hazard.kind, &hazard.shop));
    let beyond = of_shop(context, &real, limits).into_iter().find(|hazard| by_numbers(hazard) && !is_known(hazard));
    beyond.map_or(Ok(()), |hazard| Err(Stale::Limit { message: hazard.message }))
}

fn topic(change: &ParsedChange) -> Option<&crate::model::Topic> {
    change.after.as_ref().or(change.before.as_ref().map(|(_, b)| b)).map(|b| &b.topic)
}

/// The updates and deletes that are already so. Several changes may name one subscription (it steps aside with its
/// name, then gets its own): it stands somewhere along that chain, and what lies behind it is done.
fn chains_done(
    planned: &Shop,
    changes: &[ParsedChange],
    live: &HashMap<&SubscriptionId, &Entry<Live>>,
) -> Result<HashMap<usize, Option<SubscriptionId>>, Stale> {
    let mut chains: HashMap<&SubscriptionId, Vec<usize>> = HashMap::new();
    for (at, change) in changes.iter().enumerate() {
        if let Some((id, _)) = &change.before {
            chains.entry(id).or_default().push(at);
        }
    }
    let mut done = HashMap::new();
    for (id, chain) in chains {
        let now = live.get(id).copied();
        let stands_before =
            |at: &usize| changes[*at].before.as_ref().is_some_and(|(_, b)| now.is_some_and(|n| same(b, n)));
        let ends = chain.last().is_some_and(|at| match (&changes[*at].after, now) {
            (Some(after), Some(now)) => same(after, now),
            (None, None) => true,
            _ => false,
        });
        let reached = if ends { Some(chain.len()) } else { chain.iter().position(stands_before) };
        let Some(reached) = reached else {
            let topic = chain.first().map(|at| planned.changes[*at].topic.clone()).unwrap_or_default();
            let what = if now.is_some() { "changed" } else { "deleted" };
            return Err(Stale::Subscription { topic, id: id.to_string(), what });
        };
        for at in &chain[..reached] {
            done.insert(*at, now.is_some().then(|| id.clone()));
        }
    }
    Ok(done)
}

/// The shop as the plan found it: what the plan's changes have made by now is undone.
fn as_planned(
    planned: &Shop,
    changes: &[ParsedChange],
    observed: &Observed,
    live: &HashMap<&SubscriptionId, &Entry<Live>>,
    made: impl Fn(&SubscriptionId) -> bool,
) -> Observed {
    let mut entries: HashMap<&SubscriptionId, Entry<Live>> =
        observed.entries.iter().filter(|e| !made(&e.meta.id)).map(|e| (&e.meta.id, e.clone())).collect();
    // Of several changes of one subscription the first says what was found.
    for (change, wire) in changes.iter().zip(&planned.changes).rev() {
        let Some((id, binding)) = &change.before else { continue };
        let meta = live.get(id).map_or_else(|| gone(id, wire, observed), |entry| entry.meta.clone());
        entries.insert(id, Entry { binding: binding.clone(), meta });
    }
    Observed { scopes: observed.scopes.clone(), entries: entries.into_values().collect() }
}

/// What the plan knows of a subscription that is gone by now.
fn gone(id: &SubscriptionId, wire: &Change, observed: &Observed) -> Live {
    let before = wire.before.as_ref();
    let time = |time: Option<&String>| time.cloned().unwrap_or_default();
    Live {
        id: id.clone(),
        created_at: time(before.and_then(|b| b.created_at.as_ref())),
        updated_at: time(before.and_then(|b| b.updated_at.as_ref())),
        api_version: None,
        // A transport shows the same of all subscriptions; without any other the plan's own word is as good.
        visibility: observed.entries.first().map_or(Visibility::Whole, |entry| entry.meta.visibility),
        app: observed.entries.first().and_then(|entry| entry.meta.app),
    }
}

/// Whether `called_for` has, of the topics that the plan changes, exactly the changes of the plan, in its order. Other
/// topics may have changed since: that makes nothing stale, and nothing is done about it.
fn same_changes(planned: &Shop, changes: &[ParsedChange], called_for: &[Change]) -> bool {
    let topics: HashSet<&str> = planned.changes.iter().map(|change| change.topic.as_str()).collect();
    let named: HashSet<&str> = changes.iter().filter_map(|c| c.before.as_ref().map(|(id, _)| id.as_str())).collect();
    let came_since = |change: &Change| {
        let id = change.before.as_ref().and_then(|before| before.id.as_deref());
        change.reason == "unmanaged" && id.is_some_and(|id| !named.contains(id))
    };
    let mut expected = called_for.iter().filter(|c| topics.contains(c.topic.as_str()) && !came_since(c));
    let same = |(wire, change): (&Change, &ParsedChange)| {
        expected.next().is_some_and(|other| {
            (wire.action, &wire.topic, &wire.reason, &wire.fields)
                == (other.action, &other.topic, &other.reason, &other.fields)
                && parse_change(other).as_ref() == Some(change)
        })
    };
    planned.changes.iter().zip(changes).all(same) && expected.next().is_none()
}

/// Whether two live states are the same in every compared field, name and metafields included, as far as they show.
fn same(planned: &Binding, now: &Entry<Live>) -> bool {
    let same_name = planned.name == now.binding.name || !now.meta.visibility.shows(Field::Name);
    planned.topic == now.binding.topic && now.differs_from(planned).is_empty() && same_name
}
