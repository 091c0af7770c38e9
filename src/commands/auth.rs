//! `auth`: the OAuth flow of one shop, what every shop's token is worth, and keys for client assertions.

mod callers;
mod exchange;
mod key;
mod listener;
mod login;
mod one;
mod page;
mod settled;
mod status;
mod url;

use super::Output;
use crate::cli::auth::{AuthArgs, AuthCommand};
use crate::error::Failure;
use crate::exit::Exit;

pub(super) async fn run(args: AuthArgs, output: Output) -> Result<Exit, Failure> {
    match args.command {
        AuthCommand::Url(args) => url::run(&args, output).await,
        AuthCommand::Exchange(args) => exchange::run(&args, output).await,
        AuthCommand::Login(args) => login::run(&args, output).await,
        AuthCommand::Status(args) => status::run(args, output).await,
        AuthCommand::Key(args) => key::run(&args, output),
    }
}
