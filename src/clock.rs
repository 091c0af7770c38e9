//! The two times of a run: the one that its outputs show, and the one by which tokens and callbacks end.

use jiff::Timestamp;

/// Returns the time for all outputs in whole seconds: that of SOURCE_DATE_EPOCH, if it is set (reproducible-builds.org).
pub(crate) fn now() -> Timestamp {
    let now = fixed_now().unwrap_or_else(Timestamp::now);
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// Returns the time of SOURCE_DATE_EPOCH, if it is set.
pub(crate) fn fixed_now() -> Option<Timestamp> {
    let seconds = std::env::var("SOURCE_DATE_EPOCH").ok()?.trim().parse().ok()?;
    Timestamp::from_second(seconds).ok()
}

/// Returns the time for everything that ends: tokens, callbacks.
pub(crate) fn clock() -> Timestamp {
    Timestamp::now()
}
