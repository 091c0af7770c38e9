//! What the digests of a plan and of its shops are over.

use serde_json::{Value, json};

use super::v1::Plan;
use crate::digest::sha256;
use crate::model::{Live, ScopeSet, Topic};
use crate::state::{Desired, Entry, Ownership, compared};

/// The digest that a plan carries, whatever it carries now.
pub(super) fn of_plan(plan: &Plan) -> String {
    let value = serde_json::to_value(plan).unwrap_or_default();
    of_plan_value(value)
}

/// The same of a plan file's JSON, keys that this version does not know included.
pub(super) fn of_plan_value(mut value: Value) -> String {
    if let Value::Object(map) = &mut value {
        map.remove("plan_digest");
        map.remove("created_at");
    }
    sha256(&value)
}

/// Over what a manifest asks of a shop, and by which rule of ownership. Neither order nor destinations' names count.
pub fn desired_digest(desired: &Desired, ownership: &Ownership) -> String {
    let mut bindings: Vec<Value> = desired.entries.iter().map(|e| compared(&e.binding)).collect();
    bindings.sort_by_cached_key(ToString::to_string);
    let scopes: Option<Vec<&str>> =
        desired.scopes.as_ref().map(|set| set.iter().map(crate::model::Scope::as_str).collect());
    let mut prefixes: Vec<&str> = ownership.address_prefixes.iter().map(crate::state::Prefix::as_str).collect();
    prefixes.sort_unstable();
    sha256(&json!({
        "bindings": bindings,
        "scopes": scopes,
        "ownership": { "address_prefixes": prefixes, "unmanaged": ownership.unmanaged.as_str() },
    }))
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
