//! Records exactly one outcome for each planned change.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::admin::AdminError;
use crate::diff::Change;
use crate::model::{Field, SubscriptionId, Topic};
use crate::plan::{OLD_ENDPOINT_HOURS, PlannedChange, ShopPlan, Stale, Task, old_endpoint_of};
use crate::wire;
use crate::wire::events::{Step, StepOutcome};
use crate::wire::plan::{ErrorKind, Finding, FindingKind, Severity, ShopError};
use crate::wire::report::{ConfirmedBy, Outcome, OutcomeResult, ReportShop, ReportShopStatus};

/// The reason of an outcome that only a reading confirmed.
const ANSWER_LOST: &str = "the subscription is as planned, but the response to the request was lost, so another run may have \
                           made the change";

/// The outcomes so far of one shop's changes.
pub(super) struct Ledger<'a> {
    planned: &'a ShopPlan,
    entries: Vec<Entry>,
    attempts: BTreeMap<usize, u32>,
}

enum Entry {
    Open,
    Closed(Box<Closed>),
}

#[derive(Default, Clone)]
struct Closed {
    result: Option<OutcomeResult>,
    id: Option<String>,
    confirmed_by: Option<ConfirmedBy>,
    reason: Option<String>,
    error: Option<Box<ShopError>>,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(planned: &'a ShopPlan, tasks: Vec<Task>) -> Self {
        let entry = |task| match task {
            Task::Do => Entry::Open,
            Task::AlreadySo(id) => closed(OutcomeResult::AlreadySo, id.as_ref()),
        };
        Self { planned, entries: tasks.into_iter().map(entry).collect(), attempts: BTreeMap::new() }
    }

    /// Returns the changes that can be sent immediately, and the deletes that wait for a create or update of their
    /// topic.
    pub(super) fn phases(&self) -> (Vec<usize>, Vec<usize>) {
        let open = self.entries.iter().enumerate().filter(|(_, e)| matches!(e, Entry::Open)).map(|(at, _)| at);
        let written: BTreeSet<&Topic> = self.writes().map(|(_, change)| change.topic()).collect();
        open.partition(|&at| {
            let change = &self.planned.changes[at].change;
            !is_delete(change) || !written.contains(change.topic())
        })
    }

    fn writes(&self) -> impl Iterator<Item = (usize, &'a Change)> {
        let changes = self.planned.changes.iter().map(|planned| &planned.change);
        changes.enumerate().filter(|(_, change)| !is_delete(change))
    }

    /// Returns the topics of which a create or update failed or was not sent.
    pub(super) fn topics_of_unmade_writes(&self) -> BTreeSet<Topic> {
        self.writes().filter(|(at, _)| !self.made(*at)).map(|(_, change)| change.topic().clone()).collect()
    }

    /// Returns the handle of the shop, as for `--shop`.
    pub(super) fn handle(&self) -> &str {
        self.planned.shop.handle()
    }

    pub(super) fn topic(&self, at: usize) -> &Topic {
        self.planned.changes[at].change.topic()
    }

