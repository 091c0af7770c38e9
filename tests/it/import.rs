//! `import`: writes the live subscriptions to a manifest whose plan has no changes.

use std::path::Path;

use crate::world::{A, B, FOREIGN, World, manifest, run, seed};

const NOTHING: &str = "No changes. The live webhooks match the manifest.";

/// Twenty shops: most alike, some drifted, with every field, and with texts that YAML would misread.
fn twenty() -> String {
    let shops = (0..20).map(|n| {
        let address = if n % 5 == 4 { B } else { A };
        let mut lines: String = ["orders/create", "orders/updated", "orders/paid"]
            .iter()
            .filter(|topic| !(n == 3 && **topic == "orders/paid"))
            .map(|topic| format!("      - {{ topic: {topic}, address: \"{address}\" }}\n"))
            .collect();
        lines.extend([format!(
            "      - {{ topic: customers/update, address: \"{B}\", filter: \"note:\\\"a: b # {{{{x}}}} \\\\\\\\ größe\\nyes\\\"\", \
             name: \"1e3\", include_fields: [\"note\", \"*x\", \"yes\", \": #\", \"{{{{y}}}}\"], \
             metafield_namespaces: [\"$app:loyalty\", \"$app\", \"- a\"], \
             metafields: [\"custom.size\", \"$app.tier\", \"$app:a.b\"] }}\n"
        )]);
        if n == 7 {
            lines.extend([format!("      - {{ topic: app/uninstalled, address: \"{FOREIGN}\" }}\n")]);
            lines += "      - { topic: orders/create, address: \"pubsub://my-project:orders\" }\n";
            lines += "      - { topic: orders/create, address: \"https://x.example/a?b=[c]&d=#e\" }\n";
        }
        format!("  - shop: shop-{n}\n    subscriptions:\n{lines}")
    });
    let shops: String = shops.collect();
    format!(
        "sandbox: 1\ndefaults: {{ scopes: [write_orders, read_customers, customer_read_customers] }}\nshops:\n{shops}"
    )
}

fn names(count: usize) -> Vec<String> {
    (0..count).flat_map(|n| ["--shop".to_owned(), format!("shop-{n}")]).collect()
}

fn import(world: &World, more: &[&str], count: usize) -> crate::world::Run {
    let names = names(count);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.run(&[&["import", "--sandbox"], names.as_slice(), more].concat())
}

#[test]
fn twenty_shops_are_imported_valid_and_without_changes() {
    let world = World::new("", &twenty());
    world.run(&["sandbox", "seed", "world.sandbox.yaml"]).exits(0);
    for (file, more, left_out) in [("m.yaml", vec!["--scopes"], 3), ("all.yaml", vec!["--scopes", "--all"], 0)] {
        let imported = import(&world, &[&["--out", file], more.as_slice()].concat(), 20);
        imported.exits(0);
        assert_eq!(imported.out, "");
        let text = world.read(file);
        assert!(text.contains("# Written by `hookwright import` from the live subscriptions of 20 shops"), "{text}");
        assert_eq!(text.contains("Unmanaged and left out: 3 subscriptions in 1 shop"), left_out == 3, "{text}");
        assert!(text.contains("{ set: orders, except: [orders/paid] }"), "{text}");
        assert!(text.contains("scopes: [customer_read_customers, read_customers, write_orders]\n"), "{text}");
        world.run(&["validate", "-f", file]).exits(0).out_has("The manifest is valid: 20 shops");
        let plan = world.plan(&["-f", file, "--detailed-exitcode"]);
        plan.exits(0).ends(NOTHING);
        assert_eq!(plan.out.contains("unmanaged:"), left_out == 3, "{plan}");
        let wordy = world.plan(&["-f", file, "-v"]);
        assert!(!wordy.out.contains("not wanted"), "a scope of the import is not wanted by it: {wordy}");
    }
    // An import of the import is the import, names of destinations included.
    world.write("other.sandbox.yaml", "sandbox: 1\n");
    let again = world.run(&["import", "--sandbox", "-f", "all.yaml", "--all"]);
    assert_eq!(again.exits(0).out, world.read("all.yaml"));
}

