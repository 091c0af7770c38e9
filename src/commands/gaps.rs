//! `gaps`: lists the windows in which bindings were not live, from the files of earlier runs.

use std::path::PathBuf;

use super::Output;
use crate::cli::gaps::{GapsArgs, GapsFormat};
use crate::error::Failure;
use crate::exit::Exit;
use crate::files;
use crate::render;
use crate::since::History;
use crate::text::plural;
use crate::wire;
use crate::wire::gaps::Gaps;

pub(super) fn run(args: &GapsArgs, output: Output) -> Result<Exit, Failure> {
    let history = history(&args.files)?;
    remark_on_lines(&history, output);
    let gaps = Gaps::new(&history.gaps());
    match args.format {
        GapsFormat::Text => output.print(&render::gaps_text(&gaps, &output.style()))?,
        GapsFormat::Csv => output.print(&render::gaps_csv(&gaps))?,
        GapsFormat::Json => output.print_json(&gaps)?,
    }
    Ok(Exit::Done)
}

fn history(paths: &[PathBuf]) -> Result<History, Failure> {
    let mut history = History::default();
    for path in paths {
        let bytes = files::read(path, files::OWN)
            .map_err(|error| Failure::invalid(format!("cannot read {}: {error}", path.display())))?;
        if bytes.is_empty() {
            return Err(Failure::invalid(format!("{}: the file is empty", path.display())));
        }
        wire::earlier::add(&mut history, &bytes)
            .map_err(|error| Failure::invalid(format!("{}: {error}", path.display())))?;
    }
    Ok(history)
}

/// Reports journal lines that could not be read.
pub(super) fn remark_on_lines(history: &History, output: Output) {
    if history.unreadable_lines > 0 {
        let lines = plural(history.unreadable_lines, "truncated or damaged line");
        output.remark(&format!("Ignored {lines} of the journals.\n"));
    }
}
