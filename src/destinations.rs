//! What Adobe's answers mean for the destinations of a manifest, and so for a plan. Pure: the time is an argument.
//!
//! ```text
//! answers of `adobe` ─▶ assess: Lookups (an address or a reason for each query, an assessment for each destination)
//!                    └▶ check_pasted: which dataflow or connection has an address of the manifest
//! Assessment ─▶ to_plan
//! ```

mod assessment;
mod changed;
mod lookup;
mod pasted;
mod replaced;
pub(crate) mod verdict;

use jiff::Timestamp;

use crate::state::aep::InletKind;

pub(crate) use assessment::Assessment;
pub(crate) use changed::changed;
pub(crate) use lookup::{Answers, Lookups, assess, not_looked_up, unresolved};
pub(crate) use pasted::{check_pasted, flow_id, has_id, pasted, unchecked};
pub(crate) use replaced::{addresses_before, replaced};
pub(crate) use verdict::Verdict;

/// A dataflow or connection, as far as a webhook is concerned. Names and addresses are Adobe's text as it came: whoever
/// prints them escapes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inlet {
    /// A dataflow or a connection.
    pub kind: InletKind,
    /// Its id.
    pub id: String,
    /// Its name; empty if it has none.
    pub name: String,
    /// `enabled`, `disabled` or a word in between; empty if Adobe does not say. Of a dataflow whose own state is
    /// `enabled`, that of the connection that has its address.
    pub state: String,
    /// The streaming address, Adobe's `inletUrl`.
    pub address: Option<String>,
    /// Whether the address takes only requests with a token of IMS, which Shopify cannot send.
    pub authentication_required: bool,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
    /// The organisation that the answer names.
    pub org: Option<String>,
    /// The sandbox that the answer names.
    pub sandbox: Option<String>,
    /// State of a dataflow's last run; none if it never ran.
    pub last_run_state: Option<String>,
}

/// An hour of a streaming dataflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FlowRun {
    /// Its id.
    pub id: String,
    /// When its window began.
    pub started_at: Option<Timestamp>,
    /// When its window ended; none while it lasts.
    pub completed_at: Option<Timestamp>,
    /// Adobe's word for it.
    pub status: Option<String>,
    /// Records that came in.
    pub received: Option<u64>,
    /// Records that were written.
    pub created: Option<u64>,
    /// Records that failed.
    pub failed: Option<u64>,
    /// The first of its errors, code and message; without secrets and control characters.
    pub first_error: Option<String>,
}
