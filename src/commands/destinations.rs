//! `destinations`: what Adobe says of where the manifest's bindings lead. Asks nothing of a shop.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Output, event_log};
use crate::cli::{DestinationsArgs, Format};
use crate::error::Failure;
use crate::exit::{self, Cause, Exit};
use crate::render;
use crate::run;
use crate::wire::plan::{Destination, Severity};

/// What `destinations --format json` prints. A minor version adds keys.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Told {
    /// `1.x`
    format_version: String,
    /// Version of the hookwright that wrote it.
    tool_version: String,
    /// What the command exited with.
    exit_code: u8,
    /// Sorted by name.
    destinations: Vec<Destination>,
}

pub(super) async fn run(args: DestinationsArgs, output: Output) -> Result<Exit, Failure> {
    let (recorder, output) = event_log::open(None, None, args.format, output)?;
    let opened = run::open(&args.manifest, &args.select, &args.run, output.verbosity(), output, recorder).await?;
    let destinations = opened.all_destinations().await?;
    opened.session.target.close().await?;

    let unknown = destinations.iter().filter_map(|d| d.error.as_ref());
    let known = destinations.iter().any(|d| d.error.is_none());
    let exit = match exit::of_causes(unknown.map(|e| Cause::of_kind(&e.kind)), known) {
        Exit::Done if destinations.iter().any(|d| d.severity == Severity::Attention) => Exit::Changes,
        exit => exit,
    };
    match args.format {
        Format::Text => output.print(&render::destinations_text(&destinations, &output.style()))?,
        Format::Json => output.print_json(&Told {
            format_version: "1.0".to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            exit_code: exit as u8,
            destinations,
        })?,
    }
    Ok(exit)
}
