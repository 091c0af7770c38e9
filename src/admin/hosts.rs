//! HTTP clients: each shop that is a host of its own has one, so that its connections can be closed when it is done.
//!
//! The only constructor of an HTTP client in the program. Behind one address (HOOKWRIGHT_ADMIN_URL) all shops share one
//! client and its connections. Who drives the shops says when one is done; what nobody closes, ends with the run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue, USER_AGENT};
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt as _;

use super::Options;
use super::connect::root_cause;
use super::endpoint::Endpoint;
use super::error::{AdminError, Kind};
use crate::model::ShopDomain;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long connections of all shops together idle.
const IDLE: Duration = Duration::from_secs(3);
/// How long the connections of one shop idle: a shop with changes waits for its turn while the others are read.
const IDLE_OF_SHOP: Duration = Duration::from_secs(30);

/// The clients of a run.
pub(super) struct Hosts {
    setup: Setup,
    /// Where all shops are one host.
    common: Option<reqwest::Client>,
    most_waiting: usize,
    open: Mutex<HashMap<ShopDomain, reqwest::Client>>,
}

/// What a client is made from.
struct Setup {
    /// Root certificates are loaded once; `None` where nothing is encrypted.
    tls: Option<ClientConfig>,
    loopback: bool,
    request_timeout: Duration,
}

impl Hosts {
    pub(super) fn new(options: &Options) -> Result<Self, AdminError> {
        let Options { endpoint, request_timeout, most_waiting, .. } = options;
        // A machine without root certificates can use the sandbox.
        let tls = if endpoint.is_plain() { None } else { Some(tls().map_err(|e| no_tls(&e.to_string()))?) };
        let setup = Setup { tls, loopback: endpoint.is_loopback(), request_timeout: *request_timeout };
        let common = if *endpoint == Endpoint::Shopify { None } else { Some(setup.client(IDLE)?) };
        Ok(Self { setup, common, most_waiting: *most_waiting, open: Mutex::default() })
    }

    /// The client for a shop.
    pub(super) fn of(&self, shop: &ShopDomain) -> Result<reqwest::Client, AdminError> {
        if let Some(common) = &self.common {
            return Ok(common.clone());
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = open.get(shop) {
            return Ok(client.clone());
        }
        let client = self.setup.client(IDLE_OF_SHOP)?;
        open.insert(shop.clone(), client.clone());
        Ok(client)
    }

    /// Nothing more is asked of a shop: its connections close.
    pub(super) fn close(&self, shop: &ShopDomain) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(shop);
    }

    /// More is asked of a shop later: its connections stay open, unless there are too many.
    pub(super) fn pause(&self, shop: &ShopDomain) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() > self.most_waiting {
            open.remove(shop);
        }
    }
}

/// A client for something that is no shop, made like theirs. `plain`: without TLS, for this machine only.
pub(crate) fn client(plain: bool, loopback: bool, request_timeout: Duration) -> Result<reqwest::Client, AdminError> {
    let tls = if plain { None } else { Some(tls().map_err(|e| no_tls(&e.to_string()))?) };
    Setup { tls, loopback, request_timeout }.client(IDLE)
}

impl Setup {
    /// No redirects, TLS unless it stays on this machine, bounded in time.
    fn client(&self, idle: Duration) -> Result<reqwest::Client, AdminError> {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // Fails only if there is one already, which is then used.
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
        builder.build().map_err(|error| no_tls(&root_cause(&error)))
    }
}

/// What the operating system trusts, with HTTP/2 where the server offers it. Sessions are resumed over clients.
fn tls() -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?.with_platform_verifier()?;
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn no_tls(cause: &str) -> AdminError {
    AdminError::new(Kind::Tls, format!("TLS could not be set up: {cause}. Are root certificates installed?"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ApiVersion;

    fn shop(n: usize) -> ShopDomain {
        ShopDomain::parse(&format!("shop-{n}")).expect("shop")
    }

    fn open(hosts: &Hosts) -> usize {
        hosts.open.lock().expect("no panic").len()
    }

    #[test]
    fn a_shop_has_one_client_until_it_is_done() {
        // Whether this machine trusts anybody does not matter here.
        let setup = Setup { tls: None, loopback: true, request_timeout: Duration::from_secs(1) };
        let hosts = Hosts { setup, common: None, most_waiting: 5, open: Mutex::default() };
        for n in 0..8 {
            for _ in 0..2 {
                hosts.of(&shop(n)).expect("client");
            }
            hosts.pause(&shop(n));
        }
        assert_eq!(open(&hosts), 5, "those that are too many do not stay open");
        for n in 0..5 {
            hosts.close(&shop(n));
        }
        assert_eq!(open(&hosts), 0);
    }

    #[test]
    fn shops_behind_one_address_share_its_client() {
        let endpoint = Endpoint::parse("http://127.0.0.1:1/{shop}", &[]).expect("endpoint");
        let hosts = Hosts::new(&Options::new(endpoint, ApiVersion::default())).expect("clients");
        hosts.of(&shop(1)).expect("client");
        hosts.close(&shop(1));
        assert!(hosts.common.is_some() && open(&hosts) == 0);
    }
}
