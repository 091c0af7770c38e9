//! What a dataflow or connection means for a webhook that is, or is to be, bound to it. Pure: the time is an argument.

mod failing;
mod message;

use jiff::{SignedDuration, Timestamp};

pub(crate) use failing::{DISABLED_AFTER_DAYS, Failing, failing, fails};
pub(crate) use message::{ambiguous, message, missing};

use super::{FlowRun, Inlet};
pub(crate) use crate::plan::Verdict;

/// After creating or updating a streaming dataflow "a brief 5-minute pause in data ingestion is required to prevent … data
/// loss" (Experience League, HTTP API source connector).
pub(crate) const SETTLES_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// Runs of a streaming dataflow are windows of an hour (Experience League, Monitor streaming dataflows); the one before the
/// last has ended for certain.
pub(crate) const QUIET_AFTER: SignedDuration = SignedDuration::from_hours(2);

/// Whether it can take a webhook, from what it is. Runs are judged apart; `Ord::max` joins the two.
pub(crate) fn judge(inlet: &Inlet, now: Timestamp) -> Verdict {
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
pub(crate) fn settles_at(inlet: &Inlet, now: Timestamp) -> Option<Timestamp> {
    let changed = inlet.updated_at.max(inlet.created_at)?;
    let settled = changed.min(now).checked_add(SETTLES_AFTER).ok()?;
    Some(settled).filter(|settled| *settled > now)
}

/// How it does, from the last run of a dataflow.
pub(crate) fn judge_run(run: Option<&FlowRun>, now: Timestamp) -> Verdict {
    let Some(run) = run else { return Verdict::Quiet };
    let latest = run.completed_at.max(run.started_at);
    if fails(run) {
        Verdict::IngestFailing
    } else if latest.is_some_and(|at| now.duration_since(at) > QUIET_AFTER) {
        Verdict::Quiet
    } else {
        Verdict::Ok
    }
}

#[cfg(test)]
mod tests {
    use super::message::tests::{at, inlet, run};
    use super::*;

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
        let judged = |change: &dyn Fn(&mut FlowRun)| {
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
}
