//! Tests of verdicts about destinations in plans.

use super::*;
use crate::model::Address;

fn destination(verdict: &str, severity: Severity, address: Option<&str>) -> Destination {
    Destination {
        name: Some("orders".into()),
        shop: None,
        source: Source { file: "m.yaml".into(), line: 3 },
        found_by: "name".into(),
        wanted: "Shopify orders".into(),
        account: Some("default".into()),
        org: None,
        sandbox: Some("prod".into()),
        kind: Some("flow".into()),
        id: Some("4982698b".into()),
        title: None,
        state: None,
        address: address.map(Address::new),
        created_at: None,
        updated_at: None,
        verdict: Verdict::parse(verdict),
        severity,
        message: format!("it is {verdict}"),
        settles_at: (verdict == "settling").then(|| "2026-11-23T00:05:00Z".parse().expect("time")),
        failing: None,
        replaces: vec![],
        error: None,
    }
}

fn world(destination: &Destination) -> World {
    World { inlets: DestinationHealth::of(std::slice::from_ref(destination)), ..World::new() }
}

#[test]
fn a_verdict_of_lost_events_blocks_bindings_and_is_a_finding_about_live_subscriptions() {
    for verdict in ["disabled", "authentication_required", "address_differs"] {
        let world = world(&destination(verdict, Severity::Attention, Some(MANAGED[0])));
        let want = desired(vec![bind("orders/create", MANAGED[0]), bind("orders/updated", MANAGED[0])]);
        let have = observed(vec![live(1, bind("orders/create", MANAGED[0]))]);
        let shop = world.part("a", &want, &have).shop;
        assert_eq!(shop.blocked.len(), 1, "{verdict}");
        assert_eq!(shop.blocked[0].obstacle, Obstacle::Destination(Verdict::parse(verdict)));
        assert!(shop.changes.is_empty() && shop.blocked[0].message.contains("it is "), "{:?}", shop.blocked);
        let found: Vec<_> = shop.findings.iter().map(|f| (f.kind.name().into_owned(), f.severity)).collect();
        assert_eq!(found, [(format!("destination_{verdict}"), Severity::Attention)]);
        assert_eq!(shop.findings[0].details["topics"], serde_json::json!(["orders/create"]));
    }
}

#[test]
fn other_verdicts_do_not_block_bindings() {
    use super::super::Severity::{Attention, Info, Warning};
    for (verdict, severity, findings) in [
        ("ok", Info, 0),
        ("quiet", Info, 0),
        ("settling", Warning, 0),
        ("unknown", Warning, 0),
        ("ingest_failing", Attention, 1),
        ("missing", Attention, 1),
    ] {
        let world = world(&destination(verdict, severity, Some(MANAGED[0])));
        let want = desired(vec![bind("orders/create", MANAGED[0]), bind("orders/updated", MANAGED[0])]);
        let have = observed(vec![live(1, bind("orders/create", MANAGED[0]))]);
        let shop = world.part("a", &want, &have).shop;
        assert_eq!((shop.changes.len(), shop.blocked.len(), shop.findings.len()), (1, 0, findings), "{verdict}");
    }
}

#[test]
fn a_new_destination_is_a_hazard_for_five_minutes_if_changes_bind_to_it() {
    let destination = destination("settling", Severity::Warning, Some(MANAGED[0]));
    let world = world(&destination);
    let plan = |have: Vec<crate::state::Entry<crate::model::Live>>| {
        let part = world.part("a", &desired(vec![bind("orders/create", MANAGED[0])]), &observed(have));
        hazards::of_run(&world.plan(vec![]).settings, [&destination], [&part.shop])
    };
    assert_eq!(plan(vec![live(1, bind("orders/create", MANAGED[0]))]), vec![], "nothing is newly bound");
    for have in [vec![], vec![live(1, bind("orders/create", MANAGED[1]))]] {
        let hazards = plan(have);
        let [hazard] = hazards.as_slice() else { panic!("{hazards:?}") };
        assert_eq!((hazard.kind.as_str(), hazard.shop.as_ref()), ("destination_settling", None));
        let at = |time: &str| refused([hazard], &[], time.parse().expect("time")).len();
        assert_eq!((at("2026-11-23T00:04:59Z"), at("2026-11-23T00:05:00Z")), (1, 0));
        let consent = Consent::parse("destination_settling").expect("consent");
        assert_eq!(refused([hazard], &[consent], jiff::Timestamp::UNIX_EPOCH).len(), 0);
    }
}

#[test]
fn no_other_hazard_ends_with_time() {
    let hazard = World::new()
        .part("a", &desired(vec![]), &observed(vec![live(1, bind("orders/create", MANAGED[0]))]))
        .hazards
        .remove(0);
    assert_eq!(refused([&hazard], &[], jiff::Timestamp::MAX).len(), 1);
}

#[test]
fn of_two_destinations_with_one_address_the_more_serious_verdict_counts() {
    let closed = destination("disabled", Severity::Attention, Some(MANAGED[0]));
    let young = destination("settling", Severity::Warning, Some(MANAGED[0]));
    for order in [[closed.clone(), young.clone()], [young, closed]] {
        let world = World { inlets: DestinationHealth::of(&order), ..World::new() };
        let want = desired(vec![bind("orders/create", MANAGED[0])]);
        let shop = world.part("a", &want, &observed(vec![])).shop;
        assert_eq!(shop.blocked[0].obstacle, Obstacle::Destination(Verdict::Disabled));
    }
}
