//! Formats numbers in sentences, and escapes text that is printed.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns a count with its noun: `1 shop`, `1,000 shops`, `2 addresses`.
pub(crate) fn plural(n: usize, noun: &str) -> String {
    let ending = match n {
        1 => "",
        _ if noun.ends_with('s') => "es",
        _ => "s",
    };
    format!("{} {noun}{ending}", thousands(n))
}

/// Returns a number with thousands separators.
pub(crate) fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Escapes control characters, line breaks and characters that override the text direction as `\u{…}`. The result is one line.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if acts(c) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Returns whether a terminal interprets a character, or the character can mislead a reader.
fn acts(c: char) -> bool {
    // `is_control` covers C0, DEL and C1. The others are direction marks, embeddings, overrides, isolates, and line separators.
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_agrees_with_its_noun() {
        for (n, noun, expected) in [
            (0, "shop", "0 shops"),
            (1, "shop", "1 shop"),
            (1, "more address", "1 more address"),
            (1_000, "more address", "1,000 more addresses"),
        ] {
            assert_eq!(plural(n, noun), expected);
        }
    }
}
