//! `completions`

use clap::{Arg, Args, Command, ValueHint};

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

/// Says of each option what its value is: a path, or nothing that a shell could know. clap's `AnyPath` makes bash end
/// a folder with a blank, so that nothing below it can be reached; unknown values would be completed as files.
pub(crate) fn hinted(command: Command) -> Command {
    let hint = |arg: Arg| match arg.get_value_hint() {
        ValueHint::AnyPath => arg.value_hint(ValueHint::FilePath),
        ValueHint::Unknown if arg.get_action().takes_values() && !arg.is_positional() => {
            arg.value_hint(ValueHint::Other)
        }
        _ => arg,
    };
    command.mut_args(hint).mut_subcommands(hinted)
}
