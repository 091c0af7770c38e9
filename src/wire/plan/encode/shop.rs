//! Converts the parts of a plan that describe one shop.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::{
    Action, Blocked, BlockedReason, Bound, Change, Destinations, Field, Finding, LeftOut, Origin, Reason, Severity,
    Shop, ShopError, ShopSafety, ShopStatus, Source, Subscription,
};
use crate::diff::{self, DeleteReason, UpdateReason};
use crate::model::{Binding, Live};
use crate::plan::{self, Earlier, FindingKind, PlannedChange, ShopPlan};
use crate::state::{self, Entry, ShopLimits};

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
        let plan::Blocked { topic, destination, key, obstacle, message, source } = blocked;
        let key = key.as_deref();
        Self {
            topic: topic.to_string(),
            destination: destination.to_string(),
            address: key.map(|key| key.address.to_string()),
            format: key.map(|key| key.format.as_str().to_owned()),
            filter: key.and_then(|key| key.filter.clone()),
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
