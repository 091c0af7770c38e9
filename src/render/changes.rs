//! The changes of a document: which of them form one item, what each does, and which fields it sets.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use similar::{Algorithm, ChangeTag};

use super::document::{Ink, Span};
use super::group::{self, Block, Entry, TEMPORARY_NAME};
use crate::model::Address;
use crate::text::{plural, thousands};
use crate::wire::plan::{Action, Change, Field, Reason, Source, Subscription};

/// Changes by shop, in the order of the plan.
pub(super) type ByShop<'a> = Vec<(&'a str, Vec<&'a Change>)>;

/// How much of each change is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// The line of the change, its place in the manifest and its fields.
    Full,
    /// The line of the change only.
    Line,
    /// The line only; changes that differ only in their topic share one line.
    Brief,
}

/// The number of changes that differ only in their topic from which on they form one item.
const MIN_ALIKE: usize = 3;

/// Changes that are printed as one.
pub(super) struct Item {
    pub(super) action: Action,
    pub(super) head: Head,
    /// The fields of the changes; empty unless the depth is `Full`.
    pub(super) fields: Vec<Detail>,
    /// The number of changes, over all shops.
    pub(super) changes: usize,
}

/// Returns groups of shops with the items that all shops of the group have.
pub(super) fn items<'a>(shops: &ByShop<'a>, depth: Depth, verbose: bool) -> Vec<(Vec<&'a str>, Vec<Item>)> {
    let names = names(shops.iter().flat_map(|(_, changes)| changes.iter().copied()));
    let ambiguous: BTreeSet<&str> =
        names.into_iter().filter(|(_, addresses)| addresses.len() > 1).map(|(name, _)| name).collect();
    let blocks = group::blocks(shops, verbose).into_iter();
    blocks
        .map(|Block { shops, entries }| {
            let items = alike(&entries, shops.len(), &ambiguous, depth);
            (shops, items)
        })
        .collect()
}

/// Joins entries that differ only in their topic.
fn alike(entries: &[Entry<'_>], shops: usize, ambiguous: &BTreeSet<&str>, depth: Depth) -> Vec<Item> {
    let keyed = entries.iter().enumerate().filter_map(|(at, entry)| {
        let change = entry.variants.first()?;
        let fields = if depth == Depth::Full { fields(entry, shops, ambiguous) } else { Vec::new() };
        // Items of one line are not joined, unless the depth is `Brief`.
        let own = (fields.is_empty() && depth != Depth::Brief).then_some(at);
        Some(((own, change.action as u8, Head::new(entry, change, depth), fields), "", (change, entry)))
    });
    let mut items = Vec::new();
    for ((_, _, head, fields), group) in group::group_by(keyed) {
        let together = if group.len() < MIN_ALIKE { 1 } else { group.len() };
        items.extend(group.chunks(together).map(|entries| Item {
            action: entries[0].1.0.action,
            head: Head {
                topics: entries.iter().map(|(_, (change, _))| change.topic.clone()).collect(),
                ..head.clone()
            },
            fields: fields.clone(),
            changes: entries.iter().map(|(_, (_, entry))| entry.all.len()).sum(),
        }));
    }
    items
}

/// The first line of an item: the action on its topics, and the reason.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Head {
    pub(super) topics: Vec<Arc<str>>,
    /// The destination before the change, if the change moves a subscription and the fields are not printed.
    from: Option<String>,
    /// One of the targets, and the number of different targets.
    target: Option<(String, usize)>,
    which: Option<String>,
    notes: Vec<String>,
}

