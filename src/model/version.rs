//! Admin API versions.

use std::fmt;

use jiff::ToSpan;
use jiff::civil::Date;

/// An Admin API version: `YYYY-01|04|07|10`, or `unstable`. Ordered by time; `unstable` is the latest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion(String);

/// A text is not an Admin API version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an Admin API version: expected YYYY-01, YYYY-04, YYYY-07, YYYY-10 or unstable")]
pub struct ApiVersionError;

impl ApiVersion {
    /// The newest version that this version of Hookwright was checked against.
    pub const DEFAULT: &'static str = "2026-10";

    /// Parses a quarterly version or `unstable`.
    pub fn parse(text: &str) -> Result<Self, ApiVersionError> {
        let quarterly = text.len() == 7
            && text.bytes().take(4).all(|c| c.is_ascii_digit())
            && text.get(4..).is_some_and(|m| ["-01", "-04", "-07", "-10"].contains(&m));
        if quarterly || text == "unstable" { Ok(Self(text.to_owned())) } else { Err(ApiVersionError) }
    }

    /// Returns the earliest day on which Shopify may end its support: twelve months after its release, which is on the
    /// first day of its month at 17:00 UTC (documented as "at least 12 months"). `None` for `unstable`, which has no
    /// release.
    pub fn leaves_support(&self) -> Option<Date> {
        let (year, month) = self.0.split_once('-')?;
        Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()?.checked_add(1.year()).ok()
    }

    /// Returns the version in the form for URLs.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ApiVersion {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One of Shopify's two Admin APIs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transport {
    /// GraphQL, which shows and changes all fields.
    #[default]
    GraphQl,
    /// REST, which shows neither filters nor names.
    Rest,
}

impl Transport {
    /// Parses the name in manifests and plans.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::GraphQl, Self::Rest].into_iter().find(|transport| transport.as_str() == word)
    }

    /// Returns the name in manifests and plans.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GraphQl => "graphql",
            Self::Rest => "rest",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_leaves_support_a_year_after_its_release() {
        let end = |version| ApiVersion::parse(version).expect("version").leaves_support().map(|date| date.to_string());
        assert_eq!(end("2026-04").as_deref(), Some("2027-04-01"));
        assert_eq!(end("2026-10").as_deref(), Some("2027-10-01"));
        assert_eq!([end("unstable"), end("9999-10")], [None, None]);
    }
}
