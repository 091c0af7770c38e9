//! Parsers of option values.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::SignedDuration;

use crate::plan::Origin;

/// The maximum duration. No clock overflows with it.
const LONGEST: Duration = Duration::from_hours(365 * 24);

/// Parses a duration such as `90s`, `30m` or `1h 30m`: more than zero, at most 365 days.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<SignedDuration>().ok().and_then(|parsed| Duration::try_from(parsed).ok());
    parsed
        .filter(|duration| !duration.is_zero() && *duration <= LONGEST)
        .ok_or_else(|| "expected a duration of at most 365 days, such as 90s, 30m or 1h".to_owned())
}

/// Returns the parser of an origin of changes.
pub(super) fn origin() -> impl TypedValueParser<Value = Origin> {
    PossibleValuesParser::new(["manifest", "drift"])
        .map(|text| if text == "drift" { Origin::Drift } else { Origin::Manifest })
}
