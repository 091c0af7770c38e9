//! Judges whether webhooks can be bound to a dataflow or connection. This module is pure: the time is an argument.

mod failing;
mod message;

use jiff::{SignedDuration, Timestamp};

pub(crate) use failing::{DISABLED_AFTER_DAYS, Failing, failing, fails};
pub(crate) use message::{ambiguous, message, missing};

use super::{FlowRun, Inlet};
pub(crate) use crate::plan::Verdict;

/// Time that a destination needs to settle: after creating or updating a streaming dataflow "a brief 5-minute pause in
/// data ingestion is required to prevent … data loss" (Experience League, HTTP API source connector).
pub(crate) const SETTLES_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// Age of the last run from which a dataflow counts as quiet. Runs of a streaming dataflow are windows of an hour
/// (Experience League, Monitor streaming dataflows), so within two hours at least one run has ended.
pub(crate) const QUIET_AFTER: SignedDuration = SignedDuration::from_hours(2);

/// Judges a dataflow or connection by its properties. [`judge_run`] judges the runs.
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

/// Returns the time at which a dataflow or connection has settled; `None` if it has settled already. The result is at
/// most five minutes after `now`, even if a clock is wrong.
pub(crate) fn settles_at(inlet: &Inlet, now: Timestamp) -> Option<Timestamp> {
    let changed = inlet.updated_at.max(inlet.created_at)?;
    let settled = changed.min(now).checked_add(SETTLES_AFTER).ok()?;
    Some(settled).filter(|settled| *settled > now)
}

/// Judges a dataflow by its last run.
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
    fn the_most_serious_problem_is_the_verdict() {
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
    fn a_destination_settles_in_five_minutes_even_with_a_wrong_clock() {
        let with = |created, updated| Inlet { created_at: created, updated_at: updated, ..inlet() };
        assert_eq!(settles_at(&with(None, None), at(0)), None);
        assert_eq!(settles_at(&with(Some(at(-10)), None), at(0)), Some(at(290)));
        assert_eq!(settles_at(&with(Some(at(-1000)), Some(at(-300))), at(0)), None);
        assert_eq!(settles_at(&with(Some(at(-1000)), Some(at(-299))), at(0)), Some(at(1)));
        assert_eq!(settles_at(&with(None, Some(at(86_400))), at(0)), Some(at(300)));
    }

    #[test]
    fn the_last_run_determines_the_verdict() {
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
