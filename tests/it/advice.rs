//! Commands in messages. Users paste them, so the binary must accept each of them unchanged.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use crate::world::{A, B, World, manifest};

/// Those that were tried already by this process.
static TRIED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The commands that a text names: in backticks, on a line of their own, or after a colon at a line's end.
pub fn commands(said: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in said.lines() {
        found.extend(line.split('`').skip(1).step_by(2).filter(|part| part.starts_with("hookwright ")));
        let plain = line.rsplit_once(": ").map_or(line, |(_, rest)| rest).trim();
        if plain.starts_with("hookwright ") && !plain.contains('`') {
            found.push(plain);
        }
    }
    found.into_iter().map(str::to_owned).collect()
}

/// The words of a command, without `hookwright`, as a shell splits them. A placeholder is replaced by a shop.
pub fn words(command: &str) -> Vec<String> {
    let words = shlex::split(&command.replace("<shop>", "acme")).expect("quotation marks in pairs");
    words.into_iter().skip(1).collect()
}

/// Tries each command that a text names, in an empty folder: whatever it then lacks, its command line must be whole.
#[track_caller]
pub fn try_out(said: &str) {
    for command in commands(said) {
        if !TRIED.lock().unwrap().insert(command.clone()) {
            continue;
        }
        let mut words = words(&command);
        // It would wait for requests.
        if words.iter().any(|word| word == "serve") {
            words.push("--help".to_owned());
        }
        let folder = tempfile::tempdir().unwrap();
        let mut binary = Command::new(env!("CARGO_BIN_EXE_hookwright"));
        binary.args(words).current_dir(folder.path()).env_clear().stdin(Stdio::null());
        let output = binary.output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(!err.contains("try '--help'"), "`{command}` is named, and not understood: {err}\nnamed in: {said}");
    }
}

#[test]
fn commands_are_found_at_every_position() {
    let said = "error: x: `hookwright auth url --shop a`, or `other`\n  hookwright auth exchange --shop a --callback 'a b'\n\
                lacks it, then: hookwright auth login --shop a\nthis hookwright supports 1.x\n";
    let expected = [
        "hookwright auth url --shop a",
        "hookwright auth exchange --shop a --callback 'a b'",
        "hookwright auth login --shop a",
    ];
    assert_eq!(commands(said), expected);
    assert_eq!(words(expected[1]), ["auth", "exchange", "--shop", "a", "--callback", "a b"]);
    try_out(said);
    assert!(std::panic::catch_unwind(|| try_out("see `hookwright auth url`")).is_err(), "--shop is needed");
}

#[test]
fn a_command_in_a_message_includes_its_shop_manifest_and_target() {
    let shops = "  - { shop: acme, scopes: [read_customers], bindings: [{ topic: customers/create, destination: a }, { topic: customers/create, destination: b }] }\n";
    let seed = format!(
        "sandbox: 1\nshops:\n  - shop: acme\n    scopes: [read_products]\n    subscriptions:\n      \
         - {{ topic: customers/create, address: \"{A}\", id: 1 }}\n      - {{ topic: customers/create, address: \"{B}\", id: 2 }}\n"
    );
    let world = World::new(&manifest(shops), &seed);
    world.write("hooks/all.yaml", &world.read("hookwright.yaml"));
    world.write("hooks/all.sandbox.yaml", &seed);
    std::fs::remove_file(world.path("hookwright.yaml")).unwrap();
    let run = world.plan(&["-f", "hooks/all.yaml", "--sandbox-state", "state.json"]);
    // Of a finding that occurs twice in one shop, and of a single one.
    run.out_has_times(
        2,
        "`hookwright sandbox edit scopes --shop acme read_customers,read_products --state state.json`",
    );
    assert!(!run.out.contains("<shop>"), "{run}");
    try_out(&run.out);
    let granting = commands(&run.out).into_iter().find(|command| command.contains("edit scopes")).unwrap();
    let granting = words(&granting);
    world.run(&granting.iter().map(String::as_str).collect::<Vec<_>>()).exits(0);
    let run = world.plan(&["-f", "hooks/all.yaml", "--sandbox-state", "state.json"]);
    assert!(!run.out.contains("scope_missing"), "{run}");

    // A binding that is blocked says what to do as well.
    let seed = "sandbox: 1\nshops:\n  - { shop: acme, scopes: [read_products] }\n";
    let world = World::new(&manifest(&shops.replace("scopes: [read_customers], ", "")), seed);
    world.plan(&[]).out_has(
        "is not granted; add it to the app and run `hookwright sandbox edit scopes --shop acme read_customers,read_products`",
    );
}
