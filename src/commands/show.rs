//! `show`: prints saved plans or apply reports, also of several shards.

use std::path::{Path, PathBuf};

use super::out_file::apart;
use super::{Output, check, repair};
use crate::cli::show::{ShowArgs, ShowFormat};
use crate::error::Failure;
use crate::exit::Exit;
use crate::plan;
use crate::render;
use crate::wire::plan::Plan;
use crate::wire::report::{self, Report, ReportFileError};

pub(super) fn run(args: &ShowArgs, output: Output) -> Result<Exit, Failure> {
    let links = &args.link[..];
    if !links.is_empty() && matches!(args.format, ShowFormat::Text | ShowFormat::Json) {
        return Err(Failure::invalid("`--link` requires `--format markdown`, `html` or `slack`"));
    }
    let inputs: Vec<&Path> = args.files.iter().map(PathBuf::as_path).collect();
    apart(&inputs, &[("--out", args.out.as_deref())])?;
    let reports: Vec<Option<Report>> = args.files.iter().map(|path| report(path)).collect::<Result<_, _>>()?;
    if let Some(reports) = reports.into_iter().collect::<Option<Vec<Report>>>() {
        if args.check {
            return Err(Failure::invalid("`--check` requires plans, but these files are apply reports"));
        }
        match (args.format, &reports[..]) {
            (ShowFormat::Text, _) => output.print(&render::reports_text(&reports, &output.style())),
            (ShowFormat::Html, _) => output.print(&render::reports_html(&reports, links)),
            (ShowFormat::Markdown, _) => output.print(&render::reports_markdown(&reports, links)),
            (ShowFormat::Slack, _) => output.print_json(&render::reports_slack(&reports, links)),
            (ShowFormat::Json, [one]) => output.print_json(one),
            (ShowFormat::Json, many) => output.print_json(&many),
        }?;
        return Ok(Exit::Done);
    }
    let plans: Vec<plan::Plan> = args.files.iter().map(|path| check::read_plan(path)).collect::<Result<_, _>>()?;
    let files: Vec<(String, &PathBuf)> = plans.iter().map(|plan| plan.plan_digest.clone()).zip(&args.files).collect();
    let runs = plan::by_run(plans);
    if args.check && runs.len() > 1 {
        let message = format!("the plans belong to {} runs, with different manifests, names or settings", runs.len());
        return Err(Failure::invalid(message).hint("check the plans of each run on their own"));
    }
    for run in &runs {
        check::one_run(run, args.check)?;
    }
    let judged = runs.first().filter(|_| args.check).map(|run| check::together(run, &args.allow));
    let allowed: Vec<String> = args.allow.iter().map(|consent| consent.as_str().to_owned()).collect();
    let wired = |plan: plan::Plan| {
        let file = files.iter().find(|(digest, _)| *digest == plan.plan_digest).filter(|_| plan.is_drift);
        let commands = file.map(|(_, file)| repair::of_file(&plan, file));
        Plan { allowed: allowed.clone(), commands, ..plan.into() }
    };
    let runs: Vec<Vec<Plan>> = runs.into_iter().map(|run| run.into_iter().map(wired).collect()).collect();
    match (args.format, &runs[..]) {
        (ShowFormat::Text, [plans]) => output.print(&render::plans_text(plans, &output.style())),
        (ShowFormat::Text, runs) => output.print(&render::runs_text(runs, &output.style())),
        (ShowFormat::Html, [plans]) => output.print(&render::plans_html(plans, links)),
        (ShowFormat::Html, runs) => output.print(&render::runs_html(runs, links)),
        (ShowFormat::Markdown, [plans]) => output.print(&render::plans_markdown(plans, links)),
        (ShowFormat::Markdown, runs) => output.print(&render::runs_markdown(runs, links)),
        (ShowFormat::Slack, [plans]) => output.print_json(&render::plans_slack(plans, links)),
        (ShowFormat::Slack, runs) => output.print_json(&render::runs_slack(runs, links)),
        (ShowFormat::Json, runs) => match &runs.concat()[..] {
            [one] => output.print_json(one),
            many => output.print_json(&many),
        },
    }?;
    if let Some(judged) = judged {
        check::write(judged?, args.out.as_deref())?;
        output.remark("Checked: every hazard has consent.\n");
    }
    Ok(Exit::Done)
}

/// Returns the apply report in a file, or `None` if it is not one.
fn report(path: &Path) -> Result<Option<Report>, Failure> {
    report::read(&check::read_file(path)?).map_err(|error| {
        let failure = Failure::invalid(format!("{}: {error}", path.display()));
        match error {
            ReportFileError::NotJson(_) => check::perhaps_manifest(path, failure),
            ReportFileError::Version(_) | ReportFileError::Malformed(_) => failure,
        }
    })
}
