//! Destinations at Adobe: the lookup, the object found, and its address.

use std::collections::BTreeSet;

use super::document::{Document, Kind, Point, Section, Weight};
use super::{Style, text};
use crate::text::plural;
use crate::wire::plan::{Destination, Severity};

/// Returns the section of destinations, or `None` if there are none.
pub(super) fn section<'a>(destinations: impl Iterator<Item = &'a Destination>) -> Option<Section<'a>> {
    Section::list(Weight::Destinations, "Destinations at Adobe", destinations.map(point).collect())
}

fn point<'a>(destination: &Destination) -> Point<'a> {
    let Destination { name, shop, wanted, kind, id, title, state, sandbox, address, verdict, message, .. } =
        destination;
    let of = shop.as_deref().map_or_else(String::new, |shop| format!(" of {shop}"));
    let name = name.as_deref().filter(|name| !name.is_empty());
    let found = id.as_deref().map(|id| {
        let kind = match kind.as_deref() {
            Some("flow") => "dataflow",
            Some(other) => other,
            None => "inlet",
        };
        let title = title.as_deref().map_or_else(|| id.to_owned(), |title| format!("{title:?}"));
        let state =
            state.as_deref().filter(|state| !state.is_empty()).map_or_else(String::new, |state| format!(", {state}"));
        let sandbox = sandbox.as_deref().map_or_else(String::new, |sandbox| format!(", Adobe sandbox `{sandbox}`"));
        format!("{kind} {title}{state}{sandbox}")
    });
    let verdict = (!message.is_empty()).then(|| format!("{verdict}: {message}"));
    let replaces = destination.replaces.iter().map(|replaced| {
        let subscriptions = plural(replaced.subscriptions, "live subscription");
        let shops = plural(replaced.shops, "shop");
        let have = if replaced.subscriptions == 1 { "has" } else { "have" };
        format!("{subscriptions} in {shops} {have} the address {} instead: {}", replaced.address, replaced.message)
    });
    let address = address.clone().filter(|address| name.is_some() || address != wanted);
    let name = format!("{}{of}", name.unwrap_or(wanted));
    Point::Destination {
        name,
        found,
        address,
        remarks: verdict.into_iter().chain(replaces).collect(),
        strong: destination.severity == Severity::Attention || destination.error.is_some(),
    }
}

/// Returns the output of `hookwright destinations`.
pub(super) fn text(destinations: &[Destination], style: &Style) -> String {
    let with = |wanted: &dyn Fn(&Destination) -> bool| destinations.iter().filter(|d| wanted(d)).count();
    let (bad, unknown) = (with(&|d| d.severity == Severity::Attention), with(&|d| d.error.is_some()));
    let last = match destinations.len() {
        0 => "No destination of the manifest is at Adobe.".to_owned(),
        all => {
            let mut words = vec![plural(all, "destination")];
            words.extend((bad > 0).then(|| format!("{bad} {} attention", if bad == 1 { "needs" } else { "need" })));
            words.extend((unknown > 0).then(|| format!("{unknown} could not be checked")));
            format!("{}.", words.join(", "))
        }
    };
    let document = Document {
        kind: Kind::Plan,
        verdict: last,
        incomplete: None,
        facts: Vec::new(),
        sections: section(destinations.iter()).into_iter().collect(),
        digests: BTreeSet::new(),
        names: BTreeSet::new(),
        links: &[],
    };
    text::print(&document, style)
}
