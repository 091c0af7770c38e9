//! One change as text: a line that says what happens to which topic and why; `fields` has the rest.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::fields::{Detail, details};
use super::group::{self, Block, Entry};
use super::page::{Ink, Page};
use super::values::quoted;
use super::{Style, escape, shops};
use crate::model::Address;
use crate::text::{plural, thousands};
use crate::wire::plan::{Action, Change, Field, Reason, Source, Subscription};

/// How much of each change is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// The line, the place and the fields.
    Full,
    /// The line alone.
    Line,
    /// The line alone; changes that differ in nothing but their topic share one.
    Brief,
}

/// What to do for the variants that are not shown.
const MORE: &str = "-v shows all";

/// Writes changes, grouped by the shops that have them.
pub(super) fn write(page: &mut Page<'_>, indent: usize, depth: Depth, shops: &[(&str, Vec<&Change>)]) {
    for (i, (shops, items)) in items(shops, depth, page.style).into_iter().enumerate() {
        if i > 0 && depth == Depth::Full {
            page.gap();
        }
        let title = shops::title(&shops, page.style);
        page.prose_in(Some(Ink::Strong).filter(|_| depth == Depth::Full), indent, &title);
        for Item { action, head, details, changes: _ } in items {
            let line = format!("{} {}", page.style.symbol(action), head.line(page.style, MORE));
            page.line(indent + 2, &line);
            for detail in details {
                detail.write(page, indent + 6, MORE);
            }
        }
    }
}

/// Changes that read as one.
pub(super) struct Item {
    pub(super) action: Action,
    pub(super) head: Head,
    /// Empty unless the depth is full.
    pub(super) details: Vec<Detail>,
    /// How many they are, over all shops.
    pub(super) changes: usize,
}

/// Items, under the shops that have them all. Every text is disarmed.
pub(super) fn items<'a>(
    shops: &[(&'a str, Vec<&'a Change>)],
    depth: Depth,
    style: &Style,
) -> Vec<(Vec<&'a str>, Vec<Item>)> {
    let ambiguous = ambiguous_names(shops.iter().flat_map(|(_, changes)| changes.iter().copied()));
    let blocks = group::blocks(shops, style.verbose).into_iter();
    blocks
        .map(|Block { shops, entries }| {
            let items = alike(&entries, shops.len(), &ambiguous, depth, style);
            (shops, items)
        })
        .collect()
}

/// So many changes that differ in nothing but their topic are one item: a whole set that moves reads in a few lines.
const ALIKE: usize = 3;

/// Puts entries together that differ in nothing but their topic.
fn alike(entries: &[Entry<'_>], shops: usize, ambiguous: &BTreeSet<&str>, depth: Depth, style: &Style) -> Vec<Item> {
    let keyed = entries.iter().enumerate().filter_map(|(at, entry)| {
        let change = entry.variants.first()?;
        let details = if depth == Depth::Full { details(entry, shops, ambiguous, style) } else { Vec::new() };
        // One line is short enough to stand by itself.
        let own = (details.is_empty() && depth != Depth::Brief).then_some(at);
        Some(((own, change.action as u8, head(entry, change, depth), details), "", (change, entry)))
    });
    let mut items = Vec::new();
    for ((_, _, head, details), group) in group::group_by(keyed) {
        let together = if group.len() < ALIKE { 1 } else { group.len() };
        for entries in group.chunks(together) {
            let Some((_, (first, _))) = entries.first() else { continue };
            let topics = entries.iter().map(|(_, (change, _))| escape(&change.topic).into_owned()).collect();
            items.push(Item {
                action: first.action,
                head: Head { topics, ..head.clone() },
                details: details.clone(),
                changes: entries.iter().map(|(_, (_, entry))| entry.all.len()).sum(),
            });
        }
    }
    items
}

/// Names that stand for more than one address; a shop may have a destination of its own.
fn ambiguous_names<'a>(changes: impl Iterator<Item = &'a Change>) -> BTreeSet<&'a str> {
    labels(changes).into_iter().filter(|(_, addresses)| addresses.len() > 1).map(|(name, _)| name).collect()
}

/// What happens to which topics, and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Head {
    pub(super) topics: Vec<String>,
    /// One of the targets, and how many there are.
    target: Option<(String, usize)>,
    which: Option<String>,
    notes: Vec<String>,
}

impl Head {
    /// `orders/create -> commerce  # orders.yaml:12`; `more` says where the targets are that are not shown.
    pub(super) fn line(&self, style: &Style, more: &str) -> String {
        format!("{}{}", self.topics.join(", "), self.rest(style, more))
    }

    /// What follows the topics.
    pub(super) fn rest(&self, style: &Style, more: &str) -> String {
        let Self { topics: _, target, which, notes } = self;
        let mut line = String::new();
        if let Some((target, of)) = target {
            line.push_str(" -> ");
            line.push_str(target);
            line.push_str(&style.paint(Ink::Faint, &for_example(*of, more)));
        }
        line.extend(which.as_deref());
        if !notes.is_empty() {
            line.push_str("  ");
            line.push_str(&style.paint(Ink::Faint, &format!("# {}", notes.join("; "))));
        }
        line
    }
}

fn head(entry: &Entry<'_>, change: &Change, depth: Depth) -> Head {
    let targets: BTreeSet<_> = entry.variants.iter().map(|c| target(c)).collect();
    let mut notes = Vec::new();
    if entry.per_shop > 1 {
        let each = if entry.all.len() > entry.per_shop { " in each" } else { "" };
        notes.push(format!("{} times{each}", entry.per_shop));
    }
    notes.extend(reason(change, depth));
    if depth == Depth::Full {
        notes.extend(places(entry.all.iter().filter_map(|c| c.source.as_ref())));
    }
    Head {
        topics: Vec::new(),
        target: target(change).map(|target| (target, targets.len())),
        which: which(change).filter(|_| depth != Depth::Full),
        notes,
    }
}

