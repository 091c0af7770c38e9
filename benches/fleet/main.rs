//! The end-to-end benchmark: `cargo bench --bench fleet`. Every figure is measured in this run.
//!
//! ```text
//! main ─▶ table        no-op plan, apply from empty, apply of drift: wall, CPU, memory, requests, ratio to the floor
//!      ├▶ memory       a no-op plan of 20 bindings a shop, up to 10,000 shops, by /usr/bin/time -v
//!      ├▶ connections  each shop a host of its own behind TLS: handshakes, HTTP version, open connections
//!      ├▶ shards       10,000 shops in 16 processes, and the comparison of their merge with the unsharded plan
//!      └▶ library      Shopify's JavaScript library over the same fake (benches/shopify-api/run)
//! ```
//!
//! The tool, the bare client (floor) and the fake are separate processes. They share the cores of the machine, so the CPU
//! time of each is measured separately. Names select sections; `--shops 200,1000`,
//! `--latency 0,50` (ms), `--parallelism 32,64` narrow the table; the other sections have `--memory-shops`, `--tls-shops`,
//! `--tls-latency`, `--tls-files` (the limit of open files), `--tls-parallelism`, `--shard-shops`, `--shards`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should say where")]
#![allow(unreachable_pub, reason = "modules of one program")]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

mod args;
mod case;
mod connections;
mod fake;
mod floor;
mod graphql;
mod library;
mod measure;
mod memory;
mod merge;
mod shards;
mod table;
mod tls;
mod world;

use std::process::ExitCode;

use args::Args;

fn main() -> ExitCode {
    let all: Vec<String> = std::env::args().skip(1).collect();
    if all.first().is_some_and(|role| role == "measured") {
        measure::measured(&all[1..]);
        return ExitCode::SUCCESS;
    }
    let args = Args::parse(all.into_iter()).unwrap_or_else(|error| panic!("{error}"));
    match args.names.first().map(String::as_str) {
        Some("serve") => fake::serve(&args),
        Some("floor") => floor::run(&args),
        Some("connections-inside") => connections::inside(&args),
        _ => return sections(&args),
    }
    ExitCode::SUCCESS
}

fn sections(args: &Args) -> ExitCode {
    machine();
    let wanted = |name: &str| args.names.is_empty() || args.names.iter().any(|n| n == name);
    if wanted("table") {
        table::print(args);
    }
    if wanted("memory") {
        memory::print(args);
    }
    if wanted("connections") {
        connections::print(args);
    }
    let fine = !wanted("shards") || shards::print(args);
    if args.names.iter().any(|name| name == "library") {
        library::print(args);
    }
    println!("Load after the run: {}", load());
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Returns the load average of the last minute.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}

/// Prints the machine, the time and the load, which affect the figures.
fn machine() {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("?", |(_, m)| m);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = load();
    println!(
        "hookwright {}, {}, {cores} cores ({model}), load before the run {load}\n\
         The tool, the bare client and the fake share these cores; the fake uses at most one.\n",
        env!("CARGO_PKG_VERSION"),
        jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC"),
    );
    if cfg!(debug_assertions) {
        println!(
            "This is a debug build (cargo test --bench fleet), so the figures only show that the benchmark works.\n"
        );
    }
}
