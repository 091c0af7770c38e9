//! The Markdown of plans and reports.

use super::super::support::*;
use super::super::tests::{first::quickstart, thousand};
use super::super::{plans_markdown, reports_markdown};
use crate::wire::plan::{Change, Origin, Plan, Safety, Sandbox, Severity, ShopStatus};
use crate::wire::report::{ConfirmedBy, Outcome, OutcomeResult, ReportShopStatus};

/// Returns a plan with changes, hazards and findings of each kind, and origins.
pub(in crate::render) fn everything() -> Plan {
    let mut plan = quickstart();
    let drift = |change: Change| origin(Origin::Drift, change);
    for change in &mut plan.shops[0].changes {
        change.origin = Some(Origin::Manifest);
    }
    let missing = create("orders/paid", Some("commerce"), to(&inlet('a')), at("orders.yaml", 9));
    let extra = delete("carts/update", None, "not_in_manifest", live(9, to(&inlet('c'))));
    let mut gamma = shop("gamma", vec![drift(missing.clone()), drift(extra)]);
    gamma.blocked = vec![blocked(
        "customers/update",
        "scope",
        &["read_customers"],
        "the scope `read_customers` is not granted; add it to the app and have the shop approve it with the link that `hookwright auth url --shop gamma` prints",
    )];
    let mut shops = plan.shops;
    let frozen = lost("epsilon", ShopStatus::Unavailable, "frozen", "the shop is frozen until its owner pays the bill");
    let refused = "the access token was refused. The app may have been uninstalled, or the token may be revoked or expired. Log in again: `hookwright auth login --shop delta`";
    shops.extend([
        gamma,
        shop("zeta", vec![drift(missing)]),
        frozen,
        lost("delta", ShopStatus::Failed, "token_refused", refused),
    ]);
    let settings = plan.settings;
    plan = super::super::support::plan(shops);
    plan.settings = settings;
    plan.settings.safety = Safety { max_delete_percent: 50, ..plan.settings.safety };
    plan.shops_left = vec!["gone.myshopify.com".into()];
    plan.hazards = vec![
        hazard("max_delete_percent", Some("alpha"), "deletes 3 of 5 live subscriptions (60 %); the limit is 50 %"),
        hazard(
            "max_total_delete_percent",
            None,
            "deletes 6 of the run's 50 live subscriptions (12 %); the limit is 10 %",
        ),
    ];
    plan
}

