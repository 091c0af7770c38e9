//! The fields of a change: what each is, or how it became another.

use std::collections::BTreeSet;

use super::change::for_example;
use super::group::Entry;
use super::page::{Ink, Page};
use super::values::{bracketed, list_change, quoted, short_address, step_name, text_change};
use super::{Style, escape};
use crate::wire::plan::{Action, Change, Field, Subscription};

/// A field of a change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Detail {
    pub(super) label: &'static str,
    pub(super) value: Value,
    /// Of how many variants this is one.
    of: usize,
}

/// What a field is, or how it changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Value {
    Is(String),
    Becomes {
        before: String,
        after: String,
        /// Better read one under the other.
        long: bool,
    },
}

impl Detail {
    fn is(label: &'static str, value: String) -> Self {
        Self { label, value: Value::Is(value), of: 1 }
    }

    /// What to say behind the value; `more` says where the variants are that are not shown.
    pub(super) fn note(&self, more: &str) -> String {
        for_example(self.of, more)
    }

    pub(super) fn write(&self, page: &mut Page<'_>, indent: usize, more: &str) {
        let Self { label, value, .. } = self;
        let note = page.style.paint(Ink::Faint, &self.note(more));
        match value {
            Value::Is(value) => page.line(indent, &format!("{label}: {value}{note}")),
            Value::Becomes { before, after, long: false } => {
                page.line(indent, &format!("{label}: {before} -> {after}{note}"));
            }
            Value::Becomes { before, after, long: true } => {
                page.line(indent, &format!("{label}: {before}"));
                // `->` ends where the value above it begins.
                page.line(indent + (label.len() + 2).saturating_sub(3), &format!("-> {after}{note}"));
            }
        }
    }
}

/// What is worth saying of each field; `shops` is how many have the change.
pub(super) fn details(entry: &Entry<'_>, shops: usize, ambiguous: &BTreeSet<&str>, style: &Style) -> Vec<Detail> {
    let variants: Vec<Vec<Detail>> = entry.variants.iter().map(|c| fields_of(c, shops > 1, ambiguous, style)).collect();
    let mut labels: Vec<&str> = Vec::new();
    for Detail { label, .. } in variants.iter().flatten() {
        if !labels.contains(label) {
            labels.push(label);
        }
    }
    let mut out: Vec<Detail> = Vec::new();
    for label in labels {
        let of = |variant: &Vec<Detail>| -> Option<Detail> { variant.iter().find(|d| d.label == label).cloned() };
        let different: BTreeSet<_> = variants.iter().map(|v| of(v).map(|d| d.value)).collect();
        out.extend(variants.iter().find_map(of).map(|first| Detail { of: different.len(), ..first }));
    }
    let ids: BTreeSet<&str> = entry.all.iter().filter_map(|c| c.before.as_ref()?.id.as_deref()).collect();
    let deletes = entry.variants.first().is_some_and(|c| c.action == Action::Delete);
    if deletes && shops == 1 && !ids.is_empty() {
        out.push(Detail::is("id", ids.into_iter().map(escape).collect::<Vec<_>>().join(", ")));
    }
    out
}

fn fields_of(change: &Change, many: bool, ambiguous: &BTreeSet<&str>, style: &Style) -> Vec<Detail> {
    let mut out = Vec::new();
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if change.action == Action::Update => {
            for field in &change.fields {
                out.push(difference(field, change, before, after, many, style));
            }
            if !change.fields.contains(&Field::Address) {
                out.extend(address_of(change.destination.after.as_deref(), after, ambiguous));
            }
            if let (Some(filter), false) = (&after.filter, change.fields.contains(&Field::Filter)) {
                // Tells subscriptions of one topic and destination apart.
                out.push(Detail::is("filter", format!("{} (unchanged)", quoted(filter))));
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
    ambiguous.contains(name?).then(|| Detail::is("address", short_address(&side.address)))
}

/// What a subscription has beyond the defaults.
fn attributes(subscription: &Subscription) -> Vec<Detail> {
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
    .collect()
}

/// `before -> after` of one field.
fn difference(field: &Field, change: &Change, b: &Subscription, a: &Subscription, many: bool, style: &Style) -> Detail {
    let pair = |label, before: Option<&str>, after: Option<&str>| {
        let length = before.map_or(4, |t| t.chars().count()) + after.map_or(4, |t| t.chars().count());
        let (before, after) = text_change(before, after, style);
        Detail { label, value: Value::Becomes { before, after, long: length > 72 }, of: 1 }
    };
    let list = |label, b: &[String], a: &[String]| Detail::is(label, list_change(b, a, style));
    let metafields = |s: &Subscription| s.metafields.clone().unwrap_or_default();
    let name = |s: &Subscription| {
        let step = s.name.as_deref().and_then(step_name).filter(|_| many);
        step.map(str::to_owned).or_else(|| s.name.clone())
    };
    match field {
        Field::Address => address_change(change, b, a, style),
        Field::Format => pair("format", Some(&b.format), Some(&a.format)),
        Field::Filter => pair("filter", b.filter.as_deref(), a.filter.as_deref()),
        Field::IncludeFields => list("include_fields", &b.include_fields, &a.include_fields),
        Field::MetafieldNamespaces => list("metafield_namespaces", &b.metafield_namespaces, &a.metafield_namespaces),
        Field::Name => pair("name", name(b).as_deref(), name(a).as_deref()),
        Field::Metafields => list("metafields", &metafields(b), &metafields(a)),
        // From a later minor version.
        Field::Other(other) => Detail::is("other", format!("{} (this version cannot show it)", escape(other))),
    }
}

/// Both addresses in full, each behind its name, one under the other so that the eye can compare them.
fn address_change(change: &Change, b: &Subscription, a: &Subscription, style: &Style) -> Detail {
    let (left, right) = text_change(Some(&b.address), Some(&a.address), style);
    let named = |name: Option<&String>, text: String| match name {
        Some(name) => format!("{text} ({})", escape(name)),
        None => text,
    };
    let before = named(change.destination.before.as_ref(), left);
    let after = named(change.destination.after.as_ref(), right);
    Detail { label: "address", value: Value::Becomes { before, after, long: true }, of: 1 }
}
