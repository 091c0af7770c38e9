//! The Admin API: reads shops, changes subscriptions, and waits and retries as the API demands.
//!
//! All inputs are arguments: no environment, no files, no clock but tokio's. A token is sent in one header of a
//! request, and is used nowhere else.
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
pub(crate) use classify::{not_installed, tolerance};
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

/// Obtains a token other than the refused one; `None` if that requires a login.
pub(crate) type Renew = Arc<dyn Fn(SecretString) -> Renewal + Send + Sync>;
pub(crate) type Renewal = Pin<Box<dyn Future<Output = Result<Option<SecretString>, AdminError>> + Send>>;

/// The options of an `AdminClient`.
#[derive(Clone)]
pub(crate) struct AdminOptions {
    /// The target of the requests.
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
    /// Cancelled when the run is interrupted: no mutation starts after that, and a wait before one ends.
    pub stop: CancellationToken,
    /// The number and the delays of retries.
    pub retry: Backoff,
    /// The time limit of one request with its response.
    pub request_timeout: Duration,
    /// The maximum number of shops with open connections, including those in flight, while shops wait for their
    /// changes.
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
    /// The secrets that must not occur in a message about a shop.
    secrets: Mutex<HashMap<ShopDomain, Vec<SecretString>>>,
    /// Shops whose Admin API refuses the app's category.
    without_category: Mutex<HashSet<ShopDomain>>,
    /// Whether the endpoint is a sandbox, after it was asked.
    at_sandbox: OnceCell<bool>,
}

impl fmt::Debug for AdminClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminClient").field("endpoint", &self.inner.options.endpoint).finish_non_exhaustive()
    }
}

impl AdminClient {
    /// Creates the client; sends nothing. Fails only if TLS cannot be set up.
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

    /// Returns the target of the requests.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.inner.options.endpoint
    }

    /// Returns whether requests go to a sandbox on this machine. Asks it once per run; another host is never asked.
    pub(crate) async fn at_sandbox(&self) -> bool {
        let endpoint = self.endpoint();
        let ask = || async { endpoint.is_loopback() && is_sandbox(&endpoint.to_string()).await };
        *self.inner.at_sandbox.get_or_init(ask).await
    }

    /// Redacts the secret from every later message about this shop: a server may echo it in the response to another
    /// request.
    pub(crate) fn remember(&self, shop: &ShopDomain, secret: &SecretString) {
        let mut secrets = self.inner.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let known = secrets.entry(shop.clone()).or_default();
        if !known.iter().any(|k| k.expose_secret() == secret.expose_secret()) {
            known.push(secret.clone());
            // Longer secrets first, because one may be a part of another.
            known.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        }
    }

    /// Returns a redactor of the remembered secrets of a shop.
    pub(crate) fn redactor(&self, shop: &ShopDomain) -> Redactor {
        let secrets = self.inner.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        Redactor::of_all(secrets.get(shop).into_iter().flatten().cloned())
    }

    /// Returns when the run ends.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.inner.options.deadline
    }

    /// Returns the token that is cancelled when the run is interrupted.
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

    /// Reads the scopes of a token and the app that it belongs to, and nothing else of the shop.
    pub(crate) async fn access(&self, shop: &ShopDomain, token: &SecretString) -> Result<Granted, AdminError> {
        self.reader(shop, token).access().await
    }

    /// Returns the fields of the app to request from a shop.
    fn ask_of_app(&self, shop: &ShopDomain) -> AskOfApp {
        let without = self.inner.without_category.lock().unwrap_or_else(PoisonError::into_inner);
        if without.contains(shop) { AskOfApp::Number } else { AskOfApp::All }
    }

    /// Stops requesting the app's category from the shop in this run, because its Admin API refused it.
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
