//! Messages about shops: findings, blocked bindings, shops that were not read. Equal messages of several shops are one point.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use super::changes::places;
use super::document::{Block, Point, Section, Weight};
use super::group::group_by;
use super::text::handle;
use crate::plan::{OLD_ENDPOINT_HOURS, RETRIES};
use crate::wire::plan::{Blocked, Finding, FindingKind, Severity, ShopError, Source};

/// Kinds of information that are listed without `-v`.
const ALWAYS_LISTED: [FindingKind; 5] = [
    FindingKind::OldEndpoint,
    FindingKind::NeverMade,
    FindingKind::RemovedByApply,
    FindingKind::NameKept,
    FindingKind::MetafieldsUnnamed,
];

/// The heading of information.
pub(super) const NOTES: &str = "Notes";

/// A message about a shop.
#[derive(Clone)]
pub(super) struct Note<'a> {
    pub(super) shop: &'a str,
    pub(super) kind: &'a str,
    pub(super) about: Option<Cow<'a, str>>,
    pub(super) message: &'a str,
    pub(super) source: Option<&'a Source>,
    /// IDs of subscriptions that the message may contain.
    pub(super) ids: Vec<&'a str>,
    /// Times that the message may contain.
    pub(super) times: Vec<&'a str>,
}

impl<'a> Note<'a> {
    pub(super) fn new(shop: &'a str, kind: &'a str, message: &'a str) -> Self {
        Self { shop, kind, about: None, message, source: None, ids: Vec::new(), times: Vec::new() }
    }

    pub(super) fn error(shop: &'a str, error: &'a ShopError) -> Self {
        let ShopError { kind, http_status: _, message, retryable: _ } = error;
        Self::new(shop, kind.as_str(), message)
    }

    fn finding(shop: &'a str, finding: &'a Finding) -> Self {
        let Finding { kind, severity: _, topic, id, message, details } = finding;
        let times = ["until", "last_known", "known_since"].into_iter().filter_map(|key| details.get(key)?.as_str());
        Self {
            about: topic.as_deref().map(Cow::Borrowed),
            ids: id.as_deref().into_iter().collect(),
            times: times.filter(|time| message.contains(time)).collect(),
            ..Self::new(shop, kind.as_str(), message)
        }
    }

    /// Returns the message with placeholders for the values that are specific to a shop.
    fn pattern(&self, with_shop: bool) -> String {
        let mut text = self.message.to_owned();
        if with_shop {
            text = replace(&text, self.shop, "<shop>");
            text = replace(&text, &format!("--shop {}", handle(self.shop)), "--shop <shop>");
        }
        for id in &self.ids {
            let kind = id.rsplit_once('/').map_or("", |(kind, _)| kind);
            text = replace(&text, id, &format!("{kind}/<id>"));
        }
        self.times.iter().fold(text, |text, time| replace(&text, time, TIME))
    }
}

const TIME: &str = "<time>";

/// Replaces a value, except where it is the start of a longer one.
fn replace(text: &str, value: &str, placeholder: &str) -> String {
    let mut parts = text.split(value);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let longer = part.starts_with(|c: char| c.is_alphanumeric() || c == '-');
        out.push_str(if longer || value.is_empty() { value } else { placeholder });
        out.push_str(part);
    }
    out
}

/// Messages that differ only in shops, IDs and times.
pub(super) struct Same<'a, T> {
    pub(super) kind: &'a str,
    about: Option<Cow<'a, str>>,
    pub(super) message: String,
    sources: Vec<&'a Source>,
    pub(super) members: Vec<(&'a str, T)>,
}

/// Groups messages, in the order of first appearance. Only values that are known from `details` are replaced, so a group
/// contains no message with another meaning.
pub(super) fn same<'a, T>(notes: impl IntoIterator<Item = (Note<'a>, T)>) -> Vec<Same<'a, T>> {
    let equal = group_by(notes.into_iter().map(|(note, member)| {
        let key = (note.kind, note.about.clone(), note.message);
        (key, note.shop, (note, member))
    }));
    let alike = group_by(equal.into_iter().filter_map(|((kind, about, _), members)| {
        let (shop, (first, _)) = members.first()?;
        // In a message that several shops share, a shop name is not specific to the shop.
        let pattern = first.pattern(members.iter().all(|(other, _)| other == shop));
        Some(((kind, about, pattern), "", members))
    }));
    let groups = alike.into_iter().map(|((kind, about, pattern), variants)| {
        let all: Vec<(&str, (Note<'a>, T))> = variants.into_iter().flat_map(|(_, members)| members).collect();
        let notes = || all.iter().map(|(_, (note, _))| note);
        let message = match notes().next() {
            Some(first) if notes().all(|note| note.message == first.message) => first.message.to_owned(),
            Some(first) => {
                let times: BTreeSet<&str> = notes().flat_map(|note| note.times.iter().copied()).collect();
                // The latest time holds for all of these shops.
                let several = if times.len() > 1 { " (the times of the shops differ, this is the latest)" } else { "" };
                let one_shop = notes().all(|note| note.shop == first.shop);
                let pattern = if one_shop { first.pattern(false) } else { pattern };
                times.last().map_or_else(|| pattern.clone(), |last| pattern.replace(TIME, &format!("{last}{several}")))
            }
            None => pattern,
        };
        let sources = notes().filter_map(|note| note.source).collect();
        let members = all.into_iter().map(|(shop, (_, member))| (shop, member)).collect();
        Same { kind, about, message, sources, members }
    });
    groups.collect()
}

/// Returns one point for each group of messages. Points of one kind are adjacent.
pub(super) fn points<'a>(notes: impl IntoIterator<Item = Note<'a>>) -> Vec<Point<'a>> {
    let groups = same(notes.into_iter().map(|note| (note, ())));
    let kinds = group_by(groups.into_iter().map(|group| (group.kind, "", group)));
    let all = kinds.into_iter().flat_map(|(_, groups)| groups);
    let point = |(_, Same { kind, about, message, sources, members }): (&str, Same<'a, ()>)| Point::Note {
        kind: kind.to_owned(),
        about: about.map(Cow::into_owned),
        place: places(sources.into_iter()),
        message,
        members: members.len(),
        shops: distinct(members),
    };
    all.map(point).collect()
}

