//! SIGINT in the middle of an apply, and a document that Shopify refuses as a whole.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::audit::{Seen, audit};
use super::bench::{Bench, side_by_side};
use super::shops::{A, TRANSPORTS, Transport, compare, head, manifest, seed};
use super::table::{self, Row};

const SHOPS: usize = 6;

#[cfg(unix)]
#[test]
fn an_interrupt_ends_with_a_correct_report() {
    for transport in TRANSPORTS {
        let each = side_by_side((0..8).collect(), |n: u64| {
            let bench = Bench::new(&manifest(transport, SHOPS), &seed(transport, SHOPS));
            assert_eq!(bench.run(&["plan", "--out", "plan.json"]).code, 0);
            let plan = bench.json("plan.json");
            assert_eq!(plan["shops"][0]["changes"].as_array().unwrap().len(), transport.changes());
            let latency = |commit| json!({"fault": "latency", "ms": 20, "jitter_ms": 20, "commit": commit});
            bench.faults(n, &[latency("before"), latency("after")]);
            let before = bench.store();
            let mut apply = bench.command(&["apply", "plan.json", "--parallelism", "2", "--report", "report.json"]);
            let child = apply.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let point = fastrand::Rng::with_seed(n).u64(1..SHOPS as u64 * transport.requests());
            while bench.struck() < point * 2 {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            let sent = Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().unwrap();
            assert!(sent.success());
            let run = bench.finished(&child.wait_with_output().unwrap(), Some("report.json"));
            let after = bench.store();
            let (changes, wrong) =
                audit(&Seen { run: &run, plan: Some(&plan), before: &before, after: &after, deeds: &[] });
            let mut row = Row { runs: 1, changes, wrong: wrong.len(), said: wrong, ..Row::default() };
            // Nothing done: 1; some: 8; all of it was in flight: 0.
            let done = |outcome: &Value| outcome["result"] == "applied";
            let report = run.report.as_ref().unwrap();
            let any =
                report["shops"].as_array().unwrap().iter().any(|s| s["outcomes"].as_array().unwrap().iter().any(done));
            let expected = if report["complete"] == true {
                0
            } else if any {
                8
            } else {
                1
            };
            if run.code != expected {
                row.wrong += 1;
                row.said.push(format!("exit {}, not {expected}: {}", run.code, run.text));
            }
            bench.faults(0, &[]);
            let run = bench.run(&["apply", "plan.json", "--report", "report.json"]);
            if run.code != 0 {
                row.said.push(format!("the second apply: {}", run.text));
            }
            (row.lost, row.doubled) = compare(transport, &bench.store(), SHOPS, &mut row.said);
            row
        });
        let mut row = Row { name: "SIGINT".into(), ..Row::default() };
        for one in &each {
            row.add(one);
        }
        table::print(3, std::slice::from_ref(&row));
        row.is_clean();
    }
}

/// A topic that the sandbox's schema of 2026-04 does not have makes Shopify refuse the whole document.
#[test]
fn one_poisoned_change_fails_alone() {
    for transport in TRANSPORTS {
        let bindings: String =
            ["orders/create", "orders/updated", "orders/paid", "variants/delete", "orders/cancelled"]
                .map(|topic| format!("      - {{ topic: {topic}, destination: a }}\n"))
                .concat();
        let manifest = head(transport, "2026-04")
            + &format!(
                "lint: {{ allow: [HW101] }}\ndestinations: {{ a: {A} }}\nshops:\n  - shop: s1\n    bindings:\n{bindings}"
            );
        let seed = "sandbox: 1\ndefaults: { scopes: [write_orders, read_products] }\nshops:\n  - shop: s1\n";
        let bench = Bench::new(&manifest, seed);
        let before = bench.store();
        let run = bench.run(&["apply", "--auto-approve", "--report", "report.json"]);
        let after = bench.store();
        let (changes, wrong) = audit(&Seen { run: &run, plan: None, before: &before, after: &after, deeds: &[] });
        let row = Row {
            name: "a document refused for one of its changes".into(),
            runs: 1,
            changes,
            wrong: wrong.len(),
            said: wrong,
            lost: 4 - after["s1.myshopify.com"].len(),
            ..Row::default()
        };
        table::print(4, std::slice::from_ref(&row));
        row.is_clean();
        // REST says the same of a topic that it does not have and of one whose scope is missing.
        assert_eq!(run.code, if transport == Transport::Rest { 4 } else { 8 }, "{}", run.text);
        let report = run.report.unwrap();
        let failed: Vec<&str> = report["shops"][0]["outcomes"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|o| o["result"] == "failed")
            .map(|o| o["change"]["topic"].as_str().unwrap())
            .collect();
        assert_eq!(failed, ["variants/delete"], "{report:#}");
        assert!(after["s1.myshopify.com"].values().all(|s| s["uri"] == A));
    }
}
