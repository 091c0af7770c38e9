//! Saved plans: applied unchanged, or not at all.

use serde_json::Value;

use crate::forged::sealed;
use crate::world::{A, B, World, manifest, seed};

fn two_shops() -> World {
    let shops = "  - { shop: acme, bindings: [{ topic: orders/create, destination: a }] }\n  \
                 - { shop: globex, bindings: [{ topic: orders/create, destination: a }, { topic: products/update, destination: a }] }\n";
    let live = format!(
        "sandbox: 1\nshops:\n  - shop: acme\n    scopes: [write_orders]\n    subscriptions: [{{ topic: orders/create, address: \"{B}\", id: 5 }}]\n  \
         - {{ shop: globex, scopes: [write_orders, read_products] }}\n"
    );
    World::new(&manifest(shops), &live)
}

#[test]
fn an_edited_shop_is_stale_and_the_others_are_applied() {
    let world = two_shops();
    world.plan(&["--out", "plan.json"]).exits(0).ends("Plan: 2 to add, 1 to change, 0 to destroy.");
    world.edit(&["set", "--shop", "acme", "--id", "5", "include_fields=id"]);
    let applied = world.run(&["apply", "--sandbox", "plan.json", "--report", "report.json"]);
    applied.exits(7).out_has("acme").out_has("stale");
    applied.ends("Apply incomplete! Resources: 2 added, 0 changed, 0 destroyed; 0 failed, 1 skipped.");
    assert!(world.live("acme")[0].contains(B), "untouched");
    assert_eq!(world.live("globex").len(), 2);
    world.run(&["show", "plan.json"]).exits(0);
    world.run(&["show", "report.json"]).exits(0).out_has("stale");
}

#[test]
fn a_plan_can_be_applied_twice_and_is_then_already_so() {
    let world = two_shops();
    world.plan(&["--out", "plan.json"]).exits(0);
    world.run(&["apply", "--sandbox", "plan.json"]).exits(0);
    let sent = world.mutations();
    let again = world.run(&["apply", "--sandbox", "plan.json", "--format", "json"]);
    again.exits(0);
    let report = again.json();
    assert_eq!((report["summary"]["already_so"].as_u64(), report["complete"].as_bool()), (Some(3), Some(true)));
    assert_eq!(world.mutations(), sent);
    assert!(
        report["shops"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|s| s["outcomes"].as_array().unwrap())
            .all(|o| o["id"].is_string())
    );
}

#[test]
fn unrelated_changes_do_not_make_a_plan_stale() {
    let world = two_shops();
    world.plan(&["--out", "plan.json"]).exits(0);
    world.edit(&["add", "--shop", "acme", "--topic", "app/uninstalled", "--address", "https://other.example/x"]);
    world.edit(&["add", "--shop", "globex", "--topic", "orders/create", "--address", "https://other.example/x"]);
    world.run(&["apply", "--sandbox", "plan.json"]).exits(0);
}

#[test]
fn a_changed_manifest_makes_its_shops_stale() {
    let world = two_shops();
    world.plan(&["--out", "plan.json"]).exits(0);
    let text = world.read("hookwright.yaml").replacen("destination: a", "destination: b", 1);
    world.write("hookwright.yaml", &text);
    world.run(&["apply", "--sandbox", "plan.json"]).exits(7).out_has("the manifest changed for this shop");
    assert!(world.live("acme")[0].contains(B));
}

#[test]
fn a_manifest_other_than_the_plans_is_refused_and_adds_nothing_to_the_sandbox() {
    let world = two_shops();
    world.write("hooks/base.yaml", &world.read("hookwright.yaml"));
    world.plan(&["-f", "hooks", "--out", "plan.json"]).exits(0);
    world.write("hookwright.yaml", &manifest("  - { shop: initech, bindings: [] }\n"));
    let (asked, state) = (world.requests().len(), world.read(".hookwright/sandbox.json"));
    let run = world.run(&["apply", "--sandbox", "plan.json", "-f", "hookwright.yaml"]);
    run.exits(3).err_has("error: the manifest hookwright.yaml contains none of the shops that the plan changes");
    run.err_has("pass the manifest that the plan was created from: `-f hooks`");
    run.lacks("initech");

    // The same shops with other addresses: none is as planned.
    let other = world.read("hooks/base.yaml").replace(A, &A.replace("aaaa", "cccc"));
    world.write("other.yaml", &other);
    let run = world.run(&["apply", "--sandbox", "plan.json", "-f", "other.yaml"]);
    run.exits(3).err_has("error: the plan was made from another manifest\n  digest of the plan's manifest: sha256:");
    run.err_has("pass the manifest that the plan was created from: `-f hooks`");
    assert_eq!((world.requests().len(), world.read(".hookwright/sandbox.json")), (asked, state));

    // The plan's own names in another folder, or without the shops.
    world.write("hooks/base.yaml", &world.read("hookwright.yaml"));
    let run = world.run(&["apply", "--sandbox", "plan.json", "-f", "hooks"]);
    run.exits(3).err_has("the manifest hooks contains none").err_has("Apply it in the folder where it was created");
    run.lacks("-f hooks/base.yaml");
}

