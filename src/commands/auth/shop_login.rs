//! The OAuth login of one shop in the manifest: credentials, exchange, storage.

use std::time::Duration;

use super::exchange_result::ExchangeResult;
use crate::admin::{self, AdminClient};
use crate::auth::{self, Access, Credentials, Grant, Tokens};
use crate::cli::auth::KeepArgs;
use crate::cli::{AccessArgs, ManifestArgs};
use crate::commands::Output;
use crate::error::Failure;
use crate::exit::{self, Cause, Exit};
use crate::manifest::{Manifest, ManifestShop, ShopIndex};
use crate::model::{App, Auth, ScopeSet, SecretRef, ShopDomain};
use crate::progress::Verbosity;
use crate::run::target::{Target, whole};
use crate::run::{self, LoadedManifest};

/// The longest wait for an answer to a token request.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// The hint of a login or an exchange for a shop that uses client assertions.
const NO_LOGIN: &str =
    "`client_assertion` requires no login and has no client secret. To check it, run `hookwright auth status`";

pub(super) struct ShopLogin {
    manifest: Manifest,
    at: ShopIndex,
    pub(super) target: Target,
    pub(super) client: AdminClient,
    pub(super) tokens: Tokens,
}

impl ShopLogin {
    pub(super) async fn open(
        shop: &ShopDomain,
        manifest_args: &ManifestArgs,
        access: &AccessArgs,
        output: Output,
    ) -> Result<Self, Failure> {
        let LoadedManifest { manifest, seeds, .. } = run::load(&manifest_args.file, Verbosity::Quiet, output)?;
        let at = manifest.index_of(shop.as_str()).ok_or_else(|| {
            let add =
                "add it to the manifest, with `bindings: []` if it has no bindings yet; its `auth` and `scopes` are \
                 read from there";
            let hint = run::meant_shop(&manifest, shop.handle()).unwrap_or_else(|| add.to_owned());
            Failure::invalid(format!("{shop} is not in the manifest")).hint(hint)
        })?;
        let mut target = Target::open(access, &manifest, seeds).await?;
        target.lead_to(&manifest_args.file, access);
        if let Some(remark) = &target.remark {
            output.remark(&format!("{remark}\n"));
        }
        target.check_shops(1)?;
        let client =
            AdminClient::new(admin::AdminOptions::new(target.endpoint.clone(), manifest.admin_api.version.clone()));
        let client = client.map_err(|e| Failure::new(Exit::Error, e))?;
        let tokens = target.tokens(access, &client);
        Ok(Self { manifest, at, target, client, tokens })
    }

    pub(super) fn shop(&self) -> &ShopDomain {
        &self.entry().shop
    }

    fn entry(&self) -> &ManifestShop {
        &self.manifest[self.at]
    }

    /// Returns the scopes that the manifest wants, in the form of a request.
    pub(super) fn wanted(&self) -> Vec<String> {
        let wanted = self.entry().scopes();
        wanted.into_iter().flat_map(ScopeSet::iter).map(ToString::to_string).collect()
    }

    /// Returns the redirect URLs in the app's configuration, if the manifest names its file.
    pub(super) fn app_redirects(&self) -> &[String] {
        &self.manifest.app_redirects
    }

    /// Returns the path of the token store in the manifest, if this shop has one.
    pub(super) fn store_path(&self) -> Option<&str> {
        match self.entry().auth.as_deref() {
            Some(Auth::TokenStore { path, .. }) => Some(path),
            _ => None,
        }
    }

    /// Returns a complete `auth` command for this shop. `verb`: for example `url`.
    pub(super) fn command(&self, verb: &str) -> String {
        format!("hookwright auth {verb} --shop {}{}", self.shop().handle(), self.target.options)
    }

    /// Returns the app in the manifest, or the one in two environment variables, and whether the manifest names it.
    fn app(&self) -> (App, bool) {
        match self.entry().auth.as_deref() {
            Some(Auth::TokenStore { app, .. } | Auth::ClientCredentials(app)) => (app.clone(), true),
            Some(Auth::AccessToken(_) | Auth::ClientAssertion(_)) | None => {
                let env = |name: &str| SecretRef::Env(name.to_owned());
                let (client_id, client_secret) = (env("SHOPIFY_CLIENT_ID"), env("SHOPIFY_CLIENT_SECRET"));
                (App { client_id, client_secret, old_client_secret: None }, false)
            }
        }
    }

    /// Describes the source of the client id.
    pub(super) fn client_id_place(&self) -> String {
        auth::describe(&self.app().0.client_id, self.shop())
    }

    /// Resolves the app's credentials.
    pub(super) async fn credentials(&self) -> Result<Credentials, Failure> {
        let (app, named) = self.app();
        self.tokens.credentials(self.shop(), &app).await.map_err(|e| {
            let failure = self.failed(&e);
            if named {
                return failure;
            }
            match self.entry().auth.as_deref() {
                Some(Auth::ClientAssertion(_)) => {
                    failure.hint(NO_LOGIN).hint("to log in anyway, set `SHOPIFY_CLIENT_ID` and `SHOPIFY_CLIENT_SECRET`")
                }
                _ => failure.hint(
                    "the `auth` of this shop names no app. Set `SHOPIFY_CLIENT_ID` and \
                                   `SHOPIFY_CLIENT_SECRET`, or use `token_store` or `client_credentials`",
                ),
            }
        })
    }

