//! `auth url`: where a merchant approves the app.

use super::one::One;
use crate::auth::{self, Access, Ask};
use crate::cli::auth::UrlArgs;
use crate::commands::{Output, clock};
use crate::error::Failure;
use crate::exit::Exit;

pub(super) async fn run(args: &UrlArgs, output: Output) -> Result<Exit, Failure> {
    not_in_process(args.access.sandbox)?;
    let redirect_uri = redirect_uri(&args.redirect_uri)?;
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
    let access = if args.online { Access::Online } else { Access::Offline };
    let ask = Ask { client_id: &app.client_id, scopes, redirect_uri: &redirect_uri, state: &state, access };
    output.print(&format!("{}\n", auth::authorize_url(&one.client, one.shop(), &ask)))?;
    let online = if args.online { " --online" } else { "" };
    let own = if args.state.is_some() { " --state …" } else { "" };
    output.remark(&format!(
        "Open it as somebody who may install apps in {shop}. Then give the whole URL that the browser ends up at to\n  \
         hookwright auth exchange --shop {handle}{online}{own} --callback -\nwithin a minute or so: the code in it does not last.\n",
        shop = one.shop(),
        handle = one.shop().handle()
    ));
    Ok(Exit::Done)
}

/// The embedded sandbox ends with the command, and the link would lead nowhere.
pub(super) fn not_in_process(sandbox: bool) -> Result<(), Failure> {
    if !sandbox {
        return Ok(());
    }
    Err(Failure::invalid("the sandbox of --sandbox ends with this command, and the link would lead nowhere").hint(
        "use `hookwright auth login --sandbox`, or run `hookwright sandbox serve` and set HOOKWRIGHT_ADMIN_URL as it says",
    ))
}

/// Where a browser may be sent with a code: a URL, encrypted unless it stays on this machine.
pub(super) fn redirect_uri(text: &str) -> Result<String, Failure> {
    let invalid = |why: &str| Failure::invalid(format!("--redirect-uri {text:?} {why}"));
    let url = ::url::Url::parse(text).map_err(|e| invalid(&format!("is not a URL: {e}")))?;
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        _ => return Err(invalid("must start with https://, or with http:// for a loopback address")),
    }
    if url.fragment().is_some() {
        return Err(invalid("must not have a fragment (#)"));
    }
    Ok(text.to_owned())
}
