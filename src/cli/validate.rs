//! `validate`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::diagnostic::Code;
use crate::printer::Form;

/// Checks the manifest without asking Shopify or anybody else. Exit code 0: valid; 3: not.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright validate                                    checks hookwright.yaml
  hookwright validate -f base/ -f env/prod.yaml          several files make one manifest
  hookwright validate --deny HW104 --format github       annotations in a pull request
  hookwright validate --format sarif > hookwright.sarif  for GitHub code scanning")]
pub(crate) struct ValidateArgs {
    /// A manifest file, or a folder with several; may be repeated [default: hookwright.yaml].
    #[arg(short = 'f', long = "file", value_name = "PATH")]
    pub(crate) files: Vec<PathBuf>,
    /// How to print what is found: `sarif` for code scanning, `github` for annotations in a pull request.
    #[arg(long, value_enum, default_value_t = ValidateFormat::Text)]
    pub(crate) format: ValidateFormat,
    /// Makes a warning an error, such as HW104; may be repeated. What `lint.allow` silences stays silent.
    #[arg(long, value_name = "CODE")]
    pub(crate) deny: Vec<Code>,
}

/// The formats of `validate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ValidateFormat {
    /// For people.
    Text,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// GitHub workflow commands.
    Github,
}

impl ValidateFormat {
    /// How its output is printed.
    pub(crate) fn printed(self) -> Form {
        match self {
            Self::Text => Form::Text,
            Self::Json | Self::Sarif => Form::Json,
            Self::Github => Form::GithubCommands,
        }
    }
}
