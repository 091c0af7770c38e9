//! A plan as a comment: the verdict, what is dangerous, what goes, what this pull request changes apart from drift, what
//! is missing, and the fields in folds.

use super::super::change::Depth;
use super::super::destinations::{self, Said};
use super::super::merge::Plans;
use super::super::notes::{about_labels, labelled, sort};
use super::super::plan::{self, ByShop};
use super::super::{Style, plan_last_line, settings};
use super::budget::{Part, Piece};
use super::changes::{deletes, diff, labels, number_of, only};
use super::inline::{code, prose, title};
use super::notes::{each_hazard, folded, hazards, list, point, points, removals, unmanaged};
use super::{Kind, assemble, bottom, paragraph, plan_rules, top};
use crate::model::Address;
use crate::text::{plural, thousands};
use crate::wire::plan::{Action, Destination, FindingKind, Origin};

/// So many lines of changes stand before the folds.
const MAX_LINES: usize = 24;
/// Room for settings that are not the usual ones.
const RULES: usize = 4_000;

pub(in super::super) fn page(plan: &Plans<'_>, kind: Kind) -> String {
    let sections = plan::by_origin(plan);
    let named: Vec<(&str, ByShop<'_>)> = sections.iter().map(|(origin, s)| (name(*origin), s.clone())).collect();
    let mut must = top(kind, &plan_last_line(&plan.summary, plan.complete));
    must.extend(settings::lacking(plan).map(|lacking| paragraph(&format!("**{}**", prose(&lacking)))));
    must.push_str(&plan_rules(kind, plan).fit(RULES));
    must.extend(plan::since(plan).map(|line| paragraph(&line)));
    must.push_str(&hazards(kind, &plan.hazards));
    must.push_str(&deletes(kind, ["delete", "deletes"], &named));
    must.push_str(&labels(kind, plan.shops.iter().flat_map(|shop| &shop.changes)));
    assemble(&must, &end(plan), |style| {
        let mut parts: Vec<Part<'_>> = sections.iter().filter_map(|s| changes(kind, s)).collect();
        said(&mut parts, kind, plan);
        parts.extend(sections.iter().map(|(origin, shops)| fields(kind, *origin, shops, style)));
        parts.extend(each_hazard(kind, &plan.hazards));
        parts.extend(minor(kind, plan));
        parts
    })
}

/// Sections have names only where the plan knows what changes come from.
fn name(origin: Option<Origin>) -> &'static str {
    match origin {
        None => "",
        Some(Origin::Manifest) => "Changes of this manifest",
        Some(Origin::Drift) => "Drift that will be repaired",
    }
}

/// One line for what is created and changed; deletes have been told of.
fn changes<'a>(kind: Kind, (origin, shops): &(Option<Origin>, ByShop<'a>)) -> Option<Part<'a>> {
    let kept = only(shops, |change| change.action != Action::Delete);
    let counts = [(Action::Create, "to add"), (Action::Update, "to change")];
    let counts = counts.map(|(action, words)| (number_of(&kept, action), words));
    let counts: Vec<String> =
        counts.iter().filter(|(n, _)| *n > 0).map(|(n, words)| format!("{} {words}", thousands(*n))).collect();
    let heading = match name(*origin) {
        "" => "Changes",
        name => name,
    };
    let part = diff(kind, Depth::Brief, &kept, &super::STYLE);
    (!kept.is_empty()).then(|| Part {
        open: format!("\n### {heading}: {}\n{}", counts.join(", "), part.open),
        rest: "see the fields below",
        lines: MAX_LINES,
        ..part
    })
}

fn fields<'a>(kind: Kind, origin: Option<Origin>, shops: &ByShop<'a>, style: &Style) -> Part<'a> {
    let number: usize = shops.iter().map(|(_, changes)| changes.len()).sum();
    let what = match origin {
        None => "",
        Some(Origin::Manifest) => " of this manifest",
        Some(Origin::Drift) => " that repair drift",
    };
    let fold = Some(format!("Field by field: {}{what}", plural(number, "change")));
    Part { fold, ..diff(kind, Depth::Full, shops, style) }
}

