//! What is said besides the changes: hazards, findings, blocked bindings, shops that were not read. The same message
//! over many shops stands once.

use std::collections::BTreeSet;

use super::change::places;
use super::group::group_by;
use super::page::{Ink, Page};
use super::{escape, shops};
use crate::plan::v1::{Blocked, Finding, Hazard, Severity, ShopError, Source};

/// So many notes of a kind are listed; the rest is counted.
const MAX_OF_A_KIND: usize = 10;
/// So many hazards of a kind are listed one by one.
const MAX_HAZARDS: usize = 5;

/// Information that is listed without being asked for.
const ALWAYS_SAID: [&str; 3] = ["old_endpoint", "never_made", "removed_by_apply"];

/// Kinds whose messages differ in a time from shop to shop.
fn with_times(kind: &str) -> bool {
    ["old_endpoint", "removed_remotely", "removed_by_apply", "known_drift"].contains(&kind)
}

/// Something to say about a shop.
#[derive(Clone, Copy)]
pub(super) struct Note<'a> {
    pub(super) kind: &'a str,
    pub(super) about: Option<&'a str>,
    pub(super) message: &'a str,
    pub(super) source: Option<&'a Source>,
}

impl<'a> Note<'a> {
    pub(super) fn error(error: &'a ShopError) -> Self {
        let ShopError { kind, http_status: _, message, retryable: _ } = error;
        Self { kind, about: None, message, source: None }
    }

    fn finding(finding: &'a Finding) -> Self {
        let Finding { kind, severity: _, topic, id: _, message, details: _ } = finding;
        Self { kind, about: topic.as_deref(), message, source: None }
    }
}

/// Writes notes, grouped by what they say.
pub(super) fn write<'a>(page: &mut Page<'_>, ink: Option<Ink>, notes: impl IntoIterator<Item = (&'a str, Note<'a>)>) {
    let same =
        group_by(notes.into_iter().map(|(shop, note)| {
            ((note.kind, note.about, common(note.message, shop, with_times(note.kind))), shop, note)
        }));
    let kinds = group_by(same.into_iter().map(|((kind, about, text), group)| (kind, "", (about, text, group))));
    for (kind, texts) in kinds {
        let shown = if page.style.verbose { texts.len() } else { MAX_OF_A_KIND };
        for (_, (about, text, group)) in texts.iter().take(shown) {
            let names: BTreeSet<&str> = group.iter().map(|(shop, _)| *shop).collect();
            let names: Vec<&str> = names.into_iter().collect();
            let message = match group.as_slice() {
                [(_, note)] => escape(note.message).into_owned(),
                many => with_latest_time(&escape(text), many.iter().map(|(_, note)| note.message)),
            };
            let about = about.map_or_else(String::new, |about| format!(" {}", escape(about)));
            let place = places(group.iter().filter_map(|(_, note)| note.source));
            let place = place.map_or_else(String::new, |place| format!(" ({place})"));
            page.point(ink, &format!("{}{about}{place}: {message}", escape(kind)));
            page.prose(4, &shops::title(&names, page.style));
        }
        if texts.len() > shown {
            page.line(
                2,
                &format!("… and {} more of {}; -v lists them", shops::number(texts.len() - shown), escape(kind)),
            );
        }
    }
}

