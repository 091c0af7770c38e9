//! Tests of plans as data: they are deterministic, have a digest, and are judged again after an interrupted run.

mod consents;
mod destination_health;
mod forged;
mod losses;
mod only;
mod rest;
mod shared;
mod words;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::diff::diff;
use crate::diff::tests::{FOREIGN, MANAGED, any_desired, any_shop, bind, desired, live, named, observed};
use crate::model::{Binding, ShopDomain};
use crate::state::{Desired, Observed, Unmanaged};
use crate::wire;
use crate::wire::plan::{PlanFileError, read};

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

    fn part(&self, name: &str, desired: &Desired, observed: &Observed) -> PlannedShop {
        self.part_with_base(name, desired, observed, None)
    }

    fn part_with_base(
        &self,
        name: &str,
        desired: &Desired,
        observed: &Observed,
        base: Option<Base<'_>>,
    ) -> PlannedShop {
        let context = Context {
            ownership: &self.ownership,
            safety: &self.safety,
            addresses: &self.addresses,
            inlets: &self.inlets,
        };
        let input = ShopInput {
            shop: &ShopDomain::parse(name).expect("shop"),
            approval: "have the shop approve it",
            labels: &Arc::default(),
            desired,
            desired_digest: &desired_digest(desired, &self.ownership).into(),
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

    fn plan(&self, parts: Vec<PlannedShop>) -> Plan {
        assemble(self.frame(), parts, |_| 2, wire::plan::digest)
    }

    fn frame(&self) -> PlanHeader {
        let settings = Settings {
            name: None,
            endpoint: "shopify".into(),
            sandbox: None,
            adobe: None,
            admin_api: AdminApi { version: "2026-10".into(), transport: "graphql".into() },
            ownership: Ownership { address_prefixes: vec![], unmanaged: self.ownership.unmanaged },
            safety: Safety { protected_topics: vec![], ..self.safety.clone() },
        };
        PlanHeader {
            manifest: Vec::new(),
            consents: Vec::new(),
            settings,
            selection: Selection::default(),
            destinations: vec![],
            manifest_digest: "sha256:0".into(),
            created_at: "2026-11-23T00:00:00Z".into(),
            shops_left: BTreeMap::new(),
            base_addresses: HashSet::new(),
            is_drift: false,
            started_at: None,
            since: None,
        }
    }
}

fn json(plan: &Plan) -> Vec<u8> {
    serde_json::to_vec(&wire::plan::Plan::from(plan)).expect("serializes")
}

fn kinds(hazards: &[Hazard]) -> Vec<&str> {
    hazards.iter().map(|h| h.kind.as_str()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// A plan is unchanged after it is written and read, and its bytes do not depend on the order of the input.
    #[test]
    fn plans_round_trip_and_do_not_depend_on_order(want in any_desired(), a in any_shop(), b in any_shop(), seed in any::<u64>()) {
        let world = World::new();
        let mut rng = fastrand::Rng::with_seed(seed);
        let parts = |want: &Desired, a: &Observed, b: &Observed| vec![world.part("a", want, a), world.part("b", want, b)];
        let plan = world.plan(parts(&want, &a.observed(None), &b.observed(None)));
        let bytes = json(&plan);
        let back = read(&bytes).expect("reads");
        prop_assert_eq!(json(&back), bytes.clone());
        // A file contains neither the app of a subscription nor the visibility of its fields.
        prop_assert_eq!(&back.hazards, &plan.hazards);
        prop_assert_eq!(&back.summary, &plan.summary);

        let (mut want, mut a, mut b) = (want, a.observed(None), b.observed(None));
        rng.shuffle(&mut want.entries);
        rng.shuffle(&mut a.entries);
        rng.shuffle(&mut b.entries);
        let mut shuffled = parts(&want, &a, &b);
        shuffled.reverse();
        prop_assert_eq!(json(&world.plan(shuffled)), bytes);
    }

    /// A plan that was interrupted after any number of changes is not stale: the changes that were made are already in
    /// effect, and the others are still to do.
    #[test]
    fn an_interrupted_plan_can_be_applied_again(want in any_desired(), mut shop in any_shop(), cut in 0_usize..12) {
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

    /// Any edit of a saved plan is detected.
    #[test]
    fn an_edited_plan_is_refused(want in any_desired(), shop in any_shop(), at in any::<prop::sample::Index>(), byte in b'a'..=b'z') {
        let world = World::new();
        let plan = world.plan(vec![world.part("a", &want, &shop.observed(None))]);
        let mut bytes = json(&plan);
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        if let Ok(read) = read(&bytes) {
            // Only keys that the digest does not cover can differ.
            let same = Plan { created_at: plan.created_at.clone(), ..read };
            prop_assert_eq!(json(&same), json(&plan));
        }
    }
}

#[test]
fn files_that_are_not_plans_have_different_errors() {
    let world = World::new();
    let plan = world.plan(vec![]);
    let text = String::from_utf8(json(&plan)).expect("UTF-8");
    let error = |text: &str| read(text.as_bytes()).expect_err(text).to_string();
    assert!(error("").starts_with("not a plan: "));
    assert!(error(&text[..text.len() - 3]).starts_with("not a plan: "));
    assert!(error("[]").starts_with("expected a plan, found other JSON"));
    assert!(error(r#"{"report":"apply","format_version":"1.0"}"#).contains("apply report"));
    assert!(error(&text.replace("\"1.1\"", "\"2.0\"")).contains("format 2.0"));
    assert!(error(&text.replace("sha256:0", "sha256:1")).contains("edited or damaged"));
    let with_more = text.replacen('{', "{\"a_new_key\":1,", 1);
    assert!(error(&with_more).contains("edited or damaged"), "an added key is an edit, too");
}

#[test]
fn only_related_changes_make_a_plan_stale() {
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
fn the_origin_distinguishes_drift_from_the_manifest() {
    let world = World::new();
    let base = desired(vec![bind("orders/create", MANAGED[0]), bind("orders/updated", MANAGED[0])]);
    let new = desired(vec![bind("orders/create", MANAGED[1]), bind("orders/updated", MANAGED[0])]);
    let have = observed(vec![live(1, bind("orders/create", MANAGED[0]))]);
    let base = Base { desired: Some(BaseDesired::Resolved(&base)), ownership: &world.ownership, only: None };
    let part = world.part_with_base("a", &new, &have, Some(base));
    let origins: Vec<_> = part.shop.changes.iter().map(|c| (c.change.topic().as_str(), c.origin)).collect();
    assert_eq!(origins, [("orders/create", Some(Origin::Manifest)), ("orders/updated", Some(Origin::Drift))]);
}

#[test]
fn a_missing_binding_is_drift_even_if_the_manifest_changes_its_address() {
    let world = World::new();
    let base = desired(vec![bind("orders/create", MANAGED[0]), bind("orders/updated", MANAGED[0])]);
    let new = desired(vec![
        bind("orders/create", MANAGED[1]),
        bind("orders/updated", MANAGED[0]),
        bind("orders/updated", MANAGED[1]),
        bind("products/create", MANAGED[0]),
    ]);
    let base = Base { desired: Some(BaseDesired::Resolved(&base)), ownership: &world.ownership, only: None };
    let part = world.part_with_base("a", &new, &observed(vec![]), Some(base));
    let created = |c: &PlannedChange| c.change.after().map(|after| after.address.to_string()).unwrap_or_default();
    let mut origins: Vec<_> =
        part.shop.changes.iter().map(|c| (c.change.topic().as_str(), created(c), c.origin.expect("origin"))).collect();
    origins.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let drift = |topic, address: &str| (topic, address.to_owned(), Origin::Drift);
    let manifest = |topic, address: &str| (topic, address.to_owned(), Origin::Manifest);
    let mut expected = vec![
        drift("orders/create", MANAGED[1]),
        // The unchanged binding is the missing one; the other binding is new.
        drift("orders/updated", MANAGED[0]),
        manifest("orders/updated", MANAGED[1]),
        manifest("products/create", MANAGED[0]),
    ];
    expected.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    assert_eq!(origins, expected);
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
        ShopError { kind: ErrorKind::new("frozen"), http_status: Some(402), message: "m".into(), retryable: false };
    let (want, none) = (desired(vec![bind("orders/create", MANAGED[0])]), BTreeMap::new());
    let part = |tolerated| {
        let input = ShopInput {
            shop: &ShopDomain::parse("a").expect("shop"),
            approval: "have the shop approve it",
            labels: &Arc::default(),
            desired: &want,
            desired_digest: &desired_digest(&want, &world.ownership).into(),
            destinations: &none,
            limits: &ShopLimits::default(),
            base: None,
            reading: Err(Unread { error: error.clone(), tolerated }),
            findings: Vec::new(),
        };
        shop(&context, input)
    };
    let failed = world.plan(vec![part(false)]);
    assert!(!failed.complete && failed.shops[0].changes.is_empty() && failed.summary.shops.failed == 1);
    let tolerated = world.plan(vec![part(true)]);
    assert!(tolerated.complete && tolerated.summary.shops.unavailable == 1);
    assert_eq!(tolerated.shops[0].findings[0].kind, FindingKind::Unavailable);
}

#[test]
fn the_json_has_the_keys_that_pipelines_parse() {
    let world = World::new();
    let part = world.part("a", &desired(vec![bind("orders/create", MANAGED[0])]), &observed(vec![]));
    let plan: Value = serde_json::from_slice(&json(&world.plan(vec![part]))).expect("JSON");
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
fn a_plan_that_deletes_unmanaged_subscriptions_is_applied_only_if_the_manifest_allows_it() {
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
