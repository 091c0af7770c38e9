//! `drift`: a plan for cron. Read-only, silent when there is nothing, one verdict when there is.

use std::path::{Path, PathBuf};

use super::files::given;
use super::metrics_file::{Found, MetricsFile};
use super::out_file::{OutFile, apart};
use super::target::state_files;
use super::{Output, event_log};
use crate::cli::{DriftArgs, DriftFormat, Format};
use crate::error::Failure;
use crate::exit::{self, Exit};
use crate::files::{self, ReadError};
use crate::progress::Verbosity;
use crate::render;
use crate::run::{self, PlanPurpose};
use crate::since::History;
use crate::wire;

pub(super) async fn run(args: DriftArgs, output: Output) -> Result<Exit, Failure> {
    // `--out` may take the place of a file of `--since`, which is read before: a job keeps one report.
    let state = state_files(&args.run.access);
    let mut outputs = vec![("--metrics", args.metrics.as_deref())];
    outputs.extend(state.iter().map(|path| ("--sandbox-state", Some(path.as_path()))));
    let inputs: Vec<&Path> = args.since.iter().map(PathBuf::as_path).collect();
    apart(&inputs, &outputs)?;
    outputs.push(("--out", args.out.as_deref()));
    apart(&given(&args.manifest.file), &outputs)?;
    let metrics = args.metrics.as_deref().map(MetricsFile::prepare).transpose()?;
    let mut found = None;
    let ended = drift(&args, output, &mut found).await;
    let Some(file) = metrics else { return ended };
    match file.write(found.as_ref(), &ended) {
        Ok(()) => ended,
        // The first failure is the one to exit with; the second one is said all the same.
        Err(unwritten) if ended.is_err() => {
            output.error(&unwritten.text());
            ended
        }
        Err(unwritten) => Err(unwritten),
    }
}

/// What was found goes to `found` as soon as it is known, whatever becomes of the outputs.
async fn drift(args: &DriftArgs, output: Output, found: &mut Option<Found>) -> Result<Exit, Failure> {
    let out = args.out.as_deref().map(OutFile::prepare).transpose()?;
    let verbosity = if output.quiet { Verbosity::Quiet } else { Verbosity::TerminalOnly };
    let earlier = earlier(args, output)?;
    // Neither a journal nor events: it writes nothing.
    let (recorder, _) = event_log::open(None, None, Format::Text, output)?;
    let opened = run::open(&args.manifest, &args.select, &args.run, verbosity, output, recorder).await?;
    let run = opened.resolve(None, args.verify_destinations, output).await?;
    let plan = run.plan(PlanPurpose::Nothing, None, earlier.as_ref(), |plan| exit::of_drift(plan) as u8).await;
    let token_ends = run.token_ends(&plan);
    let (exit, attention) = (exit::of_drift(&plan), plan.needs_attention());
    let plan = &found.insert(Found { plan: plan.into(), token_ends }).plan;
    run.session.target.close().await?;

    if let Some(file) = out {
        file.write_json(plan)?;
    }
    match args.format {
        // A pipe that parses JSON wants some, whatever it says.
        DriftFormat::Json => output.print_json(plan)?,
        _ if !attention && plan.complete => {}
        DriftFormat::Text => output.print(&render::plan_text(plan, &output.style()))?,
        DriftFormat::Markdown => output.print(&render::drift_markdown(plan))?,
    }
    Ok(exit)
}

/// What --since takes, for a file that is missing.
const SINCE: &str = "--since takes a file of an earlier run: a journal (apply --journal FILE), an apply report (apply \
                     --report FILE) or a drift report (drift --out FILE); with `--since FILE --out FILE` the first run writes \
                     it, and it may be missing before";

/// What the files of `--since` show. Read before `--out` may replace one of them.
fn earlier(args: &DriftArgs, output: Output) -> Result<Option<History>, Failure> {
    let mut history = History::default();
    for path in &args.since {
        let bytes = match files::read(path, files::OWN) {
            Ok(bytes) => bytes,
            // The first night of a job that keeps its last report under one name.
            Err(ReadError::Missing) if args.out.as_ref() == Some(path) => continue,
            Err(error) => {
                let failure = Failure::invalid(format!("cannot read {} of --since: {error}", path.display()));
                return Err(match error {
                    ReadError::Missing => failure.hint(SINCE),
                    _ => failure,
                });
            }
        };
        wire::earlier::add(&mut history, &bytes).map_err(|e| Failure::invalid(format!("{}: {e}", path.display())))?;
    }
    if history.unreadable_lines > 0 {
        output.remark(&format!(
            "{} lines of the journals were cut off or damaged, and passed over\n",
            history.unreadable_lines
        ));
    }
    Ok((!args.since.is_empty()).then_some(history))
}
