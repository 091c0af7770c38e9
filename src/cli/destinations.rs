//! Arguments of `hookwright destinations`.

use clap::Args;

use super::{Format, ManifestArgs, RunArgs, SelectArgs};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright destinations
  hookwright destinations --format json
  hookwright destinations --sandbox -f examples/aep

Resolves destinations that name a dataflow or a connection, searches Adobe for the dataflow or connection of each \
literal address, and reads the last run of each dataflow. The command sends no request to Shopify and changes nothing.

Exit codes: 2 a destination needs attention; 1, 4, 5 or 8 a request to Adobe failed.")]
pub(crate) struct DestinationsArgs {
    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
