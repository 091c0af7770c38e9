//! A change as it is planned.

use crate::diff::Change;
use crate::model::{Address, Binding, Format};
use crate::state::Source;

/// A change and what the plan says of it besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedChange {
    /// What is done.
    pub change: Change,
    /// What the change comes from; known only where the plan was made with a base manifest.
    pub origin: Option<Origin>,
    /// Names of the destinations, where the addresses have one.
    pub destinations: DestinationNames,
    /// What a file of a later minor version says of the change and this version does not know.
    pub unknown: UnknownWords,
}

/// Words of a later minor version. A change with such a word is shown with it, counts as the plainest one of its action,
/// and is never carried out: no manifest calls for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnknownWords {
    /// The reason.
    pub reason: Option<String>,
    /// Fields that an update changes.
    pub fields: Vec<String>,
}

impl PlannedChange {
    /// Where the binding is that asks for the change; none for deletes and name steps.
    pub fn source(&self) -> Option<&Source> {
        match &self.change {
            Change::Create { wanted, .. } => Some(&wanted.source),
            Change::Update { wanted, .. } => wanted.as_ref().map(|wanted| &wanted.source),
            Change::Delete { .. } => None,
        }
    }
}

/// What a change comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The base manifest would plan it too.
    Drift,
    /// This manifest brings it.
    Manifest,
}

/// Names of destinations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DestinationNames {
    /// Of the address before.
    pub before: Option<String>,
    /// Of the address after.
    pub after: Option<String>,
}

/// What tells one subscription of a topic from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BindingKey {
    /// Delivery address.
    pub address: Address,
    /// Payload format.
    pub format: Format,
    /// Shopify search syntax.
    pub filter: Option<String>,
}

impl From<&Binding> for BindingKey {
    fn from(binding: &Binding) -> Self {
        let Binding { address, format, filter, .. } = binding;
        Self { address: address.clone(), format: *format, filter: filter.clone() }
    }
}

/// Whether two changes lead from the same subscription to the same binding, for whatever reason.
pub fn same_edit(a: &Change, b: &Change) -> bool {
    let before = |change| Change::before(change).map(|entry| (&entry.meta.id, &entry.binding));
    (before(a), a.after()) == (before(b), b.after())
}

/// Whether two changes are the same, reason and fields included.
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
