//! What a plan's changes are in the light of earlier files.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{History, Seen, identity};
use crate::plan::finding_order;
use crate::wire::events::Key;
use crate::wire::plan::{Action, Change, Finding, Severity, Shop, Since};

/// Adds findings to shops that were read, and counts.
pub fn explain<'a>(history: &History, shops: impl IntoIterator<Item = &'a mut Shop>) -> Since {
    let mut counts = Since::default();
    for shop in shops {
        let of_changes: Vec<Option<Finding>> =
            shop.changes.iter().enumerate().map(|(index, change)| finding(history, shop, index, change)).collect();
        for finding in of_changes {
            let known = finding.as_ref().is_some_and(|f| !f.details["known_since"].is_null());
            *if known { &mut counts.known } else { &mut counts.new } += 1;
            match finding.as_ref().map(|f| f.kind.as_str()) {
                Some("removed_remotely") => counts.removed_remotely += 1,
                Some("never_made") => counts.never_made += 1,
                _ => {}
            }
            shop.findings.extend(finding);
        }
        shop.findings.sort_by_cached_key(finding_order);
    }
    counts
}

/// A create always has one; an update or delete only if it is old news.
fn finding(history: &History, shop: &Shop, index: usize, change: &Change) -> Option<Finding> {
    let known_since = known_since(history, &shop.shop, change);
    let destination = &change.destination;
    let (Action::Create, Some(after)) = (change.action, &change.after) else {
        let since = known_since?;
        let name = destination.before.as_ref().or(destination.after.as_ref());
        let about = name.map(|name| format!("-> {name}: ")).unwrap_or_default();
        let message = format!("{about}known since {since}, an earlier report had it, too");
        return Some(Finding {
            kind: "known_drift".to_owned(),
            severity: Severity::Info,
            topic: Some(change.topic.clone()),
            id: change.before.as_ref().and_then(|b| b.id.clone()),
            message,
            details: details(json!({ "index": index, "action": change.action, "known_since": since.to_string() })),
        });
    };
    let key = Key::from(after);
    let to = destination.after.as_deref().unwrap_or(&after.address);
    let old = if known_since.is_some() { " (known)" } else { "" };
    let seen = last_seen(history, shop, &change.topic, &key, to);
    let (kind, severity, message) = match &seen {
        Some(Seen { at, live: true, .. }) => {
            ("removed_remotely", Severity::Attention, format!("-> {to}{old}: it was live at {at} and is gone"))
        }
        Some(Seen { at, live: false, .. }) => (
            "removed_by_apply",
            Severity::Info,
            format!("-> {to}{old}: an apply took it away at {at}, and the manifest wants it again"),
        ),
        None => ("never_made", Severity::Info, format!("-> {to}{old}: no earlier file shows it live")),
    };
    Some(Finding {
        kind: kind.to_owned(),
        severity,
        topic: Some(change.topic.clone()),
        id: seen.as_ref().and_then(|s| s.id.clone()),
        message,
        details: details(json!({
            "index": index,
            "action": change.action,
            "address": key.address,
            "format": key.format,
            "filter": key.filter,
            "last_known": seen.map(|s| s.at.to_string()),
            "known_since": known_since.map(|t| t.to_string()),
        })),
    })
}

fn details(value: Value) -> serde_json::Map<String, Value> {
    if let Value::Object(map) = value { map } else { serde_json::Map::new() }
}

/// The newest that any file shows of a route.
fn last_seen(history: &History, shop: &Shop, topic: &str, key: &Key, destination: &str) -> Option<Seen> {
    let route = (shop.shop.clone(), topic.to_owned(), key.clone());
    let direct = history.routes.get(&route).cloned();
    // A plan does not list what needs no change. But where the manifest asked the same of the shop as now, whatever was
    // neither missing nor blocked was live.
    let wanted = (topic.to_owned(), key.clone());
    let blocked = (topic.to_owned(), destination.to_owned());
    let indirect = history.readings.get(&shop.shop).into_iter().flatten().rev().find(|reading| {
        reading.desired_digest == shop.desired_digest
            && !reading.missing.contains(&wanted)
            && !reading.blocked.contains(&blocked)
    });
    let indirect = indirect.map(|reading| Seen { at: reading.at, live: true, id: None });
    match (direct, indirect) {
        (Some(direct), Some(indirect)) if indirect.at > direct.at => {
            // The id is that of the same subscription only if nothing ended its life in between.
            Some(Seen { id: direct.id.filter(|_| direct.live), ..indirect })
        }
        (direct, indirect) => direct.or(indirect),
    }
}

/// Since when readings without a gap have had this change. An apply that touched the subscription begins anew.
fn known_since(history: &History, shop: &str, change: &Change) -> Option<Timestamp> {
    let touched = match (&change.before, &change.after) {
        (Some(before), _) => {
            let id = before.id.clone().unwrap_or_default();
            history.touched.get(&(shop.to_owned(), id)).copied()
        }
        (None, Some(after)) => {
            let route = (shop.to_owned(), change.topic.clone(), Key::from(after));
            history.routes.get(&route).map(|seen| seen.at)
        }
        (None, None) => None,
    };
    let same = identity(change);
    let readings = history.readings.get(shop).into_iter().flatten().rev();
    let mut since = None;
    for reading in readings.take_while(|r| touched.is_none_or(|t| r.at >= t)) {
        match reading.had.get(&same) {
            Some(earlier) => since = Some(earlier.unwrap_or(reading.at)),
            None => break,
        }
    }
    since
}
