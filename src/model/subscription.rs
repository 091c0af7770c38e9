//! The data that only a live subscription has.

use std::fmt;
use std::sync::Arc;

use super::Field;

/// `gid://shopify/WebhookSubscription/<n>`. Ordered by number, then by text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SubscriptionId(Arc<str>);

impl SubscriptionId {
    /// Accepts any GraphQL id of the Admin API.
    pub fn new(gid: &str) -> Self {
        Self(gid.into())
    }

    /// Parses an id of the form that the Admin API returns (recorded): `gid://shopify/WebhookSubscription/<digits>`.
    pub fn parse(gid: &str) -> Option<Self> {
        let digits = gid.strip_prefix("gid://shopify/WebhookSubscription/")?;
        // Only the canonical form of a number is valid, so that equal ids have equal texts.
        digits.parse::<u64>().ok().filter(|number| number.to_string() == digits).map(|_| Self::new(gid))
    }

    /// Returns the GraphQL id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the number at the end (the id in REST), if there is one.
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

/// Which fields of a subscription its transport shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// All fields (GraphQL).
    #[default]
    Whole,
    /// All fields except filter and name (REST). In the binding both are `None`, which means that they are unknown.
    WithoutFilterAndName,
}

impl Visibility {
    /// Whether the transport shows a field. For metafields, the binding itself shows whether they are known.
    pub fn shows(self, field: Field) -> bool {
        self == Self::Whole || !matches!(field, Field::Filter | Field::Name)
    }
}

/// Additional data of a live subscription, from the Admin API. It is not compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The GraphQL id.
    pub id: SubscriptionId,
    /// When it was created, in RFC 3339 as the Admin API returned it.
    pub created_at: String,
    /// When it was last updated, in RFC 3339 as the Admin API returned it.
    pub updated_at: String,
    /// The Admin API version of its payloads. The app's configuration sets it, and it is read-only (recorded 2026-04).
    pub api_version: Option<String>,
    /// Which fields of the binding are known.
    pub visibility: Visibility,
    /// The number of the app that owns the subscription; unknown over REST.
    pub app: Option<u64>,
}
