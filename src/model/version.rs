//! Admin API versions.

use std::fmt;

/// An Admin API version: `YYYY-01|04|07|10`, or `unstable`. Orders by time; `unstable` is the latest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion(String);

/// Why a text is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an Admin API version: expected YYYY-01, YYYY-04, YYYY-07, YYYY-10 or unstable")]
pub struct ApiVersionError;

impl ApiVersion {
    /// The newest version that this tool was checked against.
    pub const DEFAULT: &'static str = "2026-10";

    /// Parses a quarterly version or `unstable`.
    pub fn parse(text: &str) -> Result<Self, ApiVersionError> {
        let quarterly = text.len() == 7
            && text.bytes().take(4).all(|c| c.is_ascii_digit())
            && text.get(4..).is_some_and(|m| ["-01", "-04", "-07", "-10"].contains(&m));
        if quarterly || text == "unstable" { Ok(Self(text.to_owned())) } else { Err(ApiVersionError) }
    }

    /// As it stands in a URL.
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
