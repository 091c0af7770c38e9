//! Converts the data of a GraphQL response to the model. Pure.
//!
//! A part that cannot be parsed fails the whole response, so that no subscription is silently omitted.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::envelope::Data;
use super::error::{AdminError, AdminErrorKind};
use crate::catalog;
use crate::http::Redactor;
use crate::json::Object;
use crate::model::{
    Address, AppCategory, AppIdentity, Binding, Format, Live, Scope, ScopeSet, SubscriptionId, Visibility,
};
use crate::state::Entry;
use crate::words;

/// A page of subscriptions.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    nodes: Vec<Object<Node>>,
    page_info: Object<PageInfo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    id: String,
    topic: String,
    uri: String,
    format: String,
    filter: Option<String>,
    include_fields: Vec<String>,
    metafield_namespaces: Vec<String>,
    metafields: Vec<Object<Metafield>>,
    name: Option<String>,
    created_at: String,
    updated_at: String,
    api_version: Option<Object<Version>>,
}

#[derive(Deserialize)]
struct Metafield {
    namespace: String,
    key: String,
}

#[derive(Deserialize)]
struct Version {
    handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Installation {
    app: Option<Object<App>>,
    access_scopes: Vec<Object<Version>>,
}

#[derive(Deserialize)]
struct App {
    id: String,
    title: Option<String>,
    #[serde(rename = "publicCategory")]
    category: Option<String>,
}

/// The scopes of a token and the app that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Granted {
    /// The granted scopes.
    pub scopes: ScopeSet,
    /// The app; unknown over REST.
    pub app: AppIdentity,
}

/// The subscriptions of a page, and the cursor of the next page if there is one.
pub(super) struct Page {
    pub(super) entries: Vec<Entry<Live>>,
    pub(super) next: Option<String>,
}

/// Parses and removes `webhookSubscriptions` from `data`.
pub(super) fn page(data: &mut Data, redactor: &Redactor) -> Result<Page, AdminError> {
    let Object(connection): Object<Connection> = part(data, "webhookSubscriptions", redactor)?;
    let entries = connection.nodes.into_iter().map(|Object(node)| entry(node, redactor)).collect::<Result<_, _>>()?;
    let next = match connection.page_info.0 {
        PageInfo { has_next_page: false, .. } => None,
        PageInfo { end_cursor: Some(cursor), .. } => Some(cursor),
        PageInfo { .. } => {
            return Err(unexpected("there are more subscriptions, but their cursor is missing", redactor));
        }
    };
    Ok(Page { entries, next })
}

/// Parses and removes the granted scopes and the app from `data`. An unknown app only omits findings and comparisons of
/// namespaces, so the shop is read without it.
pub(super) fn installation(data: &mut Data, redactor: &Redactor) -> Result<Granted, AdminError> {
    let Object(Installation { app, access_scopes }) = part(data, "currentAppInstallation", redactor)?;
    let scopes = access_scopes.iter().map(|Object(scope)| Scope::observed(&redactor.clean(&scope.handle))).collect();
    let app = app.map_or_else(AppIdentity::default, |Object(App { id, title, category })| AppIdentity {
        number: id.strip_prefix("gid://shopify/App/").and_then(|number| number.parse().ok()),
        title: title.map(|title| redactor.clean(&title)),
        category: category.as_deref().and_then(AppCategory::parse),
    });
    Ok(Granted { scopes, app })
}

/// Returns the subscription in the answer to a mutation.
pub(super) fn subscription(value: Value, redactor: &Redactor) -> Result<Entry<Live>, AdminError> {
    let Object(node) = take(value, "webhookSubscription", redactor)?;
    entry(node, redactor)
}

fn part<T: DeserializeOwned>(data: &mut Data, key: &str, redactor: &Redactor) -> Result<T, AdminError> {
    let raw = data.remove(key).ok_or_else(|| unexpected(&format!("`{key}` is missing"), redactor))?;
    serde_json::from_str(raw.get()).map_err(unfit(key, redactor))
}

fn take<T: DeserializeOwned>(value: Value, key: &str, redactor: &Redactor) -> Result<T, AdminError> {
    serde_json::from_value(value).map_err(unfit(key, redactor))
}

/// Returns the error of a part with an unexpected shape. The parser's position counts from the start of the part, so it
/// is omitted.
pub(super) fn unfit<'a>(key: &'a str, redactor: &'a Redactor) -> impl Fn(serde_json::Error) -> AdminError + 'a {
    move |error| unexpected(&format!("{key}: {}", words::of_data(&error.to_string())), redactor)
}

fn entry(node: Node, redactor: &Redactor) -> Result<Entry<Live>, AdminError> {
    // Every field is named, so that each requested field is used.
    let Node {
        id,
        topic,
        uri,
        format,
        filter,
        include_fields,
        metafield_namespaces,
        metafields,
        name,
        created_at,
        updated_at,
        api_version,
    } = node;
    let id =
        SubscriptionId::parse(&id).ok_or_else(|| unexpected(&format!("{id:?} is not a subscription id"), redactor))?;
    let format =
        Format::parse(&format).ok_or_else(|| unexpected(&format!("unknown format {format} of {id}"), redactor))?;
    let binding = Binding {
        topic: catalog::from_graphql(&topic),
        address: Address::new(&uri),
        format,
        filter: filter.filter(|text| !text.is_empty()),
        include_fields,
        metafield_namespaces,
        name,
        metafields: Some(metafields.into_iter().map(|Object(m)| format!("{}.{}", m.namespace, m.key)).collect()),
    };
    let api_version = api_version.map(|Object(version)| version.handle);
    Ok(Entry {
        binding,
        meta: Live { id, created_at, updated_at, api_version, visibility: Visibility::Whole, app: None },
    })
}

/// Returns the error of a response with an unexpected shape.
pub(super) fn unexpected(what: &str, redactor: &Redactor) -> AdminError {
    let what = redactor.clean(what);
    let message = format!("unexpected response of the Admin API: {what}. A newer version of Hookwright may support it");
    AdminError::new(AdminErrorKind::UnexpectedAnswer, message).with_status(200)
}
