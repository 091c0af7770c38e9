//! The command line as types. Parsing has no side effects.

pub(crate) mod auth;
pub(crate) mod completions;
pub(crate) mod destinations;
pub(crate) mod drift;
pub(crate) mod gaps;
pub(crate) mod habits;
#[cfg(test)]
mod help_test;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod man;
pub(crate) mod man_page;
pub(crate) mod plan;
#[cfg_attr(not(feature = "sandbox"), path = "cli/no_sandbox.rs")]
pub(crate) mod sandbox;
pub(crate) mod show;
pub(crate) mod topics;
pub(crate) mod validate;
mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::exit::Exit;
use crate::schema::PublishedFormat;

/// The manifest that commands read and `init` writes by default.
pub(crate) const DEFAULT_MANIFEST: &str = "hookwright.yaml";

/// The default state file of the sandbox.
pub(crate) const DEFAULT_STATE: &str = ".hookwright/sandbox.json";

const EXAMPLES: &str = "\
Examples:
  hookwright plan --sandbox -f examples/quickstart   try it without an account
  hookwright validate                                check the manifest offline
  hookwright plan --out plan.json                    save the plan for review
  hookwright apply plan.json                         apply the reviewed plan
  hookwright drift                                   report drift
";

/// The width of the help in columns, also in a wider terminal.
const WIDTH: usize = 80;

/// Returns the examples and the exit codes.
fn after_help() -> String {
    let codes = Exit::MEANINGS.map(|(code, meaning)| hanging(&format!("{:3}  ", code as u8), meaning)).concat();
    format!(
        "{EXAMPLES}\nExit codes:\n{codes}\nIf all failures have one cause, the exit code is that of the cause. Failures \
         with several causes give 8, or 1 if nothing was done."
    )
}

/// Returns a table row of at most 80 columns. Further lines are indented by the width of `label`: clap would start them
/// at the left margin.
fn hanging(label: &str, text: &str) -> String {
    let indent = label.chars().count();
    let (mut row, mut column) = (label.to_owned(), indent);
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if column > indent && column + 1 + width > WIDTH {
            row.push('\n');
            row.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if column > indent {
            row.push(' ');
            column += 1;
        }
        row.push_str(word);
        column += width;
    }
    row + "\n"
}

/// Terraform for Shopify webhooks: keeps the webhook subscriptions of many shops equal to a YAML manifest
#[derive(Debug, Parser)]
#[command(name = "hookwright", version, after_help = after_help(), max_term_width = WIDTH, infer_long_args = false)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options for the output of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// When to use colors
    ///
    /// `auto` uses colors on a terminal unless NO_COLOR is set.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
    /// Print and log more; may be repeated
    ///
    /// -v prints every entry of a list and logs each step, -vv logs requests, -vvv logs details. Secrets are never
    /// printed or logged.
    #[arg(short, long = "verbose", global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Format of the log on stderr
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub(crate) log_format: LogFormat,
    /// Print only errors on stderr, no progress and no remarks
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

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a commented manifest, its JSON Schema and a .gitignore
    Init(init::InitArgs),
    /// Check a manifest offline
    Validate(validate::ValidateArgs),
    /// Show the changes that an apply would make
    Plan(plan::PlanArgs),
    /// Apply a saved plan, or plan, ask for confirmation and apply
    Apply(plan::ApplyArgs),
    /// Report drift: silent without drift, otherwise exit code 2
    Drift(drift::DriftArgs),
    /// List the windows in which bindings were not live
    Gaps(gaps::GapsArgs),
    /// Show the addresses, states and last runs of destinations
    Destinations(destinations::DestinationsArgs),
    /// Render saved plans or apply reports; shards are merged
    Show(show::ShowArgs),
    /// Obtain tokens and inspect their scopes and expiry
    Auth(auth::AuthArgs),
    /// Generate a manifest from live subscriptions
    Import(import::ImportArgs),
    /// List webhook topics with their scopes and notes
    Topics(topics::TopicsArgs),
    /// Print the JSON Schema of a file format
    Schema(SchemaArgs),
    /// Run a local Admin API for demos and tests
    Sandbox(sandbox::SandboxArgs),
    /// Print a shell completion script
    Completions(completions::CompletionsArgs),
    /// Print a man page or write all man pages to a folder
    Man(man::ManArgs),
}

