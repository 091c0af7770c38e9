//! The committed schemas match the types, and the output of the tool matches the schemas.
//!
//! `UPDATE_SCHEMAS=1 cargo test schemas` rewrites them.

use std::path::Path;

use serde_json::Value;

use crate::world::{A, B, World, manifest, seed};

/// The formats that have a schema.
const NAMES: [&str; 10] =
    ["manifest", "plan", "report", "events", "auth-status", "destinations", "gaps", "checked", "validate", "topics"];

pub fn committed(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(name);
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn the_committed_schemas_are_up_to_date() {
    let world = World::new("", "");
    for name in NAMES {
        let printed = world.run(&["schema", name]);
        printed.exits(0);
        let file = format!("{name}.v1.schema.json");
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(&file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &printed.out).unwrap();
        }
        assert_eq!(committed(&file), printed.out, "{file} is old: UPDATE_SCHEMAS=1 cargo test schemas");
    }
}

/// Keywords of JSON Schema 2020-12 that our schemas use. A strict validator, as ajv is by default, refuses a schema with a
/// keyword or a format that it does not know; `tests/editor/ajv.mjs` asks ajv itself.
const KEYWORDS: &[&str] = &[
    "$defs",
    "$id",
    "$ref",
    "$schema",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "default",
    "description",
    "enum",
    "examples",
    "items",
    "maximum",
    "minItems",
    "minProperties",
    "minimum",
    "minLength",
    "not",
    "oneOf",
    "pattern",
    "properties",
    "propertyNames",
    "required",
    "title",
    "type",
    "uniqueItems",
];

fn unknown_keywords(schema: &Value, place: &str, found: &mut Vec<String>) {
    for (key, value) in schema.as_object().into_iter().flatten() {
        let place = format!("{place}/{key}");
        if !KEYWORDS.contains(&key.as_str()) {
            found.push(place.clone());
        }
        match (key.as_str(), value) {
            ("const" | "default" | "enum" | "examples" | "required", _) => {}
            ("$defs" | "properties", Value::Object(named)) => {
                named.iter().for_each(|(name, schema)| unknown_keywords(schema, &format!("{place}/{name}"), found));
            }
            (_, Value::Array(schemas)) => schemas.iter().for_each(|schema| unknown_keywords(schema, &place, found)),
            (_, schema) => unknown_keywords(schema, &place, found),
        }
    }
}

#[test]
fn the_schemas_use_standard_keywords_only() {
    for name in NAMES {
        let schema: Value = serde_json::from_str(&committed(&format!("{name}.v1.schema.json"))).unwrap();
        let mut found = Vec::new();
        unknown_keywords(&schema, name, &mut found);
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[track_caller]
pub fn keeps_to(schema: &str, value: &Value) {
    let schema: Value = serde_json::from_str(&committed(schema)).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn plans_and_reports_match_their_schemas() {
    let shops = "  - { shop: acme, bindings: [{ topic: orders/create, destination: a }, { topic: customers/update, destination: b, name: n }] }\n  \
                 - { shop: frozen, bindings: [] }\n  - { shop: blocked, bindings: [{ topic: products/update, destination: a }] }\n";
    let live = format!(
        "      - {{ topic: orders/create, address: \"{B}\" }}\n      - {{ topic: products/update, address: \"{A}\" }}\n      - {{ topic: shop/update, address: \"https://x.example/\" }}\n"
    );
    let seed =
        seed("acme", &live) + "  - { shop: frozen, status: frozen }\n  - { shop: blocked, scopes: [read_orders] }\n";
    let world = World::new(&manifest(shops), &seed);
    let plan = world.plan_json(&[]);
    assert_eq!(plan["summary"]["blocked"], 1);
    keeps_to("plan.v1.schema.json", &plan);
    keeps_to("plan.v1.schema.json", &world.run(&["drift", "--sandbox", "--format", "json"]).json());
    let report = world.apply(&["--format", "json"]).json();
    assert_eq!(report["summary"]["shops_not_read"], 1);
    keeps_to("report.v1.schema.json", &report);

    // The schema rejects invalid documents.
    let schema: Value = serde_json::from_str(&committed("plan.v1.schema.json")).unwrap();
    let mut bad = plan;
    bad["shops"][0]["status"] = "fine".into();
    assert!(!jsonschema::is_valid(&schema, &bad));
}

#[test]
fn the_output_of_other_commands_matches_its_schemas() {
    let shops =
        "  - { shop: acme, bindings: [{ topic: orders/create, destination: a }] }\n  - { shop: other, bindings: [] }\n";
    let world =
        World::new(&manifest(shops), &seed("acme", &format!("      - {{ topic: orders/create, address: \"{A}\" }}\n")));
    let json = |args: &[&str]| world.run(&[args, &["--format", "json"]].concat()).json();
    keeps_to("auth-status.v1.schema.json", &json(&["auth", "status", "--sandbox"]));
    keeps_to("destinations.v1.schema.json", &json(&["destinations", "--sandbox"]));
    keeps_to("validate.v1.schema.json", &json(&["validate"]));
    keeps_to("topics.v1.schema.json", &json(&["topics"]));
    world.write("bad.yaml", "version: 2\nshops: [{ shop: a }, { shop: a }]\n");
    let invalid = json(&["validate", "-f", "bad.yaml"]);
    assert_eq!(invalid["valid"], false);
    keeps_to("validate.v1.schema.json", &invalid);

    world.run(&["plan", "--sandbox", "--out", "plan.json"]);
    world.run(&["show", "--check", "--out", "checked.json", "plan.json"]).exits(0);
    keeps_to("checked.v1.schema.json", &serde_json::from_str(&world.read("checked.json")).unwrap());
}
