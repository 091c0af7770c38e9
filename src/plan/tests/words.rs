//! The words of the JSON: each kind has one, and those of a later version are kept.

use super::*;

#[test]
fn every_kind_has_its_word_in_the_json() {
    use wire::plan::{BlockedReason, Field, FindingKind as Word, HazardKind as HazardWord};
    for hazard in HazardName::ALL {
        assert!(!matches!(HazardWord::from(hazard.as_str()), HazardWord::Other(_)), "{hazard:?}");
    }
    for kind in FindingKind::WITHOUT_DATA {
        assert!(!matches!(Word::from(&*kind.name()), Word::Other(_)), "{kind:?}");
    }
    let fields = [
        crate::model::Field::Address,
        crate::model::Field::Format,
        crate::model::Field::Filter,
        crate::model::Field::IncludeFields,
        crate::model::Field::MetafieldNamespaces,
        crate::model::Field::Name,
        crate::model::Field::Metafields,
    ];
    for field in fields {
        assert!(!matches!(Field::from(field.as_str()), Field::Other(_)), "{field}");
    }
    for verdict in Verdict::ALL.iter().filter(|verdict| verdict.is_closed()) {
        let reason = BlockedReason::from(&Obstacle::Destination(verdict.clone()));
        assert!(!matches!(reason, BlockedReason::Other(_)), "{verdict:?}");
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
