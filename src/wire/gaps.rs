//! The JSON of `gaps`, version 1. A minor version adds keys and causes.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::since::{self, GapCause};

/// The document that `gaps --format json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Gaps {
    /// `1.x`
    pub format_version: String,
    /// Version of Hookwright that wrote the document.
    pub tool_version: String,
    /// Counts.
    pub summary: GapsSummary,
    /// Windows, sorted by shop, topic, address and time.
    pub gaps: Vec<Gap>,
}

/// Counts of windows.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GapsSummary {
    /// Number of windows.
    pub gaps: usize,
    /// Number of windows in which the binding is not live again, as far as the files show.
    pub open: usize,
    /// Number of shops with windows.
    pub shops: usize,
}

/// A window in which a binding was not live. Times are RFC 3339 in UTC.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Gap {
    /// Full domain of the shop.
    pub shop: String,
    /// Topic in slash form.
    pub topic: String,
    /// Name of the destination; null if no file has one.
    pub destination: Option<String>,
    /// Delivery address.
    pub address: String,
    /// `json` or `xml`.
    pub format: String,
    /// Filter in Shopify's search syntax; null for none.
    pub filter: Option<String>,
    /// `removed` (outside Hookwright), `removed_by_apply`, `changed` (the live subscription had another address, format or
    /// filter), `blocked` (could not be created or updated, so it is not known whether it was live), or `never_live` (in the
    /// files).
    pub cause: &'static str,
    /// The last time at which a file shows the binding live, or at which an apply removed it; null for `never_live`.
    pub last_live: Option<String>,
    /// The first time at which a file shows that the binding was not live.
    pub first_missing: String,
    /// The first time after that at which a file shows the binding live; null if it is not live again.
    pub restored: Option<String>,
    /// The time from which on events can be lost: for `removed` four hours before `last_live`, because deliveries fail before
    /// Shopify removes a subscription. Null for `never_live`.
    pub loss_from: Option<String>,
}

impl Gaps {
    /// Creates a document of this version.
    pub fn new(gaps: &[since::Gap]) -> Self {
        let gaps: Vec<Gap> = gaps.iter().map(Gap::from).collect();
        let summary = GapsSummary {
            gaps: gaps.len(),
            open: gaps.iter().filter(|gap| gap.restored.is_none()).count(),
            shops: gaps.iter().map(|gap| &gap.shop).collect::<BTreeSet<_>>().len(),
        };
        let tool_version = env!("CARGO_PKG_VERSION").to_owned();
        Self { format_version: "1.0".to_owned(), tool_version, summary, gaps }
    }
}

impl From<&since::Gap> for Gap {
    fn from(gap: &since::Gap) -> Self {
        let since::Gap { shop, topic, key, destination, cause, last_live, first_missing, restored } = gap;
        Self {
            shop: shop.to_string(),
            topic: topic.to_string(),
            destination: destination.clone(),
            address: key.address.to_string(),
            format: key.format.as_str().to_owned(),
            filter: key.filter.clone(),
            cause: match cause {
                GapCause::Removed => "removed",
                GapCause::RemovedByApply => "removed_by_apply",
                GapCause::Changed => "changed",
                GapCause::Blocked => "blocked",
                GapCause::NeverLive => "never_live",
            },
            last_live: last_live.map(|at| at.to_string()),
            first_missing: first_missing.to_string(),
            restored: restored.map(|at| at.to_string()),
            loss_from: gap.loss_from().map(|at| at.to_string()),
        }
    }
}
