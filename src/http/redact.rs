//! Makes text that a server or a program sent fit for people: no secret in it, no control character, one bounded line.
//!
//! Pure. Every text of a third party that goes into a message passes through here.

use secrecy::{ExposeSecret, SecretString};

/// The longest quotation, in characters.
const BOUND: usize = 300;
const REDACTED: &str = "[redacted]";

/// Knows the secrets that must not be repeated.
#[derive(Clone, Default)]
pub(crate) struct Redactor {
    secrets: Vec<SecretString>,
}

impl Redactor {
    /// Removes these besides everything that looks like a token of Shopify's.
    pub(crate) fn of_all(secrets: impl IntoIterator<Item = SecretString>) -> Self {
        Self { secrets: secrets.into_iter().collect() }
    }

    /// The text without secrets and control characters, on one line, cut after 300 characters.
    pub(crate) fn clean(&self, text: &str) -> String {
        // Redaction comes before the cut, so that no half of a token is left at the end.
        let mut text = text.to_owned();
        for secret in &self.secrets {
            // Shorter ones are no tokens, and taking them out would shred every word.
            if secret.expose_secret().len() >= 4 {
                text = text.replace(secret.expose_secret(), REDACTED);
            }
        }
        bound(&escape(&without_token_shapes(&text)))
    }
}

/// Replaces `shpat_…`, `shpca_…`, `shpss_…` and their like: `shp`, two letters, an underscore, a word.
fn without_token_shapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("shp") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let bytes = from.as_bytes();
        let prefixed = bytes.len() > 6 && bytes[3..5].iter().all(u8::is_ascii_lowercase) && bytes[5] == b'_';
        let word = if prefixed {
            bytes[6..].iter().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-')).count()
        } else {
            0
        };
        let used = if word > 0 {
            out.push_str(REDACTED);
            6 + word
        } else {
            out.push_str("shp");
            3
        };
        rest = &from[used..];
    }
    out.push_str(rest);
    out
}

/// White space becomes one blank; what would steer a terminal, or turn the reading direction, becomes visible.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        for c in word.chars() {
            let steers = c.is_control()
                || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            if steers { out.extend(c.escape_unicode()) } else { out.push(c) }
        }
    }
    out
}

fn bound(text: &str) -> String {
    match text.char_indices().nth(BOUND) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_and_whatever_looks_like_one_disappear() {
        let redactor = Redactor::of_all([SecretString::from("0123456789abcdef")]);
        assert_eq!(
            redactor.clean("key 0123456789abcdef, shpat_abc-1 and shpss_zz; shpx shpat_ ship shpatx_1 ünï"),
            "key [redacted], [redacted] and [redacted]; shpx shpat_ ship shpatx_1 ünï"
        );
        let long = format!("{}shpat_0123456789", "x".repeat(295));
        assert!(!redactor.clean(&long).contains("shpat"), "a token across the cut");
    }

    #[test]
    fn a_terminal_cannot_be_steered_and_a_page_is_cut() {
        let clean = Redactor::default().clean("a\n\t b \u{1b}[31mred\u{7} \u{202e}x\u{0}");
        assert_eq!(clean, "a b \\u{1b}[31mred\\u{7} \\u{202e}x\\u{0}");
        assert_eq!(Redactor::default().clean(&"é".repeat(5000)).chars().count(), 301);
    }
}
