//! The JSON Schemas that are committed under `schemas/` and printed by `hookwright schema`.

use clap::ValueEnum;
use schemars::JsonSchema;
use serde_json::{Value, json};

use crate::manifest::schema::without_rust_formats;
use crate::wire;

/// A format with a published schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PublishedFormat {
    /// The manifest
    Manifest,
    /// Saved plans, and the output of `plan` and `drift` with --format json
    Plan,
    /// Reports of `apply`
    Report,
    /// Lines of a journal or of --events
    Events,
    /// Output of `auth status`
    AuthStatus,
    /// Output of `destinations`
    Destinations,
    /// Output of `gaps`
    Gaps,
    /// Files that `show --check --out` writes
    Checked,
    /// Output of `validate`
    Validate,
    /// Output of `topics`
    Topics,
}

/// Returns the JSON Schema of a format.
pub(crate) fn of(format: PublishedFormat) -> Value {
    match format {
        PublishedFormat::Manifest => crate::manifest::schema::json_schema(),
        PublishedFormat::Plan => schema::<wire::plan::Plan>("plan", "plan", ""),
        PublishedFormat::Report => schema::<wire::report::Report>("report", "apply report", ""),
        PublishedFormat::Events => schema::<wire::events::Line>("events", "journal and events", ": one line"),
        PublishedFormat::AuthStatus => schema::<wire::auth_status::Status>("auth-status", "auth status", ""),
        PublishedFormat::Destinations => schema::<wire::destinations::Destinations>("destinations", "destinations", ""),
        PublishedFormat::Gaps => schema::<wire::gaps::Gaps>("gaps", "gaps", ""),
        PublishedFormat::Checked => schema::<wire::checked::Checked>("checked", "checked plans", ""),
        PublishedFormat::Validate => schema::<wire::validate::Validation>("validate", "validation", ""),
        PublishedFormat::Topics => schema::<Vec<wire::topics::Topic>>("topics", "topics", ""),
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
