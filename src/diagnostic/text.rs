//! Diagnostics for a terminal, in rustc's layout: the source line with a caret.

use std::io::{self, Write};
use std::ops::Range;

use annotate_snippets::renderer::Renderer;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Snippet};

use super::{Diagnostic, Place, Report, Severity, Sources};

/// Maximum number of diagnostics in the text; the other formats contain all of them.
const MOST: usize = 200;

/// Prints the diagnostics in the order of the files, each followed by an empty line.
pub(crate) fn write(out: &mut dyn Write, report: Report<'_>, color: bool) -> io::Result<()> {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    for diagnostic in report.diagnostics.iter().take(MOST) {
        writeln!(out, "{}\n", arrows(&renderer.render(&[group(diagnostic, report.sources)])))?;
    }
    let rest = report.diagnostics.len().saturating_sub(MOST);
    if rest > 0 {
        writeln!(out, "... and {rest} more; `hookwright validate --format json` lists all of them\n")?;
    }
    Ok(())
}

/// Replaces the `:::` with which the renderer, like rustc, marks further places by the arrow of the first place. A
/// line that begins with `::` may be a command to a CI runner and would be escaped when it is printed.
fn arrows(text: &str) -> String {
    let further = |line: &str| {
        let at = line.find(":::")?;
        let mut before = line[..at].trim_start();
        while let Some(sequence) = before.strip_prefix("\x1b[") {
            before = sequence.split_once('m')?.1.trim_start();
        }
        before.is_empty().then_some(at)
    };
    let lines = text.split('\n').map(|line| match further(line) {
        Some(at) => format!("{}-->{}", &line[..at], &line[at + 3..]),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// `2 errors, 1 warning in 3 files`
pub(crate) fn summary(report: Report<'_>) -> String {
    let count = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let files = count(report.sources.len().max(1), "file");
    match (report.errors(), report.warnings()) {
        (errors, 0) => format!("{} in {files}", count(errors, "error")),
        (0, warnings) => format!("{} in {files}", count(warnings, "warning")),
        (errors, warnings) => format!("{}, {} in {files}", count(errors, "error"), count(warnings, "warning")),
    }
}

fn group<'a>(diagnostic: &'a Diagnostic, sources: &Sources) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.full_message()).id(diagnostic.code.as_str());
    let mut group = shown(Group::with_title(title), &diagnostic.place, sources, AnnotationKind::Primary, None);
    for related in &diagnostic.related {
        group = shown(group, &related.place, sources, AnnotationKind::Context, Some(&related.message));
    }
    for note in diagnostic.notes() {
        group = group.element(Level::NOTE.message(wrapped(&note)));
    }
    match &diagnostic.hint {
        Some(hint) => group.element(Level::HELP.message(hint)),
        None => group,
    }
}

/// Breaks a note at commas into lines of readable length.
fn wrapped(note: &str) -> String {
    const WIDTH: usize = 100;
    let mut lines = vec![String::new()];
    for word in note.split_inclusive(", ") {
        if lines.last().is_some_and(|line| !line.is_empty() && line.len() + word.trim_end().len() > WIDTH) {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(word);
        }
    }
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join("\n")
}

fn shown<'a>(
    group: Group<'a>,
    place: &'a Place,
    sources: &Sources,
    kind: AnnotationKind,
    label: Option<&'a str>,
) -> Group<'a> {
    let path: &'a str = &place.file;
    let Some((line, caret)) = sources.get(place).and_then(|source| source.line(place)) else {
        let origin = Origin::path(path);
        let known = place.line > 0;
        return group.element(if known {
            origin.line(place.line as usize).char_column(place.column as usize)
        } else {
            origin
        });
    };
    let annotation: Annotation<'a> = kind.span(visible(caret, &line)).label(label.map(str::to_owned));
    group.element(Snippet::source(line).path(path).line_start(place.line as usize).annotation(annotation))
}

/// Extends an empty caret to the next character, and aligns its end with a character boundary.
fn visible(caret: Range<usize>, line: &str) -> Range<usize> {
    let boundary = |at: usize| (at..line.len()).find(|at| line.is_char_boundary(*at)).unwrap_or(line.len());
    let start = caret.start.min(line.len());
    if caret.end > start { start..boundary(caret.end) } else { start..boundary(start + 1) }
}
