use std::sync::Arc;

use serde_json::{Map, json};

use super::super::support::*;
use super::super::{plan_text, plans_markdown};
use crate::wire::plan::{Change, Commands, Finding, Plan, Severity, Shop, ShopStatus, Since};

const HOUR_AGO: &str = "2026-11-22T23:00:00Z";

/// Returns a drift report at 2026-11-23T00:00:00Z.
fn report(shops: Vec<Shop>, since: impl Into<Option<Since>>) -> Plan {
    Plan { drift: true, since: since.into(), ..plan(shops) }
}

fn counts(new: usize, known: usize) -> Since {
    Since { new, known, ..Since::default() }
}

/// Returns the finding of a change: the last time at which it was live, and the first report with the difference.
fn about(kind: &str, index: usize, last_known: Option<&str>, known_since: Option<&str>) -> Finding {
    let details = json!({ "index": index, "last_known": last_known, "known_since": known_since });
    let details: Map<_, _> = details.as_object().cloned().unwrap_or_default();
    let severity = if kind == "removed_remotely" { Severity::Attention } else { Severity::Info };
    Finding { details: details.into(), ..finding(kind, severity, Some("orders/create"), "as the section says") }
}

fn missing(topic: &str, destination: &str) -> Change {
    create(topic, Some(destination), to(&inlet('a')), at("orders.yaml", 7))
}

fn labelled(handle: &str, region: &str, changes: Vec<Change>) -> Shop {
    Shop { labels: Arc::new([("region".to_owned(), region.to_owned())].into()), ..shop(handle, changes) }
}

#[test]
fn an_incident_is_one_sentence_a_section_for_each_cause_and_the_commands() {
    let removed = |handle: &str| {
        let changes = ["orders/create", "orders/paid", "orders/updated"].map(|topic| missing(topic, "orders"));
        let findings = (0..3).map(|index| about("removed_remotely", index, Some(HOUR_AGO), None)).collect();
        Shop { findings, ..labelled(handle, "emea", changes.into()) }
    };
    let wider = crate::wire::plan::Subscription { include_fields: vec!["id".into()], ..to(&inlet('b')) };
    let known = Shop {
        findings: vec![about("known_drift", 0, None, Some("2026-11-20T04:05:06Z"))],
        ..labelled(
            "delta",
            "emea",
            vec![update("customers/update", ["loyalty"; 2], [live(1, to(&inlet('b'))), wider], &["include_fields"])],
        )
    };
    let mut drift =
        report(vec![removed("alpha"), removed("beta"), known, labelled("gamma", "apac", vec![])], counts(6, 1));
    drift.commands = Some(Commands {
        repair: "hookwright apply last.json".into(),
        judges: false,
        destinations: "hookwright destinations".into(),
        gaps: Some("hookwright gaps apply.jsonl last.json --format csv".into()),
    });
    insta::assert_snapshot!(plan_text(&drift, &PLAIN));
    insta::assert_snapshot!(plans_markdown(std::slice::from_ref(&drift), &[]));
}

