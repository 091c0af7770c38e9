//! Errors of the YAML parser as diagnostics.

use serde_yaml::budget::BudgetBreach;
use serde_yaml::{Error, Location};

use crate::diagnostic::{Code, Diagnostic, Place};
use crate::words;

use super::brackets;
use super::habits;
use super::tree::{MAX_ALIASES, MAX_DEPTH, MAX_NODES, MAX_REPLAYED};

/// Returns the diagnostic of a parser error.
pub(super) fn diagnostic(path: &str, text: &str, error: &Error) -> Diagnostic {
    let mut place = place(path, text, error.location());
    if let Some(message) = over_budget(error) {
        return Diagnostic::new(Code::Budget, place, message).hint("split the manifest into several files");
    }
    let own = error.without_snippet().to_string();
    if own.contains("nesting") || own.contains("recursion") || own.contains("depth") {
        return too_deep(place);
    }
    let (message, hint) = explained(text, &mut place, error, &own);
    Diagnostic::new(Code::Syntax, place, message).hint_if(hint)
}

/// Returns the diagnostic of a file that is nested too deeply.
pub(super) fn too_deep(place: Place) -> Diagnostic {
    Diagnostic::new(Code::Budget, place, format!("the file is nested more than {MAX_DEPTH} levels deep"))
        .hint("a manifest needs at most seven levels; check for unintended brackets or dashes")
}

fn place(path: &str, text: &str, location: Option<Location>) -> Place {
    let Some(location) = location.filter(|at| at.line() > 0) else { return Place::file(path) };
    let narrow = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    // The parser may return a place after the end of the text.
    let len = text.len() as u64;
    let start = location.span().byte_offset().unwrap_or(len).min(len);
    let end = (start + location.span().byte_len().unwrap_or(1)).min(len);
    Place {
        file: path.into(),
        line: narrow(location.line()),
        column: narrow(location.column()),
        start: narrow(start),
        end: narrow(end),
    }
}

fn over_budget(error: &Error) -> Option<String> {
    match error.without_snippet() {
        Error::Budget { breach, .. } => Some(match breach {
            BudgetBreach::Depth { .. } => return None,
            BudgetBreach::Aliases { .. } | BudgetBreach::Anchors { .. } | BudgetBreach::MergeKeys { .. } => {
                format!("the file has more than {MAX_ALIASES} anchors, aliases or merge keys")
            }
            BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. } => {
                format!("the file has more than {MAX_NODES} values")
            }
            BudgetBreach::RecordedAnchorEvents { .. } | BudgetBreach::RecordedAnchorBytes { .. } => {
                format!("the file's anchors expand to more than {MAX_REPLAYED} values")
            }
            _ => "the file is too large for a manifest".to_owned(),
        }),
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => {
            Some(format!("the file's anchors expand to more than {MAX_REPLAYED} values"))
        }
        Error::AliasError { error, .. } => over_budget(error),
        _ => None,
    }
}

fn explained(text: &str, place: &mut Place, error: &Error, own: &str) -> (String, Option<String>) {
    let line = text.lines().nth((place.line as usize).saturating_sub(1)).unwrap_or_default();
    if let Some(tab) = tab_near(text, place.line) {
        move_to(place, text, tab.0, tab.1);
        let hint = "replace the tab with spaces, two for each level";
        return ("tab in the indentation; YAML requires spaces".to_owned(), Some(hint.to_owned()));
    }
    if let Some((line, (at, what, hint))) = habit_near(text, place.line) {
        move_to(place, text, line, at);
        return (what.to_owned(), Some(hint));
    }
    if let Some(mistake) = bracket(text, error, own) {
        let line = text[..mistake.at].matches('\n').count() + 1;
        let start = text[..mistake.at].rfind('\n').map_or(0, |at| at + 1);
        move_to(place, text, u32::try_from(line).unwrap_or(u32::MAX), mistake.at - start);
        return (format!("invalid YAML: {}", mistake.what), Some(mistake.hint.to_owned()));
    }
    // The parser returns a place after the error.
    let culprit = match error.without_snippet() {
        Error::UnknownAnchor { .. } => line.rfind('*'),
        _ if own.contains("did not find expected") => Some(line.len() - line.trim_start().len()),
        _ => own.split_once("unexpected character: `").and_then(|(_, rest)| line.find(rest.chars().next()?)),
    };
    if let Some(at) = culprit {
        move_to(place, text, place.line, at);
    }
    match error.without_snippet() {
        Error::MultipleDocuments { .. } => (
            "expected one YAML document, found several".to_owned(),
            Some("remove the `---` between them, or write each document to its own file".to_owned()),
        ),
        Error::UnknownAnchor { .. } => (
            "this alias (`*name`) has no anchor (`&name`) above it".to_owned(),
            Some("define the anchor, or put a string that begins with `*` in quotes".to_owned()),
        ),
        Error::NullIntoString { .. } | Error::Unexpected { .. } | Error::InvalidScalar { .. } => {
            ("a key must be a string".to_owned(), Some("write `key: value`".to_owned()))
        }
        _ => (format!("invalid YAML: {}", words::of_yaml_syntax(own)), hint_for(line, own)),
    }
}

