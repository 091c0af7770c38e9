//! The plan as data: deterministic, sealed, judged again after a run that was cut short.

mod destination_health;
mod forged;
mod rest;

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::diff::diff;
use crate::diff::tests::{FOREIGN, MANAGED, any_desired, any_shop, bind, desired, live, named, observed};
use crate::model::{Binding, ShopDomain};
use crate::state::{Desired, Observed, Ownership, Safety, ShopLimits, Unmanaged};

struct World {
    ownership: Ownership,
    safety: Safety,
    addresses: HashSet<String>,
    inlets: DestinationHealth,
}

impl World {
    fn new() -> Self {
        let addresses = MANAGED.iter().map(|a| crate::model::Address::new(a).folded()).collect();
        Self {
            ownership: Ownership::default(),
            safety: Safety::default(),
            addresses,
            inlets: DestinationHealth::default(),
        }
    }

    fn part(&self, name: &str, desired: &Desired, observed: &Observed) -> ShopPlan {
        self.part_with_base(name, desired, observed, None)
    }

    fn part_with_base(&self, name: &str, desired: &Desired, observed: &Observed, base: Option<Base<'_>>) -> ShopPlan {
        let context = Context {
            ownership: &self.ownership,
            safety: &self.safety,
            addresses: &self.addresses,
            inlets: &self.inlets,
        };
        let input = ShopInput {
            shop: &ShopDomain::parse(name).expect("shop"),
            approval: "have the shop approve it",
            labels: &BTreeMap::new(),
            desired,
            destinations: &BTreeMap::new(),
            limits: &ShopLimits::default(),
            base,
            reading: Ok(observed),
            findings: Vec::new(),
        };
        shop(&context, input)
    }

    fn asked<'a>(&'a self, desired: &'a Desired) -> Asked<'a> {
        Asked { desired, ownership: &self.ownership, inlets: &self.inlets }
    }

    fn plan(&self, parts: Vec<ShopPlan>) -> Plan {
        assemble(self.frame(), parts, |_| 2)
    }

    fn frame(&self) -> PlanHeader {
        let settings = Settings {
            endpoint: "shopify".into(),
            sandbox: None,
            adobe: None,
            admin_api: wire::plan::AdminApi { version: "2026-10".into(), transport: "graphql".into() },
            ownership: wire::plan::Ownership {
                address_prefixes: vec![],
                unmanaged: self.ownership.unmanaged.as_str().into(),
            },
            safety: wire::plan::Safety {
                max_delete_percent: self.safety.max_delete_percent,
                max_total_delete_percent: self.safety.max_total_delete_percent,
                max_address_change_percent: self.safety.max_address_change_percent,
                protected_topics: vec![],
            },
        };
        PlanHeader {
            settings,
            selection: Selection::default(),
            destinations: vec![],
            manifest_digest: "sha256:0".into(),
            created_at: "2026-11-23T00:00:00Z".into(),
            shops_left: vec![],
            base_addresses: HashSet::new(),
            since: None,
        }
    }
}

