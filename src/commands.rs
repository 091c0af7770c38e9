//! One straight story for each command.

mod aep;
mod apply;
mod auth;
mod check;
mod destinations;
mod drift;
mod event_log;
mod import;
mod init;
mod load;
mod metrics_file;
mod network;
mod open_files;
mod out_file;
mod pipeline;
mod plan;
mod prompt;
mod reference;
#[cfg_attr(not(feature = "sandbox"), path = "commands/no_sandbox.rs")]
mod sandbox;
mod show;
mod signals;
mod target;
mod topics;
mod validate;

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use crate::cli::{Cli, Color, Command, OutputArgs};
use crate::error::Failure;
use crate::exit::Exit;
use crate::printer::{self, Form};
use crate::progress::Verbosity;
use crate::render::Style;

/// How long the end of a run waits for refreshes under way, which have their own limits.
const SETTLING: Duration = Duration::from_secs(5);

/// How this process prints.
#[expect(clippy::struct_excessive_bools, reason = "four independent switches of the command line")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    stdout_color: bool,
    stderr_color: bool,
    verbose: bool,
    quiet: bool,
    /// Standard output is taken, for a stream of events.
    data_on_stderr: bool,
}

impl Output {
    fn new(args: &OutputArgs) -> Self {
        // The convention of no-color.org: present and not empty.
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

    fn style(self) -> Style {
        let terminal = io::stdout().is_terminal();
        let width = terminal.then(terminal_size::terminal_size).flatten().map(|(width, _)| width.0);
        let color = if self.data_on_stderr { self.stderr_color } else { self.stdout_color };
        Style { color, width, verbose: self.verbose }
    }

    fn verbosity(self) -> Verbosity {
        if self.quiet { Verbosity::Quiet } else { Verbosity::Normal }
    }

    /// Data. A reader that has gone away (`| head`) is its own business; a full disk is not.
    fn print(self, text: &str) -> Result<(), Failure> {
        self.print_with(Form::Text, |out| out.write_all(text.as_bytes()))
    }

    /// Data as pretty JSON.
    fn print_json(self, value: &impl serde::Serialize) -> Result<(), Failure> {
        self.print_with(Form::Json, |out| write_json(out, value))
    }

    fn print_with(self, form: Form, write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<(), Failure> {
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

    /// A token, for which somebody asked. The only place that prints one.
    fn print_secret(self, secret: &SecretString) -> Result<(), Failure> {
        self.print(&format!("{}\n", secret.expose_secret()))
    }

    /// Whether a person reads what is said.
    #[expect(clippy::unused_self, reason = "all printing goes through the one value that says how")]
    fn is_interactive(self) -> bool {
        io::stderr().is_terminal()
    }

    /// A remark.
    fn remark(self, text: &str) {
        if !self.quiet {
            let _ = printer::stderr(Form::Text).write_all(text.as_bytes());
        }
    }

    /// A command that writes to what it is handed, and says what to exit with.
    fn plain(
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

    /// An error.
    #[expect(clippy::unused_self, reason = "all printing goes through the one value that says how")]
    fn error(self, text: &str) {
        let _ = printer::stderr(Form::Text).write_all(text.as_bytes());
    }
}

/// Runs a command to its end; whatever it printed is flushed.
pub(crate) async fn run(cli: Cli) -> Exit {
    signals::limits_are_errors();
    let output = Output::new(&cli.output);
    let result = match cli.command {
        Command::Init(args) => output.plain(Form::Text, |out, err| init::run(&args, Path::new("."), out, err)),
        Command::Validate(args) => {
            output.plain(args.format.printed(), |out, _| validate::run(&args, out, output.stdout_color))
        }
        Command::Plan(args) => plan::run(args, output).await,
        Command::Apply(args) => apply::run(args, output).await,
        Command::Drift(args) => drift::run(args, output).await,
        Command::Destinations(args) => destinations::run(args, output).await,
        Command::Show(args) => show::run(&args, output),
        Command::Auth(args) => auth::run(args, output).await,
        Command::Import(args) => import::run(args, output).await,
        Command::Topics(args) => output.plain(args.format.printed(), |out, err| topics::run(&args, out, err)),
        Command::Sandbox(args) => sandbox::run(args).await,
        Command::Schema(args) => reference::schema(&args, output),
        Command::Completions(args) => reference::completions(args.shell, output),
        Command::Man(args) => reference::man(&args, output),
    };
    let exit = result.unwrap_or_else(|failure| {
        output.error(&failure.text());
        failure.exit
    });
    // What Shopify has given is stored, by whatever way the command ended.
    if !crate::auth::settled(SETTLING).await {
        output.remark("A token was being refreshed and is not stored; the one before it is still good.\n");
    }
    exit
}

/// Pretty JSON with a newline at its end, written while it is made: a fleet's plan is never held as text.
fn write_json(out: impl io::Write, value: &impl serde::Serialize) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    serde_json::to_writer_pretty(&mut out, value)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Seconds since the epoch that all outputs use, where SOURCE_DATE_EPOCH says so (reproducible-builds.org).
fn now() -> jiff::Timestamp {
    let now = fixed_now().unwrap_or_else(jiff::Timestamp::now);
    jiff::Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// The time that SOURCE_DATE_EPOCH says, if it says one.
fn fixed_now() -> Option<jiff::Timestamp> {
    let seconds = std::env::var("SOURCE_DATE_EPOCH").ok()?.trim().parse().ok()?;
    jiff::Timestamp::from_second(seconds).ok()
}

/// How a command judges a manifest: by the day of the run.
fn manifest_options() -> crate::manifest::Options {
    let today = now().to_zoned(jiff::tz::TimeZone::UTC).date();
    crate::manifest::Options { today: Some(today), ..Default::default() }
}

/// The time, for everything that ends: tokens, callbacks.
fn clock() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
