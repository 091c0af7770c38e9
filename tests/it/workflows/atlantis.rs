//! The steps of examples/atlantis.

use serde_json::Value;

use super::runner::{Runner, example, world};
use crate::world::{A, manifest};

#[test]
fn atlantis_plans_with_a_check_and_applies_the_plan_file() {
    let Some(runner) = Runner::new(world()) else { return };
    let text = example("atlantis/repos.yaml");
    let workflow = serde_yaml::from_str::<Value>(&text).unwrap()["workflows"]["hookwright"].clone();
    let planfile = runner.world.path("plan.tfplan");
    let run = |stage: &str| {
        let steps = workflow[stage]["steps"].as_array().unwrap();
        let script = steps.iter().find_map(|step| step["run"].as_str()).unwrap();
        let _ = std::fs::remove_dir_all(runner.world.path(".hookwright-base"));
        // Atlantis runs steps with `sh -c`.
        let env = [("BASE_BRANCH_NAME", "main"), ("PLANFILE", planfile.to_str().unwrap()), ("SCRIPT", script)];
        runner.sh("exec sh -c \"$SCRIPT\"", &env)
    };
    runner.world.write("gh/target/hookwright.yaml", &manifest("  - { shop: acme, bindings: [] }\n"));
    run("plan").exits(0).out_has("Plan: 1 to add, 1 to change, 0 to destroy.");
    let plan = runner.world.read("plan.tfplan");
    let digest = serde_json::from_str::<Value>(&plan).unwrap()["plan_digest"].as_str().unwrap().to_owned();
    run("plan").exits(0).ends(&format!("Plan digest: {digest}"));

    // Another plan in its place, valid in itself, is refused.
    runner.world.edit(&["add", "--shop", "acme", "--topic", "orders/updated", "--address", A]);
    runner.world.plan(&["--out", "plan.tfplan"]).exits(0);
    run("apply").exits(3).err_has("digest");
    assert_eq!(runner.world.mutations(), 0);
    runner.world.edit(&["remove", "--shop", "acme", "--topic", "orders/updated"]);
    runner.world.write("plan.tfplan", &plan);
    run("apply").exits(0).out_has("Apply complete!");
    runner.world.converged();
    runner.world.write("gh/target/hookwright.yaml", &runner.world.read("hookwright.yaml"));
    runner.world.write("hookwright.yaml", &manifest("  - { shop: acme, bindings: [] }\n"));
    run("plan").exits(6).err_has("empty_shop");
    run("apply").exits(1).err_has("plan.tfplan.digest");
}
