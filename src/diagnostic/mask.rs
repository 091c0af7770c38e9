//! Removes secrets and control characters from everything that is printed.

use std::ops::Range;

/// Prefixes of Shopify's tokens and secrets. They are used to mask text, never to validate it.
const TOKEN_PREFIXES: [&str; 6] = ["shpat_", "shpca_", "shpua_", "shppa_", "shpss_", "shprt_"];

/// Keys whose scalar value is a literal secret.
const SECRET_KEYS: [&str; 3] = ["token:", "secret:", "password:"];

/// The beginnings of the first and the last line of PEM text, such as a private key.
const PEM: [&str; 2] = ["-----BEGIN ", "-----END "];

/// Whether a text starts like a Shopify token or a private key.
pub(crate) fn looks_like_token(text: &str) -> bool {
    text.starts_with(PEM[0]) || TOKEN_PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}

/// Masks tokens and escapes control characters.
pub(super) fn clean(text: String) -> String {
    let spans = token_spans(&text);
    let text = if spans.is_empty() { text } else { blot(&text, &spans) };
    if text.chars().any(is_unprintable) { escape(&text) } else { text }
}

/// Replaces each span with asterisks of the same length in bytes, so that byte offsets stay valid.
pub(super) fn blot(text: &str, spans: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for span in spans {
        let (start, end) = (span.start.max(done), span.end.min(text.len()));
        let (Some(before), Some(secret)) = (text.get(done..start), text.get(start..end)) else { continue };
        out.push_str(before);
        // A literal may span lines. Line breaks are kept, so that line numbers stay valid.
        out.extend(secret.bytes().map(|b| if b == b'\n' || b == b'\r' { char::from(b) } else { '*' }));
        done = end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// Returns the spans that look like a secret, without parsing the text.
pub(super) fn secret_spans(text: &str) -> Vec<Range<usize>> {
    let mut spans = token_spans(text);
    for key in SECRET_KEYS {
        for (at, _) in text.match_indices(key) {
            let rest = &text[at + key.len()..];
            let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
            let value = line.trim_start();
            let reference = value.is_empty() || value.starts_with(['{', '#', '*', '&', '<']);
            if !reference {
                let start = at + key.len() + (line.len() - value.len());
                spans.push(start..start + value.trim_end().len());
            }
        }
    }
    spans.sort_by_key(|span| (span.start, span.end));
    spans
}

fn token_spans(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("shp").map(|at| at + from) {
        let token = &text[at..];
        let len = token.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(token.len());
        // A prefix alone, as in a hint that explains it, is not a secret.
        if looks_like_token(token) && len > 6 {
            spans.push(at..at + len);
        }
        from = at + len.max(3);
    }
    spans.extend(pem_spans(text));
    spans.sort_by_key(|span| (span.start, span.end));
    spans
}

/// Returns the spans of PEM text: its first line and the lines that follow in the form of PEM, at any indentation.
fn pem_spans(text: &str) -> Vec<Range<usize>> {
    let [begin, end] = PEM;
    let base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '\r');
    let mut spans: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.match_indices(begin) {
        if spans.last().is_some_and(|span| at < span.end) {
            continue;
        }
        let mut to = at;
        for line in text[at..].split_inclusive('\n') {
            let form = line.trim();
            let is_last = form.starts_with(end);
            if to > at && !is_last && !form.chars().all(base64) {
                break;
            }
            to += line.trim_end_matches('\n').len();
            if is_last || to == text.len() {
                break;
            }
            to += 1;
        }
        spans.push(at..to);
    }
    spans
}

/// Whether a character is a control character, or reorders or hides text in a terminal.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unprintable(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// Returns a source line with each unprintable character replaced by a visible one of one column.
pub(super) fn printable_line(line: &str) -> String {
    line.chars().map(|c| if c == '\t' || !is_unprintable(c) { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_control_characters_are_never_printed() {
        let text = clean("token shpat_0123456789abcdef is here\u{1b}[31m".to_owned());
        assert_eq!(text, "token ********************** is here\\u{1b}[31m");
        assert_eq!(clean("a shpat_ prefix".to_owned()), "a shpat_ prefix");
        let key = "a -----BEGIN PRIVATE KEY-----\nMIIG\n-----END PRIVATE KEY-----\nb";
        assert_eq!(blot(key, &token_spans(key)), format!("a {}\n****\n{}\nb", "*".repeat(27), "*".repeat(25)));
        let cut = "-----BEGIN X\n  cut=\nkey: a";
        assert_eq!(blot(cut, &token_spans(cut)), "************\n******\nkey: a");
    }

    #[test]
    fn a_literal_after_a_secret_key_is_masked_and_a_reference_is_not() {
        let mask = |text: &str| blot(text, &secret_spans(text));
        assert_eq!(mask("a: [\n  access_token: 0123abcd # x\nb: 1"), "a: [\n  access_token: ************\nb: 1");
        assert_eq!(mask("access_token: { env: TOKEN }"), "access_token: { env: TOKEN }");
        assert_eq!(mask("client_secret: \"shpss_é\""), "client_secret: **********");
    }
}
