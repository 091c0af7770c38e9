//! `--events` of runs that do not go well: every line matches the committed schema, and every event is reported.

use serde_json::Value;

use crate::journal::{kept, types};
use crate::scene::Server;
use crate::world::{Run, World, manifest};

/// The lines of a type about a shop.
fn of_shop<'a>(lines: &'a [Value], kind: &str, shop: &str) -> Vec<&'a Value> {
    let shop = format!("{shop}.myshopify.com");
    lines.iter().filter(|l| l["type"] == kind && l["shop"] == *shop).collect()
}

#[test]
fn events_report_failed_and_tolerated_shops_and_waits() {
    let bound =
        |shop: &str| format!("  - {{ shop: {shop}, bindings: [{{ topic: orders/create, destination: a }}] }}\n");
    let shops = ["acme", "gone", "frozen", "slow"].map(bound).concat();
    let seed = "sandbox: 1\nshops:\n  - { shop: acme, scopes: [write_orders] }\n  - { shop: gone, status: not_found }\n  \
                - { shop: frozen, status: frozen }\n  - { shop: slow, scopes: [write_orders], token: t }\n";
    let world = World::new(&manifest(&shops), seed);
    let server = Server::start_with(&world, &["--fault", "rate_limited,shop=slow,times=1,retry_after=1"]);
    let run = |args: &[&str]| {
        let mut command = world.command(args);
        command.env("HOOKWRIGHT_ADMIN_URL", &server.url);
        for shop in ["ACME", "GONE", "FROZEN", "SLOW"] {
            command.env(format!("TOKEN_{shop}"), "t");
        }
        Run::of(&command.output().unwrap())
    };
    let planned = run(&["plan", "--events", "-", "--tolerate", "frozen", "--out", "plan.json"]);
    let plan = kept(&planned.out);
    assert_eq!((plan[0]["type"].as_str(), plan[0]["stream"].as_str()), (Some("version"), Some("events")));
    assert_eq!(plan.last().unwrap()["type"], "summary");
    for (shop, status) in [("acme", "changed"), ("gone", "failed"), ("frozen", "unavailable"), ("slow", "changed")] {
        let read = of_shop(&plan, "shop_read", shop);
        assert_eq!((read.len(), read[0]["status"].as_str()), (1, Some(status)), "{shop}: {planned}");
        let away = ["failed", "unavailable"].contains(&status);
        assert_eq!(read[0]["error"]["kind"].is_string(), away, "{shop}: {}", read[0]);
    }
    let waits = of_shop(&plan, "wait", "slow");
    assert!(!waits.is_empty() && waits.iter().all(|w| w["seconds"].as_f64().unwrap() > 0.0), "{planned}");
    // The last line has what the process exited with, and what the text ends with.
    let end = plan.last().unwrap();
    assert_eq!(end["exit_code"], planned.code, "{planned}");
    assert!(planned.err.contains(end["message"].as_str().unwrap()), "{planned}");

    // A shop that fails while the others are applied: each of its changes is reported once, as skipped.
    let refused = run(&["apply", "plan.json", "--events", "-", "--expect-digest", "sha256:no"]);
    let refused = kept(&refused.exits(3).out);
    assert_eq!((types(&refused), &refused[1]["exit_code"]), (vec!["version", "summary"], &3.into()));
    let mut without = world.command(&["apply", "plan.json", "--events", "-"]);
    without.env("HOOKWRIGHT_ADMIN_URL", &server.url).env("TOKEN_ACME", "t");
    let applied = Run::of(&without.output().unwrap());
    let apply = kept(&applied.out);
    let outcome = |shop: &str| of_shop(&apply, "apply_outcome", shop)[0]["result"].clone();
    assert_eq!((outcome("acme"), outcome("slow")), ("applied".into(), "skipped".into()), "{applied}");
    assert_eq!(of_shop(&apply, "shop_read", "slow")[0]["status"], "failed");
    assert_eq!(apply.iter().filter(|l| l["type"] == "apply_outcome").count(), 2, "one for each change");
    assert_eq!(apply.last().unwrap()["exit_code"], applied.code);
}
