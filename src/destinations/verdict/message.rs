//! Messages of verdicts: the dataflow or connection, the problem and the remedy. This module is pure.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{DISABLED_AFTER_DAYS, Failing, Verdict, settles_at};
use crate::destinations::{FlowRun, Inlet};
use crate::quote::Redactor;
use crate::state::aep::{InletKind, Lookup, LookupBy};

/// Maximum number of candidates in a message.
const CANDIDATES: usize = 10;

/// Returns the message of a verdict about a dataflow or connection that was found. `run` is the last run, if it was
/// read. `failing` is the series of failing runs for [`Verdict::IngestFailing`].
pub(crate) fn message(
    verdict: &Verdict,
    inlet: &Inlet,
    run: Option<&FlowRun>,
    failing: Option<&Failing>,
    now: Timestamp,
) -> String {
    let it = subject(inlet);
    match verdict {
        Verdict::Ok => format!("{it} is enabled and accepts events"),
        Verdict::Quiet => match run.and_then(|run| run.completed_at.max(run.started_at)) {
            Some(at) => format!(
                "{it} has had no run since {}. If the shops had events, check that their webhooks have its address",
                clock(at)
            ),
            None => {
                format!("{it} has had no run yet. If the shops had events, check that their webhooks have its address")
            }
        },
        Verdict::IngestFailing => refused(&it, inlet, run, failing, now),
        Verdict::Settling => {
            let until = settles_at(inlet, now).map_or_else(|| "it has settled".to_owned(), |at| clock(at).to_string());
            format!(
                "{it} was created or changed less than five minutes ago, and Adobe may lose events that arrive before \
                 {until}; try again after that"
            )
        }
        Verdict::AddressDiffers => match &inlet.address {
            Some(address) => format!("{it} has the address {}, not the one in the manifest", clean(address)),
            None => format!("{it} does not have the address in the manifest"),
        },
        Verdict::NoAddress => {
            format!("{it} has no streaming address; use the dataflow or connection of a streaming source")
        }
        Verdict::UnusableAddress => format!("the address of {it} cannot be bound"),
        Verdict::Disabled if inlet.state.is_empty() => {
            format!("Adobe does not report the state of {it}; check it in Experience Platform")
        }
        Verdict::Disabled => {
            let state = clean(&inlet.state);
            let why = if inlet.kind == InletKind::Flow && inlet.state == "disabled" {
                format!(
                    ". Adobe disables a dataflow after {DISABLED_AFTER_DAYS} days of continuous failure: check its runs"
                )
            } else {
                String::new()
            };
            format!("{it} is {state}, so events sent to it are lost; enable it in Experience Platform{why}")
        }
        Verdict::AuthenticationRequired => format!(
            "{it} accepts only requests with an Adobe token, which Shopify cannot send; use a source that verifies \
             signatures (HMAC) instead, such as Shopify Streaming"
        ),
        Verdict::Ambiguous => format!("{it} is not the only one with that name; select it by `id`"),
        Verdict::Missing => format!("{it} no longer exists"),
        Verdict::Unknown | Verdict::Other(_) => format!("the state of {it} is unknown"),
    }
}

/// Returns the message of [`Verdict::Missing`].
pub(crate) fn missing(wanted: &Lookup, sandbox: &str) -> String {
    let (kind, sandbox) = (wanted.kind.noun(), clean(sandbox));
    match &wanted.by {
        LookupBy::Name(name) => format!(
            "no {kind} named \"{}\" found in Adobe sandbox `{sandbox}`. Check the name, which must match exactly, and \
             `sandbox` under `aep`",
            clean(name)
        ),
        LookupBy::Id(id) => format!(
            "no {kind} {} found in Adobe sandbox `{sandbox}`. A recreated {kind} has a new id; select it by `name` to \
             find it again",
            clean(id)
        ),
    }
}

/// Returns the message of [`Verdict::Ambiguous`], with the candidates.
pub(crate) fn ambiguous(wanted: &Lookup, candidates: &[Inlet]) -> String {
    let named = match &wanted.by {
        LookupBy::Name(name) => format!("named \"{}\"", clean(name)),
        LookupBy::Id(id) => format!("with the id {}", clean(id)),
    };
    let more = candidates.len().saturating_sub(CANDIDATES);
    let mut list: Vec<String> = candidates
        .iter()
        .take(CANDIDATES)
        .map(|inlet| {
            if inlet.state.is_empty() {
                clean(&inlet.id)
            } else {
                format!("{} ({})", clean(&inlet.id), clean(&inlet.state))
            }
        })
        .collect();
    if more > 0 {
        list.push(format!("{more} more"));
    }
    format!("{} {}s are {named}: {}. Select one of them by `id`", candidates.len(), wanted.kind.noun(), list.join(", "))
}

