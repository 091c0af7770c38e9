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

/// What an apply did. Holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// `1.x`.
    pub format_version: String,
    /// Always `apply`: tells a report from a plan.
    pub report: ReportKind,
    /// Version of the hookwright that wrote the report.
    pub tool_version: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC.
    pub finished_at: String,
    /// What the command exited with.
    pub exit_code: u8,
    /// Whether every outcome is `applied` or `already_so`, nothing was blocked and every shop of the plan was read.
    pub complete: bool,
    /// Of the plan that was carried out.
    pub plan_digest: String,
    /// Of the plan that was carried out.
    pub manifest_digest: String,
    /// Of the plan that was carried out.
    pub settings: Settings,
    /// Counts over all shops.
    pub summary: ReportSummary,
    /// Shops that had changes, blocked bindings or could not be read, sorted by domain.
    pub shops: Vec<ReportShop>,
}

/// Tells a report from other files.
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
    /// Changes that were so before this run first sent them.
    pub already_so: usize,
    /// Changes that failed.
    pub failed: usize,
    /// Changes that were not tried, with the reason.
    pub skipped: usize,
    /// Bindings that the plan could not make.
    pub blocked: usize,
    /// Shops that the plan could not read.
    pub shops_not_read: usize,
    /// Shops that were stale and not touched.
    pub shops_stale: usize,
}

/// One shop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportShop {
    /// The full domain.
    pub shop: String,
    /// How it went.
    pub status: ReportShopStatus,
    /// Why the shop was not touched or not finished.
    pub error: Option<ShopError>,
    /// One for each planned change, in the plan's order.
    pub outcomes: Vec<Outcome>,
    /// Bindings that the plan could not make.
    pub blocked: Vec<Blocked>,
    /// What the report must say besides, such as until when an old endpoint must stay up.
    pub findings: Vec<Finding>,
}

/// How a shop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportShopStatus {
    /// Every outcome is `applied` or `already_so`.
    Done,
    /// Some changes were not made.
    Incomplete,
    /// It was not as planned, and was not touched.
    Stale,
    /// It could not be read.
    NotRead,
}

/// What became of one change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The change, as planned.
    pub change: Change,
    /// What became of it.
    pub result: OutcomeResult,
    /// The subscription, where it is known; of a create, the new one.
    pub id: Option<String>,
    /// `answer`: the Admin API said so. `read`: the answer was lost and the shop was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_by: Option<ConfirmedBy>,
    /// Why it was skipped; of what only a reading confirmed, what that leaves open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ShopError>,
}

/// What became of one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeResult {
    /// This run made it.
    Applied,
    /// It was so before this run first sent it.
    AlreadySo,
    /// It was tried and did not take.
    Failed,
    /// It was not tried.
    Skipped,
}

/// How it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfirmedBy {
    /// By the answer to the mutation.
    Answer,
    /// By reading the shop after a lost answer.
    Read,
}

/// Why a file is not taken as an apply report.
#[derive(Debug, thiserror::Error)]
pub enum ReportFileError {
    /// Not JSON, or cut off.
    #[error("neither a plan nor an apply report: {0}")]
    NotJson(String),
    /// A format of the future.
    #[error("a report of format {0:?}; this reads 1.x")]
    Version(String),
    /// A key or a word that does not fit.
    #[error("not an apply report: {0}")]
    Malformed(String),
}

/// What tells a report from a plan.
#[derive(Deserialize)]
struct Head {
    report: Option<IgnoredAny>,
    #[serde(default)]
    format_version: Value,
}

/// Reads an apply report. `None` for other JSON, such as a plan.
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
