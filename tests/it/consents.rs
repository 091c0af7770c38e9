//! Consents under `consents` in the manifest: reviewed with the change, recorded in the plan, valid until their day.

use serde_json::{Value, json};

use crate::forged::sealed;
use crate::world::{A, Run, World, manifest};

/// Noon of 2026-11-27, in UTC.
const NOW: u64 = 1_795_780_800;
const DAY: u64 = 86_400;

/// Shops whose protected topic is live at A.
const SHOPS: [&str; 3] = ["acme-de", "acme-fr", "bolt"];

/// Binds the shops to a destination.
fn to(destination: &str) -> String {
    let shop = |shop: &&str| {
        format!("  - {{ shop: {shop}, bindings: [{{ topic: orders/create, destination: {destination} }}] }}\n")
    };
    manifest(&SHOPS.iter().map(shop).collect::<String>()) + "safety: { protected_topics: [orders/create] }\n"
}

/// Consents as YAML: pairs of `allow` and `expires`.
fn consents(all: &[(&str, &str)]) -> String {
    let item = |(allow, day): &(&str, &str)| format!("  - {{ allow: \"{allow}\", reason: CHG-1, expires: {day} }}\n");
    format!("consents:\n{}", all.iter().map(item).collect::<String>())
}

/// The protected topic moves from A to B.
fn world() -> World {
    let live = |shop: &&str| {
        format!(
            "  - {{ shop: {shop}, scopes: [write_orders], subscriptions: [{{ topic: orders/create, address: \"{A}\" }}] }}\n"
        )
    };
    World::new(&to("b"), &format!("sandbox: 1\nshops:\n{}", SHOPS.iter().map(live).collect::<String>()))
}

