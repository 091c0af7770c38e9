//! The data for the script of the page: the matrix, in which each repeated value is stored once.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use serde::Serialize;
use serde_json::Value;

use super::names::Names;
use crate::render::changes;
use crate::render::merge::Plans;
use crate::text::plural;
use crate::wire::plan::{
    Blocked, Change, Field, Finding, FindingKind, LeftOut, Origin, Severity, Shop, ShopError, ShopStatus, Source,
    Subscription,
};
use crate::wire::report::{ConfirmedBy, Outcome, OutcomeResult, ReportShop, ReportShopStatus};

/// The matrix. Numbers are indices of its lists.
#[derive(Debug, Serialize)]
pub(super) struct View<'a> {
    /// Whether the entries have outcomes.
    report: bool,
    /// The topics, sorted: the columns of the matrix.
    topics: Vec<&'a str>,
    destinations: Vec<Cow<'a, str>>,
    /// Places in the manifest: `file:line`.
    sources: Vec<String>,
    changes: Vec<Content<'a>>,
    /// Lists of bindings that are up to date, each as topic, destination, number. Many shops share a list.
    bounds: Vec<Vec<(usize, usize, usize)>>,
    /// Why the plan leaves changes out.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<&'static str>,
    /// The routes of the summary.
    routes: Vec<String>,
    rows: Vec<Row<'a>>,
}

impl View<'_> {
    pub(super) fn with_routes(self, routes: Vec<String>) -> Self {
        Self { routes, ..self }
    }
}

/// One shop: a row of the matrix.
#[derive(Debug, Serialize)]
struct Row<'a> {
    shop: &'a str,
    /// The labels: `key=value`.
    labels: Vec<String>,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Problem<'a>>,
    /// The bindings that are up to date, as a place in the list of the view.
    bound: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blocked: Vec<Stopped<'a>>,
    entries: Vec<Entry<'a>>,
    /// Changes that the plan leaves out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<Entry<'a>>,
    /// Blocked bindings that the plan leaves out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_blocked: Vec<Stopped<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Note<'a>>,
    /// What continues in a shop that left the manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    remark: Option<String>,
}

/// The status of a shop.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Status {
    Plan(ShopStatus),
    Report(ReportShopStatus),
    Own(&'static str),
}

#[derive(Debug, Serialize)]
struct Problem<'a> {
    kind: &'a str,
    message: &'a str,
}

/// A binding that cannot be created or updated now.
#[derive(Debug, Serialize)]
struct Stopped<'a> {
    topic: usize,
    destination: usize,
    reason: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<usize>,
}

/// A change in one shop and, in a report, its outcome.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    change: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<EntryOutcome<'a>>,
}

#[derive(Debug, Serialize)]
struct EntryOutcome<'a> {
    result: OutcomeResult,
    /// Whether the answer was lost and a later read confirmed the change.
    by_reading: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Problem<'a>>,
}

/// A change without its ID and place, which differ between shops.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
struct Content<'a> {
    action: &'static str,
    topic: usize,
    drift: bool,
    why: Option<String>,
    fields: &'a [Field],
    before: Option<Side<'a>>,
    after: Option<Side<'a>>,
}

/// A subscription before or after a change.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
struct Side<'a> {
    destination: usize,
    address: Cow<'a, str>,
    format: &'a str,
    include_fields: &'a [String],
    metafield_namespaces: &'a [String],
    filter: Option<&'a str>,
    name: Option<&'a str>,
    metafields: Option<&'a [String]>,
}

#[derive(Debug, Serialize)]
struct Note<'a> {
    kind: &'a str,
    severity: Severity,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<usize>,
    message: &'a str,
    /// The address of an unmanaged subscription.
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<usize>,
}

