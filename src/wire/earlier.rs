//! Reads the files of earlier runs for `drift --since`: journals, apply reports and plans, recognised by their content.

use jiff::Timestamp;
use serde_json::Value;

use super::events::{Event, Key, Line, NotAJournal, StepOutcome, is_journal};
use super::plan::{PlanFileError, read, topic};
use super::report::{OutcomeResult, Report};
use crate::model::{Address, Format, ShopDomain, SubscriptionId};
use crate::plan::BindingKey;
use crate::since::{History, Made};
use crate::words;

/// Why a file cannot be used for `--since`.
#[derive(Debug, thiserror::Error)]
pub enum SinceError {
    /// The file consists of JSON lines, but is not a journal.
    #[error("{0}; `--since` takes a journal, an apply report or an earlier drift report")]
    NotAJournal(NotAJournal),
    /// The file is not a journal, an apply report or a plan.
    #[error("not a journal, an apply report or a drift report{0}")]
    Unknown(String),
    /// The apply report is malformed.
    #[error("not a valid apply report: {0}")]
    Report(String),
    /// The apply report has another major version.
    #[error("an apply report of format {0:?}, but this version of Hookwright reads 1.x")]
    ReportVersion(String),
    /// The plan cannot be read.
    #[error(transparent)]
    Plan(#[from] PlanFileError),
    /// A time is not RFC 3339.
    #[error("{0:?} is not a valid time")]
    Time(String),
}

/// Adds a file to the history. The order of the files does not matter, unless two files have records of the same
/// second.
pub fn add(history: &mut History, bytes: &[u8]) -> Result<(), SinceError> {
    match is_journal(&String::from_utf8_lossy(bytes)) {
        Ok(()) => return journal(history, bytes),
        Err(NotAJournal::Other) => {}
        Err(other) => return Err(SinceError::NotAJournal(other)),
    }
    let value: Value =
        serde_json::from_slice(bytes).map_err(|e| SinceError::Unknown(format!(": {}", words::of_json(&e))))?;
    if value.get("report").is_some() {
        return report(history, value);
    }
    if value.get("plan_digest").is_some() {
        let plan = read(bytes)?;
        let at = time(&plan.created_at)?;
        let from = plan.started_at.as_deref().map(time).transpose()?;
        history.add_plan(plan.shops, from.unwrap_or(at), at);
        return Ok(());
    }
    Err(SinceError::Unknown(String::new()))
}

fn time(text: &str) -> Result<Timestamp, SinceError> {
    text.parse().map_err(|_| SinceError::Time(text.to_owned()))
}

/// Adds a journal. A truncated line is counted and otherwise ignored, as is a line of a type from a later version.
fn journal(history: &mut History, bytes: &[u8]) -> Result<(), SinceError> {
    for line in bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        let Ok(value) = serde_json::from_slice::<Value>(line) else {
            history.unreadable_lines += 1;
            continue;
        };
        match value.get("type").and_then(Value::as_str) {
            Some("version") => is_journal(&String::from_utf8_lossy(line)).map_err(SinceError::NotAJournal)?,
            Some("outcome") => match serde_json::from_value::<Line>(value).map(|line| (time(&line.at), line.event)) {
                Ok((Ok(at), Event::Outcome(outcome))) => became(history, outcome, at, at),
                _ => history.unreadable_lines += 1,
            },
            _ => {}
        }
    }
    Ok(())
}

fn report(history: &mut History, value: Value) -> Result<(), SinceError> {
    let version = value.get("format_version").and_then(Value::as_str).unwrap_or_default();
    if version.split('.').next() != Some("1") {
        return Err(SinceError::ReportVersion(version.to_owned()));
    }
    let report: Report =
        serde_json::from_value(value).map_err(|e| SinceError::Report(words::of_data(&e.to_string())))?;
    let (from, at) = (time(&report.started_at)?, time(&report.finished_at)?);
    for shop in &report.shops {
        for (index, outcome) in shop.outcomes.iter().enumerate() {
            became(history, StepOutcome::of(&shop.shop, index, outcome, 0), from, at);
        }
    }
    Ok(())
}

/// Adds an outcome. Failed and skipped changes, and changes with invalid values, are ignored.
fn became(history: &mut History, outcome: StepOutcome, from: Timestamp, at: Timestamp) {
    if !matches!(outcome.result, OutcomeResult::Applied | OutcomeResult::AlreadySo) {
        return;
    }
    let step = outcome.step;
    let side = |key: Option<Key>| key.map(|key| binding_key(key).ok_or(())).transpose();
    if let (Ok(shop), Ok(before), Ok(after)) = (ShopDomain::parse(&step.shop), side(step.before), side(step.after)) {
        let id = step.id.as_deref().map(SubscriptionId::new);
        history.add_made(Made { shop, topic: topic(&step.topic), id, before, after }, from, at);
    }
}

fn binding_key(key: Key) -> Option<BindingKey> {
    let Key { address, format, filter } = key;
    let filter = filter.filter(|filter| !filter.is_empty());
    Some(BindingKey { address: Address::new(&address), format: Format::parse(&format)?, filter })
}
