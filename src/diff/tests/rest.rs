//! The same properties for REST, which hides filters and names and cannot change a format.

use super::*;

/// Returns a subscription as REST shows it.
fn shown(live: &Entry<Live>) -> Entry<Live> {
    let mut live = live.clone();
    live.meta.visibility = Visibility::WithoutFilterAndName;
    live.binding = Binding { filter: None, name: None, metafields: None, ..live.binding };
    live
}

pub(crate) fn seen_over_rest(shop: &Shop) -> Observed {
    ShopState { scopes: None, entries: shop.live.iter().map(shown).collect() }
}

/// Applies a change as REST does: hidden fields and the format stay unchanged.
pub(crate) fn apply_over_rest(shop: &mut Shop, change: &Change) {
    let find = |shop: &Shop, before: &Entry<Live>| {
        let at = shop.live.iter().position(|l| l.meta.id == before.meta.id).expect("names what is there");
        assert_eq!(&shown(&shop.live[at]), before, "`before` is the state immediately before the change");
        at
    };
    match change {
        Change::Create { after, .. } => {
            assert!(after.filter.is_none() && after.name.is_none() && after.metafields.is_none(), "not to be said");
            shop.apply(change);
        }
        Change::Update { before, after, fields, .. } => {
            assert!(!fields.is_empty(), "an update without a field");
            let at = find(shop, before);
            let now = shop.live[at].binding.clone();
            assert_eq!((&now.topic, now.format), (&after.topic, after.format), "REST cannot change these");
            let (filter, name, metafields) = (now.filter, now.name, now.metafields);
            let becomes = Binding { filter, name, metafields, ..Binding::clone(after) };
            shop.check_free(&becomes, Some(&before.meta.id));
            shop.live[at].binding = becomes;
        }
        Change::Delete { before, .. } => {
            let at = find(shop, before);
            shop.live.remove(at);
        }
    }
}

/// Generates the wanted state of a valid manifest for REST.
pub(crate) fn any_desired_over_rest() -> impl Strategy<Value = Desired> {
    prop::collection::vec(any_binding(&MANAGED), 0..8).prop_map(|list| {
        let plain = |b: Binding| Binding { filter: None, name: None, metafields: None, ..b };
        desired(
            distinct(list.into_iter().map(plain).collect())
                .into_iter()
                .map(|b| Binding { metafields: None, ..b })
                .collect(),
        )
    })
}

fn looks(entry: &Entry<Live>) -> String {
    format!("{:?}", shown(entry).binding.key())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// One round converges. Unmanaged subscriptions stay unchanged, nothing is deleted as a duplicate, either all or
    /// none of several look-alikes are deleted, and a replaced subscription is deleted after its replacement is
    /// created.
    #[test]
    fn applying_the_diff_converges(wanted in any_desired_over_rest(), mut shop in any_shop()) {
        let ownership = Ownership::default();
        let mine = |e: &&Entry<Live>| ownership.covers(&e.binding.address);
        let before = shop.live.clone();
        let seen = seen_over_rest(&shop);
        let first = diff(&wanted, &seen, &ownership);
        let gone = |e: &Entry<Live>, changes: &[Change]| {
            changes.iter().any(|c| matches!(c, Change::Delete { before, .. } if before.meta.id == e.meta.id))
        };
        for entry in before.iter().filter(mine) {
            let group: Vec<_> = before.iter().filter(|e| looks(e) == looks(entry)).collect();
            let deleted = group.iter().filter(|e| gone(e, &first.changes)).count();
            prop_assert!(deleted == 0 || deleted == group.len(), "one of several that look alike was picked out");
            let asked_for = wanted.entries.iter().any(|w| format!("{:?}", w.binding.key()) == looks(entry));
            prop_assert!(deleted == 0 || !asked_for, "what the manifest asks for was deleted");
        }
        let mut deleting = false;
        for (at, change) in first.changes.iter().enumerate() {
            if let Change::Delete { before, reason } = change {
                prop_assert_ne!(*reason, DeleteReason::Duplicate);
                let is_replacement = |c: &Change| matches!(c, Change::Create { after, .. }
                    if after.topic == before.binding.topic && after.address == before.binding.address);
                prop_assert!(*reason != DeleteReason::Replaced || first.changes[..at].iter().any(is_replacement));
            }
            let is_delete = matches!(change, Change::Delete { .. });
            prop_assert!(is_delete || !deleting, "a delete before a create or update");
            deleting = is_delete;
            apply_over_rest(&mut shop, change);
        }
        let seen = seen_over_rest(&shop);
        let now = diff(&wanted, &seen, &ownership);
        prop_assert_eq!(&now.changes, &vec![]);
        prop_assert_eq!(now.bound.len(), wanted.entries.len());
        prop_assert_eq!(now.managed, wanted.entries.len() + now.look_alikes.len());
        let foreign = |list: &[Entry<Live>]| list.iter().filter(|e| !mine(e)).cloned().collect::<Vec<_>>();
        prop_assert_eq!(foreign(&before), foreign(&shop.live));
    }

    /// The order of the input does not affect the result.
    #[test]
    fn order_of_input_does_not_matter(wanted in any_desired_over_rest(), shop in any_shop(), seed in any::<u64>()) {
        let observed = seen_over_rest(&shop);
        let mut rng = fastrand::Rng::with_seed(seed);
        let (mut w, mut o) = (wanted.clone(), observed.clone());
        rng.shuffle(&mut w.entries);
        rng.shuffle(&mut o.entries);
        let ownership = Ownership::default();
        prop_assert_eq!(diff(&wanted, &observed, &ownership), diff(&w, &o, &ownership));
    }
}

