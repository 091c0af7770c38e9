//! Converts plans of the core to JSON.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    Action, AdminApi, Blocked, BlockedReason, Bound, Change, Destinations, FORMAT_VERSION, Field, Finding, Hazard,
    LeftOut, Origin, Ownership, Plan, PlanConsent, Reason, Safety, Sandbox, Selection, Settings, Severity, Shop,
    ShopCounts, ShopError, ShopSafety, ShopStatus, Since, Source, Subscription, Summary,
};
use crate::diff::{self, DeleteReason, UpdateReason};
use crate::digest::sha256_with;
use crate::model::{Binding, Live};
use crate::plan::{self, DestinationLoss, Earlier, FindingKind, HazardKind, PlannedChange, Shared, ShopPlan};
use crate::state::{self, Entry, ShopLimits};

/// Keys of the head that the digest does not cover. The content of [`SHOPS`] is added shop by shop.
const NOT_COVERED: [&str; 3] = ["plan_digest", "created_at", SHOPS];

/// Key of the shops in a plan.
pub(super) const SHOPS: &str = "shops";

/// Returns the digest of a plan. Converts shop by shop, because the JSON of a large plan takes much more memory than
/// the plan.
pub fn digest(plan: &plan::Plan) -> String {
    let head = json::<Plan>(&head(plan)).as_object_mut().map(std::mem::take).unwrap_or_default();
    digest_of(head, plan.shops.iter().map(|shop| json::<Shop>(&shop.into())))
}

/// Returns the digest over the JSON of a plan's head (the plan without its shops) and of each shop. Unknown keys count,
/// too.
pub(super) fn digest_of(mut head: Map<String, Value>, shops: impl IntoIterator<Item = Value>) -> String {
    for key in NOT_COVERED {
        head.remove(key);
    }
    sha256_with(&head, SHOPS, shops)
}

/// Converts a wire struct to JSON. Conversion cannot fail, because every wire struct has string keys.
fn json<T: serde::Serialize>(wire: &T) -> Value {
    serde_json::to_value(wire).unwrap_or_default()
}

/// Frees each shop before it converts the next, to save memory. The list of shops reuses its memory, because a [`Shop`] is
/// not larger than a [`ShopPlan`].
impl From<plan::Plan> for Plan {
    fn from(mut plan: plan::Plan) -> Self {
        let shops = std::mem::take(&mut plan.shops);
        Self { shops: sharing(shops.into_iter().map(Shop::from)).collect(), ..head(&plan) }
    }
}

const _: () = assert!(size_of::<Shop>() <= size_of::<ShopPlan>());

/// Moves the findings instead of copying their messages.
impl From<ShopPlan> for Shop {
    fn from(mut shop: ShopPlan) -> Self {
        let findings = std::mem::take(&mut shop.findings).into_iter().map(Into::into).collect();
        Self { findings, ..Self::from(&shop) }
    }
}

impl From<&plan::Plan> for Plan {
    fn from(plan: &plan::Plan) -> Self {
        Self { shops: sharing(plan.shops.iter().map(Shop::from)).collect(), ..head(plan) }
    }
}

/// Holds equal lists of bound bindings and equal subscriptions once, as the plan does.
fn sharing(shops: impl Iterator<Item = Shop>) -> impl Iterator<Item = Shop> {
    let (mut bound, mut subscriptions) = (Shared::default(), SharedSubscriptions::default());
    shops.map(move |mut shop| {
        bound.share(&mut shop.bound);
        subscriptions.share(&mut shop.changes);
        shop
    })
}

/// The subscriptions after changes. Many shops of a fleet get equal ones.
#[derive(Debug, Default)]
pub struct SharedSubscriptions(Shared<Subscription>);

impl SharedSubscriptions {
    /// Replaces subscriptions after changes by equal ones of earlier changes.
    pub fn share<'a>(&mut self, changes: impl IntoIterator<Item = &'a mut Change>) {
        changes.into_iter().filter_map(|change| change.after.as_mut()).for_each(|after| self.0.share(after));
    }
}

