//! Shards: together they equal the unsharded plan, and a shop's shard depends only on its domain.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::world::{A, B, Run, World, manifest};

#[path = "../../benches/fleet/merge.rs"]
mod merge;

use merge::{difference, merged, text, without_selection};

const SHOPS: usize = 200;
const SHARDS: u64 = 4;

/// The shard as the documentation defines it, to find a shop without the program.
fn shard(handle: &str, shards: u64) -> u64 {
    let hash = Sha256::digest(format!("{handle}.myshopify.com"));
    u64::from_be_bytes(hash[..8].try_into().unwrap()) % shards
}

/// Shops of every sort: as wanted, to create, to update, one too many, unmanaged, without a scope, with labels, with a limit
/// of their own, and one that cannot be read. The limits make hazards, of shops and of the run.
fn world() -> World {
    let wanted: String = (0..SHOPS)
        .map(|n| {
            let own = match n % 20 {
                0 => ", labels: { region: emea, tier: \"1\" }",
                3 => ", safety: { protected_topics: [orders/updated] }",
                _ => "",
            };
            format!("  - {{ shop: shop-{n}, bindings: [{{ topic: orders/create, destination: a }}]{own} }}\n")
        })
        .collect();
    let limits = "safety: { max_total_delete_percent: 1, max_address_change_percent: 2 }\n";
    let live = |n: usize| {
        let scopes = if n % 10 == 9 { "" } else { "write_orders, read_products" };
        let wanted = format!("{{ topic: orders/create, address: \"{A}\" }}");
        let subscriptions = match n % 20 {
            1 | 6 | 11 | 16 => String::new(),
            2 => format!("{{ topic: orders/create, address: \"{B}\" }}"),
            3 if n < 100 => format!("{wanted}, {{ topic: orders/updated, address: \"{A}\" }}"),
            4 | 9 | 14 | 19 => format!("{{ topic: orders/create, address: \"https://other.example/{n}\" }}"),
            _ => wanted,
        };
        let status = if n == 7 { "not_found" } else { "ok" };
        format!("  - {{ shop: shop-{n}, status: {status}, scopes: [{scopes}], subscriptions: [{subscriptions}] }}\n")
    };
    let seed: String = (0..SHOPS).map(live).collect();
    World::new(&(manifest(&wanted) + limits), &format!("sandbox: 1\nshops:\n{seed}"))
}

fn plan(world: &World, name: &str, more: &[&str]) -> Value {
    let command = &mut world.command(&[&["plan", "--sandbox", "--out", name], more].concat());
    let run = Run::of(&command.env("SOURCE_DATE_EPOCH", "1790000000").output().unwrap());
    let plan: Value = serde_json::from_str(&world.read(name)).unwrap();
    let done = plan["complete"] == true && plan["summary"]["blocked"] == 0;
    assert_eq!(run.code == 0, done, "{run}");
    plan
}

#[test]
fn all_shards_together_equal_the_unsharded_plan() {
    let world = world();
    let whole = plan(&world, "whole.json", &[]);
    let names: Vec<String> = (1..=SHARDS).map(|k| format!("{k}.json")).collect();
    let parts: Vec<Value> =
        (1..=SHARDS).map(|k| plan(&world, &format!("{k}.json"), &["--shard", &format!("{k}/{SHARDS}")])).collect();
    for (part, k) in parts.iter().zip(0..) {
        let shops = part["shops"].as_array().unwrap();
        assert!(!shops.is_empty());
        for shop in shops {
            let handle = shop["shop"].as_str().unwrap().split('.').next().unwrap();
            assert_eq!(shard(handle, SHARDS), k, "{handle}");
        }
    }

    let show = |more: &[&str], files: &[&str]| world.run(&[&["show"], more, files].concat());
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let [together, alone] = [&names[..], &["whole.json"]].map(|files| show(&[], files));
    together.exits(0).out_has("Plan incomplete: 60 to add, 10 to change, 5 to destroy; 20 blocked, 1 shop not read.");
    for kind in
        ["max_total_delete_percent: deletes", "max_address_change_percent: changes", "protected_topic, 5 shops: "]
    {
        together.out_has(kind);
    }
    assert_eq!(text(together.out.as_bytes()), text(alone.out.as_bytes()));
    assert_eq!(difference("", &merged(parts.clone()), &without_selection(whole.clone())), None);
    let consents = ["--allow", "protected_topic:*", "--allow", "max_total_delete_percent"];
    for (consents, code) in [
        (&consents[..0], 6),
        (&consents, 6),
        (&[&consents[..], &["--allow", "max_address_change_percent"]].concat(), 0),
    ] {
        let [together, alone] =
            [&names[..], &["whole.json"]].map(|files| show(&[&["--check"], consents].concat(), files));
        together.exits(code);
        assert_eq!((together.code, &together.err), (alone.code, &alone.err));
    }

    // A lost shop, change, hazard or figure would be seen.
    let whole = without_selection(whole);
    let lost = |change: &dyn Fn(&mut Vec<Value>)| {
        let mut parts = parts.clone();
        change(&mut parts);
        difference("", &merged(parts), &whole).is_some()
    };
    assert!(lost(&|parts| drop(parts[2]["shops"].as_array_mut().unwrap().pop())), "a shop");
    assert!(lost(&|parts| drop(parts.pop())), "a shard");
    assert!(lost(&|parts| parts[1]["summary"]["unchanged"] = 0.into()), "a figure");
    let hazards = |part: &mut Value| part["hazards"].as_array_mut().unwrap().pop().is_some();
    assert!(lost(&|parts| assert!(parts.iter_mut().any(hazards))), "a hazard");
}

#[test]
fn shards_of_many_shops_are_balanced() {
    let mut sizes = [0_u32; 16];
    for n in 0..10_000 {
        sizes[usize::try_from(shard(&format!("shop-{n}"), 16)).unwrap()] += 1;
    }
    // 1.15 times the mean.
    assert!(sizes.iter().all(|&size| size * 16 * 100 <= 10_000 * 115), "{sizes:?}");
}
