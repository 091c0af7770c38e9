//! The kinds of topics that each Adobe inlet receives. A dataset has one schema, so unrelated kinds are a mistake.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::diagnostic::Code;
use crate::model::Topic;

use super::document::Span;
use super::expand::Ready;
use super::findings::Findings;
use super::resolve::Endpoint;

/// From this number of topic families on, one schema cannot fit all topics of an inlet.
const UNLIKE_FAMILIES: usize = 4;
/// Maximum number of families and places that a warning names.
const SHOWN: usize = 6;

/// The topic families of each inlet.
#[derive(Default)]
pub(super) struct TopicMix<'a>(HashMap<Endpoint<'a>, Inlet>);

struct Inlet {
    /// The first topic of each family.
    families: BTreeMap<String, Topic>,
    /// The place that names the inlet first: its destination or, without one, a binding.
    span: Span,
    /// The destinations with this inlet. There may be several, which the manifest does not show if they are looked up.
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
                format!("one inlet receives {} unrelated kinds of topics: {}{rest}", families.len(), named.join(", "));
            let each: Vec<String> = families.values().take(SHOWN).map(|topic| format!("`{}`", word(topic))).collect();
            let hint = format!(
                "create a dataflow and a destination for each kind, such as {}. A dataflow has one mapping and one dataset, and \
                 the deliveries contain neither topic nor shop",
                each.join(", ")
            );
            let mut diagnostic = findings.diagnostic(Code::MixedInlet, *span, message).hint(hint);
            for other in destinations.iter().filter(|other| *other != span).take(SHOWN) {
                diagnostic = diagnostic.related(findings.place(*other), "this destination has the same inlet");
            }
            findings.report(diagnostic);
        }
    }
}

/// Returns the first word of a topic, its kind: `customers` for `customers_marketing_consent/update`.
fn word(topic: &Topic) -> &str {
    topic.as_str().split(['/', '.', '_']).next().unwrap_or_default()
}

/// Returns the kind of a topic in the singular, which identifies its family.
fn family(topic: &Topic) -> &str {
    let word = word(topic);
    word.strip_suffix('s').unwrap_or(word)
}
