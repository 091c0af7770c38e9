//! The text of apply reports.

use super::super::report_text;
use super::super::support::*;
use crate::wire::plan::{Change, Subscription};
use crate::wire::report::{ConfirmedBy, Outcome, OutcomeResult, ReportShopStatus};

fn done(change: Change) -> Outcome {
    outcome(change, OutcomeResult::Applied)
}

fn order(topic: &str) -> Change {
    create(topic, Some("commerce"), to(&inlet('a')), at("orders.yaml", 7))
}

fn moved() -> Change {
    update("orders/updated", ["commerce", "loyalty"], [live(2, to(&inlet('a'))), to(&inlet('b'))], &["address"])
}

#[test]
fn a_complete_apply() {
    let mut alpha = report_shop("alpha", ReportShopStatus::Done, vec![done(order("orders/create")), done(moved())]);
    alpha.findings = vec![old_endpoint(
        Some("orders/updated"),
        "2026-11-23T04:00:01Z",
        "keep the old endpoint https://old.example/ available until UNTIL. Until then, Shopify still sends retries of earlier deliveries there",
    )];
    let mut beta = report_shop("beta", ReportShopStatus::Done, vec![done(order("orders/create")), done(moved())]);
    beta.findings = vec![old_endpoint(
        Some("orders/updated"),
        "2026-11-23T04:00:02Z",
        "keep the old endpoint https://old.example/ available until UNTIL. Until then, Shopify still sends retries of earlier deliveries there",
    )];
    beta.outcomes[0].confirmed_by = Some(ConfirmedBy::Read);
    let gamma =
        report_shop("gamma", ReportShopStatus::Done, vec![outcome(order("orders/create"), OutcomeResult::AlreadySo)]);
    insta::assert_snapshot!(report_text(&report(vec![alpha, beta, gamma]), &PLAIN), @"
    Applied:
      2 shops: alpha, beta
        + orders/create -> commerce
        ~ orders/updated: commerce -> loyalty
      Shopify did not respond to 1 change. A later read shows that it was made, by this run or by another one. Nothing to do

    Already done before this run, so nothing was sent:
      gamma.myshopify.com
        + orders/create -> commerce

    Destinations of these changes:
      commerce: https://dcs.adobedc.net/collection/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      loyalty: https://dcs.adobedc.net/collection/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb

    Notes:
      * old_endpoint, orders/updated: keep the old endpoint https://old.example/ available until 2026-11-23T04:00:02Z (the times of the shops differ, this is the latest). Until then, Shopify still sends retries of earlier deliveries there
        2 shops: alpha, beta

    Apply complete! Resources: 2 added, 2 changed, 0 destroyed.
    ");
}

#[test]
fn an_incomplete_apply() {
    let refuse = |handle: &str| {
        let failed = Outcome {
            error: Some(error("invalid_address", "Shopify rejected the change: Address is not allowed. Correct the address of the destination in the manifest, and create a new plan").into()),
            ..outcome(order("orders/create"), OutcomeResult::Failed)
        };
        let narrow = Subscription { filter: Some("total_price:>=100".into()), ..to(&inlet('b')) };
        let gone = delete("orders/create", Some("loyalty"), "not_in_manifest", live(5, narrow));
        let skipped = Outcome {
            reason: Some(
                "not deleted, because the subscription that replaces it could not be created or updated. Correct that failure, then create a new plan".into(),
            ),
            ..outcome(gone, OutcomeResult::Skipped)
        };
        report_shop(handle, ReportShopStatus::Incomplete, vec![failed, done(order("orders/paid")), skipped])
    };
    let mut gamma = report_shop(
        "gamma",
        ReportShopStatus::Stale,
        vec![Outcome { reason: Some("stale".into()), ..outcome(moved(), OutcomeResult::Skipped) }],
    );
    gamma.error = Some(error(
        "stale",
        "orders/updated: subscription gid://shopify/WebhookSubscription/2 was changed after the plan was created. Create a new plan",
    ));
    let mut delta = report_shop("delta", ReportShopStatus::NotRead, vec![]);
    delta.error = Some(error(
        "token_refused",
        "the access token was refused. The app may have been uninstalled, or the token may be revoked or expired. Install the app again, or replace the token",
    ));
    let mut epsilon = report_shop(
        "epsilon",
        ReportShopStatus::Incomplete,
        vec![Outcome {
            reason: Some("not sent, because an earlier request to this shop failed".into()),
            ..outcome(moved(), OutcomeResult::Skipped)
        }],
    );
    epsilon.error = Some(error("rate_limited", "too many requests. Run again later, or with a longer `--timeout`"));
    let mut zeta = report_shop("zeta", ReportShopStatus::Done, vec![done(order("orders/create"))]);
    zeta.blocked = vec![blocked(
        "customers/update",
        "scope",
        &["read_customers"],
        "the scope `read_customers` is not granted; add it to the app and have the shop approve it with the link that `hookwright auth url --shop zeta` prints",
    )];
    let report = report(vec![refuse("alpha"), refuse("beta"), delta, epsilon, gamma, zeta]);
    insta::assert_snapshot!(report_text(&report, &PLAIN), @r#"
    Failed:
      ! invalid_address: Shopify rejected the change: Address is not allowed. Correct the address of the destination in the manifest, and create a new plan
        2 shops: alpha, beta
          + orders/create -> commerce

    Not finished:
      ! rate_limited: too many requests. Run again later, or with a longer `--timeout`
        epsilon.myshopify.com

    Skipped:
      * not deleted, because the subscription that replaces it could not be created or updated. Correct that failure, then create a new plan
        2 shops: alpha, beta
          - orders/create -> loyalty (filter "total_price:>=100")  # not in the manifest
      * not sent, because an earlier request to this shop failed
        epsilon.myshopify.com
          ~ orders/updated: commerce -> loyalty

    Stale:
      ! stale: orders/updated: subscription gid://shopify/WebhookSubscription/2 was changed after the plan was created. Create a new plan
        gamma.myshopify.com
      nothing was sent because the plan is stale for this shop; 1 change not applied. Create a new plan

    Not read:
      ! token_refused: the access token was refused. The app may have been uninstalled, or the token may be revoked or expired. Install the app again, or replace the token
        delta.myshopify.com
      no changes were sent

    Applied:
      2 shops: alpha, beta
        + orders/paid -> commerce
      zeta.myshopify.com
        + orders/create -> commerce

    Destinations of these changes:
      commerce: https://dcs.adobedc.net/collection/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      loyalty: https://dcs.adobedc.net/collection/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb

    Blocked:
      ! scope, customers/update -> commerce (orders.yaml:20): the scope `read_customers` is not granted; add it to the app and have the shop approve it with the link that `hookwright auth url --shop zeta` prints
        zeta.myshopify.com

    Not done: 1 binding blocked, 1 shop not read, 1 shop changed since the plan was created.

    Apply incomplete! Resources: 3 added, 0 changed, 0 destroyed; 2 failed, 4 skipped.
    "#);
}
