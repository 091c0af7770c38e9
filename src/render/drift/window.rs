//! When a difference arose: after the last time that a file shows the binding live, and before the first that shows it missing.

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use super::{Cause, Difference};
use crate::plan::OLD_ENDPOINT_HOURS;
use crate::wire::plan::Finding;

/// The times that the earlier files give for one difference, as RFC 3339.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Window<'a> {
    /// The last time at which the binding was live, or at which an apply removed it.
    pub(super) last_known: Option<&'a str>,
    /// The first report that has the difference; `None` if it is new.
    pub(super) known_since: Option<&'a str>,
}

impl<'a> Window<'a> {
    pub(super) fn of(finding: Option<&'a Finding>) -> Self {
        let time = |key| finding?.details.get(key)?.as_str();
        Self { last_known: time("last_known"), known_since: time("known_since") }
    }
}

/// Returns whether some differences of one cause, with the same first report, are new, and when they arose.
pub(super) fn text(cause: Cause, group: &[Difference<'_>], now: &str) -> String {
    let Some(first) = group.first() else { return String::new() };
    let reported = first
        .window
        .known_since
        .map_or_else(|| "first reported now".to_owned(), |since| format!("first reported {}", minute(since)));
    match (cause, between(group, now)) {
        (Cause::Removed, Some(between)) => format!("{reported}; removed {between}"),
        (Cause::RemovedByApply, _) => {
            let last = group.iter().filter_map(|one| one.window.last_known).max();
            last.map_or_else(|| reported.clone(), |last| format!("{reported}; removed by an apply at {}", minute(last)))
        }
        _ => reported,
    }
}

/// Returns `between 02:00 and 03:00 UTC on 2026-11-27`: the times between which some subscriptions were removed. `now` is the
/// time of the report.
pub(super) fn between(removed: &[Difference<'_>], now: &str) -> Option<String> {
    let from = removed.iter().filter_map(|one| one.window.last_known).min()?;
    let to = removed.iter().map(|one| one.window.known_since.unwrap_or(now)).max()?;
    let (Ok(from), Ok(to)) = (from.parse::<Timestamp>(), to.parse::<Timestamp>()) else {
        return Some(format!("between {from} and {to}"));
    };
    let (from, to) = (from.to_zoned(TimeZone::UTC), to.to_zoned(TimeZone::UTC));
    // The window is not made smaller by rounding.
    let to = if to.second() > 0 { to.checked_add(1.minute()).unwrap_or(to) } else { to };
    let day = from.strftime("%Y-%m-%d");
    Some(if from.date() == to.date() {
        format!("between {} and {} UTC on {day}", from.strftime("%H:%M"), to.strftime("%H:%M"))
    } else {
        format!("between {day} {} and {} UTC", from.strftime("%H:%M"), to.strftime("%Y-%m-%d %H:%M"))
    })
}

/// Returns `since 2026-11-26 22:00 UTC…`: the time from which on events can be lost. Deliveries failed before Shopify removed
/// the subscriptions.
pub(super) fn lost_since(removed: &[Difference<'_>]) -> Option<String> {
    let from = removed.iter().filter_map(|one| one.window.last_known).min()?.parse::<Timestamp>().ok()?;
    let start = from.checked_sub(OLD_ENDPOINT_HOURS.hours()).ok()?;
    Some(format!(
        "since {} UTC. That is {OLD_ENDPOINT_HOURS} hours before the subscriptions were last seen ({} UTC): deliveries can \
         fail for {OLD_ENDPOINT_HOURS} hours before Shopify removes a subscription",
        start.strftime("%Y-%m-%d %H:%M"),
        from.strftime("%H:%M")
    ))
}

/// Returns a time without seconds: `2026-11-27 03:00 UTC`.
fn minute(time: &str) -> String {
    let parsed = time.parse::<Timestamp>();
    parsed.map_or_else(|_| time.to_owned(), |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string())
}
