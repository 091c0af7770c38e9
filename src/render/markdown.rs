//! Prints a document as Markdown for a comment on a pull request: the sections by weight, with folded details, within
//! GitHub's limit of length. `inline` escapes text of others; `budget` divides the length.

mod budget;
mod diff;
mod inline;

#[cfg(test)]
mod laws;
#[cfg(test)]
pub(super) mod tests;

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::changes::{ByShop, Depth, Label};
use super::document::{
    Block, Document, Drifted, Emphasis, Fact, Kind, Point, Section, Step, Weight, changes_counted, runs, titled,
};
use super::hazards::{self, Decision};
use super::notes::NOTES;
use super::text::{MAX_ADDRESSES, MAX_OF_A_KIND, labelled};
use super::{Link, Style};
use crate::text::{plural, thousands};
use crate::wire::plan::{Action, Hazard, Origin};
use budget::{Part, Piece};
use diff::{deletes, diff, number_of, only};
use inline::{code, option, prose, title};

/// The style of lists of shops: it limits their length.
const STYLE: Style = Style { color: false, width: Some(52), verbose: false };
const VERBOSE: Style = Style { verbose: true, ..STYLE };

/// The maximum number of lines of a list, of the changes before the folds, and of a fold.
const MAX_LISTED: usize = 16;
const MAX_CHANGES: usize = 24;
const MAX_FOLDED: usize = 100;
/// Budgets in bytes for settings, hazards, and destination names.
const SETTINGS: usize = 4_000;
const HAZARDS: usize = 12_000;
const NAMES: usize = 6_000;
/// The maximum number of listed digests.
const MAX_DIGESTS: usize = 4;

impl Kind {
    /// Returns the first line, which identifies the comment for later updates.
    fn marker(self, name: &str) -> String {
        let kind = match self {
            Self::Plan => "plan",
            Self::Drift => "drift",
            Self::Apply => "apply",
        };
        format!("<!-- hookwright: {kind}{name} -->")
    }

    /// Returns the reference to the complete output.
    fn rest(self) -> &'static str {
        match self {
            Self::Plan => "see the plan file",
            Self::Drift => "see the drift report",
            Self::Apply => "see the apply report",
        }
    }
}

/// Prints a document. The required parts are first and complete; the others share the rest of the budget. If everything fits,
/// long lists are not cut.
pub(super) fn print(document: &Document<'_>) -> String {
    let marker = match document.names.first() {
        Some(name) if document.names.len() == 1 => format!(" {name}"),
        _ => String::new(),
    };
    let marker = format!("{}\n", document.kind.marker(&marker));
    let text = print_within(document, budget::LIMIT - marker.len());
    format!("{marker}{text}")
}

