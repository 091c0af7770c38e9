//! One self-contained HTML page: what the text says, and a matrix of shops by topics to look around in. It fetches
//! nothing and says so in a Content-Security-Policy. Without JavaScript, and on paper, it is the text rendering; the
//! script draws the matrix out of data that stands in the page. May not judge, merge or word anything by itself.

mod markup;
mod view;

#[cfg(test)]
mod tests;

use markup::{Html, csp_hash, fill, island, painted};
use view::View;

use super::merge::{Plans, Reports};
use super::page::Page;
use super::{Style, escape, hazards, merge, plan, plan_last_line, report, report_last_line, settings};
use crate::text::{plural, thousands};
use crate::wire::plan::{Plan, place};
use crate::wire::report::Report;

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/style.css");
/// One script to the browser; four files to whoever reads it.
const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("html/data.js"),
    include_str!("html/panel.js"),
    include_str!("html/grid.js"),
    include_str!("html/filter.js"),
    "})();\n"
);

/// The text part is as long as it must be, but a browser should not choke on it.
const MAX_LINES: usize = 4000;

/// The terminal's text with its colours, which become spans.
const INK: Style = Style { color: true, width: None, verbose: false };

/// What stands on the page besides the matrix.
struct Parts {
    /// `plan`, or `apply report`.
    what: &'static str,
    verdict: String,
    /// Above the verdict: what it does not say.
    lacking: Option<String>,
    /// `calm`, `busy` or `bad`.
    mood: &'static str,
    /// `Label: value` lines.
    facts: Vec<(String, String)>,
    /// How many of what.
    counts: String,
    /// Painted text.
    hazards: String,
    /// Painted text.
    body: String,
}

/// Plans as one page.
pub(super) fn plans(all: &[Plan]) -> String {
    let merged = merge::plans(all);
    let mut head = Page::new(&INK);
    hazards::write(&mut head, &merged.hazards);
    let mut body = Page::new(&INK);
    plan::body(&mut body, &merged);
    let verdict = plan_last_line(&merged.summary, merged.complete);
    let parts = Parts {
        what: "plan",
        lacking: settings::lacking(&merged),
        mood: match &merged {
            p if p.summary.blocked > 0 || p.summary.shops.failed > 0 || !p.complete || p.lacking.is_some() => "bad",
            p if p.shops.iter().any(|shop| !shop.changes.is_empty()) => "busy",
            _ => "calm",
        },
        verdict,
        facts: plan_facts(all, &merged),
        counts: plan_counts(&merged),
        hazards: head.text(),
        body: body.text(),
    };
    page(&parts, &view::of_plan(&merged.shops))
}

/// Apply reports as one page.
pub(super) fn reports(all: &[Report]) -> String {
    let merged = merge::reports(all);
    let mut body = Page::new(&INK);
    report::body(&mut body, &merged);
    let parts = Parts {
        what: "apply report",
        lacking: None,
        mood: if merged.complete { "calm" } else { "bad" },
        verdict: report_last_line(&merged.summary, merged.complete),
        facts: report_facts(all, &merged),
        counts: report_counts(&merged),
        hazards: String::new(),
        body: body.text(),
    };
    page(&parts, &view::of_report(&merged.shops))
}

/// `Label: value` lines of the text rendering.
fn facts(page: Page<'_>) -> Vec<(String, String)> {
    let text = page.text();
    let pair = |line: &str| line.split_once(": ").map(|(label, value)| (label.to_owned(), value.to_owned()));
    text.lines().filter_map(pair).collect()
}

fn plan_facts(all: &[Plan], merged: &Plans<'_>) -> Vec<(String, String)> {
    let plain = Style::default();
    let mut page = Page::new(&plain);
    for one in &merged.settings {
        settings::write(&mut page, one);
    }
    settings::selection(&mut page, &merged.selections);
    settings::shop_limits(&mut page, &merged.shops);
    let mut out = facts(page);
    let mut parts: Vec<&Plan> = all.iter().collect();
    parts.sort_by_key(|plan| plan.selection.shard.as_deref().and_then(place));
    out.extend(between(parts.iter().map(|plan| plan.created_at.as_str())).map(|at| ("Created".into(), at)));
    let digests = parts.iter().map(|plan| {
        let shard = plan.selection.shard.as_deref().filter(|_| all.len() > 1);
        of_part(shard, &plan.plan_digest)
    });
    out.extend(some(digests).map(|digest| ("Plan".into(), digest)));
    out.extend(all.first().map(|plan| ("Manifest".into(), escape(&plan.manifest_digest).into_owned())));
    out
}

