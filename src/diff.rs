//! The heart: a pure function from what a shop should have and what it has to what would make them equal.
//!
//! Three verbs, the data in the variant. Whatever is outside the ownership rule is mentioned at most, unless the
//! manifest says `unmanaged: delete`. Knows nothing of limits, consents, wire formats or the network.

mod matching;
mod names;

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog;
use crate::model::{Address, Binding, Field, Live, ScopeSet, SubscriptionId, Topic, Visibility};
use crate::state::{Desired, Entry, Observed, Ownership, Unmanaged, Wanted};

/// One change of one subscription.
#[expect(clippy::large_enum_variant, reason = "a plan holds few changes, and most are updates")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Subscribe.
    Create {
        /// The wanted binding.
        after: Binding,
        /// Where it is wanted.
        wanted: Wanted,
    },
    /// Change in place: the id stays and no event is lost.
    Update {
        /// As it is when its turn comes.
        before: Entry<Live>,
        /// As it will be: name and metafields that the binding does not ask for stay as they are.
        after: Binding,
        /// What differs; never empty.
        fields: Vec<Field>,
        /// Why.
        reason: UpdateReason,
        /// The binding that asks for it; none for a name step of a subscription that no binding asks for.
        wanted: Option<Wanted>,
    },
    /// Unsubscribe.
    Delete {
        /// As it is when its turn comes.
        before: Entry<Live>,
        /// Why.
        reason: DeleteReason,
    },
}

impl Change {
    /// The subscription as it is; none for a create.
    pub fn before(&self) -> Option<&Entry<Live>> {
        match self {
            Self::Create { .. } => None,
            Self::Update { before, .. } | Self::Delete { before, .. } => Some(before),
        }
    }

    /// The binding as it will be; none for a delete.
    pub fn after(&self) -> Option<&Binding> {
        match self {
            Self::Create { after, .. } | Self::Update { after, .. } => Some(after),
            Self::Delete { .. } => None,
        }
    }

    /// The topic, which no change changes.
    pub fn topic(&self) -> &Topic {
        match self {
            Self::Create { after, .. } | Self::Update { after, .. } => &after.topic,
            Self::Delete { before, .. } => &before.binding.topic,
        }
    }

    /// The subscription that is changed; none for a create.
    pub fn id(&self) -> Option<&SubscriptionId> {
        self.before().map(|before| &before.meta.id)
    }

    /// The fields that an update changes.
    pub fn fields(&self) -> &[Field] {
        match self {
            Self::Update { fields, .. } => fields,
            Self::Create { .. } | Self::Delete { .. } => &[],
        }
    }

    /// The word for what is done.
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
    /// Address and filter both differ: for whoever reads the old address it is as good as deleted.
    Repurposed,
    /// Its name is needed elsewhere and is freed first.
    NameStep,
}

/// Why a subscription is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteReason {
    /// Managed, and no binding asks for it.
    NotInManifest,
    /// The same binding is live a second time.
    Duplicate,
    /// A create stands in its place: REST cannot change its format.
    Replaced,
    /// Outside the ownership rule, and the manifest says `unmanaged: delete`.
    Unmanaged,
}

/// A binding that cannot be made now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The binding.
    pub entry: Entry<Wanted>,
    /// What is in the way.
    pub why: Obstacle,
}

/// What is in the way of a binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// None of these scopes is granted.
    Scope(Vec<&'static str>),
    /// What is delivered to its address would be lost.
    Closed,
    /// The wanted name is held by a subscription that may not or cannot be renamed.
    NameTaken(Box<Entry<Live>>),
}

