//! Creates findings, with messages that name the problem and the remedy.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Destination, ErrorKind, Finding, FindingKind, Severity, ShopError, ShopPlan};
use crate::catalog;
use crate::diff::{Change, ShopDiff, UpdateReason};
use crate::model::{ApiVersion, Binding, Field, Live, SubscriptionId, Topic};
use crate::state::{AppEvent, AppSubscription, Desired, Entry, Observed, Ownership, Source, Unmanaged};

/// Number of retries before Shopify deletes a subscription of the Admin API (documented, since 2024-09).
pub const RETRIES: u32 = 8;
/// Hours during which Shopify sends retries to the address that was in force when the event occurred (documented: 8
/// retries over 4 hours, since 2024-09).
pub const RETRY_HOURS: i64 = 4;

/// Returns the sort key of a finding: the most severe findings come first.
pub fn order(finding: &Finding) -> impl Ord + use<> {
    let Finding { kind, severity, topic, id, message, details: _ } = finding;
    let topic = topic.as_ref().map(Topic::shared);
    let id = id.as_ref().map(|id| id.as_str().to_owned());
    (std::cmp::Reverse(*severity), kind.name().into_owned(), topic, id, message.clone())
}

pub(super) fn finding(
    kind: FindingKind,
    severity: Severity,
    live: Option<&Entry<Live>>,
    message: String,
    details: Value,
) -> Finding {
    let details = if let Value::Object(map) = details { map } else { Map::new() };
    // A formatted text has room for more, and every shop of a fleet can have a finding.
    let mut message = message;
    message.shrink_to_fit();
    Finding {
        kind,
        severity,
        topic: live.map(|l| l.binding.topic.clone()),
        id: live.map(|l| l.meta.id.clone()),
        message,
        details: details.into(),
    }
}

