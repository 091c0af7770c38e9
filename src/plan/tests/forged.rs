//! Tests of plan files that were edited and have a recomputed digest: everything that can be computed is verified.

use super::*;
use crate::wire::plan::Action;

/// Reads a plan whose content was edited and whose digest was recomputed.
fn forged(plan: &Plan, edit: impl FnOnce(&mut wire::plan::Plan)) -> Result<Plan, PlanFileError> {
    let mut plan = wire::plan::Plan::from(plan);
    edit(&mut plan);
    let mut json = serde_json::to_value(&plan).expect("serializes");
    let mut covered = json.clone();
    let covered_keys = covered.as_object_mut().expect("an object");
    covered_keys.retain(|key, _| !matches!(key.as_str(), "plan_digest" | "created_at"));
    json["plan_digest"] = sha256(&covered).into();
    read(json.to_string().as_bytes())
}

fn subscription(side: &mut Option<Arc<wire::plan::Subscription>>) -> &mut wire::plan::Subscription {
    Arc::make_mut(side.as_mut().expect("this side"))
}

fn address(side: &mut Option<Arc<wire::plan::Subscription>>) -> &mut String {
    &mut subscription(side).address
}

/// An edit of a plan.
type Edit = fn(&mut wire::plan::Shop);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// A change that is removed, duplicated or moved within its topic is detected after the shop was read.
    #[test]
    fn a_plan_with_other_changes_than_required_is_not_applied(
        want in any_desired(), shop in any_shop(), at in any::<prop::sample::Index>(), how in 0..3
    ) {
        let world = World::new();
        let state = shop.observed(None);
        let part = world.part("a", &want, &state);
        prop_assume!(!part.shop.changes.is_empty());
        prop_assert!(part.shop.changes.iter().all(|_| unasked(&part.shop, &want, &world.ownership).is_none()));
        let at = at.index(part.shop.changes.len());
        let mut planned = part.shop.clone();
        let topic = planned.changes[at].change.topic().clone();
        match how {
            0 => drop(planned.changes.remove(at)),
            1 => planned.changes.insert(at, planned.changes[at].clone()),
            _ => planned.changes.rotate_left(at),
        }
        prop_assume!(planned.changes != part.shop.changes);
        // A topic that is missing as a whole is not changed; this is not an error.
        prop_assume!(planned.changes.iter().any(|planned| *planned.change.topic() == topic));
        prop_assert!(judge(&planned, &state, world.asked(&want)).is_err());
    }

    /// A plan of this program is never inconsistent.
    #[test]
    fn an_unedited_plan_is_consistent(want in any_desired(), shop in any_shop(), deletes in any::<bool>()) {
        let mut world = World::new();
        if deletes {
            world.ownership.unmanaged = Unmanaged::Delete;
        }
        let plan = world.plan(vec![world.part("a", &want, &shop.observed(None))]);
        prop_assert_eq!(contradiction(&plan), None);
    }
}

#[test]
fn a_forged_change_is_not_required_by_the_manifest() {
    let world = World::new();
    let want = desired(vec![
        bind("orders/create", MANAGED[1]),
        named("orders/updated", MANAGED[0], "feed"),
        bind("products/update", MANAGED[0]),
    ]);
    let state = observed(vec![
        live(1, bind("orders/create", MANAGED[0])),
        live(2, bind("customers/update", MANAGED[0])),
        live(3, bind("products/update", MANAGED[0])),
        live(4, bind("app/uninstalled", FOREIGN[0])),
    ]);
    let part = world.part("a", &want, &state);
    let honest = wire::plan::Shop::from(&part.shop);
    let actions: Vec<_> = honest.changes.iter().map(|c| (c.action, &*c.topic)).collect();
    let expected =
        [(Action::Update, "orders/create"), (Action::Create, "orders/updated"), (Action::Delete, "customers/update")];
    assert_eq!(actions, expected);
    assert_eq!(unasked(&part.shop, &want, &world.ownership), None);

    let kept = subscription_of(&state, 3);
    let foreign = subscription_of(&state, 4);
    let edits: [(&str, Edit); 7] = [
        ("an update that moves to a foreign address", |s| *address(&mut s.changes[0].after) = FOREIGN[0].into()),
        ("an update that moves to another managed address", |s| *address(&mut s.changes[0].after) = MANAGED[2].into()),
        ("a create at a foreign address", |s| *address(&mut s.changes[1].after) = FOREIGN[0].into()),
        ("a create that loses a field", |s| subscription(&mut s.changes[1].after).name = None),
        ("an update of an unmanaged subscription", |s| *address(&mut s.changes[0].before) = FOREIGN[0].into()),
        ("a name step that moves, too", |s| {
            s.changes[0].reason = "name_step".into();
            *address(&mut s.changes[0].after) = FOREIGN[0].into();
        }),
        ("more live bindings than are wanted", |s| {
            let more = wire::plan::Bound { topic: "x/y".into(), destination: "z".into(), count: 100 };
            s.bound = s.bound.iter().cloned().chain([more]).collect();
        }),
    ];
    for (what, edit) in edits {
        let mut shop = honest.clone();
        edit(&mut shop);
        let shop = ShopPlan::try_from(shop).expect(what);
        assert!(unasked(&shop, &want, &world.ownership).is_some(), "{what}");
        if !what.contains("live") {
            assert!(judge(&shop, &state, world.asked(&want)).is_err(), "{what}");
        }
    }
    for (what, topic, before) in [
        ("a delete of what is wanted", "products/update", kept),
        ("a delete of an unmanaged subscription", "app/uninstalled", foreign),
    ] {
        for reason in ["not_in_manifest", "duplicate", "replaced", "unmanaged", "a reason of the future"] {
            let mut shop = honest.clone();
            let delete = &mut shop.changes[2];
            (delete.topic, delete.reason, delete.before) = (topic.into(), reason.into(), Some(before.clone().into()));
            let shop = ShopPlan::try_from(shop).expect(what);
            let rejected = unasked(&shop, &want, &world.ownership).is_some();
            // Without a reading these are accepted; the ownership rule is checked again before the changes.
            let later = (reason == "duplicate" && topic == "products/update")
                || (reason == "unmanaged" && topic == "app/uninstalled");
            assert!(rejected || later, "{what}: {reason}");
            assert!(judge(&shop, &state, world.asked(&want)).is_err(), "{what}: {reason}");
        }
    }
}

