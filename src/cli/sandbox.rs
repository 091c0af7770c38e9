//! Arguments of `hookwright sandbox`.

mod edit;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

pub(crate) use edit::EditCommand;

/// Run and fill a local Admin API
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright plan --sandbox -f examples/quickstart     no server needed: in this process
  hookwright sandbox serve --seed world.sandbox.yaml   a server for several processes
  hookwright sandbox edit remove --shop acme --topic orders/create")]
pub(crate) struct SandboxArgs {
    #[command(subcommand)]
    pub(crate) command: SandboxCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SandboxCommand {
    /// Serve the Admin API on a local port until interrupted
    Serve(ServeArgs),
    /// Fill a state from seed files
    Seed(SeedArgs),
    /// Change a state by hand, as other code of the app would: makes drift
    Edit(EditArgs),
}

#[derive(Debug, Args)]
pub(crate) struct StateArgs {
    /// File that holds the state
    #[arg(long, value_name = "PATH", default_value = super::DEFAULT_STATE, global = true)]
    pub(crate) state: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright sandbox serve --seed world.sandbox.yaml
  hookwright sandbox serve --listen 127.0.0.1:0 --fault drop,on=mutation,commit=after,times=2

Point hookwright at it: HOOKWRIGHT_ADMIN_URL='http://127.0.0.1:4000/{shop}' hookwright plan")]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) state: StateArgs,
    /// Address to listen on; port 0 takes any
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4000")]
    pub(crate) listen: SocketAddr,
    /// Seed file, used if the state holds nothing yet; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) seed: Vec<PathBuf>,
    /// File of faults: `{seed: 7, faults: [{fault: drop, on: mutation, times: 2}]}`; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Vec<PathBuf>,
    /// One fault, as in `drop,on=mutation,commit=after,times=2`; may be repeated
    #[arg(long, value_name = "SPEC", long_help = FAULT_HELP)]
    pub(crate) fault: Vec<String>,
    /// What the chances of the faults start from, so that a run can be repeated
    #[arg(long, value_name = "NUMBER")]
    pub(crate) fault_seed: Option<u64>,
}

const FAULT_HELP: &str = "\
One fault, as in `drop,on=mutation,commit=after,times=2`; may be repeated.

When it strikes: shop=GLOB, on=query|mutation|oauth|any|adobe|ims (oauth: requests for a token; any: all of these three; adobe, ims: Flow Service and its tokens), \
after=N requests, times=N, probability=0..1. Each shop counts for itself.

What it is, with its own options:
  latency         ms=100, jitter_ms=0, commit=before|after
  throttled       GraphQL THROTTLED; 429 over REST
  rate_limited    429, retry_after=1 (seconds)
  server_error    status=500|502|503|504, commit=before|after
  html, empty     status=200, commit=before|after
  truncated       JSON that ends in the middle
  slow_body       ms=100
  cut_body        the connection ends in the middle of the answer
  drop            the connection ends, no answer; commit=before|after
  internal_error  some aliases fail, commit=before|after; REST: 500
  shifting_pages  pages of size=5; later ones begin by=-1 entries off
                  (below 0: entries repeat; above 0: some are missing)
  token_revoked, frozen, locked, uninstalled
                  from then on, until `sandbox edit status`;
                  token_revoked with on=adobe: Adobe's tokens so far
  removed         a subscription disappears; address=PREFIX
  other_writer    act=add|edit|delete, topic=TOPIC, address=PREFIX,
                  set=KEY=VALUE

They can also be set while it runs: GET, POST and DELETE /__sandbox/faults.";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright sandbox seed world.sandbox.yaml
  hookwright sandbox seed --replace world.sandbox.yaml     start over")]
pub(crate) struct SeedArgs {
    #[command(flatten)]
    pub(crate) state: StateArgs,
    /// Seed files
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Start over: whatever the state held is gone
    #[arg(long)]
    pub(crate) replace: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright sandbox edit list                                    what is there
  hookwright sandbox edit remove --shop acme --topic orders/create
  hookwright sandbox edit status --shop acme frozen")]
pub(crate) struct EditArgs {
    #[command(flatten)]
    pub(crate) state: StateArgs,
    #[command(subcommand)]
    pub(crate) edit: EditCommand,
}