/// Prints the documents of several runs as one comment. A run that does not fit has its verdict only.
pub(super) fn side_by_side(documents: &[Document<'_>], links: &[Link]) -> String {
    let kind = documents.first().map_or(Kind::Plan, |document| document.kind);
    let heading = format!("{}\n# {}\n{}", kind.marker(""), runs(documents), self::links(links));
    let limit = budget::LIMIT.saturating_sub(heading.len()) / documents.len().max(1);
    let sections = documents.iter().map(|document| {
        let text = print_within(document, limit);
        if text.len() <= limit { text } else { format!("## {}\n\n{}.\n", titled(document), sentence(kind.rest())) }
    });
    let sections: Vec<String> = sections.collect();
    let all = format!("{heading}\n{}", sections.join("\n"));
    if all.len() <= budget::LIMIT { all } else { heading }
}

fn print_within(document: &Document<'_>, limit: usize) -> String {
    let must = must(document);
    let end = end(document);
    let budget = limit.saturating_sub(must.len() + end.len());
    let all = budget::divide(&parts(document, &VERBOSE), usize::MAX).concat();
    let middle = if all.len() <= budget { all } else { budget::divide(&parts(document, &STYLE), budget).concat() };
    format!("{must}{middle}{end}")
}

fn links(links: &[Link]) -> String {
    let links: Vec<String> = links.iter().map(|Link { name, url }| format!("[{}](<{url}>)", prose(name))).collect();
    if links.is_empty() { String::new() } else { paragraph(&links.join(" · ")) }
}

fn paragraph(text: &str) -> String {
    format!("\n{text}\n")
}

/// Returns a remark of our own words with a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}

/// Returns the required parts: the verdict, the settings, the hazards and the deletes. Their length is bounded.
fn must(document: &Document<'_>) -> String {
    let Document { kind, incomplete, facts, sections, digests: _, names: _, links, verdict: _ } = document;
    let mut out = format!("## {}\n{}", titled(document), self::links(links));
    out.extend(incomplete.as_ref().map(|text| paragraph(&format!("**{}**", prose(text)))));
    out.push_str(&settings(*kind, facts).fit(SETTINGS));
    for section in sections {
        match &section.block {
            Block::Line(text) if section.weight == Weight::Verdict => out.push_str(&paragraph(text)),
            Block::Hazards(all, expires) => out.push_str(&hazards(*kind, section, all, *expires)),
            _ => {}
        }
    }
    out.push_str(&deletes(*kind, sections));
    out
}

fn settings<'a>(kind: Kind, facts: &[Fact<'_>]) -> Part<'a> {
    let pieces: Vec<Piece<'_>> = facts
        .iter()
        .map(|fact| {
            let (label, value) = labelled(fact, &Style { width: None, ..STYLE });
            let strong = if fact.emphasis == Emphasis::Target { "**" } else { "" };
            Piece { things: 1, ..point(&format!("{strong}{}{strong}", prose(&format!("{label}: {value}"))), vec![]) }
        })
        .collect();
    let open = if pieces.is_empty() { "" } else { "\n" };
    Part { open: open.to_owned(), lines: usize::MAX, ..list(kind, "", None, "setting", pieces) }
}

