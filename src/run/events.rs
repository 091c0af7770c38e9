//! The events of a shop that was read.

use crate::journal::Recorder;
use crate::wire;
use crate::wire::events::{Event, PlannedChange, ShopRead};

/// Records what was found of a shop.
pub(super) fn emit_shop(recorder: &Recorder, shop: &wire::plan::Shop) {
    recorder.event(Event::ShopRead(ShopRead {
        shop: shop.shop.clone(),
        status: shop.status.into(),
        changes: shop.changes.len(),
        error: shop.error.clone(),
    }));
    emit_planned_changes(recorder, shop);
}

/// Records what is planned for a shop.
pub(crate) fn emit_planned_changes(recorder: &Recorder, shop: &wire::plan::Shop) {
    for (index, change) in shop.changes.iter().enumerate() {
        let (shop, change) = (shop.shop.clone(), change.clone());
        recorder.event(Event::PlannedChange(PlannedChange { shop, index, change }));
    }
}
