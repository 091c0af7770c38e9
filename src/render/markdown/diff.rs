//! Prints changes as a `diff`, which GitHub and GitLab colour, and the deletes, which are always printed.

use std::collections::BTreeMap;

use super::super::Style;
use super::super::changes::{ByShop, Depth, Detail, Item, Value, items, removes_route};
use super::super::document::{Block, Kind, Section, unstyled};
use super::super::text::{handle, list, title as names_of, wrap};
use super::STYLE;
use super::budget::{Part, Piece};
use super::inline::{Fence, clip, fenced};
use crate::text::{plural, thousands};
use crate::wire::plan::{Action, Change};

/// The width at which lines of words are wrapped.
const WIDTH: usize = 100;
/// The maximum length of the list of deletes. A longer list is replaced by counts by topic and by shop.
const MAX_LINES: usize = 40;
const MAX_BYTES: usize = 8_000;
/// Budgets in bytes for the counts by topic and by shop.
const BY_TOPIC: usize = 6_000;
const BY_SHOP: usize = 16_000;

/// Returns a part that prints changes as a `diff`.
pub(super) fn diff<'a>(kind: Kind, depth: Depth, shops: &ByShop<'a>, style: &Style) -> Part<'a> {
    let mut pieces = Vec::new();
    for (names, items) in items(shops, depth, style.verbose) {
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

/// Returns `@@ 2 shops: alpha, beta @@`, which is coloured, too. Many names are on the lines below it.
fn title(names: &[&str], style: &Style) -> String {
    let text = fenced(&names_of(names, style));
    if names.len() < 2 || text.chars().count() <= WIDTH {
        return format!("@@ {text} @@\n");
    }
    let list = fenced(&list(names, style));
    let list = wrap(&list, WIDTH).join("\n   ");
    format!("@@ {} @@\n   {list}\n", plural(names.len(), "shop"))
}

/// Returns the lines of an item. The symbol is in the first column, where GitHub colours it. The symbol of an update is `!`,
/// because `~` has no colour.
fn lines(item: &Item, kind: Kind) -> String {
    let Item { action, head, fields, changes: _ } = item;
    // A drift report shows the live subscriptions: what must be created is missing.
    let symbol = match (action, kind) {
        (Action::Update, _) => '!',
        (Action::Create, Kind::Drift) | (Action::Delete, Kind::Plan | Kind::Apply) => '-',
        (Action::Delete, Kind::Drift) | (Action::Create, Kind::Plan | Kind::Apply) => '+',
    };
    // A long list of topics is wrapped; addresses are not.
    let topics = wrap(&fenced(&head.topics.join(", ")), WIDTH).join(&format!("\n{symbol}     "));
    let mut out = format!("{symbol} {topics}{}\n", fenced(&unstyled(&head.rest(kind.rest()))));
    for field in fields {
        let note = field.note(kind.rest());
        let Detail { label, value, .. } = field;
        match value {
            Value::Is(value) => out.extend(["      ", label, ": ", &fenced(&unstyled(value)), &note, "\n"]),
            Value::Becomes { before, after, .. } => {
                let (before, after) = (fenced(&before.text()), fenced(&after.text()));
                out.extend(["-     ", label, ": ", &before, "\n+     ", label, ": ", &after, &note, "\n"]);
            }
        }
    }
    out
}

/// Returns the changes that `wanted` accepts, and only the shops that have any.
pub(super) fn only<'a>(shops: &ByShop<'a>, wanted: impl Fn(&Change) -> bool) -> ByShop<'a> {
    let kept = shops.iter().map(|(shop, changes)| (*shop, changes.iter().copied().filter(|c| wanted(c)).collect()));
    kept.filter(|(_, changes): &(_, Vec<_>)| !changes.is_empty()).collect()
}

/// Returns the number of changes with an action.
pub(super) fn number_of(shops: &ByShop<'_>, action: Action) -> usize {
    shops.iter().flat_map(|(_, changes)| changes).filter(|c| c.action == action).count()
}

/// Returns all deletes of a plan, or all that a run applied. The length is bounded; at least their number is printed.
pub(super) fn deletes(kind: Kind, sections: &[Section<'_>]) -> String {
    let sections: Vec<(&str, ByShop<'_>)> = sections
        .iter()
        .filter_map(|section| match &section.block {
            Block::Planned(Some(_), shops) => Some((section.title.as_str(), shops)),
            Block::Planned(None, shops) | Block::Applied(shops) => Some(("", shops)),
            _ => None,
        })
        .map(|(label, shops)| (label, only(shops, removes_route)))
        .filter(|(_, shops)| !shops.is_empty())
        .collect();
    let count = |action| sections.iter().map(|(_, shops)| number_of(shops, action)).sum::<usize>();
    let deletes = |n: usize| match kind {
        Kind::Apply => format!("{} applied", plural(n, "delete")),
        Kind::Plan | Kind::Drift => plural(n, "delete"),
    };
    let repurposed = |n: usize| match n {
        1 => "1 update that counts as a delete (repurposed)".to_owned(),
        n => format!("{} that count as deletes (repurposed)", plural(n, "update")),
    };
    let heading = match (count(Action::Delete), count(Action::Update)) {
        (0, 0) => return String::new(),
        (n, 0) => deletes(n),
        (0, n) => repurposed(n),
        (n, also) => format!("{} and {}", deletes(n), repurposed(also)),
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

/// Returns the number of occurrences of each name, the highest first.
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
    let counts = counted(all.iter().map(|(_, change)| &*change.topic));
    let pieces = counts.into_iter().map(|(topic, n)| Piece {
        title: None,
        text: format!("{:>9}  {}\n", thousands(n), fenced(&clip(topic))),
        shops: vec![],
        things: n,
    });
    in_fence("text", pieces.collect(), "delete", kind)
}

/// Returns the number of deletes of each shop. Shops with the same number share lines.
fn by_shop<'a>(kind: Kind, all: &[(&'a str, &Change)]) -> Part<'a> {
    let mut pieces: Vec<Piece<'a>> = Vec::new();
    let mut last = 0;
    for (shop, n) in counted(all.iter().map(|(shop, _)| *shop)) {
        let name = fenced(&clip(handle(shop)));
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
    let fold = Some(format!("Deletes by shop: {}", plural(names, "shop")));
    Part { fold, ..in_fence("text", pieces, "delete", kind) }
}