#[test]
fn a_plan_is_applied_with_the_manifest_that_it_names_if_that_is_unchanged_and_in_the_working_directory() {
    let world = two_shops();
    world.write("hooks/base.yaml", &world.read("hookwright.yaml"));
    std::fs::remove_file(world.path("hookwright.yaml")).unwrap();
    world.plan(&["-f", "hooks", "--out", "plan.json"]).exits(0);
    let text = world.read("plan.json");
    let plan: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(plan["manifest"], serde_json::json!(["hooks"]));

    // An edited plan names a manifest with other consents, or one elsewhere.
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("base.yaml"), world.read("hooks/base.yaml")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(outside.path(), world.path("linked")).unwrap();
    let absolute = outside.path().join("base.yaml").display().to_string();
    for path in ["../base.yaml", "hooks/../hooks", &absolute, "linked", "linked/base.yaml"] {
        world.write("edited.json", &sealed(&text, |plan| plan["manifest"] = serde_json::json!([path])));
        let run = world.run(&["apply", "--sandbox", "edited.json"]);
        run.exits(3).err_has(&format!("the plan names the manifest {path}, which is not a relative path inside"));
        run.err_has("`-f PATH`");
    }
    world.write("fixtures/m.yaml", &(world.read("hooks/base.yaml") + "safety: { max_delete_percent: 100 }\n"));
    world.write("edited.json", &sealed(&text, |plan| plan["manifest"] = serde_json::json!(["fixtures/m.yaml"])));
    let run = world.run(&["apply", "--sandbox", "edited.json"]);
    run.exits(3)
        .err_has("the manifest fixtures/m.yaml, which the plan names, is not the one that the plan was created from");

    // A manifest that changed for one shop is another one, unless it is given.
    let before = world.read("hooks/base.yaml");
    world.write("hooks/base.yaml", &before.replacen("destination: a", "destination: b", 1));
    world.run(&["apply", "--sandbox", "plan.json"]).exits(3).err_has("if the manifest changed, create a new plan");
    assert_eq!(world.mutations(), 0);
    world.write("hooks/base.yaml", &before);
    world.run(&["apply", "--sandbox", "plan.json", "--report", "hooks/base.yaml"]).exits(3);
    world.run(&["apply", "--sandbox", "plan.json"]).exits(0);
    world.run(&["plan", "--sandbox", "-f", "hooks"]).exits(0).ends("No changes. The live webhooks match the manifest.");
}

#[test]
fn a_shop_of_the_plan_that_is_missing_in_the_manifest_is_reported() {
    let world = two_shops();
    world.plan(&["--out", "plan.json"]).exits(0);
    let text = world.read("hookwright.yaml");
    let (without, _) = text.split_once("  - { shop: globex").unwrap();
    world.write("hookwright.yaml", without);
    let run = world.run(&["apply", "--sandbox", "plan.json"]);
    run.exits(7).out_has("stale: the shop is not in the manifest given with `-f`");
    run.lacks("the manifest changed");
}

#[test]
fn files_that_are_not_plans_send_nothing() {
    let world = two_shops();
    world.plan(&["--out", "plan.json"]).exits(0);
    let plan = world.read("plan.json");
    let asked = world.requests().len();
    for (name, text) in [
        ("empty", String::new()),
        ("truncated", plan[..plan.len() / 2].to_owned()),
        ("foreign", "{\"version\": 4, \"terraform_version\": \"1.9\"}".to_owned()),
        ("a list", "[]".to_owned()),
        ("edited", plan.replacen("orders/create", "orders/paid", 1)),
        ("edited digest", plan.replacen("sha256:", "sha256:0", 1)),
        ("another major", plan.replacen("\"1.1\"", "\"2.0\"", 1)),
        ("an unknown action", plan.replacen("\"create\"", "\"replace\"", 1)),
    ] {
        world.write("bad.json", &text);
        let run = world.run(&["apply", "--sandbox", "bad.json"]);
        assert_eq!(run.code, 3, "{name}: {run}");
        assert!(run.err.starts_with("error: ") && run.out.is_empty(), "{name}: {run}");
        assert_eq!(world.run(&["show", "bad.json"]).code, 3, "{name}");
    }
    world.run(&["apply", "--sandbox", "nowhere.json"]).exits(3).err_has("nowhere.json");
    assert_eq!(world.requests().len(), asked);
    // The fields outside the digest are not checked.
    let created = plan.lines().find(|l| l.contains("created_at")).unwrap().to_owned();
    world.write("plan.json", &plan.replace(&created, "  \"created_at\": \"2020-01-01T00:00:00Z\","));
    world.run(&["apply", "--sandbox", "plan.json"]).exits(0);
}

