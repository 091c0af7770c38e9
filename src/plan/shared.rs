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
    bound: Shared<[Bound]>,
    digests: Shared<str>,
    details: Shared<Map<String, Value>>,
    bindings: Shared<Binding>,
}

impl SharedParts {
    /// Replaces the parts of a shop by equal parts of an earlier shop.
    pub fn share(&mut self, shop: &mut ShopPlan) {
        self.bound.share(&mut shop.bound);
        self.digests.share(&mut shop.desired_digest);
        shop.context_digest.iter_mut().for_each(|digest| self.digests.share(digest));
        for PlannedChange { change, .. } in &mut shop.changes {
            match change {
                Change::Create { after, .. } | Change::Update { after, .. } => self.bindings.share(after),
                Change::Delete { .. } => {}
            }
        }
        shop.findings.iter_mut().for_each(|finding| self.details.share(&mut finding.details));
    }
}

/// Values of which equal ones are held once.
#[derive(Debug)]
pub struct Shared<T: ?Sized>(HashSet<Arc<T>>);

impl<T: Eq + Hash + ?Sized> Shared<T> {
    /// Replaces a value by an equal earlier one.
    pub fn share(&mut self, value: &mut Arc<T>) {
        match self.0.get(&**value) {
            Some(first) => *value = Arc::clone(first),
            None => drop(self.0.insert(Arc::clone(value))),
        }
    }
}

impl<T: ?Sized> Default for Shared<T> {
    fn default() -> Self {
        Self(HashSet::new())
    }
}
