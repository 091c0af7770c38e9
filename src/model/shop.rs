//! A shop's permanent domain.

use std::fmt;
use std::sync::Arc;

use globset::{Glob, GlobMatcher};
use serde::{Deserialize, Serialize};

/// `<handle>.myshopify.com`, lower case.
///
/// No other text is accepted, because tokens are sent to this host (Shopify's documented check is
/// `^[a-zA-Z0-9][a-zA-Z0-9-]*\.myshopify\.com$`, anchored).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ShopDomain(Arc<str>);

/// A text is not the domain of a shop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a Shopify shop domain: expected `<handle>` or `<handle>.myshopify.com`")]
pub struct ShopDomainError;

const SUFFIX: &str = ".myshopify.com";

impl ShopDomain {
    /// Parses a handle or a full domain, in upper or lower case.
    pub fn parse(text: &str) -> Result<Self, ShopDomainError> {
        let lower = text.to_ascii_lowercase();
        let handle = lower.strip_suffix(SUFFIX).unwrap_or(&lower);
        let label = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        // 63 is the maximum length of a DNS label.
        let valid = !handle.is_empty() && handle.len() <= 63 && !handle.starts_with('-') && handle.bytes().all(label);
        if valid { Ok(Self(format!("{handle}{SUFFIX}").into())) } else { Err(ShopDomainError) }
    }

    /// Returns the full domain.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the part before `.myshopify.com`.
    pub fn handle(&self) -> &str {
        self.0.strip_suffix(SUFFIX).unwrap_or(&self.0)
    }

    /// Returns the handle in the form for names of environment variables: in upper case, with `_` instead of `-`.
    pub fn env_handle(&self) -> String {
        self.handle().to_ascii_uppercase().replace('-', "_")
    }
}

impl fmt::Display for ShopDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ShopDomain {
    type Error = ShopDomainError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<ShopDomain> for String {
    fn from(shop: ShopDomain) -> Self {
        shop.0.as_ref().to_owned()
    }
}

/// A pattern for shops in `--shop` and in consents: a glob for the handle or the full domain, ignoring case.
#[derive(Debug, Clone)]
pub struct ShopPattern(GlobMatcher);

/// Whether a glob nests alternatives (`{a,b}`) so deeply that its recursive compilation could exhaust the stack.
pub(crate) fn is_deep(glob: &str) -> bool {
    const DEEPEST: usize = 4;
    let mut depth = 0_usize;
    glob.chars().any(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEEPEST
    })
}

/// A text is not a pattern for shops.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid pattern for shops")]
pub struct ShopPatternError;

impl ShopPattern {
    /// The maximum length of a pattern, in bytes. A domain is shorter.
    const LONGEST: usize = 1024;

    /// Parses a glob. Rejects one that is too long or nested too deeply, because its compilation is recursive.
    pub fn parse(text: &str) -> Result<Self, ShopPatternError> {
        if text.len() > Self::LONGEST || is_deep(text) {
            return Err(ShopPatternError);
        }
        let glob = Glob::new(&text.to_ascii_lowercase()).map_err(|_| ShopPatternError)?;
        Ok(Self(glob.compile_matcher()))
    }

    /// Whether the pattern matches a shop.
    pub fn matches(&self, shop: &ShopDomain) -> bool {
        self.0.is_match(shop.handle()) || self.0.is_match(shop.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_and_domains_parse_to_the_lower_case_domain() {
        for text in ["acme", "ACME.myshopify.com", "acme.MyShopify.com"] {
            assert_eq!(ShopDomain::parse(text).map(String::from), Ok("acme.myshopify.com".to_owned()), "{text}");
        }
        assert_eq!(ShopDomain::parse("my-shop-2").map(|s| s.env_handle()), Ok("MY_SHOP_2".to_owned()));
    }

    #[test]
    fn no_text_that_could_name_another_host_is_valid() {
        for text in [
            "",
            "-a",
            "a.b",
            "a.example.com",
            "https://a.myshopify.com",
            "a.myshopify.com.evil.com",
            "a.myshopify.com/x",
            "a@evil.com",
            "a:80",
            "a b",
            "ä",
            "a.myshopify.com\n",
            ".myshopify.com",
            "a_b",
            "x.myshopify.com.myshopify.com",
        ] {
            assert_eq!(ShopDomain::parse(text), Err(ShopDomainError), "{text:?}");
        }
    }

    #[test]
    fn a_pattern_matches_handle_or_domain_and_cannot_overflow_the_stack() {
        let shop = ShopDomain::parse("eu-acme").expect("shop");
        for text in ["eu-*", "EU-acme.myshopify.com", "{eu,us}-acme", "*"] {
            assert!(ShopPattern::parse(text).is_ok_and(|pattern| pattern.matches(&shop)), "{text}");
        }
        for text in ["us-*", "acme"] {
            assert!(ShopPattern::parse(text).is_ok_and(|pattern| !pattern.matches(&shop)), "{text}");
        }
        let nested = format!("{}a{}", "{".repeat(300), "}".repeat(300));
        for text in [nested.as_str(), "[", "{a", &"a".repeat(2000)] {
            assert!(ShopPattern::parse(text).is_err(), "{text}");
        }
    }
}
