//! The log of requests: what was asked, never with what token, code or secret.

use serde::Serialize;

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Entry {
    /// From 1; goes on over restarts.
    pub(super) seq: u64,
    /// RFC 3339.
    pub(super) at: String,
    pub(super) shop: Option<String>,
    pub(super) method: String,
    pub(super) path: String,
    /// `query` or `mutation`; `None`: not GraphQL, or refused before it was understood.
    pub(super) operation: Option<&'static str>,
    /// Names of the root fields, in order.
    pub(super) fields: Vec<String>,
    pub(super) status: u16,
    /// The actual cost; `None`: not executed.
    pub(super) cost: Option<u32>,
    /// What a token was asked for with; `None`: no such request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) grant: Option<&'static str>,
    /// The faults that struck it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) faults: Vec<&'static str>,
}
