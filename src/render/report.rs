//! The document of an apply report: failed, skipped and applied changes, and findings.

use super::changes::ByShop;
use super::document::{Block, Document, Kind, Section, Weight};
use super::group::group_by;
use super::merge::Reports;
use super::notes::{self, Note};
use super::plan::named;
use super::{facts, report_last_line};
use crate::text::plural;
use crate::wire::plan::ShopError;
use crate::wire::report::{ConfirmedBy, Outcome, OutcomeResult, ReportShop, ReportShopStatus};

/// The cause of an outcome or a shop without one.
const NO_CAUSE: &str = "the report gives no reason";

/// Builds the document of merged reports. `list_all` lists all information instead of its count.
pub(super) fn document<'a>(report: &'a Reports<'a>, list_all: bool) -> Document<'a> {
    let mut sections = Vec::new();
    let failed = outcomes(report, |_, o| o.result == OutcomeResult::Failed);
    let note = |shop, o: &'a Outcome| o.error.as_ref().map(|error| Note::error(shop, error));
    sections.extend(not_applied("Failed", &failed, note).map(Section::strong));
    let given_up = report.shops.iter().filter(|s| s.status == ReportShopStatus::Incomplete);
    let given_up = notes::points(given_up.filter_map(|s| Some(of_shop(s, s.error.as_ref()?))));
    sections.extend(Section::list(Weight::Undone, "Not finished", given_up).map(Section::strong));
    // The sections of stale and unread shops count their changes.
    let whole = |shop: &ReportShop| matches!(shop.status, ReportShopStatus::Stale | ReportShopStatus::NotRead);
    let skipped = outcomes(report, |shop, o| o.result == OutcomeResult::Skipped && !whole(shop));
    let note = |shop, o: &'a Outcome| o.reason.as_deref().map(|reason| Note::new(shop, "", reason));
    sections.extend(not_applied("Skipped", &skipped, note));
    for (status, title) in [(ReportShopStatus::Stale, "Stale"), (ReportShopStatus::NotRead, "Not read")] {
        sections.extend(untouched(report, status, title));
    }
    let applied = outcomes(report, |_, o| o.result == OutcomeResult::Applied);
    let unanswered = applied.iter().filter(|(_, o)| o.confirmed_by == Some(ConfirmedBy::Read)).count();
    let remark = (unanswered > 0).then(|| confirmed_by_read(unanswered));
    let applied = done("Applied", Block::Applied, applied);
    sections.extend(applied.map(|section| Section { remark, ..section }));
    let already = outcomes(report, |_, o| o.result == OutcomeResult::AlreadySo);
    sections.extend(done("Already done before this run, so nothing was sent", Block::AlreadySo, already));
    sections.extend(named(report.shops.iter().flat_map(|shop| shop.outcomes.iter().map(|o| &o.change))));
    sections.extend(notes::blocked(report.shops.iter().flat_map(|s| s.blocked.iter().map(|b| (s.shop.as_str(), b)))));
    let findings = report.shops.iter().flat_map(|s| s.findings.iter().map(|f| (s.shop.as_str(), f)));
    sections.extend(notes::findings(findings, list_all, Weight::Information));
    sections.extend(not_done(report).map(|line| Section::line(Weight::Verdict, line)));
    Document {
        kind: Kind::Apply,
        verdict: report_last_line(&report.summary, report.complete),
        incomplete: None,
        facts: report.settings.iter().flat_map(|settings| facts::settings(settings)).collect(),
        sections,
        digests: report.digests.clone(),
        names: facts::names(&report.settings),
        links: &[],
    }
}

fn outcomes<'a>(report: &Reports<'a>, wanted: impl Fn(&ReportShop, &Outcome) -> bool) -> Vec<(&'a str, &'a Outcome)> {
    let mut out = Vec::new();
    for shop in &report.shops {
        out.extend(shop.outcomes.iter().filter(|o| wanted(shop, o)).map(|o| (shop.shop.as_str(), o)));
    }
    out
}

fn by_shop<'a>(outcomes: impl IntoIterator<Item = (&'a str, &'a Outcome)>) -> ByShop<'a> {
    let shops = group_by(outcomes.into_iter().map(|(shop, outcome)| (shop, shop, &outcome.change)));
    shops.into_iter().map(|(shop, changes)| (shop, changes.into_iter().map(|(_, change)| change).collect())).collect()
}

