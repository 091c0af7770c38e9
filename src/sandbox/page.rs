//! Lists of subscriptions: filtering, Shopify's search syntax for `query`, and cursors.

use std::cmp::Ordering;

use crate::model::Format;

use super::objects::number;
use super::store::StoredShop;
use super::subscription::Subscription;

/// The maximum size of a page.
pub(super) const MAX_PAGE: usize = 250;

/// How a fault shifts the pages of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageShift {
    /// The maximum number of entries on a page.
    pub(super) size: usize,
    /// By how many entries the start of each page after the first is shifted.
    pub(super) by: i64,
}

impl PageShift {
    /// The shifted start of a page that would start at `start`, in a list of `count` entries.
    pub(super) fn start(self, start: usize, count: usize) -> usize {
        start.saturating_add_signed(isize::try_from(self.by).unwrap_or_default()).min(count)
    }
}

/// The filters, order and page of a list request.
#[derive(Debug, Default)]
pub(super) struct ListQuery {
    pub(super) topics: Option<Vec<String>>,
    pub(super) uri: Option<String>,
    pub(super) format: Option<Format>,
    pub(super) query: Option<String>,
    pub(super) by_id: bool,
    pub(super) reverse: bool,
    pub(super) first: Option<usize>,
    pub(super) last: Option<usize>,
    pub(super) after: Option<String>,
    pub(super) before: Option<String>,
    pub(super) shift: Option<PageShift>,
}

/// One page.
pub(super) struct Page<'a> {
    pub(super) items: Vec<&'a Subscription>,
    pub(super) has_next: bool,
    pub(super) has_previous: bool,
    by_id: bool,
}

impl Page<'_> {
    /// The opaque cursor: base64 of JSON, as with Shopify (recorded).
    pub(super) fn cursor(&self, s: &Subscription) -> String {
        let value = if self.by_id { s.id.to_string() } else { s.created_at.clone() };
        base64(&format!(r#"{{"last_id":{},"last_value":"{value}"}}"#, s.id))
    }
}

/// All matching subscriptions, in order.
pub(super) fn matching<'a>(shop: &'a StoredShop, query: &ListQuery) -> Vec<&'a Subscription> {
    let mut found = shop.by_creation();
    found.retain(|s| {
        query.topics.as_ref().is_none_or(|topics| topics.contains(&s.topic))
            && query.uri.as_ref().is_none_or(|uri| *uri == s.uri)
            && query.format.is_none_or(|format| format == s.format)
            && query.query.as_ref().is_none_or(|search| matches(s, search))
    });
    if query.by_id {
        found.sort_by_key(|s| s.id);
    }
    if query.reverse {
        found.reverse();
    }
    found
}

/// Returns the requested page. `Err` is Shopify's message.
pub(super) fn page<'a>(shop: &'a StoredShop, query: &ListQuery) -> Result<Page<'a>, String> {
    if query.first.is_none() && query.last.is_none() {
        return Err("you must provide one of first or last".into());
    }
    for (name, size) in [("first", query.first), ("last", query.last)] {
        if size.is_some_and(|size| size > MAX_PAGE) {
            return Err(format!("{name} cannot exceed {MAX_PAGE}"));
        }
    }
    let all = matching(shop, query);
    let key = |s: &Subscription| (if query.by_id { String::new() } else { s.created_at.clone() }, s.id);
    let order = |s: &Subscription, cursor: &(String, u64)| {
        let order = key(s).cmp(cursor);
        if query.reverse { order.reverse() } else { order }
    };
    let cursor = |text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => decode(text, query.by_id).map(Some).ok_or("Invalid cursor for current pagination sort."),
    };
    let (after, before) = (cursor(&query.after)?, cursor(&query.before)?);
    let begin = |c| {
        let start = all.partition_point(|s| order(s, &c) != Ordering::Greater);
        query.shift.map_or(start, |shift| shift.start(start, all.len()))
    };
    let start = after.map_or(0, begin);
    let end = before.map_or(all.len(), |c| all.partition_point(|s| order(s, &c) == Ordering::Less)).max(start);
    let (mut from, mut to) = (start, end);
    if let Some(first) = query.first {
        to = to.min(from + query.shift.map_or(first, |shift| first.min(shift.size)));
    }
    if let Some(last) = query.last {
        from = from.max(to.saturating_sub(last));
    }
    Ok(Page { items: all[from..to].to_vec(), has_next: to < all.len(), has_previous: from > 0, by_id: query.by_id })
}

/// Whether a subscription matches a search: terms `field:value` with an optional comparator, all of which must match.
fn matches(s: &Subscription, query: &str) -> bool {
    query.split_whitespace().filter(|term| *term != "AND").all(|term| {
        let Some((field, value)) = term.split_once(':') else { return true };
        let length = value.bytes().take_while(|c| b"<>=".contains(c)).count();
        let (comparator, value) = value.split_at(length);
        let value = value.trim_matches(['"', '\'']);
        let order = match field {
            "id" => value.parse().ok().or_else(|| number(value)).map(|id: u64| s.id.cmp(&id)),
            "created_at" => Some(s.created_at.as_str().cmp(value)),
            "updated_at" => Some(s.updated_at.as_str().cmp(value)),
            "topic" => Some(s.topic.to_lowercase().cmp(&value.to_lowercase().replace(['/', '.'], "_"))),
            "endpoint" => Some(s.uri.as_str().cmp(value)),
            _ => return true, // Shopify ignores unknown fields
        };
        order.is_some_and(|order| match comparator {
            ">" => order.is_gt(),
            ">=" => order.is_ge(),
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            _ => order.is_eq(),
        })
    })
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Standard base64 with padding.
pub(super) fn base64(text: &str) -> String {
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let index = (bits >> (18 - 6 * place)) & 63;
            out.push(if place <= chunk.len() { char::from(ALPHABET[index as usize]) } else { '=' });
        }
    }
    out
}

/// Decodes base64 with or without padding.
pub(super) fn unbase64(text: &str) -> Option<String> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for c in text.trim_end_matches('=').bytes() {
        let index = ALPHABET.iter().position(|a| *a == c)?;
        bits = (bits << 6 | u32::try_from(index).ok()?) & 0xFFFF;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xFF).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}

fn decode(cursor: &str, by_id: bool) -> Option<(String, u64)> {
    let json: serde_json::Value = serde_json::from_str(&unbase64(cursor)?).ok()?;
    let value = if by_id { "" } else { json["last_value"].as_str()? };
    Some((value.to_owned(), json["last_id"].as_u64()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_standard_and_cursors_are_decoded() {
        assert_eq!(
            [base64("any carnal pleas"), base64("fooba"), base64("foobar")],
            ["YW55IGNhcm5hbCBwbGVhcw==", "Zm9vYmE=", "Zm9vYmFy"]
        );
        let cursor = base64(r#"{"last_id":17,"last_value":"2026-01-01T00:00:00Z"}"#);
        assert_eq!(decode(&cursor, false), Some(("2026-01-01T00:00:00Z".into(), 17)));
        assert_eq!(decode("no cursor", false), None);
    }
}
