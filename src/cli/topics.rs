//! `topics`

use clap::{Args, ValueEnum};

use crate::printer::Form;

/// Lists the webhook topics that are known, with the access scopes that they need.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright topics orders                   every topic with that word in its name
  hookwright topics --scope write_orders     what a scope allows
  hookwright topics --format json")]
pub(crate) struct TopicsArgs {
    /// Only topics that contain each of these words, in either spelling.
    #[arg(value_name = "WORD")]
    pub(crate) words: Vec<String>,
    /// Only topics that this scope allows, such as write_orders; may be repeated.
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Vec<String>,
    /// Text columns or a JSON array.
    #[arg(long, value_enum, default_value_t = TopicsFormat::Text)]
    pub(crate) format: TopicsFormat,
}

/// The formats of `topics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TopicsFormat {
    /// Columns.
    Text,
    /// A JSON array.
    Json,
}

impl TopicsFormat {
    /// How its output is printed.
    pub(crate) fn printed(self) -> Form {
        match self {
            Self::Text => Form::Text,
            Self::Json => Form::Json,
        }
    }
}
