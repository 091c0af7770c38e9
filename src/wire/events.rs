//! JSON lines, version 1: the journal of an apply (`--journal`) and the events of a run (`--events`). One line is one
//! object with a `type`; a version line opens each run. Holds no secret.
//!
//! A minor version adds keys and types; readers ignore those that they do not know. Another major version is refused.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::ShopStatus;
use crate::wire;
use crate::wire::plan::{Action, ShopError};
use crate::wire::report::{ConfirmedBy, Outcome, OutcomeResult, ReportSummary};

/// Major and minor version of this format.
pub const FORMAT_VERSION: &str = "1.0";

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
    /// When: RFC 3339, UTC.
    pub at: String,
    /// Identity of the run; several runs may stand in one journal.
    pub run: String,
}

/// What happened. A journal holds `version`, `intent`, `outcome` and `summary`; an event stream everything but `intent`
/// and `outcome`.
#[allow(clippy::large_enum_variant, reason = "a line lives as long as it takes to write it")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A run begins. Always its first line.
    Version(Version),
    /// A shop was read, or could not be.
    ShopRead(ShopRead),
    /// A change of the plan.
    PlannedChange(PlannedChange),
    /// Journal: the mutation is sent as soon as this is on the disk.
    Intent(Step),
    /// Journal: what became of it.
    Outcome(StepOutcome),
    /// Events: a mutation is about to be sent.
    ApplyStart(Step),
    /// Events: what became of a change; one for each planned change.
    ApplyOutcome(StepOutcome),
    /// A shop waits.
    Wait(Wait),
    /// The run has ended. A run without this line was killed.
    Summary(Summary),
}

/// The head of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Version {
    /// Which kind of file this is.
    pub stream: Stream,
    /// `1.x`.
    pub format_version: String,
    /// Version of the hookwright that ran.
    pub tool_version: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Of the plan that is carried out, where there is one already.
    pub plan_digest: Option<String>,
}

/// Tells the two apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// What was sent and what became of it.
    Journal,
    /// Everything that happens, as it happens.
    Events,
}

/// A shop was read, or could not be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShopRead {
    /// The full domain.
    pub shop: String,
    /// What was found.
    pub status: ReadStatus,
    /// How many changes are to be made; before an apply, how many are left.
    pub changes: usize,
    /// Why it could not be read, or is not as planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ShopError>,
}

/// What was found of a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadStatus {
    /// It has changes.
    Changed,
    /// It has none.
    Unchanged,
    /// It could not be read.
    Failed,
    /// It could not be read, for a reason that is tolerated.
    Unavailable,
    /// It was read before its changes, and is not as planned.
    Stale,
}

impl From<ShopStatus> for ReadStatus {
    fn from(status: ShopStatus) -> Self {
        match status {
            ShopStatus::Changed => Self::Changed,
            ShopStatus::Unchanged => Self::Unchanged,
            ShopStatus::Failed => Self::Failed,
            ShopStatus::Unavailable => Self::Unavailable,
        }
    }
}

/// A change of the plan, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedChange {
    /// The full domain.
    pub shop: String,
    /// Place of the change in the shop's part of the plan, from 0.
    pub index: usize,
    /// As in the plan.
    pub change: wire::plan::Change,
}

/// What tells one subscription of a topic from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Key {
    /// Delivery address.
    pub address: String,
    /// `json` or `xml`.
    pub format: String,
    /// Shopify search syntax; null for none.
    pub filter: Option<String>,
}

impl From<&wire::plan::Subscription> for Key {
    fn from(subscription: &wire::plan::Subscription) -> Self {
        let wire::plan::Subscription { address, format, filter, .. } = subscription;
        // Shopify takes an empty filter for none.
        Self {
            address: address.trim().to_owned(),
            format: format.clone(),
            filter: filter.clone().filter(|f| !f.is_empty()),
        }
    }
}

/// One change, about to be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// The full domain.
    pub shop: String,
    /// Place of the change in the shop's part of the plan, from 0.
    pub index: usize,
    /// What is done.
    pub action: Action,
    /// Slash form; the GraphQL name if the catalogue does not know it.
    pub topic: String,
    /// The subscription, where it is known; of a create, the new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it is before; absent for creates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Key>,
    /// What it will be; absent for deletes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Key>,
    /// How often it was sent, this time included; 0 if it never was.
    pub attempt: u32,
}

