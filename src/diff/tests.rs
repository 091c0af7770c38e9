//! Properties of the diff, tested against a small model of a shop that enforces Shopify's rules of uniqueness.

mod closed;
pub(crate) mod rest;

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::model::{Address, Format, Scope, SubscriptionId};
use crate::state::{ShopState, Source};

pub(crate) const MANAGED: [&str; 3] = [
    "https://dcs.adobedc.net/collection/aaa",
    "https://dcs.adobedc.net/collection/bbb",
    "https://DCS.adobedc.net/collection/bbb?x-adobe-flow-id=1",
];
pub(crate) const FOREIGN: [&str; 2] = ["https://other.example/hook", "pubsub://project:topic"];
const TOPICS: [&str; 4] = ["orders/create", "orders/updated", "customers/update", "BRAND_NEW_TOPIC"];

/// A model of a shop: names are unique, ignoring case; topics do not change; ids are not reused.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) live: Vec<Entry<Live>>,
    next_id: u64,
}

impl Shop {
    pub(crate) fn of(live: Vec<Entry<Live>>) -> Self {
        Self { live, next_id: 100 }
    }

    pub(crate) fn apply(&mut self, change: &Change) {
        match change {
            Change::Create { after, .. } => {
                self.check_free(after, None);
                let meta = meta(self.next_id);
                self.next_id += 1;
                self.live.push(Entry { binding: Binding::clone(after), meta });
            }
            Change::Update { before, after, fields, .. } => {
                assert!(!fields.is_empty(), "an update without a field");
                self.check_free(after, Some(&before.meta.id));
                let live = self.live.iter_mut().find(|l| l.meta.id == before.meta.id).expect("updates what is there");
                assert_eq!(&live.binding, &before.binding, "`before` is the state immediately before the change");
                assert_eq!(live.binding.topic, after.topic, "a topic never changes");
                live.binding = Binding::clone(after);
            }
            Change::Delete { before, .. } => {
                let at = self.live.iter().position(|l| l.meta.id == before.meta.id).expect("deletes what is there");
                assert_eq!(self.live[at].binding, before.binding);
                self.live.remove(at);
            }
        }
    }

    fn check_free(&self, binding: &Binding, own: Option<&SubscriptionId>) {
        for other in self.live.iter().filter(|l| Some(&l.meta.id) != own) {
            let name = |b: &Binding| b.name.as_ref().map(|n| n.to_lowercase());
            assert!(
                name(binding).is_none() || name(&other.binding) != name(binding),
                "Name already exists: {binding:?}"
            );
            assert_ne!(other.binding.key(), binding.key(), "Address for this topic has already been taken");
        }
    }

    pub(crate) fn observed(&self, scopes: Option<ScopeSet>) -> Observed {
        ShopState { scopes, entries: self.live.clone() }
    }
}

pub(crate) fn meta(id: u64) -> Live {
    Live {
        id: SubscriptionId::new(&format!("gid://shopify/WebhookSubscription/{id}")),
        created_at: format!("2026-01-01T00:00:{:02}Z", id % 60),
        updated_at: "2026-01-02T00:00:00Z".into(),
        api_version: None,
        visibility: Visibility::Whole,
        app: None,
    }
}

fn wanted(binding: Binding) -> Entry<Wanted> {
    Entry { binding, meta: Wanted { destination: None, source: Source { file: "m.yaml".into(), line: 1 } } }
}

pub(crate) fn live(id: u64, binding: Binding) -> Entry<Live> {
    Entry { binding, meta: meta(id) }
}

pub(crate) fn bind(topic: &str, address: &str) -> Binding {
    Binding::new(Topic::from_slash(topic), Address::new(address))
}

pub(crate) fn named(topic: &str, address: &str, name: &str) -> Binding {
    Binding { name: Some(name.into()), ..bind(topic, address) }
}

pub(crate) fn desired(bindings: Vec<Binding>) -> Desired {
    ShopState { scopes: None, entries: bindings.into_iter().map(wanted).collect() }
}

