//! The OAuth login of one shop of the manifest: credentials, exchange, storage.

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

/// The error of a login or an exchange for a shop that uses client assertions.
const NO_LOGIN: &str =
    "`client_assertion` needs no login and has no client secret: `hookwright auth status` shows whether it works";

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
                "add it there first, with `bindings: []` if it has none yet: its `auth` and `scopes` are read from it";
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

    /// The scopes that the manifest wants, as they are asked for.
    pub(super) fn wanted(&self) -> Vec<String> {
        let wanted = self.entry().scopes();
        wanted.into_iter().flat_map(ScopeSet::iter).map(ToString::to_string).collect()
    }

    /// The redirect URLs that the app's own configuration allows, as far as the manifest names it.
    pub(super) fn app_redirects(&self) -> &[String] {
        &self.manifest.app_redirects
    }

    /// The path of the token store in the manifest, if this shop has one.
    pub(super) fn store_path(&self) -> Option<&str> {
        match self.entry().auth.as_deref() {
            Some(Auth::TokenStore { path, .. }) => Some(path),
            _ => None,
        }
    }

    /// A command of `auth` for this shop, such as `url`, that runs as it stands.
    pub(super) fn command(&self, verb: &str) -> String {
        format!("hookwright auth {verb} --shop {}{}", self.shop().handle(), self.target.options)
    }

    /// The app of the manifest, or of two environment variables, and whether the manifest names it.
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

    /// Where the client id comes from, in words.
    pub(super) fn client_id_place(&self) -> String {
        auth::describe(&self.app().0.client_id, self.shop())
    }

    /// The app's credentials.
    pub(super) async fn credentials(&self) -> Result<Credentials, Failure> {
        let (app, named) = self.app();
        self.tokens.credentials(self.shop(), &app).await.map_err(|e| {
            let failure = self.failed(&e);
            if named {
                return failure;
            }
            match self.entry().auth.as_deref() {
                Some(Auth::ClientAssertion(_)) => failure
                    .hint(NO_LOGIN)
                    .hint("for a login all the same, set SHOPIFY_CLIENT_ID and SHOPIFY_CLIENT_SECRET"),
                _ => failure.hint("`auth` of this shop names no app: set SHOPIFY_CLIENT_ID and SHOPIFY_CLIENT_SECRET, or write a `token_store` or `client_credentials`"),
            }
        })
    }

    /// What kind of token to ask for, and whether it has somewhere to go: before a code is spent on it.
    pub(super) async fn access(&self, keep: KeepArgs) -> Result<Access, Failure> {
        if !keep.print_token && self.store_path().is_none() {
            let failure = Failure::invalid(format!("the manifest names no `token_store` for {}", self.shop()));
            if let Some(Auth::ClientAssertion(_)) = self.entry().auth.as_deref() {
                return Err(failure.hint(NO_LOGIN));
            }
            return Err(failure
                .hint("auth: { token_store: { client_id: { env: SHOPIFY_CLIENT_ID }, client_secret: { env: SHOPIFY_CLIENT_SECRET } } }")
                .hint("or pass --print-token, which prints the token to stdout and keeps it nowhere"));
        }
        self.ready(keep).await?;
        // A token without a store has nobody to refresh it.
        Ok(match keep {
            KeepArgs { online: true, .. } => Access::Online,
            KeepArgs { non_expiring: true, .. } | KeepArgs { print_token: true, .. } => Access::Offline,
            KeepArgs { .. } => Access::OfflineExpiring,
        })
    }

    /// Whether the token store takes what comes.
    async fn ready(&self, keep: KeepArgs) -> Result<(), Failure> {
        let Some(path) = self.store_path().filter(|_| !keep.print_token) else { return Ok(()) };
        let hint = "nothing was sent: what the code brings could not be kept";
        self.tokens.ready(path).await.map_err(|e| self.failed(&e).hint(hint))
    }

    /// Exchanges the code, stores or prints the token, and prints what it may do.
    pub(super) async fn exchange(
        &self,
        app: &Credentials,
        code: &secrecy::SecretString,
        access: Access,
        keep: KeepArgs,
        output: Output,
    ) -> Result<ExchangeResult, Failure> {
        // Again: a merchant may have taken minutes, and a code is good for one use.
        self.ready(keep).await?;
        let work = auth::exchange(&self.client, self.shop(), app, code, access);
        let Ok(grant) = tokio::time::timeout(PATIENCE, work).await else {
            return Err(Failure::new(Exit::RateLimit, "the shop did not answer in time; begin again"));
        };
        let grant = grant.map_err(|e| self.failed(&e))?;
        self.check_user(access, &grant)?;
        let result = self.store(&grant, app, keep).await?;
        if keep.print_token {
            // Standard output is for the token alone.
            output.print_secret(&grant.access_token)?;
            output.remark(&result.text());
        } else {
            output.print(&result.text())?;
        }
        Ok(result)
    }

    /// Stores the token where the manifest says, unless it is to be printed. Prints nothing: whether a token is stored does
    /// not depend on standard output.
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

    /// Refuses a user's token where the app's own was asked for, and the reverse: the first ends within a day, the second
    /// may do more than was meant, for longer.
    fn check_user(&self, access: Access, grant: &Grant) -> Result<(), Failure> {
        let asked = access == Access::Online;
        if asked == grant.user.is_some() {
            return Ok(());
        }
        let refused = |came: &str| {
            let message = format!("{came}; it was dropped, and what was kept before stands. The code is used up");
            Failure::new(Exit::Auth, message)
        };
        Err(if asked {
            refused("--online asks for a user's token, and the app's own came: the link was made without --online")
                .hint(format!("for a user's token make a new link: `{} --online`", self.command("url")))
                .hint("for the app's own make one without --online, and leave it out here, too")
        } else {
            refused("a user's token came (online, good for about a day), not the app's own: the link was made with --online")
                .hint(format!("for the app's own token make a new link: `{}`", self.command("url")))
                .hint("for a user's make one with --online, and pass --online here, too")
        })
    }

    /// An error of this shop as the end of a command.
    pub(super) fn failed(&self, error: &admin::AdminError) -> Failure {
        let message = whole(&error.message, &self.target.options);
        Failure::new(exit::of_causes([Cause::of_kind(&error.kind.as_str().into())], false), message)
    }
}
