//! Which kinds of topics go into which of Adobe's inlets: a dataset has one schema, so unlike kinds are a mistake.

use std::collections::{BTreeMap, HashMap};

use crate::diagnostic::Code;
use crate::model::{Address, Topic};

use super::address;
use super::document::Spot;
use super::findings::Findings;

/// As many families of topics into one inlet are too unlike for one schema.
const UNLIKE_FAMILIES: usize = 4;

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
            let mut topics: Vec<&str> = families.values().map(Topic::as_str).take(6).collect();
            if families.len() > topics.len() {
                topics.push("…");
            }
            let message = format!("one inlet gets {} unlike kinds of topics: {}", families.len(), topics.join(", "));
            let hint = "a dataset has one schema: give each kind a dataflow, and a destination, of its own";
            findings.report(findings.diagnostic(Code::MixedInlet, *spot, message).hint(hint));
        }
    }
}

/// What a topic is about: its first word, in the singular. `customers_marketing_consent/update` is about customers.
fn family(topic: &Topic) -> &str {
    let word = topic.as_str().split(['/', '.', '_']).next().unwrap_or_default();
    word.strip_suffix('s').unwrap_or(word)
}
