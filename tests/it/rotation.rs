//! `auth rotation`: the steps, filled in from the manifest; offline.

use crate::world::{A, B, Run, World};

const OWN: &str = "https://hooks.example.com/shopify";

/// Three apps: of a token store, of client credentials from a command, and one that the manifest does not name.
fn world() -> World {
    let manifest = format!(
        "version: 1\n\
         aep: {{ org: 0123456789ABCDEF01234567@AdobeOrg, client_id: {{ env: AEP_ID }}, client_secret: {{ env: AEP_SECRET }}, scopes: [openid] }}\n\
         auth:\n  token_store: {{ client_id: {{ env: APP_ID }}, client_secret: {{ env: APP_SECRET }}, old_client_secret: {{ env: APP_OLD }} }}\n\
         ownership: {{ address_prefixes: [\"https://dcs.adobedc.net/collection/\", \"{OWN}\"] }}\n\
         destinations:\n  orders: {{ flow: {{ name: \"Shopify orders\" }} }}\n  again: {{ flow: {{ name: \"Shopify orders\" }}, with_flow_id: true }}\n\
         \x20 pasted: {A}\n  own: {OWN}\n\
         shops:\n\
         \x20 - {{ shop: one, bindings: [{{ topic: orders/create, destination: orders }}, {{ topic: orders/paid, destination: own }}] }}\n\
         \x20 - {{ shop: two, labels: {{ app: eu }}, bindings: [{{ topic: orders/create, destination: again }}, {{ topic: orders/paid, destination: pasted }}] }}\n\
         \x20 - shop: three\n    auth: {{ client_credentials: {{ client_id: {{ env: B_ID }}, client_secret: {{ command: [vault, secret-path] }} }} }}\n\
         \x20   bindings: [{{ topic: orders/create, address: \"{A}?x-adobe-flow-id=4982698b-e6b3-48c2-8dcf-040e20121fd2\" }}]\n\
         \x20 - shop: five\n    auth: {{ client_assertion: {{ client_id: {{ env: APP_ID }}, private_key: {{ file: app.pem }}, key_id: k1 }} }}\n    bindings: []\n\
         \x20 - {{ shop: four, auth: {{ access_token: {{ env: TOKEN }} }}, bindings: [{{ topic: orders/create, address: \"{B}\" }}] }}\n"
    );
    World::new(&manifest, "sandbox: 1\n")
}

fn rotation(world: &World, more: &[&str]) -> Run {
    let run = world.run(&[&["auth", "rotation"], more].concat());
    run.exits(0);
    assert!(!world.path(".hookwright").exists() && !world.path("sandbox.json").exists(), "nothing was opened");
    run
}

#[test]
fn each_app_is_listed_with_its_shops_and_inlets() {
    let world = world();
    let run = rotation(&world, &[]);
    let (apps, steps) = run.out.split_once("\nRotate the secret of one app at a time.").unwrap();
    let (_, apps) = apps.split_once("\n\n").unwrap();
    assert_eq!(
        apps,
        format!(
            "Shops whose app the manifest does not name\n  four.myshopify.com\n  Endpoints at Adobe that receive its events, with their destinations:\n    - {B}: 1 shop\n\n\
             App (client secret: environment variable APP_SECRET)\n  3 shops: five, one, two\n  \
             client id: environment variable APP_ID\n  `old_client_secret` is set: environment variable APP_OLD\n  \
             Endpoints at Adobe that receive its events, with their destinations:\n    - dataflow \"Shopify orders\" in Adobe sandbox prod (again, orders): 2 shops\n    \
             - {A} (pasted): 1 shop\n  Other HTTPS endpoints:\n    - {OWN} (own): 1 shop\n\n\
             App (client secret: secret command vault)\n  three.myshopify.com\n  \
             client id: environment variable B_ID\n  Endpoints at Adobe that receive its events, with their destinations:\n    - {A}: 1 shop\n"
        )
    );
    let at = |text: &str| steps.find(text).unwrap_or_else(|| panic!("{text} is not in {steps}"));
    let order = [
        "create a new client secret",
        "enter the new secret as the secondary key",
        "let them accept signatures of both",
        "`old_client_secret` point to it",
        "each run fetches a new token",
        "`token_store` (.hookwright/tokens.json)",
        "    hookwright auth status --allow-commands\n",
        "`access_token`: the manifest has no client secret",
        "revoke the old secret. For up to an hour",
        "After this hour, and again 4 hours later",
        "    hookwright drift --allow-commands --verify-destinations --since before-rotation.json\n",
        "make the new secret the primary key and remove the old one; in the manifest, remove `old_client_secret`.",
    ];
    assert!(order.map(at).is_sorted(), "{steps}");
    assert!(!run.out.contains("secret-path"), "{run}");
}

#[test]
fn steps_that_the_selected_shops_do_not_need_are_left_out() {
    let world = world();
    let label = rotation(&world, &["--label", "app=eu", "-f", "hookwright.yaml"]);
    label
        .out_has("    - dataflow \"Shopify orders\" in Adobe sandbox prod (again): 1 shop\n")
        .out_has("hookwright drift --label 'app=eu' --verify-destinations --since before-rotation.json\n")
        .lacks("one app at a time")
        .lacks("access_token:")
        .lacks("`client_credentials`:")
        .lacks("Other HTTPS");
    rotation(&world, &["--shop", "four"])
        .out_has("hookwright drift --shop four --verify-destinations --since before-rotation.json\n")
        .out_has("Retire the old secret: at Adobe, make the new secret the primary key and remove the old one.\n")
        .lacks("Manifest:");
    world.run(&["auth", "rotation", "--shop", "fore"]).exits(3).err_has("`--shop fore` matches no shop");
}