fn refused(it: &str, inlet: &Inlet, run: Option<&FlowRun>, failing: Option<&Failing>, now: Timestamp) -> String {
    let count = run.and_then(|run| Some((run.failed.filter(|failed| *failed > 0)?, run.received)));
    let what = match count {
        Some((failed, Some(received))) => format!("{failed} of {received} records"),
        Some((failed, None)) => format!("{failed} records"),
        None => "records".to_owned(),
    };
    let at = run.and_then(|run| run.started_at).map_or_else(String::new, |at| format!(" of {}", clock(at)));
    let said = run
        .and_then(|run| run.first_error.as_deref())
        .map_or_else(String::new, |text| format!(" (\"{}\")", clean(text)));
    let kind = inlet.kind.noun();
    let what = format!("{what} failed in the last run{at}{said}");
    let check = format!("check the {kind}'s mapping and schema in Experience Platform");
    match failing {
        None => format!("{it}: {what}; {check}"),
        Some(failing) => {
            let least = if failing.exact { "" } else { "at least " };
            let since = format!("{least}since {}", clock(failing.since));
            match failing.disabled_on {
                None => format!("{it}: {what}. Runs have rejected records {since}; {check}"),
                Some(date) if failing.is_urgent(now) => {
                    format!("{it}: {}. Its runs have failed {since}: {what}; {check}", disabling(failing, date, now))
                }
                Some(date) => {
                    format!("{it}: {what}. Its runs have failed {since}; {}; {check}", disabling(failing, date, now))
                }
            }
        }
    }
}

/// Returns when Adobe disables a dataflow. The day can be in the past, because Adobe may count in another way than this
/// program.
fn disabling(failing: &Failing, date: Date, now: Timestamp) -> String {
    let rule = format!("after {DISABLED_AFTER_DAYS} days of continuous failure");
    if date < now.to_zoned(TimeZone::UTC).date() {
        return format!("Adobe disables it {rule}, a period that ended on {date}");
    }
    let latest = if failing.exact { "" } else { " at the latest" };
    format!("Adobe disables it on {date}{latest}, {rule}, unless a run succeeds")
}

/// Returns kind, name and id.
fn subject(inlet: &Inlet) -> String {
    let (kind, id) = (inlet.kind.noun(), clean(&inlet.id));
    if inlet.name.is_empty() { format!("{kind} {id}") } else { format!("{kind} \"{}\" ({id})", clean(&inlet.name)) }
}

