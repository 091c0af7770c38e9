//! Hazards and missing shops are visible, and text of others is escaped.

use super::super::support::*;
use super::super::{Style, escape, plan_text, plans_html, plans_markdown, report_text, reports_html, reports_markdown};
use crate::wire::plan::{Change, Finding, Safety, Selection, Severity, ShopSafety, ShopStatus, Subscription};
use crate::wire::report::{Outcome, OutcomeResult, ReportShopStatus};

#[test]
fn shops_that_were_not_read_and_bindings_that_are_blocked() {
    let refused = "the access token was refused. The app may have been uninstalled, or the token may be revoked or expired. Log in again: `hookwright auth login --shop";
    let mut beta = shop("beta", vec![]);
    beta.blocked = vec![
        blocked(
            "customers/update",
            "scope",
            &["read_customers"],
            "the scope `read_customers` is not granted; add it to the app and have the shop approve it with the link that `hookwright auth url --shop beta` prints",
        ),
        blocked(
            "orders/create",
            "name_taken",
            &[],
            "the name \"orders\" is used by gid://shopify/WebhookSubscription/7, which cannot be renamed; choose another name, or delete that subscription",
        ),
    ];
    let mut gamma = shop("gamma", vec![]);
    gamma.blocked = vec![blocked(
        "customers/update",
        "scope",
        &["read_customers"],
        "the scope `read_customers` is not granted; add it to the app and have the shop approve it with the link that `hookwright auth url --shop gamma` prints",
    )];
    let mut plan = plan(vec![
        lost("alpha", ShopStatus::Failed, "token_refused", &format!("{refused} alpha`")),
        beta,
        lost("delta", ShopStatus::Failed, "token_refused", &format!("{refused} delta`")),
        lost("epsilon", ShopStatus::Unavailable, "frozen", "the shop is frozen until its owner pays the bill"),
        gamma,
        lost("zeta", ShopStatus::Failed, "timeout", "zeta.myshopify.com did not respond in time. Try again later"),
    ]);
    plan.shops_left = vec!["gone.myshopify.com".into()];
    plan.shops_left_bindings = [("gone.myshopify.com".to_owned(), 9)].into();
    insta::assert_snapshot!(plan_text(&plan, &Style { width: Some(80), ..PLAIN }), @r#"
    Not read:
      ! token_refused: the access token was refused. The app may have been
        uninstalled, or the token may be revoked or expired. Log in again:
        `hookwright auth login --shop <shop>`
        2 shops: alpha, delta
      ! timeout: zeta.myshopify.com did not respond in time. Try again later
        zeta.myshopify.com
      3 shops were not read, so this plan does not cover them

    Not read (tolerated, so not an error):
      * frozen: the shop is frozen until its owner pays the bill
        epsilon.myshopify.com

    No longer in the manifest:
      * shop_left: removed from the manifest, where it had 9 bindings; its
        subscriptions are not deleted and continue to deliver
        gone.myshopify.com
      to delete the subscriptions of such a shop, put the shop back with `use: []`
      and `bindings: []`, apply, and then remove it

    Blocked:
      ! scope, customers/update -> commerce (orders.yaml:20): the scope
        `read_customers` is not granted; add it to the app and have the shop approve
        it with the link that `hookwright auth url --shop <shop>` prints
        2 shops: beta, gamma
      ! name_taken, orders/create -> commerce (orders.yaml:20): the name "orders" is
        used by gid://shopify/WebhookSubscription/7, which cannot be renamed; choose
        another name, or delete that subscription
        beta.myshopify.com

    Plan incomplete: 0 to add, 0 to change, 0 to destroy; 3 blocked, 3 shops not read.
    "#);
}

#[test]
fn hazards_and_unusual_settings_are_first() {
    let gone = |id| delete("orders/create", None, "not_in_manifest", live(id, to(&inlet('c'))));
    let mut alpha = shop("alpha", vec![gone(1)]);
    alpha.safety =
        Some(ShopSafety { max_delete_percent: Some(80), protected_topics: Some(vec!["orders/create".into()]) });
    let mut plan = plan(vec![alpha, shop("beta", vec![gone(2)])]);
    plan.settings.safety =
        Safety { max_delete_percent: 50, protected_topics: vec!["orders/paid".into()], ..plan.settings.safety };
    plan.settings.ownership.address_prefixes = vec!["https://x.example/".into()];
    plan.settings.ownership.unmanaged = "ignore".into();
    plan.settings.endpoint = "http://127.0.0.1:4000".into();
    plan.settings.admin_api.transport = "rest".into();
    plan.summary.unmanaged = 4;
    plan.selection = Selection {
        shops: vec!["*a".into(), "!x".into()],
        labels: vec!["env!=prod".into()],
        shard: Some("2/16".into()),
        ..Selection::default()
    };
    plan.hazards = vec![
        hazard(
            "max_total_delete_percent",
            None,
            "deletes 2 of the run's 12 live subscriptions (16 %); the limit is 10 %",
        ),
        hazard("empty_shop", Some("alpha"), "leaves the shop without managed subscriptions (it has 1 now)"),
        hazard("empty_shop", Some("beta"), "leaves the shop without managed subscriptions (it has 1 now)"),
    ];
    insta::assert_snapshot!(plan_text(&plan, &PLAIN), @"
    Target: http://127.0.0.1:4000
    Admin API: 2026-10 over rest
    Safety: max_delete_percent=50, protected_topics=[orders/paid]
    Ownership: address_prefixes=[https://x.example/], unmanaged=ignore
    Safety of alpha.myshopify.com: max_delete_percent=80, protected_topics=[orders/create]
    Selection: --shop *a, --exclude-shop x, --label env!=prod, shard 2/16

    Hazards:
      2 hazards need consent; without it, `hookwright apply` sends nothing
      ! max_total_delete_percent: deletes 2 of the run's 12 live subscriptions (16 %); the limit is 10 %
        help: to consent, apply with `--allow max_total_delete_percent`
      ! empty_shop, 2 shops: leaves the shop without managed subscriptions (it has 1 now)
        alpha, beta
        help: to consent, apply with `--allow empty_shop:alpha --allow empty_shop:beta`

    Changes are indicated with the following symbols:
      - destroy

    Hookwright will perform the following actions:

      2 shops: alpha, beta
        - orders/create -> https://dcs.adobedc.net/collection/cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc  # not in the manifest

    4 unmanaged subscriptions ignored.

    Plan: 0 to add, 0 to change, 2 to destroy.
    ");
}

#[test]
fn equal_hazards_of_many_shops_are_one_point() {
    let mut plan = plan(vec![]);
    plan.hazards = (1..=500)
        .map(|i| {
            hazard(
                "empty_shop",
                Some(&format!("s{i:03}")),
                "leaves the shop without managed subscriptions (it has 1 now)",
            )
        })
        .collect();
    insta::assert_snapshot!(plan_text(&plan, &PLAIN), @"
    Hazards:
      1 hazard needs consent; without it, `hookwright apply` sends nothing
      ! empty_shop, 500 shops: leaves the shop without managed subscriptions (it has 1 now)
        s001, s002, s003, s004, s005, s006, s007, s008, s009, s010, s011, s012, s013, s014, s015, s016, s017, s018, s019, s020, … and 480 more
        help: to consent, apply with `--allow 'empty_shop:s*'`

    No shop matches the selection.

    No changes. The live webhooks match the manifest.
    ");
}

#[test]
fn text_of_others_is_escaped() {
    assert_eq!(
        escape("a\u{1b}[2J\n\r\t\u{7f}\u{9b}\u{202e}\u{2066}é日"),
        r"a\u{1b}[2J\u{a}\u{d}\u{9}\u{7f}\u{9b}\u{202e}\u{2066}é日"
    );
    let evil = "x\u{1b}[31m\n\u{202e}y";
    let sub = Subscription {
        filter: Some(evil.into()),
        name: Some(evil.into()),
        format: evil.into(),
        metafields: Some(vec![evil.into()]),
        include_fields: vec![evil.into()],
        metafield_namespaces: vec![evil.into()],
        id: Some(evil.into()),
        ..to(evil)
    };
    let fields = ["address", "format", "filter", "name", "include_fields", "metafield_namespaces", "metafields", evil];
    let other = Subscription {
        include_fields: vec![],
        metafield_namespaces: vec![],
        metafields: None,
        ..to("https://x.example")
    };
    let change = Change { reason: evil.into(), ..update(evil, [evil, evil], [sub.clone(), other], &fields) };
    let mut evil_shop =
        shop(evil, vec![change, create(evil, None, sub.clone(), at(evil, 1)), delete(evil, Some(evil), evil, sub)]);
    evil_shop.blocked = vec![blocked(evil, evil, &[evil], evil)];
    evil_shop.findings = vec![
        finding(evil, Severity::Attention, Some(evil), evil),
        unmanaged(evil, evil),
        Finding { topic: None, ..unmanaged("", evil) },
    ];
    evil_shop.safety = Some(ShopSafety { max_delete_percent: None, protected_topics: Some(vec![evil.into()]) });
    let mut plan = plan(vec![evil_shop, lost(evil, ShopStatus::Failed, evil, evil)]);
    plan.hazards = vec![hazard(evil, Some(evil), evil)];
    plan.shops_left = vec![evil.into()];
    plan.selection =
        Selection { shops: vec![evil.into()], labels: vec![evil.into()], shard: Some(evil.into()), only: None };
    plan.settings.endpoint = evil.into();
    plan.settings.ownership.address_prefixes = vec![evil.into()];
    plan.settings.ownership.unmanaged = evil.into();
    plan.settings.admin_api.transport = evil.into();
    plan.settings.safety.protected_topics = vec![evil.into()];
    for style in [PLAIN, VERBOSE, Style { width: Some(60), ..PLAIN }] {
        let text = plan_text(&plan, &style);
        assert!(!text.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')), "{text}");
        assert!(!text.lines().any(|line| line.starts_with('y')), "{text}");
    }
    let mut failed = outcome(create(evil, None, to(evil), None), OutcomeResult::Failed);
    failed.error = Some(error(evil, evil).into());
    let skipped =
        Outcome { reason: Some(evil.into()), ..outcome(delete(evil, None, evil, to(evil)), OutcomeResult::Skipped) };
    let mut shop = report_shop(evil, ReportShopStatus::Incomplete, vec![failed, skipped]);
    shop.error = Some(error(evil, evil));
    let text = report_text(&report(vec![shop.clone(), shop]), &PLAIN);
    assert!(!text.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')), "{text}");
}

#[test]
fn a_name_does_not_hide_an_address_and_an_unmanaged_address_shows_no_credentials() {
    let evil = "https://evil.example/collect";
    let forged = create("orders/create", Some("commerce"), to(evil), at("orders.yaml", 7));
    let theirs = live(7, to("https://user:pass@hooks.example/in?key=s3cr3t"));
    let removed = delete("app/uninstalled", None, "unmanaged", theirs);
    let plan = plan(vec![shop("alpha", vec![forged.clone(), removed.clone()])]);
    let outcomes = [forged, removed].map(|change| outcome(change, OutcomeResult::Applied));
    let report = report(vec![report_shop("alpha", ReportShopStatus::Done, outcomes.to_vec())]);
    let (plans, reports) = (std::slice::from_ref(&plan), std::slice::from_ref(&report));
    for text in [
        plan_text(&plan, &PLAIN),
        plans_markdown(plans, &[]),
        plans_html(plans, &[]),
        report_text(&report, &PLAIN),
        reports_markdown(reports, &[]),
        reports_html(reports, &[]),
    ] {
        assert!(text.contains(evil), "{text}");
        assert!(text.contains("***@hooks.example/in?key=***"), "{text}");
        assert!(!text.contains("pass@") && !text.contains("s3cr3t"), "{text}");
    }
}
