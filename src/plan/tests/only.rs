//! Tests of plans that contain only the changes of one origin.

use proptest::prelude::*;

use super::*;

fn part(world: &World, new: &Desired, base: &Desired, observed: &Observed, only: Option<Origin>) -> ShopPlan {
    let base = Base { desired: Some(BaseDesired::Resolved(base)), ownership: &world.ownership, only };
    world.part_with_base("a", new, observed, Some(base)).shop
}

fn topics(changes: &[PlannedChange]) -> BTreeSet<&Topic> {
    changes.iter().map(|planned| planned.change.topic()).collect()
}

fn names(changes: &[PlannedChange]) -> BTreeSet<String> {
    let before = changes.iter().filter_map(|planned| planned.change.before()?.binding.name.as_deref());
    let after = changes.iter().filter_map(|planned| planned.change.after()?.name.as_deref());
    before.chain(after).map(str::to_lowercase).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Both halves together are the whole plan, neither needs the other, and `apply` accepts each of them.
    #[test]
    fn each_half_of_a_plan_can_be_applied_alone(new in any_desired(), base in any_desired(), shop in any_shop()) {
        let world = World::new();
        let observed = shop.observed(None);
        let whole = part(&world, &new, &base, &observed, None);
        for only in [Origin::Manifest, Origin::Drift] {
            let half = part(&world, &new, &base, &observed, Some(only));
            let left = &half.left_out.changes;
            prop_assert_eq!(half.changes.len() + left.len(), whole.changes.len());
            prop_assert!(whole.changes.iter().all(|change| half.changes.contains(change) || left.contains(change)));
            prop_assert!(topics(&half.changes).is_disjoint(&topics(left)));
            prop_assert!(names(&half.changes).is_disjoint(&names(left)));
            prop_assert_eq!(half.blocked.len() + half.left_out.blocked.len(), whole.blocked.len());
            let of_manifest = |change: &PlannedChange| change.origin == Some(Origin::Manifest);
            let foreign = if only == Origin::Manifest { left } else { &half.changes };
            prop_assert!(!foreign.iter().any(of_manifest), "a change of the manifest counts as drift");

            prop_assert_eq!(unasked(&half, &new, &world.ownership), None);
            let tasks = judge(&half, &observed, world.asked(&new));
            prop_assert_eq!(tasks, Ok(vec![Task::Do; half.changes.len()]));
            let plan = world.plan(vec![PlannedShop { shop: half, hazards: hazards(&world, &new, &base, &observed, only) }]);
            prop_assert_eq!(json(&read(&json(&plan)).expect("reads")), json(&plan));
        }
    }
}

fn hazards(world: &World, new: &Desired, base: &Desired, observed: &Observed, only: Origin) -> Vec<Hazard> {
    let base = Base { desired: Some(BaseDesired::Resolved(base)), ownership: &world.ownership, only: Some(only) };
    world.part_with_base("a", new, observed, Some(base)).hazards
}

#[test]
fn a_name_that_moves_keeps_its_topics_together() {
    let world = World::new();
    let base = desired(vec![named("orders/create", MANAGED[0], "FEED"), bind("orders/paid", MANAGED[0])]);
    // The name moves to a missing binding of another topic, which alone would be drift.
    let new = desired(vec![bind("orders/create", MANAGED[1]), named("orders/paid", MANAGED[0], "feed")]);
    let have = observed(vec![live(1, named("orders/create", MANAGED[0], "FEED"))]);
    let half = part(&world, &new, &base, &have, Some(Origin::Manifest));
    assert_eq!(topics(&half.changes).len(), 2, "{:?}", half.changes);
    assert!(half.left_out.is_empty());
    assert!(part(&world, &new, &base, &have, Some(Origin::Drift)).changes.is_empty());
}