pub(crate) fn observed(live: Vec<Entry<Live>>) -> Observed {
    ShopState { scopes: None, entries: live }
}

fn verbs(diff: &ShopDiff<'_>) -> Vec<String> {
    let text = |change: &Change| match change {
        Change::Create { after, .. } => format!("+{}", after.topic),
        Change::Update { before, reason, .. } => {
            format!(
                "~{}{}",
                before.meta.id.number().unwrap_or(0),
                if *reason == UpdateReason::NameStep { " step" } else { "" }
            )
        }
        Change::Delete { before, .. } => format!("-{}", before.meta.id.number().unwrap_or(0)),
    };
    diff.changes.iter().map(text).collect()
}

fn any_binding(addresses: &'static [&'static str]) -> impl Strategy<Value = Binding> {
    let names =
        prop_oneof![3 => Just(None), 4 => prop::sample::select(vec!["n1", "N1", "n2", "n3", "n4"]).prop_map(Some)];
    let filter = prop_oneof![3 => Just(None), 1 => Just(Some("id:1")), 1 => Just(Some("id:2"))];
    let fields = prop::sample::subsequence(vec!["id", "email", "name"], 0..=2);
    let format = prop_oneof![4 => Just(Format::Json), 1 => Just(Format::Xml)];
    (prop::sample::select(TOPICS.to_vec()), prop::sample::select(addresses), format, filter, fields, names).prop_map(
        |(topic, address, format, filter, fields, name)| Binding {
            format,
            filter: filter.map(Into::into),
            include_fields: fields.into_iter().map(Into::into).collect(),
            name: name.map(Into::into),
            metafields: Some(vec![]),
            ..bind(topic, address)
        },
    )
}

/// Removes bindings with a duplicate key and duplicate names, as in a valid manifest or shop.
fn distinct(bindings: Vec<Binding>) -> Vec<Binding> {
    let (mut keys, mut names, mut out) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for mut binding in bindings {
        let key = format!("{:?}", binding.key());
        if !keys.insert(key) {
            continue;
        }
        if binding.name.as_ref().is_some_and(|n| !names.insert(n.to_lowercase())) {
            binding.name = None;
        }
        out.push(binding);
    }
    out
}

pub(crate) fn any_desired() -> impl Strategy<Value = Desired> {
    prop::collection::vec(any_binding(&MANAGED), 0..8).prop_map(|list| {
        let mut state = desired(distinct(list));
        for entry in &mut state.entries {
            entry.binding.metafields = None;
        }
        state
    })
}

pub(crate) fn any_shop() -> impl Strategy<Value = Shop> {
    let every = any_binding(&[MANAGED[0], MANAGED[1], MANAGED[2], FOREIGN[0], FOREIGN[1]]);
    prop::collection::vec(every, 0..10).prop_map(|list| {
        let live: Vec<_> = distinct(list).into_iter().zip(1..).map(|(b, id)| live(id, b)).collect();
        Shop { next_id: 100, live }
    })
}

