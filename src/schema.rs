//! The JSON Schemas that are committed under `schemas/` and printed by `hookwright schema`.

use schemars::JsonSchema;
use serde_json::{Value, json};

use crate::manifest::schema::without_rust_formats;

/// Of the manifest.
pub fn manifest() -> Value {
    crate::manifest::schema::json_schema()
}

/// Of a saved plan, of `plan --format json` and of `drift --format json`.
pub fn plan() -> Value {
    of::<crate::wire::plan::Plan>("plan.v1.schema.json", "Hookwright plan, version 1")
}

/// Of an apply report.
pub fn report() -> Value {
    of::<crate::wire::report::Report>("report.v1.schema.json", "Hookwright apply report, version 1")
}

/// Of a line of a journal, of `apply --events` and of `plan --events`.
pub fn events() -> Value {
    of::<crate::wire::events::Line>("events.v1.schema.json", "Hookwright journal and events, version 1: one line")
}

fn of<T: JsonSchema>(id: &str, title: &str) -> Value {
    let mut schema = schemars::schema_for!(T).to_value();
    without_rust_formats(&mut schema);
    if let Value::Object(map) = &mut schema {
        map.insert("$id".to_owned(), json!(id));
        map.insert("title".to_owned(), json!(title));
    }
    schema
}
