//! `show`, output formats, selection, the small commands.

use crate::world::{World, manifest, seed};

fn world() -> World {
    let shops = "  - { shop: acme, labels: { env: prod }, bindings: [{ topic: orders/create, destination: a }] }\n  \
                 - { shop: globex, labels: { env: stage }, bindings: [{ topic: orders/create, destination: a }] }\n";
    World::new(
        &manifest(shops),
        "sandbox: 1\nshops:\n  - { shop: acme, scopes: [write_orders] }\n  - { shop: globex, scopes: [write_orders] }\n",
    )
}

#[test]
fn show_prints_what_plan_and_apply_printed() {
    let world = world();
    let plan = world.plan(&["--out", "plan.json"]);
    assert_eq!(world.run(&["show", "plan.json"]).out, plan.out);
    assert_eq!(world.run(&["show", "plan.json", "--format", "json"]).out, world.read("plan.json"));
    let applied = world.run(&["apply", "--sandbox", "plan.json", "--report", "report.json"]);
    assert_eq!(world.run(&["show", "report.json"]).out, applied.out);
    world.run(&["show", "plan.json", "report.json"]).exits(3);
}

#[test]
fn show_renders_a_page_of_a_plan_of_shards_and_of_a_report() {
    let world = world();
    world.plan(&["--out", "plan.json"]);
    for shard in ["1/2", "2/2"] {
        world.plan(&["--shard", shard, "--out", &format!("{}.json", &shard[..1])]);
    }
    let verdict = "<h1>Plan: 2 to add, 0 to change, 0 to destroy.</h1>";
    for files in [&["plan.json"][..], &["1.json", "2.json"]] {
        let page = world.run(&[&["show", "--format", "html"], files].concat());
        page.exits(0).out_has(verdict).out_has("Target: sandbox (");
        assert!(page.out.starts_with("<!doctype html>") && page.out.ends_with("</html>\n") && page.err.is_empty());
        assert_eq!(page.out, world.run(&[&["show", "--format", "html"], files].concat()).out, "the same bytes");
    }
    world.run(&["show", "--format", "html", "--check", "1.json"]).exits(3).err_has("1 of 2 shards: 2/2 is missing");
    world.run(&["apply", "--sandbox", "plan.json", "--report", "report.json"]);
    let page = world.run(&["show", "--format", "html", "report.json"]);
    page.exits(0).out_has("<h1>Apply complete! Resources: 2 added, 0 changed, 0 destroyed.</h1>");
    world.run(&["show", "--format", "html", "plan.json", "report.json"]).exits(3);
}

#[test]
fn markdown_fits_into_a_comment() {
    let world = world();
    world.plan(&["--out", "plan.json"]);
    let plan = world.run(&["show", "plan.json", "--format", "markdown"]);
    plan.exits(0).out_has("+ orders/create -> a");
    let verdict = "## Plan: 2 to add, 0 to change, 0 to destroy.";
    assert!(plan.out.starts_with(&format!("<!-- hookwright: plan -->\n{verdict}\n\n- **Target: sandbox (`")), "{plan}");
    let drift = world.run(&["drift", "--sandbox", "--format", "markdown"]);
    drift.exits(2);
    let verdict = "## Drift: 2 missing, 0 changed, 0 extra.";
    assert!(drift.out.starts_with(&format!("<!-- hookwright: drift -->\n{verdict}\n")), "{drift}");
    world.run(&["apply", "--sandbox", "plan.json", "--report", "report.json"]).exits(0);
    let report = world.run(&["show", "report.json", "--format", "markdown"]);
    let verdict = "## Apply complete! Resources: 2 added, 0 changed, 0 destroyed.";
    assert!(report.out.starts_with(&format!("<!-- hookwright: apply -->\n{verdict}\n")), "{report}");
    let silent = world.run(&["drift", "--sandbox", "--format", "markdown"]);
    silent.exits(0);
    assert_eq!(silent.out, "");
}

