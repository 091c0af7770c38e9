//! What is known of Shopify's filter syntax, enough to refuse what Shopify would refuse.
//!
//! Shopify refuses a term without its field (recorded: "please ensure you specify the field(s)") and a filter past
//! 65,535 bytes. It accepts unknown fields; then nothing is ever delivered.

/// Longest filter in bytes.
pub(super) const LONGEST: usize = 65_535;

/// One `field:value`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Term<'a> {
    pub(super) field: &'a str,
    pub(super) value: &'a str,
}

/// Why a filter would be refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FilterError<'a> {
    BareWord(&'a str),
    NoValue(&'a str),
    OpenQuote,
    Parentheses,
}

/// Takes a filter apart into its terms.
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
            '-' if rest.len() > 1 => rest = &rest[1..],
            _ => {
                let end = rest.find([' ', '\t', '\n', '\r', '(', ')', ':']).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                if let Some(after) = after.strip_prefix(':') {
                    let (value, after) = value(word, after)?;
                    terms.push(Term { field: word, value });
                    rest = after;
                } else if ["and", "or", "not"].iter().any(|joint| word.eq_ignore_ascii_case(joint)) {
                    rest = after;
                } else {
                    return Err(FilterError::BareWord(word));
                }
            }
        }
        rest = rest.trim_start();
    }
    if depth > 0 { Err(FilterError::Parentheses) } else { Ok(terms) }
}

/// The value after a colon, and what follows it.
fn value<'a>(field: &'a str, text: &'a str) -> Result<(&'a str, &'a str), FilterError<'a>> {
    if field.is_empty() {
        return Err(FilterError::BareWord(":"));
    }
    let text = text.trim_start_matches(['>', '<', '=']).trim_start_matches(' ');
    if let Some(quote @ ('"' | '\'')) = text.chars().next() {
        let inner = &text[1..];
        let mut escaped = false;
        for (at, c) in inner.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                c if c == quote => return Ok((&inner[..at], &inner[at + 1..])),
                _ => {}
            }
        }
        return Err(FilterError::OpenQuote);
    }
    if text.starts_with('(') {
        let end = text.find(')').ok_or(FilterError::Parentheses)?;
        return Ok((&text[1..end], &text[end + 1..]));
    }
    let end = text.find([' ', '\t', '\n', '\r', ')']).unwrap_or(text.len());
    if end == 0 { Err(FilterError::NoValue(field)) } else { Ok(text.split_at(end)) }
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
        assert_eq!(fields("customer_id:gid://shopify/Customer/1"), ["customer_id"]);
    }

    #[test]
    fn what_shopify_refuses_is_refused() {
        // The first two are recorded.
        assert_eq!(terms("totally bogus syntax"), Err(FilterError::BareWord("totally")));
        assert_eq!(terms("customer_id:10886423675186 bareword"), Err(FilterError::BareWord("bareword")));
        assert_eq!(terms("email:"), Err(FilterError::NoValue("email")));
        assert_eq!(terms("email:\"x"), Err(FilterError::OpenQuote));
        assert_eq!(terms("(email:x"), Err(FilterError::Parentheses));
        assert_eq!(terms("email:x)"), Err(FilterError::Parentheses));
        assert_eq!(terms("é"), Err(FilterError::BareWord("é")));
    }
}
