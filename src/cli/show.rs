//! Arguments of `hookwright show`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values;
use crate::plan::Consent;
use crate::render::Link;

/// Output formats of `show`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowFormat {
    /// For a terminal
    Text,
    /// The saved format
    Json,
    /// For a comment on a pull request; a hidden marker in the first line identifies the comment
    Markdown,
    /// A self-contained page with a matrix of shops and topics
    Html,
    /// A message for Slack (Block Kit), to post with curl
    Slack,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright show plan.json
  hookwright show plan.json --format markdown > comment.md
  hookwright show --format html shard-*.json > plan.html
  hookwright show shard-*.json --check --out checked.json")]
pub(crate) struct ShowArgs {
    /// Saved plans or apply reports
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = ShowFormat::Text)]
    pub(crate) format: ShowFormat,
    /// Add a link to Markdown, HTML or Slack; may be repeated
    ///
    /// For example `--link run=https://ci.example.com/42`, or a link to the HTML page of the plan.
    #[arg(long, value_name = "NAME=URL", value_parser = values::link)]
    pub(crate) link: Vec<Link>,
    /// Check the hazards of all plans together
    ///
    /// The exit code is 6 if a hazard has no consent: neither with --allow nor under `consents` in the manifest, as the
    /// plans record them.
    #[arg(long)]
    pub(crate) check: bool,
    /// Consent to a hazard, with --check; may be repeated
    #[arg(long, value_name = "CONSENT", requires = "check", value_parser = Consent::parse)]
    pub(crate) allow: Vec<Consent>,
    /// Write the check file for `apply --checked`
    #[arg(long, value_name = "FILE", requires = "check")]
    pub(crate) out: Option<PathBuf>,
}
