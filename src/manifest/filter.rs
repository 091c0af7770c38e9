//! The known part of Shopify's filter syntax, which is enough to reject what Shopify rejects.
//!
//! Shopify rejects a term without a field (recorded: "please ensure you specify the field(s)") and a filter of more
//! than 65,535 bytes. It accepts unknown fields; then it delivers nothing.

/// The maximum length of a filter, in bytes.
pub(super) const LONGEST: usize = 65_535;

/// One `field:value` term.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Term<'a> {
    pub(super) field: &'a str,
    pub(super) value: &'a str,
}

/// Why Shopify would reject a filter.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FilterError<'a> {
    BareWord(&'a str),
    /// A connective in lower case, which Shopify reads as a term.
    SmallConnective(&'a str),
    /// The name of a field is invalid.
    BadField(&'a str),
    NoValue(&'a str),
    OpenQuote,
    Parentheses,
}

/// Splits a filter into its terms.
pub(super) fn terms(filter: &str) -> Result<Vec<Term<'_>>, FilterError<'_>> {
    let mut terms = Vec::new();
    let mut depth = 0_usize;
    let mut rest = filter.trim_start();
    while let Some(c) = rest.chars().next() {
        match c {
            '(' => {
                depth += 1;
                rest = &rest[1..];
            }
            ')' => {
                depth = depth.checked_sub(1).ok_or(FilterError::Parentheses)?;
                rest = &rest[1..];
            }
            '-' if rest[1..].starts_with(|c: char| !c.is_whitespace() && c != ')') => rest = &rest[1..],
            _ => {
                let end = rest.find(|c: char| c.is_whitespace() || "():".contains(c)).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                if let Some(after) = after.strip_prefix(':') {
                    let (value, after) = value(field(word)?, after)?;
                    terms.push(Term { field: word, value });
                    rest = after;
                } else if ["AND", "OR", "NOT"].contains(&word) {
                    rest = after;
                } else if ["and", "or", "not"].iter().any(|joint| word.eq_ignore_ascii_case(joint)) {
                    return Err(FilterError::SmallConnective(word));
                } else {
                    return Err(FilterError::BareWord(word));
                }
            }
        }
        rest = rest.trim_start();
    }
    if depth > 0 { Err(FilterError::Parentheses) } else { Ok(terms) }
}

/// Parses the name of a field, a dotted path.
fn field(word: &str) -> Result<&str, FilterError<'_>> {
    if word.is_empty() {
        return Err(FilterError::BareWord(":"));
    }
    let named = word.bytes().all(|c| c.is_ascii_alphanumeric() || b"_.-[]".contains(&c));
    if named { Ok(word) } else { Err(FilterError::BadField(word)) }
}

/// Splits a text after a colon into the value and the rest.
fn value<'a>(field: &'a str, text: &'a str) -> Result<(&'a str, &'a str), FilterError<'a>> {
    let text = text.trim_start().trim_start_matches(['>', '<', '=']);
    let (value, after) = match text.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let end = quoted(&text[1..], quote).ok_or(FilterError::OpenQuote)?;
            (&text[1..=end], &text[end + 2..])
        }
        Some('(') => {
            let end = group(&text[1..])?;
            (&text[1..=end], &text[end + 2..])
        }
        _ => {
            let end = text.find(|c: char| c.is_whitespace() || c == ')').unwrap_or(text.len());
            let (value, after) = text.split_at(end);
            return match value {
                "" => Err(FilterError::NoValue(field)),
                value if value.contains('(') => Err(FilterError::Parentheses),
                value => Ok((value, after)),
            };
        }
    };
    if after.starts_with(|c: char| !c.is_whitespace() && c != ')') {
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        return Err(FilterError::BareWord(&after[..end]));
    }
    Ok((value, after))
}

/// Returns the offset of the closing quote; a backslash escapes the next character.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let closes = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(at)
    })
}

/// Returns the offset of the parenthesis that closes a group of values.
fn group<'a>(text: &str) -> Result<usize, FilterError<'a>> {
    let (mut depth, mut at) = (1_usize, 0);
    while let Some(c) = text[at..].chars().next() {
        match c {
            '"' | '\'' => at += 1 + quoted(&text[at + 1..], c).ok_or(FilterError::OpenQuote)?,
            '(' => depth += 1,
            ')' if depth == 1 => return Ok(at),
            ')' => depth -= 1,
            _ => {}
        }
        at += c.len_utf8();
    }
    Err(FilterError::Parentheses)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(filter: &str) -> Vec<&str> {
        terms(filter).expect("filter").into_iter().map(|term| term.field).collect()
    }

    #[test]
    fn every_term_has_a_field() {
        assert_eq!(fields("email:*@example.com"), ["email"]);
        assert_eq!(fields("id:* AND (total_price:>=10.5 OR -tags:\"a b:c\")"), ["id", "total_price", "tags"]);
        assert_eq!(fields("variants.price:>=10 NOT status:(active OR draft)"), ["variants.price", "status"]);
        assert_eq!(fields("tags:(\"a)\" OR (b c)) x:>'1 2' y: 3"), ["tags", "x", "y"]);
        assert_eq!(fields("customer_id:gid://shopify/Customer/1"), ["customer_id"]);
    }

    #[test]
    fn filters_that_shopify_rejects_are_rejected() {
        // The first two are recorded.
        assert_eq!(terms("totally bogus syntax"), Err(FilterError::BareWord("totally")));
        assert_eq!(terms("customer_id:10886423675186 bareword"), Err(FilterError::BareWord("bareword")));
        assert_eq!(terms("email:"), Err(FilterError::NoValue("email")));
        assert_eq!(terms("email:\"x"), Err(FilterError::OpenQuote));
        assert_eq!(terms("(email:x"), Err(FilterError::Parentheses));
        assert_eq!(terms("email:x)"), Err(FilterError::Parentheses));
        assert_eq!(terms("é"), Err(FilterError::BareWord("é")));
        assert_eq!(terms("a:1 and b:2"), Err(FilterError::SmallConnective("and")));
        assert_eq!(terms("\"a:b\""), Err(FilterError::BadField("\"a")));
        assert_eq!(terms("a:\"x\"y"), Err(FilterError::BareWord("y")));
        assert_eq!(terms("a:x(y)"), Err(FilterError::Parentheses));
    }
}
