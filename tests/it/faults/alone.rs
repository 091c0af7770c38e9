//! Every fault alone, and random mixes: apply until it reports done, judge every report on the way and the end.

use serde_json::{Value, json};

use super::audit::{Seen, audit};
use super::bench::{Bench, Store, side_by_side};
use super::shops::{A, FOREIGN, MANAGED, TRANSPORTS, Transport, compare, manifest, seed};
use super::table::{self, Row};
use crate::scene::Server;
use crate::world::World;

const SHOPS: usize = 3;
/// Consents to the loss of deliveries to the addresses of the live subscriptions, which the manifest does not name.
const CONSENTS: [&str; 6] =
    ["--allow", "delete_foreign:*", "--allow", "reroute_foreign:*", "--allow", "adoption_delete:*"];
/// Maximum number of applies: one with the fault, one after the shop was repaired, and some more for faults during the
/// second one.
const ROUNDS: usize = 8;

/// Each fault as rules, with the name of its row.
fn faults() -> Vec<(&'static str, Vec<Value>)> {
    let one = |rule: Value| vec![rule];
    vec![
        ("no fault", vec![]),
        ("latency", one(json!({"fault": "latency", "ms": 20, "jitter_ms": 60}))),
        ("throttled", one(json!({"fault": "throttled", "times": 4}))),
        ("429, Retry-After", one(json!({"fault": "rate_limited", "retry_after": 0.1, "times": 3}))),
        ("500 before the commit", one(json!({"fault": "server_error", "status": 500, "on": "mutation", "times": 2}))),
        ("502 before the commit", one(json!({"fault": "server_error", "status": 502, "times": 1}))),
        (
            "503 after the commit",
            one(json!({"fault": "server_error", "on": "mutation", "commit": "after", "times": 2})),
        ),
        (
            "504 after the commit, for ever",
            one(json!({"fault": "server_error", "status": 504, "on": "mutation", "commit": "after"})),
        ),
        ("503 on every mutation for a while", one(json!({"fault": "server_error", "on": "mutation", "times": 6}))),
        ("HTML, 200, before the commit", one(json!({"fault": "html", "on": "mutation", "times": 2}))),
        (
            "HTML, 502, after the commit",
            one(json!({"fault": "html", "status": 502, "commit": "after", "on": "mutation", "times": 2})),
        ),
        ("HTML on reads", one(json!({"fault": "html", "status": 503, "on": "query", "times": 2}))),
        ("empty body before the commit", one(json!({"fault": "empty", "on": "mutation", "times": 2}))),
        (
            "empty body after the commit",
            one(json!({"fault": "empty", "commit": "after", "on": "mutation", "times": 2})),
        ),
        ("truncated JSON", one(json!({"fault": "truncated", "on": "mutation", "times": 2}))),
        ("truncated JSON on reads", one(json!({"fault": "truncated", "on": "query", "times": 2}))),
        ("slow body", one(json!({"fault": "slow_body", "ms": 120, "times": 4}))),
        ("cut in the middle of the body", one(json!({"fault": "cut_body", "times": 3}))),
        ("dropped before the commit", one(json!({"fault": "drop", "on": "mutation", "times": 2}))),
        ("dropped after the commit", one(json!({"fault": "drop", "commit": "after", "on": "mutation", "times": 2}))),
        ("dropped reads", one(json!({"fault": "drop", "on": "query", "times": 3}))),
        (
            "dropped after the commit, reads fail too",
            vec![
                json!({"fault": "drop", "commit": "after", "on": "mutation", "times": 1}),
                json!({"fault": "server_error", "on": "query", "after": 2, "times": 7}),
            ],
        ),
        (
            "INTERNAL_SERVER_ERROR before the commit",
            one(json!({"fault": "internal_error", "on": "mutation", "times": 3})),
        ),
        (
            "INTERNAL_SERVER_ERROR after the commit",
            one(json!({"fault": "internal_error", "commit": "after", "on": "mutation", "times": 3})),
        ),
        ("token revoked midway", one(json!({"fault": "token_revoked", "after": 2, "times": 1}))),
        (
            "token revoked behind a lost answer",
            vec![
                json!({"fault": "drop", "commit": "after", "on": "mutation", "times": 1}),
                json!({"fault": "token_revoked", "on": "query", "after": 2, "times": 1}),
            ],
        ),
        ("shop frozen midway", one(json!({"fault": "frozen", "after": 2, "times": 1}))),
        ("shop locked midway", one(json!({"fault": "locked", "on": "mutation", "after": 1, "times": 1}))),
        ("app uninstalled midway", one(json!({"fault": "uninstalled", "after": 1, "times": 1}))),
        (
            "subscription removed by Shopify",
            one(json!({"fault": "removed", "address": MANAGED, "on": "mutation", "times": 2})),
        ),
        (
            "another writer adds what is planned",
            one(
                json!({"fault": "other_writer", "act": "add", "topic": "orders/create", "address": A, "on": "mutation", "times": 1}),
            ),
        ),
        (
            "another writer adds a managed one",
            one(
                json!({"fault": "other_writer", "act": "add", "topic": "orders/edited", "address": format!("{A}?n={{n}}"), "on": "mutation", "times": 1}),
            ),
        ),
        (
            "another writer adds an unmanaged one",
            one(
                json!({"fault": "other_writer", "act": "add", "topic": "orders/create", "address": "https://x.example/{n}", "on": "mutation", "times": 2}),
            ),
        ),
        (
            "another writer edits a managed one",
            one(
                json!({"fault": "other_writer", "act": "edit", "address": MANAGED, "set": ["include_fields=tags"], "on": "mutation", "times": 2}),
            ),
        ),
        (
            "another writer edits what is moved",
            one(
                json!({"fault": "other_writer", "act": "edit", "topic": "orders/updated", "set": ["filter=id:77"], "on": "mutation", "times": 1}),
            ),
        ),
        (
            "another writer edits an unmanaged one",
            one(
                json!({"fault": "other_writer", "act": "edit", "address": "https://other", "set": ["include_fields=tags"], "on": "mutation", "times": 2}),
            ),
        ),
        (
            "another writer deletes a managed one",
            one(json!({"fault": "other_writer", "act": "delete", "address": MANAGED, "on": "mutation", "times": 2})),
        ),
        (
            "another writer behind a lost answer",
            vec![
                json!({"fault": "drop", "commit": "after", "on": "mutation", "times": 2}),
                json!({"fault": "other_writer", "act": "delete", "address": MANAGED, "on": "query", "after": 1, "times": 2}),
            ],
        ),
    ]
}