    /// Returns the kind of token to request. Checks that the token can be stored, before a code is used for it.
    pub(super) async fn access(&self, keep: KeepArgs) -> Result<Access, Failure> {
        if !keep.print_token && self.store_path().is_none() {
            let failure = Failure::invalid(format!("the manifest has no `token_store` for {}", self.shop()));
            if let Some(Auth::ClientAssertion(_)) = self.entry().auth.as_deref() {
                return Err(failure.hint(NO_LOGIN));
            }
            return Err(failure
                .hint(
                    "add to the manifest: `auth: { token_store: { client_id: { env: SHOPIFY_CLIENT_ID }, \
                       client_secret: { env: SHOPIFY_CLIENT_SECRET } } }`",
                )
                .hint("or pass `--print-token`, which prints the token to stdout and does not store it"));
        }
        self.ready(keep).await?;
        // A token outside a store is never refreshed.
        Ok(match keep {
            KeepArgs { online: true, .. } => Access::Online,
            KeepArgs { non_expiring: true, .. } | KeepArgs { print_token: true, .. } => Access::Offline,
            KeepArgs { .. } => Access::OfflineExpiring,
        })
    }

    /// Checks that the token store can keep a new token.
    async fn ready(&self, keep: KeepArgs) -> Result<(), Failure> {
        let Some(path) = self.store_path().filter(|_| !keep.print_token) else { return Ok(()) };
        let hint = "nothing was sent, because a new token could not be stored";
        self.tokens.ready(path).await.map_err(|e| self.failed(&e).hint(hint))
    }

    /// Exchanges the code, stores or prints the token, and prints its scopes.
    pub(super) async fn exchange(
        &self,
        app: &Credentials,
        code: &secrecy::SecretString,
        access: Access,
        keep: KeepArgs,
        output: Output,
    ) -> Result<ExchangeResult, Failure> {
        // Checked again, because the merchant may have taken minutes, and a code can be used once.
        self.ready(keep).await?;
        let work = auth::exchange(&self.client, self.shop(), app, code, access);
        let Ok(grant) = tokio::time::timeout(PATIENCE, work).await else {
            return Err(Failure::new(Exit::RateLimit, "timed out waiting for the shop's answer. Start again"));
        };
        let grant = grant.map_err(|e| self.failed(&e))?;
        self.check_user(access, &grant)?;
        let result = self.store(&grant, app, keep).await?;
        if keep.print_token {
            // stdout is for the token alone.
            output.print_secret(&grant.access_token)?;
            output.remark(&result.text());
        } else {
            output.print(&result.text())?;
        }
        Ok(result)
    }

    /// Stores the token where the manifest says, unless it is to be printed. Prints nothing, so that a closed stdout
    /// does not prevent the storage.
    pub(super) async fn store(
        &self,
        grant: &Grant,
        app: &Credentials,
        keep: KeepArgs,
    ) -> Result<ExchangeResult, Failure> {
        let result = |stored| ExchangeResult::new(self.shop(), self.wanted(), grant, stored);
        let Some(path) = self.store_path().filter(|_| !keep.print_token) else { return Ok(result(None)) };
        let entry = self.tokens.keep(self.shop(), path, app, grant).await.map_err(|e| self.failed(&e))?;
        Ok(result(Some((&entry, self.tokens.place(path).display().to_string()))))
    }

    /// Refuses a user's token if the app's own was requested, and the reverse: the first expires within a day, the
    /// second may have more permissions than intended, for longer.
    fn check_user(&self, access: Access, grant: &Grant) -> Result<(), Failure> {
        let asked = access == Access::Online;
        if asked == grant.user.is_some() {
            return Ok(());
        }
        let refused = |problem: &str| {
            let message =
                format!("{problem}. The token was discarded, the token store is unchanged, and the code was used");
            Failure::new(Exit::Auth, message)
        };
        Err(if asked {
            refused(
                "`--online` requests a user's token, but Shopify returned the app's own: the link was created \
                     without `--online`",
            )
            .hint(format!("for a user's token, create a new link with `{} --online`", self.command("url")))
            .hint("for the app's own token, create a link without `--online`, and omit the option here too")
        } else {
            refused(
                "Shopify returned a user's token (valid for about a day), not the app's own: the link was created \
                     with `--online`",
            )
            .hint(format!("for the app's own token, create a new link with `{}`", self.command("url")))
            .hint("for a user's token, create a link with `--online`, and pass the option here too")
        })
    }

    /// Converts an error of this shop into the failure of the command.
    pub(super) fn failed(&self, error: &admin::AdminError) -> Failure {
        let message = whole(&error.message, &self.target.options);
        Failure::new(exit::of_causes([Cause::of_kind(&error.kind.as_str().into())], false), message)
    }
}
