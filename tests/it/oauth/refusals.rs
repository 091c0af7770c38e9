//! Each refusal has its own message, and stores nothing.

use crate::scene::{CLIENT_ID, CLIENT_SECRET, CREDENTIALS, Login, SHOPS, STORE, Scene, approve, http, with};
use crate::world::Run;

#[test]
fn each_kind_of_invalid_callback_has_its_own_message() {
    let scene = Scene::new(STORE, "", SHOPS);
    let callback = scene.approved("acme", &[]);
    let exchange = |shop: &str, callback: &str, more: &[&str]| {
        let args = ["auth", "exchange", "--shop", shop, "--callback", callback];
        let run = scene.run(&[&args[..], more].concat());
        assert!(!scene.world.path(&scene.store()).exists(), "something was kept: {run}");
        run
    };
    exchange("acme", &with(&callback, "hmac", &"0".repeat(64)), &[])
        .exits(4)
        .err_has("the `hmac` of the callback is invalid");
    exchange("acme", &with(&callback, "shop", "bolt.myshopify.com"), &[])
        .exits(4)
        .err_has("`hmac` of the callback is invalid");
    exchange("bolt", &callback, &[]).exits(4).err_has("for acme.myshopify.com, not for the requested shop");
    exchange("acme", &callback, &["--state", "other"])
        .exits(4)
        .err_has("the callback belongs to another login: its `state`");
    exchange("acme", "https://example.com/callback", &[]).exits(3).err_has("the callback has no query");
    exchange("acme", &callback, &["--max-age", "soon"]).exits(3).err_has("expected a duration of at most 365 days");
    exchange("nobody", &callback, &[]).exits(3).err_has("nobody.myshopify.com is not in the manifest");
    // The sample of Adobe's document, unchanged.
    let sample = "https://www.acme.com/?code=k6j2palgrbljja228ou8c20fmn7w41gz&hmac=68c9163f772eecbc8848c90f695bca046089\
                  9c125af897a6d2b0ebbd59d3a43b&shop=connnectors-test.myshopify.com&state=123456Ã—tamp=1658305460";
    exchange("acme", sample, &[]).exits(3).err_has("restore `&timestamp`");
    assert_eq!(scene.grants(), [], "nothing was sent");
    // None of these requests used the code.
    scene.run(&["auth", "exchange", "--shop", "acme", "--callback", &callback]).exits(0);
}

#[test]
fn a_code_that_is_too_old_is_refused_by_shopify() {
    let scene = Scene::new(STORE, "", SHOPS);
    let callback = scene.approved("acme", &[]);
    scene.edit(&["tokens", "--shop", "acme", "--expire-codes"]);
    let run = scene.run(&["auth", "exchange", "--shop", "acme", "--callback", &callback]);
    run.exits(4).err_has("it was used before, or has expired").err_has("Run `hookwright auth login");
}

#[test]
fn a_token_of_an_unexpected_kind_or_user_is_discarded() {
    let scene = Scene::new(STORE, "", SHOPS);
    scene.log_in("acme");
    let kept = scene.tokens("acme");
    let exchange = |link: &[&str], more: &[&str]| {
        let callback = scene.approved("acme", link);
        let args = ["auth", "exchange", "--shop", "acme", "--callback", &callback];
        let run = scene.run(&[&args, more].concat());
        assert_eq!(scene.tokens("acme"), kept, "it was kept: {run}");
        assert!(!run.out.contains("shp"), "it was printed: {run}");
        run
    };
    for more in [&[][..], &["--non-expiring"], &["--print-token"]] {
        let user = exchange(&["--online"], more);
        user.exits(4)
            .err_has("returned a user's token")
            .err_has("the token store is unchanged")
            .err_has("the code was used");
        user.err_has("`hookwright auth url --shop acme`").err_has("pass the option here too");
    }
    for more in [&["--online"][..], &["--online", "--print-token"]] {
        let own = exchange(&[], more);
        own.exits(4)
            .err_has("`--online` requests a user's token, but Shopify returned the app's own")
            .err_has("the code was used");
        own.err_has("`hookwright auth url --shop acme --online`").err_has("omit the option here too");
    }
    scene.run(&["plan", "--shop", "acme"]).exits(0);
}

#[test]
fn during_a_rotation_the_old_secret_is_still_valid() {
    let app = ", old_client_secret: former-secret, sign_with: old";
    let scene = Scene::new(STORE, app, SHOPS);
    let callback = scene.approved("acme", &[]);
    let exchange = ["auth", "exchange", "--shop", "acme", "--callback", &callback];
    scene.run(&exchange).exits(4).err_has("`hmac` of the callback is invalid").err_has("old_client_secret");
    let rotating = scene
        .world
        .read("hookwright.yaml")
        .replace("{ env: SECRET } }", "{ env: SECRET }, old_client_secret: { env: FORMER } }");
    scene.world.write("hookwright.yaml", &rotating);
    let output = scene.command(&exchange).env("FORMER", "former-secret").output().unwrap();
    Run::of(&output).exits(0).out_has("is connected");
}

#[test]
fn a_wrong_client_is_named_and_its_secret_is_not_printed() {
    let scene = Scene::new(CREDENTIALS, "", SHOPS);
    let plan = |id: &str, secret: &str| {
        let output = scene.command(&["plan", "--shop", "acme", "-vvv"]).env("ID", id).env("SECRET", secret).output();
        let run = Run::of(&output.unwrap());
        assert!(!run.to_string().contains(id) && !run.to_string().contains(secret), "{run}");
        run
    };
    plan("another-client-id", CLIENT_SECRET).exits(4).out_has("client_refused").out_has("api_key [redacted]");
    plan(CLIENT_ID, "another-client-secret")
        .exits(4)
        .out_has("client_refused")
        .out_has("references `client_id` and `client_secret`");
}

