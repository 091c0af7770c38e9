//! Hookwright keeps the webhook subscriptions of many Shopify shops equal to a YAML manifest.
//!
//! `plan` is a pure function of two values of one type. Everything else produces one of these values or applies the result:
//!
//! ```text
//! manifest.yaml ──parse, resolve──▶ desired: State ─┐
//!                                                   ├─ diff ─▶ Plan ─▶ wire (JSON v1) ─▶ render: text, Markdown, HTML
//! Admin API ──────observe─────────▶ observed: State ┘            └─▶ apply ─▶ Outcome per change
//! ```
//!
//! # Modules
//!
//! The tables list all imports: a test compares them with the code.
//!
//! The core uses no async, clock, environment, files or network:
//!
//! | module | what it holds | imports |
//! |---|---|---|
//! | `model` | shop, topic, scope, address, binding, subscription: types with parsers |  |
//! | `catalog` | topics, their GraphQL names and scopes | `model` |
//! | `state` | one type for desired and observed; the ownership rule | `model` |
//! | `diagnostic` | errors and warnings of a manifest, with their places | `digest`, `model` |
//! | `manifest` | converts YAML to a draft, and a draft with resolved destinations to the desired state | `catalog`, `diagnostic`, `digest`, `model`, `state`, `words` |
//! | `diff` | the changes that make one shop equal to the manifest | `catalog`, `model`, `state` |
//! | `destinations` | effects of Adobe's responses on a manifest and a plan | `diff`, `manifest`, `model`, `plan`, `quote`, `state` |
//! | `plan` | the types of a plan: changes, hazards, findings, digests, staleness | `catalog`, `diff`, `digest`, `model`, `state` |
//! | `since` | classifies drift by the records of earlier runs | `diff`, `model`, `plan` |
//! | `import` | converts observed states to YAML | `diagnostic`, `manifest`, `model`, `state`, `text` |
//! | `select` | selects the shops of a run | `model`, `plan` |
//! | `words` | messages for errors of parsers and of the operating system |  |
//! | `text` | numbers in sentences, and escaping of printed texts |  |
//! | `quote` | removes secrets from texts of servers |  |
//! | `digest` | canonical JSON and its SHA-256 |  |
//! | `json` | a JSON parser that refuses duplicate keys |  |
//!
//! The edge contains the published formats, which the core does not use:
//!
//! | module | what it holds | imports |
//! |---|---|---|
//! | `wire` | the published JSON formats and their parsers | `catalog`, `diagnostic`, `diff`, `digest`, `json`, `model`, `plan`, `since`, `state`, `words` |
//! | `schema` | the JSON Schemas of these formats | `manifest`, `wire` |
//! | `render` | one document model, printed as text, Markdown, HTML and for Slack; metrics | `model`, `plan`, `state`, `text`, `wire` |
//!
//! The shell performs input and output:
//!
//! | module | what it holds | imports |
//! |---|---|---|
//! | `http` | clients, single exchanges, backoff and error types of `admin` and `adobe` | `quote` |
//! | `admin` | the client of the Admin API | `catalog`, `http`, `json`, `model`, `state`, `words` |
//! | `adobe` | the client of Adobe's IMS and Flow Service; only reads | `destinations`, `http`, `state`, `words` |
//! | `auth` | obtains, stores and refreshes tokens | `admin`, `digest`, `files`, `http`, `model`, `text`, `words` |
//! | `concurrency` | processes many shops, a bounded number at a time |  |
//! | `files` | reads files: only regular ones, of bounded size, within the tree of the manifest | `words` |
//! | `journal` | files of JSON lines; the journal is flushed before a mutation is sent | `printer`, `wire`, `words` |
//! | `apply` | carries out tasks with a writer and returns outcomes; decides nothing | `admin`, `diff`, `http`, `journal`, `model`, `plan`, `state`, `wire` |
//! | `report` | converts outcomes to the report of an apply | `apply`, `exit`, `plan`, `wire` |
//! | `run` | loads the manifest, resolves destinations, reads shops and creates the plan | `admin`, `adobe`, `apply`, `auth`, `catalog`, `cli`, `clock`, `concurrency`, `destinations`, `diagnostic`, `diff`, `digest`, `error`, `exit`, `files`, `journal`, `json`, `manifest`, `model`, `output`, `plan`, `progress`, `render`, `sandbox`, `select`, `since`, `state`, `text`, `wire`, `words` |
//! | `exit` | exit codes | `admin`, `adobe`, `http`, `plan`, `wire` |
//! | `error` | errors that end a command, and their printer | `exit`, `text` |
//! | `clock` | the time of a run |  |
//! | `printer` | stdout and stderr; neutralizes commands to CI runners |  |
//! | `output` | the output of commands | `cli`, `error`, `exit`, `printer`, `progress`, `render` |
//! | `progress` | the progress line | `printer` |
//! | `log` | the log on stderr | `cli`, `printer` |
//!
//! The entry:
//!
//! | module | what it holds | imports |
//! |---|---|---|
//! | `cli` | the command line as types, its help and man pages | `auth`, `diagnostic`, `exit`, `model`, `plan`, `printer`, `render`, `sandbox`, `schema` |
//! | `commands` | the commands, one module each | `admin`, `apply`, `auth`, `catalog`, `cli`, `clock`, `concurrency`, `destinations`, `diagnostic`, `error`, `exit`, `files`, `import`, `journal`, `manifest`, `model`, `output`, `plan`, `printer`, `progress`, `render`, `report`, `run`, `sandbox`, `schema`, `since`, `state`, `text`, `wire`, `words` |
//!
//! An optional Cargo feature, independent of the client and the planner:
//!
//! | module | what it holds | imports |
//! |---|---|---|
//! | `sandbox` | an embedded Admin API for demos and tests | `catalog`, `files`, `model`, `words` |
//!
//! Planning code has no writer: `admin::ShopReader` cannot change anything, and only `run::apply` creates an
//! `admin::ShopWriter`.