#[test]
fn the_fleet_keeps_its_names_and_labels() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/fleet");
    let imported =
        run(folder.path(), &["import", "--sandbox", "-f", fleet.to_str().unwrap(), "--label", "region=apac"]);
    imported.exits(0).out_has("  catalogue: https://").out_has("labels: { env: prod, region: apac }");
    assert!(!imported.out.contains("fleet-berlin"), "{imported}");
    std::fs::write(folder.path().join("m.yaml"), &imported.out).unwrap();
    run(folder.path(), &["validate", "-f", "m.yaml"]).exits(0);
    run(folder.path(), &["plan", "--sandbox", "-f", "m.yaml", "--detailed-exitcode"]).exits(0).ends(NOTHING);
}

#[test]
fn an_unreadable_shop_is_named_and_not_imported_as_empty() {
    let live = format!("      - {{ topic: orders/create, address: \"{A}\" }}\n");
    let world = World::new("", &(seed("shop-0", &live) + "  - { shop: shop-1, status: frozen }\n"));
    world.run(&["sandbox", "seed", "world.sandbox.yaml"]).exits(0);

    let partly = import(&world, &[], 2);
    partly.exits(8).err_has("error: shop-1.myshopify.com: not read: frozen");
    assert!(partly.out.starts_with("# Written by"), "{partly}");
    assert!(partly.out.contains("# NOT READ, so missing below") && !partly.out.contains("shop: shop-1"));
    let tolerated = import(&world, &["--tolerate", "frozen"], 2);
    tolerated.exits(0).err_has("shop-1.myshopify.com: not read (tolerated): frozen");
    assert!(tolerated.out.contains("#   shop-1.myshopify.com: frozen"), "{tolerated}");

    let none = world.run(&["import", "--sandbox", "--shop", "shop-1", "--out", "none.yaml"]);
    none.exits(1).err_has("no shop could be read; nothing was written");
    assert!(none.out.is_empty() && !world.path("none.yaml").exists());
    let none = world.run(&["import", "--sandbox", "--shop", "shop-1", "--tolerate", "frozen", "--out", "none.yaml"]);
    none.exits(0).err_has("No shop could be read, and all their states are tolerated; nothing was written.");
    assert!(!none.err.contains("error") && !world.path("none.yaml").exists(), "{none}");
    // A shop that the sandbox does not have is not invented.
    world.run(&["import", "--sandbox", "--shop", "nobody"]).exits(1).err_has("not read: not_found");
    // An unavailable token fails its shop, with the exit code of authentication errors.
    let outside = world.run(&["import", "--shop", "shop-0", "--token-env", "NO_SUCH_{SHOP}"]);
    outside.exits(4).err_has("NO_SUCH_SHOP_0");
}

#[test]
fn the_namespace_of_another_app_is_not_imported_as_the_apps_own() {
    let kept = "metafield_namespaces: [\"$app:own\", app--999999999999--kept]";
    let live = format!("      - {{ topic: orders/create, address: \"{A}\", {kept} }}\n");
    let world = World::new("", &seed("acme", &live));
    world.run(&["sandbox", "seed", "world.sandbox.yaml"]).exits(0);
    world.run(&["import", "--sandbox", "--shop", "acme", "--out", "hookwright.yaml", "--force"]).exits(0);
    let written = world.read("hookwright.yaml");
    assert!(written.contains(kept) && !written.contains("REST"), "{written}");
    world.converged();
    assert_eq!(world.requests().len(), 2, "the app's number comes with the list");

    // What was another app's would become one's own: that is a change, once.
    world.write("hookwright.yaml", &written.replace("app--999999999999--kept", "\"$app:kept\""));
    world.plan(&[]).exits(0).ends("Plan: 0 to add, 1 to change, 0 to destroy.").out_has("app--999999999999--kept");
    world.apply(&[]).exits(0);
    world.converged();

    // REST does not say whose app it is, so any number is as good, and the comment says so.
    let rest = "version: 1\nadmin_api: { transport: rest }\nshops: [{ shop: acme, bindings: [] }]\n";
    world.write("rest.yaml", rest);
    let over_rest = world.run(&["import", "--sandbox", "-f", "rest.yaml"]);
    over_rest
        .exits(0)
        .out_has("# REST does not show the number of the app either: a `$app:` namespace below may belong to");
}

