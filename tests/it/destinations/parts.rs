//! Saved plans, shards, other manifests and single shops: rules for parts of a run.

use serde_json::Value;

use super::{BY_NAME, ORDERS_AT, SETTLED, Served, flow, manifest, one, seed, world};
use crate::world::{A, World};

#[test]
fn a_saved_plan_is_stale_if_its_destination_changed() {
    for (act, told) in [
        ("--recreate", "destination orders: its id at Adobe changed from"),
        ("--disable", ") is disabled, so events sent to it are lost"),
    ] {
        let world = world();
        world.edit(&["remove", "--shop", "one", "--topic", "orders/create"]);
        world.edit(&["remove", "--shop", "three", "--topic", "products/create"]);
        world.plan(&["--out", "plan.json"]).exits(0);
        flow(&world, act);
        let applied = world.run(&["apply", "--sandbox", "plan.json"]);
        applied.exits(7).out_has(told);
        assert!(world.live("one").is_empty() && world.live("three").len() == 1, "the others continue: {applied}");
    }
    let world = world();
    world.edit(&["remove", "--shop", "one", "--topic", "orders/create"]);
    world.plan(&["--out", "plan.json"]).exits(0);
    flow(&world, "--delete");
    world.run(&["apply", "--sandbox", "plan.json"]).exits(1).out_has("destination_missing");
    assert!(world.live("one").is_empty());
}

/// Common `orders` is a dataflow, one shop pastes its very address, and another has a dataflow of its own.
fn twins(own: &str) -> String {
    manifest(BY_NAME).replace(
        "shop: one, bindings: [{ topic: orders/create, destination: orders }]",
        &format!("shop: one, bindings: [{{ topic: orders/create, address: \"{ORDERS_AT}\" }}]"),
    ) + &format!(
        "  - {{ shop: own, destinations: {{ orders: {{ flow: {{ name: {own} }} }} }}, bindings: [{{ topic: orders/create, destination: orders }}] }}\n"
    )
}

const OWN_SHOP: &str = "  - { shop: own, scopes: [write_orders], subscriptions: [{ topic: orders/create, address: \"https://dcs.adobedc.net/collection/0\" }] }\n";

#[test]
fn each_shop_is_judged_by_its_own_destination_even_with_a_pasted_address() {
    let with = |own: &str, flows: &str| World::new(&twins(own), &(seed(flows, "") + OWN_SHOP));
    let none = with("Nowhere", "");
    let plan = none.plan_json(&[]);
    assert_eq!(one(&plan, "own")["error"]["kind"], "destination_missing", "{plan}");
    assert!(!plan.to_string().contains("adobedc.net/<"), "a placeholder is not an address: {plan}");
    assert_eq!(
        (&one(&plan, "one")["status"], &one(&plan, "two")["status"]),
        (&"unchanged".into(), &"unchanged".into())
    );
    none.apply(&[]).exits(1);
    assert_eq!(none.live("own").len(), 1);

    let disabled = with("Off", "    - { name: Off, state: disabled }\n");
    disabled.plan(&[]).exits(1).out_has("destination_disabled, orders/create -> orders");
    disabled.apply(&[]).exits(8);
    assert!(disabled.live("own")[0].contains("collection/0"), "{:?}", disabled.live("own"));

    let good = with("Loyalty", "");
    let found = destination_at(&good.plan_json(&[]), "own.myshopify.com");
    good.plan(&["--out", "plan.json"]).exits(0);
    good.run(&["apply", "--sandbox", "plan.json", "--allow", "reroute_foreign:own"]).exits(0);
    assert!(good.live("own")[0].contains(&found) && good.live("two")[0].contains(ORDERS_AT));
    good.converged();
}

fn destination_at(plan: &Value, shop: &str) -> String {
    let all = plan["destinations"].as_array().unwrap();
    all.iter().find(|d| d["shop"] == shop).unwrap()["address"].as_str().unwrap().to_owned()
}

#[test]
fn an_inlet_that_was_recreated_or_closed_after_the_plan_is_not_bound() {
    let over = "    - { name: Over, inlet: connection }\n";
    let world = World::new(&manifest("{ flow: { name: Over } }"), &seed(over, ""));
    world.plan(&["--out", "plan.json"]).exits(0).ends("Plan: 0 to add, 2 to change, 0 to destroy.");
    world.edit(&["flow", "Over", "--settle", "1s"]);
    // Another dataflow, which the manifest does not name, has the old address.
    world
        .run(&["apply", "--sandbox", "plan.json"])
        .exits(6)
        .err_has("reroute_foreign:one")
        .err_has("reroute_foreign:two");
    let apply = || world.run(&["apply", "--sandbox", "plan.json", "--allow", "reroute_foreign:*"]);
    apply().exits(6).err_has("--allow destination_settling");
    world.edit(&["flow", "Over", "--settle", "1h"]);
    world.edit(&["flow", "Over", "--require-authentication"]);
    apply().exits(7).out_has("which Shopify cannot send");
    assert_eq!(world.mutations(), 0);
}

