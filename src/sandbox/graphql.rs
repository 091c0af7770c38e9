//! One GraphQL request: prepared without the store (parsed, validated, priced), then run on one shop.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use apollo_compiler::ast::{Document, OperationType, Value as Literal};
use apollo_compiler::executable::Operation;
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Node as Shared, Schema};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::{Format, ShopDomain};

use super::bucket::Bucket;
use super::cost::{self, Pricing};
use super::fault::Commit;
use super::faults::splitmix;
use super::oauth::App;
use super::page::{self, Ask, Shift};
use super::refusal;
use super::store::{Input, Metafield, Shop};
use super::tree::{self, Node};
use super::version;

/// The body of a GraphQL request.
#[derive(Debug, Deserialize)]
pub(super) struct Request {
    query: String,
    #[serde(default)]
    variables: Option<serde_json::Map<String, Value>>,
    #[serde(default, rename = "operationName")]
    operation_name: Option<String>,
}

/// Recorded, but for the number.
const INTERNAL: &str = "Internal error. Looks like something went wrong on our end. Request ID: sandbox-fault";

/// What may go wrong while a request is executed.
pub(super) enum Mishap {
    /// Another caller of the app has just used up the bucket.
    Throttled,
    /// Some root fields fail.
    Internal {
        /// Which.
        roll: u64,
        /// Before or after they were carried out.
        commit: Commit,
    },
    /// Lists come in small pages that shift.
    Shifting(Shift),
}

impl Mishap {
    /// How lists are cut into pages.
    pub(super) fn shift(&self) -> Option<Shift> {
        match self {
            Self::Shifting(shift) => Some(*shift),
            Self::Throttled | Self::Internal { .. } => None,
        }
    }

    /// Which of `count` root fields fail, at least one of them; the first one last.
    fn failing(&self, count: usize) -> Vec<bool> {
        let Self::Internal { roll, .. } = self else { return Vec::new() };
        let mut failing: Vec<bool> = (0..count).map(|at| splitmix(roll ^ at as u64) & 1 == 1).collect();
        if !failing.contains(&true)
            && let Some(last) = failing.last_mut()
        {
            *last = true;
        }
        failing.reverse();
        failing
    }
}

/// Whether the body asks for a mutation, as far as it can be read.
pub(super) fn is_mutation(body: &[u8]) -> bool {
    let Ok(request) = serde_json::from_slice::<Request>(body) else { return false };
    let ast = Document::parse(request.query.as_str(), "query").unwrap_or_else(|error| error.partial);
    let named = |name: Option<&str>| request.operation_name.is_none() || name == request.operation_name.as_deref();
    ast.definitions.iter().filter_map(|definition| definition.as_operation_definition()).any(|operation| {
        operation.operation_type == OperationType::Mutation
            && named(operation.name.as_ref().map(apollo_compiler::Name::as_str))
    })
}

/// A request that the engine accepted.
pub(super) struct Prepared {
    schema: Arc<Valid<Schema>>,
    document: Valid<ExecutableDocument>,
    operation: Shared<Operation>,
    variables: Valid<JsonMap>,
    cost: u32,
    /// `query` or `mutation`
    pub(super) kind: &'static str,
    /// Names of the root fields, in order.
    pub(super) fields: Vec<String>,
    /// `Type.field` of the deprecated fields selected.
    pub(super) deprecated: BTreeSet<String>,
}

/// What came of it.
pub(super) struct Ran {
    pub(super) body: Value,
    /// The actual cost; `None`: not executed.
    pub(super) cost: Option<u32>,
    /// Ids of the subscriptions that were made, changed or removed.
    pub(super) touched: Vec<u64>,
}

fn refused(errors: &[Value]) -> Value {
    json!({ "errors": errors })
}

