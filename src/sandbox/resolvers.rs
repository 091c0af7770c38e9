//! Resolvers of the root fields: they carry out queries and mutations on a shop.

use std::cell::RefCell;
use std::collections::HashMap;

use apollo_compiler::ast::Value as Literal;
use apollo_compiler::executable::Operation;
use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonMap;
use serde_json::Value;

use crate::model::{Format, ShopDomain};

use super::fault::{Commit, ExecutionFault};
use super::graphql_errors;
use super::oauth::App;
use super::objects::{self, Node};
use super::page::{self, ListQuery, PageShift};
use super::store::StoredShop;
use super::subscription::{Input, Metafield};

/// The root object of one execution: it carries out the root fields on a shop.
pub(super) struct Root<'a> {
    type_name: &'static str,
    app: &'a App,
    domain: &'a ShopDomain,
    shop: RefCell<&'a mut StoredShop>,
    /// RFC 3339.
    at: &'a str,
    variables: &'a JsonMap,
    /// Ids of the subscriptions that were created, changed or deleted.
    pub(super) touched: RefCell<Vec<u64>>,
    /// The number of elements that a connection returned, by response key.
    pub(super) found: RefCell<HashMap<String, usize>>,
    /// Whether the next root fields fail, in reverse order.
    failing: RefCell<Vec<bool>>,
    /// Whether a failing field is carried out.
    commits: bool,
    shift: Option<PageShift>,
}

impl<'a> Root<'a> {
    pub(super) fn new(
        operation: &Operation,
        variables: &'a JsonMap,
        (domain, app): (&'a ShopDomain, &'a App),
        shop: &'a mut StoredShop,
        at: &'a str,
    ) -> Self {
        Self {
            type_name: if operation.is_mutation() { "Mutation" } else { "QueryRoot" },
            app,
            domain,
            shop: RefCell::new(shop),
            at,
            variables,
            touched: RefCell::default(),
            found: RefCell::default(),
            failing: RefCell::default(),
            commits: false,
            shift: None,
        }
    }

    /// Lets `fault` affect the `count` root fields.
    pub(super) fn with_fault(self, fault: Option<&ExecutionFault>, count: usize) -> Self {
        let Some(fault) = fault else { return self };
        Self {
            failing: RefCell::new(fault.failing(count)),
            commits: matches!(fault, ExecutionFault::Internal { commit: Commit::After, .. }),
            shift: fault.shift(),
            ..self
        }
    }
}

impl ObjectValue for Root<'_> {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let fails = self.failing.borrow_mut().pop().unwrap_or_default();
        let failed = || Err(FieldError { message: graphql_errors::INTERNAL.into() });
        if fails && !self.commits {
            return failed();
        }
        let mut shop = self.shop.borrow_mut();
        let arguments = Arguments::of(info, self.variables);
        let node = match info.field_name() {
            "currentAppInstallation" => objects::installation(&shop, self.app),
            "publicApiVersions" => objects::public_api_versions(),
            "shop" => objects::shop(self.domain, &shop),
            "webhookSubscription" => {
                let id = arguments.id();
                id.and_then(|id| shop.subscriptions.get(&id)).map_or(Node::Leaf(Value::Null), objects::subscription)
            }
            "webhookSubscriptions" => {
                let query = ListQuery { shift: self.shift, ..arguments.list_query() };
                let page = page::page(&shop, &query).map_err(|message| FieldError { message })?;
                let key = info.field_selections()[0].response_key().to_string();
                self.found.borrow_mut().insert(key, page.items.len());
                objects::connection(&page)
            }
            "webhookSubscriptionsCount" => {
                let found = page::matching(&shop, &arguments.list_query()).len();
                objects::count(found, arguments.size("limit"))
            }
            "webhookSubscriptionCreate" => {
                let topic = arguments.text("topic").unwrap_or_default();
                let made = shop.create(&topic, arguments.input(), self.at).map(|id| {
                    self.touched.borrow_mut().push(id);
                    objects::subscription(&shop.subscriptions[&id])
                });
                objects::payload("WebhookSubscriptionCreatePayload", "webhookSubscription", made)
            }
            "webhookSubscriptionUpdate" => {
                let id = arguments.id().unwrap_or_default(); // no subscription has the id 0
                let changed = shop.update(id, arguments.input(), self.at).map(|()| {
                    self.touched.borrow_mut().push(id);
                    objects::subscription(&shop.subscriptions[&id])
                });
                objects::payload("WebhookSubscriptionUpdatePayload", "webhookSubscription", changed)
            }
            "webhookSubscriptionDelete" => {
                let id = arguments.id().unwrap_or_default();
                let gone = shop.delete(id).map(|()| {
                    self.touched.borrow_mut().push(id);
                    Node::Leaf(objects::gid(id).into())
                });
                objects::payload("WebhookSubscriptionDeletePayload", "deletedWebhookSubscriptionId", gone)
            }
            _ => return Err(self.unknown_field_error(info)),
        };
        if fails { failed() } else { Ok(node.into_resolved()) }
    }
}

