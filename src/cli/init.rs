//! Arguments of `hookwright init`.

use std::path::PathBuf;

use clap::Args;

/// Create a commented manifest, its JSON Schema and a .gitignore
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright init                   create hookwright.yaml
  hookwright init shops/acme.yaml   create another file

The JSON Schema for editors is written to hookwright.schema.json in the folder of the manifest. The line .hookwright/ is \
added to the .gitignore of the current folder, because that folder contains the sandbox state and tokens. The command \
asks nothing, and an existing file is never overwritten.")]
pub(crate) struct InitArgs {
    /// File to create; an existing file is never overwritten
    #[arg(value_name = "PATH", default_value = super::DEFAULT_MANIFEST)]
    pub(crate) path: PathBuf,
}
