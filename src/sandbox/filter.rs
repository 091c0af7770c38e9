//! The rules for filters in Shopify's search syntax. Pure.

use super::rules::MAX_TEXT;

const BAD_FILTER: &str =
    "The specified filter is invalid, please ensure you specify the field(s) you wish to filter on.";

/// Returns the message of an invalid filter. `needs_type`: the filter must select a `type`.
pub(super) fn check(filter: Option<&str>, needs_type: bool) -> Option<&'static str> {
    let text = filter.unwrap_or_default();
    if text.len() > MAX_TEXT {
        return Some("The specified filter exceeds the maximum allowed size.");
    }
    let Some(fields) = filtered_fields(text) else { return Some(BAD_FILTER) };
    // The rule is documented for metaobjects; its message is assumed.
    let untyped = needs_type
        && !fields.iter().any(|&(field, value)| field == "type" && !value.is_empty() && !value.contains(['*', '$']));
    untyped.then_some(BAD_FILTER)
}

/// Returns the fields and values of a filter in Shopify's search syntax, or `None` if a term has no field.
fn filtered_fields(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut fields = Vec::new();
    for term in terms(text)? {
        let bare = term.trim_start_matches(['(', '-']).trim_end_matches(')');
        if bare.is_empty() && !term.contains('-') || ["AND", "OR", "NOT"].contains(&bare) {
            continue;
        }
        let (field, value) = bare.split_once(':')?;
        let named = !field.is_empty() && field.bytes().all(|c| c.is_ascii_alphanumeric() || b"_.-[]".contains(&c));
        let given = value.trim_start().trim_start_matches(['>', '<', '=']);
        if !named || given.starts_with(char::is_whitespace) || given.is_empty() {
            return None;
        }
        fields.push((field, given.trim_matches(['"', '\''])));
    }
    Some(fields)
}

/// Splits a filter at spaces. Spaces in quotes, in the parentheses of a value and after a colon do not split. Returns `None`
/// if a quote or a parenthesis is not closed or is in an invalid place.
fn terms(text: &str) -> Option<Vec<&str>> {
    let (mut terms, mut start, mut quote, mut in_value, mut depth) = (Vec::new(), 0, None, 0_usize, 0_usize);
    // The last character that is neither a space nor a comparison, whether the next character is escaped, whether a quoted
    // or grouped value has just ended, and whether a group of terms has just ended.
    let (mut last, mut escaped, mut ended, mut closed) = (' ', false, false, false);
    for (at, c) in text.char_indices() {
        let was_escaped = std::mem::replace(&mut escaped, false);
        let had_ended = std::mem::replace(&mut ended, false);
        if let Some(open) = quote {
            escaped = c == '\\' && !was_escaped;
            if c == open && !was_escaped {
                quote = None;
                ended = in_value == 0;
                last = c;
            }
            continue;
        }
        if had_ended && !c.is_whitespace() && c != ')' {
            return None;
        }
        if std::mem::replace(&mut closed, false) && c != ')' {
            terms.push(&text[start..at]);
            start = at;
        }
        let term = &text[start..at];
        match c {
            '"' | '\'' if last == ':' || in_value > 0 => quote = Some(c),
            '(' if last == ':' || in_value > 0 => in_value += 1,
            ')' if in_value > 0 => {
                in_value -= 1;
                ended = in_value == 0;
            }
            '(' => {
                if ["AND", "OR", "NOT"].contains(&term.trim_start_matches(['(', '-'])) {
                    terms.push(term);
                    start = at;
                } else if !term.bytes().all(|c| c == b'(' || c == b'-') {
                    return None;
                }
                depth += 1;
            }
            ')' => {
                depth = depth.checked_sub(1)?;
                closed = true;
            }
            _ if c.is_whitespace() && in_value == 0 && last != ':' => {
                terms.push(term);
                start = at + c.len_utf8();
                last = ' ';
            }
            _ => {}
        }
        let comparison = last == ':' && ['>', '<', '='].contains(&c);
        if !c.is_whitespace() && !comparison {
            // A second colon belongs to the value.
            last = if c == ':' && term.contains(':') { '_' } else { c };
        }
    }
    terms.push(&text[start..]);
    (quote.is_none() && in_value == 0 && depth == 0).then_some(terms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_of_a_filter_needs_a_field() {
        let fine = |text| check(Some(text), false).is_none();
        for text in [
            "",
            "customer_id:1",
            "a:1 AND (b:>=2 OR NOT c:\"x y\")",
            "-status:open tags:(red OR blue)",
            "variants.price:<10",
            "email:*@example.com",
            "status: open",
        ] {
            assert!(fine(text), "{text}");
        }
        for text in ["totally bogus syntax", "a:1 bare", "\"quoted\"", "a:\"open", "(a:1", "a:1)", ":x", "a:"] {
            assert!(!fine(text), "{text}");
        }
        assert!(check(Some("type:lookbook"), true).is_none());
        for text in [None, Some(""), Some("handle:x"), Some("type:*"), Some("type:$app:x")] {
            assert_eq!(check(text, true), Some(BAD_FILTER), "{text:?}");
        }
        assert_eq!(
            check(Some(&"a".repeat(MAX_TEXT + 1)), false).map(|t| t.contains("maximum allowed size")),
            Some(true)
        );
    }
}
