//! One shop, one token, one bucket: sends a request, waits where the API says so, tries again where that is safe.

use std::time::Duration;

use reqwest::Method;
use secrecy::SecretString;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::classify::{self, Asked};
use super::documents::Document;
use super::envelope::{self, Envelope};
use super::error::{AdminError, Class, Kind};
use super::http::{Answer, Request};
use super::redact::Redactor;
use super::retry::{Purpose, Tally, retry_after};
use super::throttle::Bucket;
use super::{AdminClient, Options, Renew, Transport, http};
use crate::model::ShopDomain;

/// What is in flight when the run's time ends may still be answered for so long: a lost answer to a mutation costs a
/// read, and one to a refresh the new pair. Nobody waits for a reading.
const GRACE: Duration = Duration::from_secs(5);

pub(super) struct Session {
    pub(super) client: AdminClient,
    pub(super) shop: ShopDomain,
    /// None for the requests that get one.
    token: Option<SecretString>,
    renew: Option<Renew>,
    rng: fastrand::Rng,
    pub(super) redactor: Redactor,
    pub(super) bucket: Option<Bucket>,
}

/// A failure, and how long the server asked to wait.
pub(super) struct Failure {
    pub(super) error: AdminError,
    pub(super) asked: Option<Duration>,
}

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Self {
        Self { error, asked: None }
    }
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

    /// From now on a token that the shop refuses is replaced by another one.
    pub(super) fn renew_with(&mut self, renew: Renew) {
        self.renew = Some(renew);
    }

    /// Sends a document until it is answered or there is no use in trying. `cost`: what it is known to cost.
    ///
    /// An answer may hold errors; a document that was throttled is none.
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

    /// Waits until the bucket holds what a request is known to cost.
    pub(super) async fn before(&self, cost: Option<f64>, purpose: Purpose) -> Result<(), AdminError> {
        self.pause(self.wait_for_bucket(cost), "rate limit", None, purpose).await
    }

    /// Waits before the same request is sent again, or gives the failure back if there is no use in that. A request that
    /// was refused for its token is sent again once, with another token if there is a way to one: 401 proves that
    /// nothing happened.
    pub(super) async fn again(
        &mut self,
        failure: Failure,
        tally: &mut Tally,
        cost: Option<f64>,
        purpose: Purpose,
    ) -> Result<(), AdminError> {
        let Failure { error, mut asked } = failure;
        if error.kind == Kind::TokenRefused && tally.renews() && self.renewed(purpose).await? {
            return Ok(());
        }
        let reason = match error.kind {
            Kind::Throttled => {
                asked = asked.or_else(|| cost.and(self.bucket).map(|_| self.wait_for_bucket(cost)));
                "throttled"
            }
            Kind::RateLimited => "rate limit",
            _ => "retry",
        };
        // Where the bucket says that there is enough and the API does not, only backing off helps.
        let asked = asked.filter(|wait| !wait.is_zero());
        let policy = self.client.inner.options.retry;
        let Some(wait) = policy.next(tally, &error, purpose, asked, &mut self.rng) else {
            return Err(tally.cause(error, purpose));
        };
        tracing::debug!(shop = %self.shop, kind = %error.kind, ?wait, "trying again");
        self.pause(wait, reason, Some(&error), purpose).await
    }

    /// Whether there is another token now than the refused one.
    async fn renewed(&mut self, purpose: Purpose) -> Result<bool, AdminError> {
        let (Some(renew), Some(refused)) = (self.renew.clone(), self.token.clone()) else { return Ok(false) };
        let another = tokio::select! {
            another = renew(refused) => another.map_err(AdminError::proven)?,
            () = stopped(self.stop(purpose).cloned()) => return Err(interrupted()),
        };
        let Some(another) = another else { return Ok(false) };
        tracing::debug!(shop = %self.shop, "the token was refused; the request is sent again with another one");
        self.client.remember(&self.shop, &another);
        self.redactor = self.client.redactor(&self.shop);
        self.token = Some(another);
        Ok(true)
    }

    /// Where it is told that somebody asks to stop, as far as that concerns such a request. Reading goes on then: it
    /// tells what became of what was sent.
    fn stop(&self, purpose: Purpose) -> Option<&watch::Receiver<bool>> {
        self.client.inner.options.stop.as_ref().filter(|_| purpose == Purpose::Mutate)
    }

    /// The URL of a path below `/admin/api/<version>/`.
    pub(super) fn versioned(&self, path: &str) -> String {
        self.url(&format!("/admin/api/{}/{path}", self.client.inner.options.version))
    }

    /// The URL of a path of this shop.
    pub(super) fn url(&self, path: &str) -> String {
        self.client.inner.options.endpoint.url_for(&self.shop, path)
    }

    pub(super) fn transport(&self) -> Transport {
        self.client.inner.options.transport
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

    /// What an answer other than 200 means. `versioned`: its URL names the version.
    pub(super) fn status_error(&self, answer: &Answer, versioned: bool) -> AdminError {
        let Options { endpoint, version, .. } = &self.client.inner.options;
        let asked = Asked { shop: &self.shop, version: versioned.then_some(version), endpoint };
        classify::status_error(&asked, answer, &self.redactor)
    }

    /// Sends a request once and takes whatever answer comes in time.
    pub(super) async fn send(&self, request: Request<'_>, purpose: Purpose) -> Result<Answer, AdminError> {
        let started = Instant::now();
        let http = self.client.inner.hosts.of(&self.shop)?;
        let place = self.client.inner.options.endpoint.place();
        let sent = http::send(&http, request, self.token.as_ref(), place, &self.redactor);
        let result = match self.client.inner.options.deadline {
            Some(end) => {
                let end = if purpose == Purpose::Read { end } else { end + GRACE };
                timeout_at(end, sent).await.unwrap_or_else(|_| Err(time_budget("waiting for an answer")))
            }
            None => sent.await,
        };
        let answer = result.inspect_err(|error| {
            tracing::debug!(shop = %self.shop, ?purpose, kind = %error.kind, elapsed = ?started.elapsed(), "no answer");
        })?;
        let elapsed = started.elapsed();
        let request_id = self.redactor.clean(answer.request_id.as_deref().unwrap_or_default());
        tracing::debug!(shop = %self.shop, ?purpose, status = answer.status, ?elapsed, request_id, "answer");
        Ok(answer)
    }

    async fn exchange(&mut self, body: Vec<u8>, cost: &mut Option<f64>, purpose: Purpose) -> Result<Envelope, Failure> {
        let url = self.versioned("graphql.json");
        let request = Request { method: Method::POST, url: &url, body: Some(body) };
        let answer = self.send(request, purpose).await?;
        if answer.status != 200 {
            let asked = answer.retry_after.as_deref().and_then(retry_after);
            // A throttled GraphQL request may come with 429, and then the bucket still says when to come back.
            if let Some(bucket) = envelope::parse(&answer, self.now_ms()).and_then(|envelope| envelope.bucket) {
                self.bucket = Some(bucket);
            }
            return Err(Failure { error: self.status_error(&answer, true), asked });
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
            // Half an answer to a read is none; of a mutation it says what became of the other aliases.
            Some(error)
                if (purpose == Purpose::Read || envelope.data.is_none())
                    && matches!(error.kind, Kind::Throttled | Kind::InternalError) =>
            {
                Err(error.into())
            }
            _ => Ok(envelope),
        }
    }

    /// Waits, or fails at once if the run ends before the wait does, or when somebody asks to stop.
    async fn pause(
        &self,
        wait: Duration,
        reason: &'static str,
        why: Option<&AdminError>,
        purpose: Purpose,
    ) -> Result<(), AdminError> {
        let stop = self.stop(purpose);
        if stop.is_some_and(|stop| *stop.borrow()) {
            return Err(interrupted());
        }
        let now = Instant::now();
        let end = now.checked_add(wait);
        if let Some(deadline) = self.client.inner.options.deadline
            && end.is_none_or(|end| end >= deadline)
        {
            return Err(match why {
                // The server's trouble is the cause; only its rate limit is a matter of time.
                Some(error) if error.class() != Class::RateLimit => error.out_of_time(),
                Some(error) => time_budget(&error.message).proven(),
                None if wait.is_zero() => time_budget("before the request was sent").proven(),
                None => time_budget(&format!("waiting for the {reason}")).proven(),
            });
        }
        let Some(end) = end.filter(|_| !wait.is_zero()) else { return Ok(()) };
        if let Some(on_wait) = &self.client.inner.options.on_wait {
            on_wait(&self.shop, wait, reason);
        }
        tokio::select! {
            () = sleep_until(end) => Ok(()),
            () = stopped(stop.cloned()) => Err(interrupted()),
        }
    }
}

/// Ends when somebody asks to stop.
pub(super) async fn stopped(stop: Option<watch::Receiver<bool>>) {
    let asked = match stop {
        Some(mut stop) => stop.wait_for(|stop| *stop).await.is_ok(),
        None => false,
    };
    if !asked {
        std::future::pending::<()>().await;
    }
}

fn interrupted() -> AdminError {
    AdminError::new(Kind::Interrupted, "interrupted before it was sent")
}

fn time_budget(doing: &str) -> AdminError {
    AdminError::new(Kind::TimeBudget, format!("the run's time (--timeout) ended: {doing}"))
}
