//! Combines the JSON plans of several shards of one run.

use super::decode::hazard;
use super::encode::with_consents;
use super::{Hazard, Plan, PlanConsent, Selection};
use crate::plan::{self, RunTotals, Shard, ShopPlan};

/// Returns the hazards and the consents of several plans of one run: the hazards of shops unchanged, and the hazards of
/// the run computed over all shops. Converts shop by shop to save memory; ignores what cannot be converted.
pub fn together(plans: &[Plan]) -> (Vec<Hazard>, Vec<PlanConsent>) {
    let Some(first) = plans.first() else { return Default::default() };
    let of_shops = plans.iter().flat_map(|plan| &plan.hazards).filter(|hazard| hazard.shop.is_some());
    let mut hazards: Vec<plan::Hazard> = of_shops.cloned().filter_map(|of_shop| hazard(of_shop).ok()).collect();
    if let Ok(settings) = plan::Settings::try_from(first.settings.clone()) {
        let destinations = plans.iter().flat_map(|plan| &plan.destinations).cloned().map(Into::into);
        let destinations: Vec<plan::Destination> = destinations.collect();
        let mut totals = RunTotals::new(&settings, plan::each_once(&destinations));
        for shop in plans.iter().flat_map(|plan| &plan.shops) {
            if let Ok(shop) = ShopPlan::try_from(shop.clone()) {
                totals.add(&shop);
            }
        }
        hazards.extend(totals.hazards());
    }
    plan::sort_hazards(&mut hazards);
    let consents = plans.iter().flat_map(|plan| &plan.consents).cloned();
    let consents: Vec<plan::PlanConsent> = consents.filter_map(|consent| consent.try_into().ok()).collect();
    let consents = plan::consents_together(&consents, &hazards);
    (with_consents(&hazards, &consents), consents.iter().map(Into::into).collect())
}

/// Converts a hazard to that of the core. Returns `None` if its parts contradict each other.
pub fn to_hazard(wire: &Hazard) -> Option<plan::Hazard> {
    hazard(wire.clone()).ok()
}

/// Returns what is missing if the plans are shards of one run: `3 of 4 shards: 2/4 is missing`.
pub fn lacking<'a>(selections: impl IntoIterator<Item = &'a Selection>) -> Option<String> {
    plan::lacking(selections.into_iter().map(|selection| Shard::parse(selection.shard.as_deref()?)))
}

/// Returns the count and the index of a shard such as `2/16`: the sort key of shards.
pub fn place(shard: &str) -> Option<(u32, u32)> {
    Shard::parse(shard).map(|shard| (shard.count(), shard.index()))
}
