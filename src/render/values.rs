//! Values, and how one became another: text in quotes, lists with what is added and removed.

use std::collections::BTreeSet;

use similar::{Algorithm, ChangeTag};

use super::page::Ink;
use super::{Style, escape};

/// In quotes, disarmed.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", escape(text).replace('"', "\\\""))
}

/// In quotes, or `none`.
pub(super) fn optional(text: Option<&str>) -> String {
    text.map_or_else(|| "none".to_owned(), quoted)
}

/// `[a, b]`
pub(super) fn bracketed(items: &[String]) -> String {
    format!("[{}]", items.iter().map(|item| escape(item)).collect::<Vec<_>>().join(", "))
}

/// `[a, -b, +c]`: what stays, what goes and what comes. The order of such a list means nothing.
pub(super) fn list_change(before: &[String], after: &[String], style: &Style) -> String {
    let (old, new): (BTreeSet<_>, BTreeSet<_>) = (before.iter().collect(), after.iter().collect());
    let kept = before.iter().map(|item| {
        if new.contains(item) {
            escape(item).into_owned()
        } else {
            style.paint(Ink::Removed, &format!("-{}", escape(item)))
        }
    });
    let come = after.iter().filter(|item| !old.contains(item));
    let come = come.map(|item| style.paint(Ink::Added, &format!("+{}", escape(item))));
    format!("[{}]", kept.chain(come).collect::<Vec<_>>().join(", "))
}

/// Both sides of a change, the words that differ in colour if there is any.
pub(super) fn text_change(before: Option<&str>, after: Option<&str>, style: &Style) -> (String, String) {
    let (before, after) = (optional(before), optional(after));
    if !style.color {
        return (before, after);
    }
    let (old, new) = (words(&before), words(&after));
    let (mut left, mut right) = (String::new(), String::new());
    for change in
        similar::capture_diff_slices(Algorithm::Myers, &old, &new).iter().flat_map(|op| op.iter_changes(&old, &new))
    {
        match change.tag() {
            ChangeTag::Equal => {
                left.push_str(change.value());
                right.push_str(change.value());
            }
            ChangeTag::Delete => left.push_str(&style.paint(Ink::Removed, change.value())),
            ChangeTag::Insert => right.push_str(&style.paint(Ink::Added, change.value())),
        }
    }
    (left, right)
}

/// Runs of letters and digits, and each other character alone: the words of an address or a filter, which have hardly
/// a space.
fn words(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut inside = false;
    for (at, c) in text.char_indices() {
        let word = c.is_alphanumeric() || c == '_';
        if at > start && !(inside && word) {
            out.push(&text[start..at]);
            start = at;
        }
        inside = word;
    }
    out.push(&text[start..]);
    out
}

/// An address beside its name: the 64 hex digits of an inlet with an ellipsis in the middle.
pub(super) fn short_address(address: &str) -> String {
    let hex = |word: &str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let short = |word: &str| if hex(word) { format!("{}…{}", &word[..8], &word[56..]) } else { word.to_owned() };
    escape(&words(address).into_iter().map(short).collect::<String>()).into_owned()
}

/// What a temporary name starts with; the digits of the holder's id follow.
const STEP: &str = "hookwright-step-";

/// A temporary name without the id that it is derived from, so that it is the same in all shops.
pub(super) fn step_name(name: &str) -> Option<&'static str> {
    name.strip_prefix(STEP).map(|_| "hookwright-step-<id>")
}
