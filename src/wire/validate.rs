//! The JSON of `validate`, version 1. A minor version adds keys; readers ignore keys that they do not know.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use crate::diagnostic::{self, Diagnostic, Place, Shops};

/// The document that `validate --format json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Validation {
    /// `1.0`
    pub format_version: String,
    /// Whether the manifest has no errors.
    pub valid: bool,
    /// Number of errors.
    pub error_count: usize,
    /// Number of warnings.
    pub warning_count: usize,
    /// The exit code of `validate`: 0 or 3.
    pub exit_code: u8,
    /// All problems, in the order of files and lines.
    pub diagnostics: Vec<Problem>,
}

/// One problem.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Problem {
    /// Stable code, such as `HW104`.
    pub code: String,
    /// Short name of the code, such as `scope-missing`.
    pub name: String,
    /// `error` or `warning`. `--deny` turns a warning into an error.
    pub severity: Severity,
    /// The problem.
    pub message: String,
    /// Path as the user gave it.
    pub file: String,
    /// 1-based; absent if the problem concerns the file as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// 1-based, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// How to solve the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Other relevant places, and further places of the same problem.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<OtherPlace>,
    /// Number of shops with the same problem, if the problem concerns shops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shops: Option<usize>,
    /// One of these shops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example_shop: Option<String>,
    /// All of these shops, if there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub all_shops: Vec<String>,
}

/// Another place in a file.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OtherPlace {
    /// Why the place is relevant.
    pub message: String,
    /// Path as the user gave it.
    pub file: String,
    /// 1-based.
    pub line: u32,
    /// 1-based, in characters.
    pub column: u32,
}

/// Severity of a problem.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The manifest is rejected.
    Error,
    /// The manifest is accepted.
    Warning,
}

/// Returns the JSON form of a report.
pub fn document(report: diagnostic::Report<'_>) -> Validation {
    Validation {
        format_version: "1.0".to_owned(),
        valid: report.errors() == 0,
        error_count: report.errors(),
        warning_count: report.warnings(),
        exit_code: report.exit_code(),
        diagnostics: report.diagnostics.iter().map(problem).collect(),
    }
}

/// Prints the JSON form.
pub fn write(out: &mut dyn Write, report: diagnostic::Report<'_>) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &document(report))?;
    writeln!(out)
}

fn problem(d: &Diagnostic) -> Problem {
    let Place { file, line, column, start: _, end: _ } = &d.place;
    let several = d.shops.as_ref().filter(|shops| shops.count() > 1);
    Problem {
        code: d.code.as_str().to_owned(),
        name: d.code.slug().to_owned(),
        severity: match d.severity {
            diagnostic::Severity::Error => Severity::Error,
            diagnostic::Severity::Warning => Severity::Warning,
        },
        message: d.message.clone(),
        file: file.to_string(),
        line: (*line > 0).then_some(*line),
        column: (*line > 0).then_some(*column),
        hint: d.hint.clone(),
        related: d
            .related
            .iter()
            .map(|r| related(&r.place, &r.message))
            .chain(d.also.iter().map(|place| related(place, diagnostic::ALSO)))
            .collect(),
        shops: d.shops.as_ref().map(Shops::count),
        example_shop: d.shops.as_ref().map(|shops| shops.first.to_string()),
        all_shops: several.map(|shops| shops.iter().map(ToString::to_string).collect()).unwrap_or_default(),
    }
}

fn related(place: &Place, message: &str) -> OtherPlace {
    OtherPlace { message: message.to_owned(), file: place.file.to_string(), line: place.line, column: place.column }
}
