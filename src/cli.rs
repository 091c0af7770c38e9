//! The command line, as types. Parsing does nothing.

pub(crate) mod auth;
pub(crate) mod completions;
pub(crate) mod habits;
#[cfg(test)]
mod help_test;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod man;
pub(crate) mod man_page;
#[cfg_attr(not(feature = "sandbox"), path = "cli/no_sandbox.rs")]
pub(crate) mod sandbox;
pub(crate) mod topics;
pub(crate) mod validate;
mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::exit::Exit;
use crate::plan::Consent;
use crate::schema::PublishedFormat;

/// What is read and written when nothing is named.
pub(crate) const DEFAULT_MANIFEST: &str = "hookwright.yaml";

/// Where the sandbox keeps its state, if nothing else is said.
pub(crate) const DEFAULT_STATE: &str = ".hookwright/sandbox.json";

const EXAMPLES: &str = "\
Examples:
  hookwright plan --sandbox -f examples/quickstart   a real plan, no account needed
  hookwright validate                                check hookwright.yaml offline
  hookwright plan --out plan.json                    read the shops, show and save what would change
  hookwright apply plan.json                         do exactly that
  hookwright drift                                   for cron: silent, or exit 2 and what drifted
";

/// The examples and the exit codes.
fn after_help() -> String {
    let codes = Exit::MEANINGS.map(|(code, meaning)| format!("{:3}  {meaning}\n", code as u8)).concat();
    format!(
        "{EXAMPLES}\nExit codes:\n{codes}\nWhat was not done for one cause has that cause's code; several causes give 8, or 1 \
         if nothing was done."
    )
}

/// Terraform for Shopify webhooks: keeps the webhook subscriptions of many shops equal to a YAML manifest.
#[derive(Debug, Parser)]
#[command(name = "hookwright", version, after_help = after_help(), max_term_width = 110, infer_long_args = false)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How to print.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Colours; `auto` means on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
    /// Say more: -v lists everything and logs what is done, -vv requests, -vvv details; never a secret
    #[arg(short, long = "verbose", global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Format of the log on stderr
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub(crate) log_format: LogFormat,
    /// No progress and no remarks on stderr, only errors
    #[arg(long, global = true)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

/// Formats of `show`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowFormat {
    /// For a terminal
    Text,
    /// What is saved
    Json,
    /// For the comment on a pull request; the first line is a hidden marker, by which the comment can be replaced
    Markdown,
    /// One self-contained page with a matrix of shops by topics
    Html,
}

/// Formats of `drift`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DriftFormat {
    /// For a terminal or a mail; silent when there is nothing
    Text,
    /// The drift report, a plan
    Json,
    /// For an issue; silent when there is nothing
    Markdown,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a first manifest with comments, its schema for editors, and a .gitignore
    Init(init::InitArgs),
    /// Check manifests offline
    Validate(validate::ValidateArgs),
    /// Read the shops and show what would change
    Plan(PlanArgs),
    /// Carry out a saved plan, or plan, show, ask and apply
    Apply(ApplyArgs),
    /// Plan for cron: silent when there is nothing, exit 2 on drift
    Drift(DriftArgs),
    /// Show what Adobe says of the destinations: addresses, states, runs
    Destinations(DestinationsArgs),
    /// Render saved plans or apply reports, several shards as one
    Show(ShowArgs),
    /// Get tokens for shops, and see what they are worth
    Auth(auth::AuthArgs),
    /// Write down what is live in shops as a manifest
    Import(import::ImportArgs),
    /// List the webhook topics: names, GraphQL names, scopes, notes
    Topics(topics::TopicsArgs),
    /// Print the JSON Schema of a format
    Schema(SchemaArgs),
    /// The local Admin API: try everything without a shop
    Sandbox(sandbox::SandboxArgs),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArgs),
    /// Print a man page, of the program or of one command, or write all of them
    Man(man::ManArgs),
}

