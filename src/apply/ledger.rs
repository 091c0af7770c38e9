//! One outcome for each planned change, always.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::admin::AdminError;
use crate::model::SubscriptionId;
use crate::plan::{OLD_ENDPOINT_HOURS, ParsedChange, Stale, Task, old_endpoint_of};
use crate::wire::events::{Step, StepOutcome};
use crate::wire::plan::{Action, Change, Finding, Severity, Shop, ShopError};
use crate::wire::report::{ConfirmedBy, Outcome, OutcomeResult, ReportShop, ReportShopStatus};

/// The outcomes of the changes of one shop so far.
pub(super) struct Ledger<'a> {
    planned: &'a Shop,
    entries: Vec<Entry>,
    attempts: BTreeMap<usize, u32>,
}

enum Entry {
    Open(Box<ParsedChange>),
    Closed(Box<Closed>),
}

#[derive(Default, Clone)]
struct Closed {
    result: Option<OutcomeResult>,
    id: Option<String>,
    confirmed_by: Option<ConfirmedBy>,
    reason: Option<String>,
    error: Option<ShopError>,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(planned: &'a Shop, tasks: Vec<Task>) -> Self {
        let entry = |task| match task {
            Task::Do(change) => Entry::Open(change),
            Task::AlreadySo(id) => closed(OutcomeResult::AlreadySo, id.as_ref()),
        };
        Self { planned, entries: tasks.into_iter().map(entry).collect(), attempts: BTreeMap::new() }
    }

    /// What can be sent at once, and the deletes that wait for a create or update of their topic.
    pub(super) fn phases(&self) -> (Vec<usize>, Vec<usize>) {
        let open = self.entries.iter().enumerate().filter(|(_, e)| matches!(e, Entry::Open(_))).map(|(at, _)| at);
        let written: BTreeSet<&str> = self.writes().map(|(_, change)| change.topic.as_str()).collect();
        open.partition(|&at| {
            let change = &self.planned.changes[at];
            change.action != Action::Delete || !written.contains(change.topic.as_str())
        })
    }

    fn writes(&self) -> impl Iterator<Item = (usize, &'a Change)> {
        self.planned.changes.iter().enumerate().filter(|(_, change)| change.action != Action::Delete)
    }

    /// Returns the topics of which a create or update failed or was not tried.
    pub(super) fn topics_of_unmade_writes(&self) -> BTreeSet<String> {
        self.writes().filter(|(at, _)| !self.made(*at)).map(|(_, change)| change.topic.clone()).collect()
    }

    /// The shop's name as `--shop` takes it.
    pub(super) fn handle(&self) -> &str {
        self.planned.shop.split('.').next().unwrap_or_default()
    }

    pub(super) fn topic(&self, at: usize) -> &str {
        &self.planned.changes[at].topic
    }

    /// The subscription that the change is of; of a create there is none yet.
    pub(super) fn subscription(&self, at: usize) -> Option<&'a str> {
        self.planned.changes.get(at)?.before.as_ref()?.id.as_deref()
    }

    /// Whether another change of this shop is of this subscription, or made it.
    pub(super) fn is_known(&self, at: usize, id: &SubscriptionId) -> bool {
        let made = |entry: &Entry| matches!(entry, Entry::Closed(c) if c.id.as_deref() == Some(id.as_str()));
        let mut entries = self.entries.iter().enumerate().filter(|(other, _)| *other != at);
        entries.any(|(other, entry)| self.subscription(other) == Some(id.as_str()) || made(entry))
    }

    /// Whether a later change of the same subscription was made: then this one lies behind it.
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

    /// The change, as long as nothing has become of it.
    pub(super) fn open(&self, at: usize) -> Option<&ParsedChange> {
        match self.entries.get(at) {
            Some(Entry::Open(change)) => Some(change),
            _ => None,
        }
    }

    /// The fields that an update is about.
    pub(super) fn fields(&self, at: usize) -> &'a [String] {
        &self.planned.changes[at].fields
    }

    fn close(&mut self, at: usize, entry: Closed) {
        if let Some(slot) = self.entries.get_mut(at) {
            *slot = Entry::Closed(Box::new(entry));
        }
    }

    pub(super) fn applied(&mut self, at: usize, id: Option<&SubscriptionId>, confirmed_by: ConfirmedBy) {
        let id = id.map(ToString::to_string);
        // Nothing in a subscription says which run made it: its uniqueness only says that one did.
        let reason = (confirmed_by == ConfirmedBy::Read)
            .then(|| "as planned by now; the answer was lost, so another run may have done it".to_owned());
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
        self.close(at, Closed { result: Some(OutcomeResult::Failed), id, error: Some(error), ..Closed::default() });
    }

    pub(super) fn skip(&mut self, at: usize, reason: &str, why: Option<&AdminError>) {
        let (result, reason) = (Some(OutcomeResult::Skipped), Some(reason.to_owned()));
        self.close(at, Closed { result, reason, error: why.map(error), ..Closed::default() });
    }

    /// A change is being sent.
    pub(super) fn sent(&mut self, at: usize) {
        *self.attempts.entry(at).or_default() += 1;
    }

    /// How often a change was sent.
    pub(super) fn attempts(&self, at: usize) -> u32 {
        self.attempts.get(&at).copied().unwrap_or_default()
    }

    /// The step that a change is now.
    pub(super) fn step(&self, at: usize, attempt: u32) -> Step {
        Step::of(&self.planned.shop, at, &self.planned.changes[at], attempt)
    }

    /// Returns the outcome of a change so far, for the journal.
    pub(super) fn line(&self, at: usize) -> StepOutcome {
        StepOutcome::of(&self.planned.shop, at, &self.outcome(at), self.attempts(at))
    }

    /// The changes that were never sent.
    pub(super) fn unsent(&self) -> Vec<usize> {
        (0..self.entries.len()).filter(|at| !self.attempts.contains_key(at)).collect()
    }

    fn outcome(&self, at: usize) -> Outcome {
        let change = &self.planned.changes[at];
        let closed = match &self.entries[at] {
            Entry::Closed(closed) => (**closed).clone(),
            Entry::Open(_) => Closed { reason: Some("not tried".to_owned()), ..Closed::default() },
        };
        let Closed { result, id, confirmed_by, reason, error } = closed;
        let result = result.unwrap_or(OutcomeResult::Skipped);
        let id = id.or_else(|| change.before.as_ref().and_then(|b| b.id.clone()));
        Outcome { change: change.clone(), result, id, confirmed_by, reason, error }
    }

    pub(super) fn report(self, now: jiff::Timestamp) -> ReportShop {
        let outcomes: Vec<Outcome> = (0..self.entries.len()).map(|at| self.outcome(at)).collect();
        let done = outcomes.iter().all(|o| matches!(o.result, OutcomeResult::Applied | OutcomeResult::AlreadySo));
        ReportShop {
            shop: self.planned.shop.clone(),
            status: if done { ReportShopStatus::Done } else { ReportShopStatus::Incomplete },
            error: None,
            findings: old_endpoints(self.planned, &outcomes, now),
            outcomes,
            blocked: self.planned.blocked.clone(),
        }
    }
}

