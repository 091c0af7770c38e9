//! Prepares texts of servers and programs for messages. Pure.
//!
//! Every foreign text in a message passes through [`Redactor`]: it has no secret, no control character, and one bounded
//! line.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// The maximum length of a quotation, in characters.
const BOUND: usize = 300;
const REDACTED: &str = "[redacted]";

/// Removes secrets and control characters from texts.
#[derive(Clone, Default)]
pub(crate) struct Redactor {
    secrets: Vec<SecretString>,
}

impl Redactor {
    /// Creates a redactor of these secrets, and of all texts with the form of a Shopify token.
    pub(crate) fn of_all(secrets: impl IntoIterator<Item = SecretString>) -> Self {
        Self { secrets: secrets.into_iter().collect() }
    }

    /// Returns the text without secrets and control characters, on one line, cut after 300 characters.
    pub(crate) fn clean(&self, text: &str) -> String {
        // Redaction comes before the cut, so that no part of a token is left at the end.
        let mut text = text.to_owned();
        for secret in &self.secrets {
            // Shorter texts are not tokens, and their removal would make messages unreadable.
            if secret.expose_secret().len() >= 4 {
                text = text.replace(secret.expose_secret(), REDACTED);
            }
        }
        bound(&escape(&without_token_shapes(&text)))
    }
}

/// Redacts `shpat_…`, `shpca_…`, `shpss_…` and similar: `shp`, two letters, an underscore, a word.
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

/// Replaces white space by one blank, and escapes characters that control a terminal or the reading direction.
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

/// Returns whether a body looks like an HTML page.
pub(crate) fn looks_like_html(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

/// Quotes a server's text in parentheses, cleaned; empty without text.
pub(crate) fn quotation(words: &str, redactor: &Redactor) -> String {
    match redactor.clean(words) {
        text if text.is_empty() => String::new(),
        text => format!(" (\"{text}\")"),
    }
}

/// Returns the error code of an OAuth error (RFC 6749, section 5.2).
pub(crate) fn oauth_error(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Value>(body).ok()?.get("error")?.as_str().map(str::to_owned)
}

/// Returns the text of an error body: `{"errors": "text"}`, `{"errors": {"field": ["a"]}}`, `{"errors": {"field":
/// "a"}}`, `{"errors": ["a"]}`, `{"errors": [{"message": "a"}]}`, `{"error": "x", "error_description": "y"}`, the title
/// of an HTML page, or the body itself.
pub(crate) fn upstream_text(body: &[u8]) -> String {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        let text = String::from_utf8_lossy(body);
        return if looks_like_html(body) { html_title(&text) } else { text.into_owned() };
    };
    let described = ["error", "error_description", "message"].map(|key| value.get(key).map(words).unwrap_or_default());
    let mut parts = vec![value.get("errors").map(words).unwrap_or_default()];
    parts.extend(described);
    parts.retain(|part| !part.is_empty());
    if parts.is_empty() && value.as_object().is_none_or(|object| !object.is_empty()) {
        return words(&value);
    }
    parts.join(": ")
}

/// Joins the texts of a JSON value.
pub(crate) fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(words).collect::<Vec<_>>().join("; "),
        Value::Object(fields) => match fields.get("message") {
            Some(message) => words(message),
            None => fields.iter().map(|(key, value)| format!("{key}: {}", words(value))).collect::<Vec<_>>().join("; "),
        },
        other => other.to_string(),
    }
}

fn html_title(page: &str) -> String {
    // The search is case-insensitive; ASCII lower case keeps the positions.
    let lower = page.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|at| {
        let start = at + lower.get(at..)?.find('>')? + 1;
        let end = start + lower.get(start..)?.find("</title")?;
        page.get(start..end)
    });
    match title.map(str::trim) {
        Some(title) if !title.is_empty() => format!("an HTML page: {title}"),
        _ => "an HTML page".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_and_texts_of_its_form_are_redacted() {
        let redactor = Redactor::of_all([SecretString::from("0123456789abcdef")]);
        assert_eq!(
            redactor.clean("key 0123456789abcdef, shpat_abc-1 and shpss_zz; shpx shpat_ ship shpatx_1 ünï"),
            "key [redacted], [redacted] and [redacted]; shpx shpat_ ship shpatx_1 ünï"
        );
        let long = format!("{}shpat_0123456789", "x".repeat(295));
        assert!(!redactor.clean(&long).contains("shpat"), "a token across the cut");
    }

    #[test]
    fn control_characters_are_escaped_and_long_texts_are_cut() {
        let clean = Redactor::default().clean("a\n\t b \u{1b}[31mred\u{7} \u{202e}x\u{0}");
        assert_eq!(clean, "a b \\u{1b}[31mred\\u{7} \\u{202e}x\\u{0}");
        assert_eq!(Redactor::default().clean(&"é".repeat(5000)).chars().count(), 301);
    }

    #[test]
    fn every_documented_shape_of_an_error_body_is_read() {
        for (body, text) in [
            (r#"{"errors":"text"}"#, "text"),
            (r#"{"errors":{"topic":["a","b"],"address":["c"]}}"#, "address: c; topic: a; b"),
            (r#"{"errors":{"address":"a"}}"#, "address: a"),
            (r#"{"errors":["a","b"]}"#, "a; b"),
            (r#"{"errors":[{"message":"a","locations":[]}]}"#, "a"),
            (r#"{"error":"x","error_description":"y"}"#, "x: y"),
            (r#"{"error":"text"}"#, "text"),
            ("{}", ""),
            ("", ""),
            ("<html><head><TITLE lang=en> 503 Gone\n</Title></head>", "an HTML page: 503 Gone"),
            ("<!doctype html><p>é", "an HTML page"),
            ("plain", "plain"),
        ] {
            assert_eq!(upstream_text(body.as_bytes()), text, "{body}");
        }
    }
}
