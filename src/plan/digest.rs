//! The two digests of a shop: over its wanted state, and over the context on which its changes depend.

use std::collections::{BTreeSet, HashSet};

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::catalog;
use crate::diff::Change;
use crate::digest::{hash_sorted, named, sha256};
use crate::model::{Binding, Field, Live, ScopeSet, SubscriptionId, Topic};
use crate::state::aep::Target;
use crate::state::{Desired, Entry, Observed, Ownership, Unresolved, compared, compared_at};

/// Returns the digest over the wanted state of a shop and the ownership rule. The order and the names of destinations
/// do not count.
pub fn desired_digest(desired: &Desired, ownership: &Ownership) -> String {
    let bindings = desired.entries.iter().filter_map(|entry| to_raw_value(&compared(&entry.binding)).ok());
    asked_digest(bindings.collect(), desired.scopes.as_ref(), ownership)
}

/// Like [`desired_digest`], for a shop with bindings whose addresses are not resolved.
pub(super) fn unresolved_digest(unresolved: &Unresolved, ownership: &Ownership) -> String {
    let of = |binding: &Binding<Target>| to_raw_value(&compared_at(binding, &binding.address.written())).ok();
    let bindings = unresolved.entries.iter().filter_map(|entry| of(&entry.binding));
    asked_digest(bindings.collect(), unresolved.scopes.as_ref(), ownership)
}

fn asked_digest(mut bindings: Vec<Box<RawValue>>, scopes: Option<&ScopeSet>, ownership: &Ownership) -> String {
    bindings.sort_unstable_by(|a, b| a.get().cmp(b.get()));
    let mut address_prefixes: Vec<&str> = ownership.address_prefixes.iter().map(crate::state::Prefix::as_str).collect();
    address_prefixes.sort_unstable();
    named(&hash_sorted(&Asked {
        bindings,
        ownership: Rule { address_prefixes, unmanaged: ownership.unmanaged.as_str() },
        scopes: scopes.map(|set| set.iter().map(crate::model::Scope::as_str).collect()),
    }))
}

/// The wanted state of a shop, with its keys in alphabetical order.
#[derive(Serialize)]
struct Asked<'a> {
    bindings: Vec<Box<RawValue>>,
    ownership: Rule<'a>,
    scopes: Option<Vec<&'a str>>,
}

#[derive(Serialize)]
struct Rule<'a> {
    address_prefixes: Vec<&'a str>,
    unmanaged: &'static str,
}

/// Returns the digest over everything on which changes depend, except for the subscriptions that they name or have
/// `made`: the managed subscriptions of their topics, the holders of the names that they send, and the scopes that they
/// need.
pub(super) fn context_digest<'a>(
    changes: impl IntoIterator<Item = &'a Change>,
    observed: &Observed,
    ownership: &Ownership,
    made: impl Fn(&SubscriptionId) -> bool,
) -> String {
    let (mut named, mut topics, mut writes) = (HashSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut names: HashSet<String> = HashSet::new();
    for change in changes {
        named.extend(change.id());
        topics.insert(change.topic());
        let sends_name = match change {
            Change::Create { .. } => true,
            Change::Update { fields, .. } => fields.contains(&Field::Name),
            Change::Delete { .. } => continue,
        };
        writes.insert(change.topic());
        let name = change.after().and_then(|after| after.name.as_ref());
        names.extend(name.filter(|_| sends_name).map(|name| name.to_lowercase()));
    }
    let others = || observed.entries.iter().filter(|live| !named.contains(&live.meta.id) && !made(&live.meta.id));
    let with_id = |live: &Entry<Live>| json!([live.meta.id.as_str(), compared(&live.binding)]);
    let same_topic =
        |live: &&Entry<Live>| topics.contains(&live.binding.topic) && ownership.covers(&live.binding.address);
    let holder = |live: &Entry<Live>| {
        let name = live.binding.name.as_ref()?.to_lowercase();
        names.contains(&name).then(|| json!([name, live.meta.id.as_str()]))
    };
    let granted = observed.scopes.as_ref();
    let allowed = |topic: &Topic| granted.map(|g| catalog::missing_scopes(topic, g).is_none());
    let scope = |topic: &&Topic| json!([topic.graphql(), allowed(topic)]);
    sha256(&json!({
        "rest": sorted(others().filter(same_topic).map(with_id)),
        "holders": sorted(others().filter_map(holder)),
        "scopes": sorted(writes.iter().map(scope)),
    }))
}

fn sorted(values: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut values: Vec<Value> = values.collect();
    values.sort_by_cached_key(ToString::to_string);
    values
}