/// Truncates a time to whole seconds.
fn clock(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// Removes control characters from text of Adobe.
fn clean(text: &str) -> String {
    Redactor::default().clean(text)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::destinations::verdict) fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("time")
    }

    pub(in crate::destinations::verdict) fn inlet() -> Inlet {
        Inlet {
            kind: InletKind::Flow,
            id: "4982698b".into(),
            name: "Shopify orders".into(),
            state: "enabled".into(),
            address: Some("https://dcs.adobedc.net/collection/ab".into()),
            authentication_required: false,
            created_at: Some(at(-100_000)),
            updated_at: Some(at(-301)),
            org: None,
            sandbox: None,
            last_run_state: None,
        }
    }

    pub(in crate::destinations::verdict) fn run() -> FlowRun {
        FlowRun {
            id: "r".into(),
            started_at: Some(at(-7000)),
            completed_at: Some(at(-3400)),
            status: Some("success".into()),
            received: Some(1200),
            created: Some(1200),
            failed: Some(0),
            first_error: None,
        }
    }

    #[test]
    fn every_message_names_the_flow_and_cannot_steer_a_terminal() {
        let evil = Inlet { name: "Shopify \u{1b}[31morders".into(), ..inlet() };
        for verdict in Verdict::ALL {
            let message = message(verdict, &evil, Some(&run()), None, at(0));
            assert!(message.contains("dataflow \"Shopify \\u{1b}[31morders\" (4982698b)"), "{message}");
        }
    }

    #[test]
    fn messages_name_the_remedy() {
        let settling = Inlet { updated_at: Some(at(-60)), ..inlet() };
        let failing = FlowRun { failed: Some(3), first_error: Some("DCVS-1106-400: bad".into()), ..run() };
        let by_name =
            Lookup { account: "default".into(), kind: InletKind::Flow, by: LookupBy::Name("Orders, all".into()) };
        let many: Vec<Inlet> = (0..12).map(|n| Inlet { id: format!("id-{n}"), ..inlet() }).collect();
        let lines = [
            message(&Verdict::Settling, &settling, None, None, at(0)),
            message(&Verdict::IngestFailing, &inlet(), Some(&failing), None, at(0)),
            message(&Verdict::Quiet, &inlet(), None, None, at(0)),
            message(&Verdict::Disabled, &Inlet { state: "disabled".into(), ..inlet() }, None, None, at(0)),
            missing(&by_name, "prod"),
            ambiguous(&by_name, &many),
        ];
        assert_eq!(
            lines.join("\n"),
            "dataflow \"Shopify orders\" (4982698b) was created or changed less than five minutes ago, and Adobe may \
             lose events that arrive before 2027-01-15T08:04:00Z; try again after that\n\
             dataflow \"Shopify orders\" (4982698b): 3 of 1200 records failed in the last run of 2027-01-15T06:03:20Z \
             (\"DCVS-1106-400: bad\"); check the dataflow's mapping and schema in Experience Platform\n\
             dataflow \"Shopify orders\" (4982698b) has had no run yet. If the shops had events, check that their \
             webhooks have its address\n\
             dataflow \"Shopify orders\" (4982698b) is disabled, so events sent to it are lost; enable it in \
             Experience Platform. Adobe disables a dataflow after 30 days of continuous failure: check its runs\n\
             no dataflow named \"Orders, all\" found in Adobe sandbox `prod`. Check the name, which must match \
             exactly, and `sandbox` under `aep`\n\
             12 dataflows are named \"Orders, all\": id-0 (enabled), id-1 (enabled), id-2 (enabled), id-3 (enabled), \
             id-4 (enabled), id-5 (enabled), id-6 (enabled), id-7 (enabled), id-8 (enabled), id-9 (enabled), 2 more. \
             Select one of them by `id`"
        );
    }
    #[test]
    fn a_failing_dataflow_has_its_start_and_the_day_on_which_adobe_disables_it() {
        let run = FlowRun { failed: Some(1200), created: Some(0), ..run() };
        let text = |days: i64, exact, wholly: bool| {
            let date = at(86_400 * (30 - days)).to_zoned(TimeZone::UTC).date();
            let failing = Failing { since: at(-86_400 * days), exact, disabled_on: Some(date).filter(|_| wholly) };
            let message = message(&Verdict::IngestFailing, &inlet(), Some(&run), Some(&failing), at(0));
            message.trim_start_matches("dataflow \"Shopify orders\" (4982698b): ").to_owned()
        };
        let (last, check) = (
            "1200 of 1200 records failed in the last run of 2027-01-15T06:03:20Z",
            "check the dataflow's mapping and schema in Experience Platform",
        );
        for (days, exact, wholly, expected) in [
            (
                13,
                true,
                true,
                format!(
                    "{last}. Its runs have failed since 2027-01-02T08:00:00Z; Adobe disables it on 2027-02-01, after \
                     30 days of continuous failure, unless a run succeeds; {check}"
                ),
            ),
            (
                21,
                false,
                true,
                format!(
                    "Adobe disables it on 2027-01-24 at the latest, after 30 days of continuous failure, unless a run \
                     succeeds. Its runs have failed at least since 2026-12-25T08:00:00Z: {last}; {check}"
                ),
            ),
            (
                31,
                true,
                true,
                format!(
                    "Adobe disables it after 30 days of continuous failure, a period that ended on 2027-01-14. Its \
                     runs have failed since 2026-12-15T08:00:00Z: {last}; {check}"
                ),
            ),
            (21, true, false, format!("{last}. Runs have rejected records since 2026-12-25T08:00:00Z; {check}")),
        ] {
            assert_eq!(text(days, exact, wholly), expected);
        }
    }
}