#[test]
fn a_window_is_the_last_time_live_to_the_first_report_without_it() {
    let headline = |last: &str, since: Option<&str>| {
        let shop = Shop {
            findings: vec![about("removed_remotely", 0, Some(last), since)],
            ..shop("alpha", vec![missing("orders/create", "orders")])
        };
        let text = plan_text(&report(vec![shop], counts(1, 0)), &PLAIN);
        text.lines().next().unwrap_or_default().to_owned()
    };
    for (last, since, expected) in [
        (HOUR_AGO, None, "between 2026-11-22 23:00 and 2026-11-23 00:00 UTC"),
        ("2026-11-22T01:02:59Z", Some("2026-11-22T02:02:03Z"), "between 01:02 and 02:03 UTC on 2026-11-22"),
        ("yesterday", None, "between yesterday and 2026-11-23T00:00:00Z"),
    ] {
        let text = headline(last, since);
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn drift_that_an_earlier_report_has_is_not_announced_as_new() {
    let known = about("removed_remotely", 0, Some("2026-11-20T01:00:00Z"), Some("2026-11-20T02:00:00Z"));
    let shop = Shop { findings: vec![known], ..shop("alpha", vec![missing("orders/create", "orders")]) };
    let text = plan_text(&report(vec![shop], counts(0, 1)), &PLAIN);
    assert!(text.starts_with("No new drift. 1 subscription in alpha.myshopify.com is still missing"), "{text}");
    assert!(
        text.contains("\n  * first reported 2026-11-20 02:00 UTC; removed between 01:00 and 02:00 UTC on 2026-11-20")
    );
}

#[test]
fn the_last_line_counts_each_kind_of_difference_and_what_is_unknown() {
    let extra = delete("orders/paid", Some("orders"), "not_in_manifest", live(9, to(&inlet('a'))));
    let unread = || lost("zeta", ShopStatus::Failed, "token_refused", "refused");
    let stuck =
        || Shop { blocked: vec![blocked("orders/create", "scope", &["read_orders"], "no")], ..shop("b", vec![]) };
    let details = json!({ "destination": "orders" }).as_object().cloned().unwrap_or_default();
    let disabled =
        Finding { details: details.into(), ..finding("destination_disabled", Severity::Attention, None, "disabled") };
    let lossy = || Shop { findings: vec![disabled.clone()], ..shop("c", vec![]) };
    let attention =
        || Shop { findings: vec![finding("scope_missing", Severity::Attention, None, "missing")], ..shop("d", vec![]) };
    let of_each = || {
        let changes = vec![missing("orders/create", "orders"), missing("orders/edited", "orders"), extra.clone()];
        let findings = vec![about("removed_remotely", 0, Some(HOUR_AGO), None), about("never_made", 1, None, None)];
        Shop { findings, ..shop("a", changes) }
    };
    for (shops, since, expected) in [
        (vec![shop("a", vec![])], None, "No drift."),
        (vec![attention()], None, "No drift, but 1 finding needs attention."),
        (vec![lossy()], None, "No drift, but 1 destination has problems."),
        (vec![unread(), shop("a", vec![])], None, "Drift unknown for 1 shop."),
        (vec![stuck()], None, "Drift: 0 missing, 0 changed, 0 extra; 1 blocked."),
        (vec![of_each()], None, "Drift: 2 missing, 0 changed, 1 extra."),
        (
            vec![of_each(), stuck(), lossy(), unread()],
            Some(counts(3, 0)),
            "Drift: 1 removed, 0 changed, 1 extra, 1 not yet created; 3 reported for the first time, 0 reported before; 1 blocked; 1 destination has \
             problems; unknown for 1 shop.",
        ),
    ] {
        // A report without earlier files has no findings about its changes.
        let strip = |s: Shop| if since.is_none() && !s.changes.is_empty() { Shop { findings: vec![], ..s } } else { s };
        let text = plan_text(&report(shops.into_iter().map(strip).collect(), since), &PLAIN);
        assert_eq!(text.lines().last(), Some(expected));
    }
}

#[test]
fn a_shop_that_was_not_read_is_not_said_to_match() {
    let tolerated = |handle: &str| lost(handle, ShopStatus::Unavailable, "frozen", "frozen");
    let first = |shops| {
        let text = plan_text(&report(shops, None), &PLAIN);
        text.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(
        first(vec![tolerated("a"), tolerated("b")]),
        "2 of 2 shops were not read (tolerated), so their drift is unknown."
    );
    assert_eq!(
        first(vec![tolerated("a"), shop("b", vec![]), shop("c", vec![])]),
        "The live subscriptions of 2 shops match the manifest. a.myshopify.com was not read (tolerated), so its drift is \
         unknown."
    );
}
