//! Exit codes: one table for every command and every format.

use crate::admin::{AdminErrorKind, RefusalKind};
use crate::adobe::AdobeErrorKind;
use crate::http::Class;
use crate::plan::{Plan, ShopStatus};
use crate::wire::plan::{BlockedReason, ErrorKind};

/// What a process exits with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// An error.
    Error = 1,
    /// Changes present or attention needed.
    Changes = 2,
    /// Manifest, plan file or usage invalid; nothing was sent.
    Invalid = 3,
    /// What was not done failed by authentication or a missing scope.
    Auth = 4,
    /// What was not done failed by rate limit or time budget.
    RateLimit = 5,
    /// A hazard without consent; nothing was sent.
    Refused = 6,
    /// What was not done was stale.
    Stale = 7,
    /// Some was done and some not, for mixed or other causes.
    Partial = 8,
}

impl Exit {
    /// Every code with its meaning: the one table, from which the help and the manual pages are made.
    pub(crate) const MEANINGS: [(Self, &str); 9] = [
        (Self::Done, "success, or nothing to do"),
        (Self::Error, "an error"),
        (Self::Changes, "changes or findings that need attention: `plan --detailed-exitcode` and `drift`"),
        (Self::Invalid, "invalid manifest, plan file or usage; nothing was sent"),
        (Self::Auth, "all failures have one cause: authentication or a missing scope"),
        (Self::RateLimit, "all failures have one cause: the rate limit or the time budget"),
        (Self::Refused, "refused: a hazard without consent; nothing was sent"),
        (Self::Stale, "all failures have one cause: the plan is stale"),
        (Self::Partial, "some shops or changes failed and some did not, for several or other causes"),
    ];
}

/// Why something was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    Auth,
    RateLimit,
    Stale,
    Other,
}

impl Cause {
    /// The cause that the reason of a blocked binding stands for.
    pub(crate) fn of_blocked(reason: &BlockedReason) -> Self {
        if *reason == BlockedReason::Scope { Self::Auth } else { Self::Other }
    }

    /// The cause that a kind of error in a plan or report stands for.
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

/// One cause for all that was not done has its own code; otherwise it matters whether anything was done.
/// `Exit::Done` if there is no cause at all.
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

/// Returns the exit code of `plan`: `on_changes` if there is anything to do or that needs attention. A blocked binding
/// is something that was not done.
pub(crate) fn of_plan(plan: &Plan, on_changes: Exit) -> Exit {
    let blocked = plan.shops.iter().flat_map(|s| &s.blocked).map(|b| Cause::of_blocked(&(&b.obstacle).into()));
    match of_causes_or(plan, causes(plan).chain(blocked), on_changes) {
        // Every shop was read: what is missing are bindings that cannot be made.
        Exit::Partial if causes(plan).next().is_none() => Exit::Error,
        exit => exit,
    }
}

/// Returns the exit code of `drift`. A blocked binding needs attention there; it is not something that was not done.
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

/// The causes of what was not done: shops that were not read, and destinations that Adobe was not asked about.
fn causes(plan: &Plan) -> impl Iterator<Item = Cause> {
    let failed = plan.shops.iter().filter(|s| s.status() == ShopStatus::Failed);
    let unknown = plan.destinations.iter().filter_map(|d| d.error.as_ref());
    failed.filter_map(|s| s.error()).chain(unknown).map(|e| Cause::of_kind(&e.kind.as_str().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cause_has_its_code_and_several_have_eight_or_one() {
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
