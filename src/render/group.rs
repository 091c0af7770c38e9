//! Groups equal changes of many shops, so that a plan for a thousand shops fits one screen.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use crate::wire::plan::{Change, Subscription};

/// The maximum number of variants of a change that are printed separately. More are printed as one, with an example.
const MAX_VARIANTS: usize = 8;

/// Groups items by key, in the order of first appearance. Each member keeps its shop.
pub(super) fn group_by<'a, K: Eq + Hash + Clone, T>(
    items: impl IntoIterator<Item = (K, &'a str, T)>,
) -> Vec<(K, Vec<(&'a str, T)>)> {
    let mut index: HashMap<K, usize> = HashMap::new();
    let mut groups: Vec<(K, Vec<(&'a str, T)>)> = Vec::new();
    for (key, shop, item) in items {
        let at = *index.entry(key).or_insert_with_key(|key| {
            // Many groups of a large plan have one member.
            groups.push((key.clone(), Vec::with_capacity(1)));
            groups.len() - 1
        });
        groups[at].1.push((shop, item));
    }
    groups
}

/// Changes that a set of shops has in common.
pub(super) struct Block<'a> {
    /// The shops, sorted.
    pub(super) shops: Vec<&'a str>,
    /// The changes, in the order of the plan.
    pub(super) entries: Vec<Entry<'a>>,
}

/// A change that some shops have.
pub(super) struct Entry<'a> {
    /// Number of times that each of the shops has the change.
    pub(super) per_shop: usize,
    /// One change of each variant. Several variants occur only if there are more than [`MAX_VARIANTS`].
    pub(super) variants: Vec<&'a Change>,
    /// All changes, for their places and IDs.
    pub(super) all: Vec<&'a Change>,
}

/// Groups changes. Each shop of `shops` occurs once, with its changes in the order of the plan. The largest groups are first.
pub(super) fn blocks<'a>(shops: &[(&'a str, Vec<&'a Change>)], verbose: bool) -> Vec<Block<'a>> {
    let exact = group_by(shops.iter().flat_map(|(shop, changes)| {
        let own = group_by(changes.iter().map(|change| {
            ((kind(change), content(change.before.as_deref()), content(change.after.as_deref())), *shop, *change)
        }));
        own.into_iter().map(|((kind, before, after), same)| {
            let changes: Vec<&Change> = same.into_iter().map(|(_, change)| change).collect();
            ((kind, before, after, changes.len()), *shop, changes)
        })
    }));

    let classes = group_by(exact.into_iter().map(|((kind, _, _, per_shop), group)| ((kind, per_shop), "", group)));
    let entries = classes.into_iter().flat_map(|((_, per_shop), variants)| {
        let variants = variants.into_iter().map(|(_, group)| group);
        let apart = verbose || variants.len() <= MAX_VARIANTS;
        let groups: Vec<Vec<_>> = if apart { variants.map(|v| vec![v]).collect() } else { vec![variants.collect()] };
        groups.into_iter().map(move |variants| {
            let shops: BTreeSet<&str> = variants.iter().flatten().map(|(shop, _)| *shop).collect();
            let first = variants.iter().filter_map(|v| v.first()?.1.first().copied()).collect();
            let all = variants.iter().flatten().flat_map(|(_, changes)| changes.iter().copied()).collect();
            (shops.into_iter().collect::<Vec<_>>(), "", Entry { per_shop, variants: first, all })
        })
    });

    // The position of each change in the plan of its shop, by the address of the change in memory.
    let place: HashMap<*const Change, usize> = shops
        .iter()
        .flat_map(|(_, changes)| changes.iter().enumerate().map(|(i, change)| (std::ptr::from_ref(*change), i)))
        .collect();
    let mut blocks: Vec<Block<'a>> = group_by(entries)
        .into_iter()
        .map(|(shops, entries)| {
            let mut entries: Vec<_> = entries.into_iter().map(|(_, entry)| entry).collect();
            entries.sort_by_key(|entry| entry.all.first().and_then(|c| place.get(&std::ptr::from_ref(*c)).copied()));
            Block { shops, entries }
        })
        .collect();
    blocks.sort_by(|a, b| b.shops.len().cmp(&a.shops.len()).then_with(|| a.shops.cmp(&b.shops)));
    blocks
}

/// Returns the key that all variants of a change have in common.
fn kind(change: &Change) -> impl Eq + Hash + Clone + use<'_> {
    // Changes of different origins are in different sections. The place in the manifest does not distinguish changes.
    let Change { action, topic, reason, origin: _, fields, destination, source: _, before: _, after: _ } = change;
    (*action as u8, topic, reason, fields, destination.before.as_deref(), destination.after.as_deref())
}

/// Returns the fields that distinguish a subscription for the reader, which excludes its ID and times. Names every field, so
/// that a new one does not compile without a decision.
fn content(subscription: Option<&Subscription>) -> Option<impl Eq + Hash + Clone + use<'_>> {
    let Subscription {
        id: _,
        address,
        format,
        include_fields,
        metafield_namespaces,
        filter,
        name,
        metafields,
        created_at: _,
        updated_at: _,
        api_version: _,
    } = subscription?;
    let name = name.as_deref().map(|name| if is_temporary(name) { TEMPORARY_NAME } else { name });
    Some((address, format, include_fields, metafield_namespaces, filter, name, metafields))
}

/// A temporary name without the ID of its subscription, so that it is equal in all shops.
pub(super) const TEMPORARY_NAME: &str = "hookwright-step-<id>";

pub(super) fn is_temporary(name: &str) -> bool {
    name.starts_with("hookwright-step-")
}