#[test]
fn a_plan_for_another_target_is_refused() {
    let world = two_shops();
    world.plan(&["--out", "plan.json"]).exits(0);
    world.run(&["apply", "plan.json"]).exits(3).err_has("this plan was created for sandbox");
    world.run(&["apply", "--sandbox", "--sandbox-state", "other.json", "plan.json"]).exits(3).err_has("new plan");
    assert_eq!(world.mutations(), 0);
    world.run(&["apply", "--sandbox", "plan.json", "--expect-digest", "sha256:1"]).exits(3);
    world
        .run(&["apply", "--sandbox", "plan.json", "--shop", "acme"])
        .exits(3)
        .err_has("a saved plan contains its selection");
    let digest = world.plan_json(&[])["plan_digest"].as_str().unwrap().to_owned();
    world.run(&["apply", "--sandbox", "plan.json", "--expect-digest", &digest]).exits(0);
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let world = two_shops();
    let plan = |args: &[&str]| {
        let mut command = world.command(&[&["plan", "--sandbox", "--format", "json"], args].concat());
        String::from_utf8(command.env("SOURCE_DATE_EPOCH", "1700000000").output().unwrap().stdout).unwrap()
    };
    let first = plan(&[]);
    assert!(first.contains("2023-11-14T22:13:20Z"), "{first}");
    for parallelism in ["1", "2", "32"] {
        assert_eq!(plan(&["--parallelism", parallelism]), first);
    }
    let parsed: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(parsed["settings"]["endpoint"], "sandbox");
}

#[test]
fn without_a_terminal_apply_requires_auto_approve() {
    let world = two_shops();
    world.run(&["apply", "--sandbox"]).exits(3).err_has("--auto-approve");
    assert!(world.requests().is_empty());
}

#[test]
fn base_distinguishes_the_changes_of_a_pull_request_from_drift() {
    let world = two_shops();
    world.write(
        "base/hookwright.yaml",
        &world.read("hookwright.yaml").replace("shops:\n", "shops:\n  - { shop: gone, bindings: [] }\n"),
    );
    let text = world
        .read("hookwright.yaml")
        .replace(", { topic: products/update, destination: a }", ", { topic: products/create, destination: a }");
    world.write("hookwright.yaml", &text);
    let plan = world.plan_json(&["--base", "base/hookwright.yaml"]);
    let origin = |shop: usize, change: usize| plan["shops"][shop]["changes"][change]["origin"].clone();
    assert_eq!((origin(0, 0), origin(1, 0), origin(1, 1)), ("drift".into(), "drift".into(), "manifest".into()));
    assert_eq!(plan["shops_left"][0], "gone.myshopify.com");
    world.plan(&["--base", "base/hookwright.yaml"]).out_has("gone");
    assert!(world.requests().iter().all(|r| r["shop"] != "gone.myshopify.com"));
}

#[test]
fn a_name_or_metafields_that_the_binding_no_longer_has_are_noted() {
    let shops =
        |more: &str| format!("  - {{ shop: acme, bindings: [{{ topic: orders/create, destination: a{more} }}] }}\n");
    let world = World::new(&manifest(&shops(", name: one, metafields: [custom.size]")), &seed("acme", "      []\n"));
    let plan = world.apply(&[]);
    assert!(!plan.exits(0).out.contains("name_kept"), "{plan}");
    world.write("hookwright.yaml", &manifest(&shops("")));
    let plan = world.plan(&["--detailed-exitcode"]);
    plan.exits(0).ends("No changes. The live webhooks match the manifest.");
    plan.out_has("name_kept, orders/create: keeps the name \"one\", because its binding has no `name`")
        .out_has("write `name: one` in the binding");
    plan.out_has(
        "metafields_unnamed, orders/create: keeps the metafields custom.size, because its binding has no `metafields`",
    );
    // An update of something else leaves both, too.
    world.write("hookwright.yaml", &manifest(&shops(", include_fields: [id]")));
    let plan = world.plan(&[]);
    plan.ends("Plan: 0 to add, 1 to change, 0 to destroy.").out_has("name_kept").out_has("metafields_unnamed");
    world.write("hookwright.yaml", &manifest(&shops(", include_fields: [id], name: one, metafields: [custom.size]")));
    let plan = world.plan(&[]);
    plan.ends("Plan: 0 to add, 1 to change, 0 to destroy.");
    assert!(!plan.out.contains("name_kept") && !plan.out.contains("metafields_unnamed"), "{plan}");
    world.write("hookwright.yaml", &manifest(&shops(", name: one, metafields: []")));
    world.plan(&[]).ends("Plan: 0 to add, 1 to change, 0 to destroy.");
}

