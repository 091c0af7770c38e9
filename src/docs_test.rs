//! The reference pages under `docs/` and the code have the same codes, kinds, keys, exit codes and formats.

use std::collections::BTreeSet;
use std::path::Path;

use clap::ValueEnum as _;
use serde_json::Value;

use crate::admin::{AdminErrorKind, RefusalKind};
use crate::adobe::AdobeErrorKind;
use crate::auth;
use crate::diagnostic::{Code, Severity};
use crate::exit::{Cause, Exit};
use crate::plan::{self, HazardName, Verdict};
use crate::render::{DriftCounts, plan_last_line, report_last_line};
use crate::schema::{self, PublishedFormat};
use crate::wire::plan::{
    BlockedReason, ErrorKind, Field, FindingKind, HazardKind, Reason, ShopCounts, Since, Summary, Unmanaged,
};
use crate::wire::report::ReportSummary;

/// Returns the text of a page.
fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the part of a page below a `## heading`, up to the next heading of that level.
fn section(page: &str, heading: &str) -> String {
    let mut lines = page.lines().skip_while(|line| line.strip_prefix("## ") != Some(heading));
    assert!(lines.next().is_some(), "no section {heading:?}");
    lines.take_while(|line| !line.starts_with("## ")).flat_map(|line| [line, "\n"]).collect()
}

/// Returns the rows of the tables in a text: the first cell, which must be code, without its backticks, and the others.
fn rows(text: &str) -> Vec<(String, Vec<String>)> {
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    let row = |line: &str| {
        let mut cells: Vec<String> = cells(line);
        let key = cells.remove(0).strip_prefix('`')?.strip_suffix('`')?.to_owned();
        Some((key, cells))
    };
    text.lines().filter(|line| line.starts_with('|')).filter_map(row).collect()
}

fn keys(rows: &[(String, Vec<String>)]) -> Vec<String> {
    rows.iter().map(|(key, _)| key.clone()).collect()
}

/// Asserts that the entries of a page are those of the code, each once.
#[track_caller]
fn assert_same(entries: Vec<String>, expected: impl IntoIterator<Item = impl Into<String>>) {
    let expected: BTreeSet<String> = expected.into_iter().map(Into::into).collect();
    let mut once = BTreeSet::new();
    let repeated: Vec<String> = entries.into_iter().filter(|entry| !once.insert(entry.clone())).collect();
    let differs = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>();
    let (missing, unknown) = (differs(&expected, &once), differs(&once, &expected));
    assert!(
        missing.is_empty() && unknown.is_empty() && repeated.is_empty(),
        "without an entry: {missing:?}; entries of nothing in the code: {unknown:?}; entries twice: {repeated:?}"
    );
}

/// The verdicts that can be a finding: they need attention, and the destination has an address.
fn is_finding(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::IngestFailing
        | Verdict::AddressDiffers
        | Verdict::Disabled
        | Verdict::AuthenticationRequired
        | Verdict::Missing => true,
        Verdict::Ok
        | Verdict::Quiet
        | Verdict::Settling
        | Verdict::NoAddress
        | Verdict::UnusableAddress
        | Verdict::Ambiguous
        | Verdict::Unknown
        | Verdict::Other(_) => false,
    }
}

/// The verdicts of which a destination without an address makes an error of its shops.
fn is_error(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::NoAddress
        | Verdict::UnusableAddress
        | Verdict::Disabled
        | Verdict::AuthenticationRequired
        | Verdict::Ambiguous
        | Verdict::Missing
        | Verdict::Unknown => true,
        Verdict::Ok
        | Verdict::Quiet
        | Verdict::IngestFailing
        | Verdict::Settling
        | Verdict::AddressDiffers
        | Verdict::Other(_) => false,
    }
}

fn of_verdicts(holds: impl Fn(&Verdict) -> bool) -> impl Iterator<Item = String> {
    Verdict::ALL.iter().filter(move |verdict| holds(verdict)).map(|verdict| format!("destination_{}", verdict.as_str()))
}

