//! Tokens of the token store: used while they are valid, refreshed in time, and not discarded because of a temporary
//! problem.

use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::{Life, SANDBOX_CLIENT, SANDBOX_TOKEN, Tokens, after, due, is, unavailable};
use crate::admin::{AdminError, AdminErrorKind};
use crate::auth::oauth::{self, Credentials, Grant};
use crate::auth::secrets::{Role, wrong_form};
use crate::auth::store::{Entry, FreshError, Refresh, Store, StoreError};
use crate::model::{App, ShopDomain};

/// The longest time that a run waits for the removal of a previous refresh token.
const TIDYING: Duration = Duration::from_secs(1);

/// The longest wait for a new token while the current one is valid; half of the run's remaining time if that is
/// shorter.
const WITH_A_GOOD_ONE: Duration = Duration::from_secs(10);

/// Why a refresh failed.
struct RefreshFailure {
    error: AdminError,
    /// Whether the current token may still be valid.
    passing: bool,
}

impl Tokens {
    /// Checks that the token store can keep a new token. Called before a login, because a code can be used once and a
    /// new pair may invalidate the previous one.
    pub(crate) async fn ready(&self, path: &str) -> Result<(), AdminError> {
        self.store(path).ready().await.map_err(|e| unusable(&e))
    }

    /// Stores the token of a login. It is on the disk when this returns.
    pub(crate) async fn keep(
        &self,
        shop: &ShopDomain,
        path: &str,
        app: &Credentials,
        grant: &Grant,
    ) -> Result<Entry, AdminError> {
        let entry = self.entry(grant, app);
        self.store(path).put(shop, entry.clone()).await.map_err(|e| unusable(&e))?;
        Ok(entry)
    }

    /// Returns the current entry of `shop` in the store.
    pub(crate) async fn kept(&self, shop: &ShopDomain, path: &str) -> Result<Option<Entry>, AdminError> {
        self.store(path).get(shop).await.map_err(|e| unusable(&e))
    }

    /// Returns the location of the store that has `path` in the manifest.
    pub(crate) fn place(&self, path: &str) -> PathBuf {
        (self.inner.options.place)(Path::new(path))
    }

