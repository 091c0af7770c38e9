//! The token of a run: client credentials of IMS, kept in memory, renewed before it expires. One request at a time.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::time::Instant;

use super::AdobeClient;
use super::classify::{AdobeError, AdobeErrorKind};
use super::exchange::Question;

/// A longer lifetime than this many seconds is in milliseconds: IMS has used both units (JWT exchange).
const LONGEST_LIFE: u64 = 31 * 24 * 3600;

/// The token of a run, or the last failure to obtain one.
#[derive(Default)]
pub(super) struct Slot {
    held: Option<Held>,
    failed: Option<(Instant, AdobeError)>,
}

struct Held {
    token: SecretString,
    /// `None` if IMS returned no lifetime: the token is used until it is refused.
    renew_at: Option<Instant>,
}

impl AdobeClient {
    /// Returns a token that lasts for a while and is not `refused`.
    pub(super) async fn token(&self, refused: Option<&SecretString>) -> Result<SecretString, AdobeError> {
        let asked_at = Instant::now();
        let mut slot = self.inner.token.lock().await;
        if let Some(held) = &slot.held
            && held.renew_at.is_none_or(|at| at > Instant::now())
            && refused.is_none_or(|refused| refused.expose_secret() != held.token.expose_secret())
        {
            return Ok(held.token.clone());
        }
        // Callers that waited meanwhile get the same error, and a refused client is not tried again.
        if let Some((at, error)) = &slot.failed
            && (*at >= asked_at || error.kind == AdobeErrorKind::ClientRefused)
        {
            return Err(error.clone());
        }
        let sent_at = Instant::now();
        let granted = match self.ask(Question::Token).await {
            Ok(answer) => answer.unwrap_or_default(),
            Err(error) => {
                slot.failed = Some((Instant::now(), error.clone()));
                return Err(error);
            }
        };
        let token = SecretString::from(granted["access_token"].as_str().unwrap_or_default());
        let life = life(&granted["expires_in"]);
        tracing::debug!(aep = %self.inner.account.name, ?life, "obtained a token from IMS");
        self.remember(&token);
        let renew_at = life.and_then(|life| sent_at.checked_add(renew_after(life)));
        slot.held = Some(Held { token: token.clone(), renew_at });
        Ok(token)
    }
}

fn life(expires_in: &Value) -> Option<Duration> {
    let number = expires_in.as_u64().or_else(|| expires_in.as_str()?.trim().parse().ok())?;
    Some(if number > LONGEST_LIFE { Duration::from_millis(number) } else { Duration::from_secs(number) })
}

/// Returns the time after which a token is renewed: 23/24 of its lifetime (Adobe advises 23 of 24 hours), at least 60
/// seconds before it expires; half of a short lifetime.
fn renew_after(life: Duration) -> Duration {
    let margin = Duration::from_mins(1);
    if life <= 2 * margin { life / 2 } else { (life / 24 * 23).min(life.saturating_sub(margin)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_some_time_before_it_expires() {
        for (life, after) in [(86_400, 82_800), (3600, 3450), (600, 540), (121, 61), (120, 60), (10, 5), (0, 0)] {
            assert_eq!(renew_after(Duration::from_secs(life)), Duration::from_secs(after), "{life}");
        }
        assert!(renew_after(Duration::MAX) < Duration::MAX);
    }

    #[test]
    fn a_lifetime_is_in_seconds_or_in_milliseconds() {
        for (said, seconds) in [
            (serde_json::json!(86_399), Some(86_399)),
            (serde_json::json!("86399"), Some(86_399)),
            (serde_json::json!(86_399_000), Some(86_399)),
            (serde_json::json!(null), None),
            (serde_json::json!(-1), None),
        ] {
            assert_eq!(life(&said), seconds.map(Duration::from_secs), "{said}");
        }
    }
}
