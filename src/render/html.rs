//! Prints a document as one self-contained HTML page: the hazards, a summary of the changes, a matrix of shops and topics, and
//! the lines of the text. The page fetches nothing, which its Content-Security-Policy enforces. Without JavaScript and in print
//! it has everything but the matrix, which the script draws from data in the page.

mod cards;
mod markup;
mod names;
mod routes;
mod view;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use markup::{Html, csp_hash, fill, island};
use names::Names;
use routes::Made;
use view::View;

use super::document::{Document, Emphasis, Fact, Kind, Section, Weight, runs, titled};
use super::merge::{Plans, Reports};
use super::text::{Elsewhere, Lines, labelled};
use super::{Link, Style, escape, merge, plan, report};
use crate::text::{plural, thousands};
use crate::wire::plan::{Plan, ShopStatus, place};
use crate::wire::report::Report;

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/style.css");
/// The script of the page, which is divided into four files.
const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("html/data.js"),
    include_str!("html/panel.js"),
    include_str!("html/grid.js"),
    include_str!("html/filter.js"),
    "})();\n"
);

/// The maximum number of printed lines, so that the page loads quickly. The others are counted.
const MAX_LINES: usize = 4000;
/// The sections that the page prints as elements: first the hazards, then what leaves. The others are text.
const CARDS: [Weight; 2] = [Weight::Hazards, Weight::Left];
/// The maximum number of listed digests, because a fleet can have hundreds of shards.
const MAX_DIGESTS: usize = 4;

/// Where the page lists the items that its text counts.
const MATRIX: Elsewhere =
    Elsewhere { all: "the matrix shows all", it: "the matrix shows it", them: "the matrix shows them" };
const LINES: Style = Style { color: true, width: None, verbose: false };

/// The content of the page that is not in the document.
struct Extras<'a> {
    /// The CSS class of the header: `calm`, `busy` or `bad`.
    mood: &'static str,
    /// The times and digests of the files.
    files: Vec<(&'static str, String)>,
    /// The counts below the verdict.
    counts: String,
    /// The summary of the changes.
    changes: Html,
    view: View<'a>,
}

/// Prints the plans of several runs as one page with one matrix.
pub(super) fn side_by_side(all: &[Vec<Plan>], links: &[Link]) -> String {
    let merged: Vec<Plans<'_>> = all.iter().map(|run| merge::plans(run)).collect();
    let documents: Vec<Document<'_>> = merged.iter().map(|run| plan::document(run, false)).collect();
    let verdicts: Vec<String> = documents.iter().map(titled).collect();
    let verdict = format!("{}. {}", runs(&documents), verdicts.join(" "));
    let whole = merge::side_by_side(all.iter().map(|run| merge::plans(run)));
    let document = Document { verdict, names: BTreeSet::new(), ..plan::document(&whole, false) };
    let files: Vec<&Plan> = all.iter().flatten().collect();
    page_of(&files, &whole, &Document { links, ..document })
}

/// Prints plans as one page.
pub(super) fn plans(all: &[Plan], links: &[Link]) -> String {
    let merged = merge::plans(all);
    let files: Vec<&Plan> = all.iter().collect();
    page_of(&files, &merged, &Document { links, ..super::document(&merged, false) })
}

fn page_of<'a>(all: &[&'a Plan], merged: &Plans<'a>, document: &Document<'a>) -> String {
    let mut parts: Vec<&Plan> = all.to_vec();
    parts.sort_by_key(|plan| plan.selection.shard.as_deref().and_then(place));
    let created = between(parts.iter().map(|plan| plan.created_at.as_str()));
    let digests = parts.iter().map(|plan| match &plan.selection.shard {
        Some(shard) if all.len() > 1 => format!("{} (shard {shard})", plan.plan_digest),
        _ => plan.plan_digest.clone(),
    });
    let names = Names::new(&merged.destinations, merged.former_addresses.iter().copied());
    let changes = merged.shops.iter().flat_map(|s| s.changes.iter().map(|change| (s.shop.as_str(), change, None)));
    let (changes, routes) = routes::section(
        if merged.is_drift { "Repair" } else { "Changes" },
        &changes.collect::<Vec<Made<'_>>>(),
        &names,
    );
    let extras = Extras {
        mood: match merged {
            p if p.summary.blocked > 0 || p.summary.shops.failed > 0 || !p.complete || p.lacking.is_some() => "bad",
            p if p.shops.iter().any(|shop| !shop.changes.is_empty()) => "busy",
            _ => "calm",
        },
        files: created
            .map(|at| ("Created", at))
            .into_iter()
            .chain(plan_digests(digests))
            .chain(manifest(all.first().map(|p| &p.manifest_digest)))
            .collect(),
        counts: plan_counts(merged),
        changes,
        view: view::of_plan(merged, &names).with_routes(routes),
    };
    page(document, &extras)
}

