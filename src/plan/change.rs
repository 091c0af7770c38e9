//! Planned changes.

use std::sync::Arc;

use crate::diff::Change;
use crate::model::{Address, Binding, Format};
use crate::state::Source;

/// A change with the information that the plan adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedChange {
    /// The change.
    pub change: Change,
    /// Origin of the change; `None` without a base manifest.
    pub origin: Option<Origin>,
    /// Names of the destinations, if the addresses have names.
    pub destinations: DestinationNames,
    /// Values from a file of a later minor version that this version does not know.
    pub unknown: Option<Box<UnknownWords>>,
}

/// Unknown values from a later minor version. A change with such a value is displayed with it, counts as the simplest
/// change of its action, and is never applied, because no manifest requires it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnknownWords {
    /// Unknown reason.
    pub reason: Option<String>,
    /// Unknown fields that an update changes.
    pub fields: Vec<String>,
}

impl PlannedChange {
    /// Returns where the binding that requires the change is defined; `None` for deletes and name steps.
    pub fn source(&self) -> Option<&Source> {
        match &self.change {
            Change::Create { wanted, .. } => Some(&wanted.source),
            Change::Update { wanted, .. } => wanted.as_ref().map(|wanted| &wanted.source),
            Change::Delete { .. } => None,
        }
    }
}

/// Origin of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The base manifest would plan the same change.
    Drift,
    /// The change comes from this manifest.
    Manifest,
}

/// Names of the destinations of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DestinationNames {
    /// Name of the address before the change.
    pub before: Option<Arc<str>>,
    /// Name of the address after the change.
    pub after: Option<Arc<str>>,
}

/// What distinguishes the subscriptions of a topic: Shopify accepts one subscription per topic and key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BindingKey {
    /// Delivery address.
    pub address: Address,
    /// Payload format.
    pub format: Format,
    /// Filter in Shopify's search syntax.
    pub filter: Option<String>,
}

impl From<&Binding> for BindingKey {
    fn from(binding: &Binding) -> Self {
        let Binding { address, format, filter, .. } = binding;
        Self { address: address.clone(), format: *format, filter: filter.clone() }
    }
}

/// Returns whether two changes have the same `before` and the same `after`, regardless of their reasons.
pub fn same_edit(a: &Change, b: &Change) -> bool {
    let before = |change| Change::before(change).map(|entry| (&entry.meta.id, &entry.binding));
    (before(a), a.after()) == (before(b), b.after())
}

/// Returns whether two changes are equal, including reason and fields.
pub(super) fn same_change(a: &Change, b: &Change) -> bool {
    let same_reason = match (a, b) {
        (Change::Create { .. }, Change::Create { .. }) => true,
        (Change::Update { fields, reason, .. }, Change::Update { fields: others, reason: other, .. }) => {
            (fields, reason) == (others, other)
        }
        (Change::Delete { reason, .. }, Change::Delete { reason: other, .. }) => reason == other,
        _ => false,
    };
    same_reason && same_edit(a, b)
}
