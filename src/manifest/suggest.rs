//! Suggestions for misspelt words ("did you mean …?").

use strsim::damerau_levenshtein;

/// Returns the candidate that was probably meant: a known synonym, or the closest one.
pub(super) fn key<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    if let Some(meant) = synonym(word).and_then(|meant| candidates.iter().find(|c| **c == meant)) {
        return Some(meant);
    }
    closest(word, candidates.iter().copied())
}

/// Returns the candidate with the smallest edit distance to the word, at most a third of its length.
pub(crate) fn closest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = plain(word);
    let allowed = (plain.chars().count() / 3).clamp(1, 4);
    candidates
        .map(|candidate| (damerau_levenshtein(&plain, &self::plain(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Converts a word to snake_case.
fn plain(word: &str) -> String {
    let mut out = String::with_capacity(word.len() + 4);
    let mut before = ' ';
    for c in word.chars().take(200) {
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            out.push('_');
        }
        before = c;
        out.push(if matches!(c, '-' | ' ' | '.') { '_' } else { c.to_ascii_lowercase() });
    }
    out
}

/// Returns the key of a manifest for a name that Shopify, its CLI or users give it.
fn synonym(word: &str) -> Option<&'static str> {
    Some(match plain(word).as_str() {
        "uri" | "url" | "callback_url" | "endpoint" => "address",
        "fields" => "include_fields",
        "namespaces" | "private_metafield_namespaces" => "metafield_namespaces",
        "domain" | "shop_domain" | "store" | "myshopify_domain" => "shop",
        "webhooks" | "subscriptions" => "bindings",
        "sets" => "binding_sets",
        "api_version" => "version",
        "token" => "access_token",
        "prefixes" => "address_prefixes",
        "stores" => "shops",
        "access_scopes" | "scope" => "scopes",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_not_guessed() {
        assert_eq!(closest("HW999", ["HW100", "HW109"].into_iter()), None);
        assert_eq!(closest("HW10", ["HW100"].into_iter()), Some("HW100"));
        assert_eq!(closest("hw-100", ["HW100"].into_iter()), Some("HW100"));
    }

    #[test]
    fn typing_errors_and_synonyms_are_recognised_and_unrelated_words_are_not() {
        let keys = ["topic", "topics", "destination", "address", "include_fields", "name"];
        for (word, meant) in [
            ("topik", Some("topic")),
            ("includeFields", Some("include_fields")),
            ("include-fields", Some("include_fields")),
            ("fields", Some("include_fields")),
            ("uri", Some("address")),
            ("Name", Some("name")),
            ("frobnicate", None),
            ("x", None),
        ] {
            assert_eq!(key(word, &keys), meant, "{word}");
        }
    }
}
