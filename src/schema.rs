//! The JSON Schemas that are committed under `schemas/` and printed by `hookwright schema`.

use schemars::JsonSchema;
use serde_json::{Value, json};

use crate::manifest::schema::without_rust_formats;
use crate::wire;

/// A format that has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// The manifest.
    Manifest,
    /// A saved plan; also what `plan` and `drift` print.
    Plan,
    /// An apply report.
    Report,
    /// A line of a journal or of `--events`.
    Events,
    /// What `auth status` prints.
    AuthStatus,
    /// What `destinations` prints.
    Destinations,
    /// The file of `show --check --out`.
    Checked,
    /// What `validate` prints.
    Validate,
    /// What `topics` prints.
    Topics,
}

/// Returns the schema of a format.
pub(crate) fn of(format: Format) -> Value {
    match format {
        Format::Manifest => crate::manifest::schema::json_schema(),
        Format::Plan => schema::<wire::plan::Plan>("plan", "plan", ""),
        Format::Report => schema::<wire::report::Report>("report", "apply report", ""),
        Format::Events => schema::<wire::events::Line>("events", "journal and events", ": one line"),
        Format::AuthStatus => schema::<wire::auth_status::Status>("auth-status", "auth status", ""),
        Format::Destinations => schema::<wire::destinations::Destinations>("destinations", "destinations", ""),
        Format::Checked => schema::<wire::checked::Checked>("checked", "checked plans", ""),
        Format::Validate => schema::<wire::validate::Validation>("validate", "validation", ""),
        Format::Topics => schema::<Vec<wire::topics::Topic>>("topics", "topics", ""),
    }
}

fn schema<T: JsonSchema>(name: &str, title: &str, of_what: &str) -> Value {
    let mut schema = schemars::schema_for!(T).to_value();
    without_rust_formats(&mut schema);
    if let Value::Object(map) = &mut schema {
        map.insert("$id".to_owned(), json!(format!("{name}.v1.schema.json")));
        map.insert("title".to_owned(), json!(format!("Hookwright {title}, version 1{of_what}")));
    }
    schema
}
