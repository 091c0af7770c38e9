//! Memory and CPU time of a no-op plan for growing fleets, measured by `/usr/bin/time -v`.

use std::path::Path;
use std::process::Command;

use crate::args::Args;
use crate::case;
use crate::fake::{Fake, Setting};
use crate::world::Live;

const TIME: &str = "/usr/bin/time";

pub fn print(args: &Args) {
    if !Path::new(TIME).exists() {
        println!("memory: skipped, because {TIME} is not installed (apt-get install time)\n");
        return;
    }
    println!(
        "No-op plan, 20 bindings a shop, 32 shops at a time, no latency, by {TIME} -v:\n\n\
         | shops | peak MiB | KiB/shop | user s | system s | CPU ms/shop | wall |\n|--:|--:|--:|--:|--:|--:|--:|"
    );
    for shops in args.list("memory-shops", &[100_usize, 1000, 5000, 10_000]) {
        let folder = tempfile::tempdir().unwrap();
        let setting = Setting { live: Live::Full, bindings: 20, latency_ms: 0, tls: None, alpn: "" };
        let fake = Fake::start(&setting);
        let tool = case::tool(folder.path());
        let mut command = Command::new(TIME);
        command.arg("-v").arg(tool.get_program()).args(["plan", "--file"]);
        command.arg(case::write_manifest(folder.path(), shops, 20)).env_clear();
        command.envs(tool.get_envs().filter_map(|(key, value)| Some((key, value?))));
        let output = command.env("HOOKWRIGHT_ADMIN_URL", &fake.url).output().unwrap();
        let (printed, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(printed.contains("No changes."), "{printed}{told}");
        fake.finish();
        let figure = |name: &str| {
            let line = told.lines().find_map(|line| line.trim().strip_prefix(name)).unwrap_or_default();
            line.trim_start_matches(':').trim().to_owned()
        };
        let number = |name: &str| figure(name).parse::<f64>().unwrap_or(f64::NAN);
        let kib = number("Maximum resident set size (kbytes)");
        let (user, system) = (number("User time (seconds)"), number("System time (seconds)"));
        let count = shops as f64;
        println!(
            "| {shops} | {:.0} | {:.1} | {user:.2} | {system:.2} | {:.2} | {} |",
            kib / 1024.0,
            kib / count,
            (user + system) * 1000.0 / count,
            figure("Elapsed (wall clock) time (h:mm:ss or m:ss)"),
        );
    }
    println!();
}