/// Converts a plan without its shops.
fn head(plan: &plan::Plan) -> Plan {
    let plan::Plan {
        tool_version,
        created_at,
        plan_digest,
        exit_code,
        manifest,
        manifest_digest,
        complete,
        settings,
        selection,
        summary,
        destinations,
        hazards,
        consents,
        shops_left,
        former_addresses,
        is_drift,
        since,
        shops: _,
    } = plan;
    Plan {
        format_version: FORMAT_VERSION.to_owned(),
        tool_version: tool_version.clone(),
        created_at: created_at.clone(),
        plan_digest: plan_digest.clone(),
        exit_code: *exit_code,
        manifest: manifest.clone(),
        manifest_digest: manifest_digest.clone(),
        complete: *complete,
        settings: settings.into(),
        selection: selection.into(),
        summary: summary.into(),
        destinations: destinations.iter().map(Into::into).collect(),
        hazards: with_consents(hazards, consents),
        consents: consents.iter().map(Into::into).collect(),
        allowed: Vec::new(),
        shops_left: shops_left.keys().cloned().collect(),
        shops_left_bindings: shops_left.iter().filter_map(|(shop, n)| Some((shop.clone(), (*n)?))).collect(),
        former_addresses: former_addresses.clone(),
        drift: *is_drift,
        commands: None,
        since: since.map(|plan::SinceCounts { new, known, removed_remotely, never_made }| Since {
            new,
            known,
            removed_remotely,
            never_made,
        }),
        shops: Vec::new(),
    }
}

impl From<&plan::Settings> for Settings {
    fn from(settings: &plan::Settings) -> Self {
        let plan::Settings { name, endpoint, sandbox, adobe, admin_api, ownership, safety } = settings;
        let state::Safety {
            max_delete_percent,
            max_total_delete_percent,
            max_address_change_percent,
            max_destination_loss_percent,
            protected_topics,
        } = safety;
        Self {
            name: name.clone(),
            endpoint: endpoint.clone(),
            sandbox: sandbox.as_ref().map(|s| Sandbox { id: s.id.clone(), state: s.state.clone() }),
            adobe: adobe.clone(),
            admin_api: AdminApi { version: admin_api.version.clone(), transport: admin_api.transport.clone() },
            ownership: Ownership {
                address_prefixes: ownership.address_prefixes.iter().map(|p| p.as_str().to_owned()).collect(),
                unmanaged: ownership.unmanaged.as_str().into(),
            },
            safety: Safety {
                max_delete_percent: *max_delete_percent,
                max_total_delete_percent: *max_total_delete_percent,
                max_address_change_percent: *max_address_change_percent,
                max_destination_loss_percent: *max_destination_loss_percent,
                protected_topics: protected_topics.iter().map(ToString::to_string).collect(),
            },
        }
    }
}

impl From<&plan::Selection> for Selection {
    fn from(selection: &plan::Selection) -> Self {
        let plan::Selection { shops, labels, shard, only } = selection;
        Self {
            shops: shops.clone(),
            labels: labels.clone(),
            shard: shard.map(|shard| shard.to_string()),
            only: only.map(Into::into),
        }
    }
}

impl From<&plan::Summary> for Summary {
    fn from(summary: &plan::Summary) -> Self {
        let plan::Summary { add, change, destroy, unchanged, blocked, unmanaged, attention, left_out, shops } = summary;
        let plan::ShopCounts { total, changed, unchanged: same, failed, unavailable } = shops;
        Self {
            add: *add,
            change: *change,
            destroy: *destroy,
            unchanged: *unchanged,
            blocked: *blocked,
            unmanaged: *unmanaged,
            attention: *attention,
            left_out: *left_out,
            shops: ShopCounts {
                total: *total,
                changed: *changed,
                unchanged: *same,
                failed: *failed,
                unavailable: *unavailable,
            },
        }
    }
}

