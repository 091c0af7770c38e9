//! Digests over canonical JSON: keys sorted, no blanks, so that a digest is of a meaning and not of a layout.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::subscription::compared;
use super::v1::Plan;
use crate::model::{Live, ScopeSet, Topic};
use crate::state::{Desired, Entry, Ownership};

/// `sha256:<hex>` of the canonical JSON of a value.
pub fn sha256(value: &Value) -> String {
    let mut text = String::new();
    canonical(value, &mut text);
    let mut out = "sha256:".to_owned();
    for byte in Sha256::digest(text.as_bytes()) {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// Object keys in byte order, whatever order the JSON library keeps them in.
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<_> = map.iter().collect();
            keys.sort_by_key(|(key, _)| key.as_str());
            out.push('{');
            for (at, (key, value)) in keys.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                let _ = write!(out, "{}:", Value::from(key.as_str()));
                canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(list) => {
            out.push('[');
            for (at, value) in list.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                canonical(value, out);
            }
            out.push(']');
        }
        scalar => {
            let _ = write!(out, "{scalar}");
        }
    }
}

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
