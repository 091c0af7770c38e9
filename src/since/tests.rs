//! Tests of the classification of changes. The scenarios with the binary are in tests/it/since.rs.

use proptest::prelude::*;

use super::*;
use crate::diff::{DeleteReason, UpdateReason};
use crate::model::{Address, Binding, Field, Live, Visibility};
use crate::plan::{DestinationNames, LeftOut};
use crate::state::{Entry, ShopLimits, Source, Wanted};
use crate::wire::earlier::add;
use crate::wire::events::{Event, Line, Step, StepOutcome, Stream, Version};
use crate::wire::report::OutcomeResult;

fn binding(address: &str) -> Binding {
    Binding::new(Topic::from_slash("orders/create"), Address::new(address))
}

fn live(address: &str, id: u32) -> Entry<Live> {
    let meta = Live {
        id: SubscriptionId::new(&format!("gid://shopify/WebhookSubscription/{id}")),
        created_at: String::new(),
        updated_at: String::new(),
        api_version: None,
        visibility: Visibility::Whole,
        app: None,
    };
    Entry { binding: binding(address), meta }
}

fn wanted() -> Wanted {
    Wanted { destination: None, source: Source { file: "m.yaml".into(), line: 1 } }
}

fn create(address: &str) -> Change {
    Change::Create { after: binding(address).into(), wanted: wanted() }
}

fn update(before: &str, after: &str, id: u32) -> Change {
    let (before, after) = (live(before, id), binding(after));
    let (fields, reason) = (vec![Field::Address], UpdateReason::Differs);
    Change::Update { before: Box::new(before), after: after.into(), fields, reason, wanted: Some(wanted()) }
}

fn delete(address: &str, id: u32) -> Change {
    Change::Delete { before: Box::new(live(address, id)), reason: DeleteReason::NotInManifest }
}

fn planned(change: Change) -> PlannedChange {
    PlannedChange { change, origin: None, destinations: DestinationNames::default(), unknown: None }
}

fn shop(changes: Vec<Change>) -> ShopPlan {
    ShopPlan {
        shop: ShopDomain::parse("acme").expect("shop"),
        labels: Arc::default(),
        desired_digest: "sha256:1".into(),
        context_digest: None,
        managed: 0,
        unmanaged: 0,
        limits: ShopLimits::default(),
        bound: [].into(),
        blocked: vec![],
        changes: changes.into_iter().map(planned).collect(),
        left_out: LeftOut::default(),
        findings: vec![],
        unread: None,
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
        let mut step = Step::of("acme.myshopify.com", 0, &(&planned(change.clone())).into(), 1);
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
        add(&mut history, file.as_bytes()).expect("a file");
    }
    let mut shop = shop(changes);
    explain(&history, [&mut shop]);
    let found = shop.findings.iter().cloned().map(crate::wire::plan::Finding::from);
    found.map(|f| (f.kind.to_string(), f.details["last_known"].as_str().map(str::to_owned))).collect()
}

#[test]
fn a_create_is_classified_by_its_newest_record() {
    use OutcomeResult::{AlreadySo, Applied, Failed, Skipped};
    let create = || create("https://a");
    let away = || update("https://a", "https://b", 1);
    let delete = || delete("https://a", 1);
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
    // A different filter, format or shop means a different subscription.
    let filtered = |filter: &str| {
        let after = Binding { filter: Some(filter.into()), ..binding("https://a") };
        Change::Create { after: after.into(), wanted: wanted() }
    };
    let other = filtered("id:1");
    let file = journal(&[(5, create(), Applied, Some(1))]);
    assert_eq!(kinds(&[&file], vec![other]), [("never_made".to_owned(), None)]);
    let file = journal(&[(5, filtered(""), Applied, Some(1))]);
    assert_eq!(kinds(&[&file], vec![create()])[0].0, "removed_remotely", "an empty filter is none");
}

