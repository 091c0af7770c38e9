//! One request to Adobe, tried again where that may help. Knows no token and no path; a body is bounded, a redirect is
//! not followed, and no secret is in what it says.

use std::time::Duration;

use reqwest::{Request, StatusCode};
use serde_json::Value;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::client::Options;
use super::error::{AdobeError, ErrorKind};
use crate::admin::{Redactor, retry_after, root_cause};

/// No page of Flow Service's that this program asks for comes near this.
const BODY_LIMIT: usize = 8 * 1024 * 1024;
/// Requests in all, the first included.
const ATTEMPTS: u32 = 5;
/// The first backoff is a random part of this (Adobe's own tooling starts there); each further one of twice as much.
const BACKOFF: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(20);

/// An answer that came whole.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// JSON, or null if it is none.
    pub(super) body: Value,
}

/// How requests are sent for one account.
pub(super) struct Exchange {
    pub(super) http: reqwest::Client,
    pub(super) options: Options,
    pub(super) redactor: Redactor,
    /// The account's name.
    pub(super) account: String,
}

/// What one attempt came to, if not to an answer.
struct Failed {
    error: AdobeError,
    asked: Option<Duration>,
}

impl Exchange {
    /// Sends a request that changes nothing, again if need be.
    pub(super) async fn send(&self, request: &Request) -> Result<Answer, AdobeError> {
        // Nobody needs the same jitter twice, but it must come from outside.
        let mut rng = fastrand::Rng::with_seed(self.options.jitter_seed);
        for attempt in 1.. {
            let Some(again) = request.try_clone() else { break };
            let Failed { error, asked } = match self.once(again).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            tracing::debug!(account = self.account, kind = error.kind.as_str(), attempt, "no answer of Adobe's");
            if !error.retryable || attempt >= ATTEMPTS {
                return Err(error);
            }
            let backoff = BACKOFF.saturating_mul(1 << attempt.min(10)).min(LONGEST).mul_f64(rng.f64());
            self.wait(asked.map_or(backoff, |asked| asked.saturating_add(backoff.min(BACKOFF))), &error).await?;
        }
        Err(self.error(ErrorKind::Unavailable, "no request could be made"))
    }

    async fn wait(&self, wait: Duration, why: &AdobeError) -> Result<(), AdobeError> {
        let end = Instant::now().checked_add(wait);
        let (Some(end), Some(true)) = (end, Some(self.options.deadline.is_none_or(|d| end.is_some_and(|end| end < d))))
        else {
            return Err(self.error(
                ErrorKind::TimeBudget,
                &format!("the run's time (--timeout) ended before trying again: {}", why.message),
            ));
        };
        let reason = if why.kind == ErrorKind::RateLimited { "rate limit" } else { "retry" };
        (self.options.on_wait)(wait, reason);
        let mut stop = self.options.stop.clone();
        tokio::select! {
            () = sleep_until(end) => Ok(()),
            Ok(_) = stop.wait_for(|stop| *stop) => Err(self.error(ErrorKind::Interrupted, "interrupted while waiting")),
        }
    }

    async fn once(&self, request: Request) -> Result<Answer, Failed> {
        let (path, started) = (request.url().path().to_owned(), Instant::now());
        let mut stop = self.options.stop.clone();
        let sent = self.read(request);
        let in_time = async {
            match self.options.deadline {
                Some(deadline) => timeout_at(deadline, sent).await.unwrap_or_else(|_| {
                    let error =
                        self.error(ErrorKind::TimeBudget, "the run's time (--timeout) ended before it answered");
                    Err(Failed { error, asked: None })
                }),
                None => sent.await,
            }
        };
        let answer = tokio::select! {
            answer = in_time => answer?,
            Ok(_) = stop.wait_for(|stop| *stop) => {
                let error = self.error(ErrorKind::Interrupted, "interrupted before it answered");
                return Err(Failed { error, asked: None });
            }
        };
        tracing::debug!(account = self.account, path, status = answer.status.as_u16(), elapsed = ?started.elapsed(), "Adobe");
        Ok(answer)
    }

    async fn read(&self, request: Request) -> Result<Answer, Failed> {
        let mut response = self.http.execute(request).await.map_err(|e| self.lost(e))?;
        let status = response.status();
        let header = response.headers().get(reqwest::header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let asked = header.and_then(retry_after);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.lost(e))? {
            if body.len() + chunk.len() > BODY_LIMIT {
                let message = format!("the answer is larger than {} MiB and was not read further", BODY_LIMIT >> 20);
                return Err(Failed { error: self.error(ErrorKind::BadAnswer, &message), asked: None });
            }
            body.extend_from_slice(&chunk);
        }
        let json: Value = serde_json::from_slice(&body).unwrap_or_default();
        // A gateway of Adobe's was seen to say 429050 with the status 400.
        let limited =
            status == StatusCode::TOO_MANY_REQUESTS || code(&json).is_some_and(|code| code.starts_with("429"));
        if limited || status.is_server_error() {
            let kind = if limited { ErrorKind::RateLimited } else { ErrorKind::Unavailable };
            let what = if limited { "too many requests" } else { "it is out of order" };
            let message = format!("Adobe answered {}: {what}{}; try again later", status.as_u16(), self.said(&json));
            return Err(Failed { error: self.error(kind, &message).with_status(status.as_u16()), asked });
        }
        if status.is_success() && json.is_null() {
            // Cut off, or a page of something that stands in between: once more may help.
            let message = "the answer is no JSON; try again later, and check proxies if it stays so";
            let error = self.error(ErrorKind::BadAnswer, message).with_status(status.as_u16());
            return Err(Failed { error: AdobeError { retryable: true, ..error }, asked });
        }
        Ok(Answer { status, body: json })
    }

    /// What Adobe says of an error, with its code, as the end of a sentence.
    pub(super) fn said(&self, body: &Value) -> String {
        let text = ["message", "error_description", "title", "error"].iter().find_map(|key| body.get(key)?.as_str());
        match (code(body), text) {
            (Some(code), Some(text)) => format!(" ({})", self.redactor.clean(&format!("{code}: {text}"))),
            (Some(one), None) => format!(" ({})", self.redactor.clean(&one)),
            (None, Some(one)) => format!(" ({})", self.redactor.clean(one)),
            (None, None) => String::new(),
        }
    }

    /// With the account in front.
    pub(super) fn error(&self, kind: ErrorKind, message: &str) -> AdobeError {
        AdobeError::new(kind, format!("aep `{}`: {message}", self.account))
    }

    fn lost(&self, error: reqwest::Error) -> Failed {
        let host = error.url().and_then(|url| url.host_str()).unwrap_or("Adobe").to_owned();
        let error = error.without_url();
        let cause = self.redactor.clean(&root_cause(&error));
        let message = if error.is_timeout() {
            format!("{host} did not answer in time; try again later")
        } else if error.is_connect() {
            format!("could not connect to {host}: {cause}. Check the network, proxies and root certificates")
        } else {
            format!("the connection to {host} ended before the answer did: {cause}")
        };
        Failed { error: self.error(ErrorKind::Unavailable, &message), asked: None }
    }
}

/// Adobe's code of an error: `error_code` of its gateway, `code` or `errorCode` elsewhere, a number or a text.
pub(super) fn code(body: &Value) -> Option<String> {
    let value = ["error_code", "errorCode", "code"].iter().find_map(|key| body.get(key))?;
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