impl Head {
    fn new(entry: &Entry<'_>, change: &Change, depth: Depth) -> Self {
        let targets: BTreeSet<_> = entry.variants.iter().map(|c| target(c)).collect();
        let mut notes = Vec::new();
        let many = entry.all.len() > entry.per_shop;
        match entry.per_shop {
            0 | 1 => notes.extend(reason(change, depth)),
            n if change.reason == Reason::Duplicate => {
                let each = if many { " in each shop" } else { "" };
                notes.push(format!("deletes {n} duplicates{each}, keeps one subscription"));
            }
            n => {
                notes.push(format!("{n} such subscriptions{}", if many { " in each shop" } else { "" }));
                notes.extend(reason(change, depth));
            }
        }
        if depth == Depth::Full {
            notes.extend(places(entry.all.iter().filter_map(|c| c.source.as_ref())));
        }
        Self {
            topics: Vec::new(),
            from: from(change).filter(|_| depth != Depth::Full),
            target: target(change).map(|target| (target.into_owned(), targets.len())),
            which: which(change).filter(|_| depth != Depth::Full),
            notes,
        }
    }

    /// Returns the text after the topics: ` -> commerce  # orders.yaml:12`, or `: loyalty -> commerce` for a move. `more` names the source of the other targets.
    pub(super) fn rest(&self, more: &str) -> Vec<Span> {
        let Self { topics: _, from, target, which, notes } = self;
        let mut out = Vec::new();
        out.extend(from.as_ref().map(|from| Span::plain(format!(": {from}"))));
        if let Some((target, of)) = target {
            out.push(Span::plain(format!(" -> {target}")));
            out.push(Span::new(Ink::Faint, for_example(*of, more)));
        }
        out.extend(which.as_ref().map(Span::plain));
        if !notes.is_empty() {
            out.extend([Span::plain("  "), Span::new(Ink::Faint, format!("# {}", notes.join("; ")))]);
        }
        out
    }
}

/// Returns what distinguishes the change from others with its topic and target, if the fields are not printed.
fn which(change: &Change) -> Option<String> {
    let side = if change.action == Action::Delete { &change.before } else { &change.after };
    let filter = side.as_ref().and_then(|s| s.filter.as_deref()).map(|filter| format!("filter {}", quoted(filter)));
    let filter = filter.filter(|_| !change.fields.contains(&Field::Filter));
    let filter =
        filter.map(|filter| if change.action == Action::Update { format!("the {filter} stays") } else { filter });
    // A move shows both addresses.
    let fields = change.fields.iter().filter(|field| **field != Field::Address);
    let fields: Vec<&str> = fields.filter(|_| change.action == Action::Update).map(Field::as_str).collect();
    let fields = (!fields.is_empty()).then(|| format!("changed: {}", fields.join(", ")));
    let parts: Vec<String> = fields.into_iter().chain(filter).collect();
    (!parts.is_empty()).then(|| format!(" ({})", parts.join("; ")))
}

/// Returns the name of the destination, or the full address if it has no name.
pub(super) fn target(change: &Change) -> Option<Cow<'_, str>> {
    let (name, side) = if change.action == Action::Delete {
        (&change.destination.before, &change.before)
    } else {
        (&change.destination.after, &change.after)
    };
    let address = || side.as_ref().map(|side| shown_address(change, side));
    name.as_deref().map(Cow::Borrowed).or_else(address)
}

/// Returns the name of the old destination of a move, or the shortened address if it has no name.
fn from(change: &Change) -> Option<String> {
    let before = change.before.as_ref().filter(|_| change.fields.contains(&Field::Address))?;
    let address = || short_address(&shown_address(change, before));
    Some(change.destination.before.as_deref().map_or_else(address, str::to_owned))
}

/// Returns the address. An unmanaged address is masked, because it may contain credentials of its owner.
pub(super) fn shown_address<'a>(change: &Change, side: &'a Subscription) -> Cow<'a, str> {
    match change.reason {
        Reason::Unmanaged => Cow::Owned(Address::new(&side.address).masked().into_owned()),
        _ => Cow::Borrowed(&side.address),
    }
}

