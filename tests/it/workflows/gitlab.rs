//! The jobs of examples/gitlab.

use serde_json::{Value, json};

use super::runner::{MARKER, Runner, pipeline, world};
use crate::world::{Run, World, manifest, seed};

const TOKEN: (&str, &str) = ("HOOKWRIGHT_NOTE_TOKEN", "note-token");
/// A pipeline of the branch; one of a merged result; one of the default branch.
const BRANCH: &[(&str, &str)] = &[("CI_COMMIT_SHA", "tip"), TOKEN];
const MERGED_RESULT: &[(&str, &str)] = &[
    ("CI_COMMIT_SHA", "result"),
    ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "tip"),
    ("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", "target-sha"),
    TOKEN,
];
const MERGED: &[(&str, &str)] = &[("CI_COMMIT_SHA", "merged"), ("CI_PIPELINE_SOURCE", "push"), TOKEN];

fn job(runner: &Runner, name: &str, env: &[(&str, &str)]) -> Run {
    let all = [
        ("CI_API_V4_URL", "https://gitlab.example/api/v4"),
        ("CI_PROJECT_ID", "3"),
        ("CI_COMMIT_SHA", "merged"),
        ("CI_JOB_URL", "https://gitlab.example/job/1"),
        ("CI_MERGE_REQUEST_PROJECT_ID", "3"),
        ("CI_MERGE_REQUEST_IID", "7"),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "base-sha"),
    ];
    let _ = std::fs::remove_dir_all(runner.world.path(".hookwright-base"));
    runner.step_of(".gitlab-ci.yml", name, &[&all, env].concat()).0
}