    /// Returns the subscription that a change concerns; `None` for a create.
    pub(super) fn subscription(&self, at: usize) -> Option<&'a SubscriptionId> {
        self.planned.changes.get(at)?.change.id()
    }

    /// Returns whether another change of this shop concerns this subscription or created it.
    pub(super) fn is_known(&self, at: usize, id: &SubscriptionId) -> bool {
        let made = |entry: &Entry| matches!(entry, Entry::Closed(c) if c.id.as_deref() == Some(id.as_str()));
        let mut entries = self.entries.iter().enumerate().filter(|(other, _)| *other != at);
        entries.any(|(other, entry)| self.subscription(other) == Some(id) || made(entry))
    }

    /// Returns whether a later change of the same subscription was applied, which implies that this change was applied,
    /// too.
    pub(super) fn made_later(&self, at: usize) -> bool {
        let id = self.subscription(at);
        id.is_some() && (at + 1..self.entries.len()).any(|later| self.subscription(later) == id && self.made(later))
    }

    fn made(&self, at: usize) -> bool {
        match self.entries.get(at) {
            Some(Entry::Closed(c)) => matches!(c.result, Some(OutcomeResult::Applied | OutcomeResult::AlreadySo)),
            _ => false,
        }
    }

    /// Returns the change if it has no outcome yet.
    pub(super) fn open(&self, at: usize) -> Option<&'a Change> {
        match self.entries.get(at) {
            Some(Entry::Open) => Some(&self.planned.changes[at].change),
            _ => None,
        }
    }

    fn close(&mut self, at: usize, entry: Closed) {
        if let Some(slot) = self.entries.get_mut(at) {
            *slot = Entry::Closed(Box::new(entry));
        }
    }

    pub(super) fn applied(&mut self, at: usize, id: Option<&SubscriptionId>, confirmed_by: ConfirmedBy) {
        let id = id.map(ToString::to_string);
        // A subscription does not show which run created it. Because keys are unique, only the fact that some run did
        // is known.
        let reason = (confirmed_by == ConfirmedBy::Read).then(|| ANSWER_LOST.to_owned());
        let (result, confirmed_by) = (Some(OutcomeResult::Applied), Some(confirmed_by));
        self.close(at, Closed { result, id, confirmed_by, reason, ..Closed::default() });
    }

    pub(super) fn already_so(&mut self, at: usize, id: Option<&SubscriptionId>) {
        if let Some(slot) = self.entries.get_mut(at) {
            *slot = closed(OutcomeResult::AlreadySo, id);
        }
    }

    pub(super) fn failed(&mut self, at: usize, id: Option<&SubscriptionId>, error: ShopError) {
        let id = id.map(ToString::to_string);
        self.close(
            at,
            Closed { result: Some(OutcomeResult::Failed), id, error: Some(Box::new(error)), ..Closed::default() },
        );
    }

    pub(super) fn skip(&mut self, at: usize, reason: &str, why: Option<&AdminError>) {
        let (result, reason) = (Some(OutcomeResult::Skipped), Some(reason.to_owned()));
        self.close(at, Closed { result, reason, error: why.map(|why| Box::new(error(why))), ..Closed::default() });
    }

    /// Records that a change is being sent.
    pub(super) fn sent(&mut self, at: usize) {
        *self.attempts.entry(at).or_default() += 1;
    }

    /// Returns how many times a change was sent.
    pub(super) fn attempts(&self, at: usize) -> u32 {
        self.attempts.get(&at).copied().unwrap_or_default()
    }

    /// Returns the step of a change for the journal.
    pub(super) fn step(&self, at: usize, attempt: u32) -> Step {
        Step::of(self.planned.shop.as_str(), at, &self.wire(at), attempt)
    }

    /// Returns the outcome of a change so far, for the journal.
    pub(super) fn line(&self, at: usize) -> StepOutcome {
        StepOutcome::of(self.planned.shop.as_str(), at, &self.outcome(at), self.attempts(at))
    }

    /// Returns the changes that were never sent.
    pub(super) fn unsent(&self) -> Vec<usize> {
        (0..self.entries.len()).filter(|at| !self.attempts.contains_key(at)).collect()
    }

    fn wire(&self, at: usize) -> wire::plan::Change {
        (&self.planned.changes[at]).into()
    }

    fn outcome(&self, at: usize) -> Outcome {
        let closed = match &self.entries[at] {
            Entry::Closed(closed) => (**closed).clone(),
            Entry::Open => Closed { reason: Some("not sent".to_owned()), ..Closed::default() },
        };
        let Closed { result, id, confirmed_by, reason, error } = closed;
        let result = result.unwrap_or(OutcomeResult::Skipped);
        let id = id.or_else(|| self.subscription(at).map(ToString::to_string));
        Outcome { change: self.wire(at), result, id, confirmed_by, reason, error }
    }

    pub(super) fn report(self, now: jiff::Timestamp) -> ReportShop {
        let outcomes: Vec<Outcome> = (0..self.entries.len()).map(|at| self.outcome(at)).collect();
        let done = outcomes.iter().all(|o| matches!(o.result, OutcomeResult::Applied | OutcomeResult::AlreadySo));
        ReportShop {
            shop: self.planned.shop.to_string(),
            status: if done { ReportShopStatus::Done } else { ReportShopStatus::Incomplete },
            error: None,
            findings: old_endpoints(self.planned, &outcomes, now),
            outcomes,
            blocked: self.planned.blocked.iter().map(Into::into).collect(),
        }
    }
}

