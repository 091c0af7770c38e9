//! The texts that diagnostics point into, with secrets masked.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::{Place, mask};

/// The masked text of one file, with the byte offsets of its lines.
#[derive(Debug, Clone)]
pub struct SourceText {
    text: String,
    line_starts: Vec<usize>,
}

impl SourceText {
    /// Masks everything that looks like a secret, and the spans that are known to be secrets.
    pub fn new(text: &str, known_secrets: &[Range<usize>]) -> Self {
        let mut spans = mask::secret_spans(text);
        spans.extend_from_slice(known_secrets);
        spans.sort_by_key(|span| (span.start, span.end));
        let text = if spans.is_empty() { text.to_owned() } else { mask::blot(text, &spans) };
        let breaks = text.bytes().enumerate().filter(|&(_, b)| b == b'\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(breaks).collect();
        Self { text, line_starts }
    }

    /// Returns the line of a place in printable form, and the caret's byte range within it. `None` if the line does not
    /// exist, or is too long to be useful.
    pub fn line(&self, place: &Place) -> Option<(String, Range<usize>)> {
        const LONGEST: usize = 2_000;
        let index = usize::try_from(place.line).ok()?.checked_sub(1)?;
        let start = *self.line_starts.get(index)?;
        let end = self.line_starts.get(index + 1).map_or(self.text.len(), |next| next - 1);
        let line = self.text.get(start..end)?.trim_end_matches('\r');
        if line.len() > LONGEST {
            return None;
        }
        // Masking keeps the number of bytes, so byte offsets stay valid.
        let within = |at: u32| floor_boundary(line, (at as usize).saturating_sub(start).min(line.len()));
        let caret = within(place.start)..within(place.end);
        let shown = mask::printable_line(line);
        if shown.len() == line.len() {
            return Some((shown, caret));
        }
        // A replacement character may have another length than the original, so the caret is computed again.
        let moved = |at: usize| mask::printable_line(&line[..at]).len();
        Some((shown, moved(caret.start)..moved(caret.end)))
    }

    /// Returns the line and the column (1-based, in characters) of a byte offset.
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

/// The texts of all loaded files, by path.
#[derive(Debug, Clone, Default)]
pub struct Sources(BTreeMap<Arc<str>, SourceText>);

impl Sources {
    /// Adds a file.
    pub fn insert(&mut self, path: Arc<str>, source: SourceText) {
        self.0.insert(path, source);
    }

    /// Returns the text of the file that a place is in.
    pub fn get(&self, place: &Place) -> Option<&SourceText> {
        self.0.get(&place.file)
    }

    /// The number of files.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no files.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
