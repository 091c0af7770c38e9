//! What earlier runs say about drift: whether a missing subscription was live once, and which drift is old news.
//!
//! Pure. Journals, apply reports and earlier plans go in as bytes and are told apart by their content; what comes out
//! are findings and counts. Nothing is claimed that no file shows: without a file that has it live, a subscription was
//! "never made" as far as anybody knows.

mod explain;
mod read;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::wire::events::Key;
use crate::wire::plan::{Change, Subscription};

pub use explain::explain;
pub use read::SinceError;

/// A place where a subscription can be: shop, topic, key.
type Route = (String, String, Key);

/// What earlier files show.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The newest that is known of each route.
    routes: BTreeMap<Route, Seen>,
    /// When an apply last touched a subscription: shop, id.
    touched: BTreeMap<(String, String), Timestamp>,
    /// Earlier readings of each shop, the oldest first.
    readings: BTreeMap<String, Vec<Reading>>,
    /// Lines of journals that could not be read, such as the last one of a run that was killed.
    pub unreadable_lines: usize,
}

#[derive(Debug, Clone, PartialEq)]
struct Seen {
    at: Timestamp,
    /// Live then; else an apply had just taken it away.
    live: bool,
    id: Option<String>,
}

/// One shop in one earlier plan.
#[derive(Debug, Clone, PartialEq)]
struct Reading {
    at: Timestamp,
    /// What the manifest asked of the shop then.
    desired_digest: String,
    /// Its changes, and since when they were known then.
    had: BTreeMap<String, Option<Timestamp>>,
    /// Wanted and not live then: topic, key.
    missing: BTreeSet<(String, Key)>,
    /// Wanted, not live and not possible then: topic, destination.
    blocked: BTreeSet<(String, String)>,
}

impl History {
    /// Takes a file in. The order of files does not matter, unless two say something of the same second.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), SinceError> {
        read::file(self, bytes)
    }

    fn saw(&mut self, route: Route, seen: Seen) {
        let newer = self.routes.get(&route).is_none_or(|known| known.at <= seen.at);
        if newer {
            self.routes.insert(route, seen);
        }
    }
}

/// What makes two changes of one shop the same: what is there and what is to be there. Times do not count.
fn identity(change: &Change) -> String {
    let side = |side: &Option<Subscription>| {
        side.clone().map(|s| Subscription { created_at: None, updated_at: None, api_version: None, ..s })
    };
    let parts = (change.action, &change.topic, side(&change.before), side(&change.after));
    serde_json::to_string(&parts).unwrap_or_default()
}

#[cfg(test)]
mod tests;
