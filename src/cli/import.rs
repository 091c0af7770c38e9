//! `import`

use std::path::PathBuf;

use clap::Args;

use super::{RunArgs, SelectArgs};
use crate::model::ApiVersion;

/// Where a token is when no manifest says it.
const TOKEN_ENV: &str = "SHOPIFY_TOKEN_{SHOP}";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright import --shop tea-house --shop coffee-bar         what is live there
  hookwright import --shop tea-house --scopes --out hookwright.yaml
  hookwright import --shop tea-house --api-version 2026-07     over a version of the Admin API
  hookwright import -f hookwright.yaml --all                   how its shops really are

A plan right after it has nothing to do. A shop that could not be read is not in it, the comment at its top says so, and \
the exit code is that of a plan.")]
pub(crate) struct ImportArgs {
    /// A manifest whose shops are read: its auth, admin_api, scopes, ownership, labels and names of destinations are taken
    /// over, its bindings, safety and lint are not; may be repeated. Without one, --shop takes the names of shops
    #[arg(short, long = "file", value_name = "PATH", help_heading = "Manifest")]
    pub(crate) file: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Environment variable with a shop's token, where no manifest says it; {SHOP} stands for the shop's handle in upper
    /// case with _ for -, {shop} for the handle
    #[arg(long, value_name = "NAME", default_value = TOKEN_ENV, conflicts_with = "file")]
    pub(crate) token_env: String,
    /// Version of the Admin API to ask and to write, where no manifest says it, such as 2026-07 or unstable
    #[arg(long, value_name = "VERSION", conflicts_with = "file", value_parser = ApiVersion::parse)]
    pub(crate) api_version: Option<ApiVersion>,
    /// Write the scopes that are granted, instead of those of the manifest
    #[arg(long)]
    pub(crate) scopes: bool,
    /// Take in unmanaged subscriptions, too, and add the ownership prefixes that they need
    #[arg(long)]
    pub(crate) all: bool,
    /// Write to a file instead of standard output, which `-` names, too; an existing one is not overwritten
    #[arg(long, value_name = "PATH")]
    pub(crate) out: Option<PathBuf>,
    /// Overwrite the file of --out
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}