/// Returns the parts that may be cut: the lists by weight, then the folds.
fn parts<'a>(document: &'a Document<'a>, style: &Style) -> Vec<Part<'a>> {
    let kind = document.kind;
    let mut lists: Vec<(Weight, Part<'a>)> = Vec::new();
    let (mut folds, mut hazards) = (Vec::new(), None);
    let (mut information, mut minor, mut findings) = (Vec::new(), Vec::new(), 0);
    for section in &document.sections {
        let Section { weight, title, strong: _, block, remark } = section;
        match block {
            Block::Hazards(all, _) => hazards = each_hazard(kind, all),
            Block::Points(points) if *weight == Weight::Minor => {
                findings += points.iter().map(members).sum::<usize>();
                minor.extend(pieces(points));
            }
            Block::Points(points) if *weight == Weight::Information => information.extend(pieces(points)),
            Block::Points(points) => {
                let part = list(kind, title, remark.as_deref(), thing(*weight, points), pieces(points));
                lists.push((*weight, part));
            }
            Block::Planned(origin, shops) => {
                let heading = if origin.is_some() { title } else { "Changes" };
                lists.extend(changes(kind, heading, shops).map(|part| (*weight, part)));
                folds.push(fields(kind, *origin, shops, style));
            }
            Block::NotApplied { causes, all } => {
                let pieces = causes.iter().map(|(text, shops)| cause(text, shops, "change")).collect();
                lists.push((*weight, list(kind, title, None, "change", pieces)));
                folds.push(outcomes(kind, title, all, style));
            }
            Block::Drifted(groups) => {
                let pieces = groups.iter().map(|group| cause(&group.known, &group.shops, "subscription")).collect();
                lists.push((*weight, list(kind, title, remark.as_deref(), "subscription", pieces)));
                folds.extend(groups.iter().map(|Drifted { shops, .. }| Part {
                    fold: Some(title.clone()),
                    ..diff(kind, Depth::Full, shops, style)
                }));
            }
            Block::Steps(steps) => {
                let pieces = (1..).zip(steps).map(|(n, step)| self::step(n, step)).collect();
                lists.push((*weight, list(kind, title, None, "step", pieces)));
            }
            Block::Applied(shops) | Block::AlreadySo(shops) | Block::LeftOut(shops) => {
                information.extend(remark.as_deref().map(|remark| point(&prose(remark), Vec::new())));
                folds.push(outcomes(kind, title, shops, style));
            }
            Block::Line(_) | Block::Unchanged(..) | Block::Names(_) | Block::Unlisted(_) => {}
        }
    }
    if !information.is_empty() {
        lists.push((Weight::Information, list(kind, NOTES, None, "finding", information)));
    }
    folds.extend(hazards);
    if !minor.is_empty() {
        let what = if kind == Kind::Apply { "Warnings" } else { "Warnings, notes" };
        let fold = format!("{what} and unmanaged subscriptions: {}", plural(findings, "finding"));
        folds.push(folded(kind, fold, "finding", minor));
    }
    lists.sort_by_key(|(weight, _)| *weight);
    lists.into_iter().map(|(_, part)| part).chain(folds).collect()
}

/// Returns the noun for the points of a section.
fn thing(weight: Weight, points: &[Point<'_>]) -> &'static str {
    match (weight, points.first()) {
        (_, Some(Point::Address(_))) => "address",
        (Weight::Destinations, _) => "destination",
        (Weight::Blocked, _) => "binding",
        (Weight::Removals, _) => "cause",
        (Weight::Attention, _) => "finding",
        _ => "shop",
    }
}

/// Returns a list with a heading and, between them, a remark.
fn list<'a>(kind: Kind, heading: &str, remark: Option<&str>, thing: &'static str, pieces: Vec<Piece<'a>>) -> Part<'a> {
    let remark = remark.map_or_else(String::new, |remark| paragraph(&sentence(remark)));
    Part {
        fold: None,
        open: format!("\n### {heading}\n{remark}\n"),
        pieces,
        close: String::new(),
        thing,
        rest: kind.rest(),
        lines: MAX_LISTED,
    }
}

/// Returns a longer list in a fold.
fn folded<'a>(kind: Kind, summary: String, thing: &'static str, pieces: Vec<Piece<'a>>) -> Part<'a> {
    Part { fold: Some(summary), open: "\n".to_owned(), lines: MAX_FOLDED, ..list(kind, "", None, thing, pieces) }
}

/// Returns one item of a list.
fn point<'a>(text: &str, shops: Vec<&'a str>) -> Piece<'a> {
    Piece { title: None, text: format!("- {text}\n"), things: shops.len(), shops }
}

/// Returns the points of a section. The first notes of each kind come first, so that no kind displaces another.
fn pieces<'a>(points: &[Point<'a>]) -> Vec<Piece<'a>> {
    let kind = |point: &Point<'_>| match point {
        Point::Note { kind, .. } => Some(kind.clone()),
        _ => None,
    };
    let alike = points.chunk_by(|a, b| kind(a).is_some() && kind(a) == kind(b));
    let mut ranked: Vec<(usize, Piece<'a>)> =
        alike.flat_map(|alike| alike.iter().enumerate().map(|(i, point)| (i / MAX_OF_A_KIND, piece(point)))).collect();
    ranked.sort_by_key(|(round, _)| *round);
    ranked.into_iter().map(|(_, piece)| piece).collect()
}

fn piece<'a>(of: &Point<'a>) -> Piece<'a> {
    match of {
        Point::Words(text) => point(&prose(text), Vec::new()),
        Point::Address(address) => point(&code(address), Vec::new()),
        Point::Note { kind, about, place, message, shops, members: _ } => {
            let about = about.as_ref().map_or_else(String::new, |about| format!(" {}", code(about)));
            let place = place.as_ref().map_or_else(String::new, |place| format!(" ({})", code(place)));
            let text = format!("{}{about}{place} in {}: {}", code(kind), title(shops), prose(message));
            point(&text, shops.clone())
        }
        Point::Unmanaged { what, shops, members: _ } => {
            point(&format!("unmanaged: {} in {}", code(what), title(shops)), shops.clone())
        }
        Point::Destination { name, found, address, remarks, strong } => {
            let found = found.as_ref().map(|found| format!(": {}", prose(found))).unwrap_or_default();
            let address = address.as_ref().map(|address| format!(", {}", code(address))).unwrap_or_default();
            let remarks: Vec<String> = remarks.iter().map(|text| prose(text)).collect();
            let remarks = if remarks.is_empty() { String::new() } else { format!(" — {}", remarks.join("; ")) };
            let mark = if *strong { "⚠ " } else { "" };
            Piece { things: 1, ..point(&format!("{mark}{}{found}{address}{remarks}", code(name)), Vec::new()) }
        }
    }
}

