//! Builds markup that text cannot break out of: [`Html`] holds escaped text, and templates are filled in one pass, so that
//! values are not read as templates. This module does not depend on plans.

use std::fmt::Write as _;
use std::io;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use serde_json::ser::CharEscape;
use sha2::{Digest as _, Sha256};

use crate::render::document::{Ink, Span};
use crate::render::escape;

/// Finished markup. Only [`Html::text`] and [`line`] convert text to markup, and both escape it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Html(String);

impl Html {
    /// Escapes text for an element or a quoted attribute.
    pub(super) fn text(text: &str) -> Self {
        let mut out = String::with_capacity(text.len() + 16);
        for c in text.chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#39;"),
                c => out.push(c),
            }
        }
        Self(out)
    }

    /// Returns markup from a constant, such as a style sheet.
    pub(super) fn own(markup: &'static str) -> Self {
        Self(markup.to_owned())
    }

    pub(super) fn join(parts: impl IntoIterator<Item = Html>) -> Self {
        Self(parts.into_iter().map(|part| part.0).collect())
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// Replaces `{{name}}` by its value, or by nothing if it has none.
pub(super) fn fill(template: &str, values: &[(&str, &Html)]) -> Html {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, after)) = after.split_once("}}") else { break };
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
            out.push_str(&value.0);
        }
        rest = after;
    }
    out.push_str(rest);
    Html(out)
}

/// Returns JSON for a `<script type="application/json">`, with its strings escaped.
pub(super) fn island(data: &impl Serialize) -> Html {
    let mut out = Vec::new();
    let mut json = serde_json::Serializer::with_formatter(&mut out, Island);
    // The data are strings, numbers and lists, and writing them to memory cannot fail.
    let _ = data.serialize(&mut json);
    Html(String::from_utf8(out).unwrap_or_default())
}

/// Formats compact JSON whose strings are escaped as in all outputs. Characters with a meaning in HTML are written as `\u…`.
struct Island;

impl serde_json::ser::Formatter for Island {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        let text = escape(text).replace('\\', "\\\\");
        let mut rest = text.as_str();
        while let Some(at) = rest.find(['<', '>', '&']) {
            write!(out, "{}\\u{:04x}", &rest[..at], rest.as_bytes()[at])?;
            rest = &rest[at + 1..];
        }
        out.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + io::Write>(&mut self, out: &mut W, escaped: CharEscape) -> io::Result<()> {
        let control = match escaped {
            CharEscape::Quote => return out.write_all(b"\\\""),
            CharEscape::ReverseSolidus => return out.write_all(b"\\\\"),
            CharEscape::Solidus => return out.write_all(b"/"),
            CharEscape::Backspace => 8,
            CharEscape::Tab => 9,
            CharEscape::LineFeed => 10,
            CharEscape::FormFeed => 12,
            CharEscape::CarriageReturn => 13,
            CharEscape::AsciiControl(byte) => byte,
        };
        write!(out, "\\\\u{{{control:x}}}")
    }
}

/// Returns the source expression of a Content-Security-Policy that allows exactly this inline text.
pub(super) fn csp_hash(text: &str) -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)))
}

/// Returns one line of the text as a `div`, with its indentation as a class and its colours as spans.
pub(super) fn line(indent: usize, spans: &[Span]) -> Html {
    let mut out = match indent {
        0 | 1 => "<div>".to_owned(),
        // The style sheet has classes for even indentations up to eight.
        indent => format!("<div class=\"i{}\">{:indent$}", indent.min(8) / 2 * 2, ""),
    };
    for Span { ink, text } in spans {
        let text = Html::text(text).0;
        let class = match ink {
            Some(_) if text.is_empty() => continue,
            Some(Ink::Added) => "create",
            Some(Ink::Changed) => "update",
            Some(Ink::Removed) => "delete",
            Some(Ink::Strong) => "strong",
            Some(Ink::Faint) => "faint",
            None => {
                out.push_str(&text);
                continue;
            }
        };
        // Writing to a String cannot fail.
        let _ = write!(out, "<span class=\"{class}\">{text}</span>");
    }
    out.push_str("</div>\n");
    Html(out)
}
