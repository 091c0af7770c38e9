//! What is claimed, and what is not. The scenarios over the binary are in tests/it/since.rs.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::wire::events::{Event, Line, Step, StepOutcome, Stream, Version};
use crate::wire::plan::{Action, Destinations, Shop, ShopStatus};
use crate::wire::report::OutcomeResult;

fn sub(address: &str, id: Option<u32>) -> Subscription {
    Subscription {
        id: id.map(|id| format!("gid://shopify/WebhookSubscription/{id}")),
        address: address.into(),
        format: "json".into(),
        include_fields: vec![],
        metafield_namespaces: vec![],
        filter: None,
        name: None,
        metafields: None,
        created_at: None,
        updated_at: None,
        api_version: None,
    }
}

fn change(action: Action, before: Option<Subscription>, after: Option<Subscription>) -> Change {
    Change {
        action,
        topic: "orders/create".into(),
        reason: "missing".into(),
        origin: None,
        fields: vec![],
        destination: Destinations::default(),
        source: None,
        before,
        after,
    }
}

fn shop(changes: Vec<Change>) -> Shop {
    Shop {
        shop: "acme.myshopify.com".into(),
        labels: BTreeMap::new(),
        status: ShopStatus::Changed,
        observed_digest: None,
        desired_digest: "sha256:1".into(),
        managed: 0,
        unmanaged: 0,
        safety: None,
        bound: vec![],
        blocked: vec![],
        changes,
        findings: vec![],
        error: None,
    }
}

fn time(second: u32) -> String {
    format!("2026-11-23T00:{:02}:{:02}Z", second / 60, second % 60)
}

fn journal(outcomes: &[(u32, Change, OutcomeResult, Option<u32>)]) -> String {
    let version = Version {
        stream: Stream::Journal,
        format_version: "1.0".into(),
        tool_version: "0".into(),
        started_at: time(0),
        plan_digest: None,
    };
    let mut events = vec![(0, Event::Version(version))];
    for (second, change, result, id) in outcomes {
        let mut step = Step::of("acme.myshopify.com", 0, change, 1);
        step.id = id.map(|id| format!("gid://shopify/WebhookSubscription/{id}")).or(step.id);
        events.push((*second, Event::Intent(step.clone())));
        let outcome = StepOutcome { step, result: *result, confirmed_by: None, reason: None, error: None };
        events.push((*second, Event::Outcome(outcome)));
    }
    let line = |(second, event)| Line { event, at: time(second), run: "r".into() };
    events.into_iter().map(|e| serde_json::to_string(&line(e)).expect("json") + "\n").collect()
}

fn kinds(files: &[&str], changes: Vec<Change>) -> Vec<(String, Option<String>)> {
    let mut history = History::default();
    for file in files {
        history.add(file.as_bytes()).expect("a file");
    }
    let mut shop = shop(changes);
    explain(&history, [&mut shop]);
    let last = |f: &crate::wire::plan::Finding| f.details["last_known"].as_str().map(str::to_owned);
    shop.findings.iter().map(|f| (f.kind.clone(), last(f))).collect()
}

