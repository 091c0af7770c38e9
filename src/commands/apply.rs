//! `apply`: applies a saved plan as it is, or plans, prints, asks and applies.

use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::consents::Consents;
use super::event_log::{self, Ended};
use super::files::given;
use super::out_file::{OutFile, apart};
use super::signals::Signals;
use super::{Output, check, now, prompt};
use crate::cli::Format;
use crate::cli::plan::ApplyArgs;
use crate::destinations::{Assessment, Lookups};
use crate::error::Failure;
use crate::exit::{self, Exit};
use crate::journal::Recorder;
use crate::plan::{self, Plan};
use crate::render;
use crate::report;
use crate::run::target::{Target, state_files};
use crate::run::{self, ApplyRun, Freshness, ManifestPaths, PlanPurpose, Run};
use crate::wire::events::Summary;

pub(super) async fn run(args: ApplyArgs, output: Output) -> Result<Exit, Failure> {
    let manifest = args.manifest.paths();
    let mut inputs = given(&manifest);
    inputs.extend(args.plan.as_deref().into_iter().chain(args.checked.as_deref()));
    let state = state_files(&args.run.access);
    let mut outputs = outputs(&args).to_vec();
    outputs.extend(state.iter().map(|path| ("--sandbox-state", Some(path.as_path()))));
    apart(&inputs, &outputs)?;
    let (recorder, output) = event_log::open(args.journal.as_deref(), args.events.as_deref(), args.format, output)?;
    let ended = match &args.plan {
        Some(path) => saved(&args, path, &recorder, output).await,
        None => fresh(&args, &recorder, output).await,
    };
    event_log::close(&recorder, ended, output).await
}

/// Returns the options that name output files.
fn outputs(args: &ApplyArgs) -> [(&'static str, Option<&Path>); 3] {
    [("--report", args.report.as_deref()), ("--journal", args.journal.as_deref()), ("--events", args.events.as_deref())]
}

/// Applies a saved plan.
async fn saved(args: &ApplyArgs, path: &Path, recorder: &Arc<Recorder>, output: Output) -> Result<Ended, Failure> {
    let mut plan = check::read_plan(path)?;
    let select = &args.select;
    if !(select.shop.is_empty() && select.exclude_shop.is_empty() && select.label.is_empty())
        || select.shard.is_some()
        || select.shard_index.is_some()
    {
        return Err(Failure::invalid("a saved plan contains its selection")
            .hint("remove `--shop`, `--exclude-shop`, `--label` and `--shard`, or create a plan with them"));
    }
    if let Some(expected) = args.expect_digest.as_ref().filter(|d| **d != plan.plan_digest) {
        return Err(Failure::invalid(format!("expected the plan digest {expected}, found {}", plan.plan_digest))
            .hint("review the plan with `hookwright show`, and pass its digest if it is the plan to apply"));
    }
    if let Some(name) = args.name.as_ref().filter(|name| plan.settings.name.as_ref() != Some(name)) {
        let of_plan =
            plan.settings.name.as_deref().map_or_else(|| "no name".to_owned(), |name| format!("the name {name}"));
        return Err(Failure::invalid(format!("expected a plan with the name {name}, but this plan has {of_plan}"))
            .hint("pass the plan of that run, or create it with `hookwright plan --name`"));
    }
    let ManifestPaths { paths, named_by_plan } = run::manifest_paths(&args.manifest.file, &plan)?;
    let paths = args.manifest.with_policies(paths);
    run::manifest_is_there(&paths, &plan)?;
    let recorder = Arc::clone(recorder);
    let loaded = run::load(&paths, output.verbosity(), output)?;
    if named_by_plan {
        apart(&given(&paths), &outputs(args))?;
        run::named_manifest_is_unchanged(&loaded.manifest, &plan)?;
    }
    run::manifest_is_of(&paths, &loaded.manifest, &plan)?;
    let opened = run::open_loaded(loaded, select, &args.run, output.verbosity(), Some(&plan), recorder).await?;
    same_target(&opened.session.target, &plan)?;
    // The consents in the plan file are not read, because the file is not signed.
    let manifest = Arc::clone(&opened.manifest);
    let mut consents = Consents::new(&args.allow, &manifest.consents);
    check::add_checked(&mut consents, &plan, args.checked.as_deref())?;
    consents.refuse(&plan.hazards, &plan.shops)?;
    let run = opened.resolve(Some(&plan), false, output).await?;
    same_adobe(&run, &plan)?;
    run.comes_from_manifest(&plan)?;
    run.relabel(&mut plan);
    let hazards = run.hazards_of(&plan).await;
    consents.refuse(plan.hazards.iter().chain(&hazards), &plan.shops)?;
    plan.hazards.extend(hazards);
    refuse_settling(&run, &run.lookups, &plan, &consents)?;
    for shop in &plan.shops {
        run::emit_planned_changes(&run.session.recorder, shop);
    }
    carry_out(args, run, plan, None, Freshness::Again, output).await
}

/// Plans, prints the plan, asks for confirmation, and applies.
async fn fresh(args: &ApplyArgs, recorder: &Arc<Recorder>, output: Output) -> Result<Ended, Failure> {
    // The manifest is loaded first, because its errors are more important than a missing terminal.
    let loaded = run::load(&args.manifest.paths(), output.verbosity(), output)?;
    let asks = !args.auto_approve;
    if asks {
        prompt::possible(
            "save a plan with `hookwright plan --out plan.json` and apply it with `hookwright apply plan.json`, or pass \
             `--auto-approve`",
        )?;
    }
    let recorder = Arc::clone(recorder);
    let mut opened = run::open_loaded(loaded, &args.select, &args.run, output.verbosity(), None, recorder).await?;
    opened.session.settings.name.clone_from(&args.name);
    let run = opened.resolve(None, false, output).await?;
    let plan = run
        .plan(if asks { PlanPurpose::Confirm } else { PlanPurpose::Apply }, None, None, |plan| {
            exit::of_plan(plan, Exit::Done) as u8
        })
        .await;
    // The wire form is dropped here, so that a large plan is not held twice during the apply.
    let shown = render::plan_text(&(&plan).into(), &output.style());
    match args.format {
        Format::Text => output.print(&format!("{shown}\n"))?,
        // Standard output is for the report, but the plan must be visible before the confirmation.
        Format::Json if asks => output.remark(&format!("{shown}\n")),
        Format::Json => {}
    }
    let manifest = Arc::clone(&run.manifest);
    let mut consents = Consents::new(&args.allow, &manifest.consents);
    check::add_checked(&mut consents, &plan, None)?;
    consents.refuse(&plan.hazards, &plan.shops)?;
    let anything = plan.summary.shops.changed > 0;
    if asks && anything && !agreed(&plan)? {
        output.remark("Apply cancelled.\n");
        run.session.target.close().await?;
        // Exit code 1, as in Terraform, so that a script stops here.
        let message = "Apply cancelled.".to_owned();
        return Ok(Ended { exit: Exit::Error, summary: Summary { message, ..Summary::default() } });
    }
    let mut again = None;
    let mut reading = if asks { Freshness::Again } else { Freshness::Fresh };
    // Reading many shops and the confirmation take time, so destinations are looked up again.
    if anything && !plan.destinations.is_empty() {
        let lookups = again.insert(run.look_again(&plan).await);
        refuse_settling(&run, lookups, &plan, &consents)?;
        // The lookups take time, too, and a shop can change meanwhile.
        reading = Freshness::Again;
    }
    carry_out(args, run, plan, again, reading, output).await
}

/// Refuses a plan for another endpoint.
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
    let failure =
        Failure::invalid(format!("this plan was created for {planned}, but this run would send it to {here}"));
    Err(match plan.settings.endpoint.as_str() {
        "sandbox" => failure.hint(
            "pass `--sandbox` and the `--sandbox-state` of the plan. After a reset of the sandbox, create a new plan",
        ),
        "shopify" => failure.hint("remove `--sandbox` and unset `HOOKWRIGHT_ADMIN_URL`"),
        _ => failure.hint("set `HOOKWRIGHT_ADMIN_URL` to the value that the plan was created with"),
    })
}

