//! The text of plans.

use super::support::*;
use super::{plan_text, plans_text};
use crate::wire::plan::{Origin, Plan, Severity, Subscription};

mod dangers;
pub(super) mod first;
mod metrics;
mod reports;

/// Returns a thousand shops with equal changes, each with its own inlet and file.
pub(super) fn thousand() -> Plan {
    let shops = (1..=1000).map(|i| {
        let handle = format!("shop-{i:04}");
        let own = format!("https://dcs.adobedc.net/collection/{i:064x}");
        let step = |name: &str| Subscription { name: Some(name.into()), ..to(&inlet('a')) };
        let mut name_step = update(
            "orders/paid",
            ["audit", "audit"],
            [live(i, step("paid")), step(&format!("hookwright-step-{i}"))],
            &["name"],
        );
        name_step.reason = "name_step".into();
        let mut shop = shop(
            &handle,
            vec![
                create("orders/create", Some("commerce"), to(&own), at(&format!("shops/{handle}.yaml"), 4)),
                name_step,
                delete("products/delete", Some("audit"), "duplicate", live(i + 5000, to(&inlet('a')))),
                delete("products/delete", Some("audit"), "duplicate", live(i + 7000, to(&inlet('a')))),
            ],
        );
        shop.findings = vec![
            finding(
                "scope_missing",
                Severity::Attention,
                None,
                &format!("the manifest wants the scope `read_customers`, but the shop has not granted it; add it to the app and have the shop approve it with the link that `hookwright auth url --shop {handle}` prints"),
            ),
            old_endpoint(
                None,
                &format!("2026-11-23T04:{:02}:{:02}Z", i / 60, i % 60),
                "keep the old endpoint https://old.example/ available until UNTIL. Until then, Shopify still sends retries of earlier deliveries there",
            ),
            unmanaged("orders/create", &format!("https://{handle}.example.com/hooks")),
        ];
        shop
    });
    plan(shops.collect())
}