/// Which manifest.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Manifest")]
pub(crate) struct ManifestArgs {
    /// A manifest file or a folder of them; may be repeated, the files are merged
    #[arg(short, long = "file", value_name = "PATH", default_value = DEFAULT_MANIFEST)]
    pub(crate) file: Vec<PathBuf>,
}

/// Which shops of the manifest.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct SelectArgs {
    /// Only shops whose handle or domain matches this glob; may be repeated
    #[arg(long, value_name = "PATTERN")]
    pub(crate) shop: Vec<String>,
    /// Not the shops that match this glob; may be repeated
    #[arg(long, value_name = "PATTERN")]
    pub(crate) exclude_shop: Vec<String>,
    /// Only shops with (or without) this label: KEY=VALUE or KEY!=VALUE; different keys all count, of one key any
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) label: Vec<String>,
    /// Only the K-th of N parts, 1-based; a shop's part depends on its domain and N alone
    #[arg(long, value_name = "K/N", conflicts_with_all = ["shard_index", "shard_count"])]
    pub(crate) shard: Option<String>,
    /// The 0-based form of --shard, as Kubernetes' JOB_COMPLETION_INDEX gives it
    #[arg(long, value_name = "I", requires = "shard_count")]
    pub(crate) shard_index: Option<u32>,
    /// Number of parts, with --shard-index
    #[arg(long, value_name = "N", requires = "shard_index")]
    pub(crate) shard_count: Option<u32>,
}

/// How to go about the shops.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct RunArgs {
    /// Shops at a time
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) parallelism: u16,
    /// Time for the whole run, such as 90s or 1h
    #[arg(long, value_name = "DURATION", default_value = "30m", value_parser = values::duration)]
    pub(crate) timeout: Duration,
    /// Take shops in this state as unavailable, not as failed; may be repeated. `uninstalled` has no effect with
    /// `access_token`: there Shopify answers 401 for an app that is gone, as for a wrong token
    #[arg(long, value_name = "KIND", value_enum)]
    pub(crate) tolerate: Vec<Tolerate>,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// Parses the variable of a flag. Any other text is an error, so that a mistake never lets a manifest run commands.
fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("write 1 or 0".to_owned()),
    }
}

