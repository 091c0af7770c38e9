//! Parsers of option values.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::SignedDuration;

use crate::plan::Origin;
use crate::render::Link;

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

/// Parses `NAME=URL`. Only URLs of web pages are accepted, because a reader follows the link.
pub(super) fn link(text: &str) -> Result<Link, String> {
    let expected = || "expected NAME=URL with an https or http URL, such as run=https://ci.example.com/42".to_owned();
    let (name, url) = text.split_once('=').ok_or_else(expected)?;
    let url = reqwest::Url::parse(url).map_err(|_| expected())?;
    let is_page = matches!(url.scheme(), "https" | "http") && url.username().is_empty() && url.password().is_none();
    if name.trim().is_empty() || !is_page {
        return Err(expected());
    }
    Ok(Link { name: name.trim().to_owned(), url: url.to_string() })
}

/// Parses the number of shops that are processed at the same time.
pub(super) fn parallelism(text: &str) -> Result<u16, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "expected a number from 1 to 65535".to_owned())
}