fn members(point: &Point<'_>) -> usize {
    match point {
        Point::Note { members, .. } | Point::Unmanaged { members, .. } => *members,
        _ => 1,
    }
}

fn name<'a>((name, addresses): &Label<'_>) -> Piece<'a> {
    let mut texts: Vec<String> = addresses.iter().take(MAX_ADDRESSES).map(|(address, _)| code(address)).collect();
    if addresses.len() > texts.len() {
        texts.push(format!("… and {} more", thousands(addresses.len() - texts.len())));
    }
    Piece { things: 1, ..point(&format!("{}: {}", code(name), texts.join(", ")), Vec::new()) }
}

/// Returns a numbered step with its commands.
fn step<'a>(n: usize, Step { text, commands }: &Step) -> Piece<'a> {
    let commands: Vec<String> = commands.iter().map(|command| code(command)).collect();
    let commands = if commands.is_empty() { String::new() } else { format!(": {}", commands.join(", ")) };
    Piece { title: None, text: format!("{n}. {}{commands}\n", prose(text)), things: 1, shops: Vec::new() }
}

/// Returns a cause with the number of its changes and their shops. `thing` is the noun for one change.
fn cause<'a>(text: &str, shops: &ByShop<'a>, thing: &str) -> Piece<'a> {
    let names: Vec<&str> = shops.iter().map(|(shop, _)| *shop).collect();
    let number = shops.iter().map(|(_, changes)| changes.len()).sum();
    let text = if text.is_empty() { String::new() } else { format!(": {}", prose(text)) };
    let text = format!("{} in {}{text}", plural(number, thing), title(&names));
    Piece { things: number, ..point(&text, names) }
}

fn decision<'a>(of: &Decision<'a>) -> Piece<'a> {
    let Decision { kind, shops, message, allow, consents, hazards: _ } = of;
    let shops_of = if shops.is_empty() { String::new() } else { format!(" of {}", title(shops)) };
    let consent = if allow.is_empty() {
        let consents: Vec<String> = consents.iter().map(|consent| prose(&consent.text())).collect();
        format!("consent: {}", consents.join("; "))
    } else {
        let options: Vec<String> = allow.iter().map(|allow| option("--allow", allow)).collect();
        format!("consent with {}", options.join(" "))
    };
    let text = format!("{}{shops_of}: {} — {consent}", code(kind), prose(message));
    Piece { things: 1, ..point(&text, shops.clone()) }
}

fn hazard(hazard: &Hazard) -> Piece<'_> {
    let Hazard { kind, shop, message, .. } = hazard;
    let of = shop.as_deref().map_or_else(String::new, |shop| format!(" of {}", title(&[shop])));
    Piece {
        things: 1,
        ..point(&format!("{}{of}: {}", code(kind), prose(message)), shop.as_deref().into_iter().collect())
    }
}