/// Returns "the scope `read_x` is not granted", or "none of the scopes `read_x`, `read_y` is granted". `not` is "not"
/// or "no longer".
pub(super) fn ungranted(scopes: &[&str], not: &str) -> String {
    match scopes {
        [one] => format!("the scope `{one}` is {not} granted"),
        many => format!("none of the scopes {} is granted", quoted(many)),
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Adds findings to a shop and keeps them sorted.
pub fn add(shop: &mut ShopPlan, findings: impl IntoIterator<Item = Finding>) {
    shop.findings.extend(findings);
    shop.findings.sort_by_cached_key(order);
    // Most shops have one finding or none, and a growing list has room for four.
    shop.findings.shrink_to_fit();
}

/// Creates the finding of a shop that could not be read, for a reason that is tolerated.
pub(super) fn unavailable(error: &ShopError) -> Finding {
    let message = format!("not read, which is tolerated: {}", error.message);
    finding(FindingKind::Unavailable, Severity::Info, None, message, json!({ "error": error.kind.as_str() }))
}

/// Creates the error of a shop whose list has a subscription twice. A plan from such a list could update and delete the
/// same subscription.
pub(super) fn repeated(id: &SubscriptionId) -> ShopError {
    ShopError {
        kind: ErrorKind::new("unexpected_answer"),
        http_status: None,
        message: format!("the shop listed subscription {id} twice; create a new plan"),
        retryable: true,
    }
}

/// Returns the findings of the comparison of one shop.
pub(super) fn of_shop(
    approval: &str,
    desired: &Desired,
    observed: &Observed,
    result: &ShopDiff<'_>,
    ownership: &Ownership,
) -> Vec<Finding> {
    let mut out = Vec::new();
    scopes(approval, desired, observed, result, &mut out);
    if ownership.unmanaged == Unmanaged::Report {
        out.extend(result.unmanaged.iter().map(unmanaged));
    }
    out.extend(result.held_back.iter().map(held_back));
    out.extend(result.look_alikes.iter().map(not_readable));
    let steps_aside = |id: &SubscriptionId| {
        let step = |change: &Change| matches!(change, Change::Update { before, reason: UpdateReason::NameStep, .. } if before.meta.id == *id);
        result.changes.iter().any(step)
    };
    for (wanted, live) in &result.bound {
        not_cleared(&wanted.binding, live, steps_aside(&live.meta.id), &mut out);
    }
    let mut moved: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for change in &result.changes {
        match change {
            Change::Update { before, after, fields, .. } => {
                if fields.contains(&Field::Address) {
                    moved.entry(before.binding.address.as_str()).or_default().insert(before.binding.topic.as_str());
                }
                if let Some(wanted) = desired.entries.iter().find(|entry| entry.binding.key() == after.key()) {
                    not_cleared(&wanted.binding, before, steps_aside(&before.meta.id), &mut out);
                }
            }
            Change::Delete { before, .. } => lost_metafields(before, &mut out),
            Change::Create { .. } => {}
        }
    }
    out.extend(kept_steps(&result.changes));
    out.extend(moved.into_iter().map(|(address, topics)| old_endpoint(address, &topics)));
    out
}

fn scopes(approval: &str, desired: &Desired, observed: &Observed, result: &ShopDiff<'_>, out: &mut Vec<Finding>) {
    let Some(granted) = &observed.scopes else { return };
    for (_, live) in &result.bound {
        if let Some(any_of) = catalog::missing_scopes(&live.binding.topic, granted) {
            let message = format!(
                "the subscription is live, but {}, so Shopify may stop delivering; {approval}",
                ungranted(&any_of, "no longer")
            );
            out.push(finding(
                FindingKind::ScopeLost,
                Severity::Attention,
                Some(live),
                message,
                json!({ "any_of": any_of }),
            ));
        }
    }
    let Some(wanted) = &desired.scopes else { return };
    for scope in wanted.iter().filter(|s| !granted.grants(s.as_str())) {
        let message = format!(
            "the manifest wants the scope `{scope}`, but the shop has not granted it; add it to the app and {approval}"
        );
        out.push(finding(
            FindingKind::ScopeMissing,
            Severity::Attention,
            None,
            message,
            json!({ "scope": scope.as_str() }),
        ));
    }
    let superfluous: Vec<&str> =
        granted.iter().map(crate::model::Scope::as_str).filter(|s| !wanted.grants(s)).collect();
    if !superfluous.is_empty() {
        let message = format!("granted but not wanted: {}", quoted(&superfluous));
        out.push(finding(
            FindingKind::ScopeSuperfluous,
            Severity::Info,
            None,
            message,
            json!({ "scopes": superfluous }),
        ));
    }
}

fn unmanaged(live: &Entry<Live>) -> Finding {
    let address = live.binding.address.masked();
    let message = format!(
        "{} -> {address}: not managed by this manifest, because no prefix in `ownership` covers it",
        live.binding.topic
    );
    let details = json!({ "address": address, "format": live.binding.format.as_str(), "filter": live.binding.filter });
    finding(FindingKind::Unmanaged, Severity::Info, Some(live), message, details)
}

fn held_back(live: &Entry<Live>) -> Finding {
    let address = live.binding.address.as_str();
    let message = format!(
        "{} -> {address}: not in the manifest, but kept while a binding of its topic is blocked",
        live.binding.topic
    );
    finding(FindingKind::HeldBack, Severity::Warning, Some(live), message, json!({ "address": address }))
}

fn not_readable(live: &Entry<Live>) -> Finding {
    let address = live.binding.address.as_str();
    let message = format!(
        "{} -> {address}: looks like another live subscription that matches the binding, and REST does not show the \
         filters by which they differ; left unchanged. Plan with `admin_api.transport: graphql`, or delete the wrong \
         subscription by hand",
        live.binding.topic
    );
    let details = json!({ "address": address, "format": live.binding.format.as_str() });
    finding(FindingKind::NotReadable, Severity::Attention, Some(live), message, details)
}

/// Returns findings about bindings that repeat subscriptions of the app configuration. A reading cannot show these,
/// because the Admin API does not list the subscriptions of the app configuration.
pub fn double_delivery(desired: &Desired, app: &[AppSubscription]) -> Vec<Finding> {
    let twice = desired.entries.iter().filter_map(|entry| {
        let declared = app.iter().find(|declared| declared.is_repeated_by(&entry.binding, &entry.binding.address))?;
        Some((&entry.binding, declared))
    });
    let found = twice.map(|(binding, declared)| {
        let Source { file, line } = &declared.source;
        let events = if declared.filter == binding.filter { "each event" } else { "an event that passes both filters" };
        let message = format!(
            "the app configuration ({file}:{line}) also subscribes this topic to {}, so {events} is delivered twice; \
             remove one of the two subscriptions",
            binding.address
        );
        let details = json!({
            "address": binding.address.as_str(),
            "declared": { "address": declared.address.as_str(), "filter": declared.filter, "file": **file, "line": line },
        });
        let topic = Some(binding.topic.clone());
        Finding { topic, ..finding(FindingKind::DoubleDelivery, Severity::Warning, None, message, details) }
    });
    found.collect()
}

/// Returns findings about bindings for whose resource an event of the app is delivered to the same address. The
/// payloads of the two differ.
pub fn two_payloads(desired: &Desired, events: &[AppEvent]) -> Vec<Finding> {
    let beside = desired.entries.iter().filter_map(|entry| {
        let about = catalog::event_of(&entry.binding.topic)?;
        let met = |event| {
            Some((&entry.binding, event, AppEvent::meets(event, &entry.binding.address, about.topic, about.action)?))
        };
        events.iter().filter_map(met).min_by_key(|(_, _, twice)| !twice)
    });
    let found = beside.map(|(binding, event, twice)| {
        let Source { file, line } = &event.source;
        let also = if twice { ", and a change that triggers both is delivered twice" } else { "" };
        let message = format!(
            "the app's event {event} ({file}:{line}) is also delivered to {}, so the address receives two kinds of \
             payload{also}; give one of the two another address",
            binding.address
        );
        let details = json!({
            "address": binding.address.as_str(),
            "twice": twice,
            "event": {
                "handle": event.handle,
                "topic": event.topic,
                "actions": event.actions,
                "address": event.address.as_str(),
                "file": **file,
                "line": line,
            },
        });
        let topic = Some(binding.topic.clone());
        Finding { topic, ..finding(FindingKind::TwoPayloads, Severity::Warning, None, message, details) }
    });
    found.collect()
}

/// Removes the findings about old endpoints that no longer exist at Adobe.
pub fn drop_gone_endpoints<'a>(destinations: &[Destination], shops: impl IntoIterator<Item = &'a mut ShopPlan>) {
    let replaced = destinations.iter().flat_map(|d| &d.replaces);
    let gone: BTreeSet<&str> = replaced.filter(|r| r.gone).map(|r| r.address.as_str()).collect();
    for shop in shops {
        shop.findings.retain(|finding| !old_endpoint_of(finding).is_some_and(|address| gone.contains(address)));
    }
}

/// Returns the address of a finding about an old endpoint.
pub fn old_endpoint_of(finding: &Finding) -> Option<&str> {
    match &finding.kind {
        FindingKind::OldEndpoint { address } => Some(address),
        _ => None,
    }
}

fn old_endpoint(address: &str, topics: &BTreeSet<&str>) -> Finding {
    let message = format!(
        "keep the old endpoint {address} available for {RETRY_HOURS} hours after the apply. Shopify sends retries of \
         earlier deliveries there"
    );
    let kind = FindingKind::OldEndpoint { address: address.to_owned() };
    finding(kind, Severity::Info, None, message, json!({ "topics": topics, "hours": RETRY_HOURS }))
}

/// Creates the finding about an API version that Shopify replaced with a later one, because it is no longer supported
/// (documented).
pub fn version_served(asked: &ApiVersion, served: &str) -> Finding {
    let message = format!(
        "Shopify served version {served} of the Admin API instead of {asked}, which is no longer available; set \
         `admin_api.version` to a supported version"
    );
    let details = json!({ "asked": asked.as_str(), "served": served });
    finding(FindingKind::VersionServed, Severity::Warning, None, message, details)
}

/// Returns findings about subscriptions that get a temporary name by a name step and no other name afterwards.
fn kept_steps(changes: &[Change]) -> Vec<Finding> {
    let later = |at: usize, id| {
        changes[at + 1..].iter().any(|change| match change {
            Change::Update { before, .. } | Change::Delete { before, .. } => &before.meta.id == id,
            Change::Create { .. } => false,
        })
    };
    let kept = changes.iter().enumerate().filter_map(|(at, change)| match change {
        Change::Update { before, after, reason: UpdateReason::NameStep, .. } if !later(at, &before.meta.id) => {
            let name = after.name.as_deref().unwrap_or_default();
            let message = format!(
                "keeps the temporary name {name:?}, because its binding has no `name` and Shopify documents no way to \
                 clear one; add a `name` to the binding"
            );
            Some(finding(FindingKind::NameKept, Severity::Info, Some(before), message, json!({ "name": name })))
        }
        _ => None,
    });
    kept.collect()
}

/// Adds findings about a live name and live metafields that the binding does not have. An update leaves these
/// unchanged.
fn not_cleared(wanted: &Binding, live: &Entry<Live>, steps_aside: bool, out: &mut Vec<Finding>) {
    if let (None, Some(name), false) = (&wanted.name, &live.binding.name, steps_aside) {
        let message = format!(
            "keeps the name {name:?}, because its binding has no `name` and Shopify documents no way to clear one; \
             write `name: {name}` in the binding, or choose another name"
        );
        out.push(finding(FindingKind::NameKept, Severity::Info, Some(live), message, json!({ "name": name })));
    }
    let there = live.binding.metafields.as_deref().unwrap_or_default();
    if wanted.metafields.is_none() && !there.is_empty() {
        let list = there.join(", ");
        let message = format!(
            "keeps the metafields {list}, because its binding has no `metafields`; write `metafields: [{list}]` in \
             the binding, or `metafields: []` to remove them"
        );
        out.push(finding(
            FindingKind::MetafieldsUnnamed,
            Severity::Info,
            Some(live),
            message,
            json!({ "metafields": there }),
        ));
    }
}

fn lost_metafields(before: &Entry<Live>, out: &mut Vec<Finding>) {
    let there = before.binding.metafields.as_deref().unwrap_or_default();
    if !there.is_empty() {
        let message = format!("deleting it loses the metafields {}", there.join(", "));
        out.push(finding(
            FindingKind::MetafieldsLost,
            Severity::Warning,
            Some(before),
            message,
            json!({ "metafields": there }),
        ));
    }
}
