//! The jobs of examples/gitlab.

use serde_json::Value;

use super::runner::{MARKER, Runner, world};
use crate::world::manifest;

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