/// Returns the shops, sorted.
fn distinct<'a, T>(members: impl IntoIterator<Item = (&'a str, T)>) -> Vec<&'a str> {
    members.into_iter().map(|(shop, _)| shop).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Returns the section of bindings that cannot be created or updated now: `orders/create -> commerce`.
pub(super) fn blocked<'a>(all: impl Iterator<Item = (&'a str, &'a Blocked)>) -> Option<Section<'a>> {
    let labelled = group_by(all.map(|(shop, blocked)| {
        let Blocked { topic, destination, reason, message, source, .. } = blocked;
        let note = Note { source: source.as_ref(), ..Note::new(shop, reason.as_str(), message) };
        ((topic, destination), shop, note)
    }));
    let notes = labelled.into_iter().flat_map(|((topic, destination), notes)| {
        let about = format!("{topic} -> {destination}");
        notes.into_iter().map(move |(_, note)| Note { about: Some(about.clone().into()), ..note })
    });
    Some(Section::list(Weight::Blocked, "Blocked", points(notes))?.strong())
}

/// Returns the sections of findings. Unmanaged subscriptions are always listed. Information that is not in `ALWAYS_LISTED` is
/// counted, unless `list_all` is set. `information` is the weight of the section of information.
pub(super) fn findings<'a>(
    all: impl Iterator<Item = (&'a str, &'a Finding)>,
    list_all: bool,
    information: Weight,
) -> Vec<Section<'a>> {
    let (mut attention, mut warnings, mut infos, mut unmanaged) = (vec![], vec![], vec![], vec![]);
    let mut unlisted = 0;
    for (shop, finding) in all {
        let note = || Note::finding(shop, finding);
        match finding.severity {
            Severity::Attention => attention.push(note()),
            Severity::Warning => warnings.push(note()),
            Severity::Info if finding.kind == FindingKind::Unmanaged => unmanaged.push((shop, finding)),
            Severity::Info if list_all || ALWAYS_LISTED.contains(&finding.kind) => infos.push(note()),
            Severity::Info => unlisted += 1,
        }
    }
    let more = (unlisted > 0).then(|| Section::new(Weight::More, "", Block::Unlisted(unlisted)));
    [
        Section::list(Weight::Attention, "Needs attention", points(attention)).map(Section::strong),
        Section::list(Weight::Minor, "Warnings", points(warnings)),
        Section::list(information, NOTES, points(infos)),
        Section::list(Weight::Minor, "", unmanaged_points(&unmanaged)),
        more,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Returns the section of old endpoints that must stay available after the changes of addresses.
pub(super) fn old_endpoints<'a>(all: impl Iterator<Item = (&'a str, &'a Finding)>) -> Option<Section<'a>> {
    let notes = all.filter(|(_, finding)| finding.kind == FindingKind::OldEndpoint);
    Section::list(Weight::Endpoints, "Old endpoints", points(notes.map(|(shop, finding)| Note::finding(shop, finding))))
}

fn unmanaged_points<'a>(all: &[(&'a str, &'a Finding)]) -> Vec<Point<'a>> {
    let groups = group_by(all.iter().map(|(shop, finding)| {
        let address = finding.details.get("address").and_then(Value::as_str);
        let what = match (finding.topic.as_deref(), address) {
            (Some(topic), Some(address)) => format!("{topic} -> {address}"),
            _ => Note::finding(shop, finding).pattern(true),
        };
        (what, *shop, ())
    }));
    let point =
        |(what, members): (String, Vec<_>)| Point::Unmanaged { what, members: members.len(), shops: distinct(members) };
    groups.into_iter().map(point).collect()
}

/// Returns possible causes of a removal outside Hookwright, the most likely first, and where to investigate.
pub(super) fn removals<'a>() -> Section<'a> {
    let lines = [
        format!(
            "The endpoint kept failing: Shopify deletes a subscription after {RETRIES} failed retries in \
             {OLD_ENDPOINT_HOURS} hours. Older documentation, including Adobe's, says 19 retries in 48 hours."
        ),
        "The signature was missing or invalid: an Adobe endpoint that checks signatures (HMAC) rejects such a request, and Shopify \
         counts the rejection as a failure. Compare the keys of the endpoint with the app's client secret; `hookwright auth rotation` \
         lists the steps of a rotation."
            .to_owned(),
        "Other code of the same app deleted the subscription.".to_owned(),
        "The app was uninstalled and reinstalled.".to_owned(),
    ];
    let points = lines.map(Point::Words).into();
    let remark =
        "to find the cause, open the Dev Dashboard: it shows the app's deliveries of the last 30 days".to_owned();
    let section = Section::new(Weight::Removals, "Likely causes of a removal", Block::Points(points));
    Section { remark: Some(remark), ..section }
}
