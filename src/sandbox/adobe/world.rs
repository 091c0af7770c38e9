//! What Adobe holds. Pure: the time is passed in, in milliseconds since 1970.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::super::oauth::Secret;

/// How long a token lives, in seconds, unless the seed says so (documented).
pub(super) const TOKEN_SECONDS: i64 = 86_399;
/// Items a page, unless the seed or the query's `limit` says so. Adobe's own number is not established; a small one has lists paged.
pub(super) const PAGE: usize = 20;
pub(super) const HOUR: i64 = 3_600_000;

/// Adobe's side of a state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in super::super) struct Adobe {
    /// `None`: whichever is asked for.
    pub(super) org: Option<String>,
    /// `None`: whoever asks.
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<Secret>,
    pub(super) token_seconds: Option<i64>,
    pub(super) page_size: Option<usize>,
    /// Dataflows and connections, as they were made.
    pub(super) inlets: Vec<Inlet>,
    /// Sandboxes of which the last dataflow or connection was deleted: they are still there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) emptied: Vec<String>,
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

/// What a token is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Good,
    /// Good, but of another client.
    OfAnother,
    /// None of these, or over.
    Bad,
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
        self.signed(state, &hash(&["client", client]), end)
    }

    fn signed(&self, state: &str, client: &str, end: i64) -> String {
        let sign = hash(&["token", state, client, &end.to_string(), &self.revoked.to_string()]);
        format!("sandbox.{end}.{client}.{sign}")
    }

    /// What a token is worth to a client.
    pub(super) fn standing(&self, state: &str, client: &str, token: &str, now: i64) -> Standing {
        let mut parts = token.split('.').skip(1);
        let end = parts.next().and_then(|end| end.parse::<i64>().ok()).filter(|end| *end > now);
        match end.zip(parts.next()) {
            Some((end, owner)) if self.signed(state, owner, end) == token => {
                if owner == hash(&["client", client]) {
                    Standing::Good
                } else {
                    Standing::OfAnother
                }
            }
            _ => Standing::Bad,
        }
    }

    /// Whether the sandbox is there. Without anything from a seed every one is, and nothing in it.
    pub(super) fn knows_sandbox(&self, name: &str) -> bool {
        let named = |inlet: &Inlet| inlet.sandbox == name;
        !self.is_seeded() || name == "prod" || self.inlets.iter().any(named) || self.emptied.iter().any(|s| s == name)
    }

    pub(in super::super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// All tokens end.
    pub(in super::super) fn revoke_tokens(&mut self) {
        self.revoked += 1;
    }

    /// Whether a seed said anything of it.
    pub(in super::super) fn is_seeded(&self) -> bool {
        let Self { org, client_id, client_secret, inlets, emptied, .. } = self;
        let account = org.is_some() || client_id.is_some() || client_secret.is_some();
        account || !inlets.is_empty() || !emptied.is_empty()
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
}
