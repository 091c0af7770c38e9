//! A folder with a manifest and a sandbox, and the binary run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Addresses that the default ownership covers, and one that it does not.
pub const A: &str =
    "https://dcs.adobedc.net/collection/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub const B: &str =
    "https://dcs.adobedc.net/collection/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
pub const FOREIGN: &str = "https://other.example/hook";

pub struct World {
    folder: TempDir,
}

/// Output and exit code of a run.
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    pub fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            assert!(!text.contains("sandbox-token"), "a token was printed: {text}");
            text
        };
        Self { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self}"))
    }

    pub fn last_line(&self) -> &str {
        self.out.lines().last().unwrap_or_default()
    }

    #[track_caller]
    pub fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    #[track_caller]
    pub fn out_has(&self, text: &str) -> &Self {
        assert!(self.out.contains(text), "stdout lacks {text:?}: {self}");
        self
    }

    #[track_caller]
    pub fn err_has(&self, text: &str) -> &Self {
        assert!(self.err.contains(text), "stderr lacks {text:?}: {self}");
        self
    }

    #[track_caller]
    pub fn lacks(&self, text: &str) -> &Self {
        self.has_times([0, 0], text)
    }

    /// Asserts that the text occurs this many times in stdout, and not in stderr.
    #[track_caller]
    pub fn out_has_times(&self, times: usize, text: &str) -> &Self {
        self.has_times([times, 0], text)
    }

    /// Asserts that the text occurs this many times in stderr, and not in stdout.
    #[track_caller]
    pub fn err_has_times(&self, times: usize, text: &str) -> &Self {
        self.has_times([0, times], text)
    }

    #[track_caller]
    fn has_times(&self, times: [usize; 2], text: &str) -> &Self {
        let found = [&self.out, &self.err].map(|stream| stream.matches(text).count());
        assert_eq!(found, times, "{text:?} in stdout and stderr: {self}");
        self
    }

    #[track_caller]
    pub fn ends(&self, line: &str) -> &Self {
        assert_eq!(self.last_line(), line, "{self}");
        self
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.out, self.err)
    }
}

impl World {
    /// `manifest` and `seed` are YAML.
    pub fn new(manifest: &str, seed: &str) -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        world.write("hookwright.yaml", manifest);
        world.write("world.sandbox.yaml", seed);
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        hookwright(self.folder.path(), args)
    }

    pub fn run(&self, args: &[&str]) -> Run {
        Run::of(&self.command(args).output().unwrap())
    }

    pub fn plan(&self, more: &[&str]) -> Run {
        self.run(&[&["plan", "--sandbox"], more].concat())
    }

    pub fn apply(&self, more: &[&str]) -> Run {
        self.run(&[&["apply", "--sandbox", "--auto-approve"], more].concat())
    }

    /// The plan as JSON.
    pub fn plan_json(&self, more: &[&str]) -> Value {
        self.run(&[&["plan", "--sandbox", "--format", "json"], more].concat()).json()
    }

    /// The changes of one shop's plan: `+topic`, `~id field,field`, `-id reason`.
    pub fn changes(&self, shop: &str) -> Vec<String> {
        changes(&self.plan_json(&[]), shop)
    }

    /// Plans again and finds nothing left.
    #[track_caller]
    pub fn converged(&self) {
        self.plan(&[]).exits(0).ends("No changes. The live webhooks match the manifest.");
    }

    /// The requests to the sandbox so far, one JSON object each.
    pub fn requests(&self) -> Vec<Value> {
        let log = std::fs::read_to_string(self.path(".hookwright/sandbox.json.log.jsonl")).unwrap_or_default();
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn mutations(&self) -> usize {
        self.requests().iter().filter(|r| r["operation"] == "mutation").count()
    }

    /// The live subscriptions of a shop, one per line, as the sandbox lists them.
    pub fn live(&self, shop: &str) -> Vec<String> {
        self.seeded();
        let run = self.run(&["sandbox", "edit", "list", "--shop", shop]);
        run.exits(0);
        run.out.lines().skip(1).map(ToOwned::to_owned).collect()
    }

    /// Fills the sandbox, unless an earlier run filled it.
    fn seeded(&self) {
        if !self.path(".hookwright/sandbox.json").exists() {
            self.run(&["sandbox", "seed", "world.sandbox.yaml"]).exits(0);
        }
    }

    pub fn edit(&self, args: &[&str]) {
        self.seeded();
        self.run(&[&["sandbox", "edit"], args].concat()).exits(0);
    }
}

/// The changes of one shop in a plan.
pub fn changes(plan: &Value, shop: &str) -> Vec<String> {
    let shops = plan["shops"].as_array().unwrap();
    let shop = shops.iter().find(|s| s["shop"] == format!("{shop}.myshopify.com")).unwrap();
    let text = |c: &Value| {
        let id = c["before"]["id"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
        let fields: Vec<&str> = c["fields"].as_array().unwrap().iter().map(|f| f.as_str().unwrap()).collect();
        match c["action"].as_str().unwrap() {
            "create" => format!("+{}", c["topic"].as_str().unwrap()),
            "update" => format!("~{id} {} {}", c["reason"].as_str().unwrap(), fields.join(",")),
            _ => format!("-{id} {}", c["reason"].as_str().unwrap()),
        }
    };
    shop["changes"].as_array().unwrap().iter().map(text).collect()
}

/// The binary with nothing of this process's environment but the search path.
pub fn hookwright(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookwright"));
    command.args(args).current_dir(folder).env_clear().stdin(Stdio::null());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", folder);
    // A proxy of the machine must not see a test's loopback.
    command.env("NO_PROXY", "*");
    command
}

pub fn run(folder: &Path, args: &[&str]) -> Run {
    Run::of(&hookwright(folder, args).output().unwrap())
}

/// A manifest with the destinations `a` and `b`, every scope that the tests use, and these shops.
pub fn manifest(shops: &str) -> String {
    format!(
        "version: 1\nauth: {{ access_token: {{ env: \"TOKEN_{{SHOP}}\" }} }}\n\
         destinations:\n  a: {A}\n  b: {B}\nshops:\n{shops}"
    )
}

/// A seed with one shop that has every scope, and these subscriptions.
pub fn seed(shop: &str, subscriptions: &str) -> String {
    format!(
        "sandbox: 1\nshops:\n  - shop: {shop}\n    scopes: [write_orders, read_customers, read_products]\n    \
         subscriptions:\n{subscriptions}"
    )
}

/// A program outside the Rust toolchain. If it is missing, the test is skipped with a remark; in `.ci/run`, which installs
/// it (HOOKWRIGHT_CI_TOOLS=1), the test fails.
#[allow(clippy::print_stderr, reason = "a test that does nothing should say so")]
pub fn tool(name: &str) -> Option<Command> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join(name).is_file()) {
        return Some(Command::new(name));
    }
    let required = std::env::var_os("HOOKWRIGHT_CI_TOOLS").is_some_and(|v| v == "1");
    assert!(!required, "{name} is not installed, and HOOKWRIGHT_CI_TOOLS=1 says that it is");
    eprintln!("skipped: {name} not found");
    None
}
