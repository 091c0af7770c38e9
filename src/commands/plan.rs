//! `plan`: reads the shops, prints the changes and saves the plan.

use std::path::PathBuf;
use std::sync::Arc;

use super::Output;
use super::event_log::{self, Ended};
use super::files::given;
use super::out_file::{OutFile, apart};
use super::target::state_files;
use crate::cli::{Format, PlanArgs};
use crate::error::Failure;
use crate::exit::{self, Exit};
use crate::journal::Recorder;
use crate::plan::Plan;
use crate::render;
use crate::run::{self, PlanPurpose};
use crate::wire;
use crate::wire::events::Summary;

pub(super) async fn run(args: PlanArgs, output: Output) -> Result<Exit, Failure> {
    let mut inputs = given(&args.manifest.file);
    inputs.extend(args.base.iter().map(PathBuf::as_path));
    let state = state_files(&args.run.access);
    let mut outputs = vec![("--out", args.out.as_deref()), ("--events", args.events.as_deref())];
    outputs.extend(state.iter().map(|path| ("--sandbox-state", Some(path.as_path()))));
    apart(&inputs, &outputs)?;
    let (recorder, output) = event_log::open(None, args.events.as_deref(), args.format, output)?;
    let ended = plan(&args, &recorder, output).await;
    event_log::close(&recorder, ended, output).await
}

async fn plan(args: &PlanArgs, recorder: &Arc<Recorder>, output: Output) -> Result<Ended, Failure> {
    let out = args.out.as_deref().map(OutFile::prepare).transpose()?;
    let opened = run::open(&args.manifest, &args.select, &args.run, output.verbosity(), output, Arc::clone(recorder));
    let run = opened.await?.resolve(None, args.verify_destinations, output).await?;
    let base = run.base(&args.base, args.only, output).await?;
    let on_changes = if args.detailed_exitcode { Exit::Changes } else { Exit::Done };
    let exit = |plan: &Plan| exit::of_plan(plan, on_changes);
    let plan = run.plan(PlanPurpose::Nothing, base.as_ref(), None, |plan| exit(plan) as u8).await;
    run.session.target.close().await?;
    let exit = exit(&plan);
    let plan = wire::plan::Plan::from(plan);

    if let (Some(file), Some(path)) = (out, &args.out) {
        file.write_json(&plan)?;
        output.remark(&format!("Saved the plan to {}\n", path.display()));
    }
    match args.format {
        Format::Text => output.print(&render::plan_text(&plan, &output.style()))?,
        Format::Json => output.print_json(&plan)?,
    }
    Ok(Ended {
        exit,
        summary: Summary {
            message: render::plan_last_line(&plan.summary, plan.complete),
            plan_digest: Some(plan.plan_digest),
            plan: Some(plan.summary),
            ..Summary::default()
        },
    })
}
