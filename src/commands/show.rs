//! `show`: saved plans or apply reports, also of several shards, and stale ones too.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::out_file::apart;
use super::{Output, check};
use crate::cli::{ShowArgs, ShowFormat};
use crate::error::Failure;
use crate::exit::Exit;
use crate::json::Object;
use crate::render;
use crate::wire::plan::Plan;
use crate::wire::report::Report;
use crate::words;

pub(super) fn run(args: &ShowArgs, output: Output) -> Result<Exit, Failure> {
    let inputs: Vec<&Path> = args.files.iter().map(PathBuf::as_path).collect();
    apart(&inputs, &[("--out", args.out.as_deref())])?;
    let reports: Vec<Option<Report>> = args.files.iter().map(|path| report(path)).collect::<Result<_, _>>()?;
    if let Some(reports) = reports.into_iter().collect::<Option<Vec<Report>>>() {
        if args.check {
            return Err(Failure::invalid("--check judges plans; these are apply reports"));
        }
        match (args.format, &reports[..]) {
            (ShowFormat::Text, _) => output.print(&render::reports_text(&reports, &output.style())),
            (ShowFormat::Html, _) => output.print(&render::reports_html(&reports)),
            (ShowFormat::Markdown, _) => output.print(&render::reports_markdown(&reports)),
            (ShowFormat::Json, [one]) => output.print_json(one),
            (ShowFormat::Json, many) => output.print_json(&many),
        }?;
        return Ok(Exit::Done);
    }
    let plans: Vec<Plan> = args.files.iter().map(|path| check::read_plan(path)).collect::<Result<_, _>>()?;
    check::one_run(&plans, args.check)?;
    match (args.format, &plans[..]) {
        (ShowFormat::Text, _) => output.print(&render::plans_text(&plans, &output.style())),
        (ShowFormat::Html, _) => output.print(&render::plans_html(&plans)),
        (ShowFormat::Markdown, _) => output.print(&render::plans_markdown(&plans)),
        (ShowFormat::Json, [one]) => output.print_json(one),
        (ShowFormat::Json, many) => output.print_json(&many),
    }?;
    if args.check {
        check::together(&plans, &args.allow, args.out.as_deref())?;
        output.remark("Checked: every hazard has its consent.\n");
    }
    Ok(Exit::Done)
}

/// An apply report, if the file is one.
fn report(path: &Path) -> Result<Option<Report>, Failure> {
    let bytes = check::read_file(path)?;
    let unread = |what: &str, e: serde_json::Error| {
        Failure::invalid(format!("{}: {what}: {}", path.display(), words::of_json(&e)))
    };
    let kind: Kind = match serde_json::from_slice(&bytes) {
        Ok(Object(kind)) => kind,
        // Some other JSON: whoever reads plans says so.
        Err(e) if e.is_data() => return Ok(None),
        Err(e) => return Err(check::perhaps_manifest(path, unread("neither a plan nor an apply report", e))),
    };
    if kind.report.is_none() {
        return Ok(None);
    }
    let version = kind.format_version.as_str().unwrap_or_default();
    if version.split('.').next() != Some("1") {
        return Err(Failure::invalid(format!("{}: a report of format {version:?}; this reads 1.x", path.display())));
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|e| {
        let why = words::of_data(&e.to_string());
        Failure::invalid(format!(
            "{}: not an apply report: {why} (line {}, column {})",
            path.display(),
            e.line(),
            e.column()
        ))
    })
}

/// What tells a report from a plan.
#[derive(Deserialize)]
struct Kind {
    report: Option<IgnoredAny>,
    #[serde(default)]
    format_version: Value,
}
