//! Tests of kinds in the JSON of a plan: known and unknown kinds are both preserved.

use super::*;

#[test]
fn all_kinds_of_findings_are_preserved_in_json() {
    let of_destinations =
        Verdict::ALL.iter().filter(|verdict| verdict.is_closed()).cloned().map(FindingKind::Destination);
    for kind in FindingKind::WITHOUT_DATA.iter().cloned().chain(of_destinations) {
        let message = "the problem and the remedy".to_owned();
        let finding = Finding {
            kind,
            severity: Severity::Warning,
            topic: None,
            id: None,
            message,
            details: std::sync::Arc::default(),
        };
        assert_eq!(Finding::from(wire::plan::Finding::from(finding.clone())), finding);
    }
}

/// A plan of a later minor version is displayed unchanged, and is not applied.
#[test]
fn values_of_a_later_version_are_preserved_and_never_required_by_a_manifest() {
    let world = World::new();
    let want = desired(vec![bind("orders/create", MANAGED[1])]);
    let state = observed(vec![live(1, bind("orders/create", MANAGED[0])), live(2, bind("orders/paid", MANAGED[0]))]);
    let honest = wire::plan::Shop::from(&world.part("a", &want, &state).shop);
    let reread = |edit: fn(&mut wire::plan::Shop)| {
        let mut shop = honest.clone();
        edit(&mut shop);
        let read = ShopPlan::try_from(shop.clone()).expect("reads");
        assert_eq!(wire::plan::Shop::from(&read), shop);
        judge(&read, &state, world.asked(&want))
    };
    assert_eq!(reread(|_| {}), Ok(vec![Task::Do, Task::Do]));
    assert_eq!(reread(|shop| shop.changes[0].fields.push("priority".into())), Err(Stale::Changes));
    assert_eq!(reread(|shop| shop.changes[0].reason = "later".into()), Err(Stale::Changes));
    assert_eq!(reread(|shop| shop.changes[1].reason = "later".into()), Err(Stale::Changes));
    let mut finding = honest.findings[0].clone();
    finding.kind = "a_kind_of_the_future".into();
    assert_eq!(wire::plan::Finding::from(Finding::from(finding.clone())), finding);
}