impl Step {
    /// The step that a change of a shop is.
    pub fn of(shop: &str, index: usize, change: &wire::plan::Change, attempt: u32) -> Self {
        Self {
            shop: shop.to_owned(),
            index,
            action: change.action,
            topic: change.topic.clone(),
            id: change.before.as_ref().and_then(|b| b.id.clone()),
            before: change.before.as_deref().map(Key::from),
            after: change.after.as_deref().map(Key::from),
            attempt,
        }
    }
}

/// What became of one change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepOutcome {
    /// The change.
    #[serde(flatten)]
    pub step: Step,
    /// What became of it.
    pub result: OutcomeResult,
    /// How it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_by: Option<ConfirmedBy>,
    /// Why it was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ShopError>,
}

impl StepOutcome {
    /// The same as in the report.
    pub fn of(shop: &str, index: usize, outcome: &Outcome, attempt: u32) -> Self {
        let Outcome { change, result, id, confirmed_by, reason, error } = outcome;
        Self {
            step: Step { id: id.clone(), ..Step::of(shop, index, change, attempt) },
            result: *result,
            confirmed_by: *confirmed_by,
            reason: reason.clone(),
            error: error.clone(),
        }
    }
}

/// A shop waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Wait {
    /// The full domain.
    pub shop: String,
    /// How long.
    pub seconds: f64,
    /// What for: `rate limit`, `throttled`, `retry`.
    pub reason: String,
}

/// The end of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// What the command exited with.
    pub exit_code: u8,
    /// The last line of the text, or why the command ended before its time.
    pub message: String,
    /// Of the plan, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_digest: Option<String>,
    /// Counts of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<wire::plan::Summary>,
    /// Counts of the apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apply: Option<ReportSummary>,
}

/// What a journal of ours begins with, also one that was cut off within its first line.
pub const JOURNAL_HEAD: &str = r#"{"type":"version","stream":"journal""#;

/// What an event stream of ours begins with.
pub const EVENTS_HEAD: &str = r#"{"type":"version","stream":"events""#;

/// Whether a file that begins so may be appended to, and read, as a journal. `Err` says why not.
pub fn is_journal(head: &str) -> Result<(), NotAJournal> {
    for line in head.split('\n') {
        match serde_json::from_str::<Line>(line) {
            Ok(Line { event: Event::Version(Version { stream: Stream::Journal, format_version, .. }), .. }) => {
                let major = format_version.split('.').next();
                return if major == Some("1") { Ok(()) } else { Err(NotAJournal::Version(format_version)) };
            }
            Ok(Line { event: Event::Version(_), .. }) => return Err(NotAJournal::Events),
            // A run that was killed while it wrote its very first line; the next run has begun a fresh one.
            Err(error) if error.is_eof() && (JOURNAL_HEAD.starts_with(line) || line.starts_with(JOURNAL_HEAD)) => {}
            _ => return Err(NotAJournal::Other),
        }
    }
    Ok(())
}

/// Why a file is not taken for a journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAJournal {
    /// A format of the future.
    #[error("a journal of format {0}; this hookwright reads 1.x")]
    Version(String),
    /// The other kind of lines.
    #[error("an event stream (--events), not a journal")]
    Events,
    /// Some other file.
    #[error("not a journal of hookwright")]
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(stream: Stream, format_version: &str) -> String {
        let version = Version {
            stream,
            format_version: format_version.into(),
            tool_version: "0.1.0".into(),
            started_at: "2026-11-23T00:00:00Z".into(),
            plan_digest: None,
        };
        let line = Line { event: Event::Version(version), at: "2026-11-23T00:00:00Z".into(), run: "r".into() };
        serde_json::to_string(&line).expect("json")
    }

    #[test]
    fn a_journal_is_known_by_its_first_line_however_short_it_was_cut() {
        let ours = head(Stream::Journal, "1.7");
        assert!(ours.starts_with(JOURNAL_HEAD), "{ours}");
        for cut in 0..=ours.len() {
            assert_eq!(is_journal(&ours[..cut]), Ok(()), "{cut}");
            assert_eq!(is_journal(&format!("{}\n{ours}\n{{}}", &ours[..cut])), Ok(()), "{cut}");
        }
        assert_eq!(is_journal(&head(Stream::Journal, "2.0")), Err(NotAJournal::Version("2.0".into())));
        assert_eq!(is_journal(&head(Stream::Events, "1.0")), Err(NotAJournal::Events));
        for other in [
            "{}",
            "[1]",
            "root:x:0:0",
            "{\"type\":\"intent\"}",
            "version: 1",
            "{\"type\":\"version\"}",
            "{\n  \"a\": 1\n}",
        ] {
            assert_eq!(is_journal(other), Err(NotAJournal::Other), "{other}");
        }
    }
}
