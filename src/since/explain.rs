//! Classifies the changes of a plan by the records of earlier files.

use jiff::Timestamp;
use serde_json::{Map, json};

use super::{History, Seen, known_since as known_of};
use crate::diff::Change;
use crate::model::{ShopDomain, Topic};
use crate::plan::{
    BindingKey, Earlier, Finding, FindingKind, PlannedChange, Severity, ShopPlan, SinceCounts, add, same_edit,
};

/// Adds findings to the shops, and returns the counts.
pub(crate) fn explain<'a>(history: &History, shops: impl IntoIterator<Item = &'a mut ShopPlan>) -> SinceCounts {
    let mut counts = SinceCounts::default();
    for shop in shops {
        let of_changes: Vec<Option<Finding>> =
            shop.changes.iter().enumerate().map(|(index, change)| finding(history, shop, index, change)).collect();
        for finding in of_changes.iter().map(Option::as_ref) {
            let kind = finding.map(|finding| &finding.kind);
            *if kind.and_then(known_of).is_some() { &mut counts.known } else { &mut counts.new } += 1;
            match kind {
                Some(FindingKind::RemovedRemotely(_)) => counts.removed_remotely += 1,
                Some(FindingKind::NeverMade(_)) => counts.never_made += 1,
                _ => {}
            }
        }
        add(shop, of_changes.into_iter().flatten());
    }
    counts
}

/// Returns the finding of a change. A create always has one; an update or delete has one only if an earlier report has
/// the change.
fn finding(history: &History, shop: &ShopPlan, index: usize, planned: &PlannedChange) -> Option<Finding> {
    let PlannedChange { change, destinations, .. } = planned;
    let known_since = known_since(history, &shop.shop, change);
    let details = Map::from_iter([("action".to_owned(), json!(change.action()))]);
    let topic = Some(change.topic().clone());
    let Change::Create { after, .. } = change else {
        let known_since = known_since?;
        let name = destinations.before.as_ref().or(destinations.after.as_ref());
        let about = name.map(|name| format!("-> {name}: ")).unwrap_or_default();
        return Some(Finding {
            kind: FindingKind::KnownDrift { index, known_since },
            severity: Severity::Info,
            topic,
            id: change.id().cloned(),
            message: format!("{about}known since {known_since} (an earlier report has this change)"),
            details: details.into(),
        });
    };
    let key = BindingKey::from(&**after);
    let to = destinations.after.as_deref().unwrap_or(after.address.as_str());
    let old = if known_since.is_some() { " (known)" } else { "" };
    let seen = last_seen(history, shop, change.topic(), &key, to);
    let earlier = Earlier { index, key, last_known: seen.as_ref().map(|seen| seen.from), known_since };
    let (kind, severity, message) = match &seen {
        Some(Seen { from, live: true, .. }) => (
            FindingKind::RemovedRemotely(earlier),
            Severity::Attention,
            format!("-> {to}{old}: removed outside Hookwright; last known live at {from}"),
        ),
        Some(Seen { at, live: false, .. }) => (
            FindingKind::RemovedByApply(earlier),
            Severity::Info,
            format!("-> {to}{old}: removed by an apply at {at}, but the manifest has it again"),
        ),
        None => (
            FindingKind::NeverMade(earlier),
            Severity::Info,
            format!("-> {to}{old}: no earlier file shows this binding live; it may never have been created"),
        ),
    };
    Some(Finding { kind, severity, topic, id: seen.and_then(|seen| seen.id), message, details: details.into() })
}

/// Returns the newest record of a route.
fn last_seen(history: &History, shop: &ShopPlan, topic: &Topic, key: &BindingKey, destination: &str) -> Option<Seen> {
    let route = (shop.shop.clone(), topic.clone(), key.clone());
    let direct = history.newest(&route).cloned();
    // A plan does not list bindings without changes. If the wanted state of the shop was the same as now, every binding
    // that was neither missing nor blocked was live.
    let wanted = (topic.clone(), key.clone());
    let blocked = (topic.clone(), destination.into());
    let indirect = history.readings.get(&shop.shop).into_iter().flatten().rev().find(|reading| {
        reading.desired_digest == shop.desired_digest
            && !reading.missing.contains_key(&wanted)
            && !reading.blocked.contains(&blocked)
    });
    let indirect = indirect.map(|reading| Seen { from: reading.from, at: reading.at, live: true, id: None });
    match (direct, indirect) {
        (Some(direct), Some(indirect)) if indirect.at > direct.at => {
            // The id is valid only if the subscription was not deleted in between.
            Some(Seen { id: direct.id.filter(|_| direct.live), ..indirect })
        }
        (direct, indirect) => direct.or(indirect),
    }
}

/// Returns the time of the first of the consecutive readings that have this change. Readings before an apply that
/// changed the subscription do not count.
fn known_since(history: &History, shop: &ShopDomain, change: &Change) -> Option<Timestamp> {
    let touched = match change {
        Change::Create { after, .. } => {
            let route = (shop.clone(), after.topic.clone(), BindingKey::from(&**after));
            history.newest(&route).map(|seen| seen.at)
        }
        Change::Update { before, .. } | Change::Delete { before, .. } => {
            history.touched.get(&(shop.clone(), before.meta.id.clone())).copied()
        }
    };
    let readings = history.readings.get(shop).into_iter().flatten().rev();
    let mut since = None;
    for reading in readings.take_while(|r| touched.is_none_or(|t| r.at >= t)) {
        match reading.had.iter().find(|(had, _)| same_edit(had, change)) {
            Some((_, earlier)) => since = Some(earlier.unwrap_or(reading.at)),
            None => break,
        }
    }
    since
}
