//! Sends one request to IMS or Flow Service until there is a response, or until another attempt is useless.

use std::sync::PoisonError;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};
use url::{Url, form_urlencoded};

use super::classify::{self, AdobeError, AdobeErrorKind, Meaning};
use super::endpoints::is_adobes;
use super::{Account, AdobeClient};
use crate::http::{
    self, BODY_LIMIT, Cause, Failed, NoResponse, Redactor, Response, Unconnected, retry_seconds_or_date, unconnected,
};

const IMS: &str = "IMS";
const FLOW_SERVICE: &str = "Flow Service";

/// A request to Adobe.
#[derive(Clone, Copy)]
pub(super) enum Question<'a> {
    /// A POST to IMS for a token.
    Token,
    /// A GET to Flow Service.
    Get { url: &'a Url, token: &'a SecretString },
}

impl AdobeClient {
    /// Sends a request to Flow Service, and again with another token if the token is refused. `None`: the id is
    /// unknown.
    pub(super) async fn get(&self, url: &Url) -> Result<Option<Value>, AdobeError> {
        let token = self.token(None).await?;
        match self.ask(Question::Get { url, token: &token }).await {
            Err(error) if error.kind == AdobeErrorKind::TokenRefused => {
                let token = self.token(Some(&token)).await?;
                self.ask(Question::Get { url, token: &token }).await
            }
            answer => answer,
        }
    }

    /// Sends a request until there is a response, or until another attempt is useless.
    pub(super) async fn ask(&self, question: Question<'_>) -> Result<Option<Value>, AdobeError> {
        let (mut failed, mut last) = (0, None);
        let result = loop {
            let failure = match self.in_time(self.exchange(question), last.as_ref()).await {
                Ok(Ok(answer)) => break Ok(answer),
                Ok(Err(failure)) => failure,
                Err(error) => break Err(error),
            };
            failed += 1;
            if !failure.error.retryable || failed >= self.inner.backoff.attempts {
                break Err(failure.error);
            }
            let wait = {
                let mut rng = self.inner.rng.lock().unwrap_or_else(PoisonError::into_inner);
                self.inner.backoff.delay(failed, failure.asked, &mut rng)
            };
            if let Err(error) = self.pause(wait, &failure.error).await {
                break Err(error);
            }
            last = Some(failure.error);
        };
        result.map_err(|error| error.of(&self.inner.account.name))
    }

    /// Redacts a token from every message of this run.
    pub(super) fn remember(&self, token: &SecretString) {
        self.inner.tokens.lock().unwrap_or_else(PoisonError::into_inner).push(token.clone());
    }

    /// Returns a redactor of every secret of the account.
    pub(super) fn redactor(&self) -> Redactor {
        let Account { client_id, client_secret, .. } = &self.inner.account;
        let mut secrets = self.inner.tokens.lock().unwrap_or_else(PoisonError::into_inner).clone();
        secrets.extend([client_id.clone(), client_secret.clone()]);
        // A server may also echo the form, or parts of a URL.
        for secret in [client_id, client_secret] {
            let secret = secret.expose_secret();
            let of_form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            secrets.extend([of_form, encoded(secret)].map(SecretString::from));
        }
        // Longer secrets first, because one may be a part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        Redactor::of_all(secrets)
    }

