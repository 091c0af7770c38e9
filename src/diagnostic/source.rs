//! The texts that diagnostics point into, with secrets masked.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::{Place, mask};

/// One file's text, masked, with its line starts.
#[derive(Debug, Clone)]
pub struct SourceText {
    text: String,
    line_starts: Vec<usize>,
}

impl SourceText {
    /// Masks whatever looks like a secret, and the spans that are known to be one.
    pub fn new(text: &str, known_secrets: &[Range<usize>]) -> Self {
        let mut spans = mask::secret_spans(text);
        spans.extend_from_slice(known_secrets);
        spans.sort_by_key(|span| (span.start, span.end));
        let text = if spans.is_empty() { text.to_owned() } else { mask::blot(text, &spans) };
        let breaks = text.bytes().enumerate().filter(|&(_, b)| b == b'\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(breaks).collect();
        Self { text, line_starts }
    }

    /// The line (1-based) as it may be shown, and the caret's bytes within it. `None` where showing it helps nobody:
    /// it does not exist, or is far too long.
    pub fn line(&self, place: &Place) -> Option<(String, Range<usize>)> {
        const LONGEST: usize = 2_000;
        let index = usize::try_from(place.line).ok()?.checked_sub(1)?;
        let start = *self.line_starts.get(index)?;
        let end = self.line_starts.get(index + 1).map_or(self.text.len(), |next| next - 1);
        let line = self.text.get(start..end)?.trim_end_matches('\r');
        if line.len() > LONGEST {
            return None;
        }
        // Masking replaces a character of several bytes by several asterisks, so bytes stay comparable.
        let within = |at: u32| floor_boundary(line, (at as usize).saturating_sub(start).min(line.len()));
        let caret = within(place.start)..within(place.end);
        let shown = mask::printable_line(line);
        if shown.len() == line.len() {
            return Some((shown, caret));
        }
        // Replacement characters are longer or shorter than what they stand for: count again.
        let moved = |at: usize| mask::printable_line(&line[..at]).len();
        Some((shown, moved(caret.start)..moved(caret.end)))
    }

    /// Line and column (1-based, in characters) of a byte.
    pub fn position(&self, at: usize) -> (u32, u32) {
        let line = self.line_starts.partition_point(|&start| start <= at);
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let column = self.text.get(start..at).map_or(1, |before| before.chars().count() + 1);
        (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
    }
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// All files of one load, by path.
#[derive(Debug, Clone, Default)]
pub struct Sources(BTreeMap<Arc<str>, SourceText>);

impl Sources {
    /// Adds a file.
    pub fn insert(&mut self, path: Arc<str>, source: SourceText) {
        self.0.insert(path, source);
    }

    /// The file that a place is in.
    pub fn get(&self, place: &Place) -> Option<&SourceText> {
        self.0.get(&place.file)
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
