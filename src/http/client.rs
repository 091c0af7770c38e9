//! The only constructor of HTTP clients in the program.

use std::sync::{Arc, Once, OnceLock};
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue, USER_AGENT};
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt as _;

use super::connect::root_cause;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The settings of clients.
pub(crate) struct ClientSetup {
    /// `None` if requests go without TLS.
    tls: Option<ClientConfig>,
    loopback: bool,
    request_timeout: Duration,
}

/// Why a client cannot be created.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up TLS: {0}. Check that root certificates are installed")]
pub(crate) struct SetupError(String);

impl ClientSetup {
    /// `plain`: without TLS, for this machine only. A machine without root certificates can still use the sandbox.
    pub(crate) fn new(plain: bool, loopback: bool, request_timeout: Duration) -> Result<Self, SetupError> {
        let tls = if plain { None } else { Some(tls().map_err(|error| SetupError(error.to_string()))?) };
        Ok(Self { tls, loopback, request_timeout })
    }

    /// Creates a client that follows no redirects, uses TLS unless `plain`, and limits the time of a request.
    /// Connections close after `idle`.
    pub(crate) fn client(&self, idle: Duration) -> Result<reqwest::Client, SetupError> {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // Fails only if a provider is already installed, which is then used.
            let _ = ring::default_provider().install_default();
        });
        let headers = HeaderMap::from_iter([
            (USER_AGENT, HeaderValue::from_static(concat!("hookwright/", env!("CARGO_PKG_VERSION")))),
            (ACCEPT, HeaderValue::from_static("application/json")),
        ]);
        let mut builder = reqwest::Client::builder()
            .default_headers(headers)
            .redirect(reqwest::redirect::Policy::none())
            .https_only(self.tls.is_some())
            .connect_timeout(CONNECT_TIMEOUT.min(self.request_timeout))
            .timeout(self.request_timeout)
            .pool_idle_timeout(idle);
        if self.loopback {
            builder = builder.no_proxy();
        }
        builder = match &self.tls {
            Some(tls) => builder.tls_backend_preconfigured(tls.clone()),
            None => builder.tls_certs_only([]),
        };
        builder.build().map_err(|error| SetupError(root_cause(&error)))
    }
}

/// Trusts the operating system's authorities, and offers HTTP/2. Root certificates are loaded once per process, and
/// clients share their TLS sessions.
fn tls() -> Result<ClientConfig, rustls::Error> {
    static TLS: OnceLock<ClientConfig> = OnceLock::new();
    if let Some(config) = TLS.get() {
        return Ok(config.clone());
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?.with_platform_verifier()?;
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TLS.get_or_init(|| config).clone())
}