    /// Removes the previous refresh token after the shop accepted this token. A failure does not affect the run.
    pub(super) async fn tidy(&self, shop: &ShopDomain, path: &str, token: &SecretString) {
        // The wait is short; a token that is not removed now is removed in a later run.
        match tokio::time::timeout(TIDYING, self.store(path).used(shop, token)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%shop, %error, "the previous refresh token could not be removed from the token store");
            }
            Err(_) => tracing::warn!(%shop, "the token store is busy; the previous refresh token was not removed"),
        }
    }

    /// Returns the token in the store. Refreshes it if it is about to expire or is the `refused` one.
    pub(super) async fn stored(
        &self,
        shop: &ShopDomain,
        path: &str,
        app: &App,
        refused: Option<&SecretString>,
    ) -> Result<SecretString, AdminError> {
        let store = self.store(path);
        let Some(at_hand) = store.get(shop).await.map_err(|e| unusable(&e))? else {
            return self.none_kept(shop, path);
        };
        if let Some(problem) = wrong_form(at_hand.access_token.expose_secret(), Role::AccessToken) {
            let message =
                format!("the access token of {shop} in the token store {path} {problem}. Run {}", Self::login(shop));
            return Err(AdminError::new(AdminErrorKind::LoginRequired, message));
        }
        let refresh =
            at_hand.refresh.iter().flat_map(|refresh| std::iter::once(&refresh.token).chain(&refresh.previous));
        for secret in refresh {
            self.inner.options.client.remember(shop, secret);
        }
        self.same_app(shop, app, &at_hand).await?;
        let fresh = match self.fresh(shop, &store, app, refused, &at_hand).await {
            Ok(Some(entry)) => entry,
            Ok(None) => return self.none_kept(shop, path),
            Err(RefreshFailure { error, passing }) => {
                // A login in the meantime replaces the entry, and also invalidates the refresh token that was in use.
                let now = store.get(shop).await.ok().flatten().unwrap_or_else(|| at_hand.clone());
                let another = !is(Some(&at_hand.access_token), &now.access_token);
                if !(another || passing) || is(refused, &now.access_token) || !is_good(&now, self.now()) {
                    return Err(error);
                }
                if !another {
                    let used = "the token could not be refreshed; the current one is used until it expires";
                    tracing::warn!(%shop, %error, "{used}");
                }
                now
            }
        };
        if !is(Some(&at_hand.access_token), &fresh.access_token) {
            self.same_app(shop, app, &fresh).await?;
        }
        self.lasts(shop, life(&fresh));
        match fresh.expires_at.filter(|end| *end <= self.now()) {
            None => Ok(fresh.access_token),
            Some(end) => {
                let login = Self::login(shop);
                let message =
                    format!("the token in the token store expired at {end} and has no refresh token. Run {login}");
                Err(AdminError::new(AdminErrorKind::LoginRequired, message))
            }
        }
    }

    /// Returns the entry, refreshed if necessary. Another process may hold a lock for longer than the remaining time of
    /// this run.
    async fn fresh(
        &self,
        shop: &ShopDomain,
        store: &Store,
        app: &App,
        refused: Option<&SecretString>,
        at_hand: &Entry,
    ) -> Result<Option<Entry>, RefreshFailure> {
        let now = self.now();
        let wants = |entry: &Entry| {
            entry.refresh.is_some()
                && (due(now, entry.obtained_at, entry.expires_at) || is(refused, &entry.access_token))
        };
        if !wants(at_hand) {
            return Ok(Some(at_hand.clone()));
        }
        let (tokens, of, app) = (self.clone(), shop.clone(), app.clone());
        let fresh = store.fresh(shop, wants, async move |entry: Entry| tokens.refresh(&of, &app, &entry).await);
        let good = is_good(at_hand, now) && !is(refused, &at_hand.access_token);
        let refreshed = match self.patience(good) {
            Some(end) => tokio::time::timeout_at(end, fresh).await.map_err(|_| {
                let message = "the time limit of the run (`--timeout`) was reached while the shop's token was refreshed. Run \
                               again, or with a longer `--timeout`";
                RefreshFailure { error: AdminError::new(AdminErrorKind::TimeBudget, message), passing: true }
            })?,
            None => fresh.await,
        };
        refreshed.map_err(|error| match error {
            FreshError::Store(error) => RefreshFailure { error: unusable(&error), passing: true },
            FreshError::Refresh(error) => RefreshFailure { passing: error.retryable, error },
        })
    }

    /// Returns the end of the wait for a new token. With a valid token, most of the run's time is kept for its work.
    fn patience(&self, good: bool) -> Option<Instant> {
        let end = self.inner.options.client.deadline();
        if !good {
            return end;
        }
        let now = Instant::now();
        let left = end.map_or(WITH_A_GOOD_ONE, |end| end.saturating_duration_since(now) / 2);
        Some(now + left.min(WITH_A_GOOD_ONE))
    }

    async fn refresh(&self, shop: &ShopDomain, app: &App, entry: &Entry) -> Result<Entry, AdminError> {
        let Some(Refresh { token, previous, .. }) = &entry.refresh else {
            return Err(AdminError::new(
                AdminErrorKind::LoginRequired,
                "the token in the token store has no refresh token",
            ));
        };
        // The refresh token of a real app is not sent with placeholder credentials.
        let of_sandbox = self.inner.options.sandbox.is_some() || entry.client_id.as_deref() == Some(SANDBOX_CLIENT);
        let app = if of_sandbox {
            self.app(shop, app).await?
        } else {
            let real = async |reference, role| self.real(reference, shop, role).await.map_err(|e| unavailable(&e));
            Credentials {
                client_id: real(&app.client_id, Role::ClientId).await?,
                client_secret: real(&app.client_secret, Role::ClientSecret).await?,
                old_client_secret: None,
            }
        };
        let client = &self.inner.options.client;
        // Resolving secrets may have taken a while. After this point the refresh is completed.
        if client.stop().is_cancelled() {
            return Err(super::interrupted());
        }
        let (grant, good) = match (oauth::refresh(client, shop, &app, token).await, previous) {
            // A pair that was never used leaves the previous refresh token valid. A network error is not a refusal.
            (Err(error), Some(previous)) if error.kind == AdminErrorKind::LoginRequired => {
                let again = oauth::refresh(client, shop, &app, previous).await;
                let lost = |second: &AdminError| second.kind == AdminErrorKind::LoginRequired;
                (again.map_err(|second| if lost(&second) { error } else { second })?, previous)
            }
            (grant, _) => (grant?, token),
        };
        tracing::debug!(%shop, expires_in = ?grant.expires_in, "refreshed the token");
        Ok(renewed(entry, self.entry(&grant, &app), good))
    }

    /// Checks that the entry belongs to this app: another app's secret cannot refresh it, and a changed `client_id`
    /// means another app.
    async fn same_app(&self, shop: &ShopDomain, app: &App, entry: &Entry) -> Result<(), AdminError> {
        let Some(of) = &entry.client_id else { return Ok(()) };
        // An unavailable id is resolved again where it is required, and a valid token does not need it.
        let id = match self.resolved(&app.client_id, shop, Role::ClientId).await {
            Ok(Some(id)) => id,
            Ok(None) if self.inner.options.sandbox.is_some() => SANDBOX_CLIENT.into(),
            Ok(None) | Err(_) => return Ok(()),
        };
        if of == id.expose_secret() {
            return Ok(());
        }
        let message = format!(
            "the token in the token store belongs to another app than the current `client_id`. Run {}",
            Self::login(shop)
        );
        Err(AdminError::new(AdminErrorKind::LoginRequired, message))
    }

    /// Reports a missing entry. The embedded sandbox gets a placeholder token, because a login cannot outlast it.
    fn none_kept(&self, shop: &ShopDomain, path: &str) -> Result<SecretString, AdminError> {
        let place = self.place(path);
        let message =
            format!("no token for {} in the token store {}. Run {}", shop.handle(), place.display(), Self::login(shop));
        if self.inner.options.sandbox.is_some() {
            self.lasts(shop, Life::Renewed);
            self.make_up(shop, &message);
            return Ok(SANDBOX_TOKEN.into());
        }
        Err(AdminError::new(AdminErrorKind::LoginRequired, message))
    }

    fn entry(&self, grant: &Grant, app: &Credentials) -> Entry {
        // Whole seconds, as in Shopify's `expires_in`.
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
                previous: None,
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
}

