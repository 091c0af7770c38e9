//! Relates drift to earlier runs: whether a missing subscription was live before, and which drift is known.
//! The input is outcomes of earlier applies and earlier plans; the output is findings and counts. If no file shows a
//! subscription live, it counts as never created. `wire::earlier` reads the files. This module is pure.

mod explain;
mod gaps;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::diff::Change;
use crate::model::{ShopDomain, SubscriptionId, Topic};
use crate::plan::{BindingKey, Earlier, Finding, FindingKind, PlannedChange, ShopPlan};

pub(crate) use explain::explain;
pub(crate) use gaps::{Gap, GapCause};

/// Shop, topic and key: together they identify a subscription.
type Route = (ShopDomain, Topic, BindingKey);

/// The records of earlier files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The records of each route, sorted by time.
    routes: BTreeMap<Route, Vec<Seen>>,
    /// Time at which an apply last changed a subscription.
    touched: BTreeMap<(ShopDomain, SubscriptionId), Timestamp>,
    /// Earlier readings of each shop, sorted by time.
    readings: BTreeMap<ShopDomain, Vec<Reading>>,
    /// Number of journal lines that could not be read, such as the last line of a run that was killed.
    pub unreadable_lines: usize,
}

#[derive(Debug, Clone, PartialEq)]
struct Seen {
    /// It was seen between these times: a run reads or changes its shops one after another.
    from: Timestamp,
    at: Timestamp,
    /// Whether it was live; if not, an apply had just removed it.
    live: bool,
    id: Option<SubscriptionId>,
}

/// One shop in one earlier plan.
#[derive(Debug, Clone, PartialEq)]
struct Reading {
    /// The shop was read between these times.
    from: Timestamp,
    at: Timestamp,
    /// Digest of the shop's wanted state at that time.
    desired_digest: Arc<str>,
    /// Changes of the shop, each with the time since which it was known.
    had: Vec<(Change, Option<Timestamp>)>,
    /// Wanted bindings that were not live, each with the time since which this was known, and the name of its destination.
    missing: BTreeMap<(Topic, BindingKey), Missing>,
    /// Blocked bindings: topic and destination.
    blocked: BTreeSet<(Topic, Arc<str>)>,
}

/// How a wanted binding was not live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    /// No live subscription realised it.
    Missing,
    /// A live subscription of its topic had another address, format or filter.
    Changed,
    /// It could not be created or updated.
    Blocked,
}

/// A wanted binding that was not live.
#[derive(Debug, Clone, PartialEq)]
struct Missing {
    how: How,
    /// The time of the first of the consecutive reports that have it, if that report is not this one.
    known_since: Option<Timestamp>,
    /// Name of the destination, if the address has one.
    destination: Option<String>,
}

/// A change that an earlier apply made, or that was already in effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// Shop of the change.
    pub shop: ShopDomain,
    /// Topic of the subscription.
    pub topic: Topic,
    /// Id of the subscription, if known.
    pub id: Option<SubscriptionId>,
    /// Key before the change; `None` for creates.
    pub before: Option<BindingKey>,
    /// Key after the change; `None` for deletes.
    pub after: Option<BindingKey>,
}

impl History {
    /// Returns the newest record of a route.
    fn newest(&self, route: &Route) -> Option<&Seen> {
        self.routes.get(route)?.last()
    }

    fn saw(&mut self, route: Route, seen: Seen) {
        let records = self.routes.entry(route).or_default();
        // Of records of the same time, the last one counts.
        let at = records.partition_point(|known| known.at <= seen.at);
        records.insert(at, seen);
    }

    /// Adds a change that an apply made between two times. The order of calls does not matter, unless two changes have the same
    /// time.
    pub fn add_made(&mut self, made: Made, from: Timestamp, at: Timestamp) {
        let Made { shop, topic, id, before, after } = made;
        let route = |key: BindingKey| (shop.clone(), topic.clone(), key);
        if let Some(before) = before.filter(|before| after.as_ref() != Some(before)) {
            self.saw(route(before), Seen { from, at, live: false, id: id.clone() });
        }
        if let Some(after) = after {
            self.saw(route(after), Seen { from, at, live: true, id: id.clone() });
        }
        if let Some(id) = id {
            let touched = self.touched.entry((shop, id)).or_insert(at);
            *touched = at.max(*touched);
        }
    }

