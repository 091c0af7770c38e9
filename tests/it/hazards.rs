//! Plans that need consent are shown, judged and refused, and nothing is sent before.

use crate::world::{A, B, World, manifest, seed};

fn live(count: usize) -> String {
    (1..=count).map(|n| format!("      - {{ topic: orders/create, address: \"{A}\", filter: \"id:{n}\" }}\n")).collect()
}

fn keeping(count: usize) -> String {
    let bindings: String = (1..=count)
        .map(|n| format!("      - {{ topic: orders/create, destination: a, filter: \"id:{n}\" }}\n"))
        .collect();
    let bindings = if count == 0 { "    bindings: []\n".to_owned() } else { format!("    bindings:\n{bindings}") };
    manifest(&format!("  - shop: acme\n{bindings}"))
}

#[test]
fn a_hazard_is_refused_with_its_figures_without_consent() {
    let world = World::new(&keeping(3), &seed("acme", &live(10)));
    world
        .plan(&["--out", "plan.json"])
        .exits(0)
        .out_has("deletes 7 of 10 live subscriptions (70 %); the limit is 30 %");
    let refused = world.run(&["apply", "--sandbox", "plan.json"]);
    refused.exits(6).err_has("nothing was sent").err_has("--allow max_delete_percent:acme");
    world.apply(&[]).exits(6);
    let other = world.apply(&["--allow", "max_delete_percent:other"]);
    other.exits(6).err_has("`--allow max_delete_percent:other` covers no hazard of the plan");
    world
        .apply(&["--allow", "max_delete_percent:acme,empty_shop:acme"])
        .exits(3)
        .err_has("write one consent for each (`--allow` can be repeated)");
    assert_eq!(world.mutations(), 0);
    world.run(&["show", "plan.json", "--check"]).exits(6);
    world.run(&["show", "plan.json", "--check", "--allow", "max_delete_percent:acme"]).exits(0);
    world.run(&["apply", "--sandbox", "plan.json", "--allow", "max_delete_percent:ac*"]).exits(0);
    world.converged();
}

#[test]
fn emptying_a_shop_requires_a_separate_consent() {
    let world = World::new(&keeping(0), &seed("acme", &live(2)));
    let refused = world.apply(&[]);
    refused.exits(6).err_has("--allow empty_shop:acme").err_has("without managed subscriptions");
    world
        .apply(&["--allow", "empty_shop:*"])
        .exits(0)
        .ends("Apply complete! Resources: 0 added, 0 changed, 2 destroyed.");
}

#[test]
fn a_wrong_consent_is_a_usage_error() {
    let world = World::new(&keeping(1), &seed("acme", ""));
    world.apply(&["--allow", "everything"]).exits(3).err_has("unknown hazard `everything`");
    world.apply(&["--allow", "empty_shop"]).exits(3).err_has("empty_shop:SHOP");
}

#[test]
fn settings_that_differ_from_the_defaults_are_printed() {
    let text = keeping(1).replace(
        "shops:\n",
        "safety: { max_delete_percent: 100, protected_topics: [orders/create] }\nownership: { unmanaged: ignore }\nshops:\n",
    );
    let world = World::new(&text, &seed("acme", &live(1)));
    world.plan(&[]).exits(0).out_has("max_delete_percent").out_has("orders/create").out_has("ignore");
    let text = world.read("hookwright.yaml").replace("destination: a,", "destination: b,");
    world.write("hookwright.yaml", &text);
    world.apply(&[]).exits(6).err_has("protected_topic");
}

