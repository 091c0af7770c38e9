//! Which failures are tried again, and when. Pure: randomness comes as a seeded generator, waiting is the caller's.

use std::time::Duration;

use super::error::{AdminError, Class, Kind, Proof};

/// Exponential backoff with full jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Requests in all, the first included; THROTTLED answers do not count.
    pub attempts: u32,
    /// Consecutive THROTTLED answers that are borne.
    pub throttled: u32,
    /// The first backoff is a random part of this.
    pub base: Duration,
    /// No backoff is longer than this, unless the server asks for more.
    pub cap: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self { attempts: 6, throttled: 30, base: Duration::from_millis(500), cap: Duration::from_secs(20) }
    }
}

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// May be sent again after any failure.
    Read,
    /// A request for a token: may be sent again after any failure, and its answer is worth waiting for.
    Token,
    /// May be sent again only where it is certain that nothing happened.
    Mutate,
}

/// How often one request has failed.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    failed: u32,
    throttled: u32,
    renewed: bool,
    /// What was the matter last, apart from rate limits.
    last: Option<AdminError>,
}

impl Tally {
    /// Whether the request may be sent again with another token: once.
    pub(super) fn renews(&mut self) -> bool {
        !std::mem::replace(&mut self.renewed, true)
    }

    /// The error to give back at the end. Where the time of a reading ended after something else had failed, that is the
    /// cause. Of a mutation it is not asked: what was in flight when the time ended may have happened.
    pub(super) fn cause(&self, error: AdminError, purpose: Purpose) -> AdminError {
        match &self.last {
            Some(last) if error.kind == Kind::TimeBudget && purpose == Purpose::Read => last.out_of_time(),
            _ if error.retryable && self.failed > 1 => error.given_up(self.failed),
            _ => error,
        }
    }
}

impl Policy {
    /// How long to wait before trying again, or `None` to give up. `asked` is the server's Retry-After, or what the
    /// bucket needs.
    pub(super) fn next(
        self,
        tally: &mut Tally,
        error: &AdminError,
        purpose: Purpose,
        asked: Option<Duration>,
        rng: &mut fastrand::Rng,
    ) -> Option<Duration> {
        let may = match purpose {
            Purpose::Read | Purpose::Token => error.retryable,
            Purpose::Mutate => error.retryable && error.proof == Proof::NothingHappened,
        };
        if !may || matches!(error.kind, Kind::TimeBudget | Kind::Interrupted) {
            return None;
        }
        if error.class() != Class::RateLimit {
            tally.last = Some(error.clone());
        }
        let round = if error.kind == Kind::Throttled {
            tally.throttled += 1;
            if tally.throttled > self.throttled {
                return None;
            }
            tally.throttled
        } else {
            tally.throttled = 0;
            tally.failed += 1;
            if tally.failed >= self.attempts {
                return None;
            }
            tally.failed
        };
        let ceiling = self.base.saturating_mul(2_u32.saturating_pow(round - 1)).min(self.cap);
        let jitter = ceiling.mul_f64(rng.f64());
        // Whoever was told when to come back comes then, and a little later, so that not all come at once.
        Some(asked.map_or(jitter, |asked| asked + jitter.min(self.base)))
    }
}

/// Reads Retry-After: seconds, also with a fraction. Dates are not sent by Shopify and not read.
pub(super) fn retry_after(header: &str) -> Option<Duration> {
    let seconds: f64 = header.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(tally: &mut Tally, kind: Kind, purpose: Purpose, asked: Option<Duration>) -> Option<Duration> {
        let mut rng = fastrand::Rng::with_seed(7);
        Policy::default().next(tally, &AdminError::new(kind, ""), purpose, asked, &mut rng)
    }

    #[test]
    fn a_mutation_is_repeated_only_where_nothing_happened_and_waiting_helps() {
        let repeated = |purpose| {
            let repeats = |kind: &&Kind| next(&mut Tally::default(), **kind, purpose, None).is_some();
            Kind::ALL.iter().filter(repeats).copied().collect::<Vec<_>>()
        };
        assert_eq!(repeated(Purpose::Mutate), [Kind::RateLimited, Kind::Throttled, Kind::ConnectFailed]);
        assert_eq!(
            repeated(Purpose::Read),
            [
                Kind::RateLimited,
                Kind::Throttled,
                Kind::InternalError,
                Kind::ServerError,
                Kind::ConnectFailed,
                Kind::Timeout,
                Kind::ConnectionLost
            ]
        );
    }

    #[test]
    fn attempts_end_and_throttling_is_counted_apart() {
        let mut tally = Tally::default();
        for _ in 0..5 {
            for _ in 0..3 {
                assert!(next(&mut tally, Kind::Throttled, Purpose::Read, None).is_some());
            }
            assert!(next(&mut tally, Kind::ServerError, Purpose::Read, None).is_some());
        }
        assert_eq!(next(&mut tally, Kind::ServerError, Purpose::Read, None), None);
        let mut tally = Tally::default();
        let borne = (0..100).take_while(|_| next(&mut tally, Kind::Throttled, Purpose::Read, None).is_some()).count();
        assert_eq!(borne, 30);
    }

    #[test]
    fn backoff_stays_under_its_ceiling_and_never_before_what_was_asked() {
        let policy = Policy::default();
        let mut rng = fastrand::Rng::with_seed(1);
        let mut tally = Tally::default();
        let error = AdminError::new(Kind::ServerError, "");
        for round in 0..5 {
            let delay = policy.next(&mut tally, &error, Purpose::Read, None, &mut rng).expect("a retry");
            assert!(delay <= Duration::from_millis(500 << round), "round {round}: {delay:?}");
        }
        let asked = Some(Duration::from_secs(90));
        let delay = next(&mut Tally::default(), Kind::RateLimited, Purpose::Mutate, asked).expect("a retry");
        assert!(delay >= Duration::from_secs(90) && delay < Duration::from_secs(91));
    }

    #[test]
    fn retry_after_is_seconds_as_a_decimal() {
        assert_eq!(retry_after(" 2.0 "), Some(Duration::from_secs(2)));
        assert_eq!(retry_after("0.25"), Some(Duration::from_millis(250)));
        for text in ["", "soon", "-1", "NaN", "inf", "1e30", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert_eq!(retry_after(text), None, "{text}");
        }
    }
}
