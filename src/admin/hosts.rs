//! HTTP clients: each shop with its own host has one, so that its connections close with the shop.
//!
//! With HOOKWRIGHT_ADMIN_URL all shops share one client and its connections. The caller closes a shop; shared
//! connections close with the run.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::AdminOptions;
use super::endpoint::Endpoint;
use super::error::{AdminError, AdminErrorKind};
use crate::http::{ClientSetup, SetupError};
use crate::model::ShopDomain;

/// How long shared connections may be idle.
const IDLE: Duration = Duration::from_secs(3);
/// How long connections of one shop may be idle: a shop with changes waits while other shops are read.
const IDLE_OF_SHOP: Duration = Duration::from_secs(30);

/// The clients of a run.
pub(super) struct Hosts {
    setup: ClientSetup,
    /// The client of all shops, if they share one host.
    common: Option<reqwest::Client>,
    most_waiting: usize,
    open: Mutex<HashMap<ShopDomain, reqwest::Client>>,
}

impl Hosts {
    pub(super) fn new(options: &AdminOptions) -> Result<Self, AdminError> {
        let AdminOptions { endpoint, request_timeout, most_waiting, .. } = options;
        let setup = ClientSetup::new(endpoint.is_plain(), endpoint.is_loopback(), *request_timeout)?;
        let common = if *endpoint == Endpoint::Shopify { None } else { Some(setup.client(IDLE)?) };
        Ok(Self { setup, common, most_waiting: *most_waiting, open: Mutex::default() })
    }

    /// Returns the client of a shop.
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

    /// Closes the shop's connections.
    pub(super) fn close(&self, shop: &ShopDomain) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(shop);
    }

    /// Keeps the shop's connections open for later requests, unless too many shops wait.
    pub(super) fn pause(&self, shop: &ShopDomain) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() > self.most_waiting {
            open.remove(shop);
        }
    }
}

impl From<SetupError> for AdminError {
    fn from(error: SetupError) -> Self {
        Self::new(AdminErrorKind::Tls, error.to_string())
    }
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
    fn a_shop_has_one_client_until_it_is_closed() {
        // Without TLS, so that the machine needs no root certificates.
        let setup = ClientSetup::new(true, true, Duration::from_secs(1)).expect("setup");
        let hosts = Hosts { setup, common: None, most_waiting: 5, open: Mutex::default() };
        for n in 0..8 {
            for _ in 0..2 {
                hosts.of(&shop(n)).expect("client");
            }
            hosts.pause(&shop(n));
        }
        assert_eq!(open(&hosts), 5, "shops above the limit do not stay open");
        for n in 0..5 {
            hosts.close(&shop(n));
        }
        assert_eq!(open(&hosts), 0);
    }

    #[test]
    fn shops_behind_one_address_share_its_client() {
        let endpoint = Endpoint::parse("http://127.0.0.1:1/{shop}", &[]).expect("endpoint");
        let hosts = Hosts::new(&AdminOptions::new(endpoint, ApiVersion::default())).expect("clients");
        hosts.of(&shop(1)).expect("client");
        hosts.close(&shop(1));
        assert!(hosts.common.is_some() && open(&hosts) == 0);
    }
}
