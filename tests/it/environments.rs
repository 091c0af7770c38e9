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

#[test]
fn a_name_is_in_the_plan_its_renderings_the_report_and_the_metrics() {
    let world = example();
    world
        .plan(&["--label", "env=stage", "--name", "stage", "--out", "stage.json"])
        .exits(0)
        .out_has("Name: stage\n")
        .ends("Plan: 1 to add, 0 to change, 0 to destroy.");
    let show = |file: &str, format: &str| world.run(&["show", file, "--format", format]);
    show("stage.json", "markdown").out_has("<!-- hookwright: plan stage -->\n## stage: Plan: 1 to add");
    show("stage.json", "html").out_has("<title>stage: Plan: 1 to add").out_has("<h1>stage: Plan: 1 to add");
    world
        .run(&["apply", "stage.json", "--sandbox", "--name", "prod"])
        .exits(3)
        .err_has("expected a plan with the name prod, but this plan has the name stage");
    assert_eq!(world.mutations(), 0);
    world.run(&["apply", "stage.json", "--sandbox", "--report", "report.json"]).exits(0);
    show("report.json", "markdown").out_has("<!-- hookwright: apply stage -->\n## stage: Apply complete!");
    world.run(&["drift", "--sandbox", "--label", "env=stage", "--name", "stage", "--metrics", "m.prom"]).exits(0);
    assert!(world.read("m.prom").contains("run=\"stage\""));
    for name in ["", "a b", "-a", "a-->b", "<b>"] {
        world.plan(&["--name", name]).exits(3);
    }
    // A report is not verified, so its name can be any text.
    let report = world.read("report.json").replace("\"name\": \"stage\"", "\"name\": \"x --> <b>\"");
    world.write("report.json", &report);
    show("report.json", "markdown").exits(0).out_has("<!-- hookwright: apply -->\n## Apply complete!");
}

#[test]
fn plans_of_several_runs_are_shown_side_by_side_and_judged_each_on_its_own() {
    let world = example();
    for name in ["prod", "stage", "dev"] {
        let label = format!("env={name}");
        world.plan(&["--label", &label, "--name", name, "--out", &format!("{name}.json")]).exits(0);
    }
    let files = ["prod.json", "stage.json", "dev.json"];
    let show = |more: &[&str]| world.run(&[&["show"], &files[..], more].concat());
    let text = show(&[]);
    text.exits(0).out_has("=== stage: Plan: 1 to add").out_has("=== dev: Plan: 5 to add");
    assert!(text.out.starts_with("3 runs side by side: dev, prod, stage\n"), "{text}");
    let markdown = show(&["--format", "markdown"]);
    markdown.exits(0).out_has("<!-- hookwright: plan -->\n# 3 runs side by side: dev, prod, stage\n");
    assert_eq!(markdown.out.matches("\n## ").count(), 3, "a section for each run");
    assert_eq!(markdown.out.matches("<!-- hookwright").count(), 1);
    let html = show(&["--format", "html"]);
    html.exits(0).out_has("<h1>3 runs side by side");
    assert_eq!(html.out.matches("id=\"matrix\"").count(), 1, "one matrix");
    for shop in ["acme", "acme-staging", "playground"] {
        html.out_has(&format!("{shop}.myshopify.com"));
    }
    show(&["--check"]).exits(3).err_has("the plans belong to 3 runs");
}
