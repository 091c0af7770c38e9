//! The bucket as reported by the API, and the waits for it. Pure arithmetic; the clock is passed in.
//!
//! A bucket belongs to one (app, shop). Its size and rate depend on the shop's plan and are never assumed.

use std::time::Duration;

/// The last reported state of a shop's bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bucket {
    /// The points in a full bucket.
    pub maximum: f64,
    /// The points at the time of the report.
    pub available: f64,
    /// Points per second.
    pub restore_rate: f64,
    /// The time of the report, in milliseconds of the client's clock.
    pub at_ms: u64,
}

/// The maximum number of mutations in one document.
const MOST: usize = 25;
/// The cost of a webhook mutation (recorded: 10, with metafields selected 11).
const MUTATION_COST: f64 = 10.0;
/// The time that a full bucket of REST calls takes to empty, on every plan, in seconds.
const CALLS_SECONDS: f64 = 20.0;
/// The longest wait for a bucket before the next request.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

impl Bucket {
    /// Converts the figures of a `throttleStatus`; `None` if they are not plausible.
    pub(crate) fn observe(maximum: f64, available: f64, restore_rate: f64, at_ms: u64) -> Option<Self> {
        let sane = |figure: f64| figure.is_finite() && figure >= 0.0;
        // `available` may be negative, because other callers of the same app use the same bucket.
        (sane(maximum) && maximum > 0.0 && available.is_finite() && sane(restore_rate)).then_some(Self {
            maximum,
            available,
            restore_rate,
            at_ms,
        })
    }

    /// Parses REST's call-limit header, `used/size`, in calls. The header has no rate: every plan restores a twentieth
    /// of the size per second (documented: 2 of 40, 4 of 80, 20 of 400). If the rate is lower, 429 and Retry-After
    /// follow.
    pub(super) fn of_calls(header: &str, now_ms: u64) -> Option<Self> {
        let (used, size) = header.split_once('/')?;
        let (used, size): (f64, f64) = (used.trim().parse().ok()?, size.trim().parse().ok()?);
        Self::observe(size, size - used, size / CALLS_SECONDS, now_ms)
    }

    /// Returns the bucket after `cost` points were used without a report of the API.
    pub(super) fn spent(&self, cost: f64, now_ms: u64) -> Self {
        Self { available: self.available_at(now_ms) - cost, at_ms: now_ms, ..*self }
    }

    /// Returns the points that are available at `now_ms`.
    pub(crate) fn available_at(&self, now_ms: u64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a run does not last 2^53 milliseconds")]
        let seconds = now_ms.saturating_sub(self.at_ms) as f64 / 1000.0;
        (self.available + seconds * self.restore_rate).min(self.maximum)
    }

    /// Returns the time until `cost` points are available, or until the bucket is full if `cost` exceeds its size.
    pub(crate) fn wait_before(&self, cost: f64, now_ms: u64) -> Duration {
        let short = cost.min(self.maximum) - self.available_at(now_ms);
        if short <= 0.0 {
            return Duration::ZERO;
        }
        let seconds = short / self.restore_rate; // infinite if nothing is ever restored
        Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT)
    }

    /// Returns the number of mutations for a document: at most 25, at most half of the bucket, at least one.
    pub(crate) fn batch_limit(&self) -> usize {
        let half = (self.maximum / 2.0 / MUTATION_COST).floor();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is clamped")]
        (half as usize).clamp(1, MOST)
    }

    /// The batch limit before the bucket is known.
    pub(super) const UNKNOWN_BATCH_LIMIT: usize = MOST;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(maximum: f64, available: f64, restore_rate: f64) -> Bucket {
        Bucket::observe(maximum, available, restore_rate, 1_000).expect("bucket")
    }

    #[test]
    fn the_wait_is_the_shortage_divided_by_the_rate() {
        let b = bucket(1000.0, 40.0, 50.0);
        assert_eq!(b.wait_before(40.0, 1_000), Duration::ZERO);
        assert_eq!(b.wait_before(290.0, 1_000), Duration::from_secs(5));
        assert_eq!(b.wait_before(290.0, 3_000), Duration::from_secs(3));
        assert_eq!(b.wait_before(290.0, 60_000), Duration::ZERO);
        assert_eq!(b.wait_before(5_000.0, 1_000), Duration::from_millis(19_200), "until it is full");
        assert_eq!(b.wait_before(290.0, 0), Duration::from_secs(5), "a clock that went back");
        assert!((b.available_at(1_000_000) - 1000.0).abs() < f64::EPSILON, "never more than full");
    }

    #[test]
    fn implausible_buckets_have_bounded_waits() {
        assert_eq!(bucket(100.0, 0.0, 0.0).wait_before(1.0, 1_000), LONGEST_WAIT);
        assert_eq!(bucket(100.0, -50.0, 10.0).wait_before(50.0, 1_000), Duration::from_secs(10));
        for (maximum, available, rate) in
            [(f64::NAN, 1.0, 1.0), (0.0, 0.0, 1.0), (1.0, f64::INFINITY, 1.0), (1.0, 1.0, -1.0)]
        {
            assert_eq!(Bucket::observe(maximum, available, rate, 0), None);
        }
    }

    #[test]
    fn a_call_limit_is_a_bucket_of_calls() {
        for (size, rate) in [(40.0, 2.0), (80.0, 4.0), (400.0, 20.0), (100.0, 5.0)] {
            let b = Bucket::of_calls(&format!("{size}/{size}"), 1_000).expect("bucket");
            assert_eq!((b.maximum, b.available, b.restore_rate), (size, 0.0, rate));
            assert_eq!(b.wait_before(1.0, 1_000), Duration::from_secs_f64(1.0 / rate));
        }
        let b = Bucket::of_calls(" 38 / 40", 0).expect("bucket");
        assert_eq!(b.wait_before(1.0, 0), Duration::ZERO);
        assert_eq!(b.spent(2.0, 0).wait_before(1.0, 500), Duration::ZERO);
        assert_eq!(b.spent(2.0, 0).wait_before(1.0, 250), Duration::from_millis(250));
        for header in ["", "40", "a/b", "1/0", "1/-2", "NaN/40", "1/inf", "1/2/3"] {
            assert_eq!(Bucket::of_calls(header, 0), None, "{header}");
        }
    }

    #[test]
    fn a_document_takes_at_most_half_the_bucket() {
        for (maximum, limit) in [(2000.0, 25), (1000.0, 25), (400.0, 20), (100.0, 5), (20.0, 1), (5.0, 1), (1e300, 25)]
        {
            assert_eq!(bucket(maximum, 0.0, 1.0).batch_limit(), limit, "{maximum}");
        }
    }
}
