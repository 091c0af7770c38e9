//! The same scenarios over both transports, and the limits of REST.

use crate::world::{A, B, FOREIGN, World, manifest, seed};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Over {
    GraphQl,
    Rest,
}

/// The manifest, over this transport.
fn over(transport: Over, manifest: &str) -> String {
    let word = if transport == Over::Rest { "rest" } else { "graphql" };
    manifest.replacen("version: 1\n", &format!("version: 1\nadmin_api: {{ transport: {word} }}\n"), 1)
}

#[allow(clippy::print_stdout, reason = "a test that fails must say over which transport")]
fn on_both(test: impl Fn(Over)) {
    for transport in [Over::GraphQl, Over::Rest] {
        println!("over {transport:?}");
        test(transport);
    }
}

/// The requests that changed something in the sandbox, as `METHOD path` below the version.
fn writes(world: &World) -> Vec<String> {
    let text = |r: &serde_json::Value| {
        let path = r["path"].as_str().unwrap().rsplit_once("/admin/api/").map_or("", |(_, p)| p);
        let below = path.split_once('/').map_or("", |(_, p)| p);
        format!("{} {below}", r["method"].as_str().unwrap())
    };
    let changes = |r: &&serde_json::Value| {
        r["method"] != "GET" && r["operation"] != "query" && r["status"].as_u64().unwrap() < 300
    };
    world.requests().iter().filter(changes).map(text).collect()
}

fn not_one_graphql_document(world: &World) {
    assert!(world.requests().iter().all(|r| !r["path"].as_str().unwrap().ends_with("graphql.json")));
}

fn orders() -> String {
    manifest("  - { shop: acme, bindings: [{ topics: [orders/create, orders/updated], destination: a }] }\n")
}

#[test]
fn plan_apply_plan_converges() {
    on_both(|transport| {
        let live = format!(
            "      - {{ topic: orders/create, address: \"{B}\", id: 1 }}\n      \
             - {{ topic: products/update, address: \"{B}\", id: 2 }}\n"
        );
        let world = World::new(&over(transport, &orders()), &seed("acme", &live));
        let plan = world.plan_json(&[]);
        let word = if transport == Over::Rest { "rest" } else { "graphql" };
        assert_eq!(plan["settings"]["admin_api"]["transport"], word);
        assert_eq!(world.requests().len(), if transport == Over::Rest { 2 } else { 1 });
        assert_eq!(
            crate::world::changes(&plan, "acme"),
            ["~1 differs address", "+orders/updated", "-2 not_in_manifest"]
        );
        let before = &plan["shops"][0]["changes"][0]["before"];
        assert!(before["created_at"].as_str().unwrap().ends_with('Z'), "{before}");
        assert_eq!(before["format"], "json");

        world.apply(&[]).exits(0).ends("Apply complete! Resources: 1 added, 1 changed, 1 destroyed.");
        world.converged();
        let drift = world.run(&["drift", "--sandbox"]);
        drift.exits(0);
        assert_eq!((drift.out.as_str(), drift.err.as_str()), ("", ""));
        if transport == Over::Rest {
            let mut sent = writes(&world);
            sent.sort();
            assert_eq!(sent, ["DELETE webhooks/2.json", "POST webhooks.json", "PUT webhooks/1.json"]);
            not_one_graphql_document(&world);
        }
    });
}

#[test]
fn an_address_change_keeps_the_id_and_hidden_fields() {
    on_both(|transport| {
        let live = format!("      - {{ topic: orders/create, address: \"{B}\", name: theirs, id: 4711 }}\n");
        let shop = "  - { shop: acme, bindings: [{ topic: orders/create, destination: a, include_fields: [id] }] }\n";
        let world = World::new(&over(transport, &manifest(shop)), &seed("acme", &live));
        assert_eq!(world.changes("acme"), ["~4711 differs address,include_fields"]);
        world
            .apply(&["--report", "report.json"])
            .exits(0)
            .out_has("Shopify still sends retries of earlier deliveries there");
        let live = world.live("acme");
        assert_eq!(live.len(), 1);
        assert!(["4711", A, "theirs"].iter().all(|text| live[0].contains(text)), "{live:?}");
        assert_eq!(writes(&world).len(), 1);
        world.converged();
    });
}