/// Returns the entry after a refresh with the token `good`, which stays valid until the new pair is used. If the answer
/// has no refresh token (RFC 6749, section 6), `good` is kept.
fn renewed(old: &Entry, new: Entry, good: &SecretString) -> Entry {
    let refresh = match new.refresh {
        Some(refresh) => Some(Refresh { previous: Some(good.clone()), ..refresh }),
        None => old.refresh.as_ref().map(|refresh| Refresh {
            token: good.clone(),
            expires_at: refresh.expires_at,
            previous: None,
        }),
    };
    Entry { refresh, ..new }
}

fn life(entry: &Entry) -> Life {
    match (entry.expires_at, &entry.refresh) {
        (None, _) => Life::Endless,
        (Some(_), Some(refresh)) => refresh.expires_at.map_or(Life::Renewed, Life::Until),
        (Some(end), None) => Life::Until(end),
    }
}

fn is_good(entry: &Entry, now: Timestamp) -> bool {
    entry.expires_at.is_none_or(|end| end > now)
}

fn unusable(error: &StoreError) -> AdminError {
    let kind = match error {
        StoreError::Busy { .. } => AdminErrorKind::TimeBudget,
        _ => AdminErrorKind::SecretUnavailable,
    };
    AdminError::new(kind, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_a_refresh_token_keeps_the_valid_one() {
        let at = |seconds: i64| Timestamp::from_second(seconds).expect("time");
        let entry = |access: &str, refresh: Option<Refresh>| Entry {
            access_token: access.into(),
            scopes: Vec::new(),
            obtained_at: at(0),
            expires_at: Some(at(3600)),
            refresh,
            online_user: None,
            client_id: None,
        };
        let pair = |token: &str, end: i64, previous: Option<&str>| {
            Some(Refresh { token: token.into(), expires_at: Some(at(end)), previous: previous.map(Into::into) })
        };
        let shown = |entry: Entry| {
            let Refresh { token, expires_at, previous } = entry.refresh.expect("a refresh token");
            let previous = previous.map(|token| token.expose_secret().to_owned());
            (token.expose_secret().to_owned(), expires_at, previous)
        };
        let old = entry("a1", pair("r1", 90, Some("r0")));
        let rotated = renewed(&old, entry("a2", pair("r2", 180, None)), &"r1".into());
        assert_eq!(shown(rotated), ("r2".to_owned(), Some(at(180)), Some("r1".to_owned())));
        for good in ["r1", "r0"] {
            let kept = renewed(&old, entry("a2", None), &good.into());
            assert_eq!(kept.access_token.expose_secret(), "a2");
            assert_eq!(shown(kept), (good.to_owned(), Some(at(90)), None));
        }
    }
}
