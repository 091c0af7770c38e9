//! A sandbox with faults, a folder with a manifest, and the built binary run against both.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use hookwright::sandbox::{self, OpenOptions, Running};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Subscriptions of each shop, by shop and id, as the sandbox keeps them.
pub type Store = BTreeMap<String, BTreeMap<u64, Value>>;

pub struct Bench {
    folder: TempDir,
    server: Option<Running>,
    url: String,
}

/// What a run exited with, and its report.
pub struct Run {
    pub code: i32,
    pub text: String,
    pub report: Option<Value>,
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap())
}

impl Bench {
    pub fn new(manifest: &str, seed: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("hookwright.yaml"), manifest).unwrap();
        let server = runtime().block_on(sandbox::start(&OpenOptions::default(), ([127, 0, 0, 1], 0).into())).unwrap();
        let url = server.url();
        let bench = Self { folder, server: Some(server), url };
        bench.control("POST", "seed?replace=true", seed);
        bench
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.path(name)).unwrap()).unwrap()
    }

    /// One request to `/__sandbox/…`; what it refuses is a panic.
    pub fn control(&self, method: &str, path: &str, body: &str) -> Value {
        let address: SocketAddr = self.url.trim_start_matches("http://").trim_end_matches("/{shop}").parse().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} /__sandbox/{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{method} {path}: {text}");
        serde_json::from_str(body).unwrap()
    }

    pub fn faults(&self, seed: u64, rules: &[Value]) {
        self.control("POST", "faults", &json!({ "seed": seed, "faults": rules }).to_string());
    }

    /// The faults whose rules never struck.
    pub fn idle(&self) -> Vec<String> {
        let faults = self.control("GET", "faults", "");
        let rules = faults["faults"].as_array().unwrap().iter();
        rules.filter(|rule| rule["struck"] == 0).map(|rule| rule["fault"].to_string()).collect()
    }

    /// How often the rules struck so far.
    pub fn struck(&self) -> u64 {
        let faults = self.control("GET", "faults", "");
        faults["faults"].as_array().unwrap().iter().map(|rule| rule["struck"].as_u64().unwrap()).sum()
    }

    /// What faults did to shops so far, in the sandbox's words.
    pub fn deeds(&self) -> Vec<String> {
        let faults = self.control("GET", "faults", "");
        faults["deeds"].as_array().unwrap().iter().map(|deed| deed.as_str().unwrap().to_owned()).collect()
    }

    pub fn store(&self) -> Store {
        let state = self.control("GET", "state", "");
        let subscriptions = |shop: &Value| -> BTreeMap<u64, Value> {
            let list = shop["subscriptions"].as_array().unwrap();
            list.iter().map(|s| (s["id"].as_u64().unwrap(), s.clone())).collect()
        };
        state["shops"].as_object().unwrap().iter().map(|(name, shop)| (name.clone(), subscriptions(shop))).collect()
    }

    /// Waits until nothing changes any more: what a killed client had in flight has landed, or never will.
    pub fn quiet(&self) {
        let mut last = self.store();
        let mut same = 0;
        while same < 3 {
            std::thread::sleep(std::time::Duration::from_millis(40));
            let now = self.store();
            same = if now == last { same + 1 } else { 0 };
            last = now;
        }
    }

    /// Every shop answers again.
    pub fn heal(&self) {
        let state = self.control("GET", "state", "");
        for (name, shop) in state["shops"].as_object().unwrap() {
            if shop["status"] != "ok" {
                let edit = json!({ "edit": "status", "shop": name, "status": "ok" });
                self.control("POST", "edit", &edit.to_string());
            }
        }
    }

    /// The binary with nothing of this process's environment but the search path.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hookwright"));
        // At the most verbose: whatever happens, no output may hold the token.
        command.args(args).arg("-vvv").current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.folder.path());
        command
            .env("HOOKWRIGHT_ADMIN_URL", &self.url)
            .env("FAULT_TOKEN", "shpat_0123456789abcdef")
            .env("NO_PROXY", "*");
        command
    }

    pub fn run(&self, args: &[&str]) -> Run {
        let report = args.iter().skip_while(|arg| **arg != "--report").nth(1);
        if let Some(report) = report {
            let _ = std::fs::remove_file(self.path(report));
        }
        self.finished(&self.command(args).output().unwrap(), report.copied())
    }

    pub fn finished(&self, output: &Output, report: Option<&str>) -> Run {
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!text.contains("panicked"), "{text}");
        assert!(!text.contains("shpat_"), "a token was printed: {text}");
        let report = report.filter(|name| self.path(name).exists()).map(|name| self.json(name));
        assert!(!report.as_ref().is_some_and(|report| report.to_string().contains("shpat_")), "a token in a report");
        Run { code: output.status.code().unwrap_or(-1), text, report }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            let _ = runtime().block_on(server.stop());
        }
    }
}

/// Runs the jobs, a few at a time: most of their time is waiting.
pub fn side_by_side<J: Send, T: Send>(jobs: Vec<J>, work: impl Fn(J) -> T + Sync) -> Vec<T> {
    let queue = std::sync::Mutex::new(jobs.into_iter().enumerate().collect::<std::collections::VecDeque<_>>());
    let done = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                loop {
                    let Some((at, job)) = queue.lock().unwrap().pop_front() else { return };
                    let result = work(job);
                    done.lock().unwrap().push((at, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
