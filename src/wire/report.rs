//! The apply report's wire format, version 1: one outcome for each planned change, always.

use schemars::JsonSchema;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json::Object;
use crate::wire::plan::{Blocked, Change, Finding, Settings, ShopError};
use crate::words;

/// Major and minor version of this format.
pub const FORMAT_VERSION: &str = "1.0";

/// The result of an apply. Contains no secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// `1.x`.
    pub format_version: String,
    /// Always `apply`: distinguishes a report from a plan.
    pub report: ReportKind,
    /// Version of Hookwright that wrote the report.
    pub tool_version: String,
    /// Start of the apply: RFC 3339, UTC.
    pub started_at: String,
    /// End of the apply: RFC 3339, UTC.
    pub finished_at: String,
    /// Exit code of the command.
    pub exit_code: u8,
    /// Whether every outcome is `applied` or `already_so`, nothing was blocked and every shop of the plan was read.
    pub complete: bool,
    /// Digest of the plan that was applied.
    pub plan_digest: String,
    /// Manifest digest of the plan that was applied.
    pub manifest_digest: String,
    /// Settings of the plan that was applied.
    pub settings: Settings,
    /// Counts over all shops.
    pub summary: ReportSummary,
    /// Shops that had changes, blocked bindings or could not be read, sorted by domain.
    pub shops: Vec<ReportShop>,
}

/// Distinguishes a report from other files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// An apply report.
    Apply,
}

/// Counts over all shops. Every planned change counts in exactly one of the first six.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportSummary {
    /// Creates that were applied.
    pub added: usize,
    /// Updates that were applied.
    pub changed: usize,
    /// Deletes that were applied.
    pub destroyed: usize,
    /// Changes that were already in effect before this run first sent them.
    pub already_so: usize,
    /// Changes that failed.
    pub failed: usize,
    /// Changes that were not sent, with the reason.
    pub skipped: usize,
    /// Bindings that the plan could not create or update.
    pub blocked: usize,
    /// Shops that could not be read.
    pub shops_not_read: usize,
    /// Shops that were stale, so that nothing was sent to them.
    pub shops_stale: usize,
}

/// The result of one shop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportShop {
    /// Full domain of the shop.
    pub shop: String,
    /// Status of the shop.
    pub status: ReportShopStatus,
    /// Why nothing was sent to the shop, or why it is incomplete.
    pub error: Option<ShopError>,
    /// One outcome for each planned change, in the order of the plan.
    pub outcomes: Vec<Outcome>,
    /// Bindings that the plan could not create or update.
    pub blocked: Vec<Blocked>,
    /// Findings of the apply, such as until when an old endpoint must stay available.
    pub findings: Vec<Finding>,
}

/// Status of a shop after the apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportShopStatus {
    /// Every outcome is `applied` or `already_so`.
    Done,
    /// Some changes were not applied.
    Incomplete,
    /// The shop was not as planned, so nothing was sent to it.
    Stale,
    /// The shop could not be read.
    NotRead,
}

/// Outcome of one change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The change, as planned.
    pub change: Change,
    /// Result of the change.
    pub result: OutcomeResult,
    /// Id of the subscription, if known; for a create, the id of the new subscription.
    pub id: Option<String>,
    /// How the result was confirmed: by the answer of the Admin API, or by reading the shop after the answer was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_by: Option<ConfirmedBy>,
    /// Why the change was skipped. If `confirmed_by` is `read`: what remains uncertain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why the change failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Box<ShopError>>,
}

/// Result of one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeResult {
    /// This run made the change.
    Applied,
    /// The change was already in effect before this run first sent it.
    AlreadySo,
    /// The change was sent or judged, and failed.
    Failed,
    /// The change was not sent.
    Skipped,
}

/// How a result was confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfirmedBy {
    /// By the answer to the mutation.
    Answer,
    /// By reading the shop after the answer was lost.
    Read,
}

/// Why a file is not accepted as an apply report.
#[derive(Debug, thiserror::Error)]
pub enum ReportFileError {
    /// The file is not JSON, or is truncated.
    #[error("not a plan or an apply report: {0}")]
    NotJson(String),
    /// The format has another major version.
    #[error("an apply report of format {0:?}, but this version of Hookwright reads 1.x")]
    Version(String),
    /// A key or value is invalid.
    #[error("not a valid apply report: {0}")]
    Malformed(String),
}

/// The keys that distinguish a report from a plan.
#[derive(Deserialize)]
struct Head {
    report: Option<IgnoredAny>,
    #[serde(default)]
    format_version: Value,
}

/// Reads an apply report. Returns `None` for other JSON, such as a plan.
pub fn read(bytes: &[u8]) -> Result<Option<Report>, ReportFileError> {
    let head: Head = match serde_json::from_slice(bytes) {
        Ok(Object(head)) => head,
        Err(e) if e.is_data() => return Ok(None),
        Err(e) => return Err(ReportFileError::NotJson(words::of_json(&e))),
    };
    if head.report.is_none() {
        return Ok(None);
    }
    let version = head.format_version.as_str().unwrap_or_default();
    if version.split('.').next() != Some("1") {
        return Err(ReportFileError::Version(version.to_owned()));
    }
    serde_json::from_slice(bytes).map(Some).map_err(|e| {
        let why = words::of_data(&e.to_string());
        ReportFileError::Malformed(format!("{why} (line {}, column {})", e.line(), e.column()))
    })
}