fn report_facts(all: &[Report], merged: &Reports<'_>) -> Vec<(String, String)> {
    let plain = Style::default();
    let mut page = Page::new(&plain);
    for one in &merged.settings {
        settings::write(&mut page, one);
    }
    let mut out = facts(page);
    out.extend(between(all.iter().map(|report| report.started_at.as_str())).map(|at| ("Started".into(), at)));
    out.extend(between(all.iter().map(|report| report.finished_at.as_str())).map(|at| ("Finished".into(), at)));
    let digests = all.iter().map(|report| escape(&report.plan_digest).into_owned());
    out.extend(some(digests).map(|digest| ("Plan".into(), digest)));
    out.extend(all.first().map(|report| ("Manifest".into(), escape(&report.manifest_digest).into_owned())));
    out
}

/// The first and the last of some times, in RFC 3339.
fn between<'a>(times: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
    let (first, last) = (times.clone().min()?, times.max()?);
    let last = if first == last { String::new() } else { format!(" to {}", escape(last)) };
    Some(format!("{}{last}", escape(first)))
}

/// So many digests stand above the verdict; a fleet may have hundreds of shards.
const DIGESTS: usize = 4;

fn some(digests: impl ExactSizeIterator<Item = String>) -> impl Iterator<Item = String> {
    let more = digests.len().saturating_sub(DIGESTS);
    digests.take(DIGESTS).chain((more > 0).then(|| format!("… and {more} more")))
}

fn of_part(shard: Option<&str>, value: &str) -> String {
    shard.map_or_else(|| escape(value).into_owned(), |shard| format!("{} (shard {})", escape(value), escape(shard)))
}

/// `3 shops: 1 with changes, 2 without. 7 live as wanted, 1 unmanaged.`
fn plan_counts(plan: &Plans<'_>) -> String {
    let counts = &plan.summary.shops;
    let unchanged = plan::unchanged(plan).len();
    let shops = [
        (counts.changed, "with changes"),
        (unchanged, "without"),
        (counts.unchanged.saturating_sub(unchanged), "with nothing but blocked bindings"),
        (counts.failed, "not read"),
        (counts.unavailable, "unavailable and tolerated"),
    ];
    let attention = if plan.summary.attention == 1 { "needs attention" } else { "need attention" };
    let rest = [
        (plan.summary.unchanged, "live as wanted"),
        (plan.summary.blocked, "blocked"),
        (plan.summary.unmanaged, "unmanaged"),
        (plan.summary.attention, attention),
    ];
    sentences(&plural(counts.total, "shop"), &shops, &rest)
}

fn report_counts(report: &Reports<'_>) -> String {
    let summary = &report.summary;
    let shops = [(summary.shops_stale, "stale"), (summary.shops_not_read, "not read")];
    let rest = [(summary.already_so, "already so"), (summary.blocked, "blocked")];
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

fn page(parts: &Parts, view: &View) -> String {
    let Parts { what, lacking, verdict, mood, facts, counts, hazards, body } = parts;
    let (targets, facts): (Vec<_>, Vec<_>) = facts.iter().partition(|(label, _)| label == "Target");
    let targets = targets.iter().map(|(_, value)| format!("Target: {value}")).chain(lacking.clone());
    let target =
        Html::join(targets.map(|line| fill("<p class=\"target\">{{line}}</p>\n", &[("line", &Html::text(&line))])));
    let facts = Html::join(facts.iter().map(|(label, value)| {
        let values = [("label", &Html::text(label)), ("value", &Html::text(value))];
        fill("<div><dt>{{label}}</dt><dd>{{value}}</dd></div>\n", &values)
    }));
    let hazards = match hazards.trim() {
        "" => Html::default(),
        text => fill(
            "<section class=\"hazards\" aria-label=\"Hazards\"><div class=\"text\">{{text}}</div></section>\n",
            &[("text", &painted(text))],
        ),
    };
    let csp = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        csp_hash(STYLE),
        csp_hash(SCRIPT)
    );
    let values = [
        ("csp", &Html::text(&csp)),
        ("style", &Html::own(STYLE)),
        ("script", &Html::own(SCRIPT)),
        ("what", &Html::own(what)),
        ("mood", &Html::own(mood)),
        ("verdict", &Html::text(verdict)),
        ("target", &target),
        ("facts", &facts),
        ("counts", &Html::text(counts)),
        ("hazards", &hazards),
        ("island", &island(view)),
        ("body", &bounded(body)),
        ("version", &Html::own(env!("CARGO_PKG_VERSION"))),
    ];
    fill(PAGE, &values).into_string()
}

/// The text, cut visibly where it is too long.
fn bounded(text: &str) -> Html {
    let text = text.trim_matches('\n');
    if text.is_empty() {
        return Html::own("Nothing to say beyond the line above.");
    }
    let lines = text.lines().count();
    if lines <= MAX_LINES {
        return painted(text);
    }
    let end = text.match_indices('\n').nth(MAX_LINES - 1).map_or(text.len(), |(at, _)| at);
    let cut = format!("… and {} more; `hookwright show` prints them all", plural(lines - MAX_LINES, "line"));
    Html::join([painted(&text[..end]), Html::text(&cut)])
}
