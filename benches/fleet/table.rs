//! Compares the tool with the bare client, over one address for all shops.

use crate::args::Args;
use crate::case::{Case, Run};
use crate::world::Live;

/// The header of the tables.
pub const HEAD: &str = "| what | shops | latency | at a time | wall s | floor s | ratio | CPU s | CPU ms/shop | peak MiB | \
                        requests | floor CPU s | floor MiB | fake CPU s |\n\
                        |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|";

pub fn print(args: &Args) {
    println!("{HEAD}");
    for latency_ms in args.list("latency", &[0_u64, 50]) {
        for shops in args.list("shops", &[200_usize, 1000, 5000]) {
            for live in [Live::Full, Live::Empty, Live::Drift] {
                for parallelism in args.list("parallelism", &[64_usize, 32]) {
                    let case = Case {
                        live,
                        shops,
                        bindings: 12,
                        latency_ms,
                        parallelism,
                        tls: None,
                        alpn: "",
                        open_files: None,
                    };
                    let folder = tempfile::tempdir().unwrap();
                    let pair = case.pair(folder.path());
                    println!("{}", row(case.name(), &case, &pair.tool, &pair.floor));
                }
            }
        }
    }
    println!();
}

/// Returns a row of a table.
pub fn row(what: &str, case: &Case, run: &Run, floor: &Run) -> String {
    let Case { shops, latency_ms, parallelism, .. } = case;
    let (took, low) = (&run.took, &floor.took);
    format!(
        "| {what} | {shops} | {latency_ms} ms | {parallelism} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.0} | {} | {:.2} | \
         {:.0} | {:.2} |",
        took.wall,
        low.wall,
        took.wall / low.wall,
        took.cpu,
        took.cpu * 1000.0 / *shops as f64,
        took.peak,
        run.seen.requests,
        low.cpu,
        low.peak,
        run.seen.cpu,
    )
}