#[test]
fn a_delete_at_the_address_of_an_unused_destination_is_not_foreign() {
    let world = World::new(&manifest(BY_NAME), &seed("", ""));
    world.edit(&["add", "--shop", "three", "--topic", "orders/create", "--address", ORDERS_AT]);
    let hazards = |more: &[&str]| {
        let plan = world.plan_json(more);
        plan["hazards"].as_array().unwrap().iter().map(|h| h["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(hazards(&[]), hazards(&["--shop", "three"]), "a part of the run is judged like the whole");
    assert!(!hazards(&["--shop", "three"]).contains(&"delete_foreign".to_owned()));
    world.edit(&["add", "--shop", "three", "--topic", "orders/paid", "--address", &format!("{A}7")]);
    assert!(hazards(&["--shop", "three"]).contains(&"delete_foreign".to_owned()));
}

#[test]
fn shards_are_judged_together_and_must_have_the_same_lookup_results() {
    let world = world();
    flow(&world, "--recreate");
    world.plan(&["--shard", "1/2", "--out", "1.json"]).exits(0);
    world.plan(&["--shard", "2/2", "--out", "2.json"]).exits(0);
    world.run(&["show", "--check", "1.json", "2.json"]).exits(6).err_has("binds 2 subscriptions to destinations");
    let shown = world.run(&["show", "1.json", "2.json"]);
    shown.exits(0).out_has("settling: dataflow");
    // The latest lookup counts, in any order of the files.
    flow(&world, SETTLED);
    world.plan(&["--shard", "1/2", "--out", "1.json"]).exits(0);
    for order in [["1.json", "2.json"], ["2.json", "1.json"]] {
        world.run(&[&["show", "--check"], &order[..]].concat()).exits(6).err_has("destination_settling");
    }
    flow(&world, "--recreate");
    world.plan(&["--shard", "2/2", "--out", "2.json"]).exits(0);
    world
        .run(&["show", "1.json", "2.json"])
        .exits(3)
        .err_has("the address or state of destination orders at Adobe changed");
}

#[test]
fn the_base_manifest_uses_the_same_lookup_results() {
    let world = world();
    world.write("base/hookwright.yaml", &manifest(BY_NAME));
    world.edit(&["remove", "--shop", "one", "--topic", "orders/create"]);
    let plan = world.plan_json(&["--base", "base"]);
    assert_eq!(one(&plan, "one")["changes"][0]["origin"], "drift");
}

#[test]
fn a_dataflow_that_only_the_base_manifest_names_is_looked_up_so_its_address_is_not_foreign() {
    let world = world();
    world.write("base/hookwright.yaml", &manifest(BY_NAME));
    world.write("hookwright.yaml", &manifest(A));
    let kinds = |plan: &Value| -> Vec<String> {
        plan["hazards"].as_array().unwrap().iter().map(|h| h["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(&world.plan_json(&[])), ["reroute_foreign", "reroute_foreign"]);
    let plan = world.plan_json(&["--base", "base", "--out", "plan.json"]);
    assert!(kinds(&plan).is_empty(), "{plan}");
    assert_eq!(one(&plan, "one")["changes"][0]["origin"], "manifest");
    world.run(&["apply", "plan.json", "--sandbox"]).exits(0);
}

#[test]
fn an_inlet_closed_before_the_plan_blocks_no_other_change_of_the_shop() {
    let more = manifest(BY_NAME).replace(
        "{ topic: orders/create, destination: orders }",
        "{ topic: orders/create, destination: orders }, { topic: products/create, destination: pasted }",
    );
    for saved in [true, false] {
        let world = World::new(&more, &seed("", ""));
        flow(&world, "--disable");
        world
            .plan(&["--shop", "one", "--out", "plan.json"])
            .exits(0)
            .ends("Plan: 1 to add, 0 to change, 0 to destroy.");
        let apply = if saved { vec!["plan.json"] } else { vec!["--shop", "one", "--auto-approve"] };
        let apply = world.run(&[vec!["apply", "--sandbox"], apply].concat());
        apply.exits(0).out_has("Apply complete! Resources: 1 added");
    }
}

#[test]
fn shops_are_read_again_after_a_lookup_at_adobe() {
    let world = world();
    flow(&world, "--recreate");
    flow(&world, SETTLED);
    world.apply(&["--shop", "one", "--allow", "reroute_foreign:one"]).exits(0).out_has("1 changed");
    let of_shop = |r: &&Value| r["shop"] == "one.myshopify.com" && r["operation"] == "query";
    assert_eq!(world.requests().iter().filter(of_shop).count(), 2, "for the plan, and after Adobe had answered");
}

#[test]
fn a_shard_without_lookup_results_is_shown_with_the_others() {
    let served = Served::new(world());
    served.run(&["plan", "--shard", "1/2", "--out", "1.json"]).exits(0).out_has(ORDERS_AT);
    served.faults("faults: [{ fault: server_error, on: adobe }]\n");
    served.run(&["plan", "--shard", "2/2", "--out", "2.json", "--timeout", "4s"]).exits(1).out_has("adobe_unavailable");
    served.run(&["show", "1.json", "2.json"]).exits(0).out_has("unknown:");
}
