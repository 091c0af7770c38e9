//! Assembles the report of an apply: one outcome for each planned change, and the exit code.

use jiff::Timestamp;

use crate::apply;
use crate::exit::{self, Cause, Exit};
use crate::plan::{Plan, ShopStatus};
use crate::wire;
use crate::wire::plan::Action;
use crate::wire::report::{
    self, Outcome, OutcomeResult, Report, ReportKind, ReportShop, ReportShopStatus, ReportSummary,
};

/// Assembles the report of `plan` from the shops that were `applied`. Adds the shops that could not be read, and shops
/// that have only blocked bindings.
pub(crate) fn assemble(plan: &Plan, applied: Vec<ReportShop>, started_at: Timestamp, finished_at: Timestamp) -> Report {
    let mut shops = applied;
    for shop in &plan.shops {
        match (shop.status(), shop.error()) {
            (ShopStatus::Failed, Some(error)) => shops.push(apply::not_read(shop, error.into())),
            (ShopStatus::Unchanged, _) if !shop.blocked.is_empty() => shops.push(ReportShop {
                shop: shop.shop.to_string(),
                status: ReportShopStatus::Incomplete,
                error: None,
                outcomes: Vec::new(),
                blocked: shop.blocked.iter().map(Into::into).collect(),
                findings: Vec::new(),
            }),
            _ => {}
        }
    }
    shops.sort_by(|a, b| a.shop.cmp(&b.shop));
    let summary = summarise(&shops);
    let ReportSummary { failed, skipped, blocked, shops_not_read, shops_stale, .. } = &summary;
    let complete = failed + skipped + blocked + shops_not_read + shops_stale == 0;
    let mut report = Report {
        format_version: report::FORMAT_VERSION.to_owned(),
        report: ReportKind::Apply,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: started_at.to_string(),
        finished_at: finished_at.to_string(),
        exit_code: 0,
        complete,
        plan_digest: plan.plan_digest.clone(),
        manifest_digest: plan.manifest_digest.clone(),
        settings: (&plan.settings).into(),
        summary,
        shops,
    };
    report.exit_code = exit_of(&report) as u8;
    report
}

fn summarise(shops: &[ReportShop]) -> ReportSummary {
    let mut sum = ReportSummary::default();
    for shop in shops {
        sum.blocked += shop.blocked.len();
        sum.shops_not_read += usize::from(shop.status == ReportShopStatus::NotRead);
        sum.shops_stale += usize::from(shop.status == ReportShopStatus::Stale);
        for outcome in &shop.outcomes {
            match (outcome.result, outcome.change.action) {
                (OutcomeResult::Applied, Action::Create) => sum.added += 1,
                (OutcomeResult::Applied, Action::Update) => sum.changed += 1,
                (OutcomeResult::Applied, Action::Delete) => sum.destroyed += 1,
                (OutcomeResult::AlreadySo, _) => sum.already_so += 1,
                (OutcomeResult::Failed, _) => sum.failed += 1,
                (OutcomeResult::Skipped, _) => sum.skipped += 1,
            }
        }
    }
    sum
}

/// Returns the exit code of a report. Each change that was not applied has a cause; a change that waited for another
/// change has the cause of that change.
pub(crate) fn exit_of(report: &Report) -> Exit {
    let of_error = |e: &wire::plan::ShopError| Cause::of_kind(&e.kind);
    let mut causes = Vec::new();
    let mut done = report.shops.iter().all(|s| s.outcomes.is_empty() && s.status != ReportShopStatus::NotRead);
    for shop in &report.shops {
        let before = causes.len();
        causes.extend(shop.error.as_ref().map(of_error));
        causes.extend(shop.blocked.iter().map(|b| Cause::of_blocked(&b.reason)));
        causes.extend(shop.outcomes.iter().filter_map(|o| o.error.as_deref()).map(of_error));
        let undone = |o: &&Outcome| matches!(o.result, OutcomeResult::Failed | OutcomeResult::Skipped);
        if causes.len() == before && shop.outcomes.iter().any(|o| undone(&o)) {
            causes.push(Cause::Other);
        }
        done |= shop.outcomes.iter().any(|o| !undone(&o));
    }
    exit::of_causes(causes, done)
}
