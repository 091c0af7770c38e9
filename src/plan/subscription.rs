//! Between the core's values and the plan's JSON, in both directions.

use crate::catalog;
use crate::model::{Address, Binding, Format, Live, SubscriptionId, Topic};
use crate::state::Entry;
use crate::wire::plan::{Action, Change, Subscription};

/// What a shop has now, as it stands in the plan.
pub(super) fn live(entry: &Entry<Live>) -> Subscription {
    let Live { id, created_at, updated_at, api_version, visibility: _, app: _ } = &entry.meta;
    Subscription {
        id: Some(id.as_str().to_owned()),
        created_at: Some(created_at.clone()),
        updated_at: Some(updated_at.clone()),
        api_version: api_version.clone(),
        ..wanted(&entry.binding)
    }
}

/// What a shop will have, as it stands in the plan.
pub(super) fn wanted(binding: &Binding) -> Subscription {
    let Binding { topic: _, address, format, filter, include_fields, metafield_namespaces, name, metafields } = binding;
    Subscription {
        id: None,
        address: address.as_str().to_owned(),
        format: format.as_str().to_owned(),
        include_fields: include_fields.clone(),
        metafield_namespaces: metafield_namespaces.clone(),
        filter: filter.clone(),
        name: name.clone(),
        metafields: metafields.clone(),
        created_at: None,
        updated_at: None,
        api_version: None,
    }
}

/// A change read from a plan, as values of the core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedChange {
    /// What is done.
    pub action: Action,
    /// As it is when its turn comes; with its id.
    pub before: Option<(SubscriptionId, Binding)>,
    /// As it will be.
    pub after: Option<Binding>,
}

/// Reads a change. `None` if its parts do not fit its action; such a plan was not written by this tool.
pub fn parse_change(change: &Change) -> Option<ParsedChange> {
    let topic = topic(&change.topic);
    let before = match &change.before {
        Some(sub) => Some((SubscriptionId::new(sub.id.as_deref()?), binding(&topic, sub)?)),
        None => None,
    };
    let after = match &change.after {
        Some(sub) => Some(binding(&topic, sub)?),
        None => None,
    };
    let fits = match change.action {
        Action::Create => before.is_none() && after.is_some(),
        Action::Update => before.is_some() && after.is_some(),
        Action::Delete => before.is_some() && after.is_none(),
    };
    fits.then_some(ParsedChange { action: change.action, before, after })
}

/// The topic as the plan writes it. A slash form that the catalogue does not know stays one: REST wants it so.
fn topic(text: &str) -> Topic {
    let topic = Topic::from_slash(text);
    if catalog::lookup(&topic).is_some() { catalog::from_graphql(topic.graphql()) } else { topic }
}

fn binding(topic: &Topic, sub: &Subscription) -> Option<Binding> {
    Some(Binding {
        topic: topic.clone(),
        address: Address::new(&sub.address),
        format: Format::parse(&sub.format)?,
        filter: sub.filter.clone().filter(|f| !f.is_empty()),
        include_fields: sub.include_fields.clone(),
        metafield_namespaces: sub.metafield_namespaces.clone(),
        name: sub.name.clone(),
        metafields: sub.metafields.clone(),
    })
}
