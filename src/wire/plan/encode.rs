//! Converts plans of the core to JSON.

mod shop;

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{
    AdminApi, Change, FORMAT_VERSION, Hazard, Ownership, Plan, PlanConsent, Safety, Sandbox, Selection, Settings, Shop,
    ShopCounts, Since, Subscription, Summary,
};
use crate::digest::sha256_with;
use crate::plan::{self, DestinationLoss, HazardKind, Shared, ShopPlan};
use crate::state;

/// Keys of the head that the digest does not cover. The content of [`SHOPS`] is added shop by shop.
const NOT_COVERED: [&str; 4] = ["plan_digest", "created_at", "started_at", SHOPS];

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
        started_at,
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
        started_at: started_at.clone(),
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
