//! What a dataflow or connection means for a webhook that is, or is to be, bound to it. Pure: the time is an argument.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::{By, Inlet, InletKind, Run, Wanted};
use crate::admin::Redactor;

/// After creating or updating a streaming dataflow "a brief 5-minute pause in data ingestion is required to prevent … data
/// loss" (Experience League, HTTP API source connector).
pub const SETTLES_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// Runs of a streaming dataflow are windows of an hour (Experience League, Monitor streaming dataflows); the one before the
/// last has ended for certain.
pub const QUIET_AFTER: SignedDuration = SignedDuration::from_hours(2);
/// So many candidates are named.
const CANDIDATES: usize = 10;

macro_rules! verdicts {
    ($($(#[$doc:meta])* $verdict:ident = $name:literal;)*) => {
        /// What was found out about a destination, the least first: of two verdicts the greater one counts.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Verdict { $($(#[$doc])* $verdict,)* }

        impl Verdict {
            /// Every verdict, the least first.
            pub const ALL: &[Self] = &[$(Self::$verdict),*];

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$verdict => $name,)* }
            }
        }
    };
}

verdicts! {
    /// Nothing speaks against it.
    Ok = "ok";
    /// No run within two hours; a shop without orders does that, too.
    Quiet = "quiet";
    /// Records of the last run failed.
    IngestFailing = "ingest_failing";
    /// Made or changed less than five minutes ago.
    Settling = "settling";
    /// Its address is another than the one pasted in the manifest.
    AddressDiffers = "address_differs";
    /// It has no streaming address.
    NoAddress = "no_address";
    /// It is not enabled.
    Disabled = "disabled";
    /// Its address wants a token of IMS, which Shopify cannot send.
    AuthenticationRequired = "authentication_required";
    /// Several have the name.
    Ambiguous = "ambiguous";
    /// There is none of that name or id.
    Missing = "missing";
    /// Adobe did not say; never taken for a change.
    Unknown = "unknown";
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether it can take a webhook, from what it is. Runs are judged apart; `Ord::max` joins the two.
pub fn judge(inlet: &Inlet, now: Timestamp) -> Verdict {
    if inlet.authentication_required {
        Verdict::AuthenticationRequired
    } else if inlet.state != "enabled" {
        Verdict::Disabled
    } else if inlet.address.is_none() {
        Verdict::NoAddress
    } else if settles_at(inlet, now).is_some() {
        Verdict::Settling
    } else {
        Verdict::Ok
    }
}

/// When it will have settled, if it has not. Five minutes away at most, however wrong a clock is.
pub fn settles_at(inlet: &Inlet, now: Timestamp) -> Option<Timestamp> {
    let changed = inlet.updated_at.max(inlet.created_at)?;
    let settled = changed.min(now).checked_add(SETTLES_AFTER).ok()?;
    Some(settled).filter(|settled| *settled > now)
}

/// How it does, from the last run of a dataflow.
pub fn judge_run(run: Option<&Run>, now: Timestamp) -> Verdict {
    let Some(run) = run else { return Verdict::Quiet };
    let words = ["failed", "error"];
    let failed = run.status.as_deref().is_some_and(|status| words.iter().any(|word| status.eq_ignore_ascii_case(word)));
    let latest = run.completed_at.max(run.started_at);
    if failed || run.failed.is_some_and(|records| records > 0) {
        Verdict::IngestFailing
    } else if latest.is_some_and(|at| now.duration_since(at) > QUIET_AFTER) {
        Verdict::Quiet
    } else {
        Verdict::Ok
    }
}

/// What a verdict about something that was found means, and what to do. `run` is the last one, if it was asked for.
pub fn message(verdict: Verdict, inlet: &Inlet, run: Option<&Run>, now: Timestamp) -> String {
    let it = subject(inlet);
    match verdict {
        Verdict::Ok => format!("{it} is enabled and takes events"),
        Verdict::Quiet => match run.and_then(|run| run.completed_at.max(run.started_at)) {
            Some(at) => format!(
                "{it} has had no run since {}. If the shops had events, check that their webhooks point to its address",
                clock(at)
            ),
            None => format!("{it} has had no run yet. If the shops had events, check that their webhooks point to it"),
        },
        Verdict::IngestFailing => failing(&it, inlet, run),
        Verdict::Settling => {
            let until = settles_at(inlet, now).map_or_else(String::new, |at| format!(" (until {})", clock(at)));
            format!(
                "{it} was made or changed less than five minutes ago, and Adobe may lose what arrives before it has \
                 settled{until}; try again then"
            )
        }
        Verdict::AddressDiffers => match &inlet.address {
            Some(address) => format!("{it} has the address {}, not the one in the manifest", clean(address)),
            None => format!("{it} does not have the address in the manifest"),
        },
        Verdict::NoAddress => {
            format!("{it} has no streaming address; name the dataflow or connection of a streaming source")
        }
        Verdict::Disabled if inlet.state.is_empty() => {
            format!("Adobe does not say that {it} is enabled; look it up in Experience Platform")
        }
        Verdict::Disabled => {
            let state = clean(&inlet.state);
            format!("{it} is {state}, so that events sent to it are lost; enable it in Experience Platform")
        }
        Verdict::AuthenticationRequired => format!(
            "{it} takes only requests with an Adobe token, which Shopify cannot send; use a source without \
             authentication, such as Shopify Streaming"
        ),
        Verdict::Ambiguous => format!("{it} is not the only one of that name; name it by its id"),
        Verdict::Missing => format!("{it} is not there any more"),
        Verdict::Unknown => format!("how {it} is could not be found out"),
    }
}

/// `Missing`: what to do where nothing has the name or the id.
pub fn missing(wanted: &Wanted, sandbox: &str) -> String {
    let (kind, sandbox) = (noun(wanted.kind), clean(sandbox));
    match &wanted.by {
        By::Name(name) => format!(
            "there is no {kind} named \"{}\" in sandbox `{sandbox}`. Check the name, which must be exact, and `sandbox` \
             under `aep`",
            clean(name)
        ),
        By::Id(id) => format!(
            "there is no {kind} {} in sandbox `{sandbox}`. If it was made again it has a new id; by `name` it would have \
             been found",
            clean(id)
        ),
    }
}

/// `Ambiguous`: the candidates.
pub fn ambiguous(wanted: &Wanted, candidates: &[Inlet]) -> String {
    let named = match &wanted.by {
        By::Name(name) => format!("named \"{}\"", clean(name)),
        By::Id(id) => format!("with the id {}", clean(id)),
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
    format!(
        "{} {}s are {named}: {}. Name the one that is meant by its `id`",
        candidates.len(),
        noun(wanted.kind),
        list.join(", ")
    )
}

fn failing(it: &str, inlet: &Inlet, run: Option<&Run>) -> String {
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
    let kind = noun(inlet.kind);
    format!(
        "{it}: {what} failed in the last run{at}{said}; check the {kind}'s mapping and schema in Experience Platform"
    )
}

/// Kind, name and id.
fn subject(inlet: &Inlet) -> String {
    let (kind, id) = (noun(inlet.kind), clean(&inlet.id));
    if inlet.name.is_empty() { format!("{kind} {id}") } else { format!("{kind} \"{}\" ({id})", clean(&inlet.name)) }
}

fn noun(kind: InletKind) -> &'static str {
    match kind {
        InletKind::Flow => "dataflow",
        InletKind::Connection => "connection",
    }
}

/// Whole seconds are enough for people.
fn clock(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// Names are Adobe's text as it came.
fn clean(text: &str) -> String {
    Redactor::default().clean(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("time")
    }

    fn inlet() -> Inlet {
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

    fn run() -> Run {
        Run {
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
    fn the_worst_that_is_so_is_the_verdict() {
        use Verdict::{AuthenticationRequired, Disabled, IngestFailing, NoAddress, Ok, Quiet, Settling};
        let mut inlet = inlet();
        let mut steps = vec![judge(&inlet, at(0))];
        inlet.updated_at = Some(at(-299));
        steps.push(judge(&inlet, at(0)));
        inlet.address = None;
        steps.push(judge(&inlet, at(0)));
        inlet.state = "enabled-finalizing".into();
        steps.push(judge(&inlet, at(0)));
        inlet.authentication_required = true;
        steps.push(judge(&inlet, at(0)));
        assert_eq!(steps, [Ok, Settling, NoAddress, Disabled, AuthenticationRequired]);
        assert!(steps.is_sorted(), "the order of the enum is that of the judge");
        assert_eq!(Settling.max(IngestFailing), Settling);
        assert!(Ok < Quiet && Quiet < IngestFailing);
    }

    #[test]
    fn five_minutes_are_five_minutes_and_a_wrong_clock_does_not_add_to_them() {
        let with = |created, updated| Inlet { created_at: created, updated_at: updated, ..inlet() };
        assert_eq!(settles_at(&with(None, None), at(0)), None);
        assert_eq!(settles_at(&with(Some(at(-10)), None), at(0)), Some(at(290)));
        assert_eq!(settles_at(&with(Some(at(-1000)), Some(at(-300))), at(0)), None);
        assert_eq!(settles_at(&with(Some(at(-1000)), Some(at(-299))), at(0)), Some(at(1)));
        assert_eq!(settles_at(&with(None, Some(at(86_400))), at(0)), Some(at(300)));
    }

    #[test]
    fn runs_tell_how_it_does() {
        let judged = |change: &dyn Fn(&mut Run)| {
            let mut run = run();
            change(&mut run);
            judge_run(Some(&run), at(0))
        };
        assert_eq!(judge_run(None, at(0)), Verdict::Quiet);
        assert_eq!(judged(&|_| ()), Verdict::Ok);
        assert_eq!(judged(&|run| run.failed = Some(1)), Verdict::IngestFailing);
        for status in ["failed", "Failed", "Error"] {
            assert_eq!(judged(&|run| run.status = Some(status.into())), Verdict::IngestFailing, "{status}");
        }
        assert_eq!(judged(&|run| run.completed_at = Some(at(-7200))), Verdict::Ok);
        assert_eq!(
            judged(&|run| (run.started_at, run.completed_at) = (Some(at(-9000)), Some(at(-7201)))),
            Verdict::Quiet
        );
        assert_eq!(judged(&|run| (run.started_at, run.completed_at) = (Some(at(-60)), None)), Verdict::Ok);
        assert_eq!(judged(&|run| (run.started_at, run.completed_at) = (None, None)), Verdict::Ok);
    }

    #[test]
    fn every_message_names_the_flow_and_cannot_steer_a_terminal() {
        let evil = Inlet { name: "Shopify \u{1b}[31morders".into(), ..inlet() };
        for verdict in Verdict::ALL {
            let message = message(*verdict, &evil, Some(&run()), at(0));
            assert!(message.contains("dataflow \"Shopify \\u{1b}[31morders\" (4982698b)"), "{message}");
        }
    }

    #[test]
    fn messages_say_what_to_do() {
        let settling = Inlet { updated_at: Some(at(-60)), ..inlet() };
        let failing = Run { failed: Some(3), first_error: Some("DCVS-1106-400: bad".into()), ..run() };
        let by_name = Wanted { kind: InletKind::Flow, by: By::Name("Orders, all".into()) };
        let many: Vec<Inlet> = (0..12).map(|n| Inlet { id: format!("id-{n}"), ..inlet() }).collect();
        let lines = [
            message(Verdict::Settling, &settling, None, at(0)),
            message(Verdict::IngestFailing, &inlet(), Some(&failing), at(0)),
            message(Verdict::Quiet, &inlet(), None, at(0)),
            message(Verdict::Disabled, &Inlet { state: "disabled".into(), ..inlet() }, None, at(0)),
            missing(&by_name, "prod"),
            ambiguous(&by_name, &many),
        ];
        assert_eq!(
            lines.join("\n"),
            "dataflow \"Shopify orders\" (4982698b) was made or changed less than five minutes ago, and Adobe may lose \
             what arrives before it has settled (until 2027-01-15T08:04:00Z); try again then\n\
             dataflow \"Shopify orders\" (4982698b): 3 of 1200 records failed in the last run of 2027-01-15T06:03:20Z \
             (\"DCVS-1106-400: bad\"); check the dataflow's mapping and schema in Experience Platform\n\
             dataflow \"Shopify orders\" (4982698b) has had no run yet. If the shops had events, check that their \
             webhooks point to it\n\
             dataflow \"Shopify orders\" (4982698b) is disabled, so that events sent to it are lost; enable it in \
             Experience Platform\n\
             there is no dataflow named \"Orders, all\" in sandbox `prod`. Check the name, which must be exact, and \
             `sandbox` under `aep`\n\
             12 dataflows are named \"Orders, all\": id-0 (enabled), id-1 (enabled), id-2 (enabled), id-3 (enabled), \
             id-4 (enabled), id-5 (enabled), id-6 (enabled), id-7 (enabled), id-8 (enabled), id-9 (enabled), 2 more. \
             Name the one that is meant by its `id`"
        );
    }
}
