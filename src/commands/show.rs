//! `show`: saved plans or apply reports, also of several shards, and stale ones too.

use super::{Output, check, json_text};
use crate::cli::{ShowArgs, ShowFormat};
use crate::error::Failure;
use crate::exit::Exit;
use crate::plan::Consent;
use crate::plan::v1::Plan;
use crate::render;
use crate::report::Report;

pub(super) fn run(args: &ShowArgs, output: Output) -> Result<Exit, Failure> {
    let consents: Vec<Consent> =
        args.allow.iter().map(|text| Consent::parse(text)).collect::<Result<_, _>>().map_err(Failure::invalid)?;
    let reports: Vec<Option<Report>> = args.files.iter().map(|path| report(path)).collect::<Result<_, _>>()?;
    if let Some(reports) = reports.into_iter().collect::<Option<Vec<Report>>>() {
        if args.check {
            return Err(Failure::invalid("--check judges plans; these are apply reports"));
        }
        output.print(&match (args.format, &reports[..]) {
            (ShowFormat::Text, _) => render::reports_text(&reports, &output.style()),
            (ShowFormat::Html, _) => render::reports_html(&reports),
            (ShowFormat::Markdown, _) => render::reports_markdown(&reports),
            (ShowFormat::Json, [one]) => json_text(one),
            (ShowFormat::Json, many) => json_text(&many),
        })?;
        return Ok(Exit::Done);
    }
    let plans: Vec<Plan> = args.files.iter().map(|path| check::read_plan(path)).collect::<Result<_, _>>()?;
    check::one_run(&plans, args.check)?;
    output.print(&match (args.format, &plans[..]) {
        (ShowFormat::Text, _) => render::plans_text(&plans, &output.style()),
        (ShowFormat::Html, _) => render::plans_html(&plans),
        (ShowFormat::Markdown, _) => render::plans_markdown(&plans),
        (ShowFormat::Json, [one]) => json_text(one),
        (ShowFormat::Json, many) => json_text(&many),
    })?;
    if args.check {
        check::together(&plans, &consents, args.out.as_deref())?;
        output.remark("Checked: every hazard has its consent.\n");
    }
    Ok(Exit::Done)
}

/// An apply report, if the file is one.
fn report(path: &std::path::Path) -> Result<Option<Report>, Failure> {
    let bytes = std::fs::read(path).map_err(|e| Failure::invalid(format!("cannot read {}: {e}", path.display())))?;
    let value: serde_json::Value = serde_json::from_slice(&bytes)
        .map_err(|e| Failure::invalid(format!("{}: not JSON, or cut off: {e}", path.display())))?;
    if value.get("report").is_none() {
        return Ok(None);
    }
    let version = value.get("format_version").and_then(serde_json::Value::as_str).unwrap_or_default();
    if version.split('.').next() != Some("1") {
        return Err(Failure::invalid(format!("{}: a report of format {version:?}; this reads 1.x", path.display())));
    }
    let report = serde_json::from_value(value);
    report.map(Some).map_err(|e| Failure::invalid(format!("{}: not an apply report: {e}", path.display())))
}
