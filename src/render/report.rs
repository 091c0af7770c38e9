//! An apply report, from top to bottom: what failed, what was not tried, what was done, and the frozen last line.

use super::change::Depth;
use super::group::group_by;
use super::merge::Reports;
use super::notes::{self, Note};
use super::page::{Ink, Page};
use super::{Style, change, escape, report_last_line, settings};
use crate::text::plural;
use crate::wire::plan::Change;
use crate::wire::report::{ConfirmedBy, Outcome, OutcomeResult, ReportShop, ReportShopStatus};

pub(super) fn text(report: &Reports<'_>, style: &Style) -> String {
    let mut page = Page::new(style);
    for one in &report.settings {
        settings::write(&mut page, one);
    }
    body(&mut page, report);
    page.finish(&report_last_line(&report.summary, report.complete))
}

/// What stands between the settings and the last line.
pub(super) fn body(page: &mut Page<'_>, report: &Reports<'_>) {
    failed(page, report);
    skipped(page, report);
    untouched(
        page,
        report,
        ReportShopStatus::Stale,
        "Stale: not as planned any more, so nothing was sent. Plan again:",
    );
    untouched(page, report, ReportShopStatus::NotRead, "Not read, so nothing was sent:");
    done(page, report);
    change::write_labels(page, outcomes(report, |_, _| true).into_iter().map(|(_, outcome)| &outcome.change));
    notes::blocked(page, report.shops.iter().flat_map(|s| s.blocked.iter().map(|b| (s.shop.as_str(), b))));
    notes::findings(page, report.shops.iter().flat_map(|s| s.findings.iter().map(|f| (s.shop.as_str(), f))));
    also_not_done(page, report);
}

/// Outcomes of one kind, with their shops.
pub(super) fn outcomes<'a>(
    report: &'a Reports<'_>,
    wanted: impl Fn(&ReportShop, &Outcome) -> bool,
) -> Vec<(&'a str, &'a Outcome)> {
    let mut out = Vec::new();
    for shop in &report.shops {
        out.extend(shop.outcomes.iter().filter(|o| wanted(shop, o)).map(|o| (shop.shop.as_str(), o)));
    }
    out
}

/// The changes of outcomes, by shop.
pub(super) fn by_shop<'a>(
    outcomes: impl IntoIterator<Item = (&'a str, &'a Outcome)>,
) -> Vec<(&'a str, Vec<&'a Change>)> {
    let shops = group_by(outcomes.into_iter().map(|(shop, outcome)| (shop, shop, &outcome.change)));
    shops.into_iter().map(|(shop, changes)| (shop, changes.into_iter().map(|(_, change)| change).collect())).collect()
}

/// Outcomes that have one cause, which is disarmed.
type Cause<'a> = (String, Vec<(&'a str, &'a Outcome)>);

const SILENT: &str = "the report does not say why";

/// What was tried and did not take, by cause.
pub(super) fn failures<'a>(report: &'a Reports<'_>) -> Vec<Cause<'a>> {
    let failed = outcomes(report, |_, o| o.result == OutcomeResult::Failed);
    let causes = group_by(failed.into_iter().map(|(shop, outcome)| {
        let cause = outcome.error.as_ref().map(|e| (e.kind.as_str(), notes::common(&e.message, shop, false)));
        (cause, shop, outcome)
    }));
    let text = |cause: Option<(&str, String)>, group: &[(&str, &Outcome)]| {
        let messages: Vec<_> =
            group.iter().filter_map(|(shop, o)| Some((*shop, o.error.as_ref()?.message.as_str()))).collect();
        let said = |(kind, _)| format!("{}: {}", escape(kind), escape(&notes::shared(&messages, false)));
        cause.map_or_else(|| SILENT.to_owned(), said)
    };
    causes.into_iter().map(|(cause, group)| (text(cause, &group), group)).collect()
}

/// Shops that were given up.
pub(super) fn stopped<'a>(report: &Reports<'a>) -> Vec<(&'a str, Note<'a>)> {
    let stopped = report.shops.iter().filter(|s| s.status == ReportShopStatus::Incomplete);
    stopped.filter_map(|s| Some((s.shop.as_str(), Note::error(s.error.as_ref()?)))).collect()
}

fn failed(page: &mut Page<'_>, report: &Reports<'_>) {
    let causes = failures(report);
    if !causes.is_empty() {
        page.heading("Failed:");
    }
    for (text, group) in causes {
        page.point(Some(Ink::Strong), &text);
        change::write(page, 4, Depth::Line, &by_shop(group));
    }
    let stopped = stopped(report);
    if !stopped.is_empty() {
        page.heading("Not finished:");
        notes::write(page, Some(Ink::Strong), stopped);
    }
}

