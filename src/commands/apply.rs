//! `apply`: a saved plan as it stands, or plan, show, ask and apply.

use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::event_log::{self, Ended};
use super::files::given;
use super::out_file::{OutFile, apart};
use super::signals::Signals;
use super::{Output, check, now, prompt};
use crate::cli::{ApplyArgs, Format};
use crate::destinations::{Assessment, Lookups};
use crate::error::Failure;
use crate::exit::{self, Exit};
use crate::journal::Recorder;
use crate::plan::{self, Consent, Plan};
use crate::render;
use crate::report;
use crate::run::target::{Target, state_files};
use crate::run::{self, ApplyRun, Freshness, PlanPurpose, Run};
use crate::wire::events::Summary;

pub(super) async fn run(args: ApplyArgs, output: Output) -> Result<Exit, Failure> {
    let mut inputs = given(&args.manifest.file);
    inputs.extend(args.plan.as_deref().into_iter().chain(args.checked.as_deref()));
    let state = state_files(&args.run.access);
    let mut outputs = vec![
        ("--report", args.report.as_deref()),
        ("--journal", args.journal.as_deref()),
        ("--events", args.events.as_deref()),
    ];
    outputs.extend(state.iter().map(|path| ("--sandbox-state", Some(path.as_path()))));
    apart(&inputs, &outputs)?;
    let (recorder, output) = event_log::open(args.journal.as_deref(), args.events.as_deref(), args.format, output)?;
    let ended = match &args.plan {
        Some(path) => saved(&args, path, &args.allow, &recorder, output).await,
        None => fresh(&args, &args.allow, &recorder, output).await,
    };
    event_log::close(&recorder, ended, output).await
}

/// Carries out a saved plan.
async fn saved(
    args: &ApplyArgs,
    path: &Path,
    given: &[Consent],
    recorder: &Arc<Recorder>,
    output: Output,
) -> Result<Ended, Failure> {
    let mut plan = check::read_plan(path)?;
    let select = &args.select;
    if !(select.shop.is_empty() && select.exclude_shop.is_empty() && select.label.is_empty())
        || select.shard.is_some()
        || select.shard_index.is_some()
    {
        return Err(Failure::invalid("a saved plan carries its own selection")
            .hint("leave out --shop, --exclude-shop, --label and --shard, or make a plan with them"));
    }
    if let Some(expected) = args.expect_digest.as_ref().filter(|d| **d != plan.plan_digest) {
        return Err(Failure::invalid(format!("the plan's digest is {}, not {expected}", plan.plan_digest)));
    }
    run::manifest_is_there(&args.manifest.file, &plan)?;
    let recorder = Arc::clone(recorder);
    let loaded = run::load(&args.manifest.file, output.verbosity(), output)?;
    run::manifest_is_of(&args.manifest.file, &loaded.manifest, &plan)?;
    let opened = run::open_loaded(loaded, select, &args.run, output.verbosity(), Some(&plan), recorder).await?;
    same_target(&opened.session.target, &plan)?;
    let checked = check::checked_consents(&plan, args.checked.as_deref())?;
    let consents = &[given, &checked].concat()[..];
    check::refuse(&plan.hazards, consents, given)?;
    let run = opened.resolve(Some(&plan), false, output).await?;
    same_adobe(&run, &plan)?;
    run.comes_from_manifest(&plan)?;
    let hazards = run.hazards_of(&plan).await;
    check::refuse(plan.hazards.iter().chain(&hazards), consents, given)?;
    plan.hazards.extend(hazards);
    run.relabel(&mut plan);
    refuse_settling(&run, &run.lookups, &plan, consents)?;
    for shop in &plan.shops {
        run::emit_planned_changes(&run.session.recorder, shop);
    }
    carry_out(args, run, plan, None, Freshness::Again, output).await
}

/// Plans, shows, asks, applies.
async fn fresh(
    args: &ApplyArgs,
    consents: &[Consent],
    recorder: &Arc<Recorder>,
    output: Output,
) -> Result<Ended, Failure> {
    // An invalid manifest, or a plan in its place, is reported before a missing terminal.
    let loaded = run::load(&args.manifest.file, output.verbosity(), output)?;
    let asks = !args.auto_approve;
    if asks {
        prompt::possible("apply a saved plan (`hookwright plan --out plan.json`), or pass --auto-approve")?;
    }
    let recorder = Arc::clone(recorder);
    let opened = run::open_loaded(loaded, &args.select, &args.run, output.verbosity(), None, recorder).await?;
    let run = opened.resolve(None, false, output).await?;
    let plan = run
        .plan(if asks { PlanPurpose::Confirm } else { PlanPurpose::Apply }, None, None, |plan| {
            exit::of_plan(plan, Exit::Done) as u8
        })
        .await;
    // Dropped before anything is sent: a fleet is not held twice while it is applied.
    let shown = render::plan_text(&(&plan).into(), &output.style());
    match args.format {
        Format::Text => output.print(&format!("{shown}\n"))?,
        // Standard output is for the report then; whoever is asked must still see the plan.
        Format::Json if asks => output.remark(&format!("{shown}\n")),
        Format::Json => {}
    }
    if plan.selection.shard.is_some() {
        check::checked_consents(&plan, None)?;
    }
    check::refuse(&plan.hazards, consents, consents)?;
    let anything = plan.summary.shops.changed > 0;
    if asks && anything && !agreed(&plan)? {
        output.remark("\nApply cancelled.\n");
        run.session.target.close().await?;
        // 1, as in Terraform: a script that continues after an apply must stop here.
        let message = "Apply cancelled.".to_owned();
        return Ok(Ended { exit: Exit::Error, summary: Summary { message, ..Summary::default() } });
    }
    let mut again = None;
    let mut reading = if asks { Freshness::Again } else { Freshness::Fresh };
    // Reading a fleet takes its time, and so does whoever is asked.
    if anything && !plan.destinations.is_empty() {
        let lookups = again.insert(run.look_again(&plan).await);
        refuse_settling(&run, lookups, &plan, consents)?;
        // And so does Adobe, while somebody may be at work in a shop.
        reading = Freshness::Again;
    }
    carry_out(args, run, plan, again, reading, output).await
}

