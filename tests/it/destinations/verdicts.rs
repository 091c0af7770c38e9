//! Effects of Adobe's answers on a run: blocked, checked, listed.

use serde_json::Value;

use super::{BY_NAME, ORDERS, SETTLED, adobe, destination, flow, manifest, one, seed, world};
use crate::world::{A, World};

#[test]
fn a_disabled_dataflow_is_not_bound_and_its_live_subscriptions_are_findings() {
    let world = world();
    flow(&world, "--disable");
    let named = format!("dataflow \"Shopify orders (prod)\" ({ORDERS}) is disabled");
    world.plan(&[]).exits(0).out_has(&named).ends("No changes, but 2 findings need attention.");
    world.plan(&["--shop", "one"]).exits(0).ends("No changes, but 1 finding needs attention.");
    let drift = world.run(&["drift", "--sandbox"]);
    drift
        .exits(2)
        .out_has("Needs attention")
        .out_has("destination_disabled: live subscriptions send events to orders, but dataflow")
        .out_has("2 shops: one, two");
    world
        .run(&["drift", "--sandbox", "--format", "markdown"])
        .exits(2)
        .out_has("`destination_disabled` in 2 shops")
        .out_has("is disabled");

    world.edit(&["remove", "--shop", "one", "--topic", "orders/create"]);
    world.edit(&["add", "--shop", "one", "--topic", "orders/create", "--address", &format!("{A}0")]);
    let plan = world.plan(&["--out", "plan.json"]);
    plan.exits(1).out_has("destination_disabled, orders/create -> orders").out_has("not bound: ").out_has(&named);
    let saved: Value = serde_json::from_str(&world.read("plan.json")).unwrap();
    assert_eq!(
        (&saved["exit_code"], &saved["summary"]["blocked"], &saved["summary"]["change"]),
        (&1.into(), &1.into(), &0.into())
    );
    assert_eq!(one(&saved, "one")["changes"], serde_json::json!([]), "the old one stays");
    // The other shops are as they should be, so some is done and some is not.
    world.apply(&[]).exits(8).out_has("1 blocked");
    assert!(world.live("one").iter().any(|line| line.contains(&format!("{A}0"))), "{:?}", world.live("one"));

    flow(&world, "--enable");
    flow(&world, SETTLED);
    world.apply(&["--allow", "reroute_foreign:one"]).exits(0).out_has("1 changed");
    world.converged();
}

#[test]
fn an_inlet_that_requires_an_adobe_token_is_not_bound() {
    let more = "  connections:\n    - { name: Raw, authentication_required: true }\n";
    let world = World::new(&manifest("{ connection: { name: Raw } }"), &seed(more, ""));
    let plan = world.plan(&[]);
    plan.exits(1)
        .out_has("destination_authentication_required")
        .out_has("which Shopify cannot send")
        .ends("Plan incomplete: 0 to add, 0 to change, 0 to destroy; 2 blocked, 0 shops not read.");
}

#[test]
fn pasted_addresses_are_checked_on_request() {
    let world = |pasted: &str, more: &str| World::new(&manifest(BY_NAME).replace(A, pasted), &seed(more, ""));
    let verified = |world: &World| world.run(&["drift", "--sandbox", "--verify-destinations"]);
    let at = |more: &str| format!("    - {{ name: Products, address: \"{A}\"{more} }}\n");

    verified(&world(A, &at(", runs: [{ age: 1h, status: success, received: 3 }]"))).exits(0);
    verified(&world(A, "")).exits(2).out_has("missing: no dataflow or connection in ").out_has("destination_missing");
    verified(&world(A, &at(", state: disabled")))
        .exits(2)
        .out_has("destination_disabled: live subscriptions send events to pasted, but dataflow");
    verified(&world(A, &at(", runs: [{ age: 1h, status: failed, received: 3, failed: 3 }]")))
        .exits(2)
        .out_has("ingest_failing: dataflow \"Products\"")
        .out_has("3 of 3 records failed in the last run");
    let other = "0a0a0a0a-e6b3-48c2-8dcf-040e20121fd2";
    let differs = world(&format!("\"{A}?x-adobe-flow-id={other}\""), &at(""));
    differs.plan(&["--verify-destinations"]).exits(1).out_has("destination_address_differs").out_has(other);
    assert_eq!(differs.mutations(), 0);

    // A dataflow over a connection has no address in any list.
    let over = |state: &str| {
        format!("    - {{ name: Over, id: {other}, inlet: connection, address: \"{A}\", state: {state} }}\n")
    };
    for (state, exit) in [("enabled", 0), ("disabled", 1)] {
        let world = world(&format!("\"{A}?x-adobe-flow-id={other}\""), &over(state));
        world.plan(&["--verify-destinations", "--shop", "three"]).exits(exit);
    }

    let down = World::new(&manifest(BY_NAME), &seed("", "{ fault: drop, on: adobe, after: 1 }"));
    verified(&down).exits(8).out_has("unknown:").out_has("Drift unknown, because destinations could not be checked.");
    let none = World::new(&manifest(A).replace("aep:", "# aep:"), &seed("", ""));
    none.plan(&["--verify-destinations"]).exits(3).err_has("has no `aep`");
    assert!(adobe(&none).is_empty());
}

/// A shop whose dataflow has these runs, and pages of Adobe's with so many items.
fn with_runs(runs: &str, page_size: usize) -> World {
    let flow = format!("    - {{ name: Products, address: \"{A}\", runs: [{runs}] }}\n");
    let seed = seed(&flow, "").replace("page_size: 1\n", &format!("page_size: {page_size}\n"));
    World::new(&manifest(BY_NAME), &seed)
}

