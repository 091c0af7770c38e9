//! Diagnostics as SARIF 2.1.0, for code scanning.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::{Code, Diagnostic, Place, Report, Severity, paths};
use crate::digest;

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    results: Vec<Finding>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: &'static str,
    version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    name: &'static str,
    short_description: Text,
    full_description: Text,
    help: Help,
    default_configuration: Configuration,
    properties: Properties,
}

#[derive(Serialize)]
struct Help {
    text: String,
    markdown: String,
}

#[derive(Serialize)]
struct Properties {
    #[serde(rename = "problem.severity")]
    severity: &'static str,
    tags: [&'static str; 2],
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    partial_fingerprints: Fingerprints,
}

/// Does not use GitHub's key `primaryLocationLineHash`: GitHub's upload action computes that one, and warns about any
/// other value (github/codeql-action, src/fingerprints.ts).
#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "hookwright/v1")]
    ours: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
}

/// Prints one SARIF log with one run.
pub(crate) fn write(out: &mut dyn Write, report: Report<'_>) -> io::Result<()> {
    let driver = Driver {
        name: "hookwright",
        version: env!("CARGO_PKG_VERSION"),
        rules: Code::ALL.iter().copied().map(rule).collect(),
    };
    let mut seen = BTreeMap::new();
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool { driver },
            column_kind: "unicodeCodePoints",
            results: report.diagnostics.iter().map(|d| finding(d, report, &mut seen)).collect(),
        }],
    };
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

fn rule(code: Code) -> Rule {
    let level = code.severity().as_str();
    let meaning = code.meaning();
    Rule {
        id: code.as_str(),
        name: code.slug(),
        short_description: sentence(meaning),
        full_description: Text { text: format!("{} {}", sentence(meaning).text, code.remedy()) },
        help: Help {
            text: code.remedy().to_owned(),
            markdown: format!("**{code}, {}.** {} {}", code.slug(), sentence(meaning).text, code.remedy()),
        },
        default_configuration: Configuration { level },
        properties: Properties { severity: level, tags: ["shopify", "webhooks"] },
    }
}

/// Returns the text with a capital letter and a full stop.
fn sentence(text: &str) -> Text {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    Text { text: format!("{first}{}.", chars.as_str()) }
}

fn finding(d: &Diagnostic, report: Report<'_>, seen: &mut BTreeMap<String, usize>) -> Finding {
    let mut text = d.full_message();
    for note in d.notes() {
        text.push_str(".\n");
        text.push_str(&note);
    }
    if let Some(hint) = &d.hint {
        // Where space is limited, a viewer shows only the first sentence.
        text.push_str(".\nhelp: ");
        text.push_str(hint);
    }
    Finding {
        rule_id: d.code.as_str(),
        rule_index: Code::ALL.iter().position(|code| *code == d.code).unwrap_or_default(),
        level: match d.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        message: Text { text },
        locations: [location(&d.place, None, report.root)],
        related_locations: d
            .related
            .iter()
            .map(|r| location(&r.place, Some(&r.message), report.root))
            .chain(d.also.iter().map(|place| location(place, Some(super::ALSO), report.root)))
            .collect(),
        partial_fingerprints: Fingerprints { ours: fingerprint(d, report, seen) },
    }
}

/// Returns a fingerprint that stays the same when other lines of the file change: a hash of the code, the file, the
/// message and the text of the line, followed by a counter for equal hashes.
fn fingerprint(d: &Diagnostic, report: Report<'_>, seen: &mut BTreeMap<String, usize>) -> String {
    let line = report.sources.get(&d.place).and_then(|source| source.line(&d.place));
    let line = line.map(|(line, _)| line.trim().to_owned());
    let file = paths::uri(report.root, &d.place.file);
    let hash = digest::hash(&serde_json::json!([d.code.as_str(), file, d.message, line]));
    let hash = digest::hex(&hash[..16]);
    let count = seen.entry(hash.clone()).or_default();
    *count += 1;
    format!("{hash}:{count}")
}

fn location(place: &Place, message: Option<&str>, root: Option<&paths::Root>) -> Location {
    // GitHub requires a line for every result; line 1 is used for the whole file.
    let region = Region { start_line: place.line.max(1), start_column: place.column.max(1) };
    let uri = paths::uri(root, &place.file);
    Location {
        physical_location: PhysicalLocation { artifact_location: ArtifactLocation { uri }, region },
        message: message.map(|text| Text { text: text.to_owned() }),
    }
}