/// A runner with a merge request whose target branch has another manifest.
fn runner() -> Option<Runner> {
    let runner = Runner::new(world())?;
    let target = manifest("  - { shop: acme, bindings: [{ topic: orders/create, destination: b }] }\n");
    runner.world.write("gh/target/hookwright.yaml", &target);
    runner.world.write("gh/merge_requests.json", r#"[{ "iid": 7, "sha": "tip", "merge_commit_sha": "merged" }]"#);
    Some(runner)
}

/// Plans, and keeps the artifacts as job 3. Returns the plan.
fn planned(runner: &Runner, env: &[(&str, &str)]) -> Value {
    job(runner, "plan", env).exits(0);
    for file in ["plan.json", "plan.commit"] {
        runner.world.write(&format!("gh/artifacts/{file}"), &runner.world.read(file));
    }
    serde_json::from_str(&runner.world.read("plan.json")).unwrap()
}

fn notes(runner: &Runner) -> Vec<String> {
    let all = runner.gh("notes");
    all.as_array().unwrap().iter().map(|note| note["body"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_plan_replaces_its_note_and_takes_no_file_of_the_merge_request() {
    let Some(runner) = Runner::new(world()) else { return };
    job(&runner, "validate", &[]).exits(0);
    // The target branch has no manifest yet.
    runner.world.write("gh/target/README.md", "");
    // A merge request brings a plan of its own, and a link in the note's place.
    runner.world.write("plan.json", "{\"forged\": true}");
    runner.world.write("secret", "not for the note");
    std::os::unix::fs::symlink("secret", runner.world.path("plan.md")).unwrap();
    let valid = runner.world.read("hookwright.yaml");
    runner.world.write("hookwright.yaml", "nonsense: 1\n");
    job(&runner, "plan", BRANCH).exits(3);
    assert_eq!(notes(&runner).len(), 1, "a forged plan is not shown");
    assert_eq!(runner.world.read("secret"), "not for the note");
    runner.world.write("hookwright.yaml", &valid);
    job(&runner, "plan", BRANCH).exits(0);
    let target = manifest("  - { shop: acme, bindings: [{ topic: orders/create, destination: b }] }\n");
    runner.world.write("gh/target/hookwright.yaml", &target);
    let plan = planned(&runner, BRANCH);
    assert_eq!(runner.world.read("gh/fetched"), "base-sha\n");
    let notes = notes(&runner);
    assert!(notes.len() == 2 && notes[1].starts_with(MARKER), "one note, replaced: {notes:?}");
    assert_eq!(plan["shops"][0]["changes"][0]["origin"], "manifest", "against the target branch");
    assert!(notes[1].contains("[job](<https://gitlab.example/job/1>)"), "{notes:?}");
    job(&runner, "plan", &[]).exits(0);
}

#[test]
fn a_merge_applies_the_plan_of_the_merge_request() {
    let Some(runner) = runner() else { return };
    let reviewed = planned(&runner, BRANCH);
    job(&runner, "apply", MERGED).exits(0).out_has("Apply complete!").lacks("creating a new plan");
    let report: Value = serde_json::from_str(&runner.world.read("report.json")).unwrap();
    assert_eq!(report["plan_digest"], reviewed["plan_digest"]);
    assert!(notes(&runner)[2].starts_with("<!-- hookwright: apply -->\n"), "{:?}", notes(&runner));
    job(&runner, "apply", MERGED).exits(0).out_has("Resources: 0 added, 0 changed, 0 destroyed.");
    // A manual pipeline creates a new plan, and posts its result there, too.
    runner.world.edit(&["remove", "--shop", "acme", "--topic", "orders/create"]);
    let manual = [MERGED, &[("CI_PIPELINE_SOURCE", "web")]].concat();
    job(&runner, "apply", &manual).exits(0).out_has("creating a new plan").out_has("1 added");
    assert!(notes(&runner)[2].contains("1 added"), "{:?}", notes(&runner));
    // Without a merge request of this commit, or without the token, a new plan is created.
    runner.world.write("gh/merge_requests.json", "[]");
    job(&runner, "apply", MERGED).exits(0).out_has("creating a new plan");
    job(&runner, "apply", &[]).exits(0).out_has("creating a new plan");
}

#[test]
fn the_note_is_found_behind_hundreds_of_others() {
    let Some(runner) = runner() else { return };
    let filler = |from: u32| (from..from + 250).map(|id| json!({ "id": id, "author": { "id": 4 }, "body": "LGTM" }));
    runner.world.write("gh/notes.json", &filler(1).collect::<Value>().to_string());
    planned(&runner, BRANCH);
    assert!(notes(&runner)[250].starts_with(MARKER));
    job(&runner, "plan", BRANCH).exits(0);
    assert_eq!(notes(&runner).len(), 251, "replaced");
    job(&runner, "apply", MERGED).exits(0).lacks("creating a new plan");
    assert_eq!(notes(&runner).len(), 252);
}

#[test]
fn a_merged_result_is_planned_against_the_target_and_applied_for_the_head_that_was_reviewed() {
    let pipelines =
        json!([pipeline(51, "result", "merge"), pipeline(52, "later", "merge"), pipeline(60, "older", "head")]);
    let Some(runner) = runner() else { return };
    runner.world.write("gh/pipelines.json", &pipelines.to_string());
    let reviewed = planned(&runner, MERGED_RESULT);
    assert_eq!(runner.world.read("gh/fetched"), "target-sha\n", "later commits of the target are in the checkout");
    job(&runner, "apply", MERGED).exits(0).lacks("creating a new plan");
    let report: Value = serde_json::from_str(&runner.world.read("report.json")).unwrap();
    assert_eq!(report["plan_digest"], reviewed["plan_digest"]);

    // The plan of an earlier head is not the reviewed one.
    runner.world.write("gh/artifacts/plan.commit", "older\n");
    job(&runner, "apply", MERGED).exits(0).out_has("creating a new plan");
}

#[test]
fn drift_fails_the_job() {
    let Some(runner) = Runner::new(world()) else { return };
    runner.world.apply(&[]).exits(0);
    job(&runner, "drift", &[]).exits(0);
    runner.world.edit(&["remove", "--shop", "acme", "--topic", "orders/create"]);
    job(&runner, "drift", &[]).exits(2);
    assert!(runner.world.read("metrics.txt").contains("hookwright_drift_last_run_exit_code{run=\"metrics\"} 2"));
    job(&runner, "drift", &[("NAME", "prod"), ("OPTIONS", "--shop acme")]).exits(2);
    assert!(runner.world.read("metrics.txt").contains("hookwright_drift_last_run_exit_code{run=\"prod\"} 2"));
}

#[test]
fn a_hazard_fails_the_plan_and_is_refused_without_consent() {
    let live = format!("      - {{ topic: orders/create, address: \"{}\" }}\n", crate::world::A);
    let shops = "  - { shop: acme, bindings: [] }\n";
    let Some(runner) = Runner::new(World::new(&manifest(shops), &seed("acme", &live))) else { return };
    let target = manifest("  - { shop: acme, bindings: [{ topic: orders/create, destination: a }] }\n");
    runner.world.write("gh/target/hookwright.yaml", &target);
    job(&runner, "plan", BRANCH).exits(6);
    assert!(notes(&runner)[1].contains("empty_shop"), "the note names the hazard");
    job(&runner, "apply", &[]).exits(6);
    job(&runner, "apply", &[("HOOKWRIGHT_ALLOW", "empty_shop:acme")]).exits(0).out_has("1 destroyed");
}
