//! What a plan says of the tokens of a run and of the apps that they belong to.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Run;
use super::target::way_to_expiry;
use crate::auth::Life;
use crate::clock::now;
use crate::manifest::{ManifestShop, ShopIndex};
use crate::model::{AppIdentity, TokenExpiry};
use crate::plan::{self, Connected, Expiry};
use crate::state::Desired;
use crate::wire;
use crate::wire::plan::{Plan, Severity};

/// A shop's part of the plan, with what the judgement of all shops needs.
pub(super) struct Planned {
    pub(super) at: ShopIndex,
    /// What the manifest asks of it.
    pub(super) desired: Arc<Desired>,
    pub(super) part: plan::ShopPlan,
    pub(super) app: AppIdentity,
}

/// What is to be said of a token that works.
pub(crate) fn token_finding(
    shop: &ManifestShop,
    life: Life,
    app: &AppIdentity,
    options: &str,
) -> Option<wire::plan::Finding> {
    let expiry = match (life, shop.token_expiry) {
        (Life::Renewed | Life::Until(_), _) | (Life::Unknown, Some(TokenExpiry::External)) => return None,
        (Life::Endless | Life::Unknown, Some(TokenExpiry::Exempt)) => return plan::not_exempt(app, now()),
        (Life::Endless, None | Some(TokenExpiry::External)) => Expiry::None,
        (Life::Unknown, None) => Expiry::Unknown,
    };
    plan::non_expiring(expiry, app, now(), &way_to_expiry(shop, options))
}

impl Run {
    /// When each shop's token stops to work unless a person acts, in seconds since the epoch.
    pub(crate) fn token_ends(&self, plan: &Plan) -> BTreeMap<String, i64> {
        let rejected = |shop: &wire::plan::Shop| {
            let of_public = |finding: &wire::plan::Finding| {
                finding.kind == plan::NON_EXPIRING && finding.severity == Severity::Attention
            };
            shop.findings.iter().any(of_public).then(plan::rejected_from)
        };
        let ends = plan.shops.iter().filter_map(|shop| {
            let known = &self.manifest[self.shop_index(&shop.shop)?].shop;
            let end = match self.session.tokens.life(known) {
                Life::Until(end) => Some(end),
                Life::Endless | Life::Unknown => rejected(shop),
                Life::Renewed => None,
            }?;
            Some((shop.shop.clone(), end.as_second()))
        });
        ends.collect()
    }

    /// Adds the findings about shops of different apps that bind one address.
    pub(super) fn mixed_apps(&self, planned: &mut [Planned]) {
        let shop = |at: ShopIndex| &self.manifest[at].shop;
        let read = planned.iter().filter(|planned| planned.part.shop.error.is_none());
        let mut findings =
            plan::mixed_apps(read.map(|Planned { at, desired, app, .. }| Connected { shop: shop(*at), app, desired }));
        for Planned { at, part, .. } in planned {
            let of_shop = findings.remove(shop(*at));
            plan::add(&mut part.shop, of_shop.into_iter().flatten());
        }
    }
}