impl From<&plan::Hazard> for Hazard {
    fn from(hazard: &plan::Hazard) -> Self {
        Self {
            kind: hazard.kind.as_str().into(),
            shop: hazard.shop.as_ref().map(ToString::to_string),
            message: hazard.message(),
            allow: hazard.allow(),
            consent: None,
            details: figures(&hazard.kind),
        }
    }
}

/// Converts hazards, each with the first consent that covers it.
pub(super) fn with_consents(hazards: &[plan::Hazard], consents: &[plan::PlanConsent]) -> Vec<Hazard> {
    let mut first: HashMap<&str, &str> = HashMap::new();
    for consent in consents {
        for hazard in &consent.covers {
            first.entry(hazard).or_insert(&consent.allow);
        }
    }
    let converted = hazards.iter().map(Hazard::from);
    converted.map(|hazard| Hazard { consent: first.get(&*hazard.allow).map(|&c| c.to_owned()), ..hazard }).collect()
}

impl From<&plan::PlanConsent> for PlanConsent {
    fn from(consent: &plan::PlanConsent) -> Self {
        let plan::PlanConsent { allow, reason, expires, source, covers } = consent;
        Self {
            allow: allow.clone(),
            reason: reason.clone(),
            expires: expires.to_string(),
            source: source.into(),
            covers: covers.clone(),
        }
    }
}

/// Returns the figures of a hazard.
pub(super) fn figures(kind: &HazardKind) -> Map<String, Value> {
    let figures = match kind {
        HazardKind::MaxDeletePercent { deletes, of, limit_percent }
        | HazardKind::MaxTotalDeletePercent { deletes, of, limit_percent } => {
            json!({ "deletes": deletes, "of": of, "limit_percent": limit_percent })
        }
        HazardKind::MaxAddressChangePercent { address_changes, of, shops, limit_percent } => json!({
            "address_changes": address_changes, "of": of, "shops": shops, "limit_percent": limit_percent
        }),
        HazardKind::MaxDestinationLossPercent { destinations, limit_percent } => {
            let losses = destinations.iter().map(|DestinationLoss { destination, deleted, moved, of, shops }| {
                json!({ "destination": destination, "deleted": deleted, "moved": moved, "of": of, "shops": shops })
            });
            json!({ "destinations": losses.collect::<Vec<_>>(), "limit_percent": limit_percent })
        }
        HazardKind::AdoptionDelete { deletes, of, addresses } => {
            json!({ "deletes": deletes, "of": of, "addresses": addresses })
        }
        HazardKind::EmptyShop { managed } => json!({ "managed": managed }),
        HazardKind::DeleteForeign { addresses } => json!({ "addresses": addresses }),
        HazardKind::RerouteForeign { moves } => {
            let moves: Vec<Value> = moves.iter().map(|(from, to)| json!({ "from": from, "to": to })).collect();
            json!({ "moves": moves })
        }
        HazardKind::DeleteUnmanaged { deletes } => json!({ "deletes": deletes }),
        HazardKind::ProtectedTopic { topics } => json!({ "topics": topics }),
        HazardKind::DestinationSettling { destinations, subscriptions, until } => json!({
            "destinations": destinations, "subscriptions": subscriptions, "until": until.to_string()
        }),
        HazardKind::Other { details, .. } => return details.clone(),
    };
    if let Value::Object(figures) = figures { figures } else { Map::new() }
}

impl From<plan::Bound> for Bound {
    fn from(bound: plan::Bound) -> Self {
        let plan::Bound { topic, destination, count } = bound;
        Self { topic, destination, count }
    }
}