/// A destination name and its addresses in some changes, each with the number of changes. Rare addresses come first, because
/// a reader does not expect them.
pub(super) type Label<'a> = (&'a str, Vec<(&'a str, usize)>);

/// Returns the addresses behind the destination names in some changes. A plan file can give any name to any address.
pub(super) fn names<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Vec<Label<'a>> {
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

/// Returns the reason in words, unless the symbol of the action implies it.
pub(super) fn reason(change: &Change, depth: Depth) -> Option<String> {
    let held = || {
        change.before.as_ref().and_then(|b| b.name.as_deref()).map_or_else(String::new, |n| format!(" {}", quoted(n)))
    };
    match &change.reason {
        Reason::Missing | Reason::Differs => None,
        Reason::Repurposed => {
            Some("counts as a delete for the limits of `safety`, because address and filter both change".to_owned())
        }
        Reason::NameStep => {
            Some(format!("temporary name, to free the name{} for another subscription of this plan", held()))
        }
        Reason::NotInManifest => Some("not in the manifest".to_owned()),
        // Several topics can share the line.
        Reason::Duplicate if depth == Depth::Brief => {
            Some("duplicate of another live subscription; that one is kept".to_owned())
        }
        Reason::Duplicate => Some(format!("duplicate of another live {} subscription; that one is kept", change.topic)),
        Reason::Replaced => {
            Some("replaced: REST cannot change the format, so the new subscription is created first".to_owned())
        }
        Reason::Unmanaged => Some("not managed by this manifest; deleted because of `unmanaged: delete`".to_owned()),
        // A reason of a later minor version.
        Reason::Other(other) => Some(other.replace('_', " ")),
    }
}

/// Returns whether a change removes a route: a delete, or an update that counts as one.
pub(super) fn removes_route(change: &Change) -> bool {
    change.action == Action::Delete || change.reason == Reason::Repurposed
}

/// Returns `orders.yaml:12`, or the first place and the number of others.
pub(super) fn places<'a>(sources: impl Iterator<Item = &'a Source>) -> Option<String> {
    let places: BTreeSet<(&str, u32)> = sources.map(|Source { file, line }| (&**file, *line)).collect();
    let (file, line) = places.first()?;
    let first = format!("{file}:{line}");
    Some(match places.len() - 1 {
        0 => first,
        more => format!("{first} and {}", plural(more, "more place")),
    })
}

/// Returns the remark after a value that is one of several.
fn for_example(variants: usize, more: &str) -> String {
    if variants > 1 { format!("  (1 of {} values; {more})", thousands(variants)) } else { String::new() }
}

/// A field of a change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Detail {
    pub(super) label: &'static str,
    pub(super) value: Value,
    /// The number of different values, of which `value` is one.
    of: usize,
}

/// The value of a field, or its change.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Value {
    Is(Vec<Span>),
    Becomes {
        before: Side,
        after: Side,
        /// Whether both sides are printed one above the other.
        long: bool,
    },
}

/// One side of a changed field: its value and, for an address, the name of the destination.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Side {
    value: String,
    name: String,
}

impl Side {
    pub(super) fn text(&self) -> String {
        format!("{}{}", self.value, self.name)
    }
}

impl Detail {
    fn is(label: &'static str, value: String) -> Self {
        Self { label, value: Value::Is(vec![Span::plain(value)]), of: 1 }
    }

    /// Returns the remark after the value. `more` names the source of the other values.
    pub(super) fn note(&self, more: &str) -> String {
        for_example(self.of, more)
    }
}

