//! An apply report, from top to bottom: what failed, what was not tried, what was done, and the frozen last line.

use super::change::Depth;
use super::group::group_by;
use super::merge::Reports;
use super::notes::{self, Note};
use super::page::{Ink, Page};
use super::{Style, change, escape, report_last_line, settings, shops};
use crate::plan::v1::Change;
use crate::report::{ConfirmedBy, Outcome, OutcomeResult, ReportShop, ReportShopStatus};

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
    notes::blocked(page, report.shops.iter().flat_map(|s| s.blocked.iter().map(|b| (s.shop.as_str(), b))));
    notes::findings(page, report.shops.iter().flat_map(|s| s.findings.iter().map(|f| (s.shop.as_str(), f))));
    also_not_done(page, report);
}

/// Outcomes of one kind, with their shops.
fn outcomes<'a>(
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
fn by_shop<'a>(outcomes: impl IntoIterator<Item = (&'a str, &'a Outcome)>) -> Vec<(&'a str, Vec<&'a Change>)> {
    let shops = group_by(outcomes.into_iter().map(|(shop, outcome)| (shop, shop, &outcome.change)));
    shops.into_iter().map(|(shop, changes)| (shop, changes.into_iter().map(|(_, change)| change).collect())).collect()
}

/// What was tried and did not take, by cause; then shops that were given up.
fn failed(page: &mut Page<'_>, report: &Reports<'_>) {
    let failed = outcomes(report, |_, o| o.result == OutcomeResult::Failed);
    let causes = group_by(failed.into_iter().map(|(shop, outcome)| {
        let cause = outcome.error.as_ref().map(|e| (e.kind.as_str(), notes::common(&e.message, shop, false)));
        (cause, shop, outcome)
    }));
    if !causes.is_empty() {
        page.heading("Failed:");
    }
    for (cause, group) in causes {
        let exact = group.first().and_then(|(_, o)| o.error.as_ref()).filter(|_| group.len() == 1);
        let text = match (exact, cause) {
            (Some(error), _) => format!("{}: {}", escape(&error.kind), escape(&error.message)),
            (None, Some((kind, message))) => format!("{}: {}", escape(kind), escape(&message)),
            (None, None) => "the report does not say why".to_owned(),
        };
        page.point(Some(Ink::Strong), &text);
        change::write(page, 4, Depth::Line, &by_shop(group));
    }
    let stopped = report.shops.iter().filter(|s| s.status == ReportShopStatus::Incomplete);
    let stopped: Vec<_> = stopped.filter_map(|s| Some((s.shop.as_str(), Note::error(s.error.as_ref()?)))).collect();
    if !stopped.is_empty() {
        page.heading("Not finished:");
        notes::write(page, Some(Ink::Strong), stopped);
    }
}

/// What was not tried, by reason. Stale and unread shops are told of as such.
fn skipped(page: &mut Page<'_>, report: &Reports<'_>) {
    let whole = |shop: &ReportShop| matches!(shop.status, ReportShopStatus::Stale | ReportShopStatus::NotRead);
    let skipped = outcomes(report, |shop, o| o.result == OutcomeResult::Skipped && !whole(shop));
    let reasons = group_by(skipped.into_iter().map(|(shop, outcome)| {
        (outcome.reason.as_deref().map(|reason| notes::common(reason, shop, false)), shop, outcome)
    }));
    if !reasons.is_empty() {
        page.heading("Skipped, not tried:");
    }
    for (reason, group) in reasons {
        page.point(None, &reason.map_or_else(|| "the report does not say why".to_owned(), |r| escape(&r).into_owned()));
        change::write(page, 4, Depth::Line, &by_shop(group));
    }
}

fn untouched(page: &mut Page<'_>, report: &Reports<'_>, status: ReportShopStatus, heading: &str) {
    let shops: Vec<&ReportShop> = report.shops.iter().copied().filter(|s| s.status == status).collect();
    if shops.is_empty() {
        return;
    }
    page.heading(heading);
    let silent = Note { kind: "unknown", about: None, message: "the report does not say why", source: None };
    let notes = shops.iter().map(|s| (s.shop.as_str(), s.error.as_ref().map_or(silent, Note::error)));
    notes::write(page, Some(Ink::Strong), notes);
    let changes: usize = shops.iter().map(|s| s.outcomes.len()).sum();
    if changes > 0 {
        page.line(4, &format!("{} not made", shops::count(changes, "change")));
    }
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
        let line = format!("{} without an answer, found done by reading the shop again", shops::count(lost, "change"));
        page.prose(2, &line);
    }
    let already = outcomes(report, |_, o| o.result == OutcomeResult::AlreadySo);
    if !already.is_empty() {
        page.heading("Already so before this run:");
        change::write(page, 2, Depth::Line, &by_shop(already));
    }
}

/// What the last line does not count.
fn also_not_done(page: &mut Page<'_>, report: &Reports<'_>) {
    let summary = &report.summary;
    let parts: Vec<String> = [
        (summary.blocked, "binding", "blocked"),
        (summary.shops_not_read, "shop", "not read"),
        (summary.shops_stale, "shop", "stale"),
    ]
    .into_iter()
    .filter(|(n, ..)| *n > 0)
    .map(|(n, thing, what)| format!("{} {what}", shops::count(n, thing)))
    .collect();
    if !parts.is_empty() {
        page.gap();
        page.line(0, &format!("Not done: {}.", parts.join(", ")));
    }
}
