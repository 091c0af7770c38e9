//! `drift --since`: removed remotely or never made, new or known.

use serde_json::Value;

use crate::world::{A, B, Run, World, manifest, seed};

fn world() -> World {
    let shop = "  - { shop: acme, bindings: [{ topics: [orders/create, orders/updated], destination: a }] }\n";
    World::new(&manifest(shop), &seed("acme", &format!("      - {{ topic: orders/create, address: \"{A}\" }}\n")))
}

/// The binary at this second.
fn at(world: &World, second: u32, args: &[&str]) -> Run {
    let output = world.command(args).env("SOURCE_DATE_EPOCH", (1_790_000_000 + second).to_string()).output().unwrap();
    Run::of(&output)
}

fn drift(world: &World, second: u32, more: &[&str]) -> (Run, Value) {
    let text = at(world, second, &[&["drift", "--sandbox"], more].concat());
    let json = at(world, second, &[&["drift", "--sandbox", "--format", "json"], more].concat()).json();
    crate::schemas::keeps_to("plan.v1.schema.json", &json);
    (text, json)
}

/// Kind, topic, last known, known since of what concerns a change.
fn findings(plan: &Value) -> Vec<[String; 4]> {
    let text = |v: &Value| v.as_str().unwrap_or("-").to_owned();
    let all = plan["shops"].as_array().unwrap().iter().flat_map(|s| s["findings"].as_array().unwrap());
    all.filter(|f| f["details"]["index"].is_number())
        .map(|f| {
            [text(&f["kind"]), text(&f["topic"]), text(&f["details"]["last_known"]), text(&f["details"]["known_since"])]
        })
        .collect()
}

const T100: &str = "2026-09-21T14:15:00Z";

#[test]
fn a_journal_or_a_report_distinguishes_removed_from_never_created() {
    let world = world();
    at(&world, 100, &["apply", "--sandbox", "--auto-approve", "--journal", "j.jsonl", "--report", "r.json"]).exits(0);
    let (run, _) = drift(&world, 200, &["--since", "j.jsonl"]);
    run.exits(0);
    assert_eq!((run.out.as_str(), run.err.as_str()), ("", ""), "silent");
    world.edit(&["remove", "--shop", "acme", "--topic", "orders/updated"]);
    let text = world.read("hookwright.yaml").replace("orders/updated", "orders/updated, orders/paid");
    world.write("hookwright.yaml", &text);
    for file in ["j.jsonl", "r.json"] {
        let (run, plan) = drift(&world, 300, &["--since", file]);
        run.exits(2)
            .ends("Drift: 1 removed, 0 changed, 0 extra, 1 not yet created; 2 reported for the first time, 0 reported before.");
        run.out_has("\n  ! first reported now; removed between 14:15 and 14:19 UTC on 2026-09-21\n    acme.myshopify.com\n      - orders/updated -> a\n");
        run.out_has("\nNever live in the earlier files (1 subscription in 1 shop):\n  ! first reported now\n    acme.myshopify.com\n      - orders/paid -> a\n");
        assert_eq!(
            findings(&plan),
            [
                ["removed_remotely".to_owned(), "orders/updated".into(), T100.into(), "-".into()],
                ["never_made".to_owned(), "orders/paid".into(), "-".into(), "-".into()],
            ],
            "{file}"
        );
        assert_eq!(plan["summary"]["attention"], 1);
    }
}

/// What is said of the causes of a removal.
const CAUSES: [&str; 6] = [
    "Likely causes of a removal",
    "Shopify deletes a subscription after 8 failed retries in 4 hours. Older documentation, including Adobe's, says 19 retries in 48 hours.",
    "an Adobe endpoint that checks signatures (HMAC) rejects such a request, and Shopify counts the rejection as a failure",
    "Other code of the same app deleted the subscription.",
    "The app was uninstalled and reinstalled.",
    "open the Dev Dashboard: it shows the app's deliveries of the last 30 days",
];