/// Rows that are not part of the mixes. An entry that every pass leaves out is invisible to any client, and two passes
/// can leave out the same one by chance.
fn between_readings() -> Vec<(&'static str, Vec<Value>)> {
    let pages = |by: i64, after: u64, times: u64| json!({"fault": "shifting_pages", "size": 5, "by": by, "on": "query", "after": after, "times": times});
    let small = json!({"fault": "shifting_pages", "size": 5, "by": 0, "on": "query"});
    let moves = |topic: &str| json!({"fault": "other_writer", "act": "edit", "topic": topic, "address": MANAGED, "set": [format!("address={FOREIGN}")], "on": "query", "after": 1, "times": 1});
    vec![
        // Once in the first reading, once in the second.
        ("pages that name an id twice", vec![pages(-1, 0, 2), pages(-1, 10, 3), small.clone()]),
        ("pages that leave an entry out", vec![pages(1, 0, 2), pages(2, 10, 1), pages(1, 13, 1), small]),
        // One planned update and one planned delete.
        ("another writer moves managed ones away", vec![moves("orders/updated"), moves("products/delete")]),
    ]
}

/// Every fault at once, each by chance.
fn mix(seed: u64) -> Vec<Value> {
    let rng = &mut fastrand::Rng::with_seed(seed);
    let mut rules = vec![json!({"fault": "latency", "ms": 1, "jitter_ms": 15})];
    let all = faults();
    for _ in 0..5 {
        for rule in &all[2 + rng.usize(..all.len() - 2)].1 {
            let mut rule = rule.clone();
            rule["probability"] = (0.2 + rng.f64() * 0.6).into();
            // Each error that stops a shop requires another round.
            let stops = ["token_revoked", "frozen", "locked", "uninstalled"].iter().any(|name| rule["fault"] == *name);
            rule["times"] = json!(if stops { 1 } else { rng.u64(1..4) });
            rule["after"] = json!(rng.u64(0..3));
            rules.push(rule);
        }
    }
    rules
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    /// `apply --auto-approve`, until it is done.
    Fresh,
    /// A saved plan, applied until it is done or stale, then the next.
    Saved,
}

