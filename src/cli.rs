//! The command line as types. Parsing has no side effects.

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
use crate::plan::{Consent, Origin};
use crate::render::Link;
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

/// Output formats of `show`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowFormat {
    /// For a terminal
    Text,
    /// The saved format
    Json,
    /// For a comment on a pull request; a hidden marker in the first line identifies the comment
    Markdown,
    /// A self-contained page with a matrix of shops and topics
    Html,
}

/// Output formats of `drift`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DriftFormat {
    /// For a terminal or an email; empty without drift
    Text,
    /// The drift report, in the format of a plan
    Json,
    /// For an issue; empty without drift
    Markdown,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a commented manifest, its JSON Schema and a .gitignore
    Init(init::InitArgs),
    /// Check a manifest offline
    Validate(validate::ValidateArgs),
    /// Show the changes that an apply would make
    Plan(PlanArgs),
    /// Apply a saved plan, or plan, ask for confirmation and apply
    Apply(ApplyArgs),
    /// Report drift: silent without drift, otherwise exit code 2
    Drift(DriftArgs),
    /// Show the addresses, states and last runs of destinations
    Destinations(DestinationsArgs),
    /// Render saved plans or apply reports; shards are merged
    Show(ShowArgs),
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
  hookwright plan -f hookwright.yaml
  hookwright plan --label env=prod --out plan.json --detailed-exitcode
  hookwright plan --base main/hookwright.yaml   separate changes from drift")]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Name of the run, such as an environment
    ///
    /// It is in the plan, its renderings, the marker of the comment and the metrics, so that several runs over one folder
    /// are told apart.
    #[arg(long, value_name = "NAME", value_parser = crate::plan::run_name)]
    pub(crate) name: Option<String>,
    /// Save the plan to a file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Exit with code 2 if the plan is not empty
    ///
    /// The exit code is 2 for changes, blocked bindings and findings that need attention.
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    /// Exit with code 6 if a hazard has no consent
    ///
    /// The plan is printed and saved all the same. The consents are those under `consents` in the manifest. With --shard,
    /// only the hazards of shops are checked; `show --check` checks those of the run. The exit code of a shop that could
    /// not be read, or of a blocked binding, takes precedence.
    #[arg(long)]
    pub(crate) check: bool,
    /// Base manifest that separates drift from changes
    ///
    /// Usually the manifest of the target branch. A change that the base manifest would plan too has the origin `drift`,
    /// any other change the origin `manifest`. May be repeated; the files are merged.
    #[arg(long, value_name = "PATH")]
    pub(crate) base: Vec<PathBuf>,
    /// Plan only the changes of this origin, with --base
    ///
    /// `manifest` plans the changes of this manifest and leaves drift to the drift job; `drift` does the reverse. The
    /// plan lists what it leaves out. Changes of one topic in one shop stay together. With `manifest`, a shop that cannot
    /// be read fails the run only if the manifest changes it.
    #[arg(long, value_name = "ORIGIN", requires = "base", value_parser = values::origin())]
    pub(crate) only: Option<Origin>,
    /// Check addresses and dataflows at Adobe
    ///
    /// The manifest must contain `aep`.
    #[arg(long)]
    pub(crate) verify_destinations: bool,
    /// Write events as JSON lines during the run; `-` is stdout
    ///
    /// With `-`, the text output goes to stderr.
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright apply plan.json --report report.json    apply a reviewed plan
  hookwright apply plan.json --journal apply.jsonl   record each mutation
  hookwright apply                                   plan, confirm and apply
  hookwright apply --auto-approve --allow empty_shop:old-shop

A plan with hazards is refused (exit code 6) until each hazard has consent: under `consents` in the manifest, or \
with --allow KIND:SHOP for a hazard of one shop and --allow KIND for a hazard of the whole run.