#[test]
fn a_subscription_that_a_manifest_cannot_express_is_an_error() {
    let live = format!(
        "      - {{ topic: orders/create, address: \"{A}\" }}\n      - {{ topic: orders/paid, address: \"{A}\", format: xml }}\n"
    );
    let world = World::new("", &seed("shop-0", &live));
    world.run(&["sandbox", "seed", "world.sandbox.yaml"]).exits(0);
    let imported = import(&world, &["--out", "m.yaml"], 1);
    imported.exits(8).err_has("orders/paid").err_has("accepts only JSON; a plan of this manifest deletes it");
    assert!(world.read("m.yaml").contains("# LEFT OUT, because a manifest cannot contain them: 1 subscription"));
    world.plan(&["-f", "m.yaml"]).exits(0).ends("Plan: 0 to add, 0 to change, 1 to destroy.");
}

#[test]
fn a_subscription_that_stays_unmanaged_is_a_warning_because_the_import_succeeds() {
    let live = format!(
        "      - {{ topic: orders/create, address: \"{A}\" }}\n      - {{ topic: orders/paid, address: \"http://old.example/\" }}\n"
    );
    let world = World::new("", &seed("shop-0", &live));
    world.run(&["sandbox", "seed", "world.sandbox.yaml"]).exits(0);
    let imported = import(&world, &["--all", "--out", "m.yaml"], 1);
    imported
        .exits(0)
        .err_has("warning: shop-0.myshopify.com: orders/paid")
        .err_has("HW034: the address uses http")
        .err_has("it stays unmanaged");
    assert!(!imported.err.contains("error:"), "{imported}");
}

#[test]
fn nothing_is_overwritten_without_force_and_usage_is_checked_before_anything_is_sent() {
    let world = World::new(&manifest("  - { shop: shop-0, bindings: [] }\n"), &seed("shop-0", "      []\n"));
    world.write("m.yaml", "mine");
    for (args, says) in [
        (&["--shop", "shop-0", "--out", "m.yaml"][..], "m.yaml already exists"),
        (&["--shop", "shop-*"], "not a Shopify shop"),
        (&["--shop", "shop-0", "--label", "a=b"], "`--label` requires a manifest"),
        (&["--shop", "shop-0", "--token-env", "$X"], "--token-env"),
        (&["--shop", "shop-0", "--force"], "--out"),
        (&["--shop", "nobody", "-f", "hookwright.yaml"], "`--shop nobody` matches no shop in the manifest"),
        (&[], "name shops with `--shop NAME`"),
    ] {
        world.run(&[&["import", "--sandbox"], args].concat()).exits(3).err_has(says);
    }
    assert_eq!(world.requests().len(), 0);
    assert_eq!(world.read("m.yaml"), "mine");
    world.run(&["import", "--sandbox", "-f", "hookwright.yaml", "--out", "m.yaml", "--force"]).exits(0);
    assert!(world.read("m.yaml").contains("bindings: []"));
}

#[test]
fn an_import_over_rest_names_the_hidden_fields() {
    let live = format!(
        "      - {{ topic: orders/create, address: \"{A}\", filter: \"id:1\", name: x }}\n      - {{ topic: orders/paid, address: \"{A}\", include_fields: [id] }}\n"
    );
    let rest = "admin_api: { transport: rest }\n".to_owned() + &manifest("  - { shop: shop-0, bindings: [] }\n");
    let world = World::new(&rest, &seed("shop-0", &live));
    let imported = world.run(&["import", "--sandbox", "-f", "hookwright.yaml", "--out", "m.yaml"]);
    imported.exits(0);
    let text = world.read("m.yaml");
    assert!(text.contains("Read over REST") && text.contains("transport: rest") && !text.contains("filter:"), "{text}");
    world.run(&["validate", "-f", "m.yaml"]).exits(0);
    world.plan(&["-f", "m.yaml", "--detailed-exitcode"]).exits(0).ends(NOTHING);
}

