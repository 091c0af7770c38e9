//! The steps of examples/atlantis.

use serde_json::Value;

use super::runner::{Runner, root, world};
use crate::world::manifest;

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