/// Returns the section of changes that were not applied, by cause. `note` returns the cause of an outcome.
fn not_applied<'a>(
    title: &'static str,
    outcomes: &[(&'a str, &'a Outcome)],
    note: impl Fn(&'a str, &'a Outcome) -> Option<Note<'a>>,
) -> Option<Section<'a>> {
    let notes = outcomes.iter().map(|(shop, outcome)| {
        let ids = outcome.id.as_deref().into_iter().chain(id_before(outcome)).collect();
        let note = note(shop, outcome).unwrap_or_else(|| Note::new(shop, "", NO_CAUSE));
        (Note { ids, ..note }, *outcome)
    });
    let causes = notes::same(notes).into_iter().map(|group| {
        let kind = if group.kind.is_empty() { String::new() } else { format!("{}: ", group.kind) };
        (format!("{kind}{}", group.message), by_shop(group.members))
    });
    let block = Block::NotApplied { causes: causes.collect(), all: by_shop(outcomes.iter().copied()) };
    (!outcomes.is_empty()).then(|| Section::new(Weight::Undone, title, block))
}

fn id_before(outcome: &Outcome) -> Option<&str> {
    outcome.change.before.as_ref()?.id.as_deref()
}

/// Returns the error of a shop. Its message may contain IDs of subscriptions in its changes.
fn of_shop<'a>(shop: &'a ReportShop, error: &'a ShopError) -> Note<'a> {
    Note { ids: shop.outcomes.iter().filter_map(id_before).collect(), ..Note::error(&shop.shop, error) }
}

/// Returns the section of shops to which nothing was sent, with the causes and the number of their changes.
fn untouched<'a>(report: &Reports<'a>, status: ReportShopStatus, title: &str) -> Option<Section<'a>> {
    let shops = || report.shops.iter().copied().filter(|s| s.status == status);
    let note = |s: &'a ReportShop| match &s.error {
        Some(error) => of_shop(s, error),
        None => Note::new(&s.shop, "unknown", NO_CAUSE),
    };
    let changes: usize = shops().map(|s| s.outcomes.len()).sum();
    let cause = match (status, shops().count()) {
        (ReportShopStatus::Stale, 1) => "nothing was sent because the plan is stale for this shop",
        (ReportShopStatus::Stale, _) => "nothing was sent because the plan is stale for these shops",
        _ => "no changes were sent",
    };
    let count = if changes > 0 { format!("; {} not applied", plural(changes, "change")) } else { String::new() };
    let remedy = if status == ReportShopStatus::Stale { ". Create a new plan" } else { "" };
    let remark = Some(format!("{cause}{count}{remedy}"));
    let section = Section::list(Weight::Undone, title, notes::points(shops().map(note)))?;
    Some(Section { remark, ..section.strong() })
}

/// Returns the remark on changes whose answer was lost. A subscription does not show which run created it.
fn confirmed_by_read(changes: usize) -> String {
    let they = if changes == 1 { "it was" } else { "they were" };
    let count = plural(changes, "change");
    format!(
        "Shopify did not respond to {count}. A later read shows that {they} made, by this run or by another one. Nothing to do"
    )
}

fn done<'a>(
    title: &str,
    block: fn(ByShop<'a>) -> Block<'a>,
    outcomes: Vec<(&'a str, &'a Outcome)>,
) -> Option<Section<'a>> {
    (!outcomes.is_empty()).then(|| Section::new(Weight::Done, title, block(by_shop(outcomes))))
}

/// Returns the counts that the last line does not contain.
fn not_done(report: &Reports<'_>) -> Option<String> {
    let summary = &report.summary;
    let parts: Vec<String> = [
        (summary.blocked, "binding", "blocked"),
        (summary.shops_not_read, "shop", "not read"),
        (summary.shops_stale, "shop", "changed since the plan was created"),
    ]
    .into_iter()
    .filter(|(n, ..)| *n > 0)
    .map(|(n, thing, what)| format!("{} {what}", plural(n, thing)))
    .collect();
    (!parts.is_empty()).then(|| format!("Not done: {}.", parts.join(", ")))
}
