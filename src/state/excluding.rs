//! Decides whether the same event can pass two filters.
//!
//! Only plain conjunctions are analysed (`field:value` terms, `AND`, `NOT`, a leading `-`). For any other filter, and
//! for a field that may have several values, the answer is that it can, so that double delivery is reported rather
//! than missed.

/// One term, such as `total_price:>=100`.
struct Term<'a> {
    negated: bool,
    field: &'a str,
    /// `>`, `>=`, `<`, `<=` or nothing.
    operator: &'a str,
    value: &'a str,
}

/// Whether no event can pass both filters. `None` means no filter, which every event passes.
pub(super) fn exclude_each_other(a: Option<&str>, b: Option<&str>) -> bool {
    let (Some(a), Some(b)) = (a.and_then(terms), b.and_then(terms)) else { return false };
    a.iter().any(|a| b.iter().any(|b| a.contradicts(b)))
}

/// Returns the terms of a plain conjunction; `None` for any other filter.
fn terms(filter: &str) -> Option<Vec<Term<'_>>> {
    let mut terms = Vec::new();
    let mut negated = false;
    let mut rest = filter.trim_start();
    while !rest.is_empty() {
        let mut quote = None;
        let end = rest.find(|c: char| {
            match quote {
                Some(open) if c == open => quote = None,
                None if matches!(c, '"' | '\'') => quote = Some(c),
                _ => {}
            }
            quote.is_none() && c.is_whitespace()
        });
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after.trim_start();
        if word == "AND" {
            continue;
        }
        if word == "NOT" {
            negated = !negated;
            continue;
        }
        let (minus, word) = word.strip_prefix('-').map_or((false, word), |word| (true, word));
        let (field, value) = word.split_once(':')?;
        let bare = value.trim_start_matches(['>', '<', '=']);
        let (operator, value) = value.split_at(value.len() - bare.len());
        let quoted = |quote: char| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
        let inner = quoted('"').or_else(|| quoted('\'')).unwrap_or(value);
        if word.contains(['(', ')', '\\']) || inner.is_empty() || inner.contains(['"', '\'']) {
            return None;
        }
        terms.push(Term { negated: negated != minus, field, operator, value: inner });
        negated = false;
    }
    Some(terms)
}

impl Term<'_> {
    fn contradicts(&self, other: &Self) -> bool {
        if self.field != other.field {
            return false;
        }
        match (self.negated, other.negated) {
            (true, true) => false,
            (false, false) => self.holds_one_value() && self.is_apart_from(other),
            _ => self.operator == other.operator && self.value == other.value,
        }
    }

    /// Whether the field has one value in a payload: it is not a path, which may contain a list, and not a plural.
    fn holds_one_value(&self) -> bool {
        !self.field.contains('.') && (!self.field.ends_with('s') || self.field.ends_with("status"))
    }

    fn is_apart_from(&self, other: &Self) -> bool {
        if let (Ok(a), Ok(b)) = (self.value.parse::<f64>(), other.value.parse::<f64>()) {
            return self.ends_below(other, a, b) || other.ends_below(self, b, a);
        }
        let exact = |term: &Self| term.operator.is_empty() && !term.value.contains('*');
        exact(self) && exact(other) && self.value != other.value
    }

    /// Whether all numbers that pass this term are below all numbers that pass the other.
    fn ends_below(&self, other: &Self, value: f64, other_value: f64) -> bool {
        let ends = self.operator.is_empty() || self.operator.starts_with('<');
        let starts = other.operator.is_empty() || other.operator.starts_with('>');
        let open = self.operator == "<" || other.operator == ">";
        ends && starts && (value < other_value || (open && value <= other_value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_exclude_each_other_only_if_it_is_certain() {
        for (a, b, expected) in [
            ("type:lookbook", "type:review", true),
            ("status:active AND vendor:x", "vendor:x status:'draft'", true),
            ("total_price:>=100", "total_price:<100", true),
            ("total_price:>100", "total_price:100.0", true),
            ("-tags:vip", "tags:vip", true),
            ("NOT tags:\"a b\"", "tags:\"a b\"", true),
            ("type:lookbook", "type:lookbook", false),
            ("type:look*", "type:review", false),
            ("total_price:>=100", "total_price:<=100", false),
            ("total_price:100", "total_price:100.0", false),
            ("total_price:>=100", "total_price:>=200", false),
            ("tags:a", "tags:b", false),
            ("variants.sku:a", "variants.sku:b", false),
            ("status:active OR id:*", "status:draft", false),
            ("(status:active)", "status:draft", false),
            ("-type:a", "-type:b", false),
            ("type:a", "vendor:b", false),
            ("bare", "type:b", false),
            ("type:a and id:1", "type:b", false),
        ] {
            assert_eq!(exclude_each_other(Some(a), Some(b)), expected, "{a} / {b}");
            assert_eq!(exclude_each_other(Some(b), Some(a)), expected, "{b} / {a}");
        }
        assert!(!exclude_each_other(None, Some("type:a")) && !exclude_each_other(None, None));
    }
}