/// How to reach a shop.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct AccessArgs {
    /// Let the manifest run commands to fetch secrets
    #[arg(long, env = "HOOKWRIGHT_ALLOW_COMMANDS", value_parser = yes_or_no)]
    pub(crate) allow_commands: bool,
    /// Look up secrets only where a pattern allows it: env:NAME, file:PATH or command:PROGRAM ARGUMENT …, with `*` for any
    /// text, and {shop} and {SHOP} for the shop; repeatable. The manifest cannot change it
    #[arg(long, value_name = "PATTERN", env = "HOOKWRIGHT_SECRETS", value_delimiter = ',')]
    pub(crate) secrets: Vec<crate::auth::Pin>,
    /// Use the embedded Admin API instead of Shopify
    #[arg(long)]
    pub(crate) sandbox: bool,
    /// State file of the sandbox
    #[arg(long, value_name = "PATH", default_value = DEFAULT_STATE)]
    pub(crate) sandbox_state: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tolerate {
    Uninstalled,
    Frozen,
    Locked,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright plan -f hookwright.yaml
  hookwright plan --label env=prod --out plan.json --detailed-exitcode
  hookwright plan --base main/hookwright.yaml     tell this manifest's changes from drift")]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Save the plan
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Exit with 2 if there are changes, blocked bindings or findings that need attention
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    /// A base manifest, say the target branch's: what it would plan too is drift, the rest comes from this manifest
    #[arg(long, value_name = "PATH")]
    pub(crate) base: Vec<PathBuf>,
    /// Check the addresses of bindings at Adobe, too, and how the dataflows fare; needs `aep` in the manifest
    #[arg(long)]
    pub(crate) verify_destinations: bool,
    /// Write what happens as JSON lines, while it happens; `-` is stdout, and the text goes to stderr then
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright apply plan.json --report report.json     carry out a reviewed plan
  hookwright apply plan.json --journal apply.jsonl     and keep what was sent, whatever happens
  hookwright apply                                     plan, show, ask, apply
  hookwright apply --auto-approve --allow empty_shop:old-shop

A plan with hazards is refused (exit 6) until each is consented to with --allow KIND:SHOP, or KIND for those of the run.

SIGINT, SIGTERM and SIGHUP finish what is in flight and write the report; a second one aborts.")]
pub(crate) struct ApplyArgs {
    /// A saved plan; without one: plan, show, ask and apply
    pub(crate) plan: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Do not ask
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// Consent to a hazard: KIND:SHOP (a glob for the shop), or KIND for a hazard of the run; may be repeated
    #[arg(long, value_name = "CONSENT", value_parser = Consent::parse)]
    pub(crate) allow: Vec<Consent>,
    /// Write one outcome for each change as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Append to a journal: each mutation is on the disk before it is sent, and what became of it after
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    /// Write what happens as JSON lines, while it happens; `-` is stdout, and the text goes to stderr then
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    /// Only apply a plan with this plan_digest
    #[arg(long, value_name = "DIGEST", requires = "plan")]
    pub(crate) expect_digest: Option<String>,
    /// The file of `show --check --out` that judged all shards together; a shard's plan needs it
    #[arg(long, value_name = "FILE", requires = "plan")]
    pub(crate) checked: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright drift                                       silent, or exit 2 and what drifted
  hookwright drift --since apply.jsonl                   was it removed remotely, or never made?
  hookwright drift --since last.json --out last.json     every night: what is new since then?
  hookwright drift --metrics /var/lib/node_exporter/hookwright.prom

Drift that an earlier report had already is drift all the same: the exit code is 2.")]
pub(crate) struct DriftArgs {
    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// A journal, an apply report or an earlier drift report: tells what was removed remotely from what was never made,
    /// and new drift from known; may be repeated, and may be missing if --out writes it
    #[arg(long, value_name = "FILE")]
    pub(crate) since: Vec<PathBuf>,
    /// Save the drift report, a plan
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write a Prometheus textfile, however the run ends; node_exporter reads files named *.prom. A file of its own for
    /// each manifest, selection and shard: its name is the label `run`, and times of success live on from file to file
    #[arg(long, value_name = "FILE")]
    pub(crate) metrics: Option<PathBuf>,
    /// Check the addresses of bindings at Adobe, too, and how the dataflows fare; needs `aep` in the manifest
    #[arg(long)]
    pub(crate) verify_destinations: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = DriftFormat::Text)]
    pub(crate) format: DriftFormat,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright destinations                     every destination, what it leads to, and how it fares
  hookwright destinations --format json
  hookwright destinations --sandbox -f examples/aep

Looks up what names a flow or a connection, goes through the dataflows and connections of `aep` for addresses \
that somebody pasted, and reads the last run of each dataflow. Nothing is asked of a shop, nothing is changed.

Exit code 2: a destination needs attention; 4, 5, 1 or 8: Adobe could not be asked.")]
pub(crate) struct DestinationsArgs {
    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright show plan.json
  hookwright show plan.json --format markdown > comment.md     for a pull request
  hookwright show --format html shard-*.json > plan.html     a page to look around in
  hookwright show shard-*.json --check --out checked.json     judge the shards of one run together")]
pub(crate) struct ShowArgs {
    /// Saved plans, or apply reports
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = ShowFormat::Text)]
    pub(crate) format: ShowFormat,
    /// Judge the hazards over all plans together; exit 6 if one has no consent
    #[arg(long)]
    pub(crate) check: bool,
    /// Consent to a hazard, with --check
    #[arg(long, value_name = "CONSENT", requires = "check", value_parser = Consent::parse)]
    pub(crate) allow: Vec<Consent>,
    /// Write what was checked, for `apply --checked`
    #[arg(long, value_name = "FILE", requires = "check")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright schema manifest > hookwright.schema.json     for an editor
  hookwright schema plan                                  what a saved plan looks like")]
pub(crate) struct SchemaArgs {
    /// Which format
    #[arg(value_enum)]
    pub(crate) name: PublishedFormat,
}