/// Returns the values that a schema has for a type.
fn values(schema: &Value, name: &str) -> Vec<String> {
    let options = schema["$defs"][name]["oneOf"].as_array().expect("a type with several values");
    options.iter().map(|option| option["const"].as_str().expect("a text").to_owned()).collect()
}

#[test]
fn each_code_has_a_heading_its_slug_and_its_severity() {
    let page = page("diagnostics.md");
    let codes = section(&page, "Codes of a manifest");
    let headings = codes.lines().filter_map(|line| line.strip_prefix("### "));
    assert_same(headings.map(str::to_owned).collect(), Code::ALL.iter().map(|code| code.as_str()));
    for code in Code::ALL {
        let severity = match (code.severity(), code.severity_in(false)) {
            (Severity::Warning, _) => "warning",
            (Severity::Error, Severity::Error) => "error",
            (Severity::Error, Severity::Warning) => "error, warning in an unknown version",
        };
        let start = format!("### {code}\n\n`{}`, {severity}. ", code.slug());
        assert!(codes.contains(&start), "expected {start:?}");
    }
}

#[test]
fn each_kind_of_finding_has_a_row() {
    let rows = rows(&section(&page("diagnostics.md"), "Findings"));
    let plain = plan::FindingKind::WITHOUT_DATA.iter().map(|kind| kind.name().into_owned());
    let with_data = FindingKind::ALL.iter().map(|&kind| kind.to_owned());
    assert_same(keys(&rows), plain.chain(with_data).chain(of_verdicts(is_finding)));
}

#[test]
fn each_hazard_has_a_row_with_its_scope() {
    let rows = rows(&section(&page("diagnostics.md"), "Hazards"));
    assert_same(
        keys(&rows),
        HazardName::ALL.iter().map(|hazard| hazard.as_str()).chain(HazardKind::ALL.iter().copied()),
    );
    for hazard in HazardName::ALL {
        let (_, cells) = rows.iter().find(|(key, _)| key == hazard.as_str()).expect("row");
        assert_eq!(cells[0], if hazard.is_of_shop() { "shop" } else { "run" }, "{}", hazard.as_str());
    }
}

#[test]
fn each_reason_of_a_block_and_of_a_change_has_a_row() {
    let page = page("diagnostics.md");
    let closed = of_verdicts(|verdict| verdict.is_closed() && is_finding(verdict));
    let blocked = BlockedReason::ALL.iter().map(|&reason| reason.to_owned()).chain(closed);
    assert_same(keys(&rows(&section(&page, "Blocked reasons"))), blocked);
    assert_same(keys(&rows(&section(&page, "Reasons of changes"))), Reason::ALL.iter().copied());
}

#[test]
fn the_verdicts_have_rows_in_their_order() {
    let rows = keys(&rows(&section(&page("diagnostics.md"), "Verdicts of destinations")));
    let verdicts: Vec<&str> = Verdict::ALL.iter().map(Verdict::as_str).collect();
    assert_eq!(rows, verdicts);
}

#[test]
fn each_result_of_an_outcome_has_a_row() {
    let rows = rows(&section(&page("diagnostics.md"), "Outcomes of an apply"));
    assert_same(keys(&rows), values(&schema::of(PublishedFormat::Report), "OutcomeResult"));
}

#[test]
fn each_kind_of_error_has_a_row_with_its_exit_code() {
    let rows = rows(&section(&page("diagnostics.md"), "Errors"));
    let of_clients = (AdminErrorKind::ALL.iter().map(|kind| kind.as_str()))
        .chain(RefusalKind::ALL.iter().map(|kind| kind.as_str()))
        .chain(AdobeErrorKind::ALL.iter().map(|kind| kind.as_str()));
    let others = ErrorKind::ALL.iter().copied().chain([auth::SecretError::KIND]);
    let kinds = of_clients.chain(others).map(str::to_owned).chain(of_verdicts(is_error));
    assert_same(keys(&rows), kinds);
    for (kind, cells) in &rows {
        let exit = match Cause::of_kind(&kind.as_str().into()) {
            Cause::Auth => "4",
            Cause::RateLimit => "5",
            Cause::Stale => "7",
            Cause::Other => "1 or 8",
        };
        assert_eq!(cells[0], exit, "{kind}");
    }
}