mod admin;
mod adobe;
mod apply;
mod auth;
mod catalog;
mod cli;
mod clock;
mod commands;
mod concurrency;
mod destinations;
mod diagnostic;
#[doc(hidden)]
pub mod diff;
mod digest;
#[cfg(test)]
mod docs_test;
mod error;
mod exit;
mod files;
mod http;
mod import;
mod journal;
mod json;
mod log;
#[doc(hidden)]
pub mod manifest;
#[doc(hidden)]
pub mod model;
mod output;
#[doc(hidden)]
pub mod plan;
mod printer;
mod progress;
mod quote;
#[doc(hidden)]
pub mod render;
mod report;
mod run;
#[cfg(feature = "sandbox")]
mod sandbox;
mod schema;
mod select;
mod since;
#[doc(hidden)]
pub mod state;
mod text;
#[doc(hidden)]
pub mod wire;
mod words;

use std::borrow::Cow;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use exit::Exit;

/// Parses the command line, runs one command and returns its exit code.
pub fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(unparsed(&error) as u8),
    };
    log::init(&cli.output);
    let exit = match runtime() {
        Ok(runtime) => runtime.block_on(commands::run(cli)),
        Err(error) => {
            let what = "cannot start: the system limit of threads or open files is too low";
            let failure = error::Failure::new(Exit::Error, format!("{what} ({error})"));
            let failure = failure.hint("raise the limit with `ulimit -n` or `ulimit -u`");
            let _ = printer::stderr(printer::Form::Text).write_all(failure.text().as_bytes());
            Exit::Error
        }
    };
    ExitCode::from(exit as u8)
}

/// Prints the error of a refused command line, or the requested help.
fn unparsed(error: &clap::Error) -> Exit {
    let args: Vec<String> = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
    if let Some(answer) = cli::habits::answer(&args, error) {
        let failure = error::Failure::invalid(answer);
        let _ = printer::stderr(printer::Form::Text).write_all(failure.text().as_bytes());
        return failure.exit;
    }
    let text = error.render().to_string();
    match printer::disarm(text.as_bytes(), printer::Form::Text) {
        // `print` uses colors on a terminal.
        Cow::Borrowed(_) => drop(error.print()),
        Cow::Owned(text) => drop(printer::stderr(printer::Form::Text).write_all(&text)),
    }
    // clap's exit code for a usage error is 2, which here means that changes are present.
    if error.use_stderr() { Exit::Invalid } else { Exit::Done }
}

/// Creates the runtime. Tokio panics if the system refuses one of its threads or sockets, so as many are created first to
/// return an error instead.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) + 1;
    let gate = std::sync::Mutex::new(());
    std::thread::scope(|scope| {
        let closed = gate.lock();
        let wait = || drop(gate.lock());
        let waiting = (0..threads).map(|_| std::thread::Builder::new().spawn_scoped(scope, wait));
        let spawned: std::io::Result<Vec<_>> = waiting.collect();
        drop(closed);
        spawned.map(drop)
    })?;
    #[cfg(unix)]
    let _sockets = (0..8).map(|_| std::os::unix::net::UnixStream::pair()).collect::<std::io::Result<Vec<_>>>()?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

#[cfg(test)]
mod tests;
