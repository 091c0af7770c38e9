//! Tests of closed addresses, which no new binding may use.

use super::*;

fn any_closed() -> impl Strategy<Value = BTreeSet<Address>> {
    let some = prop::sample::subsequence(MANAGED.to_vec(), 0..=3);
    some.prop_map(|all| all.into_iter().map(Address::new).collect())
}

fn topic(change: &Change) -> &Topic {
    match change {
        Change::Create { after, .. } | Change::Update { after, .. } => &after.topic,
        Change::Delete { before, .. } => &before.binding.topic,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// No new binding uses a closed address, no subscription of a blocked topic is deleted, and every binding is
    /// accounted for.
    #[test]
    fn nothing_is_bound_to_a_closed_address(wanted in any_desired(), shop in any_shop(), closed in any_closed()) {
        let seen = shop.observed(None);
        let ownership = Ownership::default();
        let out = diff_around(&wanted, &seen, &ownership, &closed);
        for change in &out.changes {
            let binds = match change {
                Change::Create { after, .. } => Some(after),
                Change::Update { after, fields, .. } => Some(after).filter(|_| fields.contains(&Field::Address)),
                Change::Delete { .. } => None,
            };
            prop_assert!(binds.is_none_or(|binding| !closed.contains(&binding.address)), "{:?}", change);
            if let Change::Delete { reason: DeleteReason::NotInManifest, .. } = change {
                let held = out.blocked.iter().any(|b| b.entry.binding.topic == *topic(change));
                prop_assert!(!held, "a delete although a binding of the topic is blocked: {:?}", change);
            }
        }
        let written = out.changes.iter().filter(|c| match c {
            Change::Create { .. } => true,
            Change::Update { reason, .. } => *reason != UpdateReason::NameStep,
            Change::Delete { .. } => false,
        });
        prop_assert_eq!(written.count() + out.bound.len() + out.blocked.len(), wanted.entries.len());
        // Without closed addresses the result equals that of `diff`.
        if closed.is_empty() {
            prop_assert_eq!(out, diff(&wanted, &seen, &ownership));
        }
    }
}

#[test]
fn other_fields_of_a_subscription_at_a_closed_address_can_change() {
    let closed = BTreeSet::from([Address::new(MANAGED[0])]);
    let mut wanted = bind("orders/create", MANAGED[0]);
    wanted.include_fields = vec!["id".into()];
    let state = observed(vec![live(1, bind("orders/create", MANAGED[0])), live(2, bind("orders/updated", MANAGED[1]))]);
    let want = desired(vec![wanted, bind("orders/updated", MANAGED[0])]);
    let out = diff_around(&want, &state, &Ownership::default(), &closed);
    assert!(matches!(out.changes.as_slice(), [Change::Update { fields, .. }] if *fields == [Field::IncludeFields]));
    assert!(matches!(out.blocked.as_slice(), [Blocked { why: Obstacle::Closed, .. }]));
}