/// Refuses a plan with addresses of another Adobe endpoint. A stand-in for Adobe can return other addresses than Adobe.
fn same_adobe(run: &Run, plan: &Plan) -> Result<(), Failure> {
    let here = run.adobe();
    if run.lookups.assessments.is_empty() || here == plan.settings.adobe {
        return Ok(());
    }
    let name = |url: &Option<String>| url.clone().unwrap_or_else(|| "Adobe".to_owned());
    let (planned, here) = (name(&plan.settings.adobe), name(&here));
    Err(Failure::invalid(format!("this plan has destinations from {planned}, but the current endpoint is {here}"))
        .hint("set or unset `HOOKWRIGHT_ADOBE_URL` as it was when the plan was created"))
}

/// Refuses destinations that were created or changed since the plan and are not settled yet. They are subject to the same hazard
/// as those of the plan.
fn refuse_settling(run: &Run, lookups: &Lookups, plan: &Plan, consents: &Consents<'_>) -> Result<(), Failure> {
    let destinations: Vec<_> = run.assessments(lookups).iter().map(Assessment::to_plan).collect();
    consents.refuse(plan::settling(&destinations, &plan.shops).as_ref(), &plan.shops)
}

fn agreed(plan: &Plan) -> Result<bool, Failure> {
    let plan::Summary { add, change, destroy, .. } = &plan.summary;
    prompt::agreed(&format!(
        "Do you want to apply these changes ({add} to add, {change} to change, {destroy} to destroy)?"
    ))
}

/// Applies a plan. `again` contains the lookups after the plan was created.
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
    let unwritten = |why| Failure::new(Exit::Error, format!("cannot write the journal, so nothing was sent: {why}"));
    recorder.begin(&plan.plan_digest).await.map_err(unwritten)?;
    let plan = Arc::new(plan);
    let (stop, apply_run) = (run.session.stop.clone(), ApplyRun::new(Arc::clone(&plan), run, again, reading));
    let applied = tokio::select! {
        applied = apply_run.shops() => applied,
        () = second_signal(&stop, output) => {
            return Err(Failure::new(Exit::Error, "aborted; changes in flight may or may not be applied")
                .hint("run `hookwright plan` to see the remaining changes, then apply again"));
        }
    };
    let mut report = report::assemble(&plan, applied, started_at, now());
    let mut exit = report::exit_of(&report);
    if let Err(why) = recorder.health().await {
        // An incomplete journal is an error even if all changes were applied, because later runs rely on it.
        exit = if exit == Exit::Done { Exit::Error } else { exit };
        report.exit_code = exit as u8;
        output.error(&Failure::new(Exit::Error, why).text());
    }
    apply_run.close().await?;

    // The report is printed even if its file cannot be written.
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

/// Waits for two signals. The first one asks every shop to finish the changes in flight.
async fn second_signal(stop: &CancellationToken, output: Output) {
    let mut signals = Signals::new();
    signals.next().await;
    stop.cancel();
    output.remark("\nInterrupted. Waiting for the changes in flight; interrupt again to abort.\n");
    signals.next().await;
}
