//! The GraphQL objects of a response, from which the engine picks the selected fields.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use serde_json::{Value, json};

use crate::model::ShopDomain;

use super::graphql_errors::DENIED;
use super::oauth::App;
use super::page::Page;
use super::rules::{self, Violation};
use super::store::{FIRST_APP, PAYLOAD_VERSION, StoredShop};
use super::subscription::{Metafield, Subscription};
use super::version;

/// A GraphQL object with all its fields. The engine picks the selected ones.
pub(super) struct Object {
    ty: &'static str,
    fields: Vec<(&'static str, Node)>,
}

/// The value of a field.
pub(super) enum Node {
    Leaf(Value),
    Object(Object),
    List(Vec<Node>),
    /// A field, by name, to which access is denied.
    Denied(&'static str),
}

impl Object {
    fn new(ty: &'static str, fields: Vec<(&'static str, Node)>) -> Self {
        Self { ty, fields }
    }
}

impl Node {
    fn resolved(&self) -> ResolvedValue<'_> {
        match self {
            Self::Leaf(value) => ResolvedValue::leaf(value.clone()),
            Self::Object(object) => ResolvedValue::object(Ref(object)),
            Self::List(items) => ResolvedValue::list(items.iter().map(Self::resolved)),
            Self::Denied(_) => ResolvedValue::null(),
        }
    }

    /// For root fields, whose values have no other owner.
    pub(super) fn into_resolved<'a>(self) -> ResolvedValue<'a> {
        match self {
            Self::Leaf(value) => ResolvedValue::leaf(value),
            Self::Object(object) => ResolvedValue::object(object),
            Self::List(items) => ResolvedValue::list(items.into_iter().map(Self::into_resolved)),
            Self::Denied(_) => ResolvedValue::null(),
        }
    }
}

struct Ref<'a>(&'a Object);

impl ObjectValue for Ref<'_> {
    fn type_name(&self) -> &str {
        self.0.ty
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        self.0.resolve_field(info)
    }
}

impl ObjectValue for Object {
    fn type_name(&self) -> &str {
        self.ty
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let field = self.fields.iter().find(|(name, _)| *name == info.field_name());
        match field {
            Some((_, Node::Denied(name))) => Err(FieldError { message: format!("{DENIED} for {name} field.") }),
            Some((_, node)) => Ok(node.resolved()),
            None => Err(self.unknown_field_error(info)),
        }
    }
}

fn leaf(value: impl Into<Value>) -> Node {
    Node::Leaf(value.into())
}

fn leaf_or_null(value: Option<&str>) -> Node {
    Node::Leaf(value.into())
}

/// `gid://shopify/WebhookSubscription/<id>`
pub(super) fn gid(id: u64) -> String {
    format!("gid://shopify/WebhookSubscription/{id}")
}

/// The number of a subscription's global id.
pub(super) fn number(gid: &str) -> Option<u64> {
    gid.strip_prefix("gid://shopify/WebhookSubscription/")?.parse().ok()
}

pub(super) fn subscription(s: &Subscription) -> Node {
    let fields = vec![
        ("apiVersion", api_version(&s.api_version)),
        // Shopify's value of the deprecated field for a cloud address (recorded).
        ("callbackUrl", leaf(if rules::is_cloud(&s.uri) { "https://eventbridge.arn" } else { &s.uri })),
        ("createdAt", leaf(s.created_at.as_str())),
        ("endpoint", endpoint(&s.uri)),
        ("filter", leaf_or_null(s.filter.as_deref())),
        ("format", leaf(s.format.as_str().to_uppercase())),
        ("id", leaf(gid(s.id))),
        ("includeFields", leaf(json!(s.include_fields))),
        ("legacyResourceId", leaf(s.id.to_string())),
        ("metafieldNamespaces", leaf(json!(s.metafield_namespaces))),
        ("metafields", Node::List(s.metafields.iter().map(metafield).collect())),
        ("name", leaf_or_null(s.name.as_deref())),
        ("topic", leaf(s.topic.as_str())),
        ("updatedAt", leaf(s.updated_at.as_str())),
        ("uri", leaf(s.uri.as_str())),
    ];
    let fields = fields.into_iter().map(|(name, node)| (name, lists_of_leaves(node))).collect();
    Node::Object(Object::new("WebhookSubscription", fields))
}

/// The engine requires a list as a list of nodes.
fn lists_of_leaves(node: Node) -> Node {
    match node {
        Node::Leaf(Value::Array(items)) => Node::List(items.into_iter().map(Node::Leaf).collect()),
        other => other,
    }
}

fn metafield(m: &Metafield) -> Node {
    let fields = vec![("key", leaf(m.key.as_str())), ("namespace", leaf(m.namespace.as_str()))];
    Node::Object(Object::new("WebhookSubscriptionMetafieldIdentifier", fields))
}

