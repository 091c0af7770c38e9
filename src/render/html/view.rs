//! What the page's script gets to know: the matrix, with everything that repeats over shops standing once. Strings are
//! disarmed here as in every rendering; the script shows them as text and makes no words about changes of its own.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use serde::Serialize;
use serde_json::Value;

use crate::render::{change, escape};
use crate::wire::plan::{
    Blocked, Change, Finding, FindingKind, Origin, Severity, Shop, ShopError, ShopStatus, Source, Subscription,
};
use crate::wire::report::{ConfirmedBy, Outcome, OutcomeResult, ReportShop, ReportShopStatus};

/// The matrix. Numbers are places in the lists.
#[derive(Debug, Serialize)]
pub(super) struct View {
    /// Whether the entries have become outcomes.
    report: bool,
    /// The columns, sorted.
    pub(super) topics: Vec<String>,
    destinations: Vec<String>,
    /// `file:line`
    sources: Vec<String>,
    changes: Vec<Content>,
    pub(super) rows: Vec<Row>,
}

/// One shop.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    shop: String,
    /// `key=value`
    labels: Vec<String>,
    status: &'static str,
    error: Option<Problem>,
    /// Topic, destination, how many.
    bound: Vec<(usize, usize, usize)>,
    blocked: Vec<Stopped>,
    entries: Vec<Entry>,
    findings: Vec<Note>,
}

#[derive(Debug, Serialize)]
struct Problem {
    kind: String,
    message: String,
}

/// A binding that cannot be made now.
#[derive(Debug, Serialize)]
struct Stopped {
    topic: usize,
    destination: usize,
    reason: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<usize>,
}

/// A change of one shop, and of a report what became of it.
#[derive(Debug, Serialize)]
struct Entry {
    change: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Became>,
}

#[derive(Debug, Serialize)]
struct Became {
    result: &'static str,
    /// The answer was lost, and the shop was read.
    by_reading: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Problem>,
}

/// A change without what differs from shop to shop and makes no other change of it: ids and places.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
struct Content {
    action: &'static str,
    topic: usize,
    drift: bool,
    why: Option<String>,
    fields: Vec<String>,
    before: Option<Side>,
    after: Option<Side>,
}

