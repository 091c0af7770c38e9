//! Tests of `documents`: every document against Shopify's schema, and the exact content of requests.

use std::path::PathBuf;

use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};

use super::*;

fn batch() -> Vec<Mutation> {
    let input = Input {
        address: Address::new("https://x.example/"),
        format: Format::Xml,
        filter: String::new(),
        include_fields: vec!["id".into()],
        metafield_namespaces: vec![],
        name: None,
        metafields: None,
    };
    let full = Input {
        filter: "a:b".into(),
        name: Some("n".into()),
        metafields: Some(vec!["$app:a.b.key".into(), "custom.size".into()]),
        ..input.clone()
    };
    vec![
        Mutation::Create { topic: Topic::from_slash("orders/create"), input: input.clone() },
        Mutation::Update { id: SubscriptionId::new("gid://shopify/WebhookSubscription/1"), input },
        Mutation::Delete { id: SubscriptionId::new("gid://shopify/WebhookSubscription/2") },
        Mutation::Create { topic: Topic::from_slash("orders/updated"), input: full },
    ]
}

fn documents() -> Vec<Document> {
    let batch = batch();
    let app = [AskOfApp::All, AskOfApp::Number];
    let mut all: Vec<_> = app.into_iter().flat_map(|app| [read(app), access(app)]).collect();
    all.extend([page("c"), mutations(&batch, &[0, 1, 2, 3]), mutations(&batch, &[2]), mutations(&batch, &[1, 3])]);
    all
}

/// Checks that the document is valid, has variables of the right types, and uses no deprecated field.
fn check(schema: &Valid<Schema>) {
    for document in documents() {
        let parsed = ExecutableDocument::parse_and_validate(schema, &document.query, "document.graphql")
            .unwrap_or_else(|errors| panic!("{errors}\n{}", document.query));
        let operation = parsed.operations.get(None).expect("one operation");
        for field in operation.all_fields(&parsed) {
            assert!(field.definition.directives.get("deprecated").is_none(), "{} is deprecated", field.name);
        }
        let variables = serde_json::from_value(Value::Object(document.variables.clone())).expect("variables");
        apollo_compiler::request::coerce_variable_values(schema, operation, &variables)
            .unwrap_or_else(|error| panic!("{error:?}"));
        let input = schema.get_input_object("WebhookSubscriptionInput").expect("input type");
        let sent = document.variables.values().filter_map(Value::as_object).flat_map(Map::keys);
        for key in sent {
            assert!(input.fields[key.as_str()].directives.get("deprecated").is_none(), "{key} is deprecated");
        }
    }
}

#[test]
fn documents_are_valid_against_the_part_of_the_schema_kept_here() {
    let sdl = include_str!("../../tests/fixtures/admin-webhook-part.graphql");
    let schema = Schema::parse_and_validate(sdl, "part.graphql").unwrap_or_else(|errors| panic!("{errors}"));
    check(&schema);
}

#[test]
#[allow(clippy::print_stderr)]
fn documents_are_valid_against_the_whole_schema_where_it_is_present() {
    let path = std::env::var_os("HOOKWRIGHT_TEST_ADMIN_SCHEMA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/admin-schema-2026-10.graphql"),
        PathBuf::from,
    );
    let Ok(mut sdl) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: no {}; HOOKWRIGHT_TEST_ADMIN_SCHEMA may name the schema", path.display());
        return;
    };
    if !sdl.contains("directive @oneOf") {
        sdl.push_str("\ndirective @oneOf on INPUT_OBJECT\n");
    }
    let schema = Schema::parse_and_validate(sdl, "admin.graphql").unwrap_or_else(|errors| panic!("{errors}"));
    check(&schema);
}

#[test]
fn every_alias_has_its_own_variables_and_keeps_its_number() {
    let batch = batch();
    let document = mutations(&batch, &[1, 3]);
    assert!(document.query.contains("u1: webhookSubscriptionUpdate(id: $d1, webhookSubscription: $i1)"));
    assert!(document.query.contains("c3: webhookSubscriptionCreate(topic: $t3, webhookSubscription: $i3)"));
    let expected = json!({
        "d1": "gid://shopify/WebhookSubscription/1",
        "i1": { "uri": "https://x.example/", "format": "XML", "filter": "", "includeFields": ["id"],
                "metafieldNamespaces": [] },
        "t3": "ORDERS_UPDATED",
        "i3": { "uri": "https://x.example/", "format": "XML", "filter": "a:b", "includeFields": ["id"],
                "metafieldNamespaces": [], "name": "n",
                "metafields": [{ "namespace": "$app:a.b", "key": "key" }, { "namespace": "custom", "key": "size" }] },
    });
    assert_eq!(Value::Object(document.variables), expected);
    let created = &mutations(&batch, &[0]).variables["i0"];
    assert!(created.get("filter").is_none(), "no filter and an empty filter are not the same in a create");
}
