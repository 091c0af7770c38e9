//! The Admin API: reads shops, changes subscriptions, waits and retries as the API asks.
//!
//! Takes everything from its arguments: no environment, no files, no clock but tokio's. A token goes into one header of
//! one request and nowhere else.
//!
//! ```text
//! AdminClient ─▶ ShopReader ─▶ read.graphql, page.graphql                                  (or rest: two GETs)
//!             └▶ ShopWriter ─▶ create, update, delete.graphql as aliases of one document   (or rest: one by one)
//!             └▶ post_oauth  the token endpoint, without a token
//!                    both through Session: bucket (throttle) → hosts, http → classify, envelope → retry
//! ```

mod answer;
mod classify;
mod decode;
mod documents;
mod endpoint;
mod envelope;
mod error;
mod hosts;
mod oauth;
mod reader;
mod reading;
mod rest;
mod retry;
mod session;
mod throttle;
mod writer;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::OnceCell;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(crate) use answer::{Answer, RefusalKind, UserError};
pub(crate) use classify::not_installed;
pub(crate) use decode::Granted;
pub(crate) use documents::{Input, Mutation};
pub(crate) use endpoint::Endpoint;
pub(crate) use endpoint::is_sandbox;
pub(crate) use error::{AdminError, AdminErrorKind};
pub(crate) use oauth::{OauthAnswer, Repeat};
pub(crate) use reader::{Reading, ShopReader};
pub(crate) use writer::ShopWriter;

pub(crate) use crate::http::Backoff;
use crate::http::Redactor;
use crate::model::{ApiVersion, ShopDomain, Transport};
use documents::AskOfApp;
use hosts::Hosts;

/// Called before every wait with the shop, the time and the reason.
pub(crate) type OnWait = Arc<dyn Fn(&ShopDomain, Duration, &'static str) + Send + Sync>;

/// Gets another token than the refused one; `None` if that takes a person.
pub(crate) type Renew = Arc<dyn Fn(SecretString) -> Renewal + Send + Sync>;
pub(crate) type Renewal = Pin<Box<dyn Future<Output = Result<Option<SecretString>, AdminError>> + Send>>;

/// How an `AdminClient` behaves.
#[derive(Clone)]
pub(crate) struct AdminOptions {
    /// Where requests go.
    pub endpoint: Endpoint,
    /// The version in the URLs.
    pub version: ApiVersion,
    /// GraphQL or REST.
    pub transport: Transport,
    /// When the run ends (`--timeout`).
    pub deadline: Option<Instant>,
    /// Seed of the jitter; with the shop's name it decides every backoff.
    pub jitter_seed: u64,
    /// Called before every wait.
    pub on_wait: Option<OnWait>,
    /// Cancelled when the run is to stop: no mutation is begun then, and a wait before one ends.
    pub stop: CancellationToken,
    /// How often and when a request is sent again.
    pub retry: Backoff,
    /// Time for one request and its answer.
    pub request_timeout: Duration,
    /// The most shops with open connections, those in flight included, while shops wait for their changes.
    pub most_waiting: usize,
}

impl AdminOptions {
    /// Returns the defaults: GraphQL, no deadline, never stopped.
    pub(crate) fn new(endpoint: Endpoint, version: ApiVersion) -> Self {
        Self {
            endpoint,
            version,
            transport: Transport::GraphQl,
            deadline: None,
            jitter_seed: 0,
            on_wait: None,
            stop: CancellationToken::new(),
            retry: Backoff::default(),
            request_timeout: Duration::from_secs(30),
            most_waiting: 128,
        }
    }
}

/// The client of a run. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AdminClient {
    inner: Arc<Inner>,
}

struct Inner {
    hosts: Hosts,
    options: AdminOptions,
    started: Instant,
    /// What no message about a shop may repeat.
    secrets: Mutex<HashMap<ShopDomain, Vec<SecretString>>>,
    /// Shops whose Admin API refuses the app's category.
    without_category: Mutex<HashSet<ShopDomain>>,
    /// Whether the endpoint is the sandbox, once it was asked.
    at_sandbox: OnceCell<bool>,
}

impl fmt::Debug for AdminClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminClient").field("endpoint", &self.inner.options.endpoint).finish_non_exhaustive()
    }
}

impl AdminClient {
    /// Sets up the client; sends nothing. Fails only if TLS cannot be set up.
    pub(crate) fn new(options: AdminOptions) -> Result<Self, AdminError> {
        let hosts = Hosts::new(&options)?;
        Ok(Self {
            inner: Arc::new(Inner {
                hosts,
                options,
                started: Instant::now(),
                secrets: Mutex::default(),
                without_category: Mutex::default(),
                at_sandbox: OnceCell::new(),
            }),
        })
    }

    /// Returns where requests go.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.inner.options.endpoint
    }

    /// Whether requests go to the sandbox on this machine. Asks it once a run; another host is never asked.
    pub(crate) async fn at_sandbox(&self) -> bool {
        let endpoint = self.endpoint();
        let ask = || async { endpoint.is_loopback() && is_sandbox(&endpoint.to_string()).await };
        *self.inner.at_sandbox.get_or_init(ask).await
    }

    /// Keeps the secret out of every later message about this shop: a server may echo it in the answer to another request.
    pub(crate) fn remember(&self, shop: &ShopDomain, secret: &SecretString) {
        let mut secrets = self.inner.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let known = secrets.entry(shop.clone()).or_default();
        if !known.iter().any(|k| k.expose_secret() == secret.expose_secret()) {
            known.push(secret.clone());
            // The long ones first: one may be a part of another.
            known.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        }
    }

    /// Returns a redactor of what was remembered of a shop.
    pub(crate) fn redactor(&self, shop: &ShopDomain) -> Redactor {
        let secrets = self.inner.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        Redactor::of_all(secrets.get(shop).into_iter().flatten().cloned())
    }

    /// Returns when the run ends.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.inner.options.deadline
    }

    /// Cancelled when the run is to stop.
    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.inner.options.stop
    }

    /// Closes a shop's connections. A later request opens new ones.
    pub(crate) fn close(&self, shop: &ShopDomain) {
        self.inner.hosts.close(shop);
    }

    /// Keeps a shop's connections open for later requests, unless too many shops wait.
    pub(crate) fn pause(&self, shop: &ShopDomain) {
        self.inner.hosts.pause(shop);
    }

    /// Reads what a token may do and the app that it belongs to, and nothing else of the shop.
    pub(crate) async fn access(&self, shop: &ShopDomain, token: &SecretString) -> Result<Granted, AdminError> {
        self.reader(shop, token).access().await
    }

    /// Returns what a shop is asked about the app.
    fn ask_of_app(&self, shop: &ShopDomain) -> AskOfApp {
        let without = self.inner.without_category.lock().unwrap_or_else(PoisonError::into_inner);
        if without.contains(shop) { AskOfApp::Number } else { AskOfApp::All }
    }

    /// Stops asking the shop for the app's category in this run, since its Admin API refused it.
    fn ask_less_of_app(&self, shop: &ShopDomain) {
        self.inner.without_category.lock().unwrap_or_else(PoisonError::into_inner).insert(shop.clone());
    }

    /// Returns a reader, which cannot change anything.
    pub(crate) fn reader(&self, shop: &ShopDomain, token: &SecretString) -> ShopReader {
        ShopReader::new(self.clone(), shop, token)
    }

    /// Returns a writer.
    pub(crate) fn writer(&self, shop: &ShopDomain, token: &SecretString) -> ShopWriter {
        ShopWriter::new(self.clone(), shop, token)
    }
}

#[cfg(test)]
mod tests;
