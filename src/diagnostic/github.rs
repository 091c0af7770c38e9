//! Diagnostics as GitHub workflow commands, which GitHub shows next to the lines of a pull request.

use std::io::{self, Write};

use super::{Diagnostic, Report, paths};

/// Prints one `::error` or `::warning` command per diagnostic.
pub(crate) fn write(out: &mut dyn Write, report: Report<'_>) -> io::Result<()> {
    report.diagnostics.iter().try_for_each(|diagnostic| writeln!(out, "{}", command(diagnostic, report.root)))
}

fn command(d: &Diagnostic, root: Option<&paths::Root>) -> String {
    let mut text = d.full_message();
    for note in d.notes() {
        text.push('\n');
        text.push_str(&note);
    }
    if let Some(hint) = &d.hint {
        text.push_str("\nhelp: ");
        text.push_str(hint);
    }
    let file = property(&paths::plain(root, &d.place.file));
    let position =
        if d.place.line > 0 { format!(",line={},col={}", d.place.line, d.place.column) } else { String::new() };
    format!("::{} file={file}{position},title={}::{}", d.severity.as_str(), property(d.code.as_str()), data(&text))
}

/// Escapes the text of a command in the same way as GitHub's toolkit.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a command, including the characters that end a property or the list of properties.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::{Code, Place};
    use super::*;

    #[test]
    fn nothing_in_a_path_or_message_can_end_the_command() {
        let mut place = Place::file("a,b:c%\n.yaml");
        (place.line, place.column) = (3, 7);
        let d = Diagnostic::new(Code::UnknownKey, place, "100% wrong: x, y").hint("try\r\nthis");
        let expected =
            "::error file=a%2Cb%3Ac%25%0A.yaml,line=3,col=7,title=HW010::100%25 wrong: x, y%0Ahelp: try%0Athis";
        assert_eq!(command(&d, None), expected);
    }
}
