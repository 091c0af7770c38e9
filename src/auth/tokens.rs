//! A shop's access token, from wherever the manifest says: a reference, the client credentials grant, the token store.
//!
//! A token that was fetched is kept for the run and renewed before its end; one of the store is refreshed by one process
//! at a time, and the new pair is on the disk before it is used. A token goes back to the shop that it was got for, and to
//! no other.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::oauth::{self, Credentials, Grant};
use super::store::{Entry, FreshError, Refresh, Store, StoreError};
use super::{SecretError, SecretResolver};
use crate::admin::{AdminClient, AdminError, Kind};
use crate::model::{App, Auth, SecretRef, ShopDomain};

/// What the embedded sandbox takes where nothing else is to be had. It needs no secrets.
const SANDBOX_TOKEN: &str = "sandbox-token";
const SANDBOX_CLIENT: &str = "sandbox-client";
const SANDBOX_SECRET: &str = "sandbox-secret";

/// A token is renewed so long before its end, or a quarter of its life before if that is less.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// How long a run waits to tidy the token store.
const TIDYING: Duration = Duration::from_secs(1);

/// Told of the client id and secret of each app that is used.
pub(crate) type OnApp = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// How `Tokens` behaves.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) secrets: SecretResolver,
    pub(crate) client: AdminClient,
    /// The time.
    pub(crate) clock: fn() -> Timestamp,
    /// Where the token store is that the manifest has at a path: tokens of Shopify's and of what stands in its place are
    /// never in one file.
    pub(crate) place: Arc<dyn Fn(&Path) -> PathBuf + Send + Sync>,
    /// In the embedded sandbox nobody needs a secret: it is told of the apps.
    pub(crate) sandbox: Option<OnApp>,
}

/// Where the tokens of a run come from. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tokens {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    stores: Mutex<HashMap<PathBuf, Store>>,
    /// Tokens of the client credentials grant, each behind a lock that is held while it is fetched.
    fetched: Mutex<HashMap<ShopDomain, Slot>>,
}

type Slot = Arc<tokio::sync::Mutex<Option<Fetched>>>;

struct Fetched {
    token: SecretString,
    obtained_at: Timestamp,
    expires_at: Option<Timestamp>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

impl Tokens {
    pub(crate) fn new(options: Options) -> Self {
        Self { inner: Arc::new(Inner { options, stores: Mutex::default(), fetched: Mutex::default() }) }
    }

    /// The token of `shop`, good for some minutes at least.
    pub(crate) async fn token(&self, shop: &ShopDomain, auth: Option<&Auth>) -> Result<SecretString, AdminError> {
        match auth {
            Some(Auth::AccessToken(reference)) => self.reference(reference, shop, SANDBOX_TOKEN).await,
            Some(Auth::ClientCredentials(app)) => self.fetched(shop, app, None).await,
            Some(Auth::TokenStore { path, app }) => self.stored(shop, path, app, None).await,
            None if self.inner.options.sandbox.is_some() => Ok(SANDBOX_TOKEN.into()),
            None => Err(AdminError::new(
                Kind::SecretUnavailable,
                "the manifest says nowhere how to get this shop's token; add `auth`",
            )),
        }
    }

    /// Asks the shop something that changes nothing: with its token, or, if that was refused and can be renewed without a
    /// human, with another one.
    pub(crate) async fn with<T, F>(
        &self,
        shop: &ShopDomain,
        auth: Option<&Auth>,
        ask: impl Fn(SecretString) -> F,
    ) -> Result<T, AdminError>
    where
        F: Future<Output = Result<T, AdminError>>,
    {
        let mut token = self.token(shop, auth).await?;
        let mut answer = ask(token.clone()).await;
        if matches!(&answer, Err(error) if error.kind == Kind::TokenRefused)
            && let Some(another) = self.another(shop, auth, &token).await?
        {
            token = another;
            answer = ask(token.clone()).await;
        }
        match answer {
            Ok(answer) => {
                self.used(shop, auth, &token).await;
                Ok(answer)
            }
            Err(error) => Err(advised(shop, auth, error)),
        }
    }

