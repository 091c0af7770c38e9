//! `auth`: the OAuth flow of one shop, the status of each shop's token, keys for client assertions, and the steps of a
//! secret rotation.

mod exchange;
mod exchange_result;
mod key;
mod login;
mod migrate;
mod rotation;
mod shop_login;
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
        AuthCommand::Migrate(args) => migrate::run(&args, output).await,
        AuthCommand::Status(args) => status::run(args, output).await,
        AuthCommand::Rotation(args) => rotation::run(&args, output),
        AuthCommand::Key(args) => key::run(&args, output),
    }
}
