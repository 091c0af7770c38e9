//! One run of something over a fleet: the tool or the bare client, against a fake of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fake::{Fake, Seen, Setting};
use crate::measure::{self, Took};
use crate::world::{self, Live};

/// What is run.
#[derive(Clone)]
pub struct Case {
    pub live: Live,
    pub shops: usize,
    pub bindings: usize,
    pub latency_ms: u64,
    pub parallelism: usize,
    /// A folder with certificates: every shop is a host of its own, behind TLS.
    pub tls: Option<String>,
    pub alpn: &'static str,
    /// The most files that the tool may have open (many systems: 1024).
    pub open_files: Option<String>,
}

/// A run and what its fake saw.
#[derive(Clone)]
pub struct Run {
    pub took: Took,
    pub seen: Seen,
}

/// The tool and the bare client in the same case.
pub struct Pair {
    pub tool: Run,
    pub floor: Run,
}

impl Case {
    pub fn name(&self) -> &'static str {
        match self.live {
            Live::Full => "no-op plan",
            Live::Empty => "apply from empty",
            Live::Drift => "apply, 1/3 drifted",
        }
    }

    fn fake(&self) -> Fake {
        let Self { live, bindings, latency_ms, tls, alpn, .. } = self;
        let tls = tls.clone();
        Fake::start(&Setting { live: *live, bindings: *bindings, latency_ms: *latency_ms, tls, alpn })
    }

    /// Requests that are due: a read for each shop, a document of changes for each that differs.
    pub fn due(&self) -> usize {
        self.shops + (0..self.shops).filter(|&n| self.live.differs(n)).count()
    }

    /// Runs the tool, and checks that it did what was due.
    pub fn tool(&self, folder: &Path) -> Run {
        let fake = self.fake();
        let out = folder.join("tool.txt");
        let mut command = self.tool_command(folder, &fake.url);
        if let Some(files) = &self.open_files {
            let mut limited = Command::new("prlimit");
            limited.arg(format!("--nofile={files}:{files}")).arg(command.get_program()).args(command.get_args());
            limited.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
            command = limited;
        }
        let took = measure::run(&command, &out);
        let seen = fake.finish();
        let printed = std::fs::read_to_string(out).unwrap();
        let verdict = printed.lines().last().unwrap_or_default();
        let expected = if self.live == Live::Full { "No changes." } else { "Apply complete!" };
        assert!(took.code == 0 && verdict.starts_with(expected), "exit {}: {verdict}\n{printed:.2000}", took.code);
        assert_eq!(seen.subscriptions, self.shops * self.bindings, "what is live at the end: {seen:?}");
        Run { took, seen }
    }

    fn tool_command(&self, folder: &Path, url: &str) -> Command {
        let mut command = tool(folder);
        match self.live {
            Live::Full => command.args(["plan", "--file"]),
            Live::Empty | Live::Drift => command.args(["apply", "--auto-approve", "--file"]),
        };
        command.arg(write_manifest(folder, self.shops, self.bindings));
        command.args(["--parallelism", &self.parallelism.to_string()]);
        match &self.tls {
            Some(certificates) => command.env("SSL_CERT_FILE", format!("{certificates}/authority.pem")),
            None => command.env("HOOKWRIGHT_ADMIN_URL", url),
        };
        command
    }

    /// Runs the bare client.
    pub fn floor(&self, folder: &Path) -> Run {
        let fake = self.fake();
        let mut command = Command::new(std::env::current_exe().unwrap());
        let address = fake.url.trim_start_matches("http://").trim_end_matches("/{shop}");
        command.args(["floor", "--live", self.live.name(), "--address", address]);
        command.args(["--shops", &self.shops.to_string(), "--bindings", &self.bindings.to_string()]);
        command.args(["--parallelism", &self.parallelism.to_string()]);
        if let Some(certificates) = &self.tls {
            command.args(["--tls", certificates]);
        }
        let out = folder.join("floor.txt");
        let took = measure::run(&command, &out);
        let seen = fake.finish();
        let printed = std::fs::read_to_string(out).unwrap();
        assert!(took.code == 0, "the bare client failed: {printed}");
        assert_eq!((seen.requests, seen.subscriptions), (self.due(), self.shops * self.bindings), "{seen:?}");
        Run { took, seen }
    }

    /// Runs both in turn, three times if that is quick, and keeps the middle one of each.
    pub fn pair(&self, folder: &Path) -> Pair {
        let waves = 2 * self.shops.div_ceil(self.parallelism) as u64;
        let times = if waves * self.latency_ms < 2000 && self.shops <= 1000 { 3 } else { 1 };
        let (mut tools, mut floors) = (Vec::new(), Vec::new());
        for _ in 0..times {
            floors.push(self.floor(folder));
            tools.push(self.tool(folder));
        }
        Pair { tool: middle(tools), floor: middle(floors) }
    }
}

/// The run with the median wall time.
pub fn middle(mut runs: Vec<Run>) -> Run {
    runs.sort_by(|a, b| a.took.wall.total_cmp(&b.took.wall));
    runs.swap_remove(runs.len() / 2)
}

/// The built tool, with nothing of this process's environment.
pub fn tool(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookwright"));
    command.env("HOME", folder).env("BENCH_TOKEN", "benchmark").env("NO_PROXY", "*");
    command
}

pub fn write_manifest(folder: &Path, shops: usize, bindings: usize) -> PathBuf {
    let path = folder.join(format!("{shops}x{bindings}.yaml"));
    std::fs::write(&path, world::manifest(shops, bindings)).unwrap();
    path
}
