//! The words of a body that is not the expected one. Pure.

use serde_json::Value;

use super::redact::Redactor;

/// Whether a body looks like a page of HTML.
pub(crate) fn looks_like_html(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

/// Quotes a server's words in brackets, cleaned; empty without words.
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

/// Returns the words of an error body: `{"errors": "text"}`, `{"errors": {"field": ["a"]}}`, `{"errors": {"field": "a"}}`,
/// `{"errors": ["a"]}`, `{"errors": [{"message": "a"}]}`, `{"error": "x", "error_description": "y"}`, an HTML page's
/// title, or the text itself.
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
    // Searched in lower case; ASCII folding keeps the positions.
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
    fn every_documented_shape_of_error_body_is_read() {
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