#[test]
fn a_dash_is_standard_output() {
    let world = World::new("", &seed("acme", &format!("      - {{ topic: orders/create, address: \"{A}\" }}\n")));
    world.run(&["sandbox", "seed", "world.sandbox.yaml"]).exits(0).out_has("holds 1 shop with 1 subscription.");
    let args = ["import", "--sandbox", "--shop", "acme"];
    let plain = world.run(&args);
    let dashed = world.run(&[&args[..], &["--out", "-"]].concat());
    assert_eq!((dashed.code, &dashed.out), (0, &plain.out), "{dashed}");
    assert!(plain.out.contains("orders/create") && !world.path("-").exists());
    world.run(&[&args[..], &["--out", "m.yaml"]].concat()).exits(0).err_has("Wrote 1 subscription of 1 shop to m.yaml");
}

#[test]
fn a_version_can_be_chosen_without_a_manifest_and_is_written_to_the_manifest() {
    let seed = seed("acme", &format!("      - {{ topic: orders/create, address: \"{A}\", id: 1 }}\n"));
    let world = World::new("", &seed);
    world.run(&["sandbox", "seed", "world.sandbox.yaml"]).exits(0);
    let acme = ["import", "--sandbox", "--shop", "acme"];
    let imported = world.run(&[&acme[..], &["--api-version", "2026-07", "--out", "m.yaml"]].concat());
    imported.exits(0);
    assert!(world.read("m.yaml").contains("version: \"2026-07\""), "{}", world.read("m.yaml"));
    assert!(
        world.requests().iter().all(|r| r["path"].as_str().unwrap().contains("/2026-07/")),
        "{:?}",
        world.requests()
    );
    world.plan(&["-f", "m.yaml"]).exits(0).ends(NOTHING);

    world.run(&[&acme[..], &["--api-version", "soon"]].concat()).exits(3).err_has("expected YYYY-01");
    world.run(&[&acme[..], &["--api-version", "2024-01"]].concat()).exits(3).err_has("error: --api-version: ");
    world.run(&["import", "--api-version", "2026-07", "-f", "m.yaml"]).exits(3).err_has("cannot be used with");
}

#[test]
fn an_unknown_version_is_distinguished_from_an_unknown_shop() {
    let world = World::new("", "sandbox: 1\nshops: [{ shop: acme, scopes: [write_orders] }]\n");
    world.run(&["sandbox", "seed", "world.sandbox.yaml"]).exits(0);
    let run = world.run(&["import", "--sandbox", "--shop", "acme", "--api-version", "2029-01"]);
    run.exits(1).err_has("the shop does not exist").err_has("or the Admin API has no version 2029-01");
    run.err_has("The newest version that this version of Hookwright knows is 2026-10");
    for transport in ["graphql", "rest"] {
        let api = format!("version: 1\nadmin_api: {{ version: \"2029-01\", transport: {transport} }}\n");
        world.write(
            "hookwright.yaml",
            &manifest("  - { shop: acme, bindings: [] }\n").replacen("version: 1\n", &api, 1),
        );
        let plan = world.plan(&[]);
        plan.exits(1).out_has("or the Admin API has no version 2029-01").out_has("Set `admin_api.version`");
        plan.err_has("answers 404 for a version that does not exist");
    }
    // Of a version that is known only the shop can be missing.
    let run = world.run(&["import", "--sandbox", "--shop", "nobody"]);
    run.exits(1).err_has("the shop does not exist");
    run.lacks("the Admin API has no version");
    run.lacks("manifest").lacks("HOOKWRIGHT_ADMIN_URL");
}
