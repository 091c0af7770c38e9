//! The state of Adobe's side. Pure: times are passed in, in milliseconds since 1970.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::super::oauth::Secret;

/// Default lifetime of a token, in seconds (documented).
pub(super) const TOKEN_SECONDS: i64 = 86_399;
/// Default size of a page. Adobe's is not established. A small one makes clients use several pages.
pub(super) const PAGE: usize = 20;
pub(super) const HOUR: i64 = 3_600_000;

/// Adobe's side of a state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in super::super) struct Adobe {
    /// `None` accepts any organization.
    pub(super) org: Option<String>,
    /// `None` accepts any client.
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<Secret>,
    pub(super) token_seconds: Option<i64>,
    pub(super) page_size: Option<usize>,
    /// Dataflows and connections, in order of their creation.
    pub(super) inlets: Vec<Inlet>,
    /// Sandboxes whose last dataflow or connection was deleted. They still exist.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) emptied: Vec<String>,
    /// Number of times that all tokens were revoked. It is part of the signature of tokens.
    pub(super) revoked: u64,
    /// Number of times that an inlet was recreated. It makes new ids unique.
    pub(super) remade: u64,
}

/// The kinds of objects at Adobe that receive webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InletKind {
    /// A dataflow.
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
    /// For a dataflow: the base connection of its source has the address.
    #[serde(default)]
    pub(super) over_connection: bool,
    #[serde(default)]
    pub(super) authentication_required: bool,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    #[serde(default)]
    pub(super) runs: Vec<Run>,
}

/// A run of a dataflow, which lasts an hour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) started_at: i64,
    pub(super) status: RunStatus,
    pub(super) received: u64,
    pub(super) failed: u64,
}

/// The result of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunStatus {
    /// All records were accepted.
    Success,
    /// Some records were refused.
    Partial,
    /// All records were refused.
    Failed,
}

impl RunStatus {
    /// The text in responses.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Partial => "partialSuccess",
            Self::Failed => "failed",
        }
    }
}

/// The state of a token for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AdobeTokenState {
    Valid,
    /// Valid for another client.
    OtherClient,
    /// Unknown, revoked or expired.
    Invalid,
}

fn hash(parts: &[&str]) -> String {
    let digest = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part).chain_update([0])).finalize();
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Derives a UUID from texts.
pub(super) fn uuid(parts: &[&str]) -> String {
    let hex = hash(parts);
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

/// Derives an address in the form of Adobe's: 64 hexadecimal digits.
pub(super) fn address(id: &str) -> String {
    format!("https://dcs.adobedc.net/collection/{}", hash(&["inlet", id]))
}

impl Adobe {
    /// Issues a token that contains its expiry and a signature, so it does not have to be stored.
    pub(super) fn token(&self, state: &str, client: &str, end: i64) -> String {
        self.signed(state, &hash(&["client", client]), end)
    }

    fn signed(&self, state: &str, client: &str, end: i64) -> String {
        let sign = hash(&["token", state, client, &end.to_string(), &self.revoked.to_string()]);
        format!("sandbox.{end}.{client}.{sign}")
    }

    /// Returns the state of a token for a client.
    pub(super) fn token_state(&self, state: &str, client: &str, token: &str, now: i64) -> AdobeTokenState {
        let mut parts = token.split('.').skip(1);
        let end = parts.next().and_then(|end| end.parse::<i64>().ok()).filter(|end| *end > now);
        match end.zip(parts.next()) {
            Some((end, owner)) if self.signed(state, owner, end) == token => {
                if owner == hash(&["client", client]) {
                    AdobeTokenState::Valid
                } else {
                    AdobeTokenState::OtherClient
                }
            }
            _ => AdobeTokenState::Invalid,
        }
    }

    /// Whether the sandbox exists. Without a seed every sandbox exists and is empty.
    pub(super) fn knows_sandbox(&self, name: &str) -> bool {
        let named = |inlet: &Inlet| inlet.sandbox == name;
        !self.is_seeded() || name == "prod" || self.inlets.iter().any(named) || self.emptied.iter().any(|s| s == name)
    }

    pub(in super::super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Revokes all tokens.
    pub(in super::super) fn revoke_tokens(&mut self) {
        self.revoked += 1;
    }

    /// Whether a seed described Adobe's side.
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
