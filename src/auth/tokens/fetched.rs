//! Tokens that are fetched without a login, with the app's secret or a client assertion: one request for each shop and
//! run, unless the token expires in between.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::{Life, NewApp, SANDBOX_TOKEN, Tokens, after, due, is};
use crate::admin::{AdminError, AdminErrorKind};
use crate::auth::assertion::{self, Signer};
use crate::auth::key::Key;
use crate::auth::oauth;
use crate::auth::secrets::Role;
use crate::model::{App, Assertion, ShopDomain};

/// The tokens by shop, each behind a lock that is held while the token is fetched.
pub(super) type Slots = Mutex<HashMap<ShopDomain, Slot>>;

type Slot = Arc<tokio::sync::Mutex<Option<Fetched>>>;

pub(super) struct Fetched {
    token: SecretString,
    obtained_at: Timestamp,
    expires_at: Option<Timestamp>,
}

/// How the app authenticates itself.
#[derive(Clone, Copy)]
pub(super) enum By<'a> {
    Secret(&'a App),
    Assertion(&'a Assertion),
}

impl Tokens {
    /// Returns the token of `shop`. Fetches it if there is none, if it is about to expire, or if it is the `refused`
    /// one.
    pub(super) async fn fetched(
        &self,
        shop: &ShopDomain,
        by: By<'_>,
        refused: Option<&SecretString>,
    ) -> Result<SecretString, AdminError> {
        let slot = {
            let mut fetched = self.inner.fetched.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(fetched.entry(shop.clone()).or_default())
        };
        let mut held = slot.lock().await;
        if let Some(Fetched { token, obtained_at, expires_at }) = &*held
            && !due(self.now(), *obtained_at, *expires_at)
            && !is(refused, token)
        {
            return Ok(token.clone());
        }
        let (client, clock) = (&self.inner.options.client, self.inner.options.clock);
        let grant = match by {
            By::Secret(app) => oauth::client_credentials(client, shop, &self.app(shop, app).await?).await?,
            By::Assertion(of) => {
                let Some(signer) = self.signer(shop, of).await? else {
                    self.lasts(shop, Life::Renewed);
                    return Ok(SANDBOX_TOKEN.into());
                };
                assertion::grant(client, shop, &signer, clock).await?
            }
        };
        // Whole seconds, as in Shopify's `expires_in`.
        let obtained_at = Timestamp::from_second(self.now().as_second()).unwrap_or_else(|_| self.now());
        tracing::debug!(%shop, expires_in = ?grant.expires_in, "fetched a token with the client credentials grant");
        let token = grant.access_token;
        let expires_at = grant.expires_in.map(|life| after(obtained_at, life));
        self.lasts(shop, expires_at.map_or(Life::Endless, |_| Life::Renewed));
        *held = Some(Fetched { token: token.clone(), obtained_at, expires_at });
        Ok(token)
    }

    /// Returns when the token expires that was fetched for `shop` in this run.
    pub(crate) async fn fetched_until(&self, shop: &ShopDomain) -> Option<Timestamp> {
        let slot = self.inner.fetched.lock().unwrap_or_else(PoisonError::into_inner).get(shop).cloned()?;
        let held = slot.lock().await;
        held.as_ref().and_then(|fetched| fetched.expires_at)
    }

    /// Returns the signer for this shop; `None` if the client id or the key is unavailable and requests go to a
    /// sandbox.
    async fn signer(&self, shop: &ShopDomain, of: &Assertion) -> Result<Option<Signer>, AdminError> {
        let Assertion { client_id, private_key, key_id, audience, lifetime } = of;
        let client_id = self.resolved(client_id, shop, Role::ClientId).await?;
        let pem = self.resolved(private_key, shop, Role::PrivateKey).await?;
        let (Some(client_id), Some(pem)) = (client_id, pem) else { return Ok(None) };
        let unusable =
            |problem| AdminError::new(AdminErrorKind::SecretUnavailable, format!("the private key {problem}"));
        let key = Key::parse(pem.expose_secret()).map_err(unusable)?;
        if let Some(on_app) = &self.inner.options.sandbox {
            on_app(
                client_id.expose_secret(),
                NewApp::Key { jwk: &key.public(Some(key_id)), audience: audience.as_deref() },
            );
        }
        let (audience, lifetime) = (assertion::audience(audience.as_deref(), shop), assertion::lifetime(*lifetime));
        Ok(Some(Signer { client_id, key, key_id: key_id.clone(), audience, lifetime }))
    }
}
