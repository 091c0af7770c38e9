//! The API versions and their schemas.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use apollo_compiler::Schema;
use apollo_compiler::validation::Valid;

use crate::catalog;
use crate::model::ApiVersion;

/// Handle, display name and `supported` of each version, as of November 2026.
pub(super) const PUBLIC: [(&str, &str, bool); 6] = [
    ("2026-01", "2026-01", true),
    ("2026-04", "2026-04", true),
    ("2026-07", "2026-07", true),
    ("2026-10", "2026-10 (Latest)", true),
    ("2027-01", "2027-01 (Release candidate)", false),
    ("unstable", "unstable", false),
];

/// The version that serves a request for `asked`. Versions that are no longer accessible fall forward to the oldest
/// accessible one. Returns `None` for a version that does not exist.
pub(super) fn served(asked: &str) -> Option<&'static str> {
    let asked = ApiVersion::parse(asked).ok()?;
    let oldest = PUBLIC[0].0;
    if asked.as_str() < oldest {
        return Some(oldest);
    }
    PUBLIC.iter().map(|v| v.0).find(|v| *v == asked.as_str())
}

type Schemas = HashMap<&'static str, Arc<Valid<Schema>>>;

/// The schema of a served version.
pub(super) fn schema(version: &'static str) -> Result<Arc<Valid<Schema>>, String> {
    static SCHEMAS: LazyLock<Mutex<Schemas>> = LazyLock::new(Mutex::default);
    let mut schemas = SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(schema) = schemas.get(version) {
        return Ok(Arc::clone(schema));
    }
    let schema = Schema::parse_and_validate(text(version), "schema.graphql").map_err(|e| e.to_string())?;
    let schema = Arc::new(schema);
    schemas.insert(version, Arc::clone(&schema));
    Ok(schema)
}

/// Whether the topic enum of `version` has the topic. It includes topics that no published schema names (recorded).
pub(super) fn has_topic(version: &str, info: &catalog::TopicInfo) -> bool {
    let known = ApiVersion::parse(version).is_ok_and(|version| info.known_in(&version));
    !info.is_compliance() && (known || info.is_undocumented())
}

fn text(version: &str) -> String {
    let mut text = String::new();
    for line in include_str!("schema.graphql").lines() {
        let since = line.rsplit_once("# since ").map_or("", |(_, since)| since);
        if since <= version {
            text.push_str(line);
            text.push('\n');
        }
    }
    text.push_str("\nenum WebhookSubscriptionTopic {\n");
    for info in catalog::all().iter().filter(|info| has_topic(version, info)) {
        let _ = writeln!(text, "  {}", info.graphql()); // into a String: cannot fail
    }
    text.push_str("}\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_has_a_valid_schema_of_its_own() {
        for (version, ..) in PUBLIC {
            let schema = schema(version).expect(version);
            let named = schema.type_field("WebhookSubscription", "name").is_ok();
            assert_eq!(named, version != "2026-01", "{version}");
            let topics = &schema.get_enum("WebhookSubscriptionTopic").expect("enum").values;
            assert!(topics.contains_key("ORDERS_CREATE") && !topics.contains_key("SHOP_REDACT"));
            assert_eq!(topics.contains_key("INVENTORY_TRANSFERS_UPDATED"), version >= "2026-07", "{version}");
            assert_eq!(topics.contains_key("VARIANTS_DELETE"), version == "unstable", "{version}");
        }
    }

    #[test]
    fn old_versions_fall_forward_and_unknown_versions_are_not_found() {
        assert_eq!(served("2023-04"), Some("2026-01"));
        assert_eq!(served("2026-07"), Some("2026-07"));
        assert_eq!(served("unstable"), Some("unstable"));
        assert_eq!((served("2027-04"), served("2026-02"), served("latest")), (None, None, None));
    }
}
