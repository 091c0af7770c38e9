//! From REST's objects to the model. Pure.
//!
//! A part that cannot be read fails the whole: a shop is never emptier than it is.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::admin::decode::{unexpected, unfit};
use crate::admin::error::AdminError;
use crate::admin::redact::Redactor;
use crate::catalog;
use crate::json::Object;
use crate::model::{Address, Binding, Format, Live, Scope, ScopeSet, SubscriptionId, Topic, Visibility};
use crate::state::Entry;

/// A subscription as REST shows it; what it may say besides is not read (`private_metafield_namespaces`).
#[derive(Deserialize)]
struct Webhook {
    id: u64,
    topic: String,
    address: String,
    format: String,
    #[serde(default)]
    fields: Option<Vec<String>>,
    #[serde(default)]
    metafield_namespaces: Option<Vec<String>>,
    /// Only ever seen empty (documented), so its elements are read if they are what GraphQL has.
    #[serde(default)]
    metafield_identifiers: Option<Value>,
    created_at: String,
    updated_at: String,
    #[serde(default)]
    api_version: Option<String>,
}

#[derive(Deserialize)]
struct Identifier {
    namespace: String,
    key: String,
}

#[derive(Deserialize)]
struct Granted {
    handle: String,
}

/// The subscriptions of a page.
pub(super) fn webhooks(body: Map<String, Value>, redactor: &Redactor) -> Result<Vec<Entry<Live>>, AdminError> {
    let webhooks: Vec<Object<Webhook>> = part(body, "webhooks", redactor)?;
    webhooks.into_iter().map(|Object(webhook)| entry(webhook, redactor)).collect()
}

/// The subscription that a mutation gives back.
pub(super) fn webhook(body: Map<String, Value>, redactor: &Redactor) -> Result<Entry<Live>, AdminError> {
    let Object(webhook) = part(body, "webhook", redactor)?;
    entry(webhook, redactor)
}

/// The granted scopes.
pub(super) fn scopes(body: Map<String, Value>, redactor: &Redactor) -> Result<ScopeSet, AdminError> {
    let granted: Vec<Object<Granted>> = part(body, "access_scopes", redactor)?;
    Ok(granted.iter().map(|Object(scope)| Scope::observed(&redactor.clean(&scope.handle))).collect())
}

fn part<T: DeserializeOwned>(mut body: Map<String, Value>, key: &str, redactor: &Redactor) -> Result<T, AdminError> {
    let value = body.remove(key).ok_or_else(|| unexpected(&format!("it lacks {key}"), redactor))?;
    serde_json::from_value(value).map_err(unfit(key, redactor))
}

fn entry(webhook: Webhook, redactor: &Redactor) -> Result<Entry<Live>, AdminError> {
    let Webhook {
        id,
        topic,
        address,
        format,
        fields,
        metafield_namespaces,
        metafield_identifiers,
        created_at,
        updated_at,
        api_version,
    } = webhook;
    let gid = SubscriptionId::parse(&format!("gid://shopify/WebhookSubscription/{id}"))
        .ok_or_else(|| unexpected(&format!("{id} is no id of a subscription"), redactor))?;
    let format = Format::parse(&format)
        .ok_or_else(|| unexpected(&format!("unknown format {format} of subscription {id}"), redactor))?;
    let binding = Binding {
        topic: catalog::from_graphql(Topic::from_slash(&topic).graphql()),
        address: Address::new(&address),
        format,
        filter: None,
        include_fields: fields.unwrap_or_default(),
        metafield_namespaces: metafield_namespaces.unwrap_or_default(),
        name: None,
        metafields: metafield_identifiers.and_then(identifiers),
    };
    let meta = Live {
        id: gid,
        created_at: in_utc(created_at),
        updated_at: in_utc(updated_at),
        api_version,
        visibility: Visibility::WithoutFilterAndName,
        app: None,
    };
    Ok(Entry { binding, meta })
}

fn identifiers(value: Value) -> Option<Vec<String>> {
    let list: Vec<Object<Identifier>> = serde_json::from_value(value).ok()?;
    Some(list.into_iter().map(|Object(m)| format!("{}.{}", m.namespace, m.key)).collect())
}

/// REST tells times in the shop's zone; ages are compared as texts, and GraphQL tells UTC.
fn in_utc(text: String) -> String {
    text.parse::<Timestamp>().map_or(text, |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_sample_is_read() {
        let sample = r#"{"webhook":{"id":8589935600,"address":"pubsub://projectName:topicName","topic":"customers/update",
            "created_at":"2026-01-09T17:45:49-05:00","updated_at":"2026-01-09T17:45:49-05:00","format":"json",
            "fields":[],"metafield_namespaces":[],"api_version":"unstable","private_metafield_namespaces":[],
            "metafield_identifiers":[]}}"#;
        let read = |text: &str| webhook(serde_json::from_str(text).expect("JSON"), &Redactor::default());
        let entry = read(sample).expect("webhook");
        assert_eq!(entry.meta.id.as_str(), "gid://shopify/WebhookSubscription/8589935600");
        assert_eq!(entry.meta.created_at, "2026-01-09T22:45:49Z");
        assert_eq!(entry.meta.api_version.as_deref(), Some("unstable"));
        assert_eq!((entry.binding.topic.as_str(), entry.binding.format), ("customers/update", Format::Json));
        assert_eq!((entry.binding.metafields, entry.meta.visibility), (Some(vec![]), Visibility::WithoutFilterAndName));

        let with = |identifiers: &str| read(&sample.replace("\"metafield_identifiers\":[]", identifiers));
        let metafields = |text: &str| with(text).expect("webhook").binding.metafields;
        let one = r#""metafield_identifiers":[{"namespace":"custom","key":"size"}]"#;
        assert_eq!(metafields(one), Some(vec!["custom.size".to_owned()]));
        assert_eq!(metafields(r#""metafield_identifiers":[7]"#), None, "unknown, not none");
        assert_eq!(metafields(r#""x":0"#), None, "unknown, not none");
        for broken in ["\"format\":\"json\"", "\"id\":8589935600,", "\"topic\":\"customers/update\","] {
            assert!(read(&sample.replace(broken, "\"x\":0,").replace(",,", ",")).is_err(), "{broken}");
        }
    }
}
