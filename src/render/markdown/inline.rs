//! Prints text from servers, manifests and plan files in Markdown. It must not become markup, a link or a mention, so it is
//! printed in code spans and fences, in which GitHub and GitLab interpret nothing. Only words are printed outside of them.

use crate::text::{plural, thousands};
use std::borrow::Cow;

use super::super::{escape, text};

/// The maximum length of a run of backticks. A longer run is escaped, because a fence must be longer than the runs in it.
const MAX_TICKS: usize = 8;
/// The maximum number of characters of a text. A longer text is cut.
const MAX_CHARS: usize = 1000;
/// The maximum number of digits outside a code span. A longer number can be the ID of a commit.
const MAX_DIGITS: usize = 6;

/// Returns text for a code span or a fence, and the length of the longest run of backticks in it.
fn escaped(text: &str) -> (Cow<'_, str>, usize) {
    let text = escape(text);
    match ticks(&text) {
        run if run > MAX_TICKS => (Cow::Owned(text.replace('`', "\\u{60}")), 0),
        run => (text, run),
    }
}

fn ticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Returns a code span.
pub(super) fn code(text: &str) -> String {
    span(&clip(text))
}

fn span(text: &str) -> String {
    let (text, run) = escaped(text);
    let marks = "`".repeat(run + 1);
    // Renderers strip one space on each side, unless the span has only spaces.
    let edge = |c: Option<char>| matches!(c, Some('`' | ' '));
    let pad = if edge(text.chars().next()) || edge(text.chars().next_back()) { " " } else { "" };
    if text.trim().is_empty() { "`(empty)`".to_owned() } else { format!("{marks}{pad}{text}{pad}{marks}") }
}

/// Returns a sentence in which everything except words and numbers is in code spans.
pub(super) fn prose(text: &str) -> String {
    let text = clip(text);
    let text = escape(&text);
    let mut out: Vec<String> = Vec::new();
    // Adjacent words share a span, up to a punctuation mark.
    let mut words: Vec<&str> = Vec::new();
    let close = |words: &mut Vec<&str>, before: &str, after: &str, out: &mut Vec<String>| {
        if !words.is_empty() {
            out.push(format!("{before}{}{after}", span(&words.join(" "))));
            words.clear();
        }
    };
    let mut before = "";
    let all: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let mut at = 0;
    while let Some(word) = all.get(at) {
        if let Some((quote, length)) = quoted(&all[at..]) {
            close(&mut words, before, "", &mut out);
            out.push(quote);
            at += length;
            continue;
        }
        at += 1;
        let (open, core, after) = trimmed(word);
        if plain(core) {
            close(&mut words, before, "", &mut out);
            out.push((*word).to_owned());
            continue;
        }
        if words.is_empty() || !open.is_empty() {
            close(&mut words, before, "", &mut out);
            before = open;
        }
        words.push(core);
        if !after.is_empty() {
            close(&mut words, before, after, &mut out);
        }
    }
    close(&mut words, before, "", &mut out);
    out.join(" ")
}

/// Returns quoted text at the start of `words` as one span, such as a command in backticks, and the number of its words.
fn quoted(words: &[&str]) -> Option<(String, usize)> {
    quoted_by('`', words).or_else(|| quoted_by('"', words))
}

fn quoted_by(mark: char, words: &[&str]) -> Option<(String, usize)> {
    let (open, first, _) = trimmed(words.first()?);
    let rest = first.strip_prefix(mark)?;
    let ends = |(at, word): (usize, &&str)| {
        let core = if at == 0 { rest } else { trimmed(word).1 };
        core.ends_with(mark)
    };
    let length = words.iter().enumerate().position(ends)? + 1;
    let all = words[..length].join(" ");
    let (inside, after) = all[open.len() + 1..].rsplit_once(mark)?;
    let sound = !inside.trim().is_empty() && !inside.contains(mark) && after.chars().all(|c| ".,;:)".contains(c));
    // The backticks delimit the span; quotation marks remain in it.
    let inside = if mark == '`' { inside.to_owned() } else { format!("{mark}{inside}{mark}") };
    sound.then(|| (format!("{open}{}{after}", span(&inside)), length))
}

/// Splits a word into the punctuation before it, itself, and the punctuation after it.
fn trimmed(word: &str) -> (&str, &str, &str) {
    let core = word.strip_prefix('(').unwrap_or(word);
    let open = &word[..word.len() - core.len()];
    let closes = |c: char| ".,;:".contains(c) || (c == ')' && !core.contains('('));
    let end = core.trim_end_matches(closes);
    if end.is_empty() { ("", word, "") } else { (open, end, &core[end.len()..]) }
}

