//! A webhook topic.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A topic. Its GraphQL enum name identifies it; users write the slash form.
///
/// The slash form determines the GraphQL name (upper case, `_` for `/` and `.`; checked for all topics of the
/// catalogue), but not vice versa. Two topics are equal if their GraphQL names are.
#[derive(Debug, Clone)]
pub struct Topic {
    display: Arc<str>,
    graphql: Arc<str>,
}

impl Topic {
    /// Creates a topic from the slash form of a manifest or of REST (`orders/create`), or from a GraphQL name.
    pub fn from_slash(text: &str) -> Self {
        Self { display: text.into(), graphql: text.to_uppercase().replace(['/', '.'], "_").into() }
    }

    /// Returns the GraphQL enum name (`ORDERS_CREATE`).
    pub fn graphql(&self) -> &str {
        &self.graphql
    }

    /// Returns the form for messages: the slash form if it is known, otherwise the GraphQL name.
    pub fn as_str(&self) -> &str {
        &self.display
    }

    /// Returns the shared text of [`Topic::as_str`].
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.display)
    }
}

impl PartialEq for Topic {
    fn eq(&self, other: &Self) -> bool {
        self.graphql == other.graphql
    }
}
impl Eq for Topic {}
impl PartialOrd for Topic {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Topic {
    fn cmp(&self, other: &Self) -> Ordering {
        self.graphql.cmp(&other.graphql)
    }
}
impl Hash for Topic {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.graphql.hash(state);
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display)
    }
}