/// Returns the matrix of a plan. A shop that left the manifest has a row, too.
pub(super) fn of_plan<'a>(plan: &Plans<'a>, names: &'a Names<'a>) -> View<'a> {
    let mut topics = BTreeSet::new();
    for shop in &plan.shops {
        topics.extend(shop.bound.iter().map(|b| &*b.topic));
        topics.extend(topics_of(&shop.blocked, shop.changes.iter(), &shop.findings));
        if let Some(LeftOut { changes, blocked }) = &shop.left_out {
            topics.extend(topics_of(blocked, changes.iter(), &[]));
        }
    }
    let mut lists = Lists::new(topics, names);
    let mut rows: Vec<Row<'a>> = plan.shops.iter().map(|shop| lists.plan_row(shop)).collect();
    rows.extend(plan.shops_left.iter().map(|(shop, bindings)| lists.left_row(shop, *bindings)));
    rows.sort_by_key(|row| row.shop);
    let only = plan.selections.iter().find_map(|selection| selection.only);
    let left_out = only.map(|only| match only {
        Origin::Manifest => "This plan contains only the changes of the manifest and leaves drift out.",
        Origin::Drift => "This plan contains only the repair of drift and leaves the changes of the manifest out.",
    });
    View { left_out, ..lists.view(false, rows) }
}

/// Returns the matrix of an apply report.
pub(super) fn of_report<'a>(shops: &[&'a ReportShop], names: &'a Names<'a>) -> View<'a> {
    let mut topics = BTreeSet::new();
    for shop in shops {
        topics.extend(topics_of(&shop.blocked, shop.outcomes.iter().map(|o| &o.change), &shop.findings));
    }
    let mut lists = Lists::new(topics, names);
    let rows = shops.iter().map(|shop| lists.report_row(shop)).collect();
    lists.view(true, rows)
}

fn topics_of<'a>(
    blocked: &'a [Blocked],
    changes: impl Iterator<Item = &'a Change>,
    findings: &'a [Finding],
) -> impl Iterator<Item = &'a str> {
    let blocked = blocked.iter().map(|b| b.topic.as_str());
    blocked.chain(changes.map(|c| c.topic.as_str())).chain(findings.iter().filter_map(|f| f.topic.as_deref()))
}

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

struct Lists<'a> {
    topics: List<&'a str>,
    destinations: List<Cow<'a, str>>,
    sources: List<String>,
    changes: List<Content<'a>>,
    bounds: List<Vec<(usize, usize, usize)>>,
    names: &'a Names<'a>,
}

impl<'a> Lists<'a> {
    fn new(sorted: BTreeSet<&'a str>, names: &'a Names<'a>) -> Self {
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

    fn view(self, report: bool, rows: Vec<Row<'a>>) -> View<'a> {
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

    fn plan_row(&mut self, shop: &'a Shop) -> Row<'a> {
        let Shop { shop: domain, labels, status, bound, blocked, changes, findings, error, left_out, .. } = shop;
        let bound: Vec<_> = bound
            .iter()
            .map(|b| (self.topics.place(&*b.topic), self.destinations.place(Cow::Borrowed(&*b.destination)), b.count))
            .collect();
        let (left_changes, left_blocked) = match left_out {
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
            error: error.as_ref().map(problem),
            bound: self.bounds.place(bound),
            blocked: blocked.iter().map(|b| self.stopped(b)).collect(),
            entries: changes.iter().map(|change| self.entry(change, None, None)).collect(),
            left_out: left_changes.iter().map(|change| self.entry(change, None, None)).collect(),
            left_blocked: left_blocked.iter().map(|b| self.stopped(b)).collect(),
            findings: findings.iter().map(|f| self.note(f)).collect(),
            remark: None,
        }
    }

    fn left_row(&mut self, shop: &'a str, bindings: Option<usize>) -> Row<'a> {
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

    fn report_row(&mut self, shop: &'a ReportShop) -> Row<'a> {
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
        let Blocked { topic, destination, reason, any_of: _, message, source } = blocked;
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
        error: error.as_ref().map(problem),
    }
}

fn problem(error: &ShopError) -> Problem<'_> {
    let ShopError { kind, http_status: _, message, retryable: _ } = error;
    Problem { kind, message }
}