fn endpoint(uri: &str) -> Node {
    let object = if uri.starts_with("arn:") {
        Object::new("WebhookEventBridgeEndpoint", vec![("arn", leaf(uri))])
    } else if let Some((project, topic)) = uri.strip_prefix("pubsub://").and_then(|rest| rest.split_once(':')) {
        let fields = vec![("pubSubProject", leaf(project)), ("pubSubTopic", leaf(topic))];
        Object::new("WebhookPubSubEndpoint", fields)
    } else {
        Object::new("WebhookHttpEndpoint", vec![("callbackUrl", leaf(uri))])
    };
    Node::Object(object)
}

fn api_version(handle: &str) -> Node {
    let (_, display, supported) =
        version::PUBLIC.into_iter().find(|(h, ..)| *h == handle).unwrap_or((handle, handle, false));
    let fields = vec![("displayName", leaf(display)), ("handle", leaf(handle)), ("supported", leaf(supported))];
    Node::Object(Object::new("ApiVersion", fields))
}

pub(super) fn public_api_versions() -> Node {
    Node::List(version::PUBLIC.into_iter().map(|(handle, ..)| api_version(handle)).collect())
}

pub(super) fn connection(page: &Page<'_>) -> Node {
    let edge = |s: &&Subscription| {
        let fields = vec![("cursor", leaf(page.cursor(s))), ("node", subscription(s))];
        Node::Object(Object::new("WebhookSubscriptionEdge", fields))
    };
    let cursor = |s: Option<&&Subscription>| leaf_or_null(s.map(|s| page.cursor(s)).as_deref());
    let info = vec![
        ("endCursor", cursor(page.items.last())),
        ("hasNextPage", leaf(page.has_next)),
        ("hasPreviousPage", leaf(page.has_previous)),
        ("startCursor", cursor(page.items.first())),
    ];
    let fields = vec![
        ("edges", Node::List(page.items.iter().map(edge).collect())),
        ("nodes", Node::List(page.items.iter().map(|s| subscription(s)).collect())),
        ("pageInfo", Node::Object(Object::new("PageInfo", info))),
    ];
    Node::Object(Object::new("WebhookSubscriptionConnection", fields))
}

pub(super) fn count(found: usize, limit: Option<usize>) -> Node {
    let bounded = limit.map_or(found, |limit| found.min(limit));
    let precision = if bounded < found { "AT_LEAST" } else { "EXACT" };
    Node::Object(Object::new("Count", vec![("count", leaf(bounded)), ("precision", leaf(precision))]))
}

pub(super) fn shop(domain: &ShopDomain, shop: &StoredShop) -> Node {
    let fields = vec![
        ("id", leaf(format!("gid://shopify/Shop/{}", shop.number))),
        ("myshopifyDomain", leaf(domain.as_str())),
        ("name", leaf(domain.handle())),
    ];
    Node::Object(Object::new("Shop", fields))
}

pub(super) fn installation(shop: &StoredShop, app: &App) -> Node {
    let scopes = || {
        let scope = |handle: String| {
            let description = leaf(handle.replace('_', " "));
            Node::Object(Object::new("AccessScope", vec![("description", description), ("handle", leaf(handle))]))
        };
        Node::List(shop.scope_handles().into_iter().map(scope).collect())
    };
    // The seed describes one app. Another number means another app.
    let number = shop.api_client_id;
    let title = if number == FIRST_APP { app.name.clone() } else { format!("{} {number}", app.name) };
    let app = vec![
        ("apiKey", leaf(format!("sandbox-{number}"))),
        ("handle", leaf("sandbox")),
        ("id", leaf(format!("gid://shopify/App/{number}"))),
        ("requestedAccessScopes", scopes()),
        ("publicCategory", shop.category(app).graphql().map_or(Node::Denied("publicCategory"), leaf)),
        ("title", leaf(title)),
        ("webhookApiVersion", leaf(PAYLOAD_VERSION)),
    ];
    let fields = vec![
        ("accessScopes", scopes()),
        ("app", Node::Object(Object::new("App", app))),
        ("id", leaf(format!("gid://shopify/AppInstallation/{}", shop.number))),
    ];
    Node::Object(Object::new("AppInstallation", fields))
}

/// The payload of a mutation: the result under `key`, or the user errors.
pub(super) fn payload(ty: &'static str, key: &'static str, result: Result<Node, Vec<Violation>>) -> Node {
    let (node, violations) = match result {
        Ok(node) => (node, Vec::new()),
        Err(violations) => (Node::Leaf(Value::Null), violations),
    };
    let error = |violation: &Violation| {
        let field = Node::List(violation.field().iter().map(|part| leaf(*part)).collect());
        Node::Object(Object::new("UserError", vec![("field", field), ("message", leaf(violation.full()))]))
    };
    let errors = Node::List(violations.iter().map(error).collect());
    Node::Object(Object::new(ty, vec![(key, node), ("userErrors", errors)]))
}
