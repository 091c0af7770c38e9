//! The plan in the comment of a pull request, and its apply after the merge.

use serde_json::Value;

use super::runner::{MARKER, Runner, world};
use crate::world::{A, World, manifest, seed};

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
    runner.merge("", "", "").exits(6).out_has("or run it manually with them (exit code 6)");
    assert_eq!(runner.world.mutations(), 0);
    runner.merge("", "", "empty_shop:a*").exits(0).out_has("0 added, 0 changed, 1 destroyed");
}

#[test]
fn a_consent_that_expired_after_the_review_is_refused_at_the_merge() {
    let live = format!("      - {{ topic: orders/create, address: \"{A}\" }}\n");
    let world = World::new(&manifest("  - { shop: acme, bindings: [] }\n"), &seed("acme", &live));
    let Some(runner) = Runner::new(world) else { return };
    let day =
        |n: u32| format!("consents: [{{ allow: \"empty_shop:acme\", reason: CHG-1, expires: 2026-11-{n:02} }}]\n");
    let text = runner.world.read("hookwright.yaml");
    // 2026-11-10 and 2026-11-12, at noon.
    let [review, merge] = [("SOURCE_DATE_EPOCH", "1794312000"), ("SOURCE_DATE_EPOCH", "1794484800")];
    runner.world.write("hookwright.yaml", &(text.clone() + &day(11)));
    runner.pull_request_on(&[review]).exits(0);
    runner.apply(&[merge]).exits(6).out_has("hazards without consent; nothing was sent");
    assert_eq!(runner.world.mutations(), 0);
    let result = runner.comments("apply").concat();
    assert!(result.contains("**Nothing was applied (exit code 6).**"), "{result}");
    // A pull request that moves the day changes no binding. After its merge a manual run applies what was refused.
    runner.world.write(".hookwright-base/hookwright.yaml", &runner.world.read("hookwright.yaml"));
    runner.world.write("hookwright.yaml", &(text + &day(20)));
    runner.pull_request_on(&[merge]).exits(0);
    runner.apply(&[merge]).exits(0).out_has("0 destroyed");
    runner.apply(&[merge, ("GITHUB_EVENT_NAME", "workflow_dispatch")]).exits(0).out_has("1 destroyed");
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
