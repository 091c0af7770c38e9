//! The two output streams of this process. All text passes through here, and commands to CI runners in it are escaped.
//!
//! A CI runner executes commands that it finds in a job's output. GitHub recognises `##[name]…` anywhere in a line and
//! `::name …::…` at its start, after blanks (actions/runner, `ActionCommand.cs`: `IndexOf("##[")`,
//! `TrimStart().StartsWith("::")`); Azure Pipelines recognises `##vso[…]` and `##[…]`, TeamCity `##teamcity[…]`. Text of a
//! manifest, a plan file or a server may contain them. Escaping does not depend on the environment, because a container in
//! a job does not see the runner's variables. GitLab's `section_start:` requires a carriage return and an escape character,
//! and all output escapes both.

use std::borrow::Cow;
use std::io::{self, Write};

/// The format of the printed text. It determines how a character is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text for a person: plain text, Markdown, HTML, YAML.
    Text,
    /// JSON documents or lines. A parser reads the same value from the escaped text.
    Json,
    /// Intended commands to GitHub's runner, with escaped values.
    GithubCommands,
}

/// Returns standard output. Each write of whole lines takes its own lock, because a server keeps the writer while it runs.
pub(crate) fn stdout(form: Form) -> impl Write {
    Disarming::new(io::stdout(), form)
}

/// Returns standard error, with the same rules as [`stdout`].
pub(crate) fn stderr(form: Form) -> impl Write {
    Disarming::new(io::stderr(), form)
}

/// Returns the text without commands to a CI runner.
pub(crate) fn disarm(text: &[u8], form: Form) -> Cow<'_, [u8]> {
    let mut out = Vec::new();
    let (mut begin, mut copied) = (0, 0);
    for line in text.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
        for at in commands(line, form).map(|at| begin + at) {
            out.extend_from_slice(&text[copied..at]);
            out.extend_from_slice(match (form, text[at]) {
                (Form::Json, _) => b"\\u0023",
                (_, b'#') => b"\\u{23}",
                _ => b"\\u{3a}",
            });
            copied = at + 1;
        }
        begin += line.len();
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.extend_from_slice(&text[copied..]);
    Cow::Owned(out)
}

/// Returns where commands begin in a line. GitHub's runner compares strings by culture, which ignores soft hyphens,
/// zero-width and control characters. Therefore any character outside ASCII may occur between those of a command.
fn commands(line: &[u8], form: Form) -> impl Iterator<Item = usize> {
    let unseen = |byte: u8| !byte.is_ascii() || byte.is_ascii_control();
    let skip = move |from: usize, ignored: fn(u8) -> bool| {
        line[from..].iter().position(|byte| !unseen(*byte) && !ignored(*byte)).map_or(line.len(), |more| from + more)
    };
    let is = move |at: usize, byte: u8| line.get(at) == Some(&byte);
    let first = skip(0, |byte| byte == b' ');
    let colons = form == Form::Text && is(first, b':') && is(skip(first + 1, |_| false), b':');
    let hashes = (0..line.len()).filter(move |at| {
        is(*at, b'#') && {
            let second = skip(at + 1, |_| false);
            is(second, b'#') && is(skip(second + 1, |byte| byte.is_ascii_alphanumeric()), b'[')
        }
    });
    colons.then_some(first).into_iter().chain(hashes)
}

/// Escapes whole lines, so that a command split over two writes is found.
struct Disarming<W: Write> {
    out: W,
    form: Form,
    line: Vec<u8>,
}

impl<W: Write> Disarming<W> {
    fn new(out: W, form: Form) -> Self {
        Self { out, form, line: Vec::new() }
    }

    fn pass(&mut self, text: &[u8]) -> io::Result<()> {
        self.out.write_all(&disarm(text, self.form))
    }
}

impl<W: Write> Write for Disarming<W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let (whole, rest) = text.split_at(text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
        if !whole.is_empty() {
            let mut lines = std::mem::take(&mut self.line);
            lines.extend_from_slice(whole);
            self.pass(&lines)?;
        }
        self.line.extend_from_slice(rest);
        Ok(text.len())
    }

    /// Also prints an unfinished line, such as a prompt.
    fn flush(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        self.pass(&line)?;
        self.out.flush()
    }
}

impl<W: Write> Drop for Disarming<W> {
    fn drop(&mut self) {
        // `drop` cannot return an error. Callers that need it call `flush` before.
        let _ = self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str, form: Form) -> String {
        String::from_utf8(disarm(text.as_bytes(), form).into_owned()).expect("text")
    }

    #[test]
    fn commands_to_a_runner_are_escaped() {
        for (text, expected) in [
            ("a ##[error]b", "a \\u{23}#[error]b"),
            ("###[x] ##[", "#\\u{23}#[x] \\u{23}#["),
            ("##vso[task.setvariable]x", "\\u{23}#vso[task.setvariable]x"),
            ("x##teamcity[buildStop]", "x\\u{23}#teamcity[buildStop]"),
            ("#\u{ad}#\u{200b}[error]", "\\u{23}\u{ad}#\u{200b}[error]"),
            ("::error::a", "\\u{3a}:error::a"),
            ("a\n \t ::error::a\n", "a\n \t \\u{3a}:error::a\n"),
            ("a\r::error::a", "a\r\\u{3a}:error::a"),
            ("\u{2003}\u{200b}:\u{ad}:error::a", "\u{2003}\u{200b}\\u{3a}\u{ad}:error::a"),
        ] {
            assert_eq!(printed(text, Form::Text), expected);
        }
        for text in ["## Plan [x](y)", "# a # b [", "a ::b::", ":a::b", "#[x]", "- std::fs", "", ":", "#", "##"] {
            assert_eq!(printed(text, Form::Text), text);
            assert_eq!(printed(text, Form::Json), text);
        }
        assert_eq!(printed("::error::a ##[b]", Form::GithubCommands), "::error::a \\u{23}#[b]");
    }

    #[test]
    fn escaped_json_has_the_same_value() {
        let value = serde_json::json!({ "##[a]": ["##vso[b", "\\##[c]", "::error::d", "##\n["] });
        for text in [value.to_string(), serde_json::to_string_pretty(&value).expect("JSON")] {
            let out = printed(&text, Form::Json);
            assert!(!out.contains("##[") && !out.contains("##vso["), "{out}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&out).expect("JSON"), value);
        }
    }

    #[test]
    fn a_command_split_over_two_writes_is_escaped() {
        let mut out = Vec::new();
        let mut writer = Disarming::new(&mut out, Form::Text);
        for part in ["a #", "#[x]\n:", ":error::", "b\nc? "] {
            writer.write_all(part.as_bytes()).expect("write");
        }
        drop(writer);
        assert_eq!(String::from_utf8(out).expect("text"), "a \\u{23}#[x]\n\\u{3a}:error::b\nc? ");
    }
}
