//! `man`

use std::path::PathBuf;

use clap::Args;

/// Print a man page, of the program or of one command, or write all of them
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright man | man -l -                      read the page of the program
  hookwright man sandbox serve | man -l -        and of a command below another
  hookwright man --all /usr/share/man/man1       for packagers: every page, one file each")]
pub(crate) struct ManArgs {
    /// A command, such as `plan` or `sandbox serve`
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    /// Write every page into this folder, which is made if it is missing
    #[arg(long, value_name = "DIR", conflicts_with = "command", value_hint = clap::ValueHint::DirPath)]
    pub(crate) all: Option<PathBuf>,
}
