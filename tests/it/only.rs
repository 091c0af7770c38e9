//! `plan --only`: the changes of a pull request without drift, and the reverse.

use crate::world::{A, B, World, changes};

fn manifest(shops: &str, created: &str) -> String {
    format!(
        "version: 1\nauth: {{ access_token: {{ env: \"TOKEN_{{SHOP}}\" }} }}\ndestinations:\n  a: {A}\n  b: {B}\n\
         binding_sets:\n  s:\n    - {{ topic: orders/create, destination: {created} }}\n    - {{ topics: [orders/paid, \
         orders/updated], destination: a }}\nshops:\n{shops}"
    )
}

/// Two shops, of which `acme` lost orders/paid; the manifest moves orders/create to `b`.
fn world() -> World {
    let shops = "  - { shop: acme, use: [s] }\n  - { shop: beta, use: [s] }\n";
    let live = |topics: &[&str]| -> String {
        topics.iter().map(|topic| format!("      - {{ topic: {topic}, address: \"{A}\" }}\n")).collect()
    };
    let shop = |name: &str, topics: &[&str]| {
        format!("  - shop: {name}\n    scopes: [write_orders]\n    subscriptions:\n{}", live(topics))
    };
    let seed = format!(
        "sandbox: 1\nshops:\n{}{}",
        shop("acme", &["orders/create", "orders/updated"]),
        shop("beta", &["orders/create", "orders/paid", "orders/updated"])
    );
    let world = World::new(&manifest(shops, "b"), &seed);
    world.write("base/hookwright.yaml", &manifest(shops, "a"));
    world
}

const BASE: [&str; 2] = ["--base", "base/hookwright.yaml"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&BASE[..], more].concat()
}

#[test]
fn drift_stays_out_of_the_plan_of_a_pull_request_and_the_other_half_can_be_applied_alone() {
    let world = world();
    world
        .plan(&with(&["--only", "manifest", "--out", "plan.json"]))
        .exits(0)
        .out_has("Drift that this plan leaves out:")
        .ends("Plan: 0 to add, 2 to change, 0 to destroy.");
    world
        .run(&["apply", "plan.json", "--sandbox"])
        .exits(0)
        .ends("Apply complete! Resources: 0 added, 2 changed, 0 destroyed.");
    assert_eq!(world.changes("acme"), ["+orders/paid"]);
    assert!(world.changes("beta").is_empty());

    world.plan(&with(&["--only", "manifest"])).exits(0).ends("No changes, but --only leaves out 1 change.");
    world.plan(&with(&["--only", "drift", "--out", "plan.json"])).ends("Plan: 1 to add, 0 to change, 0 to destroy.");
    world.run(&["apply", "plan.json", "--sandbox"]).exits(0);
    world.converged();
}

#[test]
fn the_plan_lists_what_it_leaves_out() {
    let world = world();
    let plan = world.plan_json(&with(&["--only", "drift"]));
    assert_eq!(plan["selection"]["only"], "drift");
    assert_eq!(plan["summary"]["left_out"], 2);
    assert_eq!(changes(&plan, "acme"), ["+orders/paid"]);
    let left = &plan["shops"][1]["left_out"]["changes"];
    assert_eq!((left[0]["topic"].as_str(), left[0]["origin"].as_str()), (Some("orders/create"), Some("manifest")));
    assert!(plan["shops"][1]["findings"].as_array().unwrap().is_empty(), "no address changes in this plan: {plan}");
}

#[test]
fn an_unreadable_or_blocked_shop_fails_the_plan_only_if_the_manifest_changes_it() {
    let world = world();
    world.edit(&["status", "--shop", "beta", "frozen"]);
    world
        .plan(&with(&["--only", "manifest"]))
        .exits(8)
        .ends("Plan incomplete: 0 to add, 1 to change, 0 to destroy; 0 blocked, 1 shop not read.");
    let equal = world.read("hookwright.yaml").replace("destination: b", "destination: a");
    world.write("hookwright.yaml", &equal);
    world
        .plan(&with(&["--only", "manifest"]))
        .exits(0)
        .out_has("With `--only manifest` this is tolerated, because the manifest does not change the shop");
    world.plan(&BASE).exits(8);

    world.edit(&["status", "--shop", "beta", "ok"]);
    world.edit(&["scopes", "--shop", "acme", "read_products"]);
    world.plan(&BASE).exits(4);
    world.plan(&with(&["--only", "manifest"])).exits(0).out_has("1 blocked binding left out, too");
}

#[test]
fn only_requires_a_base_manifest() {
    world().plan(&["--only", "manifest"]).exits(3).err_has("--base");
}

#[test]
fn the_page_shows_what_is_left_out_and_a_row_for_a_shop_that_left() {
    let world = world();
    let base = world.read("base/hookwright.yaml") + "  - { shop: gone, use: [s] }\n";
    world.write("base/hookwright.yaml", &base);
    world.plan(&with(&["--only", "manifest", "--out", "plan.json"])).exits(0);
    let page = world.run(&["show", "plan.json", "--format", "html"]);
    page.exits(0)
        .out_has("\"left_out\":[{\"change\":")
        .out_has("\"shop\":\"gone.myshopify.com\",\"labels\":[],\"status\":\"left\"");
    let summary = page.out.split("class=\"changes\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(summary.contains("change <b>a</b> → <b>b</b>"), "from where to where: {summary}");
    assert!(page.out.find("class=\"changes\"") < page.out.find("No longer in the manifest"));
    let text = page.out.split("<script").next().unwrap();
    assert!(!text.contains("`-v`"), "the page names no options to list more");
}
