//! Adobe's identity service (IMS) and Flow Service: looks up the streaming address and the health of dataflows and
//! connections. Read-only.
//!
//! All inputs are arguments: no environment, no files, no clock but tokio's. The client secret is sent in one form of a
//! request, the token in one header, and neither is used anywhere else. The client needs only the permission
//! `StreamingSource` `read`.
//!
//! ```text
//! AdobeClient::find, all, last_run ─▶ lookup: requests ─▶ exchange: one request, retried ─▶ http ─▶ classify
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

/// A credential, an organisation and an Adobe sandbox: an entry under `aep` in the manifest.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// The entry's name in the manifest, which occurs in messages.
    pub name: String,
    /// The target of the requests.
    pub endpoints: Endpoints,
    /// The IMS organisation, `…@AdobeOrg`.
    pub org: String,
    /// The Adobe sandbox (of Experience Platform), such as `prod`.
    pub sandbox: String,
    /// The client id of the server-to-server credential, which is also the API key.
    pub client_id: SecretString,
    /// The client secret of the credential.
    pub client_secret: SecretString,
    /// The scopes to request from IMS.
    pub scopes: Vec<String>,
}

/// The time limit of one request with its response.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long connections may be idle.
const IDLE: Duration = Duration::from_secs(3);

/// Called before every wait with the time and the reason.
pub(crate) type OnWait = Arc<dyn Fn(Duration, &str) + Send + Sync>;

/// The options of an [`AdobeClient`].
#[derive(Clone, Default)]
pub(crate) struct AdobeOptions {
    /// When the run ends (`--timeout`).
    pub deadline: Option<Instant>,
    /// Cancelled when the run is interrupted, which ends every wait and every request.
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
    /// An earlier deadline for the requests of this clone.
    until: Option<Instant>,
}

struct Inner {
    account: Account,
    options: AdobeOptions,
    backoff: Backoff,
    /// The clients of IMS and of Flow Service, usually the same.
    ims: reqwest::Client,
    flow_service: reqwest::Client,
    token: tokio::sync::Mutex<token::Slot>,
    /// Every token of this run, for redaction.
    tokens: Mutex<Vec<SecretString>>,
    rng: Mutex<fastrand::Rng>,
}

impl fmt::Debug for AdobeClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdobeClient").field("account", &self.inner.account.name).finish_non_exhaustive()
    }
}

impl AdobeClient {
    /// Creates a client; sends nothing. Fails if TLS cannot be set up, or if a value of the account is not allowed in
    /// an HTTP header.
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

    /// Returns the same client with an earlier deadline. A request without a response by then fails with its last
    /// error, or with [`AdobeErrorKind::Unavailable`].
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

/// Creates the clients of IMS and of Flow Service; both are one client if their settings are equal.
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
