//! Arguments of `hookwright sandbox`.

mod edit;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

pub(crate) use edit::EditCommand;

/// Run a local Admin API for demos and tests
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright plan --sandbox -f examples/quickstart     without a server
  hookwright sandbox serve --seed world.sandbox.yaml   for several processes
  hookwright sandbox edit remove --shop acme --topic orders/create")]
pub(crate) struct SandboxArgs {
    #[command(subcommand)]
    pub(crate) command: SandboxCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SandboxCommand {
    /// Serve the Admin API on a local port until interrupted
    Serve(ServeArgs),
    /// Add the content of seed files to a state
    Seed(SeedArgs),
    /// Simulate changes outside Hookwright, to cause drift
    Edit(EditArgs),
}

#[derive(Debug, Args)]
pub(crate) struct StateArgs {
    /// State file
    #[arg(long, value_name = "PATH", default_value = super::DEFAULT_STATE, global = true)]
    pub(crate) state: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright sandbox serve --seed world.sandbox.yaml
  hookwright sandbox serve --listen 127.0.0.1:0
  hookwright sandbox serve --fault drop,on=mutation,commit=after,times=2

To use the server: HOOKWRIGHT_ADMIN_URL='http://127.0.0.1:4000/{shop}' hookwright plan")]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) state: StateArgs,
    /// Address to listen on; port 0 means any
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4000")]
    pub(crate) listen: SocketAddr,
    /// Seed file for an empty state; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) seed: Vec<PathBuf>,
    /// Fault file in YAML or JSON; may be repeated
    ///
    /// For example: `{seed: 7, faults: [{fault: drop, times: 2}]}`
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Vec<PathBuf>,
    /// Fault rule, such as `drop,on=mutation`; may be repeated
    #[arg(long, value_name = "SPEC", long_help = FAULT_HELP)]
    pub(crate) fault: Vec<String>,
    /// Seed of the random numbers, to repeat a run
    #[arg(long, value_name = "NUMBER")]
    pub(crate) fault_seed: Option<u64>,
}

const FAULT_HELP: &str = "\
Fault rule, such as `drop,on=mutation,commit=after,times=2`; may be repeated.

Options of every rule; requests are counted for each shop:
  shop=GLOB         only shops that match
  on=KIND           query, mutation, oauth (requests for a token),
                    any (all three; default), adobe (Flow Service),
                    ims (Adobe tokens)
  after=N           skip the first N requests
  times=N           inject the fault at most N times
  probability=P     from 0 to 1

Faults and their own options:
  latency         ms=100, jitter_ms=0, commit=before|after
  throttled       GraphQL THROTTLED; 429 over REST
  rate_limited    429, retry_after=1 (seconds)
  server_error    status=500|502|503|504, commit=before|after
  html, empty     status=200, commit=before|after
  truncated       the JSON ends in the middle
  slow_body       ms=100
  cut_body        the connection closes in the middle of the response
  drop            the connection closes without a response;
                  commit=before|after
  internal_error  some aliases fail, commit=before|after; REST: 500
  shifting_pages  pages of size=5; later pages are shifted by=-1
                  (negative: entries repeat; positive: some missing)
  token_revoked, frozen, locked, uninstalled
                  permanent, until `hookwright sandbox edit status`;
                  token_revoked with on=adobe revokes all Adobe tokens
  removed         a subscription is deleted; address=PREFIX
  other_writer    act=add|edit|delete, topic=TOPIC, address=PREFIX,
                  set=KEY=VALUE

A running server accepts GET, POST and DELETE of /__sandbox/faults.";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright sandbox seed world.sandbox.yaml
  hookwright sandbox seed --replace world.sandbox.yaml")]
pub(crate) struct SeedArgs {
    #[command(flatten)]
    pub(crate) state: StateArgs,
    /// Seed files
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Replace the content of the state
    #[arg(long)]
    pub(crate) replace: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright sandbox edit list
  hookwright sandbox edit remove --shop acme --topic orders/create
  hookwright sandbox edit status --shop acme frozen")]
pub(crate) struct EditArgs {
    #[command(flatten)]
    pub(crate) state: StateArgs,
    #[command(subcommand)]
    pub(crate) edit: EditCommand,
}
