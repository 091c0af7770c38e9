//! Destinations that are looked up at Adobe, and addresses that are checked there: the sandbox's other side.

use serde_json::Value;

use crate::scene::Server;
use crate::world::{A, Run, World};

const ORG: &str = "0123456789ABCDEF01234567@AdobeOrg";
const ORDERS: &str = "4982698b-e6b3-48c2-8dcf-040e20121fd2";
const ORDERS_AT: &str =
    "https://dcs.adobedc.net/collection/e75dcb5247eb65e7385df30270192e80b145566f52ed74d570505bd2e82463f3";
const SETTLED: &str = "--settle=10m";

/// Two shops that bind to the dataflow of that name, and one that binds to an address.
fn manifest(orders: &str) -> String {
    format!(
        "version: 1\nauth: {{ access_token: {{ env: \"TOKEN_{{SHOP}}\" }} }}\n\
         aep: {{ org: {ORG}, client_id: {{ env: AEP_ID }}, client_secret: {{ env: AEP_SECRET }}, scopes: [openid, AdobeID] }}\n\
         destinations:\n  orders: {orders}\n  pasted: {A}\n\
         shops:\n\
         \x20 - {{ shop: one, bindings: [{{ topic: orders/create, destination: orders }}] }}\n\
         \x20 - {{ shop: two, bindings: [{{ topic: orders/create, destination: orders }}] }}\n\
         \x20 - {{ shop: three, bindings: [{{ topic: products/create, destination: pasted }}] }}\n"
    )
}

const BY_NAME: &str = "{ flow: { name: \"Shopify orders (prod)\" } }";

/// Lines of `flows:` and whatever else belongs under `adobe:`; what goes wrong.
fn seed(more: &str, faults: &str) -> String {
    let shop = |name: &str, topic: &str, address: &str| {
        format!(
            "  - {{ shop: {name}, scopes: [write_orders, read_products], subscriptions: [{{ topic: {topic}, address: \"{address}\" }}] }}\n"
        )
    };
    let shops = [
        shop("one", "orders/create", ORDERS_AT),
        shop("two", "orders/create", ORDERS_AT),
        shop("three", "products/create", A),
    ];
    format!(
        "sandbox: 1\nadobe:\n  org: {ORG}\n  page_size: 1\n  flows:\n    \
         - {{ name: \"Shopify orders (prod)\", id: {ORDERS}, address: \"{ORDERS_AT}\" }}\n    \
         - {{ name: Loyalty }}\n{more}faults: [{faults}]\nshops:\n{}",
        shops.concat()
    )
}

fn world() -> World {
    World::new(&manifest(BY_NAME), &seed("", ""))
}

fn flow(world: &World, act: &str) {
    world.edit(&["flow", "Shopify orders (prod)", act]);
}

fn adobe(world: &World) -> Vec<String> {
    let requests = world.requests();
    let paths = requests.iter().filter_map(|r| r["path"].as_str()).filter(|path| path.contains("__adobe"));
    paths.map(|path| path.rsplit("/__adobe").next().unwrap().replace("/data/foundation/flowservice", "")).collect()
}

fn destination<'a>(plan: &'a Value, name: &str) -> &'a Value {
    plan["destinations"].as_array().unwrap().iter().find(|d| d["name"] == name).unwrap()
}

fn one<'a>(plan: &'a Value, shop: &str) -> &'a Value {
    plan["shops"].as_array().unwrap().iter().find(|s| s["shop"] == format!("{shop}.myshopify.com")).unwrap()
}

#[test]
fn a_destination_is_looked_up_once_and_the_plan_says_where_it_leads() {
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
    assert_eq!(plan["destinations"].as_array().unwrap().len(), 1, "a pasted one is nobody's business unless asked");
    assert_eq!(adobe(&world), ["/ims/token/v3", "/flows"], "one question, for two shops");
    let text = world.plan(&[]);
    text.exits(0).ends("No changes. The live webhooks match the manifest.");
    text.says(&format!("orders -> flow {ORDERS} \"Shopify orders (prod)\", enabled, in sandbox prod -> {ORDERS_AT}"));
    world.run(&["validate"]).exits(0);
}

