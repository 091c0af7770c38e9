//! The faults that rules can inject: their options and their effect on a response.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::connection::ConnectionFault;
use super::injector::splitmix;
use super::page::{MAX_PAGE, PageShift};
use super::reply::Reply;

/// Whether a fault hits before or after the request is carried out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Commit {
    /// The request is not carried out.
    #[default]
    Before,
    /// The request is carried out, but the caller does not get its response.
    After,
}

/// What another writer does in `other_writer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WriterAction {
    Add,
    Edit,
    Delete,
}

/// A fault with its options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Fault {
    /// The response is delayed.
    Latency {
        #[serde(default = "some_latency")]
        ms: u64,
        #[serde(default)]
        jitter_ms: u64,
        #[serde(default)]
        commit: Commit,
    },
    /// GraphQL: THROTTLED; REST: 429.
    Throttled {},
    /// 429 with `Retry-After` in seconds.
    RateLimited {
        #[serde(default = "one_second")]
        retry_after: f64,
    },
    ServerError {
        #[serde(default = "unavailable")]
        status: u16,
        #[serde(default)]
        commit: Commit,
    },
    /// An HTML page instead of the response.
    Html {
        #[serde(default = "fine")]
        status: u16,
        #[serde(default)]
        commit: Commit,
    },
    /// An empty body.
    Empty {
        #[serde(default = "fine")]
        status: u16,
        #[serde(default)]
        commit: Commit,
    },
    /// The JSON of the response is truncated, but `Content-Length` fits it.
    Truncated {},
    /// The response is sent in parts over this many milliseconds.
    SlowBody {
        #[serde(default = "some_latency")]
        ms: u64,
    },
    /// The connection is closed in the middle of the response.
    CutBody {},
    /// The connection is closed without a response.
    Drop {
        #[serde(default)]
        commit: Commit,
    },
    /// GraphQL: INTERNAL_SERVER_ERROR for at least one alias; REST: 500.
    InternalError {
        #[serde(default)]
        commit: Commit,
    },
    /// Lists have small pages, and the start of each page after the first is shifted by `by` entries. A negative shift
    /// repeats entries, a positive one skips entries.
    ShiftingPages {
        #[serde(default = "few")]
        size: usize,
        #[serde(default = "one_back")]
        by: i64,
    },
    /// The shop answers 401 from now on.
    TokenRevoked {},
    /// The shop answers 402 from now on.
    Frozen {},
    /// The shop answers 423 from now on.
    Locked {},
    /// The shop answers 401 from now on, and its subscriptions are removed.
    Uninstalled {},
    /// A subscription is removed, as Shopify does after too many failed deliveries.
    Removed {
        /// Only a subscription whose address starts with this text.
        #[serde(default)]
        address: String,
    },
    /// Another client of the app writes before this request is carried out.
    OtherWriter {
        act: WriterAction,
        /// `add`: the topic; `edit` and `delete`: only a subscription of this topic.
        topic: Option<String>,
        /// `add`: the address, with `{n}` for the number of the request; `edit` and `delete`: only an address that starts
        /// with this text.
        #[serde(default)]
        address: String,
        /// `edit`: `key=value`.
        #[serde(default)]
        set: Vec<String>,
    },
}

fn some_latency() -> u64 {
    100
}
fn one_second() -> f64 {
    1.0
}
fn few() -> usize {
    5
}
fn one_back() -> i64 {
    -1
}
fn unavailable() -> u16 {
    503
}
fn fine() -> u16 {
    200
}

pub(super) const NAMES: [&str; 18] = [
    "latency",
    "throttled",
    "rate_limited",
    "server_error",
    "html",
    "empty",
    "truncated",
    "slow_body",
    "cut_body",
    "drop",
    "internal_error",
    "shifting_pages",
    "token_revoked",
    "frozen",
    "locked",
    "uninstalled",
    "removed",
    "other_writer",
];

impl Fault {
    /// The name of the fault in rules.
    pub(super) fn name(&self) -> &'static str {
        let written = json!(self);
        let name = written["fault"].as_str().unwrap_or_default();
        NAMES.into_iter().find(|known| *known == name).unwrap_or_default()
    }

    /// Whether the fault changes the shop instead of the response.
    pub(super) fn changes_shop(&self) -> bool {
        use Fault::{Frozen, Locked, OtherWriter, Removed, TokenRevoked, Uninstalled};
        matches!(self, TokenRevoked {} | Frozen {} | Locked {} | Uninstalled {} | Removed { .. } | OtherWriter { .. })
    }

    /// Checks the options.
    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Self::ServerError { status, .. } if ![500, 502, 503, 504].contains(status) => {
                Err(format!("invalid `status` {status}; expected one of 500, 502, 503, 504"))
            }
            Self::Html { status, .. } | Self::Empty { status, .. }
                if *status != 200 && !(400..600).contains(status) =>
            {
                Err(format!("invalid `status` {status}; expected 200, or 400 to 599"))
            }
            Self::RateLimited { retry_after } if !(0.0..=3600.0).contains(retry_after) => {
                Err(format!("invalid `retry_after` {retry_after}; expected 0 to 3600 seconds"))
            }
            Self::ShiftingPages { size, .. } if !(1..=MAX_PAGE).contains(size) => {
                Err(format!("invalid `size` {size}; expected 1 to {MAX_PAGE} entries"))
            }
            // A list whose pages go back by their whole size would never end.
            Self::ShiftingPages { size, by } if by.unsigned_abs() >= *size as u64 => {
                Err(format!("invalid `by` {by}; a shift must be smaller than a page ({size} entries)"))
            }
            Self::OtherWriter { act: WriterAction::Add, address, .. } if address.is_empty() => {
                Err("`act: add` requires `address`".into())
            }
            Self::OtherWriter { act: WriterAction::Edit, set, .. } if set.is_empty() => {
                Err("`act: edit` requires `set`, such as `set=include_fields=id`".into())
            }
            _ => Ok(()),
        }
    }
}