#[test]
fn unmanaged_subscriptions_are_not_touched() {
    on_both(|transport| {
        let live = format!(
            "      - {{ topic: orders/create, address: \"{FOREIGN}\", name: theirs, id: 77 }}\n\
             \x20     - {{ topic: customers/update, address: \"pubsub://project:topic\", id: 78 }}\n\
             \x20     - {{ topic: products/update, address: \"{B}\", id: 79 }}\n"
        );
        let world = World::new(&over(transport, &orders()), &seed("acme", &live));
        let theirs = |world: &World| -> Vec<String> {
            world.live("acme").into_iter().filter(|l| !l.contains("dcs.adobedc.net")).collect()
        };
        let before = theirs(&world);
        assert_eq!(before.len(), 2, "{before:?}");
        world
            .plan(&["--out", "plan.json"])
            .exits(0)
            .out_has("unmanaged")
            .out_has(FOREIGN)
            .out_has("pubsub://project:topic");
        world.run(&["apply", "--sandbox", "plan.json", "--allow", "adoption_delete:acme"]).exits(0);
        assert_eq!(theirs(&world), before);
        world.converged();
    });
}

#[test]
fn unreadable_shops_fail_alone_with_a_reason() {
    on_both(|transport| {
        let names = [("a", "ok"), ("b", "token_refused"), ("c", "frozen"), ("d", "locked"), ("e", "not_found")];
        let shops: String = names
            .iter()
            .map(|(n, _)| format!("  - {{ shop: {n}, bindings: [{{ topic: orders/create, destination: a }}] }}\n"))
            .collect();
        let seeds: String = names
            .iter()
            .map(|(n, status)| format!("  - {{ shop: {n}, scopes: [write_orders], status: {status} }}\n"))
            .collect();
        let world = World::new(&over(transport, &manifest(&shops)), &format!("sandbox: 1\nshops:\n{seeds}"));
        let plan = world.plan(&["--out", "plan.json"]);
        plan.exits(8).out_has("token_refused").out_has("frozen").out_has("locked").out_has("not_found");
        plan.ends("Plan incomplete: 1 to add, 0 to change, 0 to destroy; 0 blocked, 4 shops not read.");
        world.run(&["apply", "--sandbox", "plan.json"]).exits(8);
        assert_eq!((writes(&world).len(), world.live("a").len()), (1, 1));
    });
}

#[test]
fn a_shop_that_was_edited_is_stale_and_a_plan_applied_twice_is_already_so() {
    on_both(|transport| {
        let live = format!(
            "      - {{ topic: orders/create, address: \"{B}\", name: hidden, id: 5 }}\n      \
             - {{ topic: products/update, address: \"{A}\", id: 6 }}\n"
        );
        let world = World::new(&over(transport, &orders()), &seed("acme", &live));
        world.plan(&["--out", "plan.json"]).exits(0);
        world.edit(&["set", "--shop", "acme", "--id", "5", "include_fields=id"]);
        world.run(&["apply", "--sandbox", "plan.json"]).exits(7).out_has("stale");
        assert_eq!(writes(&world).len(), 0);

        world.plan(&["--out", "plan.json"]).exits(0);
        world.run(&["apply", "--sandbox", "plan.json"]).exits(0);
        let sent = writes(&world);
        let again = world.run(&["apply", "--sandbox", "plan.json", "--format", "json"]);
        again.exits(0);
        assert_eq!(again.json()["summary"]["already_so"], 3);
        assert_eq!(writes(&world), sent);
        world.converged();
    });
}

#[test]
fn a_missing_scope_blocks() {
    on_both(|transport| {
        let shop = "  - { shop: acme, bindings: [{ topics: [orders/create, customers/update], destination: a }] }\n";
        let live = "sandbox: 1\nshops:\n  - { shop: acme, scopes: [write_orders] }\n";
        let world = World::new(&over(transport, &manifest(shop)), live);
        world.plan(&["--detailed-exitcode"]).exits(4).out_has("read_customers").lacks("without changes");
        world.apply(&[]).exits(4);
        assert_eq!(world.live("acme").len(), 1);
        world.edit(&["scopes", "--shop", "acme", "write_orders,read_customers"]);
        world.apply(&[]).exits(0);
        world.converged();
    });
}

