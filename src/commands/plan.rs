//! `plan`: reads the shops, prints the changes and saves the plan.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::consents::{Consents, Words};
use super::event_log::{self, Ended};
use super::files::given;
use super::out_file::{OutFile, apart};
use super::target::state_files;
use super::{Output, now};
use crate::cli::Format;
use crate::cli::plan::PlanArgs;
use crate::error::Failure;
use crate::exit::{self, Exit};
use crate::journal::Recorder;
use crate::plan::{self, Plan};
use crate::render;
use crate::run::{self, PlanPurpose};
use crate::wire;
use crate::wire::events::Summary;

pub(super) async fn run(args: PlanArgs, output: Output) -> Result<Exit, Failure> {
    let manifest = args.manifest.paths();
    let mut inputs = given(&manifest);
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
    let mut opened = opened.await?;
    opened.session.settings.name.clone_from(&args.name);
    let run = opened.resolve(None, args.verify_destinations, output).await?;
    let base = run.base(&args.base, args.only, output).await?;
    let on_changes = if args.detailed_exitcode { Exit::Changes } else { Exit::Done };
    let lacks_consent = |plan: &Plan| args.check && !consents(plan).lacking(&plan.hazards).is_empty();
    let exit = |plan: &Plan| match exit::of_plan(plan, on_changes) {
        exit if lacks_consent(plan) => exit::refused(exit),
        exit => exit,
    };
    let plan = run.plan(PlanPurpose::Nothing, base.as_ref(), None, |plan| exit(plan) as u8).await;
    run.session.target.close().await?;
    let (exit, checked) = (exit(&plan), args.check.then(|| checked(&plan, args.out.as_deref())));
    let plan = wire::plan::Plan::from(plan);

    if let (Some(file), Some(path)) = (out, &args.out) {
        file.write_json(&plan)?;
        output.remark(&format!("Saved the plan to {}\n", path.display()));
    }
    match args.format {
        Format::Text => output.print(&render::plan_text(&plan, &output.style()))?,
        Format::Json => output.print_json(&plan)?,
    }
    match checked {
        Some(Ok(remark)) => output.remark(&remark),
        Some(Err(refusal)) => output.error(&refusal.text()),
        None => {}
    }
    let unchecked = plan.destinations.iter().filter(|destination| destination.error.is_some()).count();
    Ok(Ended {
        exit,
        summary: Summary {
            message: render::plan_last_line(&plan.summary, plan.complete, unchecked),
            plan_digest: Some(plan.plan_digest),
            plan: Some(plan.summary),
            ..Summary::default()
        },
    })
}

/// Returns the consents of the manifest, which the plan was just made with.
fn consents(plan: &Plan) -> Consents<'static> {
    Consents::with(&[], plan::valid_consents(&plan.consents, now()))
}

/// Returns the remark of `--check`, or the error for hazards without consent.
fn checked(plan: &Plan, out: Option<&Path>) -> Result<String, Failure> {
    let consents = consents(plan);
    let lacking = consents.lacking(&plan.hazards);
    if !lacking.is_empty() {
        let all: Vec<_> = plan.hazards.iter().collect();
        let shops: Vec<&str> = plan.shops.iter().map(|shop| shop.shop.as_str()).collect();
        let saved = out.map(|path| format!(", and the plan is in {}", path.display())).unwrap_or_default();
        let then = format!("; the manifest is valid{saved}");
        return Err(consents.refusal(
            &lacking,
            &all,
            &shops,
            &Words { what: "the plan has", then: &then, way: "apply with" },
        ));
    }
    Ok(match plan.selection.shard {
        None => "Checked: every hazard has consent.\n".to_owned(),
        Some(shard) => format!(
            "Checked: every hazard of the shops of shard {shard} has consent. Hazards of the run are checked over all shards: \
             `hookwright show --check --out checked.json SHARD…`\n"
        ),
    })
}
