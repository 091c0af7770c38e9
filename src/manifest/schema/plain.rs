//! Adjusts a generated schema, so that every validator accepts it and it agrees with the decoder.

use serde_json::{Value, json};

/// Removes the formats of Rust's numbers (`uint8`, `double`), because strict validators, such as ajv by default,
/// reject a schema with an unknown format. Minimum and maximum are kept.
pub fn without_rust_formats(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_rust_formats),
        Value::Object(map) => {
            // A property may also have the name `format`; its schema is an object.
            if map.get("format").is_some_and(Value::is_string) {
                map.remove("format");
            }
            map.values_mut().for_each(without_rust_formats);
        }
        _ => {}
    }
}

/// Removes `null` from optional keys, which may be absent but not null.
pub(super) fn plainly(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(plainly),
        Value::Object(map) => {
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|t| t != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    map.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(options)) = map.get_mut("anyOf") {
                options.retain(|option| *option != json!({ "type": "null" }));
                if let [Value::Object(only)] = options.as_slice() {
                    let only = only.clone();
                    map.remove("anyOf");
                    map.extend(only);
                }
            }
            // An editor shows the description of the key, not of the alternative that consists of the key.
            let said = map.get("description").cloned();
            if let (Some(said), Some(Value::Object(keys))) = (said, map.get_mut("properties"))
                && keys.len() == 1
            {
                for key in keys.values_mut().filter_map(Value::as_object_mut) {
                    key.entry("description").or_insert_with(|| said.clone());
                }
            }
            map.values_mut().for_each(plainly);
        }
        _ => {}
    }
}
