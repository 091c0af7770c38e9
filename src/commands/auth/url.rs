//! `auth url`: prints the URL at which a merchant approves the app.

use std::borrow::Cow;

use super::shop_login::ShopLogin;
use crate::auth::{self, Access, Ask, RedirectUri};
use crate::cli::auth::{LISTEN, UrlArgs};
use crate::commands::{Output, clock, sandbox};
use crate::error::Failure;
use crate::exit::Exit;
use crate::words::word;

pub(super) async fn run(args: &UrlArgs, output: Output) -> Result<Exit, Failure> {
    sandbox::not_in_process(args.access.sandbox, &args.shop)?;
    if args.state.as_deref().is_some_and(|state| state.trim().is_empty()) {
        return Err(Failure::invalid("`--state` is empty and would protect nothing")
            .hint("omit it, and Hookwright generates one"));
    }
    let login = ShopLogin::open(&args.shop, &args.manifest, &args.access, output).await?;
    let app = login.credentials().await?;
    let state = args.state.clone().unwrap_or_else(|| auth::state(login.shop(), &app, clock(), fastrand::u64(..)));
    let scopes = if args.no_scopes { Vec::new() } else { login.wanted() };
    if scopes.is_empty() && !args.no_scopes {
        output.remark("The manifest has no `scopes` for this shop: the scopes in the app's own configuration apply.\n");
    }
    let redirect_uri = match &args.redirect_uri {
        Some(given) => Cow::Borrowed(given.as_str()),
        None => unnamed(login.app_redirects(), output),
    };
    let access = if args.online { Access::Online } else { Access::Offline };
    let ask = Ask { client_id: &app.client_id, scopes, redirect_uri: &redirect_uri, state: &state, access };
    let url = auth::authorize_url(&login.client, login.shop(), &ask).map_err(|e| login.failed(&e))?;
    output.print(&format!("{url}\n"))?;
    let online = if args.online { " --online" } else { "" };
    let own = args.state.as_ref().map(|state| format!(" --state {}", word(state))).unwrap_or_default();
    let print = if login.store_path().is_none() { " --print-token" } else { "" };
    output.remark(&format!(
        "Open it as a user who may install apps in {shop}. Then pass the whole URL at which the browser ends, even if \
         its page does not load, to\n  {exchange}{online}{print}{own} --callback -\nwithin about a minute, before the \
         code in it expires.\n",
        shop = login.shop(),
        exchange = login.command("exchange")
    ));
    Ok(Exit::Done)
}

/// Returns the redirect URI if none is given, and reports it. Shopify accepts only the ones that the app allows, so the
/// app's configuration decides if the manifest names it.
fn unnamed(allowed: &[String], output: Output) -> Cow<'_, str> {
    let waits = format!("http://{LISTEN}/callback");
    let usable = || allowed.iter().find(|uri| RedirectUri::parse(uri).is_ok());
    let (uri, why) = match usable().filter(|_| !allowed.contains(&waits)) {
        Some(allowed) => (Cow::Borrowed(allowed.as_str()), "the first one that `app_config` allows"),
        None => (Cow::Owned(waits), "the default of `auth login`; the app must allow it"),
    };
    output.remark(&format!("The redirect URI is {uri}, {why}. To use another, pass `--redirect-uri`.\n"));
    uri
}
