//! What is said besides the changes and the hazards: findings, blocked bindings, shops that were not read. The same message
//! over many shops stands once.

use std::collections::BTreeSet;

use super::change::places;
use super::group::group_by;
use super::page::{Ink, Page};
use super::{escape, removal, shops};
use crate::text::{plural, thousands};
use crate::wire::plan::{Blocked, Finding, FindingKind, Severity, ShopError, Source};

/// So many notes of a kind are listed; the rest is counted.
pub(super) const MAX_OF_A_KIND: usize = 10;

/// Information that is listed without being asked for.
const ALWAYS_SAID: [FindingKind; 5] = [
    FindingKind::OldEndpoint,
    FindingKind::NeverMade,
    FindingKind::RemovedByApply,
    FindingKind::NameKept,
    FindingKind::MetafieldsUnnamed,
];

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

/// What one note says, for all shops that it is said of. Every text is disarmed.
pub(super) struct Said<'a> {
    pub(super) about: Option<String>,
    pub(super) place: Option<String>,
    pub(super) message: String,
    /// Sorted.
    pub(super) shops: Vec<&'a str>,
}

/// Notes, grouped by kind and then by what they say.
pub(super) fn said<'a, 'n>(notes: impl IntoIterator<Item = (&'a str, Note<'n>)>) -> Vec<(String, Vec<Said<'a>>)> {
    let same =
        group_by(notes.into_iter().map(|(shop, note)| {
            ((note.kind, note.about, common(note.message, shop, with_times(note.kind))), shop, note)
        }));
    let kinds = group_by(same.into_iter().map(|((kind, about, _), group)| {
        let shops: BTreeSet<&str> = group.iter().map(|(shop, _)| *shop).collect();
        let messages: Vec<(&str, &str)> = group.iter().map(|(shop, note)| (*shop, note.message)).collect();
        let message = escape(&shared(&messages, with_times(kind))).into_owned();
        let said = Said {
            about: about.map(|about| escape(about).into_owned()),
            place: places(group.iter().filter_map(|(_, note)| note.source)),
            message,
            shops: shops.into_iter().collect(),
        };
        (kind, "", said)
    }));
    let without_key = |all: Vec<(&str, Said<'a>)>| all.into_iter().map(|(_, said)| said).collect();
    kinds.into_iter().map(|(kind, all)| (escape(kind).into_owned(), without_key(all))).collect()
}

/// Writes notes, grouped by what they say.
pub(super) fn write<'a>(page: &mut Page<'_>, ink: Option<Ink>, notes: impl IntoIterator<Item = (&'a str, Note<'a>)>) {
    for (kind, all) in said(notes) {
        let shown = if page.style.verbose { all.len() } else { MAX_OF_A_KIND };
        for Said { about, place, message, shops } in all.iter().take(shown) {
            let about = about.as_ref().map_or_else(String::new, |about| format!(" {about}"));
            let place = place.as_ref().map_or_else(String::new, |place| format!(" ({place})"));
            page.point(ink, &format!("{kind}{about}{place}: {message}"));
            page.prose(4, &shops::title(shops, page.style));
        }
        if all.len() > shown {
            page.line(2, &format!("… and {} more of {kind}; -v lists them", thousands(all.len() - shown)));
        }
    }
}

/// What notes that differ in their shops, ids or times have to say: as it stands, if they are of one shop and alike.
pub(super) fn shared(messages: &[(&str, &str)], times: bool) -> String {
    let Some((shop, first)) = messages.first() else { return String::new() };
    let one_shop = messages.iter().all(|(other, _)| other == shop);
    if one_shop && messages.iter().all(|(_, message)| message == first) {
        return (*first).to_owned();
    }
    let text = common(first, if one_shop { "" } else { shop }, times);
    with_latest_time(&text, messages.iter().map(|(_, message)| *message))
}

