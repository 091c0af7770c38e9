//! Decodes a tree into a document, and collects every problem instead of stopping at the first.
//!
//! The JSON Schema also rejects everything that is rejected here with a structural code; a test in `manifest/tests.rs`
//! compares the two.

mod aep;
mod auth;
mod binding;
mod blocks;
mod consents;
mod indent;
mod policies;
mod shop;

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Place};

use super::document::{Document, Span, Spanned};
use super::habits;
use super::suggest;
use super::tree::{Node, Pair, TextRange, Value};

/// The decoder of one file, which collects its problems.
pub(super) struct Decoder {
    pub(super) file: u32,
    pub(super) path: Arc<str>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Byte ranges that contain a literal secret.
    pub(super) secrets: Vec<Range<usize>>,
    /// The byte offsets of the values of misspelt keys. They are used under the key that was probably meant, so that
    /// the misspelling causes no further problems; a wrong type of such a value is not reported.
    guessed: HashSet<u32>,
}

/// The known keys of a mapping, by name.
pub(super) struct Fields<'a> {
    keys: &'static [&'static str],
    pairs: Vec<Option<&'a Pair>>,
    /// Keys whose value is in the wrong place under another name; they are not reported as missing.
    meant: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    pub(super) fn get(&self, key: &str) -> Option<&'a Pair> {
        let at = self.keys.iter().position(|known| *known == key)?;
        self.pairs.get(at).copied().flatten()
    }

    /// Whether one of these keys is in the wrong place, which was reported.
    pub(super) fn meant(&self, keys: &[&str]) -> bool {
        self.meant.iter().any(|meant| keys.contains(meant))
    }
}

/// Decodes one file.
pub(super) fn document(decoder: &mut Decoder, mut root: Node) -> Document {
    decoder.indent(&mut root);
    decoder.document(&root)
}

impl Decoder {
    pub(super) fn new(file: u32, path: Arc<str>) -> Self {
        Self { file, path, diagnostics: Vec::new(), secrets: Vec::new(), guessed: HashSet::new() }
    }

    pub(super) fn span(&self, range: TextRange) -> Span {
        Span { file: self.file, range }
    }

    fn place(&self, range: TextRange) -> Place {
        let TextRange { line, column, start, end } = range;
        Place { file: Arc::clone(&self.path), line, column, start, end }
    }

