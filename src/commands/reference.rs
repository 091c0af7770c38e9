//! What packagers and editors ask for: schemas and completions.

use clap::CommandFactory as _;

use super::{Output, json_text};
use crate::cli::{Cli, SchemaArgs, SchemaName};
use crate::error::Failure;
use crate::exit::Exit;
use crate::schema;

pub(super) fn schema(args: &SchemaArgs, output: Output) -> Result<Exit, Failure> {
    output.print(&json_text(&match args.name {
        SchemaName::Manifest => schema::manifest(),
        SchemaName::Plan => schema::plan(),
        SchemaName::Report => schema::report(),
        SchemaName::Events => schema::events(),
    }))?;
    Ok(Exit::Done)
}

pub(super) fn completions(shell: clap_complete::Shell, output: Output) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "hookwright", &mut text);
    output.print(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Done)
}
