//! Rotation: one refresher, durable before use, and never locked out.

use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

use crate::scene::{CLIENT_SECRET, SHOPS, STORE, Scene};
use crate::world::Run;

pub(super) const PLAN: &[&str] = &["plan", "--shop", "acme"];
pub(super) const SHOPS_LOCK: &str = "acme.myshopify.com";
pub(super) const WRITE_LOCK: &str = "write.lock";

/// A scene whose shop has an expired token.
pub(super) fn ended(app: &str) -> Scene {
    let scene = Scene::new(STORE, app, SHOPS);
    scene.log_in("acme");
    expire(&scene);
    scene
}

/// Expires the token at the platform and in the store.
pub(super) fn expire(scene: &Scene) {
    scene.edit(&["tokens", "--shop", "acme", "--expire-tokens"]);
    let long_ago = "2026-01-01T00:00:00Z";
    edit_store(scene, |acme| {
        for key in ["obtained_at", "expires_at"] {
            assert!(acme[key].is_string(), "{acme}");
            acme[key] = long_ago.into();
        }
    });
}

/// Sets the token's age in the store to an hour minus half a minute: it is valid, and due for a refresh.
pub(super) fn almost_over(scene: &Scene) {
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(30);
    edit_store(scene, |acme| {
        acme["expires_at"] = soon.to_string().into();
        acme["obtained_at"] = (soon - jiff::SignedDuration::from_hours(1)).to_string().into();
    });
}

/// Changes acme's entry.
pub(super) fn edit_store(scene: &Scene, edit: impl FnOnce(&mut serde_json::Value)) {
    let mut store: serde_json::Value = serde_json::from_str(&scene.world.read(&scene.store())).unwrap();
    edit(&mut store["shops"]["acme.myshopify.com"]);
    // In place, so that the mode stays.
    std::fs::write(scene.world.path(&scene.store()), store.to_string()).unwrap();
}

/// Holds this lock of the store.
pub(super) fn hold(scene: &Scene, lock: &str) -> File {
    let path = scene.world.path(&format!("{}.locks/{lock}", scene.store()));
    let file = File::options().create(true).truncate(false).write(true).open(path).unwrap();
    file.lock().unwrap();
    file
}

pub(super) fn refreshes(scene: &Scene) -> usize {
    scene.grants().iter().filter(|(grant, status)| grant == "refresh_token" && *status == 200).count()
}

#[test]
fn an_expired_token_is_refreshed_once_and_kept_until_the_new_one_is_confirmed() {
    let scene = ended("");
    let before = scene.tokens("acme");
    scene.run(PLAN).exits(0);
    let after = scene.tokens("acme");
    assert_ne!(before["access_token"], after["access_token"]);
    assert_ne!(before["refresh"]["token"], after["refresh"]["token"]);
    assert!(after["refresh"]["previous"].is_null(), "it worked: {after}");
    scene.run(PLAN).exits(0);
    assert_eq!(refreshes(&scene), 1);
}

#[test]
fn a_token_that_the_shop_refuses_before_its_time_is_renewed_for_plan_and_for_apply() {
    let scene = Scene::new(STORE, "", SHOPS);
    scene.log_in("acme");
    scene.run(&["plan", "--shop", "acme", "--out", "plan.json"]).exits(0);
    // The store does not contain the expiry.
    scene.edit(&["tokens", "--shop", "acme", "--expire-tokens"]);
    scene.run(&["apply", "plan.json"]).exits(0);
    scene.edit(&["tokens", "--shop", "acme", "--expire-tokens"]);
    scene.run(PLAN).exits(0);
    assert_eq!(refreshes(&scene), 2);
    scene.edit(&["tokens", "--shop", "acme", "--revoke-tokens"]);
    scene.run(PLAN).exits(4).out_has("login_required").out_has("hookwright auth login --shop acme");
}

