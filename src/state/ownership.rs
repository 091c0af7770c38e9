//! Which live subscriptions are ours. Everything else is left alone.

use crate::model::Address;

/// The ownership rule of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// A live subscription is managed if one of these covers its address.
    pub address_prefixes: Vec<Prefix>,
    /// What becomes of the others.
    pub unmanaged: Unmanaged,
}

/// What a plan does about unmanaged subscriptions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unmanaged {
    /// List each as a finding.
    #[default]
    Report,
    /// Count them.
    Ignore,
    /// Plan their deletion, as a hazard.
    Delete,
}

impl Unmanaged {
    /// The word in the manifest and in the plan.
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
/// One that ends in `/` or `:` covers what starts with it. Any other is a whole address and covers only that, for
/// https also followed by a query, so that `https://x.example/a` never covers `https://x.example/ab`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

/// Why a text is no prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// It would cover everything.
    #[error("an empty prefix would cover every subscription")]
    Empty,
    /// It has no scheme, so it would cover nothing or too much.
    #[error("a prefix needs its scheme, such as https:// or pubsub://")]
    NoScheme,
    /// It has a scheme and nothing that names an owner.
    #[error("a prefix of a scheme alone would cover the subscriptions of every owner")]
    SchemeAlone,
    /// It has a scheme that Shopify does not deliver to.
    #[error("the prefix covers nothing: Shopify delivers to https://, pubsub:// and arn: addresses only")]
    OtherScheme,
}

impl Prefix {
    /// The documented default: every DCS collection address.
    pub const DEFAULT: &'static str = "https://dcs.adobedc.net/collection/";

    /// Parses a prefix of an https URL, a Pub/Sub address or an ARN. A scheme alone is refused, too.
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

    /// The prefix, scheme and host in lower case.
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
    fn a_prefix_covers_at_a_boundary_only() {
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
    fn a_prefix_that_names_nobody_is_refused() {
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