/// Returns the printed fields of an entry. `shops` is the number of shops that have it.
fn fields(entry: &Entry<'_>, shops: usize, ambiguous: &BTreeSet<&str>) -> Vec<Detail> {
    let variants: Vec<Vec<Detail>> = entry.variants.iter().map(|c| fields_of(c, shops > 1, ambiguous)).collect();
    let mut labels: Vec<&str> = Vec::new();
    for Detail { label, .. } in variants.iter().flatten() {
        if !labels.contains(label) {
            labels.push(label);
        }
    }
    let mut out: Vec<Detail> = Vec::new();
    for label in labels {
        let of = |variant: &'_ Vec<Detail>| variant.iter().find(|d| d.label == label).cloned();
        let different: BTreeSet<_> = variants.iter().map(|v| of(v).map(|d| d.value)).collect();
        out.extend(variants.iter().find_map(of).map(|first| Detail { of: different.len(), ..first }));
    }
    let ids: BTreeSet<&str> = entry.all.iter().filter_map(|c| c.before.as_ref()?.id.as_deref()).collect();
    let deletes = entry.variants.first().is_some_and(|c| c.action == Action::Delete);
    if deletes && shops == 1 && !ids.is_empty() {
        out.push(Detail::is("id", ids.into_iter().collect::<Vec<_>>().join(", ")));
    }
    out
}

fn fields_of(change: &Change, many: bool, ambiguous: &BTreeSet<&str>) -> Vec<Detail> {
    // The address, if the name has several.
    let address = |name: Option<&str>, side: &Subscription| {
        ambiguous.contains(name?).then(|| Detail::is("address", short_address(&side.address)))
    };
    let mut out = Vec::new();
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if change.action == Action::Update => {
            out.extend(change.fields.iter().map(|field| difference(field, change, before, after, many)));
            if !change.fields.contains(&Field::Address) {
                out.extend(address(change.destination.after.as_deref(), after));
            }
            if let (Some(filter), false) = (&after.filter, change.fields.contains(&Field::Filter)) {
                // Distinguishes subscriptions with one topic and destination.
                out.push(Detail::is("filter", format!("{} (unchanged)", quoted(filter))));
            }
        }
        (before, after) => {
            let name = change.destination.after.as_deref().or(change.destination.before.as_deref());
            if let Some(side) = before.as_ref().or(after.as_ref()) {
                out.extend(address(name, side));
                out.extend(attributes(side));
            }
        }
    }
    out
}

/// Returns the fields of a subscription that are not the default.
fn attributes(subscription: &Subscription) -> impl Iterator<Item = Detail> {
    let Subscription { format, include_fields, metafield_namespaces, filter, name, metafields, .. } = subscription;
    let text = |label, value: Option<&str>| value.map(|v| Detail::is(label, quoted(v)));
    let list = |label, items: &[String]| (!items.is_empty()).then(|| Detail::is(label, bracketed(items)));
    [
        text("name", name.as_deref()),
        text("format", Some(format.as_str()).filter(|f| *f != "json")),
        text("filter", filter.as_deref()),
        list("include_fields", include_fields),
        list("metafield_namespaces", metafield_namespaces),
        list("metafields", metafields.as_deref().unwrap_or_default()),
    ]
    .into_iter()
    .flatten()
}

/// Returns the change of one field.
fn difference(field: &Field, change: &Change, b: &Subscription, a: &Subscription, many: bool) -> Detail {
    let side = |value: Option<&str>, name: Option<&str>| Side {
        value: value.map_or_else(|| "none".to_owned(), quoted),
        name: name.map_or_else(String::new, |name| format!(" ({name})")),
    };
    let pair = |label, before: Option<&str>, after: Option<&str>| {
        let length = |text: Option<&str>| text.map_or(4, |t| t.chars().count());
        let long = length(before) + length(after) > 72;
        Detail { label, value: Value::Becomes { before: side(before, None), after: side(after, None), long }, of: 1 }
    };
    let list = |label, b: &[String], a: &[String]| Detail { label, value: Value::Is(list_change(b, a)), of: 1 };
    let metafields = |s: &Subscription| s.metafields.clone().unwrap_or_default();
    let name = |s: &Subscription| match s.name.as_deref() {
        Some(name) if many && group::is_temporary(name) => Some(TEMPORARY_NAME.to_owned()),
        name => name.map(ToOwned::to_owned),
    };
    match field {
        Field::Address => {
            // Both addresses are printed in full, one above the other, for comparison.
            let before = side(Some(&b.address), change.destination.before.as_deref());
            let after = side(Some(&a.address), change.destination.after.as_deref());
            Detail { label: "address", value: Value::Becomes { before, after, long: true }, of: 1 }
        }
        Field::Format => pair("format", Some(&b.format), Some(&a.format)),
        Field::Filter => pair("filter", b.filter.as_deref(), a.filter.as_deref()),
        Field::IncludeFields => list("include_fields", &b.include_fields, &a.include_fields),
        Field::MetafieldNamespaces => list("metafield_namespaces", &b.metafield_namespaces, &a.metafield_namespaces),
        Field::Name => pair("name", name(b).as_deref(), name(a).as_deref()),
        Field::Metafields => list("metafields", &metafields(b), &metafields(a)),
        // A field of a later minor version.
        Field::Other(other) => {
            Detail::is("other", format!("{other} (this version of Hookwright cannot show this field)"))
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\\\""))
}

