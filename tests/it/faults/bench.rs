//! A sandbox with faults, a folder with a manifest, and the built binary run against both.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::scene::{Server, http};
use crate::world::{self, World};

/// Subscriptions of each shop, by shop and id, as the sandbox keeps them.
pub type Store = BTreeMap<String, BTreeMap<u64, Value>>;

pub struct Bench {
    world: World,
    server: Server,
}

/// Exit code and report of a run.
pub struct Run {
    pub code: i32,
    pub text: String,
    pub report: Option<Value>,
}

impl Bench {
    pub fn new(manifest: &str, seed: &str) -> Self {
        let world = World::new(manifest, seed);
        let server = Server::start(&world);
        Self { world, server }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.world.path(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        self.world.write(name, text);
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.path(name)).unwrap()).unwrap()
    }

    /// One request to `/__sandbox/…`; what it refuses is a panic.
    pub fn control(&self, method: &str, path: &str, body: &str) -> Value {
        let base = self.server.url.trim_end_matches("/{shop}");
        let (status, _, text) = http(method, &format!("{base}/__sandbox/{path}"), body);
        assert_eq!(status, 200, "{method} {path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    pub fn faults(&self, seed: u64, rules: &[Value]) {
        self.control("POST", "faults", &json!({ "seed": seed, "faults": rules }).to_string());
    }

    /// The faults that were never injected.
    pub fn idle(&self) -> Vec<String> {
        let faults = self.control("GET", "faults", "");
        let rules = faults["faults"].as_array().unwrap().iter();
        rules.filter(|rule| rule["struck"] == 0).map(|rule| rule["fault"].to_string()).collect()
    }

    /// Number of injections so far.
    pub fn struck(&self) -> u64 {
        let faults = self.control("GET", "faults", "");
        faults["faults"].as_array().unwrap().iter().map(|rule| rule["struck"].as_u64().unwrap()).sum()
    }

    /// The effects of faults on shops so far, as the sandbox describes them.
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

    /// Waits until nothing changes: requests in flight of a killed client have arrived, or never will.
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

    pub fn command(&self, args: &[&str]) -> Command {
        // At the most verbose: whatever happens, no output may hold the token.
        let mut command = self.world.command(&[args, &["-vvv"]].concat());
        command.env("HOOKWRIGHT_ADMIN_URL", &self.server.url).env("FAULT_TOKEN", "shpat_0123456789abcdef");
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
        let run = world::Run::of(output);
        let text = run.to_string();
        assert!(!text.contains("panicked"), "{text}");
        assert!(!text.contains("shpat_"), "a token was printed: {text}");
        let report = report.filter(|name| self.path(name).exists()).map(|name| self.json(name));
        assert!(!report.as_ref().is_some_and(|report| report.to_string().contains("shpat_")), "a token in a report");
        Run { code: run.code, text, report }
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
