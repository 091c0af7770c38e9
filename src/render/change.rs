//! One change as text: a line that says what happens to which topic and why, then the fields.

use std::collections::{BTreeMap, BTreeSet};

use super::group::{self, Block, Entry};
use super::page::{Ink, Page};
use super::values::{bracketed, list_change, quoted, short_address, step_name, text_change};
use super::{Style, escape, shops};
use crate::plan::v1::{Action, Change, Source, Subscription};

/// How much of each change is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// The line, the place and the fields.
    Full,
    /// The line alone.
    Line,
}

/// Writes changes, grouped by the shops that have them.
pub(super) fn write(page: &mut Page<'_>, indent: usize, depth: Depth, shops: &[(&str, Vec<&Change>)]) {
    let ambiguous = ambiguous_names(shops.iter().flat_map(|(_, changes)| changes.iter().copied()));
    for (i, Block { shops, entries }) in group::blocks(shops, page.style.verbose).into_iter().enumerate() {
        if i > 0 && depth == Depth::Full {
            page.gap();
        }
        let title = shops::title(&shops, page.style);
        page.prose_in(Some(Ink::Strong).filter(|_| depth == Depth::Full), indent, &title);
        if depth == Depth::Line {
            for entry in &entries {
                page.line(indent + 2, &head(&topic(entry), entry, depth, page.style));
            }
            continue;
        }
        for (entries, fields) in alike(&entries, shops.len(), &ambiguous, indent + 6, page.style) {
            let topics: Vec<String> = entries.iter().map(|entry| topic(entry)).collect();
            page.line(indent + 2, &head(&topics.join(", "), entries[0], depth, page.style));
            page.append(&fields);
        }
    }
}

/// So many changes that differ in nothing but their topic are one entry: a whole set that moves reads in a few lines.
const ALIKE: usize = 3;

/// Puts entries together that differ in nothing but their topic, each with the text of its fields.
fn alike<'e, 'a>(
    entries: &'e [Entry<'a>],
    shops: usize,
    ambiguous: &BTreeSet<&str>,
    indent: usize,
    style: &Style,
) -> Vec<(Vec<&'e Entry<'a>>, String)> {
    let keyed = entries.iter().enumerate().map(|(at, entry)| {
        let mut fields = Page::new(style);
        details(&mut fields, indent, entry, shops, ambiguous);
        let fields = fields.text();
        // One line is short enough to stand by itself.
        let own = fields.is_empty().then_some(at);
        ((own, head("", entry, Depth::Full, style), fields), "", entry)
    });
    let apart = |((_, _, fields), group): ((_, _, String), Vec<(&str, &'e Entry<'a>)>)| match group.len() {
        ALIKE.. => vec![(group.into_iter().map(|(_, entry)| entry).collect(), fields)],
        _ => group.into_iter().map(|(_, entry)| (vec![entry], fields.clone())).collect(),
    };
    group::group_by(keyed).into_iter().flat_map(apart).collect()
}

fn topic(entry: &Entry<'_>) -> String {
    entry.variants.first().map(|change| escape(&change.topic).into_owned()).unwrap_or_default()
}

/// Names that stand for more than one address; a shop may have a destination of its own.
fn ambiguous_names<'a>(changes: impl Iterator<Item = &'a Change>) -> BTreeSet<&'a str> {
    let mut addresses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for change in changes {
        let Change { destination, before, after, .. } = change;
        for (name, side) in [(&destination.before, before), (&destination.after, after)] {
            if let (Some(name), Some(side)) = (name, side) {
                addresses.entry(name).or_default().insert(&side.address);
            }
        }
    }
    addresses.into_iter().filter(|(_, all)| all.len() > 1).map(|(name, _)| name).collect()
}

