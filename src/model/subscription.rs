//! What only a live subscription has.

use std::fmt;
use std::sync::Arc;

use super::Field;

/// `gid://shopify/WebhookSubscription/<n>`. Orders by the number, then by the text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SubscriptionId(Arc<str>);

impl SubscriptionId {
    /// Takes the GraphQL id as the Admin API gave it.
    pub fn new(gid: &str) -> Self {
        Self(gid.into())
    }

    /// Takes an id of the form that the Admin API has (recorded): `gid://shopify/WebhookSubscription/<digits>`.
    pub fn parse(gid: &str) -> Option<Self> {
        let digits = gid.strip_prefix("gid://shopify/WebhookSubscription/")?;
        // One spelling of each number, so that equal ids are equal texts.
        digits.parse::<u64>().ok().filter(|number| number.to_string() == digits).map(|_| Self::new(gid))
    }

    /// The GraphQL id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number at the end (REST's id), if there is one.
    pub fn number(&self) -> Option<u64> {
        self.0.rsplit('/').next().and_then(|n| n.parse().ok())
    }
}

impl PartialOrd for SubscriptionId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for SubscriptionId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.number().cmp(&other.number()).then_with(|| self.0.cmp(&other.0))
    }
}

impl fmt::Display for SubscriptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How much of a subscription its transport shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// All of it (GraphQL).
    #[default]
    Whole,
    /// Neither its filter nor its name (REST): in its binding both are `None`, and that says nothing.
    WithoutFilterAndName,
}

impl Visibility {
    /// Whether it shows this field; metafields say for themselves whether they are known.
    pub fn shows(self, field: Field) -> bool {
        self == Self::Whole || !matches!(field, Field::Filter | Field::Name)
    }
}

/// What the Admin API says of a subscription besides its binding. The id names it, nothing here is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The GraphQL id.
    pub id: SubscriptionId,
    /// RFC 3339, as the API gave it.
    pub created_at: String,
    /// RFC 3339, as the API gave it.
    pub updated_at: String,
    /// Version of the payloads it delivers; set by the app's configuration and read-only (recorded 2026-04).
    pub api_version: Option<String>,
    /// How much of the binding is known; an answer over REST leaves something out.
    pub visibility: Visibility,
    /// The number of the app that the subscription belongs to; unknown over REST.
    pub app: Option<u64>,
}
