//! Placeholders of templates and shells in addresses, which Hookwright does not replace.

use super::is_uuid;

/// Returns the first placeholder: `{{ … }}`, `{% … %}`, `${…}`, `$(…)`, `<…>`, `{name}` or `%s`. Characters that a URL
/// may contain for other reasons do not count: JSON and ids in braces, and percent-encoding.
pub(in crate::manifest) fn placeholder(text: &str) -> Option<&str> {
    let pairs = [("{{", "}}"), ("{%", "%}"), ("${", "}"), ("$(", ")"), ("<", ">")];
    pairs
        .into_iter()
        .find_map(|(open, close)| enclosed(text, open, close))
        .or_else(|| braces(text))
        .or_else(|| percent(text))
}

fn enclosed<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let start = text.find(open)?;
    let end = text[start + open.len()..].find(close)?;
    Some(&text[start..start + open.len() + end + close.len()])
}

fn braces(text: &str) -> Option<&str> {
    text.match_indices('{').find_map(|(start, _)| {
        let inner = &text[start + 1..][..text[start + 1..].find('}')?];
        let name = inner.trim();
        let named = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|c| c.is_ascii_alphanumeric() || b"_-.".contains(&c));
        (named && !is_uuid(name)).then(|| &text[start..=start + 1 + inner.len()])
    })
}

fn percent(text: &str) -> Option<&str> {
    let (start, found) =
        text.match_indices("%s").find(|(at, _)| !text[at + 2..].starts_with(|c: char| c.is_ascii_alphanumeric()))?;
    Some(&text[start..start + found.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_found_and_ordinary_url_characters_are_not() {
        for (text, found) in [
            ("https://x.example/{shop}", "{shop}"),
            ("https://{SHOP}.x.example/", "{SHOP}"),
            ("https://x.example/?s={ shop.name }", "{ shop.name }"),
            ("https://${HOST}/x", "${HOST}"),
            ("https://x.example/$(id)", "$(id)"),
            ("https://x.example/{{ .Values.id }}/{shop}", "{{ .Values.id }}"),
            ("https://x.example/{% if a %}", "{% if a %}"),
            ("https://dcs.adobedc.net/collection/<your id>", "<your id>"),
            ("https://x.example/%s/hooks", "%s"),
            ("https://x.example/?a=%s", "%s"),
            ("pubsub://{project}:orders", "{project}"),
        ] {
            assert_eq!(placeholder(text), Some(found), "{text}");
        }
        for text in [
            "https://x.example/a?b=[c]&d=%7Bshop%7D",
            "https://x.example/?filter={\"a\":1}&$top=5",
            "https://x.example/?id={6F9619FF-8B86-D011-B42D-00CF4FC964FF}",
            "https://x.example/?id={a6bb0df0-3f9e-4a4a-9d0e-0123456789ab}",
            "https://x.example/?sale=50%sale&x=%5Bs%5D",
            "https://x.example/?a={&b=}",
            "https://x.example/?a=1>0&b=2",
            "pubsub://my-project:cats%25dogs",
        ] {
            assert_eq!(placeholder(text), None, "{text}");
        }
    }
}
