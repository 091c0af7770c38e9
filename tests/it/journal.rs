//! `--journal`, `--events` and interrupts: the files on the disk during a run and after an interrupt.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::scene::Server;
use crate::schemas::keeps_to;
use crate::world::{A, B, FOREIGN, World, manifest, seed};

const TOPICS: [&str; 10] = [
    "orders/create",
    "orders/updated",
    "orders/paid",
    "orders/cancelled",
    "orders/edited",
    "orders/delete",
    "products/create",
    "products/update",
    "products/delete",
    "customers/create",
];

/// One shop that needs ten changes and has a bucket for two at a time.
fn slow() -> World {
    let shop = format!("  - {{ shop: acme, bindings: [{{ topics: [{}], destination: a }}] }}\n", TOPICS.join(", "));
    let seed = "sandbox: 1\nshops:\n  - shop: acme\n    scopes: [write_orders, read_products, read_customers]\n    \
                bucket: { max: 40, restore: 3 }\n    token: t\n";
    World::new(&manifest(&shop), seed)
}

/// A world with a create, an update and a delete.
fn three() -> World {
    let shop = "  - { shop: acme, bindings: [{ topic: orders/create, destination: a }, { topic: orders/paid, destination: a }] }\n";
    World::new(
        &manifest(shop),
        &seed(
            "acme",
            &format!(
                "      - {{ topic: orders/create, address: \"{B}\", id: 1 }}\n      \
                 - {{ topic: products/update, address: \"{A}\", id: 2 }}\n      \
                 - {{ topic: shop/update, address: \"{FOREIGN}\", id: 3 }}\n"
            ),
        ),
    )
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// The lines, each of which matches the committed schema.
pub fn kept(text: &str) -> Vec<Value> {
    let lines = lines(text);
    for line in &lines {
        keeps_to("events.v1.schema.json", line);
    }
    lines
}

#[test]
fn the_schema_rejects_invalid_lines() {
    let schema: Value = serde_json::from_str(&crate::schemas::committed("events.v1.schema.json")).unwrap();
    let world = three();
    world.apply(&["--journal", "apply.jsonl"]).exits(0);
    for line in lines(&world.read("apply.jsonl")) {
        assert!(jsonschema::is_valid(&schema, &line), "{line}");
        for key in ["type", "at", "run"] {
            let mut bad = line.clone();
            bad[key] = 7.into();
            assert!(!jsonschema::is_valid(&schema, &bad), "{bad}");
        }
    }
}

pub fn types(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|l| l["type"].as_str().unwrap()).collect()
}

#[test]
fn the_journal_has_an_intent_before_each_mutation_and_its_outcome_after() {
    let world = three();
    world.apply(&["--journal", "apply.jsonl"]).exits(0);
    let journal = kept(&world.read("apply.jsonl"));
    assert_eq!(
        types(&journal),
        ["version", "intent", "intent", "intent", "outcome", "outcome", "outcome", "summary"],
        "{journal:#?}"
    );
    assert_eq!((&journal[0]["stream"], &journal[0]["format_version"]), (&"journal".into(), &"1.0".into()));
    assert!(journal[0]["plan_digest"].as_str().unwrap().starts_with("sha256:"));
    assert!(journal.iter().all(|l| l["run"] == journal[0]["run"]));
    let create = journal.iter().find(|l| l["type"] == "outcome" && l["action"] == "create").unwrap();
    assert_eq!(
        (&create["result"], &create["attempt"], &create["after"]["address"]),
        (&"applied".into(), &1.into(), &A.into())
    );
    assert!(create["id"].as_str().unwrap().starts_with("gid://shopify/WebhookSubscription/"));

    // The next run is appended, and `already_so` is distinguished from `applied`.
    world.edit(&["remove", "--shop", "acme", "--topic", "orders/paid"]);
    world.apply(&["--journal", "apply.jsonl"]).exits(0);
    let both = kept(&world.read("apply.jsonl"));
    assert_eq!(both[..journal.len()], journal[..]);
    assert_eq!(types(&both[journal.len()..]), ["version", "intent", "outcome", "summary"]);
    assert_ne!(both[journal.len()]["run"], journal[0]["run"]);
}

#[test]
fn a_file_that_is_not_a_journal_is_refused_before_anything_is_sent() {
    let world = three();
    world.write("notes.txt", "my notes\n");
    world.write("future.jsonl", "{\"type\":\"version\",\"stream\":\"journal\",\"format_version\":\"2.0\",\"tool_version\":\"9\",\"started_at\":\"2026-01-01T00:00:00Z\",\"plan_digest\":null,\"at\":\"2026-01-01T00:00:00Z\",\"run\":\"r\"}\n");
    world.plan(&["--events", "events.jsonl"]).exits(0);
    let requests = world.requests().len();
    for (file, why) in [
        ("notes.txt", "not a journal"),
        ("future.jsonl", "2.0"),
        ("events.jsonl", "event stream"),
        (".", "is not a regular file"),
    ] {
        let before = std::fs::read(world.path(file)).ok();
        world.apply(&["--journal", file]).exits(3).err_has(why);
        assert_eq!(std::fs::read(world.path(file)).ok(), before, "{file}");
    }
    assert_eq!(world.requests().len(), requests, "nothing was sent");
}

