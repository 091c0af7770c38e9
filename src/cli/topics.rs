//! Arguments of `hookwright topics`.

use clap::{Args, ValueEnum};

use crate::printer::Form;

/// List webhook topics with their scopes and notes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright topics orders                 topics with this word
  hookwright topics --scope write_orders   topics that a scope allows
  hookwright topics --format json")]
pub(crate) struct TopicsArgs {
    /// List only topics that contain each word, in either spelling
    #[arg(value_name = "WORD")]
    pub(crate) words: Vec<String>,
    /// List only topics that this scope allows; may be repeated
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Vec<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t = TopicsFormat::Text)]
    pub(crate) format: TopicsFormat,
}

/// Output formats of `topics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TopicsFormat {
    /// Text columns
    Text,
    /// A JSON array
    Json,
}

impl TopicsFormat {
    /// Returns the form in which the printer writes this format.
    pub(crate) fn printed(self) -> Form {
        match self {
            Self::Text => Form::Text,
            Self::Json => Form::Json,
        }
    }
}
