//! The Admin API, and nothing else: reads shops, changes subscriptions, waits and retries as the API asks.
//!
//! Imports model, state and catalog only. Takes everything from its arguments: no environment, no files, no clock but
//! tokio's. A token goes into one header of one request and nowhere else.
//!
//! ```text
//! AdminClient ─▶ ShopReader ─▶ read.graphql, page.graphql                                  (or rest: two GETs)
//!             └▶ ShopWriter ─▶ create, update, delete.graphql as aliases of one document   (or rest: one by one)
//!             └▶ post_oauth  the token endpoint, without a token
//!                    both through Session: bucket (throttle) → hosts, http → classify, envelope → retry
//! ```

mod classify;
mod connect;
mod decode;
mod documents;
mod endpoint;
mod envelope;
mod error;
mod hosts;
mod http;
mod oauth;
mod reader;
mod reading;
mod redact;
mod refusal;
mod rest;
mod retry;
mod sandbox;
mod session;
mod throttle;
mod writer;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OnceCell, watch};
use tokio::time::Instant;

pub(crate) use classify::{looks_like_html, not_installed, upstream_text};
pub(crate) use connect::{Unconnected, root_cause, unconnected};
pub use decode::Granted;
pub use documents::{Input, Mutation};
pub use endpoint::{Base, Endpoint, EndpointError};
pub use error::{AdminError, Class, Kind, Proof};
pub(crate) use hosts::client as http_client;
pub(crate) use http::host_of;
pub(crate) use oauth::{OauthAnswer, Repeat};
pub use reader::{Reading, ShopReader};
pub(crate) use redact::Redactor;
pub use refusal::{RefusalKind, UserError};
pub use retry::Policy;
pub(crate) use sandbox::is_sandbox;
pub use throttle::Bucket;
pub use writer::{Answer, ShopWriter};

use crate::model::{ApiVersion, ShopDomain};
use documents::AskOfApp;
use hosts::Hosts;

/// Told of every wait: which shop, how long, why.
pub type OnWait = Arc<dyn Fn(&ShopDomain, Duration, &'static str) + Send + Sync>;

/// Gets another token than the refused one; `None` if there is no way to one without a human.
pub(crate) type Renew = Arc<dyn Fn(SecretString) -> Renewal + Send + Sync>;
pub(crate) type Renewal = Pin<Box<dyn Future<Output = Result<Option<SecretString>, AdminError>> + Send>>;

/// Which of the two Admin APIs is spoken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transport {
    /// GraphQL, which shows and changes everything.
    #[default]
    GraphQl,
    /// REST, which knows neither filters nor names.
    Rest,
}

impl Transport {
    /// By the word that manifests and plans use.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "graphql" => Some(Self::GraphQl),
            "rest" => Some(Self::Rest),
            _ => None,
        }
    }
}

/// How an `AdminClient` behaves.
#[derive(Clone)]
pub struct Options {
    /// Where requests go.
    pub endpoint: Endpoint,
    /// The version asked for.
    pub version: ApiVersion,
    /// What is spoken.
    pub transport: Transport,
    /// When the run ends (`--timeout`).
    pub deadline: Option<Instant>,
    /// Seed of the jitter; with the shop's name it decides every backoff.
    pub jitter_seed: u64,
    /// Told of every wait.
    pub on_wait: Option<OnWait>,
    /// Turns true when somebody asks to stop: no mutation is begun then, and a wait before one ends.
    pub stop: Option<watch::Receiver<bool>>,
    /// What is tried again, and how often.
    pub retry: Policy,
    /// Time for one request and its answer.
    pub request_timeout: Duration,
    /// Above so many shops with connections, those in flight included, no more wait for something to be sent later.
    pub most_waiting: usize,
}

