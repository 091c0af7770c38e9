//! The page that is written on: lines, gaps, wrapped prose, and colour where there is any.

use anstyle::{AnsiColor, Color, Effects};

use super::Style;
use crate::wire::plan::Action;

/// What a piece of text is, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// A create, or what comes.
    Added,
    /// An update.
    Changed,
    /// A delete, or what goes.
    Removed,
    /// What nobody may overlook.
    Strong,
    /// What is there for whoever looks for it.
    Faint,
}

impl Style {
    /// The text in its colour; as it is if there is none. Text that is painted must be escaped before.
    pub(super) fn paint(&self, ink: Ink, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let fg = |c: AnsiColor| anstyle::Style::new().fg_color(Some(Color::Ansi(c)));
        let style = match ink {
            Ink::Added => fg(AnsiColor::Green),
            Ink::Changed => fg(AnsiColor::Yellow),
            Ink::Removed => fg(AnsiColor::Red),
            Ink::Strong => anstyle::Style::new().effects(Effects::BOLD),
            Ink::Faint => anstyle::Style::new().effects(Effects::DIMMED),
        };
        format!("{style}{text}{style:#}")
    }

    /// `+`, `~` or `-`, in its colour.
    pub(super) fn symbol(&self, action: Action) -> String {
        match action {
            Action::Create => self.paint(Ink::Added, "+"),
            Action::Update => self.paint(Ink::Changed, "~"),
            Action::Delete => self.paint(Ink::Removed, "-"),
        }
    }
}

/// Text in the making.
pub(super) struct Page<'s> {
    text: String,
    pub(super) style: &'s Style,
}

impl<'s> Page<'s> {
    pub(super) fn new(style: &'s Style) -> Self {
        Self { text: String::new(), style }
    }

    /// One line as it is, never wrapped.
    pub(super) fn line(&mut self, indent: usize, text: &str) {
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// What is written so far.
    pub(super) fn text(self) -> String {
        self.text
    }

    /// Prose, wrapped at spaces where there is a width. A word that is too long, such as an address, stays whole.
    pub(super) fn prose(&mut self, indent: usize, text: &str) {
        self.prose_in(None, indent, text);
    }

    /// Prose in a colour.
    pub(super) fn prose_in(&mut self, ink: Option<Ink>, indent: usize, text: &str) {
        let room = self.style.width.map_or(usize::MAX, |w| usize::from(w).saturating_sub(indent).max(20));
        for line in wrap(text, room) {
            let painted = ink.map_or_else(|| line.clone(), |ink| self.style.paint(ink, &line));
            self.line(indent, &painted);
        }
    }

    /// A point of a list: `! text` if it is strong, else `* text`; further lines under the text.
    pub(super) fn point(&mut self, ink: Option<Ink>, text: &str) {
        let before = self.text.len();
        self.prose_in(ink, 4, text);
        let mark = if ink == Some(Ink::Strong) { "  ! " } else { "  * " };
        self.text.replace_range(before..before + 4, mark);
    }

    /// Starts a part: a gap, and its heading.
    pub(super) fn heading(&mut self, text: &str) {
        self.gap();
        self.prose_in(Some(Ink::Strong), 0, text);
    }

    /// A blank line, unless there is one or nothing stands above.
    pub(super) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// The finished text. Its last line is never coloured, wrapped or followed by anything: scripts read it.
    pub(super) fn finish(mut self, last_line: &str) -> String {
        self.gap();
        self.line(0, last_line);
        self.text
    }
}

/// Breaks at single spaces.
pub(super) fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut length) = (String::new(), 0);
    for word in text.split(' ') {
        let chars = word.chars().count();
        if length > 0 && length + 1 + chars > room {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += chars;
    }
    lines.push(line);
    lines
}