#[test]
fn a_thousand_shops_fit_one_screen() {
    let text = plan_text(&thousand(), &PLAIN);
    assert!(text.lines().count() < 40, "{} lines", text.lines().count());
    insta::assert_snapshot!(text, @r#"
    Changes are indicated with the following symbols:
      + create
      ~ update in-place
      - destroy

    Hookwright will perform the following actions:

      1,000 shops: shop-0001, shop-0002, shop-0003, shop-0004, shop-0005, shop-0006, shop-0007, shop-0008, shop-0009, shop-0010, shop-0011, … and 989 more
        + orders/create -> commerce  # shops/shop-0001.yaml:4 and 999 more places
            address: https://dcs.adobedc.net/collection/00000000…00000001  (1 of 1,000 values; `-v` shows all)
        ~ orders/paid -> audit  # temporary name, to free the name "paid" for another subscription of this plan; orders.yaml:12
            name: "paid" -> "hookwright-step-<id>"
        - products/delete -> audit  # deletes 2 duplicates in each shop, keeps one subscription

    Destinations of these changes:
      audit: https://dcs.adobedc.net/collection/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      commerce: 1,000 addresses in different shops, such as https://dcs.adobedc.net/collection/0000000000000000000000000000000000000000000000000000000000000001 (`-v` shows all)

    Old endpoints:
      * old_endpoint: keep the old endpoint https://old.example/ available until 2026-11-23T04:16:40Z (the times of the shops differ, this is the latest). Until then, Shopify still sends retries of earlier deliveries there
        1,000 shops: shop-0001, shop-0002, shop-0003, shop-0004, shop-0005, shop-0006, shop-0007, shop-0008, shop-0009, shop-0010, shop-0011, … and 989 more

    Needs attention:
      ! scope_missing: the manifest wants the scope `read_customers`, but the shop has not granted it; add it to the app and have the shop approve it with the link that `hookwright auth url --shop <shop>` prints
        1,000 shops: shop-0001, shop-0002, shop-0003, shop-0004, shop-0005, shop-0006, shop-0007, shop-0008, shop-0009, shop-0010, shop-0011, … and 989 more

    unmanaged: orders/create -> https://shop-0001.example.com/hooks (shop-0001.myshopify.com)
    unmanaged: orders/create -> https://shop-0002.example.com/hooks (shop-0002.myshopify.com)
    unmanaged: orders/create -> https://shop-0003.example.com/hooks (shop-0003.myshopify.com)
    unmanaged: orders/create -> https://shop-0004.example.com/hooks (shop-0004.myshopify.com)
    unmanaged: orders/create -> https://shop-0005.example.com/hooks (shop-0005.myshopify.com)
    unmanaged: orders/create -> https://shop-0006.example.com/hooks (shop-0006.myshopify.com)
    unmanaged: orders/create -> https://shop-0007.example.com/hooks (shop-0007.myshopify.com)
    unmanaged: orders/create -> https://shop-0008.example.com/hooks (shop-0008.myshopify.com)
    unmanaged: orders/create -> https://shop-0009.example.com/hooks (shop-0009.myshopify.com)
    unmanaged: orders/create -> https://shop-0010.example.com/hooks (shop-0010.myshopify.com)
    … and 990 more unmanaged subscriptions; `-v` lists them

    Plan: 1000 to add, 1000 to change, 2000 to destroy.
    "#);
}

#[test]
fn verbose_lists_everything() {
    let text = plan_text(&thousand(), &VERBOSE);
    assert!(text.contains(&format!("{:064x}", 777).as_str()[56..]));
    assert!(text.contains("shop-0777"));
}

#[test]
fn changes_with_the_same_shops_share_a_header() {
    let everywhere = || create("orders/create", Some("commerce"), to(&inlet('a')), at("orders.yaml", 7));
    let some = || create("orders/paid", Some("commerce"), to(&inlet('a')), at("orders.yaml", 8));
    let also = || delete("carts/update", None, "not_in_manifest", live(9, to(&inlet('c'))));
    let plan = plan(vec![
        shop("alpha", vec![everywhere(), some(), also()]),
        shop("beta", vec![everywhere(), some(), also()]),
        shop("gamma", vec![everywhere()]),
        shop("delta", vec![]),
    ]);
    insta::assert_snapshot!(plan_text(&plan, &PLAIN), @r#"
    Changes are indicated with the following symbols:
      + create
      - destroy

    Hookwright will perform the following actions:

      3 shops: alpha, beta, gamma
        + orders/create -> commerce  # orders.yaml:7

      2 shops: alpha, beta
        + orders/paid -> commerce  # orders.yaml:8
        - carts/update -> https://dcs.adobedc.net/collection/cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc  # not in the manifest

    Destinations of these changes:
      commerce: https://dcs.adobedc.net/collection/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa

    1 shop without changes.

    Plan: 5 to add, 0 to change, 2 to destroy.
    "#);
}

#[test]
fn one_name_for_two_addresses_shows_both() {
    let make = |digit| create("orders/create", Some("commerce"), to(&inlet(digit)), at("orders.yaml", 7));
    let plan = plan(vec![shop("alpha", vec![make('a')]), shop("beta", vec![make('b')])]);
    insta::assert_snapshot!(plan_text(&plan, &PLAIN), @"
    Changes are indicated with the following symbols:
      + create

    Hookwright will perform the following actions:

      alpha.myshopify.com
        + orders/create -> commerce  # orders.yaml:7
            address: https://dcs.adobedc.net/collection/aaaaaaaa…aaaaaaaa

      beta.myshopify.com
        + orders/create -> commerce  # orders.yaml:7
            address: https://dcs.adobedc.net/collection/bbbbbbbb…bbbbbbbb

    Destinations of these changes:
      commerce: 2 addresses in different shops
        https://dcs.adobedc.net/collection/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        https://dcs.adobedc.net/collection/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb

    Plan: 2 to add, 0 to change, 0 to destroy.
    ");
}

#[test]
fn fields_before_and_after() {
    let before = Subscription {
        filter: Some("total_price:>=100".into()),
        format: "xml".into(),
        metafields: Some(vec!["custom.size".into()]),
        ..live(1, to("https://old.example.com/in"))
    };
    let after =
        Subscription { filter: None, name: Some("say \"hi\"".into()), metafields: Some(vec![]), ..to(&inlet('a')) };
    let mut change = update(
        "orders/create",
        ["", "commerce"],
        [before, after],
        &["address", "format", "filter", "name", "metafields", "colour"],
    );
    change.reason = "repurposed".into();
    let mut of_tomorrow = update("orders/paid", ["", ""], [to("https://x.example/a"), to("https://x.example/a")], &[]);
    of_tomorrow.reason = "moon_phase".into();
    insta::assert_snapshot!(plan_text(&plan(vec![shop("alpha", vec![change, of_tomorrow])]), &PLAIN), @r#"
    Changes are indicated with the following symbols:
      ~ update in-place

    Hookwright will perform the following actions:

      alpha.myshopify.com
        ~ orders/create -> commerce  # counts as a delete for the limits of `safety`, because address and filter both change; orders.yaml:12
            address: "https://old.example.com/in"
                  -> "https://dcs.adobedc.net/collection/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" (commerce)
            format: "xml" -> "json"
            filter: "total_price:>=100" -> none
            name: none -> "say \"hi\""
            metafields: [-custom.size]
            other: colour (this version of Hookwright cannot show this field)
        ~ orders/paid -> https://x.example/a  # moon phase; orders.yaml:12

    Destinations of these changes:
      commerce: https://dcs.adobedc.net/collection/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa

    Plan: 0 to add, 2 to change, 0 to destroy.
    "#);
}

#[test]
fn a_base_keeps_drift_apart() {
    let make = |topic: &str| create(topic, Some("commerce"), to(&inlet('a')), at("orders.yaml", 7));
    let plan = plan(vec![
        shop(
            "alpha",
            vec![origin(Origin::Manifest, make("orders/create")), origin(Origin::Drift, make("orders/paid"))],
        ),
        shop("beta", vec![origin(Origin::Drift, make("orders/paid"))]),
    ]);
    insta::assert_snapshot!(plan_text(&plan, &PLAIN), @r#"
    Changes are indicated with the following symbols:
      + create

    Changes from this manifest:

      alpha.myshopify.com
        + orders/create -> commerce  # orders.yaml:7

    Drift that will be repaired:

      2 shops: alpha, beta
        + orders/paid -> commerce  # orders.yaml:7

    Destinations of these changes:
      commerce: https://dcs.adobedc.net/collection/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa

    Plan: 3 to add, 0 to change, 0 to destroy.
    "#);
}

#[test]
fn shards_read_as_one_plan() {
    let make = || vec![create("orders/create", Some("commerce"), to(&inlet('a')), at("orders.yaml", 7))];
    let shard = |k: usize, shops| {
        let mut plan = plan(shops);
        plan.selection.shard = Some(format!("{k}/2"));
        plan
    };
    let two = [shard(2, vec![shop("alpha", make()), shop("beta", vec![])]), shard(1, vec![shop("gamma", make())])];
    insta::assert_snapshot!(plans_text(&two, &PLAIN), @r#"
    Selection: all 2 shards

    Changes are indicated with the following symbols:
      + create

    Hookwright will perform the following actions:

      2 shops: alpha, gamma
        + orders/create -> commerce  # orders.yaml:7

    Destinations of these changes:
      commerce: https://dcs.adobedc.net/collection/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa

    1 shop without changes.

    Plan: 2 to add, 0 to change, 0 to destroy.
    "#);
    assert!(plans_text(&two[..1], &PLAIN).starts_with("Selection: shard 2/2\n\nChanges"));
    // One incomplete shard is enough.
    let [mut first, second] = two;
    first.complete = false;
    assert!(plans_text(&[first, second], &PLAIN).contains("\nPlan incomplete: 2 to add"));
}

#[test]
fn nothing_to_do() {
    insta::assert_snapshot!(plan_text(&plan(vec![shop("alpha", vec![]), shop("beta", vec![])]), &PLAIN), @r#"
    2 shops without changes.

    No changes. The live webhooks match the manifest.
    "#);
    insta::assert_snapshot!(plan_text(&plan(vec![]), &PLAIN), @r#"
    No shop matches the selection.

    No changes. The live webhooks match the manifest.
    "#);
    // Without any plan, "No changes" would be false.
    assert!(plans_text(&[], &PLAIN).contains(
        "
Plan incomplete: "
    ));
}

#[test]
fn a_message_shared_by_its_shops_is_one_point() {
    let message = "shops of 2 apps bind one inlet: alpha.myshopify.com; beta.myshopify.com";
    let of = |handle: &str| {
        let mut shop = shop(handle, vec![]);
        shop.findings = vec![finding("mixed_apps", Severity::Warning, None, message)];
        shop
    };
    let text = plan_text(&plan(vec![of("alpha"), of("beta")]), &PLAIN);
    assert!(text.contains(&format!("  * mixed_apps: {message}\n    2 shops: alpha, beta\n")), "{text}");
}

#[test]
fn temporary_names_do_not_distinguish_shops() {
    let rename = |id: u32| {
        let named = |name: &str| Subscription { name: Some(name.into()), ..to(&inlet('a')) };
        let sides = [live(id, named("paid")), named(&format!("hookwright-step-{id}"))];
        let mut change = update("orders/paid", ["audit", "audit"], sides, &["name"]);
        change.reason = "name_step".into();
        vec![change]
    };
    let alone = plan_text(&plan(vec![shop("alpha", rename(7))]), &PLAIN);
    assert!(alone.contains("name: \"paid\" -> \"hookwright-step-7\"\n"), "{alone}");
    let both = plan_text(&plan(vec![shop("alpha", rename(7)), shop("beta", rename(8))]), &PLAIN);
    assert!(both.contains("  2 shops: alpha, beta\n"), "{both}");
    assert!(both.contains("name: \"paid\" -> \"hookwright-step-<id>\"\n"), "{both}");
}

#[test]
fn the_last_line_does_not_claim_a_match_if_no_shop_was_read() {
    let line = |changed, unchanged, unavailable| {
        let shops = crate::wire::plan::ShopCounts { total: 3, changed, unchanged, failed: 0, unavailable };
        super::plan_last_line(&crate::wire::plan::Summary { shops, ..Default::default() }, true, 0)
    };
    assert_eq!(line(0, 2, 1), "No changes. The live webhooks match the manifest.");
    assert_eq!(line(0, 0, 3), "Plan incomplete: 0 to add, 0 to change, 0 to destroy; 0 blocked, 3 shops not read.");
    assert_eq!(line(0, 0, 0), "No changes. The live webhooks match the manifest.");
}
