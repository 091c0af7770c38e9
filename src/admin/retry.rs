//! Which failed requests are sent again, and when. Pure: randomness comes as a seeded generator, waiting is the caller's.

use std::time::Duration;

use super::error::{AdminError, AdminErrorKind};
use crate::http::{Backoff, Class, Classified as _, Proof, Retry};

/// Consecutive THROTTLED answers before giving up; they do not count as attempts.
const MOST_THROTTLED: u32 = 30;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A reading: may be sent again after any failure.
    Read,
    /// A request for a token: may be sent again after any failure, and its answer is worth waiting for.
    Token,
    /// A change: may be sent again only where it is certain that nothing happened.
    Mutate,
}

/// How often one request has failed.
#[derive(Debug, Default)]
pub(super) struct Tally {
    failed: u32,
    throttled: u32,
    renewed: bool,
    /// The last error that was not a rate limit.
    last: Option<AdminError>,
}

impl Tally {
    /// Whether the request may be sent again with another token, which it may once.
    pub(super) fn renews(&mut self) -> bool {
        !std::mem::replace(&mut self.renewed, true)
    }

    /// Returns the error to report. If the run's time ends after a reading failed, that failure is the cause. A mutation
    /// reports the end of the time, since what was in flight may have happened.
    pub(super) fn cause(&self, error: AdminError, purpose: Purpose) -> AdminError {
        match &self.last {
            Some(last) if error.kind == AdminErrorKind::TimeBudget && purpose == Purpose::Read => last.out_of_time(),
            _ if error.retryable && self.failed > 1 => error.given_up(self.failed),
            _ => error,
        }
    }

    /// Counts a failure and returns how long to wait before the next attempt; `None` to give up. `asked` is the server's
    /// Retry-After, or the time that the bucket needs.
    pub(super) fn next(
        &mut self,
        backoff: Backoff,
        error: &AdminError,
        purpose: Purpose,
        asked: Option<Duration>,
        rng: &mut fastrand::Rng,
    ) -> Option<Duration> {
        let certain = purpose != Purpose::Mutate || error.proof == Proof::NothingHappened;
        if !certain || !error.retryable || error.kind.retry() == Retry::Later {
            return None;
        }
        if error.class() != Class::RateLimit {
            self.last = Some(error.clone());
        }
        let (count, most) = if error.kind == AdminErrorKind::Throttled {
            (&mut self.throttled, MOST_THROTTLED)
        } else {
            self.throttled = 0;
            (&mut self.failed, backoff.attempts.saturating_sub(1))
        };
        *count += 1;
        (*count <= most).then(|| backoff.delay(*count, asked, rng))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(tally: &mut Tally, kind: AdminErrorKind, purpose: Purpose, asked: Option<Duration>) -> Option<Duration> {
        let mut rng = fastrand::Rng::with_seed(7);
        tally.next(Backoff::default(), &AdminError::new(kind, ""), purpose, asked, &mut rng)
    }

    #[test]
    fn a_mutation_is_repeated_only_where_nothing_happened_and_waiting_helps() {
        let repeated = |purpose| {
            let repeats = |kind: &&AdminErrorKind| next(&mut Tally::default(), **kind, purpose, None).is_some();
            AdminErrorKind::ALL.iter().filter(repeats).copied().collect::<Vec<_>>()
        };
        assert_eq!(
            repeated(Purpose::Mutate),
            [AdminErrorKind::RateLimited, AdminErrorKind::Throttled, AdminErrorKind::ConnectFailed]
        );
        assert_eq!(
            repeated(Purpose::Read),
            [
                AdminErrorKind::RateLimited,
                AdminErrorKind::Throttled,
                AdminErrorKind::InternalError,
                AdminErrorKind::ServerError,
                AdminErrorKind::ConnectFailed,
                AdminErrorKind::Timeout,
                AdminErrorKind::ConnectionLost
            ]
        );
    }

    #[test]
    fn attempts_end_and_throttling_is_counted_apart() {
        let mut tally = Tally::default();
        for _ in 0..5 {
            for _ in 0..3 {
                assert!(next(&mut tally, AdminErrorKind::Throttled, Purpose::Read, None).is_some());
            }
            assert!(next(&mut tally, AdminErrorKind::ServerError, Purpose::Read, None).is_some());
        }
        assert_eq!(next(&mut tally, AdminErrorKind::ServerError, Purpose::Read, None), None);
        let mut tally = Tally::default();
        let borne =
            (0..100).take_while(|_| next(&mut tally, AdminErrorKind::Throttled, Purpose::Read, None).is_some()).count();
        assert_eq!(borne, 30);
    }

    #[test]
    fn a_server_that_asks_for_more_time_gets_it() {
        let asked = Some(Duration::from_secs(90));
        let delay = next(&mut Tally::default(), AdminErrorKind::RateLimited, Purpose::Mutate, asked).expect("a retry");
        assert!(delay >= Duration::from_secs(90) && delay < Duration::from_secs(91));
    }
}
