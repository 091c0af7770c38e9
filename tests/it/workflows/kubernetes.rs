//! examples/kubernetes/run-shards.sh with the jobs that it creates, whose containers are run here, one after the other.

use super::runner::{Runner, root};
use crate::clusters::{args, command_line, workload, world};
use crate::world::Run;

/// A cluster of 40 shops of which 39 change their address (a hazard of the run) and one is emptied (a hazard of the shop).
fn cluster() -> Option<Runner> {
    let runner = Runner::new(world(40))?;
    let bindings = "{ shop: shop-0, bindings: [{ topic: orders/create, destination: a }] }";
    let text = runner.world.read("hookwright.yaml");
    assert!(text.contains(bindings));
    runner.world.write("hookwright.yaml", &text.replace(bindings, "{ shop: shop-0, bindings: [] }"));
    for file in ["plan-indexed-job", "judge-job", "apply-indexed-job"] {
        let job = workload(&format!("kubernetes/{file}.yaml"));
        let pods = usize::try_from(job["spec"]["completions"].as_u64().unwrap_or(1)).unwrap();
        let pod = |index| {
            format!(
                "hookwright '{}' || failed=1\n",
                command_line(&runner.world, &args(&job["spec"]), index).join("' '")
            )
        };
        runner.world.write(&format!("jobs/{file}.yaml"), &(0..pods).map(pod).collect::<String>());
        runner.world.write(&format!("jobs/{file}.yaml.name"), job["metadata"]["name"].as_str().unwrap());
    }
    let kubectl = r#"#!/usr/bin/env bash
set -eu
cd 'WORLD' # a container does not start in the folder of the script
[ "$1 $2" = '--namespace fleet' ]
shift 2
echo "$1 ${*: -1}" >> jobs/log
case "$1" in
  delete) rm -f "jobs/$3.ended" ;;
  apply)
    name=$(cat "jobs/$3.name") failed=''
    [ ! -e "jobs/$name.ended" ] || exit 1
    . "jobs/$3"
    if [ -n "$failed" ]; then echo FailureTarget Failed; else echo SuccessCriteriaMet Complete; fi > "jobs/$name.ended" ;;
  get) cat "jobs/${2#job/}.ended" ;;
esac
"#;
    runner.world.write("bin/kubectl", &kubectl.replace("WORLD", runner.world.path("").to_str().unwrap()));
    runner.executable("kubectl");
    Some(runner)
}

fn run(runner: &Runner, env: &[(&str, &str)]) -> Run {
    let script = root().join("examples/kubernetes/run-shards.sh");
    let env = [env, &[("NAMESPACE", "fleet"), ("INTERVAL", "0"), ("SCRIPT", script.to_str().unwrap())]].concat();
    runner.sh("exec \"$SCRIPT\"", &env)
}

fn consent(runner: &Runner, consents: &[&str]) {
    let text = runner.world.read("hookwright.yaml");
    let text = text.split("consents:").next().unwrap();
    let consents = consents.iter().map(|allow| format!("{{ allow: \"{allow}\", reason: CHG-1, expires: 2026-11-20 }}"));
    let consents = consents.collect::<Vec<_>>().join(", ");
    runner.world.write("hookwright.yaml", &format!("{text}consents: [{consents}]\n"));
}

/// 2026-11-10, at noon.
const DAY: (&str, &str) = ("SOURCE_DATE_EPOCH", "1794312000");

#[test]
fn the_judge_refuses_a_hazard_of_a_shop_or_of_the_run_and_nothing_is_applied() {
    let Some(runner) = cluster() else { return };
    let all = ["empty_shop:shop-0", "max_address_change_percent"];
    for consents in [&all[..0], &all[..1], &all[1..]] {
        consent(&runner, consents);
        let refused = run(&runner, &[DAY]);
        refused.exits(2).err_has("hookwright-judge failed");
        for allow in all {
            assert_eq!(refused.err.contains(&format!("--allow {allow}")), !consents.contains(&allow), "{refused}");
        }
        assert_eq!(runner.world.mutations(), 0);
    }
    consent(&runner, &all);
    run(&runner, &[DAY]).exits(0).out_has("1 destroyed");
    assert_eq!(runner.world.mutations(), 40);
    run(&runner, &[DAY]).exits(0).lacks("1 destroyed");
    assert_eq!(runner.world.mutations(), 40, "once");
    let log = runner.world.read("jobs/log");
    assert_eq!(log.matches("apply apply-indexed-job.yaml").count(), 2, "{log}");
}

#[test]
fn a_consent_that_expired_after_the_judge_is_refused_by_each_shard() {
    let Some(runner) = cluster() else { return };
    consent(&runner, &["empty_shop:shop-0", "max_address_change_percent"]);
    run(&runner, &[DAY]).exits(0);
    let apply = args(&workload("kubernetes/apply-indexed-job.yaml")["spec"]);
    for index in 0..16 {
        let line = command_line(&runner.world, &apply, index).join("' '");
        runner.sh(&format!("hookwright '{line}'"), &[("SOURCE_DATE_EPOCH", "1795262400")]).exits(6);
    }
}

#[test]
fn a_plan_that_is_missing_stops_the_run_before_the_apply() {
    let Some(runner) = cluster() else { return };
    runner.world.write("hookwright.yaml", "nonsense: 1\n");
    run(&runner, &[]).exits(2).err_has("hookwright-plan failed").err_has("hookwright-judge failed");
    assert!(!runner.world.read("jobs/log").contains("apply apply-indexed-job.yaml"));
}