#[test]
fn a_plan_with_all_kinds() {
    insta::assert_snapshot!(plans_markdown(&[everything()], &[]), @r#"
    <!-- hookwright: plan -->
    ## Plan incomplete: 3 to add, 2 to change, 2 to destroy; 1 blocked, 1 shop not read.

    - **Target: sandbox (`.hookwright/sandbox.json`)**
    - Safety: `max_delete_percent=50`

    ### Hazards

    2 hazards need consent; without it, `hookwright apply` sends nothing.

    - `max_delete_percent` of `alpha`: deletes 3 of 5 live subscriptions (60 %); the limit is 50 % — consent with `--allow max_delete_percent:alpha`
    - `max_total_delete_percent`: deletes 6 of the run's 50 live subscriptions (12 %); the limit is 10 % — consent with `--allow max_total_delete_percent`

    Or add the consents to the manifest:

    ```yaml
    consents:
      - allow: "max_delete_percent:alpha"
        reason: "…"
        expires: 2026-12-07
      - allow: "max_total_delete_percent"
        reason: "…"
        expires: 2026-12-07
    ```

    ### 2 deletes

    Changes from this manifest:

    ```diff
    @@ alpha.myshopify.com @@
    - products/delete -> commerce (filter "status:active")  # not in the manifest
    ```

    Drift that will be repaired:

    ```diff
    @@ gamma.myshopify.com @@
    - carts/update -> https://dcs.adobedc.net/collection/cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc  # not in the manifest
    ```

    ### Changes from this manifest: 1 to add, 2 to change

    ```diff
    @@ alpha.myshopify.com @@
    + orders/create -> commerce
    ! customers/update -> loyalty (changed: include_fields; the filter "email:*@example.com" stays)
    ! orders/updated: commerce -> loyalty
    ```

    ### No longer in the manifest

    To delete the subscriptions of such a shop, put the shop back with `use: []` and `bindings: []`, apply, and then remove it.

    - `shop_left` in `gone`: removed from the manifest; its subscriptions are not deleted and continue to deliver

    ### Blocked

    - `scope` `customers/update -> commerce` (`orders.yaml:20`) in `gamma`: the scope `read_customers` is not granted; add it to the app and have the shop approve it with the link that `hookwright auth url --shop gamma` prints

    ### Not read

    1 shop was not read, so this plan does not cover it.

    - `token_refused` in `delta`: the access token was refused. The app may have been uninstalled, or the token may be revoked or expired. Log in again: `hookwright auth login --shop delta`

    ### Not read (tolerated, so not an error)

    - `frozen` in `epsilon`: the shop is frozen until its owner pays the bill

    ### Needs attention

    - `scope_missing` in 2 shops (`alpha, beta`): the manifest wants the scope `read_customers`, but the shop has not granted it; add it to the app and have the shop approve it with the link that `hookwright auth url --shop <shop>` prints

    ### Drift that will be repaired: 2 to add

    ```diff
    @@ 2 shops: gamma, zeta @@
    + orders/paid -> commerce
    ```

    <details><summary>Details of 4 changes from this manifest</summary>

    ```diff
    @@ alpha.myshopify.com @@
    + orders/create -> commerce  # orders.yaml:7
    ! customers/update -> loyalty  # orders.yaml:12
          include_fields: [id, -email, +updated_at]
          filter: "email:*@example.com" (unchanged)
    ! orders/updated -> loyalty  # orders.yaml:12
    -     address: "https://dcs.adobedc.net/collection/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" (commerce)
    +     address: "https://dcs.adobedc.net/collection/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" (loyalty)
    - products/delete -> commerce  # not in the manifest
          name: "products-old"
          filter: "status:active"
          id: gid://shopify/WebhookSubscription/3
    ```

    </details>

    <details><summary>Details of 3 changes to repair drift</summary>

    ```diff
    @@ 2 shops: gamma, zeta @@
    + orders/paid -> commerce  # orders.yaml:9
    @@ gamma.myshopify.com @@
    - carts/update -> https://dcs.adobedc.net/collection/cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc  # not in the manifest
          id: gid://shopify/WebhookSubscription/9
    ```

    </details>

    <details><summary>Warnings, notes and unmanaged subscriptions: 2 findings</summary>

    - `scope_superfluous` in `alpha`: granted but not wanted: `write_themes`
    - unmanaged: `app/uninstalled -> https://example.com/hooks` in `alpha`

    </details>

    ### Destinations of these changes

    - `commerce`: `https://dcs.adobedc.net/collection/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`
    - `loyalty`: `https://dcs.adobedc.net/collection/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb`

    1 shop without changes.

    Plan digest: `sha256:0`
    "#);
}

#[test]
fn no_changes() {
    insta::assert_snapshot!(plans_markdown(&[plan(vec![shop("alpha", vec![]), shop("beta", vec![])])], &[]), @r##"
    <!-- hookwright: plan -->
    ## No changes. The live webhooks match the manifest.

    2 shops without changes.

    Plan digest: `sha256:0`
    "##);
    assert!(plans_markdown(&[], &[]).starts_with(
        "<!-- hookwright: plan -->
## Plan incomplete: "
    ));
}

#[test]
fn an_incomplete_plan() {
    let plan = plan(vec![
        shop("alpha", vec![create("orders/create", Some("commerce"), to(&inlet('a')), at("orders.yaml", 7))]),
        lost("beta", ShopStatus::Failed, "timeout", "beta.myshopify.com did not respond in time. Try again later"),
    ]);
    insta::assert_snapshot!(plans_markdown(&[plan], &[]), @"
    <!-- hookwright: plan -->
    ## Plan incomplete: 1 to add, 0 to change, 0 to destroy; 0 blocked, 1 shop not read.

    ### Changes: 1 to add

    ```diff
    @@ alpha.myshopify.com @@
    + orders/create -> commerce
    ```

    ### Not read

    1 shop was not read, so this plan does not cover it.

    - `timeout` in `beta`: `beta.myshopify.com` did not respond in time. Try again later

    <details><summary>Details of 1 change</summary>

    ```diff
    @@ alpha.myshopify.com @@
    + orders/create -> commerce  # orders.yaml:7
    ```

    </details>

    ### Destinations of these changes

    - `commerce`: `https://dcs.adobedc.net/collection/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`

    Plan digest: `sha256:0`
    ");
}

#[test]
fn a_thousand_shops_with_equal_changes() {
    let text = plans_markdown(&[thousand()], &[]);
    let above = text.split("\n<details>").next().unwrap_or_default();
    assert!(above.lines().count() < 40, "{} lines", above.lines().count());
    insta::assert_snapshot!(above, @r#"
    <!-- hookwright: plan -->
    ## Plan: 1000 to add, 1000 to change, 2000 to destroy.

    ### 2,000 deletes

    ```diff
    @@ 1,000 shops: shop-0001, shop-0002, shop-0003, shop-0004, shop-0005, shop-0006, … and 994 more @@
    - products/delete -> audit  # deletes 2 duplicates in each shop, keeps one subscription
    ```

    ### Changes: 1,000 to add, 1,000 to change

    ```diff
    @@ 1,000 shops: shop-0001, shop-0002, shop-0003, shop-0004, shop-0005, shop-0006, … and 994 more @@
    + orders/create -> commerce
    ! orders/paid -> audit (changed: name)  # temporary name, to free the name "paid" for another subscription of this plan
    ```

    ### Old endpoints

    - `old_endpoint` in 1,000 shops (`shop-0001, shop-0002, shop-0003, shop-0004, shop-0005, shop-0006, … and 994 more`): keep the old endpoint `https://old.example/` available until `2026-11-23T04:16:40Z` (the times of the shops differ, this is the latest). Until then, Shopify still sends retries of earlier deliveries there

    ### Needs attention

    - `scope_missing` in 1,000 shops (`shop-0001, shop-0002, shop-0003, shop-0004, shop-0005, shop-0006, … and 994 more`): the manifest wants the scope `read_customers`, but the shop has not granted it; add it to the app and have the shop approve it with the link that `hookwright auth url --shop <shop>` prints
    "#);
    assert!(text.contains("(1 of 1,000 values; see the plan file)"));
    assert!(text.contains("\n… and 900 more findings in 900 shops; see the plan file\n\n</details>"));
}

#[test]
fn shards_are_one_comment() {
    let make = || vec![create("orders/create", Some("commerce"), to(&inlet('a')), at("orders.yaml", 7))];
    let shard = |k: usize, shops| {
        let mut plan = plan(shops);
        plan.selection.shard = Some(format!("{k}/2"));
        plan.plan_digest = format!("sha256:{k}");
        plan
    };
    let two = [shard(2, vec![shop("alpha", make()), shop("beta", vec![])]), shard(1, vec![shop("gamma", make())])];
    insta::assert_snapshot!(plans_markdown(&two, &[]), @"
    <!-- hookwright: plan -->
    ## Plan: 2 to add, 0 to change, 0 to destroy.

    - Selection: all 2 shards

    ### Changes: 2 to add

    ```diff
    @@ 2 shops: alpha, gamma @@
    + orders/create -> commerce
    ```

    <details><summary>Details of 2 changes</summary>

    ```diff
    @@ 2 shops: alpha, gamma @@
    + orders/create -> commerce  # orders.yaml:7
    ```

    </details>

    ### Destinations of these changes

    - `commerce`: `https://dcs.adobedc.net/collection/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`

    1 shop without changes.

    Plan digest: `sha256:1`, `sha256:2`
    ");
}

#[test]
fn an_apply_with_failures() {
    let make = |topic: &str| create(topic, Some("commerce"), to(&inlet('a')), at("orders.yaml", 7));
    let gone = || delete("carts/update", Some("commerce"), "not_in_manifest", live(9, to(&inlet('a'))));
    let failed = |change| {
        let error = Some(error("throttled", "Shopify asked to wait longer than --timeout allows"));
        Outcome { error: error.map(Box::new), ..outcome(change, OutcomeResult::Failed) }
    };
    let skipped = Outcome {
        reason: Some("not deleted, because the subscription that replaces it could not be created or updated. Correct that failure, then create a new plan".into()),
        ..outcome(gone(), OutcomeResult::Skipped)
    };
    let read =
        Outcome { confirmed_by: Some(ConfirmedBy::Read), ..outcome(make("orders/paid"), OutcomeResult::Applied) };
    let mut alpha = report_shop("alpha", ReportShopStatus::Incomplete, vec![failed(make("orders/create")), skipped]);
    alpha.error =
        Some(error("time_budget", "the time limit of the run (`--timeout`) was reached before the request was sent"));
    alpha.findings = vec![finding(
        "old_endpoint",
        Severity::Info,
        None,
        "keep the old endpoint https://old.example/ available until 2026-11-23T04:00:09Z. Until then, Shopify still sends retries of earlier deliveries there",
    )];
    let mut stale =
        report_shop("gamma", ReportShopStatus::Stale, vec![outcome(make("orders/create"), OutcomeResult::Skipped)]);
    stale.error = Some(error(
        "stale",
        "orders/create: subscription gid://shopify/WebhookSubscription/1 was changed after the plan was created. Create a new plan",
    ));
    let done =
        vec![outcome(make("orders/create"), OutcomeResult::Applied), read, outcome(gone(), OutcomeResult::Applied)];
    let mut report = report(vec![
        alpha,
        report_shop("beta", ReportShopStatus::Done, done),
        stale,
        report_shop(
            "delta",
            ReportShopStatus::Incomplete,
            vec![failed(make("orders/create")), outcome(make("orders/paid"), OutcomeResult::AlreadySo)],
        ),
    ]);
    report.settings.endpoint = "sandbox".into();
    report.settings.sandbox = Some(Sandbox { id: "1".into(), state: ".hookwright/sandbox.json".into() });
    insta::assert_snapshot!(reports_markdown(&[report], &[]), @"
    <!-- hookwright: apply -->
    ## Apply incomplete! Resources: 2 added, 0 changed, 1 destroyed; 2 failed, 2 skipped.

    - **Target: sandbox (`.hookwright/sandbox.json`)**

    Not done: 1 shop changed since the plan was created.

    ### 1 delete applied

    ```diff
    @@ beta.myshopify.com @@
    - carts/update -> commerce  # not in the manifest
    ```

    ### Failed

    - 2 changes in 2 shops (`alpha, delta`): throttled: Shopify asked to wait longer than `--timeout` allows

    ### Not finished

    - `time_budget` in `alpha`: the time limit of the run (`--timeout`) was reached before the request was sent

    ### Skipped

    - 1 change in `alpha`: not deleted, because the subscription that replaces it could not be created or updated. Correct that failure, then create a new plan

    ### Stale

    Nothing was sent because the plan is stale for this shop; 1 change not applied. Create a new plan.

    - `stale` in `gamma`: `orders/create`: subscription `gid://shopify/WebhookSubscription/1` was changed after the plan was created. Create a new plan

    ### Notes

    - Shopify did not respond to 1 change. A later read shows that it was made, by this run or by another one. Nothing to do
    - `old_endpoint` in `alpha`: keep the old endpoint `https://old.example/` available until `2026-11-23T04:00:09Z`. Until then, Shopify still sends retries of earlier deliveries there

    <details><summary>Failed: 2 changes</summary>

    ```diff
    @@ 2 shops: alpha, delta @@
    + orders/create -> commerce
    ```

    </details>

    <details><summary>Skipped: 1 change</summary>

    ```diff
    @@ alpha.myshopify.com @@
    - carts/update -> commerce  # not in the manifest
    ```

    </details>

    <details><summary>Applied: 3 changes</summary>

    ```diff
    @@ beta.myshopify.com @@
    + orders/create -> commerce
    + orders/paid -> commerce
    - carts/update -> commerce  # not in the manifest
    ```

    </details>

    <details><summary>Already done before this run, so nothing was sent: 1 change</summary>

    ```diff
    @@ delta.myshopify.com @@
    + orders/paid -> commerce
    ```

    </details>

    ### Destinations of these changes

    - `commerce`: `https://dcs.adobedc.net/collection/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`

    Plan digest: `sha256:0`
    ");
}
