//! Tokens without expiry, which Shopify rejects from 2027-01-01 if the app is public; and the way to tokens that expire.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::scene::{ASSERTION, CLIENT_ID, CLIENT_SECRET, CREDENTIALS, STORE, Scene, key};
use crate::world::{A, Run, World};

const NOW: &str = "2026-11-26T12:00:00Z";
const BEFORE: &str = "2026-12-31T23:59:59Z";
const THE_DAY: &str = "2027-01-01T00:00:00Z";
const AFTER: &str = "2027-01-08T00:00:00Z";
const REFERENCE: &str = "{ access_token: { env: \"TOKEN_{SHOP}\" } }";

/// One shop, already as the manifest asks, with an app of this category.
fn world(auth: &str, category: &str) -> World {
    let world = World::new(&manifest(auth, ""), &seed(&format!("category: {category}")));
    world.write("app.pem", &key().0);
    at(&world, NOW, &["apply", "--sandbox", "--auto-approve"]).exits(0);
    world
}

fn manifest(auth: &str, more: &str) -> String {
    format!(
        "version: 1\nauth: {auth}\n{more}destinations: {{ a: {A} }}\nshops:\n  - {{ shop: acme, bindings: [{{ topic: \
         orders/create, destination: a }}] }}\n"
    )
}

fn seed(shop: &str) -> String {
    format!(
        "sandbox: 1\napp: {{ client_id: {CLIENT_ID}, client_secret: {CLIENT_SECRET} }}\nshops:\n  - {{ shop: acme, scopes: \
         [read_orders], {shop} }}\n"
    )
}

fn at(world: &World, date: &str, args: &[&str]) -> Run {
    let seconds = date.parse::<jiff::Timestamp>().unwrap().as_second().to_string();
    let mut command = world.command(args);
    command.env("SOURCE_DATE_EPOCH", seconds).env("ID", CLIENT_ID).env("SECRET", CLIENT_SECRET);
    Run::of(&command.env("TOKEN_ACME", "shpat_without_expiry").output().unwrap())
}

/// The finding or the error of the only shop, with its severity, and the exit code of `drift`.
fn told(world: &World, date: &str) -> (String, i32) {
    let run = at(world, date, &["drift", "--sandbox", "--format", "json"]);
    let shop = run.json()["shops"][0].clone();
    let finding = shop["findings"].as_array().unwrap().iter().find(|f| f["kind"] == "non_expiring_token").cloned();
    let what = match (finding, &shop["error"]) {
        (Some(finding), _) => finding["severity"].as_str().unwrap().to_owned(),
        (None, Value::Null) => "none".to_owned(),
        (None, error) => error["kind"].as_str().unwrap().to_owned(),
    };
    (what, run.code)
}

#[test]
fn each_form_of_token_at_four_dates_for_public_and_custom_apps() {
    let (attention, refused) = (("attention", 2), ("non_expiring_token", 4));
    let (warning, none) = (("warning", 0), ("none", 0));
    for (auth, category, expected) in [
        (REFERENCE, "public", [attention, attention, refused, refused]),
        (REFERENCE, "custom", [none; 4]),
        (REFERENCE, "denied", [warning, warning, none, none]),
        (CREDENTIALS, "public", [none; 4]),
        (CREDENTIALS, "custom", [none; 4]),
        (ASSERTION, "public", [none; 4]),
        (ASSERTION, "custom", [none; 4]),
    ] {
        let world = world(auth, category);
        for (date, expected) in [NOW, BEFORE, THE_DAY, AFTER].into_iter().zip(expected) {
            let (what, code) = told(&world, date);
            assert_eq!((what.as_str(), code), expected, "{auth} {category} {date}");
        }
    }
    // The token store: first without expiry, then migrated.
    for (category, before) in [("public", [attention, attention, refused, refused]), ("custom", [none; 4])] {
        let world = world(STORE, category);
        at(&world, NOW, &["auth", "migrate", "--shop", "acme", "--sandbox"]).exits(3).err_has("no token for acme");
        keep_without_expiry(&world);
        for (date, expected) in [NOW, BEFORE, THE_DAY, AFTER].into_iter().zip(before) {
            let (what, code) = told(&world, date);
            assert_eq!((what.as_str(), code), expected, "token store, {category} {date}");
        }
        at(&world, NOW, &["auth", "migrate", "--shop", "acme", "--sandbox", "--auto-approve"]).exits(0);
        for date in [NOW, BEFORE, THE_DAY, AFTER] {
            assert_eq!(told(&world, date), ("none".to_owned(), 0), "migrated, {category} {date}");
        }
    }
}

