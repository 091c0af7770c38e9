//! One shop, one token, one bucket: sends a request, waits as the API demands, and retries if that is safe.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::classify::{self, Asked};
use super::documents::Document;
use super::endpoint::Place;
use super::envelope::{self, Envelope};
use super::error::{AdminError, AdminErrorKind};
use super::retry::{Purpose, Tally};
use super::throttle::Bucket;
use super::{AdminClient, AdminOptions, Renew};
use crate::http::{
    self, BODY_LIMIT, Cause, Class, Failed, NoResponse, Redactor, Response, Unconnected, retry_seconds, unconnected,
};
use crate::model::{ShopDomain, Transport};

/// The extra time for the response to a request in flight when the run's time ends: a lost response to a mutation costs
/// a read, and one to a refresh loses the new pair. A reading has no extra time.
const GRACE: Duration = Duration::from_secs(5);

pub(super) struct Session {
    pub(super) client: AdminClient,
    pub(super) shop: ShopDomain,
    /// `None` for token requests.
    token: Option<SecretString>,
    renew: Option<Renew>,
    rng: fastrand::Rng,
    pub(super) redactor: Redactor,
    pub(super) bucket: Option<Bucket>,
}

/// A request to a shop.
pub(super) struct Request<'a> {
    pub(super) method: Method,
    pub(super) url: &'a str,
    /// JSON.
    pub(super) body: Option<Vec<u8>>,
}

impl Session {
    pub(super) fn new(client: AdminClient, shop: &ShopDomain, token: &SecretString) -> Self {
        client.remember(shop, token);
        Self { token: Some(token.clone()), ..Self::without_token(client, shop) }
    }

    pub(super) fn without_token(client: AdminClient, shop: &ShopDomain) -> Self {
        let redactor = client.redactor(shop);
        let options = &client.inner.options;
        let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let seed = shop.as_str().bytes().fold(options.jitter_seed ^ 0xcbf2_9ce4_8422_2325, fnv);
        let rng = fastrand::Rng::with_seed(seed);
        Self { shop: shop.clone(), token: None, renew: None, rng, redactor, bucket: None, client }
    }

    /// Sets the function that replaces a refused token.
    pub(super) fn renew_with(&mut self, renew: Renew) {
        self.renew = Some(renew);
    }

    /// Sends a document until there is a response, or until another attempt is useless. `cost`: its cost, if known.
    ///
    /// The response may have errors; the response to a throttled document is a failure.
    pub(super) async fn call(
        &mut self,
        document: &Document,
        mut cost: Option<f64>,
        purpose: Purpose,
    ) -> Result<Envelope, AdminError> {
        let body = json!({ "query": document.query, "variables": document.variables }).to_string().into_bytes();
        let mut tally = Tally::default();
        loop {
            self.before(cost, purpose).await.map_err(|error| tally.cause(error, purpose))?;
            match self.exchange(body.clone(), &mut cost, purpose).await {
                Ok(envelope) => return Ok(envelope),
                Err(failure) => self.again(failure, &mut tally, cost, purpose).await?,
            }
        }
    }

    /// Waits until the bucket covers the known cost of a request.
    pub(super) async fn before(&self, cost: Option<f64>, purpose: Purpose) -> Result<(), AdminError> {
        self.pause(self.wait_for_bucket(cost), "rate limit", None, purpose).await
    }

    /// Waits before a retry of the same request, or returns the failure if a retry is useless. A request whose token
    /// was refused is sent again once, with another token if `renew` has one: 401 proves that nothing was changed.
    pub(super) async fn again(
        &mut self,
        failure: Failed<AdminErrorKind>,
        tally: &mut Tally,
        cost: Option<f64>,
        purpose: Purpose,
    ) -> Result<(), AdminError> {
        let Failed { error, mut asked } = failure;
        if error.kind == AdminErrorKind::TokenRefused && tally.renews() && self.renewed(purpose).await? {
            return Ok(());
        }
        let reason = match error.kind {
            AdminErrorKind::Throttled => {
                asked = asked.or_else(|| cost.and(self.bucket).map(|_| self.wait_for_bucket(cost)));
                "throttled"
            }
            AdminErrorKind::RateLimited => "rate limit",
            _ => "retry",
        };
        // If the bucket is sufficient, but the API throttles nevertheless, only backoff helps.
        let asked = asked.filter(|wait| !wait.is_zero());
        let Some(wait) = tally.next(self.options().retry, &error, purpose, asked, &mut self.rng) else {
            return Err(tally.cause(error, purpose));
        };
        tracing::debug!(shop = %self.shop, kind = %error.kind, ?wait, "retrying");
        self.pause(wait, reason, Some(&error), purpose).await
    }

