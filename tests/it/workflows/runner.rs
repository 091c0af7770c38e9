//! A runner of GitHub or GitLab: a checkout, the built binary against the sandbox, and replacements of the platforms.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::world::{B, Run, World, manifest, seed, tool};

pub const MARKER: &str = "<!-- hookwright: plan -->";

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of an example.
pub fn example(file: &str) -> String {
    std::fs::read_to_string(root().join("examples").join(file)).unwrap()
}

/// The script of a step of GitHub, or of a job of GitLab.
pub fn script(file: &str, step: &str) -> String {
    let folder = if file.ends_with("gitlab-ci.yml") { "gitlab" } else { "github-actions" };
    let yaml: Value = serde_yaml::from_str(&example(&format!("{folder}/{file}"))).unwrap();
    if folder == "gitlab" {
        let job = &yaml[step];
        let lines = ["before_script", "script"].into_iter().filter_map(|key| job[key].as_array()).flatten();
        return lines.map(|line| line.as_str().unwrap().to_owned() + "\n").collect();
    }
    let steps: Vec<&Value> = match yaml["runs"]["steps"].as_array() {
        Some(steps) => steps.iter().collect(),
        None => yaml["jobs"].as_object().unwrap().values().flat_map(|j| j["steps"].as_array().unwrap()).collect(),
    };
    let found = steps.into_iter().find(|s| s["name"] == step).unwrap_or_else(|| panic!("{file} has no step {step}"));
    found["run"].as_str().unwrap().to_owned()
}

/// A runner with a checkout, the binary and `gh`.
pub struct Runner {
    pub world: World,
    pub bin: PathBuf,
}

impl Runner {
    /// None where this machine lacks what every runner of GitHub has.
    pub fn new(world: World) -> Option<Self> {
        tool("bash")?;
        tool("jq")?;
        let bin = world.path("bin");
        std::fs::create_dir(&bin).unwrap();
        // Requests to Shopify go to the sandbox.
        let wrapper = format!(
            "#!/usr/bin/env bash\ncase $1 in plan | apply | drift | auth) set -- \"$@\" --sandbox ;; esac\nexec '{}' \"$@\"\n",
            env!("CARGO_BIN_EXE_hookwright")
        );
        world.write("bin/hookwright", &wrapper);
        for program in ["gh", "curl", "git"] {
            std::fs::copy(root().join("tests/fixtures/workflows").join(program), bin.join(program)).unwrap();
        }
        for (name, text) in [
            ("comments", json!([{ "id": 1, "user": { "login": "mallory" }, "body": format!("{MARKER} mine") }])),
            ("pulls", json!([{ "number": 7, "merge_commit_sha": "merged", "head": { "sha": "tip" } }])),
            ("artifacts", json!({ "artifacts": [] })),
            ("commits", json!([{ "sha": "merged" }])),
            ("issues", json!([{ "number": 3, "title": "Webhooks have drifted by far", "open": true, "body": "mine" }])),
            ("notes", json!([{ "id": 1, "body": "not ours" }])),
            (
                "pipelines",
                json!([pipeline(50, "tip", "head"), pipeline(51, "tip", "head"), pipeline(60, "older", "head")]),
            ),
        ] {
            world.write(&format!("gh/{name}.json"), &text.to_string());
        }
        world.write("summary.md", "");
        let runner = Self { world, bin };
        runner.executable("hookwright");
        Some(runner)
    }

