//! Edits of Adobe's side: `sandbox edit flow` and `sandbox edit connection`. Pure.

use serde::{Deserialize, Serialize};

use super::super::error::SandboxError;
use super::world::{Adobe, HOUR, Inlet, InletKind, Run, RunStatus, address, uuid};

/// A change of a dataflow or a connection, as in Adobe's tools.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InletEdit {
    /// Dataflow or connection.
    pub kind: InletKind,
    /// Name or id.
    pub which: String,
    /// The change.
    pub act: InletAction,
}

/// A change of a dataflow or a connection.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InletAction {
    /// Enable it.
    Enable,
    /// Disable it.
    Disable,
    /// Delete and create it again: it gets another id and another address.
    Recreate,
    /// Delete it.
    Delete,
    /// Set the time of its last change to now.
    Touch,
    /// Set its creation and its last change to this many milliseconds ago.
    Settle(i64),
    /// Require a token from Adobe on each request.
    RequireAuthentication,
    /// Add a run in the hour that just ended.
    Run {
        /// The result.
        status: RunStatus,
        /// Received records.
        received: u64,
        /// Refused records.
        failed: u64,
    },
}

impl Inlet {
    /// Refuses a change that no response could show.
    fn check(&self, action: &InletAction) -> Result<(), SandboxError> {
        let own_address = self.kind == InletKind::Flow && !self.over_connection;
        match action {
            InletAction::RequireAuthentication if own_address => Err(SandboxError::Edit(format!(
                "dataflow {:?} has an address of its own and cannot require a token; use a connection, or a dataflow \
                 seeded with `inlet: connection`",
                self.name
            ))),
            InletAction::Run { .. } if self.kind == InletKind::Connection => Err(SandboxError::Edit(format!(
                "connection {:?} has no runs; add a run to a dataflow with `hookwright sandbox edit flow NAME --run success`",
                self.name
            ))),
            _ => Ok(()),
        }
    }
}

impl Adobe {
    /// Carries out the edit and returns a message about it.
    pub(in super::super) fn edit(&mut self, edit: &InletEdit, now: i64) -> Result<String, SandboxError> {
        let at = self.position(edit)?;
        self.inlets[at].check(&edit.act)?;
        self.remade += u64::from(matches!(edit.act, InletAction::Recreate));
        let Self { inlets, remade, emptied, .. } = self;
        let inlet = &mut inlets[at];
        let name = inlet.name.clone();
        let done = match &edit.act {
            InletAction::Enable | InletAction::Disable => {
                let state = if matches!(edit.act, InletAction::Enable) { "enabled" } else { "disabled" };
                state.clone_into(&mut inlet.state);
                inlet.updated_at = now;
                inlet.state.clone()
            }
            InletAction::Recreate => {
                inlet.id = uuid(&[&inlet.id, &remade.to_string()]);
                inlet.address = address(&inlet.id);
                (inlet.created_at, inlet.updated_at, inlet.runs) = (now, now, Vec::new());
                format!("recreated: {} {}", inlet.id, inlet.address)
            }
            InletAction::Delete => {
                let gone = inlets.remove(at);
                if inlets.iter().all(|inlet| inlet.sandbox != gone.sandbox) {
                    emptied.push(gone.sandbox);
                }
                "deleted".to_owned()
            }
            InletAction::Touch => {
                inlet.updated_at = now;
                "changed just now".to_owned()
            }
            InletAction::Settle(ago) => {
                (inlet.created_at, inlet.updated_at) = (now.saturating_sub(*ago), now.saturating_sub(*ago));
                "age of creation and last change set".to_owned()
            }
            InletAction::RequireAuthentication => {
                inlet.authentication_required = true;
                "requires an Adobe token".to_owned()
            }
            InletAction::Run { status, received, failed } => {
                let (received, failed) = (*received, *failed);
                // Runs of the same second still have an order.
                let after = inlet.runs.iter().map(|run| run.started_at + 1).max().unwrap_or_default();
                inlet.runs.push(Run { started_at: after.max(now - HOUR), status: *status, received, failed });
                format!("added a run of one hour: {}, {received} records received, {failed} refused", status.word())
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
                let there = if all.is_empty() {
                    format!("the state has no {what}")
                } else {
                    format!("available: {}", listed(&all))
                };
                Err(SandboxError::Edit(format!("{what} {which:?} not found; {there}")))
            }
            several => {
                Err(SandboxError::Edit(format!("the name {which:?} is ambiguous; use an id: {}", listed(several))))
            }
        }
    }
}
