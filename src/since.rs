//! What earlier runs say about drift: whether a missing subscription was live once, and which drift is known.
//!
//! Pure. Outcomes of earlier applies and earlier plans go in; findings and counts come out. Nothing is claimed that no
//! file shows: without a file that has it live, a subscription was "never made" as far as is known. `wire::earlier` reads
//! the files.

mod explain;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::diff::Change;
use crate::model::{ShopDomain, SubscriptionId, Topic};
use crate::plan::{BindingKey, Earlier, Finding, FindingKind, PlannedChange, ShopPlan};

pub(crate) use explain::explain;

/// A place where a subscription can be.
type Route = (ShopDomain, Topic, BindingKey);

/// What earlier files show.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The newest that is known of each route.
    routes: BTreeMap<Route, Seen>,
    /// When an apply last touched a subscription.
    touched: BTreeMap<(ShopDomain, SubscriptionId), Timestamp>,
    /// Earlier readings of each shop, the oldest first.
    readings: BTreeMap<ShopDomain, Vec<Reading>>,
    /// Lines of journals that could not be read, such as the last one of a run that was killed.
    pub unreadable_lines: usize,
}

#[derive(Debug, Clone, PartialEq)]
struct Seen {
    at: Timestamp,
    /// Live then; else an apply had just taken it away.
    live: bool,
    id: Option<SubscriptionId>,
}

/// One shop in one earlier plan.
#[derive(Debug, Clone, PartialEq)]
struct Reading {
    at: Timestamp,
    /// What the manifest asked of the shop then.
    desired_digest: String,
    /// Its changes, and since when they were known then.
    had: Vec<(Change, Option<Timestamp>)>,
    /// Wanted and not live then.
    missing: BTreeSet<(Topic, BindingKey)>,
    /// Wanted, not live and not possible then: topic, destination.
    blocked: BTreeSet<(Topic, Arc<str>)>,
}

/// A change that an earlier apply made, or found made already.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// Where.
    pub shop: ShopDomain,
    /// Its topic.
    pub topic: Topic,
    /// The subscription, where it is known.
    pub id: Option<SubscriptionId>,
    /// What it was before; none for creates.
    pub before: Option<BindingKey>,
    /// What it is after; none for deletes.
    pub after: Option<BindingKey>,
}

impl History {
    fn saw(&mut self, route: Route, seen: Seen) {
        let newer = self.routes.get(&route).is_none_or(|known| known.at <= seen.at);
        if newer {
            self.routes.insert(route, seen);
        }
    }

    /// Adds what an apply made at a time. The order of calls does not matter, unless two are of the same second.
    pub fn add_made(&mut self, made: Made, at: Timestamp) {
        let Made { shop, topic, id, before, after } = made;
        let route = |key: BindingKey| (shop.clone(), topic.clone(), key);
        if let Some(before) = before.filter(|before| after.as_ref() != Some(before)) {
            self.saw(route(before), Seen { at, live: false, id: id.clone() });
        }
        if let Some(after) = after {
            self.saw(route(after), Seen { at, live: true, id: id.clone() });
        }
        if let Some(id) = id {
            let touched = self.touched.entry((shop, id)).or_insert(at);
            *touched = at.max(*touched);
        }
    }

    /// Adds the shops of a plan that was made at a time. Shops that were not read show nothing.
    pub fn add_plan(&mut self, shops: Vec<ShopPlan>, at: Timestamp) {
        for shop in shops.into_iter().filter(|shop| shop.unread.is_none()) {
            for finding in &shop.findings {
                self.remember(&shop.shop, finding);
            }
            for (index, PlannedChange { change, .. }) in shop.changes.iter().enumerate() {
                // The first of several changes of one subscription has it as it was; the others as it would have been.
                let earlier = shop.changes[..index].iter().any(|planned| planned.change.id() == change.id());
                if let Some(before) = change.before().filter(|_| !earlier) {
                    let route = (shop.shop.clone(), change.topic().clone(), BindingKey::from(&before.binding));
                    self.saw(route, Seen { at, live: true, id: Some(before.meta.id.clone()) });
                }
            }
            let readings = self.readings.entry(shop.shop.clone()).or_default();
            readings.push(reading(at, shop));
            readings.sort_by_key(|r| r.at);
        }
    }

    /// An earlier report carries on what still earlier files showed, so that a job needs to keep only the last one.
    fn remember(&mut self, shop: &ShopDomain, finding: &Finding) {
        let (earlier, live) = match &finding.kind {
            FindingKind::RemovedRemotely(earlier) => (earlier, true),
            FindingKind::RemovedByApply(earlier) => (earlier, false),
            _ => return,
        };
        let (Some(topic), Some(last)) = (&finding.topic, earlier.last_known) else { return };
        let route = (shop.clone(), topic.clone(), earlier.key.clone());
        self.saw(route, Seen { at: last, live, id: finding.id.clone() });
    }
}

fn reading(at: Timestamp, shop: ShopPlan) -> Reading {
    let known: Vec<(usize, Timestamp)> =
        shop.findings.iter().filter_map(|finding| known_since(&finding.kind)).collect();
    let missing = shop.changes.iter().filter_map(|PlannedChange { change, .. }| {
        let after = BindingKey::from(change.after()?);
        let live = change.before().is_some_and(|before| BindingKey::from(&before.binding) == after);
        (!live).then(|| (change.topic().clone(), after))
    });
    let missing = missing.collect();
    let since = |at: usize| known.iter().find(|(index, _)| *index == at).map(|(_, since)| *since);
    let changes = shop.changes.into_iter().enumerate();
    Reading {
        at,
        desired_digest: shop.desired_digest,
        had: changes.map(|(index, planned)| (planned.change, since(index))).collect(),
        missing,
        blocked: shop.blocked.into_iter().map(|b| (b.topic, b.destination)).collect(),
    }
}

/// Since when the change with this index has been known.
fn known_since(kind: &FindingKind) -> Option<(usize, Timestamp)> {
    match kind {
        FindingKind::KnownDrift { index, known_since } => Some((*index, *known_since)),
        FindingKind::NeverMade(Earlier { index, known_since, .. })
        | FindingKind::RemovedByApply(Earlier { index, known_since, .. })
        | FindingKind::RemovedRemotely(Earlier { index, known_since, .. }) => Some((*index, (*known_since)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