    async fn exchange(&self, question: Question<'_>) -> Result<Option<Value>, Failed<AdobeErrorKind>> {
        let (redactor, started) = (self.redactor(), Instant::now());
        let (service, url) = match question {
            Question::Token => (IMS, self.inner.account.endpoints.token_url()),
            Question::Get { url, .. } => (FLOW_SERVICE, url),
        };
        let (aep, path) = (&self.inner.account.name, url.path());
        let answer = http::send(self.request(question)?, &redactor).await;
        let answer = answer.map_err(|failure| no_response(failure, service, is_adobes(url), &redactor));
        let answer = answer.inspect_err(|error| {
            tracing::debug!(%aep, path, kind = %error.kind, elapsed = ?started.elapsed(), "no response");
        })?;
        let request_id = redactor.clean(answer.header("x-request-id").as_deref().unwrap_or_default());
        tracing::debug!(%aep, path, status = answer.status, elapsed = ?started.elapsed(), request_id, "response");
        let result = match question {
            Question::Token => token_of(&answer, &redactor).map(Some),
            Question::Get { .. } => self.read(&answer, &redactor),
        };
        let asked = answer.header("retry-after").and_then(|header| retry_seconds_or_date(&header, Timestamp::now()));
        result.map_err(|error| Failed { error, asked })
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

    fn read(&self, answer: &Response, redactor: &Redactor) -> Result<Option<Value>, AdobeError> {
        if answer.status != 200 {
            return match classify::of_flow_service(answer, &self.inner.account.sandbox, redactor) {
                Meaning::UnknownId => Ok(None),
                Meaning::Error(error) => Err(error),
            };
        }
        match serde_json::from_slice(&answer.body) {
            Ok(json @ Value::Object(_)) => Ok(Some(json)),
            _ => Err(classify::unreadable(answer, FLOW_SERVICE, true, redactor)),
        }
    }

    /// Runs a future until the run ends, this client's time ends, or the run is interrupted. `last`: the previous
    /// error.
    async fn in_time<T>(&self, doing: impl Future<Output = T>, last: Option<&AdobeError>) -> Result<T, AdobeError> {
        let options = &self.inner.options;
        // Biased, so that nothing starts too late.
        tokio::select! {
            biased;
            () = options.stop.cancelled() => Err(interrupted()),
            () = ended(options.deadline) => Err(last.map_or_else(time_budget, AdobeError::out_of_time)),
            () = ended(self.until) => Err(last.cloned().unwrap_or_else(unanswered)),
            done = doing => Ok(done),
        }
    }

    /// Waits. Fails at once if the time ends before the wait does.
    async fn pause(&self, wait: Duration, why: &AdobeError) -> Result<(), AdobeError> {
        let end = Instant::now().checked_add(wait);
        let before = |limit: Option<Instant>| end.is_some_and(|end| limit.is_none_or(|limit| end < limit));
        let Some(end) = end.filter(|_| before(self.inner.options.deadline)) else {
            return Err(why.out_of_time());
        };
        if !before(self.until) {
            return Err(why.clone());
        }
        tracing::debug!(aep = %self.inner.account.name, kind = %why.kind, ?wait, "retrying");
        if let Some(on_wait) = &self.inner.options.on_wait {
            on_wait(wait, if why.kind == AdobeErrorKind::RateLimited { "rate limit" } else { "retry" });
        }
        self.in_time(sleep_until(end), Some(why)).await
    }
}

/// Refuses an account with a value that is not allowed in an HTTP header.
pub(super) fn check_headers(account: &Account) -> Result<(), AdobeError> {
    let Account { org, sandbox, client_id, .. } = account;
    for (name, text) in [("org", org.as_str()), ("sandbox", sandbox), ("client_id", client_id.expose_secret())] {
        if text.is_empty() || HeaderValue::from_str(text).is_err() {
            let message =
                format!("`{name}` is empty or contains characters that are not allowed in an HTTP header. Correct it");
            return Err(AdobeError::new(AdobeErrorKind::ClientRefused, message));
        }
    }
    Ok(())
}

/// Returns a header that is marked as sensitive so that it is not logged.
fn secret_header(text: &str) -> Result<HeaderValue, AdobeError> {
    let mut header = HeaderValue::from_str(text).map_err(|_| {
        AdobeError::new(
            AdobeErrorKind::BadAnswer,
            "IMS issued a token with characters that are not allowed in an HTTP header",
        )
    })?;
    header.set_sensitive(true);
    Ok(header)
}

fn bearer(token: &SecretString) -> Result<HeaderValue, AdobeError> {
    secret_header(&format!("Bearer {}", token.expose_secret()))
}

fn no_response(failure: NoResponse, service: &str, of_adobe: bool, redactor: &Redactor) -> AdobeError {
    let NoResponse { host, status, cause } = failure;
    let host = format!("{host} ({service})");
    let unavailable = |message: String| AdobeError::new(AdobeErrorKind::Unavailable, message);
    let error = match cause {
        Cause::Request(cause) => unavailable(format!("the request to {service} is invalid: {cause}")).retryable(false),
        Cause::Connect(error) => {
            let check = if of_adobe {
                "Check the network, and try again later"
            } else {
                "Check `HOOKWRIGHT_ADOBE_URL`, or `base_url` and `token_url` under `aep`"
            };
            let Unconnected { message, tls, lasting } = unconnected(&error, &host, check, redactor);
            unavailable(message).retryable(!tls && !lasting)
        }
        Cause::Timeout => unavailable(format!("{host} did not respond in time. Try again later")),
        Cause::Lost(cause) => unavailable(format!(
            "the connection to {host} was closed before the response was complete: {cause}. Try again later"
        )),
        Cause::TooLarge => AdobeError::new(
            AdobeErrorKind::BadAnswer,
            format!("the response of {service} is larger than {} MiB; the rest was not read", BODY_LIMIT >> 20),
        ),
    };
    AdobeError { http_status: status, ..error }
}

/// Percent-encodes a text, including blanks.
pub(super) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

fn token_of(answer: &Response, redactor: &Redactor) -> Result<Value, AdobeError> {
    if answer.status != 200 {
        return Err(classify::of_ims(answer, redactor));
    }
    match serde_json::from_slice::<Value>(&answer.body) {
        Ok(json) if json.get("access_token").and_then(Value::as_str).is_some_and(|token| !token.is_empty()) => Ok(json),
        _ => Err(classify::unreadable(answer, IMS, false, redactor)),
    }
}

async fn ended(deadline: Option<Instant>) {
    match deadline {
        // A timer of a time that has passed completes only after the timer thread runs.
        Some(deadline) if deadline <= Instant::now() => {}
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn interrupted() -> AdobeError {
    AdobeError::new(AdobeErrorKind::Interrupted, "interrupted before Adobe responded")
}

fn unanswered() -> AdobeError {
    let message = "Adobe did not respond within its share of the run's time: a quarter of `--timeout`, and at most one \
                   minute for the lookup of destinations. Try again later, or with a longer `--timeout`";
    AdobeError { retryable: true, ..AdobeError::new(AdobeErrorKind::Unavailable, message.to_owned()) }
}

fn time_budget() -> AdobeError {
    AdobeError::new(
        AdobeErrorKind::TimeBudget,
        "the time limit of the run (`--timeout`) was reached before Adobe responded. Run again, or with a longer `--timeout`",
    )
}
