//! Emits the events of a shop that was read.

use crate::journal::Recorder;
use crate::plan::ShopPlan;
use crate::wire::events::{Event, PlannedChange, ShopRead};

/// Emits the result of reading a shop, and its planned changes.
pub(super) fn emit_shop(recorder: &Recorder, shop: &ShopPlan) {
    recorder.event(Event::ShopRead(ShopRead {
        shop: shop.shop.to_string(),
        status: shop.status().into(),
        changes: shop.changes.len(),
        error: shop.error().map(Into::into),
    }));
    emit_planned_changes(recorder, shop);
}

/// Emits the planned changes of a shop.
pub(crate) fn emit_planned_changes(recorder: &Recorder, shop: &ShopPlan) {
    for (index, change) in shop.changes.iter().enumerate() {
        let (shop, change) = (shop.shop.to_string(), change.into());
        recorder.event(Event::PlannedChange(PlannedChange { shop, index, change }));
    }
}