/// `~ orders/create -> commerce  # orders.yaml:12`
fn head(topic: &str, entry: &Entry<'_>, depth: Depth, style: &Style) -> String {
    let Some(change) = entry.variants.first() else { return String::new() };
    let mut line = format!("{} {topic}", style.symbol(change.action));
    if let Some(target) = target(change) {
        line.push_str(" -> ");
        line.push_str(&target);
        let targets: BTreeSet<_> = entry.variants.iter().map(|c| self::target(c)).collect();
        if targets.len() > 1 {
            line.push_str(&style.paint(Ink::Faint, &for_example(targets.len())));
        }
    }
    if depth == Depth::Line {
        line.extend(which(change));
    }
    let mut notes = Vec::new();
    if entry.per_shop > 1 {
        notes.push(format!(
            "{} times{}",
            entry.per_shop,
            if entry.all.len() > entry.per_shop { " in each" } else { "" }
        ));
    }
    notes.extend(reason(change));
    if depth == Depth::Full {
        notes.extend(places(entry.all.iter().filter_map(|c| c.source.as_ref())));
    }
    if !notes.is_empty() {
        line.push_str("  ");
        line.push_str(&style.paint(Ink::Faint, &format!("# {}", notes.join("; "))));
    }
    line
}

/// What tells the change from another of its topic and target, where the fields are not written.
fn which(change: &Change) -> Option<String> {
    let side = if change.action == Action::Delete { &change.before } else { &change.after };
    let filter = side.as_ref().and_then(|s| s.filter.as_deref()).map(|filter| format!("filter {}", quoted(filter)));
    let filter = filter.filter(|_| !change.fields.iter().any(|f| f == "filter"));
    let fields = Some(format!("changes {}", escape(&change.fields.join(", "))));
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
    let address = || side.as_ref().map(|s| s.address.as_str());
    name.as_deref().or_else(address).map(|text| escape(text).into_owned())
}

/// The reason in words, where the symbol does not say it.
pub(super) fn reason(change: &Change) -> Option<String> {
    let held = || {
        change.before.as_ref().and_then(|b| b.name.as_deref()).map_or_else(String::new, |n| format!(" {}", quoted(n)))
    };
    match change.reason.as_str() {
        "missing" | "differs" => None,
        "repurposed" => {
            Some("repurposed: address and filter both change, as good as deleted for its old use".to_owned())
        }
        "name_step" => Some(format!("renamed to free its name{} for another subscription", held())),
        "not_in_manifest" => Some("not in the manifest".to_owned()),
        "duplicate" => Some(format!("duplicate of another live {}, which stays", escape(&change.topic))),
        "replaced" => Some("replaced: REST cannot change its format, and the new one stands first".to_owned()),
        "unmanaged" => Some("outside the ownership rule; the manifest says unmanaged: delete".to_owned()),
        // From a later minor version.
        other => Some(escape(other).replace('_', " ")),
    }
}

/// `orders.yaml:12`, or the first and how many more.
pub(super) fn places<'a>(sources: impl Iterator<Item = &'a Source>) -> Option<String> {
    let places: BTreeSet<(&str, u32)> = sources.map(|Source { file, line }| (file.as_str(), *line)).collect();
    let (file, line) = places.first()?;
    let first = format!("{}:{line}", escape(file));
    Some(match places.len() - 1 {
        0 => first,
        more => format!("{first} and {}", shops::count(more, "more place")),
    })
}

fn for_example(variants: usize) -> String {
    format!("  (one of {}; -v shows all)", shops::number(variants))
}

