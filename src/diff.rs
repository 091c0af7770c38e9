//! Compares the wanted state and the live state of a shop, and returns the changes that make them equal. This module is
//! pure. A change is a create, an update or a delete, with its data in the variant. Unmanaged subscriptions are only
//! listed, unless the manifest has `unmanaged: delete`. Limits, consents, wire formats and the network are not part of
//! this module.

mod matching;
mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::catalog;
use crate::model::{Address, Binding, Field, Live, ScopeSet, SubscriptionId, Topic, Visibility};
use crate::state::{Desired, Entry, Observed, Ownership, Unmanaged, Wanted};

/// One change of one subscription.
// Boxed, because the plan of an empty fleet holds many creates, which have no side before. Shops of a plan share `after`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Creates a subscription.
    Create {
        /// The wanted binding.
        after: Arc<Binding>,
        /// Where the binding is defined.
        wanted: Wanted,
    },
    /// Updates a subscription in place: the id stays the same and no event is lost.
    Update {
        /// The subscription immediately before this change.
        before: Box<Entry<Live>>,
        /// The subscription after this change. A name and metafields that the binding does not have stay unchanged.
        after: Arc<Binding>,
        /// Fields that differ; never empty.
        fields: Vec<Field>,
        /// Reason for the update.
        reason: UpdateReason,
        /// The binding that requires the update; `None` for a name step.
        wanted: Option<Wanted>,
    },
    /// Deletes a subscription.
    Delete {
        /// The subscription immediately before this change.
        before: Box<Entry<Live>>,
        /// Reason for the delete.
        reason: DeleteReason,
    },
}

impl Change {
    /// Returns the subscription before the change; `None` for a create.
    pub fn before(&self) -> Option<&Entry<Live>> {
        match self {
            Self::Create { .. } => None,
            Self::Update { before, .. } | Self::Delete { before, .. } => Some(before),
        }
    }

    /// Returns the binding after the change; `None` for a delete.
    pub fn after(&self) -> Option<&Binding> {
        match self {
            Self::Create { after, .. } | Self::Update { after, .. } => Some(after),
            Self::Delete { .. } => None,
        }
    }

    /// Returns the topic, which is the same before and after a change.
    pub fn topic(&self) -> &Topic {
        match self {
            Self::Create { after, .. } | Self::Update { after, .. } => &after.topic,
            Self::Delete { before, .. } => &before.binding.topic,
        }
    }

    /// Returns the id of the subscription that is changed; `None` for a create.
    pub fn id(&self) -> Option<&SubscriptionId> {
        self.before().map(|before| &before.meta.id)
    }

    /// Returns the fields that an update changes; empty for a create or delete.
    pub fn fields(&self) -> &[Field] {
        match self {
            Self::Update { fields, .. } => fields,
            Self::Create { .. } | Self::Delete { .. } => &[],
        }
    }

    /// Returns `create`, `update` or `delete`.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Update { .. } => "update",
            Self::Delete { .. } => "delete",
        }
    }
}

/// Why a subscription is updated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateReason {
    /// Some fields differ.
    Differs,
    /// Address and filter both differ. For a consumer at the old address, this is equivalent to a delete.
    Repurposed,
    /// Another binding needs the name, so it is freed first.
    NameStep,
}

/// Why a subscription is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteReason {
    /// The subscription is managed, but no binding wants it.
    NotInManifest,
    /// The same binding is live more than once.
    Duplicate,
    /// A create replaces the subscription, because REST cannot change its format.
    Replaced,
    /// The subscription is unmanaged, and the manifest has `unmanaged: delete`.
    Unmanaged,
}

/// A binding that cannot be created or updated now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The binding.
    pub entry: Entry<Wanted>,
    /// Why the binding is blocked.
    pub why: Obstacle,
}

/// Why a binding is blocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// None of these scopes is granted.
    Scope(Vec<&'static str>),
    /// Events that are delivered to its address would be lost.
    Closed,
    /// Another subscription uses the wanted name and must not or cannot be renamed.
    NameTaken(Box<Entry<Live>>),
}