fn subscription_of(state: &Observed, id: u64) -> wire::plan::Subscription {
    let number = |entry: &&crate::state::Entry<crate::model::Live>| entry.meta.id.number() == Some(id);
    state.entries.iter().find(number).expect("there").into()
}

#[test]
fn a_file_with_a_missing_hazard_or_wrong_counts_is_rejected() {
    let world = World::new();
    let topics: Vec<String> = (0..6).map(|n| format!("topic/{n}")).collect();
    let state = observed((1..).zip(&topics).map(|(id, topic)| live(id, bind(topic, MANAGED[0]))).collect());
    let want = desired(vec![bind(&topics[0], MANAGED[0]), bind(&topics[1], MANAGED[0])]);
    let plan = world.plan(vec![world.part("a", &want, &state)]);
    assert_eq!(kinds(&plan.hazards), ["max_delete_percent"]);
    assert!(forged(&plan, |_| {}).is_ok());

    let refused = |edit: fn(&mut wire::plan::Plan)| forged(&plan, edit).expect_err("forged").to_string();
    assert!(refused(|p| p.hazards.clear()).contains("hazard `max_delete_percent` of a.myshopify.com"));
    assert!(refused(|p| p.hazards[0].details.clear()).contains("hazard `max_delete_percent`"));
    assert!(
        refused(|p| p.hazards[0].allow = "delete_foreign:*".into())
            .contains("`allow` of the hazard `max_delete_percent`")
    );
    assert!(refused(|p| p.summary.destroy = 0).contains("summary"));
    assert!(refused(|p| p.complete = false).contains("summary"));
    assert!(refused(|p| p.shops[0].managed = 100).contains("account for"));
    assert!(refused(|p| p.shops[0].status = wire::plan::ShopStatus::Unchanged).contains("status"));
    assert!(
        refused(|p| {
            let mut again = p.shops[0].changes[0].clone();
            again.reason = "duplicate".into();
            p.shops[0].changes.push(again);
            p.summary.destroy += 1;
        })
        .contains("conflicting changes")
    );
}

#[test]
fn labels_of_a_saved_plan_are_those_of_the_manifest() {
    let world = World::new();
    let want = desired(vec![bind("orders/create", MANAGED[1])]);
    let state = observed(vec![live(1, bind("orders/create", MANAGED[0]))]);
    let mut planned = world.part("a", &want, &state).shop;
    planned.changes[0].destinations.after = Some("commerce".into());
    planned.changes[0].destinations.before = Some("elsewhere".into());
    let names = [("loyalty", MANAGED[1])];
    let names = names.map(|(name, address)| (name.into(), crate::model::Address::new(address)));
    relabel(&mut planned, &want, &BTreeMap::from(names));
    let labels = &planned.changes[0].destinations;
    assert_eq!((labels.before.as_deref(), labels.after.as_deref()), (None, Some("loyalty")));
}

#[test]
fn a_subscription_is_not_updated_and_deleted_by_one_plan() {
    // A list with the subscription twice would require both changes.
    let world = World::new();
    let want = desired(vec![bind("orders/create", MANAGED[1])]);
    let twice = vec![live(1, bind("orders/create", MANAGED[0])), live(1, bind("orders/create", MANAGED[0]))];
    let part = world.part("a", &want, &observed(twice.clone()));
    assert_eq!((part.shop.status(), part.shop.changes.len()), (ShopStatus::Failed, 0));
    let error = part.shop.error().expect("an error");
    assert_eq!(error.kind.as_str(), "unexpected_answer");
    let again = judge(&part.shop, &observed(twice), world.asked(&want));
    assert!(matches!(again, Err(Stale::Repeated { .. })));
}

#[test]
fn shops_that_are_not_in_the_manifest_do_not_dilute_the_limits_of_the_run() {
    let world = World::new();
    let topics: Vec<String> = (0..60).map(|n| format!("topic/{n}")).collect();
    let all = || topics.iter().map(|topic| bind(topic, MANAGED[0]));
    let state = observed((1..).zip(all()).map(|(id, binding)| live(id, binding)).collect());
    let (kept, same) = (desired(all().skip(10).collect()), desired(all().collect()));
    let mut plan = world.plan(vec![world.part("a", &kept, &state)]);
    assert!(kinds(&plan.hazards).contains(&"max_total_delete_percent"));
    for n in 0..9 {
        plan.shops.push(world.part(&format!("z{n}"), &same, &state).shop);
    }
    let context = Context {
        ownership: &world.ownership,
        safety: &world.safety,
        addresses: &world.addresses,
        inlets: &world.inlets,
    };
    let limits = ShopLimits::default();
    let known = |shop: &ShopPlan| (shop.shop.handle() == "a").then_some(&limits);
    let hazards = hazards_of(&context, &plan.settings, &plan, known);
    assert!(kinds(&hazards).contains(&"max_total_delete_percent"), "{hazards:?}");
}
