//! A plan file is not signed: whatever can write it can edit it and compute its digest. Its changes are applied only if
//! the manifest and the shop require them.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::scene::Server;
use crate::world::{A, B, FOREIGN, Run, World, manifest};

/// Three shops: one with an update and a delete, one with a create, one as it should be.
fn world() -> World {
    let shops = "  - { shop: acme, bindings: [{ topic: orders/create, destination: a }] }\n  \
                 - { shop: bolt, bindings: [{ topic: orders/create, destination: a }] }\n  \
                 - { shop: cafe, bindings: [{ topic: orders/create, destination: a }, { topic: orders/paid, destination: a }] }\n";
    let live = format!(
        "sandbox: 1\nshops:\n  - shop: acme\n    scopes: [write_orders]\n    subscriptions:\n      \
         - {{ topic: orders/create, address: \"{B}\", id: 1 }}\n      - {{ topic: orders/updated, address: \"{A}\", id: 2 }}\n      \
         - {{ topic: orders/paid, address: \"{FOREIGN}\", id: 3 }}\n  - {{ shop: bolt, scopes: [write_orders] }}\n  \
         - shop: cafe\n    scopes: [write_orders]\n    subscriptions:\n      \
         - {{ topic: orders/create, address: \"{A}\", id: 4 }}\n      - {{ topic: orders/paid, address: \"{A}\", id: 5 }}\n"
    );
    World::new(&manifest(shops), &live)
}

/// The file after an edit, with a digest that fits.
pub fn sealed(plan: &str, edit: impl FnOnce(&mut Value)) -> String {
    let mut plan: Value = serde_json::from_str(plan).unwrap();
    edit(&mut plan);
    let frame = plan.as_object_mut().unwrap();
    let (digest, created) = (frame.remove("plan_digest").unwrap(), frame.remove("created_at").unwrap());
    assert!(digest.is_string());
    let hash = Sha256::digest(canonical(&plan));
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    plan["plan_digest"] = format!("sha256:{hex}").into();
    plan["created_at"] = created;
    plan.to_string()
}

fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let sorted: std::collections::BTreeMap<_, _> = map.iter().collect();
            let pairs: Vec<_> =
                sorted.iter().map(|(k, v)| format!("{}:{}", Value::from(k.as_str()), canonical(v))).collect();
            format!("{{{}}}", pairs.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

fn delete(id: u64, topic: &str, reason: &str) -> Value {
    serde_json::json!({
        "action": "delete", "topic": topic, "reason": reason, "origin": null, "fields": [], "source": null, "after": null,
        "destination": { "before": "a", "after": null },
        "before": {
            "id": format!("gid://shopify/WebhookSubscription/{id}"), "address": A, "format": "json", "include_fields": [],
            "metafield_namespaces": [], "filter": null, "name": null, "metafields": []
        }
    })
}

/// Deletes what is wanted in cafe, for this reason, with counts that fit.
fn deleting_in_cafe(plan: &mut Value, reason: &str) {
    let cafe = &mut plan["shops"][2];
    cafe["changes"] = serde_json::json!([delete(5, "orders/paid", reason)]);
    cafe["status"] = "changed".into();
    cafe["managed"] = 3.into();
    plan["summary"]["destroy"] = 2.into();
    plan["summary"]["shops"]["changed"] = 3.into();
    plan["summary"]["shops"]["unchanged"] = 0.into();
}

/// An edit of a plan.
type Edit = fn(&mut Value);

#[test]
fn an_edited_plan_with_a_new_digest_does_nothing_outside_the_manifest() {
    let world = world();
    world.plan(&["--out", "plan.json"]).exits(0).ends("Plan: 1 to add, 1 to change, 1 to destroy.");
    let plan = world.read("plan.json");
    let edits: [(&str, Edit, &str); 8] = [
        ("a create elsewhere", |p| p["shops"][1]["changes"][0]["after"]["address"] = FOREIGN.into(), FOREIGN),
        ("a move elsewhere", |p| p["shops"][0]["changes"][0]["after"]["address"] = FOREIGN.into(), FOREIGN),
        ("a move to another inlet", |p| p["shops"][0]["changes"][0]["after"]["address"] = B.into(), B),
        ("a delete of what is wanted", |p| deleting_in_cafe(p, "not_in_manifest"), "orders/paid"),
        ("deletes that are not counted", |p| p["summary"]["destroy"] = 0.into(), "summary"),
        ("limits of its own", |p| p["settings"]["safety"]["max_delete_percent"] = 100.into(), "`safety` limits"),
        (
            "a change twice",
            |p| {
                let again = p["shops"][0]["changes"][1].clone();
                p["shops"][0]["changes"].as_array_mut().unwrap().push(again);
                p["summary"]["destroy"] = 2.into();
            },
            "conflicting changes",
        ),
        ("more live ones than there can be", |p| p["shops"][0]["managed"] = 1000.into(), "account for"),
    ];
    for (name, edit, says) in edits {
        world.write("forged.json", &sealed(&plan, edit));
        let run = world.run(&["apply", "--sandbox", "forged.json"]);
        assert_eq!(run.code, 3, "{name}: {run}");
        assert!(run.err.contains(says), "{name}: {run}");
    }
    // Errors that only the shop reveals are reported before the shop is touched.
    world.write("forged.json", &sealed(&plan, |p| deleting_in_cafe(p, "duplicate")));
    let run = world.run(&["apply", "--sandbox", "forged.json"]);
    run.exits(7).out_has("cafe").out_has("the plan's changes differ from those that the manifest and the shop require");
    assert_eq!(world.live("cafe").len(), 2);

    // A plan with the same content and digest is not forged: all of its changes are already in effect.
    world.write("plan.json", &sealed(&plan, |_| {}));
    world.run(&["apply", "--sandbox", "plan.json"]).exits(0);
    assert_eq!(world.live("acme").len(), 2, "the foreign one stays");
    world.converged();
}

/// A file that hides a shop's delete limit behind other numbers, with a summary that fits.
#[test]
fn numbers_of_a_file_do_not_hide_a_limit() {
    let live: String = ["create", "updated", "paid", "cancelled", "delete", "edited"]
        .map(|topic| format!("      - {{ topic: orders/{topic}, address: \"{A}\" }}\n"))
        .concat();
    let shops = "  - { shop: acme, bindings: [{ topics: [orders/create, orders/updated], destination: a }] }\n";
    let world = World::new(&manifest(shops), &crate::world::seed("acme", &live));
    world.plan(&["--out", "plan.json"]).exits(0).out_has("deletes 4 of 6");
    let plan = world.read("plan.json");
    let finding = serde_json::json!({ "kind": "held_back", "severity": "info", "topic": "orders/create", "id": "x", "message": "", "details": {} });
    let edits: [(&str, Edit); 3] = [
        ("fewer than there are", |p| p["shops"][0]["managed"] = 0.into()),
        ("fewer, and fewer bound", |p| {
            p["shops"][0]["managed"] = 4.into();
            p["shops"][0]["bound"] = Value::Array(vec![]);
            p["summary"]["unchanged"] = 0.into();
        }),
        ("many kept ones", |p| p["shops"][0]["managed"] = 106.into()),
    ];
    for (name, edit) in edits {
        let forged = sealed(&plan, |p| {
            p["hazards"] = Value::Array(vec![]);
            edit(p);
            if name == "many kept ones" {
                p["shops"][0]["findings"] = Value::Array(vec![finding.clone(); 100]);
            }
        });
        world.write("forged.json", &forged);
        let run = world.run(&["apply", "--sandbox", "forged.json"]);
        assert!(matches!(run.code, 3 | 7), "{name}: {run}");
        assert_eq!(world.mutations(), 0, "{name}: {run}");
    }
    world.run(&["apply", "--sandbox", "plan.json", "--allow", "max_delete_percent:acme"]).exits(0);
    world.converged();
}

#[test]
fn a_plan_file_cannot_select_a_transport_that_cannot_express_the_bindings() {
    let shops = "  - { shop: acme, bindings: [{ topic: orders/create, destination: a, filter: \"id:1\" }] }\n";
    let world = World::new(&manifest(shops), &crate::world::seed("acme", "      []\n"));
    world.plan(&["--out", "plan.json"]).exits(0);
    let other = sealed(&world.read("plan.json"), |p| p["settings"]["admin_api"]["transport"] = "rest".into());
    world.write("forged.json", &other);
    world.run(&["apply", "--sandbox", "forged.json"]).exits(3).err_has("REST, which cannot express");
    assert_eq!(world.mutations(), 0);
}

#[test]
fn hazards_that_a_file_leaves_out_are_found_again() {
    let live: String = (1..=6)
        .map(|n| format!("      - {{ topic: orders/create, address: \"{A}\", filter: \"id:{n}\" }}\n"))
        .collect();
    let seed = crate::world::seed("acme", &live);
    let world =
        World::new(&manifest("  - { shop: acme, bindings: [{ topic: orders/create, destination: b }] }\n"), &seed);
    world.plan(&["--out", "plan.json"]).exits(0).out_has("max_delete_percent");
    let hidden = sealed(&world.read("plan.json"), |plan| plan["hazards"] = Value::Array(vec![]));
    world.write("forged.json", &hidden);
    world.run(&["show", "--check", "forged.json"]).exits(3).err_has("have the hazard `max_delete_percent` of acme");
    world.run(&["apply", "--sandbox", "forged.json"]).exits(3).err_has("max_delete_percent");
    assert_eq!(world.mutations(), 0);
}

#[test]
fn names_of_destinations_in_a_file_do_not_hide_a_loss() {
    let topics = ["create", "updated", "paid", "cancelled", "edited", "delete"];
    let shop = |n: usize, moves: bool| {
        let orders = topics.map(|topic| format!("{{ topic: orders/{topic}, destination: a }}")).join(", ");
        let to = if moves { "c" } else { "b" };
        format!("  - {{ shop: s{n}, bindings: [{orders}, {{ topic: customers/update, destination: {to} }}] }}\n")
    };
    let text = |moves: bool| {
        let shops: String = (0..8).map(|n| shop(n, moves)).collect();
        manifest(&shops).replacen("destinations:\n", &format!("destinations:\n  c: {}\n", B.replace("bbbb", "cccc")), 1)
    };
    let live: String =
        (0..8).map(|n| format!("  - {{ shop: s{n}, scopes: [write_orders, read_customers] }}\n")).collect();
    let world = World::new(&text(false), &format!("sandbox: 1\nshops:\n{live}"));
    world.apply(&[]).exits(0);
    world.write("hookwright.yaml", &text(true));
    world
        .plan(&["--out", "plan.json"])
        .exits(0)
        .out_has("max_destination_loss_percent: deletes or moves away more than 50 % of")
        .out_has("b (8 of 8 moved, in 8 shops)");
    // Each shop names the old address in its own way, and the other bindings are counted for it.
    let hidden = sealed(&world.read("plan.json"), |plan| {
        plan["hazards"] = Value::Array(vec![]);
        for (shop, n) in plan["shops"].as_array_mut().unwrap().iter_mut().zip(0..) {
            shop["changes"][0]["destination"]["before"] = format!("b{n}").into();
            for bound in shop["bound"].as_array_mut().unwrap() {
                bound["destination"] = "b".into();
            }
        }
    });
    world.write("forged.json", &hidden);
    let sent = world.mutations();
    world.run(&["show", "--check", "forged.json"]).exits(0);
    let run = world.run(&["apply", "--sandbox", "forged.json"]);
    run.exits(6).err_has("max_destination_loss_percent: ").err_has("b (8 of 8 moved, in 8 shops)");
    assert_eq!(world.mutations(), sent);
    world.run(&["apply", "--sandbox", "plan.json", "--allow", "max_destination_loss_percent"]).exits(0);
    world.converged();
}

#[test]
fn a_fresh_apply_does_not_touch_a_subscription_that_another_writer_moved() {
    for topic in ["orders/create", "orders/updated"] {
        let world = world();
        // After the plan's reading and before the next request: once in the place of the change, now of a reading.
        let fault = format!(
            "other_writer,act=edit,address=https://dcs.adobedc.net,topic={topic},set=address={FOREIGN},shop=acme,after=1,times=1"
        );
        let server = Server::start_with(&world, &["--fault", &fault]);
        let mut command = world.command(&["apply", "--auto-approve", "--report", "report.json"]);
        for shop in ["ACME", "BOLT", "CAFE"] {
            command.env(format!("TOKEN_{shop}"), "sandbox-token");
        }
        let run = Run::of(&command.env("HOOKWRIGHT_ADMIN_URL", &server.url).output().unwrap());
        run.exits(7).out_has("was changed after the plan was created");
        let state: Value = serde_json::from_str(&world.read("report.json")).unwrap();
        assert_eq!(state["shops"][0]["status"], "stale", "{state}");
        let log = world.read("served.json.log.jsonl");
        let to_acme = log.lines().filter(|line| line.contains("acme")).count();
        assert_eq!(to_acme, 2, "two readings and nothing else: {log}");
    }
}

#[test]
fn a_long_apply_reads_again_before_it_changes_a_subscription() {
    let bindings = |topic: &str, numbers: std::ops::Range<u32>, rest: &str| -> String {
        let line = |n| format!("      - {{ topic: {topic}, filter: \"id:{n}\", {rest} }}\n");
        numbers.map(line).collect()
    };
    // More than one document of changes: the second one goes out seconds after the reading.
    let all = |rest: &str| bindings("orders/create", 0..25, rest) + &bindings("orders/updated", 0..3, rest);
    let shops = format!("  - shop: acme\n    bindings:\n{}", all("destination: a, include_fields: [id]"));
    let world = World::new(&manifest(&shops), &crate::world::seed("acme", &all(&format!("address: \"{A}\""))));
    let slow = "latency,ms=5500,on=mutation,commit=after,times=1";
    let writer = format!("other_writer,act=edit,topic=orders/updated,set=address={FOREIGN},on=query,after=2,times=1");
    let server = Server::start_with(&world, &["--fault", slow, "--fault", &writer]);
    let mut command = world.command(&["apply", "--auto-approve", "--report", "report.json"]);
    let output = command.env("TOKEN_ACME", "sandbox-token").env("HOOKWRIGHT_ADMIN_URL", &server.url).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(8), "{said}");
    assert!(said.contains("changed_meanwhile"), "{said}");
    let report: Value = serde_json::from_str(&world.read("report.json")).unwrap();
    assert_eq!((report["summary"]["changed"].as_u64(), report["summary"]["failed"].as_u64()), (Some(27), Some(1)));
}
