//! Two applies at once: of the same manifest, and of two manifests that own different addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;

use serde_json::{Value, json};

use super::bench::{Bench, Run, Store, side_by_side};
use super::shops::{MANAGED, TRANSPORTS, Transport, compare, head, line, manifest, seed};
use super::table::{self, Row};

const SHOPS: usize = 4;
const DUELS: u64 = 6;

/// Runs both at once.
fn at_once(bench: &Bench, first: &[&str], second: &[&str]) -> [Run; 2] {
    let children =
        [first, second].map(|args| bench.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let mut names = [first, second].into_iter().map(|args| *args.last().unwrap());
    children.map(|child| bench.finished(&child.wait_with_output().unwrap(), names.next()))
}

fn outcomes(run: &Run) -> Vec<(&str, &Value)> {
    let shops = run.report.as_ref().map(|r| r["shops"].as_array().unwrap().as_slice()).unwrap_or_default();
    shops
        .iter()
        .flat_map(|shop| shop["outcomes"].as_array().unwrap().iter().map(|o| (shop["shop"].as_str().unwrap(), o)))
        .collect()
}

fn number(id: &Value) -> Option<u64> {
    id.as_str()?.rsplit('/').next()?.parse().ok()
}

/// Exactly one of the runs claims each change. A second claim is valid only if an answer was lost and the outcome states
/// that another run may have made the change.
fn claims(runs: &[Run; 2], before: &Store, after: &Store) -> Vec<String> {
    let mut claimed: BTreeMap<(u64, bool), usize> = BTreeMap::new();
    let mut unsure: BTreeMap<(u64, bool), usize> = BTreeMap::new();
    for (_, outcome) in runs.iter().flat_map(outcomes).filter(|(_, o)| o["result"] == "applied") {
        let change = &outcome["change"];
        let id = match change["action"].as_str().unwrap() {
            "create" => (number(&outcome["id"]), true),
            "delete" => (number(&change["before"]["id"]), false),
            _ => continue,
        };
        let doubts = outcome["confirmed_by"] == "read"
            && outcome["reason"].as_str().is_some_and(|reason| reason.contains("another run may have made the change"));
        let claims = if doubts { &mut unsure } else { &mut claimed };
        *claims.entry((id.0.unwrap_or_default(), id.1)).or_default() += 1;
    }
    let ids = |store: &Store| -> BTreeSet<u64> { store.values().flat_map(|s| s.keys().copied()).collect() };
    let (before, after) = (ids(before), ids(after));
    let mut expected: BTreeMap<(u64, bool), usize> = BTreeMap::new();
    expected.extend(after.difference(&before).map(|id| ((*id, true), 1)));
    expected.extend(before.difference(&after).map(|id| ((*id, false), 1)));
    for id in unsure.keys() {
        claimed.entry(*id).or_insert(1);
    }
    if claimed == expected {
        return Vec::new();
    }
    vec![format!("made (true) and removed (false): {expected:?}; claimed: {claimed:?}, of which unsure: {unsure:?}")]
}

/// The network faults of both runs.
#[derive(Clone, Copy, PartialEq)]
enum Network {
    Slow,
    /// Slow, and answers to mutations get lost.
    Losing,
}

impl Network {
    fn faults(self, bench: &Bench, n: u64) {
        let mut rules = vec![json!({"fault": "latency", "ms": 1, "jitter_ms": 30})];
        if self == Self::Losing {
            rules.push(json!({"fault": "drop", "commit": "after", "on": "mutation", "probability": 0.7, "times": 4}));
            rules.push(json!({"fault": "drop", "on": "mutation", "probability": 0.5, "times": 2}));
        }
        bench.faults(n, &rules);
    }
}

fn same_manifest(transport: Transport, network: Network, n: u64) -> Row {
    let bench = Bench::new(&manifest(transport, SHOPS), &seed(transport, SHOPS));
    assert_eq!(bench.run(&["plan", "--out", "plan.json"]).code, 0);
    network.faults(&bench, n);
    let start = bench.store();
    let apply: [&[&str]; 2] = if n.is_multiple_of(2) {
        [&["apply", "plan.json", "--report", "1.json"], &["apply", "plan.json", "--report", "2.json"]]
    } else {
        [&["apply", "--auto-approve", "--report", "1.json"], &["apply", "--auto-approve", "--report", "2.json"]]
    };
    let runs = at_once(&bench, apply[0], apply[1]);
    let mut row = Row { runs: 2, ..Row::default() };
    row.changes = runs.iter().map(|run| outcomes(run).len()).sum();
    row.said = claims(&runs, &start, &bench.store());
    row.wrong = row.said.len();
    bench.faults(n, &[]);
    // A rename step of one is undone by the other's next step: the last run decides.
    let last = bench.run(&["apply", "--auto-approve", "--report", "3.json"]);
    row.runs += 1;
    if last.code != 0 {
        row.said.push(format!("the apply after the duel: {}", last.text));
    }
    (row.lost, row.doubled) = compare(transport, &bench.store(), SHOPS, &mut row.said);
    let foreign = |store: &Store| -> Vec<Value> {
        let all = store.values().flat_map(BTreeMap::values);
        all.filter(|s| !s["uri"].as_str().unwrap().starts_with(MANAGED)).cloned().collect()
    };
    if foreign(&start) != foreign(&bench.store()) {
        row.foreign = 1;
        row.said.push("an unmanaged subscription was touched".into());
    }
    row
}

/// Two teams of one app, each with addresses of its own in the same topics.
fn two_manifests(transport: Transport, n: u64) -> Row {
    let owner = |prefix: &str, name: &str| {
        let mut text = head(transport, "2026-10");
        text +=
            &format!("destinations: {{ a: {prefix}a }}\nownership: {{ address_prefixes: [\"{prefix}\"] }}\nshops:\n");
        for shop in 1..=SHOPS {
            text += &format!(
                "  - shop: s{shop}\n    bindings:\n      - {{ topics: [orders/create, orders/paid], destination: a }}\n      \
                 - {{ topic: orders/updated, destination: a, include_fields: [id]{} }}\n",
                if transport == Transport::Rest { String::new() } else { format!(", name: {name}") }
            );
        }
        text
    };
    let mut seed = "sandbox: 1\ndefaults: { scopes: [write_orders] }\nshops:\n".to_owned();
    for shop in 1..=SHOPS {
        seed += &format!("  - shop: s{shop}\n    subscriptions:\n");
        for prefix in ["https://one.example/", "https://two.example/"] {
            seed += &format!(
                "      - {{ topic: orders/updated, address: \"{prefix}a\" }}\n      \
                 - {{ topic: orders/cancelled, address: \"{prefix}a\" }}\n"
            );
        }
    }
    let bench = Bench::new(&owner("https://one.example/", "one"), &seed);
    bench.write("two.yaml", &owner("https://two.example/", "two"));
    Network::Slow.faults(&bench, n);
    let start = bench.store();
    let runs = at_once(
        &bench,
        &["apply", "--auto-approve", "--report", "1.json"],
        &["apply", "-f", "two.yaml", "--auto-approve", "--report", "2.json"],
    );
    let end = bench.store();
    let mut row = Row { runs: 2, ..Row::default() };
    row.changes = runs.iter().map(|run| outcomes(run).len()).sum();
    row.said = claims(&runs, &start, &end);
    for run in &runs {
        if run.code != 0 {
            row.said.push(format!("exit {}: {}", run.code, run.text));
        }
    }
    row.wrong = row.said.len();
    for (shop, subscriptions) in &end {
        let mut there: Vec<String> = subscriptions.values().map(line).collect();
        let name_of = |name| if transport == Transport::Rest { "" } else { name };
        for (prefix, name) in [("https://one.example/", "one"), ("https://two.example/", "two")] {
            for wanted in [
                format!("ORDERS_CREATE {prefix}a json filter= fields= name="),
                format!("ORDERS_PAID {prefix}a json filter= fields= name="),
                format!("ORDERS_UPDATED {prefix}a json filter= fields=id name={}", name_of(name)),
            ] {
                match there.iter().position(|line| *line == wanted) {
                    Some(at) => drop(there.swap_remove(at)),
                    None => {
                        row.lost += 1;
                        row.said.push(format!("{shop} lacks {wanted}"));
                    }
                }
            }
        }
        row.doubled += there.len();
        row.said.extend(there.into_iter().map(|line| format!("{shop} has too many: {line}")));
    }
    row
}

#[test]
fn two_concurrent_applies_lose_and_duplicate_nothing() {
    for transport in TRANSPORTS {
        let sum = |name: &str, each: Vec<Row>| {
            let mut row = Row { name: name.into(), ..Row::default() };
            for one in &each {
                row.add(one);
            }
            row
        };
        let same = side_by_side((0..DUELS).collect(), |n| same_manifest(transport, Network::Slow, n));
        let lost = side_by_side((0..DUELS).collect(), |n| same_manifest(transport, Network::Losing, n));
        let two = side_by_side((0..DUELS).collect(), |n| two_manifests(transport, n));
        let rows = [
            sum("two applies of one manifest at once", same),
            sum("two applies at once, answers lost", lost),
            sum("two manifests, disjoint ownership", two),
        ];
        table::print(5, &rows);
        rows.iter().for_each(Row::is_clean);
    }
}
