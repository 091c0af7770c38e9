//! One manifest for several environments: a label of the shop chooses its destinations.

use serde_json::Value;

use crate::world::{A, B, World};

const STAGE: &str =
    "https://dcs.adobedc.net/collection/cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";

fn example() -> World {
    let read = |name: &str| {
        std::fs::read_to_string(format!("{}/examples/environments/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    World::new(&read("hookwright.yaml"), &read("world.sandbox.yaml"))
}

fn last_lines(world: &World) -> Vec<String> {
    ["prod", "stage", "dev"]
        .map(|name| {
            let run = world.plan(&["--label", &format!("env={name}")]);
            run.exits(0);
            run.last_line().to_owned()
        })
        .into()
}

#[test]
fn the_label_of_a_shop_chooses_its_addresses_and_its_account_at_adobe() {
    let world = example();
    let expected = ["No changes. The live webhooks match the manifest.", "Plan: 1 to add", "Plan: 5 to add"];
    for (line, expected) in last_lines(&world).iter().zip(expected) {
        assert!(line.starts_with(expected), "{line}");
    }
    let plan = world.plan_json(&["--label", "env=stage"]);
    let names: Vec<&Value> = plan["destinations"].as_array().unwrap().iter().map(|d| &d["name"]).collect();
    assert_eq!(names, ["orders (env=stage)"], "the other environments are not looked up");
    assert_eq!(plan["destinations"][0]["account"], "test");
    assert_eq!(plan["shops"][0]["changes"][0]["destination"]["after"], "orders");
    world.apply(&[]).exits(0).out_has("6 added");
    world.converged();
}

/// A manifest with two environments and these shops.
fn manifest(shops: &str) -> String {
    format!(
        "version: 1\nauth: {{ access_token: {{ env: \"TOKEN_{{SHOP}}\" }} }}\ndestinations:\n  orders: {{ by_label: env, \
         values: {{ prod: {A}, stage: {STAGE} }} }}\nbinding_sets:\n  orders: [{{ topic: orders/create, destination: \
         orders }}]\nuse: [orders]\nshops:\n{shops}"
    )
}

fn seed(shops: &[(&str, &str)]) -> String {
    let shop = |(name, address): &(&str, &str)| {
        format!(
            "  - {{ shop: {name}, scopes: [write_orders], subscriptions: [{{ topic: orders/create, address: \"{address}\" }}] }}\n"
        )
    };
    format!("sandbox: 1\nshops:\n{}", shops.iter().map(shop).collect::<String>())
}

#[test]
fn a_shop_that_moves_to_another_environment_moves_to_an_address_of_this_manifest() {
    let world = World::new(&manifest("  - { shop: acme, labels: { env: prod } }\n"), &seed(&[("acme", STAGE)]));
    let plan = world.plan_json(&[]);
    assert!(plan["hazards"].as_array().unwrap().is_empty(), "{plan}");
    assert_eq!(plan["shops"][0]["changes"][0]["after"]["address"], A);
    world.apply(&[]).exits(0);
    world.converged();
}

#[test]
fn a_shop_can_define_the_destination_itself_and_use_no_set() {
    let shops =
        format!("  - {{ shop: acme, destinations: {{ orders: {B} }} }}\n  - {{ shop: beta, use: [], bindings: [] }}\n");
    let world = World::new(&manifest(&shops), &seed(&[("acme", B)]));
    world.converged();
}

#[test]
fn a_label_without_a_value_is_an_error_at_the_shop() {
    let shops = "  - shop: acme\n  - { shop: beta, labels: { env: prd } }\n";
    let world = World::new(&manifest(shops), &seed(&[]));
    let run = world.run(&["validate", "--format", "json"]);
    let found = run.exits(3).json();
    let problems: Vec<_> = found["diagnostics"].as_array().unwrap().iter().map(|d| (&d["code"], &d["line"])).collect();
    assert_eq!(problems, [(&"HW045".into(), &9.into()), (&"HW045".into(), &10.into())], "{run}");
    world
        .run(&["validate"])
        .exits(3)
        .out_has("the shop has no label `env`, which chooses the address of the destination `orders`")
        .out_has("the label `env: prd` chooses no address of the destination `orders`")
        .out_has("did you mean `prod`?");
    world.plan(&[]).exits(3);
    assert_eq!(world.requests().len(), 0);
}

#[test]
fn the_common_sets_may_stand_in_another_file() {
    let shops = "  - { shop: acme, labels: { env: prod } }\n";
    let text = manifest(shops);
    let (head, shops) = text.split_once("shops:").unwrap();
    let world = World::new("", &seed(&[("acme", A)]));
    world.write("hooks/base.yaml", head);
    world.write("hooks/shops.yaml", &format!("version: 1\nshops:{shops}"));
    world.run(&["validate", "-f", "hooks"]).exits(0).out_has("1 shop, 1 binding");
    world.write("hooks/more.yaml", "version: 1\nuse: []\nshops: []\n");
    world.run(&["validate", "-f", "hooks"]).exits(3).out_has("`use` appears in several files");
}
