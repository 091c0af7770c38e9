//! A webhook topic.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A topic: its GraphQL enum name is its identity, the slash form is how people write it.
///
/// The GraphQL name follows from the slash form (upper case, `/` and `.` as `_`; checked for all topics of the
/// catalogue), never the other way round. So two topics are one if their GraphQL names are.
#[derive(Debug, Clone)]
pub struct Topic {
    display: Arc<str>,
    graphql: Arc<str>,
}

impl Topic {
    /// A topic in the form in which a person or REST writes it (`orders/create`); a GraphQL name is taken as it is.
    pub fn from_slash(text: &str) -> Self {
        Self { display: text.into(), graphql: text.to_uppercase().replace(['/', '.'], "_").into() }
    }

    /// The GraphQL enum name (`ORDERS_CREATE`).
    pub fn graphql(&self) -> &str {
        &self.graphql
    }

    /// The form for people: slash form where it is known, else the GraphQL name.
    pub fn as_str(&self) -> &str {
        &self.display
    }

    /// [`Topic::as_str`], shared.
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
