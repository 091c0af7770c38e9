//! Executes a GraphQL document on one shop of the fake: any selection, aliases, variables, fragments.
//!
//! Unlike the sandbox, it does not validate; an unknown field is null. Each document is parsed once.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use apollo_compiler::ast::{self, Definition, Document, Field, Selection};
use serde_json::{Map, Value, json};

use crate::world;

/// A live subscription; the keys are the names of fields in the API.
pub struct Subscription {
    id: usize,
    fields: Map<String, Value>,
}

/// A shop.
pub struct Shop {
    subscriptions: Vec<Subscription>,
    next: usize,
}

impl Shop {
    pub fn seeded(live: world::Live, n: usize, bindings: usize) -> Self {
        let subscription = |seed: world::Seed| {
            let include: &[&str] = if seed.trimmed { &["id"] } else { &[] };
            let input = json!({ "uri": world::ADDRESS, "format": "JSON", "includeFields": include });
            let fields = fields_of(input, &world::graphql_topic(seed.topic));
            Subscription { id: world::id(n, seed.topic), fields }
        };
        let subscriptions = world::seeds(live, n, bindings).into_iter().map(subscription).collect();
        Self { subscriptions, next: world::id(n, 50) }
    }

    pub fn len(&self) -> usize {
        self.subscriptions.len()
    }
}

fn fields_of(input: Value, topic: &str) -> Map<String, Value> {
    let Value::Object(mut fields) = input else { return Map::new() };
    if let Some(uri) = fields.remove("callbackUrl") {
        fields.insert("uri".to_owned(), uri);
    }
    fields.entry("format").or_insert("JSON".into());
    fields.insert("topic".to_owned(), topic.into());
    fields
}

/// Parsed documents by their text.
#[derive(Default)]
pub struct Documents(HashMap<String, Arc<Document>>);

impl Documents {
    pub fn parsed(&mut self, text: &str) -> Arc<Document> {
        if let Some(document) = self.0.get(text) {
            return Arc::clone(document);
        }
        let document = Arc::new(Document::parse(text, "document.graphql").expect("a GraphQL document"));
        self.0.insert(text.to_owned(), Arc::clone(&document));
        document
    }
}

/// The execution of a document.
pub struct Execution<'a> {
    pub document: &'a Document,
    pub variables: &'a Map<String, Value>,
}

impl<'a> Execution<'a> {
    /// Returns the body of the response.
    pub fn run(&self, shop: &mut Shop) -> String {
        let mut out = String::with_capacity(4096);
        out.push_str("{\"data\":");
        let operation = self.document.definitions.iter().find_map(|definition| match definition {
            Definition::OperationDefinition(operation) => Some(operation),
            _ => None,
        });
        let selections = operation.map_or(&[][..], |operation| &operation.selection_set);
        self.object(&mut out, selections, "", &mut |out, field| self.root(out, field, shop));
        out.push_str(
            ",\"extensions\":{\"cost\":{\"requestedQueryCost\":10,\"actualQueryCost\":10,\"throttleStatus\":\
             {\"maximumAvailable\":2000.0,\"currentlyAvailable\":1990,\"restoreRate\":100.0}}}}",
        );
        out
    }

    fn root(&self, out: &mut String, field: &'a Field, shop: &mut Shop) {
        let set = &field.selection_set;
        match field.name.as_str() {
            "webhookSubscriptions" => self.object(out, set, "", &mut |out, field| self.connection(out, field, shop)),
            "currentAppInstallation" => {
                let scopes = world::SCOPES.map(|handle| json!({ "handle": handle }));
                let _ = write!(out, "{}", json!({ "accessScopes": scopes }));
            }
            "webhookSubscriptionCreate" => {
                let topic = self.argument(field, "topic");
                let topic = topic.as_str().unwrap_or_default();
                let fields = fields_of(self.argument(field, "webhookSubscription"), topic);
                shop.subscriptions.push(Subscription { id: shop.next, fields });
                shop.next += 1;
                self.payload(out, set, shop.subscriptions.last());
            }
            "webhookSubscriptionUpdate" => {
                let id = self.id(field);
                let input = self.argument(field, "webhookSubscription");
                let found = shop.subscriptions.iter_mut().find(|s| s.id == id);
                if let Some(subscription) = found {
                    let topic = subscription.fields["topic"].as_str().unwrap_or_default().to_owned();
                    subscription.fields.extend(fields_of(input, &topic));
                    self.payload(out, set, Some(subscription));
                } else {
                    self.payload(out, set, None);
                }
            }
            "webhookSubscriptionDelete" => {
                let (id, before) = (self.id(field), shop.len());
                shop.subscriptions.retain(|s| s.id != id);
                let gone = shop.len() < before;
                self.object(out, set, "", &mut |out, field| match field.name.as_str() {
                    "deletedWebhookSubscriptionId" if gone => gid(out, id),
                    "userErrors" => user_errors(out, gone),
                    _ => out.push_str("null"),
                });
            }
            _ => out.push_str("null"),
        }
    }

