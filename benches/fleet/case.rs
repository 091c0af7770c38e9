//! A run of the tool or of the bare client over a fleet, against a fake Admin API of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fake::{Fake, Seen, Setting};
use crate::measure::{self, Took};
use crate::world::{self, Live};

/// The parameters of a run.
#[derive(Clone)]
pub struct Case {
    pub live: Live,
    pub shops: usize,
    pub bindings: usize,
    pub latency_ms: u64,
    pub parallelism: usize,
    /// The folder with certificates. Every shop is then a separate host behind TLS.
    pub tls: Option<String>,
    pub alpn: &'static str,
    /// The limit of open files of the tool (1024 on many systems).
    pub open_files: Option<String>,
}

/// The measurements of a run and of its fake.
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

    /// The expected number of requests: one read for each shop, one document of changes for each shop that differs.
    pub fn due(&self) -> usize {
        self.shops + (0..self.shops).filter(|&n| self.live.differs(n)).count()
    }

    /// Runs the tool and checks its result.
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

    /// Runs both in turn, three times if a run is short, and returns the median run of each.
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

/// Returns the command of the built tool, without the environment of this process.
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
