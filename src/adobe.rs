//! Adobe's identity service (IMS) and Flow Service: which dataflow or connection has which streaming address, and how it
//! does. Only reads.
//!
//! Takes everything from its arguments: no environment, no files, no clock but tokio's. The client secret goes into one form of one request, the token into one header, and nowhere else. A person
//! grants this client no more than `StreamingSource` `read`.
//!
//! ```text
//! AdobeClient::find, all, last_run ─▶ lookup: requests ─▶ exchange: one request, tried again ─▶ http ─▶ classify
//!                                     └▶ decode: JSON to Inlet, FlowRun   └▶ token: client credentials, renewed
//! ```

mod classify;
#[cfg(test)]
mod client_test;
mod decode;
mod endpoints;
mod exchange;
mod lookup;
#[cfg(test)]
mod lookup_test;
#[cfg(test)]
mod test_server;
mod token;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(crate) use crate::destinations::{FlowRun, Inlet};
pub(crate) use crate::state::aep::InletKind;
pub(crate) use classify::{AdobeError, AdobeErrorKind};
pub(crate) use endpoints::{BASE_URL, Endpoints, TOKEN_URL};

use crate::http::{Backoff, ClientSetup};

/// A credential, an organisation and a sandbox: an entry under `aep` of the manifest.
#[derive(Debug, Clone)]
pub(crate) struct Account {
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

/// Time for one request and its answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long connections idle.
const IDLE: Duration = Duration::from_secs(3);

/// Called before every wait with the time and the reason.
pub(crate) type OnWait = Arc<dyn Fn(Duration, &str) + Send + Sync>;

/// How an [`AdobeClient`] behaves.
#[derive(Clone, Default)]
pub(crate) struct AdobeOptions {
    /// When the run ends (`--timeout`).
    pub deadline: Option<Instant>,
    /// Cancelled when the run is to stop: every wait and every request ends then.
    pub stop: CancellationToken,
    /// Seed of the jitter.
    pub jitter_seed: u64,
    /// Called before every wait.
    pub on_wait: Option<OnWait>,
}

/// Reads with one account. Cheap to clone; clones share a token.
#[derive(Clone)]
pub(crate) struct AdobeClient {
    inner: Arc<Inner>,
    /// Questions of this one end before the run does.
    until: Option<Instant>,
}

struct Inner {
    account: Account,
    options: AdobeOptions,
    backoff: Backoff,
    /// For IMS and for Flow Service; mostly the same.
    ims: reqwest::Client,
    flow_service: reqwest::Client,
    token: tokio::sync::Mutex<token::Slot>,
    /// Every token of this run, so that none is repeated.
    tokens: Mutex<Vec<SecretString>>,
    rng: Mutex<fastrand::Rng>,
}

impl fmt::Debug for AdobeClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdobeClient").field("account", &self.inner.account.name).finish_non_exhaustive()
    }
}

impl AdobeClient {
    /// Makes a client; sends nothing. Fails if TLS cannot be set up, or if a value of the account cannot stand in an HTTP
    /// header.
    pub(crate) fn new(account: Account, options: AdobeOptions) -> Result<Self, AdobeError> {
        Self::with_backoff(account, options, Backoff::default())
    }

    fn with_backoff(account: Account, options: AdobeOptions, backoff: Backoff) -> Result<Self, AdobeError> {
        exchange::check_headers(&account).map_err(|error| error.of(&account.name))?;
        let (ims, flow_service) = clients(&account.endpoints).map_err(|error| error.of(&account.name))?;
        let rng = Mutex::new(fastrand::Rng::with_seed(options.jitter_seed));
        let (token, tokens) = Default::default();
        let inner = Arc::new(Inner { account, options, backoff, ims, flow_service, token, tokens, rng });
        Ok(Self { inner, until: None })
    }

    /// Returns the same client with an earlier deadline. A question without an answer by then fails with its last error, or
    /// with [`AdobeErrorKind::Unavailable`].
    #[must_use]
    pub(crate) fn until(&self, end: Instant) -> Self {
        Self { inner: Arc::clone(&self.inner), until: Some(end) }
    }

    /// Returns the account.
    #[cfg(test)]
    pub(crate) fn account(&self) -> &Account {
        &self.inner.account
    }
}

/// Makes the clients of IMS and of Flow Service; one client where both are alike.
fn clients(endpoints: &Endpoints) -> Result<(reqwest::Client, reqwest::Client), AdobeError> {
    let kind = |url: &url::Url| (url.scheme() == "http", endpoints::is_loopback(url));
    let make = |(plain, loopback)| {
        let client = ClientSetup::new(plain, loopback, REQUEST_TIMEOUT).and_then(|setup| setup.client(IDLE));
        client.map_err(|error| AdobeError::new(AdobeErrorKind::Unavailable, error.to_string()).retryable(false))
    };
    let (ims, flow_service) = (kind(endpoints.token_url()), kind(endpoints.base_url()));
    let first = make(ims)?;
    let second = if ims == flow_service { first.clone() } else { make(flow_service)? };
    Ok((first, second))
}
