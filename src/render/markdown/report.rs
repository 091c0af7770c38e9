//! An apply report as a comment: the verdict, what failed and why, what was left alone, and what was done in folds.

use super::super::change::Depth;
use super::super::group::group_by;
use super::super::merge::Reports;
use super::super::notes::{about_labels, labelled, sort};
use super::super::plan::ByShop;
use super::super::report::{by_shop, failures, found_done, left_alone, not_done, outcomes, reasons, stopped};
use super::super::{Style, report_last_line};
use super::budget::{Part, Piece};
use super::changes::{deletes, diff, labels};
use super::inline::{prose, title};
use super::notes::{folded, list, point, points, removals, unmanaged};
use super::{Kind, assemble, bottom, paragraph, report_rules, top};
use crate::text::plural;
use crate::wire::report::{ConfirmedBy, Outcome, OutcomeResult, ReportShopStatus};

/// Room for settings that are not the usual ones.
const RULES: usize = 4_000;
const APPLY: Kind = Kind::Apply;

pub(in super::super) fn page(report: &Reports<'_>) -> String {
    let result = |wanted| by_shop(outcomes(report, move |_, o| o.result == wanted));
    let applied = result(OutcomeResult::Applied);
    let mut must = top(APPLY, &report_last_line(&report.summary, report.complete));
    must.push_str(&report_rules(report).fit(RULES));
    must.extend(not_done(report).map(|line| paragraph(&line)));
    must.push_str(&deletes(APPLY, ["delete was made", "deletes were made"], &[("", applied.clone())]));
    must.push_str(&labels(APPLY, outcomes(report, |_, _| true).into_iter().map(|(_, outcome)| &outcome.change)));
    assemble(&must, &bottom(report.digests.iter().copied()), |style| {
        let mut parts = undone(report);
        parts.extend(said(report));
        let failed = result(OutcomeResult::Failed);
        let skipped = by_shop(reasons(report).into_iter().flat_map(|(_, group)| group));
        let already = result(OutcomeResult::AlreadySo);
        for (what, changes) in [
            ("Failed", &failed),
            ("Skipped", &skipped),
            ("Applied", &applied),
            ("Already so before this run", &already),
        ] {
            parts.extend(done(what, changes, style));
        }
        parts.extend(minor(report));
        parts
    })
}

fn done<'a>(what: &str, changes: &ByShop<'a>, style: &Style) -> Option<Part<'a>> {
    let number: usize = changes.iter().map(|(_, changes)| changes.len()).sum();
    let fold = Some(format!("{what}: {}", plural(number, "change")));
    (number > 0).then(|| Part { fold, ..diff(APPLY, Depth::Brief, changes, style) })
}

/// Causes as points: in which shops, how many changes, and why.
fn causes<'a>(causes: Vec<(String, Vec<(&'a str, &'a Outcome)>)>) -> Vec<Piece<'a>> {
    let point = |(text, group): (String, Vec<(&'a str, &Outcome)>)| {
        let number = group.len();
        let names = group_by(group.into_iter().map(|(shop, _)| (shop, "", ())));
        let names: Vec<&str> = names.into_iter().map(|(shop, _)| shop).collect();
        let text = format!("{} in {}: {}", plural(number, "change"), title(&names), prose(&text));
        Piece { things: number, ..point(&text, names) }
    };
    causes.into_iter().map(point).collect()
}

/// What was not done, by cause.
fn undone<'a>(report: &'a Reports<'_>) -> Vec<Part<'a>> {
    let mut parts = vec![
        list(APPLY, "Failed", "change", causes(failures(report))),
        list(APPLY, "Not finished", "shop", points(stopped(report))),
        list(APPLY, "Skipped, not tried", "change", causes(reasons(report))),
    ];
    for (status, heading) in [
        (ReportShopStatus::Stale, "Stale: not as planned any more, so nothing was sent. Plan again"),
        (ReportShopStatus::NotRead, "Not read, so nothing was sent"),
    ] {
        let (notes, changes) = left_alone(report, status);
        let made = if changes > 0 { format!(": {} not made", plural(changes, "change")) } else { String::new() };
        parts.push(list(APPLY, &format!("{heading}{made}"), "shop", points(notes)));
    }
    parts.retain(|part| !part.pieces.is_empty());
    parts
}

/// What the report says besides.
fn said<'a>(report: &'a Reports<'_>) -> Vec<Part<'a>> {
    let blocked = labelled(report.shops.iter().flat_map(|s| s.blocked.iter().map(|b| (s.shop.as_str(), b))));
    let found = findings(report);
    let read = |o: &Outcome| o.result == OutcomeResult::Applied && o.confirmed_by == Some(ConfirmedBy::Read);
    let lost = outcomes(report, |_, o| read(o)).len();
    let lost = (lost > 0).then(|| point(&found_done(lost), vec![]));
    let mut parts = vec![
        list(APPLY, "Blocked, not part of the changes", "binding", points(about_labels(&blocked))),
        list(APPLY, "Needs attention", "finding", points(found.attention)),
        list(APPLY, "To know", "finding", lost.into_iter().chain(points(found.information)).collect()),
    ];
    parts.retain(|part| !part.pieces.is_empty());
    parts.extend(removals(APPLY, report.shops.iter().flat_map(|shop| &shop.findings)));
    parts
}

fn findings<'a>(report: &Reports<'a>) -> super::super::notes::Findings<'a> {
    sort(report.shops.iter().flat_map(|s| s.findings.iter().map(|f| (s.shop.as_str(), f))), false)
}

/// What nobody has to act on.
fn minor<'a>(report: &Reports<'a>) -> Option<Part<'a>> {
    let found = findings(report);
    let number = found.warnings.len() + found.unmanaged.len();
    let mut pieces = points(found.warnings);
    pieces.extend(unmanaged(&found.unmanaged));
    let summary = format!("Warnings and what is unmanaged: {}", plural(number, "finding"));
    (!pieces.is_empty()).then(|| folded(APPLY, summary, "finding", pieces))
}
