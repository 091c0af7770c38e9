//! Which kinds of topics go into which of Adobe's inlets: a dataset has one schema, so unlike kinds are a mistake.

use std::collections::{BTreeMap, HashMap};

use crate::diagnostic::Code;
use crate::model::{Address, Topic};

use super::address;
use super::document::Spot;
use super::findings::Findings;

/// As many families of topics into one inlet are too unlike for one schema.
const UNLIKE_FAMILIES: usize = 4;
/// As many are named.
const SHOWN: usize = 6;

/// The first topic of each family, for each inlet, and where the inlet is named.
#[derive(Default)]
pub(super) struct Inlets(HashMap<Address, (BTreeMap<String, Topic>, Spot)>);

impl Inlets {
    pub(super) fn note(&mut self, topic: &Topic, address: &Address, spot: impl FnOnce() -> Spot) {
        if !address::is_dcs(address) {
            return;
        }
        if !self.0.contains_key(address) {
            self.0.insert(address.clone(), (BTreeMap::new(), spot()));
        }
        let Some((families, _)) = self.0.get_mut(address) else { return };
        match families.get_mut(family(topic)) {
            Some(first) if topic < first => *first = topic.clone(),
            Some(_) => {}
            None => drop(families.insert(family(topic).to_owned(), topic.clone())),
        }
    }

    pub(super) fn report(&self, findings: &mut Findings) {
        let mut mixed: Vec<_> = self.0.values().filter(|(families, _)| families.len() >= UNLIKE_FAMILIES).collect();
        mixed.sort_by_key(|(_, spot)| *spot);
        for (families, spot) in mixed {
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
            findings.report(findings.diagnostic(Code::MixedInlet, *spot, message).hint(hint));
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