    /// Makes a file of `bin` a program.
    pub fn executable(&self, name: &str) {
        std::fs::set_permissions(self.bin.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs a step of the action. Gives what it printed, and its outputs.
    pub fn step(&self, step: &str, env: &[(&str, &str)]) -> (Run, BTreeMap<String, String>) {
        self.step_of("action/action.yml", step, env)
    }

    pub fn step_of(&self, file: &str, step: &str, env: &[(&str, &str)]) -> (Run, BTreeMap<String, String>) {
        self.world.write("output", "");
        let run = self.sh(&script(file, step), env);
        let outputs = self.world.read("output");
        (run, outputs.lines().filter_map(|l| l.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
    }

    /// Runs a script in the checkout with the variables of a runner.
    pub fn sh(&self, script: &str, env: &[(&str, &str)]) -> Run {
        let path = std::env::join_paths(
            std::iter::once(self.bin.clone()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        let mut bash = tool("bash").unwrap();
        bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]);
        bash.env_clear().env("PATH", path.unwrap()).current_dir(self.world.path(""));
        for (name, value) in [
            ("GITHUB_REPOSITORY", "o/r"),
            ("GITHUB_EVENT_NAME", "push"),
            ("GITHUB_SHA", "merged"),
            ("GITHUB_SERVER_URL", "https://github.example"),
            ("GITHUB_RUN_ID", "99"),
            ("MANIFEST", "hookwright.yaml"),
            ("NAME", ""),
            ("OPTIONS", ""),
            ("ALLOW", ""),
            ("DIGEST", ""),
            ("FORK", "false"),
            ("PAGE", ""),
            ("NO_PROXY", "*"),
        ] {
            bash.env(name, value);
        }
        for (name, file) in [
            ("GITHUB_OUTPUT", "output"),
            ("GITHUB_STEP_SUMMARY", "summary.md"),
            ("GH_STATE", "gh"),
            ("RUNNER_TEMP", ""),
        ] {
            bash.env(name, self.world.path(file));
        }
        Run::of(&bash.envs(env.iter().copied()).output().unwrap())
    }

    pub fn gh(&self, file: &str) -> Value {
        serde_json::from_str(&self.world.read(&format!("gh/{file}.json"))).unwrap()
    }

    /// Runs the steps of the action for a pull request: plans, comments, keeps the plan. Returns the result of the job.
    pub fn pull_request(&self, name: &str, options: &str) -> Run {
        self.pull_request_on(&[("NAME", name), ("OPTIONS", options)])
    }

    /// Runs the steps of the action for a pull request with these variables.
    pub fn pull_request_on(&self, env: &[(&str, &str)]) -> Run {
        let name = env.iter().find(|(key, _)| *key == "NAME").map_or("", |(_, value)| value);
        let (run, outputs) = self.step("Run hookwright", &[env, &[("COMMAND", "plan")]].concat());
        run.exits(0);
        if outputs.contains_key("shown") {
            let page = [
                ("COMMAND", "plan"),
                ("CODE", outputs["exit-code"].as_str()),
                ("PULL", "7"),
                ("PAGE", "https://github.example/artifact"),
                ("SHOWN", "plan"),
            ];
            self.step("Replace the comment", &page).0.exits(0);
            let artifact =
                if name.is_empty() { "hookwright-plan-7".to_owned() } else { format!("hookwright-plan-7-{name}") };
            self.world.write(&format!("gh/artifact-{artifact}.json"), &self.world.read("hookwright/plan.json"));
            let mut all = self.gh("artifacts");
            let of = |id: u32, sha: &str, expired: bool| json!({ "name": artifact, "created_at": format!("2026-11-0{id}"), "expired": expired, "workflow_run": { "id": id, "head_sha": sha } });
            all["artifacts"].as_array_mut().unwrap().extend([
                of(1, "tip", true),
                of(2, "tip", false),
                of(3, "older", false),
            ]);
            self.world.write("gh/artifacts.json", &all.to_string());
        }
        self.ends("plan", &outputs)
    }

    /// Runs the steps of the action for a push to the default branch. Returns the result of the job.
    pub fn merge(&self, name: &str, options: &str, allow: &str) -> Run {
        self.apply(&[("NAME", name), ("OPTIONS", options), ("ALLOW", allow)])
    }

    /// Runs the steps of an apply with these variables.
    pub fn apply(&self, env: &[(&str, &str)]) -> Run {
        let (found, reviewed) = self.step("Find the reviewed plan", env);
        found.exits(0);
        let digest = reviewed.get("digest").map_or("", String::as_str);
        let (run, outputs) = self.step("Run hookwright", &[env, &[("COMMAND", "apply"), ("DIGEST", digest)]].concat());
        run.exits(0);
        if let Some(shown) = outputs.get("shown") {
            let pull = reviewed.get("pull").map_or("", String::as_str);
            let code = outputs["exit-code"].as_str();
            let env = [("COMMAND", "apply"), ("CODE", code), ("PULL", pull), ("SHOWN", shown)];
            self.step("Replace the comment", &env).0.exits(0);
        }
        let end = self.ends("apply", &outputs);
        Run { out: format!("{}{}{}", found.out, run.out, end.out), ..end }
    }

    pub fn ends(&self, command: &str, outputs: &BTreeMap<String, String>) -> Run {
        let env = [("COMMAND", command), ("ACCEPT", "0"), ("CODE", outputs["exit-code"].as_str())];
        self.step("Say it in the exit code", &env).0
    }

    /// The comments that begin with a marker.
    pub fn comments(&self, marker: &str) -> Vec<String> {
        let all = self.gh("comments");
        let ours = all.as_array().unwrap().iter().filter(|comment| comment["user"]["login"] == "github-actions[bot]");
        let bodies = ours.map(|comment| comment["body"].as_str().unwrap().to_owned());
        bodies.filter(|body| body.starts_with(&format!("<!-- hookwright: {marker} -->\n"))).collect()
    }
}

pub fn world() -> World {
    let shop = "  - { shop: acme, bindings: [{ topics: [orders/create, orders/updated], destination: a }] }\n";
    World::new(&manifest(shop), &seed("acme", &format!("      - {{ topic: orders/create, address: \"{B}\" }}\n")))
}

/// A pipeline of merge request 7.
pub fn pipeline(id: u32, sha: &str, kind: &str) -> Value {
    json!({ "id": id, "sha": sha, "ref": format!("refs/merge-requests/7/{kind}") })
}