/// The coerced arguments of a field.
struct Arguments(serde_json::Map<String, Value>);

impl Arguments {
    fn of(info: &ResolveInfo<'_>, variables: &JsonMap) -> Self {
        let mut values: serde_json::Map<String, Value> =
            serde_json::to_value(info.arguments()).ok().and_then(|v| v.as_object().cloned()).unwrap_or_default();
        // apollo-compiler 1.33 turns a key whose variable was not given into null. By the specification the key is
        // absent, which matters for a partial update.
        for argument in &info.field_selections()[0].arguments {
            let Literal::Object(written) = argument.value.as_ref() else { continue };
            let Some(Value::Object(object)) = values.get_mut(argument.name.as_str()) else { continue };
            for (key, value) in written {
                if value.as_variable().is_some_and(|name| !variables.contains_key(name.as_str())) {
                    object.remove(key.as_str());
                }
            }
        }
        Self(values)
    }

    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name)?.as_str().map(str::to_owned)
    }

    fn size(&self, name: &str) -> Option<usize> {
        self.0.get(name)?.as_u64().and_then(|n| usize::try_from(n).ok())
    }

    fn id(&self) -> Option<u64> {
        objects::number(self.0.get("id")?.as_str()?)
    }

    fn list_query(&self) -> ListQuery {
        let flag = |name: &str| self.0.get(name).and_then(Value::as_bool).unwrap_or_default();
        ListQuery {
            topics: self.0.get("topics").and_then(texts),
            uri: self.text("uri").or_else(|| self.text("callbackUrl")),
            format: self.text("format").as_deref().and_then(Format::parse),
            query: self.text("query"),
            by_id: self.text("sortKey").as_deref() == Some("ID"),
            reverse: flag("reverse"),
            first: self.size("first"),
            last: self.size("last"),
            after: self.text("after"),
            before: self.text("before"),
            shift: None,
        }
    }

    /// The input of a create or an update. Shopify's treatment of an explicit null is not recorded: here null clears a
    /// filter or a list, and any other null is ignored.
    fn input(&self) -> Input {
        let empty = serde_json::Map::new();
        let input = self.0.get("webhookSubscription").and_then(Value::as_object).unwrap_or(&empty);
        let text = |name: &str| input.get(name).and_then(Value::as_str).map(str::to_owned);
        let list = |name: &str| input.get(name).map(|value| texts(value).unwrap_or_default());
        let metafield = |value: &Value| Metafield {
            namespace: value["namespace"].as_str().unwrap_or_default().to_owned(),
            key: value["key"].as_str().unwrap_or_default().to_owned(),
        };
        let metafields = |value: &Value| value.as_array().map_or_else(Vec::new, |v| v.iter().map(metafield).collect());
        Input {
            uri: text("uri").or_else(|| text("callbackUrl")),
            format: text("format").as_deref().and_then(Format::parse),
            filter: input.get("filter").map(|value| value.as_str().map(str::to_owned)),
            include_fields: list("includeFields"),
            metafield_namespaces: list("metafieldNamespaces"),
            metafields: input.get("metafields").map(metafields),
            name: text("name"),
        }
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array().map(|items| items.iter().filter_map(|i| i.as_str().map(str::to_owned)).collect())
}
