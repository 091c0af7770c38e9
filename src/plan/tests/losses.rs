//! Destinations that lose most of their subscriptions, and shops that are taken over.

use super::*;

/// Plans shops that have each topic live at the first address. `wanted` returns the wanted state of the n-th shop.
fn run(world: &World, shops: usize, topics: &[&str], wanted: &dyn Fn(usize) -> Desired) -> Plan {
    let have = observed((1..).zip(topics).map(|(id, topic)| live(id, bind(topic, MANAGED[0]))).collect());
    world.plan((0..shops).map(|n| world.part(&format!("s{n}"), &wanted(n), &have)).collect())
}

fn losses(plan: &Plan) -> Vec<&DestinationLoss> {
    let of = |hazard: &'_ Hazard| matches!(hazard.kind, HazardKind::MaxDestinationLossPercent { .. });
    plan.hazards
        .iter()
        .filter(|h| of(h))
        .flat_map(|hazard| match &hazard.kind {
            HazardKind::MaxDestinationLossPercent { destinations, .. } => destinations.iter().collect(),
            _ => Vec::new(),
        })
        .collect()
}

const TOPICS: [&str; 7] = ["a/1", "a/2", "a/3", "a/4", "a/5", "a/6", "customers/update"];

#[test]
fn a_destination_that_loses_most_of_its_subscriptions_is_a_hazard_although_the_run_is_large() {
    let world = World::new();
    // `customers` is bound to an address of its own in each of 20 shops, and moves: 14 % of the run.
    let have = observed(
        (1..).zip(TOPICS).map(|(id, topic)| live(id, bind(topic, MANAGED[usize::from(topic == TOPICS[6])]))).collect(),
    );
    let want = |to: &str, moved: bool| {
        let address = |topic: &str| {
            if topic == TOPICS[6] && moved {
                to.to_owned()
            } else {
                MANAGED[usize::from(topic == TOPICS[6])].to_owned()
            }
        };
        desired(TOPICS.iter().map(|topic| bind(topic, &address(topic))).collect())
    };
    let of = |moved: usize, of: usize| {
        world.plan((0..of).map(|n| world.part(&format!("s{n:02}"), &want(MANAGED[2], n < moved), &have)).collect())
    };
    let plan = of(20, 20);
    assert_eq!(kinds(&plan.hazards), ["max_destination_loss_percent"]);
    let loss = DestinationLoss { destination: MANAGED[1].to_owned(), deleted: 0, moved: 20, of: 20, shops: 20 };
    assert_eq!(losses(&plan), [&loss]);
    assert!(plan.hazards[0].message().contains("(20 of 20 moved, in 20 shops)"), "{}", plan.hazards[0].message());
    assert_eq!(kinds(&of(10, 20).hazards), Vec::<&str>::new(), "half of them");
    assert_eq!(kinds(&of(11, 20).hazards), ["max_destination_loss_percent"]);
    assert_eq!(kinds(&of(4, 4).hazards), Vec::<&str>::new(), "fewer than five");
    let patient = World { safety: Safety { max_destination_loss_percent: 100, ..Safety::default() }, ..World::new() };
    let parts = (0..20).map(|n| patient.part(&format!("s{n:02}"), &want(MANAGED[2], true), &have)).collect();
    assert_eq!(kinds(&patient.plan(parts).hazards), Vec::<&str>::new());
    // The parts of a run together have the hazards of the run.
    assert_eq!(together(std::slice::from_ref(&plan)), plan.hazards);
    assert_eq!(read(&serde_json::to_vec(&wire::plan::Plan::from(&plan)).expect("JSON")).expect("plan"), plan);
}

#[test]
fn losses_that_another_hazard_covers_need_no_second_consent() {
    let world = World::new();
    let moved = run(&world, 10, &TOPICS, &|_| desired(TOPICS.iter().map(|topic| bind(topic, MANAGED[1])).collect()));
    assert_eq!(kinds(&moved.hazards), ["max_address_change_percent"]);
    // Each shop loses too many, so each needs a consent of its own.
    let deleted = run(&world, 2, &TOPICS, &|_| desired(vec![bind(TOPICS[0], MANAGED[0])]));
    let expected = ["max_total_delete_percent", "max_delete_percent", "max_delete_percent"];
    assert_eq!(kinds(&deleted.hazards), expected);
    // Moves are covered, deletes are not: only the share of the deletes counts.
    let limits = Safety { max_delete_percent: 100, max_total_delete_percent: 100, ..Safety::default() };
    let world = World { safety: limits, ..World::new() };
    let mixed = |kept: usize| {
        let plan = run(&world, 8, &TOPICS, &|n| {
            desired(TOPICS[..kept].iter().map(|topic| bind(topic, MANAGED[usize::from(n < 7)])).collect())
        });
        kinds(&plan.hazards).iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(mixed(6), ["max_address_change_percent"]);
    assert_eq!(mixed(3), ["max_address_change_percent", "max_destination_loss_percent"]);
}

#[test]
fn deletes_in_a_shop_that_is_taken_over_need_consent_once() {
    let world = World::new();
    let have = observed((1..).zip(&TOPICS[..4]).map(|(id, topic)| live(id, bind(topic, MANAGED[0]))).collect());
    let one = observed(vec![live(1, bind("a/1", MANAGED[0]))]);
    let want = desired(vec![bind("b/1", MANAGED[0])]);
    let keeps = desired(vec![bind("a/1", MANAGED[0]), bind("a/2", MANAGED[0]), bind("a/3", MANAGED[0])]);
    let of = |desired: &Desired, observed: &Observed, base: Option<bool>| {
        let ownership = Ownership::default();
        let known = base.map(|known| Base {
            desired: known.then_some(BaseDesired::Resolved(&keeps)),
            ownership: &ownership,
            only: None,
        });
        let part = world.part_with_base("a", desired, observed, known);
        let plan = world.plan(vec![part]);
        let text = serde_json::to_vec(&wire::plan::Plan::from(&plan)).expect("JSON");
        assert_eq!(read(&text).expect("consistent"), plan);
        kinds(&plan.hazards).iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of(&want, &one, None), ["adoption_delete"], "nothing that is wanted is live");
    assert_eq!(of(&want, &one, Some(false)), ["adoption_delete"]);
    assert_eq!(of(&want, &one, Some(true)), Vec::<&str>::new(), "the base has the shop");
    assert_eq!(of(&keeps, &have, None), Vec::<&str>::new(), "something that is wanted is live");
    assert_eq!(of(&keeps, &have, Some(false)), ["adoption_delete"]);
    assert_eq!(of(&desired(vec![]), &one, None), ["empty_shop"]);
    assert_eq!(of(&want, &have, None), ["max_delete_percent"]);
    // Another manifest may own them: one decision.
    let strange = observed(vec![live(1, bind("a/1", "https://dcs.adobedc.net/collection/theirs"))]);
    assert_eq!(of(&want, &strange, None), ["delete_foreign"]);
}
