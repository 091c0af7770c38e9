//! Prints the data, remarks and errors of a command, with or without colour.

use std::io::{self, IsTerminal as _, Write as _};

use secrecy::{ExposeSecret as _, SecretString};

use crate::cli::{Color, OutputArgs};
use crate::error::Failure;
use crate::exit::Exit;
use crate::printer::{self, Form};
use crate::progress::Verbosity;
use crate::render::Style;

/// How this process prints its output.
#[expect(clippy::struct_excessive_bools, reason = "independent options of the command line")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) stdout_color: bool,
    pub(crate) stderr_color: bool,
    pub(crate) verbose: bool,
    pub(crate) quiet: bool,
    /// Whether data goes to stderr, because stdout carries the stream of events.
    pub(crate) data_on_stderr: bool,
}

impl Output {
    pub(crate) fn new(args: &OutputArgs) -> Self {
        // no-color.org: the variable is present and not empty.
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let color = |terminal: bool| match args.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !no_color,
        };
        Self {
            stdout_color: color(io::stdout().is_terminal()),
            stderr_color: color(io::stderr().is_terminal()),
            verbose: args.verbose > 0,
            quiet: args.quiet,
            data_on_stderr: false,
        }
    }

    pub(crate) fn style(self) -> Style {
        let terminal = io::stdout().is_terminal();
        let width = terminal.then(terminal_size::terminal_size).flatten().map(|(width, _)| width.0);
        let color = if self.data_on_stderr { self.stderr_color } else { self.stdout_color };
        Style { color, width, verbose: self.verbose }
    }

    pub(crate) fn verbosity(self) -> Verbosity {
        if self.quiet { Verbosity::Quiet } else { Verbosity::Normal }
    }

    /// Prints data. A closed pipe (`| head`) is not an error; any other failure to write, such as a full disk, is.
    pub(crate) fn print(self, text: &str) -> Result<(), Failure> {
        self.print_with(Form::Text, |out| out.write_all(text.as_bytes()))
    }

    /// Prints data as indented JSON.
    pub(crate) fn print_json(self, value: &impl serde::Serialize) -> Result<(), Failure> {
        self.print_with(Form::Json, |out| write_json(out, value))
    }

    pub(crate) fn print_with(
        self,
        form: Form,
        write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
    ) -> Result<(), Failure> {
        if self.data_on_stderr {
            let _ = write(&mut printer::stderr(form));
            return Ok(());
        }
        let mut out = printer::stdout(form);
        match write(&mut out).and_then(|()| out.flush()) {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new(Exit::Error, format!("cannot write to standard output: {e}")))
            }
            _ => Ok(()),
        }
    }

    /// Prints a token on request. No other function prints one.
    pub(crate) fn print_secret(self, secret: &SecretString) -> Result<(), Failure> {
        self.print(&format!("{}\n", secret.expose_secret()))
    }

    /// Returns whether stderr is a terminal.
    #[expect(clippy::unused_self, reason = "all printing uses the value that holds the options")]
    pub(crate) fn is_interactive(self) -> bool {
        io::stderr().is_terminal()
    }

    /// Prints a remark on stderr, unless `--quiet` is set. `text` ends with a newline.
    pub(crate) fn remark(self, text: &str) {
        if !self.quiet {
            let _ = printer::stderr(Form::Text).write_all(text.as_bytes());
        }
    }

    /// Runs a command that writes to the given stdout and stderr and returns its exit code.
    pub(crate) fn plain(
        self,
        form: Form,
        command: impl FnOnce(&mut dyn io::Write, &mut dyn io::Write) -> io::Result<u8>,
    ) -> Result<Exit, Failure> {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let done = command(&mut out, &mut err);
        self.print_with(form, |stdout| stdout.write_all(&out))?;
        self.error(&String::from_utf8_lossy(&err));
        match done {
            Ok(0) => Ok(Exit::Done),
            Ok(3) => Ok(Exit::Invalid),
            Ok(_) => Ok(Exit::Error),
            Err(e) => Err(Failure::new(Exit::Error, format!("cannot write: {e}"))),
        }
    }

    /// Prints an error on stderr. `text` ends with a newline.
    #[expect(clippy::unused_self, reason = "all printing uses the value that holds the options")]
    pub(crate) fn error(self, text: &str) {
        let _ = printer::stderr(Form::Text).write_all(text.as_bytes());
    }
}

/// Writes indented JSON with a newline at the end. It is streamed, so that the plan of a large fleet is not held as text.
pub(crate) fn write_json(out: impl io::Write, value: &impl serde::Serialize) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    serde_json::to_writer_pretty(&mut out, value)?;
    out.write_all(b"\n")?;
    out.flush()
}
