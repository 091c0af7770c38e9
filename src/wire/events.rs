//! JSON lines, version 1: the journal of an apply (`--journal`) and the events of a run (`--events`). Each line is one
//! object with a `type`; each run begins with a version line. Contains no secrets.
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

/// One line of a journal or event stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// The event.
    #[serde(flatten)]
    pub event: Event,
    /// Time of the event: RFC 3339, UTC.
    pub at: String,
    /// Identifier of the run. A journal can contain several runs.
    pub run: String,
}

/// An event. A journal contains `version`, `intent`, `outcome` and `summary`; an event stream contains all types
/// except `intent` and `outcome`.
#[allow(clippy::large_enum_variant, reason = "a line lives as long as it takes to write it")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A run begins. Always the first line of a run.
    Version(Version),
    /// A shop was read, or could not be read.
    ShopRead(ShopRead),
    /// A change of the plan.
    PlannedChange(PlannedChange),
    /// Journal: a mutation will be sent as soon as this line is on the disk.
    Intent(Step),
    /// Journal: the outcome of a mutation.
    Outcome(StepOutcome),
    /// Events: a mutation is about to be sent.
    ApplyStart(Step),
    /// Events: the outcome of a change. Each planned change has exactly one.
    ApplyOutcome(StepOutcome),
    /// A request to a shop waits.
    Wait(Wait),
    /// The run ended. A run without this line was killed.
    Summary(Summary),
}

/// The beginning of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Version {
    /// Kind of the file.
    pub stream: Stream,
    /// `1.x`.
    pub format_version: String,
    /// Version of Hookwright that ran.
    pub tool_version: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Digest of the plan that is applied; null if the run has no plan yet.
    pub plan_digest: Option<String>,
}

/// Distinguishes journals from event streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Mutations that were sent, and their outcomes.
    Journal,
    /// Everything that happens in a run, as it happens.
    Events,
}

/// A shop was read, or could not be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShopRead {
    /// Full domain of the shop.
    pub shop: String,
    /// Result of the reading.
    pub status: ReadStatus,
    /// Number of planned changes; when the shop is read again before its changes, the number that is left.
    pub changes: usize,
    /// Why the shop could not be read, or is stale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ShopError>,
}

/// Result of reading a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadStatus {
    /// The shop has changes.
    Changed,
    /// The shop has no changes.
    Unchanged,
    /// The shop could not be read.
    Failed,
    /// The shop could not be read, for a reason that is tolerated.
    Unavailable,
    /// The shop was read again before its changes, and is not as planned.
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

/// A change of the plan, with all fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedChange {
    /// Full domain of the shop.
    pub shop: String,
    /// Index of the change in the shop's part of the plan, from 0.
    pub index: usize,
    /// The change, as in the plan.
    pub change: wire::plan::Change,
}

/// What distinguishes the subscriptions of a topic: Shopify accepts one subscription per topic and key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Key {
    /// Delivery address.
    pub address: String,
    /// `json` or `xml`.
    pub format: String,
    /// Filter in Shopify's search syntax; null for none.
    pub filter: Option<String>,
}

impl From<&wire::plan::Subscription> for Key {
    fn from(subscription: &wire::plan::Subscription) -> Self {
        let wire::plan::Subscription { address, format, filter, .. } = subscription;
        // Shopify treats an empty filter as none.
        Self {
            address: address.trim().to_owned(),
            format: format.clone(),
            filter: filter.clone().filter(|f| !f.is_empty()),
        }
    }
}

/// One change that is about to be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Full domain of the shop.
    pub shop: String,
    /// Index of the change in the shop's part of the plan, from 0.
    pub index: usize,
    /// What the change does.
    pub action: Action,
    /// Topic in slash form, or its GraphQL name if the catalogue does not contain it.
    pub topic: String,
    /// Id of the subscription, if known; for a create, the id of the new subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Key before the change; absent for creates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Key>,
    /// Key after the change; absent for deletes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Key>,
    /// Number of times the change was sent, including this time; 0 if it was never sent.
    pub attempt: u32,
}

impl Step {
    /// Creates the step of a change.
    pub fn of(shop: &str, index: usize, change: &wire::plan::Change, attempt: u32) -> Self {
        Self {
            shop: shop.to_owned(),
            index,
            action: change.action,
            topic: change.topic.to_string(),
            id: change.before.as_ref().and_then(|b| b.id.clone()),
            before: change.before.as_deref().map(Key::from),
            after: change.after.as_deref().map(Key::from),
            attempt,
        }
    }
}

/// Outcome of one change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepOutcome {
    /// The change.
    #[serde(flatten)]
    pub step: Step,
    /// Result of the change.
    pub result: OutcomeResult,
    /// How the result was confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_by: Option<ConfirmedBy>,
    /// Why the change was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why the change failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ShopError>,
}

impl StepOutcome {
    /// Creates the line for an outcome of the report.
    pub fn of(shop: &str, index: usize, outcome: &Outcome, attempt: u32) -> Self {
        let Outcome { change, result, id, confirmed_by, reason, error } = outcome;
        Self {
            step: Step { id: id.clone(), ..Step::of(shop, index, change, attempt) },
            result: *result,
            confirmed_by: *confirmed_by,
            reason: reason.clone(),
            error: error.as_deref().cloned(),
        }
    }
}

/// A request to a shop waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Wait {
    /// Full domain of the shop.
    pub shop: String,
    /// Duration of the wait in seconds.
    pub seconds: f64,
    /// Reason for the wait: `rate limit`, `throttled` or `retry`.
    pub reason: String,
}

/// The end of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Exit code of the command.
    pub exit_code: u8,
    /// Last line of the text output, or why the command ended early.
    pub message: String,
    /// Digest of the plan, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_digest: Option<String>,
    /// Counts of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<wire::plan::Summary>,
    /// Counts of the apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apply: Option<ReportSummary>,
}

/// The beginning of each journal of Hookwright.
pub const JOURNAL_HEAD: &str = r#"{"type":"version","stream":"journal""#;

/// The beginning of each event stream of Hookwright.
pub const EVENTS_HEAD: &str = r#"{"type":"version","stream":"events""#;

/// Checks that a file with this beginning is a journal, which can be read and appended to. Accepts an empty file, and a
/// first line that was cut off.
pub fn is_journal(head: &str) -> Result<(), NotAJournal> {
    for line in head.split('\n') {
        match serde_json::from_str::<Line>(line) {
            Ok(Line { event: Event::Version(Version { stream: Stream::Journal, format_version, .. }), .. }) => {
                let major = format_version.split('.').next();
                return if major == Some("1") { Ok(()) } else { Err(NotAJournal::Version(format_version)) };
            }
            Ok(Line { event: Event::Version(_), .. }) => return Err(NotAJournal::Events),
            // A run was killed while it wrote its first line; the next run began a new line.
            Err(error) if error.is_eof() && (JOURNAL_HEAD.starts_with(line) || line.starts_with(JOURNAL_HEAD)) => {}
            _ => return Err(NotAJournal::Other),
        }
    }
    Ok(())
}

/// Why a file is not accepted as a journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAJournal {
    /// The journal has another major version.
    #[error("a journal of format {0}, but this version of Hookwright reads 1.x")]
    Version(String),
    /// The file is an event stream.
    #[error("an event stream (`--events`), not a journal")]
    Events,
    /// The file is something else.
    #[error("not a journal of Hookwright")]
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
    fn a_journal_is_recognised_by_its_first_line_even_if_truncated() {
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