#[test]
fn a_binding_that_rest_cannot_express_is_a_validation_error() {
    for field in ["filter: \"id:1\"", "name: feed", "metafields: [custom.size]"] {
        let shop = format!("  - {{ shop: acme, bindings: [{{ topic: orders/create, destination: a, {field} }}] }}\n");
        let world = World::new(&over(Over::Rest, &manifest(&shop)), &seed("acme", "      []\n"));
        world.run(&["validate"]).exits(3).out_has("REST");
        world.plan(&[]).exits(3);
        assert!(world.requests().is_empty());
    }
}

#[test]
fn ambiguous_subscriptions_over_rest_are_not_changed_and_need_attention() {
    let live = format!(
        "      - {{ topic: orders/create, address: \"{A}\", filter: \"id:1\", id: 1 }}\n      \
         - {{ topic: orders/create, address: \"{A}\", id: 2 }}\n"
    );
    let shop = "  - { shop: acme, bindings: [{ topic: orders/create, destination: a }] }\n";
    let world = World::new(&over(Over::Rest, &manifest(shop)), &seed("acme", &live));
    let before = world.live("acme");
    let plan = world.plan(&["--detailed-exitcode"]);
    plan.exits(2).out_has("not_readable").ends("No changes, but 1 finding needs attention.");
    world.run(&["drift", "--sandbox"]).exits(2);
    world.apply(&[]).exits(0);
    assert_eq!((world.live("acme"), writes(&world).len()), (before, 0));
    // GraphQL sees the filter.
    let world = World::new(&over(Over::GraphQl, &manifest(shop)), &seed("acme", &live));
    assert_eq!(world.changes("acme"), ["-1 not_in_manifest"]);
}

fn replace_world() -> World {
    let shop = "  - { shop: acme, bindings: [{ topic: orders/create, address: \"https://x.example/a\" }] }\n";
    let text = manifest(shop)
        .replace("shops:\n", "ownership: { address_prefixes: [\"https://x.example/\"] }\nshops:\n")
        .replacen(A, "https://x.example/a", 1)
        .replacen(B, "https://x.example/b", 1);
    let live = "      - { topic: orders/create, address: \"https://x.example/a\", format: xml, id: 1 }\n";
    World::new(&over(Over::Rest, &text), &seed("acme", live))
}

#[test]
fn a_format_is_replaced_over_rest_and_the_create_is_first() {
    let world = replace_world();
    assert_eq!(world.changes("acme"), ["+orders/create", "-1 replaced"]);
    // A delete that leaves no gap needs no consent.
    world.apply(&[]).exits(0).ends("Apply complete! Resources: 1 added, 0 changed, 1 destroyed.");
    assert_eq!(writes(&world), ["POST webhooks.json", "DELETE webhooks/1.json"]);
    let live = world.live("acme");
    assert!(live.len() == 1 && !live[0].contains("xml"), "{live:?}");
    world.converged();
}

#[test]
fn a_replace_whose_scope_was_revoked_is_stale_and_deletes_nothing() {
    let world = replace_world();
    world.plan(&["--out", "plan.json"]).exits(0);
    world.edit(&["scopes", "--shop", "acme", "read_products"]);
    world.run(&["apply", "--sandbox", "plan.json"]).exits(7).out_has("stale");
    assert!(world.live("acme")[0].contains("xml") && writes(&world).is_empty());
}

#[test]
fn a_saved_plan_is_applied_over_its_transport() {
    let world = World::new(&over(Over::Rest, &orders()), &seed("acme", "      []\n"));
    world.plan(&["--out", "plan.json"]).exits(0);
    world.write("hookwright.yaml", &orders());
    world.run(&["apply", "--sandbox", "plan.json"]).exits(0);
    assert_eq!(writes(&world), ["POST webhooks.json", "POST webhooks.json"]);
    not_one_graphql_document(&world);
}
