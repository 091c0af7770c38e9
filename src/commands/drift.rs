//! `drift`: a plan for cron. Read-only; prints nothing if there is no drift.

use std::path::{Path, PathBuf};

use super::files::given;
use super::gaps::remark_on_lines;
use super::metrics_file::{Found, MetricsFile};
use super::out_file::{OutFile, apart};
use super::target::state_files;
use super::{Output, event_log, repair};
use crate::cli::Format;
use crate::cli::drift::{DriftArgs, DriftFormat};
use crate::error::Failure;
use crate::exit::{self, Exit};
use crate::files::{self, ReadError};
use crate::progress::Verbosity;
use crate::render;
use crate::run::{self, PlanPurpose};
use crate::since::History;
use crate::wire;
use crate::wire::plan::Plan;

pub(super) async fn run(args: DriftArgs, output: Output) -> Result<Exit, Failure> {
    // `--out` can replace a file of `--since`, which is read before, so that a job keeps one report.
    let state = state_files(&args.run.access);
    let mut outputs = vec![("--metrics", args.metrics.as_deref())];
    outputs.extend(state.iter().map(|path| ("--sandbox-state", Some(path.as_path()))));
    let inputs: Vec<&Path> = args.since.iter().map(PathBuf::as_path).collect();
    apart(&inputs, &outputs)?;
    outputs.push(("--out", args.out.as_deref()));
    apart(&given(&args.manifest.paths()), &outputs)?;
    let metrics = args.metrics.as_deref().map(|path| MetricsFile::prepare(path, args.name.as_deref())).transpose()?;
    let mut found = None;
    let ended = drift(&args, output, &mut found).await;
    let Some(file) = metrics else { return ended };
    match file.write(found.as_ref(), &ended) {
        Ok(()) => ended,
        // The first failure determines the exit code; the second one is printed, too.
        Err(unwritten) if ended.is_err() => {
            output.error(&unwritten.text());
            ended
        }
        Err(unwritten) => Err(unwritten),
    }
}

/// Reads the shops and prints the drift. Stores the plan in `found` before it writes any output.
async fn drift(args: &DriftArgs, output: Output, found: &mut Option<Found>) -> Result<Exit, Failure> {
    let out = args.out.as_deref().map(OutFile::prepare).transpose()?;
    let verbosity = if output.quiet { Verbosity::Quiet } else { Verbosity::TerminalOnly };
    let earlier = earlier(args, output)?;
    // `drift` sends no changes, so it has neither a journal nor events.
    let (recorder, _) = event_log::open(None, None, Format::Text, output)?;
    let mut opened = run::open(&args.manifest, &args.select, &args.run, verbosity, output, recorder).await?;
    opened.session.settings.name.clone_from(&args.name);
    let run = opened.resolve(None, args.verify_destinations, output).await?;
    let plan = run.plan(PlanPurpose::Drift, None, earlier.as_ref(), |plan| exit::of_drift(plan) as u8).await;
    let token_ends = run.token_ends(&plan);
    let (exit, attention) = (exit::of_drift(&plan), plan.needs_attention());
    let commands = Some(repair::of_run(&plan, args, &run.session.target.options));
    let plan = Plan { commands, ..Plan::from(plan) };
    let plan = &found.insert(Found { plan, token_ends }).plan;
    run.session.target.close().await?;

    if let Some(file) = out {
        file.write_json(plan)?;
    }
    match args.format {
        // A parser needs a JSON document even if there is no drift.
        DriftFormat::Json => output.print_json(plan)?,
        _ if !attention && plan.complete => {}
        DriftFormat::Text => output.print(&render::plan_text(plan, &output.style()))?,
        DriftFormat::Markdown => output.print(&render::plans_markdown(std::slice::from_ref(plan), &[]))?,
    }
    Ok(exit)
}

/// The remedy for a missing file of `--since`.
const SINCE: &str = "`--since` requires a file of an earlier run: a journal (`apply --journal FILE`), an apply report (`apply \
                     --report FILE`) or a drift report (`drift --out FILE`). With `--since FILE --out FILE`, FILE can be \
                     missing in the first run";

/// Reads the files of `--since`, before `--out` replaces one of them. Returns `None` if no file exists yet.
fn earlier(args: &DriftArgs, output: Output) -> Result<Option<History>, Failure> {
    let mut history = None;
    for path in &args.since {
        let bytes = match files::read(path, files::OWN) {
            Ok(bytes) => bytes,
            // The first run of a job that keeps its last report in one file.
            Err(ReadError::Missing) if args.out.as_ref() == Some(path) => continue,
            Err(error) => {
                let failure = Failure::invalid(format!("cannot read {} (`--since`): {error}", path.display()));
                return Err(match error {
                    ReadError::Missing => failure.hint(SINCE),
                    _ => failure,
                });
            }
        };
        let history = history.get_or_insert_with(History::default);
        wire::earlier::add(history, &bytes).map_err(|e| Failure::invalid(format!("{}: {e}", path.display())))?;
    }
    if let Some(history) = &history {
        remark_on_lines(history, output);
    }
    Ok(history)
}