#[test]
fn lost_answers_to_a_refresh_are_harmless() {
    for fault in [
        "drop,on=oauth,commit=after,times=2",
        "cut_body,on=oauth,times=1",
        "server_error,on=oauth,commit=after,times=1",
    ] {
        let scene = ended("");
        scene.world.write("faults.yaml", &fault_file(fault));
        scene.faults(&fault_file(fault));
        scene.run(PLAN).exits(0);
        scene.faults("faults: []\n");
        scene.run(PLAN).exits(0);
        expire(&scene);
        scene.run(PLAN).exits(0);
    }
}

fn fault_file(fault: &str) -> String {
    let mut parts = fault.split(',');
    let fields: Vec<String> = parts.clone().skip(1).map(|part| part.replacen('=', ": ", 1)).collect();
    format!("faults: [{{ fault: {}, {} }}]\n", parts.next().unwrap(), fields.join(", "))
}

#[test]
fn an_invalid_refresh_token_is_an_error_with_the_login_command() {
    let scene = ended("");
    scene.edit(&["tokens", "--shop", "acme", "--expire-refresh-tokens"]);
    let plan = scene.run(PLAN);
    plan.exits(4)
        .out_has("login_required")
        .out_has("active refresh_token")
        .out_has("hookwright auth login --shop acme");
    scene.log_in("acme");
    scene.run(PLAN).exits(0);
}

#[test]
fn during_an_outage_of_shopify_a_valid_token_is_used() {
    let scene = Scene::new(STORE, "", SHOPS);
    scene.log_in("acme");
    almost_over(&scene);
    scene.faults("faults: [{ fault: server_error, on: oauth }]\n");
    scene.run(&["plan", "--shop", "acme"]).exits(0);
    let tried = scene.grants().into_iter().filter(|(grant, status)| grant == "refresh_token" && *status >= 500).count();
    assert!(tried > 0, "nothing was due, so nothing was shown");
    assert_eq!(refreshes(&scene), 0);
}

#[test]
fn if_the_stored_pair_is_invalid_the_previous_pair_is_tried() {
    let scene = ended("");
    // The platform does not know this pair, as after a lost login elsewhere.
    edit_store(&scene, |acme| {
        acme["refresh"]["previous"] = acme["refresh"]["token"].take();
        acme["refresh"]["token"] = "shprt_00000000000000000000000000000000".into();
    });
    scene.run(PLAN).exits(0);
    let answers: Vec<u64> = scene.grants().into_iter().filter(|(g, _)| g == "refresh_token").map(|(_, s)| s).collect();
    assert_eq!(answers, [401, 200]);
    assert!(scene.tokens("acme")["refresh"]["previous"].is_null());
    expire(&scene);
    scene.run(PLAN).exits(0);
}

#[test]
fn two_concurrent_processes_refresh_a_token_once() {
    let scene = ended("");
    // Long enough for both processes to wait.
    scene.faults("faults: [{ fault: latency, ms: 400, on: oauth }]\n");
    let start = || scene.command(PLAN).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let processes: Vec<_> = (0..4).map(|_| start()).collect();
    for process in processes {
        Run::of(&process.wait_with_output().unwrap()).exits(0);
    }
    assert_eq!(refreshes(&scene), 1, "{:?}", scene.grants());
}

#[test]
fn waiting_for_a_lock_ends_with_the_run() {
    let scene = ended("");
    let lock = hold(&scene, SHOPS_LOCK);
    let plan = scene.run(&["plan", "--shop", "acme", "--timeout", "1s"]);
    plan.exits(5).out_has("time_budget").out_has("was reached while the shop's token was refreshed");
    assert_eq!(refreshes(&scene), 0);
    lock.unlock().unwrap();
    scene.run(PLAN).exits(0);
}

/// Kills the process after the new pair has arrived and before it is stored: this test holds the store's lock, so that the
/// process waits there. Shopify accepts the old refresh token until the new pair is used.
#[test]
fn killed_between_receiving_and_storing_fifty_times_the_shop_is_never_locked_out() {
    let scene = ended("");
    let before = scene.tokens("acme");
    for round in 0..50 {
        let lock = hold(&scene, WRITE_LOCK);
        let answered = refreshes(&scene);
        let mut process = scene.command(PLAN).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while refreshes(&scene) == answered {
            assert!(process.try_wait().unwrap().is_none(), "round {round}: it ended without a refresh");
            std::thread::sleep(Duration::from_millis(2));
        }
        // At various times after the answer was sent: in transit, or waiting to be stored.
        std::thread::sleep(Duration::from_millis(round % 25));
        process.kill().unwrap();
        process.wait().unwrap();
        lock.unlock().unwrap();
        assert_eq!(scene.tokens("acme"), before, "round {round}: it was stored after all");
    }
    scene.run(PLAN).exits(0);
    assert_ne!(scene.tokens("acme")["refresh"]["token"], before["refresh"]["token"]);
}

