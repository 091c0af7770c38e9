//! Renders the wire formats as text, Markdown and HTML. Pure: no files, no clock, no environment.
//!
//! `merge` combines shards. `plan` and `report` build a `document` with the whole content; `facts`, `changes`, `notes`,
//! `hazards` and `destinations` build its parts, and `group` groups equal changes of many shops. `text`, `markdown` and `html`
//! print a document. `metrics` writes the Prometheus textfile.

mod changes;
mod destinations;
mod document;
mod drift;
mod facts;
mod gaps;
mod group;
mod hazards;
mod html;
mod markdown;
mod merge;
mod metrics;
mod notes;
mod plan;
mod report;
mod slack;
mod text;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tests;

pub(crate) use crate::text::escape;
#[cfg(test)]
pub(crate) use drift::DriftCounts;
pub(crate) use hazards::refused as refused_hazards;
pub use metrics::{DriftRun, Successes, metrics};
pub(crate) use text::title;

use document::Document;

use crate::wire;
use crate::wire::report::{Report, ReportSummary};

/// Options of the text output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether to print ANSI colours.
    pub color: bool,
    /// The width of the terminal in columns; `None` in a pipe. Prose is wrapped to it, addresses are not.
    pub width: Option<u16>,
    /// Whether to list all shops, all findings and each variant of a change.
    pub verbose: bool,
}

/// A link in the Markdown or HTML of a plan or a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The text of the link.
    pub name: String,
    /// An `https` or `http` URL in the form of the URL standard, which contains no blanks, quotes or angle brackets.
    pub url: String,
}

/// Returns a plan as text. Its last line is [`plan_last_line`].
pub fn plan_text(plan: &wire::plan::Plan, style: &Style) -> String {
    plans_text(std::slice::from_ref(plan), style)
}

/// Returns several shards as the text of one plan: counts are summed, and groups span all shops.
pub fn plans_text(plans: &[wire::plan::Plan], style: &Style) -> String {
    text::print(&document(&merge::plans(plans), style.verbose), style)
}

/// Returns an apply report as text. Its last line is [`report_last_line`].
pub fn report_text(report: &Report, style: &Style) -> String {
    reports_text(std::slice::from_ref(report), style)
}

/// Returns destinations as text.
pub(crate) fn destinations_text(destinations: &[wire::plan::Destination], style: &Style) -> String {
    destinations::text(destinations, style)
}

/// Returns the windows of `gaps` as text.
pub(crate) fn gaps_text(gaps: &wire::gaps::Gaps, style: &Style) -> String {
    gaps::text(gaps, style)
}

/// Returns the windows of `gaps` as CSV.
pub(crate) fn gaps_csv(gaps: &wire::gaps::Gaps) -> String {
    gaps::csv(gaps)
}

/// Returns the reports of several shards as the text of one report.
pub fn reports_text(reports: &[Report], style: &Style) -> String {
    text::print(&report::document(&merge::reports(reports), style.verbose), style)
}

/// Returns several shards as one self-contained HTML page.
pub fn plans_html(plans: &[wire::plan::Plan], links: &[Link]) -> String {
    html::plans(plans, links)
}

/// Returns the reports of several shards as one self-contained HTML page.
pub fn reports_html(reports: &[Report], links: &[Link]) -> String {
    html::reports(reports, links)
}

/// Returns saved plans as Markdown for a comment of at most 65,000 bytes. The first line is a hidden marker, the heading is
/// [`plan_last_line`]. Items that do not fit are counted; the verdict, the hazards and the deletes are always printed. The
/// order of the plans has no meaning.
pub fn plans_markdown(plans: &[wire::plan::Plan], links: &[Link]) -> String {
    let plan = merge::plans(plans);
    markdown::print(&Document { links, ..document(&plan, true) })
}

/// Returns the document of merged plans or drift reports. `list_all` lists all information instead of its count.
fn document<'a>(plan: &'a merge::Plans<'a>, list_all: bool) -> Document<'a> {
    if plan.is_drift { drift::document(plan, list_all) } else { plan::document(plan, list_all) }
}

