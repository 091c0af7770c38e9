//! A manual apply: a new plan, whose result is posted to the pull request that changed the manifest last.

use super::runner::{MARKER, Runner, world};
use crate::world::{A, World, manifest, seed};

const MANUAL: (&str, &str) = ("GITHUB_EVENT_NAME", "workflow_dispatch");

#[test]
fn a_manual_run_posts_its_result_to_the_pull_request_that_changed_the_manifest_last() {
    let Some(runner) = Runner::new(world()) else { return };
    let pulls = r#"[{ "number": 8, "merged_at": null }, { "number": 7, "merged_at": "2026-11-01T00:00:00Z" }]"#;
    runner.world.write("gh/pulls.json", pulls);
    runner.apply(&[MANUAL]).exits(0).out_has("this is a manual run: creating a new plan").out_has("Apply complete!");
    runner.world.converged();
    let results = runner.comments("apply");
    assert!(results.len() == 1 && results[0].contains("Resources: 1 added, 1 changed, 0 destroyed."), "{results:?}");
    assert!(!runner.world.read("summary.md").contains("No pull request"));
}

#[test]
fn a_manual_run_without_a_pull_request_says_so_in_the_summary() {
    for (file, text) in [("pulls", "[]"), ("pulls", "no JSON"), ("commits", "[]")] {
        let Some(runner) = Runner::new(world()) else { return };
        runner.world.write("gh/pulls.json", "[]");
        runner.world.write(&format!("gh/{file}.json"), text);
        runner.apply(&[MANUAL]).exits(0).out_has("Apply complete!");
        let summary = runner.world.read("summary.md");
        assert!(summary.contains("Resources: 1 added, 1 changed, 0 destroyed."), "{summary}");
        assert!(
            summary.ends_with("\nNo pull request was found for this commit, so the result is only here.\n"),
            "{summary}"
        );
        assert!(runner.comments("apply").is_empty());
    }
}

#[test]
fn a_refused_manual_run_leaves_the_comment_with_the_reviewed_digest() {
    let shop = "  - { shop: acme, bindings: [] }\n";
    let live = format!("      - {{ topic: orders/create, address: \"{A}\" }}\n");
    let Some(runner) = Runner::new(World::new(&manifest(shop), &seed("acme", &live))) else { return };
    runner.pull_request("", "").exits(6);
    let reviewed = runner.comments("plan");
    runner.world.edit(&["add", "--shop", "acme", "--topic", "orders/updated", "--address", A]);
    runner.apply(&[MANUAL]).exits(6).out_has("or run it manually with them (exit code 6)");
    assert_eq!(runner.world.mutations(), 0);
    assert_eq!(runner.comments("plan"), reviewed, "a push again finds the reviewed plan");
    let result = runner.comments("apply").concat();
    assert!(result.contains("\n\n**Nothing was applied (exit code 6).**\n\n"), "{result}");
    assert!(result.contains("empty_shop") && !result.contains(MARKER), "{result}");
    runner.apply(&[MANUAL, ("ALLOW", "empty_shop:acme")]).exits(0);
    let results = runner.comments("apply");
    assert!(results.len() == 1 && results[0].contains("2 destroyed"), "replaced: {results:?}");
}