#[test]
fn a_truncated_line_is_kept_and_a_new_line_is_started() {
    let world = three();
    world.apply(&["--journal", "apply.jsonl"]).exits(0);
    let whole = world.read("apply.jsonl");
    for keep in [whole.len() - 20, 60, 3] {
        world.write("apply.jsonl", &whole[..keep]);
        world.apply(&["--journal", "apply.jsonl"]).exits(0);
        let text = world.read("apply.jsonl");
        assert!(text.starts_with(&format!("{}\n{{\"type\":\"version\"", &whole[..keep])), "{text}");
        world
            .run(&["drift", "--sandbox", "--since", "apply.jsonl"])
            .exits(0)
            .err_has("Ignored 1 truncated or damaged line of the journals");
    }
}

#[test]
fn a_change_that_cannot_be_journalled_is_not_sent() {
    let world = slow();
    world.write(
        "world.sandbox.yaml",
        &world.read("world.sandbox.yaml").replace("max: 40, restore: 3", "max: 1000, restore: 500"),
    );
    let server = Server::start(&world);
    world.command(&["plan", "--out", "plan.json"]).envs(env(&server)).output().unwrap();
    // One block of 512 or 1024 bytes: the first line fits, the intents do not. The limit's signal is not to kill.
    let limited = format!(
        "trap '' XFSZ; ulimit -f 1; exec {} apply plan.json --journal apply.jsonl --format json",
        env!("CARGO_BIN_EXE_hookwright")
    );
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &limited]).current_dir(world.path(".")).envs(env(&server)).env("NO_PROXY", "*");
    let output = command.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("the journal could not be written"), "{err}");
    assert_eq!((&report["exit_code"], &report["summary"]["skipped"]), (&1.into(), &10.into()), "{report:#}");
    let reason = report["shops"][0]["outcomes"][0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("not sent, because the journal could not be written"), "{reason}");
    assert!(!world.read("served.json.log.jsonl").contains("\"mutation\""), "nothing was sent");
}

