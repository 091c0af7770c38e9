//! Addresses of destinations: looked up once, updated after a move, checked like written addresses.

use serde_json::Value;

use super::{
    BY_NAME, ORDERS, ORDERS_AT, ORG, SETTLED, adobe, destination, flow, manifest, one, only_pasted_is_planned, seed,
    world,
};
use crate::world::{A, World};

#[test]
fn a_destination_is_looked_up_once_and_the_plan_shows_its_address() {
    let world = world();
    let plan = world.plan_json(&[]);
    let told = destination(&plan, "orders");
    for (key, value) in [
        ("found_by", "name"),
        ("wanted", "Shopify orders (prod)"),
        ("account", "default"),
        ("org", ORG),
        ("sandbox", "prod"),
        ("kind", "flow"),
        ("id", ORDERS),
        ("state", "enabled"),
        ("address", ORDERS_AT),
        ("verdict", "ok"),
    ] {
        assert_eq!(told[key], value, "{key}: {told}");
    }
    assert_eq!(plan["destinations"].as_array().unwrap().len(), 1, "a pasted address is checked only on request");
    assert_eq!(adobe(&world), ["/ims/token/v3", "/flows"], "one question, for two shops");
    let text = world.plan(&[]);
    text.exits(0).ends("No changes. The live webhooks match the manifest.");
    text.out_has(&format!(
        "orders: dataflow \"Shopify orders (prod)\", enabled, Adobe sandbox `prod`\n    {ORDERS_AT}"
    ));
    world.run(&["validate"]).exits(0);
}

#[test]
fn without_lookups_no_request_is_sent_to_adobe() {
    let pasted = manifest(BY_NAME).replace("destination: orders", "destination: pasted");
    let world = World::new(&pasted, &seed("", ""));
    world.plan(&["--shop", "three"]).exits(0);
    world.run(&["drift", "--sandbox", "--shop", "three"]).exits(0);
    assert!(adobe(&world).is_empty(), "{:?}", adobe(&world));
    // Except if live subscriptions move away from an address that may belong to the manifest.
    world.plan(&[]).lacks("reroute_foreign");
    assert_eq!(adobe(&world), ["/ims/token/v3", "/flows"]);
}

#[test]
fn lookups_by_id_find_connections_and_addresses_with_a_dataflow_id() {
    let more = format!(
        "    - {{ name: Over, inlet: connection, address: \"{A}\" }}\n  connections:\n    - {{ name: Raw, sandbox: prod, address: \"{A}2\" }}\n"
    );
    let address = |destination: &str| {
        let world = World::new(&manifest(destination), &seed(&more, ""));
        destination_of(&world.plan_json(&["--shop", "one"]))
    };
    assert_eq!(address(&format!("{{ flow: {{ id: {} }} }}", ORDERS.to_uppercase())), ORDERS_AT);
    assert_eq!(address("{ flow: { name: Over } }"), A, "the address of its base connection");
    assert_eq!(address("{ connection: { name: Raw } }"), format!("{A}2"));
    assert_eq!(
        address("{ flow: { name: \"Shopify orders (prod)\" }, with_flow_id: true }"),
        format!("{ORDERS_AT}?x-adobe-flow-id={ORDERS}")
    );
}