/// What was not tried, by reason. Stale and unread shops are told of as such.
pub(super) fn reasons<'a>(report: &'a Reports<'_>) -> Vec<Cause<'a>> {
    let whole = |shop: &ReportShop| matches!(shop.status, ReportShopStatus::Stale | ReportShopStatus::NotRead);
    let skipped = outcomes(report, |shop, o| o.result == OutcomeResult::Skipped && !whole(shop));
    let reasons = group_by(skipped.into_iter().map(|(shop, outcome)| {
        (outcome.reason.as_deref().map(|reason| notes::common(reason, shop, false)), shop, outcome)
    }));
    let text = |group: &[(&str, &Outcome)]| {
        let said: Vec<_> = group.iter().filter_map(|(shop, o)| Some((*shop, o.reason.as_deref()?))).collect();
        if said.is_empty() { SILENT.to_owned() } else { escape(&notes::shared(&said, false)).into_owned() }
    };
    reasons.into_iter().map(|(_, group)| (text(&group), group)).collect()
}

fn skipped(page: &mut Page<'_>, report: &Reports<'_>) {
    let reasons = reasons(report);
    if !reasons.is_empty() {
        page.heading("Skipped, not tried:");
    }
    for (reason, group) in reasons {
        page.point(None, &reason);
        change::write(page, 4, Depth::Line, &by_shop(group));
    }
}

/// Shops in which nothing was tried, why, and how many changes are not made for it.
pub(super) fn left_alone<'a>(report: &Reports<'a>, status: ReportShopStatus) -> (Vec<(&'a str, Note<'a>)>, usize) {
    let shops = || report.shops.iter().filter(|s| s.status == status);
    let silent = Note { kind: "unknown", about: None, message: SILENT, source: None };
    let notes = shops().map(|s| (s.shop.as_str(), s.error.as_ref().map_or(silent, Note::error)));
    (notes.collect(), shops().map(|s| s.outcomes.len()).sum())
}

fn untouched(page: &mut Page<'_>, report: &Reports<'_>, status: ReportShopStatus, heading: &str) {
    let (notes, changes) = left_alone(report, status);
    if notes.is_empty() {
        return;
    }
    page.heading(heading);
    notes::write(page, Some(Ink::Strong), notes);
    if changes > 0 {
        page.line(4, &format!("{} not made", plural(changes, "change")));
    }
}

/// Nothing in a subscription says which run made it, so a lost answer and a reading do not tell either.
pub(super) fn found_done(changes: usize) -> String {
    let them = if changes == 1 { "it" } else { "them" };
    let count = plural(changes, "change");
    format!("{count} without an answer, found done by reading the shop again; another run may have made {them}")
}

/// What this run made, and what it found made.
fn done(page: &mut Page<'_>, report: &Reports<'_>) {
    let read = |o: &Outcome| o.confirmed_by == Some(ConfirmedBy::Read);
    let applied = outcomes(report, |_, o| o.result == OutcomeResult::Applied);
    let lost = applied.iter().filter(|(_, o)| read(o)).count();
    if !applied.is_empty() {
        page.heading("Applied:");
        change::write(page, 2, Depth::Line, &by_shop(applied));
    }
    if lost > 0 {
        page.prose(2, &found_done(lost));
    }
    let already = outcomes(report, |_, o| o.result == OutcomeResult::AlreadySo);
    if !already.is_empty() {
        page.heading("Already so before this run:");
        change::write(page, 2, Depth::Line, &by_shop(already));
    }
}

/// What the last line does not count.
pub(super) fn not_done(report: &Reports<'_>) -> Option<String> {
    let summary = &report.summary;
    let parts: Vec<String> = [
        (summary.blocked, "binding", "blocked"),
        (summary.shops_not_read, "shop", "not read"),
        (summary.shops_stale, "shop", "stale"),
    ]
    .into_iter()
    .filter(|(n, ..)| *n > 0)
    .map(|(n, thing, what)| format!("{} {what}", plural(n, thing)))
    .collect();
    (!parts.is_empty()).then(|| format!("Not done: {}.", parts.join(", ")))
}

fn also_not_done(page: &mut Page<'_>, report: &Reports<'_>) {
    if let Some(line) = not_done(report) {
        page.gap();
        page.line(0, &line);
    }
}
