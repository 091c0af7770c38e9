//! Short constructors of wire structs for tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Style;
use crate::wire::plan::{
    Action, AdminApi, Blocked, Change, Destinations, Finding, FindingKind, Hazard, Origin, Ownership, Plan, Safety,
    Selection, Settings, Severity, Shop, ShopCounts, ShopError, ShopStatus, Source, Subscription, Summary,
};
use crate::wire::report::{Outcome, OutcomeResult, Report, ReportKind, ReportShop, ReportShopStatus, ReportSummary};

pub(super) const PLAIN: Style = Style { color: false, width: None, verbose: false };
pub(super) const VERBOSE: Style = Style { verbose: true, ..PLAIN };

/// Returns the address of an inlet whose ID repeats one hexadecimal digit.
pub(super) fn inlet(digit: char) -> String {
    format!("https://dcs.adobedc.net/collection/{}", digit.to_string().repeat(64))
}

pub(super) fn settings() -> Settings {
    Settings {
        name: None,
        endpoint: "shopify".into(),
        sandbox: None,
        adobe: None,
        admin_api: AdminApi { version: "2026-10".into(), transport: "graphql".into() },
        ownership: Ownership {
            address_prefixes: vec!["https://dcs.adobedc.net/collection/".into()],
            unmanaged: "report".into(),
        },
        safety: Safety {
            max_delete_percent: 30,
            max_total_delete_percent: 10,
            max_address_change_percent: 30,
            max_destination_loss_percent: 50,
            protected_topics: vec![],
        },
    }
}

/// Returns a plan with the summary of its shops.
pub(super) fn plan(shops: Vec<Shop>) -> Plan {
    let action = |a| shops.iter().flat_map(|s| &s.changes).filter(|c| c.action == a).count();
    let status = |status| shops.iter().filter(|s| s.status == status).count();
    let findings = || shops.iter().flat_map(|s| &s.findings);
    let summary = Summary {
        add: action(Action::Create),
        change: action(Action::Update),
        destroy: action(Action::Delete),
        unchanged: 0,
        blocked: shops.iter().map(|s| s.blocked.len()).sum(),
        unmanaged: findings().filter(|f| f.kind == FindingKind::Unmanaged).count(),
        attention: findings().filter(|f| f.severity == Severity::Attention).count(),
        left_out: 0,
        shops: ShopCounts {
            total: shops.len(),
            changed: status(ShopStatus::Changed),
            unchanged: status(ShopStatus::Unchanged),
            failed: status(ShopStatus::Failed),
            unavailable: status(ShopStatus::Unavailable),
        },
    };
    Plan {
        format_version: "1.0".into(),
        tool_version: "0.1.0".into(),
        created_at: "2026-11-23T00:00:00Z".into(),
        plan_digest: "sha256:0".into(),
        exit_code: 0,
        manifest: vec![],
        manifest_digest: "sha256:0".into(),
        complete: summary.shops.failed == 0,
        settings: settings(),
        selection: Selection::default(),
        summary,
        destinations: vec![],
        hazards: vec![],
        consents: vec![],
        allowed: vec![],
        former_addresses: Vec::new(),
        shops_left: vec![],
        shops_left_bindings: BTreeMap::new(),
        drift: false,
        started_at: None,
        commands: None,
        since: None,
        shops,
    }
}

/// Returns a shop that was read.
pub(super) fn shop(handle: &str, changes: Vec<Change>) -> Shop {
    Shop {
        shop: format!("{handle}.myshopify.com"),
        labels: Arc::default(),
        status: if changes.is_empty() { ShopStatus::Unchanged } else { ShopStatus::Changed },
        observed_digest: None,
        desired_digest: "sha256:0".into(),
        managed: 0,
        unmanaged: 0,
        safety: None,
        bound: [].into(),
        blocked: vec![],
        changes,
        left_out: None,
        findings: vec![],
        error: None,
    }
}

/// Returns a shop that was not read.
pub(super) fn lost(handle: &str, status: ShopStatus, kind: &str, message: &str) -> Shop {
    Shop { status, error: Some(Box::new(error(kind, message))), ..shop(handle, vec![]) }
}

pub(super) fn error(kind: &str, message: &str) -> ShopError {
    ShopError { kind: kind.into(), http_status: None, message: message.into(), retryable: false }
}

pub(super) fn to(address: &str) -> Subscription {
    Subscription {
        id: None,
        address: address.into(),
        format: "json".into(),
        include_fields: vec![],
        metafield_namespaces: vec![],
        filter: None,
        name: None,
        metafields: None,
        created_at: None,
        updated_at: None,
        api_version: None,
    }
}

pub(super) fn live(id: u32, subscription: Subscription) -> Subscription {
    Subscription { id: Some(format!("gid://shopify/WebhookSubscription/{id}")), ..subscription }
}

pub(super) fn at(file: &str, line: u32) -> Source {
    Source { file: file.into(), line }
}

