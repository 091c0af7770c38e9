//! The document of a plan: hazards, shops that were not read, changes, and findings.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::changes::{ByShop, names};
use super::document::{Block, Document, Kind, Point, Section, Weight};
use super::group::group_by;
use super::hazards::{self, Judged};
use super::merge::Plans;
use super::notes::{self, Note};
use super::{destinations, facts, plan_last_line};
use crate::model::Address;
use crate::plan;
use crate::text::plural;
use crate::wire::plan::{Change, FindingKind, Origin, Shop, ShopStatus, Unmanaged};

/// Builds the document of merged plans. `list_all` lists all information instead of its count.
pub(super) fn document<'a>(plan: &'a Plans<'a>, list_all: bool) -> Document<'a> {
    let mut sections: Vec<Section<'a>> = hazards(plan, "Hazards").into_iter().collect();
    sections.extend(destinations::section(plan.destinations.iter().copied()));
    sections.extend(not_covered(plan, "plan"));
    sections.extend(by_origin(plan).into_iter().map(|(origin, shops)| {
        let title = match origin {
            Some(Origin::Manifest) => "Changes from this manifest",
            Some(Origin::Drift) => "Drift that will be repaired",
            None => "Hookwright will perform the following actions",
        };
        let weight = if origin == Some(Origin::Drift) { Weight::Drift } else { Weight::Changes };
        Section::new(weight, title, Block::Planned(origin, shops))
    }));
    sections.extend(left_out(plan));
    sections.extend(named(plan.shops.iter().flat_map(|shop| &shop.changes)));
    sections.extend(notes::blocked(plan.shops.iter().flat_map(|s| s.blocked.iter().map(|b| (s.shop.as_str(), b)))));
    // An unavailable shop is listed as not read.
    let findings = || plan.shops.iter().flat_map(|s| s.findings.iter().map(|f| (s.shop.as_str(), f)));
    sections.extend(notes::old_endpoints(findings()));
    sections.extend(notes::findings(
        findings().filter(|(_, f)| !matches!(f.kind, FindingKind::Unavailable | FindingKind::OldEndpoint)),
        list_all,
        Weight::Minor,
    ));
    sections.extend(Section::list(Weight::Minor, "Unused consents", hazards::unused(&plan.consents)));
    sections.extend(ignored(plan).map(|line| Section::line(Weight::Counts, line)));
    let unchanged = unchanged(plan);
    if plan.shops.is_empty() {
        sections.push(Section::line(Weight::Counts, "No shop matches the selection."));
    } else if !unchanged.is_empty() {
        sections.push(Section::new(Weight::Counts, "", Block::Unchanged(unchanged, "changes")));
    }
    let rest = "This is not the whole run: hazards of the run are judged over these shops only";
    let settings = plan.settings.iter().flat_map(|settings| facts::settings(settings));
    Document {
        kind: Kind::Plan,
        verdict: plan_last_line(&plan.summary, plan.complete, unchecked(plan)),
        incomplete: plan.lacking.as_ref().map(|lacking| format!("{lacking}. {rest}")),
        facts: settings.chain(facts::limits(&plan.shops)).chain(facts::selection(&plan.selections)).collect(),
        sections,
        digests: plan.digests.clone(),
        names: facts::names(&plan.settings),
        links: &[],
    }
}

/// Returns the section of hazards, unless there are none.
pub(super) fn hazards<'a>(plan: &'a Plans<'a>, title: &str) -> Option<Section<'a>> {
    if plan.hazards.is_empty() {
        return None;
    }
    let (hazards, consents, allowed) = (&*plan.hazards, &*plan.consents, plan.allowed);
    let decisions = hazards::decisions(Judged { hazards, consents, allowed, shops: &plan.domains });
    let remark = Some(hazards::state(&decisions));
    let section = Section::new(Weight::Hazards, title, Block::Hazards(decisions, expires(plan.created_at)));
    Some(Section { remark, ..section })
}

/// Number of days for which a proposed consent is valid.
const CONSENT_DAYS: i32 = 14;

/// Returns the last day of a proposed consent for a plan of this time.
fn expires(created_at: &str) -> Option<Date> {
    let day = plan::day(created_at.parse().ok()?);
    day.checked_add(CONSENT_DAYS.days()).ok()
}

/// Returns the section of what a plan with `--only` leaves out.
fn left_out<'a>(plan: &Plans<'a>) -> Option<Section<'a>> {
    let only = plan.selections.iter().find_map(|selection| selection.only)?;
    let left = || plan.shops.iter().filter_map(|shop| Some((shop.shop.as_str(), shop.left_out.as_ref()?)));
    let changes: ByShop<'a> = left().map(|(shop, left)| (shop, left.changes.iter().collect())).collect();
    let changes: ByShop<'a> = changes.into_iter().filter(|(_, changes): &(_, Vec<_>)| !changes.is_empty()).collect();
    let blocked = left().map(|(_, left)| left.blocked.len()).sum::<usize>();
    if changes.is_empty() && blocked == 0 {
        return None;
    }
    let what = match only {
        Origin::Manifest => "Drift",
        Origin::Drift => "Changes of this manifest",
    };
    let title = format!("{what} that this plan leaves out");
    let remark = (blocked > 0).then(|| format!("{} left out, too", plural(blocked, "blocked binding")));
    Some(Section { remark, ..Section::new(Weight::Counts, title, Block::LeftOut(changes)) })
}