/// Adds the key paths of a schema, each with its default. What occurs at several places is under one path.
fn paths(schema: &Value, root: &Value, path: &str, within: &[&str], out: &mut Vec<(String, Option<Value>)>) {
    if let Some(name) = schema["$ref"].as_str().and_then(|to| to.strip_prefix("#/$defs/"))
        && !within.contains(&name)
    {
        let path = match name {
            "Auth" => "auth",
            "Binding" => "binding",
            "SecretRef" | "AepSecretRef" => "secret",
            "AepAccount" => "aep",
            "Destination" => "destinations.NAME",
            _ => path,
        };
        paths(&root["$defs"][name], root, path, &[within, &[name]].concat(), out);
    }
    for list in ["anyOf", "oneOf", "allOf"] {
        for option in schema[list].as_array().into_iter().flatten() {
            paths(option, root, path, within, out);
        }
    }
    for (key, value) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        paths(value, root, &path, within, out);
        out.push((path, value.get("default").cloned()));
    }
    if schema["items"].is_object() {
        paths(&schema["items"], root, &format!("{path}[]"), within, out);
    }
    if schema["additionalProperties"].is_object() {
        let path = format!("{path}.NAME");
        paths(&schema["additionalProperties"], root, &path, within, out);
        out.push((path, None));
    }
}

#[test]
fn each_key_of_the_manifest_has_a_row_with_its_default() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/manifest.v1.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(committed).expect("schema")).expect("JSON");
    let mut found = Vec::new();
    paths(&schema, &schema, "", &[], &mut found);
    // The shop's own destinations have the keys of the common ones.
    found.retain(|(path, _)| path != "shops[].destinations.NAME");
    // So do those that a label chooses.
    found.retain(|(path, _)| !path.starts_with("destinations.NAME.values."));
    let rows = rows(&page("manifest.md"));
    let tables = rows.iter().filter(|(_, cells)| cells.len() == 4).cloned().collect::<Vec<_>>();
    assert_same(keys(&tables), found.iter().map(|(path, _)| path.as_str()));
    for (path, default) in found {
        let (_, cells) = tables.iter().find(|(key, _)| *key == path).expect("row");
        if let Some(default) = default {
            let default = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
            assert_eq!(cells[1], format!("`{default}`"), "the default of {path}");
        }
        assert!(cells.iter().all(|cell| !cell.is_empty()), "an empty cell of {path}");
    }
}

#[test]
fn the_fields_of_a_change_are_keys_of_a_binding() {
    let page = page("manifest.md");
    let tables = rows(&page);
    let row = |key: &str| tables.iter().find(|(found, _)| found == key).unwrap_or_else(|| panic!("no row of {key}"));
    for field in Field::ALL {
        row(&format!("binding.{field}"));
    }
    let cells = row("ownership.unmanaged").1.join(" ");
    assert!(Unmanaged::ALL.iter().all(|value| cells.contains(&format!("`{value}`"))), "{cells}");
}

/// Returns the first cells of a table whose first cell is a number.
fn numbers(text: &str) -> Vec<String> {
    let first = |line: &str| line.strip_prefix("| ")?.split(" | ").next().map(str::to_owned);
    text.lines().filter_map(first).filter(|cell| cell.bytes().all(|byte| byte.is_ascii_digit())).collect()
}

