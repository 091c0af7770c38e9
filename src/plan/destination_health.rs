//! The health of the addresses to which a plan binds: which ones must not be bound, and findings about live
//! subscriptions.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::json;

use super::findings::finding;
use super::{Destination, Failing, Finding, FindingKind, Obstacle, Severity, Verdict};
use crate::diff::{Change, ShopDiff};
use crate::model::{Address, Field};

/// Verdicts about addresses. Contains only verdicts other than `Ok` and `Unknown`.
#[derive(Debug, Clone, Default)]
pub struct DestinationHealth {
    said: HashMap<Address, Said>,
    /// Addresses that no new binding may use.
    pub(super) closed: BTreeSet<Address>,
}

#[derive(Debug, Clone)]
struct Said {
    verdict: Verdict,
    severity: Severity,
    message: String,
    id: Option<String>,
    destination: String,
    failing: Option<Failing>,
}

impl DestinationHealth {
    /// Collects the verdicts about destinations.
    pub fn of(destinations: &[Destination]) -> Self {
        let mut inlets = Self::default();
        for destination in destinations.iter().filter(|d| !matches!(d.verdict, Verdict::Ok | Verdict::Unknown)) {
            let Some(address) = destination.address.clone() else { continue };
            if destination.verdict.is_closed() {
                inlets.closed.insert(address.clone());
            }
            let said = Said {
                verdict: destination.verdict.clone(),
                severity: destination.severity,
                message: destination.message.clone(),
                id: destination.id.clone(),
                destination: destination.name.clone().unwrap_or_else(|| address.to_string()),
                failing: destination.failing.clone(),
            };
            // Of two destinations with the same address the more serious verdict counts.
            let weight = |said: &Said| (said.verdict.is_closed(), said.severity);
            if inlets.said.get(&address).is_none_or(|known| weight(known) < weight(&said)) {
                inlets.said.insert(address, said);
            }
        }
        inlets
    }

    /// Returns the obstacle and the message of a binding that is blocked by its address.
    pub(super) fn refusal(&self, address: &Address) -> (Obstacle, String) {
        let said = self.said.get(address).map(|said| (said.verdict.clone(), format!("not bound: {}", said.message)));
        let (verdict, message) = said.unwrap_or((Verdict::Unknown, String::new()));
        (Obstacle::Destination(verdict), message)
    }

    /// Returns one finding for each address that needs attention and has live subscriptions.
    pub(super) fn findings(&self, result: &ShopDiff<'_>) -> Vec<Finding> {
        if self.said.is_empty() {
            return Vec::new();
        }
        let bound = result.bound.iter().map(|(wanted, _)| &wanted.binding);
        let kept = result.changes.iter().filter_map(|change| match change {
            Change::Update { after, fields, .. } if !fields.contains(&Field::Address) => Some(&**after),
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
            if let Some(Failing { since, exact, disabled_on }) = &said.failing {
                details["failing"] = json!({ "since": since, "exact": exact, "disabled_on": disabled_on });
            }
            let message = format!("live subscriptions send events to {}, but {}", said.destination, said.message);
            Some(finding(FindingKind::Destination(said.verdict.clone()), said.severity, None, message, details))
        });
        found.collect()
    }
}
