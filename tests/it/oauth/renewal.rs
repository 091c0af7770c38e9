//! A token that expires, is refused or cannot be renewed during a run.

use serde_json::Value;

use crate::scene::{ASSERTION, CREDENTIALS, STORE, Scene};
use crate::world::{A, B};

/// Consents to the loss of deliveries to the addresses of the live subscriptions, which the manifest does not name.
const CONSENTS: [&str; 4] = ["--allow", "delete_foreign:*", "--allow", "reroute_foreign:*"];

/// Two updates and a create, and a delete that waits for them: two documents over GraphQL, four requests over REST.
fn changes(auth: &str, app: &str, transport: &str) -> Scene {
    let live = |id: usize| {
        let address = format!("https://dcs.adobedc.net/collection/{}", id.to_string().repeat(64));
        format!("      - {{ topic: orders/create, address: \"{address}\", id: {id} }}\n")
    };
    let live: String = (1..=3).map(live).collect();
    let shops = format!("  - shop: acme\n    scopes: [write_orders]\n    subscriptions:\n{live}");
    let scene = Scene::new(auth, app, &shops);
    let manifest = format!(
        "version: 1\nadmin_api: {{ transport: {transport} }}\nauth: {auth}\ndestinations: {{ a: \"{A}\", b: \"{B}\" }}\nshops:\n  - shop: acme\n    bindings:\n      \
         - {{ topic: orders/create, destination: a }}\n      - {{ topic: orders/create, destination: b }}\n      \
         - {{ topic: orders/updated, destination: a }}\n"
    );
    scene.world.write("hookwright.yaml", &manifest);
    if auth == STORE {
        scene.log_in("acme");
    }
    scene
}

/// Number of requests to the Admin API with this answer.
fn answered(scene: &Scene, status: u64) -> Vec<Value> {
    let log = scene.world.read("served.json.log.jsonl");
    let requests = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    requests.filter(|r| r["status"] == status && r["path"].as_str().unwrap().contains("/admin/api/")).collect()
}

/// The requests that changed something, as GraphQL fields or HTTP methods.
fn carried_out(scene: &Scene) -> usize {
    let fields = |request: &Value| match request["operation"].as_str() {
        Some("mutation") => request["fields"].as_array().map_or(0, Vec::len),
        Some(_) => 0,
        None => usize::from(request["method"] != "GET"),
    };
    [200, 201].into_iter().flat_map(|status| answered(scene, status)).map(|request| fields(&request)).sum()
}

fn given(scene: &Scene) -> usize {
    scene.grants().iter().filter(|(_, status)| *status == 200).count()
}

#[test]
fn a_token_that_expires_during_a_shop_is_renewed_and_only_refused_changes_are_repeated() {
    let all = [
        (STORE, "graphql"),
        (STORE, "rest"),
        (CREDENTIALS, "graphql"),
        (CREDENTIALS, "rest"),
        (ASSERTION, "graphql"),
        (ASSERTION, "rest"),
    ];
    std::thread::scope(|threads| {
        for (auth, transport) in all {
            threads.spawn(move || {
                let scene = changes(auth, ", token_seconds: 3", transport);
                // The first of the changes outlives the token that it came with.
                scene.faults("faults: [{ fault: latency, ms: 3500, on: mutation, commit: after, times: 1 }]\n");
                let before = given(&scene);
                let apply =
                    scene.run(&[&["apply", "--auto-approve", "--report", "report.json"], &CONSENTS[..]].concat());
                apply.exits(0).out_has("Apply complete! Resources: 1 added, 2 changed, 1 destroyed.");
                assert!(!answered(&scene, 401).is_empty(), "{transport}: nothing was refused, so nothing was shown");
                assert!(given(&scene) > before, "{transport}: {:?}", scene.grants());
                assert_eq!(carried_out(&scene), 4, "{transport}: each change once");
                scene.run(&["plan"]).exits(0).ends("No changes. The live webhooks match the manifest.");
            });
        }
    });
}

#[test]
fn a_shop_that_refuses_the_new_token_too_fails_and_nothing_is_sent_a_third_time() {
    for (transport, status) in [("graphql", "0 changed, 0 destroyed"), ("rest", "1 changed, 0 destroyed")] {
        let scene = changes(CREDENTIALS, "", transport);
        scene.run(&["plan", "--out", "plan.json"]).exits(0);
        let after = usize::from(transport == "rest");
        scene.faults(&format!("faults: [{{ fault: token_revoked, on: mutation, after: {after}, times: 1 }}]\n"));
        let before = given(&scene);
        let apply = scene.run(&[&["apply", "plan.json"], &CONSENTS[..]].concat());
        apply.exits(4).out_has("token_refused").out_has(status);
        assert_eq!(given(&scene), before + 2, "one for the reading, one for what was refused");
        assert_eq!(answered(&scene, 401).len(), 2, "{transport}");
    }
}

#[test]
fn a_fetched_token_is_renewed_before_its_end_and_never_refused() {
    std::thread::scope(|threads| {
        for auth in [CREDENTIALS, ASSERTION] {
            threads.spawn(move || {
                let scene = changes(auth, ", token_seconds: 8", "graphql");
                // Reading takes until the token's last quarter, in which it would still be taken.
                scene.faults("faults: [{ fault: latency, ms: 6200, on: query, times: 1 }]\n");
                scene
                    .run(&[&["apply", "--auto-approve"], &CONSENTS[..]].concat())
                    .exits(0)
                    .out_has("Apply complete! Resources: 1 added, 2 changed, 1 destroyed.");
                assert_eq!(given(&scene), 2, "{auth}: one for the reading, one for the rest");
                assert!(answered(&scene, 401).is_empty(), "{auth}");
            });
        }
    });
}
