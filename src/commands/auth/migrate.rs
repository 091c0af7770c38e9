//! `auth migrate`: exchanges an offline token without expiry for an expiring pair, and stores the pair in the token
//! store.

use secrecy::{ExposeSecret as _, SecretString};

use super::shop_login::{PATIENCE, ShopLogin};
use crate::auth::{self, Entry, Refresh};
use crate::cli::auth::{KeepArgs, MigrateArgs};
use crate::commands::signals::Signals;
use crate::commands::{Output, clock, prompt};
use crate::error::Failure;
use crate::exit::Exit;
use crate::model::SecretRef;

/// Keep the new pair in the store.
const KEEP: KeepArgs = KeepArgs { print_token: false, non_expiring: false, online: false };

pub(super) async fn run(args: &MigrateArgs, output: Output) -> Result<Exit, Failure> {
    let login = ShopLogin::open(&args.shop, &args.manifest, &args.access, output).await?;
    if login.store_path().is_none() {
        return Err(Failure::invalid(format!("the manifest has no `token_store` for {}", login.shop())).hint(
            "add an `auth` to this shop, beside its bindings (the other shops keep theirs): `auth: { token_store: { \
             client_id: { env: SHOPIFY_CLIENT_ID }, client_secret: { env: SHOPIFY_CLIENT_SECRET } } }`",
        ));
    }
    login.access(KEEP).await?;
    let exit = if let Some(token) = token(&login, args).await? {
        exchanged(&login, &token, args.auto_approve, output).await?
    } else {
        output.print(&format!("The token of {} already has an expiry. Nothing to do.\n", login.shop()))?;
        Exit::Done
    };
    login.target.close().await?;
    Ok(exit)
}

async fn exchanged(login: &ShopLogin, old: &Old, auto_approve: bool, output: Output) -> Result<Exit, Failure> {
    let app = login.credentials().await?;
    if old.client_id.as_ref().is_some_and(|of| of != app.client_id.expose_secret()) {
        let message =
            "the token in the token store belongs to another app than the current `client_id`. Nothing was sent";
        return Err(Failure::new(Exit::Auth, message)
            .hint(format!("to log in with the current app, run `{}`", login.command("login"))));
    }
    if !auto_approve {
        prompt::possible("to exchange the token without confirmation, pass `--auto-approve`")?;
        let question = format!(
            "The access token of {} will be exchanged for one that expires and is renewed. This cannot be undone: \
             Shopify will no longer accept the old token, in Hookwright or in any other program.\nDo you want to exchange it?",
            login.shop()
        );
        if !prompt::agreed(&question)? {
            output.remark("\nMigration cancelled. Nothing was sent, and the old token is still valid.\n");
            return Ok(Exit::Error);
        }
    }
    // Checked again, because the answer to the prompt may take minutes, and the exchange cannot be undone.
    login.access(KEEP).await?;
    // From here on signals do not end the process: the new pair must reach the store.
    let _signals = Signals::new();
    let work = auth::migrate(&login.client, login.shop(), &app, &old.token);
    let log_in = login.command("login");
    let Ok(grant) = tokio::time::timeout(PATIENCE, work).await else {
        let message = "timed out waiting for the shop's answer. The token may have been exchanged";
        return Err(
            Failure::new(Exit::RateLimit, message).hint(format!("if the shop refuses the token, run `{log_in}`"))
        );
    };
    let grant = grant.map_err(|e| login.failed(&e))?;
    let wrong = |what: &str| {
        let message = format!("the exchange returned {what}, and the old token may no longer work");
        Failure::new(Exit::Error, message).hint(format!("run `{log_in}`"))
    };
    if grant.user.is_some() {
        return Err(wrong("a user's token, which was discarded"));
    }
    let result = login.store(&grant, &app, KEEP).await.map_err(|failure| {
        let message = format!("{}. The old token was exchanged, and the new one is lost", failure.message);
        Failure::new(failure.exit, message).hint(format!("run `{log_in}`"))
    })?;
    if grant.expires_in.is_none() || grant.refresh_token.is_none() {
        return Err(wrong("a token that cannot be renewed, which was stored"));
    }
    output.print(&format!(
        "{}The old token is no longer valid, in Hookwright or in any other program.\n",
        result.text()
    ))?;
    Ok(result.exit())
}

/// The token to exchange.
struct Old {
    token: SecretString,
    /// The app of the token, if the token store has it.
    client_id: Option<String>,
}

/// Returns whether Hookwright renews the token beyond this run.
fn is_renewed(entry: &Entry) -> bool {
    let lives = |refresh: &Refresh| refresh.expires_at.is_none_or(|end| end > clock());
    entry.expires_at.is_some() && entry.refresh.as_ref().is_some_and(lives)
}

/// Returns the token to exchange; `None`: the token in the store has an expiry.
async fn token(login: &ShopLogin, args: &MigrateArgs) -> Result<Option<Old>, Failure> {
    let named = match (&args.token_env, &args.token_file) {
        (Some(name), _) => Some(SecretRef::Env(name.clone())),
        (None, Some(path)) => Some(SecretRef::File(path.clone())),
        (None, None) => None,
    };
    let path = login.store_path().unwrap_or_default();
    let kept = login.tokens.kept(login.shop(), path).await.map_err(|e| login.failed(&e))?;
    if kept.as_ref().is_some_and(is_renewed) {
        return Ok(None);
    }
    if let Some(reference) = named {
        let token = login.tokens.given(login.shop(), &reference).await;
        let old = |token| Some(Old { token, client_id: None });
        return token
            .map(old)
            .map_err(|e| Failure::invalid(format!("cannot read the token to exchange: {}", e.message)));
    }
    let Some(entry) = kept else {
        let place = login.tokens.place(path);
        let message = format!("no token for {} in the token store {}", login.shop(), place.display());
        return Err(Failure::invalid(message)
            .hint(format!("to exchange the current token, run `{} --token-env NAME`", login.command("migrate")))
            .hint(format!("to get a new token, run `{}`", login.command("login"))));
    };
    let Entry { access_token: token, client_id, .. } = entry;
    Ok(entry.expires_at.is_none().then_some(Old { token, client_id }))
}
