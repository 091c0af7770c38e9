//! Arguments of `hookwright import`.

use std::path::PathBuf;

use clap::Args;

use super::{RunArgs, SelectArgs};
use crate::model::ApiVersion;

/// The default environment variable of a token without a manifest.
const TOKEN_ENV: &str = "SHOPIFY_TOKEN_{SHOP}";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright import --shop tea-house --shop coffee-bar
  hookwright import --shop tea-house --scopes --out hookwright.yaml
  hookwright import --shop tea-house --api-version 2026-07
  hookwright import -f hookwright.yaml --all

A plan with the new manifest has no changes. A shop that could not be read is omitted and named in a comment at the top \
of the manifest. The exit codes are those of `plan`.")]
pub(crate) struct ImportArgs {
    /// Manifest file or folder; may be repeated
    ///
    /// The shops of this manifest are read. `auth`, `admin_api`, `scopes`, `ownership`, labels and names of destinations
    /// are copied to the new manifest; bindings, `safety` and `lint` are not. Without a manifest, --shop names the shops.
    #[arg(short, long = "file", value_name = "PATH", help_heading = "Manifest")]
    pub(crate) file: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Environment variable with the token of a shop
    ///
    /// {shop} is replaced by the handle of the shop, {SHOP} by the handle in upper case with `_` instead of `-`.
    #[arg(long, value_name = "NAME", default_value = TOKEN_ENV, conflicts_with = "file")]
    pub(crate) token_env: String,
    /// Version of the Admin API, such as 2026-07 or unstable
    ///
    /// It is used for the requests and written to the manifest.
    #[arg(long, value_name = "VERSION", conflicts_with = "file", value_parser = ApiVersion::parse)]
    pub(crate) api_version: Option<ApiVersion>,
    /// Write the granted scopes instead of those of the manifest
    #[arg(long)]
    pub(crate) scopes: bool,
    /// Include unmanaged subscriptions
    ///
    /// The ownership prefixes that they require are added.
    #[arg(long)]
    pub(crate) all: bool,
    /// Write to a file; `-` is stdout (default)
    ///
    /// An existing file is overwritten only with --force.
    #[arg(long, value_name = "PATH")]
    pub(crate) out: Option<PathBuf>,
    /// Overwrite the file that --out names
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}