After SIGINT, SIGTERM or SIGHUP, requests in flight finish and the report is written. A second signal aborts.")]
pub(crate) struct ApplyArgs {
    /// Saved plan; by default, plan and ask for confirmation
    pub(crate) plan: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Name of the run, such as an environment
    ///
    /// It is in the plan, its renderings, the marker of the comment and the metrics, so that several runs over one folder
    /// are told apart.
    #[arg(long, value_name = "NAME", value_parser = crate::plan::run_name)]
    pub(crate) name: Option<String>,
    /// Apply without asking for confirmation
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// Consent to a hazard; may be repeated
    ///
    /// KIND:SHOP consents to a hazard of one shop (SHOP is a glob), KIND to a hazard of the whole run. The consents of the manifest
    /// count, too.
    #[arg(long, value_name = "CONSENT", value_parser = Consent::parse)]
    pub(crate) allow: Vec<Consent>,
    /// Write a JSON report with one outcome for each change
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Append each mutation and its outcome to a journal
    ///
    /// Each mutation is written to disk before it is sent. Its outcome is written after the answer.
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    /// Write events as JSON lines during the run; `-` is stdout
    ///
    /// With `-`, the text output goes to stderr.
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    /// Refuse the plan unless its `plan_digest` is DIGEST
    #[arg(long, value_name = "DIGEST", requires = "plan")]
    pub(crate) expect_digest: Option<String>,
    /// File written by `show --check --out`
    ///
    /// The plan of a shard requires it, because hazards of the run are judged over all shards.
    #[arg(long, value_name = "FILE", requires = "plan")]
    pub(crate) checked: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright drift                                     silent without drift
  hookwright drift --since apply.jsonl                 compare with a journal
  hookwright drift --since last.json --out last.json   report what is new
  hookwright drift --metrics /var/lib/node_exporter/hookwright.prom

The exit code is also 2 if an earlier report already contains the drift.")]
pub(crate) struct DriftArgs {
    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Name of the run, such as an environment
    ///
    /// It is in the plan, its renderings, the marker of the comment and the metrics, so that several runs over one folder
    /// are told apart.
    #[arg(long, value_name = "NAME", value_parser = crate::plan::run_name)]
    pub(crate) name: Option<String>,
    /// Journal or report of an earlier run; may be repeated
    ///
    /// A journal, an apply report or an earlier drift report. With it, drift is reported as removed outside Hookwright or
    /// not live in any earlier file, and as new or known. The file may be missing if --out writes it.
    #[arg(long, value_name = "FILE")]
    pub(crate) since: Vec<PathBuf>,
    /// Save the drift report, in the format of a plan
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write Prometheus metrics to a text file
    ///
    /// The file is also written if the run fails. node_exporter reads files named *.prom. Use a separate file for each
    /// manifest, selection and shard: its name is the value of the label `run`, and the time of the last success is
    /// read from the previous file.
    #[arg(long, value_name = "FILE")]
    pub(crate) metrics: Option<PathBuf>,
    /// Check addresses and dataflows at Adobe
    ///
    /// The manifest must contain `aep`.
    #[arg(long)]
    pub(crate) verify_destinations: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = DriftFormat::Text)]
    pub(crate) format: DriftFormat,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright destinations
  hookwright destinations --format json
  hookwright destinations --sandbox -f examples/aep

Resolves destinations that name a dataflow or a connection, searches Adobe for the dataflow or connection of each \
literal address, and reads the last run of each dataflow. The command sends no request to Shopify and changes nothing.

Exit codes: 2 a destination needs attention; 1, 4, 5 or 8 a request to Adobe failed.")]
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
  hookwright show plan.json --format markdown > comment.md
  hookwright show --format html shard-*.json > plan.html
  hookwright show shard-*.json --check --out checked.json")]
pub(crate) struct ShowArgs {
    /// Saved plans or apply reports
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = ShowFormat::Text)]
    pub(crate) format: ShowFormat,
    /// Add a link to the Markdown or HTML; may be repeated
    ///
    /// For example `--link run=https://ci.example.com/42`, or a link to the HTML page of the plan.
    #[arg(long, value_name = "NAME=URL", value_parser = values::link)]
    pub(crate) link: Vec<Link>,
    /// Check the hazards of all plans together
    ///
    /// The exit code is 6 if a hazard has no consent: neither with --allow nor under `consents` in the manifest, as the
    /// plans record them.
    #[arg(long)]
    pub(crate) check: bool,
    /// Consent to a hazard, with --check; may be repeated
    #[arg(long, value_name = "CONSENT", requires = "check", value_parser = Consent::parse)]
    pub(crate) allow: Vec<Consent>,
    /// Write the check file for `apply --checked`
    #[arg(long, value_name = "FILE", requires = "check")]
    pub(crate) out: Option<PathBuf>,
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
