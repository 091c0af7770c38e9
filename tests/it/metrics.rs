//! `drift --metrics`: the file for Prometheus after each kind of run.

use crate::world::{A, FOREIGN, Run, World, manifest, seed};

fn world() -> World {
    let shops = "  - { shop: acme, scopes: [write_orders, read_products], bindings: [{ topics: [orders/create, \
                 orders/updated], destination: a }] }\n  - { shop: zeta, bindings: [{ topic: orders/paid, \
                 destination: a }] }\n";
    let live = format!(
        "      - {{ topic: orders/create, address: \"{A}\", include_fields: [id] }}\n      - {{ topic: \
         orders/delete, address: \"{A}\" }}\n      - {{ topic: orders/edited, address: \"{FOREIGN}\" }}\n"
    );
    let zeta = format!(
        "  - shop: zeta\n    scopes: [read_orders]\n    subscriptions:\n      - {{ topic: orders/paid, address: \
         \"{A}\" }}\n"
    );
    World::new(&manifest(shops), &(seed("acme", &live).replace(", read_products", "") + &zeta))
}

/// A night's job at this second.
fn night(world: &World, second: u32, more: &[&str]) -> Run {
    let args = [&["drift", "--sandbox", "--metrics", "hookwright.prom"], more].concat();
    Run::of(&world.command(&args).env("SOURCE_DATE_EPOCH", second.to_string()).output().unwrap())
}

/// The value of one sample, as text.
fn sample(world: &World, name: &str) -> Option<String> {
    let text = world.read("hookwright.prom");
    let run = if name.ends_with('}') { "" } else { "{run=\"hookwright\"}" };
    text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(run)?.strip_prefix(' ').map(ToOwned::to_owned))
}

#[track_caller]
fn says(world: &World, samples: &[(&str, &str)]) {
    for (name, value) in samples {
        let shown = sample(world, name).unwrap_or_else(|| "nothing".to_owned());
        assert_eq!(shown, *value, "{name} in\n{}", world.read("hookwright.prom"));
    }
}

fn of_shop(world: &World, shop: &str, name: &str) -> Option<String> {
    sample(world, &format!("hookwright_shop_{name}{{shop=\"{shop}.myshopify.com\",run=\"hookwright\"}}"))
}

#[test]
fn the_metrics_equal_the_counts_of_the_plan() {
    let world = world();
    night(&world, 1_000, &[]).exits(2);
    let acme = [
        ("readable", "1"),
        ("desired", "2"),
        ("observed", "2"),
        ("missing", "1"),
        ("changed", "1"),
        ("extra", "1"),
        ("unmanaged", "1"),
        ("blocked", "0"),
        ("scopes_missing", "1"),
        ("attention", "1"),
        ("last_success_timestamp_seconds", "1000"),
    ];
    for (name, value) in acme {
        assert_eq!(of_shop(&world, "acme", name).as_deref(), Some(value), "{name}");
    }
    says(
        &world,
        &[
            ("hookwright_drift_last_run_exit_code", "2"),
            ("hookwright_drift_last_run_timestamp_seconds", "1000"),
            ("hookwright_drift_last_success_timestamp_seconds", "1000"),
            ("hookwright_drift_complete", "1"),
            ("hookwright_drift_shops", "2"),
            ("hookwright_drift_shops_failed", "0"),
        ],
    );
    let first = world.read("hookwright.prom");
    night(&world, 1_000, &[]).exits(2);
    assert_eq!(world.read("hookwright.prom"), first, "the same run writes the same bytes");
    assert_eq!(night(&world, 1_000, &["--quiet"]).err, "", "silent");
}

