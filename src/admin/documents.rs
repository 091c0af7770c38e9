//! The GraphQL documents: one for reading, one for further pages, and the mutations of a batch as aliases of one
//! document.
//!
//! Values are sent only as variables. A test validates every document against Shopify's schema.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::model::{Address, Format, SubscriptionId, Topic};

const SUBSCRIPTION: &str = include_str!("subscription.graphql");
const READ: &str = include_str!("read.graphql");
const ACCESS: &str = include_str!("access.graphql");
const APP: &str = include_str!("app.graphql");
const APP_ID: &str = include_str!("app_id.graphql");
const PAGE: &str = include_str!("page.graphql");
const CREATE: &str = include_str!("create.graphql");
const UPDATE: &str = include_str!("update.graphql");
const DELETE: &str = include_str!("delete.graphql");

/// A change of one subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// Creates a subscription.
    Create {
        /// The topic, which cannot be changed later.
        topic: Topic,
        /// All other fields.
        input: Input,
    },
    /// Updates a subscription in place.
    Update {
        /// The subscription.
        id: SubscriptionId,
        /// The new values of its fields.
        input: Input,
    },
    /// Deletes a subscription.
    Delete {
        /// The subscription.
        id: SubscriptionId,
    },
}

/// The fields of a subscription in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    /// The destination address.
    pub address: Address,
    /// The payload format.
    pub format: Format,
    /// Empty: no filter. An update sends the empty text, which clears the filter.
    pub filter: String,
    /// Dotted payload paths.
    pub include_fields: Vec<String>,
    /// Metafield namespaces.
    pub metafield_namespaces: Vec<String>,
    /// Not sent if `None`.
    pub name: Option<String>,
    /// As `namespace.key`; not sent if `None`.
    pub metafields: Option<Vec<String>>,
}

/// A document and its variables.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Document {
    pub(super) query: String,
    pub(super) variables: Map<String, Value>,
}

/// The fields of the app that a document selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AskOfApp {
    /// Its number, title and category.
    All,
    /// Its number. It is not documented whether every token may read the other fields.
    Number,
}

impl AskOfApp {
    fn fragment(self) -> &'static str {
        match self {
            Self::All => APP,
            Self::Number => APP_ID,
        }
    }
}

/// The fields that `AskOfApp::All` selects and `AskOfApp::Number` does not.
pub(super) const OF_APP: [&str; 2] = ["title", "publicCategory"];

/// Returns the document that reads the first page of subscriptions, the granted scopes and the app.
pub(super) fn read(app: AskOfApp) -> Document {
    Document { query: format!("{READ}{SUBSCRIPTION}{}", app.fragment()), variables: Map::new() }
}

/// Returns the document that reads the granted scopes and the app.
pub(super) fn access(app: AskOfApp) -> Document {
    Document { query: format!("{ACCESS}{}", app.fragment()), variables: Map::new() }
}

/// Returns the document that reads a further page.
pub(super) fn page(after: &str) -> Document {
    let variables = [("after".to_owned(), Value::from(after))].into_iter().collect();
    Document { query: format!("{PAGE}{SUBSCRIPTION}"), variables }
}

impl Mutation {
    fn template(&self) -> &'static str {
        match self {
            Self::Create { .. } => CREATE,
            Self::Update { .. } => UPDATE,
            Self::Delete { .. } => DELETE,
        }
    }

    /// Returns the alias of this mutation as number `n` of its batch.
    pub(super) fn alias(&self, n: usize) -> String {
        match self {
            Self::Create { .. } => format!("c{n}"),
            Self::Update { .. } => format!("u{n}"),
            Self::Delete { .. } => format!("d{n}"),
        }
    }

    fn variables(&self, n: usize) -> Vec<(String, Value)> {
        match self {
            Self::Create { topic, input } => {
                vec![(format!("t{n}"), topic.graphql().into()), (format!("i{n}"), input.to_json(false))]
            }
            Self::Update { id, input } => {
                vec![(format!("d{n}"), id.as_str().into()), (format!("i{n}"), input.to_json(true))]
            }
            Self::Delete { id } => vec![(format!("d{n}"), id.as_str().into())],
        }
    }
}

impl Input {
    /// Returns every managed field explicitly, because it is unknown how Shopify treats omitted fields in an update.
    /// Only a create omits an empty filter, because Shopify distinguishes "no filter" from "empty filter".
    fn to_json(&self, update: bool) -> Value {
        let mut input = json!({
            "uri": self.address.as_str(),
            "format": self.format.as_str().to_ascii_uppercase(),
            "includeFields": self.include_fields,
            "metafieldNamespaces": self.metafield_namespaces,
        });
        if update || !self.filter.is_empty() {
            input["filter"] = self.filter.as_str().into();
        }
        if let Some(name) = &self.name {
            input["name"] = name.as_str().into();
        }
        if let Some(metafields) = &self.metafields {
            input["metafields"] = metafields.iter().map(|text| identifier(text)).collect();
        }
        input
    }
}

/// Splits at the last dot: namespaces (`$app:a.b`) may contain dots, keys do not.
fn identifier(text: &str) -> Value {
    match text.rsplit_once('.') {
        Some((namespace, key)) => json!({ "namespace": namespace, "key": key }),
        None => json!({ "key": text }),
    }
}

/// Returns one document with the mutations of `batch` whose numbers are in `which`, each with its own alias and
/// variables.
pub(super) fn mutations(batch: &[Mutation], which: &[usize]) -> Document {
    let mut declared = Vec::new();
    let mut fields = String::new();
    let mut variables = Map::new();
    let mut reads_back = false;
    for (n, mutation) in which.iter().filter_map(|&n| Some((n, batch.get(n)?))) {
        let text = mutation.template().replace("__N", &n.to_string());
        // Each template is a complete mutation, so that editors and tests can parse it. Its parts are extracted here.
        let (head, body) = text.split_once('{').unwrap_or_default();
        declared.push(head.split_once('(').map_or("", |(_, list)| list).trim_end_matches([' ', ')']).to_owned());
        let _ = writeln!(fields, "{}", body.trim_end().trim_end_matches('}').trim_matches('\n'));
        variables.extend(mutation.variables(n));
        reads_back |= !matches!(mutation, Mutation::Delete { .. });
    }
    let fragment = if reads_back { SUBSCRIPTION } else { "" }; // an unused fragment is an error
    let query = format!("mutation HookwrightApply({}) {{\n{fields}}}\n{fragment}", declared.join(", "));
    Document { query, variables }
}

#[cfg(test)]
#[path = "documents_test.rs"]
mod tests;