/// A subscription as it is or will be.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
struct Side {
    destination: usize,
    address: String,
    format: String,
    include_fields: Vec<String>,
    metafield_namespaces: Vec<String>,
    filter: Option<String>,
    name: Option<String>,
    metafields: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
struct Note {
    kind: String,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<usize>,
    message: String,
    /// Of an unmanaged subscription: where it delivers to.
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<usize>,
}

/// The matrix of a plan.
pub(super) fn of_plan(shops: &[&Shop]) -> View {
    let mut topics = BTreeSet::new();
    for shop in shops {
        topics.extend(shop.bound.iter().map(|b| &*b.topic));
        topics.extend(topics_of(&shop.blocked, shop.changes.iter(), &shop.findings));
    }
    let mut lists = Lists::new(topics);
    let rows = shops.iter().map(|shop| lists.plan_row(shop)).collect();
    lists.view(false, rows)
}

/// The matrix of an apply report.
pub(super) fn of_report(shops: &[&ReportShop]) -> View {
    let mut topics = BTreeSet::new();
    for shop in shops {
        topics.extend(topics_of(&shop.blocked, shop.outcomes.iter().map(|o| &o.change), &shop.findings));
    }
    let mut lists = Lists::new(topics);
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

/// A list in which each value stands once.
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

struct Lists {
    topics: List<String>,
    destinations: List<String>,
    sources: List<String>,
    changes: List<Content>,
}

impl Lists {
    fn new(sorted: BTreeSet<&str>) -> Self {
        let mut topics = List::new();
        for topic in sorted {
            topics.place(own(topic));
        }
        Self { topics, destinations: List::new(), sources: List::new(), changes: List::new() }
    }

    fn view(self, report: bool, rows: Vec<Row>) -> View {
        let Self { topics, destinations, sources, changes } = self;
        View { report, topics: topics.1, destinations: destinations.1, sources: sources.1, changes: changes.1, rows }
    }

    fn plan_row(&mut self, shop: &Shop) -> Row {
        let Shop { shop: domain, labels, status, bound, blocked, changes, findings, error, .. } = shop;
        Row {
            shop: own(domain),
            labels: labels.iter().map(|(key, value)| own(&format!("{key}={value}"))).collect(),
            status: match status {
                ShopStatus::Changed => "changed",
                ShopStatus::Unchanged if blocked.is_empty() => "unchanged",
                ShopStatus::Unchanged => "blocked",
                ShopStatus::Failed => "failed",
                ShopStatus::Unavailable => "unavailable",
            },
            error: error.as_ref().map(problem),
            bound: bound
                .iter()
                .map(|b| (self.topics.place(own(&b.topic)), self.destinations.place(own(&b.destination)), b.count))
                .collect(),
            blocked: blocked.iter().map(|b| self.stopped(b)).collect(),
            entries: changes.iter().map(|change| self.entry(change, None, None)).collect(),
            findings: findings.iter().map(|f| self.note(f)).collect(),
        }
    }

    fn report_row(&mut self, shop: &ReportShop) -> Row {
        let ReportShop { shop: domain, status, error, outcomes, blocked, findings } = shop;
        Row {
            shop: own(domain),
            labels: vec![],
            status: match status {
                ReportShopStatus::Done => "done",
                ReportShopStatus::Incomplete => "incomplete",
                ReportShopStatus::Stale => "stale",
                ReportShopStatus::NotRead => "not_read",
            },
            error: error.as_ref().map(problem),
            bound: vec![],
            blocked: blocked.iter().map(|b| self.stopped(b)).collect(),
            entries: outcomes.iter().map(|o| self.entry(&o.change, o.id.as_deref(), Some(became(o)))).collect(),
            findings: findings.iter().map(|f| self.note(f)).collect(),
        }
    }

    fn source(&mut self, Source { file, line }: &Source) -> usize {
        self.sources.place(own(&format!("{file}:{line}")))
    }

    fn stopped(&mut self, blocked: &Blocked) -> Stopped {
        // The message names the scopes.
        let Blocked { topic, destination, reason, any_of: _, message, source } = blocked;
        Stopped {
            topic: self.topics.place(own(topic)),
            destination: self.destinations.place(own(destination)),
            reason: own(reason),
            message: own(message),
            source: source.as_ref().map(|source| self.source(source)),
        }
    }

    fn note(&mut self, finding: &Finding) -> Note {
        let Finding { kind, severity, topic, id: _, message, details } = finding;
        let address = details.get("address").and_then(Value::as_str).filter(|_| *kind == FindingKind::Unmanaged);
        Note {
            kind: own(kind),
            severity: match severity {
                Severity::Info => "info",
                Severity::Warning => "warning",
                Severity::Attention => "attention",
            },
            topic: topic.as_deref().map(|topic| self.topics.place(own(topic))),
            message: own(message),
            destination: address.map(|address| self.destinations.place(own(address))),
        }
    }

    fn entry(&mut self, change: &Change, id: Option<&str>, outcome: Option<Became>) -> Entry {
        let Change { action, topic, reason: _, origin, fields, destination, source, before, after } = change;
        let content = Content {
            action: action.as_str(),
            topic: self.topics.place(own(topic)),
            drift: *origin == Some(Origin::Drift),
            why: change::reason(change, change::Depth::Full),
            fields: fields.iter().map(|field| own(field)).collect(),
            before: before.as_ref().map(|side| self.side(destination.before.as_deref(), change, side)),
            after: after.as_ref().map(|side| self.side(destination.after.as_deref(), change, side)),
        };
        let id = id.or_else(|| before.as_ref()?.id.as_deref());
        Entry {
            change: self.changes.place(content),
            source: source.as_ref().map(|source| self.source(source)),
            // The digits say it all; fifty thousand of the same prefix would not.
            id: id.map(|id| own(id.strip_prefix("gid://shopify/WebhookSubscription/").unwrap_or(id))),
            outcome,
        }
    }

    /// Every field is named, so that a new one does not compile until somebody decides.
    fn side(&mut self, destination: Option<&str>, change: &Change, subscription: &Subscription) -> Side {
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
        let address = &*change::shown_address(change, subscription);
        let list = |items: &[String]| items.iter().map(|item| own(item)).collect();
        Side {
            destination: self.destinations.place(own(destination.unwrap_or(address))),
            address: own(address),
            format: own(format),
            include_fields: list(include_fields),
            metafield_namespaces: list(metafield_namespaces),
            filter: filter.as_deref().map(own),
            name: name.as_deref().map(own),
            metafields: metafields.as_deref().map(list),
        }
    }
}

fn became(outcome: &Outcome) -> Became {
    let Outcome { change: _, result, id: _, confirmed_by, reason, error } = outcome;
    Became {
        result: match result {
            OutcomeResult::Applied => "applied",
            OutcomeResult::AlreadySo => "already_so",
            OutcomeResult::Failed => "failed",
            OutcomeResult::Skipped => "skipped",
        },
        by_reading: *confirmed_by == Some(ConfirmedBy::Read),
        reason: reason.as_deref().map(own),
        error: error.as_ref().map(problem),
    }
}

fn problem(error: &ShopError) -> Problem {
    let ShopError { kind, http_status: _, message, retryable: _ } = error;
    Problem { kind: own(kind), message: own(message) }
}

fn own(text: &str) -> String {
    escape(text).into_owned()
}
