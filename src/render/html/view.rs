//! The data for the script of the page: the matrix, in which each repeated value is stored once.

mod lists;

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Serialize;

use super::names::Names;
use crate::render::merge::Plans;
use crate::wire::plan::{Blocked, Change, Field, Finding, LeftOut, Origin, Severity, ShopStatus};
use crate::wire::report::{OutcomeResult, ReportShop, ReportShopStatus};
use lists::Lists;

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
        if let Some(LeftOut { changes, blocked }) = shop.left_out.as_deref() {
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
    blocked.chain(changes.map(|c| &*c.topic)).chain(findings.iter().filter_map(|f| f.topic.as_deref()))
}
