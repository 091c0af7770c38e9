//! Files of earlier runs, told apart by what they hold.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{History, Reading, Seen, identity};
use crate::plan::{self, PlanFileError};
use crate::wire;
use crate::wire::events::{Event, Key, Line, NotAJournal, StepOutcome, is_journal};
use crate::wire::plan::{Finding, Plan, Shop, ShopStatus};
use crate::wire::report::{OutcomeResult, Report};
use crate::words;

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum SinceError {
    /// Lines, but not of a journal.
    #[error("{0}; --since takes a journal, an apply report or an earlier drift report")]
    NotAJournal(NotAJournal),
    /// Neither of the three.
    #[error("neither a journal nor an apply report nor a drift report{0}")]
    Unknown(String),
    /// A report that does not fit its format.
    #[error("not an apply report: {0}")]
    Report(String),
    /// A plan that is not whole.
    #[error(transparent)]
    Plan(#[from] PlanFileError),
    /// A time that is none.
    #[error("{0:?} is not a time")]
    Time(String),
}

pub(super) fn file(history: &mut History, bytes: &[u8]) -> Result<(), SinceError> {
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
        return plan(history, &plan::read(bytes)?);
    }
    Err(SinceError::Unknown(String::new()))
}

fn time(text: &str) -> Result<Timestamp, SinceError> {
    text.parse().map_err(|_| SinceError::Time(text.to_owned()))
}

/// A line that was cut off says nothing; it is counted and passed over, like a type of a later version.
fn journal(history: &mut History, bytes: &[u8]) -> Result<(), SinceError> {
    for line in bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        let Ok(value) = serde_json::from_slice::<Value>(line) else {
            history.unreadable_lines += 1;
            continue;
        };
        match value.get("type").and_then(Value::as_str) {
            Some("version") => is_journal(&String::from_utf8_lossy(line)).map_err(SinceError::NotAJournal)?,
            Some("outcome") => match serde_json::from_value::<Line>(value).map(|line| (time(&line.at), line.event)) {
                Ok((Ok(at), Event::Outcome(outcome))) => became(history, outcome, at),
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
        return Err(SinceError::Report(format!("format {version:?}; this hookwright reads 1.x")));
    }
    let report: Report =
        serde_json::from_value(value).map_err(|e| SinceError::Report(words::of_data(&e.to_string())))?;
    let at = time(&report.finished_at)?;
    for shop in &report.shops {
        for (index, outcome) in shop.outcomes.iter().enumerate() {
            became(history, StepOutcome::of(&shop.shop, index, outcome, 0), at);
        }
    }
    Ok(())
}

/// What is so after an outcome. What failed or was skipped shows nothing.
fn became(history: &mut History, outcome: StepOutcome, at: Timestamp) {
    if !matches!(outcome.result, OutcomeResult::Applied | OutcomeResult::AlreadySo) {
        return;
    }
    let step = outcome.step;
    let route = |key: &Key| (step.shop.clone(), step.topic.clone(), key.clone());
    if let Some(before) = step.before.as_ref().filter(|before| step.after.as_ref() != Some(*before)) {
        history.saw(route(before), Seen { at, live: false, id: step.id.clone() });
    }
    if let Some(after) = &step.after {
        history.saw(route(after), Seen { at, live: true, id: step.id.clone() });
    }
    if let Some(id) = step.id {
        let touched = history.touched.entry((step.shop, id)).or_insert(at);
        *touched = at.max(*touched);
    }
}

fn plan(history: &mut History, plan: &Plan) -> Result<(), SinceError> {
    let at = time(&plan.created_at)?;
    for shop in &plan.shops {
        if !matches!(shop.status, ShopStatus::Changed | ShopStatus::Unchanged) {
            continue;
        }
        for finding in &shop.findings {
            remembered(history, &shop.shop, finding);
        }
        for change in &shop.changes {
            // The first of several changes of one subscription has it as it was; the others as it would have been.
            let first = shop.changes.iter().find(|c| id(c) == id(change)).unwrap_or(change);
            if let Some(before) = &first.before {
                let route = (shop.shop.clone(), change.topic.clone(), Key::from(before));
                history.saw(route, Seen { at, live: true, id: before.id.clone() });
            }
        }
        let readings = history.readings.entry(shop.shop.clone()).or_default();
        readings.push(reading(at, shop));
        readings.sort_by_key(|r| r.at);
    }
    Ok(())
}

fn id(change: &wire::plan::Change) -> Option<&str> {
    change.before.as_ref().and_then(|b| b.id.as_deref())
}

/// An earlier report carries on what still earlier files showed, so that a job needs to keep only the last one.
fn remembered(history: &mut History, shop: &str, finding: &Finding) {
    let text = |key: &str| finding.details.get(key).and_then(Value::as_str);
    let (Some(topic), Some(address), Some(format), Some(last)) =
        (&finding.topic, text("address"), text("format"), text("last_known").and_then(|t| t.parse().ok()))
    else {
        return;
    };
    let live = match finding.kind.as_str() {
        "removed_remotely" => true,
        "removed_by_apply" => false,
        _ => return,
    };
    let key =
        Key { address: address.to_owned(), format: format.to_owned(), filter: text("filter").map(ToOwned::to_owned) };
    history.saw((shop.to_owned(), topic.clone(), key), Seen { at: last, live, id: finding.id.clone() });
}

fn reading(at: Timestamp, shop: &Shop) -> Reading {
    let known_since = |index: usize| {
        let of_it = |f: &&Finding| f.details.get("index").and_then(Value::as_u64) == u64::try_from(index).ok();
        let since = |f: &Finding| f.details.get("known_since").and_then(Value::as_str)?.parse().ok();
        shop.findings.iter().filter(of_it).find_map(since)
    };
    let had: BTreeMap<String, Option<Timestamp>> =
        shop.changes.iter().enumerate().map(|(index, change)| (identity(change), known_since(index))).collect();
    let missing = shop.changes.iter().filter_map(|change| {
        let after = Key::from(change.after.as_ref()?);
        let live = change.before.as_ref().is_some_and(|before| Key::from(before) == after);
        (!live).then(|| (change.topic.clone(), after))
    });
    Reading {
        at,
        desired_digest: shop.desired_digest.clone(),
        had,
        missing: missing.collect(),
        blocked: shop.blocked.iter().map(|b| (b.topic.clone(), b.destination.clone())).collect(),
    }
}