/// Returns the plans of several runs as text, one after another.
pub fn runs_text(runs: &[Vec<wire::plan::Plan>], style: &Style) -> String {
    let merged: Vec<_> = runs.iter().map(|run| merge::plans(run)).collect();
    let documents: Vec<_> = merged.iter().map(|run| plan::document(run, style.verbose)).collect();
    let sections = documents
        .iter()
        .map(|document| format!("\n=== {}\n\n{}", document::titled(document), text::print(document, style)));
    format!("{}\n{}", document::runs(&documents), sections.collect::<String>())
}

/// Returns the plans of several runs as one Markdown comment with a section for each.
pub fn runs_markdown(runs: &[Vec<wire::plan::Plan>], links: &[Link]) -> String {
    let merged: Vec<_> = runs.iter().map(|run| merge::plans(run)).collect();
    let documents: Vec<_> = merged.iter().map(|run| plan::document(run, true)).collect();
    markdown::side_by_side(&documents, links)
}

/// Returns the plans of several runs as one self-contained HTML page with one matrix.
pub fn runs_html(runs: &[Vec<wire::plan::Plan>], links: &[Link]) -> String {
    html::side_by_side(runs, links)
}

/// Returns plans as a message for Slack.
pub(crate) fn plans_slack(plans: &[wire::plan::Plan], links: &[Link]) -> serde_json::Value {
    let plan = merge::plans(plans);
    slack::print(&Document { links, ..document(&plan, false) })
}

/// Returns the plans of several runs as a message for Slack with the verdict of each.
pub(crate) fn runs_slack(runs: &[Vec<wire::plan::Plan>], links: &[Link]) -> serde_json::Value {
    let merged: Vec<_> = runs.iter().map(|run| merge::plans(run)).collect();
    let documents: Vec<_> = merged.iter().map(|run| document(run, false)).collect();
    slack::side_by_side(&documents, links)
}

/// Returns apply reports as a message for Slack.
pub(crate) fn reports_slack(reports: &[Report], links: &[Link]) -> serde_json::Value {
    let reports = merge::reports(reports);
    slack::print(&Document { links, ..report::document(&reports, false) })
}

/// Returns apply reports as Markdown for a comment. The heading is [`report_last_line`].
pub fn reports_markdown(reports: &[Report], links: &[Link]) -> String {
    let reports = merge::reports(reports);
    markdown::print(&Document { links, ..report::document(&reports, false) })
}

/// Returns the last line of a plan. Scripts read it, so its format is fixed. `complete` is the field of the plan; `unchecked` is
/// the number of destinations that could not be checked at Adobe.
pub fn plan_last_line(summary: &wire::plan::Summary, complete: bool, unchecked: usize) -> String {
    let wire::plan::Summary { add, change, destroy, blocked, attention, left_out, shops, .. } = summary;
    let counts = format!("{add} to add, {change} to change, {destroy} to destroy");
    // If no shop was read, nothing is known to match, even if that is tolerated.
    let read = shops.changed + shops.unchanged;
    let unread = if read == 0 { shops.failed + shops.unavailable } else { shops.failed };
    // Scripts read the numbers, so they have no thousands separators.
    let shop = if unread == 1 { "shop" } else { "shops" };
    if !complete || *blocked > 0 || unread > 0 {
        let unchecked = match unchecked {
            0 => String::new(),
            1 => ", 1 destination not checked".to_owned(),
            n => format!(", {n} destinations not checked"),
        };
        format!("Plan incomplete: {counts}; {blocked} blocked, {unread} {shop} not read{unchecked}.")
    } else if [add, change, destroy].iter().any(|n| **n > 0) {
        format!("Plan: {counts}.")
    } else if *attention > 0 {
        let findings = if *attention == 1 { "finding needs" } else { "findings need" };
        format!("No changes, but {attention} {findings} attention.")
    } else if *left_out > 0 {
        let changes = if *left_out == 1 { "change" } else { "changes" };
        format!("No changes, but --only leaves out {left_out} {changes}.")
    } else {
        "No changes. The live webhooks match the manifest.".to_owned()
    }
}

/// Returns the last line of an apply. Scripts read it, so its format is fixed. `complete` is the field of the report.
pub fn report_last_line(summary: &ReportSummary, complete: bool) -> String {
    let ReportSummary { added, changed, destroyed, failed, skipped, .. } = summary;
    let counts = format!("{added} added, {changed} changed, {destroyed} destroyed");
    if complete {
        format!("Apply complete! Resources: {counts}.")
    } else {
        format!("Apply incomplete! Resources: {counts}; {failed} failed, {skipped} skipped.")
    }
}
