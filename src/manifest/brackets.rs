//! Finds the bracket error in a text that the YAML parser rejected. Pure.
//!
//! The parser reports such an error where parsing stops, which may be several lines below the bracket.

/// An error: its byte offset, the problem and the remedy.
pub(super) struct Mistake {
    pub(super) at: usize,
    pub(super) what: &'static str,
    pub(super) hint: &'static str,
}

/// Returns the first bracket error.
pub(super) fn mistake(text: &str) -> Option<Mistake> {
    let mut scan = Scan { open: Vec::new(), quote: None, last: Last::Start, touches: false };
    let mut block_scalar = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let within = block_scalar.is_some_and(|outer| indent > outer || line.trim().is_empty());
        if !within {
            block_scalar = None;
            if let Some(mistake) = scan.line(start, line) {
                return Some(mistake);
            }
            if scan.last == Last::BlockScalar {
                block_scalar = Some(indent);
            }
        }
        start += line.len();
    }
    let open = scan.open.last().filter(|_| scan.quote.is_none())?;
    Some(unclosed(open))
}

struct Scan {
    open: Vec<Bracket>,
    quote: Option<u8>,
    last: Last,
    /// Whether this character directly follows the last token.
    touches: bool,
}

struct Bracket {
    at: usize,
    kind: u8,
    /// The indentation of the items of the enclosing block; `None` if the bracket is the whole document.
    indent: Option<usize>,
}

/// The token before a character.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// The start of a line, `- ` or `: `: a value may follow.
    Start,
    Open,
    Comma,
    Plain,
    Quoted,
    /// A closed bracket, with the byte offset of its opening one.
    Closed(usize),
    BlockScalar,
}

impl Scan {
    fn line(&mut self, start: usize, line: &str) -> Option<Mistake> {
        let bytes = line.as_bytes();
        let blanks = line.len() - line.trim_start_matches(' ').len();
        if self.quote.is_none() {
            self.touches = false;
            if self.open.is_empty() {
                self.last = Last::Start;
            } else if is_entry(&line[blanks..]) {
                let open = self.open.last().filter(|open| open.indent.is_some_and(|indent| blanks <= indent));
                if let Some(open) = open {
                    return Some(unclosed(open));
                }
            }
        }
        let items = line.len() - line.trim_start_matches([' ', '-']).len();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let next = bytes.get(at + 1).copied().unwrap_or(b'\n');
            if let Some(quote) = self.quote {
                let escape = (quote == b'"' && byte == b'\\') || (quote == b'\'' && byte == b'\'' && next == b'\'');
                if escape {
                    at += 1;
                } else if byte == quote {
                    self.quote = None;
                    self.token(Last::Quoted);
                }
            } else if byte.is_ascii_whitespace() {
                self.touches = false;
            } else if byte == b'#' && !self.touches {
                break;
            } else {
                let indent = (at > 0).then_some(items);
                if let Some(mistake) = self.byte(Bracket { at: start + at, kind: byte, indent }, next) {
                    return Some(mistake);
                }
            }
            at += 1;
        }
        None
    }

    fn byte(&mut self, here: Bracket, next: u8) -> Option<Mistake> {
        let flow = !self.open.is_empty();
        let value = matches!(self.last, Last::Start | Last::Open | Last::Comma);
        let ends = next.is_ascii_whitespace() || (flow && b",[]{}".contains(&next));
        match here.kind {
            b'"' | b'\'' if value => self.quote = Some(here.kind),
            b'[' | b'{' if value => {
                self.open.push(here);
                self.token(Last::Open);
            }
            b'[' | b'{' if flow && (self.last == Last::Plain || self.closed_just_now().is_some()) => {
                return Some(needs_quotes(self.closed_just_now().unwrap_or(here.at)));
            }
            b']' | b'}' if flow => {
                let open = self.open.pop()?;
                if here.kind != closing(open.kind) {
                    return Some(unclosed(&open));
                }
                self.token(Last::Closed(open.at));
            }
            b',' if flow && matches!(self.last, Last::Open | Last::Comma) => {
                let hint = "remove the comma, or add a value before it";
                return Some(Mistake { at: here.at, what: "missing value before this comma", hint });
            }
            b',' if flow => self.token(Last::Comma),
            b':' if ends || (flow && self.last == Last::Quoted) => self.token(Last::Start),
            b'-' if value && ends && !flow => self.token(Last::Start),
            b'|' | b'>' if self.last == Last::Start && !flow => self.token(Last::BlockScalar),
            _ if self.last == Last::BlockScalar => {}
            _ => {
                if let Some(open) = self.closed_just_now() {
                    return Some(needs_quotes(open));
                }
                self.token(Last::Plain);
            }
        }
        None
    }

    fn token(&mut self, last: Last) {
        self.last = last;
        self.touches = true;
    }

    fn closed_just_now(&self) -> Option<usize> {
        match self.last {
            Last::Closed(open) if self.touches => Some(open),
            _ => None,
        }
    }
}