/// Returns the section of addresses behind the destination names in some changes.
pub(super) fn named<'a>(changes: impl Iterator<Item = &'a Change>) -> Option<Section<'a>> {
    let names = names(changes);
    (!names.is_empty()).then(|| Section::new(Weight::Names, "Destinations of these changes", Block::Names(names)))
}

/// Returns the sections of what the plan does not cover: shops that were not read, shops that left the manifest, and former
/// addresses. `this` is the noun for the document.
pub(super) fn not_covered<'a>(plan: &Plans<'a>, this: &str) -> Vec<Section<'a>> {
    let mut out = Vec::new();
    for (status, tolerated) in [(ShopStatus::Failed, false), (ShopStatus::Unavailable, true)] {
        let notes: Vec<Note<'a>> = plan.shops.iter().filter(|s| s.status == status).map(|shop| cause(shop)).collect();
        let title = if tolerated { "Not read (tolerated, so not an error)" } else { "Not read" };
        let (was, them) = if notes.len() == 1 { ("was", "it") } else { ("were", "them") };
        let shops = plural(notes.len(), "shop");
        let remark = (!tolerated).then(|| format!("{shops} {was} not read, so this {this} does not cover {them}"));
        let section = Section::list(Weight::Uncovered, title, notes::points(notes));
        out.extend(section.map(|section| Section { strong: !tolerated, remark, ..section }));
    }
    out.extend(shops_left(&plan.shops_left));
    // Listed because `apply` cannot verify them.
    let former = plan.former_addresses.iter().map(|a| Point::Address(Address::new(a).masked().into_owned())).collect();
    out.extend(Section::list(Weight::Uncovered, "Former addresses of this manifest, from the base manifest", former));
    out
}

/// Returns the section of shops that left the manifest.
fn shops_left<'a>(shops: &BTreeMap<&'a str, Option<usize>>) -> Option<Section<'a>> {
    let points = group_by(shops.iter().map(|(shop, bindings)| (*bindings, *shop, ()))).into_iter();
    let points = points.map(|(bindings, shops)| Point::Note {
        kind: "shop_left".to_owned(),
        about: None,
        place: None,
        message: match bindings {
            Some(n) => format!(
                "removed from the manifest, where it had {}; its subscriptions are not deleted and continue to deliver",
                plural(n, "binding")
            ),
            None => "removed from the manifest; its subscriptions are not deleted and continue to deliver".to_owned(),
        },
        members: shops.len(),
        shops: shops.into_iter().map(|(shop, ())| shop).collect(),
    });
    let remark = "to delete the subscriptions of such a shop, put the shop back with `use: []` and `bindings: []`, apply, and then remove it";
    let section = Section::list(Weight::Left, "No longer in the manifest", points.collect())?;
    Some(Section { remark: Some(remark.to_owned()), ..section })
}

/// Returns the reason why a shop was not read. A tolerated shop may have it in a finding.
fn cause(shop: &Shop) -> Note<'_> {
    let domain = shop.shop.as_str();
    match (&shop.error, shop.findings.iter().find(|f| f.kind == FindingKind::Unavailable)) {
        (Some(error), _) => Note::error(domain, error),
        (None, Some(finding)) => Note::new(domain, finding.kind.as_str(), &finding.message),
        (None, None) => Note::new(domain, "unknown", "the plan gives no reason"),
    }
}

/// Returns the changes by origin, if the plan has origins.
fn by_origin<'a>(plan: &Plans<'a>) -> Vec<(Option<Origin>, ByShop<'a>)> {
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

/// Returns the number of destinations that could not be checked at Adobe.
fn unchecked(plan: &Plans<'_>) -> usize {
    plan.destinations.iter().filter(|destination| destination.error.is_some()).count()
}

/// Returns the number of unmanaged subscriptions that are not listed.
pub(super) fn ignored(plan: &Plans<'_>) -> Option<String> {
    let ignores =
        plan.settings.iter().any(|s| s.ownership.unmanaged == Unmanaged::Ignore) && plan.summary.unmanaged > 0;
    ignores.then(|| format!("{} ignored.", plural(plan.summary.unmanaged, "unmanaged subscription")))
}

/// Returns the shops without changes and without blocked bindings.
pub(super) fn unchanged<'a>(plan: &Plans<'a>) -> Vec<&'a str> {
    let unchanged =
        plan.shops.iter().filter(|s| s.status == ShopStatus::Unchanged && s.blocked.is_empty() && s.left_out.is_none());
    unchanged.map(|s| s.shop.as_str()).collect()
}
