//! Past one machine, on this one: shards planned side by side, and their merge against the plan of the whole.

use std::path::Path;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::args::Args;
use crate::case;
use crate::fake::{Fake, Setting};
use crate::merge::{difference, merged, text, without_selection};
use crate::world::{self, Live};

/// No shard may be above the mean by more.
const MOST: f64 = 1.15;

/// Consent to the hazards that the limits below make.
const CONSENT: [&str; 4] = ["--allow", "max_delete_percent:*", "--allow", "max_total_delete_percent"];

/// Shops with labels, with a limit of their own that is a hazard, and one whose token nobody has; the limit of the run is a
/// hazard, too.
fn manifest(shops: usize) -> String {
    let own = |n: usize| match n {
        7 => ", auth: { access_token: { env: BENCH_NOBODY_HAS_IT } }",
        _ if n.is_multiple_of(30) => ", safety: { max_delete_percent: 5 }",
        _ if n.is_multiple_of(7) => ", labels: { region: emea }",
        _ => "",
    };
    world::manifest_with(shops, 12, own) + "safety: { max_total_delete_percent: 2 }\n"
}

/// Whether the merge is the whole, and the shards are balanced.
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
    // 4: a shop without a token. Which of them has it, the plans say.
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
        "{shops} shops in {shards} shards, {shards} processes at once: planned in {:.1} s (unsharded: {:.1} s), judged and \
         rendered as one in {:.1} s.\nShops a shard: {sizes:?}; the fullest is {fullest:.3} x the mean (at most {MOST}).",
        shards_took.as_secs_f64(),
        whole_took.as_secs_f64(),
        merge_took.as_secs_f64(),
    );
    let mut one_lost = parts.clone();
    let whole = without_selection(whole);
    let said = difference("", &merged(parts), &whole);
    let differs = |differs: bool, what: &str| differs.then(|| what.to_owned());
    let rendered = differs(text(&shown.stdout) != text(&shown_whole.stdout), "in what `show` renders");
    let judged = differs(
        (refused.status, &refused.stderr) != (refused_whole.status, &refused_whole.stderr),
        "in what `show --check` refuses",
    );
    if let Some(difference) = said.or(rendered).or(judged) {
        eprintln!("The merge is not the unsharded plan: {difference}");
        return false;
    }
    if let Some(Value::Array(shops)) = one_lost.iter_mut().find_map(|part| part.get_mut("shops")) {
        shops.pop();
    }
    if difference("", &merged(one_lost), &whole).is_none() {
        eprintln!("A lost shop would not be seen.");
        return false;
    }
    if sizes.iter().sum::<usize>() != shops || fullest > MOST {
        eprintln!("The shards are not balanced, or a shop is in none or in two.");
        return false;
    }
    println!(
        "What the shards say together, in JSON, as `show` renders it and as `show --check` judges it, is the unsharded plan but \
         for the selection; a lost shop is seen.\n"
    );
    true
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
