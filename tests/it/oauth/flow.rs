//! The ways to a token, from end to end.

use serde_json::json;

use crate::scene::{CREDENTIALS, Login, SHOPS, STORE, Scene, approve, http};
use crate::world::Run;

const LOGIN: &[&str] = &["auth", "login", "--shop", "acme", "--listen", "127.0.0.1:0", "--no-browser"];

#[test]
fn a_login_connects_the_shop_and_its_findings_are_gone() {
    let scene = Scene::new(STORE, "", SHOPS);
    let before = scene.run(&["plan"]);
    before.exits(4).says("login_required").says("hookwright auth login --shop").says("2 shops not read");

    let login = Login::start(&mut scene.command(LOGIN));
    assert!(login.url.contains("scope=read_customers%2Cwrite_orders"), "{}", login.url);
    let (status, _, page) = http("GET", &approve(&login.url), "");
    assert_eq!(status, 200);
    assert!(page.contains("The shop is connected") && page.contains("<li>read_customers</li>"), "{page}");
    let run = login.end();
    run.exits(0).says("acme.myshopify.com is connected.").says("is refreshed by itself").says("read_customers");
    assert!(!run.out.contains("shpat_") && !run.err.contains("shpat_"), "{run}");

    let tokens = scene.tokens("acme");
    assert!(tokens["access_token"].as_str().is_some_and(|token| token.starts_with("shpat_")), "{tokens}");
    let path = scene.world.path(&scene.store());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(path.exists() && !scene.world.path("tokens.json").exists(), "tokens of the sandbox are no Shopify tokens");

    let status = scene.run(&["auth", "status", "--format", "json"]);
    status.exits(4);
    let status = status.json();
    assert_eq!(status["summary"], json!({ "shops": 2, "ready": 1, "attention": 0, "failed": 1 }));
    let [acme, bolt] = [&status["shops"][0], &status["shops"][1]];
    assert_eq!(acme["status"], "ready");
    assert_eq!(acme["source"]["kind"], "token_store");
    assert_eq!(acme["granted"], json!(["read_customers", "read_orders", "write_orders"]));
    assert_eq!((&acme["missing"], &acme["blocked_topics"]), (&json!([]), &json!([])));
    assert!(acme["expires_at"].is_string() && acme["refresh_expires_at"].is_string(), "{acme}");
    assert_eq!((bolt["status"].as_str(), bolt["error"]["kind"].as_str()), (Some("failed"), Some("login_required")));

    let plan = scene.run(&["plan", "--shop", "acme", "--detailed-exitcode"]);
    plan.exits(2).ends("Plan: 2 to add, 0 to change, 0 to destroy.");
    assert!(!plan.out.contains("scope_missing"), "{plan}");
    scene.run(&["apply", "--shop", "acme", "--auto-approve"]).exits(0);
}

#[test]
fn a_scope_that_is_taken_away_is_drift_and_a_new_login_brings_it_back() {
    let scene = Scene::new(STORE, "", SHOPS);
    scene.log_in("acme");
    scene.run(&["apply", "--shop", "acme", "--auto-approve"]).exits(0);
    scene.run(&["drift", "--shop", "acme"]).exits(0);

    scene.edit(&["scopes", "--shop", "acme", "write_orders"]);
    let drift = scene.run(&["drift", "--shop", "acme"]);
    drift.exits(2).says("scope_lost").says("scope_missing").says("hookwright auth url --shop acme");
    let status = scene.run(&["auth", "status", "--shop", "acme"]);
    status.exits(2).says("lacks: read_customers").says("cannot subscribe: customers/update");
    status.says("hookwright auth login --shop acme").says("1 need attention");

    scene.log_in("acme");
    scene.run(&["drift", "--shop", "acme"]).exits(0);
    let more = scene.world.read("hookwright.yaml").replace("[write_orders, read_customers]", "[read_orders]");
    scene.world.write("hookwright.yaml", &more);
    scene
        .run(&["auth", "status", "--shop", "acme"])
        .exits(0)
        .says("granted, but not wanted: read_customers, write_orders");
}

#[test]
fn url_and_exchange_go_the_same_way_in_two_steps() {
    let scene = Scene::new(STORE, "", SHOPS);
    let url = scene.run(&["auth", "url", "--shop", "acme", "--redirect-uri", "https://example.com/callback"]);
    url.exits(0).says("hookwright auth exchange --shop acme --callback -");
    assert_eq!(url.out.lines().count(), 1, "the URL alone is data: {url}");
    let callback = approve(url.out.trim());
    let exchange = |callback: &str| scene.run(&["auth", "exchange", "--shop", "acme", "--callback", callback]);
    exchange(&callback).exits(0).says("acme.myshopify.com is connected.");
    let kept = scene.tokens("acme");
    exchange(&callback).exits(4).says("used already, or is too old").says("hookwright auth login --shop acme");
    assert_eq!(scene.tokens("acme"), kept, "a code that is used up changes nothing");

    // What another system began with a state of its own.
    let callback = scene.approved("acme", &["--state", "123456"]);
    exchange(&callback).exits(4).says("state is not the one of this login");
    let args = ["auth", "exchange", "--shop", "acme", "--callback", "-", "--state", "123456"];
    scene.run_with(&args, &format!("{callback}\n")).exits(0);
    assert_ne!(scene.tokens("acme")["access_token"], kept["access_token"]);
}

