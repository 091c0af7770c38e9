//! `schema`, `completions` and `man`.

use clap::CommandFactory as _;

use super::{Output, now};
use crate::cli::man::ManArgs;
use crate::cli::{Cli, SchemaArgs, completions, man_page};
use crate::error::Failure;
use crate::exit::Exit;
use crate::schema;

pub(super) fn schema(args: &SchemaArgs, output: Output) -> Result<Exit, Failure> {
    output.print_json(&schema::of(args.name))?;
    Ok(Exit::Done)
}

pub(super) fn completions(shell: clap_complete::Shell, output: Output) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut completions::hinted(Cli::command()), "hookwright", &mut text);
    output.print(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Done)
}

/// Prints a man page, or writes all man pages to a folder.
pub(super) fn man(args: &ManArgs, output: Output) -> Result<Exit, Failure> {
    let date = now().strftime("%Y-%m-%d").to_string();
    let Some(folder) = &args.all else {
        let page = man_page::named(&args.command, &date).map_err(|unknown| {
            let man_page::Unknown { command, parent } = unknown;
            Failure::invalid(format!("unknown command `{command}`"))
                .hint(format!("run `{parent} --help` to list the commands"))
        })?;
        output.print(&page)?;
        return Ok(Exit::Done);
    };
    let pages = man_page::all(&date);
    let write = || {
        std::fs::create_dir_all(folder)?;
        pages.iter().try_for_each(|(name, page)| std::fs::write(folder.join(name), page))
    };
    write().map_err(|e| {
        let why = crate::words::of_io(&e);
        Failure::new(Exit::Error, format!("cannot write the man pages to {}: {why}", folder.display()))
    })?;
    output.remark(&format!("Wrote {} man pages to {}\n", pages.len(), folder.display()));
    Ok(Exit::Done)
}
