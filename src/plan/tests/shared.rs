//! Tests of parts that shops share.

use super::*;

/// The plan of a large fleet would otherwise hold each part once for each shop.
#[test]
fn shops_share_equal_parts() {
    let world = World::new();
    let want = desired(vec![bind("orders/create", MANAGED[0]), bind("orders/paid", MANAGED[0])]);
    let state = observed(vec![live(1, bind("orders/paid", MANAGED[0]))]);
    let separate = ["a", "b"].map(|shop| world.part(shop, &want, &state).shop);
    let mut shared = separate.clone();
    let mut parts = SharedParts::default();
    for shop in &mut shared {
        parts.share(shop);
    }
    assert_eq!(shared, separate);
    let [a, b] = &shared;
    assert!(Arc::ptr_eq(&a.bound, &b.bound));
    assert!(Arc::ptr_eq(&a.desired_digest, &b.desired_digest));
    let after = |shop: &ShopPlan| match &shop.changes[0].change {
        Change::Create { after, .. } => Arc::clone(after),
        _ => panic!("a create"),
    };
    assert!(Arc::ptr_eq(&after(a), &after(b)));
}
