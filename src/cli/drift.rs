//! Arguments of `hookwright drift`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{ManifestArgs, RunArgs, SelectArgs};

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
