//! Converts REST's objects, refusals and `Link` headers to the model. Pure.
//!
//! A part that cannot be parsed fails the whole response, so that no subscription is silently omitted.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::admin::answer::UserError;
use crate::admin::classify::is_uninstalled;
use crate::admin::decode::{unexpected, unfit};
use crate::admin::error::AdminError;
use crate::catalog;
use crate::http::{Redactor, Response, upstream_text, words};
use crate::json::Object;
use crate::model::{Address, Binding, Format, Live, Scope, ScopeSet, SubscriptionId, Topic, Visibility};
use crate::state::Entry;

/// A subscription in REST. Other fields (`private_metafield_namespaces`) are ignored.
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
    /// Only documented as empty, so its elements are used only if they have the shape of GraphQL's.
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

/// Returns the subscriptions of a page.
pub(super) fn webhooks(body: Map<String, Value>, redactor: &Redactor) -> Result<Vec<Entry<Live>>, AdminError> {
    let webhooks: Vec<Object<Webhook>> = part(body, "webhooks", redactor)?;
    webhooks.into_iter().map(|Object(webhook)| entry(webhook, redactor)).collect()
}

/// Returns the subscription in the answer to a mutation.
pub(super) fn webhook(body: Map<String, Value>, redactor: &Redactor) -> Result<Entry<Live>, AdminError> {
    let Object(webhook) = part(body, "webhook", redactor)?;
    entry(webhook, redactor)
}

/// Returns the granted scopes.
pub(super) fn scopes(body: Map<String, Value>, redactor: &Redactor) -> Result<ScopeSet, AdminError> {
    let granted: Vec<Object<Granted>> = part(body, "access_scopes", redactor)?;
    Ok(granted.iter().map(|Object(scope)| Scope::observed(&redactor.clean(&scope.handle))).collect())
}

fn part<T: DeserializeOwned>(mut body: Map<String, Value>, key: &str, redactor: &Redactor) -> Result<T, AdminError> {
    let value = body.remove(key).ok_or_else(|| unexpected(&format!("`{key}` is missing"), redactor))?;
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
        .ok_or_else(|| unexpected(&format!("{id} is not a subscription id"), redactor))?;
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

/// Converts a time to UTC. REST returns times in the shop's zone, GraphQL in UTC, and ages are compared as texts.
fn in_utc(text: String) -> String {
    text.parse::<Timestamp>().map_or(text, |time| time.to_string())
}

/// Returns the cursor of the next page, if the `Link` header has one: `<https://…?page_info=…>; rel="next"`.
pub(super) fn next_page(header: &str) -> Option<String> {
    // A URL contains no `<`; the text before the first one is the end of the previous link.
    header.split('<').skip(1).find_map(|link| {
        let (url, parameters) = link.split_once('>')?;
        let is_next = parameters.split([';', ',']).any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            let relations = value.trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel") && relations.split(' ').any(|r| r.eq_ignore_ascii_case("next"))
        });
        let query = url.split_once('?').filter(|_| is_next)?.1;
        let query = query.split('#').next().unwrap_or_default();
        let cursor = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "page_info")?.1;
        Some(cursor.into_owned()).filter(|cursor| !cursor.is_empty())
    })
}

/// Returns the refusals of a mutation; `None` if the response is not a refusal. `names_one`: the request is about one
/// existing subscription.
///
/// REST returns attribute -> messages where GraphQL returns sentences. They are converted to sentences, so that one
/// table of texts covers both.
pub(super) fn refusal(answer: &Response, names_one: bool, redactor: &Redactor) -> Option<Vec<UserError>> {
    // Shopify, or a proxy before it, refused the request. An uninstalled app is also reported with 400.
    if matches!(answer.status, 400 | 406 | 415) && !is_uninstalled(&answer.body) {
        let status = format!("status {}", answer.status);
        let said = Some(upstream_text(&answer.body)).filter(|said| !said.is_empty());
        let message = said.map_or_else(|| status.clone(), |said| format!("{said} ({status})"));
        return Some(vec![user_error(None, &message, redactor)]);
    }
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let says_so = body.get("errors").or_else(|| body.get("error")).filter(|errors| !words(errors).is_empty());
    match answer.status {
        404 if names_one && body.is_object() => Some(vec![UserError {
            field: vec!["id".to_owned()],
            message: "Webhook subscription does not exist".to_owned(),
        }]),
        422 => says_so.map(|errors| match errors {
            Value::Object(attributes) if !attributes.contains_key("message") => {
                attributes.iter().flat_map(|(attribute, said)| of_attribute(attribute, said, redactor)).collect()
            }
            Value::Array(list) => list.iter().map(|said| user_error(None, &words(said), redactor)).collect(),
            _ => vec![user_error(None, &upstream_text(&answer.body), redactor)],
        }),
        // About one topic only, not about the token or the shop (one report).
        403 if upstream_text(&answer.body).to_ascii_lowercase().contains("protected customer data") => {
            Some(vec![user_error(None, &upstream_text(&answer.body), redactor)])
        }
        _ => None,
    }
}

fn of_attribute(attribute: &str, said: &Value, redactor: &Redactor) -> Vec<UserError> {
    let messages = match said {
        Value::Array(list) => list.iter().map(words).collect(),
        said => vec![words(said)],
    };
    let whole = |message: String| user_error(Some(attribute), &sentence(attribute, &message), redactor);
    messages.into_iter().map(whole).collect()
}

/// Joins an attribute and a message: `address` and "for this topic has already been taken" become "Address for this
/// topic has already been taken". A message that starts with a capital letter is a sentence already.
fn sentence(attribute: &str, message: &str) -> String {
    if attribute == "base" || message.starts_with(char::is_uppercase) {
        return message.to_owned();
    }
    let mut letters = attribute.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let name: String = first.chain(letters).map(|c| if c == '_' { ' ' } else { c }).collect();
    format!("{name} {message}")
}

fn user_error(field: Option<&str>, message: &str, redactor: &Redactor) -> UserError {
    let field = field.map(|attribute| redactor.clean(attribute)).into_iter().collect();
    UserError { field, message: redactor.clean(message) }
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

    #[test]
    fn only_the_cursor_of_the_next_page_is_used() {
        for (header, cursor) in [
            ("<https://a.myshopify.com/x.json?limit=250&page_info=ab%2Bc>; rel=\"next\"", Some("ab+c")),
            ("<https://a/x?page_info=p>; rel=\"previous\", <https://evil/x?page_info=n>; rel=next", Some("n")),
            ("<https://a/x?page_info=a,b;c>; title=\"x\"; REL=\"last NEXT\"", Some("a,b;c")),
            ("<https://a/x?page_info=p>; rel=\"previous\"", None),
            ("<https://a/x?page_info=>; rel=\"next\"", None),
            ("<https://a/x>; rel=\"next\"", None),
            ("<https://a/x?page_info=p", None),
            ("", None),
        ] {
            assert_eq!(next_page(header).as_deref(), cursor, "{header}");
        }
    }
}
