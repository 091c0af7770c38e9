//! The document: the content of a plan or a report, in the order of the text. The builders `plan` and `report` decide what it
//! contains; `text`, `markdown` and `html` print it. Its texts are not escaped: each printer escapes them.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::Link;
use super::changes::{ByShop, Label};
use super::hazards::Decision;
use crate::text::plural;
use crate::wire::plan::Origin;

/// The content of a plan or a report, independent of the output format.
pub(super) struct Document<'a> {
    pub(super) kind: Kind,
    /// The last line, whose format is fixed.
    pub(super) verdict: String,
    /// Why several plans do not form a whole run.
    pub(super) incomplete: Option<String>,
    pub(super) facts: Vec<Fact<'a>>,
    pub(super) sections: Vec<Section<'a>>,
    /// The digests of the plans.
    pub(super) digests: BTreeSet<&'a str>,
    /// The names of the runs.
    pub(super) names: BTreeSet<&'a str>,
    /// Links at the top of the Markdown and the HTML.
    pub(super) links: &'a [Link],
}

/// The kind of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plan,
    Drift,
    Apply,
}

/// A setting that differs from the default: `Label: value`.
pub(super) struct Fact<'a> {
    pub(super) label: &'static str,
    /// The shops that it applies to; empty if it applies to all.
    pub(super) shops: Vec<&'a str>,
    pub(super) value: String,
    /// The value without options of the command line, for the HTML page.
    pub(super) words: Option<String>,
    pub(super) emphasis: Emphasis,
}

/// How a fact is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Emphasis {
    /// The target, emphasized in every format.
    Target,
    /// One line, bold in the text.
    Strong,
    /// One line without emphasis.
    Plain,
    /// A long value, which the text wraps.
    Prose,
}

/// A part of a document.
pub(super) struct Section<'a> {
    pub(super) weight: Weight,
    /// The heading without a colon; empty for a section without a heading.
    pub(super) title: String,
    /// Whether the points need action.
    pub(super) strong: bool,
    pub(super) block: Block<'a>,
    /// A remark on the whole section.
    pub(super) remark: Option<String>,
}

/// The importance of a section where space is limited: the first are always printed, the last are folded and cut first.
/// Markdown prints sections in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Counts that supplement the verdict.
    Verdict,
    Hazards,
    /// Changes that were not applied, by cause.
    Undone,
    /// Planned changes.
    Changes,
    /// Old endpoints that must stay available after the changes.
    Endpoints,
    /// Shops that left the manifest.
    Left,
    Destinations,
    Blocked,
    /// Shops and addresses that the plan does not cover.
    Uncovered,
    Attention,
    /// What to do about drift.
    Steps,
    /// Planned changes that repair drift, apart from those of the manifest.
    Drift,
    /// The addresses behind destination names.
    Names,
    Information,
    Removals,
    /// Applied changes.
    Done,
    /// Findings that need no action.
    Minor,
    /// Counts of items that are not listed.
    Counts,
    /// How to list the others on a terminal.
    More,
}

