//! Tests of hazards, and of the consents that cover them.

use super::*;
use crate::diff::UpdateReason;

#[test]
fn hazards_have_figures_and_a_consent() {
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
    assert_eq!(over[0].message(), "deletes 4 of 10 live subscriptions (40 %); the limit is 30 %");
    assert_eq!(over[0].allow(), "max_delete_percent:a");
    assert_eq!(kinds(&world.part("a", &keep(0), &many(2)).hazards), ["empty_shop"]);

    // Duplicates do not count; subscriptions that another manifest may own do.
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

    // A repurposed subscription counts as deleted.
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
fn the_run_has_its_own_limits() {
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
        plan.hazards[0].message(),
        "changes the address of 16 of the run's 50 live subscriptions (32 %) in 16 shops; the limit is 30 %"
    );
    let consent = |text: &str| Consent::parse(text).expect("consent");
    assert_eq!(refused(&plan.hazards, &[consent("empty_shop:*")], jiff::Timestamp::UNIX_EPOCH).len(), 1);
    assert_eq!(refused(&plan.hazards, &[consent("max_address_change_percent")], jiff::Timestamp::UNIX_EPOCH).len(), 0);
}

#[test]
fn consents_name_a_kind_and_a_shop() {
    for (text, part) in [
        ("everything", "unknown hazard"),
        ("empty_shop", "empty_shop:SHOP"),
        ("max_total_delete_percent:a", "without a shop"),
        ("empty_shop:[", "not a valid shop pattern"),
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
fn a_shop_or_run_with_few_subscriptions_is_judged_by_number() {
    let world = World::new();
    let topics = ["orders/create", "orders/updated", "orders/paid", "products/create"];
    let have = observed(topics.iter().zip(1..).map(|(topic, id)| live(id, bind(topic, MANAGED[0]))).collect());
    let kept = |n: usize| desired(topics[..n].iter().map(|topic| bind(topic, MANAGED[0])).collect());
    let kinds = |want: &Desired| -> Vec<String> {
        world.part("a", want, &have).hazards.into_iter().map(|hazard| hazard.kind.as_str().to_owned()).collect()
    };
    assert_eq!(kinds(&kept(3)), Vec::<String>::new(), "one may be deleted");
    assert_eq!(kinds(&kept(2)), ["max_delete_percent"]);
    assert_eq!(kinds(&kept(1)), ["max_delete_percent"], "all but one");
    let patient = World { safety: Safety { max_delete_percent: 100, ..Safety::default() }, ..World::new() };
    assert_eq!(patient.part("a", &kept(1), &have).hazards.len(), 0, "the manifest allows it");

    // The run: each shop has two subscriptions, and the address of one of them changes.
    let moved = desired(vec![bind("orders/create", MANAGED[1]), bind("orders/updated", MANAGED[0])]);
    let run = |shops: usize| {
        let have =
            observed(vec![live(1, bind("orders/create", MANAGED[0])), live(2, bind("orders/updated", MANAGED[0]))]);
        let parts = (0..shops).map(|n| world.part(&format!("s{n}"), &moved, &have)).collect();
        world.plan(parts).hazards.iter().map(|hazard| hazard.kind.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(run(4), Vec::<String>::new());
    assert_eq!(run(5), ["max_address_change_percent"]);
}

#[test]
fn a_change_of_a_subscription_that_another_manifest_may_own_requires_consent() {
    let world = World { addresses: HashSet::from([crate::model::Address::new(MANAGED[1]).folded()]), ..World::new() };
    let have = observed(vec![live(1, bind("orders/create", MANAGED[0]))]);
    let want = desired(vec![bind("orders/create", MANAGED[1])]);
    let part = world.part("a", &want, &have);
    let [hazard] = &part.hazards[..] else { panic!("{:?}", part.hazards) };
    assert_eq!((hazard.kind.as_str(), hazard.allow().as_str()), ("reroute_foreign", "reroute_foreign:a"));
    let moves = BTreeSet::from([(MANAGED[0].to_owned(), MANAGED[1].to_owned())]);
    assert_eq!(hazard.kind, HazardKind::RerouteForeign { moves });
    assert!(hazard.message().contains(MANAGED[0]), "{}", hazard.message());

    // The address turns out to belong to this manifest.
    let dismissed = |own: &[&str]| {
        let mut hazards = part.hazards.clone();
        dismiss_known_addresses(&mut hazards, &own.iter().map(|a| crate::model::Address::new(a).folded()).collect());
        hazards.len()
    };
    assert_eq!((dismissed(&[]), dismissed(&[MANAGED[0]])), (1, 0));
}

#[test]
fn a_rename_of_a_subscription_that_another_manifest_may_own_requires_consent() {
    let closed = "https://dcs.adobedc.net/collection/closed";
    let mut world = World { addresses: HashSet::from([MANAGED[1].to_owned(), closed.to_owned()]), ..World::new() };
    world.inlets.closed.insert(crate::model::Address::new(closed));
    let have = observed(vec![live(1, named("customers/update", MANAGED[0], "feed"))]);
    // The binding of its topic is blocked, so the subscription is not deleted and loses its name permanently.
    let want = desired(vec![named("orders/create", MANAGED[1], "feed"), bind("customers/update", closed)]);
    let part = world.part("a", &want, &have);
    assert!(
        part.shop
            .changes
            .iter()
            .any(|change| matches!(change.change, Change::Update { reason: UpdateReason::NameStep, .. })),
        "{:?}",
        part.shop.changes
    );
    assert_eq!(kinds(&part.hazards), ["reroute_foreign"]);

    // If the base manifest has the address, the saved plan contains it, even for a change that keeps the address.
    let plan = assemble(
        PlanHeader { base_addresses: HashSet::from([MANAGED[0].to_owned()]), ..world.frame() },
        vec![part],
        |_| 0,
        wire::plan::digest,
    );
    assert_eq!(plan.former_addresses, [MANAGED[0]]);
}