/// Makes the sandbox's token store by a first migration, and puts an entry without expiry into it.
fn keep_without_expiry(world: &World) {
    let migrate = ["auth", "migrate", "--shop", "acme", "--sandbox", "--auto-approve", "--token-env", "FIRST"];
    let mut command = world.command(&migrate);
    command.env("FIRST", "shpat_first").env("ID", CLIENT_ID).env("SECRET", CLIENT_SECRET);
    Run::of(&command.output().unwrap()).exits(0);
    edit(&store(world), |acme| {
        *acme = json!({ "access_token": "shpat_kept", "scopes": [], "obtained_at": "2026-01-01T00:00:00Z" });
    });
}

fn store(world: &World) -> std::path::PathBuf {
    let files = std::fs::read_dir(world.path(".hookwright")).unwrap().map(|entry| entry.unwrap().path());
    files.into_iter().find(|path| path.extension().is_some_and(|e| e == "tokens")).expect("a token store")
}

fn edit(store: &Path, edit: impl FnOnce(&mut Value)) {
    let mut all: Value = serde_json::from_str(&std::fs::read_to_string(store).unwrap()).unwrap();
    edit(&mut all["shops"]["acme.myshopify.com"]);
    std::fs::write(store, all.to_string()).unwrap();
}

#[test]
fn the_category_is_read_with_the_list_and_a_shop_that_denies_it_is_read_without_it() {
    for (category, requests) in [("public", 1), ("denied", 2)] {
        let world = World::new(&manifest(REFERENCE, ""), &seed(&format!("category: {category}")));
        at(&world, NOW, &["plan", "--sandbox"]).exits(0).ends("Plan: 1 to add, 0 to change, 0 to destroy.");
        let reads = world.requests().iter().filter(|r| r["operation"] == "query").count();
        assert_eq!(reads, requests, "{category}");
    }
}

#[test]
fn every_command_reports_the_expiry_with_the_date_and_the_remedy() {
    let world = world(REFERENCE, "public");
    let message = "the app is public, and the expiry of its access token is unknown: from 2027-01-01 Shopify rejects";
    let way_out = "run `hookwright auth migrate --shop acme --token-env 'TOKEN_{SHOP}' --sandbox`";
    for (args, code) in [
        (&["plan", "--sandbox"][..], 0),
        (&["plan", "--sandbox", "--detailed-exitcode"], 2),
        (&["drift", "--sandbox"], 2),
        (&["auth", "status", "--sandbox"], 2),
    ] {
        at(&world, NOW, args).exits(code).out_has(message).out_has(way_out);
    }
    at(&world, NOW, &["plan", "--sandbox"]).ends("No changes, but 1 finding needs attention.");
    let status = at(&world, NOW, &["auth", "status", "--sandbox", "--format", "json"]).json();
    assert_eq!(status["shops"][0]["findings"][0]["details"]["ends_on"], "2027-01-01");
    // A plan is the same until the day, whatever the day it is made on.
    let digest = |date| at(&world, date, &["plan", "--sandbox", "--format", "json"]).json()["plan_digest"].clone();
    assert_eq!(digest(NOW), digest(BEFORE));

    for (expiry, category) in [("external", "public"), ("exempt", "denied"), ("external", "denied")] {
        let world = self::world(REFERENCE, category);
        world.write("hookwright.yaml", &manifest(REFERENCE, &format!("token_expiry: {expiry}\n")));
        let run = at(&world, NOW, &["plan", "--sandbox"]);
        run.ends("No changes. The live webhooks match the manifest.");
        assert!(!run.out.contains("non_expiring_token"), "{category}: {run}");
    }
}