#[test]
fn a_create_is_told_by_the_newest_that_is_known_of_it() {
    use OutcomeResult::{AlreadySo, Applied, Failed, Skipped};
    let create = || change(Action::Create, None, Some(sub("https://a", None)));
    let away = || change(Action::Update, Some(sub("https://a", Some(1))), Some(sub("https://b", Some(1))));
    let delete = || change(Action::Delete, Some(sub("https://a", Some(1))), None);
    for (outcomes, kind, last) in [
        (vec![], "never_made", None),
        (vec![(5, create(), Failed, None)], "never_made", None),
        (vec![(5, create(), Skipped, None)], "never_made", None),
        (vec![(5, create(), Applied, Some(1))], "removed_remotely", Some(time(5))),
        (vec![(5, create(), AlreadySo, Some(1))], "removed_remotely", Some(time(5))),
        (vec![(5, create(), Applied, Some(1)), (9, delete(), Applied, None)], "removed_by_apply", Some(time(9))),
        (vec![(5, create(), Applied, Some(1)), (9, delete(), Failed, None)], "removed_remotely", Some(time(5))),
        (vec![(5, create(), Applied, Some(1)), (9, away(), Applied, None)], "removed_by_apply", Some(time(9))),
        (vec![(3, delete(), Applied, None), (5, create(), Applied, Some(2))], "removed_remotely", Some(time(5))),
    ] {
        let file = journal(&outcomes);
        assert_eq!(kinds(&[&file], vec![create()]), [(kind.to_owned(), last)], "{file}");
    }
    // Another filter, format or shop is another subscription.
    let mut other = create();
    other.after.as_mut().expect("after").filter = Some("id:1".into());
    let file = journal(&[(5, create(), Applied, Some(1))]);
    assert_eq!(kinds(&[&file], vec![other]), [("never_made".to_owned(), None)]);
    let mut empty = create();
    empty.after.as_mut().expect("after").filter = Some(String::new());
    assert_eq!(kinds(&[&file], vec![empty])[0].0, "removed_remotely", "an empty filter is none");
}

fn any_change() -> impl Strategy<Value = Change> {
    let address = || prop_oneof![Just("https://a"), Just("https://b"), Just("https://c")];
    (0..3_u8, address(), address(), 0..4_u32).prop_map(|(action, before, after, id)| match action {
        0 => change(Action::Create, None, Some(sub(after, None))),
        1 => change(Action::Update, Some(sub(before, Some(id))), Some(sub(after, Some(id)))),
        _ => change(Action::Delete, Some(sub(before, Some(id))), None),
    })
}

fn any_journal() -> impl Strategy<Value = String> {
    let result = prop_oneof![
        Just(OutcomeResult::Applied),
        Just(OutcomeResult::AlreadySo),
        Just(OutcomeResult::Failed),
        Just(OutcomeResult::Skipped)
    ];
    prop::collection::vec((any_change(), result), 0..8).prop_map(|list| {
        let timed = list.into_iter().enumerate();
        let outcomes = timed.map(|(n, (c, r))| (u32::try_from(n).expect("small"), c, r, Some(7)));
        journal(&outcomes.collect::<Vec<_>>())
    })
}

proptest! {
    /// Explaining adds findings and touches nothing else; every change is new or known; every create has one finding.
    #[test]
    fn a_plan_is_explained_and_not_changed(file in any_journal(), changes in prop::collection::vec(any_change(), 0..6)) {
        let mut history = History::default();
        history.add(file.as_bytes()).expect("a journal");
        let before = shop(changes);
        let mut after = before.clone();
        let counts = explain(&history, [&mut after]);
        prop_assert_eq!(counts.new + counts.known, before.changes.len());
        let creates = before.changes.iter().filter(|c| c.action == Action::Create).count();
        prop_assert_eq!(after.findings.len(), creates);
        after.findings.clear();
        prop_assert_eq!(after, before);
    }

    /// A journal that was cut at any byte is read, and says no more than the whole one said up to there.
    #[test]
    fn a_journal_may_be_cut_anywhere(file in any_journal(), cut in 0.0..1.0_f64) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let cut = (file.len() as f64 * cut) as usize;
        let mut short = History::default();
        prop_assert!(short.add(&file.as_bytes()[..cut]).is_ok());
        let whole_lines = file[..cut].rfind('\n').map_or(0, |at| at + 1);
        let mut whole = History::default();
        whole.add(&file.as_bytes()[..whole_lines]).expect("a journal");
        // A line may be whole although its end is missing.
        prop_assert!(short.unreadable_lines == 1 || short.routes.len() >= whole.routes.len());
        if short.unreadable_lines == 1 {
            short.unreadable_lines = 0;
            prop_assert_eq!(short, whole);
        }
    }

    /// Whatever bytes come, reading them does not panic.
    #[test]
    fn any_bytes_are_judged(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = History::default().add(&bytes);
    }
}
