//! Arguments of `hookwright validate`.

use clap::{Args, ValueEnum};

use super::ManifestArgs;

use crate::diagnostic::Code;
use crate::printer::Form;

/// Check a manifest offline
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright validate                                check hookwright.yaml
  hookwright validate -f base/ -f env/prod.yaml      merge several files
  hookwright validate --deny HW104 --format github   for a pull request
  hookwright validate --format sarif > hookwright.sarif

Exit codes: 0 the manifest is valid; 3 it is not valid.")]
pub(crate) struct ValidateArgs {
    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t = ValidateFormat::Text)]
    pub(crate) format: ValidateFormat,
    /// Treat a warning as an error, such as HW104; may be repeated
    ///
    /// A warning that `lint.allow` silences stays silent.
    #[arg(long, value_name = "CODE")]
    pub(crate) deny: Vec<Code>,
}

/// Output formats of `validate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ValidateFormat {
    /// For a terminal
    Text,
    /// A JSON document
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// GitHub workflow commands, for annotations in a pull request
    Github,
}

impl ValidateFormat {
    /// Returns the form in which the printer writes this format.
    pub(crate) fn printed(self) -> Form {
        match self {
            Self::Text => Form::Text,
            Self::Json | Self::Sarif => Form::Json,
            Self::Github => Form::GithubCommands,
        }
    }
}