fn at(world: &World, now: u64, args: &[&str]) -> Run {
    Run::of(&world.command(args).env("SOURCE_DATE_EPOCH", now.to_string()).output().unwrap())
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

const PLAN: &[&str] = &["plan", "--sandbox", "--check", "--out", "plan.json"];
const APPLY: &[&str] = &["apply", "--sandbox", "plan.json"];

#[test]
fn a_pull_request_is_red_until_the_manifest_consents_and_its_plan_is_applied_without_an_option() {
    let world = world();
    let red = at(&world, NOW, PLAN);
    red.exits(6).ends("Plan: 0 to add, 3 to change, 0 to destroy.");
    red.err_has("error: the plan has 1 hazard without consent; the manifest is valid, and the plan is in plan.json\n");
    red.err_has("  protected_topic, 3 shops: acme-de, acme-fr, bolt: deletes").err_has("--allow protected_topic:bolt");
    red.err_has("    consents:\n      - allow: \"protected_topic:acme-de\"\n        reason: \"…\"\n        expires: 2026-12-11\n");
    let plan = json_of(&world.read("plan.json"));
    assert_eq!((&plan["exit_code"], plan.get("consents")), (&json!(6), None));
    let digest = plan["manifest_digest"].clone();
    // The lines can be copied into the manifest.
    let yaml: String = red.err.lines().filter_map(|line| Some(format!("{}\n", line.strip_prefix("    ")?))).collect();
    world.write("copied.yaml", &(to("b") + &yaml));
    at(&world, NOW, &["plan", "--sandbox", "--check", "-f", "copied.yaml"]).exits(0);

    let with = consents(&[
        ("protected_topic:acme-*", "2026-12-10"),
        ("protected_topic:bolt", "2026-11-27"),
        ("empty_shop:bolt", "2026-12-01"),
    ]);
    world.write("hookwright.yaml", &(to("b") + &with));
    world.write("some.yaml", &(to("b") + &consents(&[("protected_topic:acme-*", "2026-12-10")])));
    let green = at(&world, NOW, PLAN);
    green.exits(0).err_has("Checked: every hazard has consent.\n").out_has("1 hazard has consent");
    green.out_has(
        "the consent `empty_shop:bolt` covers no hazard of this plan (until 2026-12-01: CHG-1; hookwright.yaml:14)",
    );
    let plan = json_of(&world.read("plan.json"));
    assert_eq!(plan["manifest_digest"], digest);
    assert_eq!(plan["consents"][0]["covers"], json!(["protected_topic:acme-de", "protected_topic:acme-fr"]));
    assert_eq!(plan["consents"][0]["source"], json!({ "file": "hookwright.yaml", "line": 12 }));
    assert_eq!((&plan["consents"][1]["expires"], &plan["consents"][2]["covers"]), (&json!("2026-11-27"), &json!([])));
    assert_eq!(plan["hazards"][1]["consent"], "protected_topic:acme-*");
    for format in ["text", "markdown", "html"] {
        let shown = world.run(&["show", "plan.json", "--format", format]);
        shown.exits(0).out_has("covers no hazard of this plan").out_has("protected_topic:acme-*");
    }
    // A consent that covers only some of the shops leaves the others.
    let other = at(&world, NOW, &["plan", "--sandbox", "-f", "some.yaml"]);
    other.exits(0).out_has("2 hazards: 1 has consent, 1 needs consent; without it");
    other
        .out_has("protected_topic, 2 shops: ")
        .out_has("consent: `protected_topic:acme-*` until 2026-12-10: CHG-1 (some.yaml:12)");
    other.out_has("help: to consent, apply with `--allow protected_topic:bolt`");
    at(&world, NOW, &["plan", "--sandbox", "-f", "some.yaml", "--out", "some.json"]).exits(0);
    // The page names no options.
    let page = "<code>protected_topic:bolt</code>, given on the command line";
    let option = "--allow protected_topic:bolt";
    for (format, consent) in [("text", option), ("markdown", option), ("html", page)] {
        let check = ["show", "--check", "some.json", "--format", format, "--allow", "protected_topic:bolt"];
        at(&world, NOW, &check).exits(0).out_has("1 hazard has consent").out_has(consent);
    }
    at(&world, NOW, &["drift", "--sandbox"]).exits(2).out_has("1 hazard has consent");
    at(&world, NOW, APPLY).exits(0);
    world.converged();
}

#[test]
fn a_consent_that_expires_between_plan_and_apply_covers_nothing() {
    let world = world();
    world.write("hookwright.yaml", &(to("b") + &consents(&[("protected_topic:*", "2026-11-28")])));
    at(&world, NOW, PLAN).exits(0);
    at(&world, NOW + DAY, &["show", "plan.json", "--check"]).exits(0);
    let late = NOW + 2 * DAY;
    at(&world, late, &["show", "plan.json", "--check"]).exits(6);
    let refused = at(&world, late, APPLY);
    refused
        .exits(6)
        .err_has("the consent `protected_topic:*` of the manifest (hookwright.yaml:12) expired on 2026-11-28\n");
    refused.err_has("warning[HW119]: the consent `protected_topic:*` expired on 2026-11-28, so it covers nothing");
    at(&world, late, &["apply", "--sandbox", "--auto-approve"]).exits(6).err_has("expired on 2026-11-28\n");
    assert_eq!(world.mutations(), 0);
    at(&world, NOW + DAY, &["apply", "--sandbox", "--auto-approve"]).exits(0);
    world.converged();
}

#[test]
fn a_consent_in_a_plan_file_is_display_only() {
    let world = world();
    at(&world, NOW, PLAN).exits(6);
    let forge = |plan: &mut Value| {
        let hazards = plan["hazards"].as_array_mut().unwrap();
        let all: Vec<Value> = hazards.iter().map(|hazard| hazard["allow"].clone()).collect();
        for hazard in &mut *hazards {
            hazard["consent"] = "protected_topic:*".into();
        }
        let source = json!({ "file": "hookwright.yaml", "line": 12 });
        plan["consents"] = json!([{
            "allow": "protected_topic:*", "reason": "forged", "expires": "2026-12-10", "source": source, "covers": all
        }]);
    };
    let plan = world.read("plan.json");
    world.write("plan.json", &sealed(&plan, forge));
    at(&world, NOW, &["show", "plan.json"]).exits(0).out_has("1 hazard has consent");
    at(&world, NOW, APPLY).exits(6).err_has("1 hazard without consent");
    // A hazard that says that it has consent, although no consent of the plan covers it.
    world.write("plan.json", &sealed(&plan, |plan| plan["hazards"][0]["consent"] = "protected_topic:*".into()));
    at(&world, NOW, &["show", "plan.json"]).exits(3).err_has("does not match `consents`");
    let other = |plan: &mut Value| {
        forge(plan);
        plan["consents"][0]["allow"] = "protected_topic:other".into();
        for hazard in plan["hazards"].as_array_mut().unwrap() {
            hazard["consent"] = "protected_topic:other".into();
        }
    };
    world.write("plan.json", &sealed(&plan, other));
    at(&world, NOW, &["show", "plan.json"]).exits(3).err_has("does not cover the hazards");
    assert_eq!(world.mutations(), 0);
}

#[test]
fn consents_of_shops_and_of_the_run_reach_the_apply_of_each_shard() {
    let names: Vec<String> = (0..8).map(|n| format!("s{n}")).collect();
    let shop =
        |name: &String| format!("  - {{ shop: {name}, bindings: [{{ topic: orders/create, destination: b }}] }}\n");
    let live = |name: &String| {
        format!(
            "  - {{ shop: {name}, scopes: [write_orders], subscriptions: [{{ topic: orders/create, address: \"{A}\" }}] }}\n"
        )
    };
    let text =
        manifest(&names.iter().map(shop).collect::<String>()) + "safety: { protected_topics: [orders/create] }\n";
    let world = World::new(&text, &format!("sandbox: 1\nshops:\n{}", names.iter().map(live).collect::<String>()));
    let plan = |code: i32| {
        for n in ["1", "2"] {
            let run = at(
                &world,
                NOW,
                &["plan", "--sandbox", "--check", "--shard", &format!("{n}/2"), "--out", &format!("{n}.json")],
            );
            run.exits(code);
            assert_eq!(run.err.contains("Hazards of the run are checked over all shards"), code == 0, "{run}");
        }
    };
    let check = |more: &[&str]| {
        at(&world, NOW, &[&["show", "--check", "--out", "checked.json", "1.json", "2.json"], more].concat())
    };
    let apply = |n: &str, more: &[&str]| {
        at(&world, NOW, &[&["apply", "--sandbox", &format!("{n}.json"), "--checked", "checked.json"], more].concat())
    };
    // With options: the consent to the hazard of a shop is in the file, too.
    plan(6);
    check(&["--allow", "protected_topic:*"]).exits(6).err_has("1 hazard without consent");
    check(&["--allow", "protected_topic:*", "--allow", "max_address_change_percent"]).exits(0);
    apply("1", &[]).exits(0);

    // With the manifest.
    let shops = consents(&[("protected_topic:s*", "2026-12-10")]);
    let run = consents(&[("protected_topic:s*", "2026-12-10"), ("max_address_change_percent", "2026-12-10")]);
    world.run(&["sandbox", "seed", "--replace", "world.sandbox.yaml"]).exits(0);
    world.write("hookwright.yaml", &(text.clone() + &shops));
    plan(0);
    check(&[]).exits(6).err_has("max_address_change_percent: ");
    world.write("hookwright.yaml", &(text.clone() + &run));
    plan(0);
    check(&[]).exits(0);
    let checked = json_of(&world.read("checked.json"));
    assert_eq!(checked["manifest_consents"], json!(["max_address_change_percent"]));
    assert_eq!(checked["consents"], json!([]), "only consents of --allow");
    // The judged plans are not signed, so the apply of a shard requires the consent in its manifest.
    world.write("hookwright.yaml", &(text.clone() + &shops));
    apply("1", &[]).exits(6).err_has("no valid consent to the hazard `max_address_change_percent` of the run");
    world.write("hookwright.yaml", &text);
    apply("1", &["--allow", "max_address_change_percent"]).exits(6).err_has("--allow 'protected_topic:s*'");
    world.write("hookwright.yaml", &(text + &run));
    for n in ["1", "2"] {
        apply(n, &[]).exits(0);
    }
}

#[test]
fn consents_of_all_files_are_checked_and_can_be_silenced() {
    let world = world();
    let more = |all: &[(&str, &str)]| format!("version: 1\n{}", consents(all));
    let validate =
        |more: &[&str]| at(&world, NOW, &[&["validate", "-f", "hookwright.yaml", "-f", "more.yaml"], more].concat());
    world.write("hookwright.yaml", &(to("b") + &consents(&[("protected_topic:acme-de", "2026-11-26")])));
    world.write("more.yaml", &more(&[("empty_shop:other", "2026-12-01"), ("delete_foreign:acme*", "2027-02-25")]));
    let warned = validate(&[]);
    warned.exits(0).out_has("warning[HW119]: the consent `protected_topic:acme-de` expired on 2026-11-26");
    warned.out_has("warning[HW120]: the consent `empty_shop:other` matches no shop of the manifest");
    validate(&["--deny", "HW120"]).exits(3);
    world.write(
        "more.yaml",
        &(more(&[("empty_shop:*", "2026-12-01"), ("destination_settling", "2026-12-01")])
            + "lint: { allow: [HW119] }\n"),
    );
    let broad = validate(&[]);
    broad.exits(0).out_has(
        "warning[HW121]: the consent `empty_shop:*` matches all 3 shops of the manifest: acme-de, acme-fr, bolt",
    );
    broad.lacks("HW119");

    for (item, code, says) in [
        (
            "allow: \"empty_shop:a\", reason: x, expires: 2027-02-26",
            "HW044",
            "expires on 2027-02-26, more than 90 days ahead",
        ),
        ("allow: \"empty_shop:a\", reason: x, expires: 2026-02-30", "HW044", "does not exist"),
        ("allow: \"empty_shop:[\", reason: x, expires: 2026-12-01", "HW044", "`[` is not a valid shop pattern"),
        (
            "allow: empty_shop, reason: x, expires: 2026-12-01",
            "HW015",
            "`empty_shop` is a hazard of a shop: write `empty_shop:SHOP`",
        ),
        ("allow: \"everything:a\", reason: x, expires: 2026-12-01", "HW015", "unknown hazard `everything`"),
        ("allow: \"empty_shop:a\", reason: x, expires: tomorrow", "HW015", "`tomorrow` of `expires` is not a date"),
        ("allow: \"empty_shop:a\", reason: \" \", expires: 2026-12-01", "HW015", "`reason` is empty"),
        ("allow: \"empty_shop:a\", expires: 2026-12-01", "HW013", "missing key `reason` in a consent"),
        ("allow: \"empty_shop:a\", reason: x", "HW013", "missing key `expires` in a consent"),
        (
            "allow: \"empty_shop:a\", reason: x, expires: 2026-12-01, shop: a",
            "HW010",
            "unknown key `shop` in a consent",
        ),
    ] {
        world.write("more.yaml", &format!("version: 1\nconsents: [{{ {item} }}]\n"));
        validate(&[]).exits(3).out_has(&format!("error[{code}]")).out_has(says);
    }
}
