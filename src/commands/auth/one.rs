//! One shop of the manifest, with what its OAuth flow needs.

use std::fmt::Write as _;
use std::time::Duration;

use crate::admin::{self, AdminClient};
use crate::auth::{Access, Credentials, Entry, Grant, Tokens};
use crate::cli::auth::KeepArgs;
use crate::cli::{AccessArgs, ManifestArgs};
use crate::commands::target::Target;
use crate::commands::{Output, pipeline};
use crate::error::Failure;
use crate::exit::{self, Cause, Exit};
use crate::manifest::{Manifest, ManifestShop};
use crate::model::{App, Auth, ScopeSet, SecretRef, ShopDomain};
use crate::progress::Voice;

/// A token request that takes longer is given up.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) struct One {
    manifest: Manifest,
    at: usize,
    pub(super) target: Target,
    pub(super) client: AdminClient,
    pub(super) tokens: Tokens,
}

impl One {
    pub(super) async fn open(
        shop: &str,
        manifest: &ManifestArgs,
        access: &AccessArgs,
        output: Output,
    ) -> Result<Self, Failure> {
        let shop = ShopDomain::parse(shop).map_err(|e| Failure::invalid(format!("--shop {shop:?}: {e}")))?;
        let (manifest, seeds) = pipeline::load_manifest(&manifest.file, Voice::Quiet, output)?;
        let at = manifest.shops.iter().position(|known| known.shop == shop).ok_or_else(|| {
            Failure::invalid(format!("{shop} is not in the manifest")).hint(
                "add it there first, with `bindings: []` if it has none yet: its `auth` and `scopes` are read from it",
            )
        })?;
        let target = Target::open(access, &manifest, Some(seeds)).await?;
        target.check_shops(1)?;
        let client = AdminClient::new(admin::Options::new(target.endpoint.clone(), manifest.admin_api.version.clone()));
        let client = client.map_err(|e| Failure::new(Exit::Error, e))?;
        let tokens = target.tokens(access, &client);
        Ok(Self { manifest, at, target, client, tokens })
    }

    pub(super) fn shop(&self) -> &ShopDomain {
        &self.entry().shop
    }

    fn entry(&self) -> &ManifestShop {
        &self.manifest.shops[self.at]
    }

    /// The scopes that the manifest wants, as they are asked for.
    pub(super) fn wanted(&self) -> Vec<String> {
        let wanted = self.entry().desired.scopes.as_ref();
        wanted.into_iter().flat_map(ScopeSet::iter).map(ToString::to_string).collect()
    }

    /// The path of the token store in the manifest, if this shop has one.
    pub(super) fn store(&self) -> Option<&str> {
        match self.entry().auth.as_deref() {
            Some(Auth::TokenStore { path, .. }) => Some(path),
            _ => None,
        }
    }

    /// The app's credentials: of the manifest, or of two environment variables.
    pub(super) async fn credentials(&self) -> Result<Credentials, Failure> {
        let from_env = App {
            client_id: SecretRef::Env("SHOPIFY_CLIENT_ID".to_owned()),
            client_secret: SecretRef::Env("SHOPIFY_CLIENT_SECRET".to_owned()),
            old_client_secret: None,
        };
        let (app, named) = match self.entry().auth.as_deref() {
            Some(Auth::TokenStore { app, .. } | Auth::ClientCredentials(app)) => (app, true),
            Some(Auth::AccessToken(_)) | None => (&from_env, false),
        };
        self.tokens.credentials(self.shop(), app).await.map_err(|e| {
            let failure = failed(&e);
            if named {
                return failure;
            }
            failure.hint("`auth` of this shop names no app; a `token_store` or `client_credentials` does, or set the two variables")
        })
    }