    fn connection(&self, out: &mut String, field: &'a Field, shop: &Shop) {
        let set = &field.selection_set;
        match field.name.as_str() {
            "nodes" => list(out, &shop.subscriptions, |out, s| self.subscription(out, set, s)),
            "edges" => list(out, &shop.subscriptions, |out, s| {
                self.object(out, set, "", &mut |out, field| self.subscription(out, &field.selection_set, s));
            }),
            _ => out.push_str("{\"hasNextPage\":false,\"endCursor\":null}"),
        }
    }

    /// Returns the payload of a create or an update.
    fn payload(&self, out: &mut String, set: &'a [Selection], subscription: Option<&Subscription>) {
        self.object(out, set, "", &mut |out, field| match (field.name.as_str(), subscription) {
            ("webhookSubscription", Some(subscription)) => self.subscription(out, &field.selection_set, subscription),
            ("userErrors", _) => user_errors(out, subscription.is_some()),
            _ => out.push_str("null"),
        });
    }

    fn subscription(&self, out: &mut String, set: &'a [Selection], subscription: &Subscription) {
        self.object(out, set, "", &mut |out, field| match field.name.as_str() {
            "id" => gid(out, subscription.id),
            "createdAt" | "updatedAt" => out.push_str("\"2026-11-01T08:00:00Z\""),
            "apiVersion" => out.push_str("{\"handle\":\"2026-10\"}"),
            "endpoint" => {
                let uri = &subscription.fields["uri"];
                self.object(out, &field.selection_set, "WebhookHttpEndpoint", &mut |out, field| match field
                    .name
                    .as_str()
                {
                    "__typename" => out.push_str("\"WebhookHttpEndpoint\""),
                    _ => write_json(out, uri),
                });
            }
            name => match subscription.fields.get(name) {
                Some(value) => write_json(out, value),
                None if matches!(name, "filter" | "name") => out.push_str("null"),
                None => out.push_str("[]"),
            },
        });
    }

    /// Writes the selected fields of an object. Inline fragments of other types are ignored.
    fn object(
        &self,
        out: &mut String,
        set: &'a [Selection],
        type_name: &str,
        value: &mut dyn FnMut(&mut String, &'a Field),
    ) {
        out.push('{');
        self.members(out, set, type_name, value);
        out.push('}');
    }

    fn members(
        &self,
        out: &mut String,
        set: &'a [Selection],
        type_name: &str,
        value: &mut dyn FnMut(&mut String, &'a Field),
    ) {
        for selection in set {
            match selection {
                Selection::Field(field) => {
                    if !out.ends_with('{') {
                        out.push(',');
                    }
                    let key = field.alias.as_ref().unwrap_or(&field.name);
                    let _ = write!(out, "\"{key}\":");
                    value(out, field);
                }
                Selection::InlineFragment(inline) => {
                    if inline.type_condition.as_ref().is_none_or(|on| on.as_str() == type_name) {
                        self.members(out, &inline.selection_set, type_name, value);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let named = self.document.definitions.iter().find_map(|definition| match definition {
                        Definition::FragmentDefinition(fragment) if fragment.name == spread.fragment_name => {
                            Some(fragment)
                        }
                        _ => None,
                    });
                    self.members(out, named.map_or(&[][..], |fragment| &fragment.selection_set), type_name, value);
                }
            }
        }
    }

    fn id(&self, field: &Field) -> usize {
        let id = self.argument(field, "id");
        id.as_str().and_then(|gid| gid.rsplit('/').next()?.parse().ok()).unwrap_or_default()
    }

    fn argument(&self, field: &Field, name: &str) -> Value {
        let argument = field.arguments.iter().find(|argument| argument.name == name);
        argument.map_or(Value::Null, |argument| self.value(&argument.value))
    }

    fn value(&self, value: &ast::Value) -> Value {
        match value {
            ast::Value::Variable(name) => self.variables.get(name.as_str()).cloned().unwrap_or_default(),
            ast::Value::String(text) => text.as_str().into(),
            ast::Value::Enum(name) => name.as_str().into(),
            ast::Value::Boolean(flag) => (*flag).into(),
            ast::Value::List(list) => list.iter().map(|value| self.value(value)).collect(),
            ast::Value::Object(members) => {
                members.iter().map(|(name, value)| (name.to_string(), self.value(value))).collect()
            }
            ast::Value::Null | ast::Value::Int(_) | ast::Value::Float(_) => Value::Null, // no argument here is a number
        }
    }
}

fn list<T>(out: &mut String, items: &[T], mut write: impl FnMut(&mut String, &T)) {
    out.push('[');
    for item in items {
        if !out.ends_with('[') {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

fn write_json(out: &mut String, value: &Value) {
    match value {
        // No value of the fleet needs escaping, and most values are strings.
        Value::String(text) if !text.contains(['"', '\\']) && text.is_ascii() => {
            let _ = write!(out, "\"{text}\"");
        }
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

fn gid(out: &mut String, id: usize) {
    let _ = write!(out, "\"gid://shopify/WebhookSubscription/{id}\"");
}

fn user_errors(out: &mut String, fine: bool) {
    let missing = "[{\"field\":[\"id\"],\"message\":\"Webhook subscription does not exist\"}]";
    out.push_str(if fine { "[]" } else { missing });
}
