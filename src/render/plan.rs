//! A plan, from top to bottom: what it stands on, what is dangerous, what is missing, what would be done, and the
//! frozen last line.

use super::change::Depth;
use super::merge::Plans;
use super::notes::{self, Note};
use super::page::{Ink, Page};
use super::{Style, change, plan_last_line, settings, shops};
use crate::plan::v1::{Action, Change, Origin, Shop, ShopStatus, Since};

pub(super) fn text(plan: &Plans<'_>, style: &Style) -> String {
    let mut page = Page::new(style);
    for one in &plan.settings {
        settings::write(&mut page, one);
    }
    settings::shop_limits(&mut page, &plan.shops);
    settings::selection(&mut page, &plan.selections);
    notes::hazards(&mut page, &plan.hazards);
    body(&mut page, plan);
    page.finish(&plan_last_line(&plan.summary, plan.complete))
}

/// What stands between the hazards and the last line.
pub(super) fn body(page: &mut Page<'_>, plan: &Plans<'_>) {
    not_read(page, plan);
    changes(page, plan);
    notes::blocked(page, plan.shops.iter().flat_map(|s| s.blocked.iter().map(|b| (s.shop.as_str(), b))));
    // An unavailable shop has been named above.
    let findings = plan.shops.iter().flat_map(|s| s.findings.iter().map(|f| (s.shop.as_str(), f)));
    notes::findings(page, findings.filter(|(_, f)| f.kind != "unavailable"));
    counts(page, plan);
}

/// Shops of which the plan knows nothing, and shops that it has nothing to do with any more.
fn not_read(page: &mut Page<'_>, plan: &Plans<'_>) {
    let with = |status| plan.shops.iter().copied().filter(move |s| s.status == status);
    for (status, what, after, ink) in [
        (ShopStatus::Failed, "not read, so this plan says nothing about", "", Some(Ink::Strong)),
        (ShopStatus::Unavailable, "not read", ", which is tolerated", None),
    ] {
        let failed: Vec<&Shop> = with(status).collect();
        if failed.is_empty() {
            continue;
        }
        let pronoun = match (after.is_empty(), failed.len()) {
            (false, _) => "",
            (true, 1) => " it",
            (true, _) => " them",
        };
        page.heading(&format!("{} {what}{pronoun}{after}:", shops::count(failed.len(), "shop")));
        notes::write(page, ink, failed.iter().map(|shop| (shop.shop.as_str(), cause(shop))));
    }
    if !plan.shops_left.is_empty() {
        let left: Vec<&str> = plan.shops_left.iter().copied().collect();
        page.heading("No longer in the manifest; their webhooks stay as they are:");
        page.prose(2, &shops::title(&left, page.style));
    }
}

/// Why a shop was not read. A tolerated one may say so in a finding.
fn cause(shop: &Shop) -> Note<'_> {
    let finding = || shop.findings.iter().find(|f| f.kind == "unavailable");
    match (&shop.error, finding()) {
        (Some(error), _) => Note::error(error),
        (None, Some(finding)) => Note { kind: &finding.kind, about: None, message: &finding.message, source: None },
        (None, None) => Note { kind: "unknown", about: None, message: "the plan does not say why", source: None },
    }
}

fn changes(page: &mut Page<'_>, plan: &Plans<'_>) {
    let all = || plan.shops.iter().flat_map(|s| &s.changes);
    if all().next().is_none() {
        return;
    }
    page.heading("Changes are indicated with the following symbols:");
    for (action, words) in
        [(Action::Create, "create"), (Action::Update, "update in-place"), (Action::Delete, "destroy")]
    {
        if all().any(|c| c.action == action) {
            let symbol = page.style.symbol(action);
            page.line(2, &format!("{symbol} {words}"));
        }
    }
    let drift = |change: &Change| change.origin == Some(Origin::Drift);
    if all().any(|c| c.origin.is_some()) {
        section(page, plan, "Changes of this manifest:", |c| !drift(c));
        section(page, plan, "Drift that will be repaired:", drift);
    } else {
        section(page, plan, "Hookwright will perform the following actions:", |_| true);
    }
}

fn section(page: &mut Page<'_>, plan: &Plans<'_>, heading: &str, wanted: impl Fn(&Change) -> bool) {
    let shops: Vec<(&str, Vec<&Change>)> = plan
        .shops
        .iter()
        .map(|s| (s.shop.as_str(), s.changes.iter().filter(|c| wanted(c)).collect::<Vec<_>>()))
        .filter(|(_, changes)| !changes.is_empty())
        .collect();
    if !shops.is_empty() {
        page.heading(heading);
        page.gap();
        change::write(page, 2, Depth::Full, &shops);
    }
}

/// What is counted and not listed.
fn counts(page: &mut Page<'_>, plan: &Plans<'_>) {
    if let Some(Since { new, known, removed_remotely, never_made }) = plan.since {
        page.gap();
        let creates = format!("{removed_remotely} removed remotely, {never_made} never made");
        page.line(0, &format!("Drift: {new} new, {known} known; of what is missing: {creates}."));
    }
    let unchanged = plan.shops.iter().filter(|s| s.status == ShopStatus::Unchanged);
    let unchanged: Vec<&str> = unchanged.map(|s| s.shop.as_str()).collect();
    if plan.settings.iter().any(|s| s.ownership.unmanaged == "ignore") && plan.summary.unmanaged > 0 {
        page.gap();
        page.line(0, &format!("{} ignored.", shops::count(plan.summary.unmanaged, "unmanaged subscription")));
    }
    if plan.shops.is_empty() {
        page.gap();
        page.line(0, "No shop is in this selection.");
    } else if !unchanged.is_empty() {
        page.gap();
        let counted = format!("{} without changes", shops::count(unchanged.len(), "shop"));
        if page.style.verbose {
            page.prose(0, &format!("{counted}: {}.", shops::list(&unchanged, page.style)));
        } else {
            page.line(0, &format!("{counted}."));
        }
    }
}
