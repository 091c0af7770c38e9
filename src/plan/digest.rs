//! What the digests of a plan and of its shops are over.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use crate::digest::{hash_sorted, named, sha256, sha256_with};
use crate::model::{Binding, Live, ScopeSet, Topic};
use crate::state::aep::Target;
use crate::state::{Desired, Entry, Ownership, Unresolved, compared, compared_at};

/// The key of a plan's shops.
pub(super) const SHOPS: &str = "shops";

/// The digest that a plan carries: over the JSON of its frame, which is the plan without its shops, and of each shop.
/// Keys that this version does not know count.
pub(super) fn of_plan(mut frame: Map<String, Value>, shops: impl IntoIterator<Item = Value>) -> String {
    for not_covered in ["plan_digest", "created_at", SHOPS] {
        frame.remove(not_covered);
    }
    sha256_with(&frame, SHOPS, shops)
}

/// Over what a manifest asks of a shop, and by which rule of ownership. Neither order nor destinations' names count.
pub fn desired_digest(desired: &Desired, ownership: &Ownership) -> String {
    let bindings = desired.entries.iter().filter_map(|entry| to_raw_value(&compared(&entry.binding)).ok());
    asked_digest(bindings.collect(), desired.scopes.as_ref(), ownership)
}

/// The same for a shop that has bindings without an address.
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

/// What a manifest asks, with its keys in order.
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

/// Over what a shop's changes were computed from besides the subscriptions that they name.
pub(super) fn observed_digest<'a>(
    rest: impl IntoIterator<Item = &'a Entry<Live>>,
    holders: impl IntoIterator<Item = (String, &'a Entry<Live>)>,
    needed: impl IntoIterator<Item = &'a Topic>,
    granted: Option<&ScopeSet>,
) -> String {
    let with_id = |live: &Entry<Live>| json!([live.meta.id.as_str(), compared(&live.binding)]);
    let mut rest: Vec<Value> = rest.into_iter().map(with_id).collect();
    rest.sort_by_cached_key(ToString::to_string);
    let mut holders: Vec<Value> = holders.into_iter().map(|(n, live)| json!([n, live.meta.id.as_str()])).collect();
    holders.sort_by_cached_key(ToString::to_string);
    let allowed = |topic: &Topic| granted.map(|g| crate::catalog::missing_scopes(topic, g).is_none());
    let mut scopes: Vec<Value> = needed.into_iter().map(|t| json!([t.graphql(), allowed(t)])).collect();
    scopes.sort_by_cached_key(ToString::to_string);
    scopes.dedup();
    sha256(&json!({ "rest": rest, "holders": holders, "scopes": scopes }))
}