/// Prints apply reports as one page.
pub(super) fn reports(all: &[Report], links: &[Link]) -> String {
    let merged = merge::reports(all);
    let started = between(all.iter().map(|report| report.started_at.as_str())).map(|at| ("Started", at));
    let finished = between(all.iter().map(|report| report.finished_at.as_str())).map(|at| ("Finished", at));
    let digests = plan_digests(all.iter().map(|report| report.plan_digest.clone()));
    let manifest = manifest(all.first().map(|report| &report.manifest_digest));
    let names = Names::default();
    let outcomes = merged.shops.iter().flat_map(|shop| {
        shop.outcomes.iter().map(|outcome| (shop.shop.as_str(), &outcome.change, Some(outcome.result)))
    });
    let (changes, routes) = routes::section("Outcomes", &outcomes.collect::<Vec<Made<'_>>>(), &names);
    let extras = Extras {
        mood: if merged.complete { "calm" } else { "bad" },
        files: started.into_iter().chain(finished).chain(digests).chain(manifest).collect(),
        counts: report_counts(&merged),
        changes,
        view: view::of_report(&merged.shops, &names).with_routes(routes),
    };
    page(&Document { links, ..report::document(&merged, false) }, &extras)
}

/// Returns the first and the last of some RFC 3339 times.
fn between<'a>(times: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
    let (first, last) = (times.clone().min()?, times.max()?);
    Some(if first == last { first.to_owned() } else { format!("{first} to {last}") })
}

fn plan_digests(digests: impl ExactSizeIterator<Item = String>) -> impl Iterator<Item = (&'static str, String)> {
    let more = digests.len().saturating_sub(MAX_DIGESTS);
    let more = (more > 0).then(|| format!("… and {more} more"));
    digests.take(MAX_DIGESTS).chain(more).map(|digest| ("Plan digest", digest))
}

fn manifest(digest: Option<&String>) -> Option<(&'static str, String)> {
    digest.map(|digest| ("Manifest digest", digest.clone()))
}

/// Returns `3 shops: 1 with changes, 2 without changes. 7 up to date, 1 unmanaged.`
fn plan_counts(plan: &Plans<'_>) -> String {
    let counts = &plan.summary.shops;
    let unchanged = plan::unchanged(plan).len();
    let blocked = plan.shops.iter().filter(|s| s.status == ShopStatus::Unchanged && !s.blocked.is_empty()).count();
    let shops = [
        (counts.changed, "with changes"),
        (unchanged, "without changes"),
        (blocked, "with only blocked bindings"),
        (counts.unchanged.saturating_sub(unchanged + blocked), "with only left-out changes"),
        (counts.failed, "not read"),
        (counts.unavailable, "not read, tolerated"),
    ];
    let attention = if plan.summary.attention == 1 { "needs attention" } else { "need attention" };
    let rest = [
        (plan.summary.unchanged, "up to date"),
        (plan.summary.blocked, "blocked"),
        (plan.summary.unmanaged, "unmanaged"),
        (plan.summary.attention, attention),
        (plan.summary.left_out, "left out"),
        (
            plan.shops_left.len(),
            if plan.shops_left.len() == 1 { "shop left the manifest" } else { "shops left the manifest" },
        ),
    ];
    sentences(&plural(counts.total, "shop"), &shops, &rest)
}

fn report_counts(report: &Reports<'_>) -> String {
    let summary = &report.summary;
    let shops = [(summary.shops_stale, "changed since the plan was created"), (summary.shops_not_read, "not read")];
    let rest = [(summary.already_so, "already done before this run"), (summary.blocked, "blocked")];
    sentences(&plural(report.shops.len(), "shop"), &shops, &rest)
}

fn sentences(shops: &str, of_shops: &[(usize, &str)], rest: &[(usize, &str)]) -> String {
    let words = |all: &[(usize, &str)]| {
        let some = all.iter().filter(|(n, _)| *n > 0);
        some.map(|(n, what)| format!("{} {what}", thousands(*n))).collect::<Vec<_>>().join(", ")
    };
    let (of_shops, rest) = (words(of_shops), words(rest));
    let colon = if of_shops.is_empty() { "" } else { ": " };
    let rest = if rest.is_empty() { rest } else { format!(" {rest}.") };
    format!("{shops}{colon}{of_shops}.{rest}")
}

