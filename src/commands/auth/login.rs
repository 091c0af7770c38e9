//! `auth login`: the whole way, with a browser on this machine and a listener on loopback.

use jiff::SignedDuration;

use super::listener::{Answered, Listener};
use super::one::One;
use super::page::Page;
use super::url::redirect_uri;
use crate::auth::{self, Access, Ask, Expected};
use crate::cli::auth::LoginArgs;
use crate::commands::{Output, clock, pipeline};
use crate::error::Failure;
use crate::exit::Exit;

pub(super) async fn run(args: &LoginArgs, output: Output) -> Result<Exit, Failure> {
    if !args.listen.ip().is_loopback() {
        return Err(Failure::invalid(format!("--listen {} is no loopback address", args.listen)).hint(
            "the code must not cross a network in the clear; use 127.0.0.1 or [::1], and --redirect-uri for a tunnel",
        ));
    }
    let wait = pipeline::duration("--wait", &args.wait)?;
    let given = args.redirect_uri.as_deref().map(redirect_uri).transpose()?;
    let one = One::open(&args.shop, &args.manifest, &args.access, output).await?;
    let access = one.access(args.keep).await?;
    let app = one.credentials().await?;
    let listener = Listener::bind(args.listen).await?;
    let redirect = given.unwrap_or_else(|| format!("http://{}/callback", listener.address()));
    let state = auth::state(one.shop(), &app, clock(), fastrand::u64(..));
    let scopes = if args.no_scopes { Vec::new() } else { one.wanted() };
    let asked = if access == Access::Online { Access::Online } else { Access::Offline };
    let ask = Ask { client_id: &app.client_id, scopes, redirect_uri: &redirect, state: &state, access: asked };
    let url = auth::authorize_url(&one.client, one.shop(), &ask);
    // On stderr even with --quiet: without the URL nothing can happen.
    output.error(&format!("To connect {}, open\n\n  {url}\n\n", one.shop()));
    if !args.no_browser && output.is_interactive() && open::that_detached(&url).is_err() {
        output.remark("No browser could be opened; open the URL yourself.\n");
    }
    output.remark(&format!("Waiting for the browser at {redirect}, for {}…\n", args.wait));

    let waiting =
        listener.next(&state, |_| output.remark("A callback with another state came, and was turned away.\n"));
    let Ok(Answered { query, reply }) = tokio::time::timeout(wait, waiting).await.unwrap_or(Err(())) else {
        let failure = Failure::new(Exit::RateLimit, format!("nobody came within {}", args.wait));
        return Err(failure.hint(format!("the app must allow {redirect} as a redirect URL; begin again")));
    };
    let expected =
        Expected { shop: one.shop(), state: Some(&state), secrets: app.secrets(), max_age: SignedDuration::ZERO };
    let done = match auth::verify(&query, &expected, clock()) {
        Ok(code) => one.settle(&app, &code, access, args.keep, output).await,
        Err(error) => Err(Failure::new(Exit::Auth, error)),
    };
    let page = match &done {
        Ok(settled) => Page::Connected { shop: &settled.shop, granted: &settled.granted, missing: &settled.missing },
        Err(failure) => Page::Failed { shop: one.shop().as_str(), why: &failure.message },
    };
    // The merchant learns how it ended before this process does.
    let _ = reply.send(page.html());
    listener.close().await;
    let exit = done?.exit();
    one.target.close().await?;
    Ok(exit)
}
