//! The fields of a binding that digests cover.

use serde::Serialize;

use crate::model::Binding;

/// The compared fields, with lists as sorted sets. The fields are in alphabetical order, so that they serialise as
/// canonical JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Compared<'a> {
    address: &'a str,
    filter: Option<&'a str>,
    format: &'static str,
    include_fields: Vec<&'a str>,
    metafield_namespaces: Vec<&'a str>,
    metafields: Option<Vec<&'a str>>,
    name: Option<&'a str>,
    topic: &'a str,
}

/// Returns the compared fields of a binding.
pub(crate) fn compared(binding: &Binding) -> Compared<'_> {
    compared_at(binding, binding.address.as_str())
}

/// Returns the compared fields of a binding with `address` as its address. The pattern names every field, so that a
/// new field causes a compile error here.
pub(crate) fn compared_at<'a, A>(binding: &'a Binding<A>, address: &'a str) -> Compared<'a> {
    let Binding { topic, address: _, format, filter, include_fields, metafield_namespaces, name, metafields } = binding;
    Compared {
        address,
        filter: filter.as_deref(),
        format: format.as_str(),
        include_fields: set(include_fields),
        metafield_namespaces: set(metafield_namespaces),
        metafields: metafields.as_deref().map(set),
        name: name.as_deref(),
        topic: topic.graphql(),
    }
}

/// Returns a list as a sorted set.
pub(crate) fn set(list: &[String]) -> Vec<&str> {
    let mut list: Vec<&str> = list.iter().map(String::as_str).collect();
    list.sort_unstable();
    list.dedup();
    list
}