/// Parses, validates and prices; `Err` is the body of the answer, with status 200 as Shopify gives it.
pub(super) fn prepare(version: &'static str, request: &Request) -> Result<Prepared, Value> {
    let schema = version::schema(version).map_err(|why| refused(&[json!({ "message": why })]))?;
    let ast = Document::parse(request.query.as_str(), "query").map_err(|error| {
        // The parser of this engine goes on after the first error; Shopify's gives one, with this code.
        let first = error.errors.iter().next().map(|diagnostic| json!(diagnostic.to_json())).unwrap_or_default();
        let extensions = json!({ "code": "PARSE_ERROR" });
        refused(&[json!({
            "message": first["message"], "locations": first["locations"], "extensions": extensions
        })])
    })?;
    let document = ast
        .to_executable_validate(&schema)
        .map_err(|error| refused(&refusal::of_document(&schema, &ast, &error.errors)))?;
    let operation = document
        .operations
        .get(request.operation_name.as_deref())
        .map_err(|error| refused(&[json!({ "message": error.message().to_string() })]))?
        .clone();
    let values = Value::Object(request.variables.clone().unwrap_or_default());
    let errors = refusal::of_variables(&schema, &document, &operation.variables, &values);
    if !errors.is_empty() {
        return Err(refused(&errors));
    }
    let raw: JsonMap = serde_json::from_value(values).unwrap_or_default();
    let variables = coerce_variable_values(&schema, &operation, &raw)
        .map_err(|error| refused(&[json!(error.to_graphql_error(&document.sources))]))?;
    let pricing = Pricing { schema: &schema, document: &document, variables: &variables };
    let cost = pricing.cost(&operation, &|_| None);
    if cost > cost::MAX {
        let message = format!(
            "Query cost is {cost}, which exceeds the single query max cost limit ({}). See \
             https://shopify.dev/api/usage/rate-limits for more information on how the cost of a query is calculated.",
            cost::MAX
        );
        let extensions = json!({"code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": cost::MAX});
        return Err(refused(&[json!({"message": message, "extensions": extensions})]));
    }
    let deprecated = operation.all_fields(&document).filter(|f| f.definition.directives.has("deprecated"));
    Ok(Prepared {
        cost,
        kind: if operation.is_mutation() { "mutation" } else { "query" },
        fields: operation.root_fields(&document).map(|f| f.name.to_string()).collect(),
        deprecated: deprecated.map(|f| f.name.to_string()).collect(),
        operation,
        variables,
        schema,
        document,
    })
}

impl Prepared {
    /// Executes on `shop`, if its bucket holds enough; `at` is the time, RFC 3339.
    pub(super) fn run(
        &self,
        (domain, app): (&ShopDomain, &App),
        shop: &mut Shop,
        bucket: &mut Bucket,
        at: &str,
        mishap: Option<&Mishap>,
    ) -> Ran {
        let size = shop.bucket;
        if matches!(mishap, Some(Mishap::Throttled)) {
            bucket.starve(self.cost);
        }
        if !bucket.has(self.cost) {
            let documentation = "https://shopify.dev/api/usage/rate-limits";
            let error = json!({
                "message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": documentation}
            });
            let cost = bucket.report(size, self.cost, None);
            let body = json!({"errors": [error], "extensions": {"cost": cost}});
            return Ran { body, cost: None, touched: Vec::new() };
        }
        let root = Root {
            kind: if self.operation.is_mutation() { "Mutation" } else { "QueryRoot" },
            app,
            domain,
            shop: RefCell::new(shop),
            at,
            variables: &self.variables,
            touched: RefCell::default(),
            found: RefCell::default(),
            failing: RefCell::new(mishap.map(|mishap| mishap.failing(self.fields.len())).unwrap_or_default()),
            shift: mishap.and_then(Mishap::shift),
            commits: matches!(mishap, Some(Mishap::Internal { commit: Commit::After, .. })),
        };
        let response = Execution::new(&self.schema, &self.document)
            .operation(&self.operation)
            .coerced_variable_values(&self.variables)
            .enable_schema_introspection(true)
            .execute_sync(&root);
        let response = match response {
            Ok(response) => response,
            Err(error) => {
                let body = refused(&[json!(error.to_graphql_error(&self.document.sources))]);
                return Ran { body, cost: None, touched: root.touched.into_inner() };
            }
        };
        let found = root.found.into_inner();
        let pricing = Pricing { schema: &self.schema, document: &self.document, variables: &self.variables };
        let actual = pricing.cost(&self.operation, &|key| found.get(key).copied());
        bucket.take(actual);
        let mut body = serde_json::Map::new();
        if !response.errors.is_empty() {
            let errors: Vec<Value> = response.errors.iter().map(|error| field_error(&json!(error))).collect();
            body.insert("errors".into(), errors.into());
        }
        body.insert("data".into(), json!(response.data));
        body.insert("extensions".into(), json!({"cost": bucket.report(size, self.cost, Some(actual))}));
        Ran { body: body.into(), cost: Some(actual), touched: root.touched.into_inner() }
    }
}