/// Returns `[a, b]`.
pub(super) fn bracketed(items: &[String]) -> String {
    format!("[{}]", items.join(", "))
}

/// Returns `[a, -b, +c]`: the kept, removed and added items. The order of such a list has no meaning.
fn list_change(before: &[String], after: &[String]) -> Vec<Span> {
    let (old, new): (BTreeSet<_>, BTreeSet<_>) = (before.iter().collect(), after.iter().collect());
    let kept = before
        .iter()
        .map(|item| if new.contains(item) { Span::plain(item) } else { Span::new(Ink::Removed, format!("-{item}")) });
    let added = after.iter().filter(|item| !old.contains(item));
    let added = added.map(|item| Span::new(Ink::Added, format!("+{item}")));
    let mut out = vec![Span::plain("[")];
    for (i, item) in kept.chain(added).enumerate() {
        if i > 0 {
            out.push(Span::plain(", "));
        }
        out.push(item);
    }
    out.push(Span::plain("]"));
    out
}

/// Returns both sides of a change with the different words in colour.
pub(super) fn words_changed(before: &Side, after: &Side) -> (Vec<Span>, Vec<Span>) {
    let (old, new) = (words(&before.value), words(&after.value));
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for change in
        similar::capture_diff_slices(Algorithm::Myers, &old, &new).iter().flat_map(|op| op.iter_changes(&old, &new))
    {
        match change.tag() {
            ChangeTag::Equal => {
                left.push(Span::plain(change.value()));
                right.push(Span::plain(change.value()));
            }
            ChangeTag::Delete => left.push(Span::new(Ink::Removed, change.value())),
            ChangeTag::Insert => right.push(Span::new(Ink::Added, change.value())),
        }
    }
    left.push(Span::plain(&before.name));
    right.push(Span::plain(&after.name));
    (left, right)
}

/// Splits a text into runs of letters and digits, and other characters, because addresses and filters have few spaces.
fn words(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut inside = false;
    for (at, c) in text.char_indices() {
        let word = c.is_alphanumeric() || c == '_';
        if at > start && !(inside && word) {
            out.push(&text[start..at]);
            start = at;
        }
        inside = word;
    }
    out.push(&text[start..]);
    out
}

/// Shortens the 64 hexadecimal digits of an inlet, for an address that is printed with its name.
fn short_address(address: &str) -> String {
    let hex = |word: &str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let short = |word: &str| if hex(word) { format!("{}…{}", &word[..8], &word[56..]) } else { word.to_owned() };
    words(address).into_iter().map(short).collect()
}

/// Returns an address of Adobe without its host and with a shortened inlet: `…/collection/0123abcd…89ef4567`. Other addresses
/// are not shortened, because their host matters.
pub(super) fn brief_address(address: &str) -> Cow<'_, str> {
    let inlet = address.strip_prefix("https://dcs.adobedc.net/");
    inlet.map_or(Cow::Borrowed(address), |path| Cow::Owned(format!("…/{}", short_address(path))))
}
