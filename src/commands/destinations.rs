//! `destinations`: looks up the destinations of the manifest at Adobe. Sends no request to a shop.

use super::{Output, event_log};
use crate::cli::Format;
use crate::cli::destinations::DestinationsArgs;
use crate::error::Failure;
use crate::exit::{self, Cause, Exit};
use crate::render;
use crate::run;
use crate::wire;
use crate::wire::destinations::Destinations;
use crate::wire::plan::Severity;

pub(super) async fn run(args: DestinationsArgs, output: Output) -> Result<Exit, Failure> {
    let (recorder, output) = event_log::open(None, None, args.format, output)?;
    let opened = run::open(&args.manifest, &args.select, &args.run, output.verbosity(), output, recorder).await?;
    let destinations =
        opened.all_destinations().await?.iter().map(Into::into).collect::<Vec<wire::plan::Destination>>();
    opened.session.target.close().await?;

    let unknown = destinations.iter().filter_map(|d| d.error.as_ref());
    let known = destinations.iter().any(|d| d.error.is_none());
    let exit = match exit::of_causes(unknown.map(|e| Cause::of_kind(&e.kind)), known) {
        Exit::Done if destinations.iter().any(|d| d.severity == Severity::Attention) => Exit::Changes,
        exit => exit,
    };
    match args.format {
        Format::Text => output.print(&render::destinations_text(&destinations, &output.style()))?,
        Format::Json => output.print_json(&Destinations::new(exit as u8, destinations))?,
    }
    Ok(exit)
}