#[test]
fn a_public_app_is_not_exempt() {
    let world = world(REFERENCE, "public");
    world.write("hookwright.yaml", &manifest(REFERENCE, "token_expiry: exempt\n"));
    at(&world, NOW, &["drift", "--sandbox"])
        .exits(2)
        .out_has("the manifest has `token_expiry: exempt`, but the app is public");
    at(&world, AFTER, &["drift", "--sandbox"]).exits(4).out_has("non_expiring_token");
}

#[test]
fn a_token_known_not_to_expire_is_not_assumed_to_be_renewed_elsewhere() {
    let world = world(STORE, "public");
    keep_without_expiry(&world);
    world.write("hookwright.yaml", &manifest(STORE, "token_expiry: external\n"));
    assert_eq!(told(&world, NOW), ("attention".to_owned(), 2));
}

#[test]
fn in_the_sandbox_the_status_names_placeholders() {
    let world = World::new(&manifest(ASSERTION, ""), &seed("category: public"));
    let made_up = "the sandbox requires no token and uses a placeholder. For a real shop: secret file app.pem";
    at(&world, NOW, &["auth", "status", "--sandbox"]).exits(0).out_has(made_up);
    world.write("app.pem", &key().0);
    let real = at(&world, NOW, &["auth", "status", "--sandbox"]);
    assert!(!real.exits(0).out.contains("placeholder"), "{real}");
}

#[test]
fn a_refused_token_names_the_missing_expiry_as_a_cause_from_that_day() {
    let world = World::new(&manifest(REFERENCE, ""), &seed("token: shpat_another, category: public"));
    let cause = "Since 2027-01-01, Shopify rejects non-expiring tokens of public apps";
    let before = at(&world, BEFORE, &["plan", "--sandbox"]);
    before.exits(4).out_has("the access token was refused");
    assert!(!before.out.contains(cause), "{before}");
    for args in [&["plan", "--sandbox"][..], &["auth", "status", "--sandbox"]] {
        at(&world, THE_DAY, args).exits(4).out_has(cause).out_has("`hookwright auth login --shop acme --sandbox`");
    }
    // A client's token expires, so this is not why it was refused.
    let world = World::new(&manifest(CREDENTIALS, ""), &seed("status: token_refused"));
    let run = at(&world, AFTER, &["plan", "--sandbox"]);
    run.exits(4);
    assert!(!run.out.contains(cause), "{run}");
}

#[test]
fn a_migration_asks_for_confirmation_and_replaces_the_token_permanently() {
    let scene = Scene::new(
        STORE,
        "",
        "  - { shop: acme, scopes: [write_orders, read_customers], require_oauth: false, token: shpat_old }\n",
    );
    let run = |more: &[&str]| {
        let args = [&["auth", "migrate", "--shop", "acme", "--token-env", "OLD_{SHOP}"], more].concat();
        Run::of(&scene.command(&args).env("OLD_ACME", "shpat_old").output().unwrap())
    };
    run(&[]).exits(3).err_has("confirmation required, but stdin is not a terminal").err_has("--auto-approve");
    assert!(scene.grants().is_empty(), "nothing was sent");
    run(&["--auto-approve"])
        .exits(0)
        .out_has("acme.myshopify.com is connected")
        .out_has("The old token is no longer valid");
    let kept = scene.tokens("acme");
    assert!(kept["refresh"]["token"].is_string() && kept["expires_at"].is_string(), "{kept}");
    scene.run(&["plan", "--shop", "acme"]).exits(0);
    scene.run(&["auth", "migrate", "--shop", "acme"]).exits(0).out_has("already has an expiry");
    run(&["--auto-approve"]).exits(0).out_has("already has an expiry");
    assert_eq!(kept, scene.tokens("acme"), "a pair that is renewed is not replaced");
    // The old token is dead, for the Admin API and for another exchange.
    std::fs::remove_file(scene.world.path(&scene.store())).unwrap();
    let again = run(&["--auto-approve"]);
    again.exits(4).err_has("was exchanged before").err_has("`hookwright auth login --shop acme`");
    scene
        .run(&["auth", "migrate", "--shop", "acme", "--token-env", "NONE"])
        .exits(3)
        .err_has("cannot read the token to exchange");
    scene.world.write("reference.yaml", &manifest(REFERENCE, ""));
    let mut plan = scene.command(&["plan", "-f", "reference.yaml"]);
    Run::of(&plan.env("TOKEN_ACME", "shpat_old").output().unwrap()).exits(4).out_has("token_refused");
}

