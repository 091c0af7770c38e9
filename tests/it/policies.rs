//! Policies over the bindings of a manifest, also in a file outside of it.

use std::path::Path;

use crate::world::{World, manifest, seed};

const FIELDS: &str = "version: 1\npolicies:\n  fields: { when: 'topic.startsWith(\"orders/\")', require: include_fields.size() \
                      > 0, message: orders need include_fields }\n";

fn world() -> World {
    let shops = "  - { shop: acme, bindings: [{ topic: orders/create, destination: a }] }\n";
    World::new(&manifest(shops), &seed("acme", "      []\n"))
}

#[test]
fn a_policy_file_outside_the_manifest_stops_every_command_before_anything_is_sent() {
    let world = world();
    world.plan(&["--out", "plan.json"]).exits(0);
    world.write("policies/rules.yaml", FIELDS);
    let policies = ["--policies", "policies/rules.yaml"];
    let sent = world.requests().len();
    for command in [
        &["validate"][..],
        &["plan", "--sandbox"],
        &["drift", "--sandbox"],
        &["apply", "--sandbox", "--auto-approve"],
        &["apply", "plan.json", "--sandbox"],
    ] {
        let run = world.run(&[command, &policies].concat());
        let text = format!("{}{}", run.exits(3).out, run.err);
        assert!(text.contains("HW048") && text.contains("orders need include_fields"), "{run}");
        assert!(text.contains("hookwright.yaml:7") && text.contains("policies/rules.yaml:3"), "both places: {run}");
    }
    assert_eq!(world.requests().len(), sent, "nothing was sent");
    let mut command = world.command(&["validate"]);
    let run = command.env("HOOKWRIGHT_POLICIES", "policies/rules.yaml").output().unwrap();
    assert_eq!(run.status.code(), Some(3));
    // The manifest cannot silence it, and cannot define it anew.
    let text = world.read("hookwright.yaml");
    world.write("hookwright.yaml", &format!("{text}lint: {{ allow: [HW048] }}\n"));
    world.run(&[&["validate"], &policies[..]].concat()).exits(3).out_has("which cannot be silenced");
    world.write("hookwright.yaml", &format!("{text}policies: {{ fields: {{ require: \"true\", message: m }} }}\n"));
    world.run(&[&["validate"], &policies[..]].concat()).exits(3).out_has("the policy `fields` is defined twice");
}

#[test]
fn an_address_is_judged_when_adobe_has_told_it() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/aep");
    let read = |name: &str| std::fs::read_to_string(example.join(name)).unwrap();
    let world = World::new(&read("hookwright.yaml"), &read("world.sandbox.yaml"));
    let policy = "version: 1\npolicies:\n  nowhere: { require: 'address == \"\"', message: no address is right }\n";
    world.write("rules/policy.yaml", policy);
    world.run(&["validate", "--policies", "rules/policy.yaml"]).exits(0);
    let run = world.plan(&["--policies", "rules/policy.yaml"]);
    run.exits(3).err_has("no address is right");
}

#[test]
fn the_policies_of_the_example_hold_and_are_judged_for_each_shop() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = |name: &str| root.join("examples").join(name).display().to_string();
    let (fleet, policies) = (path("fleet"), path("policies/policies.yaml"));
    let world = World::new("", "");
    world.run(&["validate", "-f", &fleet, "--policies", &policies]).exits(0);
    world.write(
        "apac.yaml",
        "version: 1\npolicies: { apac: { when: labels.region == \"apac\", require: \"false\", message: m } }\n",
    );
    let run = world.run(&["validate", "-f", &fleet, "--policies", "apac.yaml", "--format", "json"]);
    let found = run.exits(3).json();
    let shops = found["diagnostics"][0]["shops"].as_u64().unwrap();
    assert!(shops > 1 && shops < 40, "one diagnostic for the shops of the region: {found}");
}

/// Shops whose used labels are equal share a verdict.
#[test]
fn a_policy_is_judged_with_the_labels_of_each_shop_however_it_uses_them() {
    let shop = |name: &str, region: &str, tier: &str| {
        format!("  - {{ shop: {name}, labels: {{ region: {region}, tier: {tier}, own: {name} }}, use: [all] }}\n")
    };
    let shops = [shop("one", "emea", "gold"), shop("two", "emea", "tin"), shop("three", "apac", "gold")].concat();
    let sets = "binding_sets: { all: [{ topic: orders/create, destination: a }] }\n";
    let world = World::new(&format!("{}{sets}", manifest(&shops)), &seed("one", "      []\n"));
    for (require, violated) in [
        ("labels.region != \"emea\"", 2),
        ("labels[\"tier\"] != \"tin\"", 1),
        ("!(labels.region == \"emea\" && labels.tier == \"gold\")", 1),
        ("labels[\"ow\" + \"n\"] == \"one\"", 2),
        ("!labels.exists(key, labels[key] == \"apac\")", 1),
        ("\"region\" in labels", 0),
    ] {
        let policy = format!("version: 1\npolicies: {{ p: {{ require: '{require}', message: m }} }}\n");
        world.write("policy.yaml", &policy);
        let run = world.run(&["validate", "--policies", "policy.yaml", "--format", "json"]);
        let found = run.json();
        let shops = found["diagnostics"].as_array().unwrap().iter().map(|one| one["shops"].as_u64().unwrap_or(1));
        assert_eq!(shops.sum::<u64>(), violated, "{require}: {run}");
    }
}

#[test]
fn an_expression_that_would_take_too_long_is_refused() {
    let world = world();
    let nested = "[1,2].all(a, [1,2].all(b, [1,2].all(c, a == b)))";
    let deep = format!("{}1{} != []", "[".repeat(40), "]".repeat(40));
    let long = format!("topic != \"{}\"", "x".repeat(2000));
    for (expression, why) in [(nested, "3 macros"), (&deep, "is not a valid expression"), (&long, "the limit is 1000")]
    {
        let quoted = expression.replace('\'', "''");
        world.write("p.yaml", &format!("version: 1\npolicies: {{ p: {{ require: '{quoted}', message: m }} }}\n"));
        world.run(&["validate", "--policies", "p.yaml"]).exits(3).out_has(why);
    }
}

#[test]
fn the_policies_of_a_base_manifest_are_not_judged() {
    let world = world();
    let broken = FIELDS.split_once("policies:").unwrap().1;
    let base = format!("{}policies:{broken}", world.read("hookwright.yaml"));
    world.write("base/hookwright.yaml", &base);
    world.run(&["validate", "-f", "base"]).exits(3);
    world.plan(&["--base", "base"]).exits(0).ends("Plan: 1 to add, 0 to change, 0 to destroy.");
}