#[test]
fn a_manifest_that_does_not_exist_is_reported_with_the_one_that_the_plan_names() {
    let world = two_shops();
    world.write("hooks/base.yaml", &world.read("hookwright.yaml"));
    world.plan(&["--out", "default.json"]).exits(0);
    std::fs::remove_file(world.path("hookwright.yaml")).unwrap();
    world.plan(&["-f", "hooks/base.yaml", "--out", "plan.json"]).exits(0);
    // A plan of an earlier version names only the files of its changes.
    let earlier = |name: &str| {
        world.write(
            "earlier.json",
            &sealed(&world.read(name), |plan| drop(plan.as_object_mut().unwrap().remove("manifest"))),
        );
    };
    earlier("plan.json");
    let asked = world.requests().len();
    let run = world.run(&["apply", "--sandbox", "default.json"]);
    run.exits(3).err_has("a plan is applied together with its manifest, but hookwright.yaml does not exist");
    run.err_has("apply the plan in the folder where it was created, or pass its manifest: `-f PATH`");
    run.lacks("hookwright init");
    for plan in ["plan.json", "earlier.json"] {
        let run = world.run(&["apply", "--sandbox", plan, "-f", "none.yaml"]);
        run.exits(3).err_has("but none.yaml does not exist");
        run.err_has("pass the manifest that the plan was created from: `-f hooks/base.yaml`");
    }
    world.run(&["apply", "--sandbox", "earlier.json"]).exits(3).err_has("but hookwright.yaml does not exist");
    assert_eq!(world.requests().len(), asked, "nothing was asked");
    world.run(&["apply", "--sandbox", "plan.json", "-f", "hooks/base.yaml"]).exits(0);

    // Of several files.
    let text = world.read("hooks/base.yaml");
    let (base, globex) = text.split_once("  - { shop: globex").unwrap();
    world.write("hooks/base.yaml", base);
    world.write("hooks/globex.yaml", &format!("version: 1\nshops:\n  - {{ shop: globex{globex}"));
    world.edit(&["remove", "--shop", "acme", "--topic", "orders/create"]);
    world.edit(&["remove", "--shop", "globex", "--topic", "orders/create"]);
    world.plan(&["-f", "hooks", "--out", "plan.json"]).exits(0);
    earlier("plan.json");
    let run = world.run(&["apply", "--sandbox", "earlier.json", "-f", "none.yaml"]);
    run.exits(3).err_has("The plan names hooks/base.yaml, hooks/globex.yaml");
}

#[test]
fn a_topic_unknown_to_shopify_is_named_in_the_error_of_the_apply() {
    let shops = "  - { shop: acme, bindings: [{ topics: [orders/create, orders/frobnicated], destination: a }] }\n";
    let allowed = manifest(shops).replacen("version: 1\n", "version: 1\nlint: { allow: [HW100] }\n", 1);
    let world = World::new(&allowed, &seed("acme", "      []\n"));
    let applied = world.apply(&[]);
    applied.exits(8).out_has("the topic orders/frobnicated (ORDERS_FROBNICATED) does not exist");
    applied.ends("Apply incomplete! Resources: 1 added, 0 changed, 0 destroyed; 1 failed, 0 skipped.");
    applied.lacks("$t").lacks("APP_UNINSTALLED");
}

#[cfg(target_os = "linux")]
#[test]
fn a_declined_prompt_is_not_an_error_and_sends_nothing() {
    let world = two_shops();
    let Some(mut script) = crate::world::tool("script") else { return };
    let command = format!("{} apply --sandbox", env!("CARGO_BIN_EXE_hookwright"));
    script.args(["-qec", &command, "/dev/null"]).current_dir(world.path(""));
    let mut child = script.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"no\n").unwrap();
    let run = crate::world::Run::of(&child.wait_with_output().unwrap());
    run.exits(1).out_has("Apply cancelled.");
    run.lacks("error");
    assert_eq!(world.mutations(), 0);
}
