//! Tests of plans over REST, which hides filters and names.

use super::*;
use crate::diff::DeleteReason;
use crate::diff::tests::Shop;
use crate::diff::tests::rest::{any_desired_over_rest, apply_over_rest, seen_over_rest};
use crate::model::{Format, Live};
use crate::state::Entry;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// A plan that was interrupted after any number of changes is not stale.
    #[test]
    fn an_interrupted_plan_over_rest_can_be_applied_again(
        want in any_desired_over_rest(), mut shop in any_shop(), cut in 0_usize..12
    ) {
        let world = World::new();
        let before = seen_over_rest(&shop);
        let part = world.part("a", &want, &before);
        let changes = diff(&want, &before, &world.ownership).changes;
        let cut = cut.min(changes.len());
        for change in &changes[..cut] {
            apply_over_rest(&mut shop, change);
        }
        let tasks = judge(&part.shop, &seen_over_rest(&shop), world.asked(&want));
        let tasks = tasks.map_err(|e| TestCaseError::fail(e.to_string()))?;
        let done: Vec<bool> = tasks.iter().map(|t| matches!(t, Task::AlreadySo(_))).collect();
        let expected: Vec<bool> = (0..changes.len()).map(|at| at < cut).collect();
        prop_assert_eq!(done, expected);
    }
}

#[test]
fn hidden_fields_do_not_make_a_plan_stale() {
    let world = World::new();
    let filtered = Binding { filter: Some("id:1".into()), ..named("orders/create", MANAGED[0], "feed") };
    let gone = live(1, Binding { metafields: Some(vec!["a.b".into()]), ..filtered });
    let want = desired(vec![]);
    let part = world.part("a", &want, &observed(vec![gone.clone()]));
    assert!(judge(&part.shop, &seen_over_rest(&Shop::of(vec![gone.clone()])), world.asked(&want)).is_ok());
    let mut other = gone;
    other.binding.include_fields = vec!["id".into()];
    let stale = judge(&part.shop, &seen_over_rest(&Shop::of(vec![other])), world.asked(&want));
    assert!(matches!(stale, Err(Stale::Subscription { what: "changed", .. })));
}

fn is_replaced(change: &Change) -> bool {
    matches!(change, Change::Delete { reason: DeleteReason::Replaced, .. })
}

#[test]
fn deletes_of_replaced_subscriptions_do_not_count_for_limits_but_those_of_look_alikes_do() {
    let world = World::new();
    let xml = |id: u64| {
        live(
            id,
            Binding { format: Format::Xml, include_fields: vec![format!("{id}")], ..bind("orders/create", MANAGED[0]) },
        )
    };
    let over_rest = |live: Vec<Entry<Live>>| seen_over_rest(&Shop::of(live));
    let topics: Vec<String> = (0..6).map(|n| format!("topic/{n}")).collect();
    let of_topics = |format: Format| topics.iter().map(move |t| Binding { format, ..bind(t, MANAGED[0]) });
    let (want, have) =
        (of_topics(Format::Json).collect(), (1..).zip(of_topics(Format::Xml)).map(|(id, b)| live(id, b)));
    let replaced = world.part("a", &desired(want), &over_rest(have.collect()));
    assert_eq!((kinds(&replaced.hazards), replaced.shop.changes.len()), (vec![], 12));
    assert!(replaced.shop.changes[6..].iter().all(|c| is_replaced(&c.change)));
    let alike = over_rest((1..=6).map(xml).collect());
    let want = desired(vec![bind("orders/create", MANAGED[0])]);
    assert_eq!(kinds(&world.part("a", &want, &alike).hazards), ["max_delete_percent"]);
}
