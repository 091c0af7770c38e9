//! The log of requests. It holds no token, code or secret.

use std::collections::VecDeque;

use serde::Serialize;

/// Number of requests that are kept in memory. The log file keeps all of them.
const KEPT: usize = 10_000;

/// One logged request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct LoggedRequest {
    /// Starts at 1 and continues across restarts.
    pub(super) seq: u64,
    /// RFC 3339.
    pub(super) at: String,
    pub(super) shop: Option<String>,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) operation: Option<&'static str>,
    pub(super) fields: Vec<String>,
    pub(super) status: u16,
    pub(super) cost: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) grant: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) faults: Vec<&'static str>,
}

/// Fields that the handlers add to the log entry of a request.
#[derive(Debug, Default)]
pub(super) struct RequestFacts {
    /// `query` or `mutation`; `None` if the request is not GraphQL or the document was refused.
    pub(super) operation: Option<&'static str>,
    /// Names of the GraphQL root fields, in order.
    pub(super) fields: Vec<String>,
    /// The actual GraphQL cost; `None` if nothing was executed.
    pub(super) cost: Option<u32>,
    /// The grant type of a token request.
    pub(super) grant: Option<&'static str>,
    /// Names of the injected faults.
    pub(super) faults: Vec<&'static str>,
}

/// The latest requests and the number of the last one.
#[derive(Debug, Default)]
pub(super) struct RequestLog {
    pub(super) entries: VecDeque<LoggedRequest>,
    pub(super) seq: u64,
}

impl RequestLog {
    /// Adds an entry with the next number and drops the oldest one if the log is full.
    pub(super) fn push(&mut self, entry: LoggedRequest) -> &LoggedRequest {
        self.seq += 1;
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(LoggedRequest { seq: self.seq, ..entry });
        &self.entries[self.entries.len() - 1]
    }
}