/// The manifest of a run.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Manifest")]
pub(crate) struct ManifestArgs {
    /// Manifest file or folder [default: hookwright.yaml]; repeatable
    ///
    /// A folder includes all its manifest files. Several files are merged into one manifest. `apply PLAN` uses by default
    /// the manifest that the plan names.
    #[arg(short, long = "file", value_name = "PATH")]
    pub(crate) file: Vec<PathBuf>,
    /// File with further `policies`, outside the manifest; repeatable
    ///
    /// A pull request that changes the manifest cannot change it, if it is not in the repository.
    #[arg(long, value_name = "PATH", env = "HOOKWRIGHT_POLICIES", value_delimiter = ',')]
    pub(crate) policies: Vec<PathBuf>,
}

impl ManifestArgs {
    /// Returns the files and folders of the manifest; empty for the default one.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.with_policies(self.file.clone())
    }

    /// Returns these files and folders, or the default manifest, and the files with further policies.
    pub(crate) fn with_policies(&self, mut paths: Vec<PathBuf>) -> Vec<PathBuf> {
        if paths.is_empty() && !self.policies.is_empty() {
            paths.push(DEFAULT_MANIFEST.into());
        }
        paths.extend(self.policies.iter().cloned());
        paths
    }
}

/// The selected shops of the manifest.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct SelectArgs {
    /// Select shops by a glob on handle or domain; may be repeated
    #[arg(long, value_name = "PATTERN")]
    pub(crate) shop: Vec<String>,
    /// Exclude shops by a glob; may be repeated
    #[arg(long, value_name = "PATTERN")]
    pub(crate) exclude_shop: Vec<String>,
    /// Select shops by label; may be repeated
    ///
    /// KEY=VALUE selects shops with the label, KEY!=VALUE shops without it. A shop must match every key that is named,
    /// and any of the values that are named for the same key.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) label: Vec<String>,
    /// Select shard K of N (1-based)
    ///
    /// The shard of a shop depends only on its domain and N.
    #[arg(long, value_name = "K/N", conflicts_with_all = ["shard_index", "shard_count"])]
    pub(crate) shard: Option<String>,
    /// 0-based shard index, with --shard-count
    ///
    /// In a Kubernetes Indexed Job, pass $JOB_COMPLETION_INDEX.
    #[arg(long, value_name = "I", requires = "shard_count")]
    pub(crate) shard_index: Option<u32>,
    /// Number of shards, with --shard-index
    #[arg(long, value_name = "N", requires = "shard_index")]
    pub(crate) shard_count: Option<u32>,
}

/// The limits of a run and its access to shops.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct RunArgs {
    /// Number of shops to process at a time
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = values::parallelism)]
    pub(crate) parallelism: u16,
    /// Time limit of the whole run, such as 90s or 1h
    #[arg(long, value_name = "DURATION", default_value = "30m", value_parser = values::duration)]
    pub(crate) timeout: Duration,
    /// Count shops in this state as unavailable; may be repeated
    ///
    /// An unavailable shop is a finding and does not fail the run. `uninstalled` has no effect with `access_token`:
    /// Shopify then answers 401 both for an uninstalled app and for an invalid token.
    #[arg(long, value_name = "KIND", value_enum)]
    pub(crate) tolerate: Vec<Tolerate>,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// Parses the environment variable of a flag. Any other text is an error, so that a typing error never allows a manifest to
/// run commands.
fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("expected 1 or 0".to_owned()),
    }
}

/// The access to shops and secrets.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct AccessArgs {
    /// Allow the manifest to run commands that print secrets
    #[arg(long, env = "HOOKWRIGHT_ALLOW_COMMANDS", value_parser = yes_or_no)]
    pub(crate) allow_commands: bool,
    /// Allow only secret references that match; may be repeated
    ///
    /// A pattern is `env:NAME`, `file:PATH` or `command:PROGRAM ARGUMENT …`. `*` matches any text; {shop} and {SHOP}
    /// are replaced as in the manifest. The manifest cannot override this option.
    #[arg(long, value_name = "PATTERN", env = "HOOKWRIGHT_SECRETS", value_delimiter = ',')]
    pub(crate) secrets: Vec<crate::auth::Pin>,
    /// Use the embedded sandbox instead of Shopify
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
  hookwright schema manifest > hookwright.schema.json
  hookwright schema plan")]
pub(crate) struct SchemaArgs {
    /// Name of the format
    #[arg(value_enum)]
    pub(crate) name: PublishedFormat,
}
