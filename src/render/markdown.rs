//! Markdown for the comment on a pull request: what matters first, details folded, all of it within what GitHub takes.
//! Made from the same merged view and the same words as the text. Nothing that somebody else wrote becomes markup:
//! `inline` is the only door. `room` shares out the length.

mod budget;
mod changes;
mod inline;
mod notes;
mod plan;
mod report;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

pub(super) use plan::page as plan;
pub(super) use report::page as report;

use super::Style;
use super::merge::{Plans, Reports};
use super::page::Page;
use super::settings;
use budget::{Part, Piece};

/// How much of a list of shops is written.
const STYLE: Style = Style { color: false, width: Some(52), verbose: false };
const VERBOSE: Style = Style { verbose: true, ..STYLE };

/// What a comment is, for whoever looks for the one to replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plan,
    Drift,
    Apply,
}

impl Kind {
    /// What a plan is: a drift report, if it says so.
    pub(super) fn of(plan: &Plans<'_>) -> Self {
        if plan.since.is_some() { Self::Drift } else { Self::Plan }
    }

    /// The first line.
    fn marker(self) -> &'static str {
        match self {
            Self::Plan => "<!-- hookwright: plan -->\n",
            Self::Drift => "<!-- hookwright: drift -->\n",
            Self::Apply => "<!-- hookwright: apply -->\n",
        }
    }

    /// Where all of it is.
    fn rest(self) -> &'static str {
        match self {
            Self::Plan => "see the plan file",
            Self::Drift => "see the drift report",
            Self::Apply => "see the apply report",
        }
    }
}

/// What stands above everything: the marker and the verdict.
fn top(kind: Kind, verdict: &str) -> String {
    format!("{}## {verdict}\n", kind.marker())
}

/// Lines that the text has as well, as a list; the target stands out.
fn rules<'a>(kind: Kind, write: impl FnOnce(&mut Page<'_>)) -> Part<'a> {
    let style = Style { width: None, ..STYLE };
    let mut page = Page::new(&style);
    write(&mut page);
    let text = page.text();
    let pieces = text.lines().map(|line| {
        let strong = if line.starts_with("Target: ") { "**" } else { "" };
        let text = format!("- {strong}{}{strong}\n", inline::prose(line));
        Piece { title: None, text, shops: vec![], things: 1 }
    });
    let pieces: Vec<Piece<'_>> = pieces.collect();
    let open = if pieces.is_empty() { String::new() } else { "\n".to_owned() };
    Part { fold: None, open, pieces, close: String::new(), thing: "setting", rest: kind.rest(), lines: usize::MAX }
}

/// Target, limits, ownership and selection of a plan, where they are not the usual ones.
fn plan_rules<'a>(kind: Kind, plan: &Plans<'a>) -> Part<'a> {
    rules(kind, |page| {
        for one in &plan.settings {
            settings::write(page, one);
        }
        settings::shop_limits(page, &plan.shops);
        settings::selection(page, &plan.selections);
    })
}

/// The same of a report.
fn report_rules<'a>(report: &Reports<'a>) -> Part<'a> {
    rules(Kind::Apply, |page| {
        for one in &report.settings {
            settings::write(page, one);
        }
    })
}

/// So many digests are written.
const DIGESTS: usize = 4;

/// Which plan this is, so that what is applied can be held against what was reviewed.
fn bottom<'a>(digests: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = digests.len().saturating_sub(DIGESTS);
    let digests: Vec<String> = digests.take(DIGESTS).map(inline::code).collect();
    let more = if more > 0 { format!(" … and {more} more") } else { String::new() };
    if digests.is_empty() { String::new() } else { format!("\nPlan digest: {}{more}\n", digests.join(", ")) }
}

/// A paragraph of our own words.
fn paragraph(text: &str) -> String {
    format!("\n{text}\n")
}

/// The parts in the room that is left between what has to be said and the last lines. With everything in them, if that
/// fits.
fn assemble<'a>(must: &str, end: &str, parts: impl Fn(&'static Style) -> Vec<Part<'a>>) -> String {
    let room = budget::LIMIT.saturating_sub(must.len() + end.len());
    let all = budget::share(&parts(&VERBOSE), usize::MAX).concat();
    let middle = if all.len() <= room { all } else { budget::share(&parts(&STYLE), room).concat() };
    format!("{must}{middle}{end}")
}