fn closed(result: OutcomeResult, id: Option<&SubscriptionId>) -> Entry {
    let id = id.map(ToString::to_string);
    Entry::Closed(Box::new(Closed { result: Some(result), id, ..Closed::default() }))
}

/// Until when the old endpoints must answer: Shopify's retries keep the address that was in force when an event fired.
/// The plan has the same finding for each of them, unless Adobe does not have the endpoint any more.
fn old_endpoints(planned: &Shop, outcomes: &[Outcome], now: jiff::Timestamp) -> Vec<Finding> {
    let hours = jiff::SignedDuration::from_hours(OLD_ENDPOINT_HOURS);
    // Whole minutes, rounded up, are exact enough to read and never too early.
    let until = now.checked_add(hours).ok().and_then(|until| {
        let step = jiff::TimestampRound::new().smallest(jiff::Unit::Minute).mode(jiff::RoundMode::Ceil);
        until.round(step).ok()
    });
    let until = until.map(|u| u.to_string()).unwrap_or_default();
    let mut by_address: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for outcome in outcomes.iter().filter(|o| o.result == OutcomeResult::Applied) {
        let moved = outcome.change.fields.iter().any(|f| f == "address");
        let standing = |address: &str| planned.findings.iter().filter_map(old_endpoint_of).any(|old| old == address);
        if let (true, Some(before)) = (moved, &outcome.change.before)
            && standing(&before.address)
        {
            by_address.entry(&before.address).or_default().insert(&outcome.change.topic);
        }
    }
    let finding = |(address, topics): (&str, BTreeSet<&str>)| Finding {
        kind: "old_endpoint".to_owned(),
        severity: Severity::Info,
        topic: None,
        id: None,
        message: format!("keep the old endpoint {address} up until {until}: Shopify's retries keep the old address"),
        details: json!({ "address": address, "topics": topics, "until": until })
            .as_object()
            .cloned()
            .unwrap_or_default(),
    };
    by_address.into_iter().map(finding).collect()
}

/// An error of the Admin API as it stands in plans and reports.
pub fn error(error: &AdminError) -> ShopError {
    let AdminError { kind, http_status, message, retryable, proof: _ } = error;
    ShopError {
        kind: kind.as_str().to_owned(),
        http_status: *http_status,
        message: message.clone(),
        retryable: *retryable,
    }
}

/// The report of a shop that is not as planned: nothing was sent.
pub fn stale(planned: &Shop, why: &Stale) -> ReportShop {
    let error = ShopError {
        kind: "stale".to_owned(),
        http_status: None,
        message: format!("{why}: not touched; plan again"),
        retryable: false,
    };
    untouched(planned, ReportShopStatus::Stale, "the shop is not as planned", error)
}

/// The report of a shop that could not be read before its changes: nothing was sent.
pub fn not_read(planned: &Shop, error: ShopError) -> ReportShop {
    untouched(planned, ReportShopStatus::NotRead, "the shop could not be read", error)
}

fn untouched(planned: &Shop, status: ReportShopStatus, reason: &str, error: ShopError) -> ReportShop {
    let outcome = |change: &Change| Outcome {
        change: change.clone(),
        result: OutcomeResult::Skipped,
        id: change.before.as_ref().and_then(|b| b.id.clone()),
        confirmed_by: None,
        reason: Some(reason.to_owned()),
        error: Some(error.clone()),
    };
    ReportShop {
        shop: planned.shop.clone(),
        status,
        outcomes: planned.changes.iter().map(outcome).collect(),
        blocked: planned.blocked.clone(),
        findings: Vec::new(),
        error: Some(error),
    }
}