#[test]
fn a_takeover_requires_consent_and_a_move_from_an_address_of_the_base_does_not() {
    let binding = |d: &str| format!("  - {{ shop: acme, bindings: [{{ topic: orders/create, destination: {d} }}] }}\n");
    let now = format!(
        "version: 1\nauth: {{ access_token: {{ env: T }} }}\ndestinations: {{ mine: \"{B}\" }}\nshops:\n{}",
        binding("mine")
    );
    let seed = format!(
        "sandbox: 1\nshops:\n  - {{ shop: acme, scopes: [write_orders], subscriptions: [{{ topic: orders/create, address: \"{A}\" }}] }}\n"
    );
    let world = World::new(&now, &seed);
    world.plan(&["--out", "plan.json"]).exits(0).out_has("reroute_foreign, acme.myshopify.com: ").out_has(A);
    for apply in [&["apply", "--sandbox", "plan.json"][..], &["apply", "--sandbox", "--auto-approve"]] {
        world
            .run(apply)
            .exits(6)
            .err_has("--allow reroute_foreign:acme")
            .err_has("create the plan again with `--base`");
    }
    assert_eq!(world.mutations(), 0);
    assert!(world.live("acme")[0].contains(A));

    // The target branch had the address: the move is its own.
    let before = now.replace(B, A);
    world.write("base/hookwright.yaml", &before);
    world.plan(&["--base", "base", "--out", "moved.json"]).exits(0).lacks("reroute_foreign");
    let plan: serde_json::Value = serde_json::from_str(&world.read("moved.json")).unwrap();
    assert_eq!(plan["former_addresses"], serde_json::json!([A]));
    // Only a plan says so that was made with that base.
    world.write("other/hookwright.yaml", &before.replace(A, B));
    world.plan(&["--base", "other"]).exits(0).out_has("reroute_foreign");
    world.run(&["apply", "--sandbox", "moved.json"]).exits(0);
    assert!(world.live("acme")[0].contains(B));
}

#[test]
fn a_consent_to_the_checked_shards_is_stored_in_the_checked_file() {
    let shops = |d: &str| -> String {
        (0..8)
            .map(|n| format!("  - {{ shop: s{n}, bindings: [{{ topic: orders/create, destination: {d} }}] }}\n"))
            .collect()
    };
    let text = manifest(&shops("b")) + "safety: { protected_topics: [orders/create] }\n";
    let seeds: String = (0..8).map(|n| format!("  - {{ shop: s{n}, scopes: [write_orders], subscriptions: [{{ topic: orders/create, address: \"{A}\" }}] }}\n")).collect();
    let world = World::new(&text, &format!("sandbox: 1\nshops:\n{seeds}"));
    for n in ["1", "2"] {
        world.plan(&["--shard", &format!("{n}/2"), "--out", &format!("{n}.json")]).exits(0);
    }
    let check =
        |more: &[&str]| world.run(&[&["show", "--check", "--out", "checked.json", "1.json", "2.json"], more].concat());
    // The hazards of one kind are one decision.
    let refused = check(&[]);
    refused.exits(6).err_has("error: the plan has 2 hazards without consent");
    assert_eq!(
        refused.err.lines().skip(1).take(3).collect::<Vec<_>>(),
        [
            "  max_address_change_percent: changes the address of 8 of the run's 8 live subscriptions (100 %) in 8 shops; the \
             limit is 30 %",
            "  protected_topic, 8 shops: s0, s1, s2, s3, s4, s5, s6, s7: deletes subscriptions of protected topics, or changes their address or \
             filter: orders/create",
            "  help: to consent, add `--allow max_address_change_percent --allow 'protected_topic:s*'`, or add the consents to the \
             manifest, so that they are reviewed with the change:"
        ]
    );
    check(&["--allow", "protected_topic:*", "--allow", "max_address_change_percent"]).exits(0);
    // The file contains the hazards that were shown, and no pattern.
    let checked: serde_json::Value = serde_json::from_str(&world.read("checked.json")).unwrap();
    let consents = checked["consents"].as_array().unwrap();
    assert_eq!(consents.len(), 9);
    assert!(consents.contains(&"protected_topic:s3".into()), "{consents:?}");
    // One that is taken out is missing.
    world.write("less.json", &world.read("checked.json").replace("\"protected_topic:s3\"", "\"protected_topic:s33\""));
    let codes =
        ["1.json", "2.json"].map(|file| world.run(&["apply", "--sandbox", file, "--checked", "less.json"]).code);
    assert_eq!(codes.iter().filter(|code| **code == 6).count(), 1, "{codes:?}");
    for file in ["1.json", "2.json"] {
        world.run(&["apply", "--sandbox", file, "--checked", "checked.json"]).exits(0);
    }
    world.converged();

    // Of a plan over all shops, too; and never for another plan.
    world.write("hookwright.yaml", &(manifest(&shops("a")) + "safety: { protected_topics: [orders/create] }\n"));
    world.plan(&["--out", "whole.json"]).exits(0);
    world.run(&["apply", "--sandbox", "whole.json", "--checked", "checked.json"]).exits(6).err_has("for other plans");
    world
        .run(&[
            "show",
            "--check",
            "--out",
            "c.json",
            "whole.json",
            "--allow",
            "protected_topic:s*",
            "--allow",
            "max_address_change_percent",
        ])
        .exits(0);
    world.run(&["apply", "--sandbox", "whole.json", "--checked", "c.json"]).exits(0);
}

