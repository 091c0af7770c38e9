//! A store that is busy, full or of another app; interrupts; concurrent logins.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::refresh::{PLAN, SHOPS_LOCK, WRITE_LOCK, almost_over, edit_store, ended, expire, hold, refreshes};
use crate::scene::{SHOPS, STORE, Scene};
use crate::world::Run;

/// A scene whose shop has a valid token that is due for a refresh.
fn almost() -> Scene {
    let scene = Scene::new(STORE, "", SHOPS);
    scene.log_in("acme");
    almost_over(&scene);
    scene
}

/// Nothing can be written beside the store. (Permissions would not stop root, whom CI runs as.)
fn unwritable(scene: &Scene) -> std::path::PathBuf {
    let place = scene.world.path(&format!(".{}.new", scene.store()));
    std::fs::create_dir_all(place.join("x")).unwrap();
    place
}

#[test]
fn a_busy_store_does_not_block_a_valid_token_and_is_retryable_otherwise() {
    for lock in [SHOPS_LOCK, WRITE_LOCK] {
        let scene = almost();
        let before = scene.tokens("acme");
        let held = hold(&scene, lock);
        let plan = scene.run(&[PLAN, &["--timeout", "4s", "-v"]].concat());
        plan.exits(0).err_has("the current one is used until it expires");
        assert_eq!(scene.tokens("acme"), before);
        expire(&scene);
        let plan = scene.run(&[PLAN, &["--timeout", "1s"]].concat());
        plan.exits(5).out_has("time_budget").out_has("was reached while the shop's token was refreshed");
        held.unlock().unwrap();
        scene.run(PLAN).exits(0);
    }
}

#[test]
fn an_unwritable_store_does_not_block_a_valid_token() {
    let scene = almost();
    let place = unwritable(&scene);
    scene
        .run(&[PLAN, &["-v"]].concat())
        .exits(0)
        .err_has("cannot be written")
        .err_has("the current one is used until it expires");
    expire(&scene);
    scene.run(PLAN).exits(4).out_has("secret_unavailable").out_has("cannot be written");
    std::fs::remove_dir_all(place).unwrap();
    scene.run(PLAN).exits(0);
}

#[test]
fn a_code_is_not_used_if_its_token_cannot_be_stored() {
    let scene = Scene::new(STORE, "", SHOPS);
    let callback = scene.approved("acme", &[]);
    let exchange = ["auth", "exchange", "--shop", "acme", "--callback", &callback];
    let place = unwritable(&scene);
    scene.run(&exchange).exits(4).err_has("cannot be written").err_has("nothing was sent");
    assert_eq!(scene.grants(), []);
    std::fs::remove_dir_all(place).unwrap();
    scene.run(&exchange).exits(0);
}

#[test]
fn only_callbacks_require_an_old_secret() {
    let scene = ended("");
    let auth = STORE.replace("{ env: SECRET }", "{ env: SECRET }, old_client_secret: { env: FORMER }");
    scene.world.write("hookwright.yaml", &crate::scene::manifest(&auth));
    scene.run(PLAN).exits(0);
    assert_eq!(refreshes(&scene), 1);
    let exchange = ["auth", "exchange", "--shop", "acme", "--callback", "x=y"];
    scene.run(&exchange).exits(3).err_has("no parameter `hmac`");
    // Only the sandbox does not require it.
    let mut elsewhere = scene.command(&exchange);
    let elsewhere = Run::of(&elsewhere.env("HOOKWRIGHT_ADMIN_URL", "http://127.0.0.1:9/{shop}").output().unwrap());
    elsewhere.exits(4).err_has("FORMER");
}

#[test]
fn a_token_of_another_app_is_detected_on_use() {
    let scene = Scene::new(STORE, "", SHOPS);
    scene.log_in("acme");
    edit_store(&scene, |acme| acme["client_id"] = "another-app".into());
    let plan = scene.run(PLAN);
    plan.exits(4).out_has("login_required").out_has("another app").out_has("`hookwright auth login --shop acme`");
    assert_eq!(refreshes(&scene), 0, "it is good for an hour");
    // A request without an app id accepts every app.
    let mut unset = scene.command(PLAN);
    Run::of(&unset.env_remove("ID").output().unwrap()).exits(0);

    // The same in the embedded sandbox, which needs no id.
    let status = scene.world.run(&["auth", "status", "--sandbox", "--shop", "acme", "--format", "json"]).json();
    let place = status["shops"][0]["source"]["from"].as_str().unwrap().to_owned();
    scene.world.write(&place, &scene.world.read(&scene.store()));
    private(&scene.world.path(&place));
    let plan = scene.world.run(&[PLAN, &["--sandbox"]].concat());
    plan.exits(4).out_has("another app").out_has("`hookwright auth login --shop acme --sandbox`");
}

