//! The two clocks of a run: one for its outputs, and one for the expiry of tokens and callbacks.

use jiff::Timestamp;

/// Returns the time for all outputs, in whole seconds: `SOURCE_DATE_EPOCH` if it is set (reproducible-builds.org), else now.
pub(crate) fn now() -> Timestamp {
    let now = fixed_now().unwrap_or_else(Timestamp::now);
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// Returns the time of `SOURCE_DATE_EPOCH`, if it is set and valid.
pub(crate) fn fixed_now() -> Option<Timestamp> {
    let seconds = std::env::var("SOURCE_DATE_EPOCH").ok()?.trim().parse().ok()?;
    Timestamp::from_second(seconds).ok()
}

/// Returns the current time, for the expiry of tokens and callbacks.
pub(crate) fn clock() -> Timestamp {
    Timestamp::now()
}
