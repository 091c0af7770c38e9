//! The decisive shell of examples/github-actions and examples/gitlab, run for real: the steps are run unchanged by
//! bash as on the runners, with the built binary against the sandbox and replacements of GitHub and GitLab.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::world::{A, B, Run, World, manifest, seed, tool};

const MARKER: &str = "<!-- hookwright: plan -->";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The script of a step; of GitLab's file, of a job.
fn script(file: &str, step: &str) -> String {
    let folder = if file.starts_with(".gitlab") { "gitlab" } else { "github-actions" };
    let text = std::fs::read_to_string(root().join("examples").join(folder).join(file)).unwrap();
    let yaml: Value = serde_yaml::from_str(&text).unwrap();
    if let Some(lines) = yaml[step]["script"].as_array() {
        return lines.iter().map(|line| line.as_str().unwrap().to_owned() + "\n").collect();
    }
    let steps: Vec<&Value> = match yaml["runs"]["steps"].as_array() {
        Some(steps) => steps.iter().collect(),
        None => yaml["jobs"].as_object().unwrap().values().flat_map(|j| j["steps"].as_array().unwrap()).collect(),
    };
    let found = steps.into_iter().find(|s| s["name"] == step).unwrap_or_else(|| panic!("{file} has no step {step}"));
    found["run"].as_str().unwrap().to_owned()
}

/// A runner with a checkout, the binary and `gh`.
struct Runner {
    world: World,
    bin: PathBuf,
}

impl Runner {
    /// None where this machine lacks what every runner of GitHub has.
    fn new(world: World) -> Option<Self> {
        tool("bash")?;
        tool("jq")?;
        let bin = world.path("bin");
        std::fs::create_dir(&bin).unwrap();
        // Requests to Shopify go to the sandbox.
        let wrapper = format!(
            "#!/usr/bin/env bash\ncase $1 in plan | apply | drift) set -- \"$@\" --sandbox ;; esac\nexec '{}' \"$@\"\n",
            env!("CARGO_BIN_EXE_hookwright")
        );
        world.write("bin/hookwright", &wrapper);
        for program in ["gh", "curl", "git"] {
            std::fs::copy(root().join("tests/fixtures/workflows").join(program), bin.join(program)).unwrap();
        }
        std::fs::set_permissions(bin.join("hookwright"), std::fs::Permissions::from_mode(0o755)).unwrap();
        for (name, text) in [
            ("comments", json!([{ "id": 1, "user": { "login": "mallory" }, "body": format!("{MARKER} mine") }])),
            ("pulls", json!([{ "number": 7, "merge_commit_sha": "merged", "head": { "sha": "tip" } }])),
            ("artifacts", json!({ "artifacts": [] })),
            ("notes", json!([{ "id": 1, "body": "not ours" }])),
        ] {
            world.write(&format!("gh/{name}.json"), &text.to_string());
        }
        world.write("summary.md", "");
        Some(Self { world, bin })
    }

