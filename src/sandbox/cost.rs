//! The cost of a document, by a rule that reproduces the recorded figures.
//!
//! A mutation costs 10, a count 10, and every other field of an object type 1, except a few free fields. A connection
//! costs 2 plus, for `nodes` and for `edges`, its size times the cost of one element. The size is the base-2 logarithm of
//! `first`, rounded up. In the actual cost, `nodes` use the number of returned elements and `edges` the requested number.

use std::collections::HashSet;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::executable::{Field, Operation, Selection, SelectionSet};
use apollo_compiler::response::JsonMap;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Schema, ast::Value};

/// The maximum cost of a query, on every plan.
pub(super) const MAX: u32 = 1000;

/// Fields of an object type that cost nothing (recorded).
const FREE: [&str; 4] = ["apiVersion", "endpoint", "pageInfo", "userErrors"];

/// A document with its schema and variables.
#[derive(Clone, Copy)]
pub(super) struct Pricing<'a> {
    pub(super) schema: &'a Schema,
    pub(super) document: &'a ExecutableDocument,
    pub(super) variables: &'a JsonMap,
}

impl Pricing<'_> {
    /// The cost of an operation. After its execution, `found` returns the number of elements of a root connection by its
    /// response key.
    pub(super) fn cost(self, operation: &Operation, found: &dyn Fn(&str) -> Option<usize>) -> u32 {
        let mut seen = HashSet::new();
        operation
            .root_fields(self.document)
            .filter(|field| seen.insert(field.response_key())) // the engine merges equal keys
            .map(|field| {
                if operation.is_mutation() {
                    let payload = field.selection_set.root_fields(self.document);
                    return 10 + payload.map(|f| self.set(&f.selection_set)).sum::<u32>();
                }
                match field.name.as_str() {
                    "webhookSubscriptionsCount" => 10,
                    "webhookSubscriptions" => self.connection(field, found(field.response_key())),
                    _ => self.field(field),
                }
            })
            .sum()
    }

    fn set(self, set: &SelectionSet) -> u32 {
        set.selections
            .iter()
            .map(|selection| match selection {
                Selection::Field(field) => self.field(field),
                Selection::InlineFragment(inline) => self.set(&inline.selection_set),
                Selection::FragmentSpread(spread) => {
                    self.document.fragments.get(&spread.fragment_name).map_or(0, |f| self.set(&f.selection_set))
                }
            })
            .sum()
    }

    fn field(self, field: &Field) -> u32 {
        let leaf = matches!(
            self.schema.types.get(field.ty().inner_named_type()),
            None | Some(ExtendedType::Scalar(_) | ExtendedType::Enum(_))
        );
        let own = u32::from(!leaf && !FREE.contains(&field.name.as_str()));
        own + self.set(&field.selection_set)
    }

    fn connection(self, field: &Field, found: Option<usize>) -> u32 {
        let asked = size(self.page_size(field).unwrap_or(1));
        let parts = field.selection_set.root_fields(self.document);
        let elements = parts.map(|part| match part.name.as_str() {
            "nodes" => found.map_or(asked, size) * (1 + self.set(&part.selection_set)),
            "edges" => asked * self.set(&part.selection_set),
            _ => 0,
        });
        2 + elements.sum::<u32>()
    }

    fn page_size(self, field: &Field) -> Option<usize> {
        let argument = field.arguments.iter().find(|a| a.name == "first" || a.name == "last")?;
        let number = match argument.value.as_ref() {
            Value::Int(int) => int.as_str().parse().ok()?,
            Value::Variable(name) => self.variables.get(name.as_str())?.as_i64()?,
            _ => return None,
        };
        usize::try_from(number).ok()
    }
}

fn size(elements: usize) -> u32 {
    match elements {
        0 => 0,
        1 => 1,
        n => n.next_power_of_two().ilog2(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str, found: Option<usize>) -> u32 {
        let schema = super::super::version::schema("2026-10").expect("schema");
        let document = ExecutableDocument::parse_and_validate(&schema, text, "q").expect("valid");
        let operation = document.operations.get(None).expect("one operation");
        let variables = JsonMap::new();
        let pricing = Pricing { schema: &schema, document: &document, variables: &variables };
        pricing.cost(operation, &|_| found)
    }

    #[test]
    fn the_recorded_costs_are_reproduced() {
        let created = r#"mutation { webhookSubscriptionCreate(topic: SHOP_UPDATE, webhookSubscription: {uri: "u"}) {
            webhookSubscription { id endpoint { __typename } apiVersion { handle } METAFIELDS } userErrors { message } } }"#;
        assert_eq!(price(&created.replace("METAFIELDS", ""), None), 10);
        assert_eq!(price(&created.replace("METAFIELDS", "metafields { key }"), None), 11);
        assert_eq!(price(r#"{ webhookSubscription(id: "1") { id endpoint { __typename } } }"#, None), 1);
        assert_eq!(price(r#"{ webhookSubscription(id: "1") { id metafields { key } } }"#, None), 2);

        let list = "{ webhookSubscriptions(first: 5) { nodes { id } } }";
        assert_eq!((price(list, None), price(list, Some(1))), (5, 3));
        let list = "{ webhookSubscriptions(first: 5) { nodes { id metafields { key } } } }";
        assert_eq!((price(list, None), price(list, Some(1))), (8, 4));
        let both =
            "{ webhookSubscriptions(first: N) { nodes { id } edges { cursor node { id } } pageInfo { endCursor } } }";
        assert_eq!(price(&both.replace('N', "2"), None), 4);
        assert_eq!(price(&both.replace('N', "3"), None), 6);
        assert_eq!(price("{ webhookSubscriptions(first: 10) { edges { node { id } } } }", None), 6);

        let catalog = r#"{
            webhookSubscriptions(first: 5) { nodes { id } edges { cursor node { id } } pageInfo { endCursor } }
            webhookSubscriptionsCount { count } filtered: webhookSubscriptionsCount(query: "id:1") { count }
            unknown: webhookSubscription(id: "1") { id } }"#;
        assert_eq!((price(catalog, None), price(catalog, Some(0))), (29, 26));

        let probe = r#"{ currentAppInstallation { accessScopes { handle } }
            a: __type(name: "A") { inputFields { name type { kind ofType { name ofType { name } } } } }
            b: __type(name: "B") { enumValues { name } } c: __type(name: "C") { possibleTypes { name } } }"#;
        assert_eq!(price(probe, None), 11);
    }
}
