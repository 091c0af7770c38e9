//! Arguments of `hookwright plan` and `hookwright apply`.

use std::path::PathBuf;

use clap::Args;

use super::values;
use super::{Format, ManifestArgs, RunArgs, SelectArgs};
use crate::plan::{Consent, Origin};

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
