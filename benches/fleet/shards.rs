//! Past one machine, on this one: shards planned side by side, and their merge against the plan of the whole.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::args::Args;
use crate::case;
use crate::fake::{Fake, Setting};
use crate::merge::{difference, merged, text, without_selection};
use crate::world::Live;

/// No shard may be above the mean by more.
const MOST: f64 = 1.15;

/// Whether the merge is the whole, and the shards are balanced.
pub fn print(args: &Args) -> bool {
    let (shops, shards) = (args.value("shard-shops", 10_000_usize), args.value("shards", 16_usize));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let manifest = case::write_manifest(folder, shops, 12);
    let fake = Fake::start(&Setting { live: Live::Drift, bindings: 12, latency_ms: 0, tls: None, alpn: "" });
    let plan = |name: &str, more: &[String]| -> Command {
        let mut command = case::tool(folder);
        command.args(["plan", "--quiet", "--file"]).arg(&manifest).arg("--out").arg(folder.join(name)).args(more);
        command.env("HOOKWRIGHT_ADMIN_URL", &fake.url).env("SOURCE_DATE_EPOCH", "1790000000").stdout(Stdio::null());
        command
    };

    let start = Instant::now();
    assert!(plan("whole.json", &[]).status().unwrap().success());
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
        assert!(child.wait().unwrap().success());
    }
    let shards_took = start.elapsed();

    let start = Instant::now();
    let show = |more: &[&str]| {
        let mut command = case::tool(folder);
        command.current_dir(folder).arg("show").args(more).args(&names);
        command.output().unwrap()
    };
    let check = show(&["--check", "--out", "checked.json"]);
    assert!(check.status.success(), "show --check: {}", String::from_utf8_lossy(&check.stderr));
    let shown = show(&[]);
    let merge_took = start.elapsed();
    let parts: Vec<Value> = names.iter().map(|name| read(&folder.join(name))).collect();
    let sizes: Vec<usize> = parts.iter().map(|part| part["shops"].as_array().map_or(0, Vec::len)).collect();
    let whole = read(&folder.join("whole.json"));
    let shown_whole = case::tool(folder).arg("show").arg(folder.join("whole.json")).output().unwrap();
    fake.finish();

    let mean = shops as f64 / shards as f64;
    let fullest = sizes.iter().copied().max().unwrap_or(0) as f64 / mean;
    println!(
        "{shops} shops in {shards} shards, {shards} processes at once: planned in {:.1} s (unsharded: {:.1} s), judged and \
         rendered as one in {:.1} s.\nShops a shard: {sizes:?}; the fullest is {fullest:.3} x the mean (at most {MOST}).",
        shards_took.as_secs_f64(),
        whole_took.as_secs_f64(),
        merge_took.as_secs_f64(),
    );
    let said = difference("", &merged(parts), &without_selection(whole));
    let rendered = (text(&shown.stdout) != text(&shown_whole.stdout)).then(|| "in what `show` renders".to_owned());
    if let Some(difference) = said.or(rendered) {
        eprintln!("The merge is not the unsharded plan: {difference}");
        return false;
    }
    if sizes.iter().sum::<usize>() != shops || fullest > MOST {
        eprintln!("The shards are not balanced, or a shop is in none or in two.");
        return false;
    }
    println!(
        "What the shards say together, in JSON and as `show` renders it, is the unsharded plan but for the selection.\n"
    );
    true
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
