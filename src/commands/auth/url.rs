//! `auth url`: where a merchant approves the app.

use std::borrow::Cow;

use ::url::Url;

use super::one::One;
use crate::auth::{self, Access, Ask};
use crate::cli::auth::{LISTEN, UrlArgs};
use crate::commands::{Output, clock};
use crate::error::Failure;
use crate::exit::Exit;
use crate::run::target::word;
use crate::words;

pub(super) async fn run(args: &UrlArgs, output: Output) -> Result<Exit, Failure> {
    not_in_process(args.access.sandbox, &args.shop)?;
    args.redirect_uri.as_deref().map(redirect_uri).transpose()?;
    if args.state.as_deref().is_some_and(|state| state.trim().is_empty()) {
        return Err(
            Failure::invalid("--state is empty, and would protect nothing").hint("leave it out: one is made up")
        );
    }
    let one = One::open(&args.shop, &args.manifest, &args.access, output).await?;
    let app = one.credentials().await?;
    let state = args.state.clone().unwrap_or_else(|| auth::state(one.shop(), &app, clock(), fastrand::u64(..)));
    let scopes = if args.no_scopes { Vec::new() } else { one.wanted() };
    if scopes.is_empty() && !args.no_scopes {
        output.remark("The manifest names no `scopes` for this shop: the app's own configuration decides.\n");
    }
    let redirect_uri = match &args.redirect_uri {
        Some(given) => Cow::Borrowed(given.as_str()),
        None => unnamed(one.app_redirects(), output),
    };
    let access = if args.online { Access::Online } else { Access::Offline };
    let ask = Ask { client_id: &app.client_id, scopes, redirect_uri: &redirect_uri, state: &state, access };
    let url = auth::authorize_url(&one.client, one.shop(), &ask).map_err(|e| one.failed(&e))?;
    output.print(&format!("{url}\n"))?;
    let online = if args.online { " --online" } else { "" };
    let own = args.state.as_ref().map(|state| format!(" --state {}", word(state))).unwrap_or_default();
    let print = if one.store().is_none() { " --print-token" } else { "" };
    output.remark(&format!(
        "Open it as somebody who may install apps in {shop}. Then give the whole URL that the browser ends up at, \
         whether its page loads or not, to\n  {exchange}{online}{print}{own} --callback -\nwithin a minute or so: the code in it \
         does not last.\n",
        shop = one.shop(),
        exchange = one.command("exchange")
    ));
    Ok(Exit::Done)
}

/// The redirect URI where nobody named one. Shopify takes those that the app allows, and no others: where the app's
/// configuration is known, it says which.
fn unnamed(allowed: &[String], output: Output) -> Cow<'_, str> {
    let waits = format!("http://{LISTEN}/callback");
    let usable = || allowed.iter().find(|uri| redirect_uri(uri).is_ok());
    let (uri, why) = match usable().filter(|_| !allowed.contains(&waits)) {
        Some(allowed) => (Cow::Borrowed(allowed.as_str()), "the first that `app_config` allows"),
        None => (Cow::Owned(waits), "as for `auth login`; the app must allow it"),
    };
    output.remark(&format!("The redirect URI is {uri}, {why}. --redirect-uri names another.\n"));
    uri
}

/// The embedded sandbox ends with the command, and the link would lead nowhere.
pub(super) fn not_in_process(sandbox: bool, shop: &str) -> Result<(), Failure> {
    if !sandbox {
        return Ok(());
    }
    Err(Failure::invalid("the sandbox of --sandbox ends with this command, and the link would lead nowhere").hint(
        format!(
            "use `hookwright auth login --shop {shop} --sandbox`, or run `hookwright sandbox serve` and set \
         HOOKWRIGHT_ADMIN_URL as it says; to grant scopes, see `hookwright sandbox edit scopes --help`"
        ),
    ))
}

/// Where a browser may be sent with a code: a URL, encrypted unless it stays on this machine.
pub(super) fn redirect_uri(text: &str) -> Result<Url, Failure> {
    let invalid = |why: &str| Failure::invalid(format!("--redirect-uri {text:?} {why}"));
    let url = Url::parse(text).map_err(|e| invalid(&format!("is not a URL: {}", words::of_url(e))))?;
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        _ => return Err(invalid("must start with https://, or with http:// for a loopback address")),
    }
    if url.fragment().is_some() {
        return Err(invalid("must not have a fragment (#)"));
    }
    Ok(url)
}
