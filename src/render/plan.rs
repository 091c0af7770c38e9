//! A plan, from top to bottom: what it stands on, what is dangerous, what is missing, what would be done, and the
//! frozen last line.

use super::change::Depth;
use super::merge::Plans;
use super::notes::{self, Note};
use super::page::{Ink, Page};
use super::{Style, change, destinations, escape, hazards, plan_last_line, settings, shops};
use crate::model::Address;
use crate::text::plural;
use crate::wire::plan::{Action, Change, FindingKind, Origin, Shop, ShopStatus, Since, Unmanaged};

pub(super) fn text(plan: &Plans<'_>, style: &Style) -> String {
    let mut page = Page::new(style);
    for one in &plan.settings {
        settings::write(&mut page, one);
    }
    settings::shop_limits(&mut page, &plan.shops);
    settings::selection(&mut page, &plan.selections);
    if let Some(lacking) = settings::lacking(plan) {
        page.prose_in(Some(Ink::Strong), 0, &lacking);
    }
    hazards::write(&mut page, &plan.hazards);
    body(&mut page, plan);
    page.finish(&plan_last_line(&plan.summary, plan.complete))
}

/// What stands between the hazards and the last line.
pub(super) fn body(page: &mut Page<'_>, plan: &Plans<'_>) {
    destinations::write(page, &plan.destinations);
    not_read(page, plan);
    changes(page, plan);
    notes::blocked(page, plan.shops.iter().flat_map(|s| s.blocked.iter().map(|b| (s.shop.as_str(), b))));
    // An unavailable shop has been named above.
    let findings = plan.shops.iter().flat_map(|s| s.findings.iter().map(|f| (s.shop.as_str(), f)));
    notes::findings(page, findings.filter(|(_, f)| f.kind != FindingKind::Unavailable));
    counts(page, plan);
}

/// Shops that could not be read.
pub(super) struct Unread<'a> {
    pub(super) heading: String,
    pub(super) tolerated: bool,
    pub(super) notes: Vec<(&'a str, Note<'a>)>,
}

/// Shops of which the plan knows nothing; the tolerated ones apart.
pub(super) fn unread<'a>(plan: &Plans<'a>) -> Vec<Unread<'a>> {
    let with = |status| plan.shops.iter().copied().filter(move |s: &&Shop| s.status == status);
    let mut out = Vec::new();
    for (status, tolerated) in [(ShopStatus::Failed, false), (ShopStatus::Unavailable, true)] {
        let notes: Vec<_> = with(status).map(|shop| (shop.shop.as_str(), cause(shop))).collect();
        let what = match (tolerated, notes.len()) {
            (_, 0) => continue,
            (true, _) => "not read, which is tolerated",
            (false, 1) => "not read, so this plan says nothing about it",
            (false, _) => "not read, so this plan says nothing about them",
        };
        out.push(Unread { heading: format!("{} {what}", plural(notes.len(), "shop")), tolerated, notes });
    }
    out
}

/// Above the shops that the manifest does not name any more.
pub(super) const LEFT: &str = "No longer in the manifest; their webhooks stay as they are";

/// Above `former_addresses`. They are shown because apply cannot verify them.
pub(super) const FORMER: &str = "Former addresses of this manifest (from --base)";

fn not_read(page: &mut Page<'_>, plan: &Plans<'_>) {
    for Unread { heading, tolerated, notes } in unread(plan) {
        page.heading(&format!("{heading}:"));
        notes::write(page, Some(Ink::Strong).filter(|_| !tolerated), notes);
    }
    if !plan.shops_left.is_empty() {
        let left: Vec<&str> = plan.shops_left.iter().copied().collect();
        page.heading(&format!("{LEFT}:"));
        page.prose(2, &shops::title(&left, page.style));
    }
    if !plan.former_addresses.is_empty() {
        page.heading(&format!("{FORMER}:"));
        for address in &plan.former_addresses {
            page.line(2, &escape(&Address::new(address).masked()));
        }
    }
}

