//! Matches bindings with live subscriptions, per topic. Each binding and each subscription is matched at most once.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use super::{DeleteReason, by_topic, wanted_order};
use crate::model::{Live, Visibility};
use crate::state::{Entry, Wanted};

pub(super) struct Matched<'a> {
    pub(super) pairs: Vec<(&'a Entry<Wanted>, &'a Entry<Live>)>,
    pub(super) missing: Vec<&'a Entry<Wanted>>,
    pub(super) extra: Vec<(&'a Entry<Live>, DeleteReason)>,
    pub(super) look_alikes: Vec<&'a Entry<Live>>,
}

pub(super) fn match_all<'a>(desired: &'a [Entry<Wanted>], managed: &[&'a Entry<Live>]) -> Matched<'a> {
    let mut out = Matched { pairs: Vec::new(), missing: Vec::new(), extra: Vec::new(), look_alikes: Vec::new() };
    let mut live = by_topic(managed.iter().copied());
    for (topic, mut wanted) in by_topic(desired) {
        wanted.sort_by(|a, b| wanted_order(a, b));
        match_topic(wanted, live.remove(topic).unwrap_or_default(), &mut out);
    }
    let unwanted = live.into_values().flatten();
    out.extra.extend(unwanted.map(|live| (live, DeleteReason::NotInManifest)));
    out
}

fn match_topic<'a>(mut wanted: Vec<&'a Entry<Wanted>>, mut live: Vec<&'a Entry<Live>>, out: &mut Matched<'a>) {
    // Sorted by age, so that ties are broken in favour of the oldest.
    live.sort_by(|a, b| age(a).cmp(&age(b)));

    // 1. Equal keys. Several live subscriptions can have the same key, because an absent and an empty filter are equal
    // here.
    let mut by_key: BTreeMap<_, Vec<&Entry<Live>>> = BTreeMap::new();
    for &entry in live.iter().rev() {
        by_key.entry(entry.binding.key()).or_default().push(entry);
    }
    let (mut kept, before) = (HashSet::new(), out.pairs.len());
    wanted.retain(|entry| {
        let Some(candidates) = by_key.get_mut(&entry.binding.key()) else { return true };
        // `max_by_key` returns the last of equal elements, which is the oldest.
        let best = candidates.iter().enumerate().max_by_key(|(_, live)| {
            let same_name = entry.binding.name == live.binding.name;
            (same_name, Reverse(live.differs_from(&entry.binding).len()))
        });
        let Some((at, _)) = best else { return true };
        let chosen = candidates.remove(at);
        kept.insert(chosen.meta.id.clone());
        out.pairs.push((entry, chosen));
        false
    });
    live.retain(|entry| !kept.contains(&entry.meta.id));
    if wanted.is_empty() && live.is_empty() {
        return;
    }
    let bound_keys: HashSet<_> = out.pairs[before..].iter().map(|(wanted, _)| wanted.binding.key()).collect();
    let is_duplicate = |entry: &Entry<Live>| bound_keys.contains(&entry.binding.key());
    // Shopify accepts each key only once. Subscriptions that look equal because REST hides their filters therefore
    // differ and are not duplicates.
    let (look_alikes, live): (Vec<_>, Vec<_>) = live.into_iter().partition(|e| is_partial(e) && is_duplicate(e));
    out.look_alikes.extend(look_alikes);
    let duplicates: HashSet<_> = live.iter().filter(|e| is_duplicate(e)).map(|e| e.meta.id.clone()).collect();

    // 2. Pairs of the remaining bindings and subscriptions, the most similar first.
    let mut ranked: Vec<_> = Vec::with_capacity(wanted.len() * live.len());
    for (w, entry) in wanted.iter().enumerate() {
        for (l, candidate) in live.iter().enumerate().filter(|(_, candidate)| may_become(entry, candidate, &live)) {
            ranked.push((difference(entry, candidate), l, w));
        }
    }
    ranked.sort_unstable();
    let (mut wanted_done, mut live_done) = (vec![false; wanted.len()], vec![false; live.len()]);
    for (_, l, w) in ranked {
        if !wanted_done[w] && !live_done[l] {
            (wanted_done[w], live_done[l]) = (true, true);
            out.pairs.push((wanted[w], live[l]));
        }
    }

    // 3. The remaining bindings are missing, and the remaining subscriptions are extra.
    let left =
        |done: &[bool]| done.iter().enumerate().filter(|(_, done)| !**done).map(|(at, _)| at).collect::<Vec<_>>();
    out.missing.extend(left(&wanted_done).into_iter().map(|w| wanted[w]));
    out.extra.extend(left(&live_done).into_iter().map(|l| {
        let duplicate = duplicates.contains(&live[l].meta.id);
        (live[l], if duplicate { DeleteReason::Duplicate } else { DeleteReason::NotInManifest })
    }));
}

fn is_partial(live: &Entry<Live>) -> bool {
    live.meta.visibility == Visibility::WithoutFilterAndName
}

/// Returns whether a live subscription can be updated to realise a binding. With REST, one of several subscriptions
/// that look equal cannot, because it is unknown which of them has no filter. A subscription whose address and format
/// both differ cannot, because REST cannot change the format.
fn may_become(wanted: &Entry<Wanted>, live: &Entry<Live>, all: &[&Entry<Live>]) -> bool {
    let (w, l) = (&wanted.binding, &live.binding);
    !is_partial(live)
        || ((w.address == l.address || w.format == l.format)
            && !all.iter().any(|other| other.meta.id != live.meta.id && other.binding.key() == l.key()))
}

/// Returns the difference between a binding and a subscription. Lower is more similar; the caller breaks ties by age,
/// then by the position of the binding.
fn difference(wanted: &Entry<Wanted>, live: &Entry<Live>) -> (bool, bool, bool, bool, usize) {
    let (w, l) = (&wanted.binding, &live.binding);
    let fields = live.differs_from(w).len();
    (w.address != l.address, w.filter != l.filter, w.format != l.format, w.name != l.name, fields)
}

fn age(live: &Entry<Live>) -> (&str, &crate::model::SubscriptionId) {
    (&live.meta.created_at, &live.meta.id)
}