    /// Runs a step. Gives what it printed, and its outputs.
    fn step(&self, file: &str, step: &str, env: &[(&str, &str)]) -> (Run, BTreeMap<String, String>) {
        self.world.write("output", "");
        let path = std::env::join_paths(
            std::iter::once(self.bin.clone()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        let mut bash = tool("bash").unwrap();
        bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script(file, step)]);
        bash.env_clear().env("PATH", path.unwrap()).current_dir(self.world.path(""));
        for (name, value) in [
            ("GITHUB_REPOSITORY", "o/r"),
            ("GITHUB_SHA", "merged"),
            ("GITHUB_SERVER_URL", "https://github.example"),
            ("GITHUB_RUN_ID", "99"),
            ("MANIFEST", "hookwright.yaml"),
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
        let run = Run::of(&bash.envs(env.iter().copied()).output().unwrap());
        let outputs = self.world.read("output");
        (run, outputs.lines().filter_map(|l| l.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
    }

    fn gh(&self, file: &str) -> Value {
        serde_json::from_str(&self.world.read(&format!("gh/{file}.json"))).unwrap()
    }

    /// The pull request of the plan workflow: plans, comments, keeps the plan.
    fn pull_request(&self) {
        let env = [("ARGS", "plan -f hookwright.yaml --out plan.json"), ("ACCEPT", "0"), ("PLAN", "plan.json")];
        let (run, _) = self.step("action/action.yml", "Run hookwright", &env);
        run.exits(0);
        self.step("plan.yaml", "Replace the comment", &[("PR", "7")]).0.exits(0);
        self.world.write("gh/artifact.json", &self.world.read("plan.json"));
        std::fs::remove_file(self.world.path("plan.json")).unwrap();
        let artifact = |id: u32, sha: &str, expired: bool| json!({ "created_at": format!("2026-11-0{id}"), "expired": expired, "workflow_run": { "id": id, "head_sha": sha } });
        let artifacts = [artifact(1, "tip", true), artifact(2, "tip", false), artifact(3, "older", false)];
        self.world.write("gh/artifacts.json", &json!({ "artifacts": artifacts }).to_string());
    }

    /// The apply workflow.
    fn merge(&self, allow: &str) -> Run {
        let (found, outputs) = self.step("apply.yaml", "Find the reviewed plan", &[]);
        found.exits(0);
        let digest = outputs.get("digest").map_or("", String::as_str);
        self.step("apply.yaml", "Apply", &[("DIGEST", digest), ("ALLOW", allow)]).0
    }
}

fn world() -> World {
    let shop = "  - { shop: acme, bindings: [{ topics: [orders/create, orders/updated], destination: a }] }\n";
    World::new(&manifest(shop), &seed("acme", &format!("      - {{ topic: orders/create, address: \"{B}\" }}\n")))
}

#[test]
fn an_exit_code_that_is_not_accepted_fails_the_action_and_is_reported() {
    let Some(runner) = Runner::new(world()) else { return };
    let run = |args: &str, accept: &str| {
        runner.step("action/action.yml", "Run hookwright", &[("ARGS", args), ("ACCEPT", accept), ("PLAN", "")])
    };
    for (accept, exit) in [("0", 2), ("0 2", 0), ("0 22", 2)] {
        let (done, outputs) = run("drift -f hookwright.yaml", accept);
        done.exits(exit);
        assert_eq!(outputs["exit-code"], "2", "accept {accept}");
    }
    run("plan --shop $(touch${IFS}owned) --shop *", "0").0.exits(0);
    assert!(!runner.world.path("owned").exists(), "arguments are not evaluated by a shell");
    run("validate\n-f hookwright.yaml\n", "0").0.exits(0);
}

#[test]
fn commands_of_the_runner_are_stopped_while_the_program_runs() {
    let Some(runner) = Runner::new(world()) else { return };
    // Replaces the program, with commands in both of its streams.
    runner.world.write(
        "bin/hookwright",
        "#!/usr/bin/env bash\necho '##[add-path]/tmp'; echo '::error::x' >&2; echo '::error file=a,line=1::b'\n",
    );
    let mut tokens = Vec::new();
    for annotate in ["false", "true"] {
        let env = [("ARGS", "validate"), ("ACCEPT", "0"), ("PLAN", ""), ("ANNOTATE", annotate)];
        let (run, _) = runner.step("action/action.yml", "Run hookwright", &env);
        run.exits(0);
        assert_eq!(run.err, "", "one stream, in order");
        let token = run.out.lines().next().unwrap().strip_prefix("::stop-commands::").unwrap().to_owned();
        assert!(token.len() == 64, "{token}");
        let (inside, after) = run.out.split_once(&format!("\n::{token}::\n")).unwrap();
        assert!(inside.contains("::error::x"), "{run}");
        assert_eq!(after, if annotate == "true" { "::error file=a,line=1::b\n" } else { "" });
        tokens.push(token);
    }
    assert_ne!(tokens[0], tokens[1]);
}

#[test]
fn workflows_use_no_path_from_an_output_and_build_nothing_in_the_checkout() {
    let read = |file: &str| std::fs::read_to_string(root().join("examples/github-actions").join(file)).unwrap();
    for file in ["plan.yaml", "apply.yaml", "drift.yaml", "action/action.yml"] {
        let text = read(file);
        for uses in text.lines().filter_map(|line| line.trim_start_matches(['-', ' ', '#']).strip_prefix("uses: ")) {
            let commit = uses.split_once('@').unwrap().1.split(' ').next().unwrap();
            assert!(commit.len() == 40 && commit.bytes().all(|c| c.is_ascii_hexdigit()), "{file}: {uses}");
        }
        for expression in text.split("${{").skip(1).filter_map(|part| part.split("}}").next()) {
            let output = expression.split(".outputs.").nth(1).map(|name| name.split([' ', ')']).next().unwrap());
            assert!(output.is_none_or(|name| ["exit-code", "digest", "found"].contains(&name)), "{file}: {expression}");
        }
        assert!(!text.contains("GITHUB_PATH") && !text.contains("GITHUB_ENV"), "{file}");
    }
    let install = script("action/action.yml", "Install hookwright");
    assert!(install.find("cd \"$(mktemp -d \"$RUNNER_TEMP").unwrap() < install.find("cargo install").unwrap());
}

#[test]
fn the_comment_is_created_once_and_then_replaced_and_no_other_comment_is_touched() {
    let Some(runner) = Runner::new(world()) else { return };
    runner.pull_request();
    let first = runner.gh("comments");
    assert_eq!(first.as_array().unwrap().len(), 2);
    assert!(first[1]["body"].as_str().unwrap().starts_with(MARKER), "{first}");
    runner.world.edit(&["add", "--shop", "acme", "--topic", "orders/updated", "--address", A]);
    runner.pull_request();
    let second = runner.gh("comments");
    assert_eq!(second.as_array().unwrap().len(), 2, "{second}");
    assert_eq!(second[0], first[0]);
    assert_ne!(second[1]["body"], first[1]["body"]);
    let digest = runner.gh("artifact")["plan_digest"].as_str().unwrap().to_owned();
    assert!(second[1]["body"].as_str().unwrap().ends_with(&format!("\nplan_digest: `{digest}`\n")), "{second}");
}

#[test]
fn a_merge_applies_the_plan_that_was_reviewed() {
    let Some(runner) = Runner::new(world()) else { return };
    runner.pull_request();
    runner.merge("").exits(0).out_has("Apply complete! Resources: 1 added, 1 changed, 0 destroyed.");
    assert!(!runner.world.path("plan.json").exists(), "nothing was planned anew");
    runner.world.converged();
    let report: Value = serde_json::from_str(&runner.world.read("report.json")).unwrap();
    assert_eq!(report["plan_digest"], runner.gh("artifact")["plan_digest"]);
}

#[test]
fn a_plan_that_is_not_the_reviewed_one_is_not_applied() {
    let Some(runner) = Runner::new(world()) else { return };
    runner.pull_request();
    runner.world.edit(&["add", "--shop", "acme", "--topic", "orders/updated", "--address", A]);
    let reviewed = runner.world.read("gh/comments.json");
    runner.pull_request();
    runner.world.write("gh/comments.json", &reviewed);
    runner.merge("").exits(3).out_has("the plan is not the reviewed one; nothing was sent (exit code 3)");
    assert_eq!(runner.world.mutations(), 0);
}

#[test]
fn a_shop_that_changed_since_the_review_is_not_touched() {
    let Some(runner) = Runner::new(world()) else { return };
    runner.pull_request();
    let id = runner.gh("artifact")["shops"][0]["changes"][0]["before"]["id"].as_str().unwrap().to_owned();
    runner.world.edit(&["set", "--shop", "acme", "--id", &id, "include_fields=id"]);
    runner.merge("").exits(7).out_has("run this workflow manually to create a new plan (exit code 7)");
}

#[test]
fn without_a_reviewed_plan_a_new_plan_is_made() {
    for (file, text) in [
        ("pulls", "[]"),
        ("pulls", r#"[{ "number": 7, "merge_commit_sha": "another", "head": { "sha": "tip" } }]"#),
        ("comments", "[]"),
        ("artifacts", r#"{ "artifacts": [] }"#),
        ("artifacts", r#"{ "artifacts": [{ "expired": false, "workflow_run": { "id": 1, "head_sha": "older" } }] }"#),
    ] {
        let Some(runner) = Runner::new(world()) else { return };
        runner.pull_request();
        runner.world.write(&format!("gh/{file}.json"), text);
        runner.merge("").exits(0).out_has("Apply complete!");
        assert!(runner.world.path("plan.json").exists(), "{file} {text}");
        runner.world.converged();
    }
}

#[test]
fn a_hazard_is_refused_without_consent() {
    let shop = "  - { shop: acme, bindings: [] }\n";
    let live = format!("      - {{ topic: orders/create, address: \"{A}\" }}\n");
    let Some(runner) = Runner::new(World::new(&manifest(shop), &seed("acme", &live))) else { return };
    runner.world.write("gh/pulls.json", "[]");
    runner.merge("").exits(6).out_has("Run this workflow manually with the consents above (exit code 6)");
    assert_eq!(runner.world.mutations(), 0);
    runner.merge("empty_shop:a*").exits(0).out_has("0 added, 0 changed, 1 destroyed");
}

#[test]
fn an_unreadable_shop_does_not_stop_the_others_and_fails_the_job() {
    let shops = "  - { shop: acme, bindings: [{ topic: orders/create, destination: a }] }\n  - { shop: zeta, bindings: \
                 [{ topic: orders/create, destination: a }] }\n";
    let zeta = "  - shop: zeta\n    scopes: [write_orders]\n";
    let Some(runner) = Runner::new(World::new(&manifest(shops), &(seed("acme", "      []\n") + zeta))) else { return };
    runner.world.edit(&["status", "--shop", "zeta", "frozen"]);
    runner.world.write("gh/pulls.json", "[]");
    runner.merge("").exits(8).out_has("Resources: 1 added").out_has("(exit code 8)");
}

#[test]
fn drift_opens_updates_and_closes_one_issue_and_keeps_its_exit_code() {
    let Some(runner) = Runner::new(world()) else { return };
    let night = |exit: i32| {
        let (look, outputs) = runner.step("drift.yaml", "Look", &[]);
        look.exits(0);
        let code = [("CODE", outputs["exit-code"].as_str())];
        runner.step("drift.yaml", "Open, update or close the issue", &code).0.exits(0);
        runner.step("drift.yaml", "Say it in the exit code", &code).0.exits(exit);
        runner.world.path("gh/issue.open").exists().then(|| runner.world.read("gh/issue.md"))
    };
    let first = night(2).unwrap();
    assert!(first.contains("Plan: 1 to add, 1 to change, 0 to destroy."), "{first}");
    runner.world.edit(&["add", "--shop", "acme", "--topic", "orders/updated", "--address", A]);
    let second = night(2).unwrap();
    assert!(second.contains("Plan: 0 to add, 1 to change, 0 to destroy."), "{second}");
    runner.world.apply(&[]).exits(0);
    assert_eq!(night(0), None);
    assert_eq!(night(0), None);
    runner.world.write("hookwright.yaml", "nonsense: 1\n");
    assert!(night(3).unwrap().contains("failed before it could look (exit code 3)"));
    let log = runner.world.read("gh/log");
    assert_eq!(log.matches("issue create").count(), 2);
    assert_eq!(log.matches("issue close").count(), 1);
}

#[test]
fn gitlab_jobs_replace_the_note_and_keep_the_exit_codes() {
    let Some(runner) = Runner::new(world()) else { return };
    let job = |name: &str, more: &[(&str, &str)]| {
        let note = [
            ("CI_API_V4_URL", "https://gitlab.example/api/v4"),
            ("CI_MERGE_REQUEST_PROJECT_ID", "3"),
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
        ];
        let _ = std::fs::remove_dir_all(runner.world.path(".hookwright-base"));
        runner.step(".gitlab-ci.yml", name, &[&note, more].concat()).0
    };
    let token = [("HOOKWRIGHT_NOTE_TOKEN", "note-token")];
    job("validate", &[]).exits(0);
    // The target branch has no manifest yet.
    runner.world.write("gh/target/README.md", "");
    // A merge request brings a plan of its own, and a link in the note's place.
    runner.world.write("plan.json", "{\"forged\": true}");
    runner.world.write("secret", "not for the note");
    std::os::unix::fs::symlink("secret", runner.world.path("plan.md")).unwrap();
    runner.world.write("hookwright.yaml.kept", &runner.world.read("hookwright.yaml"));
    runner.world.write("hookwright.yaml", "nonsense: 1\n");
    job("plan", &token).exits(3);
    assert_eq!(runner.gh("notes").as_array().unwrap().len(), 1, "a forged plan is not shown");
    assert_eq!(runner.world.read("secret"), "not for the note");
    runner.world.write("hookwright.yaml", &runner.world.read("hookwright.yaml.kept"));
    std::fs::remove_file(runner.world.path("hookwright.yaml.kept")).unwrap();
    job("plan", &token).exits(0);
    let target = manifest("  - { shop: acme, bindings: [{ topic: orders/create, destination: b }] }\n");
    runner.world.write("gh/target/hookwright.yaml", &target);
    job("plan", &token).exits(0);
    let notes = runner.gh("notes");
    assert_eq!(notes.as_array().unwrap().len(), 2, "one note, replaced: {notes}");
    assert!(notes[1]["body"].as_str().unwrap().starts_with(MARKER), "{notes}");
    let plan: Value = serde_json::from_str(&runner.world.read("plan.json")).unwrap();
    assert_eq!(plan["shops"][0]["changes"][0]["origin"], "manifest", "against the target branch");
    job("plan", &[]).exits(0);

    job("drift", &[]).exits(2);
    assert!(runner.world.read("metrics.txt").contains("hookwright_drift_last_run_exit_code{run=\"metrics\"} 2"));
    job("apply", &[]).exits(0).out_has("Apply complete!");
    job("drift", &[]).exits(0);

    runner.world.write("hookwright.yaml", &manifest("  - { shop: acme, bindings: [] }\n"));
    job("apply", &[]).exits(6);
    let consents = [("HOOKWRIGHT_ALLOW", "empty_shop:acme")];
    job("apply", &consents).exits(0).out_has("2 destroyed");
}
