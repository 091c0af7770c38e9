//! Markup that cannot be broken out of: text becomes [`Html`] by being escaped, and templates are filled in one pass,
//! so that what is filled in is never read as a template again. Knows nothing of plans.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// Finished markup. Text gets in through [`Html::text`] or [`painted`] alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Html(String);

impl Html {
    /// Text as text, in an element or in a quoted attribute.
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

    /// Markup of our own, such as a style sheet.
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

/// Puts values in the place of `{{name}}`. A name without a value stands for nothing.
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

/// JSON for a `<script type="application/json">`: inside of strings, and JSON has these nowhere else, every character
/// that HTML or an old JavaScript could act on is written as `\u….`.
pub(super) fn island(data: &impl Serialize) -> Html {
    // The data are strings, numbers and lists of our own; writing them cannot fail.
    let json = serde_json::to_string(data).unwrap_or_default();
    let mut out = String::with_capacity(json.len() + json.len() / 16);
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    Html(out)
}

/// The source expression of a Content-Security-Policy that allows exactly this inline text.
pub(super) fn csp_hash(text: &str) -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)))
}

/// Terminal text, a `div` for each line with its indentation as a class, and with the colours of `Ink` as spans.
/// Whoever wrote the text has escaped control characters, so that every escape sequence in it is ours; none of them
/// goes past the end of its line.
pub(super) fn painted(text: &str) -> Html {
    let mut out = String::with_capacity(text.len() + text.len() / 2);
    for line in text.lines() {
        // The style sheet knows the even ones up to eight.
        match line.len() - line.trim_start_matches(' ').len() {
            0 | 1 => out.push_str("<div>"),
            indent => {
                let _ = write!(out, "<div class=\"i{}\">", indent.min(8) / 2 * 2);
            }
        }
        paint_line(&mut out, line);
        out.push_str("</div>\n");
    }
    Html(out)
}

fn paint_line(out: &mut String, line: &str) {
    let mut open = false;
    let mut parts = line.split('\u{1b}');
    out.push_str(&Html::text(parts.next().unwrap_or_default()).0);
    for part in parts {
        let Some((code, text)) = part.strip_prefix('[').and_then(|part| part.split_once('m')) else {
            out.push_str(&Html::text(part).0);
            continue;
        };
        if std::mem::take(&mut open) {
            out.push_str("</span>");
        }
        let class = match code {
            "32" => "create",
            "33" => "update",
            "31" => "delete",
            "1" => "strong",
            "2" => "faint",
            _ => "",
        };
        if !class.is_empty() {
            let _ = write!(out, "<span class=\"{class}\">");
            open = true;
        }
        out.push_str(&Html::text(text).0);
    }
    if open {
        out.push_str("</span>");
    }
}
