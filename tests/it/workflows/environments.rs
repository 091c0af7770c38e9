//! Several environments of one manifest, each with its own comment, plan and result.

use serde_json::Value;

use super::runner::{Runner, example};
use crate::world::World;

/// The manifest and the shops of examples/environments.
pub fn world() -> World {
    World::new(&example("environments/hookwright.yaml"), &example("environments/world.sandbox.yaml"))
}

/// The manifest of examples/environments on the branch of a pull request, in which acme loses its order bindings.
fn environments(consents: &str) -> String {
    let text = example("environments/hookwright.yaml");
    let entry = "  - { shop: acme, labels: { env: prod } }\n";
    assert!(text.contains(entry));
    text.replace(entry, "  - { shop: acme, labels: { env: prod }, use: [customers] }\n") + consents
}

#[test]
fn a_hazard_of_one_environment_is_consented_to_in_review_and_exactly_the_reviewed_plans_are_applied() {
    let seed = example("environments/world.sandbox.yaml");
    let base = example("environments/hookwright.yaml");
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
