//! Arguments of `hookwright sandbox`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use crate::sandbox::{self, RunStatus, Status};

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

#[derive(Debug, Subcommand)]
pub(crate) enum EditCommand {
    /// Tell what is there
    #[command(after_help = "\
Examples:
  hookwright sandbox edit list
  hookwright sandbox edit list --shop acme")]
    List {
        /// Only this shop
        #[arg(long, value_name = "SHOP")]
        shop: Option<String>,
    },
    /// Add a subscription
    #[command(after_help = "\
Examples:
  hookwright sandbox edit add --shop acme --topic shop/update --address https://example.com/hook")]
    Add {
        /// Handle or domain
        #[arg(long, value_name = "SHOP")]
        shop: String,
        /// Topic, as in orders/create
        #[arg(long, value_name = "TOPIC")]
        topic: String,
        /// Where it delivers to
        #[arg(long, value_name = "ADDRESS")]
        address: String,
        /// json or xml
        #[arg(long, value_name = "FORMAT")]
        format: Option<String>,
        /// Shopify search syntax
        #[arg(long, value_name = "FILTER")]
        filter: Option<String>,
        /// Payload field; may be repeated
        #[arg(long, value_name = "FIELD")]
        include_field: Vec<String>,
        /// Metafield namespace; may be repeated
        #[arg(long, value_name = "NAMESPACE")]
        metafield_namespace: Vec<String>,
        /// Name, unique in the shop
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
    /// Change fields of a subscription
    #[command(after_help = "\
Examples:
  hookwright sandbox edit set --shop acme --id 1 address=https://example.com/hook
  hookwright sandbox edit set --shop acme --id 1 include_fields=id,email")]
    Set {
        /// Handle or domain
        #[arg(long, value_name = "SHOP")]
        shop: String,
        /// Number or global id
        #[arg(long, value_name = "ID")]
        id: String,
        /// As in address=https://… or include_fields=id,email
        #[arg(value_name = "KEY=VALUE", required = true)]
        fields: Vec<String>,
    },
    /// Remove a subscription, or all of a topic
    #[command(after_help = "\
Examples:
  hookwright sandbox edit remove --shop acme --topic orders/create
  hookwright sandbox edit remove --shop acme --id 1")]
    Remove {
        /// Handle or domain
        #[arg(long, value_name = "SHOP")]
        shop: String,
        /// Number or global id
        #[arg(long, value_name = "ID", conflicts_with = "topic", required_unless_present = "topic")]
        id: Option<String>,
        /// Topic, as in orders/create
        #[arg(long, value_name = "TOPIC")]
        topic: Option<String>,
    },
    /// Set how a shop answers
    #[command(after_help = "\
Examples:
  hookwright sandbox edit status --shop acme frozen
  hookwright sandbox edit status --shop acme ok")]
    Status {
        /// Handle or domain
        #[arg(long, value_name = "SHOP")]
        shop: String,
        /// ok, token_refused, frozen, payment_required, forbidden, not_found, locked or uninstalled
        #[arg(value_name = "STATUS")]
        status: Status,
    },
    /// Set the scopes that a shop has granted
    #[command(after_help = "\
Examples:
  hookwright sandbox edit scopes --shop acme read_orders,read_customers
  hookwright sandbox edit scopes --shop acme \"\"     none at all")]
    Scopes {
        /// Handle or domain
        #[arg(long, value_name = "SHOP")]
        shop: String,
        /// All of them, separated by commas; empty for none
        #[arg(value_name = "SCOPES", value_delimiter = ',')]
        scopes: Vec<String>,
    },
    /// Set the only token that a shop accepts
    #[command(after_help = "\
Examples:
  hookwright sandbox edit token --shop acme s3cret
  hookwright sandbox edit token --shop acme \"\"     any will do")]
    Token {
        /// Handle or domain
        #[arg(long, value_name = "SHOP")]
        shop: String,
        /// The token; empty for any
        #[arg(value_name = "TOKEN")]
        token: String,
    },
    /// End what OAuth gave: revoke tokens, or let them expire now
    #[command(group = ArgGroup::new("end").required(true), after_help = "\
