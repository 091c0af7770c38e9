//! What a run does about what Adobe says: blocked, checked, listed.

use serde_json::Value;

use super::{BY_NAME, ORDERS, SETTLED, adobe, destination, flow, manifest, one, seed, world};
use crate::world::{A, World};

#[test]
fn nothing_is_bound_to_a_disabled_flow_and_what_is_live_there_is_a_finding() {
    let world = world();
    flow(&world, "--disable");
    let named = format!("dataflow \"Shopify orders (prod)\" ({ORDERS}) is disabled");
    world.plan(&[]).exits(0).says(&named).ends("No changes, but 2 findings need attention.");
    world.plan(&["--shop", "one"]).exits(0).ends("No changes, but 1 finding needs attention.");
    let drift = world.run(&["drift", "--sandbox"]);
    drift.exits(2).says("Needs attention").says("destination_disabled: live all the same").says("2 shops: one, two");
    world
        .run(&["drift", "--sandbox", "--format", "markdown"])
        .exits(2)
        .says("`destination_disabled` in 2 shops")
        .says("is disabled");

    world.edit(&["remove", "--shop", "one", "--topic", "orders/create"]);
    world.edit(&["add", "--shop", "one", "--topic", "orders/create", "--address", &format!("{A}0")]);
    let plan = world.plan(&["--out", "plan.json"]);
    plan.exits(1).says("destination_disabled orders/create -> orders").says("not bound: ").says(&named);
    let saved: Value = serde_json::from_str(&world.read("plan.json")).unwrap();
    assert_eq!(
        (&saved["exit_code"], &saved["summary"]["blocked"], &saved["summary"]["change"]),
        (&1.into(), &1.into(), &0.into())
    );
    assert_eq!(one(&saved, "one")["changes"], serde_json::json!([]), "the old one stays");
    // The other shops are as they should be, so some is done and some is not.
    world.apply(&[]).exits(8).says("1 blocked");
    assert!(world.live("one").iter().any(|line| line.contains(&format!("{A}0"))), "{:?}", world.live("one"));

    flow(&world, "--enable");
    flow(&world, SETTLED);
    world.apply(&["--allow", "reroute_foreign:one"]).exits(0).says("1 changed");
    world.converged();
}

#[test]
fn what_wants_a_token_of_adobes_is_not_bound_either() {
    let more = "  connections:\n    - { name: Raw, authentication_required: true }\n";
    let world = World::new(&manifest("{ connection: { name: Raw } }"), &seed(more, ""));
    let plan = world.plan(&[]);
    plan.exits(1)
        .says("destination_authentication_required")
        .says("which Shopify cannot send")
        .ends("Plan incomplete: 0 to add, 0 to change, 0 to destroy; 2 blocked, 0 shops not read.");
}

#[test]
fn pasted_addresses_are_checked_where_that_is_asked() {
    let world = |pasted: &str, more: &str| World::new(&manifest(BY_NAME).replace(A, pasted), &seed(more, ""));
    let verified = |world: &World| world.run(&["drift", "--sandbox", "--verify-destinations"]);
    let at = |more: &str| format!("    - {{ name: Products, address: \"{A}\"{more} }}\n");

    verified(&world(A, &at(", runs: [{ age: 1h, status: success, received: 3 }]"))).exits(0);
    verified(&world(A, ""))
        .exits(2)
        .says("missing: no dataflow or connection has this address")
        .says("destination_missing");
    verified(&world(A, &at(", state: disabled"))).exits(2).says("destination_disabled: live all the same");
    verified(&world(A, &at(", runs: [{ age: 1h, status: failed, received: 3, failed: 3 }]")))
        .exits(2)
        .says("ingest_failing: dataflow \"Products\"")
        .says("3 of 3 records failed in the last run");
    let other = "0a0a0a0a-e6b3-48c2-8dcf-040e20121fd2";
    let differs = world(&format!("\"{A}?x-adobe-flow-id={other}\""), &at(""));
    differs.plan(&["--verify-destinations"]).exits(1).says("destination_address_differs").says(other);
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
    verified(&down).exits(8).says("unknown:").says("Plan incomplete");
    let none = World::new(&manifest(A).replace("aep:", "# aep:"), &seed("", ""));
    none.plan(&["--verify-destinations"]).exits(3).says("has no `aep`");
    assert!(adobe(&none).is_empty());
}

#[test]
fn the_command_tells_of_every_destination() {
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
    text.exits(2).says(&format!("orders -> flow {ORDERS}")).ends("2 destinations, 1 needs attention.");
    assert!(!text.out.contains("quiet"), "{text}");
    assert!(world.requests().iter().all(|r| r["path"].as_str().unwrap().starts_with("/__adobe")), "no shop is asked");

    let plain = World::new(&manifest(A).replace("aep:", "# aep:"), &seed("", ""));
    plain.run(&["destinations", "--sandbox"]).exits(0).says("not checked: the manifest has no `aep`");
}
