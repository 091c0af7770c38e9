//! The order of changes within a shop: moved names, and old subscriptions that are kept until the new ones exist.

use crate::world::{A, B, FOREIGN, World, manifest, seed};

fn world(bindings: &str, live: &str) -> World {
    World::new(&manifest(&format!("  - shop: acme\n    bindings:\n{bindings}")), &seed("acme", live))
}

#[test]
fn a_name_that_moves_between_topics_is_freed_before_the_old_subscription_is_deleted() {
    let world = world(
        "      - { topic: orders/updated, destination: a, name: feed }\n      - { topic: products/update, destination: a }\n",
        &format!(
            "      - {{ topic: orders/create, address: \"{A}\", name: feed, id: 1 }}\n      \
             - {{ topic: products/update, address: \"{A}\", id: 2 }}\n"
        ),
    );
    assert_eq!(world.changes("acme"), ["~1 name_step name", "+orders/updated", "-1 not_in_manifest"]);
    world.apply(&[]).exits(0).ends("Apply complete! Resources: 1 added, 1 changed, 1 destroyed.");
    assert!(world.live("acme").iter().any(|l| l.contains("orders/updated") && l.contains("feed")));
    world.converged();
    // The delete depends on nothing that was created in its topic, but on the answer to the step.
    let mutations: Vec<_> = world.requests().into_iter().filter(|r| r["operation"] == "mutation").collect();
    assert_eq!(mutations.len(), 2, "{mutations:?}");
}

#[test]
fn two_names_are_swapped_in_place() {
    let world = world(
        "      - { topic: orders/create, destination: a, name: two }\n      - { topic: orders/updated, destination: a, name: one }\n",
        &format!(
            "      - {{ topic: orders/create, address: \"{A}\", name: one, id: 1 }}\n      \
             - {{ topic: orders/updated, address: \"{A}\", name: two, id: 2 }}\n"
        ),
    );
    assert_eq!(world.changes("acme"), ["~1 name_step name", "~2 differs name", "~1 differs name"]);
    world.apply(&[]).exits(0).ends("Apply complete! Resources: 0 added, 3 changed, 0 destroyed.");
    let live = world.live("acme");
    assert!(live.iter().any(|l| l.contains("orders/create") && l.contains("two")), "{live:?}");
    assert_eq!(world.mutations(), 1, "all of it in one document");
    world.converged();
}

#[test]
fn a_blocked_create_keeps_the_old_route_of_its_topic() {
    let seed = format!(
        "sandbox: 1\nshops:\n  - shop: acme\n    scopes: [write_orders]\n    subscriptions:\n      \
         - {{ topic: customers/update, address: \"{B}\", filter: \"id:1\", id: 1 }}\n      \
         - {{ topic: orders/create, address: \"{A}\", id: 2 }}\n"
    );
    let shop = "  - shop: acme\n    bindings:\n      - { topic: orders/updated, destination: a }\n      \
                - { topic: customers/update, destination: a, format: json, filter: \"id:2\" }\n      \
                - { topic: customers/update, destination: b, filter: \"id:3\" }\n      - { topic: orders/create, destination: a }\n";
    let world = World::new(&manifest(shop), &seed);
    let plan = world.plan(&["--detailed-exitcode"]);
    plan.exits(4).out_has("read_customers");
    plan.ends("Plan incomplete: 1 to add, 0 to change, 0 to destroy; 2 blocked, 0 shops not read.");
    assert_eq!(world.changes("acme"), ["+orders/updated"]);
    let applied = world.apply(&[]);
    applied
        .exits(4)
        .out_has("blocked")
        .ends("Apply incomplete! Resources: 1 added, 0 changed, 0 destroyed; 0 failed, 0 skipped.");
    assert!(world.live("acme").iter().any(|l| l.contains("customers/update") && l.contains(B)), "the old route stays");
    world.run(&["drift", "--sandbox"]).exits(2);

    world.edit(&["scopes", "--shop", "acme", "write_orders,read_customers"]);
    world.apply(&[]).exits(0);
    world.converged();
}

