//! The commands, one module each.

mod apply;
mod auth;
mod check;
mod consents;
mod destinations;
mod drift;
mod event_log;
mod gaps;
mod import;
mod init;
mod metrics_file;
mod out_file;
mod plan;
mod prompt;
mod reference;
mod repair;
#[cfg_attr(not(feature = "sandbox"), path = "commands/no_sandbox.rs")]
mod sandbox;
mod show;
mod signals;
mod topics;
mod validate;

use std::time::Duration;

use crate::cli::{Cli, Command};
use crate::clock::{clock, now};
use crate::exit::Exit;
use crate::output::{Output, write_json};
use crate::run::{files, target};

/// The maximum wait for token refreshes at the end of a run. Each refresh has a timeout of its own, too.
const SETTLING: Duration = Duration::from_secs(5);

/// Runs a command and flushes its output.
pub(crate) async fn run(cli: Cli) -> Exit {
    signals::limits_are_errors();
    let output = Output::new(&cli.output);
    let result = match cli.command {
        Command::Init(args) => init::run(&args, output),
        Command::Validate(args) => validate::run(&args, output),
        Command::Plan(args) => plan::run(args, output).await,
        Command::Apply(args) => apply::run(args, output).await,
        Command::Drift(args) => drift::run(args, output).await,
        Command::Gaps(args) => gaps::run(&args, output),
        Command::Destinations(args) => destinations::run(args, output).await,
        Command::Show(args) => show::run(&args, output),
        Command::Auth(args) => auth::run(args, output).await,
        Command::Import(args) => import::run(args, output).await,
        Command::Topics(args) => topics::run(&args, output),
        Command::Sandbox(args) => sandbox::run(args).await,
        Command::Schema(args) => reference::schema(&args, output),
        Command::Completions(args) => reference::completions(args.shell, output),
        Command::Man(args) => reference::man(&args, output),
    };
    let exit = result.unwrap_or_else(|failure| {
        output.error(&failure.text());
        failure.exit
    });
    // A token that Shopify issued is stored, however the command ended.
    if !crate::auth::settled(SETTLING).await {
        output.remark(
            "A token refresh did not finish in time, so its token is not stored. The previous token is still valid.\n",
        );
    }
    exit
}
