//! Text, Markdown and HTML for people, from the wire formats alone. Pure: no files, no clock, no environment.
//!
//! `merge` makes one of several shards. `plan` and `report` build a `document`, which holds everything that is said; `facts`,
//! `changes`, `notes`, `hazards` and `destinations` build its parts, and `group` finds what is equal over many shops. `text`,
//! `markdown` and `html` print a document. `metrics` is for Prometheus.

mod changes;
mod destinations;
mod document;
mod facts;
mod group;
mod hazards;
mod html;
mod markdown;
mod merge;
mod metrics;
mod notes;
mod plan;
mod report;
mod text;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tests;

pub(crate) use crate::text::escape;
pub(crate) use hazards::refused as refused_hazards;
pub use metrics::{DriftRun, Successes, metrics};
pub(crate) use text::title;

use document::Kind;

use crate::wire;
use crate::wire::report::{Report, ReportSummary};

/// Options of the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Style {
    /// With ANSI colours.
    pub color: bool,
    /// Width of the terminal; none in a pipe. Prose is wrapped to it, addresses never are.
    pub width: Option<u16>,
    /// Lists all shops and all findings, and shows each variant of a change.
    pub verbose: bool,
}

/// A plan as text. Its last line is [`plan_last_line`].
pub fn plan_text(plan: &wire::plan::Plan, style: &Style) -> String {
    plans_text(std::slice::from_ref(plan), style)
}

/// Several shards as one plan: counts are summed, and groups span all shops.
pub fn plans_text(plans: &[wire::plan::Plan], style: &Style) -> String {
    text::print(&plan::document(&merge::plans(plans), Kind::Plan, style.verbose), style)
}

/// An apply report as text. Its last line is [`report_last_line`].
pub fn report_text(report: &Report, style: &Style) -> String {
    reports_text(std::slice::from_ref(report), style)
}

/// Destinations as text for a terminal.
pub(crate) fn destinations_text(destinations: &[wire::plan::Destination], style: &Style) -> String {
    destinations::text(destinations, style)
}

/// The reports of several shards as one.
pub fn reports_text(reports: &[Report], style: &Style) -> String {
    text::print(&report::document(&merge::reports(reports), style.verbose), style)
}

/// Several shards as one self-contained HTML page.
pub fn plans_html(plans: &[wire::plan::Plan]) -> String {
    html::plans(plans)
}

/// The reports of several shards as one self-contained HTML page.
pub fn reports_html(reports: &[Report]) -> String {
    html::reports(reports)
}

/// Saved plans as Markdown for a comment of at most 65,000 bytes. The first line is a hidden marker, the heading
/// [`plan_last_line`]. What does not fit is counted; the verdict, the hazards and the deletes are always printed. The order of
/// the plans has no meaning.
pub fn plans_markdown(plans: &[wire::plan::Plan]) -> String {
    let plan = merge::plans(plans);
    let kind = if plan.since.is_some() { Kind::Drift } else { Kind::Plan };
    markdown::print(&plan::document(&plan, kind, true))
}

/// A drift report as Markdown. A plan without `--since` does not say that it is one.
pub fn drift_markdown(plan: &wire::plan::Plan) -> String {
    markdown::print(&plan::document(&merge::plans(std::slice::from_ref(plan)), Kind::Drift, true))
}

/// Apply reports as Markdown for a comment; the heading is [`report_last_line`].
pub fn reports_markdown(reports: &[Report]) -> String {
    markdown::print(&report::document(&merge::reports(reports), false))
}

/// The last line of a plan, frozen: scripts read it. `complete` is the plan's own.
pub fn plan_last_line(summary: &wire::plan::Summary, complete: bool) -> String {
    let wire::plan::Summary { add, change, destroy, blocked, attention, shops, .. } = summary;
    let counts = format!("{add} to add, {change} to change, {destroy} to destroy");
    // If no shop was read, tolerated or not, nothing is known to match.
    let read = shops.changed + shops.unchanged;
    let unread = if read == 0 { shops.failed + shops.unavailable } else { shops.failed };
    // Without separators of thousands: scripts read the numbers.
    let shop = if unread == 1 { "shop" } else { "shops" };
    if !complete || *blocked > 0 || unread > 0 {
        format!("Plan incomplete: {counts}; {blocked} blocked, {unread} {shop} not read.")
    } else if [add, change, destroy].iter().any(|n| **n > 0) {
        format!("Plan: {counts}.")
    } else if *attention > 0 {
        let findings = if *attention == 1 { "finding needs" } else { "findings need" };
        format!("No changes, but {attention} {findings} attention.")
    } else {
        "No changes. The live webhooks match the manifest.".to_owned()
    }
}

/// The last line of an apply, frozen: scripts read it. `complete` is the report's own.
pub fn report_last_line(summary: &ReportSummary, complete: bool) -> String {
    let ReportSummary { added, changed, destroyed, failed, skipped, .. } = summary;
    let counts = format!("{added} added, {changed} changed, {destroyed} destroyed");
    if complete {
        format!("Apply complete! Resources: {counts}.")
    } else {
        format!("Apply incomplete! Resources: {counts}; {failed} failed, {skipped} skipped.")
    }
}