#[test]
fn a_migration_with_a_lost_answer_is_not_repeated_and_has_a_remedy() {
    let scene =
        Scene::new(STORE, "", "  - { shop: acme, scopes: [write_orders], require_oauth: false, token: shpat_old }\n");
    scene.faults("faults: [{ fault: drop, on: oauth, commit: after }]\n");
    let args = ["auth", "migrate", "--shop", "acme", "--token-env", "OLD", "--auto-approve"];
    let run = Run::of(&scene.command(&args).env("OLD", "shpat_old").output().unwrap());
    run.exits(1).err_has("The token may have been exchanged").err_has("`hookwright auth login --shop acme`");
    assert_eq!(scene.grants().len(), 1);
    run.lacks("shpat_old");
}

#[test]
fn the_metrics_contain_the_expiry_of_each_token_that_is_not_renewed() {
    let metric = |world: &World| {
        at(world, NOW, &["drift", "--sandbox", "--metrics", "drift.prom"]);
        let text = world.read("drift.prom");
        let line = text.lines().find(|line| line.starts_with("hookwright_shop_token_end_timestamp_seconds{"));
        line.and_then(|line| line.rsplit(' ').next()).map(|value| value.parse::<i64>().unwrap())
    };
    let the_day = THE_DAY.parse::<jiff::Timestamp>().unwrap().as_second();
    assert_eq!(metric(&world(REFERENCE, "public")), Some(the_day));
    assert_eq!(metric(&world(REFERENCE, "custom")), None);
    assert_eq!(metric(&world(CREDENTIALS, "public")), None, "renewed");
    let world = world(STORE, "public");
    keep_without_expiry(&world);
    assert_eq!(metric(&world), Some(the_day));
    at(&world, NOW, &["auth", "migrate", "--shop", "acme", "--sandbox", "--auto-approve"]).exits(0);
    let in_days = (metric(&world).expect("the end of the refresh token") - jiff::Timestamp::now().as_second()) / 86_400;
    assert!((89..=90).contains(&in_days), "{in_days}");
}

#[test]
fn shops_of_different_apps_that_bind_one_address_are_named() {
    let shop = |name: &str, address: &str| {
        format!("  - {{ shop: {name}, bindings: [{{ topic: orders/create, address: \"{address}\" }}] }}\n")
    };
    let shops = [
        shop("one", A),
        shop("two", &format!("{A}?x-adobe-flow-id=2edc4ce8-d7f4-4ce5-8c1b-1e0d0a0d0e0f")),
        shop("three", crate::world::B),
    ]
    .concat();
    let seed = "sandbox: 1\napp: { client_id: c, client_secret: s, name: Bridge }\ndefaults: { scopes: [read_orders] }\n\
                shops: [{ shop: one }, { shop: two, api_client_id: 347000000002 }, { shop: three, api_client_id: 7 }]\n";
    let world = World::new(&crate::world::manifest(&shops), seed);
    let plan = world.plan_json(&[]);
    for (shop, findings) in [(0, 1), (1, 0), (2, 1)] {
        let shop = &plan["shops"][shop];
        let mixed: Vec<_> = shop["findings"].as_array().unwrap().iter().filter(|f| f["kind"] == "mixed_apps").collect();
        assert_eq!(mixed.len(), findings, "{shop}");
    }
    world
        .plan(&[])
        .exits(0)
        .out_has("shops of 2 apps bind")
        .out_has("app 347000000001 \"Bridge\" (one)")
        .out_has("(two)");
    let mixed = &plan["shops"][0]["findings"][0]["details"]["apps"];
    assert_eq!(mixed[1]["shops"], json!(["two.myshopify.com"]));
}

