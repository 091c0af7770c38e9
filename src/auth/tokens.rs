//! The access token of a shop, from the source in the manifest: a reference, the client credentials grant (with a
//! secret or a client assertion), or the token store.
//!
//! A fetched token is kept for the run and renewed before it expires. A token of the store is refreshed by one process
//! at a time, and the new pair is on the disk before it is used. A token is sent only to the shop that it was issued
//! for.

mod fetched;
mod stored;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};

use super::key::PublicJwk;
use super::oauth::Credentials;
use super::secrets::Role;
use super::store::Store;
use super::{SecretError, SecretResolver};
use crate::admin::{AdminClient, AdminError, AdminErrorKind, Endpoint};
use crate::model::{App, Auth, SecretRef, ShopDomain};
use fetched::By;

/// The credentials that replace unavailable ones in the sandbox, which needs no secrets.
const SANDBOX_TOKEN: &str = "sandbox-token";
const SANDBOX_CLIENT: &str = "sandbox-client";
const SANDBOX_SECRET: &str = "sandbox-secret";

/// A token is renewed this long before it expires, or in the last quarter of its life if that is shorter.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// The proof of an app's identity.
pub(crate) enum NewApp<'a> {
    Secret(&'a str),
    /// `audience` is the manifest's, because a sandbox cannot know which audience Shopify expects.
    Key {
        jwk: &'a PublicJwk,
        audience: Option<&'a str>,
    },
}

/// Receives the client id of each app in use, with its proof of identity.
pub(crate) type OnApp = Arc<dyn Fn(&str, NewApp<'_>) + Send + Sync>;

/// The options of `Tokens`.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) secrets: SecretResolver,
    pub(crate) client: AdminClient,
    /// Returns the current time.
    pub(crate) clock: fn() -> Timestamp,
    /// Returns the location of a token store from its path in the manifest: tokens of Shopify and of other targets are
    /// never in the same file.
    pub(crate) place: Arc<dyn Fn(&Path) -> PathBuf + Send + Sync>,
    /// Registers apps with the embedded sandbox, which needs no secrets; `None` for every other target.
    pub(crate) sandbox: Option<OnApp>,
}

/// Obtains the tokens of a run. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tokens {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    stores: Mutex<HashMap<PathBuf, Store>>,
    fetched: fetched::Slots,
    /// The shop of each token from a reference, by the token's digest, and whether another shop has the same token.
    given: Mutex<HashMap<[u8; 32], (ShopDomain, bool)>>,
    /// The lifetime of the token that each shop was last asked with.
    lives: Mutex<HashMap<ShopDomain, Life>>,
    /// Why placeholder credentials are used in the sandbox, by shop.
    made_up: Mutex<HashMap<ShopDomain, String>>,
}

/// The lifetime of a token, as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Life {
    /// The token comes from a reference, which has no expiry.
    #[default]
    Unknown,
    /// The token was issued without expiry.
    Endless,
    /// The token expires, and Hookwright obtains the next one without a login.
    Renewed,
    /// A login is required before this time, at which the token or its refresh token expires.
    Until(Timestamp),
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

