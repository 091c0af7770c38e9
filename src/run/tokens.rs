//! Findings about the tokens of a run and the apps to which they belong.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Run;
use super::target::way_to_expiry;
use crate::auth::Life;
use crate::clock::now;
use crate::manifest::{ManifestShop, ShopIndex};
use crate::model::{AppIdentity, TokenExpiry};
use crate::plan::{self, Connected, Expiry, Finding, FindingKind, Plan, PlannedShop, Severity, ShopPlan};
use crate::state::Desired;

/// A shop's part of the plan, with the data for findings that concern several shops.
pub(super) struct Planned {
    pub(super) at: ShopIndex,
    /// Wanted state of the shop.
    pub(super) desired: Arc<Desired>,
    pub(super) part: PlannedShop,
    pub(super) app: AppIdentity,
}

/// Returns the finding about a valid token, if there is one.
pub(crate) fn token_finding(shop: &ManifestShop, life: Life, app: &AppIdentity, options: &str) -> Option<Finding> {
    let expiry = match (life, shop.token_expiry) {
        (Life::Renewed | Life::Until(_), _) | (Life::Unknown, Some(TokenExpiry::External)) => return None,
        (Life::Endless | Life::Unknown, Some(TokenExpiry::Exempt)) => return plan::not_exempt(app, now()),
        (Life::Endless, None | Some(TokenExpiry::External)) => Expiry::None,
        (Life::Unknown, None) => Expiry::Unknown,
    };
    plan::non_expiring(expiry, app, now(), &way_to_expiry(shop, options))
}

impl Run {
    /// Returns when each shop's token stops working unless a person acts, in seconds since the Unix epoch.
    pub(crate) fn token_ends(&self, plan: &Plan) -> BTreeMap<String, i64> {
        let rejected = |shop: &ShopPlan| {
            let of_public = |finding: &Finding| {
                finding.kind == FindingKind::NonExpiringToken && finding.severity == Severity::Attention
            };
            shop.findings.iter().any(of_public).then(plan::rejected_from)
        };
        let ends = plan.shops.iter().filter_map(|shop| {
            let end = match self.session.tokens.life(&shop.shop) {
                Life::Until(end) => Some(end),
                Life::Endless | Life::Unknown => rejected(shop),
                Life::Renewed => None,
            }?;
            Some((shop.shop.to_string(), end.as_second()))
        });
        ends.collect()
    }

    /// Adds the findings about shops of different apps that bind the same address.
    pub(super) fn mixed_apps(&self, planned: &mut [Planned]) {
        let shop = |at: ShopIndex| &self.manifest[at].shop;
        let read = planned.iter().filter(|planned| planned.part.shop.unread.is_none());
        let mut findings =
            plan::mixed_apps(read.map(|Planned { at, desired, app, .. }| Connected { shop: shop(*at), app, desired }));
        for Planned { at, part, .. } in planned {
            let of_shop = findings.remove(shop(*at));
            plan::add(&mut part.shop, of_shop.into_iter().flatten());
        }
    }
}
