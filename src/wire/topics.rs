//! The JSON of `topics`, version 1: a list of topics. A minor version adds keys.

use schemars::JsonSchema;
use serde::Serialize;

use crate::catalog::TopicInfo;

/// One topic, as `topics --format json` prints it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Topic {
    /// Name in slash form, as in the manifest.
    pub name: &'static str,
    /// Name in the GraphQL Admin API.
    pub graphql: String,
    /// Scopes of which any one is enough. Empty if no scope is known to be needed.
    pub scopes: Vec<&'static str>,
    /// First API version that has the topic, if known.
    pub since: Option<&'static str>,
    /// Whether the Admin API can subscribe to the topic.
    pub subscribable: bool,
    /// The corresponding Next Gen event; null if none is known.
    pub event: Option<Event>,
    /// Further notes; may be empty.
    pub note: &'static str,
}

/// A Next Gen event, as in `shopify.app.toml`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Event {
    /// The resource, such as `Product`.
    pub topic: &'static str,
    /// `create`, `update` or `delete`.
    pub action: &'static str,
}

/// Returns the JSON form of topics.
pub fn document(topics: &[&TopicInfo]) -> Vec<Topic> {
    let topic = |info: &&TopicInfo| Topic {
        name: info.name,
        graphql: info.graphql(),
        scopes: info.scopes().collect(),
        since: info.since(),
        subscribable: !info.is_compliance(),
        event: event(info).map(|(topic, action)| Event { topic, action }),
        note: info.note,
    };
    topics.iter().map(topic).collect()
}

/// Returns the resource and the action of the corresponding event.
pub(crate) fn event(info: &TopicInfo) -> Option<(&'static str, &'static str)> {
    let event = info.event()?;
    Some((event.topic, event.action?))
}
