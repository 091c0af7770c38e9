//! No library's wording reaches a user: type names, jargon of parsers, escaped line breaks.

use crate::world::{Run, World, manifest, seed};

const FOREIGN_WORDS: &[&str] = &[
    "struct ",
    "sequence",
    "invalid type",
    "missing field",
    "unknown field",
    "unknown variant",
    "expected value",
    "EOF",
    "os error",
    "relative URL",
    "u32",
    "u64",
    "\\u{a}",
    "TOML parse error",
];

fn world() -> World {
    World::new(&manifest("  - { shop: acme, bindings: [] }\n"), &seed("acme", "      []\n"))
}

/// Writes `file` and runs `args`; the refusal says `expected`, in words.
#[track_caller]
fn told(file: (&str, &str), args: &[&str], expected: &str) {
    let world = world();
    world.write(file.0, file.1);
    let run = world.run(args);
    assert!(run.code != 0, "{run}");
    run.err_has(expected);
    let text = run.to_string();
    let found: Vec<_> = FOREIGN_WORDS.iter().filter(|word| text.contains(**word)).collect();
    assert!(found.is_empty(), "{found:?} in {run}");
}

#[test]
fn errors_in_seeds_and_faults_are_plain_one_per_line() {
    let seed =
        |text: &str, expected: &str| told(("s.sandbox.yaml", text), &["sandbox", "seed", "s.sandbox.yaml"], expected);
    seed("sandbox: 1\nshops:\n  - shop: a\n    subscriptions: { topic: x }\n", "s.sandbox.yaml:4:20: expected a list");
    seed("sandbox: 1\nshops: 7\n", "s.sandbox.yaml:2:8: expected a list");
    seed("sandbox: 1\nshops:\n  - shop: a\n    bucket: 7\n", ":4:13: expected a mapping");
    seed("sandbox: x\nshops: []\n", ":1:10: expected an integer");
    seed("sandbox: 1\nshop: []\n", ":2:1: unknown key `shop`; known keys: ");
    seed("shops: []\n", ":1:1: missing key `sandbox`");
    seed("sandbox: 1\nshops: [\n", ":2:8: invalid YAML: a `[` or `{` is not closed");
    seed("", "unexpected end of the file");
    seed(
        "sandbox: 1\nshops:\n  - shop: a_b\n  - shop: c_d\n",
        "`<handle>.myshopify.com`\n  s.sandbox.yaml:4:11: `c_d` is not",
    );
    let fault = |text: &str, expected: &str| {
        let args = ["sandbox", "serve", "--listen", "127.0.0.1:0", "--faults", "f.yaml"];
        told(("f.yaml", text), &args, expected);
    };
    fault("faults: {}\n", "f.yaml:1:9: expected a list");
    fault("faults: [{ fault: latency, ms: [1] }]\n", "latency: expected an integer, found a list");
    fault("faults: [{ fault: other_writer, act: x }]\n", "unknown value `x`; known values: add, edit, delete");
}

#[test]
fn errors_in_files_of_earlier_runs_are_plain() {
    let plan = |text: &str, expected: &str| {
        for args in [&["apply", "--sandbox", "p.json"][..], &["show", "p.json"]] {
            told(("p.json", text), args, expected);
        }
    };
    plan("{", "unexpected end of the JSON text (line 1, column 1)");
    plan("[1]", "expected a plan, found other JSON");
    plan(r#"{"format_version":"1.0","plan_digest":"x"}"#, "missing key `tool_version`");
    plan(
        r#"{"format_version":"1.0","plan_digest":"x","shops":[{"shop":1}]}"#,
        "shop 1: expected a string, found a number",
    );
    told(("r.json", r#"{"report":1,"format_version":"1.0"}"#), &["show", "r.json"], "not a valid apply report: ");
    let since = ["drift", "--sandbox", "--since", "r.json"];
    told(
        ("r.json", r#"{"report":1,"format_version":"1.0"}"#),
        &since,
        "not a valid apply report: expected a mapping, found a number",
    );
    told(("r.json", "x"), &since, "invalid JSON (line 1, column 1)");
    let damaged = ["plan", "--sandbox", "--sandbox-state", "x.json"];
    told(("x.json", r#"{"hookwright_sandbox":1}"#), &damaged, "missing key `id`");
}

#[test]
fn errors_in_addresses_and_patterns_on_the_command_line_are_plain() {
    let plan = |more: &[&str], expected: &str| told(("x", ""), &[&["plan", "--sandbox"], more].concat(), expected);
    plan(&["--secrets", "env:[a"], "a `[` is not closed");
    plan(&["--out", "none/x.json"], "the folder does not exist");
    let login = ["auth", "url", "--shop", "acme", "--redirect-uri", "foo"];
    told(("x", ""), &login, "it does not begin with a scheme such as `https://`");
    let world = world();
    let mut plan = world.command(&["plan"]);
    let run = Run::of(&plan.env("HOOKWRIGHT_ADMIN_URL", "http://127.0.0.1:99999/{shop}").output().unwrap());
    run.exits(3).err_has("its port is not a number up to 65535");
}