fn env(server: &Server) -> [(&'static str, String); 2] {
    [("HOOKWRIGHT_ADMIN_URL", server.url.clone()), ("TOKEN_ACME", "t".to_owned())]
}

#[test]
fn events_cover_the_whole_run_and_match_their_schema() {
    let world = three();
    world.plan(&["--events", "plan.jsonl", "--out", "plan.json", "--detailed-exitcode"]).exits(2);
    let plan = kept(&world.read("plan.jsonl"));
    assert_eq!(types(&plan), ["version", "shop_read", "planned_change", "planned_change", "planned_change", "summary"]);
    let end = plan.last().unwrap();
    assert_eq!((&end["exit_code"], &end["plan"]["add"]), (&2.into(), &1.into()), "{end:#}");
    assert_eq!(end["message"], "Plan: 1 to add, 1 to change, 1 to destroy.");

    let run = world.run(&["apply", "--sandbox", "plan.json", "--events", "-"]);
    run.exits(0);
    let apply = kept(&run.out);
    assert_eq!(
        types(&apply),
        [
            "version",
            "planned_change",
            "planned_change",
            "planned_change",
            "shop_read",
            "apply_start",
            "apply_start",
            "apply_start",
            "apply_outcome",
            "apply_outcome",
            "apply_outcome",
            "summary"
        ]
    );
    assert!(run.err.contains("Apply complete! Resources: 1 added, 1 changed, 1 destroyed."), "the text: {run}");
    // Changes that are already in effect are reported, too; a refused run also has a last line.
    let run = world.run(&["apply", "--sandbox", "plan.json", "--events", "-"]);
    let again = kept(&run.out);
    assert!(again.iter().filter(|l| l["type"] == "apply_outcome").all(|l| l["result"] == "already_so"), "{run}");
    world.edit(&["remove", "--shop", "acme", "--id", "1"]);
    let run = world.run(&["apply", "--sandbox", "plan.json", "--events", "-"]);
    run.exits(7);
    let stale = kept(&run.out);
    assert_eq!(stale.iter().filter(|l| l["type"] == "apply_outcome" && l["result"] == "skipped").count(), 3, "{run}");
    assert_eq!(stale.iter().find(|l| l["type"] == "shop_read").unwrap()["status"], "stale");
    let refused = world.apply(&["--events", "-", "-f", "nowhere.yaml"]);
    refused.exits(3);
    let refused = kept(&refused.out);
    assert_eq!((types(&refused), &refused[1]["exit_code"]), (vec!["version", "summary"], &3.into()));
    world.plan(&["--events", "-", "--format", "json"]).exits(3).err_has("both write to standard output");
}

fn spawn(world: &World, server_url: &str, args: &[&str]) -> Child {
    let mut command = world.command(args);
    command.env("HOOKWRIGHT_ADMIN_URL", server_url).env("TOKEN_ACME", "t");
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[track_caller]
fn until(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(child: &Child, name: &str) {
    let sent =
        std::process::Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_a_wait_and_every_change_has_its_outcome() {
    for name in ["INT", "TERM", "HUP"] {
        let world = slow();
        let server = Server::start(&world);
        assert!(spawn(&world, &server.url, &["plan", "--out", "plan.json"]).wait().unwrap().success());
        let args =
            ["apply", "plan.json", "--report", "report.json", "--journal", "apply.jsonl", "--events", "events.jsonl"];
        let child = spawn(&world, &server.url, &args);
        let events = || std::fs::read_to_string(world.path("events.jsonl")).unwrap_or_default();
        until("a wait after something was done", || {
            let text = events();
            text.find("apply_outcome").is_some_and(|at| text[at..].contains("\"wait\""))
        });
        signal(&child, name);
        let asked = Instant::now();
        let output = child.wait_with_output().unwrap();
        assert!(asked.elapsed() < Duration::from_secs(2), "the wait went on for {:?}", asked.elapsed());
        assert_eq!(output.status.code(), Some(8), "{}", String::from_utf8_lossy(&output.stderr));
        let report: Value = serde_json::from_str(&world.read("report.json")).unwrap();
        let outcomes = report["shops"][0]["outcomes"].as_array().unwrap();
        let with = |result: &str| outcomes.iter().filter(|o| o["result"] == result).count();
        assert_eq!((outcomes.len(), with("applied") + with("skipped")), (TOPICS.len(), TOPICS.len()), "{report:#}");
        assert!(with("applied") > 0 && with("skipped") > 0, "{report:#}");
        for skipped in outcomes.iter().filter(|o| o["result"] == "skipped") {
            assert_eq!(skipped["reason"], "interrupted before the change was sent");
        }
        let told = kept(&world.read("events.jsonl"));
        assert_eq!(told.iter().filter(|l| l["type"] == "apply_outcome").count(), TOPICS.len());
        kept(&world.read("apply.jsonl"));
        let plan = spawn(&world, &server.url, &["plan", "--format", "json"]).wait_with_output().unwrap();
        let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
        assert_eq!(plan["summary"]["unchanged"], with("applied"), "the report is true");
    }
}

/// Passes everything on but a mutation, which is never answered. Returns its URL, and whether it holds a mutation.
fn holds_mutations(upstream: &str) -> (String, Arc<AtomicBool>) {
    let held = Arc::new(AtomicBool::new(false));
    let holds = Arc::clone(&held);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/{{shop}}", listener.local_addr().unwrap());
    let upstream = upstream.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, server) = (client.unwrap(), TcpStream::connect(&upstream).unwrap());
            let (mut back, mut from) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut back));
            let holds = Arc::clone(&holds);
            std::thread::spawn(move || {
                let (mut server, mut bytes) = (server, vec![0; 65_536]);
                while let Ok(n) = client.read(&mut bytes) {
                    if n == 0 || String::from_utf8_lossy(&bytes[..n]).contains("mutation") {
                        // The connection stays open.
                        holds.fetch_or(n > 0, Ordering::SeqCst);
                        std::thread::sleep(Duration::from_mins(1));
                        return;
                    }
                    server.write_all(&bytes[..n]).unwrap();
                }
            });
        }
    });
    (url, held)
}

#[cfg(unix)]
#[test]
fn an_interrupt_waits_for_requests_in_flight_and_a_second_one_aborts() {
    let world = slow();
    let server = Server::start(&world);
    let (url, held) = holds_mutations(&server.url);
    let mut child = spawn(&world, &url, &["apply", "--auto-approve", "--journal", "apply.jsonl"]);
    until("a mutation in flight", || held.load(Ordering::SeqCst));
    signal(&child, "INT");
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(child.try_wait().unwrap(), None, "what is in flight is waited for");
    signal(&child, "INT");
    let asked = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(asked.elapsed() < Duration::from_secs(2));
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("aborted"));
    // The journal contains the changes that may have been made.
    let journal = kept(&world.read("apply.jsonl"));
    assert_eq!(journal.iter().filter(|l| l["type"] == "intent").count(), TOPICS.len());
    assert_eq!(journal.iter().filter(|l| l["type"] == "outcome").count(), 0);
}
