//! Decides which failed requests are retried, and when. Pure: randomness is a seeded generator, and the caller waits.

use std::time::Duration;

use super::error::{AdminError, AdminErrorKind};
use crate::http::{Backoff, Class, Classified as _, Proof, Retry};

/// The maximum number of consecutive THROTTLED responses, which do not count as attempts.
const MOST_THROTTLED: u32 = 30;

/// The purpose of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A reading: may be retried after any failure.
    Read,
    /// A token request: may be retried after any failure, and its response is worth waiting for.
    Token,
    /// A change: may be retried only if certainly nothing was changed.
    Mutate,
}

/// The failures of one request so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    failed: u32,
    throttled: u32,
    renewed: bool,
    /// The last error that was not a rate limit.
    last: Option<AdminError>,
}

impl Tally {
    /// Returns whether the request may be sent again with another token, which is allowed once.
    pub(super) fn renews(&mut self) -> bool {
        !std::mem::replace(&mut self.renewed, true)
    }

    /// Returns the error to report. If the run's time ends after a reading failed, that failure is the cause. A
    /// mutation reports the end of the time, because it may have been carried out.
    pub(super) fn cause(&self, error: AdminError, purpose: Purpose) -> AdminError {
        match &self.last {
            Some(last) if error.kind == AdminErrorKind::TimeBudget && purpose == Purpose::Read => last.out_of_time(),
            _ if error.retryable && self.failed > 1 => error.given_up(self.failed),
            _ => error,
        }
    }

    /// Counts a failure, and returns the wait before the next attempt; `None` to give up. `asked`: the server's
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
    fn a_mutation_is_retried_only_if_nothing_was_changed_and_waiting_helps() {
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
    fn attempts_are_bounded_and_throttling_is_counted_separately() {
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
    fn a_delay_is_at_least_the_one_that_the_server_asks_for() {
        let asked = Some(Duration::from_secs(90));
        let delay = next(&mut Tally::default(), AdminErrorKind::RateLimited, Purpose::Mutate, asked).expect("a retry");
        assert!(delay >= Duration::from_secs(90) && delay < Duration::from_secs(91));
    }
}
