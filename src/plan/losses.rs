//! What a run takes from each destination.

use std::collections::{BTreeMap, BTreeSet};

use super::hazards::changes_address;
use super::{DestinationLoss, HazardKind, PlannedChange, ShopPlan};
use crate::diff::{Change, DeleteReason};

/// Minimum number of live subscriptions of a destination to which the limit applies.
const LEAST: usize = 5;

/// Sums for each destination, added shop by shop.
#[derive(Debug, Default)]
pub(super) struct Losses {
    of: BTreeMap<String, Sum>,
}

#[derive(Debug)]
struct Sum {
    loss: DestinationLoss,
    /// Number of deletes that a hazard of their shop covers.
    judged: usize,
}

impl Losses {
    /// Adds a shop. A destination is identified by its name, or by its address if the manifest has no name for the address. The
    /// old address of a renamed or rotated destination has no name, so it loses its subscriptions. `judged` says whether
    /// a hazard of the shop covers its deletes.
    pub(super) fn add(&mut self, shop: &ShopPlan, judged: bool) {
        for bound in shop.bound.iter() {
            self.entry(&bound.destination).loss.of += bound.count;
        }
        let (mut seen, mut losing) = (BTreeSet::new(), BTreeSet::new());
        for PlannedChange { change, destinations, .. } in &shop.changes {
            let Some(before) = change.before() else { continue };
            if matches!(change, Change::Delete { reason: DeleteReason::Unmanaged, .. }) {
                continue;
            }
            let name = destinations.before.as_deref().unwrap_or(before.binding.address.as_str());
            let Sum { loss, judged: judged_deletes } = self.entry(name);
            // A name step is a second change of the same subscription.
            loss.of += usize::from(seen.insert(&before.meta.id));
            let deleted = matches!(change, Change::Delete { reason: DeleteReason::NotInManifest, .. });
            let moved = changes_address(change);
            loss.deleted += usize::from(deleted);
            loss.moved += usize::from(moved);
            *judged_deletes += usize::from(deleted && judged);
            if deleted || moved {
                losing.insert(name);
            }
        }
        for name in losing {
            self.entry(name).loss.shops += 1;
        }
    }

    fn entry(&mut self, destination: &str) -> &mut Sum {
        let loss = || DestinationLoss { destination: destination.to_owned(), deleted: 0, moved: 0, of: 0, shops: 0 };
        self.of.entry(destination.to_owned()).or_insert_with(|| Sum { loss: loss(), judged: 0 })
    }

    /// Returns the hazard of destinations that lose more than the limit. Losses that another hazard covers do not count: deletes
    /// that a hazard of their shop covers, and, as `judged` says, all deletes and all changes of address of the run.
    pub(super) fn beyond(self, limit_percent: u8, judged: (bool, bool)) -> Option<HazardKind> {
        let (deletes_judged, moves_judged) = judged;
        let beyond = |Sum { loss, judged }: Sum| {
            let deleted = if deletes_judged { 0 } else { loss.deleted - judged };
            let moved = if moves_judged { 0 } else { loss.moved };
            let exceeds = loss.of >= LEAST && (deleted + moved) * 100 > loss.of * usize::from(limit_percent);
            exceeds.then_some(loss)
        };
        let destinations: Vec<DestinationLoss> = self.of.into_values().filter_map(beyond).collect();
        (!destinations.is_empty()).then_some(HazardKind::MaxDestinationLossPercent { destinations, limit_percent })
    }
}