fn told(world: &World) -> Value {
    let run = world.run(&["destinations", "--sandbox", "--format", "json"]);
    run.exits(2);
    destination(&run.json(), "pasted").clone()
}

/// Start of the series, whole hours ago, and the day 30 days later. The sandbox's clock is the machine's.
fn series(failing: &Value) -> (i64, String) {
    let since: jiff::Timestamp = failing["since"].as_str().unwrap().parse().unwrap();
    let month = since + jiff::SignedDuration::from_hours(30 * 24);
    (jiff::Timestamp::now().duration_since(since).as_hours(), month.to_string()[..10].to_owned())
}

#[test]
fn a_failing_dataflow_has_a_start_and_a_date_on_which_adobe_disables_it() {
    let failed = |age: &str| format!("{{ age: {age}, every: 1h, status: failed, received: 3, failed: 3 }}");
    let success = "{ age: 22d, status: success, received: 3 }, ";
    for (runs, page_size, hours, exact, words) in [
        (
            format!("{success}{}", failed("5d")),
            1000,
            5 * 24,
            true,
            ". Its runs have failed since SINCE; Adobe disables it on DATE, after 30 days of continuous failure",
        ),
        (
            format!("{success}{}", failed("21d")),
            1000,
            21 * 24,
            true,
            "\" (ID): Adobe disables it on DATE, after 30 days of continuous failure, unless a run succeeds. Its runs",
        ),
        (
            format!("{success}{}", failed("21d")),
            401,
            400,
            false,
            "\" (ID): Adobe disables it on DATE at the latest, after 30 days of continuous failure, unless a run",
        ),
        (
            failed("21d"),
            1,
            0,
            false,
            "Its runs have failed at least since SINCE; Adobe disables it on DATE at the latest, after 30 days",
        ),
    ] {
        let world = with_runs(&runs, page_size);
        let pasted = told(&world);
        let failing = &pasted["failing"];
        let (since, month) = series(failing);
        assert_eq!(
            (pasted["verdict"].as_str(), pasted["severity"].as_str()),
            (Some("ingest_failing"), Some("attention"))
        );
        assert_eq!(
            (since, failing["exact"].as_bool(), failing["disabled_on"].as_str()),
            (hours, Some(exact), Some(month.as_str())),
            "{pasted}"
        );
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let words = words.replace("SINCE", &text(&failing["since"])).replace("DATE", &month);
        let words = words.replace("ID", &text(&pasted["id"]));
        assert!(text(&pasted["message"]).contains(&words), "{words}\n{pasted}");

        let drift = world.run(&["drift", "--sandbox", "--verify-destinations", "--format", "json"]);
        drift.exits(2);
        let plan = drift.json();
        crate::schemas::keeps_to("plan.v1.schema.json", &plan);
        let findings = one(&plan, "three")["findings"].as_array().unwrap().clone();
        let finding = findings.iter().find(|f| f["kind"] == "destination_ingest_failing").unwrap();
        assert_eq!((&finding["details"]["failing"], &finding["severity"]), (failing, &"attention".into()));
    }
}

#[test]
fn a_dataflow_that_still_writes_records_has_no_disable_date() {
    let world = with_runs("{ age: 20d, every: 1h, status: partial, received: 3, failed: 1 }", 1000);
    let pasted = told(&world);
    assert_eq!((series(&pasted["failing"]).0, &pasted["failing"]["disabled_on"]), (20 * 24, &Value::Null));
    let message = pasted["message"].as_str().unwrap();
    assert!(message.contains("Runs have rejected records at least since "), "{message}");
    assert!(!message.contains("Adobe disables"), "{message}");
}

#[test]
fn only_a_failing_dataflow_requires_a_second_request_for_runs() {
    let questions = |world: &World| {
        world.run(&["destinations", "--sandbox"]);
        adobe(world).iter().filter(|path| path.contains("/runs")).count()
    };
    // One about each of the two dataflows.
    assert_eq!(questions(&with_runs("{ age: 30m, status: success, received: 3 }", 1)), 2);
    assert_eq!(questions(&with_runs("{ age: 30m, status: failed, received: 3, failed: 3 }", 1)), 3);
}

#[test]
fn the_command_lists_every_destination() {
    let world = World::new(&manifest(BY_NAME), &seed("", ""));
    let run = world.run(&["destinations", "--sandbox", "--format", "json"]);
    run.exits(2);
    let told = run.json();
    assert_eq!(told["exit_code"], 2);
    assert_eq!(
        (&destination(&told, "orders")["verdict"], &destination(&told, "pasted")["verdict"]),
        (&"quiet".into(), &"missing".into())
    );
    world.edit(&["flow", ORDERS, "--run", "success", "--received", "7"]);
    let text = world.run(&["destinations", "--sandbox", "--shop", "one"]);
    text.exits(2).out_has("orders: dataflow \"Shopify orders (prod)\"").ends("2 destinations, 1 needs attention.");
    assert!(!text.out.contains("quiet"), "{text}");
    assert!(world.requests().iter().all(|r| r["path"].as_str().unwrap().starts_with("/__adobe")), "no shop is asked");

    let plain = World::new(&manifest(A).replace("aep:", "# aep:"), &seed("", ""));
    plain.run(&["destinations", "--sandbox"]).exits(0).out_has("not checked, because the manifest has no `aep`");
}
