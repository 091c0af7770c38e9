//! The `Link` header: `<https://…?page_info=…>; rel="next"`. Pure.

use url::form_urlencoded;

/// The cursor of the next page, if the header names one.
pub(super) fn next(header: &str) -> Option<String> {
    // A URL holds no `<`; what stands before the first one is the end of the link before.
    header.split('<').skip(1).find_map(|link| {
        let (url, parameters) = link.split_once('>')?;
        let is_next = parameters.split([';', ',']).any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            let relations = value.trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel") && relations.split(' ').any(|r| r.eq_ignore_ascii_case("next"))
        });
        let query = url.split_once('?').filter(|_| is_next)?.1;
        let query = query.split('#').next().unwrap_or_default();
        let cursor = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "page_info")?.1;
        Some(cursor.into_owned()).filter(|cursor| !cursor.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_of_the_next_page_is_taken_and_nothing_else() {
        for (header, cursor) in [
            ("<https://a.myshopify.com/x.json?limit=250&page_info=ab%2Bc>; rel=\"next\"", Some("ab+c")),
            ("<https://a/x?page_info=p>; rel=\"previous\", <https://evil/x?page_info=n>; rel=next", Some("n")),
            ("<https://a/x?page_info=a,b;c>; title=\"x\"; REL=\"last NEXT\"", Some("a,b;c")),
            ("<https://a/x?page_info=p>; rel=\"previous\"", None),
            ("<https://a/x?page_info=>; rel=\"next\"", None),
            ("<https://a/x>; rel=\"next\"", None),
            ("<https://a/x?page_info=p", None),
            ("", None),
        ] {
            assert_eq!(next(header).as_deref(), cursor, "{header}");
        }
    }
}
