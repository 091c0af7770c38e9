//! From the data of a GraphQL answer to the model. Pure.
//!
//! A part that cannot be read fails the whole answer, so a shop is never read as emptier than it is.

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

/// The subscriptions of a page and where the next one begins, if there is one.
pub(super) struct Page {
    pub(super) entries: Vec<Entry<Live>>,
    pub(super) next: Option<String>,
}

/// Takes `webhookSubscriptions` out of `data`.
pub(super) fn page(data: &mut Data, redactor: &Redactor) -> Result<Page, AdminError> {
    let Object(connection): Object<Connection> = part(data, "webhookSubscriptions", redactor)?;
    let entries = connection.nodes.into_iter().map(|Object(node)| entry(node, redactor)).collect::<Result<_, _>>()?;
    let next = match connection.page_info.0 {
        PageInfo { has_next_page: false, .. } => None,
        PageInfo { end_cursor: Some(cursor), .. } => Some(cursor),
        PageInfo { .. } => {
            return Err(unexpected("it says that there are more subscriptions, but not where", redactor));
        }
    };
    Ok(Page { entries, next })
}

/// Takes the granted scopes and the app out of `data`. An unknown app only omits findings and
/// comparisons of namespaces, so the shop is read without it.
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
    let raw = data.remove(key).ok_or_else(|| unexpected(&format!("it lacks {key}"), redactor))?;
    serde_json::from_str(raw.get()).map_err(unfit(key, redactor))
}

fn take<T: DeserializeOwned>(value: Value, key: &str, redactor: &Redactor) -> Result<T, AdminError> {
    serde_json::from_value(value).map_err(unfit(key, redactor))
}

/// Makes the error of a part of an answer that has another shape. The parser's position counts from the start of the part,
/// so it is left out.
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
    let id = SubscriptionId::parse(&id)
        .ok_or_else(|| unexpected(&format!("{id:?} is no id of a subscription"), redactor))?;
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

/// Makes the error of an answer of another shape than requested.
pub(super) fn unexpected(what: &str, redactor: &Redactor) -> AdminError {
    let what = redactor.clean(what);
    let message = format!("the answer is not what the Admin API answers: {what}. A newer hookwright may understand it");
    AdminError::new(AdminErrorKind::UnexpectedAnswer, message).with_status(200)
}