/// The message without what tells one shop from another: the shop (unless it is empty), an id and, if asked, a time.
pub(super) fn common(message: &str, shop: &str, times: bool) -> String {
    let mut after_shop = false;
    let words = if shop.is_empty() { message.to_owned() } else { message.replace(shop, "<shop>") };
    let words = words.split(' ').map(|word| {
        let word = if std::mem::replace(&mut after_shop, word.ends_with("--shop")) && !shop.is_empty() {
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

/// Bindings that cannot be made now, by topic and destination: `orders/create -> commerce`.
pub(super) fn labelled<'a>(
    all: impl Iterator<Item = (&'a str, &'a Blocked)>,
) -> Vec<(String, Vec<(&'a str, Note<'a>)>)> {
    let groups = group_by(all.map(|(shop, blocked)| {
        let Blocked { topic, destination, reason, any_of: _, message, source } = blocked;
        let note = Note { kind: reason, about: None, message, source: source.as_ref() };
        ((topic.as_str(), destination.as_str()), shop, note)
    }));
    groups.into_iter().map(|((topic, destination), group)| (format!("{topic} -> {destination}"), group)).collect()
}

/// What is blocked, as notes that are about the labels.
pub(super) fn about_labels<'a: 'l, 'l>(
    groups: &'l [(String, Vec<(&'a str, Note<'a>)>)],
) -> impl Iterator<Item = (&'a str, Note<'l>)> {
    groups
        .iter()
        .flat_map(|(label, group)| group.iter().map(move |(shop, note)| (*shop, Note { about: Some(label), ..*note })))
}

/// Bindings that cannot be made now.
pub(super) fn blocked<'a>(page: &mut Page<'_>, all: impl Iterator<Item = (&'a str, &'a Blocked)>) {
    let groups = labelled(all);
    if groups.is_empty() {
        return;
    }
    page.heading("Blocked, not part of the changes:");
    write(page, Some(Ink::Strong), about_labels(&groups));
}

/// Findings by how they are said.
#[derive(Default)]
pub(super) struct Findings<'a> {
    pub(super) attention: Vec<(&'a str, Note<'a>)>,
    pub(super) warnings: Vec<(&'a str, Note<'a>)>,
    pub(super) information: Vec<(&'a str, Note<'a>)>,
    pub(super) unmanaged: Vec<(&'a str, &'a Finding)>,
    /// Information that is counted and not listed.
    pub(super) unsaid: usize,
}

/// Sorts findings. Unmanaged subscriptions are always named, old endpoints always explained; other information is
/// counted unless all is asked for.
pub(super) fn sort<'a>(all: impl Iterator<Item = (&'a str, &'a Finding)>, verbose: bool) -> Findings<'a> {
    let mut out = Findings::default();
    for (shop, finding) in all {
        match finding.severity {
            Severity::Attention => out.attention.push((shop, Note::finding(finding))),
            Severity::Warning => out.warnings.push((shop, Note::finding(finding))),
            Severity::Info if finding.kind == FindingKind::Unmanaged => out.unmanaged.push((shop, finding)),
            Severity::Info if ALWAYS_SAID.contains(&finding.kind) || verbose => {
                out.information.push((shop, Note::finding(finding)));
            }
            Severity::Info => out.unsaid += 1,
        }
    }
    out
}

/// Findings, the heavier ones first.
pub(super) fn findings<'a>(page: &mut Page<'_>, all: impl Iterator<Item = (&'a str, &'a Finding)>) {
    let all: Vec<_> = all.collect();
    let removed = removal::is_reported(all.iter().map(|(_, finding)| *finding));
    let Findings { attention, warnings, information, unmanaged, unsaid } = sort(all.into_iter(), page.style.verbose);
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
    if removed {
        page.heading(&format!("{}:", removal::HEADING));
        for line in removal::lines() {
            page.point(None, &line);
        }
    }
    if !unmanaged.is_empty() {
        page.gap();
        write_unmanaged(page, &unmanaged);
    }
    if unsaid > 0 {
        page.gap();
        let lists = if unsaid == 1 { "lists it" } else { "lists them" };
        page.line(0, &format!("{}; -v {lists}", plural(unsaid, "informational finding")));
    }
}

/// `orders/create -> https://…`, and the shops that have it, sorted. Disarmed.
pub(super) fn unmanaged<'a>(all: &[(&'a str, &Finding)]) -> Vec<(String, Vec<&'a str>)> {
    let groups = group_by(all.iter().map(|(shop, finding)| {
        let address = finding.details.get("address").and_then(serde_json::Value::as_str);
        let text = match (finding.topic.as_deref(), address) {
            (Some(topic), Some(address)) => format!("{topic} -> {address}"),
            _ => common(&finding.message, shop, false),
        };
        (text, *shop, ())
    }));
    let shops = |group: Vec<(&'a str, ())>| group.into_iter().map(|(shop, ())| shop).collect::<BTreeSet<_>>();
    let groups = groups.into_iter().map(|(text, group)| (text, shops(group)));
    groups.map(|(text, shops)| (escape(&text).into_owned(), shops.into_iter().collect())).collect()
}

/// `unmanaged: orders/create -> https://… (2 shops: a, b)`
fn write_unmanaged(page: &mut Page<'_>, all: &[(&str, &Finding)]) {
    let groups = unmanaged(all);
    let shown = if page.style.verbose { groups.len() } else { MAX_OF_A_KIND };
    for (text, shops) in groups.iter().take(shown) {
        page.line(0, &format!("unmanaged: {text} ({})", shops::title(shops, page.style)));
    }
    if groups.len() > shown {
        page.line(0, &format!("… and {} more unmanaged; -v lists them", thousands(groups.len() - shown)));
    }
}