fn any_change() -> impl Strategy<Value = Change> {
    let address = || prop_oneof![Just("https://a"), Just("https://b"), Just("https://c")];
    (0..3_u8, address(), address(), 0..4_u32).prop_map(|(action, before, after, id)| match action {
        0 => create(after),
        1 => update(before, after, id),
        _ => delete(before, id),
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
    /// Explaining only adds findings. Every change is new or known, and every create has one finding.
    #[test]
    fn a_plan_is_explained_and_not_changed(file in any_journal(), changes in prop::collection::vec(any_change(), 0..6)) {
        let mut history = History::default();
        add(&mut history, file.as_bytes()).expect("a journal");
        let before = shop(changes);
        let mut after = before.clone();
        let counts = explain(&history, [&mut after]);
        prop_assert_eq!(counts.new + counts.known, before.changes.len());
        let creates = before.changes.iter().filter(|c| matches!(c.change, Change::Create { .. })).count();
        prop_assert_eq!(after.findings.len(), creates);
        after.findings.clear();
        prop_assert_eq!(after, before);
    }

    /// A truncated journal is read, and contains no more than the beginning of the whole journal.
    #[test]
    fn a_journal_can_be_truncated_anywhere(file in any_journal(), cut in 0.0..1.0_f64) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let cut = (file.len() as f64 * cut) as usize;
        let mut short = History::default();
        prop_assert!(add(&mut short, &file.as_bytes()[..cut]).is_ok());
        let whole_lines = file[..cut].rfind('\n').map_or(0, |at| at + 1);
        let mut whole = History::default();
        add(&mut whole, &file.as_bytes()[..whole_lines]).expect("a journal");
        // A line can be complete although its line break is missing.
        prop_assert!(short.unreadable_lines == 1 || short.routes.len() >= whole.routes.len());
        if short.unreadable_lines == 1 {
            short.unreadable_lines = 0;
            prop_assert_eq!(short, whole);
        }
    }

    /// Reading arbitrary bytes does not panic.
    #[test]
    fn any_bytes_are_accepted_or_rejected(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = add(&mut History::default(), &bytes);
    }
}

fn at(second: u32) -> Timestamp {
    time(second).parse().expect("a time")
}

/// Returns a history of outcomes and of readings with the same wanted state.
fn history(outcomes: &[(u32, Change, OutcomeResult, Option<u32>)], readings: &[(u32, Vec<Change>)]) -> History {
    let mut history = History::default();
    add(&mut history, journal(outcomes).as_bytes()).expect("a journal");
    for (second, changes) in readings {
        history.add_plan(vec![shop(changes.clone())], at(*second), at(*second));
    }
    history
}

#[test]
fn a_gap_is_from_the_last_proof_of_life_to_the_next() {
    use OutcomeResult::Applied;
    let create = || create("https://a");
    let gaps = |outcomes: &[(u32, Change, OutcomeResult, Option<u32>)], readings: &[(u32, Vec<Change>)]| -> Vec<_> {
        let all = history(outcomes, readings).gaps();
        all.into_iter().map(|gap| (gap.cause, gap.last_live, gap.first_missing, gap.restored)).collect()
    };
    let made = |second| (second, create(), Applied, Some(1));
    let missing = |second| (second, vec![create()]);
    let here = |second| (second, vec![]);
    assert_eq!(gaps(&[made(100)], &[here(200)]), [], "never missing");
    // Two reports in a row are one gap. The repair ends it, and a later removal begins another.
    assert_eq!(
        gaps(&[made(100), made(400)], &[missing(200), missing(300), missing(500)]),
        [(GapCause::Removed, Some(at(100)), at(200), Some(at(400))), (GapCause::Removed, Some(at(400)), at(500), None),]
    );
    // A report of the same wanted state without the change shows that the binding was live.
    assert_eq!(
        gaps(&[made(100)], &[here(150), missing(200), here(300)]),
        [(GapCause::Removed, Some(at(150)), at(200), Some(at(300)))]
    );
    assert_eq!(gaps(&[], &[missing(200)]), [(GapCause::NeverLive, None, at(200), None)]);
    let removed = (150, delete("https://a", 1), Applied, Some(1));
    assert_eq!(
        gaps(&[made(100), removed], &[missing(200)]),
        [(GapCause::RemovedByApply, Some(at(150)), at(200), None)]
    );
    // In the same second it could have been removed after the repair, so the gap stays open.
    assert_eq!(gaps(&[made(100), made(200)], &[missing(200)]), [(GapCause::Removed, Some(at(200)), at(200), None)]);
}

fn blocked(key: Option<BindingKey>) -> crate::plan::Blocked {
    crate::plan::Blocked {
        topic: Topic::from_slash("orders/create"),
        destination: "a".into(),
        key: key.map(Box::new),
        obstacle: crate::plan::Obstacle::NameTaken,
        message: "no".to_owned(),
        source: None,
    }
}

#[test]
fn a_binding_that_is_blocked_or_left_out_is_not_live() {
    let made = (100, create("https://a"), OutcomeResult::Applied, Some(1));
    let key = BindingKey::from(&binding("https://a"));
    // Shopify removed it while its destination was closed, so no report plans a create.
    let mut removed = history(std::slice::from_ref(&made), &[(300, vec![])]);
    removed.add_plan(vec![ShopPlan { blocked: vec![blocked(Some(key.clone()))], ..shop(vec![]) }], at(200), at(200));
    let gaps = removed.gaps();
    assert_eq!((gaps[0].cause, gaps[0].last_live, gaps[0].first_missing), (GapCause::Blocked, Some(at(100)), at(200)));
    assert_eq!(gaps[0].restored, Some(at(300)));
    // A file of an earlier version has no key, so the reading says nothing about the binding.
    let mut unknown = history(std::slice::from_ref(&made), &[(200, vec![create("https://a")])]);
    unknown.add_plan(vec![ShopPlan { blocked: vec![blocked(None)], ..shop(vec![]) }], at(300), at(300));
    assert_eq!(unknown.gaps()[0].restored, None);
    let left_out = LeftOut { changes: vec![planned(create("https://a"))], blocked: vec![] };
    let mut only = history(std::slice::from_ref(&made), &[(300, vec![create("https://a")])]);
    only.add_plan(vec![ShopPlan { left_out, ..shop(vec![]) }], at(200), at(200));
    assert_eq!((only.gaps()[0].first_missing, only.gaps().len()), (at(200), 1));
}

#[test]
fn a_run_that_takes_long_makes_windows_longer() {
    // The report was made from second 100 to 400: the shop was read at any time in between.
    let mut history = History::default();
    history.add_plan(vec![shop(vec![])], at(100), at(400));
    history.add_plan(vec![shop(vec![create("https://a")])], at(500), at(600));
    let made = Made {
        shop: ShopDomain::parse("acme").expect("shop"),
        topic: Topic::from_slash("orders/create"),
        id: None,
        before: None,
        after: Some(BindingKey::from(&binding("https://a"))),
    };
    history.add_made(made, at(700), at(900));
    history.add_plan(vec![shop(vec![create("https://a")])], at(1000), at(1100));
    let gaps: Vec<_> = history.gaps().iter().map(|gap| (gap.last_live, gap.first_missing, gap.restored)).collect();
    assert_eq!(gaps, [(Some(at(100)), at(600), Some(at(900))), (Some(at(700)), at(1100), None)]);
    let mut shop = shop(vec![create("https://a")]);
    explain(&history, [&mut shop]);
    let FindingKind::RemovedRemotely(earlier) = &shop.findings[0].kind else { panic!("{:?}", shop.findings) };
    assert_eq!(earlier.last_known, Some(at(700)));
}

#[test]
fn a_changed_address_is_a_gap_of_its_own_cause() {
    let made = (100, create("https://a"), OutcomeResult::Applied, Some(1));
    let gaps = history(&[made], &[(200, vec![update("https://b", "https://a", 1)])]).gaps();
    assert_eq!(
        (gaps[0].cause, gaps[0].last_live, gaps[0].loss_from()),
        (GapCause::Changed, Some(at(100)), Some(at(100)))
    );
}

#[test]
fn a_single_report_has_the_times_of_the_files_before_it() {
    let history =
        history(&[(100, create("https://a"), OutcomeResult::Applied, Some(1))], &[(200, vec![create("https://a")])]);
    let mut shop = shop(vec![create("https://a")]);
    explain(&history, [&mut shop]);
    let mut last = History::default();
    last.add_plan(vec![shop], at(300), at(300));
    let gaps = last.gaps();
    assert_eq!((gaps[0].last_live, gaps[0].first_missing), (Some(at(100)), at(200)));
    assert_eq!(gaps[0].loss_from(), Some("2026-11-22T20:01:40Z".parse().expect("a time")), "four hours earlier");
    assert_eq!(gaps.len(), 1);
}

proptest! {
    #[test]
    fn gaps_are_ordered_and_do_not_overlap(
        outcomes in proptest::collection::vec((0..900_u32, any::<bool>()), 0..12),
        readings in proptest::collection::vec((0..900_u32, any::<bool>()), 0..12),
    ) {
        let outcomes: Vec<_> = outcomes
            .into_iter()
            .map(|(second, is_create)| {
                let change = if is_create { create("https://a") } else { delete("https://a", 1) };
                (second, change, OutcomeResult::Applied, Some(1))
            })
            .collect();
        let readings: Vec<_> = readings
            .into_iter()
            .map(|(second, is_missing)| (second, if is_missing { vec![create("https://a")] } else { vec![] }))
            .collect();
        let gaps = history(&outcomes, &readings).gaps();
        for gap in &gaps {
            prop_assert!(gap.last_live.is_none_or(|last| last <= gap.first_missing));
            prop_assert!(gap.restored.is_none_or(|restored| gap.first_missing <= restored));
        }
        for pair in gaps.windows(2) {
            prop_assert!(pair[0].restored.is_some_and(|restored| restored <= pair[1].first_missing));
        }
        let missing = readings.iter().any(|(_, changes)| !changes.is_empty());
        prop_assert_eq!(missing, !gaps.is_empty());
    }
}
