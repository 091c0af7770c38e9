//! What is removed from a generated schema, so that every validator takes it and it says what the decoder does.

use serde_json::{Value, json};

/// Removes what schemars says of Rust's numbers (`uint8`, `double`): validators that are strict, as ajv is by default,
/// refuse a schema with a format that they do not know. Minimum and maximum stay.
pub fn without_rust_formats(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_rust_formats),
        Value::Object(map) => {
            // A property may be called `format`, too; its schema is an object.
            if map.get("format").is_some_and(Value::is_string) {
                map.remove("format");
            }
            map.values_mut().for_each(without_rust_formats);
        }
        _ => {}
    }
}

/// An optional key may be absent, not null.
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
            // An editor shows what is said of the key, not of the alternative that the key is.
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
