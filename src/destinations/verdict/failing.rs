//! Computes since when a dataflow has been failing, and when Adobe disables it. This module is pure: the time is an
//! argument.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::destinations::FlowRun;

/// Number of days of continuous failure after which Adobe disables a dataflow (documented: release notes of June 2026).
pub(crate) const DISABLED_AFTER_DAYS: i64 = 30;
/// Number of days of failure from which the message begins with the date on which Adobe disables the dataflow.
const URGENT_AFTER_DAYS: i64 = 14;

/// The current series of failing runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failing {
    /// Start of the first run of the series that was read.
    pub since: Timestamp,
    /// Whether a successful run before the series was read. If not, the series may have started earlier.
    pub exact: bool,
    /// Day, in UTC, on which Adobe disables the dataflow unless a run succeeds; if `since` is not exact, the latest
    /// such day. `None` while runs still write records, because it is unknown whether Adobe counts such runs as
    /// failures.
    pub disabled_on: Option<Date>,
}

impl Failing {
    /// Returns the number of whole days since the first failing run.
    pub(crate) fn days(&self, now: Timestamp) -> i64 {
        now.duration_since(self.since).as_hours() / 24
    }

    /// Returns whether Adobe will disable the dataflow and at least fourteen of the thirty days have passed.
    pub(crate) fn is_urgent(&self, now: Timestamp) -> bool {
        self.disabled_on.is_some() && self.days(now) >= URGENT_AFTER_DAYS
    }
}

/// Returns whether a run failed or rejected records.
pub(crate) fn fails(run: &FlowRun) -> bool {
    has_failed_status(run) || run.failed.is_some_and(|records| records > 0)
}

/// Returns whether a run counts as a failure for Adobe: its status is a failure, or it failed without a written record.
fn fails_wholly(run: &FlowRun) -> bool {
    has_failed_status(run) || (fails(run) && run.created == Some(0))
}

fn has_failed_status(run: &FlowRun) -> bool {
    let words = ["failed", "error"];
    run.status.as_deref().is_some_and(|status| words.iter().any(|word| status.eq_ignore_ascii_case(word)))
}

/// Returns the series of failing runs that ends with `last`; `None` if `last` did not fail or has no start. `earlier`
/// can contain `last` and can have any order. A run that received no records neither ends nor starts a series (assumed:
/// Adobe does not document whether an empty hour counts as success).
pub(crate) fn failing(last: &FlowRun, earlier: &[FlowRun]) -> Option<Failing> {
    let last_started = last.started_at.filter(|_| fails(last))?;
    let wholly = fails_wholly(last);
    let belongs = |run: &FlowRun| if wholly { fails_wholly(run) } else { fails(run) };
    let mut runs: Vec<(Timestamp, &FlowRun)> = earlier
        .iter()
        .filter(|run| fails(run) || run.received != Some(0))
        .filter_map(|run| Some((run.started_at.filter(|at| *at <= last_started)?, run)))
        .collect();
    runs.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let ends = runs.iter().position(|(_, run)| !belongs(run));
    let series = &runs[..ends.unwrap_or(runs.len())];
    let since = series.last().map_or(last_started, |(at, _)| *at);
    let disabled_on = since.checked_add(SignedDuration::from_hours(24 * DISABLED_AFTER_DAYS)).ok();
    let disabled_on = disabled_on.filter(|_| wholly).map(|at| at.to_zoned(TimeZone::UTC).date());
    Some(Failing { since, exact: ends.is_some(), disabled_on })
}

#[cfg(test)]
mod tests {
    use super::super::message::tests::{at, run};
    use super::*;

    const HOUR: i64 = 3600;

    fn made(hours_ago: i64, status: &str, received: u64, failed: u64) -> FlowRun {
        FlowRun {
            started_at: Some(at(-HOUR * hours_ago)),
            status: Some(status.into()),
            received: Some(received),
            created: Some(received - failed),
            failed: Some(failed),
            ..run()
        }
    }

    #[test]
    fn the_series_begins_after_the_last_success() {
        let last = made(1, "failed", 3, 3);
        let success = made(400, "success", 5, 0);
        let older = made(500, "failed", 2, 2);
        let runs = [made(380, "failed", 1, 1), older, last.clone(), success, made(200, "Error", 1, 1)];
        let found = failing(&last, &runs).expect("a series");
        assert_eq!((found.since, found.exact), (at(-HOUR * 380), true));
        assert_eq!(found.disabled_on.map(|date| date.to_string()).as_deref(), Some("2027-01-29"));
        assert!(found.is_urgent(at(0)) && found.days(at(0)) == 15);
    }

    #[test]
    fn a_series_without_a_success_before_it_may_be_older() {
        let last = made(1, "failed", 3, 3);
        for earlier in [vec![], vec![last.clone()], vec![last.clone(), made(9, "failed", 3, 3)]] {
            let found = failing(&last, &earlier).expect("a series");
            assert!(!found.exact, "{found:?}");
            assert_eq!(found.since, earlier.last().and_then(|run| run.started_at).unwrap_or(at(-HOUR)));
        }
        assert_eq!(failing(&made(1, "success", 3, 0), &[last]), None);
    }

    #[test]
    fn an_empty_hour_does_not_end_a_series_and_a_partial_success_ends_one_of_failures_only() {
        let (empty, partial) = (made(5, "success", 0, 0), made(8, "partialSuccess", 4, 1));
        let first = made(12, "partialSuccess", 4, 4);
        let last = made(1, "failed", 3, 3);
        let runs = [last.clone(), empty, made(6, "failed", 1, 1), partial, first, made(20, "success", 2, 0)];
        let whole = failing(&last, &runs).expect("a series");
        assert_eq!((whole.since, whole.exact), (at(-HOUR * 6), true));
        let last = made(2, "partialSuccess", 4, 1);
        let partly = failing(&last, &runs).expect("a series");
        assert_eq!((partly.since, partly.exact, partly.disabled_on), (at(-HOUR * 12), true, None));
        assert!(!Failing { since: at(-HOUR * 24 * 20), ..partly }.is_urgent(at(0)));
    }

    #[test]
    fn day_fourteen_is_urgent_and_the_hour_before_is_not() {
        let since = |hours| failing(&made(hours, "failed", 1, 1), &[]).expect("a series");
        assert!(!since(14 * 24 - 1).is_urgent(at(0)) && since(14 * 24).is_urgent(at(0)));
    }
}
