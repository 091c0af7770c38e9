//! The commands of examples/kubernetes and examples/systemd, unchanged, with the built binary against the
//! sandbox: containers become runs, mounted folders become folders of the test.

use std::path::Path;

use serde_json::Value;

use crate::world::{A, B, Run, World, manifest, seed};

fn text(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(file)).unwrap()
}

/// The workload of a file: its first document.
pub fn workload(file: &str) -> Value {
    let text = text(file);
    serde_yaml::from_str(text.split("\n---\n").next().unwrap()).unwrap()
}

/// The arguments of a job's container.
pub fn args(job: &Value) -> Vec<String> {
    let args = job["template"]["spec"]["containers"][0]["args"].as_array().unwrap();
    args.iter().map(|a| a.as_str().unwrap().to_owned()).collect()
}

/// The command line of a container: the folders that it would mount are the world's.
pub fn command_line(world: &World, args: &[String], index: usize) -> Vec<String> {
    let here = |arg: &String| {
        let arg = arg.replace("$(JOB_COMPLETION_INDEX)", &index.to_string());
        let folder = |name: &str| format!("{}/", world.path(name).display());
        arg.replace("/plans/", &folder("plans"))
            .replace("/state/", &folder("state"))
            .replace("${STATE_DIRECTORY}/", &folder("state"))
            .replace("/etc/hookwright/", &folder(""))
    };
    args.iter().map(here).collect()
}

fn container(world: &World, args: &[String], index: usize) -> Run {
    let mut args = command_line(world, args, index);
    // `show` reads files and nothing else.
    if args[0] != "show" {
        args.push("--sandbox".to_owned());
    }
    world.run(&args.iter().map(String::as_str).collect::<Vec<_>>())
}

pub fn world(shops: usize) -> World {
    let names = || (0..shops).map(|i| format!("shop-{i}"));
    let wanted: String = names()
        .map(|s| format!("  - {{ shop: {s}, bindings: [{{ topic: orders/create, destination: a }}] }}\n"))
        .collect();
    let live = |s: String| {
        let head = format!("  - shop: {s}\n    scopes: [write_orders]\n    subscriptions:\n");
        head + &format!("      - {{ topic: orders/create, address: \"{B}\" }}\n")
    };
    let seeds: String = names().skip(1).map(live).collect();
    let first = seed("shop-0", &format!("      - {{ topic: orders/create, address: \"{A}\" }}\n"));
    let world = World::new(&manifest(&wanted), &(first + &seeds));
    for folder in ["plans", "state"] {
        std::fs::create_dir(world.path(folder)).unwrap();
    }
    world
}

#[test]
fn the_shards_of_the_indexed_job_are_planned_judged_and_applied() {
    let world = world(40);
    let [plan, judge, apply] = ["plan-indexed-job", "judge-job", "apply-indexed-job"]
        .map(|name| workload(&format!("kubernetes/{name}.yaml"))["spec"].clone());
    let shards = usize::try_from(plan["completions"].as_u64().unwrap()).unwrap();
    assert_eq!(plan["completions"], apply["completions"]);
    assert!(args(&plan).contains(&format!("--shard-count={shards}")));
    let judged = args(&judge).iter().filter(|arg| arg.starts_with("/plans/shard-")).count();
    assert_eq!(judged, shards, "the judge reads every shard");
    // One shop cannot be read: its index fails, and its shard is judged and applied with the others.
    let gone = world.read("world.sandbox.yaml");
    let at = gone.find("  - shop: shop-39\n").unwrap();
    world.write("world.sandbox.yaml", &format!("{}  - {{ shop: shop-39, status: not_found }}\n", &gone[..at]));
    let failed = |runs: Vec<Run>| runs.iter().map(|run| run.code).filter(|code| *code != 0).count();
    assert_eq!(failed((0..shards).map(|index| container(&world, &args(&plan), index)).collect()), 1);
    container(&world, &args(&judge), 0).exits(6).err_has("--allow max_address_change_percent");
    let consent = [&args(&judge)[..], &["--allow=max_address_change_percent".to_owned()]].concat();
    container(&world, &consent, 0).exits(0);
    assert_eq!(failed((0..shards).map(|index| container(&world, &args(&apply), index)).collect()), 1);
    for index in 0..shards {
        assert!(world.path(&format!("plans/report-{index}.json")).exists());
    }
    assert_eq!(world.mutations(), 38, "each shop that differed, once");
    world.plan(&["--exclude-shop", "shop-39"]).exits(0).ends("No changes. The live webhooks match the manifest.");

    std::fs::remove_file(world.path("plans/shard-7.json")).unwrap();
    container(&world, &args(&judge), 0).exits(3).err_has("shard-7.json");
}

#[test]
fn the_nightly_jobs_report_drift_and_write_metrics_and_a_report() {
    let cron = args(&workload("kubernetes/drift-cronjob.yaml")["spec"]["jobTemplate"]["spec"]);
    let unit = text("systemd/hookwright-drift.service");
    let line = unit.lines().find_map(|l| l.strip_prefix("ExecStart=")).unwrap();
    let systemd: Vec<String> = line.split(' ').skip(1).map(ToOwned::to_owned).collect();
    for job in [cron, systemd] {
        let world = world(3);
        // The first night has no earlier report.
        container(&world, &job, 0).exits(2).out_has("Drift: 0 missing, 2 changed, 0 extra.");
        container(&world, &job, 0).exits(2).out_has("0 reported for the first time, 2 reported before.");
        assert!(
            world.read("state/hookwright.prom").contains("hookwright_drift_last_run_exit_code{run=\"hookwright\"} 2")
        );
        world.apply(&[]).exits(0);
        assert_eq!(container(&world, &job, 0).exits(0).out, "", "{job:?}");
    }
}
