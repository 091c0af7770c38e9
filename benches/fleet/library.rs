//! Compares Shopify's JavaScript library with the tool and the bare client over the same fake. benches/shopify-api/run
//! installs the library and starts this section.

use std::path::Path;
use std::process::Command;

use crate::args::Args;
use crate::case::{Case, Run};
use crate::fake::{Fake, Setting};
use crate::world::{self, Live};
use crate::{measure, table};

pub fn print(args: &Args) {
    let script = args.text("script").expect("--script PATH is required: run benches/shopify-api/run");
    println!("{}", table::HEAD);
    let latency_ms = args.value("latency", 50_u64);
    let shops = args.value("shops", 200_usize);
    for live in [Live::Full, Live::Empty] {
        let case =
            Case { live, shops, bindings: 12, latency_ms, parallelism: 64, tls: None, alpn: "", open_files: None };
        let folder = tempfile::tempdir().unwrap();
        let pair = case.pair(folder.path());
        println!("{}", table::row(&format!("hookwright, {}", case.name()), &case, &pair.tool, &pair.floor));
        println!("{}", table::row(&format!("bare client, {}", case.name()), &case, &pair.floor, &pair.floor));
        for parallelism in [64, 16, 1] {
            let case = Case { parallelism, ..case.clone() };
            let run = library(&case, script, folder.path());
            println!("{}", table::row(&format!("@shopify/shopify-api, {}", case.name()), &case, &run, &pair.floor));
        }
    }
    println!(
        "\nThe floor in every row is the bare client with 64 shops at a time. The library has no plan: the row for it is a \
         register() that changes nothing.\n"
    );
}

fn library(case: &Case, script: &str, folder: &Path) -> Run {
    let Case { live, bindings, latency_ms, shops, parallelism, .. } = case;
    let setting = Setting { live: *live, bindings: *bindings, latency_ms: *latency_ms, tls: None, alpn: "" };
    let fake = Fake::start(&setting);
    let topics: Vec<String> = (0..*bindings).map(world::graphql_topic).collect();
    let names: Vec<String> = (0..*shops).map(world::handle).collect();
    std::fs::write(folder.join("shops.txt"), names.join("\n")).unwrap();
    let mut command = Command::new("node");
    command.args([script, &fake.url, world::ADDRESS, &topics.join(","), &parallelism.to_string()]);
    command.arg(folder.join("shops.txt"));
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", folder);
    let out = folder.join("library.txt");
    let took = measure::run(&command, &out);
    let seen = fake.finish();
    let printed = std::fs::read_to_string(out).unwrap();
    assert!(took.code == 0, "the library failed: {printed:.3000}");
    assert_eq!(seen.subscriptions, shops * bindings, "what is live at the end: {seen:?}\n{printed:.2000}");
    Run { took, seen }
}
