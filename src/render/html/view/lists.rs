//! The rows of the matrix. Repeated values are places in lists.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use serde_json::Value;

use super::super::names::Names;
use super::{Content, Entry, EntryOutcome, Note, Problem, Row, Side, Status, Stopped, View};
use crate::render::changes;
use crate::text::plural;
use crate::wire::plan::{
    Blocked, Change, Finding, FindingKind, LeftOut, Origin, Shop, ShopError, ShopStatus, Source, Subscription,
};
use crate::wire::report::{ConfirmedBy, Outcome, ReportShop};

/// A list of distinct values.
struct List<T>(HashMap<T, usize>, Vec<T>);

impl<T: Clone + Eq + Hash> List<T> {
    fn new() -> Self {
        Self(HashMap::new(), Vec::new())
    }

    fn place(&mut self, value: T) -> usize {
        let Self(places, list) = self;
        *places.entry(value).or_insert_with_key(|value| {
            list.push(value.clone());
            list.len() - 1
        })
    }
}

pub(super) struct Lists<'a> {
    topics: List<&'a str>,
    destinations: List<Cow<'a, str>>,
    sources: List<String>,
    changes: List<Content<'a>>,
    bounds: List<Vec<(usize, usize, usize)>>,
    names: &'a Names<'a>,
}

impl<'a> Lists<'a> {
    pub(super) fn new(sorted: BTreeSet<&'a str>, names: &'a Names<'a>) -> Self {
        let mut topics = List::new();
        for topic in sorted {
            topics.place(topic);
        }
        Self {
            topics,
            destinations: List::new(),
            sources: List::new(),
            changes: List::new(),
            bounds: List::new(),
            names,
        }
    }