/// What would make one shop equal to the manifest, and what is in the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShopDiff<'a> {
    /// In the order in which they have to be made: creates and updates, then deletes.
    pub changes: Vec<Change>,
    /// Bindings that are live as wanted.
    pub bound: Vec<(&'a Entry<Wanted>, &'a Entry<Live>)>,
    /// Bindings that cannot be made now.
    pub blocked: Vec<Blocked>,
    /// Deletes that are not planned because a binding of their topic is blocked.
    pub held_back: Vec<Entry<Live>>,
    /// Live managed subscriptions that REST cannot tell from one that realises a binding: each may have a filter of its
    /// own. They stay.
    pub look_alikes: Vec<Entry<Live>>,
    /// Number of live managed subscriptions.
    pub managed: usize,
    /// Live subscriptions outside the ownership rule that stay.
    pub unmanaged: Vec<Entry<Live>>,
}

/// Compares one shop. The result does not depend on the order of either side.
pub fn diff<'a>(desired: &'a Desired, observed: &'a Observed, ownership: &Ownership) -> ShopDiff<'a> {
    diff_around(desired, observed, ownership, &BTreeSet::new())
}

/// As [`diff`], but nothing is newly bound to the addresses in `closed`: what is delivered there would be lost.
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

    // Where the new one is blocked, the old one is as good as a binding that cannot be updated: it stays.
    replaced.retain(|(wanted, _)| !out.blocked.iter().any(|blocked| blocked.entry == **wanted));
    deletes.extend(replaced.into_iter().map(|(_, live)| (live.clone(), DeleteReason::Replaced)));

    let blocked_topics: BTreeSet<&Topic> = out.blocked.iter().map(|b| &b.entry.binding.topic).collect();
    let stands_in_for_none =
        |reason: &DeleteReason| !matches!(reason, DeleteReason::Duplicate | DeleteReason::Replaced);
    let (held, mut deletes): (Vec<_>, Vec<_>) = deletes
        .into_iter()
        .partition(|(live, reason)| stands_in_for_none(reason) && blocked_topics.contains(&live.binding.topic));
    out.held_back = held.into_iter().map(|(live, _)| live).collect();
    deletes.sort_by(|(a, _), (b, _)| live_order(a, b));
    for (mut before, reason) in deletes {
        if let Some(step) = planned.steps.get(&before.meta.id) {
            before.binding.name = Some(step.clone());
        }
        out.changes.push(Change::Delete { before, reason });
    }
    out.changes.splice(0..0, planned.changes);

    out.bound.sort_by(|(a, x), (b, y)| wanted_order(a, b).then_with(|| x.meta.id.cmp(&y.meta.id)));
    out.blocked.sort_by(|a, b| wanted_order(&a.entry, &b.entry));
    out.held_back.sort_by(live_order);
    out.look_alikes.sort_by(live_order);
    out.unmanaged.sort_by(live_order);
    out
}

/// A create or update that is not yet known to be possible.
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

    /// The name that this write gives to its subscription, if it sends one.
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

/// Topics by the name that people read, then the rest of the key.
pub(crate) fn wanted_order(a: &Entry<Wanted>, b: &Entry<Wanted>) -> std::cmp::Ordering {
    binding_order(&a.binding, &b.binding).then_with(|| a.meta.source.cmp(&b.meta.source))
}

fn live_order(a: &Entry<Live>, b: &Entry<Live>) -> std::cmp::Ordering {
    binding_order(&a.binding, &b.binding).then_with(|| a.meta.id.cmp(&b.meta.id))
}

fn binding_order(a: &Binding, b: &Binding) -> std::cmp::Ordering {
    a.topic.as_str().cmp(b.topic.as_str()).then_with(|| a.key().cmp(&b.key()))
}

/// The live subscriptions of each topic.
fn by_topic<'a, M>(entries: impl IntoIterator<Item = &'a Entry<M>>) -> BTreeMap<&'a Topic, Vec<&'a Entry<M>>> {
    let mut topics: BTreeMap<&Topic, Vec<&Entry<M>>> = BTreeMap::new();
    for entry in entries {
        topics.entry(&entry.binding.topic).or_default().push(entry);
    }
    topics
}

#[cfg(test)]
pub(crate) mod tests;
