//! Exit codes: one table for every command and every format.

use crate::admin::{AdminErrorKind, RefusalKind};
use crate::adobe::AdobeErrorKind;
use crate::http::Class;
use crate::plan::{Plan, ShopStatus};
use crate::wire::plan::{BlockedReason, ErrorKind};

/// The exit code of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Success, or nothing to do.
    Done = 0,
    /// An error.
    Error = 1,
    /// Changes, or findings that need attention.
    Changes = 2,
    /// Invalid manifest, plan file or usage; nothing was sent.
    Invalid = 3,
    /// All failures have one cause: authentication or a missing scope.
    Auth = 4,
    /// All failures have one cause: the rate limit or the time budget.
    RateLimit = 5,
    /// A hazard without consent; nothing was sent.
    Refused = 6,
    /// All failures have one cause: the plan is stale.
    Stale = 7,
    /// Some shops or changes failed and some did not, for several or other causes.
    Partial = 8,
}

impl Exit {
    /// All codes with their meanings. The help and the manual pages are generated from this table.
    pub(crate) const MEANINGS: [(Self, &str); 9] = [
        (Self::Done, "success, or nothing to do"),
        (Self::Error, "an error"),
        (Self::Changes, "changes or attention needed: `plan --detailed-exitcode` and `drift`"),
        (Self::Invalid, "invalid manifest, plan file or usage; nothing was sent"),
        (Self::Auth, "all failures have one cause: authentication or a missing scope"),
        (Self::RateLimit, "all failures have one cause: the rate limit or the time budget"),
        (Self::Refused, "refused: a hazard without consent; nothing was sent"),
        (Self::Stale, "all failures have one cause: the plan is stale"),
        (Self::Partial, "some shops or changes failed and some did not, for several or other causes"),
    ];
}

/// Cause of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    Auth,
    RateLimit,
    Stale,
    Other,
}

impl Cause {
    /// Returns the cause of a blocked binding.
    pub(crate) fn of_blocked(reason: &BlockedReason) -> Self {
        if *reason == BlockedReason::Scope { Self::Auth } else { Self::Other }
    }

    /// Returns the cause of an error in a plan or report.
    pub(crate) fn of_kind(kind: &ErrorKind) -> Self {
        if *kind == ErrorKind::Stale {
            return Self::Stale;
        }
        let kind = kind.as_str();
        let refusal = RefusalKind::ALL.iter().find(|k| k.as_str() == kind).map(|k| k.class());
        let adobe = AdobeErrorKind::ALL.iter().find(|k| k.as_str() == kind).map(|k| k.class());
        match AdminErrorKind::ALL.iter().find(|k| k.as_str() == kind).map(|k| k.class()).or(refusal).or(adobe) {
            Some(Class::Auth) => Self::Auth,
            Some(Class::RateLimit) => Self::RateLimit,
            Some(Class::Other) | None => Self::Other,
        }
    }
}

/// Returns the exit code of failures with these causes. If all causes are equal, the code is that of the cause;
/// otherwise it depends on whether anything was done. Returns `Exit::Done` if there is no cause.
pub(crate) fn of_causes(causes: impl IntoIterator<Item = Cause>, anything_done: bool) -> Exit {
    let mut causes = causes.into_iter();
    let Some(first) = causes.next() else { return Exit::Done };
    let single = causes.all(|cause| cause == first);
    match first {
        Cause::Auth if single => Exit::Auth,
        Cause::RateLimit if single => Exit::RateLimit,
        Cause::Stale if single => Exit::Stale,
        _ if anything_done => Exit::Partial,
        _ => Exit::Error,
    }
}

/// Returns the exit code of `plan`: `on_changes` if there are changes or findings that need attention. A blocked
/// binding counts as a failure.
pub(crate) fn of_plan(plan: &Plan, on_changes: Exit) -> Exit {
    let blocked = plan.shops.iter().flat_map(|s| &s.blocked).map(|b| Cause::of_blocked(&(&b.obstacle).into()));
    match of_causes_or(plan, causes(plan).chain(blocked), on_changes) {
        // Every shop was read, so the only failures are blocked bindings.
        Exit::Partial if causes(plan).next().is_none() => Exit::Error,
        exit => exit,
    }
}

/// Returns the exit code of `plan --check` if a hazard has no consent. The code of a failure takes precedence, because the
/// plan is then not the whole plan.
pub(crate) fn refused(exit: Exit) -> Exit {
    if matches!(exit, Exit::Done | Exit::Changes) { Exit::Refused } else { exit }
}

/// Returns the exit code of `drift`. A blocked binding needs attention, but does not count as a failure.
pub(crate) fn of_drift(plan: &Plan) -> Exit {
    of_causes_or(plan, causes(plan), Exit::Changes)
}

fn of_causes_or(plan: &Plan, causes: impl Iterator<Item = Cause>, on_changes: Exit) -> Exit {
    let read = plan.summary.shops.changed + plan.summary.shops.unchanged > 0;
    match of_causes(causes, read) {
        Exit::Done if plan.needs_attention() => on_changes,
        exit => exit,
    }
}

/// Returns the causes of shops that could not be read and of destinations that could not be looked up.
fn causes(plan: &Plan) -> impl Iterator<Item = Cause> {
    let failed = plan.shops.iter().filter(|s| s.status() == ShopStatus::Failed);
    let unknown = plan.destinations.iter().filter_map(|d| d.error.as_ref());
    failed.filter_map(|s| s.error()).chain(unknown).map(|e| Cause::of_kind(&e.kind.as_str().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cause_has_its_own_code_and_several_causes_give_8_or_1() {
        use Cause::{Auth, Other, RateLimit, Stale};
        for (causes, done, exit) in [
            (vec![], true, Exit::Done),
            (vec![Auth, Auth], true, Exit::Auth),
            (vec![Auth], false, Exit::Auth),
            (vec![RateLimit], true, Exit::RateLimit),
            (vec![Stale], false, Exit::Stale),
            (vec![Auth, Stale], true, Exit::Partial),
            (vec![Auth, Stale], false, Exit::Error),
            (vec![Other], true, Exit::Partial),
            (vec![Other], false, Exit::Error),
        ] {
            assert_eq!(of_causes(causes.clone(), done), exit, "{causes:?} {done}");
        }
        assert_eq!(Cause::of_kind(&"token_refused".into()), Auth);
        assert_eq!(Cause::of_kind(&"time_budget".into()), RateLimit);
        assert_eq!(Cause::of_kind(&"topic_refused".into()), Auth);
        assert_eq!(Cause::of_kind(&"stale".into()), Stale);
        assert_eq!(Cause::of_kind(&"adobe_forbidden".into()), Auth);
        assert_eq!(Cause::of_kind(&"adobe_rate_limited".into()), RateLimit);
        assert_eq!(Cause::of_kind(&"adobe_unavailable".into()), Other);
        assert_eq!(Cause::of_kind(&"a_kind_of_the_future".into()), Other);
    }
}
