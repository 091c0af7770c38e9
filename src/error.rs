//! The error that ends a command, and its only printer.

use std::fmt::{Display, Write as _};

use crate::exit::Exit;

/// An error for the user: the message, its details, the remedies and the exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    /// Further lines, such as other errors in a file or the refused hazards.
    pub(crate) details: Vec<String>,
    /// Remedies; each is printed as `help: …`.
    pub(crate) hints: Vec<String>,
    /// Lines to copy, below the remedies.
    pub(crate) lines: Vec<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Display) -> Self {
        Self { exit, message: message.to_string(), details: Vec::new(), hints: Vec::new(), lines: Vec::new() }
    }

    /// Returns an error about invalid input. Nothing was sent.
    pub(crate) fn invalid(message: impl Display) -> Self {
        Self::new(Exit::Invalid, message)
    }

    pub(crate) fn hint(mut self, hint: impl Display) -> Self {
        self.hints.push(hint.to_string());
        self
    }

    /// Returns the error as printed on stderr, with a newline at the end.
    pub(crate) fn text(&self) -> String {
        let mut out = format!("error: {}\n", crate::text::escape(&self.message));
        for detail in &self.details {
            let _ = writeln!(out, "  {}", crate::text::escape(detail));
        }
        for hint in &self.hints {
            let _ = writeln!(out, "  help: {}", crate::text::escape(hint));
        }
        for line in &self.lines {
            let _ = writeln!(out, "    {}", crate::text::escape(line));
        }
        out
    }
}