/// A fault during the execution of a GraphQL or REST request.
pub(super) enum ExecutionFault {
    /// Another caller of the app has just used up the bucket.
    Throttled,
    /// Some root fields fail.
    Internal {
        /// Selects the fields.
        roll: u64,
        /// Whether they fail before or after they are carried out.
        commit: Commit,
    },
    /// Lists have small, shifted pages.
    ShiftedPages(PageShift),
}

impl ExecutionFault {
    /// How the pages of lists are shifted.
    pub(super) fn shift(&self) -> Option<PageShift> {
        match self {
            Self::ShiftedPages(shift) => Some(*shift),
            Self::Throttled | Self::Internal { .. } => None,
        }
    }

    /// Which of `count` root fields fail, in reverse order. At least one does.
    pub(super) fn failing(&self, count: usize) -> Vec<bool> {
        let Self::Internal { roll, .. } = self else { return Vec::new() };
        let mut failing: Vec<bool> = (0..count).map(|at| splitmix(roll ^ at as u64) & 1 == 1).collect();
        if !failing.contains(&true)
            && let Some(last) = failing.last_mut()
        {
            *last = true;
        }
        failing.reverse();
        failing
    }
}

/// What a fault does to a request and its response.
#[derive(Default)]
pub(super) struct Effect {
    /// The response of a request that is not carried out.
    pub(super) instead: Option<Reply>,
    /// The response of a request that is carried out.
    pub(super) afterwards: Option<Reply>,
    pub(super) execution: Option<ExecutionFault>,
    /// Content type and text that replace the body.
    pub(super) body: Option<(&'static str, String)>,
    /// Whether the body is cut in half.
    pub(super) truncated: bool,
    pub(super) connection: ConnectionFault,
}

impl Effect {
    fn reply(commit: Commit, reply: Reply) -> Self {
        match commit {
            Commit::Before => Self { instead: Some(reply), ..Self::default() },
            Commit::After => Self { afterwards: Some(reply), ..Self::default() },
        }
    }

    fn execution(fault: ExecutionFault) -> Self {
        Self { execution: Some(fault), ..Self::default() }
    }

    fn connection(connection: ConnectionFault) -> Self {
        Self { connection, ..Self::default() }
    }

    /// The effect of an injected fault, with its random number, on a request over GraphQL or REST.
    pub(super) fn of((fault, roll): &(Fault, u64), graphql: bool) -> Self {
        let failed = |status| Reply::errors(status, "An unexpected error occurred");
        match fault {
            Fault::Throttled {} if graphql => Self::execution(ExecutionFault::Throttled),
            Fault::Throttled {} => Self::reply(Commit::Before, too_many("2.0".into())),
            Fault::RateLimited { retry_after } => Self::reply(Commit::Before, too_many(format!("{retry_after:?}"))),
            Fault::ServerError { status, commit } => Self::reply(*commit, failed(*status)),
            Fault::InternalError { commit } if graphql => {
                Self::execution(ExecutionFault::Internal { roll: *roll, commit: *commit })
            }
            Fault::InternalError { commit } => Self::reply(*commit, failed(500)),
            Fault::ShiftingPages { size, by } => {
                Self::execution(ExecutionFault::ShiftedPages(PageShift { size: *size, by: *by }))
            }
            Fault::Html { status, commit } => {
                let page =
                    format!("<!DOCTYPE html><html><head><title>{status}</title></head><body>Sorry</body></html>");
                Self { body: Some(("text/html", page)), ..Self::reply(*commit, failed(*status)) }
            }
            Fault::Empty { status, commit } => {
                Self { body: Some(("text/plain", String::new())), ..Self::reply(*commit, failed(*status)) }
            }
            Fault::Drop { commit } => Self { connection: ConnectionFault::Cut, ..Self::reply(*commit, failed(500)) },
            Fault::Truncated {} => Self { truncated: true, ..Self::default() },
            Fault::CutBody {} => Self::connection(ConnectionFault::CutHalfway),
            Fault::SlowBody { ms } => Self::connection(ConnectionFault::Slow(Duration::from_millis(*ms))),
            Fault::Latency { .. }
            | Fault::TokenRevoked {}
            | Fault::Frozen {}
            | Fault::Locked {}
            | Fault::Uninstalled {}
            | Fault::Removed { .. }
            | Fault::OtherWriter { .. } => Self::default(),
        }
    }
}

fn too_many(retry_after: String) -> Reply {
    let message = "Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service.";
    Reply::errors(429, message).header("retry-after", retry_after)
}