/// The same without resilient refresh, which proves that the test above can fail.
#[test]
fn without_resilient_refresh_a_lost_pair_requires_a_login() {
    let scene = ended(", resilient_refresh: false");
    let lock = hold(&scene, WRITE_LOCK);
    let mut process = scene.command(PLAN).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while refreshes(&scene) == 0 {
        std::thread::sleep(Duration::from_millis(2));
    }
    process.kill().unwrap();
    process.wait().unwrap();
    lock.unlock().unwrap();
    scene.run(PLAN).exits(4).out_has("login_required");
    scene.log_in("acme");
    scene.run(PLAN).exits(0);
}

#[test]
fn no_output_file_or_log_contains_a_secret() {
    let scene = Scene::new(STORE, "", SHOPS);
    let mut seen = String::new();
    let mut secrets = vec![CLIENT_SECRET.to_owned()];
    let mut go = |scene: &Scene, args: &[&str], input: &str| {
        let run = scene.run_with(&[args, &["-vvv"]].concat(), input);
        seen += &run.to_string();
        run
    };
    let url = go(&scene, &["auth", "url", "--shop", "acme", "--redirect-uri", "https://example.com/callback"], "");
    let callback = crate::scene::approve(url.out.trim());
    let value = |name: &str| {
        let rest = callback.split_once(&format!("{name}=")).unwrap().1;
        rest.split('&').next().unwrap().to_owned()
    };
    secrets.extend([value("code"), value("hmac")]);
    go(&scene, &["auth", "exchange", "--shop", "acme", "--callback", "-"], &callback).exits(0);
    go(&scene, &["auth", "exchange", "--shop", "acme", "--callback", "-"], &callback).exits(4);
    let mut keep = |scene: &Scene| {
        let acme = scene.tokens("acme");
        for token in [&acme["access_token"], &acme["refresh"]["token"]] {
            secrets.push(token.as_str().unwrap().to_owned());
        }
    };
    keep(&scene);
    for _ in 0..2 {
        expire(&scene);
        go(&scene, &["plan", "--shop", "acme", "--out", "plan.json", "--events", "events.jsonl"], "").exits(0);
        keep(&scene);
    }
    go(&scene, &["apply", "plan.json", "--journal", "j.jsonl", "--report", "report.json", "--log-format", "json"], "")
        .exits(0);
    go(&scene, &["auth", "status", "--format", "json"], "");
    scene.edit(&["tokens", "--shop", "acme", "--expire-refresh-tokens"]);
    expire(&scene);
    go(&scene, &["drift", "--shop", "acme"], "").exits(4);
    for file in ["plan.json", "events.jsonl", "j.jsonl", "report.json", "served.json.log.jsonl"] {
        seen += &scene.world.read(file);
    }
    assert!(seen.contains("refreshed the token") && seen.contains("\"grant\":\"refresh_token\""), "the logs were on");
    for secret in secrets {
        assert!(!seen.contains(&secret), "{secret} was shown");
    }
}

#[test]
fn the_refresh_token_of_a_real_app_is_not_sent_with_placeholder_credentials() {
    let scene = ended("");
    let before = scene.world.read(&scene.store());
    for (variable, said) in
        [("SECRET", "environment variable SECRET is not set"), ("ID", "environment variable ID is not set")]
    {
        let run = Run::of(&scene.command(PLAN).env_remove(variable).output().unwrap());
        run.exits(4).out_has(said);
        assert!(scene.grants().iter().all(|(grant, _)| grant != "refresh_token"), "{:?}", scene.grants());
        assert_eq!(scene.world.read(&scene.store()), before);
    }
}
