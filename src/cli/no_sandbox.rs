//! Arguments of `hookwright sandbox` in a build without the feature `sandbox`. All arguments are accepted, so that the command
//! can print why it is unavailable.

use std::ffi::OsString;

use clap::Args;

/// Unavailable in this build
#[derive(Debug, Args)]
#[command(hide = true, disable_help_flag = true)]
pub(crate) struct SandboxArgs {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _any: Vec<OsString>,
}