fn page(document: &Document<'_>, extras: &Extras<'_>) -> String {
    let Document { kind, incomplete, facts, sections, digests: _, names: _, links, verdict: _ } = document;
    // The verdict has a fixed format for scripts; the page names no options.
    let title = titled(document).replace("--only leaves out", "this plan leaves out");
    let Extras { mood, files, counts, changes, view } = extras;
    let (targets, facts): (Vec<&Fact<'_>>, Vec<_>) = facts.iter().partition(|fact| fact.emphasis == Emphasis::Target);
    let targets = targets.into_iter().map(|fact| format!("Target: {}", fact.value)).chain(incomplete.clone());
    let target = Html::join(targets.map(|line| fill("<p class=\"target\">{{line}}</p>\n", &[("line", &text(&line))])));
    let links = Html::join(links.iter().map(|Link { name, url }| {
        let values = [("name", &text(name)), ("url", &text(url))];
        fill("<a href=\"{{url}}\" rel=\"noreferrer\">{{name}}</a>\n", &values)
    }));
    let of = |wanted: &[Weight]| {
        let sections = sections.iter().filter(|section| wanted.contains(&section.weight));
        Html::join(sections.map(cards::section))
    };
    let body: Vec<&Section<'_>> = sections.iter().filter(|section| !CARDS.contains(&section.weight)).collect();
    let body = lines(&body, MAX_LINES).unwrap_or_else(|| Html::own("There are no changes and no findings."));
    let csp = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        csp_hash(STYLE),
        csp_hash(SCRIPT)
    );
    let values = [
        ("csp", &text(&csp)),
        ("style", &Html::own(STYLE)),
        ("script", &Html::own(SCRIPT)),
        (
            "what",
            &Html::own(match kind {
                Kind::Plan => "plan",
                Kind::Drift => "drift report",
                Kind::Apply => "apply report",
            }),
        ),
        ("mood", &Html::own(mood)),
        ("verdict", &text(&title)),
        ("target", &target),
        ("facts", &pairs(settings(facts))),
        ("files", &pairs(files.iter().map(|(label, value)| ((*label).to_owned(), value.clone())))),
        ("counts", &text(counts)),
        ("links", &links),
        ("hazards", &of(&CARDS[..1])),
        ("changes", changes),
        ("left", &of(&CARDS[1..])),
        ("island", &island(view)),
        ("body", &body),
        ("version", &Html::own(env!("CARGO_PKG_VERSION"))),
    ];
    fill(PAGE, &values).into_string()
}

/// Returns the labels and values of settings, those of all shops first.
fn settings<'a>(facts: Vec<&'a Fact<'a>>) -> impl Iterator<Item = (String, String)> {
    let (common, of_shops): (Vec<_>, Vec<_>) = facts.into_iter().partition(|fact| fact.shops.is_empty());
    common.into_iter().chain(of_shops).map(|fact| {
        let (label, value) = labelled(fact, &Style::default());
        (label, fact.words.clone().unwrap_or(value))
    })
}

fn pairs(pairs: impl Iterator<Item = (String, String)>) -> Html {
    Html::join(pairs.map(|(label, value)| {
        let values = [("label", &text(&label)), ("value", &text(&value))];
        fill("<div><dt>{{label}}</dt><dd>{{value}}</dd></div>\n", &values)
    }))
}

/// Returns a message, with the text between backticks as code.
fn prose(message: &str) -> Html {
    let mut parts = message.split('`').peekable();
    let mut out = Vec::new();
    let mut is_code = false;
    while let Some(part) = parts.next() {
        let closed = parts.peek().is_some();
        match (is_code, closed) {
            (true, true) => out.push(fill("<code>{{part}}</code>", &[("part", &text(part))])),
            (true, false) => out.extend([Html::own("`"), text(part)]),
            (false, _) => out.push(text(part)),
        }
        is_code = !is_code;
    }
    Html::join(out)
}

fn text(text: &str) -> Html {
    Html::text(&escape(text))
}

/// Returns the lines of some sections, or `None` if there are none. Lines after the first `max` are counted.
fn lines(sections: &[&Section<'_>], max: usize) -> Option<Html> {
    let (mut out, mut count) = (Vec::new(), 0);
    Lines::new(&LINES, MATRIX, |indent, spans| {
        count += 1;
        if count <= max {
            out.push(markup::line(indent, spans));
        }
    })
    .sections(sections.iter().copied());
    if count > max {
        let more = plural(count - max, "more line");
        out.push(Html::text(&format!("… and {more}; the matrix has all changes")));
    }
    (!out.is_empty()).then(|| Html::join(out))
}