/// Brings a bench to its end under faults and judges every step.
fn to_the_end(transport: Transport, mode: Mode, seed_number: u64, rules: &[Value]) -> Row {
    let bench = Bench::new(&manifest(transport, SHOPS), &seed(transport, SHOPS));
    let start = bench.store();
    bench.faults(seed_number, rules);
    let mut row = Row::default();
    let mut plan: Option<Value> = None;
    let mut done = false;
    for _ in 0..ROUNDS {
        if mode == Mode::Saved && plan.is_none() {
            bench.run(&["plan", "--out", "plan.json"]);
            plan = Some(bench.json("plan.json"));
            bench.heal();
        }
        let deeds_before = bench.deeds().len();
        let before = bench.store();
        let start = match mode {
            Mode::Fresh => ["apply", "--auto-approve"],
            Mode::Saved => ["apply", "plan.json"],
        };
        let run = bench.run(&[&start, &CONSENTS[..], &["--report", "report.json"]].concat());
        let (after, deeds) = (bench.store(), bench.deeds());
        let seen =
            Seen { run: &run, plan: plan.as_ref(), before: &before, after: &after, deeds: &deeds[deeds_before..] };
        let (changes, wrong) = audit(&seen);
        row.runs += 1;
        row.changes += changes;
        row.wrong += wrong.len();
        row.said.extend(wrong);
        let complete = run.report.as_ref().is_some_and(|report| report["complete"] == true);
        // A plan that did not read every shop, or that another writer made stale, leaves changes for the next one.
        let whole = plan.as_ref().is_none_or(|plan| plan["complete"] == true);
        done = complete && whole && deeds.len() == deeds_before;
        if done {
            break;
        }
        if !complete {
            bench.heal();
        }
        let stale = run.report.as_ref().is_none_or(|r| r["summary"]["shops_stale"] != 0);
        if complete || stale || row.runs > 2 {
            plan = None;
        }
    }
    // One apply recovers from network faults; the others require at least a second apply.
    let network = |rule: &Value| {
        let deeds = ["token_revoked", "frozen", "locked", "uninstalled", "removed", "other_writer"];
        !deeds.iter().any(|deed| rule["fault"] == *deed)
            && rule["probability"].is_null()
            && rule["times"].as_u64().is_none_or(|times| times < 5)
    };
    if row.runs > 1 && rules.len() <= 1 && rules.iter().all(network) {
        row.said.push("one apply was not enough".into());
    }
    if !done {
        row.said.push(format!("not done after {ROUNDS} rounds; {}", bench.control("GET", "faults", "")));
    }
    // A row about a fault that was never injected would prove nothing. In a mix, a fault can be absent by chance.
    if rules.iter().all(|rule| rule["probability"].is_null()) {
        row.said.extend(bench.idle().into_iter().map(|fault| format!("{fault} never struck")));
    }
    let (lost, doubled) = compare(transport, &bench.store(), SHOPS, &mut row.said);
    (row.lost, row.doubled) = (lost, doubled);
    let touched = unmanaged(&start, &bench.store(), &bench.deeds());
    row.foreign = touched.len();
    row.said.extend(touched);
    row
}