#[test]
fn a_removal_has_its_likely_causes_once_in_each_rendering() {
    let world = world();
    world.edit(&["remove", "--shop", "acme", "--topic", "orders/create"]);
    at(&world, 100, &["apply", "--sandbox", "--auto-approve", "--report", "r.json"]).exits(0);
    for (topic, removed) in [("orders/create", 1), ("orders/updated", 2)] {
        world.edit(&["remove", "--shop", "acme", "--topic", topic]);
        let (run, plan) = drift(&world, 200, &["--since", "r.json", "--out", "p.json"]);
        assert_eq!(findings(&plan).len(), removed);
        let show = |format| world.run(&["show", "p.json", "--format", format]);
        for run in [run, show("text"), show("markdown")] {
            for cause in CAUSES {
                run.out_has_times(1, cause);
            }
        }
        let html = show("html").out.replace("&#39;", "'");
        for cause in CAUSES {
            assert_eq!(html.matches(cause).count(), 1, "{cause}");
        }
    }
    let (run, _) = drift(&world, 200, &[]);
    run.exits(2).lacks(CAUSES[0]);
}

#[test]
fn a_job_with_only_its_last_report_distinguishes_new_changes() {
    let world = world();
    world.apply(&[]).exits(0);
    let last = ["--since", "last.json", "--out", "last.json"];
    // The first night: no report yet, and nothing to say.
    at(&world, 100, &[&["drift", "--sandbox"], &last[..]].concat()).exits(0);
    world.edit(&["remove", "--shop", "acme", "--topic", "orders/updated"]);
    let night = |second, out: &str| {
        let run = at(&world, second, &["drift", "--sandbox", "--since", "last.json", "--out", "next.json"]);
        let plan: Value = serde_json::from_str(&world.read("next.json")).unwrap();
        run.exits(2).out_has(out);
        std::fs::rename(world.path("next.json"), world.path("last.json")).unwrap();
        findings(&plan)
    };
    let removed = |since: &str| [["removed_remotely".to_owned(), "orders/updated".into(), T100.into(), since.into()]];
    assert_eq!(night(200, "1 reported for the first time, 0 reported before"), removed("-"));
    assert_eq!(night(300, "0 reported for the first time, 1 reported before"), removed("2026-09-21T14:16:40Z"));
    // What is known stays known since the first time, although only the last report is there.
    assert_eq!(night(400, "0 reported for the first time, 1 reported before"), removed("2026-09-21T14:16:40Z"));
    // Something else joins it.
    let id = world.live("acme")[0].split_whitespace().find(|w| w.parse::<u64>().is_ok()).map(ToOwned::to_owned);
    let id = id.unwrap_or_else(|| panic!("no id in {:?}", world.live("acme")));
    world.edit(&["set", "--shop", "acme", "--id", &id, &format!("address={B}")]);
    assert_eq!(night(500, "1 reported for the first time, 1 reported before").len(), 1);
    assert_eq!(night(600, "0 reported for the first time, 2 reported before").len(), 2);
    // Repaired and gone again: that is news.
    at(&world, 700, &["apply", "--sandbox", "--auto-approve", "--journal", "j.jsonl"]).exits(0);
    world.edit(&["remove", "--shop", "acme", "--topic", "orders/updated"]);
    let run = at(&world, 800, &["drift", "--sandbox", "--since", "last.json", "--since", "j.jsonl"]);
    run.exits(2).out_has("1 reported for the first time, 0 reported before");
}

