//! What is said besides the changes: hazards and their consent, findings, shops that were not read.

use super::super::hazards::{self, Hazards, MAX_HAZARDS};
use super::super::notes::{self, MAX_OF_A_KIND, Note, Said};
use super::super::removal;
use super::Kind;
use super::budget::{Part, Piece};
use super::inline::{code, option, prose, title};
use crate::text::plural;
use crate::wire::plan::{Finding, Hazard};

/// So many lines of notes stand before the folds, of each heading.
const MAX_LINES: usize = 16;
/// So many stand in a fold.
const MAX_FOLDED: usize = 100;
/// Room for hazards.
const MAX_BYTES: usize = 12_000;

/// A list with a heading.
pub(super) fn list<'a>(kind: Kind, heading: &str, thing: &'static str, pieces: Vec<Piece<'a>>) -> Part<'a> {
    Part {
        fold: None,
        open: format!("\n### {heading}\n\n"),
        pieces,
        close: String::new(),
        thing,
        rest: kind.rest(),
        lines: MAX_LINES,
    }
}

/// The same, folded, and longer.
pub(super) fn folded<'a>(kind: Kind, summary: String, thing: &'static str, pieces: Vec<Piece<'a>>) -> Part<'a> {
    Part { fold: Some(summary), open: "\n".to_owned(), lines: MAX_FOLDED, ..list(kind, "", thing, pieces) }
}

/// One point of a list.
pub(super) fn point<'a>(text: &str, shops: Vec<&'a str>) -> Piece<'a> {
    Piece { title: None, text: format!("- {text}\n"), things: shops.len(), shops }
}

/// Notes as points. The first few of each kind come first, so that no kind crowds out another.
pub(super) fn points<'a, 'n>(notes: impl IntoIterator<Item = (&'a str, Note<'n>)>) -> Vec<Piece<'a>> {
    let mut out: Vec<(usize, Piece<'a>)> = Vec::new();
    for (kind, all) in notes::said(notes) {
        out.extend(all.into_iter().enumerate().map(|(i, Said { about, place, message, shops })| {
            let about = about.map_or_else(String::new, |about| format!(" {}", code(&about)));
            let place = place.map_or_else(String::new, |place| format!(" ({})", code(&place)));
            let text = format!("{}{about}{place} in {}: {}", code(&kind), title(&shops), prose(&message));
            (i / MAX_OF_A_KIND, point(&text, shops))
        }));
    }
    out.sort_by_key(|(round, _)| *round);
    out.into_iter().map(|(_, piece)| piece).collect()
}

/// Why subscriptions may have been removed, if a finding reports that.
pub(super) fn removals<'a, 'f>(kind: Kind, findings: impl IntoIterator<Item = &'f Finding>) -> Option<Part<'a>> {
    let pieces = || removal::lines().iter().map(|line| point(&prose(line), Vec::new())).collect();
    removal::is_reported(findings).then(|| list(kind, removal::HEADING, "cause", pieces()))
}

/// Unmanaged subscriptions as points.
pub(super) fn unmanaged<'a>(all: &[(&'a str, &Finding)]) -> Vec<Piece<'a>> {
    let groups = notes::unmanaged(all).into_iter();
    groups.map(|(text, shops)| point(&format!("unmanaged: {} in {}", code(&text), title(&shops)), shops)).collect()
}

fn one(hazard: &Hazard) -> Piece<'_> {
    let Hazard { kind, shop, message, allow, details: _ } = hazard;
    let of = shop.as_deref().map_or_else(String::new, |shop| format!(" of {}", title(&[shop])));
    let text = format!("{}{of}: {} — {}", code(kind), prose(message), option("--allow", allow));
    Piece { things: 1, ..point(&text, shop.as_deref().into_iter().collect()) }
}

/// The hazards, each with its figures and its consent; many of a kind together. Bounded.
pub(super) fn hazards(kind: Kind, all: &[Hazard]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let part = |most: usize| {
        let mut pieces = Vec::new();
        for group in hazards::by_kind(all, most) {
            match group {
                Hazards::Each(group) => pieces.extend(group.into_iter().map(one)),
                Hazards::Together { kind, shops, example } => {
                    let allow = option("--allow", &format!("{kind}:<shop>"));
                    let text = format!(
                        "{} of {}, for example: {} — {allow} for each; a pattern may stand for several",
                        code(kind),
                        title(&shops),
                        prose(example)
                    );
                    pieces.push(point(&text, shops));
                }
            }
        }
        Part { lines: usize::MAX, ..list(kind, &hazards::heading(all.len()), "hazard", pieces) }
    };
    let text = part(MAX_HAZARDS).fit(usize::MAX);
    if text.len() <= MAX_BYTES { text } else { part(0).fit(MAX_BYTES) }
}

/// Each hazard by itself, where they were told of together.
pub(super) fn each_hazard(kind: Kind, all: &[Hazard]) -> Option<Part<'_>> {
    let together = hazards::by_kind(all, MAX_HAZARDS).iter().any(|g| matches!(g, Hazards::Together { .. }));
    let summary = || format!("Each of the {}", plural(all.len(), "hazard"));
    let pieces = || all.iter().map(one).collect();
    together.then(|| Part { lines: usize::MAX, ..folded(kind, summary(), "hazard", pieces()) })
}