impl From<&ShopPlan> for Shop {
    fn from(shop: &ShopPlan) -> Self {
        let status = match shop.status() {
            plan::ShopStatus::Changed => ShopStatus::Changed,
            plan::ShopStatus::Unchanged => ShopStatus::Unchanged,
            plan::ShopStatus::Failed => ShopStatus::Failed,
            plan::ShopStatus::Unavailable => ShopStatus::Unavailable,
        };
        let ShopPlan {
            shop: domain,
            labels,
            desired_digest,
            context_digest,
            managed,
            unmanaged,
            limits,
            bound,
            blocked,
            changes,
            left_out,
            findings,
            unread: _,
        } = shop;
        Self {
            shop: domain.to_string(),
            labels: Arc::clone(labels),
            status,
            observed_digest: context_digest.clone(),
            desired_digest: desired_digest.clone(),
            managed: *managed,
            unmanaged: *unmanaged,
            safety: safety(limits),
            bound: bound.iter().cloned().map(Into::into).collect(),
            blocked: blocked.iter().map(Into::into).collect(),
            changes: changes.iter().map(Into::into).collect(),
            left_out: (!left_out.is_empty()).then(|| {
                Box::new(LeftOut {
                    changes: left_out.changes.iter().map(Into::into).collect(),
                    blocked: left_out.blocked.iter().map(Into::into).collect(),
                })
            }),
            findings: findings.iter().cloned().map(Into::into).collect(),
            error: shop.error().map(|error| Box::new(error.into())),
        }
    }
}

fn safety(limits: &ShopLimits) -> Option<ShopSafety> {
    let ShopLimits { max_delete_percent, protected_topics } = limits;
    let some = max_delete_percent.is_some() || protected_topics.is_some();
    some.then(|| ShopSafety {
        max_delete_percent: *max_delete_percent,
        protected_topics: protected_topics.as_ref().map(|list| list.iter().map(ToString::to_string).collect()),
    })
}

impl From<&state::Source> for Source {
    fn from(source: &state::Source) -> Self {
        Self { file: Arc::clone(&source.file), line: source.line }
    }
}

impl From<&plan::Blocked> for Blocked {
    fn from(blocked: &plan::Blocked) -> Self {
        let plan::Blocked { topic, destination, obstacle, message, source } = blocked;
        Self {
            topic: topic.to_string(),
            destination: destination.to_string(),
            reason: obstacle.into(),
            any_of: if let plan::Obstacle::Scope(any_of) = obstacle { any_of.clone() } else { Vec::new() },
            message: message.clone(),
            source: source.as_ref().map(Into::into),
        }
    }
}

impl From<&plan::Obstacle> for BlockedReason {
    fn from(obstacle: &plan::Obstacle) -> Self {
        match obstacle {
            plan::Obstacle::Scope(_) => Self::Scope,
            plan::Obstacle::Destination(verdict) => Self::from(format!("destination_{}", verdict.as_str()).as_str()),
            plan::Obstacle::NameTaken => Self::NameTaken,
            plan::Obstacle::Other(reason) => Self::from(reason.as_str()),
        }
    }
}

impl From<plan::Origin> for Origin {
    fn from(origin: plan::Origin) -> Self {
        match origin {
            plan::Origin::Drift => Self::Drift,
            plan::Origin::Manifest => Self::Manifest,
        }
    }
}

impl From<&PlannedChange> for Change {
    fn from(planned: &PlannedChange) -> Self {
        let PlannedChange { change, origin, destinations, unknown } = planned;
        let (action, reason) = match change {
            diff::Change::Create { .. } => (Action::Create, Reason::Missing),
            diff::Change::Update { reason, .. } => {
                let reason = match reason {
                    UpdateReason::Differs => Reason::Differs,
                    UpdateReason::Repurposed => Reason::Repurposed,
                    UpdateReason::NameStep => Reason::NameStep,
                };
                (Action::Update, reason)
            }
            diff::Change::Delete { reason, .. } => {
                let reason = match reason {
                    DeleteReason::NotInManifest => Reason::NotInManifest,
                    DeleteReason::Duplicate => Reason::Duplicate,
                    DeleteReason::Replaced => Reason::Replaced,
                    DeleteReason::Unmanaged => Reason::Unmanaged,
                };
                (Action::Delete, reason)
            }
        };
        let id = change.id().map(ToString::to_string);
        let fields = change.fields().iter().map(|field| field.as_str());
        let unknown = unknown.as_deref();
        let unknown_fields = unknown.into_iter().flat_map(|unknown| &unknown.fields);
        Self {
            action,
            topic: change.topic().shared(),
            reason: unknown.and_then(|unknown| unknown.reason.as_deref()).map_or(reason, Reason::from),
            origin: origin.map(Into::into),
            fields: fields.chain(unknown_fields.map(String::as_str)).map(Field::from).collect(),
            destination: Destinations { before: destinations.before.clone(), after: destinations.after.clone() },
            source: planned.source().map(Into::into),
            before: change.before().map(|before| Arc::new(before.into())),
            after: change.after().map(|after| Arc::new(Subscription { id, ..after.into() })),
        }
    }
}