    /// Adds the shops of a plan that were read between two times. Ignores shops that were not read.
    pub fn add_plan(&mut self, shops: Vec<ShopPlan>, from: Timestamp, at: Timestamp) {
        for shop in shops.into_iter().filter(|shop| shop.unread.is_none()) {
            for finding in &shop.findings {
                self.remember(&shop.shop, finding);
            }
            for (index, PlannedChange { change, .. }) in shop.changes.iter().enumerate() {
                // Only the first of several changes of one subscription has its live state as `before`.
                let earlier = shop.changes[..index].iter().any(|planned| planned.change.id() == change.id());
                if let Some(before) = change.before().filter(|_| !earlier) {
                    let route = (shop.shop.clone(), change.topic().clone(), BindingKey::from(&before.binding));
                    self.saw(route, Seen { from, at, live: true, id: Some(before.meta.id.clone()) });
                }
            }
            let readings = self.readings.entry(shop.shop.clone()).or_default();
            readings.push(reading(from, at, shop));
            readings.sort_by_key(|r| r.at);
        }
    }

    /// Adds what an earlier report contains about still earlier files, so that a job needs to keep only the last
    /// report.
    fn remember(&mut self, shop: &ShopDomain, finding: &Finding) {
        let (earlier, live) = match &finding.kind {
            FindingKind::RemovedRemotely(earlier) => (earlier, true),
            FindingKind::RemovedByApply(earlier) => (earlier, false),
            _ => return,
        };
        let (Some(topic), Some(last)) = (&finding.topic, earlier.last_known) else { return };
        let route = (shop.clone(), topic.clone(), earlier.key.clone());
        self.saw(route, Seen { from: last, at: last, live, id: finding.id.clone() });
    }
}

fn reading(from: Timestamp, at: Timestamp, shop: ShopPlan) -> Reading {
    let known: Vec<(usize, Timestamp)> =
        shop.findings.iter().filter_map(|finding| known_since(&finding.kind)).collect();
    let since = |at: usize| known.iter().find(|(index, _)| *index == at).map(|(_, since)| *since);
    let changes = shop.changes.iter().enumerate().map(|(index, planned)| (planned, since(index)));
    // What `--only` leaves out is not live either.
    let changes = changes.chain(shop.left_out.changes.iter().map(|planned| (planned, None)));
    let missing = changes.filter_map(|(PlannedChange { change, destinations, .. }, known_since)| {
        let after = BindingKey::from(change.after()?);
        let live = change.before().is_some_and(|before| BindingKey::from(&before.binding) == after);
        let how = if change.before().is_some() { How::Changed } else { How::Missing };
        let destination = destinations.after.as_deref().map(str::to_owned);
        (!live).then(|| ((change.topic().clone(), after), Missing { how, known_since, destination }))
    });
    // A blocked binding is not live as wanted.
    let blocked = shop.blocked.iter().chain(&shop.left_out.blocked).filter_map(|blocked| {
        let key = blocked.key.as_deref()?.clone();
        let destination = Some(blocked.destination.to_string()).filter(|name| *name != *key.address.as_str());
        Some(((blocked.topic.clone(), key), Missing { how: How::Blocked, known_since: None, destination }))
    });
    let missing = blocked.chain(missing).collect();
    let changes = shop.changes.into_iter().enumerate();
    Reading {
        from,
        at,
        desired_digest: shop.desired_digest,
        had: changes.map(|(index, planned)| (planned.change, since(index))).collect(),
        missing,
        blocked: shop.blocked.into_iter().map(|b| (b.topic, b.destination)).collect(),
    }
}

/// Returns the index of the change that a finding concerns, and the time since which the change has been known.
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
