//! What makes a command end before its time, and the one printer of it.

use std::fmt::{Display, Write as _};

use crate::exit::Exit;

/// An error for the user: what is the matter, what to do, what to exit with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    /// Further lines, such as the other mistakes of a file.
    pub(crate) details: Vec<String>,
    pub(crate) hints: Vec<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Display) -> Self {
        Self { exit, message: message.to_string(), details: Vec::new(), hints: Vec::new() }
    }

    /// Something that the user gave is invalid; nothing was sent.
    pub(crate) fn invalid(message: impl Display) -> Self {
        Self::new(Exit::Invalid, message)
    }

    pub(crate) fn hint(mut self, hint: impl Display) -> Self {
        self.hints.push(hint.to_string());
        self
    }

    /// As it stands on stderr.
    pub(crate) fn text(&self) -> String {
        let mut out = format!("error: {}\n", crate::text::escape(&self.message));
        for detail in &self.details {
            let _ = writeln!(out, "  {}", crate::text::escape(detail));
        }
        for hint in &self.hints {
            let _ = writeln!(out, "  hint: {}", crate::text::escape(hint));
        }
        out
    }
}
