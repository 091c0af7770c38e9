//! Lists of subscriptions: filtering, Shopify's search syntax for `query`, and cursors.

use std::cmp::Ordering;

use crate::model::Format;

use super::store::{Shop, Subscription};
use super::tree::number;

/// The most elements of a page.
pub(super) const MAX_PAGE: usize = 250;

/// What a fault does to the pages of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shift {
    /// The most entries of a page.
    pub(super) size: usize,
    /// By how many entries a page after the first begins off.
    pub(super) by: i64,
}

impl Shift {
    /// Where a page after the first begins that should begin at `start`, of `count` entries.
    pub(super) fn start(self, start: usize, count: usize) -> usize {
        start.saturating_add_signed(isize::try_from(self.by).unwrap_or_default()).min(count)
    }
}

/// What a list asks for.
#[derive(Debug, Default)]
pub(super) struct Ask {
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
    pub(super) shift: Option<Shift>,
}

/// One page.
pub(super) struct Page<'a> {
    pub(super) items: Vec<&'a Subscription>,
    pub(super) has_next: bool,
    pub(super) has_previous: bool,
    by_id: bool,
}

impl Page<'_> {
    /// The opaque cursor: base64 of the JSON that Shopify's holds (recorded).
    pub(super) fn cursor(&self, s: &Subscription) -> String {
        let value = if self.by_id { s.id.to_string() } else { s.created_at.clone() };
        base64(&format!(r#"{{"last_id":{},"last_value":"{value}"}}"#, s.id))
    }
}

/// All that match, in order.
pub(super) fn matching<'a>(shop: &'a Shop, ask: &Ask) -> Vec<&'a Subscription> {
    let mut found = shop.by_creation();
    found.retain(|s| {
        ask.topics.as_ref().is_none_or(|topics| topics.contains(&s.topic))
            && ask.uri.as_ref().is_none_or(|uri| *uri == s.uri)
            && ask.format.is_none_or(|format| format == s.format)
            && ask.query.as_ref().is_none_or(|query| matches(s, query))
    });
    if ask.by_id {
        found.sort_by_key(|s| s.id);
    }
    if ask.reverse {
        found.reverse();
    }
    found
}

/// The page asked for; `Err` is Shopify's message.
pub(super) fn page<'a>(shop: &'a Shop, ask: &Ask) -> Result<Page<'a>, String> {
    if ask.first.is_none() && ask.last.is_none() {
        return Err("you must provide one of first or last".into());
    }
    for (name, size) in [("first", ask.first), ("last", ask.last)] {
        if size.is_some_and(|size| size > MAX_PAGE) {
            return Err(format!("{name} cannot exceed {MAX_PAGE}"));
        }
    }
    let all = matching(shop, ask);
    let key = |s: &Subscription| (if ask.by_id { String::new() } else { s.created_at.clone() }, s.id);
    let order = |s: &Subscription, cursor: &(String, u64)| {
        let order = key(s).cmp(cursor);
        if ask.reverse { order.reverse() } else { order }
    };
    let cursor = |text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => decode(text, ask.by_id).map(Some).ok_or("Invalid cursor for current pagination sort."),
    };
    let (after, before) = (cursor(&ask.after)?, cursor(&ask.before)?);
    let begin = |c| {
        let start = all.partition_point(|s| order(s, &c) != Ordering::Greater);
        ask.shift.map_or(start, |shift| shift.start(start, all.len()))
    };
    let start = after.map_or(0, begin);
    let end = before.map_or(all.len(), |c| all.partition_point(|s| order(s, &c) == Ordering::Less)).max(start);
    let (mut from, mut to) = (start, end);
    if let Some(first) = ask.first {
        to = to.min(from + ask.shift.map_or(first, |shift| first.min(shift.size)));
    }
    if let Some(last) = ask.last {
        from = from.max(to.saturating_sub(last));
    }
    Ok(Page { items: all[from..to].to_vec(), has_next: to < all.len(), has_previous: from > 0, by_id: ask.by_id })
}

/// The search syntax as far as subscriptions know it: `field:value` with an optional comparator; all must hold.
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
            _ => return true, // Shopify ignores a field that it does not know
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

/// The usual base64, with padding.
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

/// Undoes [`base64()`], with padding or without.
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
    fn base64_is_the_usual_one_and_cursors_come_back() {
        assert_eq!(
            [base64("any carnal pleas"), base64("fooba"), base64("foobar")],
            ["YW55IGNhcm5hbCBwbGVhcw==", "Zm9vYmE=", "Zm9vYmFy"]
        );
        let cursor = base64(r#"{"last_id":17,"last_value":"2026-01-01T00:00:00Z"}"#);
        assert_eq!(decode(&cursor, false), Some(("2026-01-01T00:00:00Z".into(), 17)));
        assert_eq!(decode("no cursor", false), None);
    }
}
