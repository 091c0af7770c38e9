//! One entry of a `shopify.app.toml`: a classic subscription, or an event subscription.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::{Address, AddressKind};

/// The place of an invalid entry, the problem and the remedy.
pub(super) type Misunderstood = (Range<usize>, &'static str, &'static str);

/// A string and its place.
type Text<'a> = (&'a str, Range<usize>);

const URI: &str = "write `uri = \"https://…\"`, or a path that starts with `/` and is relative to `application_url`";

/// One `[[webhooks.subscriptions]]`. Compliance topics have their own key; a binding cannot duplicate them.
pub(super) struct Subscription<'a> {
    pub(super) topics: Vec<Text<'a>>,
    pub(super) uri: Text<'a>,
    pub(super) filter: Option<&'a str>,
}

impl<'a> Subscription<'a> {
    /// Parses an entry. Returns `None` if it declares no topic that a binding could duplicate.
    pub(super) fn parse(entry: &'a Spanned<DeValue<'_>>) -> Result<Option<Self>, Misunderstood> {
        const SECTION: &str = "write `[[webhooks.subscriptions]]` with `topics` and `uri` below it";
        const TOPICS: &str = "write `topics = [\"orders/create\"]`";
        let Some(table) = entry.get_ref().as_table() else {
            return Err((entry.span(), "the entry is not a section", SECTION));
        };
        let Some(topics) = table.get("topics") else {
            let known = ["compliance_topics", "actions"].iter().any(|key| table.contains_key(*key));
            return if known { Ok(None) } else { Err((entry.span(), "the entry has no `topics`", TOPICS)) };
        };
        let topics = list(topics, "`topics` is not a list of strings", "the topic is not a string", TOPICS)?;
        let Some((_, first)) = topics.first() else { return Ok(None) };
        let filter =
            text(table, "filter", "`filter` is not a string", "write `filter = \"id:*\"`")?.map(|(text, _)| text);
        let uri = uri(table, first)?;
        Ok(Some(Self { topics, uri, filter: filter.filter(|filter| !filter.is_empty()) }))
    }
}

/// One `[[events.subscription]]`. Keys that Hookwright does not compare, such as `query` and `triggers`, are ignored.
pub(super) struct Event<'a> {
    pub(super) topic: Text<'a>,
    pub(super) actions: Vec<&'a str>,
    pub(super) handle: Option<&'a str>,
    pub(super) uri: Text<'a>,
}

impl<'a> Event<'a> {
    pub(super) fn parse(entry: &'a Spanned<DeValue<'_>>) -> Result<Self, Misunderstood> {
        const SECTION: &str = "write `[[events.subscription]]` with `topic`, `actions` and `uri` below it";
        const TOPIC: &str = "write `topic = \"Product\"`";
        const ACTIONS: &str = "write `actions = [\"update\"]`";
        let Some(table) = entry.get_ref().as_table() else {
            return Err((entry.span(), "the event is not a section", SECTION));
        };
        let topic = text(table, "topic", "`topic` is not a string", TOPIC)?;
        let topic = topic.ok_or((entry.span(), "the event has no `topic`", TOPIC))?;
        let uri = uri(table, &topic.1)?;
        let actions = match table.get("actions") {
            Some(actions) => {
                list(actions, "`actions` is not a list of strings", "the action is not a string", ACTIONS)?
            }
            None => Vec::new(),
        };
        let actions = actions.into_iter().map(|(action, _)| action).collect();
        // The handle is used in messages only.
        let handle = table.get("handle").and_then(|handle| handle.get_ref().as_str());
        Ok(Self { topic, actions, handle, uri })
    }
}

/// Returns the address of an entry. A missing address is reported at `first`.
fn uri<'a>(table: &'a DeTable<'_>, first: &Range<usize>) -> Result<Text<'a>, Misunderstood> {
    let (uri, span) =
        text(table, "uri", "`uri` is not a string", URI)?.ok_or((first.clone(), "the entry has no `uri`", URI))?;
    if !uri.starts_with('/') && Address::new(uri).kind() == AddressKind::Other {
        return Err((span, "`uri` is not `https://…`, `pubsub://…`, an ARN or a path that starts with `/`", URI));
    }
    Ok((uri, span))
}

fn text<'a>(
    table: &'a DeTable<'_>,
    key: &str,
    not: &'static str,
    hint: &'static str,
) -> Result<Option<Text<'a>>, Misunderstood> {
    let Some(value) = table.get(key) else { return Ok(None) };
    let text = value.get_ref().as_str().ok_or((value.span(), not, hint))?;
    Ok(Some((text, value.span())))
}

fn list<'a>(
    value: &'a Spanned<DeValue<'_>>,
    not: &'static str,
    not_item: &'static str,
    hint: &'static str,
) -> Result<Vec<Text<'a>>, Misunderstood> {
    let list = value.get_ref().as_array().ok_or((value.span(), not, hint))?;
    let items = list.iter().map(|item| {
        let text = item.get_ref().as_str().ok_or((item.span(), not_item, hint));
        text.map(|text| (text, item.span()))
    });
    items.collect()
}
