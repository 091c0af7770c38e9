//! The ownership rule: which live subscriptions a manifest manages. It never changes others.

use crate::model::Address;

/// The ownership rule of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// A live subscription is managed if one of these prefixes covers its address.
    pub address_prefixes: Vec<Prefix>,
    /// What a plan does with unmanaged subscriptions.
    pub unmanaged: Unmanaged,
}

/// What a plan does with unmanaged subscriptions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unmanaged {
    /// List each of them as a finding.
    #[default]
    Report,
    /// Only count them.
    Ignore,
    /// Plan their deletion, as a hazard.
    Delete,
}

impl Unmanaged {
    /// The name in the manifest and in the plan.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Ignore => "ignore",
            Self::Delete => "delete",
        }
    }
}

/// One ownership prefix, with scheme and host in lower case.
///
/// A prefix that ends with `/` or `:` covers all addresses that start with it. Any other prefix is a complete address
/// and covers only that; for https also with a query. So `https://x.example/a` does not cover `https://x.example/ab`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

/// Why a text is not a valid prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// It would cover everything.
    #[error("the prefix is empty, so it would cover every subscription")]
    Empty,
    /// It has no scheme.
    #[error("the prefix has no scheme, such as `https://` or `pubsub://`")]
    NoScheme,
    /// It has only a scheme.
    #[error("the prefix has only a scheme, so it would cover the subscriptions of every owner")]
    SchemeAlone,
    /// It has a scheme that Shopify does not support.
    #[error("the prefix covers nothing, because Shopify delivers only to `https://`, `pubsub://` and `arn:` addresses")]
    OtherScheme,
}

impl Prefix {
    /// The default prefix: every address of the collection endpoint on `dcs.adobedc.net`.
    pub const DEFAULT: &'static str = "https://dcs.adobedc.net/collection/";

    /// Parses a prefix of an https URL, a Pub/Sub address or an ARN. Rejects a scheme alone.
    pub fn parse(text: &str) -> Result<Self, PrefixError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(PrefixError::Empty);
        }
        let folded = crate::model::fold(text);
        match ["https://", "pubsub://", "arn:"].iter().find_map(|scheme| folded.strip_prefix(scheme)) {
            Some(rest) if !rest.is_empty() && !rest.starts_with(['/', ':', '?', '#']) => Ok(Self(folded)),
            Some(_) => Err(PrefixError::SchemeAlone),
            None if text.contains("://") => Err(PrefixError::OtherScheme),
            None => Err(PrefixError::NoScheme),
        }
    }

    /// Returns the prefix, with scheme and host in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn covers(&self, folded: &str) -> bool {
        let Some(rest) = folded.strip_prefix(&self.0) else { return false };
        self.0.ends_with(['/', ':']) || rest.is_empty() || (rest.starts_with('?') && self.0.starts_with("https://"))
    }
}

impl Ownership {
    /// Whether a subscription with this address is managed.
    pub fn covers(&self, address: &Address) -> bool {
        let folded = address.folded();
        self.address_prefixes.iter().any(|prefix| prefix.covers(&folded))
    }
}

impl Default for Ownership {
    fn default() -> Self {
        let prefix = Prefix(Prefix::DEFAULT.to_owned());
        Self { address_prefixes: vec![prefix], unmanaged: Unmanaged::Report }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(prefix: &str, address: &str) -> bool {
        let prefix = Prefix::parse(prefix).expect("prefix");
        Ownership { address_prefixes: vec![prefix], unmanaged: Unmanaged::Report }.covers(&Address::new(address))
    }

    #[test]
    fn a_prefix_covers_only_up_to_a_boundary() {
        assert!(covers("https://dcs.adobedc.net/collection/", "HTTPS://DCS.adobedc.net/collection/abc?x=1"));
        assert!(!covers("https://dcs.adobedc.net/collection/", "https://dcs.adobedc.net/COLLECTION/abc"));
        assert!(covers("https://x.example/a", "https://x.example/a"));
        assert!(covers("https://x.example/a", "https://X.example/a?q=1"));
        assert!(!covers("https://x.example/a", "https://x.example/ab"));
        assert!(!covers("https://x.example/a", "https://x.example/a/b"));
        assert!(!covers("https://x.example", "https://x.example.evil.com/"));
        assert!(!covers("https://x.example/", "https://x.example@evil.com/"));
        assert!(covers("pubsub://project:", "pubsub://project:topic"));
        assert!(!covers("pubsub://project:Topic", "pubsub://project:topic"));
        assert!(!covers("pubsub://project", "pubsub://project-two:topic"));
        assert!(covers("arn:aws:events:us-east-1::", "arn:aws:events:us-east-1::event-source/x"));
    }

    #[test]
    fn a_prefix_without_an_owner_is_rejected() {
        for (text, error) in [
            ("", PrefixError::Empty),
            ("  ", PrefixError::Empty),
            ("dcs.adobedc.net/", PrefixError::NoScheme),
            ("x.example:443/", PrefixError::NoScheme),
            ("https://", PrefixError::SchemeAlone),
            ("https:///", PrefixError::SchemeAlone),
            ("pubsub://", PrefixError::SchemeAlone),
            ("PubSub://:orders", PrefixError::SchemeAlone),
            ("arn:", PrefixError::SchemeAlone),
            ("http://x.example/", PrefixError::OtherScheme),
            ("kafka://broker/", PrefixError::OtherScheme),
        ] {
            assert_eq!(Prefix::parse(text), Err(error), "{text:?}");
        }
    }
}
