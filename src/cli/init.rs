//! `init`

use std::path::PathBuf;

use clap::Args;

/// Writes a first manifest with comments.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright init                         writes hookwright.yaml
  hookwright init shops/acme.yaml         or another file")]
pub(crate) struct InitArgs {
    /// Where to write it; an existing file is never overwritten.
    #[arg(value_name = "PATH", default_value = super::DEFAULT_MANIFEST)]
    pub(crate) path: PathBuf,
}
