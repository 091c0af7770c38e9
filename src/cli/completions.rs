//! `completions`

use clap::Args;

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright completions bash > /etc/bash_completion.d/hookwright
  hookwright completions zsh > \"${fpath[1]}/_hookwright\"
  hookwright completions fish > ~/.config/fish/completions/hookwright.fish
  hookwright completions powershell >> $PROFILE")]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}