/// A plan for another endpoint is nobody's plan here.
fn same_target(target: &Target, plan: &Plan) -> Result<(), Failure> {
    let id = |s: &Option<plan::Sandbox>| s.as_ref().map(|s| s.id.clone());
    if target.name == plan.settings.endpoint && id(&target.sandbox) == id(&plan.settings.sandbox) {
        return Ok(());
    }
    let name = |endpoint: &str, sandbox: &Option<plan::Sandbox>| match sandbox {
        Some(s) => format!("sandbox {} ({})", s.state, s.id),
        None => endpoint.to_owned(),
    };
    let planned = name(&plan.settings.endpoint, &plan.settings.sandbox);
    let here = name(&target.name, &target.sandbox);
    let failure = Failure::invalid(format!("the plan was made for {planned}, and this would go to {here}"));
    Err(match plan.settings.endpoint.as_str() {
        "sandbox" => failure.hint("pass --sandbox and the same --sandbox-state; a reset sandbox needs a new plan"),
        "shopify" => failure.hint("leave out --sandbox and unset HOOKWRIGHT_ADMIN_URL"),
        _ => failure.hint("set HOOKWRIGHT_ADMIN_URL as it was when the plan was made"),
    })
}

/// What stands in for Adobe may have other addresses than Adobe.
fn same_adobe(run: &Run, plan: &Plan) -> Result<(), Failure> {
    let here = run.adobe();
    if run.lookups.assessments.is_empty() || here == plan.settings.adobe {
        return Ok(());
    }
    let name = |url: &Option<String>| url.clone().unwrap_or_else(|| "Adobe itself".to_owned());
    let (planned, here) = (name(&plan.settings.adobe), name(&here));
    Err(Failure::invalid(format!("the plan was made with addresses of {planned}, and this would ask {here}"))
        .hint("set HOOKWRIGHT_ADOBE_URL as it was when the plan was made"))
}

/// What was made or changed at Adobe since the plan is as young as what was then.
fn refuse_settling(run: &Run, lookups: &Lookups, plan: &Plan, consents: &[Consent]) -> Result<(), Failure> {
    let destinations: Vec<_> = run.assessments(lookups).iter().map(Assessment::to_plan).collect();
    check::refuse(plan::settling(&destinations, &plan.shops).as_ref(), consents, &[])
}

fn agreed(plan: &Plan) -> Result<bool, Failure> {
    let plan::Summary { add, change, destroy, .. } = &plan.summary;
    prompt::agreed(&format!(
        "Do you want to make these changes ({add} to add, {change} to change, {destroy} to destroy)?"
    ))
}

/// Applies a plan. `again` is what was looked up after it was made.
async fn carry_out(
    args: &ApplyArgs,
    run: Run,
    plan: Plan,
    again: Option<Lookups>,
    reading: Freshness,
    output: Output,
) -> Result<Ended, Failure> {
    let report_file = args.report.as_deref().map(OutFile::prepare).transpose()?;
    let started_at = now();
    let recorder = Arc::clone(&run.session.recorder);
    let unwritten =
        |why| Failure::new(Exit::Error, format!("nothing was sent, since the journal cannot be written: {why}"));
    recorder.begin(&plan.plan_digest).await.map_err(unwritten)?;
    let plan = Arc::new(plan);
    let (stop, apply_run) = (run.session.stop.clone(), ApplyRun::new(Arc::clone(&plan), run, again, reading));
    let applied = tokio::select! {
        applied = apply_run.shops() => applied,
        () = second_signal(&stop, output) => {
            return Err(Failure::new(Exit::Error, "aborted: what was in flight may or may not have been done")
                .hint("plan again to see; a second apply converges"));
        }
    };
    let mut report = report::assemble(&plan, applied, started_at, now());
    let mut exit = report::exit_of(&report);
    if let Err(why) = recorder.health().await {
        // Whatever was done: somebody relies on what could not be written down.
        exit = if exit == Exit::Done { Exit::Error } else { exit };
        report.exit_code = exit as u8;
        output.error(&Failure::new(Exit::Error, why).text());
    }
    apply_run.close().await?;

    // What was done is said whatever becomes of the file.
    let printed = match args.format {
        Format::Text => output.print(&render::report_text(&report, &output.style())),
        Format::Json => output.print_json(&report),
    };
    if let Some(file) = report_file {
        file.write_json(&report)?;
    }
    printed?;
    Ok(Ended {
        exit,
        summary: Summary {
            message: render::report_last_line(&report.summary, report.complete),
            plan_digest: Some(report.plan_digest),
            plan: Some((&plan.summary).into()),
            apply: Some(report.summary),
            ..Summary::default()
        },
    })
}

/// The first signal asks every shop to finish what is in flight; the second one ends this future.
async fn second_signal(stop: &CancellationToken, output: Output) {
    let mut signals = Signals::new();
    signals.next().await;
    stop.cancel();
    output.remark("\nInterrupted: finishing what is in flight; once more aborts.\n");
    signals.next().await;
}
