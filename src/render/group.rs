//! Finds what is the same over many shops, so that a plan over a thousand shops reads in one screen.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use super::values::step_name;
use crate::wire::plan::{Change, Field, Subscription};

/// So many variants of a change are shown side by side; more are shown as one, with an example.
const MAX_VARIANTS: usize = 8;

/// Groups by key, in the order of first appearance. Each member keeps its shop.
pub(super) fn group_by<'a, K: Eq + Hash + Clone, T>(
    items: impl IntoIterator<Item = (K, &'a str, T)>,
) -> Vec<(K, Vec<(&'a str, T)>)> {
    let mut index: HashMap<K, usize> = HashMap::new();
    let mut groups: Vec<(K, Vec<(&'a str, T)>)> = Vec::new();
    for (key, shop, item) in items {
        let at = *index.entry(key).or_insert_with_key(|key| {
            groups.push((key.clone(), Vec::new()));
            groups.len() - 1
        });
        groups[at].1.push((shop, item));
    }
    groups
}

/// Changes that the same shops have.
pub(super) struct Block<'a> {
    /// Sorted.
    pub(super) shops: Vec<&'a str>,
    /// In the order of the plan.
    pub(super) entries: Vec<Entry<'a>>,
}

/// One change, as it is in each of some shops.
pub(super) struct Entry<'a> {
    /// How often each of the shops has it.
    pub(super) per_shop: usize,
    /// One of each variant; a single one unless there were too many to show.
    pub(super) variants: Vec<&'a Change>,
    /// All of them, for what differs from shop to shop without being a difference: places and ids.
    pub(super) all: Vec<&'a Change>,
}

/// Everything about a change that makes it another one for the reader. Ids and times are not; nor is the place in the
/// manifest, since shops that want the same often stand in a file each.
#[derive(PartialEq, Eq, Hash, Clone)]
struct Exact<'a> {
    kind: Kind<'a>,
    before: Option<Content<'a>>,
    after: Option<Content<'a>>,
    per_shop: usize,
}

/// What variants of a change have in common.
#[derive(PartialEq, Eq, Hash, Clone)]
struct Kind<'a> {
    action: u8,
    topic: &'a str,
    reason: &'a str,
    fields: &'a [Field],
    before: Option<&'a str>,
    after: Option<&'a str>,
}

#[derive(PartialEq, Eq, Hash, Clone)]
struct Content<'a> {
    address: &'a str,
    format: &'a str,
    include_fields: &'a [String],
    metafield_namespaces: &'a [String],
    filter: Option<&'a str>,
    name: Option<&'a str>,
    metafields: Option<&'a [String]>,
}

/// Groups changes; each shop stands once, with its changes in the plan's order. The largest groups come first.
pub(super) fn blocks<'a>(shops: &[(&'a str, Vec<&'a Change>)], verbose: bool) -> Vec<Block<'a>> {
    let exact = group_by(shops.iter().flat_map(|(shop, changes)| {
        let own = group_by(changes.iter().map(|change| ((kind(change), contents(change)), *shop, *change)));
        own.into_iter().map(|((kind, (before, after)), same)| {
            let changes: Vec<&Change> = same.into_iter().map(|(_, change)| change).collect();
            (Exact { kind, before, after, per_shop: changes.len() }, *shop, changes)
        })
    }));

    let classes = group_by(exact.into_iter().map(|(key, group)| ((key.kind, key.per_shop), "", group)));
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

    // The place of a change in its own shop's plan; changes are told apart by where they stand in memory.
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

fn kind(change: &Change) -> Kind<'_> {
    // Origins are kept apart by whoever asks; the place does not make another change.
    let Change { action, topic, reason, origin: _, fields, destination, source: _, before: _, after: _ } = change;
    Kind {
        action: *action as u8,
        topic,
        reason,
        fields,
        before: destination.before.as_deref(),
        after: destination.after.as_deref(),
    }
}

fn contents(change: &Change) -> (Option<Content<'_>>, Option<Content<'_>>) {
    (change.before.as_ref().map(content), change.after.as_ref().map(content))
}

/// Every field is named, so that a new one does not compile until somebody decides.
fn content(subscription: &Subscription) -> Content<'_> {
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
    } = subscription;
    Content {
        address,
        format,
        include_fields,
        metafield_namespaces,
        filter: filter.as_deref(),
        name: name.as_deref().map(|name| step_name(name).unwrap_or(name)),
        metafields: metafields.as_deref(),
    }
}
