//! Judges the destinations of a manifest from the answers of Adobe. This module is pure: the time is an argument.
//!
//! ```text
//! answers of `adobe` ─▶ assess: Lookups (an address or an error for each query, an assessment for each destination)
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

/// A dataflow or connection to which webhooks can deliver. Names and addresses are unescaped text from Adobe and must
/// be escaped when printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inlet {
    /// Whether it is a dataflow or a connection.
    pub kind: InletKind,
    /// Id at Adobe.
    pub id: String,
    /// Name at Adobe; empty if it has none.
    pub name: String,
    /// State at Adobe: `enabled`, `disabled` or an intermediate state; empty if Adobe reports none. For an enabled
    /// dataflow, this is the state of the connection that has its address.
    pub state: String,
    /// The streaming address, Adobe's `inletUrl`.
    pub address: Option<String>,
    /// Whether the address accepts only requests with an IMS token, which Shopify cannot send.
    pub authentication_required: bool,
    /// Time of creation.
    pub created_at: Option<Timestamp>,
    /// Time of the last change.
    pub updated_at: Option<Timestamp>,
    /// IMS organisation in the answer.
    pub org: Option<String>,
    /// Adobe sandbox in the answer.
    pub sandbox: Option<String>,
    /// State of a dataflow's last run; `None` if it never ran.
    pub last_run_state: Option<String>,
}

/// A run of a streaming dataflow: a window of one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FlowRun {
    /// Id of the run.
    pub id: String,
    /// Start of the window.
    pub started_at: Option<Timestamp>,
    /// End of the window; `None` while the run continues.
    pub completed_at: Option<Timestamp>,
    /// Status as reported by Adobe.
    pub status: Option<String>,
    /// Number of received records.
    pub received: Option<u64>,
    /// Number of written records.
    pub created: Option<u64>,
    /// Number of failed records.
    pub failed: Option<u64>,
    /// Code and message of the first error, without secrets and control characters.
    pub first_error: Option<String>,
}