#[test]
fn shards_are_judged_together_before_one_is_applied() {
    let shops = |d: &str| -> String {
        (0..60)
            .map(|n| format!("  - {{ shop: s{n:02}, bindings: [{{ topic: orders/create, destination: {d} }}] }}\n"))
            .collect()
    };
    let seeds: String = (0..60).map(|n| format!("  - {{ shop: s{n:02}, scopes: [write_orders], subscriptions: [{{ topic: orders/create, address: \"{A}\" }}] }}\n")).collect();
    let world = World::new(&manifest(&shops("b")), &format!("sandbox: 1\nshops:\n{seeds}"));
    for n in ["1", "2", "3"] {
        world.plan(&["--shard", &format!("{n}/3"), "--out", &format!("{n}.json")]).exits(0);
    }
    world.run(&["apply", "--sandbox", "1.json"]).exits(6).err_has("show --check");
    let files = ["1.json", "2.json", "3.json"];
    let check = |more: &[&str]| world.run(&[&["show", "--check", "--out", "checked.json"], more].concat());
    check(&files).exits(6).err_has("changes the address of 60 of the run's 60");
    check(&files[..2]).exits(3).err_has("3/3");
    check(&["1.json", "1.json", "2.json"]).exits(3);
    check(&[&files[..], &["--allow", "max_address_change_percent"]].concat()).exits(0);
    // Parts of different runs, or one part twice, are not shown as one either.
    world.run(&["show", "1.json", "1.json"]).exits(3).err_has("is in two of the plans");
    for format in ["text", "markdown", "html"] {
        let show = |files: &[&str]| world.run(&[&["show", "--format", format], files].concat());
        show(&files[..2]).exits(0).out_has(" is missing. This is not the whole run").out_has("2 of 3 shards: ");
        let all = show(&files);
        all.exits(0).out_has("changes the address of 60 of the run");
        assert!(!all.out.contains("missing"), "{all}");
    }
    for file in files {
        world.run(&["apply", "--sandbox", file, "--checked", "checked.json"]).exits(0);
    }
    world.converged();
    let checked: serde_json::Value = serde_json::from_str(&world.read("checked.json")).unwrap();
    assert_eq!(checked["consents"], serde_json::json!(["max_address_change_percent"]));
    // A shard is the same whichever way it is named, and an empty one is not an error.
    let first = world.plan_json(&["--shard", "1/3"]);
    assert_eq!(world.plan_json(&["--shard-index", "0", "--shard-count", "3"])["shops"], first["shops"]);
    world.plan(&["--shop", "s01", "--shard-index", "0", "--shard-count", "200"]).exits(0);
}