/// Returns whether no renderer interprets a word.
fn plain(word: &str) -> bool {
    let letters = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphabetic());
    let number = !word.is_empty() && word.len() <= MAX_DIGITS && word.bytes().all(|b| b.is_ascii_digit());
    // GitHub turns the ID of a commit into a link.
    let commit = word.len() > MAX_DIGITS && word.bytes().all(|b| b.is_ascii_hexdigit());
    number || matches!(word, "%" | "…") || (word.split(['-', '\'']).all(letters) && !commit)
}

/// Returns an option of a command and its value, quoted for a shell.
pub(super) fn option(name: &str, value: &str) -> String {
    let value = escape(value);
    let bare = !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || "_-.:/=".contains(c));
    code(&if bare { format!("{name} {value}") } else { format!("{name} '{}'", value.replace('\'', "'\\''")) })
}

/// Returns `alpha`, or 3 shops (`alpha, beta, gamma`), cut after about a line.
pub(super) fn title(names: &[&str]) -> String {
    match names {
        [shop] => code(text::handle(shop)),
        many => format!("{} ({})", plural(many.len(), "shop"), code(&text::list(many, &super::STYLE))),
    }
}

/// A fence that no line in it can close.
pub(super) struct Fence {
    marks: String,
}

impl Fence {
    /// Returns a fence for some lines.
    pub(super) fn around<'t>(lines: impl Iterator<Item = &'t str>) -> Self {
        let longest = lines.map(ticks).max().unwrap_or(0);
        Self { marks: "`".repeat(longest.max(2) + 1) }
    }

    pub(super) fn open(&self, language: &str) -> String {
        format!("{}{language}\n", self.marks)
    }

    pub(super) fn close(&self) -> String {
        format!("{}\n", self.marks)
    }
}

/// Returns one line for a fence.
pub(super) fn fenced(line: &str) -> String {
    escaped(line).0.into_owned()
}

/// Cuts a long text, with a remark on the number of characters left out.
pub(super) fn clip(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MAX_CHARS) {
        None => Cow::Borrowed(text),
        Some((at, _)) => {
            let more = thousands(text[at..].chars().count());
            Cow::Owned(format!("{} … ({more} more characters)", &text[..at]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_other_than_words_is_code() {
        assert_eq!(
            prose(
                "the scope read_customers is not granted; add it (orders.yaml:12): hookwright auth url --shop <shop>, then"
            ),
            "the scope `read_customers` is not granted; add it (`orders.yaml:12`): hookwright auth url `--shop <shop>`, then"
        );
        assert_eq!(
            prose("see `hookwright auth url --shop a`, (`b c`). `d"),
            "see `hookwright auth url --shop a`, (`b c`). `` `d ``"
        );
        assert_eq!(prose("a`b `c`d` e` `` ` ` f"), "``` a`b `c`d` e` `` ` ` ``` f");
        assert_eq!(prose("deletes 4 of 12 (33 %); the limit is 30 %"), "deletes 4 of 12 (33 %); the limit is 30 %");
        assert_eq!(
            prose("ping @octocat #1 GH-7 deadbeef :+1: **b** [x](y) <b> a|b"),
            "ping `@octocat #1 GH-7 deadbeef :+1`: `**b** [x](y) <b> a|b`"
        );
        assert_eq!(prose("--> ... ) www.example.com\n# x"), "`--> ... ) www.example.com\\u{a}#` x");
    }

    #[test]
    fn text_cannot_close_its_code_span() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code(" a "), "`  a  `");
        assert_eq!(code(""), "`(empty)`");
        assert_eq!(code(&"`".repeat(9)), format!("`{}`", "\\u{60}".repeat(9)));
        assert_eq!(code(&"é".repeat(1002)), format!("`{} … (2 more characters)`", "é".repeat(1000)));
        assert_eq!(option("--allow", "empty_shop:a"), "`--allow empty_shop:a`");
        assert_eq!(option("--allow", "x:$(rm)'"), "`--allow 'x:$(rm)'\\'''`");
    }

    #[test]
    fn a_fence_is_longer_than_the_backticks_in_it() {
        assert_eq!(Fence::around(["a", "b ``"].into_iter()).open("diff"), "```diff\n");
        assert_eq!(Fence::around(["```", "b `````"].into_iter()).close(), "``````\n");
        assert_eq!(fenced(&"`".repeat(9)), "\\u{60}".repeat(9));
    }
}