    fn diagnostic(&self, code: Code, range: TextRange, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, self.place(range), message)
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Decodes a mapping with exactly these known keys. Reports unknown ones.
    fn fields<'a>(&mut self, node: &'a Node, what: &str, keys: &'static [&'static str]) -> Option<Fields<'a>> {
        let pairs = self.pairs(node, what, keys)?;
        let mut found = vec![None; keys.len()];
        let mut unknown = Vec::new();
        for pair in pairs {
            match keys.iter().position(|key| *key == pair.key).and_then(|at| found.get_mut(at)) {
                Some(slot) => *slot = Some(pair),
                None => unknown.push(pair),
            }
        }
        let mut meant_keys = Vec::new();
        for pair in unknown {
            let shown = self.shown_key(pair, keys);
            let is_scalar = !matches!(pair.value.value, Value::Map(_) | Value::List(_));
            if is_scalar && (of_secrets(keys) || habits::takes_secret(&pair.key)) {
                self.secret(&pair.value);
            }
            let hint = if let Some((hint, meant)) = habits::misplaced(&pair.key, keys) {
                meant_keys.extend(meant);
                hint.to_owned()
            } else if let Some(meant) = suggest::key(&pair.key, keys) {
                let slot = keys.iter().position(|key| *key == meant).and_then(|at| found.get_mut(at));
                if let Some(slot @ None) = slot {
                    *slot = Some(pair);
                    self.guessed.insert(pair.value.range.start);
                }
                format!("did you mean `{meant}`?")
            } else {
                habits::blank_missing(&shown).unwrap_or_else(|| format!("known keys: {}", listed(keys)))
            };
            let message = format!("unknown key `{shown}` in {what}");
            self.report(self.diagnostic(Code::UnknownKey, pair.key_range, message).hint(hint));
        }
        Some(Fields { keys, pairs: found, meant: meant_keys })
    }

    /// Returns a key in a form that is safe to print: in a mapping of secrets, an unknown key without a value may be a
    /// secret.
    fn shown_key(&mut self, pair: &Pair, keys: &[&str]) -> String {
        let unknown = !keys.contains(&pair.key.as_str());
        if unknown && matches!(pair.value.value, Value::Null) && of_secrets(keys) {
            self.secrets.push(pair.key_range.bytes());
            let name = pair.key.split_once(':').map(|(name, _)| name).filter(|name| keys.contains(name));
            return name.map_or_else(|| "…".to_owned(), |name| format!("{name}:…"));
        }
        self.without_secret(&pair.key, pair.key_range)
    }

    /// Returns a string that should be `key: value`, without the value if the key takes a secret.
    fn without_secret(&mut self, text: &str, range: TextRange) -> String {
        match text.split_once(':') {
            Some((key, _)) if habits::takes_secret(key) => {
                self.secrets.push(range.bytes());
                format!("{key}:…")
            }
            _ => text.to_owned(),
        }
    }

    /// Decodes a mapping. Reports duplicate keys and keeps the first of them. `keys` are the known keys.
    fn pairs<'a>(&mut self, node: &'a Node, what: &str, keys: &[&str]) -> Option<Vec<&'a Pair>> {
        let Value::Map(pairs) = &node.value else {
            let hint = match &node.value {
                Value::Text(text) => Some(
                    habits::blank_missing(&short(&self.without_secret(text, node.range)))
                        .unwrap_or_else(|| "check for a missing `:`, or a missing space after it".to_owned()),
                ),
                Value::List(_) => Some("write `key: value` lines without dashes".to_owned()),
                _ => None,
            };
            self.wrong_type(node, what, "a mapping (`key: value` lines)", hint);
            return None;
        };
        let mut first: HashMap<&str, &Pair> = HashMap::with_capacity(pairs.len());
        let mut unique = Vec::with_capacity(pairs.len());
        for pair in pairs {
            if let Some(earlier) = first.get(pair.key.as_str()) {
                let message = format!("duplicate key `{}` in {what}", self.shown_key(pair, keys));
                let diagnostic = self
                    .diagnostic(Code::DuplicateKey, pair.key_range, message)
                    .hint("remove one of the two; YAML tools disagree about which one applies")
                    .related(self.place(earlier.key_range), "first defined here");
                self.report(diagnostic);
            } else {
                first.insert(&pair.key, pair);
                unique.push(pair);
            }
        }
        Some(unique)
    }

    fn list<'a>(&mut self, node: &'a Node, what: &str) -> Option<&'a [Node]> {
        if let Value::List(items) = &node.value {
            return Some(items);
        }
        let hint = match &node.value {
            Value::Text(text) => match habits::template(text) {
                Some(hint) => Some(hint.to_owned()),
                None if text.starts_with('-') => {
                    Some("write each item as `- item`, with a space after the dash".to_owned())
                }
                None => (text.len() <= 60).then(|| format!("write a list: `{}`", habits::as_list(text))),
            },
            Value::Map(pairs) => Some(match pairs.first() {
                Some(pair) => format!("start each item with a dash: `- {}: …`", short(&pair.key)),
                None => "start each item with a dash: `- `".to_owned(),
            }),
            _ => None,
        };
        self.wrong_type(node, what, "a list", hint);
        None
    }

    /// Decodes a string, which may be empty.
    fn any_text<'a>(&mut self, node: &'a Node, what: &str) -> Option<&'a str> {
        if let Value::Text(text) = &node.value {
            return Some(text);
        }
        let hint = match node.value {
            Value::Int(_) | Value::Float(_) | Value::Bool(_) => {
                Some("put the value in quotes, so that YAML reads it as a string".to_owned())
            }
            _ => None,
        };
        self.wrong_type(node, what, "a string", hint);
        None
    }

    /// Decodes a string that is not blank.
    fn text<'a>(&mut self, node: &'a Node, what: &str) -> Option<&'a str> {
        let text = self.any_text(node, what)?;
        if !text.trim().is_empty() {
            return Some(text);
        }
        let message = format!("{what} is empty");
        self.report(self.diagnostic(Code::BadValue, node.range, message).hint("write a value, or remove the key"));
        None
    }

    fn texts(&mut self, node: &Node, what: &str, item: &str) -> Option<Spanned<Vec<Spanned<String>>>> {
        let items = self.list(node, what)?;
        let texts = items.iter().filter_map(|node| {
            let text = self.text(node, item)?.to_owned();
            Some(Spanned::new(text, self.span(node.range)))
        });
        let texts = texts.collect();
        Some(Spanned::new(texts, self.span(node.range)))
    }

    /// Decodes one of a few words.
    fn word<T: Copy>(&mut self, node: &Node, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(node, what)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let hint = suggest::key(text, &known)
            .map_or_else(|| format!("known values: {}", listed(&known)), |meant| format!("did you mean `{meant}`?"));
        let message = format!("unknown value `{}` of {what}", short(text));
        self.report(self.diagnostic(Code::BadValue, node.range, message).hint(hint));
        None
    }

    fn percent(&mut self, node: &Node, what: &str) -> Option<u8> {
        let number = self.integer(node, what)?;
        let percent = u8::try_from(number).ok().filter(|percent| *percent <= 100);
        if percent.is_none() {
            let message = format!("{what} must be an integer from 0 to 100");
            self.report(self.diagnostic(Code::BadValue, node.range, message));
        }
        percent
    }

    fn integer(&mut self, node: &Node, what: &str) -> Option<i128> {
        match node.value {
            Value::Int(number) => return Some(number),
            // 30.0 is an integer in JSON Schema as well.
            #[allow(clippy::cast_possible_truncation, clippy::float_cmp)] // checked to be whole and small
            Value::Float(number) if number == number.trunc() && number.abs() < 1e15 => return Some(number as i128),
            _ => {}
        }
        let hint = match &node.value {
            Value::Text(text) if text.ends_with('%') => Some("remove the `%`".to_owned()),
            Value::Text(text) if text.parse::<i64>().is_ok() => Some("remove the quotes".to_owned()),
            _ => None,
        };
        self.wrong_type(node, what, "an integer", hint);
        None
    }

    fn wrong_type(&mut self, node: &Node, what: &str, expected: &str, hint: Option<String>) {
        if self.guessed.contains(&node.range.start) {
            return;
        }
        let diagnostic = if matches!(node.value, Value::Null) {
            let hint = if expected == "a list" {
                "write its items, or `[]` for an empty list, or remove the key"
            } else {
                "write a value, or remove the key"
            };
            self.diagnostic(Code::WrongType, node.range, format!("{what} has no value: expected {expected}")).hint(hint)
        } else {
            let message = format!("expected {expected} for {what}, found {}", node.value.kind());
            self.diagnostic(Code::WrongType, node.range, message).hint_if(hint)
        };
        self.report(diagnostic);
    }

    /// Returns the one key of several that is present. Reports none and more than one.
    fn exactly_one<'a>(
        &mut self,
        fields: &Fields<'a>,
        range: TextRange,
        what: &str,
        keys: &[&'static str],
    ) -> Option<(&'static str, &'a Node)> {
        let mut present: Vec<_> = keys.iter().filter_map(|key| Some((*key, fields.get(key)?))).collect();
        if present.iter().any(|(key, pair)| pair.key == *key) {
            present.retain(|(key, pair)| pair.key == *key);
        }
        match present.as_slice() {
            [(key, pair)] => Some((key, &pair.value)),
            [] if fields.meant(keys) => None,
            [] => {
                let message = format!("missing key in {what}: expected {}", either(keys));
                self.report(self.diagnostic(Code::MissingKey, range, message));
                None
            }
            [(first, earlier), .., (last, later)] => {
                let message = format!("conflicting keys `{first}` and `{last}` in {what}");
                let diagnostic = self
                    .diagnostic(Code::Conflict, later.key_range, message)
                    .hint(format!("keep exactly one of {}", listed(keys)))
                    .related(self.place(earlier.key_range), format!("`{first}` is here"));
                self.report(diagnostic);
                None
            }
        }
    }

    fn bad_value(&mut self, range: TextRange, message: impl Into<String>, hint: impl Into<String>) {
        self.report(self.diagnostic(Code::BadValue, range, message).hint(hint));
    }

    /// Marks the value as secret, so that it is never printed.
    fn secret(&mut self, node: &Node) {
        match &node.value {
            Value::List(items) => items.iter().for_each(|item| self.secret(item)),
            Value::Map(pairs) => pairs.iter().for_each(|pair| self.secret(&pair.value)),
            Value::Null => {}
            _ => self.secrets.push(node.range.bytes()),
        }
    }
}

/// Whether these are the keys of a mapping that contains references to secrets.
fn of_secrets(keys: &[&str]) -> bool {
    keys.iter().any(|key| matches!(*key, "env" | "client_secret" | "access_token"))
}

/// `a, b and c`
pub(super) fn listed(words: &[&str]) -> String {
    joined(words, "and")
}

/// `a or b`
pub(super) fn either(words: &[&str]) -> String {
    joined(words, "or")
}

fn joined(words: &[&str], last_joint: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [all @ .., last] => format!("{} {last_joint} {last}", all.join(", ")),
    }
}

/// Shortens a value for a message.
pub(super) fn short(text: &str) -> String {
    const LONGEST: usize = 80;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(LONGEST - 1).collect();
    cut.push('…');
    cut
}
