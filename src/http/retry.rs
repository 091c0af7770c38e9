//! Exponential backoff and the Retry-After header. Pure: the caller has the random generator and the clock.

use std::time::Duration;

use jiff::Timestamp;

/// Exponential backoff with full jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backoff {
    /// The maximum number of requests, including the first.
    pub attempts: u32,
    /// The first delay is a random part of this.
    pub base: Duration,
    /// The longest delay, unless the server asks for more.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { attempts: 6, base: Duration::from_millis(500), cap: Duration::from_secs(20) }
    }
}

impl Backoff {
    /// Returns the delay after failure number `failed` (from 1). `asked`: the wait that the server asks for. A jitter
    /// of at most `base` is added to it, so that not all shops continue at once.
    pub(crate) fn delay(self, failed: u32, asked: Option<Duration>, rng: &mut fastrand::Rng) -> Duration {
        let ceiling = self.base.saturating_mul(2_u32.saturating_pow(failed.saturating_sub(1))).min(self.cap);
        let jitter = ceiling.mul_f64(rng.f64());
        asked.map_or(jitter, |asked| asked.saturating_add(jitter.min(self.base)))
    }
}

/// Parses a Retry-After in seconds, which may have a fraction.
pub(crate) fn retry_seconds(header: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(header.trim().parse().ok()?).ok()
}

/// Parses a Retry-After in seconds or as a date (RFC 9110, section 10.2.3).
pub(crate) fn retry_seconds_or_date(header: &str, now: Timestamp) -> Option<Duration> {
    if header.trim().parse::<f64>().is_ok() {
        return retry_seconds(header);
    }
    let date = jiff::fmt::rfc2822::parse(header.trim()).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_below_its_ceiling_and_above_the_one_that_was_asked_for() {
        let (backoff, mut rng) = (Backoff::default(), fastrand::Rng::with_seed(1));
        for failed in 1..40 {
            let ceiling = Duration::from_millis(500 << failed.min(16) >> 1).min(Duration::from_secs(20));
            assert!(backoff.delay(failed, None, &mut rng) <= ceiling, "failure {failed}");
        }
        let asked = Duration::from_secs(90);
        let delay = backoff.delay(1, Some(asked), &mut rng);
        assert!(delay >= asked && delay < asked + Duration::from_secs(1));
        assert_eq!(backoff.delay(3, Some(Duration::MAX), &mut rng), Duration::MAX);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-10-21T07:27:30Z".parse().expect("time");
        for (header, seconds, with_dates) in [
            (" 2.0 ", Some(2000), Some(2000)),
            ("0.25", Some(250), Some(250)),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None, Some(30_000)),
            ("Wed, 21 Oct 2026 07:00:00 GMT", None, Some(0)),
            ("", None, None),
            ("soon", None, None),
            ("-1", None, None),
            ("NaN", None, None),
            ("inf", None, None),
            ("1e30", None, None),
        ] {
            assert_eq!(retry_seconds(header), seconds.map(Duration::from_millis), "{header}");
            assert_eq!(retry_seconds_or_date(header, now), with_dates.map(Duration::from_millis), "{header}");
        }
    }
}
