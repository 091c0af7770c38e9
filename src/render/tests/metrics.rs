//! The textfile: its content, the times that it copies from the previous file, and text of others in it.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::support::*;
use super::super::{DriftRun, Successes, metrics};
use crate::wire::plan::{Bound, Plan, Severity, Shop, ShopStatus};

const NIGHT: i64 = 1_790_000_000;

fn after(plan: &Plan, exit_code: u8, before: &Successes) -> String {
    metrics(
        &DriftRun { name: "nightly", plan: Some(plan), exit_code, now: NIGHT, token_ends: &BTreeMap::new() },
        before,
    )
}

fn times(pairs: &[(&str, i64)]) -> BTreeMap<String, i64> {
    pairs.iter().map(|(shop, time)| (format!("{shop}.myshopify.com"), *time)).collect()
}

/// Returns a shop with changes, blocked bindings and findings of each kind.
fn busy() -> Shop {
    let mut step = update("orders/paid", ["a", "a"], [live(1, to(&inlet('a'))), live(1, to(&inlet('a')))], &["name"]);
    step.reason = "name_step".into();
    let moved = update("orders/paid", ["a", "b"], [live(2, to(&inlet('a'))), live(2, to(&inlet('b')))], &["address"]);
    let mut shop = shop(
        "busy",
        vec![
            step,
            moved,
            create("orders/create", Some("a"), to(&inlet('a')), at("m.yaml", 4)),
            delete("orders/cancelled", Some("a"), "not_in_manifest", live(3, to(&inlet('a')))),
        ],
    );
    (shop.managed, shop.unmanaged) = (7, 1);
    shop.bound = [Bound { topic: "orders/paid".into(), destination: "a".into(), count: 4 }].into();
    shop.blocked = vec![
        blocked("products/update", "scope", &["read_products"], "needs it"),
        blocked("customers/update", "scope", &["read_customers", "read_x"], "needs one"),
        blocked("orders/edited", "name_taken", &[], "taken"),
    ];
    let details = |value: serde_json::Value| value.as_object().cloned().unwrap_or_default();
    let mut missing = finding("scope_missing", Severity::Attention, None, "add it");
    missing.details = details(json!({ "scope": "write_products" })).into();
    let mut lost = finding("scope_lost", Severity::Attention, Some("orders/paid"), "add it");
    lost.details = details(json!({ "any_of": ["read_orders"] })).into();
    shop.findings = vec![missing, lost, finding("unmanaged", Severity::Info, None, "not ours")];
    shop
}