#[test]
fn an_uninstalled_app_is_recognised_by_its_oauth_error_and_can_be_tolerated() {
    let shops = "  - { shop: acme, scopes: [write_orders], status: uninstalled }\n  \
                 - { shop: bolt, scopes: [write_orders, read_customers], foreign_organization: true }\n";
    let scene = Scene::new(CREDENTIALS, "", shops);
    let plan = scene.run(&["plan"]);
    plan.exits(4).out_has("uninstalled").out_has("shop_not_permitted").out_has("must belong to the same organisation");
    plan.ends("Plan incomplete: 0 to add, 0 to change, 0 to destroy; 0 blocked, 2 shops not read.");
    let tolerated = scene.run(&["plan", "--shop", "acme", "--tolerate", "uninstalled", "--detailed-exitcode"]);
    tolerated.exits(0).out_has("the app is not installed in this shop");
    scene.run(&["plan", "--shop", "bolt", "--tolerate", "uninstalled"]).exits(4);
    let status = scene.run(&["auth", "status", "--tolerate", "uninstalled"]);
    status.exits(4).out_has("uninstalled").out_has("1 failed");
}

#[test]
fn an_uninstalled_app_is_also_recognised_with_a_token_store() {
    let scene = Scene::new(STORE, "", SHOPS);
    scene.log_in("acme");
    scene.edit(&["status", "--shop", "acme", "uninstalled"]);
    scene.run(&["plan", "--shop", "acme"]).exits(4).out_has("uninstalled: the app is not installed");
}

#[test]
fn a_refused_non_expiring_token_has_a_remedy() {
    let scene = Scene::new(STORE, ", non_expiring: refused", SHOPS);
    let callback = scene.approved("acme", &[]);
    let args = ["auth", "exchange", "--shop", "acme", "--non-expiring", "--callback", &callback];
    scene.run(&args).exits(0);
    let plan = scene.run(&["plan", "--shop", "acme"]);
    plan.exits(4).out_has("non_expiring_token").out_has("log in again: `hookwright auth login --shop acme`");
    scene.log_in("acme");
    scene.run(&["plan", "--shop", "acme"]).exits(0);
}

#[test]
fn a_login_ignores_unrelated_requests_and_shows_its_failure_to_the_merchant() {
    let scene = Scene::new(STORE, "", SHOPS);
    let mut command = scene.command(&["auth", "login", "--shop", "acme", "--listen", "127.0.0.1:0", "--no-browser"]);
    let login = Login::start(&mut command);
    let callback = approve(&login.url);
    let (_, _, page) = http("GET", &with(&callback, "state", "guessed"), "");
    assert!(page.contains("does not belong to the current login"), "{page}");
    let (status, _, _) = http("GET", &callback.replace("/callback", "/elsewhere"), "");
    assert_eq!(status, 404);
    // The right state with a wrong signature is this login, and it has failed.
    let (_, _, page) = http("GET", &with(&callback, "hmac", &"0".repeat(64)), "");
    assert!(page.contains("The shop is not connected") && page.contains("`hmac` of the callback is invalid"), "{page}");
    login
        .end()
        .exits(4)
        .err_has("`hmac` of the callback is invalid")
        .err_has("Rejected a callback of another login (its `state` differs)");
    assert!(!scene.world.path(&scene.store()).exists());
}

#[test]
fn a_login_without_a_callback_times_out_and_names_what_to_check() {
    let scene = Scene::new(STORE, "", SHOPS);
    let login = ["auth", "login", "--shop", "acme", "--listen", "127.0.0.1:0", "--no-browser", "--wait", "100ms"];
    scene
        .run(&login)
        .exits(5)
        .err_has("timed out after 100ms waiting for the browser callback")
        .err_has("must allow http://127.0.0.1:");
    let public = ["auth", "login", "--shop", "acme", "--listen", "0.0.0.0:0"];
    scene.run(&public).exits(3).err_has("is not a loopback address");
    let plain = ["auth", "url", "--shop", "acme", "--redirect-uri", "http://example.com/"];
    scene.run(&plain).exits(3).err_has("must start with `https://`");
}

#[test]
fn a_damaged_store_is_not_changed() {
    let scene = Scene::new(STORE, "", SHOPS);
    scene.log_in("acme");
    let whole = scene.world.read(&scene.store());
    std::fs::write(scene.world.path(&scene.store()), &whole[..whole.len() / 2]).unwrap();
    let plan = scene.run(&["plan", "--shop", "acme"]);
    plan.exits(4).out_has("secret_unavailable").out_has("tokens.json");
    let callback = scene.approved("acme", &[]);
    let asked = scene.grants().len();
    let exchange = ["auth", "exchange", "--shop", "acme", "--callback", &callback];
    scene.run(&exchange).exits(4).err_has("tokens.json").err_has("nothing was sent");
    let login = ["auth", "login", "--shop", "acme", "--listen", "127.0.0.1:0", "--no-browser", "--wait", "100ms"];
    scene.run(&login).exits(4).err_has("tokens.json").err_has("nothing was sent");
    assert_eq!(scene.world.read(&scene.store()), whole[..whole.len() / 2]);
    // The code was not used, and the previous pair is still valid.
    assert_eq!(scene.grants().len(), asked);
    std::fs::write(scene.world.path(&scene.store()), &whole).unwrap();
    scene.run(&exchange).exits(0);
}
