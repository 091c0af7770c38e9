//! `auth login`: the complete OAuth flow, with a browser and a loopback listener on this machine.

use std::net::SocketAddr;

use jiff::SignedDuration;

use super::shop_login::ShopLogin;
use crate::auth::login::{Answered, Listener, Page};
use crate::auth::{self, Access, Ask, CallbackError, Expected, RedirectUri};
use crate::cli::auth::LoginArgs;
use crate::clock::clock;
use crate::commands::Output;
use crate::error::Failure;
use crate::exit::Exit;
use crate::words;

pub(super) async fn run(args: &LoginArgs, output: Output) -> Result<Exit, Failure> {
    if !args.listen.ip().is_loopback() {
        return Err(Failure::invalid(format!("`--listen {}` is not a loopback address", args.listen)).hint(
            "the code must not cross a network unencrypted. Use 127.0.0.1 or [::1], and `--redirect-uri` for a tunnel",
        ));
    }
    let given = args.redirect_uri.as_ref();
    let login = ShopLogin::open(&args.shop, &args.manifest, &args.access, output).await?;
    let access = login.access(args.keep).await?;
    let app = login.credentials().await?;
    let path = given.map_or("/callback", RedirectUri::path);
    let listener = Listener::bind(args.listen, path, given.and_then(RedirectUri::host)).await.map_err(|error| {
        Failure::new(Exit::Error, format!("cannot listen on {}: {}", args.listen, words::of_io(&error))).hint(
            "another login may be listening there. `--listen` selects another address, which the app must also allow",
        )
    })?;
    let here = format!("http://{}{path}", listener.address());
    let through_tunnel = match given {
        Some(uri) => uri.needs_tunnel(listener.address()).map_err(|_| not_the_listener(uri, listener.address()))?,
        None => false,
    };
    let redirect = given.map_or(here.as_str(), RedirectUri::as_str);
    let wait = SignedDuration::try_from(args.wait).map_err(Failure::invalid)?;
    let state = auth::state(login.shop(), &app, clock(), fastrand::u64(..));
    let scopes = if args.no_scopes { Vec::new() } else { login.wanted() };
    let asked = if access == Access::Online { Access::Online } else { Access::Offline };
    let ask = Ask { client_id: &app.client_id, scopes, redirect_uri: redirect, state: &state, access: asked };
    let url = auth::authorize_url(&login.client, login.shop(), &ask).map_err(|e| login.failed(&e))?;
    // On stderr even with --quiet, because the login cannot continue without the URL.
    output.error(&format!("To connect {}, open\n\n  {url}\n\n", login.shop()));
    if !args.no_browser && output.is_interactive() && open::that_detached(&url).is_err() {
        output.remark("Cannot open a browser. Open the URL yourself.\n");
    }
    if through_tunnel {
        output.remark(&format!("The tunnel from {redirect} must forward to {here} on this machine.\n"));
    }
    output.remark(&format!("Waiting for the browser at {redirect}, for up to {wait:#}…\n"));

    let turned_away = || {
        output.remark("Rejected a callback of another login (its `state` differs). Open the link above. Further ones are rejected silently.\n");
    };
    let waiting = listener.next(&state, turned_away);
    let Ok(Answered { query, reply }) = tokio::time::timeout(args.wait, waiting).await.unwrap_or(Err(())) else {
        let failure =
            Failure::new(Exit::RateLimit, format!("timed out after {wait:#} waiting for the browser callback"));
        let tunnel = if through_tunnel { format!(", and the tunnel must forward to {here}") } else { String::new() };
        return Err(failure.hint(format!(
            "the app whose client id is in {} must allow {redirect} as a redirect URL{tunnel}. Then start again",
            login.client_id_place()
        )));
    };
    let expected =
        Expected { shop: login.shop(), state: Some(&state), secrets: app.secrets(), max_age: SignedDuration::ZERO };
    let done = match auth::verify(&query, &expected, clock()) {
        Ok(code) => login.exchange(&app, &code, access, args.keep, output).await,
        Err(error) => Err(refused(error)),
    };
    let page = match &done {
        Ok(result) => Page::Connected { shop: &result.shop, granted: &result.granted, missing: &result.missing },
        Err(failure) => Page::Failed { shop: login.shop().as_str(), why: &failure.message },
    };
    // The merchant sees the result before this process ends.
    let _ = reply.send(page.html());
    listener.close().await;
    let exit = done?.exit();
    login.target.close().await?;
    Ok(exit)
}

/// Explains a refused callback. A callback is signed when the browser is redirected, so its age shows how the clocks
/// differ.
fn refused(error: CallbackError) -> Failure {
    let message = match error {
        CallbackError::Old(by) => format!("this machine's clock is {by:#} ahead of Shopify's"),
        CallbackError::Ahead(by) => format!("this machine's clock is {by:#} behind Shopify's"),
        error => return Failure::new(Exit::Auth, error),
    };
    Failure::new(Exit::Auth, message).hint("correct the clock and start again. The code was not sent")
}

/// Refuses a redirect URI on this machine that does not reach the listener.
fn not_the_listener(uri: &RedirectUri, listener: SocketAddr) -> Failure {
    Failure::invalid(format!(
        "`--redirect-uri {}` is on this machine, but the login listens at http://{listener}/",
        uri.as_str()
    ))
    .hint("omit it (and `HOOKWRIGHT_REDIRECT_URI`), or listen there with `--listen ADDRESS:PORT`; any path is possible")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_clock_is_reported_with_the_difference_and_without_an_unavailable_option() {
        let ahead = refused(CallbackError::Old(SignedDuration::from_secs(7_200)));
        assert_eq!(ahead.message, "this machine's clock is 2h ahead of Shopify's");
        assert!(ahead.text().contains("correct the clock") && !ahead.text().contains("--max-age"));
        let behind = refused(CallbackError::Ahead(SignedDuration::from_secs(91)));
        assert_eq!(behind.message, "this machine's clock is 1m 31s behind Shopify's");
        assert!(refused(CallbackError::Hmac).message.contains("`hmac` of the callback is invalid"));
    }
}
