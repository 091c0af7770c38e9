//! Subscriptions and their input.

use serde::{Deserialize, Serialize};

use crate::model::Format;

/// A subscription.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Subscription {
    pub(super) id: u64,
    /// The GraphQL name.
    pub(super) topic: String,
    pub(super) uri: String,
    #[serde(with = "format")]
    pub(super) format: Format,
    /// An absent and an empty filter are different, as with Shopify (recorded).
    pub(super) filter: Option<String>,
    pub(super) include_fields: Vec<String>,
    pub(super) metafield_namespaces: Vec<String>,
    pub(super) metafields: Vec<Metafield>,
    pub(super) name: Option<String>,
    pub(super) created_at: String,
    pub(super) updated_at: String,
    pub(super) api_version: String,
}

/// A metafield of the payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Metafield {
    pub(super) namespace: String,
    pub(super) key: String,
}

/// The fields of a create or an update. An update keeps the fields that are `None`.
#[derive(Debug, Clone, Default)]
pub(super) struct Input {
    pub(super) uri: Option<String>,
    pub(super) format: Option<Format>,
    #[expect(clippy::option_option, reason = "absent, null and a text are three cases")]
    pub(super) filter: Option<Option<String>>,
    pub(super) include_fields: Option<Vec<String>>,
    pub(super) metafield_namespaces: Option<Vec<String>>,
    pub(super) metafields: Option<Vec<Metafield>>,
    pub(super) name: Option<String>,
}

/// Serializes subscriptions as a list.
pub(super) mod by_id {
    use std::collections::BTreeMap;

    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::Subscription;

    pub(in crate::sandbox) fn serialize<S: Serializer>(
        all: &BTreeMap<u64, Subscription>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(all.values())
    }

    pub(in crate::sandbox) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<u64, Subscription>, D::Error> {
        Ok(Vec::<Subscription>::deserialize(from)?.into_iter().map(|s| (s.id, s)).collect())
    }
}

mod format {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::model::Format;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde requires")]
    pub(super) fn serialize<S: Serializer>(format: &Format, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(format.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Format, D::Error> {
        let text = String::deserialize(from)?;
        Format::parse(&text).ok_or_else(|| D::Error::custom("a format is json or xml"))
    }
}
