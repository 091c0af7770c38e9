//! GraphQL requests. A request is first parsed, validated and priced without the shop, then executed on the shop.

use std::collections::BTreeSet;
use std::sync::Arc;

use apollo_compiler::ast::{Document, OperationType};
use apollo_compiler::executable::Operation;
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::resolvers::Execution;
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Node, Schema};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::ShopDomain;

use super::bucket::Bucket;
use super::cost::{self, Pricing};
use super::fault::ExecutionFault;
use super::graphql_errors;
use super::oauth::App;
use super::resolvers::Root;
use super::store::StoredShop;
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

/// Whether the body is a mutation, as far as it can be parsed.
pub(super) fn is_mutation(body: &[u8]) -> bool {
    let Ok(request) = serde_json::from_slice::<Request>(body) else { return false };
    let ast = Document::parse(request.query.as_str(), "query").unwrap_or_else(|error| error.partial);
    let named = |name: Option<&str>| request.operation_name.is_none() || name == request.operation_name.as_deref();
    ast.definitions.iter().filter_map(|definition| definition.as_operation_definition()).any(|operation| {
        operation.operation_type == OperationType::Mutation
            && named(operation.name.as_ref().map(apollo_compiler::Name::as_str))
    })
}

/// A valid request.
pub(super) struct Prepared {
    schema: Arc<Valid<Schema>>,
    document: Valid<ExecutableDocument>,
    operation: Node<Operation>,
    variables: Valid<JsonMap>,
    cost: u32,
    /// `query` or `mutation`
    pub(super) kind: &'static str,
    /// Names of the root fields, in order.
    pub(super) fields: Vec<String>,
    /// Names of the deprecated fields that are selected.
    pub(super) deprecated: BTreeSet<String>,
}

/// The result of an execution.
pub(super) struct Executed {
    pub(super) body: Value,
    /// The actual cost; `None` if the request was throttled or failed as a whole.
    pub(super) cost: Option<u32>,
    /// Ids of the subscriptions that were created, changed or deleted.
    pub(super) touched: Vec<u64>,
}

fn refused(errors: &[Value]) -> Value {
    json!({ "errors": errors })
}

/// Parses, validates and prices a request. `Err` is the body of the response; its status is 200, as with Shopify.
pub(super) fn prepare(version: &'static str, request: &Request) -> Result<Prepared, Value> {
    let schema = version::schema(version).map_err(|why| refused(&[json!({ "message": why })]))?;
    let ast = Document::parse(request.query.as_str(), "query").map_err(|error| {
        // The engine's parser continues after the first error. Shopify reports one error, with this code.
        let first = error.errors.iter().next().map(|diagnostic| json!(diagnostic.to_json())).unwrap_or_default();
        let extensions = json!({ "code": "PARSE_ERROR" });
        refused(&[json!({
            "message": first["message"], "locations": first["locations"], "extensions": extensions
        })])
    })?;
    let document = ast
        .to_executable_validate(&schema)
        .map_err(|error| refused(&graphql_errors::of_document(&schema, &ast, &error.errors)))?;
    let operation = document
        .operations
        .get(request.operation_name.as_deref())
        .map_err(|error| refused(&[json!({ "message": error.message().to_string() })]))?
        .clone();
    let values = Value::Object(request.variables.clone().unwrap_or_default());
    let errors = graphql_errors::of_variables(&schema, &document, &operation.variables, &values);
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
    /// Executes the request on `shop` if its bucket has enough points. `at` is the time, RFC 3339.
    pub(super) fn execute(
        &self,
        (domain, app): (&ShopDomain, &App),
        shop: &mut StoredShop,
        bucket: &mut Bucket,
        at: &str,
        fault: Option<&ExecutionFault>,
    ) -> Executed {
        let size = shop.bucket;
        if matches!(fault, Some(ExecutionFault::Throttled)) {
            bucket.starve(self.cost);
        }
        if !bucket.has(self.cost) {
            let documentation = "https://shopify.dev/api/usage/rate-limits";
            let error = json!({
                "message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": documentation}
            });
            let cost = bucket.report(size, self.cost, None);
            let body = json!({"errors": [error], "extensions": {"cost": cost}});
            return Executed { body, cost: None, touched: Vec::new() };
        }
        let root =
            Root::new(&self.operation, &self.variables, (domain, app), shop, at).with_fault(fault, self.fields.len());
        let response = Execution::new(&self.schema, &self.document)
            .operation(&self.operation)
            .coerced_variable_values(&self.variables)
            .enable_schema_introspection(true)
            .execute_sync(&root);
        let response = match response {
            Ok(response) => response,
            Err(error) => {
                let body = refused(&[json!(error.to_graphql_error(&self.document.sources))]);
                return Executed { body, cost: None, touched: root.touched.into_inner() };
            }
        };
        let found = root.found.into_inner();
        let pricing = Pricing { schema: &self.schema, document: &self.document, variables: &self.variables };
        let actual = pricing.cost(&self.operation, &|key| found.get(key).copied());
        bucket.take(actual);
        let mut body = serde_json::Map::new();
        if !response.errors.is_empty() {
            let errors: Vec<Value> =
                response.errors.iter().map(|error| graphql_errors::of_field(&json!(error))).collect();
            body.insert("errors".into(), errors.into());
        }
        body.insert("data".into(), json!(response.data));
        body.insert("extensions".into(), json!({"cost": bucket.report(size, self.cost, Some(actual))}));
        Executed { body: body.into(), cost: Some(actual), touched: root.touched.into_inner() }
    }
}