    /// Another token than the refused one, if there is a way to one without a human. Whoever asks decides whether to wait
    /// for it when somebody wants to stop.
    pub(crate) async fn another(
        &self,
        shop: &ShopDomain,
        auth: Option<&Auth>,
        refused: &SecretString,
    ) -> Result<Option<SecretString>, AdminError> {
        let other = match auth {
            Some(Auth::ClientCredentials(app)) => self.fetched(shop, app, Some(refused)).await?,
            Some(Auth::TokenStore { path, app }) => self.stored(shop, path, app, Some(refused)).await?,
            Some(Auth::AccessToken(_)) | None => return Ok(None),
        };
        Ok(Some(other).filter(|token| token.expose_secret() != refused.expose_secret()))
    }

    /// The shop took this token: what was kept in case that it would not can go. A failure to write that down changes
    /// nothing for the run.
    async fn used(&self, shop: &ShopDomain, auth: Option<&Auth>, token: &SecretString) {
        let Some(Auth::TokenStore { path, .. }) = auth else { return };
        // The run does not wait long for this: what is not tidied now is tidied the next time.
        match tokio::time::timeout(TIDYING, self.store(path).used(shop, token)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%shop, %error, "the token store could not be tidied"),
            Err(_) => tracing::warn!(%shop, "the token store is busy and was not tidied"),
        }
    }

    /// The app's credentials, as far as `shop` is concerned.
    pub(crate) async fn credentials(&self, shop: &ShopDomain, app: &App) -> Result<Credentials, AdminError> {
        let client_id = self.reference(&app.client_id, shop, SANDBOX_CLIENT).await?;
        let client_secret = self.reference(&app.client_secret, shop, SANDBOX_SECRET).await?;
        let old_client_secret = match &app.old_client_secret {
            Some(reference) => Some(self.reference(reference, shop, SANDBOX_SECRET).await?),
            None => None,
        };
        if let Some(on_app) = &self.inner.options.sandbox {
            on_app(client_id.expose_secret(), client_secret.expose_secret());
        }
        Ok(Credentials { client_id, client_secret, old_client_secret })
    }

    /// Whether what a login will bring can be kept. A code is good for one use, and a new pair may end the one before, so
    /// this is asked first.
    pub(crate) async fn ready(&self, path: &str) -> Result<(), AdminError> {
        self.store(path).ready().await.map_err(|e| unusable(&e))
    }

    /// Keeps what a login brought; on the disk when this returns.
    pub(crate) async fn keep(
        &self,
        shop: &ShopDomain,
        path: &str,
        app: &Credentials,
        grant: &Grant,
    ) -> Result<Entry, AdminError> {
        let entry = self.entry(grant, app, None);
        self.store(path).put(shop, entry.clone()).await.map_err(|e| unusable(&e))?;
        Ok(entry)
    }

    /// What the store holds of `shop`, as it stands.
    pub(crate) async fn kept(&self, shop: &ShopDomain, path: &str) -> Result<Option<Entry>, AdminError> {
        self.store(path).get(shop).await.map_err(|e| unusable(&e))
    }

    /// Where the store that the manifest has at `path` really is.
    pub(crate) fn place(&self, path: &str) -> PathBuf {
        (self.inner.options.place)(Path::new(path))
    }

    async fn reference(
        &self,
        reference: &SecretRef,
        shop: &ShopDomain,
        in_sandbox: &str,
    ) -> Result<SecretString, AdminError> {
        match self.inner.options.secrets.resolve(reference, shop).await {
            Ok(secret) => Ok(secret),
            Err(_) if self.inner.options.sandbox.is_some() => Ok(in_sandbox.into()),
            Err(error @ SecretError { .. }) => Err(AdminError::new(Kind::SecretUnavailable, error.to_string())),
        }
    }

