//! `init`

use std::path::PathBuf;

use clap::Args;

/// Writes a first manifest with comments, and what belongs to it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright init                         writes hookwright.yaml
  hookwright init shops/acme.yaml         or another file

The JSON Schema for editors is written beside the manifest, as hookwright.schema.json, and the line .hookwright/ is added to \
the .gitignore of the current folder: the sandbox's state and tokens are kept there. Nothing is asked, and a file that \
exists is never overwritten.")]
pub(crate) struct InitArgs {
    /// Where to write it; an existing file is never overwritten.
    #[arg(value_name = "PATH", default_value = super::DEFAULT_MANIFEST)]
    pub(crate) path: PathBuf,
}
