//! Hookwright keeps the webhook subscriptions of many Shopify shops equal to a YAML manifest.
//!
//! `plan` is a pure function of two values of one type. Everything else makes one of those values or carries out the
//! result:
//!
//! ```text
//! manifest.yaml ──parse, resolve──▶ desired: State ─┐
//!                                                   ├─ diff ─▶ Plan ─▶ render (JSON v1 → text, Markdown, HTML)
//! Admin API ──────observe─────────▶ observed: State ┘            └─▶ apply ─▶ Outcome per change
//! ```
//!
//! # Rooms
//!
//! The core has no async, no clock, no environment, no files and no network:
//!
//! | module | holds |
//! |---|---|
//! | [`model`] | shop, topic, scope, address, binding, subscription: types that parse |
//! | [`catalog`] | topics, their GraphQL names and scopes |
//! | [`state`] | one type for desired and observed; the ownership rule |
//! | [`manifest`], [`diagnostic`] | YAML text to desired state, with complaints that point at the line |
//! | [`diff`] | the heart |
//! | `words` | what parsers and the system report, in words for people; every room may use it |
//! | `text` | numbers in sentences |
//! | `digest`, `json` | canonical JSON and its SHA-256; JSON that names a key twice; every room may use them |
//! | [`wire`] | every JSON format that is published, and its only parsers |
//! | [`plan`] | a plan as types: changes, hazards, findings, digests, staleness |
//! | [`destinations`] | what Adobe's answers mean for the destinations of a manifest and for a plan |
//! | `since` | what earlier runs say about drift |
//! | [`import`] | observed states to YAML text, the way back |
//! | [`render`] | text, Markdown, HTML and metrics, from the wire formats alone |
//!
//! The shell does input and output:
//!
//! | module | holds |
//! |---|---|
//! | `http` | clients, one exchange, backoff, the shape of errors, redaction; under `admin` and `adobe` |
//! | [`admin`] | the Admin API and nothing else |
//! | [`adobe`] | Adobe's IMS and Flow Service: addresses and states of dataflows; only reads |
//! | `run` | from the command line to a plan in memory: opens, resolves destinations, reads shops, plans |
//! | [`auth`] | where tokens come from |
//! | `concurrency` | many shops side by side |
//! | `files` | how files are read: regular, bounded, within the manifest's tree |
//! | [`journal`] | writes lines down, the journal before a mutation is sent |
//! | [`apply`] | tasks and a writer to outcomes; decides nothing, keeps going |
//! | [`sandbox`] | an Admin API of its own, for demos and tests |
//! | `printer`, `output` | the two streams; disarms commands to CI runners |
//! | `clock` | the time |
//! | `commands`, `cli` | one straight story for each command |
//!
//! # Imports run one way
//!
//! commands → everything; apply → admin, diff, http, journal, plan, wire, state, model; journal → wire; wire → since, plan,
//! diff, diagnostic, state, catalog, model; since → plan, diff, model;
//! render → wire, plan, model; import → diagnostic, manifest, render, state, model; plan → diff, state, catalog, model;
//! diff → state, catalog, model; manifest → diagnostic, state, catalog, model; admin → http, state, catalog, model;
//! adobe → http, destinations, state; destinations → manifest, plan, diff, http, state, model; run → everything but
//! commands; http → nothing;
//! sandbox → catalog, files, model, words, so that it stays an independent witness; model → nothing. A test holds this.
//!
//! Whoever plans holds no writer: `admin::ShopReader` cannot change anything, and only `commands::apply` makes an
//! `admin::ShopWriter`.

pub mod admin;
pub mod adobe;
pub mod apply;
pub mod auth;
pub mod catalog;
mod cli;
mod clock;
mod commands;
mod concurrency;
pub mod destinations;
pub mod diagnostic;
pub mod diff;
mod digest;
mod error;
mod exit;
mod files;
mod http;
pub mod import;
pub mod journal;
mod json;
mod log;
pub mod manifest;
pub mod model;
mod output;
pub mod plan;
mod printer;
mod progress;
pub mod render;
mod report;
mod run;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod schema;
mod select;
pub mod since;
pub mod state;
mod text;
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
