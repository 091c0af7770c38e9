//! `auth exchange`: exchanges the code in a callback URL for a token, and stores the token.

use std::io::Read as _;

use jiff::SignedDuration;

use super::shop_login::ShopLogin;
use crate::auth::{self, Expected};
use crate::cli::auth::ExchangeArgs;
use crate::commands::{Output, clock, sandbox};
use crate::error::Failure;
use crate::exit::Exit;

/// The longest accepted callback, in bytes; the URLs of browsers are shorter.
const LONGEST: u64 = 64 * 1024;

pub(super) async fn run(args: &ExchangeArgs, output: Output) -> Result<Exit, Failure> {
    sandbox::not_in_process(args.access.sandbox, &args.shop)?;
    let max_age = SignedDuration::try_from(args.max_age).map_err(Failure::invalid)?;
    let login = ShopLogin::open(&args.shop, &args.manifest, &args.access, output).await?;
    let access = login.access(args.keep).await?;
    let callback = match args.callback.as_str() {
        "-" => {
            let mut text = String::new();
            let read = std::io::stdin().take(LONGEST).read_to_string(&mut text);
            read.map_err(|e| Failure::invalid(format!("cannot read the callback from stdin: {e}")))?;
            text
        }
        url => url.to_owned(),
    };
    let app = login.credentials().await?;
    let expected = Expected { shop: login.shop(), state: args.state.as_deref(), secrets: app.secrets(), max_age };
    let code = auth::verify(&callback, &expected, clock()).map_err(|e| {
        let exit = if e.is_malformed() { Exit::Invalid } else { Exit::Auth };
        Failure::new(exit, e).hint(format!(
            "nothing was sent, and the code was not used. To start again, run `{}`",
            login.command("url")
        ))
    })?;
    Ok(login.exchange(&app, &code, access, args.keep, output).await?.exit())
}
