//! What packagers and editors ask for: schemas and completions.

use clap::{Arg, Command, CommandFactory as _, ValueHint};

use super::Output;
use crate::cli::{Cli, SchemaArgs, SchemaName};
use crate::error::Failure;
use crate::exit::Exit;
use crate::schema::{self, Format};

pub(super) fn schema(args: &SchemaArgs, output: Output) -> Result<Exit, Failure> {
    output.print_json(&schema::of(match args.name {
        SchemaName::Manifest => Format::Manifest,
        SchemaName::Plan => Format::Plan,
        SchemaName::Report => Format::Report,
        SchemaName::Events => Format::Events,
        SchemaName::AuthStatus => Format::AuthStatus,
        SchemaName::Destinations => Format::Destinations,
        SchemaName::Checked => Format::Checked,
        SchemaName::Validate => Format::Validate,
        SchemaName::Topics => Format::Topics,
    }))?;
    Ok(Exit::Done)
}

pub(super) fn completions(shell: clap_complete::Shell, output: Output) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut hinted(Cli::command()), "hookwright", &mut text);
    output.print(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Done)
}

/// Says of each option what its value is: a path, or nothing that a shell could know. clap's `AnyPath` makes bash end
/// a folder with a blank, so that nothing below it can be reached; unknown values would be completed as files.
fn hinted(command: Command) -> Command {
    let hint = |arg: Arg| match arg.get_value_hint() {
        ValueHint::AnyPath => arg.value_hint(ValueHint::FilePath),
        ValueHint::Unknown if arg.get_action().takes_values() && !arg.is_positional() => {
            arg.value_hint(ValueHint::Other)
        }
        _ => arg,
    };
    command.mut_args(hint).mut_subcommands(hinted)
}