/// Unmanaged subscriptions are byte for byte what they were, unless another writer changed them.
fn unmanaged(start: &Store, end: &Store, deeds: &[String]) -> Vec<String> {
    let mut said = Vec::new();
    for (shop, before) in start {
        for (id, subscription) in before.iter().filter(|(_, s)| !s["uri"].as_str().unwrap().starts_with(MANAGED)) {
            let theirs = deeds
                .iter()
                .any(|d| d.contains(&id.to_string()) || (d.starts_with(shop.as_str()) && d.ends_with("uninstalled")));
            if !theirs && end[shop].get(id) != Some(subscription) {
                said.push(format!("{shop}: the unmanaged {id} was touched"));
            }
        }
        // Subscriptions that another writer moved outside the ownership rule stay there.
        for deed in deeds.iter().filter(|d| d.starts_with(shop.as_str()) && d.contains(FOREIGN)) {
            let id = deed.split_whitespace().find_map(|word| word.parse::<u64>().ok());
            if id.and_then(|id| end[shop].get(&id)).is_none_or(|s| s["uri"] != FOREIGN) {
                said.push(format!("{shop}: touched what another writer had moved away: {deed}"));
            }
        }
    }
    said
}

/// Over both modes and every transport.
fn rows(jobs: &[(String, u64, Vec<Value>)]) -> Vec<Row> {
    let mut all = Vec::new();
    for (name, seed, rules) in jobs {
        for transport in TRANSPORTS {
            all.extend([Mode::Fresh, Mode::Saved].map(|mode| (name, transport, mode, *seed, rules)));
        }
    }
    let each = side_by_side(all, |(name, transport, mode, seed, rules)| {
        let mut row = to_the_end(transport, mode, seed, rules);
        row.name.clone_from(name);
        for said in &mut row.said {
            *said = format!("{name}, {mode:?}, {transport:?}, seed {seed}: {said}");
        }
        row
    });
    let mut rows: Vec<Row> = Vec::new();
    for row in each {
        match rows.last_mut().filter(|last| last.name == row.name) {
            Some(last) => last.add(&row),
            None => rows.push(row),
        }
    }
    rows
}

#[test]
fn every_fault_alone() {
    let only = std::env::var("FAULT").unwrap_or_default(); // to look for a bug
    let jobs = faults().into_iter().chain(between_readings()).filter(|(name, _)| name.contains(&only));
    let jobs: Vec<_> = jobs.map(|(name, rules)| (name.to_owned(), 1, rules)).collect();
    let rows = rows(&jobs);
    table::print(0, &rows);
    let mut all = Row::default();
    for row in &rows {
        all.add(row);
    }
    all.is_clean();
}

#[test]
fn random_mixes() {
    let jobs: Vec<_> = (1..=12).map(|seed| ("random mixes of these, seeded".to_owned(), seed, mix(seed))).collect();
    let rows = rows(&jobs);
    table::print(1, &rows);
    rows.iter().for_each(Row::is_clean);
}

#[test]
fn the_rules_of_this_suite_are_rules_of_the_sandbox() {
    let world = World::new("", "sandbox: 1\nshops: [{ shop: acme }]\n");
    let mut more = Vec::new();
    for (at, (_, rules)) in faults().into_iter().chain(between_readings()).enumerate() {
        let name = format!("faults-{at}.yaml");
        world.write(&name, &json!({ "faults": rules }).to_string());
        more.extend(["--faults".to_owned(), name]);
    }
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    assert!(Server::start_with(&world, &more).url.starts_with("http://"), "stderr says which file is refused");
}