fn any_scopes() -> impl Strategy<Value = Option<ScopeSet>> {
    let some = prop::sample::subsequence(vec!["write_orders", "read_customers"], 0..=2);
    prop_oneof![Just(None), some.prop_map(|list| Some(list.into_iter().filter_map(Scope::parse).collect::<ScopeSet>()))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Applying the diff makes the managed part equal to the manifest and leaves the rest unchanged. Every intermediate
    /// state is valid for Shopify, and blocked bindings keep their old subscriptions.
    #[test]
    fn applying_the_diff_converges(wanted in any_desired(), mut shop in any_shop(), scopes in any_scopes()) {
        let ownership = Ownership::default();
        let before = shop.observed(scopes.clone());
        let foreign = |o: &Observed| {
            o.entries.iter().filter(|e| !ownership.covers(&e.binding.address)).cloned().collect::<Vec<_>>()
        };
        // One round is enough, except if an unwanted subscription holds a name and cannot be renamed, because its scope
        // is missing: the name is free only after this subscription is deleted.
        for round in 1.. {
            let seen = shop.observed(scopes.clone());
            let now = diff(&wanted, &seen, &ownership);
            if now.changes.is_empty() {
                prop_assert_eq!(now.bound.len() + now.blocked.len(), wanted.entries.len());
                if now.blocked.is_empty() {
                    prop_assert_eq!(now.managed, wanted.entries.len());
                }
                for (want, have) in &now.bound {
                    prop_assert_eq!(want.binding.differing_fields(&have.binding), vec![]);
                }
                break;
            }
            prop_assert!(round == 1 || (scopes.is_some() && round == 2), "round {} still plans {:?}", round, now.changes);
            let mut deleting = false;
            for change in &now.changes {
                let is_delete = matches!(change, Change::Delete { .. });
                prop_assert!(is_delete || !deleting, "a delete before a create or update");
                deleting = is_delete;
                shop.apply(change);
            }
        }
        prop_assert_eq!(foreign(&before), foreign(&shop.observed(None)));
    }

    /// The order of the input does not affect the result.
    #[test]
    fn order_of_input_does_not_matter(wanted in any_desired(), shop in any_shop(), seed in any::<u64>()) {
        let observed = shop.observed(None);
        let mut rng = fastrand::Rng::with_seed(seed);
        let (mut w, mut o) = (wanted.clone(), observed.clone());
        rng.shuffle(&mut w.entries);
        rng.shuffle(&mut o.entries);
        let ownership = Ownership::default();
        prop_assert_eq!(diff(&wanted, &observed, &ownership), diff(&w, &o, &ownership));
    }

    /// A state compared with itself has no changes.
    #[test]
    fn a_state_against_itself_is_empty(shop in any_shop()) {
        let observed = shop.observed(None);
        let ownership = Ownership::default();
        let mine = observed.entries.iter().filter(|e| ownership.covers(&e.binding.address));
        let itself = desired(mine.map(|e| e.binding.clone()).collect());
        let out = diff(&itself, &observed, &ownership);
        prop_assert_eq!(out.changes, vec![]);
        prop_assert_eq!(out.bound.len(), itself.entries.len());
    }

    /// Of several subscriptions with one key, only the oldest is kept.
    #[test]
    fn duplicates_are_deleted_and_the_oldest_is_kept(copies in 1_u64..5) {
        let binding = bind("orders/create", MANAGED[0]);
        let state = observed((1..=copies).rev().map(|id| live(id, binding.clone())).collect());
        let want = desired(vec![binding]);
        let out = diff(&want, &state, &Ownership::default());
        prop_assert_eq!(out.bound.len(), 1);
        prop_assert_eq!(out.bound[0].1.meta.id.number(), Some(1));
        prop_assert_eq!(out.changes.len() as u64, copies - 1);
        for change in &out.changes {
            let duplicate = matches!(change, Change::Delete { reason: DeleteReason::Duplicate, .. });
            prop_assert!(duplicate);
        }
    }
}

#[test]
fn an_address_change_is_one_update_in_place() {
    let state = observed(vec![live(7, bind("orders/create", MANAGED[0]))]);
    let want = desired(vec![bind("orders/create", MANAGED[1])]);
    let out = diff(&want, &state, &Ownership::default());
    assert_eq!(verbs(&out), ["~7"]);
    assert!(
        matches!(&out.changes[0], Change::Update { fields, reason: UpdateReason::Differs, .. } if fields == &[Field::Address])
    );
}

#[test]
fn a_pair_whose_address_and_filter_differ_is_repurposed() {
    let old = Binding { filter: Some("id:1".into()), ..bind("orders/create", MANAGED[0]) };
    let (want, state) = (desired(vec![bind("orders/create", MANAGED[1])]), observed(vec![live(7, old)]));
    let out = diff(&want, &state, &Ownership::default());
    assert!(matches!(&out.changes[..], [Change::Update { reason: UpdateReason::Repurposed, .. }]));
}

#[test]
fn a_name_that_moves_between_topics_is_freed_first_and_the_old_subscription_is_deleted_last() {
    let state = observed(vec![live(7, named("orders/create", MANAGED[0], "feed"))]);
    let want = desired(vec![named("orders/updated", MANAGED[0], "Feed")]);
    let out = diff(&want, &state, &Ownership::default());
    assert_eq!(verbs(&out), ["~7 step", "+orders/updated", "-7"]);
}

#[test]
fn two_swapped_names_take_one_step() {
    let state = observed(vec![
        live(1, named("orders/create", MANAGED[0], "one")),
        live(2, named("orders/updated", MANAGED[0], "two")),
    ]);
    let swapped = desired(vec![named("orders/create", MANAGED[0], "two"), named("orders/updated", MANAGED[0], "one")]);
    let out = diff(&swapped, &state, &Ownership::default());
    assert_eq!(verbs(&out), ["~1 step", "~2", "~1"]);
}

#[test]
fn a_chain_of_names_needs_no_step() {
    let state = observed(vec![
        live(1, named("orders/create", MANAGED[0], "one")),
        live(2, named("orders/updated", MANAGED[0], "two")),
    ]);
    let moved = desired(vec![named("orders/create", MANAGED[0], "two"), named("orders/updated", MANAGED[0], "three")]);
    assert_eq!(verbs(&diff(&moved, &state, &Ownership::default())), ["~2", "~1"]);
}

#[test]
fn a_name_held_by_an_unmanaged_subscription_blocks_and_keeps_the_old_subscription() {
    let state = observed(vec![
        live(1, named("orders/create", FOREIGN[0], "feed")),
        live(2, Binding { filter: Some("id:1".into()), ..bind("orders/updated", MANAGED[1]) }),
        live(3, bind("orders/updated", MANAGED[1])),
    ]);
    let want = desired(vec![named("orders/updated", MANAGED[1], "feed")]);
    let out = diff(&want, &state, &Ownership::default());
    assert_eq!(verbs(&out), Vec::<String>::new());
    assert!(
        matches!(&out.blocked[..], [Blocked { why: Obstacle::NameTaken(holder), .. }] if holder.meta.id.number() == Some(1))
    );
    assert_eq!(out.held_back.len(), 1);
}

#[test]
fn a_blocked_create_holds_back_the_delete_of_its_topic_and_no_other() {
    let mut state =
        observed(vec![live(1, bind("customers/update", MANAGED[0])), live(2, bind("orders/create", MANAGED[0]))]);
    state.scopes = Some(["write_orders"].into_iter().filter_map(Scope::parse).collect());
    let want = desired(vec![Binding { format: Format::Xml, ..bind("customers/update", MANAGED[1]) }]);
    // The pair would be an update, which is blocked, too. The delete of a second subscription of the topic is held
    // back.
    state.entries.push(live(3, Binding { filter: Some("id:1".into()), ..bind("customers/update", MANAGED[0]) }));
    let out = diff(&want, &state, &Ownership::default());
    assert_eq!(verbs(&out), ["-2"]);
    assert_eq!(out.held_back.len(), 1);
    assert!(
        matches!(&out.blocked[..], [Blocked { why: Obstacle::Scope(any_of), .. }] if any_of == &["read_customers"])
    );
}

#[test]
fn unmanaged_subscriptions_are_deleted_only_on_request() {
    let state = observed(vec![live(1, bind("orders/create", FOREIGN[0]))]);
    let mut ownership = Ownership::default();
    assert_eq!(diff(&desired(vec![]), &state, &ownership).unmanaged.len(), 1);
    ownership.unmanaged = Unmanaged::Delete;
    let want = desired(vec![]);
    let out = diff(&want, &state, &ownership);
    assert!(matches!(&out.changes[..], [Change::Delete { reason: DeleteReason::Unmanaged, .. }]));
}