/// The engine's field error as Shopify words it.
fn field_error(error: &Value) -> Value {
    let message = error["message"].as_str().unwrap_or_default();
    let message = message.strip_prefix("resolver error: ").unwrap_or(message);
    let code = match message {
        INTERNAL => "INTERNAL_SERVER_ERROR",
        _ if message.starts_with(tree::DENIED) => "ACCESS_DENIED",
        _ => "BAD_REQUEST",
    };
    json!({
        "message": message, "locations": error["locations"], "path": error["path"],
        "extensions": {"code": code}
    })
}

struct Root<'a> {
    kind: &'static str,
    app: &'a App,
    domain: &'a ShopDomain,
    shop: RefCell<&'a mut Shop>,
    at: &'a str,
    variables: &'a JsonMap,
    touched: RefCell<Vec<u64>>,
    /// How many elements a connection gave, by response key.
    found: RefCell<HashMap<String, usize>>,
    /// Whether each of the next root fields fails, the next one last; and whether it is carried out all the same.
    failing: RefCell<Vec<bool>>,
    commits: bool,
    shift: Option<Shift>,
}

impl ObjectValue for Root<'_> {
    fn type_name(&self) -> &str {
        self.kind
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let fails = self.failing.borrow_mut().pop().unwrap_or_default();
        let failed = || Err(FieldError { message: INTERNAL.into() });
        if fails && !self.commits {
            return failed();
        }
        let mut shop = self.shop.borrow_mut();
        let arguments = Arguments::of(info, self.variables);
        let node = match info.field_name() {
            "currentAppInstallation" => tree::installation(&shop, self.app),
            "publicApiVersions" => tree::public_api_versions(),
            "shop" => tree::shop(self.domain, &shop),
            "webhookSubscription" => {
                let id = arguments.id();
                id.and_then(|id| shop.subscriptions.get(&id)).map_or(Node::Leaf(Value::Null), tree::subscription)
            }
            "webhookSubscriptions" => {
                let ask = Ask { shift: self.shift, ..arguments.ask() };
                let page = page::page(&shop, &ask).map_err(|message| FieldError { message })?;
                let key = info.field_selections()[0].response_key().to_string();
                self.found.borrow_mut().insert(key, page.items.len());
                tree::connection(&page)
            }
            "webhookSubscriptionsCount" => {
                let found = page::matching(&shop, &arguments.ask()).len();
                tree::count(found, arguments.size("limit"))
            }
            "webhookSubscriptionCreate" => {
                let topic = arguments.text("topic").unwrap_or_default();
                let made = shop.create(&topic, arguments.input(), self.at).map(|id| {
                    self.touched.borrow_mut().push(id);
                    tree::subscription(&shop.subscriptions[&id])
                });
                tree::payload("WebhookSubscriptionCreatePayload", "webhookSubscription", made)
            }
            "webhookSubscriptionUpdate" => {
                let id = arguments.id().unwrap_or_default(); // no subscription has the id 0
                let changed = shop.update(id, arguments.input(), self.at).map(|()| {
                    self.touched.borrow_mut().push(id);
                    tree::subscription(&shop.subscriptions[&id])
                });
                tree::payload("WebhookSubscriptionUpdatePayload", "webhookSubscription", changed)
            }
            "webhookSubscriptionDelete" => {
                let id = arguments.id().unwrap_or_default();
                let gone = shop.delete(id).map(|()| {
                    self.touched.borrow_mut().push(id);
                    Node::Leaf(tree::gid(id).into())
                });
                tree::payload("WebhookSubscriptionDeletePayload", "deletedWebhookSubscriptionId", gone)
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
        // apollo-compiler 1.33 turns a key whose variable was not given into null; by the specification, and for a
        // partial update, it is as if the key were not there.
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
        tree::number(self.0.get("id")?.as_str()?)
    }

    fn ask(&self) -> Ask {
        let flag = |name: &str| self.0.get(name).and_then(Value::as_bool).unwrap_or_default();
        Ask {
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

    /// What a create or an update says. What Shopify does with an explicit null is not recorded: here a null filter or
    /// list clears, any other null counts as not mentioned.
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
