//! Plans all shards in parallel on this machine and compares their merge with the unsharded plan.

use std::path::Path;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::args::Args;
use crate::case;
use crate::fake::{Fake, Setting};
use crate::merge::{difference, merged, text, without_selection};
use crate::world::{self, Live};

/// The maximum size of a shard, relative to the mean.
const MOST: f64 = 1.15;

/// Consents to the hazards of the limits below.
const CONSENT: [&str; 4] = ["--allow", "max_delete_percent:*", "--allow", "max_total_delete_percent"];

/// Shops with labels and with limits of their own that cause a hazard, and a shop without a token. The limit of the run causes
/// a hazard, too.
fn manifest(shops: usize) -> String {
    let own = |n: usize| match n {
        7 => ", auth: { access_token: { env: BENCH_NOBODY_HAS_IT } }",
        _ if n.is_multiple_of(30) => ", safety: { max_delete_percent: 5 }",
        _ if n.is_multiple_of(7) => ", labels: { region: emea }",
        _ => "",
    };
    world::manifest_with(shops, 12, own) + "safety: { max_total_delete_percent: 2 }\n"
}

/// Returns whether the merge is equal to the unsharded plan and the shards are balanced.
pub fn print(args: &Args) -> bool {
    let (shops, shards) = (args.value("shard-shops", 10_000_usize), args.value("shards", 16_usize));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let file = folder.join("shards.yaml");
    std::fs::write(&file, manifest(shops)).unwrap();
    let fake = Fake::start(&Setting { live: Live::Drift, bindings: 12, latency_ms: 0, tls: None, alpn: "" });
    let plan = |name: &str, more: &[String]| -> Command {
        let mut command = case::tool(folder);
        command.args(["plan", "--quiet", "--file"]).arg(&file).arg("--out").arg(folder.join(name)).args(more);
        command.env("HOOKWRIGHT_ADMIN_URL", &fake.url).env("SOURCE_DATE_EPOCH", "1790000000").stdout(Stdio::null());
        command.stderr(Stdio::null());
        command
    };
    // 4: the shard of the shop without a token.
    let fine = |status: ExitStatus| matches!(status.code(), Some(0 | 4));

    let start = Instant::now();
    assert!(fine(plan("whole.json", &[]).status().unwrap()));
    let whole_took = start.elapsed();
    let start = Instant::now();
    let names: Vec<String> = (0..shards).map(|k| format!("shard-{k}.json")).collect();
    let running: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(k, name)| {
            plan(name, &[format!("--shard-index={k}"), format!("--shard-count={shards}")]).spawn().unwrap()
        })
        .collect();
    for mut child in running {
        assert!(fine(child.wait().unwrap()));
    }
    let shards_took = start.elapsed();

    let start = Instant::now();
    let show = |more: &[&[&str]], files: &[String]| -> Output {
        let mut command = case::tool(folder);
        command.current_dir(folder).arg("show").args(more.concat()).args(files);
        command.output().unwrap()
    };
    let check = show(&[&["--check", "--out", "checked.json"], &CONSENT], &names);
    assert!(check.status.success(), "show --check: {}", String::from_utf8_lossy(&check.stderr));
    let shown = show(&[], &names);
    let merge_took = start.elapsed();
    let parts: Vec<Value> = names.iter().map(|name| read(&folder.join(name))).collect();
    let sizes: Vec<usize> = parts.iter().map(|part| part["shops"].as_array().map_or(0, Vec::len)).collect();
    let whole_file = ["whole.json".to_owned()];
    let whole = read(&folder.join("whole.json"));
    let shown_whole = show(&[], &whole_file);
    let [refused, refused_whole] = [&names[..], &whole_file].map(|files| show(&[&["--check"]], files));
    fake.finish();
    let of_each = [&whole["complete"], &whole["hazards"][0]["shop"]];
    assert_eq!(of_each, [&Value::Bool(false), &Value::Null], "a shop that fails, and a hazard of the run");

    let mean = shops as f64 / shards as f64;
    let fullest = sizes.iter().copied().max().unwrap_or(0) as f64 / mean;
    println!(
        "{shops} shops in {shards} shards, {shards} processes at once: planned in {:.1} s (unsharded: {:.1} s), checked and \
         rendered together in {:.1} s.\nShops per shard: {sizes:?}; the largest is {fullest:.3} x the mean (at most {MOST}).",
        shards_took.as_secs_f64(),
        whole_took.as_secs_f64(),
        merge_took.as_secs_f64(),
    );
    let mut one_lost = parts.clone();
    let whole = without_selection(whole);
    let said = difference("", &merged(parts), &whole);
    let differs = |differs: bool, what: &str| differs.then(|| what.to_owned());
    let rendered = differs(text(&shown.stdout) != text(&shown_whole.stdout), "in the output of `show`");
    let judged = differs(
        (refused.status, &refused.stderr) != (refused_whole.status, &refused_whole.stderr),
        "in the output of `show --check`",
    );
    if let Some(difference) = said.or(rendered).or(judged) {
        eprintln!("The merge differs from the unsharded plan: {difference}");
        return false;
    }
    if let Some(Value::Array(shops)) = one_lost.iter_mut().find_map(|part| part.get_mut("shops")) {
        shops.pop();
    }
    if difference("", &merged(one_lost), &whole).is_none() {
        eprintln!("The comparison does not detect a missing shop.");
        return false;
    }
    if sizes.iter().sum::<usize>() != shops || fullest > MOST {
        eprintln!("The shards are not balanced, or a shop is missing or in two shards.");
        return false;
    }
    println!(
        "Except for the selection, the merge is equal to the unsharded plan: as JSON and in the output of `show` and \
         `show --check`. The comparison detects a missing shop.\n"
    );
    true
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
