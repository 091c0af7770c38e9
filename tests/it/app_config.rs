//! `app_config`: what an app declares in its `shopify.app.toml` and a binding repeats is delivered twice.

use crate::world::{A, B, World, manifest, seed};

const SHOPS: &str = "  - { shop: acme, bindings: [{ topics: [orders/create, orders/updated], destination: a }] }\n  \
                     - { shop: other, bindings: [{ topic: orders/create, destination: a }] }\n";

fn world(toml: &str) -> World {
    let live = |topics: &[&str]| {
        topics.iter().map(|topic| format!("      - {{ topic: {topic}, address: \"{A}\" }}\n")).collect::<String>()
    };
    let seed = seed("acme", &live(&["orders/create", "orders/updated"]))
        + "  - shop: other\n    scopes: [write_orders]\n    subscriptions:\n"
        + &live(&["orders/create"]);
    let manifest = manifest(SHOPS).replacen("version: 1\n", "version: 1\napp_config: app/shopify.app.toml\n", 1);
    let world = World::new("", &seed);
    world.write("conf/hookwright.yaml", &manifest);
    world.write("conf/app/shopify.app.toml", toml);
    world.run(&["sandbox", "seed", "world.sandbox.yaml"]).exits(0);
    world
}

#[test]
fn a_duplicate_delivery_is_reported_once_for_all_shops() {
    let toml = |uri: &str| {
        format!(
            "application_url = \"https://app.example\"\n\n[[webhooks.subscriptions]]\ntopics = [\"orders/create\"]\nuri = \"{uri}\"\n"
        )
    };
    let twice = world(&toml(A));
    let place = "conf/app/shopify.app.toml:4";
    let plan = twice.plan(&["-f", "conf", "--detailed-exitcode"]);
    plan.exits(0).ends("No changes. The live webhooks match the manifest.");
    let line = format!(
        "double_delivery, orders/create: the app configuration ({place}) also subscribes this topic to {A}, so each"
    );
    assert_eq!(plan.out.matches("double_delivery").count(), 1, "{plan}");
    plan.out_has(&line).out_has("2 shops: acme, other").err_has("warning[HW110]");
    let finding = &twice.plan_json(&["-f", "conf"])["shops"][0]["findings"][0];
    assert_eq!((finding["kind"].as_str(), finding["severity"].as_str()), (Some("double_delivery"), Some("warning")));
    assert_eq!(finding["details"]["declared"]["line"], 4);
    twice.run(&["drift", "--sandbox", "-f", "conf"]).exits(0);
    twice.run(&["validate", "-f", "conf"]).exits(0).out_has("conf/hookwright.yaml:8").out_has(place);
    twice.run(&["validate", "-f", "conf", "--deny", "HW110"]).exits(3);
    twice.run(&["validate", "-f", "conf", "--format", "github"]).exits(0).out_has("file=conf/hookwright.yaml,line=8");

    for elsewhere in [B, "/hooks"] {
        let plan = world(&toml(elsewhere)).plan(&["-f", "conf"]);
        assert!(!plan.exits(0).out.contains("double_delivery"), "{plan}");
    }
}

/// What the official templates commit: no `application_url` before the app is linked.
const TEMPLATE: &str = "client_id = \"\"\n\n[[webhooks.subscriptions]]\ntopics = [\"app/uninstalled\"]\nuri = \"/webhooks\"\n\n\
    [[webhooks.subscriptions]]\ntopics = [\"orders/create\"]\nuri = \"/webhooks\"\n";

#[test]
fn an_app_file_that_cannot_be_compared_is_a_warning_and_fails_no_shop() {
    let world = world(TEMPLATE);
    let said = "the app's own subscriptions to `app/uninstalled`, `orders/create` were not compared with the bindings: their \
                `uri` is relative, and the file has no `application_url`";
    world.run(&["drift", "--sandbox", "-f", "conf"]).exits(0);
    let plan = world.run(&["plan", "--sandbox", "-f", "conf"]);
    plan.exits(0).err_has_times(1, "warning[").err_has(said).err_has("conf/app/shopify.app.toml:5");
    plan.err_has("warning[HW116]");
    let validate = world.run(&["validate", "-f", "conf"]);
    validate.exits(0).out_has_times(1, "warning[").out_has(said).out_has("conf/app/shopify.app.toml:5");
    validate.out_has("warning[HW116]");
    world.run(&["validate", "-f", "conf", "--deny", "HW116"]).exits(3);
    world.write("conf/app/shopify.app.toml", "[webhooks\n");
    world
        .plan(&["-f", "conf"])
        .exits(0)
        .err_has("warning[HW116]")
        .err_has("shopify.app.toml:1")
        .err_has("invalid TOML");
}

#[test]
fn filters_that_exclude_each_other_are_not_a_duplicate_delivery() {
    let world = |filter: &str| {
        let toml =
            format!("[[webhooks.subscriptions]]\ntopics = [\"orders/create\"]\nuri = \"{A}\"\nfilter = \"{filter}\"\n");
        let world = world(&toml);
        let manifest =
            world.read("conf/hookwright.yaml").replace("destination: a }", "destination: a, filter: \"id:1\" }");
        world.write("conf/hookwright.yaml", &manifest);
        world.run(&["validate", "-f", "conf"])
    };
    world("id:2").exits(0).lacks("HW110");
    world("id:1").exits(0).out_has("each event of `orders/create` is delivered twice (");
    world("email:*").exits(0).out_has("each event of `orders/create` is delivered twice if it passes both filters");
}

#[test]
fn a_missing_app_file_is_refused_before_anything_is_sent() {
    let world = world("");
    std::fs::remove_file(world.path("conf/app/shopify.app.toml")).unwrap();
    world.plan(&["-f", "conf"]).exits(3).err_has("file not found").err_has("conf/hookwright.yaml:2");
    assert_eq!(world.requests().len(), 0);
}
