//! Twelve `shopify.app.toml` files written after the variety of public ones: each has the expected diagnostics in its first
//! line, and none fails a run.

use std::path::PathBuf;

use serde_json::Value;

use crate::world::{A, FOREIGN, Run, World, manifest, seed};

const PRODUCTS_ARN: &str = "arn:aws:events:us-east-1::event-source/aws.partner/shopify.com/1234567/products";

fn files() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/apps/variety");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// One shop with bindings to an inlet, to the app itself, to Pub/Sub and to EventBridge, and that file.
fn world(toml: &str) -> World {
    let bindings = format!(
        "  - shop: acme\n    bindings:\n      - {{ topics: [orders/create, orders/updated], destination: a }}\n      \
         - {{ topic: products/update, address: \"https://app.example/events\" }}\n      \
         - {{ topic: customers/update, address: \"pubsub://stream-project:shopify-customers\" }}\n      \
         - {{ topic: products/delete, address: \"{PRODUCTS_ARN}\" }}\n"
    );
    let head = "version: 1\napp_config: shopify.app.toml\nownership:\n  address_prefixes: [\"https://dcs.adobedc.net/\", \
                \"https://app.example/\", \"pubsub://stream-project:\", \"arn:aws:events:us-east-1::\"]\n";
    let live = format!("      - {{ topic: shop/update, address: \"{FOREIGN}\" }}\n");
    let world = World::new(&manifest(&bindings).replacen("version: 1\n", head, 1), &seed("acme", &live));
    world.write("shopify.app.toml", toml);
    world
}

/// `CODE` of what is said at a binding, `CODE:LINE` of what is said at the file.
fn told(run: &Run) -> String {
    let told = run.json();
    let one = |diagnostic: &Value| {
        let code = diagnostic["code"].as_str().unwrap();
        match diagnostic["file"].as_str().unwrap() {
            "shopify.app.toml" => format!("{code}:{}", diagnostic["line"]),
            _ => code.to_owned(),
        }
    };
    let codes: Vec<String> = told["diagnostics"].as_array().unwrap().iter().map(one).collect();
    if codes.is_empty() { "nothing".to_owned() } else { codes.join(" ") }
}

#[test]
fn twelve_files_are_read_as_expected_and_none_fails_a_run() {
    let files = files();
    assert_eq!(files.len(), 12);
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let toml = std::fs::read_to_string(&path).unwrap();
        let first = toml.lines().next().unwrap().trim_start_matches('\u{feff}');
        let expected = first.strip_prefix("# expect: ").unwrap_or_else(|| panic!("{name} expects nothing: {first}"));
        let world = world(&toml);
        let validate = world.run(&["validate", "--format", "json"]);
        assert_eq!((validate.code, told(&validate).as_str()), (0, expected), "{name}: {validate}");
        let plan = world.plan(&[]);
        plan.exits(0).ends("Plan: 5 to add, 0 to change, 0 to destroy.");
        let shops = world.plan_json(&[])["shops"].clone();
        let kinds = |kind: &str| shops[0]["findings"].as_array().unwrap().iter().filter(|f| f["kind"] == kind).count();
        let count = |code: &str| expected.split(' ').filter(|told| told.starts_with(code)).count();
        assert_eq!(kinds("double_delivery"), count("HW110"), "{name}: {plan}");
        assert_eq!(kinds("two_payloads"), count("HW117"), "{name}: {plan}");
        // The same file with the line ends of Windows says the same.
        world.write("shopify.app.toml", &toml.replace("\r\n", "\n").replace('\n', "\r\n"));
        assert_eq!(told(&world.run(&["validate", "--format", "json"])), expected, "{name} with CRLF");
    }
}

fn read(name: &str) -> String {
    let path = files().into_iter().find(|path| path.ends_with(name)).unwrap();
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn an_event_next_to_a_binding_is_reported_with_both_places_and_duplicates() {
    let world = world(&read("09-events-beside-webhooks.toml"));
    let validate = world.run(&["validate"]);
    for said in [
        "warning[HW117]: the address receives two payload shapes: `orders/create` and the app's event `order-created` (Order create) \
         in shopify.app.toml:23; a change that triggers both is delivered twice",
        "`orders/updated` and the app's event `order-tracked` (Order update) in shopify.app.toml:16; a change",
        "`customers/update` and the app's event `customer` (Customer create, delete, update) in shopify.app.toml:29; a change",
        "hookwright.yaml:12",
    ] {
        validate.exits(0).out_has(said);
    }
    world.run(&["validate", "--deny", "HW117"]).exits(3);
    let plan = world.plan_json(&[]);
    let findings = plan["shops"][0]["findings"].as_array().unwrap().clone();
    let customer = findings.iter().find(|f| f["kind"] == "two_payloads" && f["topic"] == "customers/update").unwrap();
    assert_eq!((customer["severity"].as_str(), customer["details"]["twice"].as_bool()), (Some("warning"), Some(true)));
    assert_eq!(customer["details"]["event"]["line"], 29);
    let silenced = world.read("hookwright.yaml") + "lint: { allow: [HW117] }\n";
    world.write("hookwright.yaml", &silenced);
    let validate = world.run(&["validate"]);
    validate.exits(0).lacks("HW117");
}

#[test]
fn an_event_with_another_action_is_two_payloads_and_not_twice_the_same_change() {
    let event = |action: &str| {
        format!(
            "[[events.subscription]]\nhandle = 'h'\ntopic = 'Order'\nactions = ['{action}']\nuri = '{A}?x-adobe-flow-id=1'\n"
        )
    };
    // An address with another query is another inlet.
    let elsewhere = world(&event("delete")).run(&["validate"]);
    elsewhere.exits(0).lacks("HW117");
    let here = world(&event("delete").replace("?x-adobe-flow-id=1", ""));
    let validate = here.run(&["validate"]);
    validate.exits(0).out_has_times(2, "warning[HW117]");
    validate.lacks("delivered twice");
    here.plan(&[])
        .exits(0)
        .out_has(&format!("the app's event `h` (Order delete) (shopify.app.toml:3) is also delivered to {A}, so the"));
}
