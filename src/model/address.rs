//! The delivery address of a subscription.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use url::Url;

/// A delivery address: an https URL, `pubsub://project:topic` or an EventBridge ARN, without surrounding spaces, which
/// Shopify removes (recorded). Addresses are compared byte by byte.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(Arc<str>);

/// Replaces a part that may be a credential.
const MASK: &str = "***";

/// The kind of endpoint of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressKind {
    /// An https endpoint.
    Https,
    /// Google Cloud Pub/Sub, `pubsub://project:topic`.
    PubSub,
    /// Amazon EventBridge, `arn:aws:events:…`.
    EventBridge,
    /// Any other address: Shopify would reject it, or it is newer than this version of Hookwright.
    Other,
}

impl Address {
    /// Accepts any text and trims it, because a live subscription may have an address that Shopify would reject today.
    /// `manifest` checks its addresses.
    pub fn new(text: &str) -> Self {
        Self(text.trim().into())
    }

    /// Returns the address as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the shared text of the address.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// Returns the kind, which the scheme determines.
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

    /// Returns the address with scheme and host in lower case, the form in which it is compared with ownership
    /// prefixes.
    pub fn folded(&self) -> String {
        fold(&self.0)
    }

    /// Returns the address with possible credentials masked: user and password, the values of the query, and the
    /// fragment. Used for addresses of other owners; addresses of a manifest are shown unchanged.
    pub fn masked(&self) -> Cow<'_, str> {
        let text = &*self.0;
        let start = text.find("://").map_or(0, |at| at + 3);
        let end = text[start..].find(['/', '?', '#']).map_or(text.len(), |at| start + at);
        let host = text[start..end].rfind('@').map(|at| start + at);
        let query = text.find(['?', '#']);
        if host.is_none() && query.is_none() {
            return Cow::Borrowed(text);
        }
        let mut out = text[..start].to_owned();
        if host.is_some() {
            out.push_str(MASK);
        }
        let rest = query.unwrap_or(text.len());
        out.push_str(&text[host.unwrap_or(start)..rest]);
        let (query, fragment) = text[rest..].split_once('#').map_or((&text[rest..], false), |(query, _)| (query, true));
        for (at, pair) in query.trim_start_matches('?').split('&').enumerate().filter(|(_, pair)| !pair.is_empty()) {
            out.push(if at == 0 { '?' } else { '&' });
            match pair.split_once('=') {
                // The id of a dataflow distinguishes inlets and is not a credential.
                Some((key, _)) if key != "x-adobe-flow-id" => out.extend([key, "=", MASK]),
                Some(_) => out.push_str(pair),
                None => out.push_str(MASK),
            }
        }
        if fragment {
            out.extend(["#", MASK]);
        }
        Cow::Owned(out)
    }

    /// Returns the parsed URL of an https address.
    pub fn url(&self) -> Option<Url> {
        Url::parse(&self.0).ok().filter(|_| self.kind() == AddressKind::Https)
    }
}

/// Converts scheme and authority of a URL-like text to lower case, and keeps the rest.
pub(crate) fn fold(text: &str) -> String {
    let authority_ends = match text.find("://") {
        Some(at) => text[at + 3..].find(['/', '?', '#']).map_or(text.len(), |end| at + 3 + end),
        None => text.find(':').map_or(0, |at| at + 1),
    };
    let (head, tail) = text.split_at(authority_ends);
    // The "host" of a Pub/Sub address contains a topic, which is case-sensitive.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_possible_credentials_are_masked() {
        for (address, shown) in [
            ("https://a.example/hook", "https://a.example/hook"),
            ("https://user:pass@a.example/hook", "https://***@a.example/hook"),
            ("https://token@a.example", "https://***@a.example"),
            ("https://a:b@c:d@a.example/x@y", "https://***@a.example/x@y"),
            ("https://a.example/hook?token=abc&v=&flag", "https://a.example/hook?token=***&v=***&***"),
            ("https://a.example/?x-adobe-flow-id=1-2&key=k#frag", "https://a.example/?x-adobe-flow-id=1-2&key=***#***"),
            ("https://a.example#secret", "https://a.example#***"),
            ("https://u:p@a.example?a=b", "https://***@a.example?a=***"),
            ("pubsub://project:topic", "pubsub://project:topic"),
            ("arn:aws:events:us-east-1::event-source/x", "arn:aws:events:us-east-1::event-source/x"),
            ("user:pass@host/x", "***@host/x"),
            ("é://ü@ö?ä=ß", "é://***@ö?ä=***"),
            ("", ""),
            ("?", ""),
        ] {
            assert_eq!(Address::new(address).masked(), shown, "{address}");
        }
    }
}