/// The result of comparing one shop with the manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShopDiff<'a> {
    /// Changes in the order in which they must be applied: creates and updates, then deletes.
    pub changes: Vec<Change>,
    /// Bindings that are live as wanted.
    pub bound: Vec<(&'a Entry<Wanted>, &'a Entry<Live>)>,
    /// Bindings that cannot be created or updated now.
    pub blocked: Vec<Blocked>,
    /// Deletes that are not planned because a binding of their topic is blocked.
    pub held_back: Vec<Entry<Live>>,
    /// Live managed subscriptions that REST cannot distinguish from one that realises a binding, because their filters
    /// are not shown. They are kept.
    pub look_alikes: Vec<Entry<Live>>,
    /// Number of live managed subscriptions.
    pub managed: usize,
    /// Live unmanaged subscriptions that are kept.
    pub unmanaged: Vec<Entry<Live>>,
}

/// Compares the wanted and the live state of one shop. The result does not depend on the order of either.
pub fn diff<'a>(desired: &'a Desired, observed: &'a Observed, ownership: &Ownership) -> ShopDiff<'a> {
    diff_around(desired, observed, ownership, &BTreeSet::new())
}

/// Like [`diff`], but no new binding uses the addresses in `closed`, because events that are delivered there would be
/// lost.
pub fn diff_around<'a>(
    desired: &'a Desired,
    observed: &'a Observed,
    ownership: &Ownership,
    closed: &BTreeSet<Address>,
) -> ShopDiff<'a> {
    let (managed, unmanaged): (Vec<_>, Vec<_>) =
        observed.entries.iter().partition(|live| ownership.covers(&live.binding.address));
    let matched = matching::match_all(&desired.entries, &managed);

    let mut out = ShopDiff { managed: managed.len(), ..ShopDiff::default() };
    let mut writes = Vec::new();
    let mut replaced: Vec<(&Entry<Wanted>, &Entry<Live>)> = Vec::new();
    for (wanted, live) in matched.pairs {
        let fields = live.differs_from(&wanted.binding);
        if fields.is_empty() {
            out.bound.push((wanted, live));
        } else if live.meta.visibility == Visibility::WithoutFilterAndName && fields.contains(&Field::Format) {
            writes.push(Write { wanted: wanted.clone(), live: None });
            replaced.push((wanted, live));
        } else {
            writes.push(Write { wanted: wanted.clone(), live: Some((live.clone(), fields)) });
        }
    }
    writes.extend(matched.missing.into_iter().map(|wanted| Write { wanted: wanted.clone(), live: None }));
    writes.sort_by(Write::order);

    out.look_alikes = matched.look_alikes.into_iter().cloned().collect();
    let mut deletes: Vec<(Entry<Live>, DeleteReason)> =
        matched.extra.into_iter().map(|(l, why)| (l.clone(), why)).collect();
    match ownership.unmanaged {
        Unmanaged::Delete => deletes.extend(unmanaged.iter().map(|&live| (live.clone(), DeleteReason::Unmanaged))),
        Unmanaged::Report | Unmanaged::Ignore => out.unmanaged = unmanaged.iter().map(|&live| live.clone()).collect(),
    }

    block_for_addresses(&mut writes, closed, &mut out.blocked);
    block_for_scopes(&mut writes, observed.scopes.as_ref(), &mut out.blocked);
    let planned = names::order(writes, &managed, &unmanaged, observed.scopes.as_ref(), &mut out.blocked);

    // If the create of a replacement is blocked, the old subscription is kept, as for a blocked update.
    replaced.retain(|(wanted, _)| !out.blocked.iter().any(|blocked| blocked.entry == **wanted));
    deletes.extend(replaced.into_iter().map(|(_, live)| (live.clone(), DeleteReason::Replaced)));

    let blocked_topics: BTreeSet<&Topic> = out.blocked.iter().map(|b| &b.entry.binding.topic).collect();
    let reduces_coverage = |reason: &DeleteReason| !matches!(reason, DeleteReason::Duplicate | DeleteReason::Replaced);
    let (held, mut deletes): (Vec<_>, Vec<_>) = deletes
        .into_iter()
        .partition(|(live, reason)| reduces_coverage(reason) && blocked_topics.contains(&live.binding.topic));
    out.held_back = held.into_iter().map(|(live, _)| live).collect();
    deletes.sort_by(|(a, _), (b, _)| live_order(a, b));
    for (mut before, reason) in deletes {
        if let Some(step) = planned.steps.get(&before.meta.id) {
            before.binding.name = Some(step.clone());
        }
        out.changes.push(Change::Delete { before: Box::new(before), reason });
    }
    out.changes.splice(0..0, planned.changes);

    out.bound.sort_by(|(a, x), (b, y)| wanted_order(a, b).then_with(|| x.meta.id.cmp(&y.meta.id)));
    out.blocked.sort_by(|a, b| wanted_order(&a.entry, &b.entry));
    out.held_back.sort_by(live_order);
    out.look_alikes.sort_by(live_order);
    out.unmanaged.sort_by(live_order);
    out
}

