//! A question on the terminal, before something is done.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use crate::error::Failure;
use crate::exit::Exit;
use crate::printer::{self, Form};

/// Fails unless a person can answer; `hint` says how to go on without one.
pub(super) fn possible(hint: &str) -> Result<(), Failure> {
    if std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Failure::invalid("confirmation required, but stdin is not a terminal").hint(hint))
}

/// Whether the answer to `question` is `yes`.
pub(super) fn agreed(question: &str) -> Result<bool, Failure> {
    let mut err = printer::stderr(Form::Text);
    let _ = write!(err, "{question}\nOnly `yes` will be accepted: ");
    let _ = err.flush();
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|e| Failure::new(Exit::Error, format!("cannot read the answer: {e}")))?;
    Ok(line.trim() == "yes")
}
