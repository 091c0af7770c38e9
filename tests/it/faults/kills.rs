//! SIGKILL at any point of an apply, then a second apply: of the same saved plan, or of a fresh one.

use std::process::Stdio;

use serde_json::json;

use super::audit::{Seen, audit};
use super::bench::{Bench, side_by_side};
use super::shops::{TRANSPORTS, Transport, compare, manifest, seed};
use super::table::{self, Row};

const KILLS: usize = 100;
const BENCHES: usize = 10;
const SHOPS: usize = 8;

/// The same plan again, or a new one.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Second {
    SamePlan,
    FreshPlan,
}

/// Kills an apply once the sandbox has seen `point` requests, and `pause` after that; then applies again.
fn kill(bench: &Bench, transport: Transport, point: u64, pause: u64, second: Second) -> Row {
    bench.control("POST", "seed?replace=true", &seed(transport, SHOPS));
    bench.faults(0, &[]);
    let plan = bench.run(&["plan", "--out", "plan.json"]);
    assert_eq!(plan.code, 0, "{}", plan.text);
    // A kill falls before the commit, between it and the answer, or between two requests.
    let latency = |commit| json!({"fault": "latency", "ms": 1, "jitter_ms": 6, "commit": commit});
    bench.faults(point, &[latency("before"), latency("after")]);

    let mut apply = bench.command(&["apply", "plan.json", "--parallelism", "3"]);
    let mut child = apply.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // Both rules strike each request.
    while bench.struck() < point * 2 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    std::thread::sleep(std::time::Duration::from_millis(pause));
    child.kill().unwrap(); // SIGKILL
    let killed = child.wait().unwrap().code().is_none();

    let mut row = Row { runs: usize::from(killed), ..Row::default() };
    // Requests in flight of the killed process may still arrive. At every other kill they may arrive in the middle of the next
    // apply, and make the same plan stale: then a new plan is required, and the first report cannot be compared with the store.
    let at_once = pause.is_multiple_of(2);
    if !at_once {
        bench.quiet();
    }
    for round in 0..3 {
        let before = bench.store();
        let same = round == 0 && second == Second::SamePlan;
        let args: &[&str] = if same {
            &["apply", "plan.json", "--report", "report.json"]
        } else {
            &["apply", "--auto-approve", "--report", "report.json"]
        };
        let run = bench.run(args);
        let after = bench.store();
        if round > 0 || !at_once {
            let plan = same.then(|| bench.json("plan.json"));
            let (changes, wrong) =
                audit(&Seen { run: &run, plan: plan.as_ref(), before: &before, after: &after, deeds: &[] });
            row.changes += changes;
            row.wrong += wrong.len();
            row.said.extend(wrong);
        }
        if same && !at_once && run.code != 0 {
            row.said.push(format!("a plan that was cut short could not be applied again: {}", run.text));
        }
        if run.code == 0 {
            (row.lost, row.doubled) = compare(transport, &after, SHOPS, &mut row.said);
            return row;
        }
    }
    row.said.push("three applies after the kill did not get there".into());
    row
}

#[test]
fn the_next_apply_repairs_the_effects_of_a_killed_apply() {
    for transport in TRANSPORTS {
        let each = side_by_side((0..BENCHES).collect(), |n| {
            let bench = Bench::new(&manifest(transport, SHOPS), &seed(transport, SHOPS));
            let rng = &mut fastrand::Rng::with_seed(n as u64);
            let mut row = Row::default();
            let (mut missed, mut attempt) = (0, 0);
            while row.runs < KILLS / BENCHES {
                let (point, pause) = (rng.u64(0..SHOPS as u64 * transport.requests()), rng.u64(0..8));
                let second = if attempt % 2 == 0 { Second::SamePlan } else { Second::FreshPlan };
                attempt += 1;
                let one = kill(&bench, transport, point, pause, second);
                missed += usize::from(one.runs == 0); // it ended before it could be killed
                assert!(missed < KILLS, "apply ends before it can be killed");
                for said in &one.said {
                    row.said.push(format!("bench {n}, kill at request {point} + {pause} ms, {second:?}: {said}"));
                }
                row.add(&Row { said: Vec::new(), ..one });
            }
            row
        });
        let mut row = Row { name: "SIGKILL, then a second apply".into(), ..Row::default() };
        for one in &each {
            row.add(one);
        }
        assert_eq!(row.runs, KILLS);
        table::print(2, std::slice::from_ref(&row));
        row.is_clean();
    }
}
