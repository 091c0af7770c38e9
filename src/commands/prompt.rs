//! Asks for confirmation on the terminal.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use crate::error::Failure;
use crate::exit::Exit;
use crate::printer::{self, Form};

/// Fails unless stdin is a terminal. `hint` is the remedy.
pub(super) fn possible(hint: &str) -> Result<(), Failure> {
    if std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Failure::invalid("confirmation required, but stdin is not a terminal").hint(hint))
}

/// Returns whether the answer to `question` is `yes`.
pub(super) fn agreed(question: &str) -> Result<bool, Failure> {
    let mut err = printer::stderr(Form::Text);
    let _ = write!(err, "{question}\nOnly `yes` is accepted: ");
    let _ = err.flush();
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    // The prompt has no newline. Without a line of input (Ctrl-D) the terminal has not printed one, either.
    let _ = if line.ends_with('\n') { Ok(()) } else { writeln!(err) };
    read.map_err(|e| Failure::new(Exit::Error, format!("cannot read the confirmation: {e}")))?;
    Ok(line.trim() == "yes")
}