    /// Replaces the refused token. Returns whether there is another one.
    async fn renewed(&mut self, purpose: Purpose) -> Result<bool, AdminError> {
        let (Some(renew), Some(refused)) = (self.renew.clone(), self.token.clone()) else { return Ok(false) };
        let stop = self.stop(purpose);
        let another = tokio::select! {
            another = renew(refused) => another.map_err(AdminError::proven)?,
            () = stop.cancelled() => return Err(interrupted()),
        };
        let Some(another) = another else { return Ok(false) };
        tracing::debug!(shop = %self.shop, "the token was refused; the request is sent again with another one");
        self.client.remember(&self.shop, &another);
        self.redactor = self.client.redactor(&self.shop);
        self.token = Some(another);
        Ok(true)
    }

    fn options(&self) -> &AdminOptions {
        &self.client.inner.options
    }

    /// Returns the token whose cancellation ends such a request. A reading continues after an interrupt, because it
    /// shows the results of the mutations that were sent.
    fn stop(&self, purpose: Purpose) -> CancellationToken {
        if purpose == Purpose::Mutate { self.options().stop.clone() } else { CancellationToken::new() }
    }

    /// Returns the URL of a path below `/admin/api/<version>/`.
    pub(super) fn versioned(&self, path: &str) -> String {
        self.url(&format!("/admin/api/{}/{path}", self.options().version))
    }

    /// Returns the URL of a path of this shop.
    pub(super) fn url(&self, path: &str) -> String {
        self.options().endpoint.url_for(&self.shop, path)
    }

    pub(super) fn transport(&self) -> Transport {
        self.options().transport
    }

    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.client.inner.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn wait_for_bucket(&self, cost: Option<f64>) -> Duration {
        match (self.bucket, cost) {
            (Some(bucket), Some(cost)) => bucket.wait_before(cost, self.now_ms()),
            _ => Duration::ZERO,
        }
    }

    /// Returns the error of a response with a status other than 200. `versioned`: the URL has the version.
    pub(super) fn status_error(&self, answer: &Response, versioned: bool) -> AdminError {
        let AdminOptions { endpoint, version, .. } = self.options();
        let asked = Asked { shop: &self.shop, version: versioned.then_some(version), endpoint };
        classify::status_error(&asked, answer, &self.redactor)
    }

    /// Sends a request once, with the token if there is one, and returns any response that arrives in time.
    pub(super) async fn send(&self, request: Request<'_>, purpose: Purpose) -> Result<Response, AdminError> {
        let started = Instant::now();
        let Request { method, url, body } = request;
        let mut request = self.client.inner.hosts.of(&self.shop)?.request(method, url);
        if let Some(token) = &self.token {
            request = request.header("X-Shopify-Access-Token", header_of(token)?);
        }
        if let Some(json) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(json);
        }
        let place = self.options().endpoint.place();
        let sent = async {
            let answer = http::send(request, &self.redactor).await;
            answer.map_err(|failure| no_response(failure, place, &self.redactor))
        };
        let result = match self.options().deadline {
            Some(end) => {
                let end = if purpose == Purpose::Read { end } else { end + GRACE };
                timeout_at(end, sent).await.unwrap_or_else(|_| Err(time_budget("while waiting for a response")))
            }
            None => sent.await,
        };
        let answer = result.inspect_err(|error| {
            let elapsed = started.elapsed();
            tracing::debug!(shop = %self.shop, ?purpose, kind = %error.kind, ?elapsed, "no response");
        })?;
        let elapsed = started.elapsed();
        let request_id = self.redactor.clean(answer.header("x-request-id").as_deref().unwrap_or_default());
        tracing::debug!(shop = %self.shop, ?purpose, status = answer.status, ?elapsed, request_id, "response");
        Ok(answer)
    }

    async fn exchange(
        &mut self,
        body: Vec<u8>,
        cost: &mut Option<f64>,
        purpose: Purpose,
    ) -> Result<Envelope, Failed<AdminErrorKind>> {
        let url = self.versioned("graphql.json");
        let request = Request { method: Method::POST, url: &url, body: Some(body) };
        let answer = self.send(request, purpose).await?;
        if answer.status != 200 {
            let asked = answer.header("retry-after").as_deref().and_then(retry_seconds);
            // A throttled GraphQL request may have status 429 and still report the bucket.
            if let Some(bucket) = envelope::parse(&answer, self.now_ms()).and_then(|envelope| envelope.bucket) {
                self.bucket = Some(bucket);
            }
            return Err(Failed { error: self.status_error(&answer, true), asked });
        }
        let Some(envelope) = envelope::parse(&answer, self.now_ms()) else {
            return Err(classify::unreadable(&answer, "GraphQL", &self.redactor).into());
        };
        if envelope.bucket.is_some() {
            self.bucket = envelope.bucket;
            tracing::trace!(shop = %self.shop, cost = ?envelope.requested_cost, bucket = ?envelope.bucket, "cost");
        }
        if envelope.requested_cost.is_some() {
            *cost = envelope.requested_cost;
        }
        match envelope.first_error(&self.redactor) {
            // An error in a reading fails it; the response to a mutation also has the results of the other aliases.
            Some(error)
                if (purpose == Purpose::Read || envelope.data.is_none())
                    && matches!(error.kind, AdminErrorKind::Throttled | AdminErrorKind::InternalError) =>
            {
                Err(error.into())
            }
            _ => Ok(envelope),
        }
    }

    /// Waits. Fails at once if the run ends before the wait does, or if the run is interrupted.
    async fn pause(
        &self,
        wait: Duration,
        reason: &'static str,
        why: Option<&AdminError>,
        purpose: Purpose,
    ) -> Result<(), AdminError> {
        let stop = self.stop(purpose);
        if stop.is_cancelled() {
            return Err(interrupted());
        }
        let now = Instant::now();
        let end = now.checked_add(wait);
        if let Some(deadline) = self.options().deadline
            && end.is_none_or(|end| end >= deadline)
        {
            return Err(match why {
                // The server's failure is the cause; only its rate limit is a matter of time.
                Some(error) if error.class() != Class::RateLimit => error.out_of_time(),
                Some(error) => AdminError { kind: AdminErrorKind::TimeBudget, ..error.out_of_time() }.proven(),
                None if wait.is_zero() => time_budget("before the request was sent").proven(),
                None => time_budget(&format!("while waiting for the {reason}")).proven(),
            });
        }
        let Some(end) = end.filter(|_| !wait.is_zero()) else { return Ok(()) };
        if let Some(on_wait) = &self.options().on_wait {
            on_wait(&self.shop, wait, reason);
        }
        tokio::select! {
            () = sleep_until(end) => Ok(()),
            () = stop.cancelled() => Err(interrupted()),
        }
    }
}

