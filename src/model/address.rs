//! Where a subscription delivers to.

use std::fmt;
use std::sync::Arc;

use url::Url;

/// A delivery address: an https URL, `pubsub://project:topic` or an EventBridge ARN, without surrounding blanks
/// (Shopify trims them; recorded). Compared byte by byte after the trim.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(Arc<str>);

/// What kind of endpoint an address names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressKind {
    /// An https endpoint.
    Https,
    /// Google Cloud Pub/Sub, `pubsub://project:topic`.
    PubSub,
    /// Amazon EventBridge, `arn:aws:events:…`.
    EventBridge,
    /// Anything else; Shopify would refuse it, or it is newer than this tool.
    Other,
}

impl Address {
    /// Takes any text, trimmed. Whether Shopify would accept it is the manifest's business.
    pub fn new(text: &str) -> Self {
        Self(text.trim().into())
    }

    /// The address as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same text, shared.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// The kind, from the scheme.
    pub fn kind(&self) -> AddressKind {
        let lower = self.0.get(..9).unwrap_or(&self.0).to_ascii_lowercase();
        if lower.starts_with("https://") {
            AddressKind::Https
        } else if lower.starts_with("pubsub://") {
            AddressKind::PubSub
        } else if lower.starts_with("arn:") {
            AddressKind::EventBridge
        } else {
            AddressKind::Other
        }
    }

    /// The address with scheme and host in lower case: the form that ownership prefixes compare in.
    pub fn folded(&self) -> String {
        fold(&self.0)
    }

    /// The parsed URL of an https address.
    pub fn url(&self) -> Option<Url> {
        Url::parse(&self.0).ok().filter(|_| self.kind() == AddressKind::Https)
    }
}

/// Lower-cases scheme and authority of a URL-like text and leaves the rest as it is.
pub(crate) fn fold(text: &str) -> String {
    let authority_ends = match text.find("://") {
        Some(at) => text[at + 3..].find(['/', '?', '#']).map_or(text.len(), |end| at + 3 + end),
        None => text.find(':').map_or(0, |at| at + 1),
    };
    let (head, tail) = text.split_at(authority_ends);
    // A Pub/Sub "host" is a project and a topic, and topics are case-sensitive.
    if let Some((scheme, rest)) = head.split_at_checked(9)
        && scheme.eq_ignore_ascii_case("pubsub://")
    {
        return format!("pubsub://{rest}{tail}");
    }
    format!("{}{tail}", head.to_ascii_lowercase())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