/// Why a shop was not read. A tolerated one may say so in a finding.
fn cause(shop: &Shop) -> Note<'_> {
    let finding = || shop.findings.iter().find(|f| f.kind == FindingKind::Unavailable);
    match (&shop.error, finding()) {
        (Some(error), _) => Note::error(error),
        (None, Some(finding)) => {
            Note { kind: finding.kind.as_str(), about: None, message: &finding.message, source: None }
        }
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
    for (origin, shops) in by_origin(plan) {
        page.heading(match origin {
            Some(Origin::Manifest) => "Changes of this manifest:",
            Some(Origin::Drift) => "Drift that will be repaired:",
            None => "Hookwright will perform the following actions:",
        });
        page.gap();
        change::write(page, 2, Depth::Full, &shops);
    }
    change::write_labels(page, all());
}

/// Changes, with the shops that have them.
pub(super) type ByShop<'a> = Vec<(&'a str, Vec<&'a Change>)>;

/// The changes by what they come from, where the plan knows it.
pub(super) fn by_origin<'a>(plan: &Plans<'a>) -> Vec<(Option<Origin>, ByShop<'a>)> {
    let section = |wanted: &dyn Fn(&Change) -> bool| -> ByShop<'a> {
        let shops = plan.shops.iter().map(|s| (s.shop.as_str(), s.changes.iter().filter(|c| wanted(c)).collect()));
        shops.filter(|(_, changes): &(_, Vec<_>)| !changes.is_empty()).collect()
    };
    let drift = |change: &Change| change.origin == Some(Origin::Drift);
    let sections = if plan.shops.iter().flat_map(|s| &s.changes).any(|c| c.origin.is_some()) {
        vec![(Some(Origin::Manifest), section(&|c| !drift(c))), (Some(Origin::Drift), section(&drift))]
    } else {
        vec![(None, section(&|_| true))]
    };
    sections.into_iter().filter(|(_, shops)| !shops.is_empty()).collect()
}

/// What earlier files say about the changes.
pub(super) fn since(plan: &Plans<'_>) -> Option<String> {
    let Since { new, known, removed_remotely, never_made } = plan.since?;
    let creates = format!("{removed_remotely} removed remotely, {never_made} never made");
    Some(format!("Drift: {new} new, {known} known; of what is missing: {creates}."))
}

/// Unmanaged subscriptions that are only counted.
pub(super) fn ignored(plan: &Plans<'_>) -> Option<String> {
    let ignores =
        plan.settings.iter().any(|s| s.ownership.unmanaged == Unmanaged::Ignore) && plan.summary.unmanaged > 0;
    ignores.then(|| format!("{} ignored.", plural(plan.summary.unmanaged, "unmanaged subscription")))
}

/// Instead of shops, where there are none.
pub(super) const NO_SHOP: &str = "No shop is in this selection.";

/// Shops without changes. A shop of which something is blocked is not among them.
pub(super) fn unchanged<'a>(plan: &Plans<'a>) -> Vec<&'a str> {
    let unchanged = plan.shops.iter().filter(|s| s.status == ShopStatus::Unchanged && s.blocked.is_empty());
    unchanged.map(|s| s.shop.as_str()).collect()
}

/// What is counted and not listed.
fn counts(page: &mut Page<'_>, plan: &Plans<'_>) {
    for line in [since(plan), ignored(plan)].into_iter().flatten() {
        page.gap();
        page.line(0, &line);
    }
    let unchanged = unchanged(plan);
    if plan.shops.is_empty() {
        page.gap();
        page.line(0, NO_SHOP);
    } else if !unchanged.is_empty() {
        page.gap();
        let counted = format!("{} without changes", plural(unchanged.len(), "shop"));
        if page.style.verbose {
            page.prose(0, &format!("{counted}: {}.", shops::list(&unchanged, page.style)));
        } else {
            page.line(0, &format!("{counted}."));
        }
    }
}
