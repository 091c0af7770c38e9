//! Sends one question until it is answered or there is no use in trying: backoff, Retry-After, the run's end, a wish to
//! stop.

use std::sync::PoisonError;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use url::{Url, form_urlencoded};

use super::classify::{self, Said};
use super::error::{AdobeError, Kind};
use super::http::{self, Answer, bearer, secret_header};
use super::{Account, Client};
use crate::admin::Redactor;

const IMS: &str = "IMS";
const FLOW_SERVICE: &str = "Flow Service";

/// Exponential backoff with full jitter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Policy {
    /// Requests in all, the first included.
    pub(super) attempts: u32,
    /// The first backoff is a random part of this.
    pub(super) base: Duration,
    /// No backoff is longer than this, unless the server asks for more.
    pub(super) cap: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self { attempts: 6, base: Duration::from_millis(500), cap: Duration::from_secs(20) }
    }
}

/// What is sent.
#[derive(Clone, Copy)]
pub(super) enum Question<'a> {
    /// A token, please.
    Token,
    /// GET of Flow Service.
    Get { url: &'a Url, token: &'a SecretString },
}

/// A failure, and how long the server asked to wait.
struct Failure {
    error: AdobeError,
    asked: Option<Duration>,
}

impl From<AdobeError> for Failure {
    fn from(error: AdobeError) -> Self {
        Self { error, asked: None }
    }
}

impl Client {
    /// Asks Flow Service; with another token if the one at hand is refused. `None`: there is nothing with that id.
    pub(super) async fn get(&self, url: &Url) -> Result<Option<Value>, AdobeError> {
        let token = self.token(None).await?;
        match self.ask(Question::Get { url, token: &token }).await {
            Err(error) if error.kind == Kind::TokenRefused => {
                let token = self.token(Some(&token)).await?;
                self.ask(Question::Get { url, token: &token }).await
            }
            answer => answer,
        }
    }

    /// Sends a question until it is answered, or gives up.
    pub(super) async fn ask(&self, question: Question<'_>) -> Result<Option<Value>, AdobeError> {
        let (mut failed, mut last) = (0, None);
        let result = loop {
            let failure = match self.in_time(self.exchange(question), last.as_ref()).await {
                Ok(Ok(answer)) => break Ok(answer),
                Ok(Err(failure)) => failure,
                Err(error) => break Err(error),
            };
            failed += 1;
            if !failure.error.retryable || failed >= self.inner.policy.attempts {
                break Err(failure.error);
            }
            let wait = self.backoff(failed, failure.asked);
            if let Err(error) = self.pause(wait, &failure.error).await {
                break Err(error);
            }
            last = Some(failure.error);
        };
        result.map_err(|error| error.of(&self.inner.account.name))
    }

    /// A token that must not be repeated in any message of this run.
    pub(super) fn remember(&self, token: &SecretString) {
        self.inner.tokens.lock().unwrap_or_else(PoisonError::into_inner).push(token.clone());
    }

    /// Knows every secret of the account.
    pub(super) fn redactor(&self) -> Redactor {
        let Account { client_id, client_secret, .. } = &self.inner.account;
        let mut secrets = self.inner.tokens.lock().unwrap_or_else(PoisonError::into_inner).clone();
        secrets.extend([client_id.clone(), client_secret.clone()]);
        // A server may also echo the form, or a URL with its parts.
        for secret in [client_id, client_secret] {
            let secret = secret.expose_secret();
            let of_form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            secrets.extend([of_form, encoded(secret)].map(SecretString::from));
        }
        // The long ones first: one may be a part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        Redactor::of_all(secrets)
    }

    async fn exchange(&self, question: Question<'_>) -> Result<Option<Value>, Failure> {
        let (redactor, started) = (self.redactor(), Instant::now());
        let (whom, path) = match question {
            Question::Token => (IMS, self.inner.account.endpoints.token_url().path()),
            Question::Get { url, .. } => (FLOW_SERVICE, url.path()),
        };
        let aep = &self.inner.account.name;
        let answer = http::send(self.request(question)?, whom, &redactor).await.inspect_err(|error| {
            tracing::debug!(%aep, path, kind = %error.kind, elapsed = ?started.elapsed(), "no answer");
        })?;
        let request_id = redactor.clean(answer.request_id.as_deref().unwrap_or_default());
        tracing::debug!(%aep, path, status = answer.status, elapsed = ?started.elapsed(), request_id, "answer");
        let result = match question {
            Question::Token => token_of(&answer, &redactor).map(Some),
            Question::Get { .. } => self.read(&answer, &redactor),
        };
        let asked = answer.retry_after.as_deref().and_then(|header| retry_after(header, Timestamp::now()));
        result.map_err(|error| Failure { error, asked })
    }

