//! Adobe's identity service (IMS) and Flow Service: which dataflow or connection has which streaming address, and how it
//! does. Only reads.
//!
//! Takes everything from its arguments: no environment, no files, no clock but tokio's. The client secret goes into one form of one request, the token into one header, and nowhere else. A person
//! grants this client no more than `StreamingSource` `read`.
//!
//! ```text
//! Client::find, all, last_run ─▶ lookup: what is asked ─▶ exchange: one request, tried again ─▶ http ─▶ classify
//!                                └▶ decode: JSON to Inlet, FlowRun            └▶ token: client credentials, renewed
//! ```

mod classify;
#[cfg(test)]
mod client_test;
mod decode;
mod endpoints;
mod error;
mod exchange;
mod http;
mod lookup;
#[cfg(test)]
mod lookup_test;
#[cfg(test)]
mod secrets_test;
#[cfg(test)]
mod test_server;
mod token;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::watch;
use tokio::time::Instant;

pub use crate::destinations::{By, FlowRun, Inlet, Wanted};
pub use crate::state::aep::InletKind;
pub use endpoints::{BASE_URL, Endpoints, TOKEN_URL};
pub use error::{AdobeError, Kind};

use exchange::Policy;

/// Who asks, and about which sandbox of which organisation: an entry under `aep` of the manifest.
#[derive(Debug, Clone)]
pub struct Account {
    /// The entry's name in the manifest; messages say it.
    pub name: String,
    /// Where requests go.
    pub endpoints: Endpoints,
    /// The IMS organisation, `…@AdobeOrg`.
    pub org: String,
    /// The sandbox of Experience Platform, such as `prod`.
    pub sandbox: String,
    /// Client id of the server-to-server credential; it is the API key, too.
    pub client_id: SecretString,
    /// Its secret.
    pub client_secret: SecretString,
    /// Scopes asked of IMS.
    pub scopes: Vec<String>,
}

/// Told of every wait: how long, and why.
pub type OnWait = Arc<dyn Fn(Duration, &str) + Send + Sync>;

/// How a `Client` behaves.
#[derive(Clone, Default)]
pub struct Options {
    /// When the run ends (`--timeout`).
    pub deadline: Option<Instant>,
    /// Turns true when somebody asks to stop: every wait and every request ends then.
    pub stop: Option<watch::Receiver<bool>>,
    /// Seed of the jitter.
    pub jitter_seed: u64,
    /// Told of every wait.
    pub on_wait: Option<OnWait>,
}

/// Asks one account's questions. Cheap to clone; clones share a token.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    /// Questions of this one end before the run does.
    until: Option<Instant>,
}

struct Inner {
    account: Account,
    options: Options,
    policy: Policy,
    /// For IMS and for Flow Service; mostly the same.
    ims: reqwest::Client,
    flow_service: reqwest::Client,
    token: tokio::sync::Mutex<token::Slot>,
    /// Every token of this run, so that none is repeated.
    tokens: Mutex<Vec<SecretString>>,
    rng: Mutex<fastrand::Rng>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("account", &self.inner.account.name).finish_non_exhaustive()
    }
}

impl Client {
    /// Sets up the client; sends nothing. Fails if TLS cannot be set up or if what is sent along cannot stand in an HTTP
    /// header.
    pub fn new(account: Account, options: Options) -> Result<Self, AdobeError> {
        Self::with_policy(account, options, Policy::default())
    }

    fn with_policy(account: Account, options: Options, policy: Policy) -> Result<Self, AdobeError> {
        http::check_headers(&account).map_err(|error| error.of(&account.name))?;
        let (ims, flow_service) = http::clients(&account.endpoints).map_err(|error| error.of(&account.name))?;
        let rng = Mutex::new(fastrand::Rng::with_seed(options.jitter_seed));
        let (token, tokens) = Default::default();
        let inner = Arc::new(Inner { account, options, policy, ims, flow_service, token, tokens, rng });
        Ok(Self { inner, until: None })
    }

    /// The same client, with no more time than until then. What is not answered by then fails with what was the matter
    /// last, or as [`Kind::Unavailable`].
    #[must_use]
    pub fn until(&self, end: Instant) -> Self {
        Self { inner: Arc::clone(&self.inner), until: Some(end) }
    }

    /// Who asks.
    pub fn account(&self) -> &Account {
        &self.inner.account
    }
}