pub(super) fn create(
    topic: &str,
    name: Option<&str>,
    after: Subscription,
    source: impl Into<Option<Source>>,
) -> Change {
    Change {
        action: Action::Create,
        topic: topic.into(),
        reason: "missing".into(),
        origin: None,
        fields: vec![],
        destination: Destinations { before: None, after: name.map(Into::into) },
        source: source.into(),
        before: None,
        after: Some(Arc::new(after)),
    }
}

pub(super) fn delete(topic: &str, name: Option<&str>, reason: &str, before: Subscription) -> Change {
    Change {
        action: Action::Delete,
        reason: reason.into(),
        destination: Destinations { before: name.map(Into::into), after: None },
        before: Some(Arc::new(before)),
        after: None,
        ..create(topic, None, to(""), None)
    }
}

pub(super) fn update(topic: &str, names: [&str; 2], sides: [Subscription; 2], fields: &[&str]) -> Change {
    let [before, after] = sides;
    let name = |n: &str| (!n.is_empty()).then(|| n.into());
    Change {
        action: Action::Update,
        topic: topic.into(),
        reason: "differs".into(),
        origin: None,
        fields: fields.iter().map(|&field| field.into()).collect(),
        destination: Destinations { before: name(names[0]), after: name(names[1]) },
        source: Some(at("orders.yaml", 12)),
        before: Some(Arc::new(before)),
        after: Some(Arc::new(after)),
    }
}

pub(super) fn origin(origin: Origin, change: Change) -> Change {
    Change { origin: Some(origin), ..change }
}

pub(super) fn finding(kind: &str, severity: Severity, topic: Option<&str>, message: &str) -> Finding {
    Finding {
        kind: kind.into(),
        severity,
        topic: topic.map(str::to_owned),
        id: None,
        message: message.into(),
        details: Arc::default(),
    }
}

/// Returns a finding with a time in its message (instead of `UNTIL`) and in its details.
pub(super) fn old_endpoint(topic: Option<&str>, until: &str, message: &str) -> Finding {
    let details: Map<String, Value> = [("until".to_owned(), json!(until))].into_iter().collect();
    Finding {
        details: details.into(),
        ..finding("old_endpoint", Severity::Info, topic, &message.replace("UNTIL", until))
    }
}

pub(super) fn unmanaged(topic: &str, address: &str) -> Finding {
    let details: Map<String, Value> = [("address".to_owned(), json!(address))].into_iter().collect();
    Finding { details: details.into(), ..finding("unmanaged", Severity::Info, Some(topic), "not ours") }
}

pub(super) fn blocked(topic: &str, reason: &str, any_of: &[&str], message: &str) -> Blocked {
    Blocked {
        topic: topic.into(),
        destination: "commerce".into(),
        reason: reason.into(),
        address: None,
        format: None,
        filter: None,
        any_of: any_of.iter().map(|s| (*s).to_owned()).collect(),
        message: message.into(),
        source: Some(at("orders.yaml", 20)),
    }
}

pub(super) fn hazard(kind: &str, shop: Option<&str>, message: &str) -> Hazard {
    Hazard {
        kind: kind.into(),
        shop: shop.map(|s| format!("{s}.myshopify.com")),
        message: message.into(),
        allow: shop.map_or_else(|| kind.to_owned(), |shop| format!("{kind}:{shop}")),
        consent: None,
        details: Map::new(),
    }
}

pub(super) fn outcome(change: Change, result: OutcomeResult) -> Outcome {
    Outcome { change, result, id: None, confirmed_by: None, reason: None, error: None }
}

pub(super) fn report_shop(handle: &str, status: ReportShopStatus, outcomes: Vec<Outcome>) -> ReportShop {
    ReportShop {
        shop: format!("{handle}.myshopify.com"),
        status,
        error: None,
        outcomes,
        blocked: vec![],
        findings: vec![],
    }
}

/// Returns a report with the summary of its shops.
pub(super) fn report(shops: Vec<ReportShop>) -> Report {
    let outcomes = || shops.iter().flat_map(|s| &s.outcomes);
    let result = |r| outcomes().filter(|o| o.result == r).count();
    let applied = |a| outcomes().filter(|o| o.result == OutcomeResult::Applied && o.change.action == a).count();
    let status = |status| shops.iter().filter(|s| s.status == status).count();
    Report {
        format_version: "1.0".into(),
        report: ReportKind::Apply,
        tool_version: "0.1.0".into(),
        started_at: "2026-11-23T00:00:00Z".into(),
        finished_at: "2026-11-23T00:00:09Z".into(),
        exit_code: 0,
        complete: shops.iter().all(|s| s.status == ReportShopStatus::Done && s.blocked.is_empty()),
        plan_digest: "sha256:0".into(),
        manifest_digest: "sha256:0".into(),
        settings: settings(),
        summary: ReportSummary {
            added: applied(Action::Create),
            changed: applied(Action::Update),
            destroyed: applied(Action::Delete),
            already_so: result(OutcomeResult::AlreadySo),
            failed: result(OutcomeResult::Failed),
            skipped: result(OutcomeResult::Skipped),
            blocked: shops.iter().map(|s| s.blocked.len()).sum(),
            shops_not_read: status(ReportShopStatus::NotRead),
            shops_stale: status(ReportShopStatus::Stale),
        },
        shops,
    }
}