/// The message without what tells one shop from another: the shop, an id and, if asked, a time.
pub(super) fn common(message: &str, shop: &str, times: bool) -> String {
    let mut after_shop = false;
    let words = if shop.is_empty() { message.to_owned() } else { message.replace(shop, "<shop>") };
    let words = words.split(' ').map(|word| {
        let word = if std::mem::replace(&mut after_shop, word.ends_with("--shop")) {
            with_tail(word, "<shop>")
        } else if times && time(word).is_some() {
            with_tail(word, TIME)
        } else {
            word.to_owned()
        };
        without_id(&word)
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Another word in place of this one, with the punctuation that followed it.
fn with_tail(word: &str, other: &str) -> String {
    let core = word.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '>');
    format!("{other}{}", &word[core.len()..])
}

/// `gid://shopify/WebhookSubscription/<id>`
fn without_id(word: &str) -> String {
    let Some(at) = word.find("gid://shopify/") else { return word.to_owned() };
    let Some(slash) = word[at + 14..].find('/') else { return word.to_owned() };
    let (start, rest) = word.split_at(at + 14 + slash + 1);
    format!("{start}<id>{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
}

const TIME: &str = "<time>";

/// An RFC 3339 time in UTC.
fn time(word: &str) -> Option<&str> {
    let core = word.trim_matches(|c: char| !c.is_alphanumeric());
    let like = |c: char| c.is_ascii_digit() || "-T:.Z".contains(c);
    (core.len() >= 20 && core.ends_with('Z') && core.contains('T') && core.chars().all(like)).then_some(core)
}

/// Of the times in the messages the latest: whoever waits until then has waited long enough for all.
fn with_latest_time<'a>(text: &str, messages: impl Iterator<Item = &'a str>) -> String {
    let times: BTreeSet<&str> = messages.flat_map(|m| m.split(' ').filter_map(time)).collect();
    let Some(latest) = times.last() else { return text.to_owned() };
    let note = if times.len() > 1 { " (the latest of these shops)" } else { "" };
    text.replace(TIME, &format!("{latest}{note}"))
}

/// Hazards and how to consent to them.
pub(super) fn hazards(page: &mut Page<'_>, hazards: &[&Hazard]) {
    if hazards.is_empty() {
        return;
    }
    let what = shops::count(hazards.len(), "hazard");
    page.heading(&format!("{what}: apply sends nothing without consent to each"));
    let kinds = group_by(hazards.iter().map(|h| ((h.kind.as_str(), h.shop.is_some()), "", *h)));
    for ((kind, of_shops), group) in kinds {
        let group: Vec<&Hazard> = group.into_iter().map(|(_, hazard)| hazard).collect();
        if of_shops && group.len() > MAX_HAZARDS && !page.style.verbose {
            let names: BTreeSet<&str> = group.iter().filter_map(|h| h.shop.as_deref()).collect();
            let names: Vec<&str> = names.into_iter().collect();
            page.point(Some(Ink::Strong), &format!("{}: {}", escape(kind), shops::title(&names, page.style)));
            page.prose(4, &format!("for example: {} (-v shows each)", escape(&group[0].message)));
            page.line(4, &format!("--allow '{}:<shop>' for each; <shop> may be a pattern", escape(kind)));
            continue;
        }
        for Hazard { kind, shop, message, allow, details: _ } in group {
            let shop = shop.as_ref().map_or_else(String::new, |shop| format!(", {}", escape(shop)));
            page.point(Some(Ink::Strong), &format!("{}{shop}: {}", escape(kind), escape(message)));
            page.line(4, &format!("--allow {}", escape(allow)));
        }
    }
}

/// Bindings that cannot be made now.
pub(super) fn blocked<'a>(page: &mut Page<'_>, all: impl Iterator<Item = (&'a str, &'a Blocked)>) {
    let groups = group_by(all.map(|(shop, blocked)| {
        let Blocked { topic, destination, reason, any_of: _, message, source } = blocked;
        let note = Note { kind: reason, about: None, message, source: source.as_ref() };
        ((topic.as_str(), destination.as_str()), shop, note)
    }));
    if groups.is_empty() {
        return;
    }
    page.heading("Blocked, not part of the changes:");
    let groups: Vec<_> =
        groups.into_iter().map(|((topic, destination), group)| (format!("{topic} -> {destination}"), group)).collect();
    let labelled = groups
        .iter()
        .flat_map(|(label, group)| group.iter().map(move |(shop, note)| (*shop, Note { about: Some(label), ..*note })));
    write(page, Some(Ink::Strong), labelled);
}

/// Findings, the heavier ones first. Unmanaged subscriptions are always named, old endpoints always explained; other
/// information is counted unless asked for.
pub(super) fn findings<'a>(page: &mut Page<'_>, all: impl Iterator<Item = (&'a str, &'a Finding)>) {
    let mut attention = Vec::new();
    let mut warnings = Vec::new();
    let mut information = Vec::new();
    let mut unmanaged = Vec::new();
    let mut unsaid = 0;
    for (shop, finding) in all {
        match finding.severity {
            Severity::Attention => attention.push((shop, Note::finding(finding))),
            Severity::Warning => warnings.push((shop, Note::finding(finding))),
            Severity::Info if finding.kind == "unmanaged" => unmanaged.push((shop, finding)),
            Severity::Info if ALWAYS_SAID.contains(&finding.kind.as_str()) || page.style.verbose => {
                information.push((shop, Note::finding(finding)));
            }
            Severity::Info => unsaid += 1,
        }
    }
    for (heading, ink, notes) in [
        ("Needs attention:", Some(Ink::Strong), attention),
        ("Warnings:", None, warnings),
        ("To know:", None, information),
    ] {
        if !notes.is_empty() {
            page.heading(heading);
            write(page, ink, notes);
        }
    }
    if !unmanaged.is_empty() {
        page.gap();
        write_unmanaged(page, &unmanaged);
    }
    if unsaid > 0 {
        page.gap();
        let lists = if unsaid == 1 { "lists it" } else { "lists them" };
        page.line(0, &format!("{}; -v {lists}", shops::count(unsaid, "informational finding")));
    }
}

/// `unmanaged: orders/create -> https://… (2 shops: a, b)`
fn write_unmanaged(page: &mut Page<'_>, all: &[(&str, &Finding)]) {
    let groups = group_by(all.iter().map(|(shop, finding)| {
        let address = finding.details.get("address").and_then(serde_json::Value::as_str);
        let text = match (finding.topic.as_deref(), address) {
            (Some(topic), Some(address)) => format!("{topic} -> {address}"),
            _ => common(&finding.message, shop, false),
        };
        (text, *shop, ())
    }));
    let shown = if page.style.verbose { groups.len() } else { MAX_OF_A_KIND };
    for (text, group) in groups.iter().take(shown) {
        let names: BTreeSet<&str> = group.iter().map(|(shop, ())| *shop).collect();
        let names: Vec<&str> = names.into_iter().collect();
        page.line(0, &format!("unmanaged: {} ({})", escape(text), shops::title(&names, page.style)));
    }
    if groups.len() > shown {
        page.line(0, &format!("… and {} more unmanaged; -v lists them", shops::number(groups.len() - shown)));
    }
}