#[test]
fn a_held_back_delete_is_applied_when_its_topic_is_no_longer_blocked() {
    // The second live subscription matches no binding. It would be deleted without the blocked create.
    let live = format!(
        "sandbox: 1\nshops:\n  - shop: acme\n    scopes: [write_orders]\n    subscriptions:\n      \
         - {{ topic: customers/update, address: \"{B}\", id: 1 }}\n      \
         - {{ topic: customers/update, address: \"{B}\", filter: \"id:9\", id: 2 }}\n"
    );
    let shop = "  - { shop: acme, bindings: [{ topic: customers/update, destination: a }] }\n";
    let world = World::new(&manifest(shop), &live);
    let plan = world.plan_json(&[]);
    let kinds: Vec<_> =
        plan["shops"][0]["findings"].as_array().unwrap().iter().map(|f| f["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"held_back"), "{kinds:?}");
    world.apply(&[]).exits(4);
    assert_eq!(world.live("acme").len(), 2);
    world.edit(&["scopes", "--shop", "acme", "read_customers"]);
    world.apply(&[]).exits(0).ends("Apply complete! Resources: 0 added, 1 changed, 1 destroyed.");
    world.converged();
}

#[test]
fn a_name_of_an_unmanaged_subscription_blocks() {
    let world = world(
        "      - { topic: orders/updated, destination: a, name: feed }\n",
        &format!("      - {{ topic: orders/create, address: \"{FOREIGN}\", name: FEED, id: 1 }}\n"),
    );
    let plan = world.plan(&[]);
    plan.exits(1).out_has("feed").out_has(FOREIGN);
    plan.ends("Plan incomplete: 0 to add, 0 to change, 0 to destroy; 1 blocked, 0 shops not read.");
    world.apply(&[]).exits(8);
    assert!(world.live("acme")[0].contains("FEED"));
}

#[test]
fn a_delete_is_skipped_when_the_update_of_its_topic_was_refused() {
    // An event source of another app, which Shopify recognises and `validate` cannot.
    let arn = "arn:aws:events:us-east-1::event-source/aws.partner/shopify.com/999/source";
    let world = world(
        &format!(
            "      - {{ topic: orders/create, address: \"{arn}\" }}\n      - {{ topic: orders/paid, destination: a }}\n"
        ),
        &format!(
            "      - {{ topic: orders/create, address: \"pubsub://project-1:one\", id: 1 }}\n      \
             - {{ topic: orders/create, address: \"pubsub://project-1:two\", id: 2 }}\n      \
             - {{ topic: orders/paid, address: \"{B}\", id: 3 }}\n      \
             - {{ topic: orders/paid, address: \"{B}\", filter: \"id:1\", id: 4 }}\n"
        ),
    );
    let owned = "ownership: { address_prefixes: [\"https://dcs.adobedc.net/collection/\", \"arn:aws:events:\", \"pubsub://project-1:\"] }\nshops:\n";
    world.write("hookwright.yaml", &world.read("hookwright.yaml").replacen("shops:\n", owned, 1));
    world.run(&["validate"]).exits(0);
    assert_eq!(
        world.changes("acme"),
        ["~1 differs address", "~3 differs address", "-2 not_in_manifest", "-4 not_in_manifest"]
    );
    let consent = [
        "--allow",
        "delete_foreign:*",
        "--allow",
        "reroute_foreign:*",
        "--allow",
        "max_delete_percent:*",
        "--report",
        "report.json",
    ];
    world.apply(&consent).exits(8).out_has("api_client_id");
    let report: serde_json::Value = serde_json::from_str(&world.read("report.json")).unwrap();
    let outcome = |at: usize| {
        let o = &report["shops"][0]["outcomes"][at];
        (o["result"].as_str().unwrap().to_owned(), o["reason"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!([outcome(0).0, outcome(1).0], ["failed", "applied"]);
    assert_eq!(
        outcome(2),
        (
            "skipped".into(),
            "not deleted, because the subscription that replaces it could not be created or updated. Correct that failure, then create a new plan".into()
        )
    );
    // An error of another topic is not a reason.
    assert_eq!(outcome(3).0, "applied");
    let live = world.live("acme");
    assert_eq!(live.iter().filter(|l| l.contains("pubsub://project-1")).count(), 2, "{live:?}");
}

#[test]
fn a_temporary_name_that_remains_is_reported() {
    let world = world(
        "      - { topic: orders/create, destination: a, name: alpha }\n      - { topic: orders/updated, destination: a }\n",
        &format!("      - {{ topic: orders/updated, address: \"{A}\", name: alpha, id: 1 }}\n"),
    );
    assert_eq!(world.changes("acme"), ["~1 name_step name", "+orders/create"]);
    world.plan(&["-v"]).exits(0).out_has("keeps the temporary name \"hookwright-step-1\"");
    world.apply(&[]).exits(0);
    world.converged();
}