/// Answers one request for a token, whatever it is.
fn answering(status: &str, body: &str) -> u16 {
    use std::io::Write as _;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    std::thread::spawn(move || {
        for stream in listener.incoming().take(8) {
            let mut stream = stream.unwrap();
            let _ = std::io::Read::read(&mut stream, &mut [0; 16_000]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    port
}

fn migrated_by(status: &str, body: &str) -> (World, Run) {
    let world = World::new(&manifest(STORE, ""), &seed("category: public"));
    let mut command = world.command(&["auth", "migrate", "--shop", "acme", "--token-env", "OLD", "--auto-approve"]);
    let url = format!("http://127.0.0.1:{}/{{shop}}", answering(status, body));
    command.env("HOOKWRIGHT_ADMIN_URL", url).env("OLD", "shpat_old").env("ID", CLIENT_ID).env("SECRET", CLIENT_SECRET);
    let run = Run::of(&command.output().unwrap());
    (world, run)
}

const NEW: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn a_migration_with_an_unexpected_token_is_an_error() {
    for (body, what) in [
        (json!({ "access_token": NEW, "scope": "a" }), "a token that cannot be renewed"),
        (json!({ "access_token": NEW, "scope": "a", "expires_in": 3600 }), "a token that cannot be renewed"),
        (json!({ "access_token": NEW, "associated_user": { "id": 7 } }), "a user's token"),
        (json!({ "access_token": "" }), "The token may have been exchanged"),
    ] {
        let (_, run) = migrated_by("200 OK", &body.to_string());
        run.exits(1).err_has(what).err_has("`hookwright auth login --shop acme`");
        run.lacks(NEW);
    }
    let good = json!({ "access_token": NEW, "expires_in": "3600", "refresh_token": "shprt_x" });
    migrated_by("200 OK", &good.to_string()).1.exits(0);
}

#[test]
fn a_token_in_an_invalid_grant_is_not_printed() {
    let pair = json!({ "access_token": NEW, "refresh_token": NEW, "expires_in": 3600 }).to_string();
    for status in
        ["201 Created", "202 Accepted", "400 Bad Request", "401 Unauthorized", "404 Not Found", "409 Conflict"]
    {
        for body in [pair.as_str(), &format!("{{\"data\":{pair}}}"), &format!("access_token={NEW}")] {
            let (_, run) = migrated_by(status, body);
            assert!(run.code != 0 && !run.to_string().contains(NEW), "{status} {body}: {run}");
        }
    }
}

#[test]
fn a_signal_does_not_lose_the_token_of_a_migration() {
    use std::io::{Read as _, Write as _};
    let world = World::new(&manifest(STORE, ""), &seed("category: public"));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}/{{shop}}", listener.local_addr().unwrap().port());
    let mut command = world.command(&["auth", "migrate", "--shop", "acme", "--token-env", "OLD", "--auto-approve"]);
    command.env("HOOKWRIGHT_ADMIN_URL", url).env("OLD", "shpat_old").env("ID", CLIENT_ID).env("SECRET", CLIENT_SECRET);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let mut request = [0; 16_000];
    assert!(stream.read(&mut request).unwrap() > 0);
    for signal in ["INT", "TERM", "HUP"] {
        assert!(
            std::process::Command::new("kill")
                .args([&format!("-{signal}"), &child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
    }
    let body = json!({ "access_token": NEW, "expires_in": 3600, "refresh_token": "shprt_x" }).to_string();
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    Run::of(&child.wait_with_output().unwrap()).exits(0).out_has("acme.myshopify.com is connected");
}
