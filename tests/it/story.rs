//! The main job, from a first plan to nothing left to do.

use crate::world::{A, B, FOREIGN, World, manifest, seed};

fn orders(address: &str) -> String {
    manifest(&format!(
        "  - {{ shop: acme, bindings: [{{ topics: [orders/create, orders/updated], address: \"{address}\" }}] }}\n"
    ))
}

#[test]
fn plan_apply_plan_in_three_processes() {
    let world =
        World::new(&orders(A), &seed("acme", &format!("      - {{ topic: orders/create, address: \"{B}\" }}\n")));
    world.plan(&["--detailed-exitcode"]).exits(2).ends("Plan: 1 to add, 1 to change, 0 to destroy.");
    world.apply(&[]).exits(0).ends("Apply complete! Resources: 1 added, 1 changed, 0 destroyed.");
    world.plan(&["--detailed-exitcode"]).exits(0).ends("No changes. The live webhooks match the manifest.");
    let drift = world.run(&["drift", "--sandbox"]);
    drift.exits(0);
    assert_eq!((drift.out.as_str(), drift.err.as_str()), ("", ""), "drift is silent when there is nothing");
}

#[test]
fn a_plan_is_one_request_a_shop_and_no_mutation() {
    let shops: String = (0..7)
        .map(|n| format!("  - {{ shop: s{n}, bindings: [{{ topic: orders/create, destination: a }}] }}\n"))
        .collect();
    let seeds: String = (0..7).map(|n| format!("  - {{ shop: s{n}, scopes: [write_orders] }}\n")).collect();
    let world = World::new(&manifest(&shops), &format!("sandbox: 1\nshops:\n{seeds}"));
    world.plan(&[]).exits(0).ends("Plan: 7 to add, 0 to change, 0 to destroy.");
    let requests = world.requests();
    assert_eq!(requests.len(), 7, "{requests:?}");
    assert!(requests.iter().all(|r| r["operation"] == "query"));
    let mut shops: Vec<_> = requests.iter().map(|r| r["shop"].to_string()).collect();
    shops.sort();
    shops.dedup();
    assert_eq!(shops.len(), 7);

    // Planned a moment ago: nothing is read twice, and all changes of a shop go in one document.
    world.apply(&[]).exits(0);
    assert_eq!(world.requests().len(), 7 + 7 + 7);
    assert_eq!(world.mutations(), 7);
}

#[test]
fn an_address_change_is_one_update_one_mutation_and_the_same_id() {
    let subscription = format!("      - {{ topic: orders/create, address: \"{B}\", id: 4711 }}\n");
    let shop = "  - { shop: acme, bindings: [{ topic: orders/create, destination: a }] }\n";
    let world = World::new(&manifest(shop), &seed("acme", &subscription));
    let plan = world.plan(&["-v"]);
    plan.exits(0)
        .ends("Plan: 0 to add, 1 to change, 0 to destroy.")
        .out_has("~ orders/create")
        .out_has("available for 4 hours");
    assert_eq!(plan.out.lines().filter(|l| l.trim_start().starts_with("~ orders")).count(), 1);
    let applied = world.apply(&["--report", "report.json"]);
    applied.exits(0).out_has("Shopify still sends retries of earlier deliveries there");
    let mutations: Vec<_> = world.requests().into_iter().filter(|r| r["operation"] == "mutation").collect();
    assert_eq!(mutations.len(), 1);
    assert_eq!(mutations[0]["fields"].to_string().matches("webhookSubscriptionUpdate").count(), 1);
    let live = world.live("acme");
    assert_eq!(live.len(), 1);
    assert!(live[0].contains("4711") && live[0].contains(A), "{live:?}");
    world.converged();
}

#[test]
fn no_command_touches_subscriptions_outside_the_ownership_rule() {
    let live = format!(
        "      - {{ topic: orders/create, address: \"{FOREIGN}\", name: theirs, id: 77 }}\n\
         \x20     - {{ topic: customers/update, address: \"pubsub://project:topic\", id: 78 }}\n\
         \x20     - {{ topic: products/update, address: \"{B}\", id: 79 }}\n"
    );
    let world = World::new(&orders(A), &seed("acme", &live));
    let theirs = |world: &World| -> Vec<String> {
        world.live("acme").into_iter().filter(|l| !l.contains("dcs.adobedc.net")).collect()
    };
    let before = theirs(&world);
    assert_eq!(before.len(), 2, "{before:?}");
    world.run(&["validate"]).exits(0);
    let plan = world.plan(&["--out", "plan.json"]);
    plan.exits(0).out_has("unmanaged").out_has(FOREIGN).out_has("pubsub://project:topic");
    world.run(&["drift", "--sandbox"]).exits(2);
    world.run(&["show", "plan.json"]).exits(0);
    world.run(&["apply", "--sandbox", "plan.json", "--allow", "adoption_delete:*"]).exits(0);
    world.apply(&[]).exits(0);
    assert_eq!(theirs(&world), before);
    world.converged();
}

#[test]
fn a_refused_token_among_forty_shops_fails_that_shop_alone() {
    let shops: String = (0..40)
        .map(|n| format!("  - {{ shop: s{n:02}, bindings: [{{ topic: orders/create, destination: a }}] }}\n"))
        .collect();
    let seeds: String = (0..40)
        .map(|n| {
            format!(
                "  - {{ shop: s{n:02}, scopes: [write_orders], status: {} }}\n",
                if n == 7 { "token_refused" } else { "ok" }
            )
        })
        .collect();
    let world = World::new(&manifest(&shops), &format!("sandbox: 1\nshops:\n{seeds}"));
    let plan = world.plan(&["--out", "plan.json", "--detailed-exitcode"]);
    plan.exits(4).out_has("token_refused").out_has("s07");
    plan.ends("Plan incomplete: 39 to add, 0 to change, 0 to destroy; 0 blocked, 1 shop not read.");
    let applied = world.run(&["apply", "--sandbox", "plan.json"]);
    applied.exits(4).ends("Apply incomplete! Resources: 39 added, 0 changed, 0 destroyed; 0 failed, 0 skipped.");
    world.edit(&["status", "--shop", "s07", "ok"]);
    world.plan(&["--detailed-exitcode"]).exits(2).ends("Plan: 1 to add, 0 to change, 0 to destroy.");
}

