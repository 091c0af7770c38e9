//! The text and the CSV of `gaps`.

use std::fmt::Write as _;

use jiff::{Timestamp, ToSpan as _};

use super::group::group_by;
use super::text::{title, wrap};
use super::{Style, escape};
use crate::text::plural;
use crate::wire::gaps::{Gap, Gaps, GapsSummary};

/// Returns the windows, those of many bindings and shops together, the oldest first.
pub(super) fn text(gaps: &Gaps, style: &Style) -> String {
    let mut windows = group_by(gaps.gaps.iter().map(|gap| {
        let Gap { cause, last_live, first_missing, restored, loss_from, .. } = gap;
        ((first_missing, last_live, restored, loss_from, cause), gap.shop.as_str(), gap)
    }));
    windows.sort_by_key(|(window, _)| *window);
    let mut out = String::new();
    for (_, members) in windows {
        let Some((_, first)) = members.first() else { continue };
        let width = style.width.map_or(usize::MAX, |width| usize::from(width).max(20));
        for line in wrap(&sentence(first, members.len()), width) {
            let _ = writeln!(out, "{line}");
        }
        let bindings = group_by(members.iter().map(|(shop, gap)| ((&gap.topic, target(gap)), *shop, ())));
        for ((topic, target), shops) in bindings {
            let shops: Vec<&str> = shops.into_iter().map(|(shop, ())| shop).collect();
            let _ = writeln!(out, "  {} -> {}", escape(topic), escape(&target));
            let width = style.width.map_or(usize::MAX, |width| usize::from(width).saturating_sub(6).max(20));
            for line in wrap(&title(&shops, style), width) {
                let _ = writeln!(out, "      {line}");
            }
        }
        out.push('\n');
    }
    let GapsSummary { gaps: all, open, shops } = gaps.summary;
    let _ = match all {
        0 => writeln!(out, "No gaps. The files show no wanted binding that was not live."),
        _ => writeln!(out, "{} in {}; open: {open}.", plural(all, "gap"), plural(shops, "shop")),
    };
    out
}

/// Returns the sentence about bindings with the same window.
fn sentence(gap: &Gap, bindings: usize) -> String {
    let (was, still) = if bindings == 1 { ("was", "it is") } else { ("were", "they are") };
    let what = plural(bindings, "binding");
    let first = minute_after(&gap.first_missing);
    let end = match &gap.restored {
        Some(restored) => format!("live again at {}", minute_after(restored)),
        None => format!("{still} not live again"),
    };
    let lost = gap.loss_from.as_deref().map(|from| format!(" Events since {} can be lost.", minute(from)));
    let start = match (gap.cause, &gap.last_live) {
        ("removed_by_apply", Some(last)) => format!("{was} removed by an apply at {}", minute(last)),
        ("changed", Some(last)) => {
            format!("{was} changed to another address, format or filter between {} and {first}", minute(last))
        }
        ("blocked", Some(last)) => format!("{was} last seen live at {}, and blocked at {first}", minute(last)),
        (_, Some(last)) => format!("{was} removed between {} and {first}", minute(last)),
        (_, None) => format!("{was} not live at {first}, nor in an earlier file"),
    };
    format!("{what} {start}; {end}.{}", lost.unwrap_or_default())
}

fn target(gap: &Gap) -> String {
    let filter = gap.filter.as_ref().map_or_else(String::new, |filter| format!(" (filter {filter:?})"));
    format!("{}{filter}", gap.destination.as_ref().unwrap_or(&gap.address))
}

/// Returns a time without seconds: `2026-11-27 03:00 UTC`.
fn minute(time: &str) -> String {
    let parsed = time.parse::<Timestamp>();
    parsed.map_or_else(|_| time.to_owned(), |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// Returns the end of a window without seconds. The window is not made smaller by rounding.
fn minute_after(time: &str) -> String {
    let parsed = time
        .parse::<Timestamp>()
        .and_then(|time| if time.as_second() % 60 == 0 { Ok(time) } else { time.checked_add(1.minute()) });
    parsed.map_or_else(|_| time.to_owned(), |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// Returns a line for each window, after a line of names. Absent values are empty.
pub(super) fn csv(gaps: &Gaps) -> String {
    let head = "shop,topic,destination,address,format,filter,cause,last_live,first_missing,restored,loss_from\n";
    let mut out = head.to_owned();
    for gap in &gaps.gaps {
        let Gap {
            shop,
            topic,
            destination,
            address,
            format,
            filter,
            cause,
            last_live,
            first_missing,
            restored,
            loss_from,
        } = gap;
        let optional = |value: &Option<String>| field(value.as_deref().unwrap_or_default());
        let fields = [
            field(shop),
            field(topic),
            optional(destination),
            field(address),
            field(format),
            optional(filter),
            field(cause),
            optional(last_live),
            field(first_missing),
            optional(restored),
            optional(loss_from),
        ];
        out.push_str(&fields.join(","));
        out.push('\n');
    }
    out
}

/// Quotes a field if it contains a delimiter (RFC 4180). Control characters are escaped, so a field is one line.
fn field(text: &str) -> String {
    let text = escape(text);
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.into_owned() }
}