    /// By client credentials: one request a shop and run, unless the token ends in between or is the `refused` one.
    async fn fetched(
        &self,
        shop: &ShopDomain,
        app: &App,
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
        let app = self.credentials(shop, app).await?;
        let grant = oauth::client_credentials(&self.inner.options.client, shop, &app).await?;
        let obtained_at = self.now();
        tracing::debug!(%shop, expires_in = ?grant.expires_in, "got a token by client credentials");
        let token = grant.access_token;
        let expires_at = grant.expires_in.map(|life| after(obtained_at, life));
        *held = Some(Fetched { token: token.clone(), obtained_at, expires_at });
        Ok(token)
    }

    /// From the store, refreshed first if it is about to end or is the `refused` one.
    async fn stored(
        &self,
        shop: &ShopDomain,
        path: &str,
        app: &App,
        refused: Option<&SecretString>,
    ) -> Result<SecretString, AdminError> {
        let store = self.store(path);
        let now = self.now();
        let wants = |entry: &Entry| {
            entry.refresh.is_some()
                && (due(now, entry.obtained_at, entry.expires_at) || is(refused, &entry.access_token))
        };
        let (tokens, of, app) = (self.clone(), shop.clone(), app.clone());
        let refresh = async move |entry: Entry| tokens.refresh(&of, &app, &entry).await;
        // Another process may hold the shop's lock for longer than this run has. A pair that has arrived is stored even if
        // nobody waits for it any more.
        let fresh = store.fresh(shop, wants, refresh);
        let refreshed = match self.inner.options.client.deadline() {
            Some(end) => tokio::time::timeout_at(end, fresh).await.map_err(|_| {
                let message = "the run's time (--timeout) ended: waiting for the shop's token to be refreshed";
                AdminError::new(Kind::TimeBudget, message)
            })?,
            None => fresh.await,
        };
        let entry = match refreshed {
            Ok(entry) => entry,
            Err(FreshError::Store(error)) => return Err(unusable(&error)),
            Err(FreshError::Refresh(error)) => {
                // It was to be renewed early; the one at hand is good for a little longer than the trouble may last.
                let entry = store.get(shop).await.map_err(|e| unusable(&e))?;
                let good =
                    |entry: &Entry| entry.expires_at.is_some_and(|end| end > now) && !is(refused, &entry.access_token);
                match entry.filter(|entry| error.retryable && good(entry)) {
                    Some(entry) => {
                        tracing::warn!(%shop, %error, "the token could not be refreshed; it is used as long as it is good");
                        return Ok(entry.access_token);
                    }
                    None => return Err(error),
                }
            }
        };
        let login = format!("`hookwright auth login --shop {}`", shop.handle());
        match entry {
            Some(entry) if entry.expires_at.is_none_or(|end| end > now) => Ok(entry.access_token),
            Some(entry) => {
                let end = entry.expires_at.unwrap_or(now);
                let message =
                    format!("the token in the store ended at {end} and there is nothing to refresh it with: {login}");
                Err(AdminError::new(Kind::LoginRequired, message))
            }
            None if self.inner.options.sandbox.is_some() => Ok(SANDBOX_TOKEN.into()),
            None => {
                let place = self.place(path);
                let message = format!("the token store {} has no token of this shop yet: {login}", place.display());
                Err(AdminError::new(Kind::LoginRequired, message))
            }
        }
    }

