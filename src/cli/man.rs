//! Arguments of `hookwright man`.

use std::path::PathBuf;

use clap::Args;

/// Print a man page or write all man pages to a folder
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright man | man -l -
  hookwright man sandbox serve | man -l -
  hookwright man --all /usr/share/man/man1   write all pages")]
pub(crate) struct ManArgs {
    /// Command, such as `plan` or `sandbox serve`
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    /// Write all pages to this folder and create it if necessary
    #[arg(long, value_name = "DIR", conflicts_with = "command", value_hint = clap::ValueHint::DirPath)]
    pub(crate) all: Option<PathBuf>,
}
