//! Orders writes so that names stay unique. Shopify requires names to be unique per shop, ignoring case, so the order
//! of writes matters if a name moves from one subscription to another. A write that takes a name follows the write that
//! releases it. If no write releases the name in time (the holder is deleted, no binding renames it, or the moves form
//! a cycle), a name step first gives the holder a temporary name, so that the old subscription keeps delivering until
//! the new one exists.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Blocked, Change, Obstacle, UpdateReason, Write};
use crate::catalog;
use crate::model::{Binding, Field, Live, ScopeSet, SubscriptionId};
use crate::state::Entry;

pub(super) struct Planned {
    pub(super) changes: Vec<Change>,
    /// Temporary names by subscription.
    pub(super) steps: BTreeMap<SubscriptionId, String>,
}

type Holders<'a> = BTreeMap<String, Vec<(&'a Entry<Live>, bool)>>;

pub(super) fn order(
    mut writes: Vec<Write>,
    managed: &[&Entry<Live>],
    unmanaged: &[&Entry<Live>],
    granted: Option<&ScopeSet>,
    blocked: &mut Vec<Blocked>,
) -> Planned {
    let mut holders: Holders<'_> = BTreeMap::new();
    for (entries, ours) in [(managed, true), (unmanaged, false)] {
        for &live in entries {
            if let Some(name) = &live.binding.name {
                holders.entry(fold(name)).or_default().push((live, ours));
            }
        }
    }
    block_for_names(&mut writes, &holders, granted, blocked);
    emit(&writes, &holders)
}

/// Blocks the writes whose name cannot be freed. Repeats until no write is blocked, because a blocked write can keep
/// another name in use.
fn block_for_names(
    writes: &mut Vec<Write>,
    holders: &Holders<'_>,
    granted: Option<&ScopeSet>,
    blocked: &mut Vec<Blocked>,
) {
    loop {
        let obstacle = writes.iter().enumerate().find_map(|(at, write)| {
            let stuck = others_holding(write, holders).find(|(live, ours)| {
                let renamed = writes.iter().any(|w| releases_name(w, live));
                let renamable = granted.is_none_or(|g| catalog::missing_scopes(&live.binding.topic, g).is_none());
                !ours || (!renamed && !renamable)
            });
            stuck.map(|(live, _)| (at, live.clone()))
        });
        let Some((at, holder)) = obstacle else { return };
        let write = writes.remove(at);
        blocked.push(Blocked { entry: write.wanted, why: Obstacle::NameTaken(Box::new(holder)) });
    }
}

/// Returns the live subscriptions, other than the write's own, that hold the name that the write sends.
fn others_holding<'a>(write: &Write, holders: &'a Holders<'a>) -> impl Iterator<Item = (&'a Entry<Live>, bool)> {
    let own = write.live.as_ref().map(|(live, _)| live.meta.id.clone());
    let found = write.name_sent().and_then(|name| holders.get(&fold(name))).into_iter().flatten();
    found.copied().filter(move |(live, _)| Some(&live.meta.id) != own.as_ref())
}

/// Returns whether `write` gives this subscription another name.
fn releases_name(write: &Write, live: &Entry<Live>) -> bool {
    let own = write.live.as_ref().is_some_and(|(own, _)| own.meta.id == live.meta.id);
    let held = live.binding.name.as_deref().map(fold);
    own && write.name_sent().map(fold).is_some_and(|new| Some(new) != held)
}

fn emit(writes: &[Write], holders: &Holders<'_>) -> Planned {
    // Each write waits for the write that releases its name. If there is none, or the write already waits for another
    // one, the holder gets a temporary name.
    let mut waits_for: Vec<Option<usize>> = vec![None; writes.len()];
    let mut steps: BTreeMap<SubscriptionId, &Entry<Live>> = BTreeMap::new();
    for (at, write) in writes.iter().enumerate() {
        for (live, _) in others_holding(write, holders) {
            match writes.iter().position(|w| releases_name(w, live)) {
                Some(giver) if waits_for[at].is_none() => waits_for[at] = Some(giver),
                _ => drop(steps.insert(live.meta.id.clone(), live)),
            }
        }
    }
    let (sequence, cycles) = sequence(&waits_for);
    for at in cycles {
        if let Some((live, _)) = &writes[at].live {
            steps.insert(live.meta.id.clone(), live);
        }
    }

    let mut taken: Vec<String> = holders.keys().cloned().collect();
    taken.extend(writes.iter().filter_map(|w| w.wanted.binding.name.as_deref().map(fold)));
    let mut planned = Planned { changes: Vec::new(), steps: BTreeMap::new() };
    for (id, live) in steps {
        let name = temporary_name(&id, &taken);
        let after = Arc::new(Binding { name: Some(name.clone()), ..live.binding.clone() });
        let (fields, reason) = (vec![Field::Name], UpdateReason::NameStep);
        planned.changes.push(Change::Update { before: Box::new(live.clone()), after, fields, reason, wanted: None });
        planned.steps.insert(id, name);
    }
    planned.changes.extend(sequence.into_iter().map(|at| change(&writes[at], &planned.steps)));
    planned
}

/// Returns the order of the writes, each after the one that it waits for; and one write of each cycle, whose
/// subscription gets a temporary name.
fn sequence(waits_for: &[Option<usize>]) -> (Vec<usize>, Vec<usize>) {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; waits_for.len()];
    let (mut out, mut cycles) = (Vec::with_capacity(waits_for.len()), Vec::new());
    for start in 0..waits_for.len() {
        let (mut path, mut next) = (Vec::new(), Some(start));
        while let Some(at) = next {
            match marks[at] {
                Mark::New => {
                    marks[at] = Mark::Open;
                    path.push(at);
                    next = waits_for[at];
                }
                Mark::Open => {
                    cycles.push(at);
                    next = None;
                }
                Mark::Done => next = None,
            }
        }
        for at in path.into_iter().rev() {
            marks[at] = Mark::Done;
            out.push(at);
        }
    }
    (out, cycles)
}

fn change(write: &Write, steps: &BTreeMap<SubscriptionId, String>) -> Change {
    let Write { wanted, live } = write;
    let Some((live, fields)) = live else {
        return Change::Create { after: Arc::new(wanted.binding.clone()), wanted: wanted.meta.clone() };
    };
    let mut before = live.clone();
    if let Some(step) = steps.get(&live.meta.id) {
        before.binding.name = Some(step.clone());
    }
    let mut after = wanted.binding.clone();
    after.name = after.name.or_else(|| before.binding.name.clone());
    after.metafields = after.metafields.or_else(|| before.binding.metafields.clone());
    let repurposed = fields.contains(&Field::Address) && fields.contains(&Field::Filter);
    let reason = if repurposed { UpdateReason::Repurposed } else { UpdateReason::Differs };
    Change::Update {
        before: Box::new(before),
        after: Arc::new(after),
        fields: fields.clone(),
        reason,
        wanted: Some(wanted.meta.clone()),
    }
}

/// Derives a temporary name from the id, so that every run chooses the same name.
fn temporary_name(id: &SubscriptionId, taken: &[String]) -> String {
    let digits: String = id.as_str().chars().filter(char::is_ascii_digit).collect();
    let base = format!("hookwright-step-{digits}");
    let mut name: String = base.chars().take(48).collect();
    while taken.contains(&fold(&name)) {
        name.push('x');
    }
    name
}

fn fold(name: &str) -> String {
    name.to_lowercase()
}
