//! The HTML page of 1,000 shops and 50 topics. Prints the time of the first paint; asserts only facts that do not depend on the
//! machine. `cargo test --test it browser::large -- --nocapture`

use serde_json::{Value, json};

use super::driver::Browser;
use crate::forged::sealed;
use crate::world::{A, B, World};

const SHOPS: usize = 1000;
const TOPICS: usize = 50;

/// Returns a plan for a thousand shops as JSON. If `busy`, all subscriptions are to be created; otherwise most are up to date and
/// one cell in twelve has a change.
fn plan(busy: bool) -> String {
    let side = |address: &str| {
        json!({ "address": address, "format": "json", "include_fields": ["id", "email"], "metafield_namespaces": [],
                "filter": null, "name": null })
    };
    let live = |id: usize, address: &str| {
        let mut side = side(address);
        side["id"] = json!(format!("gid://shopify/WebhookSubscription/{id}"));
        side
    };
    let mut summary = [0_usize; 4];
    let mut shops = Vec::new();
    for shop in 0..SHOPS {
        let (mut bound, mut changes) = (Vec::new(), Vec::new());
        for topic in 0..TOPICS {
            let name =
                format!("{}/{}", ["orders", "products", "customers", "fulfillments", "carts"][topic % 5], topic / 5);
            let id = shop * 100 + topic;
            let kind = if busy { 0 } else { (shop * 7 + topic * 13) % 36 };
            let change = |action: &str, reason: &str, before: Value, after: Value| {
                let name_of = |side: &Value| if side.is_null() { Value::Null } else { json!("commerce") };
                json!({ "action": action, "topic": name, "reason": reason, "origin": if shop % 2 == 0 { "drift" } else { "manifest" },
                        "fields": if action == "update" { vec!["address"] } else { vec![] },
                        "destination": { "before": name_of(&before), "after": name_of(&after) },
                        "source": { "file": format!("shops/{}.yaml", shop / 10), "line": 10 + topic }, "before": before, "after": after })
            };
            match kind {
                0 => changes.push(change("create", "missing", Value::Null, side(A))),
                1 => changes.push(change("update", "differs", live(id, B), side(A))),
                2 => changes.push(change("delete", "not_in_manifest", live(id, A), Value::Null)),
                _ => bound.push(json!({ "topic": name, "destination": "commerce", "count": 1 })),
            }
            summary[kind.min(3)] += 1;
        }
        let managed = bound.len() + changes.iter().filter(|change| !change["before"].is_null()).count();
        let status = if changes.is_empty() { "unchanged" } else { "changed" };
        shops.push(json!({ "shop": format!("shop-{shop:04}.myshopify.com"), "labels": { "env": "prod", "region": (["emea", "amer", "apac"][shop % 3]) },
            "status": status, "observed_digest": null, "desired_digest": "sha256:0", "managed": managed,
            "bound": bound, "blocked": [], "changes": changes, "findings": [], "error": null }));
    }
    let [add, change, destroy, unchanged] = summary;
    let plan = json!({
        "format_version": "1.0", "tool_version": "0.1.0", "created_at": "2026-11-23T00:00:00Z", "plan_digest": "sha256:0",
        "exit_code": 2, "manifest_digest": "sha256:0", "complete": true,
        "settings": { "endpoint": "shopify", "admin_api": { "version": "2026-10", "transport": "graphql" },
            "ownership": { "address_prefixes": ["https://dcs.adobedc.net/collection/"], "unmanaged": "report" },
            "safety": { "max_delete_percent": 30, "max_total_delete_percent": 10, "max_address_change_percent": 30, "protected_topics": [] } },
        "selection": { "shops": [], "labels": [], "shard": null },
        "summary": { "add": add, "change": change, "destroy": destroy, "unchanged": unchanged, "blocked": 0, "unmanaged": 0,
            "shops": { "total": SHOPS, "changed": SHOPS, "unchanged": 0, "failed": 0, "unavailable": 0 } },
        "hazards": [], "shops": shops,
    });
    sealed(&plan.to_string(), |_| ())
}

#[test]
fn a_thousand_shops_by_fifty_topics() {
    let Some(browser) = Browser::start() else { return };
    let world = World::new("", "");
    browser.size(1440, 1000);
    for busy in [false, true] {
        world.write("plan.json", &plan(busy));
        let html = world.run(&["show", "plan.json", "--format", "html"]).exits(0).out.clone();
        world.write("large.html", &html);
        browser.open_file(&world.path("large.html"), "");
        let times = browser.run(
            // A paint is recorded after its frame, which can be later than the load event.
            "const ms = (entry) => [entry.name, Math.round(entry.startTime)];
             const paints = await new Promise((done) => {
               const seen = (list) => list.getEntriesByName('first-contentful-paint').length && done(list.getEntries());
               new PerformanceObserver(seen).observe({ type: 'paint', buffered: true });
             });
             const matrix = performance.getEntriesByName('matrix-drawn');
             return Object.fromEntries([...paints, ...matrix].map(ms));",
            &json!([]),
        );
        eprintln!(
            "1,000 shops and 50 topics, {}: {} KiB, milliseconds: {times}",
            if busy { "all to create" } else { "most up to date" },
            html.len() / 1024
        );
        assert!(times["first-contentful-paint"].is_number(), "{times}");
        // The rows of the fixture repeat: the line of equal shops expands to them.
        assert_eq!(browser.count(".row.group"), if busy { 2 } else { browser.count(".row") });
        browser.click(".row.group .shop");
        let rows = browser.count(".row");
        assert!((20..80).contains(&rows), "only the rows in view are in the document, not {rows}");
        assert_eq!(browser.count(".topic"), TOPICS);

        browser.run("document.querySelector('#grid [tabindex=\"0\"]').focus()", &json!([]));
        browser.press(&["PageDown", "PageDown", "PageDown"]);
        browser.screenshot(if busy { "large-all-to-create" } else { "large" });
        browser.press(&["End", "PageUp"]);
        browser.press(&["ArrowLeft"; 40]);
        let covered = "const e = document.activeElement, box = e.getBoundingClientRect();
             return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2).closest('.cell') !== e";
        assert_eq!(browser.run(covered, &json!([])), json!(false), "the head and the first column cover the cell");
        browser.type_into("#f-shop", "shop-0999");
        assert_eq!((browser.count(".row"), browser.text(".row .shop")), (1, "shop-0999".into()));
        browser.click("#clear");
        browser.quiet();
    }
}