#[test]
fn each_error_of_a_shop_has_its_own_message_and_can_be_tolerated() {
    let states = ["frozen", "not_found", "locked", "token_refused", "ok"];
    let shops: String = states
        .iter()
        .map(|s| {
            format!("  - {{ shop: {}, bindings: [{{ topic: orders/create, destination: a }}] }}\n", s.replace('_', "-"))
        })
        .collect();
    let seeds: String = states
        .iter()
        .map(|s| format!("  - {{ shop: {}, scopes: [write_orders], status: {s} }}\n", s.replace('_', "-")))
        .collect();
    let world = World::new(&manifest(&shops), &format!("sandbox: 1\nshops:\n{seeds}"));
    let plan = world.plan(&[]);
    plan.exits(8).out_has("frozen").out_has("not_found").out_has("locked").out_has("token_refused");
    plan.ends("Plan incomplete: 1 to add, 0 to change, 0 to destroy; 0 blocked, 4 shops not read.");
    let tolerant = world.plan(&["--tolerate", "frozen", "--tolerate", "locked"]);
    tolerant.exits(8).ends("Plan incomplete: 1 to add, 0 to change, 0 to destroy; 0 blocked, 2 shops not read.");
    let plan = world.plan_json(&["--tolerate", "frozen"]);
    assert_eq!(plan["summary"]["shops"]["unavailable"], 1);
    assert_eq!(plan["exit_code"], 8);
}

#[test]
fn tolerating_uninstalled_apps_explains_that_a_refused_token_is_not_evidence() {
    const HAS_NO_EFFECT: &str =
        "Tolerating `uninstalled` has no effect here, because with `access_token` Shopify answers 401";
    let world = World::new(
        &manifest("  - { shop: gone, bindings: [] }\n"),
        "sandbox: 1\nshops: [{ shop: gone, status: uninstalled }]\n",
    );
    let plan = world.plan(&["--tolerate", "uninstalled"]);
    plan.exits(4).out_has("token_refused").out_has(HAS_NO_EFFECT);
    plan.out_has("Remove the shop from the manifest, or use `client_assertion`, `client_credentials` or `token_store`");
    world.plan(&[]).exits(4).lacks(HAS_NO_EFFECT);
    world.write("hookwright.yaml", &manifest("  - { shop: gone, bindings: [], tolerate: [uninstalled] }\n"));
    world.plan(&[]).exits(4).out_has(HAS_NO_EFFECT);
}

#[test]
fn a_thousand_shops_with_the_same_changes_fit_on_one_screen() {
    let topics = "orders/create, orders/updated, orders/cancelled, orders/paid, products/create, products/update, \
                  products/delete, customers/create, customers/update, customers/delete, refunds/create, checkouts/create";
    let shops = |destination: &str| {
        let head = format!("binding_sets: {{ all: [{{ topics: [{topics}], destination: {destination} }}] }}\n");
        let shops: String = (0..1000).map(|n| format!("  - {{ shop: s{n:04}, use: [all] }}\n")).collect();
        manifest(&shops).replace("shops:\n", &format!("{head}shops:\n"))
    };
    let seeds: String = (0..1000).map(|n| format!("  - {{ shop: s{n:04} }}\n")).collect();
    let seed =
        format!("sandbox: 1\ndefaults: {{ scopes: [write_orders, write_products, write_customers] }}\nshops:\n{seeds}");
    let world = World::new(&shops("a"), &seed);
    let plan = world.plan(&[]);
    plan.exits(0).ends("Plan: 12000 to add, 0 to change, 0 to destroy.").out_has("1,000 shops");
    assert!(plan.out.lines().count() < 40, "{plan}");
    world.apply(&[]).exits(0).ends("Apply complete! Resources: 12000 added, 0 changed, 0 destroyed.");

    // One line of the manifest moves all shops to another inlet.
    world.write("hookwright.yaml", &shops("b"));
    let refused = world.apply(&[]);
    refused
        .exits(6)
        .err_has("changes the address of 12000 of the run's 12000 live subscriptions (100 %) in 1000 shops");
    refused.err_has("--allow max_address_change_percent");
    assert_eq!(world.mutations(), 1000, "nothing was sent");
    let plan = world.plan(&[]);
    plan.exits(0);
    assert!(plan.out.lines().count() < 40, "{plan}");
    world.apply(&["--allow", "max_address_change_percent"]).exits(0);
    world.converged();
}

#[test]
fn a_first_manifest_works_on_the_sandbox_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| crate::world::run(folder.path(), args);
    run(&["plan"]).exits(3).err_has("hookwright init");
    run(&["init"]).exits(0);
    run(&["init"]).exits(3);
    run(&["validate"]).exits(0);
    run(&["plan", "--sandbox"]).exits(0).ends("Plan: 3 to add, 0 to change, 0 to destroy.");
    run(&["apply", "--sandbox", "--auto-approve"]).exits(0);
    run(&["plan", "--sandbox"]).exits(0).ends("No changes. The live webhooks match the manifest.");
}
