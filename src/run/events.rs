//! The events of a shop that was read.

use crate::journal::Recorder;
use crate::plan::ShopPlan;
use crate::wire::events::{Event, PlannedChange, ShopRead};

/// Records what was found of a shop.
pub(super) fn emit_shop(recorder: &Recorder, shop: &ShopPlan) {
    recorder.event(Event::ShopRead(ShopRead {
        shop: shop.shop.to_string(),
        status: shop.status().into(),
        changes: shop.changes.len(),
        error: shop.error().map(Into::into),
    }));
    emit_planned_changes(recorder, shop);
}

/// Records what is planned for a shop.
pub(crate) fn emit_planned_changes(recorder: &Recorder, shop: &ShopPlan) {
    for (index, change) in shop.changes.iter().enumerate() {
        let (shop, change) = (shop.shop.to_string(), change.into());
        recorder.event(Event::PlannedChange(PlannedChange { shop, index, change }));
    }
}