fn is_delete(change: &Change) -> bool {
    matches!(change, Change::Delete { .. })
}

fn closed(result: OutcomeResult, id: Option<&SubscriptionId>) -> Entry {
    let id = id.map(ToString::to_string);
    Entry::Closed(Box::new(Closed { result: Some(result), id, ..Closed::default() }))
}

/// Returns findings about the time until which old endpoints must stay available: Shopify sends retries to the address
/// that was in force when an event occurred. Skips endpoints for which the plan has no such finding, because they no
/// longer exist at Adobe.
fn old_endpoints(planned: &ShopPlan, outcomes: &[Outcome], now: jiff::Timestamp) -> Vec<Finding> {
    let hours = jiff::SignedDuration::from_hours(OLD_ENDPOINT_HOURS);
    // Rounded up to whole minutes: easy to read, and never too early.
    let until = now.checked_add(hours).ok().and_then(|until| {
        let step = jiff::TimestampRound::new().smallest(jiff::Unit::Minute).mode(jiff::RoundMode::Ceil);
        until.round(step).ok()
    });
    let until = until.map(|u| u.to_string()).unwrap_or_default();
    let planned_findings: BTreeSet<&str> = planned.findings.iter().filter_map(old_endpoint_of).collect();
    let mut by_address: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (planned, outcome) in planned.changes.iter().zip(outcomes) {
        let moved = outcome.result == OutcomeResult::Applied && planned.change.fields().contains(&Field::Address);
        let before = planned.change.before().filter(|_| moved).map(|before| before.binding.address.as_str());
        if let Some(address) = before.filter(|address| planned_findings.contains(address)) {
            by_address.entry(address).or_default().insert(planned.change.topic().as_str());
        }
    }
    let finding = |(address, topics): (&str, BTreeSet<&str>)| Finding {
        kind: FindingKind::OldEndpoint,
        severity: Severity::Info,
        topic: None,
        id: None,
        message: format!(
            "keep the old endpoint {address} available until {until}. Until then, Shopify still sends retries of earlier deliveries there"
        ),
        details: json!({ "address": address, "topics": topics, "until": until })
            .as_object()
            .cloned()
            .unwrap_or_default()
            .into(),
    };
    by_address.into_iter().map(finding).collect()
}

/// Converts an error of the Admin API to its form in plans and reports.
pub(crate) fn error(error: &AdminError) -> ShopError {
    let AdminError { kind, http_status, message, retryable, proof: _ } = error;
    ShopError { kind: kind.as_str().into(), http_status: *http_status, message: message.clone(), retryable: *retryable }
}

/// Returns the report of a stale shop, to which nothing was sent.
pub(crate) fn stale(planned: &ShopPlan, why: &Stale) -> ReportShop {
    let error = ShopError {
        kind: ErrorKind::Stale,
        http_status: None,
        message: format!("{why}. Create a new plan"),
        retryable: false,
    };
    untouched(planned, ReportShopStatus::Stale, "the plan is stale for this shop", error)
}

/// Returns the report of a shop that could not be read before its changes, so that nothing was sent.
pub(crate) fn not_read(planned: &ShopPlan, error: ShopError) -> ReportShop {
    untouched(planned, ReportShopStatus::NotRead, "the shop could not be read", error)
}

fn untouched(planned: &ShopPlan, status: ReportShopStatus, reason: &str, error: ShopError) -> ReportShop {
    let outcome = |planned: &PlannedChange| Outcome {
        change: planned.into(),
        result: OutcomeResult::Skipped,
        id: planned.change.id().map(ToString::to_string),
        confirmed_by: None,
        reason: Some(reason.to_owned()),
        error: Some(Box::new(error.clone())),
    };
    ReportShop {
        shop: planned.shop.to_string(),
        status,
        outcomes: planned.changes.iter().map(outcome).collect(),
        blocked: planned.blocked.iter().map(Into::into).collect(),
        findings: Vec::new(),
        error: Some(error),
    }
}
