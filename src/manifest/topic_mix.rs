//! Which kinds of topics go into which of Adobe's inlets: a dataset has one schema, so unlike kinds are a mistake.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::diagnostic::Code;
use crate::model::Topic;

use super::document::Span;
use super::expand::Ready;
use super::findings::Findings;
use super::resolve::Endpoint;

/// As many families of topics into one inlet are too unlike for one schema.
const UNLIKE_FAMILIES: usize = 4;
/// As many are named.
const SHOWN: usize = 6;

/// What is known of each inlet.
#[derive(Default)]
pub(super) struct TopicMix<'a>(HashMap<Endpoint<'a>, Inlet>);

struct Inlet {
    /// The first topic of each family.
    families: BTreeMap<String, Topic>,
    /// Where it is named first: at its destination or, without one, at a binding.
    span: Span,
    /// The destinations that lead there. Several may, and of those that are looked up nobody sees it in the manifest.
    destinations: BTreeSet<Span>,
}

impl<'a> TopicMix<'a> {
    pub(super) fn note(&mut self, endpoint: Endpoint<'a>, ready: &Ready) {
        if !endpoint.is_inlet() {
            return;
        }
        let inlet = self.0.entry(endpoint).or_insert_with(|| {
            let span = ready.destination.unwrap_or(ready.span);
            Inlet { families: BTreeMap::new(), span, destinations: BTreeSet::new() }
        });
        inlet.destinations.extend(ready.destination);
        let topic = &ready.entry.binding.topic;
        match inlet.families.get_mut(family(topic)) {
            Some(first) if topic < first => *first = topic.clone(),
            Some(_) => {}
            None => drop(inlet.families.insert(family(topic).to_owned(), topic.clone())),
        }
    }

    pub(super) fn report(&self, findings: &mut Findings) {
        let mut mixed: Vec<_> = self.0.values().filter(|inlet| inlet.families.len() >= UNLIKE_FAMILIES).collect();
        mixed.sort_by_key(|inlet| inlet.span);
        for Inlet { families, span, destinations } in mixed {
            let named: Vec<String> =
                families.values().take(SHOWN).map(|topic| format!("{} ({topic})", word(topic))).collect();
            let more = families.len().saturating_sub(SHOWN);
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            let message =
                format!("one inlet gets {} unlike kinds of topics: {}{rest}", families.len(), named.join(", "));
            let each: Vec<String> = families.values().take(SHOWN).map(|topic| format!("`{}`", word(topic))).collect();
            let hint = format!(
                "a dataflow has one mapping and one dataset, and what arrives there names neither topic nor shop: make a \
                 dataflow and a destination for each kind, such as {}",
                each.join(", ")
            );
            let mut diagnostic = findings.diagnostic(Code::MixedInlet, *span, message).hint(hint);
            for other in destinations.iter().filter(|other| *other != span).take(SHOWN) {
                diagnostic = diagnostic.related(findings.place(*other), "this one leads to the same inlet");
            }
            findings.report(diagnostic);
        }
    }
}

/// What a topic is about: its first word. `customers_marketing_consent/update` is about customers.
fn word(topic: &Topic) -> &str {
    topic.as_str().split(['/', '.', '_']).next().unwrap_or_default()
}

/// The same for all that is about the same: in the singular.
fn family(topic: &Topic) -> &str {
    let word = word(topic);
    word.strip_suffix('s').unwrap_or(word)
}
