//! Hookwright keeps the webhook subscriptions of many Shopify shops equal to a YAML manifest.
//!
//! `plan` is a pure function of two values of one type. Everything else makes one of those values or carries out the
//! result:
//!
//! ```text
//! manifest.yaml ──parse, resolve──▶ desired: State ─┐
//!                                                   ├─ diff ─▶ Plan ─▶ wire (JSON v1) ─▶ render: text, Markdown, HTML
//! Admin API ──────observe─────────▶ observed: State ┘            └─▶ apply ─▶ Outcome per change
//! ```
//!
//! # Modules
//!
//! The imports below are all that there are: a test compares these tables with the code.
//!
//! The core has no async, no clock, no environment, no files and no network:
//!
//! | module | what it holds | imports |
//! |---|---|---|
//! | `model` | shop, topic, scope, address, binding, subscription: types that parse |  |
//! | `catalog` | topics, their GraphQL names and scopes | `model` |
//! | `state` | one type for desired and observed; the ownership rule | `model` |
//! | `diagnostic` | problems of a manifest, with their places | `digest`, `model` |
//! | `manifest` | YAML to a draft, and a draft with the addresses of its destinations to the desired state | `catalog`, `diagnostic`, `digest`, `model`, `state`, `words` |
//! | `diff` | what makes one shop equal to the manifest | `catalog`, `model`, `state` |
//! | `destinations` | what Adobe's answers mean for a manifest and a plan | `diff`, `manifest`, `model`, `plan`, `quote`, `state` |
//! | `plan` | a plan as types: changes, hazards, findings, digests, staleness | `catalog`, `diff`, `digest`, `model`, `state` |
//! | `since` | what earlier runs say about drift | `diff`, `model`, `plan` |
//! | `import` | observed states to YAML | `diagnostic`, `manifest`, `model`, `state`, `text` |
//! | `select` | which shops a run is about | `model`, `plan` |
//! | `words` | errors of parsers and of the system, in words for people |  |
//! | `text` | numbers in sentences, and texts that are safe to print |  |
//! | `quote` | texts of servers without secrets |  |
//! | `digest` | canonical JSON and its SHA-256 |  |
//! | `json` | JSON that refuses a key that is named twice |  |
//!
//! The edge knows the published formats; the core never looks at them:
//!
//! | module | what it holds | imports |
//! |---|---|---|
//! | `wire` | every JSON format that is published, and its only parsers | `catalog`, `diagnostic`, `diff`, `digest`, `json`, `model`, `plan`, `since`, `state`, `words` |
//! | `schema` | the JSON Schemas of these formats | `manifest`, `wire` |
//! | `render` | one document, printed as text, Markdown and HTML; metrics | `model`, `plan`, `state`, `text`, `wire` |
//!
//! The shell does input and output:
//!
//! | module | what it holds | imports |
//! |---|---|---|
//! | `http` | clients, one exchange, backoff, the shape of errors; under `admin` and `adobe` | `quote` |
//! | `admin` | the Admin API | `catalog`, `http`, `json`, `model`, `state`, `words` |
//! | `adobe` | Adobe's IMS and Flow Service; only reads | `destinations`, `http`, `state`, `words` |
//! | `auth` | where tokens come from | `admin`, `digest`, `files`, `http`, `model`, `text`, `words` |
//! | `concurrency` | many shops, a bounded number at a time |  |
//! | `files` | how files are read: regular, bounded, within the manifest's tree | `words` |
//! | `journal` | lines on the disk, the journal's before a mutation is sent | `printer`, `wire`, `words` |
//! | `apply` | tasks and a writer to outcomes; decides nothing | `admin`, `diff`, `http`, `journal`, `model`, `plan`, `state`, `wire` |
//! | `report` | outcomes to the report of an apply | `apply`, `exit`, `plan`, `wire` |
//! | `run` | from the command line to a plan in memory: the manifest, its destinations, the shops | `admin`, `adobe`, `apply`, `auth`, `catalog`, `cli`, `clock`, `concurrency`, `destinations`, `diagnostic`, `diff`, `digest`, `error`, `exit`, `files`, `journal`, `json`, `manifest`, `model`, `output`, `plan`, `progress`, `render`, `sandbox`, `select`, `since`, `state`, `text`, `wire`, `words` |
//! | `exit` | exit codes | `admin`, `adobe`, `http`, `plan`, `wire` |
//! | `error` | what ends a command, and its one printer | `exit`, `text` |
//! | `clock` | the time of a run |  |
//! | `printer` | the two streams; disarms commands to CI runners |  |
//! | `output` | how a command prints | `cli`, `error`, `exit`, `printer`, `progress`, `render` |
//! | `progress` | the progress line | `printer` |
//! | `log` | the log on standard error | `cli`, `printer` |
//!
//! The entry:
//!
//! | module | what it holds | imports |
//! |---|---|---|
//! | `cli` | the command line as types, its help and manual pages | `auth`, `diagnostic`, `exit`, `model`, `plan`, `printer`, `sandbox`, `schema` |
//! | `commands` | one straight story for each command | `admin`, `apply`, `auth`, `catalog`, `cli`, `clock`, `concurrency`, `destinations`, `diagnostic`, `error`, `exit`, `files`, `import`, `journal`, `manifest`, `model`, `output`, `plan`, `printer`, `progress`, `render`, `report`, `run`, `sandbox`, `schema`, `since`, `state`, `text`, `wire`, `words` |
//!
//! Apart, a Cargo feature:
//!
//! | module | what it holds | imports |
//! |---|---|---|
//! | `sandbox` | an Admin API of its own, for demos and tests; an independent witness | `catalog`, `files`, `model`, `words` |
//!
//! Planning code holds no writer: `admin::ShopReader` cannot change anything, and only `run::apply` makes an
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

/// The program: parses the command line, runs one command, says how it went.
pub fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(unparsed(&error) as u8),
    };
    log::init(&cli.output);
    let exit = match runtime() {
        Ok(runtime) => runtime.block_on(commands::run(cli)),
        Err(error) => {
            let what = "this process cannot start: the system allows it too few threads or open files";
            let failure = error::Failure::new(Exit::Error, format!("{what} ({error})"));
            let failure = failure.hint("raise `ulimit -n` or `ulimit -u`");
            let _ = printer::stderr(printer::Form::Text).write_all(failure.text().as_bytes());
            Exit::Error
        }
    };
    ExitCode::from(exit as u8)
}

/// Prints what clap says of a command line that it did not take, or the help that it was asked for.
fn unparsed(error: &clap::Error) -> Exit {
    let args: Vec<String> = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
    if let Some(answer) = cli::habits::answer(&args, error) {
        let failure = error::Failure::invalid(answer);
        let _ = printer::stderr(printer::Form::Text).write_all(failure.text().as_bytes());
        return failure.exit;
    }
    let text = error.render().to_string();
    match printer::disarm(text.as_bytes(), printer::Form::Text) {
        // With colours, where a terminal reads it.
        Cow::Borrowed(_) => drop(error.print()),
        Cow::Owned(text) => drop(printer::stderr(printer::Form::Text).write_all(&text)),
    }
    // Clap's own code for a usage error is 2, which would read as "changes present".
    if error.use_stderr() { Exit::Invalid } else { Exit::Done }
}

/// The runtime, or why the system does not give one. Tokio panics where a thread or a socket of its own is refused, so
/// as many as it takes are tried first.
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
