//! Arguments of `hookwright completions`, and completion hints.

use clap::{Arg, Args, Command, ValueHint};

/// Print a shell completion script
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright completions bash > /etc/bash_completion.d/hookwright
  hookwright completions zsh > \"${fpath[1]}/_hookwright\"
  hookwright completions fish > ~/.config/fish/completions/hookwright.fish
  hookwright completions powershell >> $PROFILE")]
pub(crate) struct CompletionsArgs {
    /// Shell of the script
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// Sets the completion hint of each option. Paths are `FilePath`, because with clap's `AnyPath` bash adds a space after a
/// folder and cannot complete below it. Other values are `Other`, because shells complete unknown values as file names.
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