/// Returns the bracket error, unless the parser reports another kind of error.
fn bracket(text: &str, error: &Error, own: &str) -> Option<brackets::Mistake> {
    let other = matches!(
        error.without_snippet(),
        Error::MultipleDocuments { .. } | Error::UnknownAnchor { .. } | Error::UnsupportedTag { .. }
    ) || own.contains("quote");
    if other { None } else { brackets::mistake(text) }
}

/// Returns the place of a tab in the indentation of this line or the next: the parser may report it one line early.
fn tab_near(text: &str, line: u32) -> Option<(u32, usize)> {
    let first = (line as usize).saturating_sub(1);
    text.lines().enumerate().skip(first).take(2).find_map(|(at, line)| {
        let indent = line.len() - line.trim_start().len();
        let tab = line[..indent].find('\t')?;
        Some((u32::try_from(at + 1).ok()?, tab))
    })
}

/// Returns a known mistake on this line or on one of the two lines above, because the parser reports a missing colon
/// late. A template expression on a line above may be in quotes and valid YAML, so it does not count.
fn habit_near(text: &str, line: u32) -> Option<(u32, habits::Mistake)> {
    let last = (line as usize).max(1);
    let lines: Vec<&str> = text.lines().take(last).collect();
    let near =
        (last.saturating_sub(2)..=last).rev().filter_map(|number| Some((number, *lines.get(number.checked_sub(1)?)?)));
    let mut found = near.filter(|(number, line)| *number == last || habits::template(line).is_none());
    found.find_map(|(number, line)| Some((u32::try_from(number).ok()?, habits::in_line(line)?)))
}

/// Moves a place to a byte offset within a line.
fn move_to(place: &mut Place, text: &str, line: u32, at: usize) {
    let Some(start) = line_start(text, line) else { return };
    let Some(before) = text.get(start..start + at) else { return };
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    place.line = line;
    place.column = narrow(before.chars().count() + 1);
    place.start = narrow(start + at);
    place.end = narrow(start + at + 1);
}

fn line_start(text: &str, line: u32) -> Option<usize> {
    let before = (line as usize).checked_sub(1)?;
    if before == 0 { Some(0) } else { text.match_indices('\n').nth(before - 1).map(|(at, _)| at + 1) }
}

fn hint_for(line: &str, own: &str) -> Option<String> {
    let hint = if own.contains("unsupported tag") {
        "remove the tag. For a secret in an environment variable, write `{ env: NAME }`"
    } else if own.contains("mapping values are not allowed") {
        "put a string that contains `: ` in quotes, or correct the indentation of the line"
    } else if own.contains("unclosed") {
        "close it on the same line, or at the end of the list or mapping"
    } else if own.contains("found character that cannot start")
        || own.contains("unexpected character")
        || line.contains("{{")
    {
        "put the string in quotes"
    } else if own.contains("simple key") || own.contains("could not find expected ':'") {
        "check for a missing `:` after the key, or a missing space after the `:`"
    } else if own.contains("did not find expected") || own.contains("indentation") {
        "check the indentation: all items of a list or mapping must start in the same column"
    } else {
        return None;
    };
    Some(hint.to_owned())
}