fn destination_of(plan: &Value) -> String {
    destination(plan, "orders")["address"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_recreated_dataflow_is_an_update_in_place_with_its_reason() {
    let world = world();
    flow(&world, "--recreate");
    let plan = world.plan(&["--out", "plan.json"]);
    plan.exits(0).ends("Plan: 0 to add, 2 to change, 0 to destroy.");
    plan.out_has("2 live subscriptions in 2 shops have").out_has("has this address: it was deleted or recreated");
    assert!(!plan.out.contains("old_endpoint"), "nothing can keep up an endpoint that was deleted: {plan}");
    world.run(&["drift", "--sandbox"]).exits(2).out_has("it was deleted or recreated").out_has("settling: dataflow");
    let saved: Value = serde_json::from_str(&world.read("plan.json")).unwrap();
    assert_eq!(one(&saved, "one")["changes"][0]["fields"], serde_json::json!(["address"]));

    // Adobe may lose what is delivered in the first five minutes.
    world.run(&["apply", "--sandbox", "plan.json"]).exits(6).err_has("--allow destination_settling");
    assert_eq!(world.mutations(), 0);
    world.run(&["show", "--check", "plan.json"]).exits(6);
    // It is unknown whether another manifest owns the old address, because Adobe lists one sandbox of one organisation.
    let settling = ["apply", "--sandbox", "plan.json", "--allow", "destination_settling"];
    world.run(&settling).exits(6).err_has("--allow reroute_foreign:one --allow reroute_foreign:two");
    assert_eq!(world.mutations(), 0);
    world.run(&[&settling[..], &["--allow", "reroute_foreign:*"]].concat()).exits(0);
    let now = destination_of(&world.plan_json(&[]));
    for shop in ["one", "two"] {
        assert!(world.live(shop).iter().all(|line| line.contains(&now)), "{:?}", world.live(shop));
    }
    world.converged();

    flow(&world, "--recreate");
    flow(&world, SETTLED);
    world.apply(&["--allow", "reroute_foreign:*"]).exits(0).out_has("2 changed");
    world.converged();
}

#[test]
fn the_old_address_may_belong_to_another_dataflow() {
    let loyalty = World::new(&manifest("{ flow: { name: Loyalty } }"), &seed("", ""));
    loyalty
        .plan(&[])
        .exits(0)
        .out_has(&format!("it is the address of dataflow \"Shopify orders (prod)\" ({ORDERS}), which is enabled"));
}

#[test]
fn no_match_and_several_matches_are_errors_that_name_the_candidates() {
    let world = World::new(&manifest("{ flow: { name: Shopify } }"), &seed("", ""));
    let plan = world.plan(&["--format", "json"]);
    plan.exits(8);
    only_pasted_is_planned(&plan, "destination_missing");
    world
        .plan(&[])
        .out_has("no dataflow named \"Shopify\" found in Adobe sandbox `prod`")
        .out_has("which must match exactly");

    let twice = seed(&format!("    - {{ name: \"Shopify orders (prod)\", state: disabled, address: \"{A}\" }}\n"), "");
    let world = World::new(&manifest(BY_NAME), &twice);
    let plan = world.plan(&["--format", "json"]);
    plan.exits(8);
    only_pasted_is_planned(&plan, "destination_ambiguous");
    world
        .plan(&[])
        .out_has("2 dataflows are named \"Shopify orders (prod)\"")
        .out_has(&format!("{ORDERS} (enabled)"))
        .out_has("by `id`");
    // Names are compared whole, though a comma means "or" to Adobe.
    let comma = World::new(&manifest("{ flow: { name: \"Loyalty,Shopify orders (prod)\" } }"), &seed("", ""));
    comma.plan(&[]).exits(8).out_has("no dataflow named \"Loyalty,Shopify");
}

#[test]
fn addresses_from_adobe_are_checked_like_written_addresses() {
    let twice = manifest(BY_NAME).replace(
        "shop: one, bindings: [{ topic: orders/create, destination: orders }]",
        &format!("shop: one, bindings: [{{ topic: orders/create, destination: orders }}, {{ topic: orders/create, address: \"{ORDERS_AT}\" }}]"),
    );
    let world = World::new(&twice, &seed("", ""));
    world.run(&["validate"]).exits(0);
    world
        .plan(&[])
        .exits(3)
        .err_has("error[HW030]")
        .err_has("hookwright.yaml:8")
        .err_has("the addresses that Adobe has");

    for (address, why) in [
        ("https://hooks.example/collection/1", "no prefix of `ownership` covers https://hooks.example/collection/1."),
        ("http://dcs.adobedc.net/collection/1", "Shopify delivers only to https"),
        ("https://user:s3cret@dcs.adobedc.net/collection/1", "a user name or a password"),
        ("https://dcs.adobedc.net/collection/1#x", "has a fragment"),
        ("https://dcs.adobedc.net/collection/../other/1", "its path contains `..`"),
    ] {
        let own = seed(&format!("    - {{ name: Own, address: \"{address}\" }}\n"), "");
        let world = World::new(&manifest("{ flow: { name: Own } }"), &own);
        let plan = world.plan(&["--format", "json"]);
        plan.exits(8);
        only_pasted_is_planned(&plan, "destination_unusable_address");
        let listed = world.run(&["destinations", "--sandbox"]);
        listed.exits(2).out_has(why);
        listed.lacks("s3cret");
    }
}

/// Adobe does not say whether organisations on AWS have another host.
const ELSEWHERE: &str = "https://dcs.aws.adobedc.net/collection/";

#[test]
fn dataflows_on_another_host_are_one_diagnostic_with_the_remedy() {
    let inlet = |digit: char| format!("{ELSEWHERE}{}", digit.to_string().repeat(64));
    let line = format!("ownership: {{ address_prefixes: [\"https://dcs.adobedc.net/collection/\", \"{ELSEWHERE}\"] }}");
    let flows = format!(
        "    - {{ name: Own, address: \"{}\" }}\n    - {{ name: Rest, address: \"{}\" }}\n",
        inlet('1'),
        inlet('2')
    );
    let two = manifest("{ flow: { name: Own } }")
        .replace("  pasted:", "  rest: { flow: { name: Rest }, with_flow_id: true }\n  pasted:")
        .replace(
            "{ shop: two, bindings: [{ topic: orders/create, destination: orders }",
            "{ shop: two, bindings: [{ topic: orders/create, destination: rest }",
        );
    let world = World::new(&two, &seed(&flows, ""));
    let json = only_pasted_is_planned(&world.plan(&["--format", "json"]), "destination_unusable_address");
    let message = |shop: &str| one(&json, shop)["error"]["message"].as_str().unwrap().to_owned();
    assert_eq!(message("one"), message("two"), "one cause, one message");
    assert!(
        message("one")
            .ends_with(&format!("{ELSEWHERE}, which no prefix in `ownership` covers. If this is correct, add {line}"))
    );
    let plan = world.plan(&[]);
    plan.exits(8).out_has_times(1, "! destination_unusable_address: ").out_has("2 shops: one, two");
    world.run(&["destinations", "--sandbox"]).exits(2).out_has(&line);

    let allowed = format!("{two}{line}\n");
    let world = World::new(&allowed, &seed(&flows, ""));
    let plan = world.plan_json(&[]);
    assert_eq!(destination(&plan, "orders")["address"], inlet('1'));
    assert_eq!(one(&plan, "two")["changes"].as_array().unwrap().len(), 1, "{plan}");

    // The same addresses written down: one error with the same line, and after it they are checked like any inlet.
    let pasted = two
        .replace("{ flow: { name: Own } }", &inlet('1'))
        .replace("{ flow: { name: Rest }, with_flow_id: true }", &inlet('2'));
    let world = World::new(&pasted, &seed(&flows, ""));
    world
        .run(&["validate"])
        .exits(3)
        .out_has_times(1, "error[HW032]")
        .out_has(&line)
        .out_has("also at: hookwright.yaml:6");
    world.write("hookwright.yaml", &format!("{pasted}{line}\n"));
    world.run(&["validate"]).exits(0).ends("The manifest is valid: 3 shops, 3 bindings.");
    world.run(&["destinations", "--sandbox"]).out_has("orders: dataflow").out_has("\"Own\"").out_has("3 destinations");
}

#[test]
fn each_account_is_queried_for_its_own_destinations() {
    let account = |sandbox: &str| {
        format!(
            "{{ org: {ORG}, sandbox: {sandbox}, client_id: {{ env: AEP_ID }}, client_secret: {{ env: AEP_SECRET }}, scopes: [openid] }}"
        )
    };
    let line = manifest(BY_NAME).lines().find(|line| line.starts_with("aep:")).unwrap().to_owned();
    let both = manifest("{ flow: { name: Same }, aep: live }")
        .replace(&line, &format!("aep: {{ live: {}, trial: {} }}", account("prod"), account("dev")))
        .replace(&format!("pasted: {A}"), "pasted: { flow: { name: Same }, aep: trial }");
    let flows = format!(
        "    - {{ name: Same, address: \"{ORDERS_AT}\" }}\n    - {{ name: Same, sandbox: dev, address: \"{A}\" }}\n"
    );
    let world = World::new(&both, &seed(&flows.replace(ORDERS_AT, &format!("{A}9")), ""));
    let plan = world.plan_json(&[]);
    assert_eq!(destination(&plan, "orders")["address"], format!("{A}9"));
    assert_eq!(
        (&destination(&plan, "pasted")["address"], &destination(&plan, "pasted")["sandbox"]),
        (&A.into(), &"dev".into())
    );
}

#[test]
fn dataflows_with_the_same_inlet_are_a_warning_after_the_lookup() {
    let mixed = manifest(BY_NAME).replace("  pasted:", "  rest: { flow: { name: Rest } }\n  pasted:").replace(
        "{ topic: orders/create, destination: orders }",
        "{ topics: [orders/create, products/create], destination: orders }, \
         { topics: [customers/create, carts/create], destination: rest }",
    );
    let leads =
        |address: &str| World::new(&mixed, &seed(&format!("    - {{ name: Rest, address: \"{address}\" }}\n"), ""));
    let warning = "warning[HW107]: one inlet receives 4 unrelated kinds of topics";
    let world = leads(ORDERS_AT);
    world.run(&["validate"]).exits(0).lacks("HW107");
    world.plan(&[]).exits(4).err_has(warning).err_has("this destination has the same inlet").err_has_times(1, "HW107");
    world.plan(&["--quiet"]).exits(4).lacks("HW107");
    leads("https://dcs.adobedc.net/collection/0123456789").plan(&[]).exits(4).lacks("HW107");

    // Diagnostics from before the lookup are not repeated after it.
    let silenced = mixed.replace("destination: rest", "destination: orders");
    World::new(&silenced, &seed("    - { name: Rest }\n", "")).plan(&[]).exits(4).err_has_times(1, "HW107");
}

#[test]
fn an_edit_at_the_adobe_of_the_sandbox_is_one_operation() {
    let world = world();
    flow(&world, SETTLED);
    world.plan(&[]).exits(0).lacks("settl");
    flow(&world, "--touch");
    world.plan(&["-v"]).exits(0).out_has("settl");
    flow(&world, "--disable");
    flow(&world, "--touch");
    world.plan(&[]).out_has("is disabled");
    let acts: [(&[&str], &str); 3] = [
        (&[], "missing action; expected one of `--enable`"),
        (&["--enable", "--disable"], "cannot be used with"),
        (&["--touch", "--run", "failed"], "cannot be used with"),
    ];
    for (acts, why) in acts {
        let edit = [&["sandbox", "edit", "flow", "Shopify orders (prod)"], acts].concat();
        world.run(&edit).exits(3).err_has(why);
    }
}
