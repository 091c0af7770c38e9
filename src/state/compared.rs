//! What counts of a binding, for every digest.

use serde::Serialize;

use crate::model::{Address, Binding};

/// The compared fields; lists as sorted sets. In the order of their names, so that they serialise as canonical JSON.
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

impl<'a> Compared<'a> {
    /// The same with another address.
    pub(crate) fn at(self, address: &'a Address) -> Self {
        Self { address: address.as_str(), ..self }
    }
}

/// What is compared of a binding. Every field is named, so that a new one does not compile until somebody decides
/// whether it counts.
pub(crate) fn compared(binding: &Binding) -> Compared<'_> {
    let Binding { topic, address, format, filter, include_fields, metafield_namespaces, name, metafields } = binding;
    Compared {
        address: address.as_str(),
        filter: filter.as_deref(),
        format: format.as_str(),
        include_fields: set(include_fields),
        metafield_namespaces: set(metafield_namespaces),
        metafields: metafields.as_deref().map(set),
        name: name.as_deref(),
        topic: topic.graphql(),
    }
}

/// A list of which neither order nor repetition counts.
pub(crate) fn set(list: &[String]) -> Vec<&str> {
    let mut list: Vec<&str> = list.iter().map(String::as_str).collect();
    list.sort_unstable();
    list.dedup();
    list
}