#[test]
fn each_exit_code_has_a_row() {
    let codes = numbers(&section(&page("formats.md"), "Which exit code means what?"));
    let meanings = Exit::MEANINGS.iter().map(|(exit, _)| (*exit as u8).to_string());
    assert_same(codes, meanings);
}

#[test]
fn each_format_has_a_row_with_its_schema_and_an_example() {
    let page = page("formats.md");
    let formats = section(&page, "Which JSON formats are there?");
    let names: Vec<String> = PublishedFormat::value_variants()
        .iter()
        .map(|format| format.to_possible_value().expect("a value").get_name().to_owned())
        .collect();
    let (types, tables): (Vec<_>, Vec<_>) = rows(&formats).into_iter().partition(|(_, cells)| cells.len() == 3);
    assert_same(keys(&tables), names.iter().map(String::as_str));
    for (name, cells) in &tables {
        let file = format!("{name}.v1.schema.json");
        assert_eq!(cells[0], format!("[{file}](../schemas/{file})"));
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(&file).is_file(), "{file}");
    }
    let examples = formats.lines().filter_map(|line| line.strip_prefix("### ")).map(str::to_owned).collect();
    assert_same(examples, names.iter().filter(|name| *name != "manifest").map(String::as_str));
    let lines = schema::of(PublishedFormat::Events);
    let events = lines["oneOf"].as_array().expect("types of lines");
    assert_same(keys(&types), events.iter().map(|event| event["properties"]["type"]["const"].as_str().expect("type")));
}

#[test]
fn the_last_lines_are_those_of_the_code() {
    let written = keys(&rows(&section(&page("formats.md"), "Which last lines are frozen?")));
    let without_numbers = |line: String| {
        let parts: Vec<&str> = line.split(|c: char| c.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
        let start = if line.starts_with(|c: char| c.is_ascii_digit()) { "N" } else { "" };
        format!("{start}{}", parts.join("N"))
    };
    let none = Summary { shops: ShopCounts { unchanged: 2, ..ShopCounts::default() }, ..Summary::default() };
    let some = Summary { add: 2, change: 2, destroy: 2, ..none.clone() };
    let plans = [
        plan_last_line(&some, true, 0),
        plan_last_line(&some, false, 0),
        plan_last_line(&some, false, 2),
        plan_last_line(&none, true, 0),
        plan_last_line(&Summary { attention: 2, ..none.clone() }, true, 0),
        plan_last_line(&Summary { left_out: 2, ..none.clone() }, true, 0),
    ];
    let report = ReportSummary::default();
    let applies = [report_last_line(&report, true), report_last_line(&report, false)];
    let none = DriftCounts { complete: true, ..DriftCounts::default() };
    let drifts = [
        none.clone(),
        DriftCounts { attention: 2, ..none.clone() },
        DriftCounts { destinations: 2, ..none.clone() },
        DriftCounts { missing: 2, ..none.clone() },
        DriftCounts { removed: 2, since: Some(Since::default()), ..none.clone() },
        DriftCounts { unread: 2, ..none },
        DriftCounts::default(),
    ];
    let drifts = drifts.into_iter().map(|counts| counts.last_line());
    assert_same(written, plans.into_iter().chain(applies).chain(drifts).map(without_numbers));
}

#[test]
fn each_link_into_the_references_has_a_heading() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let anchor = |heading: &str| {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    let anchors = |page: &str| -> BTreeSet<String> {
        let headings = page.lines().filter(|line| line.starts_with('#'));
        headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
    };
    let references = ["manifest.md", "diagnostics.md", "formats.md"];
    let mut broken = Vec::new();
    for entry in std::fs::read_dir(folder).expect("docs") {
        let name = entry.expect("entry").file_name().to_string_lossy().into_owned();
        if Path::new(&name).extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = page(&name);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let Some((file, fragment)) = target.split_once('#') else { continue };
            let file = if file.is_empty() { name.as_str() } else { file };
            if references.contains(&file) && !anchors(&page(file)).contains(fragment) {
                broken.push(format!("{name}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
