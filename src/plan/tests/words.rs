//! Kinds in the JSON form of a plan: known ones survive it, and those of a later version are kept.

use super::*;

#[test]
fn every_kind_of_finding_survives_the_json() {
    let of_destinations =
        Verdict::ALL.iter().filter(|verdict| verdict.is_closed()).cloned().map(FindingKind::Destination);
    for kind in FindingKind::WITHOUT_DATA.iter().cloned().chain(of_destinations) {
        let message = "what is the matter".to_owned();
        let finding = Finding {
            kind,
            severity: Severity::Warning,
            topic: None,
            id: None,
            message,
            details: serde_json::Map::default(),
        };
        assert_eq!(Finding::from(wire::plan::Finding::from(&finding)), finding);
    }
}

/// A plan of a later minor version is shown as it is, and not carried out.
#[test]
fn words_of_a_later_version_are_kept_and_no_manifest_calls_for_them() {
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
    assert_eq!(wire::plan::Finding::from(&Finding::from(finding.clone())), finding);
}