/// Returns the hazards with their figures and their consents, and the lines of a manifest that consent to them. The length is
/// bounded.
fn hazards(kind: Kind, section: &Section<'_>, all: &[Decision<'_>], expires: Option<Date>) -> String {
    let pieces = all.iter().map(decision).collect();
    let part = Part { lines: usize::MAX, ..list(kind, &section.title, section.remark.as_deref(), "hazard", pieces) };
    let text = part.fit(HAZARDS);
    let allow: BTreeSet<&String> = all.iter().flat_map(|decision| &decision.allow).collect();
    // Only consents of this program's form are put into a fence.
    let plain = |allow: &&&String| allow.chars().all(|c| c.is_ascii_alphanumeric() || "_-:*".contains(c));
    let allow: Vec<&String> = allow.iter().filter(plain).copied().collect();
    match expires.filter(|_| !allow.is_empty() && text.len() < HAZARDS / 2) {
        Some(expires) => {
            let yaml = hazards::yaml(allow, expires).join("\n");
            format!("{text}\nOr add the consents to the manifest:\n\n```yaml\n{yaml}\n```\n")
        }
        None => text,
    }
}

/// Returns a fold with each hazard, if some are printed together.
fn each_hazard<'a>(kind: Kind, all: &[Decision<'a>]) -> Option<Part<'a>> {
    let each: Vec<&'a Hazard> = all.iter().flat_map(|decision| decision.hazards.iter().copied()).collect();
    let summary = || format!("All {}", plural(each.len(), "hazard"));
    let pieces = || each.iter().map(|one| hazard(one)).collect();
    (each.len() > all.len()).then(|| Part { lines: usize::MAX, ..folded(kind, summary(), "hazard", pieces()) })
}

/// Returns one line for each create and update. Deletes are printed above.
fn changes<'a>(kind: Kind, heading: &str, shops: &ByShop<'a>) -> Option<Part<'a>> {
    let kept = only(shops, |change| change.action != Action::Delete);
    let counts = [(Action::Create, "to add"), (Action::Update, "to change")];
    let counts = counts.map(|(action, words)| (number_of(&kept, action), words));
    let counts: Vec<String> =
        counts.iter().filter(|(n, _)| *n > 0).map(|(n, words)| format!("{} {words}", thousands(*n))).collect();
    let part = diff(kind, Depth::Brief, &kept, &STYLE);
    (!kept.is_empty()).then(|| Part {
        open: format!("\n### {heading}: {}\n{}", counts.join(", "), part.open),
        rest: "see the details below",
        lines: MAX_CHANGES,
        ..part
    })
}

fn fields<'a>(kind: Kind, origin: Option<Origin>, shops: &ByShop<'a>, style: &Style) -> Part<'a> {
    let what = match origin {
        None => "",
        Some(Origin::Manifest) => " from this manifest",
        Some(Origin::Drift) => " to repair drift",
    };
    let fold = Some(format!("Details of {}{what}", changes_counted(shops)));
    Part { fold, ..diff(kind, Depth::Full, shops, style) }
}

fn outcomes<'a>(kind: Kind, what: &str, shops: &ByShop<'a>, style: &Style) -> Part<'a> {
    let fold = Some(format!("{what}: {}", changes_counted(shops)));
    Part { fold, ..diff(kind, Depth::Brief, shops, style) }
}

/// Returns the addresses behind destination names, the counts of items that are not listed, and the digests of the plans, so that a reviewed plan can be compared with
/// the applied one.
fn end(document: &Document<'_>) -> String {
    let Document { kind, sections, digests, .. } = document;
    let mut out = String::new();
    for section in sections {
        if let Block::Names(names) = &section.block {
            out.push_str(&list(*kind, &section.title, None, "name", names.iter().map(name).collect()).fit(NAMES));
        }
    }
    let counts = sections.iter().filter_map(|section| match &section.block {
        Block::Line(text) if section.weight == Weight::Counts => Some(text.clone()),
        Block::Unchanged(shops, what) => Some(format!("{} without {what}.", plural(shops.len(), "shop"))),
        _ => None,
    });
    out.extend(counts.map(|text| paragraph(&prose(&text))));
    if !digests.is_empty() {
        let more = digests.len().saturating_sub(MAX_DIGESTS);
        let more = if more > 0 { format!(" … and {more} more") } else { String::new() };
        let digests: Vec<String> = digests.iter().take(MAX_DIGESTS).map(|digest| code(digest)).collect();
        out.push_str(&paragraph(&format!("Plan digest: {}{more}", digests.join(", "))));
    }
    out
}