#[test]
fn nobody_asks_adobe_where_nothing_is_looked_up() {
    let pasted = manifest(BY_NAME).replace("destination: orders", "destination: pasted");
    let world = World::new(&pasted, &seed("", ""));
    world.plan(&["--shop", "three"]).exits(0);
    world.run(&["drift", "--sandbox", "--shop", "three"]).exits(0);
    world.plan(&[]);
    assert!(adobe(&world).is_empty(), "{:?}", adobe(&world));
}

#[test]
fn by_id_over_a_connection_and_with_the_id_of_the_flow_in_the_address() {
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
fn a_flow_that_is_made_again_is_followed_in_place_and_the_plan_says_why() {
    let world = world();
    flow(&world, "--recreate");
    let plan = world.plan(&["--out", "plan.json"]);
    plan.exits(0).ends("Plan: 0 to add, 2 to change, 0 to destroy.");
    plan.says("2 live subscriptions in 2 shops have").says("has that address any more: it was deleted or recreated");
    world.run(&["drift", "--sandbox"]).exits(2).says("it was deleted or recreated").says("settling: dataflow");
    let saved: Value = serde_json::from_str(&world.read("plan.json")).unwrap();
    assert_eq!(one(&saved, "one")["changes"][0]["fields"], serde_json::json!(["address"]));

    // Adobe may lose what is delivered in the first five minutes.
    world.run(&["apply", "--sandbox", "plan.json"]).exits(6).says("--allow destination_settling");
    assert_eq!(world.mutations(), 0);
    world.run(&["show", "--check", "plan.json"]).exits(6);
    world.run(&["apply", "--sandbox", "plan.json", "--allow", "destination_settling"]).exits(0);
    let now = destination_of(&world.plan_json(&[]));
    for shop in ["one", "two"] {
        assert!(world.live(shop).iter().all(|line| line.contains(&now)), "{:?}", world.live(shop));
    }
    world.converged();

    flow(&world, "--recreate");
    flow(&world, SETTLED);
    world.apply(&[]).exits(0).says("2 changed");
    world.converged();
}

#[test]
fn the_old_address_may_be_another_flows() {
    let loyalty = World::new(&manifest("{ flow: { name: Loyalty } }"), &seed("", ""));
    loyalty
        .plan(&[])
        .exits(0)
        .says(&format!("that is the address of dataflow \"Shopify orders (prod)\" ({ORDERS}), which is enabled"));
}

#[test]
fn nothing_is_bound_to_a_disabled_flow_and_what_is_live_there_is_a_finding() {
    let world = world();
    flow(&world, "--disable");
    let named = format!("dataflow \"Shopify orders (prod)\" ({ORDERS}) is disabled");
    world.plan(&[]).exits(0).says(&named);
    let drift = world.run(&["drift", "--sandbox"]);
    drift.exits(2).says("Needs attention").says("destination_disabled: live all the same").says("2 shops: one, two");
    world
        .run(&["drift", "--sandbox", "--format", "markdown"])
        .exits(2)
        .says("`destination_disabled` in 2 shops")
        .says("is disabled");

    world.edit(&["remove", "--shop", "one", "--topic", "orders/create"]);
    world.edit(&["add", "--shop", "one", "--topic", "orders/create", "--address", &format!("{A}0")]);
    let plan = world.plan(&["--out", "plan.json"]);
    plan.exits(1).says("destination_disabled orders/create -> orders").says("not bound: ").says(&named);
    let saved: Value = serde_json::from_str(&world.read("plan.json")).unwrap();
    assert_eq!(
        (&saved["exit_code"], &saved["summary"]["blocked"], &saved["summary"]["change"]),
        (&1.into(), &1.into(), &0.into())
    );
    assert_eq!(one(&saved, "one")["changes"], serde_json::json!([]), "the old one stays");
    // The other shops are as they should be, so some is done and some is not.
    world.apply(&[]).exits(8).says("1 blocked");
    assert!(world.live("one").iter().any(|line| line.contains(&format!("{A}0"))), "{:?}", world.live("one"));

    flow(&world, "--enable");
    flow(&world, SETTLED);
    world.apply(&[]).exits(0).says("1 changed");
    world.converged();
}

#[test]
fn what_wants_a_token_of_adobes_is_not_bound_either() {
    let more = "  connections:\n    - { name: Raw, authentication_required: true }\n";
    let world = World::new(&manifest("{ connection: { name: Raw } }"), &seed(more, ""));
    let plan = world.plan(&[]);
    plan.exits(1)
        .says("destination_authentication_required")
        .says("which Shopify cannot send")
        .ends("Plan incomplete: 0 to add, 0 to change, 0 to destroy; 2 blocked, 0 shops not read.");
}

/// The shop with a pasted address is planned, the others are failed, and nothing is to be deleted.
fn only_pasted_is_planned(run: &Run, kind: &str) -> Value {
    let plan = run.json();
    for shop in ["one", "two"] {
        let shop = one(&plan, shop);
        assert_eq!((shop["status"].as_str(), shop["error"]["kind"].as_str()), (Some("failed"), Some(kind)), "{shop}");
        assert_eq!(shop["changes"], serde_json::json!([]));
    }
    assert_eq!(one(&plan, "three")["status"], "unchanged");
    assert_eq!(plan["summary"]["destroy"], 0);
    plan
}

#[test]
fn where_adobe_cannot_be_asked_pasted_destinations_are_planned_all_the_same() {
    for (fault, timeout, kind, exit) in [
        ("{ fault: drop, on: adobe }", "2m", "adobe_unavailable", 8),
        ("{ fault: server_error, on: ims }", "2m", "adobe_unavailable", 8),
        ("{ fault: html, on: adobe }", "2m", "adobe_bad_answer", 8),
        ("{ fault: truncated, on: adobe }", "2m", "adobe_bad_answer", 8),
        ("{ fault: rate_limited, on: adobe, retry_after: 60 }", "20s", "time_budget", 5),
        ("{ fault: token_revoked, on: adobe }", "2m", "adobe_token_refused", 4),
        // Nobody answers: the shops have most of the time all the same.
        ("{ fault: latency, on: adobe, ms: 60000 }", "12s", "adobe_unavailable", 8),
    ] {
        let world = World::new(&manifest(BY_NAME), &seed("", fault));
        // What is not in the manifest would be deleted, were the shop taken for planned.
        world.edit(&["add", "--shop", "one", "--topic", "orders/paid", "--address", A]);
        let run = world.plan(&["--format", "json", "--timeout", timeout]);
        run.exits(exit);
        let plan = only_pasted_is_planned(&run, kind);
        assert_eq!(destination(&plan, "orders")["verdict"], "unknown");
        let asked: Vec<Value> = world.requests().into_iter().filter(|r| r["operation"] == "query").collect();
        assert_eq!(asked.len(), 1, "{fault}: the others are not asked anything");
    }
}

#[test]
fn a_passing_trouble_is_no_trouble() {
    for fault in [
        "{ fault: drop, on: adobe, times: 1 }",
        "{ fault: cut_body, on: adobe, times: 1 }",
        "{ fault: server_error, on: ims, times: 1 }",
        "{ fault: rate_limited, on: adobe, retry_after: 0.1, times: 2 }",
        "{ fault: token_revoked, on: adobe, times: 1 }",
    ] {
        let world = World::new(&manifest(BY_NAME), &seed("", fault));
        world.plan(&[]).exits(0).ends("No changes. The live webhooks match the manifest.");
    }
}

#[test]
fn credentials_that_adobe_refuses_are_an_error_of_their_own() {
    let client = "  client_id: aep\n  client_secret: s3cret-of-adobe\n";
    let world = World::new(&manifest(BY_NAME), &seed(client, ""));
    let with = |id: &str, secret: &str| {
        let mut command = world.command(&["plan", "--sandbox", "--format", "json", "-vvv"]);
        command.env("AEP_ID", id).env("AEP_SECRET", secret);
        Run::of(&command.output().unwrap())
    };
    let refused = with("aep", "not-the-s3cret");
    refused.exits(4);
    only_pasted_is_planned(&refused, "adobe_client_refused");
    assert!(!refused.to_string().contains("not-the-s3cret"), "{refused}");
    let good = with("aep", "s3cret-of-adobe");
    good.exits(0);
    // The sandbox's tokens begin so, and its state file does too.
    let logged = good.err.replace("sandbox.json", "").replace("sandbox.yaml", "");
    for secret in ["s3cret-of-adobe", "Bearer", "sandbox."] {
        assert!(!logged.contains(secret), "{secret}: {good}");
    }
    assert!(good.err.contains("/__adobe/ims/token/v3"), "it does log: {good}");

    let elsewhere = manifest(BY_NAME).replace(ORG, "ABC@AdobeOrg");
    World::new(&elsewhere, &seed("", "")).plan(&[]).exits(4).says("adobe_forbidden").says("403025");
    let lost = manifest(BY_NAME).replace("scopes: [openid", "sandbox: nowhere, scopes: [openid");
    World::new(&lost, &seed("", "")).plan(&[]).exits(8).says("adobe_not_found").says("nowhere");
}

#[test]
fn none_or_several_are_errors_that_name_the_candidates() {
    let world = World::new(&manifest("{ flow: { name: Shopify } }"), &seed("", ""));
    let plan = world.plan(&["--format", "json"]);
    plan.exits(8);
    only_pasted_is_planned(&plan, "destination_missing");
    world.plan(&[]).says("there is no dataflow named \"Shopify\" in sandbox `prod`").says("which must be exact");

    let twice = seed(&format!("    - {{ name: \"Shopify orders (prod)\", state: disabled, address: \"{A}\" }}\n"), "");
    let world = World::new(&manifest(BY_NAME), &twice);
    let plan = world.plan(&["--format", "json"]);
    plan.exits(8);
    only_pasted_is_planned(&plan, "destination_ambiguous");
    world
        .plan(&[])
        .says("2 dataflows are named \"Shopify orders (prod)\"")
        .says(&format!("{ORDERS} (enabled)"))
        .says("by its `id`");
    // Names are compared whole, though a comma means "or" to Adobe.
    let comma = World::new(&manifest("{ flow: { name: \"Loyalty,Shopify orders (prod)\" } }"), &seed("", ""));
    comma.plan(&[]).exits(8).says("no dataflow named \"Loyalty,Shopify");
}

#[test]
fn a_saved_plan_is_stale_if_its_destination_is_not_what_it_was() {
    for (act, told) in [
        ("--recreate", "destination orders: its id at Adobe was"),
        ("--disable", ") is disabled, so that events sent to it are lost"),
    ] {
        let world = world();
        world.edit(&["remove", "--shop", "one", "--topic", "orders/create"]);
        world.edit(&["remove", "--shop", "three", "--topic", "products/create"]);
        world.plan(&["--out", "plan.json"]).exits(0);
        flow(&world, act);
        let applied = world.run(&["apply", "--sandbox", "plan.json"]);
        applied.exits(7).says(told);
        assert!(world.live("one").is_empty() && world.live("three").len() == 1, "the rest goes on: {applied}");
    }
    let world = world();
    world.edit(&["remove", "--shop", "one", "--topic", "orders/create"]);
    world.plan(&["--out", "plan.json"]).exits(0);
    flow(&world, "--delete");
    world.run(&["apply", "--sandbox", "plan.json"]).exits(1).says("destination_missing");
    assert!(world.live("one").is_empty());
}

#[test]
fn pasted_addresses_are_checked_where_that_is_asked() {
    let world = |pasted: &str, more: &str| World::new(&manifest(BY_NAME).replace(A, pasted), &seed(more, ""));
    let verified = |world: &World| world.run(&["drift", "--sandbox", "--verify-destinations"]);
    let at = |more: &str| format!("    - {{ name: Products, address: \"{A}\"{more} }}\n");

    verified(&world(A, &at(", runs: [{ age: 1h, status: success, received: 3 }]"))).exits(0);
    verified(&world(A, ""))
        .exits(2)
        .says("missing: no dataflow or connection has this address")
        .says("destination_missing");
    verified(&world(A, &at(", state: disabled"))).exits(2).says("destination_disabled: live all the same");
    verified(&world(A, &at(", runs: [{ age: 1h, status: failed, received: 3, failed: 3 }]")))
        .exits(2)
        .says("ingest_failing: dataflow \"Products\"")
        .says("3 of 3 records failed in the last run");
    let other = "0a0a0a0a-e6b3-48c2-8dcf-040e20121fd2";
    let differs = world(&format!("\"{A}?x-adobe-flow-id={other}\""), &at(""));
    differs.plan(&["--verify-destinations"]).exits(1).says("destination_address_differs").says(other);
    assert_eq!(differs.mutations(), 0);

    // A dataflow over a connection has no address in any list.
    let over = |state: &str| {
        format!("    - {{ name: Over, id: {other}, inlet: connection, address: \"{A}\", state: {state} }}\n")
    };
    for (state, exit) in [("enabled", 0), ("disabled", 1)] {
        let world = world(&format!("\"{A}?x-adobe-flow-id={other}\""), &over(state));
        world.plan(&["--verify-destinations", "--shop", "three"]).exits(exit);
    }

    let down = World::new(&manifest(BY_NAME), &seed("", "{ fault: drop, on: adobe, after: 1 }"));
    verified(&down).exits(8).says("unknown:").says("Plan incomplete");
    let none = World::new(&manifest(A).replace("aep:", "# aep:"), &seed("", ""));
    none.plan(&["--verify-destinations"]).exits(3).says("has no `aep`");
    assert!(adobe(&none).is_empty());
}

#[test]
fn the_command_tells_of_every_destination() {
    let world = World::new(&manifest(BY_NAME), &seed("", ""));
    let run = world.run(&["destinations", "--sandbox", "--format", "json"]);
    run.exits(2);
    let told = run.json();
    assert_eq!(told["exit_code"], 2);
    assert_eq!(
        (&destination(&told, "orders")["verdict"], &destination(&told, "pasted")["verdict"]),
        (&"quiet".into(), &"missing".into())
    );
    world.edit(&["flow", ORDERS, "--run", "success", "--received", "7"]);
    let text = world.run(&["destinations", "--sandbox", "--shop", "one"]);
    text.exits(2).says(&format!("orders -> flow {ORDERS}")).ends("2 destinations, 1 need attention.");
    assert!(!text.out.contains("quiet"), "{text}");
    assert!(world.requests().iter().all(|r| r["path"].as_str().unwrap().starts_with("/__adobe")), "no shop is asked");

    let plain = World::new(&manifest(A).replace("aep:", "# aep:"), &seed("", ""));
    plain.run(&["destinations", "--sandbox"]).exits(0).says("not checked: the manifest has no `aep`");
}

#[test]
fn a_secret_goes_to_adobe_or_to_whom_the_operator_trusts() {
    let world = World::new(&manifest(BY_NAME), &seed("", ""));
    let server = Server::start(&world);
    let adobe_url = format!("{}/__adobe", server.url.split("/{shop}").next().unwrap());
    let plan = |manifest: &str, vars: &[(&str, &str)]| {
        world.write("hookwright.yaml", manifest);
        let mut command = world.command(&["plan"]);
        command.env("HOOKWRIGHT_ADMIN_URL", &server.url).env("AEP_ID", "aep").env("AEP_SECRET", "s3cret-of-adobe");
        for shop in ["ONE", "TWO", "THREE"] {
            command.env(format!("TOKEN_{shop}"), "token-of-a-shop");
        }
        Run::of(&command.envs(vars.iter().copied()).output().unwrap())
    };
    let to =
        |url: &str| manifest(BY_NAME).replace("scopes: [openid", &format!("token_url: \"{url}\", scopes: [openid"));
    for url in [
        "https://runtime.adobe.io/api/v1/web/anybody/x",
        "https://ims-na1.adobelogin.com.evil.example/token",
        "http://ims-na1.adobelogin.com/x",
        &format!("{adobe_url}/ims/token/v3"),
    ] {
        plan(&to(url), &[]).exits(3).says("hookwright.yaml:3: aep `default`: token_url");
    }
    assert!(adobe(&world).is_empty(), "nothing is sent");
    let trusted = manifest(BY_NAME).replace(
        "scopes: [openid",
        &format!("token_url: \"{adobe_url}/ims/token/v3\", base_url: \"{adobe_url}/data/foundation/flowservice\", scopes: [openid"),
    );
    plan(&trusted, &[("HOOKWRIGHT_TRUST_HOSTS", "127.0.0.1")]).exits(0).says(ORDERS);
    // What the operator names needs no manifest.
    plan(&manifest(BY_NAME), &[("HOOKWRIGHT_ADOBE_URL", &adobe_url)]).exits(0).says(ORDERS);
}

#[test]
fn what_adobe_says_is_judged_like_what_somebody_wrote() {
    let twice = manifest(BY_NAME).replace(
        "shop: one, bindings: [{ topic: orders/create, destination: orders }]",
        &format!("shop: one, bindings: [{{ topic: orders/create, destination: orders }}, {{ topic: orders/create, address: \"{ORDERS_AT}\" }}]"),
    );
    let world = World::new(&twice, &seed("", ""));
    world.run(&["validate"]).exits(0);
    world.plan(&[]).exits(3).says("error[HW030]").says("hookwright.yaml:8").says("the addresses that Adobe has");

    for (address, why) in [
        ("https://hooks.example/collection/1", "no prefix of `ownership` covers it"),
        ("http://dcs.adobedc.net/collection/1", "Shopify delivers to https only"),
        ("https://user:s3cret@dcs.adobedc.net/collection/1", "a user name or a password"),
        ("https://dcs.adobedc.net/collection/1#x", "has a fragment"),
    ] {
        let own = seed(&format!("    - {{ name: Own, address: \"{address}\" }}\n"), "");
        let world = World::new(&manifest("{ flow: { name: Own } }"), &own);
        let plan = world.plan(&["--format", "json"]);
        plan.exits(8);
        only_pasted_is_planned(&plan, "destination_unusable_address");
        let listed = world.run(&["destinations", "--sandbox"]);
        listed.exits(2).says(why);
        assert!(!listed.to_string().contains("s3cret"), "{listed}");
    }
}

/// Common `orders` is a dataflow, one shop pastes its very address, and another has a dataflow of its own.
fn twins(own: &str) -> String {
    manifest(BY_NAME).replace(
        "shop: one, bindings: [{ topic: orders/create, destination: orders }]",
        &format!("shop: one, bindings: [{{ topic: orders/create, address: \"{ORDERS_AT}\" }}]"),
    ) + &format!(
        "  - {{ shop: own, destinations: {{ orders: {{ flow: {{ name: {own} }} }} }}, bindings: [{{ topic: orders/create, destination: orders }}] }}\n"
    )
}

const OWN_SHOP: &str = "  - { shop: own, scopes: [write_orders], subscriptions: [{ topic: orders/create, address: \"https://dcs.adobedc.net/collection/0\" }] }\n";

#[test]
fn each_shop_is_judged_by_its_own_destination_also_where_somebody_pasted_a_found_address() {
    let with = |own: &str, flows: &str| World::new(&twins(own), &(seed(flows, "") + OWN_SHOP));
    let none = with("Nowhere", "");
    let plan = none.plan_json(&[]);
    assert_eq!(one(&plan, "own")["error"]["kind"], "destination_missing", "{plan}");
    assert!(!plan.to_string().contains("adobedc.net/<"), "a placeholder is no address: {plan}");
    assert_eq!(
        (&one(&plan, "one")["status"], &one(&plan, "two")["status"]),
        (&"unchanged".into(), &"unchanged".into())
    );
    none.apply(&[]).exits(1);
    assert_eq!(none.live("own").len(), 1);

    let disabled = with("Off", "    - { name: Off, state: disabled }\n");
    disabled.plan(&[]).exits(1).says("destination_disabled orders/create -> orders");
    disabled.apply(&[]).exits(8);
    assert!(disabled.live("own")[0].contains("collection/0"), "{:?}", disabled.live("own"));

    let good = with("Loyalty", "");
    let found = destination_at(&good.plan_json(&[]), "own.myshopify.com");
    good.plan(&["--out", "plan.json"]).exits(0);
    good.run(&["apply", "--sandbox", "plan.json"]).exits(0);
    assert!(good.live("own")[0].contains(&found) && good.live("two")[0].contains(ORDERS_AT));
    good.converged();
}

fn destination_at(plan: &Value, shop: &str) -> String {
    let all = plan["destinations"].as_array().unwrap();
    all.iter().find(|d| d["shop"] == shop).unwrap()["address"].as_str().unwrap().to_owned()
}

#[test]
fn two_accounts_are_asked_each_for_its_own() {
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
fn what_became_young_or_closed_after_the_plan_is_not_bound_either() {
    let over = "    - { name: Over, inlet: connection }\n";
    let world = World::new(&manifest("{ flow: { name: Over } }"), &seed(over, ""));
    world.plan(&["--out", "plan.json"]).exits(0).ends("Plan: 0 to add, 2 to change, 0 to destroy.");
    world.edit(&["flow", "Over", "--settle", "1s"]);
    world.run(&["apply", "--sandbox", "plan.json"]).exits(6).says("--allow destination_settling");
    world.edit(&["flow", "Over", "--settle", "1h"]);
    world.edit(&["flow", "Over", "--require-authentication"]);
    world.run(&["apply", "--sandbox", "plan.json"]).exits(7).says("which Shopify cannot send");
    assert_eq!(world.mutations(), 0);
}

#[test]
fn a_delete_is_no_strangers_if_a_destination_that_nobody_needed_leads_there() {
    let world = World::new(&manifest(BY_NAME), &seed("", ""));
    world.edit(&["add", "--shop", "three", "--topic", "orders/create", "--address", ORDERS_AT]);
    let hazards = |more: &[&str]| {
        let plan = world.plan_json(more);
        plan["hazards"].as_array().unwrap().iter().map(|h| h["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(hazards(&[]), hazards(&["--shop", "three"]), "a part of the run is judged like the whole");
    assert!(!hazards(&["--shop", "three"]).contains(&"delete_foreign".to_owned()));
    world.edit(&["add", "--shop", "three", "--topic", "orders/paid", "--address", &format!("{A}7")]);
    assert!(hazards(&["--shop", "three"]).contains(&"delete_foreign".to_owned()));
}

#[test]
fn shards_are_judged_as_one_and_must_have_found_the_same() {
    let world = world();
    flow(&world, "--recreate");
    world.plan(&["--shard", "1/2", "--out", "1.json"]).exits(0);
    world.plan(&["--shard", "2/2", "--out", "2.json"]).exits(0);
    world.run(&["show", "--check", "1.json", "2.json"]).exits(6).says("binds 2 subscriptions to destinations");
    let shown = world.run(&["show", "1.json", "2.json"]);
    shown.exits(0).says("settling: dataflow");
    // The latest word counts, whatever the order of the files.
    flow(&world, SETTLED);
    world.plan(&["--shard", "1/2", "--out", "1.json"]).exits(0);
    for order in [["1.json", "2.json"], ["2.json", "1.json"]] {
        world.run(&[&["show", "--check"], &order[..]].concat()).exits(6).says("destination_settling");
    }
    flow(&world, "--recreate");
    world.plan(&["--shard", "2/2", "--out", "2.json"]).exits(0);
    world.run(&["show", "1.json", "2.json"]).exits(3).says("Adobe had another address or state for orders");
}

#[test]
fn the_base_manifest_leads_where_this_one_does() {
    let world = world();
    world.write("base/hookwright.yaml", &manifest(BY_NAME));
    world.edit(&["remove", "--shop", "one", "--topic", "orders/create"]);
    let plan = world.plan_json(&["--base", "base"]);
    assert_eq!(one(&plan, "one")["changes"][0]["origin"], "drift");
}
