//! Each shop is a separate host behind TLS, like a real shop. The benchmark runs in its own network and mount namespaces,
//! where /etc/hosts resolves every shop to the fake on port 443 and no other host can be reached.
//!
//! The fake adds the latency once for TCP, once for TLS and once for each request.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::args::Args;
use crate::case::Case;
use crate::tls;
use crate::world::{self, Live};

const UNSHARE: [&str; 3] = ["unshare", "--net", "--mount"];

pub fn print(args: &Args) {
    let possible = Command::new(UNSHARE[0]).args(&UNSHARE[1..]).args(["ip", "link", "set", "lo", "up"]).output();
    if !possible.is_ok_and(|output| output.status.success()) {
        println!(
            "connections: skipped, because it requires root, Linux namespaces (unshare --net --mount) and ip (iproute2)\n"
        );
        return;
    }
    let mut command = Command::new(UNSHARE[0]);
    command.args(&UNSHARE[1..]).arg(std::env::current_exe().unwrap()).arg("connections-inside");
    for name in ["tls-shops", "tls-latency", "tls-files", "tls-parallelism"] {
        if let Some(value) = args.text(name) {
            command.arg(format!("--{name}")).arg(value);
        }
    }
    assert!(command.status().unwrap().success(), "the measurement in the namespace failed");
}

/// The main function of the process in the namespace.
pub fn inside(args: &Args) {
    let sizes = args.list("tls-shops", &[200_usize, 2000]);
    let parallelism = args.value("tls-parallelism", 64);
    let open_files = args.text("tls-files").map(ToOwned::to_owned);
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path(), sizes.iter().copied().max().unwrap_or(0));
    println!(
        "Each shop is a separate host, TLS 1.3, 12 bindings, {parallelism} shops at a time; the floor opens one connection per shop and run:\n\n\
         | what | shops | offered | latency | wall s | floor s | ratio | handshakes/shop | floor's | requests/shop | HTTP/2 | \
         most open | CPU ms/shop | floor's | fake CPU s |\n|---|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    );
    for latency_ms in args.list("tls-latency", &[0_u64, 50]) {
        for &shops in &sizes {
            for live in [Live::Full, Live::Empty] {
                for alpn in ["h2,http/1.1", "http/1.1"] {
                    if shops > 200 && alpn == "http/1.1" {
                        continue; // the HTTP version does not affect growth
                    }
                    let tls = Some(folder.path().display().to_string());
                    let case = Case {
                        live,
                        shops,
                        bindings: 12,
                        latency_ms,
                        parallelism,
                        tls,
                        alpn,
                        open_files: open_files.clone(),
                    };
                    println!("{}", row(&case, folder.path()));
                }
            }
        }
    }
    println!();
}

fn row(case: &Case, folder: &Path) -> String {
    let pair = case.pair(folder);
    let (tool, floor) = (&pair.tool, &pair.floor);
    let shops = case.shops as f64;
    let per_shop = |count: usize| count as f64 / shops;
    format!(
        "| {} | {} | {} | {} ms | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.0} % | {} | {:.2} | {:.2} | {:.2} |",
        case.name(),
        case.shops,
        case.alpn,
        case.latency_ms,
        tool.took.wall,
        floor.took.wall,
        tool.took.wall / floor.took.wall,
        per_shop(tool.seen.connections),
        per_shop(floor.seen.connections),
        per_shop(tool.seen.requests),
        100.0 * tool.seen.http2 as f64 / tool.seen.requests as f64,
        tool.seen.most_open,
        tool.took.cpu * 1000.0 / shops,
        floor.took.cpu * 1000.0 / shops,
        tool.seen.cpu,
    )
}

/// Sets up the loopback interface, host names and certificates.
fn prepare(folder: &Path, shops: usize) {
    let mut hosts = "127.0.0.1 localhost\n".to_owned();
    for n in 0..shops {
        let _ = writeln!(hosts, "127.0.0.1 {}.myshopify.com", world::handle(n));
    }
    let file = folder.join("hosts");
    std::fs::write(&file, hosts).unwrap();
    // unshare makes mounts private, so this one is not visible outside.
    for command in
        [&["ip", "link", "set", "lo", "up"][..], &["mount", "--bind", &file.display().to_string(), "/etc/hosts"]]
    {
        assert!(Command::new(command[0]).args(&command[1..]).status().unwrap().success(), "{command:?}");
    }
    tls::make_certificates(folder);
}
