//! Equal parts of many shops, held once.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Bound, PlannedChange, ShopPlan};
use crate::diff::Change;
use crate::model::Binding;

/// Parts that the shops of a plan share. The shops of a fleet have few different ones, so a plan that holds each of them
/// once takes much less memory.
#[derive(Debug, Default)]
pub struct SharedParts {
    bound: HashSet<Arc<[Bound]>>,
    digests: HashSet<Arc<str>>,
    details: HashSet<Arc<Map<String, Value>>>,
    bindings: HashSet<Arc<Binding>>,
}

impl SharedParts {
    /// Replaces the parts of a shop by equal parts of an earlier shop.
    pub fn share(&mut self, shop: &mut ShopPlan) {
        share(&mut self.bound, &mut shop.bound);
        share(&mut self.digests, &mut shop.desired_digest);
        shop.context_digest.iter_mut().for_each(|digest| share(&mut self.digests, digest));
        for PlannedChange { change, .. } in &mut shop.changes {
            match change {
                Change::Create { after, .. } | Change::Update { after, .. } => share(&mut self.bindings, after),
                Change::Delete { .. } => {}
            }
        }
        shop.findings.iter_mut().for_each(|finding| share(&mut self.details, &mut finding.details));
    }
}

/// Replaces a value by an equal one that is known.
pub fn share<T: Eq + Hash + ?Sized>(known: &mut HashSet<Arc<T>>, value: &mut Arc<T>) {
    match known.get(&**value) {
        Some(first) => *value = Arc::clone(first),
        None => drop(known.insert(Arc::clone(value))),
    }
}
