//! Diagnostics as SARIF 2.1.0, for code scanning.

use std::io::{self, Write};

use serde::Serialize;

use super::{Code, Diagnostic, Place, Report, Severity};

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
    default_configuration: Configuration,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
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
pub fn write(out: &mut dyn Write, report: Report<'_>) -> io::Result<()> {
    let rules = Code::ALL.iter().map(|code| Rule {
        id: code.as_str(),
        name: code.slug(),
        short_description: Text { text: code.meaning().to_owned() },
        default_configuration: Configuration { level: code.severity().as_str() },
    });
    let driver = Driver { name: "hookwright", version: env!("CARGO_PKG_VERSION"), rules: rules.collect() };
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool { driver },
            column_kind: "unicodeCodePoints",
            results: report.diagnostics.iter().map(finding).collect(),
        }],
    };
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

fn finding(d: &Diagnostic) -> Finding {
    let mut text = d.full_message();
    if let Some(hint) = &d.hint {
        text.push_str(". ");
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
        locations: [location(&d.place, None)],
        related_locations: d.related.iter().map(|r| location(&r.place, Some(&r.message))).collect(),
    }
}

fn location(place: &Place, message: Option<&str>) -> Location {
    let region = (place.line > 0).then_some(Region { start_line: place.line, start_column: place.column });
    Location {
        physical_location: PhysicalLocation { artifact_location: ArtifactLocation { uri: uri(&place.file) }, region },
        message: message.map(|text| Text { text: text.to_owned() }),
    }
}

/// A path as a relative reference: forward slashes, percent-encoded.
fn uri(path: &str) -> String {
    use std::fmt::Write as _;
    let path = path.replace('\\', "/");
    let mut out = String::with_capacity(path.len());
    for byte in path.trim_start_matches("./").bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