    fn request(&self, question: Question<'_>) -> Result<RequestBuilder, AdobeError> {
        let Account { org, sandbox, client_id, client_secret, scopes, endpoints, .. } = &self.inner.account;
        Ok(match question {
            Question::Token => {
                let form = form_urlencoded::Serializer::new(String::new())
                    .append_pair("grant_type", "client_credentials")
                    .append_pair("client_id", client_id.expose_secret())
                    .append_pair("client_secret", client_secret.expose_secret())
                    .append_pair("scope", &scopes.join(","))
                    .finish();
                let request = self.inner.ims.post(endpoints.token_url().clone());
                request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)
            }
            // `Accept: application/json` is a default of the client.
            Question::Get { url, token } => {
                let request = self.inner.flow_service.get(url.clone());
                request
                    .header(AUTHORIZATION, bearer(token)?)
                    .header("x-api-key", secret_header(client_id.expose_secret())?)
                    .header("x-gw-ims-org-id", org)
                    .header("x-sandbox-name", sandbox)
            }
        })
    }

    fn read(&self, answer: &Answer, redactor: &Redactor) -> Result<Option<Value>, AdobeError> {
        if answer.status != 200 {
            return match classify::of_flow_service(answer, &self.inner.account.sandbox, redactor) {
                Said::Nothing => Ok(None),
                Said::Error(error) => Err(error),
            };
        }
        match serde_json::from_slice(&answer.body) {
            Ok(json @ Value::Object(_)) => Ok(Some(json)),
            _ => Err(classify::unreadable(answer, FLOW_SERVICE, true, redactor)),
        }
    }

    fn backoff(&self, failed: u32, asked: Option<Duration>) -> Duration {
        let Policy { base, cap, .. } = self.inner.policy;
        let ceiling = base.saturating_mul(2_u32.saturating_pow(failed - 1)).min(cap);
        let jitter = ceiling.mul_f64(self.inner.rng.lock().unwrap_or_else(PoisonError::into_inner).f64());
        // Whoever was told when to come back comes then, and a little later, so that not all come at once.
        asked.map_or(jitter, |asked| asked.saturating_add(jitter.min(base)))
    }

    /// Does something, but not past the run's end or this client's, nor after somebody asks to stop. `last` is what was the
    /// matter before.
    async fn in_time<T>(&self, doing: impl Future<Output = T>, last: Option<&AdobeError>) -> Result<T, AdobeError> {
        let options = &self.inner.options;
        // In this order, so that nothing is begun that is too late.
        tokio::select! {
            biased;
            () = stopped(options.stop.clone()) => Err(interrupted()),
            () = ended(options.deadline) => Err(last.map_or_else(time_budget, AdobeError::out_of_time)),
            () = ended(self.until) => Err(last.cloned().unwrap_or_else(unanswered)),
            done = doing => Ok(done),
        }
    }

    /// Waits, or fails at once if the time ends before the wait does.
    async fn pause(&self, wait: Duration, why: &AdobeError) -> Result<(), AdobeError> {
        let end = Instant::now().checked_add(wait);
        let before = |limit: Option<Instant>| end.is_some_and(|end| limit.is_none_or(|limit| end < limit));
        let Some(end) = end.filter(|_| before(self.inner.options.deadline)) else {
            return Err(why.out_of_time());
        };
        if !before(self.until) {
            return Err(why.clone());
        }
        tracing::debug!(aep = %self.inner.account.name, kind = %why.kind, ?wait, "trying again");
        if let Some(on_wait) = &self.inner.options.on_wait {
            on_wait(wait, if why.kind == Kind::RateLimited { "rate limit" } else { "retry" });
        }
        self.in_time(sleep_until(end), Some(why)).await
    }
}

/// Percent-encoded, blanks too.
pub(super) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

fn token_of(answer: &Answer, redactor: &Redactor) -> Result<Value, AdobeError> {
    if answer.status != 200 {
        return Err(classify::of_ims(answer, redactor));
    }
    match serde_json::from_slice::<Value>(&answer.body) {
        Ok(json) if json.get("access_token").and_then(Value::as_str).is_some_and(|token| !token.is_empty()) => Ok(json),
        _ => Err(classify::unreadable(answer, IMS, false, redactor)),
    }
}

/// Seconds, also with a fraction, or a date.
fn retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = jiff::fmt::rfc2822::parse(header).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

async fn ended(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Ends when somebody asks to stop.
async fn stopped(stop: Option<watch::Receiver<bool>>) {
    let asked = match stop {
        Some(mut stop) => stop.wait_for(|stop| *stop).await.is_ok(),
        None => false,
    };
    if !asked {
        std::future::pending::<()>().await;
    }
}

fn interrupted() -> AdobeError {
    AdobeError::new(Kind::Interrupted, "interrupted before Adobe had answered")
}

fn unanswered() -> AdobeError {
    let message = "Adobe did not answer in the time that a run leaves it: a quarter of --timeout, a minute at most where \
                   destinations are looked up; try again later, or with a longer --timeout";
    AdobeError { retryable: true, ..AdobeError::new(Kind::Unavailable, message.to_owned()) }
}

fn time_budget() -> AdobeError {
    AdobeError::new(Kind::TimeBudget, "the run's time (--timeout) ended before Adobe had answered")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-10-21T07:27:30Z".parse().expect("time");
        let wait = |header| retry_after(header, now);
        assert_eq!(wait(" 2 "), Some(Duration::from_secs(2)));
        assert_eq!(wait("0.25"), Some(Duration::from_millis(250)));
        assert_eq!(wait("Wed, 21 Oct 2026 07:28:00 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(wait("Wed, 21 Oct 2026 07:00:00 GMT"), Some(Duration::ZERO));
        for header in ["", "soon", "-1", "NaN", "inf", "1e30"] {
            assert_eq!(wait(header), None, "{header}");
        }
    }
}