/// Whether a line has the form of an item or a key of a block.
fn is_entry(line: &str) -> bool {
    let key = line.bytes().take_while(|c| c.is_ascii_alphanumeric() || *c == b'_').count();
    let mark = if key > 0 { line[key..].strip_prefix(':') } else { line.strip_prefix('-') };
    mark.is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_whitespace()))
}

fn closing(open: u8) -> u8 {
    if open == b'[' { b']' } else { b'}' }
}

fn unclosed(open: &Bracket) -> Mistake {
    let (what, hint) = if open.kind == b'[' {
        ("this `[` is not closed", "write `]` at the end of the list")
    } else {
        ("this `{` is not closed", "write `}` at the end of the mapping")
    };
    Mistake { at: open.at, what, hint }
}

fn needs_quotes(at: usize) -> Mistake {
    let hint = "put the whole string in quotes, for example `{ env: \"SHOPIFY_TOKEN_{SHOP}\" }`";
    Mistake { at, what: "a string that contains a bracket needs quotes here", hint }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tree;

    #[track_caller]
    fn found(text: &str) -> Option<(usize, &'static str)> {
        mistake(text).map(|mistake| (mistake.at, mistake.what))
    }

    #[test]
    fn a_string_with_a_bracket_and_without_quotes_is_found() {
        let what = "a string that contains a bracket needs quotes here";
        for (text, at) in [
            ("a: { env: X_{SHOP} }", 12),
            ("a: { env: {SHOP}_X }", 10),
            ("a: {SHOP}_X", 3),
            ("a: [x, /tok/{shop}]", 12),
            ("a: [x[0]]", 5),
            ("a: [é{b}]", 6),
        ] {
            assert_eq!(found(text), Some((at, what)), "{text}");
        }
    }

    #[test]
    fn a_bracket_that_is_not_closed_is_found() {
        for (text, at) in [
            ("a: [", 3),
            ("a: { b: \"x\"\nc: d\n", 3),
            ("a:\n  - b: [x, y\n    c: d\n", 10),
            ("a:\n  - { b: c\n  - { b: d }\n", 7),
            ("a: [x,\nb:\n", 3),
            ("a: [x, {b: c]\n", 7),
            ("a: { b: { c: d }\ne: f\n", 3),
            ("{\n\"a\": [\n", 7),
        ] {
            let kind = if text[at..].starts_with('[') { "this `[` is not closed" } else { "this `{` is not closed" };
            assert_eq!(found(text), Some((at, kind)), "{text}");
        }
    }

    #[test]
    fn a_comma_without_a_value_is_found() {
        for (text, at) in [("a: [b,, c]", 6), ("a: [, b]", 4), ("a: { b: c, , d: e }", 11), ("a: [b,\n  ,]", 9)] {
            assert_eq!(found(text), Some((at, "missing value before this comma")), "{text}");
        }
    }

    #[test]
    fn valid_yaml_has_no_mistake() {
        for text in [
            "a: {b: [c, {d: e}], f: 'it''s {x}', g: \"\\\" [\"} # [ {\n",
            "a: https://x.example/{b}[c\nb: x{y\nc: it's [\nd: 'a\n  [b'\n",
            "a: |\n  { [\n\n  b\nc: >-\n  ]{x\nd: [e,\n  f: g,\n  https://x.example,\n  ]\n",
            "{\na: b,\nc: [d]\n}\n",
            "[a, b]\n",
            "- - [a]\n- {\"a\":1}\n- [a, ]\n- {a: }\n- {}\n- a: []\n",
        ] {
            assert!(tree::parse(text).is_ok(), "{text}");
            assert_eq!(found(text), None, "{text}");
        }
    }
}
