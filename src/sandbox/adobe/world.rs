//! What Adobe holds. Pure: the time is passed in, in milliseconds since 1970.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::super::error::SandboxError;

/// How long a token lives, in seconds, unless the seed says so (documented).
pub(super) const TOKEN_SECONDS: i64 = 86_399;
/// Items a page, unless the seed says so. Adobe's own number is not established; a small one has lists paged.
pub(super) const PAGE: usize = 20;
const HOUR: i64 = 3_600_000;

/// Adobe's side of a state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in super::super) struct Adobe {
    /// `None`: whichever is asked for.
    pub(super) org: Option<String>,
    /// `None`: whoever asks.
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<String>,
    pub(super) token_seconds: Option<i64>,
    pub(super) page_size: Option<usize>,
    /// Dataflows and connections, as they were made.
    pub(super) inlets: Vec<Inlet>,
    /// How often all tokens were revoked.
    pub(super) revoked: u64,
    /// How many were made again: no two have one id.
    pub(super) remade: u64,
}

/// What a webhook can be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InletKind {
    /// A dataflow with an address of its own.
    Flow,
    /// An HTTP API connection.
    Connection,
}

/// A dataflow or a connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Inlet {
    pub(super) kind: InletKind,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) sandbox: String,
    pub(super) state: String,
    pub(super) address: String,
    /// Of a dataflow: its address is at the base connection of its source.
    #[serde(default)]
    pub(super) over_connection: bool,
    #[serde(default)]
    pub(super) authentication_required: bool,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    #[serde(default)]
    pub(super) runs: Vec<Run>,
}

/// An hour of a dataflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) started_at: i64,
    pub(super) status: RunStatus,
    pub(super) received: u64,
    pub(super) failed: u64,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// All was taken.
    Success,
    /// Some was not.
    Partial,
    /// Nothing was.
    Failed,
}

impl RunStatus {
    /// The word in an answer.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Partial => "partialSuccess",
            Self::Failed => "failed",
        }
    }
}

/// A change by hand: what somebody does in Adobe's tools.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InletEdit {
    /// Among what.
    pub kind: InletKind,
    /// Name or id.
    pub which: String,
    /// What is done.
    pub act: Act,
}

/// What is done to a dataflow or connection.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// It takes data.
    Enable,
    /// It takes none.
    Disable,
    /// It is made again: another id, another address.
    Recreate,
    /// It is gone.
    Delete,
    /// It was made and last changed so long ago, in milliseconds.
    Settle(i64),
    /// It takes only requests with a token of Adobe's.
    RequireAuthentication,
    /// It ran for an hour, just now.
    Run {
        /// How that ended.
        status: RunStatus,
        /// Records that came.
        received: u64,
        /// Records that were refused.
        failed: u64,
    },
}

fn hash(parts: &[&str]) -> String {
    let digest = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part).chain_update([0])).finalize();
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A UUID that is always the same for the same.
pub(super) fn uuid(parts: &[&str]) -> String {
    let hex = hash(parts);
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

/// An address as Adobe's are: 64 hexadecimal digits.
pub(super) fn address(id: &str) -> String {
    format!("https://dcs.adobedc.net/collection/{}", hash(&["inlet", id]))
}

impl Adobe {
    /// A token for a client, with its end in it: whoever holds the state knows it again, and nothing is written down.
    pub(super) fn token(&self, state: &str, client: &str, end: i64) -> String {
        format!("sandbox.{end}.{}", hash(&["token", state, client, &end.to_string(), &self.revoked.to_string()]))
    }

    /// Whether a token is one of the client's, and good.
    pub(super) fn takes(&self, state: &str, client: &str, token: &str, now: i64) -> bool {
        let end = token.split('.').nth(1).and_then(|end| end.parse::<i64>().ok());
        end.is_some_and(|end| end > now && self.token(state, client, end) == token)
    }

    pub(in super::super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// All tokens end.
    pub(in super::super) fn revoke_tokens(&mut self) {
        self.revoked += 1;
    }

    /// Whether there is anything to tell.
    pub(in super::super) fn has_inlets(&self) -> bool {
        !self.inlets.is_empty()
    }

    /// One line for each dataflow and connection.
    pub(in super::super) fn lines(&self) -> Vec<String> {
        let line = |inlet: &Inlet| {
            let kind = if inlet.kind == InletKind::Flow { "flow" } else { "connection" };
            let closed = if inlet.authentication_required { ", needs a token" } else { "" };
            format!("{kind} {:?}  {}{closed}  {}  {}", inlet.name, inlet.state, inlet.id, inlet.address)
        };
        self.inlets.iter().map(line).collect()
    }

    /// Does it, and tells what happened.
    pub(in super::super) fn edit(&mut self, edit: &InletEdit, now: i64) -> Result<String, SandboxError> {
        let at = self.position(edit)?;
        self.remade += u64::from(matches!(edit.act, Act::Recreate));
        let Self { inlets, remade, .. } = self;
        let inlet = &mut inlets[at];
        let name = inlet.name.clone();
        let done = match &edit.act {
            Act::Enable | Act::Disable => {
                inlet.state = if matches!(edit.act, Act::Enable) { "enabled" } else { "disabled" }.to_owned();
                inlet.updated_at = now;
                inlet.state.clone()
            }
            Act::Recreate => {
                inlet.id = uuid(&[&inlet.id, &remade.to_string()]);
                inlet.address = address(&inlet.id);
                (inlet.created_at, inlet.updated_at, inlet.runs) = (now, now, Vec::new());
                format!("made again: {} {}", inlet.id, inlet.address)
            }
            Act::Delete => {
                inlets.remove(at);
                "deleted".to_owned()
            }
            Act::Settle(ago) => {
                (inlet.created_at, inlet.updated_at) = (now.saturating_sub(*ago), now.saturating_sub(*ago));
                "made and changed some time ago".to_owned()
            }
            Act::RequireAuthentication => {
                inlet.authentication_required = true;
                "takes only requests with a token of Adobe's".to_owned()
            }
            Act::Run { status, received, failed } => {
                let (received, failed) = (*received, *failed);
                inlet.runs.push(Run { started_at: now - HOUR, status: *status, received, failed });
                format!("ran for an hour: {}, {received} records came, {failed} were refused", status.word())
            }
        };
        Ok(format!("{name:?}: {done}"))
    }

    fn position(&self, edit: &InletEdit) -> Result<usize, SandboxError> {
        let of_kind = || self.inlets.iter().enumerate().filter(|(_, inlet)| inlet.kind == edit.kind);
        let which = &edit.which;
        let found: Vec<_> = of_kind().filter(|(_, i)| i.id == *which || i.name == *which).collect();
        let what = if edit.kind == InletKind::Flow { "dataflow" } else { "connection" };
        let listed = |all: &[(usize, &Inlet)]| {
            let names: Vec<String> =
                all.iter().map(|(_, i)| format!("{:?} ({}, sandbox {})", i.name, i.id, i.sandbox)).collect();
            names.join(", ")
        };
        match found.as_slice() {
            [(at, _)] => Ok(*at),
            [] => {
                let all: Vec<_> = of_kind().collect();
                let there =
                    if all.is_empty() { "there is none".to_owned() } else { format!("there is {}", listed(&all)) };
                Err(SandboxError::Edit(format!("no {what} is called {which:?}; {there}")))
            }
            several => {
                Err(SandboxError::Edit(format!("several are called {which:?}; name the id: {}", listed(several))))
            }
        }
    }
}
