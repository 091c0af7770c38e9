//! Arguments of `hookwright gaps`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// List the windows in which bindings were not live
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright gaps last.json report.json
  hookwright gaps reports/*.json apply.jsonl --format csv > gaps.csv

The command reads files only. Each window begins with the last file that shows the binding live and ends with the first \
file that shows it live again, so it is an upper bound. Events can be lost up to 4 hours earlier: before Shopify removes a \
subscription, its deliveries fail.")]
pub(crate) struct GapsArgs {
    /// Drift reports, apply reports and journals, in any order
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = GapsFormat::Text)]
    pub(crate) format: GapsFormat,
}

/// Output formats of `gaps`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GapsFormat {
    /// For a terminal
    Text,
    /// One line for each binding and window
    Csv,
    /// One object for each binding and window
    Json,
}