#[test]
fn selection_by_pattern_and_label() {
    let world = world();
    let shops = |args: &[&str]| -> Vec<String> {
        let plan = world.plan_json(args);
        plan["shops"].as_array().unwrap().iter().map(|s| s["shop"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(shops(&["--shop", "ac*"]), ["acme.myshopify.com"]);
    assert_eq!(shops(&["--exclude-shop", "acme.myshopify.com"]), ["globex.myshopify.com"]);
    assert_eq!(shops(&["--label", "env=stage"]), ["globex.myshopify.com"]);
    assert_eq!(shops(&["--label", "env=stage", "--label", "env=prod"]).len(), 2);
    world.plan(&["--shop", "nobody"]).exits(3).err_has("matches no shop");
    world.plan(&["--label", "env"]).exits(3);
    world.plan(&["--timeout", "soon"]).exits(3).err_has("duration");
}

#[test]
fn usage_errors_exit_with_three_and_help_exits_with_zero() {
    let world = world();
    world.run(&["plan", "--no-such-option"]).exits(3);
    world.run(&["no-such-command"]).exits(3);
    world.run(&[]).exits(3);
    for args in [&["--help"][..], &["plan", "--help"], &["--version"]] {
        let run = world.run(args);
        run.exits(0);
        assert!(!run.out.is_empty() && run.err.is_empty(), "{run}");
    }
}

#[test]
fn colours_are_printed_on_terminals_or_on_request() {
    let world = world();
    assert!(!world.plan(&[]).out.contains('\u{1b}'));
    assert!(world.plan(&["--color", "always"]).out.contains('\u{1b}'));
    let command = &mut world.command(&["plan", "--sandbox", "--color", "auto"]);
    assert!(!String::from_utf8(command.env("NO_COLOR", "1").output().unwrap().stdout).unwrap().contains('\u{1b}'));
}

#[test]
fn completions_and_man_pages_are_written_for_every_shell_and_command() {
    let world = world();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        world.run(&["completions", shell]).exits(0).out_has("hookwright");
    }
    for args in [&["man"][..], &["man", "plan"], &["man", "sandbox"]] {
        world.run(args).exits(0).out_has(".TH");
    }
    world.run(&["man", "nothing"]).exits(3);
    // A command below another, and the way there in the complaint.
    world.run(&["man", "sandbox", "edit", "remove"]).exits(0).out_has(".TH HOOKWRIGHT-SANDBOX-EDIT-REMOVE 1");
    world.run(&["man", "sandbox", "nothing"]).exits(3).err_has("`hookwright sandbox --help`");
}

#[test]
fn every_man_page_is_written_with_its_sections() {
    let world = world();
    world.run(&["man", "--all", "share/man1"]).exits(0);
    let page = |name: &str| world.read(&format!("share/man1/hookwright{name}.1"));
    let sections = |text: &str| -> Vec<String> {
        text.lines().filter_map(|l| l.strip_prefix(".SH ")).map(|l| l.trim_matches('"').to_owned()).collect()
    };
    for entry in std::fs::read_dir(world.path("share/man1")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "ENVIRONMENT", "EXAMPLES", "SEE ALSO"] {
            assert!(sections(&text).iter().any(|s| s == section), "{section} is missing:\n{text}");
        }
        // What a page refers to is there.
        let (_, related) = text.split_once(".SH \"SEE ALSO\"\n").unwrap();
        for name in
            related.trim().split(", ").map(|name| name.replace("\\fB", "").replace("\\fR(1)", "").replace("\\-", "-"))
        {
            assert!(world.path(&format!("share/man1/{name}.1")).exists(), "{name}:\n{text}");
        }
    }
    let plan = page("-plan");
    for name in
        ["HOOKWRIGHT_ADMIN_URL", "HOOKWRIGHT_TRUST_HOSTS", "HOOKWRIGHT_ALLOW_COMMANDS", "NO_COLOR", "SOURCE_DATE_EPOCH"]
    {
        assert!(plan.contains(&name.replace('-', "\\-")), "{name}");
    }
    assert!(!page("-validate").contains("HOOKWRIGHT_ADMIN_URL") && page("").contains("GITHUB_WORKSPACE"));
    assert!(page("-apply").contains("a hazard without consent") && !plan.contains("a hazard without consent"));
    // The folder is a file's name already.
    world.run(&["man", "--all", "hookwright.yaml"]).exits(1).err_has("cannot write the man pages");
}

#[test]
fn drift_exits_with_two_and_prints_one_verdict() {
    let world = world();
    let drift = world.run(&["drift", "--sandbox", "--out", "drift.json"]);
    drift.exits(2).ends("Drift: 2 missing, 0 changed, 0 extra.");
    assert_eq!(drift.err, "");
    assert!(world.read("drift.json").contains("\"exit_code\": 2"));
    assert_eq!(world.mutations(), 0);
    let steps = "\n  2. Repair:\n       hookwright apply drift.json --sandbox\n";
    drift.out_has(steps);
    world.run(&["show", "drift.json"]).exits(0).out_has(steps).ends("Drift: 2 missing, 0 changed, 0 extra.");
    world
        .run(&["apply", "--sandbox", "drift.json"])
        .exits(0)
        .ends("Apply complete! Resources: 2 added, 0 changed, 0 destroyed.");
}

#[test]
fn links_are_in_the_markdown_and_the_page_and_only_web_pages_are_linked() {
    let world = World::new(&manifest("  - { shop: acme, bindings: [] }\n"), &seed("acme", "      []\n"));
    world.plan(&["--out", "plan.json"]).exits(0);
    let show = |link: &str, format: &str| world.run(&["show", "plan.json", "--format", format, "--link", link]);
    show("run [1]=https://ci.example.com/a b?<c>", "markdown")
        .exits(0)
        .out_has("\n[run `[1]`](<https://ci.example.com/a%20b?%3Cc%3E>)\n");
    show("run=https://ci.example.com/\"><script>", "html")
        .exits(0)
        .out_has("<a href=\"https://ci.example.com/%22%3E%3Cscript%3E\" rel=\"noreferrer\">run</a>");
    for link in
        ["run=javascript:alert(1)", "run=https://user:secret@example.com", "https://example.com", "=https://a.example"]
    {
        show(link, "markdown").exits(3).err_has("expected NAME=URL with an https or http URL");
    }
    show("run=https://ci.example.com", "text").exits(3).err_has("`--link` requires `--format markdown`");
    let slack = show("run=https://ci.example.com", "slack").json();
    assert_eq!(slack["blocks"][1]["elements"][0]["text"], "<https://ci.example.com/|run>");
}

#[test]
fn the_proposed_repair_of_a_shard_judges_all_shards() {
    let world = world();
    for shard in ["1/2", "2/2"] {
        let file = format!("{}.json", &shard[..1]);
        world.run(&["drift", "--sandbox", "--shard", shard, "--out", &file]);
    }
    // Without a file there is nothing to judge: the command plans all shards.
    let unsaved = world.run(&["drift", "--sandbox", "--shard", "1/1"]);
    unsaved.exits(2).out_has("\n  2. Repair:\n       hookwright apply --sandbox\n");
    let text = world.run(&["show", "1.json", "2.json"]);
    text.exits(0).out_has("\n       hookwright show --check --out checked.json 1.json …\n");
    world.run(&["show", "--check", "--out", "checked.json", "1.json", "2.json"]).exits(0);
    for file in ["1.json", "2.json"] {
        world.run(&["apply", "--sandbox", file, "--checked", "checked.json"]).exits(0);
    }
    world.run(&["drift", "--sandbox"]).exits(0);
    let odd = world.run(&["drift", "--sandbox", "--exclude-shop", "a*", "--tolerate", "frozen", "--out=-l.json"]);
    odd.exits(0);
    world.edit(&["remove", "--shop", "acme", "--topic", "orders/create"]);
    let options = ["drift", "--sandbox", "--shop", "ac*", "--tolerate", "frozen"];
    world.run(&options).exits(2).out_has("\n       hookwright apply --shop 'ac*' --tolerate frozen --sandbox\n");
    world
        .run(&["drift", "--sandbox", "--out=-l.json"])
        .exits(2)
        .out_has("\n       hookwright apply ./-l.json --sandbox\n");
}

#[test]
fn a_message_for_slack_has_the_verdict_and_what_to_do() {
    let world = world();
    world.run(&["drift", "--sandbox", "--out", "drift.json"]).exits(2);
    let message = |files: &[&str]| world.run(&[&["show", "--format", "slack"], files].concat()).json();
    let drift = message(&["drift.json"]);
    assert_eq!(drift["text"], "Drift: 2 missing, 0 changed, 0 extra.");
    assert_eq!(drift["blocks"][0]["text"]["text"], drift["text"]);
    let all = drift.to_string();
    for part in [
        "2 subscriptions in both shops are missing: orders/create -&gt; a.",
        "*Missing (2 subscriptions in 2 shops):*\\n```\\n  2 shops: acme, globex\\n    - orders/create -&gt; a\\n```",
        "  2. Repair:\\n       hookwright apply drift.json --sandbox",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    world.run(&["apply", "--sandbox", "drift.json", "--report", "report.json"]).exits(0);
    let report = message(&["report.json"]);
    assert_eq!(report["text"], "Apply complete! Resources: 2 added, 0 changed, 0 destroyed.");
    world.plan(&["--name", "prod", "--out", "prod.json"]).exits(0);
    world.plan(&["--name", "stage", "--out", "stage.json"]).exits(0);
    let runs = message(&["prod.json", "stage.json"]);
    assert_eq!(runs["text"], "2 runs side by side: prod, stage");
    assert_eq!(runs["blocks"][1]["text"]["text"], "prod: No changes. The live webhooks match the manifest.");
}
