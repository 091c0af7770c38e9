//! Changes as a `diff`, which GitHub and GitLab colour; and what must be said about deletes, however many they are.

use std::collections::BTreeMap;

use super::super::change::{self, Depth, Item, items};
use super::super::fields::{Detail, Value};
use super::super::page::wrap;
use super::super::plan::ByShop;
use super::super::{Style, escape, shops};
use super::budget::{Part, Piece};
use super::inline::{Fence, clip, code, fenced};
use super::notes::{list, point};
use super::{Kind, STYLE};
use crate::text::{plural, thousands};
use crate::wire::plan::{Action, Change, Reason};

/// Longer lines of words are wrapped.
const WIDTH: usize = 100;
/// So many lines of deletes are listed; more are counted, by topic and by shop.
const MAX_LINES: usize = 40;
const MAX_BYTES: usize = 8_000;
/// Room for the counts by topic, and for those by shop.
const BY_TOPIC: usize = 6_000;
const BY_SHOP: usize = 16_000;

/// A part that shows changes as a `diff`.
pub(super) fn diff<'a>(kind: Kind, depth: Depth, shops: &ByShop<'a>, style: &Style) -> Part<'a> {
    let mut pieces = Vec::new();
    for (names, items) in items(shops, depth, style) {
        let title = title(&names, style);
        pieces.extend(items.into_iter().map(|item| Piece {
            title: Some(title.clone()),
            text: lines(&item, kind),
            shops: names.clone(),
            things: item.changes,
        }));
    }
    in_fence("diff", pieces, "change", kind)
}

fn in_fence<'a>(language: &str, pieces: Vec<Piece<'a>>, thing: &'static str, kind: Kind) -> Part<'a> {
    let titles = pieces.iter().filter_map(|piece| piece.title.as_deref());
    let fence = Fence::around(titles.chain(pieces.iter().map(|piece| piece.text.as_str())));
    let open = format!("\n{}", fence.open(language));
    Part { fold: None, open, pieces, close: fence.close(), thing, rest: kind.rest(), lines: usize::MAX }
}

/// `@@ 2 shops: alpha, beta @@`, which is coloured, too; the names below it where they are many.
fn title(names: &[&str], style: &Style) -> String {
    let text = fenced(&shops::title(names, style));
    if names.len() < 2 || text.chars().count() <= WIDTH {
        return format!("@@ {text} @@\n");
    }
    let list = fenced(&shops::list(names, style));
    let list = wrap(&list, WIDTH).join("\n   ");
    format!("@@ {} @@\n   {list}\n", plural(names.len(), "shop"))
}

/// The symbol in the first column, where it is coloured; an update is `!`, since `~` is not.
fn lines(item: &Item, kind: Kind) -> String {
    let Item { action, head, details, changes: _ } = item;
    let symbol = match action {
        Action::Create => '+',
        Action::Update => '!',
        Action::Delete => '-',
    };
    // A long list of topics goes over several lines; addresses stay whole.
    let topics = wrap(&fenced(&head.topics.join(", ")), WIDTH).join(&format!("\n{symbol}     "));
    let mut out = format!("{symbol} {topics}{}\n", fenced(&head.rest(&STYLE, kind.rest())));
    for detail in details {
        let note = detail.note(kind.rest());
        let Detail { label, value, .. } = detail;
        match value {
            Value::Is(value) => out.extend(["      ", label, ": ", &fenced(value), &note, "\n"]),
            Value::Becomes { before, after, .. } => {
                let (before, after) = (fenced(before), fenced(after));
                out.extend(["-     ", label, ": ", &before, "\n+     ", label, ": ", &after, &note, "\n"]);
            }
        }
    }
    out
}

/// Room for what the names of destinations stand for.
const LABELS: usize = 6_000;

/// What the names of destinations in these changes stand for; bounded.
pub(super) fn labels<'a>(kind: Kind, changes: impl IntoIterator<Item = &'a Change>) -> String {
    let mut pieces = Vec::new();
    for (name, addresses) in change::labels(changes) {
        let shown = addresses.iter().take(change::MAX_ADDRESSES);
        let mut texts: Vec<String> = shown.map(|(address, _)| code(address)).collect();
        if addresses.len() > texts.len() {
            texts.push(format!("… and {} more", thousands(addresses.len() - texts.len())));
        }
        pieces.push(Piece { things: 1, ..point(&format!("{}: {}", code(name), texts.join(", ")), Vec::new()) });
    }
    if pieces.is_empty() {
        String::new()
    } else {
        list(kind, "Destinations of these changes", "name", pieces).fit(LABELS)
    }
}

