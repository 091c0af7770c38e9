//! What can go wrong, and the options of each.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::page::MAX_PAGE;

/// On which side of the commit something goes wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Commit {
    /// Nothing is carried out.
    #[default]
    Before,
    /// It is carried out, and the caller does not learn it.
    After,
}

/// What another writer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Act {
    Add,
    Edit,
    Delete,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Fault {
    /// The answer takes longer.
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
    /// 429 with Retry-After, in seconds.
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
    /// An HTML page instead of the answer.
    Html {
        #[serde(default = "fine")]
        status: u16,
        #[serde(default)]
        commit: Commit,
    },
    /// No body.
    Empty {
        #[serde(default = "fine")]
        status: u16,
        #[serde(default)]
        commit: Commit,
    },
    /// The answer's JSON ends in the middle, though HTTP says that it is whole.
    Truncated {},
    /// The answer comes in drops, over so many milliseconds.
    SlowBody {
        #[serde(default = "some_latency")]
        ms: u64,
    },
    /// The connection ends in the middle of the answer.
    CutBody {},
    /// The connection ends without an answer.
    Drop {
        #[serde(default)]
        commit: Commit,
    },
    /// GraphQL: INTERNAL_SERVER_ERROR for some aliases, at least one; REST: 500.
    InternalError {
        #[serde(default)]
        commit: Commit,
    },
    /// A list comes in small pages, and those after the first begin some entries off: below 0 they repeat entries, above
    /// 0 they leave entries out, at 0 they are only small.
    ShiftingPages {
        #[serde(default = "few")]
        size: usize,
        #[serde(default = "one_back")]
        by: i64,
    },
    /// From now on the shop answers 401.
    TokenRevoked {},
    /// From now on 402.
    Frozen {},
    /// From now on 423.
    Locked {},
    /// From now on 401, and its subscriptions are gone.
    Uninstalled {},
    /// A subscription disappears, as when its endpoint failed too often; one whose address starts so.
    Removed {
        #[serde(default)]
        address: String,
    },
    /// Somebody else writes before this request is carried out.
    OtherWriter {
        act: Act,
        /// Of what is added; of `edit` and `delete`: only such.
        topic: Option<String>,
        /// Of what is added, `{n}` stands for the request's number; of `edit` and `delete`: its beginning.
        #[serde(default)]
        address: String,
        /// `key=value`, for `edit`.
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
    /// The name that rules call it by.
    pub(super) fn name(&self) -> &'static str {
        let written = json!(self);
        let name = written["fault"].as_str().unwrap_or_default();
        NAMES.into_iter().find(|known| *known == name).unwrap_or_default()
    }

    /// Whether it changes the shop instead of the answer.
    pub(super) fn is_deed(&self) -> bool {
        use Fault::{Frozen, Locked, OtherWriter, Removed, TokenRevoked, Uninstalled};
        matches!(self, TokenRevoked {} | Frozen {} | Locked {} | Uninstalled {} | Removed { .. } | OtherWriter { .. })
    }

    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Self::ServerError { status, .. } if ![500, 502, 503, 504].contains(status) => {
                Err(format!("status {status} is no server error; one of 500, 502, 503, 504"))
            }
            Self::Html { status, .. } | Self::Empty { status, .. }
                if *status != 200 && !(400..600).contains(status) =>
            {
                Err(format!("status {status} can't be; 200, or one from 400 to 599"))
            }
            Self::RateLimited { retry_after } if !(0.0..=3600.0).contains(retry_after) => {
                Err(format!("retry_after {retry_after} can't be; seconds, at most 3600"))
            }
            Self::ShiftingPages { size, .. } if !(1..=MAX_PAGE).contains(size) => {
                Err(format!("invalid size {size}: 1 to {MAX_PAGE} entries"))
            }
            // Pages that go back by their whole size would never end.
            Self::ShiftingPages { size, by } if by.unsigned_abs() >= *size as u64 => {
                Err(format!("invalid by {by}: a shift is smaller than a page ({size})"))
            }
            Self::OtherWriter { act: Act::Add, address, .. } if address.is_empty() => {
                Err("act: add needs an address".into())
            }
            Self::OtherWriter { act: Act::Edit, set, .. } if set.is_empty() => {
                Err("act: edit needs set, as in include_fields=id".into())
            }
            _ => Ok(()),
        }
    }
}