/// A label, and the lines that stand beside it.
type Detail = (&'static str, Vec<String>);

fn details(page: &mut Page<'_>, indent: usize, entry: &Entry<'_>, shops: usize, ambiguous: &BTreeSet<&str>) {
    let variants: Vec<Vec<Detail>> =
        entry.variants.iter().map(|c| fields_of(c, shops > 1, ambiguous, page.style)).collect();
    let mut labels: Vec<&str> = Vec::new();
    for (label, _) in variants.iter().flatten() {
        if !labels.contains(label) {
            labels.push(label);
        }
    }
    for label in labels {
        let of = |variant: &Vec<Detail>| variant.iter().find(|(l, _)| *l == label).map(|(_, lines)| lines.clone());
        let different: BTreeSet<_> = variants.iter().map(of).collect();
        let Some(mut lines) = variants.iter().find_map(of) else { continue };
        if let (true, Some(last)) = (different.len() > 1, lines.last_mut()) {
            last.push_str(&page.style.paint(Ink::Faint, &for_example(different.len())));
        }
        for (i, line) in lines.iter().enumerate() {
            // `->` ends where the value above it begins.
            let gap = if i == 0 { format!("{label}: ") } else { " ".repeat((label.len() + 2).saturating_sub(3)) };
            page.line(indent, &format!("{gap}{line}"));
        }
    }
    let ids: BTreeSet<&str> = entry.all.iter().filter_map(|c| c.before.as_ref()?.id.as_deref()).collect();
    let deletes = entry.variants.first().is_some_and(|c| c.action == Action::Delete);
    if deletes && shops == 1 && !ids.is_empty() {
        page.line(indent, &format!("id: {}", ids.into_iter().map(escape).collect::<Vec<_>>().join(", ")));
    }
}

fn fields_of(change: &Change, many: bool, ambiguous: &BTreeSet<&str>, style: &Style) -> Vec<Detail> {
    let mut out = Vec::new();
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if change.action == Action::Update => {
            for field in &change.fields {
                out.push(difference(field, change, before, after, many, style));
            }
            if !change.fields.iter().any(|f| f == "address") {
                out.extend(address_of(change.destination.after.as_deref(), after, ambiguous));
            }
            if let (Some(filter), false) = (&after.filter, change.fields.iter().any(|f| f == "filter")) {
                // Tells subscriptions of one topic and destination apart.
                out.push(("filter", vec![format!("{} (unchanged)", quoted(filter))]));
            }
        }
        (before, after) => {
            let name = change.destination.after.as_deref().or(change.destination.before.as_deref());
            if let Some(side) = before.as_ref().or(after.as_ref()) {
                out.extend(address_of(name, side, ambiguous));
                out.extend(attributes(side));
            }
        }
    }
    out
}

/// The address, where the name alone does not say it.
fn address_of(name: Option<&str>, side: &Subscription, ambiguous: &BTreeSet<&str>) -> Option<Detail> {
    ambiguous.contains(name?).then(|| ("address", vec![short_address(&side.address)]))
}

/// What a subscription has beyond the defaults.
fn attributes(subscription: &Subscription) -> Vec<Detail> {
    let Subscription { format, include_fields, metafield_namespaces, filter, name, metafields, .. } = subscription;
    let text = |label, value: Option<&str>| value.map(|v| (label, vec![quoted(v)]));
    let list = |label, items: &[String]| (!items.is_empty()).then(|| (label, vec![bracketed(items)]));
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
    .collect()
}

/// `before -> after` of one field.
fn difference(field: &str, change: &Change, b: &Subscription, a: &Subscription, many: bool, style: &Style) -> Detail {
    let pair = |label, before: Option<&str>, after: Option<&str>| {
        let (left, right) = text_change(before, after, style);
        let length = before.map_or(4, |t| t.chars().count()) + after.map_or(4, |t| t.chars().count());
        let lines = if length > 72 { vec![left, format!("-> {right}")] } else { vec![format!("{left} -> {right}")] };
        (label, lines)
    };
    let list = |label, b: &[String], a: &[String]| (label, vec![list_change(b, a, style)]);
    let metafields = |s: &Subscription| s.metafields.clone().unwrap_or_default();
    let name = |s: &Subscription| {
        let step = s.name.as_deref().and_then(step_name).filter(|_| many);
        step.map(str::to_owned).or_else(|| s.name.clone())
    };
    match field {
        "address" => address_change(change, b, a, style),
        "format" => pair("format", Some(&b.format), Some(&a.format)),
        "filter" => pair("filter", b.filter.as_deref(), a.filter.as_deref()),
        "include_fields" => list("include_fields", &b.include_fields, &a.include_fields),
        "metafield_namespaces" => list("metafield_namespaces", &b.metafield_namespaces, &a.metafield_namespaces),
        "name" => pair("name", name(b).as_deref(), name(a).as_deref()),
        "metafields" => list("metafields", &metafields(b), &metafields(a)),
        // From a later minor version.
        other => ("other", vec![format!("{} (this version cannot show it)", escape(other))]),
    }
}

/// Both addresses in full, each behind its name, one under the other so that the eye can compare them.
fn address_change(change: &Change, b: &Subscription, a: &Subscription, style: &Style) -> Detail {
    let (left, right) = text_change(Some(&b.address), Some(&a.address), style);
    let named = |name: Option<&String>, text: String| match name {
        Some(name) => format!("{text} ({})", escape(name)),
        None => text,
    };
    let after = named(change.destination.after.as_ref(), right);
    ("address", vec![named(change.destination.before.as_ref(), left), format!("-> {after}")])
}