    pub(super) fn view(self, report: bool, rows: Vec<Row<'a>>) -> View<'a> {
        let Self { topics, destinations, sources, changes, bounds, names: _ } = self;
        View {
            report,
            topics: topics.1,
            destinations: destinations.1,
            sources: sources.1,
            changes: changes.1,
            bounds: bounds.1,
            left_out: None,
            routes: Vec::new(),
            rows,
        }
    }

    pub(super) fn plan_row(&mut self, shop: &'a Shop) -> Row<'a> {
        let Shop { shop: domain, labels, status, bound, blocked, changes, findings, error, left_out, .. } = shop;
        let bound: Vec<_> = bound
            .iter()
            .map(|b| (self.topics.place(&*b.topic), self.destinations.place(Cow::Borrowed(&*b.destination)), b.count))
            .collect();
        let (left_changes, left_blocked) = match left_out.as_deref() {
            Some(LeftOut { changes, blocked }) => (changes.as_slice(), blocked.as_slice()),
            None => (&[][..], &[][..]),
        };
        Row {
            shop: domain,
            labels: labels.iter().map(|(key, value)| format!("{key}={value}")).collect(),
            status: match status {
                ShopStatus::Unchanged if !blocked.is_empty() => Status::Own("blocked"),
                status => Status::Plan(*status),
            },
            error: error.as_deref().map(problem),
            bound: self.bounds.place(bound),
            blocked: blocked.iter().map(|b| self.stopped(b)).collect(),
            entries: changes.iter().map(|change| self.entry(change, None, None)).collect(),
            left_out: left_changes.iter().map(|change| self.entry(change, None, None)).collect(),
            left_blocked: left_blocked.iter().map(|b| self.stopped(b)).collect(),
            findings: findings.iter().map(|f| self.note(f)).collect(),
            remark: None,
        }
    }

    pub(super) fn left_row(&mut self, shop: &'a str, bindings: Option<usize>) -> Row<'a> {
        let remark = match bindings {
            Some(1) => "1 binding continues to deliver".to_owned(),
            Some(n) => format!("{} continue to deliver", plural(n, "binding")),
            None => "its subscriptions continue to deliver".to_owned(),
        };
        Row {
            shop,
            labels: vec![],
            status: Status::Own("left"),
            error: None,
            bound: self.bounds.place(vec![]),
            blocked: vec![],
            entries: vec![],
            left_out: vec![],
            left_blocked: vec![],
            findings: vec![],
            remark: Some(remark),
        }
    }

    pub(super) fn report_row(&mut self, shop: &'a ReportShop) -> Row<'a> {
        let ReportShop { shop: domain, status, error, outcomes, blocked, findings } = shop;
        Row {
            shop: domain,
            labels: vec![],
            status: Status::Report(*status),
            error: error.as_ref().map(problem),
            bound: self.bounds.place(vec![]),
            blocked: blocked.iter().map(|b| self.stopped(b)).collect(),
            entries: outcomes.iter().map(|o| self.entry(&o.change, o.id.as_deref(), Some(entry_outcome(o)))).collect(),
            left_out: vec![],
            left_blocked: vec![],
            findings: findings.iter().map(|f| self.note(f)).collect(),
            remark: None,
        }
    }

    fn source(&mut self, Source { file, line }: &Source) -> usize {
        self.sources.place(format!("{file}:{line}"))
    }

    fn stopped(&mut self, blocked: &'a Blocked) -> Stopped<'a> {
        // The message contains the scopes.
        let Blocked { topic, destination, reason, message, source, .. } = blocked;
        Stopped {
            topic: self.topics.place(topic),
            destination: self.destinations.place(Cow::Borrowed(destination)),
            reason,
            message,
            source: source.as_ref().map(|source| self.source(source)),
        }
    }

    fn note(&mut self, finding: &'a Finding) -> Note<'a> {
        let Finding { kind, severity, topic, id: _, message, details } = finding;
        let address = details.get("address").and_then(Value::as_str).filter(|_| *kind == FindingKind::Unmanaged);
        Note {
            kind,
            severity: *severity,
            topic: topic.as_deref().map(|topic| self.topics.place(topic)),
            message,
            destination: address.map(|address| self.destinations.place(Cow::Borrowed(address))),
        }
    }

    fn entry(&mut self, change: &'a Change, id: Option<&'a str>, outcome: Option<EntryOutcome<'a>>) -> Entry<'a> {
        let Change { action, topic, reason: _, origin, fields, destination, source, before, after } = change;
        let content = Content {
            action: action.as_str(),
            topic: self.topics.place(topic),
            drift: *origin == Some(Origin::Drift),
            why: changes::reason(change, changes::Depth::Full),
            fields,
            before: before.as_ref().map(|side| self.side(destination.before.as_deref(), change, side)),
            after: after.as_ref().map(|side| self.side(destination.after.as_deref(), change, side)),
        };
        let id = id.or_else(|| before.as_ref()?.id.as_deref());
        Entry {
            change: self.changes.place(content),
            source: source.as_ref().map(|source| self.source(source)),
            // All IDs have this prefix.
            id: id.map(|id| id.strip_prefix("gid://shopify/WebhookSubscription/").unwrap_or(id)),
            outcome,
        }
    }

    /// Names every field, so that a new one does not compile without a decision.
    fn side(&mut self, destination: Option<&'a str>, change: &Change, subscription: &'a Subscription) -> Side<'a> {
        let Subscription {
            id: _,
            address: _,
            format,
            include_fields,
            metafield_namespaces,
            filter,
            name,
            metafields,
            created_at: _,
            updated_at: _,
            api_version: _,
        } = subscription;
        let address = changes::shown_address(change, subscription);
        Side {
            destination: self.destinations.place(self.names.of(destination, change, subscription)),
            address,
            format,
            include_fields,
            metafield_namespaces,
            filter: filter.as_deref(),
            name: name.as_deref(),
            metafields: metafields.as_deref(),
        }
    }
}

fn entry_outcome(outcome: &Outcome) -> EntryOutcome<'_> {
    let Outcome { change: _, result, id: _, confirmed_by, reason, error } = outcome;
    EntryOutcome {
        result: *result,
        by_reading: *confirmed_by == Some(ConfirmedBy::Read),
        reason: reason.as_deref(),
        error: error.as_deref().map(problem),
    }
}

fn problem(error: &ShopError) -> Problem<'_> {
    let ShopError { kind, http_status: _, message, retryable: _ } = error;
    Problem { kind, message }
}
