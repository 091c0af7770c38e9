//! Splits the changes of a shop by origin (`plan --only`).

use std::collections::{BTreeMap, BTreeSet};

use super::{Blocked, Origin, PlannedChange};
use crate::diff::{self, Change};
use crate::model::Topic;

/// What a plan with `--only` leaves out of a shop.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LeftOut {
    /// Changes of the other origin. They are not applied.
    pub changes: Vec<PlannedChange>,
    /// Blocked bindings of the other origin.
    pub blocked: Vec<Blocked>,
}

impl LeftOut {
    /// Returns whether nothing was left out.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.blocked.is_empty()
    }
}

/// Returns the changes that the plan keeps, in their order, and those that it leaves out. Topics are not split, because
/// the changes of a topic depend on each other: an old subscription is deleted only after its replacement exists. Topics
/// whose changes use the same name are not split either, because the name must be free before it is used again.
pub(super) fn split(changes: Vec<PlannedChange>, only: Origin) -> (Vec<PlannedChange>, Vec<PlannedChange>) {
    let linked = linked_topics(changes.iter().map(|planned| &planned.change));
    let from_manifest: BTreeSet<usize> = changes
        .iter()
        .filter(|planned| planned.origin != Some(Origin::Drift))
        .filter_map(|planned| linked.get(planned.change.topic()).copied())
        .collect();
    let is_kept = |planned: &PlannedChange| {
        let from_manifest = linked.get(planned.change.topic()).is_some_and(|group| from_manifest.contains(group));
        from_manifest == (only == Origin::Manifest)
    };
    changes.into_iter().partition(is_kept)
}

/// Returns the group of each topic: topics are in one group if their changes use the same name.
fn linked_topics<'a>(changes: impl Iterator<Item = &'a Change>) -> BTreeMap<Topic, usize> {
    let mut groups: BTreeMap<Topic, usize> = BTreeMap::new();
    let mut of_name: BTreeMap<String, usize> = BTreeMap::new();
    for change in changes {
        let next = groups.len();
        let mut group = *groups.entry(change.topic().clone()).or_insert(next);
        let before = change.before().and_then(|before| before.binding.name.as_deref());
        let after = change.after().and_then(|after| after.name.as_deref());
        for name in before.into_iter().chain(after) {
            // Shopify compares names without regard to case (documented).
            let other = *of_name.entry(name.to_lowercase()).or_insert(group);
            if other != group {
                let joined = groups.values_mut().chain(of_name.values_mut()).filter(|number| **number == group);
                joined.for_each(|number| *number = other);
                group = other;
            }
        }
    }
    groups
}

/// Returns the blocked bindings that the plan keeps, and those that it leaves out. `asked` has one element for each
/// element of `blocked`. A binding that the base manifest could not create or update either is left to the drift.
pub(super) fn split_blocked(
    blocked: Vec<Blocked>,
    asked: &[diff::Blocked],
    of_base: &[diff::Blocked],
    only: Origin,
) -> (Vec<Blocked>, Vec<Blocked>) {
    fn key(blocked: &diff::Blocked) -> (&Topic, crate::model::Format, &Option<String>) {
        let binding = &blocked.entry.binding;
        (&binding.topic, binding.format, &binding.filter)
    }
    let (mut kept, mut left) = (Vec::new(), Vec::new());
    for (blocked, asked) in blocked.into_iter().zip(asked) {
        let is_drift = of_base.iter().any(|other| key(other) == key(asked));
        if is_drift == (only == Origin::Drift) { kept.push(blocked) } else { left.push(blocked) }
    }
    (kept, left)
}