    /// What kind of token to ask for, and whether it has somewhere to go: before a code is spent on it.
    pub(super) async fn access(&self, keep: KeepArgs) -> Result<Access, Failure> {
        if !keep.print_token && self.store().is_none() {
            return Err(Failure::invalid(format!("the manifest names no `token_store` for {}", self.shop()))
                .hint("auth: { token_store: { client_id: { env: SHOPIFY_CLIENT_ID }, client_secret: { env: SHOPIFY_CLIENT_SECRET } } }")
                .hint("or pass --print-token, which prints the token to stdout and keeps it nowhere"));
        }
        if let Some(path) = self.store().filter(|_| !keep.print_token) {
            let hint = "nothing was sent: what the code brings could not be kept";
            self.tokens.ready(path).await.map_err(|e| failed(&e).hint(hint))?;
        }
        // A token without a store has nobody to refresh it.
        Ok(match keep {
            KeepArgs { online: true, .. } => Access::Online,
            KeepArgs { non_expiring: true, .. } | KeepArgs { print_token: true, .. } => Access::Offline,
            KeepArgs { .. } => Access::OfflineExpiring,
        })
    }

    /// Exchanges the code, keeps or prints the token, says what it may do.
    pub(super) async fn settle(
        &self,
        app: &Credentials,
        code: &secrecy::SecretString,
        access: Access,
        keep: KeepArgs,
        output: Output,
    ) -> Result<Settled, Failure> {
        let work = crate::auth::exchange(&self.client, self.shop(), app, code, access);
        let Ok(grant) = tokio::time::timeout(PATIENCE, work).await else {
            return Err(Failure::new(Exit::RateLimit, "the shop did not answer in time; begin again"));
        };
        let grant = grant.map_err(|e| failed(&e))?;
        let settled = if let Some(path) = self.store().filter(|_| !keep.print_token) {
            let entry = self.tokens.keep(self.shop(), path, app, &grant).await.map_err(|e| failed(&e))?;
            Settled::of(self, &grant, Some((&entry, self.tokens.place(path).display().to_string())))
        } else {
            output.print_secret(&grant.access_token)?;
            Settled::of(self, &grant, None)
        };
        // Printed where the token is not.
        if keep.print_token {
            output.remark(&settled.text());
        } else {
            output.print(&settled.text())?;
        }
        Ok(settled)
    }
}

/// What an exchange came to; no secret in it.
pub(super) struct Settled {
    pub(super) shop: String,
    pub(super) granted: Vec<String>,
    pub(super) missing: Vec<String>,
    kept: String,
}

impl Settled {
    fn of(one: &One, grant: &Grant, kept: Option<(&Entry, String)>) -> Self {
        let granted: ScopeSet = grant.scopes.iter().map(|scope| crate::model::Scope::observed(scope)).collect();
        let missing = one.wanted().into_iter().filter(|scope| !granted.grants(scope)).collect();
        let life = |entry: &Entry| match (&entry.expires_at, &entry.refresh) {
            (None, _) => "it has no end".to_owned(),
            (Some(end), None) => format!("it ends at {end}, and a login is needed then"),
            (Some(end), Some(refresh)) => match &refresh.expires_at {
                Some(last) => format!("it ends at {end} and is refreshed by itself, until {last}"),
                None => format!("it ends at {end} and is refreshed by itself"),
            },
        };
        let kept = match kept {
            Some((entry, place)) => format!("The token is kept in {place}; {}.", life(entry)),
            None => "The token was printed and is kept nowhere.".to_owned(),
        };
        Self { shop: one.shop().to_string(), granted: grant.scopes.clone(), missing, kept }
    }

    pub(super) fn exit(&self) -> Exit {
        if self.missing.is_empty() { Exit::Done } else { Exit::Changes }
    }

    fn text(&self) -> String {
        let escape = crate::render::escape;
        let granted = if self.granted.is_empty() { "none".to_owned() } else { self.granted.join(", ") };
        let mut text =
            format!("{} is connected. {}\nGranted scopes: {}\n", self.shop, escape(&self.kept), escape(&granted));
        if !self.missing.is_empty() {
            let _ = writeln!(
                text,
                "Wanted, but not granted: {}\n  Add them to the app's configuration, release it, and log in again.",
                self.missing.join(", ")
            );
        }
        text
    }
}

/// An error of one shop as the end of a command.
pub(super) fn failed(error: &admin::AdminError) -> Failure {
    Failure::new(exit::of_causes([Cause::of_kind(error.kind.as_str())], false), &error.message)
}
