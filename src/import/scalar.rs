//! Single values as YAML.
//!
//! A string is written without quotes if every YAML 1.1 and 1.2 parser reads it as that string. Any other string is
//! quoted, with the escapes of JSON, which YAML also has.

use std::fmt::Write as _;

use serde_json::Value;

use crate::text::escape;

/// The maximum width of a line, where possible.
const WIDTH: usize = 118;

/// Words that some YAML parsers read as another type than a string.
const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];

/// Writes a value or a key.
pub(super) fn scalar(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"_./-".contains(&c))
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    if plain { text.to_owned() } else { quoted(text) }
}

/// Writes an address or a prefix without quotes, if possible. Not valid in flow style.
pub(super) fn address(text: &str) -> String {
    let known = ["https://", "pubsub://", "arn:aws:"].iter().any(|scheme| text.starts_with(scheme));
    // A colon at the end would turn it into a key.
    let plain = text.bytes().all(|c| c.is_ascii_alphanumeric() || b"_./-:?&=~%+".contains(&c)) && !text.ends_with(':');
    if known && plain { text.to_owned() } else { quoted(text) }
}

/// Writes a string in double quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // `##[` is a command to CI runners, so the second `#` is escaped; the value stays the same.
            c if hidden(c) || (c == '#' && out.ends_with('#')) => {
                let code = u32::from(c);
                // Writing to a String cannot fail.
                let _ = if code > 0xffff { write!(out, "\\U{code:08x}") } else { write!(out, "\\u{code:04x}") };
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether a character is not printable in YAML, or is invisible to a reader.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0x61c | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfdd0..=0xfdef)
        || u32::from(c) & 0xfffe == 0xfffe
}

/// Writes a list of strings, on one line if it fits after `used` columns.
pub(super) fn list(items: &[&str], used: usize) -> String {
    joined(&items.iter().map(|item| scalar(item)).collect::<Vec<_>>(), used)
}

/// Writes a list of strings on one line.
pub(super) fn on_a_line(items: &[&str]) -> String {
    format!("[{}]", items.iter().map(|item| scalar(item)).collect::<Vec<_>>().join(", "))
}

/// Writes a list of YAML values, on one line if it fits after `used` columns.
pub(super) fn joined(items: &[String], used: usize) -> String {
    let line = format!("[{}]", items.join(", "));
    if used + line.chars().count() <= WIDTH {
        return line;
    }
    let indent = " ".repeat(used);
    let mut out = String::from("[");
    let mut column = used + 1;
    for (at, item) in items.iter().enumerate() {
        let width = item.chars().count() + 2;
        if at > 0 {
            out.push(',');
            if column + width > WIDTH {
                let _ = write!(out, "\n{indent} ");
                column = used + 1;
            } else {
                out.push(' ');
            }
        }
        out.push_str(item);
        column += width;
    }
    out.push(']');
    out
}

/// Writes a value on one line, without keys whose value is null.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let pairs = map.iter().filter(|(_, value)| !value.is_null());
            let pairs: Vec<String> = pairs.map(|(key, value)| format!("{}: {}", scalar(key), flow(value))).collect();
            if pairs.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", pairs.join(", ")) }
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// Escapes a text for a comment, so that it stays on one line.
pub(super) fn comment(text: &str) -> String {
    escape(text).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_strings_in_every_parser_are_written_without_quotes() {
        for text in ["orders/create", "commerce", "custom.size", "BRAND_NEW_TOPIC", "a-b_c", "none", "e1.5"] {
            assert_eq!(scalar(text), text);
        }
        for (text, yaml) in [
            ("", r#""""#),
            ("yes", r#""yes""#),
            ("No", r#""No""#),
            ("NULL", r#""NULL""#),
            ("1e3", r#""1e3""#),
            ("0x1f", r#""0x1f""#),
            ("~", r#""~""#),
            (".inf", r#"".inf""#),
            ("*alias", r#""*alias""#),
            ("&anchor", r#""&anchor""#),
            ("a: b", r#""a: b""#),
            ("a #b", r#""a #b""#),
            ("{{x}}", r#""{{x}}""#),
            ("$app:x", r#""$app:x""#),
            ("a\nb\t\"\\", r#""a\nb\t\"\\""#),
            ("\u{0}\u{85}\u{2028}\u{202e}\u{feff}\u{fffe}", r#""\u0000\u0085\u2028\u202e\ufeff\ufffe""#),
            ("\u{1fffe}", r#""\U0001fffe""#),
            ("größe 😀", r#""größe 😀""#),
        ] {
            assert_eq!(scalar(text), yaml);
        }
        assert_eq!(address("https://x.example/a?b=c%20"), "https://x.example/a?b=c%20");
        for text in ["https://x.example/a b", "https://x.example/#a", "pubsub://p:", "kafka://x", "https://x/[a]"] {
            assert!(address(text).starts_with('"'), "{text}");
        }
    }

    #[test]
    fn long_lists_are_broken() {
        let items: Vec<String> = (0..30).map(|n| format!("topic_{n}/create")).collect();
        let items: Vec<&str> = items.iter().map(String::as_str).collect();
        let text = list(&items, 14);
        assert!(text.lines().count() > 3 && text.lines().all(|line| line.len() <= 120), "{text}");
        let read: Vec<String> = serde_yaml::from_str(&text).expect("YAML");
        assert_eq!(read, items);
    }

    proptest! {
        #[test]
        fn written_strings_are_read_unchanged(text in any::<String>(), other in "[\\PC\n\t:#{}\\[\\]&*!|>'\"%@`~ -]{0,20}") {
            let line = format!("{}: [{}, {}]\n", scalar(&other), scalar(&text), flow(&Value::String(other.clone())));
            let read: std::collections::BTreeMap<String, Vec<String>> = serde_yaml::from_str(&line).expect("YAML");
            prop_assert_eq!(read, [(other.clone(), vec![text, other])].into());
        }

        #[test]
        fn written_addresses_are_read_unchanged(text in "(https://|pubsub://|arn:aws:|)[\\PC :#?&=]{0,20}") {
            let read: Vec<String> = serde_yaml::from_str(&format!("- {}\n", address(&text))).expect("YAML");
            prop_assert_eq!(read, vec![text]);
        }
    }
}