#[test]
fn every_metric_is_written() {
    let shops = vec![
        busy(),
        lost("frozen", ShopStatus::Unavailable, "frozen", "frozen"),
        lost("gone", ShopStatus::Failed, "token_refused", "401"),
        shop("still", vec![]),
    ];
    let text = after(&plan(shops), 8, &Successes { run: Some(5), shops: times(&[("gone", 6)]) });
    insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r##"
    # HELP hookwright_build_info Version of Hookwright that wrote this file.
    # TYPE hookwright_build_info gauge
    hookwright_build_info{version="VERSION",run="nightly"} 1
    # HELP hookwright_drift_last_run_timestamp_seconds Time when the last run ended, successful or not.
    # TYPE hookwright_drift_last_run_timestamp_seconds gauge
    hookwright_drift_last_run_timestamp_seconds{run="nightly"} 1790000000
    # HELP hookwright_drift_last_run_exit_code Exit code of the last run: 0 means no drift, 2 means drift or findings that need attention, other codes are errors.
    # TYPE hookwright_drift_last_run_exit_code gauge
    hookwright_drift_last_run_exit_code{run="nightly"} 8
    # HELP hookwright_drift_complete 1 if the last run read every shop, except tolerated ones, 0 if not.
    # TYPE hookwright_drift_complete gauge
    hookwright_drift_complete{run="nightly"} 0
    # HELP hookwright_drift_last_success_timestamp_seconds Time of the last run that was complete and exited with 0 or 2.
    # TYPE hookwright_drift_last_success_timestamp_seconds gauge
    hookwright_drift_last_success_timestamp_seconds{run="nightly"} 5
    # HELP hookwright_drift_shops Number of shops in the selection.
    # TYPE hookwright_drift_shops gauge
    hookwright_drift_shops{run="nightly"} 4
    # HELP hookwright_drift_shops_failed Number of shops that could not be read.
    # TYPE hookwright_drift_shops_failed gauge
    hookwright_drift_shops_failed{run="nightly"} 1
    # HELP hookwright_drift_shops_unavailable Number of shops that could not be read, which is tolerated.
    # TYPE hookwright_drift_shops_unavailable gauge
    hookwright_drift_shops_unavailable{run="nightly"} 1
    # HELP hookwright_shop_readable 1 if the shop was read, 0 if not.
    # TYPE hookwright_shop_readable gauge
    hookwright_shop_readable{shop="busy.myshopify.com",run="nightly"} 1
    hookwright_shop_readable{shop="frozen.myshopify.com",run="nightly"} 0
    hookwright_shop_readable{shop="gone.myshopify.com",run="nightly"} 0
    hookwright_shop_readable{shop="still.myshopify.com",run="nightly"} 1
    # HELP hookwright_shop_error Always 1. The labels are the reason why a shop was not read, and whether that is tolerated.
    # TYPE hookwright_shop_error gauge
    hookwright_shop_error{shop="frozen.myshopify.com",kind="frozen",tolerated="true",run="nightly"} 1
    hookwright_shop_error{shop="gone.myshopify.com",kind="token_refused",tolerated="false",run="nightly"} 1
    # HELP hookwright_shop_desired Number of bindings in the manifest.
    # TYPE hookwright_shop_desired gauge
    hookwright_shop_desired{shop="busy.myshopify.com",run="nightly"} 9
    hookwright_shop_desired{shop="still.myshopify.com",run="nightly"} 0
    # HELP hookwright_shop_observed Number of live managed subscriptions.
    # TYPE hookwright_shop_observed gauge
    hookwright_shop_observed{shop="busy.myshopify.com",run="nightly"} 7
    hookwright_shop_observed{shop="still.myshopify.com",run="nightly"} 0
    # HELP hookwright_shop_missing Number of bindings without a live subscription that can be created (creates).
    # TYPE hookwright_shop_missing gauge
    hookwright_shop_missing{shop="busy.myshopify.com",run="nightly"} 1
    hookwright_shop_missing{shop="still.myshopify.com",run="nightly"} 0
    # HELP hookwright_shop_changed Number of live subscriptions that differ from the manifest (updates).
    # TYPE hookwright_shop_changed gauge
    hookwright_shop_changed{shop="busy.myshopify.com",run="nightly"} 2
    hookwright_shop_changed{shop="still.myshopify.com",run="nightly"} 0
    # HELP hookwright_shop_extra Number of live subscriptions that are to be deleted (deletes).
    # TYPE hookwright_shop_extra gauge
    hookwright_shop_extra{shop="busy.myshopify.com",run="nightly"} 1
    hookwright_shop_extra{shop="still.myshopify.com",run="nightly"} 0
    # HELP hookwright_shop_blocked Number of bindings that cannot be created or updated now, because of a scope or a name.
    # TYPE hookwright_shop_blocked gauge
    hookwright_shop_blocked{shop="busy.myshopify.com",run="nightly"} 3
    hookwright_shop_blocked{shop="still.myshopify.com",run="nightly"} 0
    # HELP hookwright_shop_attention Number of findings that need attention.
    # TYPE hookwright_shop_attention gauge
    hookwright_shop_attention{shop="busy.myshopify.com",run="nightly"} 2
    hookwright_shop_attention{shop="still.myshopify.com",run="nightly"} 0
    # HELP hookwright_shop_scopes_missing Number of scopes that the manifest or its topics require and the shop has not granted.
    # TYPE hookwright_shop_scopes_missing gauge
    hookwright_shop_scopes_missing{shop="busy.myshopify.com",run="nightly"} 3
    hookwright_shop_scopes_missing{shop="still.myshopify.com",run="nightly"} 0
    # HELP hookwright_shop_unmanaged Number of live unmanaged subscriptions.
    # TYPE hookwright_shop_unmanaged gauge
    hookwright_shop_unmanaged{shop="busy.myshopify.com",run="nightly"} 1
    hookwright_shop_unmanaged{shop="still.myshopify.com",run="nightly"} 0
    # HELP hookwright_shop_last_success_timestamp_seconds Time when the shop was last read.
    # TYPE hookwright_shop_last_success_timestamp_seconds gauge
    hookwright_shop_last_success_timestamp_seconds{shop="busy.myshopify.com",run="nightly"} 1790000000
    hookwright_shop_last_success_timestamp_seconds{shop="gone.myshopify.com",run="nightly"} 6
    hookwright_shop_last_success_timestamp_seconds{shop="still.myshopify.com",run="nightly"} 1790000000
    "##);
}

#[test]
fn only_times_of_success_are_copied_from_the_previous_file() {
    let shops = || vec![lost("bad", ShopStatus::Failed, "token_refused", "401"), shop("good", vec![])];
    let before = Successes { run: Some(5), shops: times(&[("bad", 7), ("good", 6), ("left", 8)]) };
    let text = after(&plan(shops()), 4, &before);
    let then = Successes { run: Some(5), shops: times(&[("bad", 7), ("good", NIGHT)]) };
    assert_eq!(Successes::parse(&text), then, "bad was not read, and left is not a shop of the run");
    assert!(
        !text.contains("hookwright_shop_observed{shop=\"bad"),
        "a shop that was not read is not an empty shop: {text}"
    );

    let ended = metrics(
        &DriftRun { name: "renamed", plan: None, exit_code: 3, now: NIGHT, token_ends: &BTreeMap::new() },
        &before,
    );
    assert_eq!(Successes::parse(&ended), before, "a run that read no shop keeps all times");
    assert!(!ended.contains("hookwright_shop_readable"), "and has no counts: {ended}");

    for (exit, run) in [(0, NIGHT), (2, NIGHT), (1, 5)] {
        let text = after(&plan(vec![shop("good", vec![])]), exit, &before);
        assert_eq!(Successes::parse(&text).run, Some(run), "exit {exit}");
    }
}

#[test]
fn a_label_cannot_break_out_of_its_line() {
    let text = after(&plan(vec![lost("odd", ShopStatus::Failed, "a\\b\"c\nd", "?")]), 1, &Successes::default());
    assert!(text.contains(r#"kind="a\\b\"c\nd","#), "{text}");
    let before = Successes { run: Some(5), shops: times(&[("good", 6)]) };
    let odd = metrics(
        &DriftRun { name: "} 9\n\"", plan: None, exit_code: 1, now: NIGHT, token_ends: &BTreeMap::new() },
        &before,
    );
    assert_eq!(Successes::parse(&odd), before, "{odd}");
}

#[test]
fn a_file_of_another_program_has_no_times() {
    for text in ["", "\0\u{1}", "hookwright_shop_last_success_timestamp_seconds{shop=\"a\"} NaN\nnode_load1 3\n"] {
        assert_eq!(Successes::parse(text), Successes::default(), "{text:?}");
    }
}