fn kinds(hazards: &[wire::plan::Hazard]) -> Vec<&str> {
    hazards.iter().map(|h| h.kind.as_str()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// A plan comes back from its file as it was, and its bytes do not depend on the order of anything.
    #[test]
    fn plans_round_trip_and_do_not_depend_on_order(want in any_desired(), a in any_shop(), b in any_shop(), seed in any::<u64>()) {
        let world = World::new();
        let mut rng = fastrand::Rng::with_seed(seed);
        let parts = |want: &Desired, a: &Observed, b: &Observed| vec![world.part("a", want, a), world.part("b", want, b)];
        let plan = world.plan(parts(&want, &a.observed(None), &b.observed(None)));
        let bytes = serde_json::to_vec(&plan).expect("serializes");
        let back = read(&bytes).expect("reads");
        prop_assert_eq!(&back, &plan);

        let (mut want, mut a, mut b) = (want, a.observed(None), b.observed(None));
        rng.shuffle(&mut want.entries);
        rng.shuffle(&mut a.entries);
        rng.shuffle(&mut b.entries);
        let mut shuffled = parts(&want, &a, &b);
        shuffled.reverse();
        prop_assert_eq!(serde_json::to_vec(&world.plan(shuffled)).expect("serializes"), bytes);
    }

    /// Cut short after any number of changes, a plan is not stale: what was done is already so, the rest is to do.
    #[test]
    fn a_plan_that_was_cut_short_can_be_applied_again(want in any_desired(), mut shop in any_shop(), cut in 0_usize..12) {
        let world = World::new();
        let before = shop.observed(None);
        let part = world.part("a", &want, &before);
        let changes = diff(&want, &before, &world.ownership).changes;
        let cut = cut.min(changes.len());
        for change in &changes[..cut] {
            shop.apply(change);
        }
        let tasks = judge(&part.shop, &shop.observed(None), world.asked(&want));
        let tasks = tasks.map_err(|e| TestCaseError::fail(e.to_string()))?;
        let done: Vec<bool> = tasks.iter().map(|t| matches!(t, Task::AlreadySo(_))).collect();
        let expected: Vec<bool> = (0..changes.len()).map(|at| at < cut).collect();
        prop_assert_eq!(done, expected);
    }

    /// Any edit of a saved plan is noticed.
    #[test]
    fn an_edited_plan_is_refused(want in any_desired(), shop in any_shop(), at in any::<prop::sample::Index>(), byte in b'a'..=b'z') {
        let world = World::new();
        let plan = world.plan(vec![world.part("a", &want, &shop.observed(None))]);
        let mut bytes = serde_json::to_vec(&plan).expect("serializes");
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        if let Ok(read) = read(&bytes) {
            // Only what the digest does not cover may differ.
            let same = Plan { created_at: plan.created_at.clone(), ..read };
            prop_assert_eq!(same, plan);
        }
    }
}

#[test]
fn files_that_are_no_plans_are_told_apart() {
    let world = World::new();
    let plan = world.plan(vec![]);
    let text = serde_json::to_string(&plan).expect("serializes");
    let error = |text: &str| read(text.as_bytes()).expect_err(text).to_string();
    assert!(error("").starts_with("not a plan: "));
    assert!(error(&text[..text.len() - 3]).starts_with("not a plan: "));
    assert!(error("[]").starts_with("JSON, but not a hookwright plan"));
    assert!(error(r#"{"report":"apply","format_version":"1.0"}"#).contains("apply report"));
    assert!(error(&text.replace("\"1.0\"", "\"2.0\"")).contains("format 2.0"));
    assert!(error(&text.replace("sha256:0", "sha256:1")).contains("edited or damaged"));
    let with_more = text.replacen('{', "{\"a_new_key\":1,", 1);
    assert!(error(&with_more).contains("edited or damaged"), "an added key is an edit, too");
}

#[test]
fn what_concerns_the_plan_makes_it_stale_and_nothing_else_does() {
    let world = World::new();
    let want = desired(vec![named("orders/create", MANAGED[1], "feed"), bind("orders/updated", MANAGED[0])]);
    let state = vec![live(1, bind("orders/create", MANAGED[0])), live(2, bind("orders/updated", MANAGED[0]))];
    let part = world.part("a", &want, &observed(state.clone()));
    let judged = |edit: &dyn Fn(&mut Vec<crate::state::Entry<crate::model::Live>>)| {
        let mut now = state.clone();
        edit(&mut now);
        judge(&part.shop, &observed(now), world.asked(&want))
    };
    assert_eq!(judged(&|_| {}).map(|tasks| tasks.len()), Ok(1));
    assert!(judged(&|now| now.push(live(3, bind("customers/update", MANAGED[0])))).is_ok(), "another topic");
    assert!(judged(&|now| now.push(live(3, bind("orders/create", FOREIGN[0])))).is_ok(), "unmanaged");
    assert!(judged(&|now| drop(now.remove(1))).is_ok(), "a topic that has no change");
    let new_of_topic =
        judged(&|now| now.push(live(3, Binding { filter: Some("id:1".into()), ..bind("orders/create", MANAGED[0]) })));
    assert_eq!(new_of_topic, Err(Stale::Rest));
    assert_eq!(judged(&|now| now.push(live(3, named("customers/update", FOREIGN[0], "FEED")))), Err(Stale::Rest));
    assert!(matches!(
        judged(&|now| now[0].binding.include_fields = vec!["id".into()]),
        Err(Stale::Subscription { what: "changed", .. })
    ));
    assert!(matches!(judged(&|now| drop(now.remove(0))), Err(Stale::Subscription { what: "deleted", .. })));
}

#[test]
fn hazards_have_figures_and_a_way_out() {
    let mut world = World::new();
    let many = |n: u64| {
        observed(
            (1..=n)
                .map(|id| live(id, Binding { filter: Some(format!("id:{id}")), ..bind("orders/create", MANAGED[0]) }))
                .collect(),
        )
    };
    let keep = |n: u64| {
        desired(
            (1..=n)
                .map(|id| Binding { filter: Some(format!("id:{id}")), ..bind("orders/create", MANAGED[0]) })
                .collect(),
        )
    };

    assert_eq!(kinds(&world.part("a", &keep(7), &many(10)).hazards), Vec::<&str>::new(), "30 % is within 30 %");
    let over = world.part("a", &keep(6), &many(10)).hazards;
    assert_eq!(over[0].message, "deletes 4 of 10 live subscriptions (40 %); the limit is 30 %");
    assert_eq!(over[0].allow, "max_delete_percent:a");
    assert_eq!(kinds(&world.part("a", &keep(0), &many(2)).hazards), ["empty_shop"]);

    // Duplicates do not count; what another manifest may own does.
    let twice = observed((1..=9).map(|id| live(id, bind("orders/create", MANAGED[0]))).collect());
    assert_eq!(
        kinds(&world.part("a", &desired(vec![bind("orders/create", MANAGED[0])]), &twice).hazards),
        Vec::<&str>::new()
    );
    let strange = observed(vec![
        live(1, bind("orders/create", "https://dcs.adobedc.net/collection/theirs")),
        live(2, bind("orders/updated", MANAGED[0])),
    ]);
    assert_eq!(
        kinds(&world.part("a", &desired(vec![bind("orders/updated", MANAGED[0])]), &strange).hazards),
        ["delete_foreign"]
    );

    // Repurposing is deleting.
    let other = desired(
        (1..=10).map(|id| Binding { filter: Some(format!("id:9{id}")), ..bind("orders/create", MANAGED[1]) }).collect(),
    );
    assert_eq!(kinds(&world.part("a", &other, &many(10)).hazards), ["max_delete_percent"]);

    world.safety.protected_topics = vec![crate::model::Topic::from_slash("orders/create")];
    let moved = desired(vec![bind("orders/create", MANAGED[1])]);
    let one = observed(vec![live(1, bind("orders/create", MANAGED[0]))]);
    assert_eq!(kinds(&world.part("a", &moved, &one).hazards), ["protected_topic"]);

    world.ownership.unmanaged = Unmanaged::Delete;
    let stray = observed(vec![live(1, bind("orders/create", FOREIGN[0])), live(2, bind("orders/create", MANAGED[1]))]);
    assert_eq!(kinds(&world.part("a", &moved, &stray).hazards), ["delete_unmanaged", "protected_topic"]);
}

#[test]
fn the_run_has_limits_of_its_own() {
    let world = World::new();
    let shop_of = |name: &str, address: &str| {
        let have = observed(vec![live(1, bind("orders/create", MANAGED[0]))]);
        world.part(name, &desired(vec![bind("orders/create", address)]), &have)
    };
    let run = |moved: usize, of: usize| {
        let parts = (0..of).map(|n| shop_of(&format!("s{n}"), MANAGED[usize::from(n < moved)])).collect();
        world.plan(parts)
    };
    assert_eq!(kinds(&run(15, 50).hazards), Vec::<&str>::new());
    let plan = run(16, 50);
    assert_eq!(
        plan.hazards[0].message,
        "sends 16 of the run's 50 live subscriptions (32 %) in 16 shops to another address; the limit is 30 %"
    );
    let consent = |text: &str| Consent::parse(text).expect("consent");
    assert_eq!(refused(&plan.hazards, &[consent("empty_shop:*")], jiff::Timestamp::UNIX_EPOCH).len(), 1);
    assert_eq!(refused(&plan.hazards, &[consent("max_address_change_percent")], jiff::Timestamp::UNIX_EPOCH).len(), 0);
}

#[test]
fn consents_name_a_kind_and_a_shop() {
    for (text, part) in [
        ("everything", "no hazard is called"),
        ("empty_shop", "empty_shop:SHOP"),
        ("max_total_delete_percent:a", "without a shop"),
        ("empty_shop:[", "not a valid pattern"),
    ] {
        let error = Consent::parse(text).expect_err(text).to_string();
        assert!(error.contains(part), "{error}");
    }
    let hazard = World::new()
        .part("acme-eu", &desired(vec![]), &observed(vec![live(1, bind("orders/create", MANAGED[0]))]))
        .hazards;
    for (text, left) in [
        ("empty_shop:acme-eu", 0),
        ("empty_shop:ACME-*", 0),
        ("empty_shop:acme-eu.myshopify.com", 0),
        ("empty_shop:acme", 1),
    ] {
        assert_eq!(
            refused(&hazard, &[Consent::parse(text).expect("consent")], jiff::Timestamp::UNIX_EPOCH).len(),
            left,
            "{text}"
        );
    }
}

#[test]
fn origin_tells_drift_from_the_manifest() {
    let world = World::new();
    let base = desired(vec![bind("orders/create", MANAGED[0]), bind("orders/updated", MANAGED[0])]);
    let new = desired(vec![bind("orders/create", MANAGED[1]), bind("orders/updated", MANAGED[0])]);
    let have = observed(vec![live(1, bind("orders/create", MANAGED[0]))]);
    let base = Base { desired: Some(BaseDesired::Resolved(&base)), ownership: &world.ownership };
    let part = world.part_with_base("a", &new, &have, Some(base));
    let origins: Vec<_> = part.shop.changes.iter().map(|c| (c.topic.as_str(), c.origin)).collect();
    assert_eq!(
        origins,
        [("orders/create", Some(wire::plan::Origin::Manifest)), ("orders/updated", Some(wire::plan::Origin::Drift))]
    );
}

#[test]
fn a_missing_binding_is_drift_also_where_the_manifest_gives_it_another_address() {
    let world = World::new();
    let base = desired(vec![bind("orders/create", MANAGED[0]), bind("orders/updated", MANAGED[0])]);
    let new = desired(vec![
        bind("orders/create", MANAGED[1]),
        bind("orders/updated", MANAGED[0]),
        bind("orders/updated", MANAGED[1]),
        bind("products/create", MANAGED[0]),
    ]);
    let base = Base { desired: Some(BaseDesired::Resolved(&base)), ownership: &world.ownership };
    let part = world.part_with_base("a", &new, &observed(vec![]), Some(base));
    let created = |c: &wire::plan::Change| c.after.as_ref().map(|after| after.address.clone()).unwrap_or_default();
    let mut origins: Vec<_> =
        part.shop.changes.iter().map(|c| (c.topic.as_str(), created(c), c.origin.expect("origin"))).collect();
    origins.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let drift = |topic, address: &str| (topic, address.to_owned(), wire::plan::Origin::Drift);
    let manifest = |topic, address: &str| (topic, address.to_owned(), wire::plan::Origin::Manifest);
    let mut expected = vec![
        drift("orders/create", MANAGED[1]),
        // The one that is as it was is the one that is missing; the other one is new.
        drift("orders/updated", MANAGED[0]),
        manifest("orders/updated", MANAGED[1]),
        manifest("products/create", MANAGED[0]),
    ];
    expected.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    assert_eq!(origins, expected);
}

#[test]
fn a_shop_or_run_with_few_subscriptions_is_judged_by_number() {
    let world = World::new();
    let topics = ["orders/create", "orders/updated", "orders/paid", "products/create"];
    let have = observed(topics.iter().zip(1..).map(|(topic, id)| live(id, bind(topic, MANAGED[0]))).collect());
    let kept = |n: usize| desired(topics[..n].iter().map(|topic| bind(topic, MANAGED[0])).collect());
    let kinds = |want: &Desired| -> Vec<String> {
        world.part("a", want, &have).hazards.into_iter().map(|hazard| hazard.kind).collect()
    };
    assert_eq!(kinds(&kept(3)), Vec::<String>::new(), "one may go");
    assert_eq!(kinds(&kept(2)), ["max_delete_percent"]);
    assert_eq!(kinds(&kept(1)), ["max_delete_percent"], "all but one");
    let patient = World { safety: Safety { max_delete_percent: 100, ..Safety::default() }, ..World::new() };
    assert_eq!(patient.part("a", &kept(1), &have).hazards.len(), 0, "the manifest allows it");

    // The run: each shop has two, and sends one of them to another address.
    let moved = desired(vec![bind("orders/create", MANAGED[1]), bind("orders/updated", MANAGED[0])]);
    let run = |shops: usize| {
        let have =
            observed(vec![live(1, bind("orders/create", MANAGED[0])), live(2, bind("orders/updated", MANAGED[0]))]);
        let parts = (0..shops).map(|n| world.part(&format!("s{n}"), &moved, &have)).collect();
        world.plan(parts).hazards.iter().map(|hazard| hazard.kind.clone()).collect::<Vec<_>>()
    };
    assert_eq!(run(4), Vec::<String>::new());
    assert_eq!(run(5), ["max_address_change_percent"]);
}

#[test]
fn a_route_that_another_manifest_may_own_is_not_taken_in_silence() {
    let world = World { addresses: HashSet::from([crate::model::Address::new(MANAGED[1]).folded()]), ..World::new() };
    let have = observed(vec![live(1, bind("orders/create", MANAGED[0]))]);
    let want = desired(vec![bind("orders/create", MANAGED[1])]);
    let part = world.part("a", &want, &have);
    let [hazard] = &part.hazards[..] else { panic!("{:?}", part.hazards) };
    assert_eq!((hazard.kind.as_str(), hazard.allow.as_str()), ("reroute_foreign", "reroute_foreign:a"));
    assert_eq!(hazards::moves(hazard), BTreeSet::from([(MANAGED[0], MANAGED[1])]));
    assert!(hazard.message.contains(MANAGED[0]), "{}", hazard.message);

    // What turns out to be nobody else's.
    let dismissed = |own: &[&str]| {
        let mut hazards = part.hazards.clone();
        dismiss_own(&mut hazards, &own.iter().map(|a| crate::model::Address::new(a).folded()).collect());
        hazards.len()
    };
    assert_eq!((dismissed(&[]), dismissed(&[MANAGED[0]])), (1, 0));
}

#[test]
fn a_subscription_of_another_manifest_is_not_renamed_in_silence() {
    let closed = "https://dcs.adobedc.net/collection/closed";
    let mut world = World { addresses: HashSet::from([MANAGED[1].to_owned(), closed.to_owned()]), ..World::new() };
    world.inlets.closed.insert(crate::model::Address::new(closed));
    let have = observed(vec![live(1, named("customers/update", MANAGED[0], "feed"))]);
    // The binding of its topic is blocked, so it is not deleted, and gives up its name for good.
    let want = desired(vec![named("orders/create", MANAGED[1], "feed"), bind("customers/update", closed)]);
    let part = world.part("a", &want, &have);
    assert!(part.shop.changes.iter().any(|change| change.reason == "name_step"), "{:?}", part.shop.changes);
    assert_eq!(kinds(&part.hazards), ["reroute_foreign"]);

    // Where the base manifest has the address, the saved plan says so, also of a change that keeps it.
    let plan = assemble(
        PlanHeader { base_addresses: HashSet::from([MANAGED[0].to_owned()]), ..world.frame() },
        vec![part],
        |_| 0,
    );
    assert_eq!(plan.former_addresses, [MANAGED[0]]);
}

#[test]
fn a_failed_shop_is_not_an_empty_shop() {
    let world = World::new();
    let context = Context {
        ownership: &world.ownership,
        safety: &world.safety,
        addresses: &world.addresses,
        inlets: &world.inlets,
    };
    let error =
        wire::plan::ShopError { kind: "frozen".into(), http_status: Some(402), message: "m".into(), retryable: false };
    let (want, none) = (desired(vec![bind("orders/create", MANAGED[0])]), BTreeMap::new());
    let part = |tolerated| {
        let input = ShopInput {
            shop: &ShopDomain::parse("a").expect("shop"),
            approval: "have the shop approve it",
            labels: &BTreeMap::new(),
            desired: &want,
            destinations: &none,
            limits: &ShopLimits::default(),
            base: None,
            reading: Err(Failure { error: error.clone(), tolerated }),
            findings: Vec::new(),
        };
        shop(&context, input)
    };
    let failed = world.plan(vec![part(false)]);
    assert!(!failed.complete && failed.shops[0].changes.is_empty() && failed.summary.shops.failed == 1);
    let tolerated = world.plan(vec![part(true)]);
    assert!(tolerated.complete && tolerated.summary.shops.unavailable == 1);
    assert_eq!(tolerated.shops[0].findings[0].kind, "unavailable");
}

#[test]
fn the_json_has_the_keys_that_pipelines_parse() {
    let world = World::new();
    let part = world.part("a", &desired(vec![bind("orders/create", MANAGED[0])]), &observed(vec![]));
    let plan = serde_json::to_value(world.plan(vec![part])).expect("serializes");
    let keys = |v: &Value| {
        v.as_object().map(|m| m.keys().cloned().collect::<std::collections::BTreeSet<_>>()).unwrap_or_default()
    };
    for key in [
        "format_version",
        "tool_version",
        "created_at",
        "plan_digest",
        "exit_code",
        "manifest_digest",
        "complete",
        "settings",
        "selection",
        "summary",
        "hazards",
        "shops",
    ] {
        assert!(keys(&plan).contains(key), "{key}");
    }
    for key in [
        "shop",
        "labels",
        "status",
        "observed_digest",
        "desired_digest",
        "managed",
        "bound",
        "blocked",
        "changes",
        "findings",
        "error",
    ] {
        assert!(keys(&plan["shops"][0]).contains(key), "{key}");
    }
    let change = &plan["shops"][0]["changes"][0];
    for key in ["action", "topic", "reason", "origin", "fields", "destination", "source", "before", "after"] {
        assert!(keys(change).contains(key), "{key}");
    }
    assert_eq!(change["action"], "create");
    assert_eq!(change["before"], Value::Null);
    assert_eq!(change["after"]["filter"], Value::Null);
}

#[test]
fn a_plan_that_touches_what_is_not_ours_is_not_carried_out() {
    let mut world = World::new();
    let state = observed(vec![live(1, bind("orders/create", FOREIGN[0]))]);
    world.ownership.unmanaged = Unmanaged::Delete;
    let want = desired(vec![]);
    let part = world.part("a", &want, &state);
    assert!(judge(&part.shop, &state, world.asked(&want)).is_ok(), "the manifest says so");
    world.ownership.unmanaged = Unmanaged::Report;
    let refused = judge(&part.shop, &state, world.asked(&want));
    assert_eq!(refused, Err(Stale::NotOurs { topic: "orders/create".into() }));
}