/// Whether a change takes a route away: a delete, or an update that is as good as one.
pub(super) fn takes_away(change: &Change) -> bool {
    change.action == Action::Delete || change.reason == Reason::Repurposed
}

/// The changes that are wanted, with the shops that have some.
pub(super) fn only<'a>(shops: &ByShop<'a>, wanted: impl Fn(&Change) -> bool) -> ByShop<'a> {
    let kept = shops.iter().map(|(shop, changes)| (*shop, changes.iter().copied().filter(|c| wanted(c)).collect()));
    kept.filter(|(_, changes): &(_, Vec<_>)| !changes.is_empty()).collect()
}

/// How many of them do this.
pub(super) fn number_of(shops: &ByShop<'_>, action: Action) -> usize {
    shops.iter().flat_map(|(_, changes)| changes).filter(|c| c.action == action).count()
}

/// All deletes of some sections, each with what it is called; bounded, and never less than their numbers.
pub(super) fn deletes(kind: Kind, words: [&str; 2], sections: &[(&'static str, ByShop<'_>)]) -> String {
    let sections: Vec<(&str, ByShop<'_>)> = sections
        .iter()
        .map(|(label, shops)| (*label, only(shops, takes_away)))
        .filter(|(_, s)| !s.is_empty())
        .collect();
    let count = |action| sections.iter().map(|(_, shops)| number_of(shops, action)).sum::<usize>();
    let [one, many] = words;
    let thing = |n: usize| format!("{} {}", thousands(n), if n == 1 { one } else { many });
    let as_good = |n: usize| format!("{} as good as a delete (repurposed)", plural(n, "update"));
    let heading = match (count(Action::Delete), count(Action::Update)) {
        (0, 0) => return String::new(),
        (n, 0) => thing(n),
        (0, n) => as_good(n),
        (n, also) => format!("{}, and {}", thing(n), as_good(also)),
    };
    let heading = format!("\n### {heading}\n");
    let mut list = heading.clone();
    for (label, shops) in &sections {
        if !label.is_empty() {
            list.extend(["\n", label, ":\n"]);
        }
        list.push_str(&diff(kind, Depth::Brief, shops, &STYLE).fit(usize::MAX));
    }
    if list.len() <= MAX_BYTES && list.lines().count() <= MAX_LINES {
        return list;
    }
    let all: Vec<(&str, &Change)> = sections
        .iter()
        .flat_map(|(_, shops)| shops.iter().flat_map(|(shop, changes)| changes.iter().map(|c| (*shop, *c))))
        .collect();
    format!("{heading}{}{}", by_topic(kind, &all).fit(BY_TOPIC), by_shop(kind, &all).fit(BY_SHOP))
}

/// Counts, the highest first.
fn counted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<(&'a str, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    counts
}

fn by_topic<'a>(kind: Kind, all: &[(&'a str, &Change)]) -> Part<'a> {
    let counts = counted(all.iter().map(|(_, change)| change.topic.as_str()));
    let pieces = counts.into_iter().map(|(topic, n)| Piece {
        title: None,
        text: format!("{:>9}  {}\n", thousands(n), fenced(&escape(&clip(topic)))),
        shops: vec![],
        things: n,
    });
    in_fence("text", pieces.collect(), "delete", kind)
}

/// Shops that have as many stand together.
fn by_shop<'a>(kind: Kind, all: &[(&'a str, &Change)]) -> Part<'a> {
    let mut pieces: Vec<Piece<'a>> = Vec::new();
    let mut last = 0;
    for (shop, n) in counted(all.iter().map(|(shop, _)| *shop)) {
        let name = fenced(&escape(&clip(shops::handle(shop))));
        match pieces.last_mut() {
            Some(piece) if n == last && piece.text.len() + name.len() < WIDTH => {
                piece.text.truncate(piece.text.trim_end().len());
                piece.text.extend([", ", &name, "\n"]);
                piece.shops.push(shop);
                piece.things += n;
            }
            _ => pieces.push(Piece {
                title: Some(format!("{} in each of:\n", thousands(n))),
                text: format!("    {name}\n"),
                shops: vec![shop],
                things: n,
            }),
        }
        last = n;
    }
    let names = pieces.iter().map(|piece| piece.shops.len()).sum();
    let fold = Some(format!("The same by shop: {}", plural(names, "shop")));
    Part { fold, ..in_fence("text", pieces, "delete", kind) }
}
