//! Options of other tools and misspelt names: one error with the correct form.

use crate::world::{World, manifest};

fn world() -> World {
    let shops = "  - shop: tea-house\n    labels: { env: prod }\n    bindings: []\n  - shop: coffee-bar\n    labels: { env: dev, region: emea }\n    bindings: []\n";
    let seed = "sandbox: 1\nshops: [{ shop: tea-house, subscriptions: [] }, { shop: coffee-bar, subscriptions: [] }]\n";
    World::new(&manifest(shops), seed)
}

#[test]
fn an_option_of_another_tool_is_answered_in_one_line() {
    let world = world();
    for (args, line) in [
        (&["plan", "-out", "plan.json"][..], "error: unknown option `-out`: use `--out FILE` to save a plan\n"),
        (
            &["apply", "-auto-approve"],
            "error: unknown option `-auto-approve`: use `--auto-approve` to apply without confirmation\n",
        ),
        (&["plan", "-target", "tea-house"], "error: unknown option `-target`: use `--shop PATTERN` to select shops\n"),
        (
            &["plan", "hookwright.yaml"],
            "error: unexpected argument `hookwright.yaml`: use `-f` to name a manifest: `hookwright plan -f hookwright.yaml`\n",
        ),
    ] {
        let run = world.run(args);
        run.exits(3);
        assert_eq!((run.err.as_str(), run.out.as_str()), (line, ""), "{args:?}");
    }
    for args in [&["plan", "-y"][..], &["drift", "--yes"]] {
        world.run(args).exits(3).err_has("this command does not ask for confirmation. Remove the option");
    }
    let allow = world.run(&["plan", "--allow", "empty_shop:a"]);
    allow.exits(3).err_has("`hookwright apply` and `hookwright show --check` accept consents");
    assert!(!allow.err.contains("--allow-commands"), "never to a consent of another kind: {allow}");
    world.run(&["destroy"]).exits(3).err_has("write `bindings: []` for the shop");
    world.run(&["plan", "--out", "-"]).exits(3).err_has("`-` is not a file");
    assert!(!world.path("-").exists());
    world.run(&["plan", "-f", "a,b"]).exits(3).err_has("repeat `-f` for each");
    world.run(&["plan", "-f", "-"]).exits(3).err_has("cannot be read from standard input");
    world.run(&["plan", "--shop", "tea-house,coffee-bar"]).exits(3).err_has("repeat `--shop` for each");
    let run = world.run(&["plan", "--parallelsm", "2"]);
    run.exits(3).err_has("did you mean `--parallelism`?");
}

#[test]
fn an_invalid_boolean_does_not_allow_commands_in_a_manifest() {
    let world = world();
    let plan = |value: &str| {
        let mut command = world.command(&["plan", "--sandbox"]);
        crate::world::Run::of(&command.env("HOOKWRIGHT_ALLOW_COMMANDS", value).output().unwrap())
    };
    for value in ["nein", "2", "yes please"] {
        plan(value).exits(3).err_has("expected 1 or 0");
    }
    for value in ["", "0", "no", "1", "TRUE"] {
        plan(value).exits(0);
    }
}

#[test]
fn a_plan_passed_as_a_manifest_and_a_manifest_passed_as_a_plan_are_named() {
    let world = world();
    world.plan(&["--out", "plan.json"]).exits(0);
    let said = "the file is a saved plan, not a manifest";
    let hint = "apply it with `hookwright apply plan.json` (add `-f` for its manifest), or show it with `hookwright show plan.json`";
    for command in ["apply", "plan"] {
        world.run(&[command, "-f", "plan.json"]).exits(3).err_has(said).err_has(hint);
    }
    world.run(&["validate", "-f", "plan.json"]).exits(3).out_has(said).out_has(hint);
    for command in ["apply", "show"] {
        let run = world.run(&[command, "hookwright.yaml"]);
        run.exits(3).err_has("to use a manifest, pass `-f`: `hookwright plan -f hookwright.yaml`");
    }
}

#[test]
fn an_unknown_shop_or_label_is_named_with_the_known_ones() {
    let world = world();
    for (args, what, hint) in [
        (
            &["--shop", "teahouse"][..],
            "`--shop teahouse` matches no shop in the manifest",
            "did you mean `--shop tea-house`?",
        ),
        (
            &["--shop", "tea-house", "--shop", "cofee-bar"],
            "`--shop cofee-bar` matches no shop",
            "did you mean `--shop coffee-bar`?",
        ),
        (&["--shop", "teahouse.myshopify.com"], "matches no shop in the manifest", "did you mean `--shop tea-house`?"),
        (&["--shop", "zzz*"], "`--shop zzz*` matches no shop", "the manifest has these shops: coffee-bar, tea-house"),
        (&["--label", "envv=prod"], "no shop in the manifest has a label with the key `envv`", "did you mean `env`?"),
        (&["--label", "tier=1"], "a label with the key `tier`", "the manifest has these label keys: env, region"),
        (
            &["--label", "env=qa"],
            "no shop in the manifest has the label `env=qa`",
            "the manifest has these values of the label `env`: dev, prod",
        ),
        (&["--label", "env=prod", "--label", "region=emea"], "the selection matches no shop", "exclude every shop"),
        (&["--exclude-shop", "*"], "the selection matches no shop", "every shop in the manifest (2 shops)"),
    ] {
        let run = world.plan(args);
        run.exits(3).err_has(what).err_has(hint);
        assert!(world.requests().is_empty(), "{run}");
    }
    world.plan(&["--label", "tier!=1"]).exits(0);
    world.plan(&["--shop", "zzz*", "--shop", "tea-house"]).exits(0);
    let run = world.run(&["auth", "url", "--shop", "teahouse"]);
    run.exits(3).err_has("teahouse.myshopify.com is not in the manifest").err_has("did you mean `--shop tea-house`?");
}

#[test]
fn a_missing_file_of_since_is_an_error_that_names_the_accepted_files() {
    let run = world().run(&["drift", "--since", "last.json"]);
    run.exits(3).err_has("cannot read last.json (`--since`): file not found");
    run.err_has("apply --journal FILE").err_has("apply --report FILE").err_has("drift --out FILE");
    run.err_has("With `--since FILE --out FILE`, FILE can be missing in the first run");
}
