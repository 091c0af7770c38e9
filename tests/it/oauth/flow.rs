//! Each way to obtain a token, from end to end.

use serde_json::json;

use crate::advice;
use crate::scene::{CREDENTIALS, Login, SHOPS, STORE, Scene, approve, http};
use crate::world::Run;

const LOGIN: &[&str] = &["auth", "login", "--shop", "acme", "--listen", "127.0.0.1:0", "--no-browser"];

#[test]
fn a_login_connects_the_shop_and_resolves_its_findings() {
    let scene = Scene::new(STORE, "", SHOPS);
    let before = scene.run(&["plan"]);
    before.exits(4).out_has("login_required").out_has("hookwright auth login --shop").out_has("2 shops not read");

    let login = Login::start(&mut scene.command(LOGIN));
    assert!(login.url.contains("scope=read_customers%2Cwrite_orders"), "{}", login.url);
    let (status, _, page) = http("GET", &approve(&login.url), "");
    assert_eq!(status, 200);
    assert!(page.contains("The shop is connected") && page.contains("<li>read_customers</li>"), "{page}");
    let run = login.end();
    run.exits(0)
        .out_has("acme.myshopify.com is connected.")
        .out_has("is refreshed automatically")
        .out_has("read_customers");
    assert!(!run.out.contains("shpat_") && !run.err.contains("shpat_"), "{run}");

    let tokens = scene.tokens("acme");
    assert!(tokens["access_token"].as_str().is_some_and(|token| token.starts_with("shpat_")), "{tokens}");
    let path = scene.world.path(&scene.store());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(path.exists() && !scene.world.path("tokens.json").exists(), "tokens of the sandbox are not Shopify tokens");

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
fn a_revoked_scope_is_drift_and_a_new_login_restores_it() {
    let scene = Scene::new(STORE, "", SHOPS);
    scene.log_in("acme");
    scene.run(&["apply", "--shop", "acme", "--auto-approve"]).exits(0);
    scene.run(&["drift", "--shop", "acme"]).exits(0);

    scene.edit(&["scopes", "--shop", "acme", "write_orders"]);
    let drift = scene.run(&["drift", "--shop", "acme"]);
    drift.exits(2).out_has("scope_lost").out_has("scope_missing").out_has("hookwright auth url --shop acme");
    let status = scene.run(&["auth", "status", "--shop", "acme"]);
    status.exits(2).out_has("missing: read_customers").out_has("blocked topics: customers/update");
    status.out_has("hookwright auth login --shop acme").out_has("1 shop: 0 ready, 1 needs attention, 0 failed.");
    // The command in the message works unchanged and grants the scopes.
    let named = advice::commands(&drift.out);
    assert!(named.len() >= 2, "{drift}");
    for command in named {
        let words = advice::words(&command);
        let link = scene.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
        link.exits(0).err_has("The redirect URI is http://127.0.0.1:8931/callback, the default of `auth login`");
        assert!(approve(link.out.trim()).starts_with("http://127.0.0.1:8931/callback?code="), "{link}");
    }

    scene.log_in("acme");
    scene.run(&["drift", "--shop", "acme"]).exits(0);
    let more = scene.world.read("hookwright.yaml").replace("[write_orders, read_customers]", "[read_orders]");
    scene.world.write("hookwright.yaml", &more);
    scene.run(&["auth", "status", "--shop", "acme"]).exits(0).out_has("superfluous: read_customers, write_orders");
}

#[test]
fn url_and_exchange_are_a_login_in_two_steps() {
    let scene = Scene::new(STORE, "", SHOPS);
    let url = scene.run(&["auth", "url", "--shop", "acme", "--redirect-uri", "https://example.com/callback"]);
    url.exits(0).err_has("hookwright auth exchange --shop acme --callback -");
    assert_eq!(url.out.lines().count(), 1, "the URL alone is data: {url}");
    let callback = approve(url.out.trim());
    let exchange = |callback: &str| scene.run(&["auth", "exchange", "--shop", "acme", "--callback", callback]);
    exchange(&callback).exits(0).out_has("acme.myshopify.com is connected.");
    let kept = scene.tokens("acme");
    exchange(&callback).exits(4).err_has("used before, or has expired").err_has("hookwright auth login --shop acme");
    assert_eq!(scene.tokens("acme"), kept, "a code that is used up changes nothing");

    // A login that another system started with its own state.
    let link = scene.run(&["auth", "url", "--shop", "acme", "--state", "123 456"]);
    link.exits(0).err_has("hookwright auth exchange --shop acme --state '123 456' --callback -");
    let callback = scene.approved("acme", &["--state", "123456"]);
    exchange(&callback).exits(4).err_has("the callback belongs to another login: its `state`");
    let args = ["auth", "exchange", "--shop", "acme", "--callback", "-", "--state", "123456"];
    scene.run_with(&args, &format!("{callback}\n")).exits(0);
    assert_ne!(scene.tokens("acme")["access_token"], kept["access_token"]);
}

#[test]
fn a_link_has_an_allowed_redirect_and_its_command_names_the_manifest() {
    let scene = Scene::new(STORE, "", SHOPS);
    let app = |urls: &str| scene.world.write("shopify.app.toml", &format!("[auth]\nredirect_urls = {urls}\n"));
    let manifest = format!("{}app_config: shopify.app.toml\n", scene.world.read("hookwright.yaml"));
    scene.world.write("my shops.yaml", &manifest);
    let url = || {
        let run = scene.run(&["auth", "url", "--shop", "acme", "-f", "my shops.yaml"]);
        run.exits(0).err_has("hookwright auth exchange --shop acme -f 'my shops.yaml' --callback -");
        run
    };
    app("[\"http://plain.example/\", \"https://example.com/callback\", \"https://other.example/\"]");
    let link = url();
    link.err_has("The redirect URI is https://example.com/callback, the first one that `app_config` allows");
    let callback = approve(link.out.trim());
    assert!(callback.starts_with("https://example.com/callback?"), "{callback}");
    let exchange = advice::commands(&link.err).remove(0);
    let words = advice::words(&exchange);
    scene.run_with(&words.iter().map(String::as_str).collect::<Vec<_>>(), &callback).exits(0);
    // The address at which `auth login` waits, if the app allows it; parameters that Shopify may add are accepted.
    app("[\"https://example.com/callback\", \"http://127.0.0.1:8931/callback\"]");
    url().err_has("The redirect URI is http://127.0.0.1:8931/callback,");
    for odd in ["\"https://example.com/callback\"", "[1, {}]", "[]"] {
        app(odd);
        url().err_has("The redirect URI is http://127.0.0.1:8931/callback,");
    }
}

#[test]
fn online_and_non_expiring_tokens() {
    let scene = Scene::new(STORE, "", SHOPS);
    let callback = scene.approved("acme", &["--online"]);
    let args = ["auth", "exchange", "--shop", "acme", "--online", "--callback", "-"];
    scene.run_with(&args, &callback).exits(0).out_has("and then requires a new login");
    assert!(scene.tokens("acme")["refresh"].is_null());
    scene
        .run(&["auth", "status", "--shop", "acme"])
        .exits(2)
        .out_has("of a user")
        .out_has("before it expires, run `hookwright auth login");

    let callback = scene.approved("bolt", &[]);
    let args = ["auth", "exchange", "--shop", "bolt", "--non-expiring", "--callback", "-"];
    scene.run_with(&args, &callback).exits(0).out_has("it does not expire");
    scene.run(&["plan", "--shop", "bolt"]).exits(0);
}

#[test]
fn a_token_is_printed_only_on_request_and_alone() {
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
    url.err_has("hookwright auth exchange --shop acme --print-token --callback -");
    let callback = approve(url.exits(0).out.trim());
    let nowhere = env(&["auth", "exchange", "--shop", "acme", "--callback", &callback]);
    nowhere.exits(3).err_has("has no `token_store`").err_has("--print-token");
    // The code was not used.
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
fn a_client_credentials_token_is_fetched_once_per_shop_and_run() {
    let scene = Scene::new(CREDENTIALS, "", SHOPS);
    scene
        .run(&["plan"])
        .exits(4)
        .out_has("scope_missing")
        .out_has("The next run then has it; see `hookwright auth status`")
        .lacks("auth url")
        .ends("Plan incomplete: 2 to add, 0 to change, 0 to destroy; 1 blocked, 0 shops not read.");
    assert_eq!(scene.grants(), vec![("client_credentials".to_owned(), 200); 2]);
    scene.run(&["apply", "--auto-approve"]).exits(4).out_has("Apply incomplete! Resources: 2 added");
    assert_eq!(scene.grants().len(), 4, "plan and apply of one run share their tokens");
    scene.run(&["auth", "status"]).exits(2).out_has("client credentials, secret from environment variable SECRET");
    let status = scene.run(&["auth", "status", "--format", "json"]).json();
    let ends: Vec<bool> = status["shops"].as_array().unwrap().iter().map(|s| s["expires_at"].is_string()).collect();
    assert_eq!(ends, [true, true], "{status}");
}

/// The tool in the embedded sandbox, with the app's credentials at hand.
fn in_sandbox(scene: &Scene, args: &[&str]) -> std::process::Command {
    let mut command = scene.world.command(&[args, &["--sandbox"]].concat());
    command.env("ID", crate::scene::CLIENT_ID).env("SECRET", crate::scene::CLIENT_SECRET);
    command
}

fn log_in_to_sandbox(scene: &Scene, more: &[&str]) -> Run {
    let login = Login::start(&mut in_sandbox(scene, &[LOGIN, more].concat()));
    let (_, _, page) = http("GET", &approve(&login.url), "");
    assert!(page.contains("The shop is connected"), "{page}");
    login.end()
}

/// Tokens of real shops, as a login to Shopify leaves them.
const REAL: &str = r#"{
  "hookwright_tokens": 1,
  "shops": {
    "acme.myshopify.com": {
      "access_token": "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",
      "scopes": ["write_orders", "read_customers"],
      "obtained_at": "2026-11-01T00:00:00Z",
      "expires_at": "2026-11-01T01:00:00Z",
      "refresh": { "token": "shprt_99990000aaaabbbbccccddddeeeeffff", "expires_at": "2199-01-01T00:00:00Z" },
      "client_id": "client-0123456789abcdef"
    },
    "bolt.myshopify.com": {
      "access_token": "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",
      "scopes": ["write_orders", "read_customers"],
      "obtained_at": "2026-11-01T00:00:00Z"
    }
  }
}
"#;

#[test]
fn the_embedded_sandbox_needs_no_secret_and_receives_no_real_token() {
    let scene = Scene::new(STORE, "", SHOPS);
    scene.world.write("tokens.json", REAL);
    // A token of the real store would be refused here, and one of its refresh tokens used up elsewhere.
    let plan = |shop: &str| {
        let run = in_sandbox(&scene, &["plan", "--shop", shop, "--format", "json"]).output().unwrap();
        Run::of(&run)
    };
    plan("acme").exits(4).out_has("token_refused").out_has("run `hookwright auth login --shop acme --sandbox`");
    let seen = scene.world.read(".hookwright/sandbox.json.log.jsonl");
    assert!(!seen.contains("\"grant\""), "a refresh was asked for: {seen}");

    let said = log_in_to_sandbox(&scene, &[]);
    said.exits(0).out_has(".hookwright/sandbox.json.").out_has(".tokens; it expires at");
    assert_eq!(plan("acme").exits(0).json()["summary"]["add"], 2);
    plan("bolt").exits(4).out_has("token_refused");
    assert_eq!(scene.world.read("tokens.json"), REAL);
    assert!(!scene.world.path("tokens.json.locks").exists(), "the real store was touched");

    for command in ["url", "exchange"] {
        let rest: &[&str] = if command == "url" { &[] } else { &["--callback", "x=y"] };
        let run = scene.world.run(&[&["auth", command, "--shop", "acme", "--sandbox"], rest].concat());
        run.exits(3).err_has("stops with this command").err_has("`hookwright auth login --shop acme --sandbox`");
    }
}

#[test]
fn tokens_of_a_sandbox_are_deleted_with_its_state_and_stored_apart_from_shopifys() {
    let scene = Scene::new(STORE, "", SHOPS);
    let state = ["--sandbox-state", "x.json"];
    log_in_to_sandbox(&scene, &state).exits(0).out_has("x.json.");
    let plan = |more: &[&str]| {
        let args = [&["plan", "--shop", "acme"], &state[..], more].concat();
        Run::of(&in_sandbox(&scene, &args).output().unwrap())
    };
    plan(&[]).exits(0);

    // A manifest whose store has the very name that the tokens of this state have.
    let id = serde_json::from_str::<serde_json::Value>(&scene.world.read("x.json")).unwrap()["id"].clone();
    let name = format!("x.json.{}.tokens", &id.as_str().unwrap()[..8]);
    scene.world.write(&name, REAL);
    let met = scene.world.read("hookwright.yaml").replace("path: tokens.json", &format!("path: {name}"));
    scene.world.write("met.yaml", &met);
    plan(&["-f", "met.yaml"]).exits(4);
    let said = log_in_to_sandbox(&scene, &[&state[..], &["-f", "met.yaml"]].concat());
    said.exits(0).out_has(&format!("{name}.sandbox"));
    plan(&["-f", "met.yaml"]).exits(0);
    assert_eq!(scene.world.read(&name), REAL);

    // A state that begins anew knows none of the old tokens, and is offered none.
    for file in ["x.json", "x.json.journal"] {
        let _ = std::fs::remove_file(scene.world.path(file));
    }
    let refused = plan(&[]);
    refused.exits(4).out_has("token_refused");
    refused.out_has("run `hookwright auth login --shop acme --sandbox --sandbox-state x.json`");
    let status = Run::of(&in_sandbox(&scene, &["auth", "status", "--shop", "acme"]).output().unwrap());
    status.exits(4).out_has("hookwright auth login --shop acme --sandbox");
    let asked = scene.world.read("x.json.log.jsonl");
    assert!(!asked.contains("\"grant\":\"refresh_token\""), "an old refresh token was offered: {asked}");
    log_in_to_sandbox(&scene, &state).exits(0);
    plan(&[]).exits(0);
}