#[test]
fn an_unreadable_shop_keeps_its_last_success_and_has_no_counts() {
    let world = world();
    night(&world, 1_000, &[]).exits(2);
    world.edit(&["status", "--shop", "zeta", "frozen"]);
    night(&world, 2_000, &[]).exits(8);
    assert_eq!(of_shop(&world, "zeta", "readable").as_deref(), Some("0"));
    assert_eq!(of_shop(&world, "zeta", "observed"), None, "not an empty shop");
    assert_eq!(of_shop(&world, "zeta", "last_success_timestamp_seconds").as_deref(), Some("1000"));
    assert_eq!(of_shop(&world, "acme", "last_success_timestamp_seconds").as_deref(), Some("2000"));
    says(
        &world,
        &[
            ("hookwright_drift_last_success_timestamp_seconds", "1000"),
            ("hookwright_drift_complete", "0"),
            (
                "hookwright_shop_error{shop=\"zeta.myshopify.com\",kind=\"frozen\",tolerated=\"false\",run=\"hookwright\"}",
                "1",
            ),
        ],
    );
    night(&world, 3_000, &["--tolerate", "frozen"]).exits(2);
    says(
        &world,
        &[
            ("hookwright_drift_last_success_timestamp_seconds", "3000"),
            (
                "hookwright_shop_error{shop=\"zeta.myshopify.com\",kind=\"frozen\",tolerated=\"true\",run=\"hookwright\"}",
                "1",
            ),
        ],
    );
    assert_eq!(of_shop(&world, "zeta", "last_success_timestamp_seconds").as_deref(), Some("1000"), "still not read");
}

#[test]
fn a_run_that_ends_early_replaces_the_metrics_of_the_previous_run() {
    let world = world();
    night(&world, 1_000, &[]).exits(2);
    world.write("hookwright.yaml", "version: 1\nshops: nonsense\n");
    night(&world, 2_000, &[]).exits(3);
    says(
        &world,
        &[
            ("hookwright_drift_last_run_timestamp_seconds", "2000"),
            ("hookwright_drift_last_run_exit_code", "3"),
            ("hookwright_drift_complete", "0"),
            ("hookwright_drift_last_success_timestamp_seconds", "1000"),
        ],
    );
    assert_eq!(of_shop(&world, "acme", "missing"), None);
    assert_eq!(of_shop(&world, "acme", "last_success_timestamp_seconds").as_deref(), Some("1000"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_with_an_unwritable_output_reports_it_in_the_metrics() {
    let world = world();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = world.command(&["drift", "--sandbox", "--metrics", "hookwright.prom"]);
    let output = command.env("SOURCE_DATE_EPOCH", "1000").stdout(full).output().unwrap();
    Run::of(&output).exits(1).err_has("cannot write to standard output");
    says(&world, &[("hookwright_drift_last_run_exit_code", "1"), ("hookwright_drift_complete", "1")]);
    assert_eq!(sample(&world, "hookwright_drift_last_success_timestamp_seconds"), None, "no success is recorded");
    assert_eq!(of_shop(&world, "acme", "missing").as_deref(), Some("1"), "the metrics contain the read shops");
}

#[test]
fn a_metrics_file_that_cannot_be_written_does_not_fail_the_run() {
    let world = world();
    let run = world.run(&["drift", "--sandbox", "--metrics", "nowhere/hookwright.prom"]);
    run.exits(3).err_has("cannot write nowhere/hookwright.prom: the folder does not exist");
    assert!(world.requests().is_empty(), "nothing was sent");
}

#[test]
fn promtool_accepts_the_metrics_file() {
    let world = world();
    world.edit(&["status", "--shop", "zeta", "frozen"]);
    night(&world, 1_000, &[]).exits(8);
    let Some(mut promtool) = crate::world::tool("promtool") else { return };
    promtool.args(["check", "metrics"]).stdin(std::fs::File::open(world.path("hookwright.prom")).unwrap());
    let checked = promtool.output().unwrap();
    let said = String::from_utf8_lossy(&[checked.stdout, checked.stderr].concat()).into_owned();
    assert!(checked.status.success() && said.is_empty(), "{said}");
}

#[test]
fn promtool_runs_the_tests_of_the_example_alerts() {
    let Some(mut promtool) = crate::world::tool("promtool") else { return };
    promtool.args(["test", "rules", "alerts_test.yaml"]);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/prometheus");
    let tested = promtool.current_dir(folder).output().unwrap();
    assert!(tested.status.success(), "{}", String::from_utf8_lossy(&[tested.stdout, tested.stderr].concat()));
}