Examples:
  hookwright sandbox edit tokens --shop acme --expire-tokens
  hookwright sandbox edit tokens --shop acme --revoke-tokens     as when the app is uninstalled")]
    Tokens {
        /// Handle or domain
        #[arg(long, value_name = "SHOP")]
        shop: String,
        /// All tokens and codes are gone, as when the merchant takes the access back
        #[arg(long, group = "end")]
        revoke_tokens: bool,
        /// Access tokens that end some time end now
        #[arg(long, group = "end")]
        expire_tokens: bool,
        /// Refresh tokens end now
        #[arg(long, group = "end")]
        expire_refresh_tokens: bool,
        /// Authorization codes end now
        #[arg(long, group = "end")]
        expire_codes: bool,
    },
    /// Register a public key of the app, or remove one, as in the Dev Dashboard
    #[command(group = ArgGroup::new("deed").required(true), after_help = "\
Examples:
  hookwright sandbox edit key --jwk public.json
  hookwright sandbox edit key --jwk public.json --key-id pipeline-1   under another id
  hookwright sandbox edit key --remove pipeline-1")]
    Key {
        /// File with the public key as a JWK, as `auth key new` prints it
        #[arg(long, value_name = "FILE", group = "deed")]
        jwk: Option<PathBuf>,
        /// Id of the key, in place of the `kid` in the JWK
        #[arg(long, value_name = "ID", requires = "jwk")]
        key_id: Option<String>,
        /// Remove the key with this id
        #[arg(long, value_name = "ID", group = "deed")]
        remove: Option<String>,
    },
    /// Change a dataflow at Adobe, as somebody would in Adobe's tools
    #[command(after_help = "\
Examples:
  hookwright sandbox edit flow orders --recreate     another id, another address
  hookwright sandbox edit flow orders --settle 10m   as if that was a while ago
  hookwright sandbox edit flow orders --run failed --received 10 --failed 10")]
    Flow(InletArgs),
    /// Change an HTTP API connection at Adobe
    #[command(after_help = "\
Examples:
  hookwright sandbox edit connection raw --disable
  hookwright sandbox edit connection raw --require-authentication")]
    Connection(InletArgs),
}

#[derive(Debug, Args)]
// Not required by clap: a man page cannot break the line of nine alternatives in angle brackets.
#[command(group = ArgGroup::new("act"))]
#[expect(clippy::struct_excessive_bools, reason = "one flag for each act; the group lets one of them through")]
pub(crate) struct InletArgs {
    /// Name or id
    #[arg(value_name = "NAME")]
    pub(crate) which: String,
    /// It takes data
    #[arg(long, group = "act")]
    pub(crate) enable: bool,
    /// It takes none
    #[arg(long, group = "act")]
    pub(crate) disable: bool,
    /// It is made again: another id and address, made just now
    #[arg(long, group = "act")]
    pub(crate) recreate: bool,
    /// It is gone
    #[arg(long, group = "act")]
    pub(crate) delete: bool,
    /// It was changed just now
    #[arg(long, group = "act")]
    pub(crate) touch: bool,
    /// It was made and last changed so long ago, such as 10m
    #[arg(long, group = "act", value_name = "AGE", value_parser = age)]
    pub(crate) settle: Option<i64>,
    /// It takes only requests with a token of Adobe's: a connection, or a dataflow over one
    #[arg(long, group = "act")]
    pub(crate) require_authentication: bool,
    /// A dataflow ran in the hour that just ended: success, partial or failed
    #[arg(long, group = "act", value_name = "STATUS", value_parser = run_status)]
    pub(crate) run: Option<RunStatus>,
    /// Records that came, with --run
    #[arg(long, value_name = "NUMBER", default_value_t = 0, requires = "run")]
    pub(crate) received: u64,
    /// Records that were refused, with --run
    #[arg(long, value_name = "NUMBER", default_value_t = 0, requires = "run")]
    pub(crate) failed: u64,
}

fn age(text: &str) -> Result<i64, String> {
    sandbox::age(text).ok_or_else(|| "write it like 90s, 10m, 2h or 30d".to_owned())
}

fn run_status(text: &str) -> Result<RunStatus, String> {
    match text {
        "success" => Ok(RunStatus::Success),
        "partial" => Ok(RunStatus::Partial),
        "failed" => Ok(RunStatus::Failed),
        _ => Err("one of success, partial, failed".to_owned()),
    }
}
