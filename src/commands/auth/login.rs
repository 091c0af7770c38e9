//! `auth login`: the whole way, with a browser on this machine and a listener on loopback.

use std::net::SocketAddr;

use ::url::{Host, Url};
use jiff::SignedDuration;

use super::listener::{Answered, Listener};
use super::one::One;
use super::page::Page;
use super::url::redirect_uri;
use crate::auth::{self, Access, Ask, CallbackError, Expected};
use crate::cli::auth::LoginArgs;
use crate::clock::clock;
use crate::commands::Output;
use crate::error::Failure;
use crate::exit::Exit;
use crate::run;

pub(super) async fn run(args: &LoginArgs, output: Output) -> Result<Exit, Failure> {
    if !args.listen.ip().is_loopback() {
        return Err(Failure::invalid(format!("--listen {} is no loopback address", args.listen)).hint(
            "the code must not cross a network in the clear; use 127.0.0.1 or [::1], and --redirect-uri for a tunnel",
        ));
    }
    let wait = run::duration("--wait", &args.wait)?;
    let given = args.redirect_uri.as_deref().map(redirect_uri).transpose()?;
    let one = One::open(&args.shop, &args.manifest, &args.access, output).await?;
    let access = one.access(args.keep).await?;
    let app = one.credentials().await?;
    let path = given.as_ref().map_or("/callback", Url::path);
    let listener = Listener::bind(args.listen, path, given.as_ref().and_then(Url::host_str)).await?;
    let here = format!("http://{}{path}", listener.address());
    let through_tunnel = match &given {
        Some(uri) => leads_elsewhere(uri, listener.address())?,
        None => false,
    };
    let redirect = args.redirect_uri.as_ref().unwrap_or(&here);
    let state = auth::state(one.shop(), &app, clock(), fastrand::u64(..));
    let scopes = if args.no_scopes { Vec::new() } else { one.wanted() };
    let asked = if access == Access::Online { Access::Online } else { Access::Offline };
    let ask = Ask { client_id: &app.client_id, scopes, redirect_uri: redirect, state: &state, access: asked };
    let url = auth::authorize_url(&one.client, one.shop(), &ask).map_err(|e| one.failed(&e))?;
    // On stderr even with --quiet: without the URL nothing can happen.
    output.error(&format!("To connect {}, open\n\n  {url}\n\n", one.shop()));
    if !args.no_browser && output.is_interactive() && open::that_detached(&url).is_err() {
        output.remark("No browser could be opened; open the URL yourself.\n");
    }
    if through_tunnel {
        output.remark(&format!("The tunnel from {redirect} must lead to {here} on this machine.\n"));
    }
    output.remark(&format!("Waiting for the browser at {redirect}, for {}…\n", args.wait));

    let turned_away = || output.remark("A request with another state came, and was turned away; so are all others.\n");
    let waiting = listener.next(&state, turned_away);
    let Ok(Answered { query, reply }) = tokio::time::timeout(wait, waiting).await.unwrap_or(Err(())) else {
        let failure = Failure::new(Exit::RateLimit, format!("nobody came within {}", args.wait));
        let tunnel =
            if through_tunnel { format!(", and the tunnel from there must lead to {here}") } else { String::new() };
        return Err(failure.hint(format!(
            "the app whose client id is in {} must allow {redirect} as a redirect URL{tunnel}; begin again",
            one.client_id_place()
        )));
    };
    let expected =
        Expected { shop: one.shop(), state: Some(&state), secrets: app.secrets(), max_age: SignedDuration::ZERO };
    let done = match auth::verify(&query, &expected, clock()) {
        Ok(code) => one.settle(&app, &code, access, args.keep, output).await,
        Err(error) => Err(refused(error)),
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

/// A callback is signed when the browser sets out, so that its age is the difference of two clocks.
fn refused(error: CallbackError) -> Failure {
    let message = match error {
        CallbackError::Old(by) => format!("this machine's clock is {by:#} ahead of Shopify's"),
        CallbackError::Ahead(by) => format!("this machine's clock is {by:#} behind Shopify's"),
        error => return Failure::new(Exit::Auth, error),
    };
    Failure::new(Exit::Auth, message).hint("set the clock, and begin again; the code was not sent")
}

/// Whether the redirect URI is of another place, from which something must lead to the listener. One that can't end there
/// is refused: the merchant would approve, and the browser find nobody.
fn leads_elsewhere(uri: &Url, listener: SocketAddr) -> Result<bool, Failure> {
    let (loopback, same_host) = match uri.host() {
        Some(Host::Domain(name)) => (name == "localhost", name == "localhost"),
        Some(Host::Ipv4(ip)) => (ip.is_loopback(), listener.ip() == ip),
        Some(Host::Ipv6(ip)) => (ip.is_loopback(), listener.ip() == ip),
        None => (false, false),
    };
    let same_port = uri.port_or_known_default() == Some(listener.port());
    // With TLS on another port of this machine somebody else ends the TLS, and may pass it on.
    if !loopback || (uri.scheme() == "https" && !same_port) {
        return Ok(true);
    }
    if uri.scheme() == "http" && same_host && same_port {
        return Ok(false);
    }
    Err(Failure::invalid(format!(
        "--redirect-uri {uri} is of this machine, but not where this login waits, http://{listener}/"
    ))
    .hint("leave it out (HOOKWRIGHT_REDIRECT_URI, too), or wait there with --listen ADDRESS:PORT; a path of its own is fine"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_of_this_machine_must_be_the_listener() {
        let listener: SocketAddr = "127.0.0.1:8931".parse().expect("address");
        let of = |uri: &str| leads_elsewhere(&Url::parse(uri).expect("url"), listener).map_err(|failure| failure.exit);
        for (uri, answer) in [
            ("http://127.0.0.1:8931/callback", Ok(false)),
            ("http://localhost:8931/another?path=1", Ok(false)),
            ("https://tunnel.example/callback", Ok(true)),
            ("https://localhost:3000/callback", Ok(true)),
            ("http://127.0.0.1:8932/callback", Err(Exit::Invalid)),
            ("http://127.0.0.1/callback", Err(Exit::Invalid)),
            ("http://[::1]:8931/callback", Err(Exit::Invalid)),
            ("https://127.0.0.1:8931/callback", Err(Exit::Invalid)),
        ] {
            assert_eq!(of(uri), answer, "{uri}");
        }
    }

    #[test]
    fn clocks_that_differ_are_told_by_how_much_and_not_to_use_an_option_that_is_not_there() {
        let ahead = refused(CallbackError::Old(SignedDuration::from_secs(7_200)));
        assert_eq!(ahead.message, "this machine's clock is 2h ahead of Shopify's");
        assert!(ahead.text().contains("set the clock") && !ahead.text().contains("--max-age"));
        let behind = refused(CallbackError::Ahead(SignedDuration::from_secs(91)));
        assert_eq!(behind.message, "this machine's clock is 1m 31s behind Shopify's");
        assert!(refused(CallbackError::Hmac).message.contains("hmac is wrong"));
    }
}