/// What is missing or needs somebody.
fn said<'a>(parts: &mut Vec<Part<'a>>, kind: Kind, plan: &Plans<'a>) {
    if !plan.destinations.is_empty() {
        let pieces = plan.destinations.iter().map(|d| destination(d)).collect();
        parts.push(list(kind, destinations::HEADING, "destination", pieces));
    }
    let blocked = labelled(plan.shops.iter().flat_map(|s| s.blocked.iter().map(|b| (s.shop.as_str(), b))));
    let pieces = points(about_labels(&blocked));
    if !pieces.is_empty() {
        parts.push(list(kind, "Blocked, not part of the changes", "binding", pieces));
    }
    for plan::Unread { heading, tolerated: _, notes } in plan::unread(plan) {
        parts.push(list(kind, &heading, "shop", points(notes)));
    }
    if !plan.shops_left.is_empty() {
        let left: Vec<&str> = plan.shops_left.iter().copied().collect();
        parts.push(list(kind, plan::LEFT, "shop", vec![point(&title(&left), left)]));
    }
    if !plan.former_addresses.is_empty() {
        let all: Vec<String> = plan.former_addresses.iter().map(|a| Address::new(a).masked().to_string()).collect();
        let points = all.iter().map(|address| point(&code(address), Vec::new())).collect();
        parts.push(list(kind, plan::FORMER, "address", points));
    }
    let attention = points(findings(plan).attention);
    if !attention.is_empty() {
        parts.push(list(kind, "Needs attention", "finding", attention));
    }
    parts.extend(removals(kind, plan.shops.iter().flat_map(|shop| &shop.findings)));
}

fn destination<'a>(told: &Destination) -> Piece<'a> {
    let Said { name, found, address, verdict, replaces, strong } = destinations::said(told);
    let way = [Some(code(&name)), found.map(|found| code(&found)), address.map(|address| code(&address))];
    let way: Vec<String> = way.into_iter().flatten().collect();
    let more: Vec<String> = verdict.into_iter().chain(replaces).map(|text| prose(&text)).collect();
    let more = if more.is_empty() { String::new() } else { format!(" — {}", more.join("; ")) };
    let mark = if strong { "⚠ " } else { "" };
    Piece { things: 1, ..point(&format!("{mark}{}{more}", way.join(" → ")), Vec::new()) }
}

fn findings<'a>(plan: &Plans<'a>) -> super::super::notes::Findings<'a> {
    // An unavailable shop has been named above.
    let all = plan.shops.iter().flat_map(|s| s.findings.iter().map(|f| (s.shop.as_str(), f)));
    sort(all.filter(|(_, f)| f.kind != FindingKind::Unavailable), true)
}

/// What nobody has to act on.
fn minor<'a>(kind: Kind, plan: &Plans<'a>) -> Option<Part<'a>> {
    let found = findings(plan);
    let number = found.warnings.len() + found.information.len() + found.unmanaged.len();
    let mut pieces = points(found.warnings);
    pieces.extend(points(found.information));
    pieces.extend(unmanaged(&found.unmanaged));
    let summary = format!("Warnings, information and what is unmanaged: {}", plural(number, "finding"));
    (!pieces.is_empty()).then(|| folded(kind, summary, "finding", pieces))
}

/// What is counted and not listed, and which plan this is.
fn end(plan: &Plans<'_>) -> String {
    let unchanged = plan::unchanged(plan).len();
    let unchanged = (unchanged > 0).then(|| format!("{} without changes.", plural(unchanged, "shop")));
    let none = plan.shops.is_empty().then(|| plan::NO_SHOP.to_owned());
    let lines = [plan::ignored(plan), none, unchanged].into_iter().flatten();
    let lines: String = lines.map(|line| paragraph(&prose(&line))).collect();
    format!("{lines}{}", bottom(plan.digests.iter().copied()))
}
