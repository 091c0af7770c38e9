//! The JSON Schema rejects exactly the manifests that the decoder rejects.

use super::*;

#[test]
fn the_committed_schema_is_the_generated_one() {
    let schema = serde_json::to_string_pretty(&schema::json_schema()).expect("json") + "\n";
    let path = "schemas/manifest.v1.schema.json";
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(path, &schema).expect("write");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == schema, "{path} is out of date: run UPDATE_SCHEMAS=1 cargo test");
}

#[test]
fn every_key_of_the_schema_has_a_description() {
    fn walk(value: &Value, found: &mut Vec<String>) {
        let Some(map) = value.as_object() else {
            value.as_array().into_iter().flatten().for_each(|item| walk(item, found));
            return;
        };
        for (key, about) in map.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if !about["description"].is_string() {
                found.push(key.clone());
            }
        }
        map.values().for_each(|value| walk(value, found));
    }
    let mut silent = Vec::new();
    walk(&schema::json_schema(), &mut silent);
    assert!(silent.is_empty(), "an editor has nothing to show for {silent:?}");
}

fn structural(loaded: &Loaded) -> bool {
    loaded.diagnostics.iter().any(|d| d.code.is_structural())
}

fn validator() -> jsonschema::Validator {
    jsonschema::validator_for(&schema::json_schema()).expect("schema")
}

/// Returns the document in the form in which another YAML parser passes it to a JSON Schema validator; `None` if it is
/// not YAML or has duplicate keys.
fn as_json(yaml: &str) -> Option<Value> {
    serde_yaml::from_str_with_options(yaml, serde_yaml::options! { strict_booleans: true }).ok()
}

#[test]
fn the_schema_and_the_decoder_reject_the_same_manifests() {
    let validator = validator();
    for path in fixtures("good").into_iter().chain(fixtures("bad")) {
        let (text_of_file, loaded) = load_file(&path);
        let Some(document) = as_json(&text_of_file) else { continue };
        let refused = !validator.is_valid(&document);
        assert_eq!(refused, structural(&loaded), "{}\n{}", path.display(), text(&loaded));
    }
}

/// Collects every place in a document as a JSON pointer.
fn pointers(value: &Value, here: &str, out: &mut Vec<String>) {
    out.push(here.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| pointers(item, &format!("{here}/{at}"), out));
        }
        Value::Object(map) => map.iter().for_each(|(key, item)| {
            pointers(item, &format!("{here}/{}", key.replace('~', "~0").replace('/', "~1")), out);
        }),
        _ => {}
    }
}

fn mutate(document: &mut Value, at: &str, how: u8) {
    let substitutes = [
        json!(null),
        json!(true),
        json!(0),
        json!(101),
        json!(2.5),
        json!(-1),
        json!(""),
        json!("   "),
        json!("orders/create"),
        json!("shpat_0123456789abcdef"),
        json!("a b"),
        json!(" x"),
        json!("x\n"),
        json!("xml"),
        json!([]),
        json!({}),
        json!(["x"]),
        json!({ "x": "y" }),
        json!([null]),
        json!({ "env": "A B" }),
        json!("2026-07"),
        json!("HW104"),
    ];
    let how = usize::from(how);
    if let Some(substitute) = substitutes.get(how) {
        if let Some(slot) = document.pointer_mut(at) {
            *slot = substitute.clone();
        }
        return;
    }
    if how.is_multiple_of(2) {
        // Remove the value.
        let Some((parent, key)) = at.rsplit_once('/') else { return };
        match document.pointer_mut(parent) {
            Some(Value::Object(map)) => drop(map.remove(&key.replace("~1", "/").replace("~0", "~"))),
            Some(Value::Array(items)) => {
                if let Ok(at) = key.parse::<usize>() {
                    items.remove(at);
                }
            }
            _ => {}
        }
    } else if let Some(Value::Object(map)) = document.pointer_mut(at) {
        // Add a key that is known at some place.
        let keys = ["x", "topic", "topics", "address", "destination", "env", "bindings", "use", "name", "bad key!"];
        let key = keys[how % keys.len()];
        map.entry(key).or_insert_with(|| json!("orders/create"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_manifest_is_rejected_by_both_or_by_neither(
        picks in proptest::collection::vec((any::<proptest::sample::Index>(), 0_u8..47), 1..3),
    ) {
        thread_local! {
            static VALIDATOR: jsonschema::Validator = validator();
        }
        let good = std::fs::read_to_string("tests/fixtures/manifests/good/everything.yaml").expect("file");
        let mut document = as_json(&good).expect("json");
        for (pick, how) in picks {
            let mut places = Vec::new();
            pointers(&document, "", &mut places);
            let at = places[pick.index(places.len())].clone();
            mutate(&mut document, &at, how);
        }
        // JSON is YAML.
        let text_of_file = serde_json::to_string_pretty(&document).expect("json");
        let loaded = load(&[("mutated.yaml", &text_of_file)]);
        let refused = VALIDATOR.with(|validator| !validator.is_valid(&document));
        prop_assert_eq!(refused, structural(&loaded), "{}\n{}", text_of_file, text(&loaded));
        emit_all(&loaded);
    }

    #[test]
    fn no_text_causes_a_panic(noise in "[\\PC\n\t\u{1b}\\-:{}\\[\\]&*!|>'\"%@`#]{0,60}", at in any::<proptest::sample::Index>()) {
        let mut good = std::fs::read_to_string("tests/fixtures/manifests/good/everything.yaml").expect("file");
        let ends: Vec<usize> = good.char_indices().map(|(at, _)| at).collect();
        good.insert_str(ends[at.index(ends.len())], &noise);
        emit_all(&load(&[("noise.yaml", &good)]));
        emit_all(&load(&[("noise.yaml", &noise)]));
    }

    #[test]
    fn no_bytes_cause_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        emit_all(&manifest::load(vec![SourceFile { path: "x".into(), bytes }], &Options::default()));
    }
}
