//! What Adobe says of the addresses that a plan binds to: what may not be bound, and what to say of what is.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::json;

use crate::diff::{Change, ShopDiff};
use crate::model::{Address, Field};
use crate::wire;
use crate::wire::plan::{Finding, Severity};

/// Verdicts of what is not bound to.
const CLOSED: [&str; 5] = ["disabled", "authentication_required", "address_differs", "no_address", "unusable_address"];

/// Addresses of which Adobe says something.
#[derive(Debug, Clone, Default)]
pub struct DestinationHealth {
    said: HashMap<Address, Said>,
    /// Those that nothing may be bound to.
    pub(super) closed: BTreeSet<Address>,
}

#[derive(Debug, Clone)]
struct Said {
    /// `destination_<verdict>`
    kind: String,
    severity: Severity,
    message: String,
    id: Option<String>,
    destination: String,
    failing: Option<wire::plan::Failing>,
}

/// Whether nothing may be newly bound to it: what is delivered there is refused or lost.
pub fn is_closed(destination: &wire::plan::Destination) -> bool {
    CLOSED.contains(&destination.verdict.as_str())
}

/// Sorts destinations, in plans and wherever they are listed.
pub fn destination_order(a: &wire::plan::Destination, b: &wire::plan::Destination) -> Ordering {
    (&a.name, &a.shop, &a.wanted).cmp(&(&b.name, &b.shop, &b.wanted))
}

impl DestinationHealth {
    /// From what was found out of each destination.
    pub fn of(destinations: &[wire::plan::Destination]) -> Self {
        let mut inlets = Self::default();
        for destination in destinations.iter().filter(|d| d.verdict != "ok" && d.verdict != "unknown") {
            let Some(address) = destination.address.as_deref().map(Address::new) else { continue };
            if is_closed(destination) {
                inlets.closed.insert(address.clone());
            }
            let said = Said {
                kind: format!("destination_{}", destination.verdict),
                severity: destination.severity,
                message: destination.message.clone(),
                id: destination.id.clone(),
                destination: destination.name.clone().unwrap_or_else(|| address.to_string()),
                failing: destination.failing.clone(),
            };
            // Of two destinations with one address the worse counts.
            let closed =
                |kind: &str| kind.strip_prefix("destination_").is_some_and(|verdict| CLOSED.contains(&verdict));
            let weight = |said: &Said| (closed(&said.kind), said.severity);
            if inlets.said.get(&address).is_none_or(|known| weight(known) < weight(&said)) {
                inlets.said.insert(address, said);
            }
        }
        inlets
    }

    /// Reason and message of a binding that is blocked.
    pub(super) fn refusal(&self, address: &Address) -> (&str, String) {
        let said = self.said.get(address);
        said.map_or(("destination_closed", String::new()), |said| (&*said.kind, format!("not bound: {}", said.message)))
    }

    /// What is live at an address that needs somebody: one finding for each address.
    pub(super) fn findings(&self, result: &ShopDiff<'_>) -> Vec<Finding> {
        if self.said.is_empty() {
            return Vec::new();
        }
        let bound = result.bound.iter().map(|(wanted, _)| &wanted.binding);
        let kept = result.changes.iter().filter_map(|change| match change {
            Change::Update { after, fields, .. } if !fields.contains(&Field::Address) => Some(after),
            _ => None,
        });
        let mut topics: BTreeMap<&Address, Vec<&str>> = BTreeMap::new();
        for binding in bound.chain(kept) {
            topics.entry(&binding.address).or_default().push(binding.topic.as_str());
        }
        let found = topics.into_iter().filter_map(|(address, mut topics)| {
            let said = self.said.get(address).filter(|said| said.severity == Severity::Attention)?;
            topics.sort_unstable();
            topics.dedup();
            let mut details = json!({
                "destination": said.destination, "id": said.id, "address": address.as_str(), "topics": topics,
            });
            if let Some(failing) = &said.failing {
                details["failing"] = json!(failing);
            }
            Some(Finding {
                kind: said.kind.clone(),
                severity: said.severity,
                topic: None,
                id: None,
                message: format!("live all the same: {}", said.message),
                details: details.as_object().cloned().unwrap_or_default(),
            })
        });
        found.collect()
    }
}