impl Options {
    /// The usual behaviour, without an end of the run.
    pub fn new(endpoint: Endpoint, version: ApiVersion) -> Self {
        Self {
            endpoint,
            version,
            transport: Transport::GraphQl,
            deadline: None,
            jitter_seed: 0,
            on_wait: None,
            stop: None,
            retry: Policy::default(),
            request_timeout: Duration::from_secs(30),
            most_waiting: 128,
        }
    }
}

/// The client of a run. Cheap to clone.
#[derive(Clone)]
pub struct AdminClient {
    inner: Arc<Inner>,
}

struct Inner {
    hosts: Hosts,
    options: Options,
    started: Instant,
    /// What must not be repeated in any message about a shop.
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
    pub fn new(options: Options) -> Result<Self, AdminError> {
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

    /// Where requests go.
    pub fn endpoint(&self) -> &Endpoint {
        &self.inner.options.endpoint
    }

    /// Whether requests go to the sandbox on this machine. Asks it once a run; another host is never asked.
    pub(crate) async fn at_sandbox(&self) -> bool {
        let endpoint = self.endpoint();
        let ask = || async { endpoint.is_loopback() && is_sandbox(&endpoint.to_string()).await };
        *self.inner.at_sandbox.get_or_init(ask).await
    }

    /// From now on no message about this shop repeats the secret, whatever request it belongs to: a server may echo one
    /// in the answer to another.
    pub(crate) fn remember(&self, shop: &ShopDomain, secret: &SecretString) {
        let mut secrets = self.inner.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let known = secrets.entry(shop.clone()).or_default();
        if !known.iter().any(|k| k.expose_secret() == secret.expose_secret()) {
            known.push(secret.clone());
            // The long ones first: one may be a part of another.
            known.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        }
    }

    /// Knows what was remembered of a shop.
    pub(crate) fn redactor(&self, shop: &ShopDomain) -> Redactor {
        let secrets = self.inner.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        Redactor::of_all(secrets.get(shop).into_iter().flatten().cloned())
    }

    /// When the run ends.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.inner.options.deadline
    }

    /// Ends when somebody asks to stop.
    pub(crate) async fn stopped(&self) {
        session::stopped(self.inner.options.stop.clone()).await;
    }

    /// Whether somebody asked to stop.
    pub(crate) fn is_stopped(&self) -> bool {
        self.inner.options.stop.as_ref().is_some_and(|stop| *stop.borrow())
    }

    /// Nothing more is asked of a shop: its connections close. To ask all the same opens new ones.
    pub fn close(&self, shop: &ShopDomain) {
        self.inner.hosts.close(shop);
    }

    /// More is asked of a shop later: its connections stay open for a while, unless there are too many.
    pub fn pause(&self, shop: &ShopDomain) {
        self.inner.hosts.pause(shop);
    }

    /// What a token may do and the app that it belongs to, and nothing else of the shop.
    pub async fn access(&self, shop: &ShopDomain, token: &SecretString) -> Result<Granted, AdminError> {
        self.reader(shop, token).access().await
    }

    /// What a shop is asked about the app.
    fn ask_of_app(&self, shop: &ShopDomain) -> AskOfApp {
        let without = self.inner.without_category.lock().unwrap_or_else(PoisonError::into_inner);
        if without.contains(shop) { AskOfApp::Number } else { AskOfApp::All }
    }

    /// The shop's Admin API refused the app's category: it is not asked again in this run.
    fn ask_less_of_app(&self, shop: &ShopDomain) {
        self.inner.without_category.lock().unwrap_or_else(PoisonError::into_inner).insert(shop.clone());
    }

    /// For whoever plans.
    pub fn reader(&self, shop: &ShopDomain, token: &SecretString) -> ShopReader {
        ShopReader::new(self.clone(), shop, token)
    }

    /// For whoever applies.
    pub fn writer(&self, shop: &ShopDomain, token: &SecretString) -> ShopWriter {
        ShopWriter::new(self.clone(), shop, token)
    }
}

#[cfg(test)]
mod tests;
