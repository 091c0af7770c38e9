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

    /// Runs a step of the action. Gives what it printed, and its outputs.
    fn step(&self, step: &str, env: &[(&str, &str)]) -> (Run, BTreeMap<String, String>) {
        self.step_of("action/action.yml", step, env)
    }

    fn step_of(&self, file: &str, step: &str, env: &[(&str, &str)]) -> (Run, BTreeMap<String, String>) {
        self.world.write("output", "");
        let run = self.sh(&script(file, step), env);
        let outputs = self.world.read("output");
        (run, outputs.lines().filter_map(|l| l.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
    }

    /// Runs a script in the checkout with the variables of a runner.
    fn sh(&self, script: &str, env: &[(&str, &str)]) -> Run {
        let path = std::env::join_paths(
            std::iter::once(self.bin.clone()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        let mut bash = tool("bash").unwrap();
        bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]);
        bash.env_clear().env("PATH", path.unwrap()).current_dir(self.world.path(""));
        for (name, value) in [
            ("GITHUB_REPOSITORY", "o/r"),
            ("GITHUB_SHA", "merged"),
            ("GITHUB_SERVER_URL", "https://github.example"),
            ("GITHUB_RUN_ID", "99"),
            ("MANIFEST", "hookwright.yaml"),
            ("NAME", ""),
            ("OPTIONS", ""),
            ("ALLOW", ""),
            ("DIGEST", ""),
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

    fn gh(&self, file: &str) -> Value {
        serde_json::from_str(&self.world.read(&format!("gh/{file}.json"))).unwrap()
    }

    /// Runs the steps of the action for a pull request: plans, comments, keeps the plan. Returns the result of the job.
    fn pull_request(&self, name: &str, options: &str) -> Run {
        let env = [("COMMAND", "plan"), ("NAME", name), ("OPTIONS", options)];
        let (run, outputs) = self.step("Run hookwright", &env);
        run.exits(0);
        if outputs.contains_key("shown") {
            let page = [("PULL", "7"), ("PAGE", "https://github.example/artifact"), ("SHOWN", "plan")];
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
    fn merge(&self, name: &str, options: &str, allow: &str) -> Run {
        let (found, reviewed) = self.step("Find the reviewed plan", &[("NAME", name)]);
        found.exits(0);
        let digest = reviewed.get("digest").map_or("", String::as_str);
        let env = [("COMMAND", "apply"), ("NAME", name), ("OPTIONS", options), ("ALLOW", allow), ("DIGEST", digest)];
        let (run, outputs) = self.step("Run hookwright", &env);
        run.exits(0);
        if let Some(shown) = outputs.get("shown") {
            let pull = reviewed.get("pull").map_or("", String::as_str);
            self.step("Replace the comment", &[("PULL", pull), ("SHOWN", shown)]).0.exits(0);
        }
        let end = self.ends("apply", &outputs);
        Run { out: format!("{}{}", run.out, end.out), ..end }
    }

    fn ends(&self, command: &str, outputs: &BTreeMap<String, String>) -> Run {
        let env = [("COMMAND", command), ("ACCEPT", "0"), ("CODE", outputs["exit-code"].as_str())];
        self.step("Say it in the exit code", &env).0
    }

    /// The comments that begin with a marker.
    fn comments(&self, marker: &str) -> Vec<String> {
        let all = self.gh("comments");
        let ours = all.as_array().unwrap().iter().filter(|comment| comment["user"]["login"] == "github-actions[bot]");
        let bodies = ours.map(|comment| comment["body"].as_str().unwrap().to_owned());
        bodies.filter(|body| body.starts_with(&format!("<!-- hookwright: {marker} -->\n"))).collect()
    }
}

fn world() -> World {
    let shop = "  - { shop: acme, bindings: [{ topics: [orders/create, orders/updated], destination: a }] }\n";
    World::new(&manifest(shop), &seed("acme", &format!("      - {{ topic: orders/create, address: \"{B}\" }}\n")))
}

#[test]
fn an_exit_code_that_is_not_accepted_fails_the_action_and_is_reported() {
    let Some(runner) = Runner::new(world()) else { return };
    let run =
        |command: &str, options: &str| runner.step("Run hookwright", &[("COMMAND", command), ("OPTIONS", options)]);
    let (done, outputs) = run("drift", "-f hookwright.yaml");
    done.exits(0);
    assert_eq!(outputs["exit-code"], "2");
    for (accept, exit) in [("0", 2), ("0 2", 0), ("0 22", 2)] {
        let env = [("COMMAND", "drift"), ("ACCEPT", accept), ("CODE", "2")];
        runner.step("Say it in the exit code", &env).0.exits(exit);
    }
    run("plan", "--shop $(touch${IFS}owned) --shop *").0.exits(0);
    assert!(!runner.world.path("owned").exists(), "options are not evaluated by a shell");
    assert_eq!(run("version", "").1["exit-code"], "3", "a command that does not exist");
    assert_eq!(run("none", "").1["exit-code"], "0");
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
    for command in ["drift", "validate"] {
        let (run, _) = runner.step("Run hookwright", &[("COMMAND", command)]);
        run.exits(0);
        assert_eq!(run.err, "", "one stream, in order");
        let token = run.out.lines().next().unwrap().strip_prefix("::stop-commands::").unwrap().to_owned();
        assert!(token.len() == 64, "{token}");
        let (inside, after) = run.out.split_once(&format!("\n::{token}::\n")).unwrap();
        assert!(inside.contains("::error::x"), "{run}");
        assert_eq!(after, if command == "validate" { "::error file=a,line=1::b\n" } else { "" });
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
            assert!(
                output.is_none_or(|name| ["exit-code", "digest", "pull", "shown", "artifact-url"].contains(&name)),
                "{file}: {expression}"
            );
        }
        assert!(!text.contains("GITHUB_PATH") && !text.contains("GITHUB_ENV"), "{file}");
    }
    let install = script("action/action.yml", "Install hookwright");
    assert!(install.find("cd \"$(mktemp -d \"$RUNNER_TEMP").unwrap() < install.find("cargo install").unwrap());
}

#[test]
fn the_comment_is_created_once_and_then_replaced_and_no_other_comment_is_touched() {
    let Some(runner) = Runner::new(world()) else { return };
    runner.pull_request("", "").exits(0);
    let first = runner.gh("comments");
    assert_eq!(first.as_array().unwrap().len(), 2);
    assert!(first[1]["body"].as_str().unwrap().starts_with(MARKER), "{first}");
    runner.world.edit(&["add", "--shop", "acme", "--topic", "orders/updated", "--address", A]);
    runner.pull_request("", "").exits(0);
    let second = runner.gh("comments");
    assert_eq!(second.as_array().unwrap().len(), 2, "{second}");
    assert_eq!(second[0], first[0]);
    let body = second[1]["body"].as_str().unwrap();
    assert_ne!(second[1]["body"], first[1]["body"]);
    assert!(body.contains("[plan as a page](<https://github.example/artifact>)"), "{body}");
    assert!(body.contains("[run](<https://github.example/o/r/actions/runs/99>)"), "{body}");
    let digest = runner.gh("artifact-hookwright-plan-7")["plan_digest"].as_str().unwrap().to_owned();
    assert_eq!(body.matches("Plan digest: ").count(), 1);
    assert!(body.ends_with(&format!("\nPlan digest: `{digest}`\n")), "{body}");
}

#[test]
fn a_merge_applies_the_plan_that_was_reviewed_and_posts_the_result() {
    let Some(runner) = Runner::new(world()) else { return };
    runner.pull_request("", "").exits(0);
    runner.merge("", "", "").exits(0).out_has("Apply complete! Resources: 1 added, 1 changed, 0 destroyed.");
    runner.world.converged();
    let report: Value = serde_json::from_str(&runner.world.read("hookwright/report.json")).unwrap();
    assert_eq!(report["plan_digest"], runner.gh("artifact-hookwright-plan-7")["plan_digest"]);
    let result = runner.comments("apply");
    assert_eq!(result.len(), 1);
    assert!(result[0].contains("## Apply complete! Resources: 1 added, 1 changed, 0 destroyed."), "{result:?}");
    // The job again, after it succeeded or failed in part: nothing is done twice.
    runner.merge("", "", "").exits(0).out_has("Resources: 0 added, 0 changed, 0 destroyed.");
    assert_eq!(runner.comments("apply").len(), 1, "replaced");
}

#[test]
fn a_plan_that_is_not_the_reviewed_one_is_not_applied() {
    let Some(runner) = Runner::new(world()) else { return };
    runner.pull_request("", "").exits(0);
    runner.world.edit(&["add", "--shop", "acme", "--topic", "orders/updated", "--address", A]);
    let reviewed = runner.world.read("gh/comments.json");
    runner.pull_request("", "").exits(0);
    runner.world.write("gh/comments.json", &reviewed);
    runner.merge("", "", "").exits(3).out_has("the plan is not the reviewed one; nothing was sent (exit code 3)");
    assert_eq!(runner.world.mutations(), 0);
}

#[test]
fn a_comment_of_another_account_names_no_plan() {
    let Some(runner) = Runner::new(world()) else { return };
    runner.pull_request("", "").exits(0);
    let forged = runner.world.read("gh/comments.json").replace("github-actions[bot]", "mallory");
    runner.world.write("gh/comments.json", &forged);
    let (found, outputs) = runner.step("Find the reviewed plan", &[]);
    found.exits(0).out_has("pull request 7 has no plan in a comment: creating a new plan");
    assert!(!outputs.contains_key("digest"), "{outputs:?}");
}

#[test]
fn a_shop_that_changed_since_the_review_is_not_touched() {
    let Some(runner) = Runner::new(world()) else { return };
    runner.pull_request("", "").exits(0);
    let plan = runner.gh("artifact-hookwright-plan-7");
    let id = plan["shops"][0]["changes"][0]["before"]["id"].as_str().unwrap().to_owned();
    runner.world.edit(&["set", "--shop", "acme", "--id", &id, "include_fields=id"]);
    runner.merge("", "", "").exits(7).out_has("run the workflow manually, which creates a new plan (exit code 7)");
    assert!(runner.comments("apply")[0].contains("the plan is stale for this shop"));
}

#[test]
fn without_a_reviewed_plan_a_new_plan_is_made() {
    for (file, text) in [
        ("pulls", "[]"),
        ("pulls", r#"[{ "number": 7, "merge_commit_sha": "another", "head": { "sha": "tip" } }]"#),
        ("comments", "[]"),
        ("artifacts", r#"{ "artifacts": [] }"#),
        (
            "artifacts",
            r#"{ "artifacts": [{ "name": "hookwright-plan-7", "expired": false, "workflow_run": { "id": 1, "head_sha": "older" } }] }"#,
        ),
    ] {
        let Some(runner) = Runner::new(world()) else { return };
        runner.pull_request("", "").exits(0);
        runner.world.write(&format!("gh/{file}.json"), text);
        runner.merge("", "", "").exits(0).out_has("Apply complete!");
        runner.world.converged();
    }
}

#[test]
fn a_hazard_is_refused_without_consent() {
    let shop = "  - { shop: acme, bindings: [] }\n";
    let live = format!("      - {{ topic: orders/create, address: \"{A}\" }}\n");
    let Some(runner) = Runner::new(World::new(&manifest(shop), &seed("acme", &live))) else { return };
    runner.world.write("gh/pulls.json", "[]");
    runner.merge("", "", "").exits(6).out_has("or run the workflow manually with them (exit code 6)");
    assert_eq!(runner.world.mutations(), 0);
    runner.merge("", "", "empty_shop:a*").exits(0).out_has("0 added, 0 changed, 1 destroyed");
}

/// The manifest of examples/environments on the branch of a pull request, in which acme loses its order bindings.
fn environments(consents: &str) -> String {
    let text = std::fs::read_to_string(root().join("examples/environments/hookwright.yaml")).unwrap();
    let entry = "  - { shop: acme, labels: { env: prod } }\n";
    assert!(text.contains(entry));
    text.replace(entry, "  - { shop: acme, labels: { env: prod }, use: [customers] }\n") + consents
}

#[test]
fn a_hazard_of_one_environment_is_consented_to_in_review_and_exactly_the_reviewed_plans_are_applied() {
    let seed = std::fs::read_to_string(root().join("examples/environments/world.sandbox.yaml")).unwrap();
    let base = std::fs::read_to_string(root().join("examples/environments/hookwright.yaml")).unwrap();
    let Some(runner) = Runner::new(World::new(&environments(""), &seed)) else { return };
    runner.world.write(".hookwright-base/hookwright.yaml", &base);
    // Drift in staging, which this pull request does not cause.
    runner.world.edit(&["remove", "--shop", "globex-staging", "--topic", "orders/create"]);
    let names = ["prod", "stage", "dev"];
    let options = |name: &str| format!("--label env={name}");

    for (name, exit) in names.into_iter().zip([6, 0, 0]) {
        runner.pull_request(name, &options(name)).exits(exit);
    }
    let of = |name: &str| runner.comments(&format!("plan {name}")).concat();
    assert!(of("prod").contains("protected_topic"), "{}", of("prod"));
    assert!(of("stage").contains("No changes, but --only leaves out"), "{}", of("stage"));

    let proposed = of("prod").lines().find_map(|line| line.trim().strip_prefix("expires: ").map(str::to_owned));
    let day = proposed.unwrap_or_else(|| panic!("the comment proposes a consent:\n{}", of("prod")));
    let consent = |kind: &str| format!("  - {{ allow: \"{kind}:acme\", reason: \"CHG-1234\", expires: {day} }}\n");
    let kinds = runner.gh("artifact-hookwright-plan-7-prod")["hazards"].clone();
    let consents: String =
        kinds.as_array().unwrap().iter().map(|hazard| consent(hazard["kind"].as_str().unwrap())).collect();
    runner.world.write("hookwright.yaml", &environments(&format!("consents:\n{consents}")));
    runner.world.write("gh/artifacts.json", r#"{ "artifacts": [] }"#);
    for name in names {
        runner.pull_request(name, &options(name)).exits(0);
    }
    assert!(of("prod").contains("CHG-1234"), "{}", of("prod"));

    for (name, done) in
        names.into_iter().zip(["0 added, 0 changed, 3 destroyed", "0 added, 0 changed, 0 destroyed", "0 added"])
    {
        runner.merge(name, &options(name), "").exits(0).out_has(done);
        let report: Value = serde_json::from_str(&runner.world.read("hookwright/report.json")).unwrap();
        let reviewed = runner.gh(&format!("artifact-hookwright-plan-7-{name}"));
        assert_eq!(report["plan_digest"], reviewed["plan_digest"], "{name}");
        assert!(of(name).contains(reviewed["plan_digest"].as_str().unwrap()), "{name}");
        assert_eq!(runner.comments(&format!("apply {name}")).len(), 1, "{name}");
    }
}

#[test]
fn an_unreadable_shop_does_not_stop_the_others_and_fails_the_job() {
    let shops = "  - { shop: acme, bindings: [{ topic: orders/create, destination: a }] }\n  - { shop: zeta, bindings: \
                 [{ topic: orders/create, destination: a }] }\n";
    let zeta = "  - shop: zeta\n    scopes: [write_orders]\n";
    let Some(runner) = Runner::new(World::new(&manifest(shops), &(seed("acme", "      []\n") + zeta))) else { return };
    runner.world.edit(&["status", "--shop", "zeta", "frozen"]);
    runner.world.write("gh/pulls.json", "[]");
    runner.merge("", "", "").exits(8).out_has("Resources: 1 added").out_has("(exit code 8)");
}

#[test]
fn drift_opens_updates_and_closes_one_issue_and_keeps_its_exit_code() {
    let Some(runner) = Runner::new(world()) else { return };
    let night = |exit: i32| {
        let (look, outputs) = runner.step_of("drift.yaml", "Look", &[]);
        look.exits(0);
        let code = [("CODE", outputs["exit-code"].as_str())];
        runner.step_of("drift.yaml", "Open, update or close the issue", &code).0.exits(0);
        runner.step_of("drift.yaml", "Say it in the exit code", &code).0.exits(exit);
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
            ("CI_PROJECT_ID", "3"),
            ("CI_COMMIT_SHA", "merged"),
            ("CI_JOB_URL", "https://gitlab.example/job/1"),
            ("CI_MERGE_REQUEST_PROJECT_ID", "3"),
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "base-sha"),
        ];
        let _ = std::fs::remove_dir_all(runner.world.path(".hookwright-base"));
        runner.step_of(".gitlab-ci.yml", name, &[&note, more].concat()).0
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
    assert!(notes[1]["body"].as_str().unwrap().contains("[job](<https://gitlab.example/job/1>)"), "{notes}");
    job("plan", &[]).exits(0);

    // The merge applies the plan of the merge request, whose job kept it.
    job("plan", &token).exits(0);
    runner.world.write("gh/artifact.json", &runner.world.read("plan.json"));
    let reviewed: Value = serde_json::from_str(&runner.world.read("plan.json")).unwrap();
    runner.world.write("gh/merge_requests.json", r#"[{ "iid": 7, "sha": "tip", "merge_commit_sha": "merged" }]"#);
    job("apply", &token).exits(0).out_has("Apply complete!").lacks("creating a new plan");
    let report: Value = serde_json::from_str(&runner.world.read("report.json")).unwrap();
    assert_eq!(report["plan_digest"], reviewed["plan_digest"]);
    let notes = runner.gh("notes");
    assert!(notes[2]["body"].as_str().unwrap().starts_with("<!-- hookwright: apply -->\n"), "{notes}");
    job("apply", &token).exits(0).out_has("Resources: 0 added, 0 changed, 0 destroyed.");
    // Without a merge request of this commit, or without the token, a new plan is created.
    runner.world.write("gh/merge_requests.json", "[]");
    job("apply", &token).exits(0).out_has("creating a new plan");
    job("apply", &[]).exits(0).out_has("creating a new plan");
    job("drift", &[]).exits(0);
    runner.world.edit(&["remove", "--shop", "acme", "--topic", "orders/create"]);
    job("drift", &[]).exits(2);
    assert!(runner.world.read("metrics.txt").contains("hookwright_drift_last_run_exit_code{run=\"metrics\"} 2"));
    job("apply", &[]).exits(0);

    runner.world.write("gh/target/hookwright.yaml", &runner.world.read("hookwright.yaml"));
    runner.world.write("hookwright.yaml", &manifest("  - { shop: acme, bindings: [] }\n"));
    job("plan", &token).exits(6);
    assert!(runner.gh("notes")[1]["body"].as_str().unwrap().contains("empty_shop"), "the note names the hazard");
    job("apply", &[]).exits(6);
    let consents = [("HOOKWRIGHT_ALLOW", "empty_shop:acme")];
    job("apply", &consents).exits(0).out_has("2 destroyed");
}

#[test]
fn atlantis_plans_with_a_check_and_applies_the_plan_file() {
    let Some(runner) = Runner::new(world()) else { return };
    let text = std::fs::read_to_string(root().join("examples/atlantis/repos.yaml")).unwrap();
    let workflow = serde_yaml::from_str::<Value>(&text).unwrap()["workflows"]["hookwright"].clone();
    let planfile = runner.world.path("plan.tfplan");
    let run = |stage: &str| {
        let steps = workflow[stage]["steps"].as_array().unwrap();
        let script = steps.iter().find_map(|step| step["run"].as_str()).unwrap();
        let _ = std::fs::remove_dir_all(runner.world.path(".hookwright-base"));
        // Atlantis runs steps with `sh -c`.
        let env = [("BASE_BRANCH_NAME", "main"), ("PLANFILE", planfile.to_str().unwrap())];
        runner.sh(script, &env)
    };
    runner.world.write("gh/target/hookwright.yaml", &manifest("  - { shop: acme, bindings: [] }\n"));
    run("plan").exits(0).ends("Plan: 1 to add, 1 to change, 0 to destroy.");
    run("apply").exits(0).out_has("Apply complete!");
    runner.world.converged();
    runner.world.write("gh/target/hookwright.yaml", &runner.world.read("hookwright.yaml"));
    runner.world.write("hookwright.yaml", &manifest("  - { shop: acme, bindings: [] }\n"));
    run("plan").exits(6).err_has("empty_shop");
}