/// What tells the change from another of its topic and target, where the fields are not written.
fn which(change: &Change) -> Option<String> {
    let side = if change.action == Action::Delete { &change.before } else { &change.after };
    let filter = side.as_ref().and_then(|s| s.filter.as_deref()).map(|filter| format!("filter {}", quoted(filter)));
    let filter = filter.filter(|_| !change.fields.contains(&Field::Filter));
    let fields =
        Some(format!("changes {}", escape(&change.fields.iter().map(Field::as_str).collect::<Vec<_>>().join(", "))));
    let fields = fields.filter(|_| change.action == Action::Update && !change.fields.is_empty());
    let parts: Vec<String> = fields.into_iter().chain(filter).collect();
    (!parts.is_empty()).then(|| format!(" ({})", parts.join("; ")))
}

/// Where the subscription delivers, or will deliver: the name, or the address in full.
fn target(change: &Change) -> Option<String> {
    let (name, side) = if change.action == Action::Delete {
        (&change.destination.before, &change.before)
    } else {
        (&change.destination.after, &change.after)
    };
    let address = || side.as_ref().map(|side| shown_address(change, side));
    name.as_deref().map(Cow::Borrowed).or_else(address).map(|text| escape(&text).into_owned())
}

/// An address outside the ownership rule is somebody else's and may hold their credentials.
pub(super) fn shown_address<'a>(change: &Change, side: &'a Subscription) -> Cow<'a, str> {
    match change.reason {
        Reason::Unmanaged => Cow::Owned(Address::new(&side.address).masked().into_owned()),
        _ => Cow::Borrowed(&side.address),
    }
}

/// A name of a destination and what it stands for in some changes: each address with how many changes have it, the rare
/// ones first, since they are the ones that a reader would not expect.
pub(super) type Label<'a> = (&'a str, Vec<(&'a str, usize)>);

/// What the names in some changes stand for.
pub(super) fn labels<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Vec<Label<'a>> {
    let mut all: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for Change { destination, before, after, .. } in changes {
        for (name, side) in [(&destination.before, before), (&destination.after, after)] {
            if let (Some(name), Some(side)) = (name, side) {
                *all.entry(name).or_default().entry(&side.address).or_default() += 1;
            }
        }
    }
    let rare_first = |addresses: BTreeMap<&'a str, usize>| {
        let mut addresses: Vec<(&str, usize)> = addresses.into_iter().collect();
        addresses.sort_by_key(|(_, changes)| *changes);
        addresses
    };
    all.into_iter().map(|(name, addresses)| (name, rare_first(addresses))).collect()
}

/// So many addresses of a name are listed.
pub(super) const MAX_ADDRESSES: usize = 3;

/// Writes what the names stand for: a plan file may call any address by any name.
pub(super) fn write_labels<'a>(page: &mut Page<'_>, changes: impl IntoIterator<Item = &'a Change>) {
    let labels = labels(changes);
    if labels.is_empty() {
        return;
    }
    page.heading("Destinations of these changes:");
    for (name, addresses) in labels {
        let all = page.style.verbose || addresses.len() <= MAX_ADDRESSES;
        let shown = if all { addresses.len() } else { 1 };
        let more = addresses.len() - shown;
        let more = if all { String::new() } else { format!(" and {} more; {MORE}", thousands(more)) };
        for (address, _) in addresses.iter().take(shown) {
            page.line(2, &format!("{}: {}{more}", escape(name), escape(address)));
        }
    }
}

/// The reason in words, where the symbol does not say it.
pub(super) fn reason(change: &Change, depth: Depth) -> Option<String> {
    let held = || {
        change.before.as_ref().and_then(|b| b.name.as_deref()).map_or_else(String::new, |n| format!(" {}", quoted(n)))
    };
    match &change.reason {
        Reason::Missing | Reason::Differs => None,
        Reason::Repurposed => {
            Some("repurposed: address and filter both change, as good as deleted for its old use".to_owned())
        }
        Reason::NameStep => Some(format!("renamed to free its name{} for another subscription", held())),
        Reason::NotInManifest => Some("not in the manifest".to_owned()),
        // Beside several topics none of them is "the" topic.
        Reason::Duplicate if depth == Depth::Brief => Some("duplicate of another live one, which stays".to_owned()),
        Reason::Duplicate => Some(format!("duplicate of another live {}, which stays", escape(&change.topic))),
        Reason::Replaced => Some("replaced: REST cannot change its format, and the new one stands first".to_owned()),
        Reason::Unmanaged => Some("outside the ownership rule; the manifest says unmanaged: delete".to_owned()),
        // From a later minor version.
        Reason::Other(other) => Some(escape(other).replace('_', " ")),
    }
}

/// `orders.yaml:12`, or the first and how many more.
pub(super) fn places<'a>(sources: impl Iterator<Item = &'a Source>) -> Option<String> {
    let places: BTreeSet<(&str, u32)> = sources.map(|Source { file, line }| (file.as_str(), *line)).collect();
    let (file, line) = places.first()?;
    let first = format!("{}:{line}", escape(file));
    Some(match places.len() - 1 {
        0 => first,
        more => format!("{first} and {}", plural(more, "more place")),
    })
}

/// Behind something that is one of several variants.
pub(super) fn for_example(variants: usize, more: &str) -> String {
    if variants > 1 { format!("  (one of {}; {more})", thousands(variants)) } else { String::new() }
}