#[test]
fn a_token_of_a_user_and_one_without_an_end() {
    let scene = Scene::new(STORE, "", SHOPS);
    let callback = scene.approved("acme", &["--online"]);
    let args = ["auth", "exchange", "--shop", "acme", "--online", "--callback", "-"];
    scene.run_with(&args, &callback).exits(0).says("and a login is needed then");
    assert!(scene.tokens("acme")["refresh"].is_null());
    scene.run(&["auth", "status", "--shop", "acme"]).exits(2).says("of a user").says("log in again before that");

    let callback = scene.approved("bolt", &[]);
    let args = ["auth", "exchange", "--shop", "bolt", "--non-expiring", "--callback", "-"];
    scene.run_with(&args, &callback).exits(0).says("it has no end");
    scene.run(&["plan", "--shop", "bolt"]).exits(0);
}

#[test]
fn a_token_is_printed_only_where_that_is_asked_and_nothing_else_with_it() {
    let auth = "{ access_token: { env: \"TOKEN_{SHOP}\" } }";
    let scene = Scene::new(auth, "", SHOPS);
    let env = |args: &[&str]| {
        let mut command = scene.command(args);
        command
            .env("SHOPIFY_CLIENT_ID", crate::scene::CLIENT_ID)
            .env("SHOPIFY_CLIENT_SECRET", crate::scene::CLIENT_SECRET);
        Run::of(&command.output().unwrap())
    };
    let url = env(&["auth", "url", "--shop", "acme", "--redirect-uri", "https://example.com/callback"]);
    let callback = approve(url.exits(0).out.trim());
    let nowhere = env(&["auth", "exchange", "--shop", "acme", "--callback", &callback]);
    nowhere.exits(3).says("names no `token_store`").says("--print-token");
    // The code was not spent on that.
    let printed = env(&["auth", "exchange", "--shop", "acme", "--print-token", "--callback", &callback]);
    printed.exits(0);
    let token = printed.out.trim();
    assert!(
        token.starts_with("shpat_") && printed.out.lines().count() == 1 && !printed.err.contains(token),
        "{printed}"
    );
    let mut plan = scene.command(&["plan", "--shop", "acme"]);
    assert_eq!(plan.env("TOKEN_ACME", token).output().unwrap().status.code(), Some(0));
}

#[test]
fn client_credentials_are_fetched_once_a_shop_and_run() {
    let scene = Scene::new(CREDENTIALS, "", SHOPS);
    scene
        .run(&["plan"])
        .exits(0)
        .says("scope_missing")
        .ends("Plan incomplete: 2 to add, 0 to change, 0 to destroy; 1 blocked, 0 shops not read.");
    assert_eq!(scene.grants(), vec![("client_credentials".to_owned(), 200); 2]);
    scene.run(&["apply", "--auto-approve"]).exits(4).says("Apply incomplete! Resources: 2 added");
    assert_eq!(scene.grants().len(), 4, "plan and apply of one run share their tokens");
    scene.run(&["auth", "status"]).exits(2).says("client credentials, secret from environment variable SECRET");
}

#[test]
fn the_sandbox_in_process_needs_no_secret_and_keeps_real_tokens_out() {
    let scene = Scene::new(STORE, "", SHOPS);
    // What would be the tokens of real shops.
    let real = "{\"hookwright_tokens\": 1, \"shops\": {}}";
    scene.world.write("tokens.json", real);
    let mut command = scene.world.command(&[LOGIN, &["--sandbox"]].concat());
    let login = Login::start(command.env("ID", crate::scene::CLIENT_ID).env("SECRET", crate::scene::CLIENT_SECRET));
    let (_, _, page) = http("GET", &approve(&login.url), "");
    assert!(page.contains("The shop is connected"), "{page}");
    login.end().exits(0).says(".hookwright/sandbox.json.tokens");
    assert_eq!(scene.world.read("tokens.json"), real);
    // Not even where the names would meet.
    scene.world.write("x.json.tokens", real);
    let met = scene.world.read("hookwright.yaml").replace("path: tokens.json", "path: x.json.tokens");
    scene.world.write("met.yaml", &met);
    let mut command =
        scene.world.command(&[LOGIN, &["--sandbox", "--sandbox-state", "x.json", "-f", "met.yaml"]].concat());
    let login = Login::start(command.env("ID", crate::scene::CLIENT_ID).env("SECRET", crate::scene::CLIENT_SECRET));
    http("GET", &approve(&login.url), "");
    login.end().exits(0).says("x.json.tokens.sandbox");
    assert_eq!(scene.world.read("x.json.tokens"), real);
    let mut plan = scene.world.command(&["plan", "--sandbox", "--shop", "acme", "--format", "json"]);
    let plan =
        Run::of(&plan.env("ID", crate::scene::CLIENT_ID).env("SECRET", crate::scene::CLIENT_SECRET).output().unwrap());
    assert_eq!(plan.exits(0).json()["summary"]["add"], 2);
    for command in ["url", "exchange"] {
        let rest = if command == "url" { ["--redirect-uri", "https://a.example/"] } else { ["--callback", "x=y"] };
        let run = scene.world.run(&[&["auth", command, "--shop", "acme", "--sandbox"], &rest[..]].concat());
        run.exits(3).says("ends with this command");
    }
}