fn rest(live: &[Entry<Live>]) -> Observed {
    observed(live.iter().map(shown).collect())
}

fn xml(topic: &str, address: &str) -> Binding {
    Binding { format: Format::Xml, ..bind(topic, address) }
}

#[test]
fn a_subscription_is_replaced_for_its_format_only_if_the_address_is_the_same() {
    let want = desired(vec![bind("orders/create", MANAGED[0])]);
    let seen = rest(&[live(7, xml("orders/create", MANAGED[0]))]);
    let out = diff(&want, &seen, &Ownership::default());
    assert_eq!(verbs(&out), ["+orders/create", "-7"]);
    assert!(matches!(&out.changes[1], Change::Delete { reason: DeleteReason::Replaced, .. }));
    let seen = rest(&[live(7, xml("orders/create", MANAGED[1]))]);
    let out = diff(&want, &seen, &Ownership::default());
    assert!(matches!(&out.changes[1], Change::Delete { reason: DeleteReason::NotInManifest, .. }));
}

#[test]
fn a_blocked_replacement_keeps_the_old_subscription_without_a_held_back_delete() {
    let mut state = rest(&[live(7, xml("customers/update", MANAGED[0]))]);
    state.scopes = Some(["write_orders"].into_iter().filter_map(Scope::parse).collect());
    let want = desired(vec![bind("customers/update", MANAGED[0])]);
    let out = diff(&want, &state, &Ownership::default());
    assert_eq!(verbs(&out), Vec::<String>::new());
    assert_eq!((out.blocked.len(), out.held_back.len()), (1, 0));
}

#[test]
fn look_alikes_of_a_bound_subscription_are_kept() {
    let filtered = Binding { filter: Some("id:1".into()), ..bind("orders/create", MANAGED[0]) };
    let state = rest(&[live(1, filtered.clone()), live(2, bind("orders/create", MANAGED[0]))]);
    let want = desired(vec![bind("orders/create", MANAGED[0])]);
    let out = diff(&want, &state, &Ownership::default());
    assert_eq!((verbs(&out), out.bound.len(), out.look_alikes.len()), (vec![], 1, 1));
    // If none of them is wanted, it is unknown which one to update: a new one is created, and all of them are deleted.
    let want = desired(vec![bind("orders/create", MANAGED[1])]);
    let out = diff(&want, &state, &Ownership::default());
    assert_eq!(verbs(&out), ["+orders/create", "-1", "-2"]);
}

#[test]
fn a_hidden_filter_is_not_a_difference() {
    let want = Binding { filter: Some("id:1".into()), ..named("orders/create", MANAGED[0], "feed") };
    let state = rest(&[live(1, bind("orders/create", MANAGED[0]))]);
    let want = desired(vec![Binding { metafields: Some(vec!["a.b".into()]), ..want }]);
    let out = diff(&want, &state, &Ownership::default());
    assert_eq!((verbs(&out), out.bound.len()), (vec![], 1));
}
