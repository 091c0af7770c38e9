//! Arguments of `hookwright sandbox` in a build without the feature `sandbox`: any, so that the command can say so.

use std::ffi::OsString;

use clap::Args;

/// Not in this build
#[derive(Debug, Args)]
#[command(hide = true, disable_help_flag = true)]
pub(crate) struct SandboxArgs {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _any: Vec<OsString>,
}
