//! Divides the length of a comment among its parts. A part that is cut ends with a remark on the number of items left out.

use crate::text::plural;
use std::collections::BTreeSet;

/// The maximum length in bytes. GitHub accepts 65,536 characters; a text has at least as many bytes as characters.
pub(super) const LIMIT: usize = 65_000;

/// The maximum length in bytes of the remark on the items left out.
const NOTE: usize = 160;

/// Lines that are not separated.
pub(super) struct Piece<'a> {
    /// The heading of several pieces, printed before the first of them.
    pub(super) title: Option<String>,
    pub(super) text: String,
    /// The shops of the piece.
    pub(super) shops: Vec<&'a str>,
    /// The number of things in the piece.
    pub(super) things: usize,
}

/// A part that may be cut between its pieces.
pub(super) struct Part<'a> {
    /// The summary of the fold, if the part is folded. It contains no text of others.
    pub(super) fold: Option<String>,
    /// The text before the pieces. It contains no text of others, unless escaped.
    pub(super) open: String,
    pub(super) pieces: Vec<Piece<'a>>,
    /// The text after the pieces.
    pub(super) close: String,
    /// The noun for the things: `change`.
    pub(super) thing: &'static str,
    /// The reference to the complete output: `see the plan file`.
    pub(super) rest: &'static str,
    /// The maximum number of lines over all pieces.
    pub(super) lines: usize,
}

impl Part<'_> {
    /// Returns the pieces that fit the budget, and the remark on those left out.
    pub(super) fn fit(&self, budget: usize) -> String {
        match self.fill(budget) {
            (whole, 0) => whole,
            _ => self.fill(budget.saturating_sub(NOTE)).0,
        }
    }

    /// Fills the budget. Returns the text and the number of pieces left out. The remark on them is not part of the budget.
    fn fill(&self, budget: usize) -> (String, usize) {
        let Self { fold, open, pieces, close, thing, rest, lines } = self;
        let (before, after) = match fold {
            Some(summary) => {
                (format!("\n<details><summary>{summary}</summary>\n{open}"), format!("{close}\n</details>\n"))
            }
            None => (open.clone(), close.clone()),
        };
        let mut left = (budget.saturating_sub(before.len() + after.len()), *lines);
        let mut body = String::new();
        let mut title: Option<&str> = None;
        let mut out: Vec<&Piece<'_>> = Vec::new();
        for piece in pieces {
            let heading = piece.title.as_deref().filter(|own| title != Some(*own));
            let text = format!("{}{}", heading.unwrap_or_default(), piece.text);
            let tall = text.lines().count();
            if text.len() > left.0 || tall > left.1 {
                out.push(piece);
                continue;
            }
            left = (left.0 - text.len(), left.1 - tall);
            title = piece.title.as_deref();
            body.push_str(&text);
        }
        let note = if out.is_empty() { String::new() } else { format!("\n{}\n", note(&out, thing, rest)) };
        // The remark is after the fence and before the end of the fold.
        let (fence, end) = after.split_at(close.len());
        (format!("{before}{body}{fence}{note}{end}"), out.len())
    }
}

/// Returns `… and 312 more changes in 12 shops; see the plan file`.
fn note(out: &[&Piece<'_>], thing: &str, rest: &str) -> String {
    let things: usize = out.iter().map(|piece| piece.things).sum();
    let names: BTreeSet<&str> = out.iter().flat_map(|piece| piece.shops.iter().copied()).collect();
    let shops = if names.is_empty() { String::new() } else { format!(" in {}", plural(names.len(), "shop")) };
    format!("… and {}{shops}; {rest}", plural(things, &format!("more {thing}")))
}

/// Returns the texts of the parts within the budget: small parts are complete, large ones get equal shares of the rest.
pub(super) fn divide(parts: &[Part<'_>], mut budget: usize) -> Vec<String> {
    let mut order: Vec<(usize, usize)> =
        parts.iter().enumerate().map(|(i, part)| (part.fit(usize::MAX).len(), i)).collect();
    order.sort_unstable();
    let mut out = vec![String::new(); parts.len()];
    for (done, (_, i)) in order.iter().enumerate() {
        let text = parts[*i].fit(budget / (order.len() - done));
        budget = budget.saturating_sub(text.len());
        out[*i] = text;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(pieces: usize, size: usize) -> Part<'static> {
        let piece = |i: usize| Piece {
            title: Some("@@ a @@\n".to_owned()),
            text: format!("{i:0>size$}\n"),
            shops: vec!["a"],
            things: 2,
        };
        Part {
            fold: None,
            open: "<\n".into(),
            pieces: (0..pieces).map(piece).collect(),
            close: ">\n".into(),
            thing: "change",
            rest: "see the plan file",
            lines: usize::MAX,
        }
    }

    #[test]
    fn a_cut_part_counts_the_items_left_out() {
        assert_eq!(part(2, 3).fit(usize::MAX), "<\n@@ a @@\n000\n001\n>\n");
        assert_eq!(
            part(9, 30).fit(240),
            format!("<\n@@ a @@\n{:0>30}\n{:0>30}\n>\n\n… and 14 more changes in 1 shop; see the plan file\n", 0, 1)
        );
        let few = Part { lines: 2, ..part(3, 3) };
        assert_eq!(few.fit(usize::MAX), "<\n@@ a @@\n000\n>\n\n… and 4 more changes in 1 shop; see the plan file\n");
    }

    #[test]
    fn small_parts_leave_their_share_to_large_ones() {
        let texts = divide(&[part(1000, 30), part(1, 3), part(1000, 30)], 4000);
        assert!(texts.iter().map(String::len).sum::<usize>() <= 4000);
        assert!(texts[0].len() > 1800 && texts[2].len() > 1800, "{} {}", texts[0].len(), texts[2].len());
        assert_eq!(texts[1], part(1, 3).fit(usize::MAX));
    }
}