/// A create or update that can still be blocked.
#[derive(Debug, Clone)]
struct Write {
    wanted: Entry<Wanted>,
    live: Option<(Entry<Live>, Vec<Field>)>,
}

impl Write {
    fn order(a: &Self, b: &Self) -> std::cmp::Ordering {
        let id = |w: &Self| w.live.as_ref().map(|(live, _)| live.meta.id.clone());
        wanted_order(&a.wanted, &b.wanted).then_with(|| id(a).cmp(&id(b)))
    }

    /// Returns the name that this write sends, if it sends one.
    fn name_sent(&self) -> Option<&str> {
        match &self.live {
            Some((_, fields)) if !fields.contains(&Field::Name) => None,
            _ => self.wanted.binding.name.as_deref(),
        }
    }
}

fn block_for_addresses(writes: &mut Vec<Write>, closed: &BTreeSet<Address>, blocked: &mut Vec<Blocked>) {
    writes.retain(|write| {
        let binds = write.live.as_ref().is_none_or(|(_, fields)| fields.contains(&Field::Address));
        let open = !(binds && closed.contains(&write.wanted.binding.address));
        if !open {
            blocked.push(Blocked { entry: write.wanted.clone(), why: Obstacle::Closed });
        }
        open
    });
}

fn block_for_scopes(writes: &mut Vec<Write>, granted: Option<&ScopeSet>, blocked: &mut Vec<Blocked>) {
    writes.retain(|write| match granted.and_then(|g| catalog::missing_scopes(&write.wanted.binding.topic, g)) {
        None => true,
        Some(any_of) => {
            blocked.push(Blocked { entry: write.wanted.clone(), why: Obstacle::Scope(any_of) });
            false
        }
    });
}

/// Compares bindings by topic in slash form, then by the rest of the key, then by their place in the manifest.
pub(crate) fn wanted_order(a: &Entry<Wanted>, b: &Entry<Wanted>) -> std::cmp::Ordering {
    binding_order(&a.binding, &b.binding).then_with(|| a.meta.source.cmp(&b.meta.source))
}

fn live_order(a: &Entry<Live>, b: &Entry<Live>) -> std::cmp::Ordering {
    binding_order(&a.binding, &b.binding).then_with(|| a.meta.id.cmp(&b.meta.id))
}

fn binding_order(a: &Binding, b: &Binding) -> std::cmp::Ordering {
    a.topic.as_str().cmp(b.topic.as_str()).then_with(|| a.key().cmp(&b.key()))
}

/// Groups entries by topic.
fn by_topic<'a, M>(entries: impl IntoIterator<Item = &'a Entry<M>>) -> BTreeMap<&'a Topic, Vec<&'a Entry<M>>> {
    let mut topics: BTreeMap<&Topic, Vec<&Entry<M>>> = BTreeMap::new();
    for entry in entries {
        topics.entry(&entry.binding.topic).or_default().push(entry);
    }
    topics
}

#[cfg(test)]
pub(crate) mod tests;
