//! What counts of a binding, for every digest.

use serde_json::{Value, json};

use crate::model::Binding;

/// The compared fields; lists as sorted sets. Every field is named, so that a new one does not compile until somebody
/// decides whether it counts.
pub(crate) fn compared(binding: &Binding) -> Value {
    let Binding { topic, address, format, filter, include_fields, metafield_namespaces, name, metafields } = binding;
    json!({
        "topic": topic.graphql(),
        "address": address.as_str(),
        "format": format.as_str(),
        "filter": filter,
        "include_fields": set(include_fields),
        "metafield_namespaces": set(metafield_namespaces),
        "name": name,
        "metafields": metafields.as_deref().map(set),
    })
}

/// A list of which neither order nor repetition counts.
pub(crate) fn set(list: &[String]) -> Vec<&str> {
    let mut list: Vec<&str> = list.iter().map(String::as_str).collect();
    list.sort_unstable();
    list.dedup();
    list
}