impl From<&Entry<Live>> for Subscription {
    fn from(entry: &Entry<Live>) -> Self {
        let Live { id, created_at, updated_at, api_version, visibility: _, app: _ } = &entry.meta;
        Self {
            id: Some(id.as_str().to_owned()),
            created_at: Some(created_at.clone()),
            updated_at: Some(updated_at.clone()),
            api_version: api_version.clone(),
            ..(&entry.binding).into()
        }
    }
}

impl From<&Binding> for Subscription {
    fn from(binding: &Binding) -> Self {
        let Binding { topic: _, address, format, filter, include_fields, metafield_namespaces, name, metafields } =
            binding;
        Self {
            id: None,
            address: address.as_str().to_owned(),
            format: format.as_str().to_owned(),
            include_fields: include_fields.clone(),
            metafield_namespaces: metafield_namespaces.clone(),
            filter: filter.clone(),
            name: name.clone(),
            metafields: metafields.clone(),
            created_at: None,
            updated_at: None,
            api_version: None,
        }
    }
}

impl From<plan::Finding> for Finding {
    fn from(finding: plan::Finding) -> Self {
        let plan::Finding { kind, severity, topic, id, message, details } = finding;
        let mut data = data(&kind);
        let details = if data.is_empty() {
            details
        } else {
            data.extend(Arc::unwrap_or_clone(details));
            Arc::new(data)
        };
        Self {
            kind: kind.name().as_ref().into(),
            severity: severity.into(),
            topic: topic.as_ref().map(ToString::to_string),
            id: id.as_ref().map(ToString::to_string),
            message,
            details,
        }
    }
}

/// Returns the data that the kind of a finding carries.
fn data(kind: &FindingKind) -> Map<String, Value> {
    let data = match kind {
        FindingKind::OldEndpoint { address } => json!({ "address": address }),
        FindingKind::KnownDrift { index, known_since } => {
            json!({ "index": index, "known_since": known_since.to_string() })
        }
        FindingKind::NeverMade(earlier)
        | FindingKind::RemovedByApply(earlier)
        | FindingKind::RemovedRemotely(earlier) => {
            let Earlier { index, key, last_known, known_since } = earlier;
            json!({
                "index": index,
                "address": key.address.as_str(),
                "format": key.format.as_str(),
                "filter": key.filter,
                "last_known": last_known.map(|at| at.to_string()),
                "known_since": known_since.map(|at| at.to_string()),
            })
        }
        _ => return Map::new(),
    };
    if let Value::Object(data) = data { data } else { Map::new() }
}

impl From<plan::Severity> for Severity {
    fn from(severity: plan::Severity) -> Self {
        match severity {
            plan::Severity::Info => Self::Info,
            plan::Severity::Warning => Self::Warning,
            plan::Severity::Attention => Self::Attention,
        }
    }
}

impl From<&plan::ShopError> for ShopError {
    fn from(error: &plan::ShopError) -> Self {
        let plan::ShopError { kind, http_status, message, retryable } = error;
        Self { kind: kind.as_str().into(), http_status: *http_status, message: message.clone(), retryable: *retryable }
    }
}