/// Returns the header of a token, marked as sensitive so that it is not logged.
fn header_of(token: &SecretString) -> Result<HeaderValue, AdminError> {
    let mut header = HeaderValue::from_str(token.expose_secret()).map_err(|_| {
        AdminError::secret_unavailable("the access token contains characters that are not allowed in an HTTP header")
    })?;
    header.set_sensitive(true);
    Ok(header)
}

fn no_response(failure: NoResponse, place: Place, redactor: &Redactor) -> AdminError {
    let NoResponse { host, status, cause } = failure;
    let error = match cause {
        Cause::Request(cause) => {
            AdminError::new(AdminErrorKind::ConnectFailed, format!("the request is invalid: {cause}"))
        }
        Cause::Connect(error) => {
            let Unconnected { message, tls, lasting } = unconnected(&error, &host, place.check(), redactor);
            let kind = if tls { AdminErrorKind::Tls } else { AdminErrorKind::ConnectFailed };
            let error = AdminError::new(kind, message);
            AdminError { retryable: error.retryable && !lasting, ..error }
        }
        Cause::Timeout => {
            AdminError::new(AdminErrorKind::Timeout, format!("{host} did not respond in time. Try again later"))
        }
        // The response does not start with an HTTP status line: it may be a TLS alert.
        Cause::Lost(cause) if cause.starts_with("invalid HTTP version") => AdminError::new(
            AdminErrorKind::ConnectionLost,
            format!("the response of {host} is not HTTP; the port probably uses https. Check `HOOKWRIGHT_ADMIN_URL`"),
        ),
        Cause::Lost(cause) => AdminError::new(
            AdminErrorKind::ConnectionLost,
            format!("the connection to {host} was closed before the response was complete: {cause}"),
        ),
        Cause::TooLarge => {
            let message = format!("the response is larger than {} MiB; the rest was not read", BODY_LIMIT >> 20);
            AdminError::new(AdminErrorKind::TooLarge, message)
        }
    };
    AdminError { http_status: status, ..error }
}

fn interrupted() -> AdminError {
    AdminError::new(AdminErrorKind::Interrupted, "interrupted before the request was sent")
}

fn time_budget(doing: &str) -> AdminError {
    let message =
        format!("the time limit of the run (`--timeout`) was reached {doing}. Run again, or with a longer `--timeout`");
    AdminError::new(AdminErrorKind::TimeBudget, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_of_a_token_cannot_be_printed_and_contains_no_second_header() {
        let header = header_of(&"s3cr3t".into()).expect("header");
        assert!(header.is_sensitive() && !format!("{header:?}").contains("s3cr3t"));
        let error = header_of(&"s3cr3t\r\nX-Evil: 1".into()).expect_err("a second header");
        assert!(error.kind == AdminErrorKind::SecretUnavailable && !format!("{error:?}").contains("s3cr3t"));
    }
}
