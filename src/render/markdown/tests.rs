//! The Markdown of plans and reports.

use super::super::support::*;
use super::super::tests::{first::quickstart, thousand};
use super::super::{drift_markdown, plans_markdown, reports_markdown};
use crate::wire::plan::{Change, Origin, Plan, Safety, Sandbox, Severity, ShopStatus, Since};
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
        "needs read_customers: hookwright auth url --shop gamma",
    )];
    let mut shops = plan.shops;
    let frozen = lost("epsilon", ShopStatus::Unavailable, "frozen", "the shop is frozen (402)");
    let refused = "Shopify refused the token (401); the app may be gone: hookwright auth url --shop delta";
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
    - Safety: `max_delete_percent` 50

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
    ! customers/update -> loyalty (changes include_fields; filter "email:*@example.com")
    ! orders/updated: commerce -> loyalty
    ```

    ### No longer in the manifest

    To end them, keep the shop with `use: []` and `bindings: []`, apply, and then remove the shop from the manifest.

    - `shop_left` in `gone`: the subscriptions continue to deliver

    ### Blocked

    - `scope` `customers/update -> commerce` (`orders.yaml:20`) in `gamma`: needs `read_customers`: hookwright auth url `--shop` gamma

    ### Not read

    1 shop not covered by this plan.

    - `token_refused` in `delta`: Shopify refused the token (401); the app may be gone: hookwright auth url `--shop` delta

    ### Not read, tolerated

    - `frozen` in `epsilon`: the shop is frozen (402)

    ### Needs attention

    - `scope_missing` in 2 shops (`alpha, beta`): the scope `read_customers` is not granted; add it to the app and approve it: hookwright auth url `--shop <shop>`

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

    - `scope_superfluous` in `alpha`: `write_themes` is granted and not needed
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
    insta::assert_snapshot!(plans_markdown(&[], &[]), @r##"
    <!-- hookwright: plan -->
    ## Plan incomplete: 0 to add, 0 to change, 0 to destroy; 0 blocked, 0 shops not read.

    No shop matches the selection.
    "##);
}

#[test]
fn an_incomplete_plan() {
    let plan = plan(vec![
        shop("alpha", vec![create("orders/create", Some("commerce"), to(&inlet('a')), at("orders.yaml", 7))]),
        lost("beta", ShopStatus::Failed, "timeout", "no answer within 30 s"),
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

    1 shop not covered by this plan.

    - `timeout` in `beta`: no answer within 30 s

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
    - products/delete -> audit  # 2 times in each; duplicate of another live subscription, which is kept
    ```

    ### Changes: 1,000 to add, 1,000 to change

    ```diff
    @@ 1,000 shops: shop-0001, shop-0002, shop-0003, shop-0004, shop-0005, shop-0006, … and 994 more @@
    + orders/create -> commerce
    ! orders/paid -> audit (changes name)  # renamed to free its name "paid" for another subscription
    ```

    ### Old endpoints

    - `old_endpoint` in 1,000 shops (`shop-0001, shop-0002, shop-0003, shop-0004, shop-0005, shop-0006, … and 994 more`): keep the old endpoint up until `2026-11-23T04:16:40Z` (the latest time of these shops): Shopify may retry there

    ### Needs attention

    - `scope_missing` in 1,000 shops (`shop-0001, shop-0002, shop-0003, shop-0004, shop-0005, shop-0006, … and 994 more`): add `read_customers`: hookwright auth url `--shop <shop>`, then approve
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
fn drift_compared_with_earlier_reports() {
    let mut alpha = shop(
        "alpha",
        vec![
            create("orders/create", Some("commerce"), to(&inlet('a')), at("orders.yaml", 7)),
            create("orders/paid", Some("commerce"), to(&inlet('a')), at("orders.yaml", 8)),
        ],
    );
    alpha.findings = vec![
        finding(
            "removed_remotely",
            Severity::Attention,
            Some("orders/create"),
            "-> commerce: it was live at 2026-11-22T01:00:00Z and is gone",
        ),
        finding("never_made", Severity::Info, Some("orders/paid"), "no earlier file shows it live"),
    ];
    let mut plan = plan(vec![alpha, shop("beta", vec![])]);
    plan.since = Some(Since { new: 1, known: 1, removed_remotely: 1, never_made: 1 });
    insta::assert_snapshot!(plans_markdown(std::slice::from_ref(&plan), &[]), @"
    <!-- hookwright: drift -->
    ## Plan: 2 to add, 0 to change, 0 to destroy.

    Drift: 1 new, 1 known; missing: 1 removed outside Hookwright, 1 not live in any earlier file.

    ### Changes: 2 to add

    ```diff
    @@ alpha.myshopify.com @@
    + orders/create -> commerce
    + orders/paid -> commerce
    ```

    ### Needs attention

    - `removed_remotely` `orders/create` in `alpha`: `->` commerce: it was live at `2026-11-22T01:00:00Z` and is gone

    ### Likely causes of a removal

    - The endpoint kept failing: Shopify deletes a subscription after 8 failed retries in 4 hours. Older documentation, including Adobe's, says 19 retries in 48 hours.
    - The signature was missing or invalid: an Adobe inlet with HMAC rejects such a request, and Shopify counts the rejection as a failure. Compare the keys of the inlet with the app's client secret; `hookwright auth rotation` lists the steps of a rotation.
    - Other code of the same app deleted the subscription.
    - The app was uninstalled and reinstalled.
    - To investigate, open the Dev Dashboard: it shows the app's deliveries of the last 30 days.

    <details><summary>Details of 2 changes</summary>

    ```diff
    @@ alpha.myshopify.com @@
    + orders/create -> commerce  # orders.yaml:7
    + orders/paid -> commerce  # orders.yaml:8
    ```

    </details>

    <details><summary>Warnings, notes and unmanaged subscriptions: 1 finding</summary>

    - `never_made` `orders/paid` in `alpha`: no earlier file shows it live

    </details>

    ### Destinations of these changes

    - `commerce`: `https://dcs.adobedc.net/collection/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`

    1 shop without changes.

    Plan digest: `sha256:0`
    ");
    plan.since = None;
    assert!(plans_markdown(std::slice::from_ref(&plan), &[]).starts_with("<!-- hookwright: plan -->\n"));
    assert!(drift_markdown(&plan).starts_with("<!-- hookwright: drift -->\n## Plan: 2 to add, "));
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
        reason: Some("a create of its topic failed, so the old route stays".into()),
        ..outcome(gone(), OutcomeResult::Skipped)
    };
    let read =
        Outcome { confirmed_by: Some(ConfirmedBy::Read), ..outcome(make("orders/paid"), OutcomeResult::Applied) };
    let mut alpha = report_shop("alpha", ReportShopStatus::Incomplete, vec![failed(make("orders/create")), skipped]);
    alpha.error = Some(error("budget", "the time of the run was up"));
    alpha.findings = vec![finding(
        "old_endpoint",
        Severity::Info,
        None,
        "keep the old endpoint up until 2026-11-23T04:00:09Z: Shopify may retry there",
    )];
    let mut stale =
        report_shop("gamma", ReportShopStatus::Stale, vec![outcome(make("orders/create"), OutcomeResult::Skipped)]);
    stale.error = Some(error("stale", "orders/create is not as planned; plan again"));
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

    Not done: 1 shop stale.

    ### 1 delete applied

    ```diff
    @@ beta.myshopify.com @@
    - carts/update -> commerce  # not in the manifest
    ```

    ### Failed

    - 2 changes in 2 shops (`alpha, delta`): throttled: Shopify asked to wait longer than `--timeout` allows

    ### Not finished

    - `budget` in `alpha`: the time of the run was up

    ### Skipped

    - 1 change in `alpha`: a create of its topic failed, so the old route stays

    ### Stale

    Nothing was sent because the plan is stale for this shop; 1 change not applied. Create a new plan.

    - `stale` in `gamma`: `orders/create` is not as planned; plan again

    ### Notes

    - 1 change without an answer, confirmed by a later read; another run may have applied it
    - `old_endpoint` in `alpha`: keep the old endpoint up until `2026-11-23T04:00:09Z`: Shopify may retry there

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

    <details><summary>Already as planned before this run: 1 change</summary>

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