    async fn refresh(&self, shop: &ShopDomain, app: &App, entry: &Entry) -> Result<Entry, AdminError> {
        let Some(Refresh { token, previous, .. }) = &entry.refresh else {
            return Err(AdminError::new(Kind::LoginRequired, "there is nothing to refresh the token with"));
        };
        let app = self.credentials(shop, app).await?;
        if entry.client_id.as_deref().is_some_and(|of| of != app.client_id.expose_secret()) {
            let message = format!(
                "the token in the store belongs to another app than `client_id` names now. Log in with this one: \
                 `hookwright auth login --shop {}`",
                shop.handle()
            );
            return Err(AdminError::new(Kind::LoginRequired, message));
        }
        let client = &self.inner.options.client;
        let (grant, good) = match (oauth::refresh(client, shop, &app, token).await, previous) {
            // A pair that was never used leaves the one before it good. Trouble on the way to know is not a refusal.
            (Err(error), Some(previous)) if error.kind == Kind::LoginRequired => {
                let again = oauth::refresh(client, shop, &app, previous).await;
                (again.map_err(|second| if second.kind == Kind::LoginRequired { error } else { second })?, previous)
            }
            (grant, _) => (grant?, token),
        };
        tracing::debug!(%shop, expires_in = ?grant.expires_in, "refreshed the token");
        Ok(self.entry(&grant, &app, Some(good)))
    }

    fn entry(&self, grant: &Grant, app: &Credentials, previous: Option<&SecretString>) -> Entry {
        // Whole seconds, as Shopify counts a token's life.
        let now = Timestamp::from_second(self.now().as_second()).unwrap_or_else(|_| self.now());
        let end = |life: Option<Duration>| life.map(|life| after(now, life));
        Entry {
            access_token: grant.access_token.clone(),
            scopes: grant.scopes.clone(),
            obtained_at: now,
            expires_at: end(grant.expires_in),
            refresh: grant.refresh_token.clone().map(|token| Refresh {
                token,
                expires_at: end(grant.refresh_expires_in),
                previous: previous.cloned(),
            }),
            online_user: grant.user.clone(),
            client_id: Some(app.client_id.expose_secret().to_owned()),
        }
    }

    fn store(&self, path: &str) -> Store {
        let place = self.place(path);
        let mut stores = self.inner.stores.lock().unwrap_or_else(PoisonError::into_inner);
        stores.entry(place.clone()).or_insert_with(|| Store::new(place)).clone()
    }

    fn now(&self) -> Timestamp {
        (self.inner.options.clock)()
    }
}

/// The error with the way out that this kind of `auth` has.
fn advised(shop: &ShopDomain, auth: Option<&Auth>, error: AdminError) -> AdminError {
    match (auth, error.kind) {
        (Some(Auth::TokenStore { .. }), Kind::TokenRefused | Kind::NonExpiringToken | Kind::MissingScope) => {
            let message = format!("{}. `hookwright auth login --shop {}` gets one", error.message, shop.handle());
            AdminError { message, ..error }
        }
        _ => error,
    }
}

/// Whether a token is to be renewed now.
fn due(now: Timestamp, obtained_at: Timestamp, expires_at: Option<Timestamp>) -> bool {
    expires_at.is_some_and(|end| {
        let life = end.duration_since(obtained_at).max(SignedDuration::ZERO);
        end.duration_since(now) <= MARGIN.min(life / 4)
    })
}

fn is(refused: Option<&SecretString>, token: &SecretString) -> bool {
    refused.is_some_and(|refused| refused.expose_secret() == token.expose_secret())
}

fn after(now: Timestamp, life: Duration) -> Timestamp {
    now.checked_add(life).unwrap_or(Timestamp::MAX)
}

fn unusable(error: &StoreError) -> AdminError {
    AdminError::new(Kind::SecretUnavailable, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_five_minutes_before_its_end_or_in_its_last_quarter() {
        let at = |seconds: i64| Timestamp::from_second(seconds).expect("time");
        assert!(!due(at(0), at(0), None));
        assert!(!due(at(3299), at(0), Some(at(3600))));
        assert!(due(at(3300), at(0), Some(at(3600))));
        assert!(!due(at(7), at(0), Some(at(10))));
        assert!(due(at(8), at(0), Some(at(10))));
        assert!(due(at(20), at(0), Some(at(10))));
        // Clocks that jump: obtained after its end.
        assert!(due(at(20), at(30), Some(at(10))));
    }
}