/// The content of a section.
pub(super) enum Block<'a> {
    Line(String),
    /// Shops without changes, or without drift.
    Unchanged(Vec<&'a str>, &'static str),
    /// Hazards, and the last day of the consents that are proposed.
    Hazards(Vec<Decision<'a>>, Option<Date>),
    Points(Vec<Point<'a>>),
    /// Planned changes of one origin, if the plan has origins.
    Planned(Option<Origin>, ByShop<'a>),
    /// Changes that a run applied.
    Applied(ByShop<'a>),
    /// Changes that were not needed, because the shop already was as planned.
    AlreadySo(ByShop<'a>),
    /// Changes that a plan with `--only` leaves out.
    LeftOut(ByShop<'a>),
    /// Changes that a run did not apply: by cause, and all of them in the order of the shops.
    NotApplied {
        causes: Vec<(String, ByShop<'a>)>,
        all: ByShop<'a>,
    },
    /// Differences of one cause in a drift report.
    Drifted(Vec<Drifted<'a>>),
    Steps(Vec<Step>),
    Names(Vec<Label<'a>>),
    /// The number of findings that are not listed.
    Unlisted(usize),
}

/// Differences of one cause that the same report showed first.
pub(super) struct Drifted<'a> {
    /// Whether earlier files exist and none has them.
    pub(super) is_new: bool,
    /// Since when they are known; empty without earlier files.
    pub(super) known: String,
    /// The changes that would remove them.
    pub(super) shops: ByShop<'a>,
}

/// One step of what to do, with the commands of the step.
pub(super) struct Step {
    pub(super) text: String,
    pub(super) commands: Vec<String>,
}

/// One item of a list.
pub(super) enum Point<'a> {
    Words(String),
    Address(String),
    /// A message about some shops. Notes of one kind are adjacent.
    Note {
        kind: String,
        about: Option<String>,
        /// The place in the manifest: `orders.yaml:12`.
        place: Option<String>,
        message: String,
        shops: Vec<&'a str>,
        /// The number of grouped messages.
        members: usize,
    },
    Unmanaged {
        /// `orders/create -> https://…`
        what: String,
        shops: Vec<&'a str>,
        members: usize,
    },
    Destination {
        name: String,
        /// The object found at Adobe.
        found: Option<String>,
        address: Option<String>,
        /// The verdict on the destination, and the addresses that it replaces.
        remarks: Vec<String>,
        strong: bool,
    },
}

/// The emphasis of a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Ink {
    /// A create, or a new value.
    Added,
    /// An update.
    Changed,
    /// A delete, or an old value.
    Removed,
    Strong,
    /// Secondary text.
    Faint,
}

/// A piece of text in one emphasis.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) ink: Option<Ink>,
    pub(super) text: String,
}

impl Span {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { ink: None, text: text.into() }
    }

    pub(super) fn new(ink: Ink, text: impl Into<String>) -> Self {
        Self { ink: Some(ink), text: text.into() }
    }
}

/// Returns the text of some spans without their emphasis.
pub(super) fn unstyled(spans: &[Span]) -> String {
    spans.iter().map(|span| span.text.as_str()).collect()
}

impl<'a> Section<'a> {
    pub(super) fn new(weight: Weight, title: impl Into<String>, block: Block<'a>) -> Self {
        Self { weight, title: title.into(), strong: false, block, remark: None }
    }

    /// A line without a heading.
    pub(super) fn line(weight: Weight, text: impl Into<String>) -> Self {
        Self::new(weight, "", Block::Line(text.into()))
    }

    /// A list, or `None` if it is empty.
    pub(super) fn list(weight: Weight, title: impl Into<String>, points: Vec<Point<'a>>) -> Option<Self> {
        (!points.is_empty()).then(|| Self::new(weight, title, Block::Points(points)))
    }

    /// Marks the points as needing action.
    pub(super) fn strong(self) -> Self {
        Self { strong: true, ..self }
    }
}

/// Returns the number of changes: `3 changes`.
pub(super) fn changes_counted(shops: &ByShop<'_>) -> String {
    plural(shops.iter().map(|(_, changes)| changes.len()).sum(), "change")
}

/// Returns the verdict of a document, after the name of its run if it has one.
pub(super) fn titled(document: &Document<'_>) -> String {
    match document.names.first() {
        Some(name) if document.names.len() == 1 => format!("{name}: {}", document.verdict),
        _ => document.verdict.clone(),
    }
}

/// Returns the title of the documents of several runs: `3 runs side by side: prod, stage, dev`.
pub(super) fn runs(documents: &[Document<'_>]) -> String {
    let names: BTreeSet<&str> = documents.iter().flat_map(|document| document.names.iter().copied()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
    format!("{} side by side{names}", plural(documents.len(), "run"))
}