#[cfg(unix)]
fn private(path: &std::path::Path) {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn private(_: &std::path::Path) {}

#[test]
#[cfg(unix)]
fn a_run_continues_with_the_token_of_a_concurrent_login() {
    let scene = ended("");
    // The run waits here, before it sends the refresh token that the login will have replaced.
    let waits = "[sh, -c, \"touch asked; while [ ! -e go ]; do sleep 0.02; done; echo $SECRET\"]";
    let auth = STORE.replace("{ env: SECRET }", &format!("{{ command: {waits} }}"));
    scene.world.write("waits.yaml", &crate::scene::manifest(&auth));
    let run = spawn(&scene, &[PLAN, &["-f", "waits.yaml", "--allow-commands"]].concat());
    until("the run reads its secret", || scene.world.path("asked").exists());
    scene.log_in("acme");
    let new = scene.tokens("acme");
    scene.world.write("go", "");
    Run::of(&run.wait_with_output().unwrap()).exits(0);
    let refused = scene.grants().iter().filter(|(grant, status)| grant == "refresh_token" && *status == 401).count();
    assert_eq!(refused, 1, "{:?}", scene.grants());
    assert_eq!(scene.tokens("acme"), new);
}

#[test]
#[cfg(unix)]
fn an_interrupt_does_not_wait_for_a_token() {
    let scene = with_saved_plan();
    let lock = hold(&scene, SHOPS_LOCK);
    let mut apply = spawn(&scene, &["apply", "plan.json", "--report", "report.json", "--journal", "j.jsonl"]);
    until("it begins", || std::fs::read_to_string(scene.world.path("j.jsonl")).is_ok_and(|text| text.contains('\n')));
    // No output shows that it waits for the lock; an interrupt shortly before that has the same effect.
    std::thread::sleep(Duration::from_millis(300));
    interrupt(&mut apply);
    until("it ends", || apply.try_wait().unwrap().is_some());
    let run = Run::of(&apply.wait_with_output().unwrap());
    assert_eq!(run.code, 1, "{run}");
    assert!(scene.world.read("report.json").contains("\"interrupted\""), "{run}");
    assert_eq!(refreshes(&scene), 0);
    lock.unlock().unwrap();
    scene.run(&["apply", "plan.json"]).exits(0);
}

/// The answer to the refresh is there, and the store is busy: the process stays until the pair is stored.
#[test]
#[cfg(unix)]
fn a_refresh_in_flight_is_stored_despite_an_interrupt_or_a_timeout() {
    for more in [&[][..], &["--timeout", "1s"]] {
        let scene = with_saved_plan();
        let before = scene.tokens("acme");
        let lock = hold(&scene, WRITE_LOCK);
        let mut apply = spawn(&scene, &[&["apply", "plan.json"], more].concat());
        until("the platform has refreshed", || refreshes(&scene) == 1);
        let mut out = BufReader::new(apply.stdout.take().unwrap());
        if more.is_empty() {
            interrupt(&mut apply);
        }
        // The run has ended when its report is complete.
        let mut line = String::new();
        while !line.starts_with("Apply incomplete!") {
            line.clear();
            assert!(out.read_line(&mut line).unwrap() > 0, "it ended without a report");
        }
        assert_eq!(scene.tokens("acme"), before);
        lock.unlock().unwrap();
        out.read_to_string(&mut line).unwrap();
        assert_eq!(apply.wait().unwrap().code(), Some(if more.is_empty() { 1 } else { 5 }));
        assert_ne!(scene.tokens("acme"), before, "{more:?}: the pair was lost");
        scene.run(&["apply", "plan.json"]).exits(0);
        assert_eq!(refreshes(&scene), 1, "{more:?}");
    }
}

/// A plan of acme, whose token has expired since.
fn with_saved_plan() -> Scene {
    let scene = Scene::new(STORE, "", SHOPS);
    scene.log_in("acme");
    scene.run(&[PLAN, &["--out", "plan.json"]].concat()).exits(0);
    expire(&scene);
    scene
}

fn spawn(scene: &Scene, args: &[&str]) -> Child {
    scene.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[track_caller]
fn until(what: &str, mut there: impl FnMut() -> bool) {
    let start = Instant::now();
    while !there() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}: not in half a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Sends SIGINT and waits until the process has received it.
#[cfg(unix)]
fn interrupt(child: &mut Child) {
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let mut heard = String::new();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    while !heard.contains("Interrupted") {
        assert!(err.read_line(&mut heard).unwrap() > 0, "it ended: {heard}");
    }
}
