//! A first plan with one change of each kind.

use super::super::support::*;
use super::super::{Style, plan_text};
use crate::wire::plan::{Action, Plan, Sandbox, Severity, Subscription};

/// Returns a plan with one change of each kind.
pub(in crate::render) fn quickstart() -> Plan {
    let filtered = Subscription {
        include_fields: vec!["id".into(), "email".into()],
        filter: Some("email:*@example.com".into()),
        name: Some("customers-loyalty".into()),
        ..to(&inlet('b'))
    };
    let wider = Subscription { include_fields: vec!["id".into(), "updated_at".into()], ..filtered.clone() };
    let old =
        Subscription { name: Some("products-old".into()), filter: Some("status:active".into()), ..to(&inlet('a')) };
    let mut alpha = shop(
        "alpha",
        vec![
            create("orders/create", Some("commerce"), to(&inlet('a')), at("orders.yaml", 7)),
            update("customers/update", ["loyalty", "loyalty"], [live(1, filtered), wider], &["include_fields"]),
            update(
                "orders/updated",
                ["commerce", "loyalty"],
                [live(2, to(&inlet('a'))), to(&inlet('b'))],
                &["address"],
            ),
            delete("products/delete", Some("commerce"), "not_in_manifest", live(3, old)),
        ],
    );
    alpha.findings = vec![
        unmanaged("app/uninstalled", "https://example.com/hooks"),
        finding(
            "scope_missing",
            Severity::Attention,
            None,
            "the manifest wants the scope `read_customers`, but the shop has not granted it; add it to the app and have the shop approve it with the link that `hookwright auth url --shop alpha` prints",
        ),
        finding("scope_superfluous", Severity::Info, None, "granted but not wanted: write_themes"),
    ];
    let mut beta = shop("beta", vec![]);
    beta.findings = vec![finding(
        "scope_missing",
        Severity::Attention,
        None,
        "the manifest wants the scope `read_customers`, but the shop has not granted it; add it to the app and have the shop approve it with the link that `hookwright auth url --shop beta` prints",
    )];
    let mut plan = plan(vec![alpha, beta]);
    plan.settings.endpoint = "sandbox".into();
    plan.settings.sandbox = Some(Sandbox { id: "1".into(), state: ".hookwright/sandbox.json".into() });
    plan
}

#[test]
fn a_first_plan() {
    insta::assert_snapshot!(plan_text(&quickstart(), &PLAIN), @r#"
    Target: sandbox (.hookwright/sandbox.json)

    Changes are indicated with the following symbols:
      + create
      ~ update in-place
      - destroy

    Hookwright will perform the following actions:

      alpha.myshopify.com
        + orders/create -> commerce  # orders.yaml:7
        ~ customers/update -> loyalty  # orders.yaml:12
            include_fields: [id, -email, +updated_at]
            filter: "email:*@example.com" (unchanged)
        ~ orders/updated -> loyalty  # orders.yaml:12
            address: "https://dcs.adobedc.net/collection/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" (commerce)
                  -> "https://dcs.adobedc.net/collection/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" (loyalty)
        - products/delete -> commerce  # not in the manifest
            name: "products-old"
            filter: "status:active"
            id: gid://shopify/WebhookSubscription/3

    Destinations of these changes:
      commerce: https://dcs.adobedc.net/collection/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      loyalty: https://dcs.adobedc.net/collection/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb

    Needs attention:
      ! scope_missing: the manifest wants the scope `read_customers`, but the shop has not granted it; add it to the app and have the shop approve it with the link that `hookwright auth url --shop <shop>` prints
        2 shops: alpha, beta

    unmanaged: app/uninstalled -> https://example.com/hooks (alpha.myshopify.com)

    1 informational finding; `-v` lists it

    1 shop without changes.

    Plan: 1 to add, 2 to change, 1 to destroy.
    "#);
}

#[test]
fn colours_show_symbols_and_the_words_that_changed() {
    insta::assert_snapshot!(plan_text(&quickstart(), &Style { color: true, ..PLAIN }).replace('\u{1b}', "^"), @r#"
    ^[1mTarget: sandbox (.hookwright/sandbox.json)^[0m

    ^[1mChanges are indicated with the following symbols:^[0m
      ^[32m+^[0m create
      ^[33m~^[0m update in-place
      ^[31m-^[0m destroy

    ^[1mHookwright will perform the following actions:^[0m

      ^[1malpha.myshopify.com^[0m
        ^[32m+^[0m orders/create -> commerce  ^[2m# orders.yaml:7^[0m
        ^[33m~^[0m customers/update -> loyalty  ^[2m# orders.yaml:12^[0m
            include_fields: [id, ^[31m-email^[0m, ^[32m+updated_at^[0m]
            filter: "email:*@example.com" (unchanged)
        ^[33m~^[0m orders/updated -> loyalty  ^[2m# orders.yaml:12^[0m
            address: "https://dcs.adobedc.net/collection/^[31maaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa^[0m" (commerce)
                  -> "https://dcs.adobedc.net/collection/^[32mbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb^[0m" (loyalty)
        ^[31m-^[0m products/delete -> commerce  ^[2m# not in the manifest^[0m
            name: "products-old"
            filter: "status:active"
            id: gid://shopify/WebhookSubscription/3

    ^[1mDestinations of these changes:^[0m
      commerce: https://dcs.adobedc.net/collection/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      loyalty: https://dcs.adobedc.net/collection/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb

    ^[1mNeeds attention:^[0m
      ! ^[1mscope_missing: the manifest wants the scope `read_customers`, but the shop has not granted it; add it to the app and have the shop approve it with the link that `hookwright auth url --shop <shop>` prints^[0m
        2 shops: alpha, beta

    unmanaged: app/uninstalled -> https://example.com/hooks (alpha.myshopify.com)

    1 informational finding; `-v` lists it

    1 shop without changes.

    Plan: 1 to add, 2 to change, 1 to destroy.
    "#);
}

#[test]
fn the_legend_has_only_the_symbols_that_occur() {
    let plan = plan(vec![shop("alpha", vec![create("orders/create", Some("commerce"), to(&inlet('a')), None)])]);
    assert_eq!(plan.shops[0].changes[0].action, Action::Create);
    let text = plan_text(&plan, &PLAIN);
    assert!(text.contains("  + create\n") && !text.contains("update in-place") && !text.contains("- destroy"));
}