#[test]
fn gaps_are_listed_from_the_files_of_earlier_runs() {
    let world = world();
    at(&world, 100, &["apply", "--sandbox", "--auto-approve", "--journal", "j.jsonl"]).exits(0);
    world.edit(&["remove", "--shop", "acme", "--topic", "orders/updated"]);
    let drift = ["drift", "--sandbox", "--since", "j.jsonl", "--since", "last.json", "--out", "last.json"];
    at(&world, 200, &drift).exits(2).out_has("\n       hookwright gaps j.jsonl last.json --format csv\n");
    let gaps = |files: &[&str]| world.run(&[&["gaps"], files].concat());
    // The last report alone has the times of the files before it.
    for files in [&["j.jsonl", "last.json"][..], &["last.json"]] {
        gaps(files)
            .exits(0)
            .out_has(
                "1 binding was removed between 2026-09-21 14:15 UTC and 2026-09-21 14:17 UTC; it is not live again.",
            )
            .out_has(
                " Events since 2026-09-21 10:15 UTC can be lost.\n  orders/updated -> a\n      acme.myshopify.com\n",
            )
            .ends("1 gap in 1 shop; open: 1.");
    }
    at(&world, 300, &["apply", "--sandbox", "last.json", "--report", "r.json"]).exits(0);
    let json = gaps(&["last.json", "r.json", "j.jsonl", "--format", "json"]).json();
    crate::schemas::keeps_to("gaps.v1.schema.json", &json);
    let gap = &json["gaps"][0];
    assert_eq!(gap["cause"], "removed");
    assert_eq!(gap["last_live"], T100);
    assert_eq!(gap["first_missing"], "2026-09-21T14:16:40Z");
    assert_eq!(gap["restored"], "2026-09-21T14:18:20Z");
    assert_eq!(gap["loss_from"], "2026-09-21T10:15:00Z");
    assert_eq!(json["summary"], serde_json::json!({ "gaps": 1, "open": 0, "shops": 1 }));
    let csv = gaps(&["last.json", "r.json", "--format", "csv"]);
    let lines: Vec<&str> = csv.exits(0).out.lines().collect();
    assert_eq!(lines.len(), 2, "{csv}");
    assert!(lines[1].starts_with("acme.myshopify.com,orders/updated,a,https://"), "{csv}");
    assert!(lines[1].ends_with(
        ",json,,removed,2026-09-21T14:15:00Z,2026-09-21T14:16:40Z,2026-09-21T14:18:20Z,2026-09-21T10:15:00Z"
    ));
    gaps(&["j.jsonl"]).exits(0).ends("No gaps. The files show no wanted binding that was not live.");
    gaps(&["hookwright.yaml"]).exits(3).err_has("not a journal, an apply report or a drift report");
    gaps(&["missing.json"]).exits(3).err_has("cannot read missing.json: file not found");
    gaps(&[]).exits(3);
}

#[test]
fn other_files_are_refused() {
    let world = world();
    world.plan(&["--events", "events.jsonl", "--out", "plan.json"]).exits(0);
    world.write("other.json", "{\"a\": 1}");
    world.write("text.txt", "hello");
    world.write("cut.json", &world.read("plan.json")[..200]);
    for (file, why) in [
        ("events.jsonl", "event stream"),
        ("other.json", "not a journal, an apply report or a drift report"),
        ("text.txt", "invalid JSON (line 1, column 1)"),
        ("cut.json", "unexpected end of the JSON text"),
        ("missing.json", "cannot read"),
        ("hookwright.yaml", "not a journal, an apply report or a drift report"),
    ] {
        world.run(&["drift", "--sandbox", "--since", file]).exits(3).err_has(why);
    }
    // What is to be written may be missing; another file may not.
    world.run(&["drift", "--sandbox", "--since", "missing.json", "--out", "new.json"]).exits(3);
}

#[test]
fn the_same_removal_in_many_shops_is_printed_once_with_the_whole_window() {
    let shops: String = (0..3)
        .map(|n| format!("  - {{ shop: s{n}, bindings: [{{ topic: orders/create, destination: a }}] }}\n"))
        .collect();
    let seeds: String = (0..3).map(|n| format!("  - {{ shop: s{n}, scopes: [write_orders] }}\n")).collect();
    let world = World::new(&manifest(&shops), &format!("sandbox: 1\nshops:\n{seeds}"));
    let apply = ["apply", "--sandbox", "--auto-approve", "--journal", "j.jsonl", "--shop"];
    for (n, second) in [(0, 50), (1, 100), (2, 70)] {
        at(&world, second, &[&apply[..], &[&format!("s{n}")]].concat()).exits(0);
        world.edit(&["remove", "--shop", &format!("s{n}"), "--topic", "orders/create"]);
    }
    let (run, plan) = drift(&world, 200, &["--since", "j.jsonl"]);
    run.exits(2)
        .ends("Drift: 3 removed, 0 changed, 0 extra, 0 not yet created; 3 reported for the first time, 0 reported before.")
        .out_has(
            "3 subscriptions in all 3 shops were removed outside Hookwright between 14:14 and 14:17 UTC on 2026-09-21: \
         orders/create -> a.",
        );
    run.out_has_times(1, "3 shops: s0, s1, s2\n");
    assert_eq!(findings(&plan).len(), 3);
}