impl Tokens {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            inner: Arc::new(Inner {
                options,
                stores: Mutex::default(),
                fetched: Mutex::default(),
                given: Mutex::default(),
                lives: Mutex::default(),
                made_up: Mutex::default(),
            }),
        }
    }

    /// Returns the token of `shop`, valid for some minutes at least. Returns early when the run is interrupted; a
    /// refresh that has begun is completed nevertheless.
    pub(crate) async fn token(&self, shop: &ShopDomain, auth: Option<&Auth>) -> Result<SecretString, AdminError> {
        self.unless_stopped(self.wait_for_token(shop, auth)).await
    }

    async fn wait_for_token(&self, shop: &ShopDomain, auth: Option<&Auth>) -> Result<SecretString, AdminError> {
        match auth {
            Some(Auth::AccessToken(reference)) => {
                let token = self.reference(reference, shop, Role::AccessToken, SANDBOX_TOKEN).await?;
                self.only_of(shop, &token)?;
                Ok(token)
            }
            Some(Auth::ClientCredentials(app)) => self.fetched(shop, By::Secret(app), None).await,
            Some(Auth::ClientAssertion(of)) => self.fetched(shop, By::Assertion(of), None).await,
            Some(Auth::TokenStore { path, app }) => self.stored(shop, path, app, None).await,
            None if self.in_sandbox().await => Ok(SANDBOX_TOKEN.into()),
            None => Err(AdminError::new(
                AdminErrorKind::SecretUnavailable,
                "the manifest has no `auth` for this shop. Add `auth` to the manifest or to the shop",
            )),
        }
    }

    /// Refuses a token that two shops have: a token of Shopify is valid for one shop, so at least one of them has
    /// another shop's token. Targets other than Shopify may issue the same token to all shops.
    fn only_of(&self, shop: &ShopDomain, token: &SecretString) -> Result<(), AdminError> {
        if *self.inner.options.client.endpoint() != Endpoint::Shopify {
            return Ok(());
        }
        let digest = Sha256::digest(token.expose_secret()).into();
        let mut given = self.inner.given.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, shared) = given.entry(digest).or_insert_with(|| (shop.clone(), false));
        *shared |= first != shop;
        if !*shared {
            return Ok(());
        }
        let message = format!(
            "{first} and another shop have the same access token in `auth`, but a token is valid for only one shop. The \
             token was not sent to this shop. Use a separate reference for each shop, with `{{shop}}` or `{{SHOP}}` in it"
        );
        Err(AdminError::new(AdminErrorKind::SecretUnavailable, message))
    }

    async fn unless_stopped<T>(&self, work: impl Future<Output = Result<T, AdminError>>) -> Result<T, AdminError> {
        tokio::select! {
            biased;
            done = work => done,
            () = self.inner.options.client.stop().cancelled() => Err(interrupted()),
        }
    }

    /// Sends a request that changes nothing. If the shop refuses the token and a new one can be obtained without a
    /// login, sends it again with the new token.
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
        if matches!(&answer, Err(error) if error.kind == AdminErrorKind::TokenRefused)
            && let Some(another) = self.unless_stopped(self.another(shop, auth, &token)).await?
        {
            token = another;
            answer = ask(token.clone()).await;
        }
        match answer {
            Ok(answer) => {
                self.used(shop, auth, &token).await;
                Ok(answer)
            }
            Err(error) => Err(Self::advised(shop, auth, self.made_up(shop, auth, &token, error).await)),
        }
    }

    /// Adds to the refusal of a placeholder token why the real one is unavailable. Only a served sandbox refuses one.
    async fn made_up(
        &self,
        shop: &ShopDomain,
        auth: Option<&Auth>,
        token: &SecretString,
        error: AdminError,
    ) -> AdminError {
        let embedded = self.inner.options.sandbox.is_some();
        if embedded || error.kind != AdminErrorKind::TokenRefused || token.expose_secret() != SANDBOX_TOKEN {
            return error;
        }
        let references = match auth {
            Some(Auth::AccessToken(reference)) => vec![(reference, Role::AccessToken)],
            Some(Auth::ClientAssertion(of)) => {
                vec![(&of.client_id, Role::ClientId), (&of.private_key, Role::PrivateKey)]
            }
            Some(Auth::ClientCredentials(_) | Auth::TokenStore { .. }) | None => Vec::new(),
        };
        for (reference, role) in references {
            if let Err(why) = self.inner.options.secrets.resolve_as(reference, shop, role).await {
                let message = format!("{}. The sandbox received a placeholder token, because {why}", error.message);
                return AdminError { message, ..error };
            }
        }
        error
    }

    /// Returns whether requests go to a sandbox: the embedded one, or one that is served on this machine.
    async fn in_sandbox(&self) -> bool {
        self.inner.options.sandbox.is_some() || self.inner.options.client.at_sandbox().await
    }

    /// Returns a token other than the refused one, if it can be obtained without a login. Does not return early when
    /// the run is interrupted.
    pub(crate) async fn another(
        &self,
        shop: &ShopDomain,
        auth: Option<&Auth>,
        refused: &SecretString,
    ) -> Result<Option<SecretString>, AdminError> {
        let other = match auth {
            Some(Auth::ClientCredentials(app)) => self.fetched(shop, By::Secret(app), Some(refused)).await?,
            Some(Auth::ClientAssertion(of)) => self.fetched(shop, By::Assertion(of), Some(refused)).await?,
            Some(Auth::TokenStore { path, app }) => self.stored(shop, path, app, Some(refused)).await?,
            Some(Auth::AccessToken(_)) | None => return Ok(None),
        };
        Ok(Some(other).filter(|token| token.expose_secret() != refused.expose_secret()))
    }

    /// Records that the shop accepted this token.
    async fn used(&self, shop: &ShopDomain, auth: Option<&Auth>, token: &SecretString) {
        if let Some(Auth::TokenStore { path, .. }) = auth {
            self.tidy(shop, path, token).await;
        }
    }

    /// Returns the token of `reference`, unchanged.
    pub(crate) async fn given(&self, shop: &ShopDomain, reference: &SecretRef) -> Result<SecretString, AdminError> {
        self.real(reference, shop, Role::AccessToken).await.map_err(|error| unavailable(&error))
    }

    /// Resolves the app's credentials for `shop`, with all secrets that may have signed a callback.
    pub(crate) async fn credentials(&self, shop: &ShopDomain, app: &App) -> Result<Credentials, AdminError> {
        let old_client_secret = match &app.old_client_secret {
            // Never a placeholder, with which anyone could sign a callback.
            Some(reference) => self.resolved(reference, shop, Role::ClientSecret).await?,
            None => None,
        };
        Ok(Credentials { old_client_secret, ..self.app(shop, app).await? })
    }

    /// Resolves the app's credentials for requests, which do not need the previous secret.
    async fn app(&self, shop: &ShopDomain, app: &App) -> Result<Credentials, AdminError> {
        let (client_id, client_secret) = match self.resolved(&app.client_id, shop, Role::ClientId).await? {
            Some(id) => {
                let secret = self.reference(&app.client_secret, shop, Role::ClientSecret, SANDBOX_SECRET).await?;
                (id, secret)
            }
            // A real secret is not sent with a placeholder client id.
            None => (SANDBOX_CLIENT.into(), SANDBOX_SECRET.into()),
        };
        if let Some(on_app) = &self.inner.options.sandbox {
            on_app(client_id.expose_secret(), NewApp::Secret(client_secret.expose_secret()));
        }
        Ok(Credentials { client_id, client_secret, old_client_secret: None })
    }

    /// Resolves a secret. If it is unavailable and requests go to a sandbox, returns `in_sandbox`.
    async fn reference(
        &self,
        reference: &SecretRef,
        shop: &ShopDomain,
        role: Role,
        in_sandbox: &'static str,
    ) -> Result<SecretString, AdminError> {
        Ok(self.resolved(reference, shop, role).await?.unwrap_or_else(|| in_sandbox.into()))
    }

    /// Resolves a secret. `None`: it is unavailable, and requests go to a sandbox.
    async fn resolved(
        &self,
        reference: &SecretRef,
        shop: &ShopDomain,
        role: Role,
    ) -> Result<Option<SecretString>, AdminError> {
        match self.real(reference, shop, role).await {
            Ok(secret) => Ok(Some(secret)),
            // A malformed secret is an error in the sandbox, too.
            Err(error) if !error.malformed && self.in_sandbox().await => {
                self.make_up(shop, &error.to_string());
                Ok(None)
            }
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// Resolves a secret, and redacts it from all logs from now on.
    async fn real(&self, reference: &SecretRef, shop: &ShopDomain, role: Role) -> Result<SecretString, SecretError> {
        let secret = self.inner.options.secrets.resolve_as(reference, shop, role).await?;
        self.inner.options.client.remember(shop, &secret);
        Ok(secret)
    }

    /// Returns why placeholder credentials are used for this shop, if they are.
    pub(crate) fn made_up_because(&self, shop: &ShopDomain) -> Option<String> {
        self.inner.made_up.lock().unwrap_or_else(PoisonError::into_inner).get(shop).cloned()
    }

    fn make_up(&self, shop: &ShopDomain, why: &str) {
        self.inner.made_up.lock().unwrap_or_else(PoisonError::into_inner).insert(shop.clone(), why.to_owned());
    }

    /// Returns the lifetime of the token that the shop was last asked with.
    pub(crate) fn life(&self, shop: &ShopDomain) -> Life {
        self.inner.lives.lock().unwrap_or_else(PoisonError::into_inner).get(shop).copied().unwrap_or_default()
    }

    fn lasts(&self, shop: &ShopDomain, life: Life) {
        self.inner.lives.lock().unwrap_or_else(PoisonError::into_inner).insert(shop.clone(), life);
    }

    /// Adds the remedy for this kind of `auth` to an error.
    fn advised(shop: &ShopDomain, auth: Option<&Auth>, error: AdminError) -> AdminError {
        match (auth, error.kind) {
            (Some(Auth::TokenStore { .. }), AdminErrorKind::TokenRefused | AdminErrorKind::MissingScope) => {
                let lead = if error.kind == AdminErrorKind::MissingScope { "Then" } else { "Either way," };
                let message = format!("{}. {lead} run {}", error.message, Self::login(shop));
                AdminError { message, ..error }
            }
            _ => error,
        }
    }

    /// Returns the command that logs in to this shop. For a sandbox the caller adds its options (`run::target`).
    fn login(shop: &ShopDomain) -> String {
        format!("`hookwright auth login --shop {}`", shop.handle())
    }

    fn now(&self) -> Timestamp {
        (self.inner.options.clock)()
    }
}

/// Returns whether a token must be renewed now.
fn due(now: Timestamp, obtained_at: Timestamp, expires_at: Option<Timestamp>) -> bool {
    expires_at.is_some_and(|end| {
        let life = end.duration_since(obtained_at).max(SignedDuration::ZERO);
        end.duration_since(now) <= MARGIN.min(life / 4)
    })
}

fn unavailable(error: &SecretError) -> AdminError {
    AdminError::new(AdminErrorKind::SecretUnavailable, error.to_string())
}

fn interrupted() -> AdminError {
    AdminError::new(AdminErrorKind::Interrupted, "interrupted while waiting for the shop's token")
}

fn is(refused: Option<&SecretString>, token: &SecretString) -> bool {
    refused.is_some_and(|refused| refused.expose_secret() == token.expose_secret())
}

fn after(now: Timestamp, life: Duration) -> Timestamp {
    now.checked_add(life).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(endpoint: Endpoint, env: fn(&str) -> Option<std::ffi::OsString>) -> Tokens {
        let client = AdminClient::new(crate::admin::AdminOptions::new(endpoint, crate::model::ApiVersion::default()));
        Tokens::new(Options {
            secrets: SecretResolver::new(super::super::Options::new(Arc::new(env))),
            client: client.expect("client"),
            clock: || Timestamp::UNIX_EPOCH,
            place: Arc::new(Path::to_owned),
            sandbox: None,
        })
    }

    #[tokio::test]
    async fn one_token_is_never_sent_to_two_shops_at_shopify() {
        let env = |name: &str| Some(if name == "OWN" { "shpat_own" } else { "shpat_common" }.into());
        let shop = |handle: &str| ShopDomain::parse(handle).expect("shop");
        let of = |name: &str| Auth::AccessToken(SecretRef::Env(name.to_owned()));
        let shopify = tokens(Endpoint::Shopify, env);
        assert!(shopify.token(&shop("a"), Some(&of("X"))).await.is_ok());
        assert!(shopify.token(&shop("a"), Some(&of("Y"))).await.is_ok(), "the same shop again");
        let error = shopify.token(&shop("b"), Some(&of("Y"))).await.expect_err("the token of a");
        assert_eq!(error.kind, AdminErrorKind::SecretUnavailable);
        assert!(error.message.contains("a.myshopify.com") && !error.message.contains("shpat"), "{error}");
        assert!(shopify.token(&shop("a"), Some(&of("X"))).await.is_err(), "its shop is unknown");
        assert!(shopify.token(&shop("c"), Some(&of("OWN"))).await.is_ok());

        let endpoint = Endpoint::parse("http://127.0.0.1:1/{shop}", &[]).expect("endpoint");
        let elsewhere = tokens(endpoint, env);
        assert!(elsewhere.token(&shop("a"), Some(&of("X"))).await.is_ok());
        assert!(elsewhere.token(&shop("b"), Some(&of("X"))).await.is_ok());
    }

    #[test]
    fn a_token_is_renewed_five_minutes_before_it_expires_or_in_its_last_quarter() {
        let at = |seconds: i64| Timestamp::from_second(seconds).expect("time");
        assert!(!due(at(0), at(0), None));
        assert!(!due(at(3299), at(0), Some(at(3600))));
        assert!(due(at(3300), at(0), Some(at(3600))));
        assert!(!due(at(7), at(0), Some(at(10))));
        assert!(due(at(8), at(0), Some(at(10))));
        assert!(due(at(20), at(0), Some(at(10))));
        // After a jump of the clock the token is obtained after its expiry.
        assert!(due(at(20), at(30), Some(at(10))));
    }
}
