//! What an inlet is good for. Pure: the time comes from outside.

use jiff::{SignedDuration, Timestamp};

use super::read::{Inlet, Run};

/// After a dataflow is made or changed, data may be lost for so long (documented).
const SETTLE: SignedDuration = SignedDuration::from_mins(5);
/// Runs of streaming dataflows are windows of an hour (documented): with none for two, nothing came.
const QUIET: SignedDuration = SignedDuration::from_hours(2);

/// What is to be said of a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ok,
    Missing,
    Ambiguous,
    Disabled,
    AddressDiffers,
    AuthenticationRequired,
    NoAddress,
    Settling,
    IngestFailing,
    Quiet,
    Unknown,
}

impl Verdict {
    /// The word in plans.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Ambiguous => "ambiguous",
            Self::Disabled => "disabled",
            Self::AddressDiffers => "address_differs",
            Self::AuthenticationRequired => "authentication_required",
            Self::NoAddress => "no_address",
            Self::Settling => "settling",
            Self::IngestFailing => "ingest_failing",
            Self::Quiet => "quiet",
            Self::Unknown => "unknown",
        }
    }
}

/// Of an inlet that was found; the worst there is to say.
pub(crate) fn judge(inlet: &Inlet, now: Timestamp) -> Verdict {
    if inlet.authentication_required {
        return Verdict::AuthenticationRequired;
    }
    if inlet.state != "enabled" {
        return Verdict::Disabled;
    }
    if inlet.address.is_none() {
        return Verdict::NoAddress;
    }
    // Two clocks may differ: what was changed a little later than now was changed just now.
    match settles_at(inlet) {
        Some(settled) if settled > now => Verdict::Settling,
        _ => Verdict::Ok,
    }
}

/// When nothing is lost any more.
pub(crate) fn settles_at(inlet: &Inlet) -> Option<Timestamp> {
    let changed = inlet.updated_at.max(inlet.created_at)?;
    changed.checked_add(SETTLE).ok()
}

/// Of the last run of a dataflow, or of there being none.
pub(crate) fn judge_run(run: Option<&Run>, now: Timestamp) -> Verdict {
    let Some(run) = run else { return Verdict::Quiet };
    let status = run.status.as_deref().unwrap_or_default().to_ascii_lowercase();
    if run.failed.is_some_and(|failed| failed > 0) || ["failed", "error"].contains(&status.as_str()) {
        return Verdict::IngestFailing;
    }
    let last = run.completed_at.max(run.started_at);
    if last.is_none_or(|last| now.duration_since(last) > QUIET) { Verdict::Quiet } else { Verdict::Ok }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::aep::InletKind;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("time")
    }

    fn inlet() -> Inlet {
        Inlet {
            kind: InletKind::Flow,
            id: "4982698b".into(),
            name: "orders".into(),
            state: "enabled".into(),
            address: Some("https://dcs.adobedc.net/collection/e75d".into()),
            authentication_required: false,
            created_at: Some(at(1_000)),
            updated_at: Some(at(2_000)),
            base: None,
        }
    }

    #[test]
    fn the_worst_is_said() {
        let later = at(2_300);
        assert_eq!(judge(&inlet(), later), Verdict::Ok);
        assert_eq!(judge(&inlet(), at(2_299)), Verdict::Settling);
        assert_eq!(judge(&inlet(), at(1_990)), Verdict::Settling, "a clock that is late");
        let without = |change: &dyn Fn(&mut Inlet)| {
            let mut inlet = inlet();
            change(&mut inlet);
            judge(&inlet, at(2_100))
        };
        assert_eq!(without(&|i| i.address = None), Verdict::NoAddress);
        assert_eq!(without(&|i| (i.state, i.address) = ("disabled".into(), None)), Verdict::Disabled);
        assert_eq!(without(&|i| i.state = "enabled-finalizing".into()), Verdict::Disabled);
        let locked = |i: &mut Inlet| (i.authentication_required, i.state) = (true, "disabled".into());
        assert_eq!(without(&locked), Verdict::AuthenticationRequired);
        assert_eq!(without(&|i| (i.created_at, i.updated_at) = (None, None)), Verdict::Ok);
    }

    #[test]
    fn runs_tell_of_failure_and_of_silence() {
        let run = |status: &str, failed, end| Run {
            started_at: Some(at(end - 3_600)),
            completed_at: Some(at(end)),
            status: Some(status.into()),
            failed,
            first_error: None,
        };
        let now = at(100_000);
        assert_eq!(judge_run(None, now), Verdict::Quiet);
        assert_eq!(judge_run(Some(&run("success", Some(0), 99_000)), now), Verdict::Ok);
        assert_eq!(judge_run(Some(&run("success", Some(0), 92_000)), now), Verdict::Quiet);
        assert_eq!(judge_run(Some(&run("partialSuccess", Some(3), 99_000)), now), Verdict::IngestFailing);
        assert_eq!(judge_run(Some(&run("Failed", None, 50_000)), now), Verdict::IngestFailing);
        assert_eq!(judge_run(Some(&run("partialSuccess", None, 99_000)), now), Verdict::Ok);
    }
}
