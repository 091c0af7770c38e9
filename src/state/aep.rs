//! The part of a manifest about Adobe Experience Platform: accounts, and destinations that are looked up there.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use url::Url;

use super::Source;
use crate::model::{Address, SecretRef, ShopDomain};

/// Credentials for one organisation and one of its sandboxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AepAccount {
    /// The name that destinations use; `default` if the manifest defines one account without a name.
    pub name: Arc<str>,
    /// The IMS organisation, `…@AdobeOrg`.
    pub org: String,
    /// The Adobe sandbox, such as `prod`.
    pub sandbox: String,
    /// The reference to the client id.
    pub client_id: SecretRef,
    /// The reference to the client secret.
    pub client_secret: SecretRef,
    /// The scopes to request from IMS.
    pub scopes: Vec<String>,
    /// The token endpoint, if it is not Adobe's default.
    pub token_url: Option<String>,
    /// The base URL of Flow Service, if it is not Adobe's default.
    pub base_url: Option<String>,
    /// The place of the definition.
    pub source: Source,
}

/// The kinds of objects that have an inlet at Adobe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InletKind {
    /// A dataflow: its address is `options.inletUrl`.
    Flow,
    /// An HTTP API connection: its address is `auth.params.inletUrl`.
    Connection,
}

impl InletKind {
    /// The name in the manifest and in the plan.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Connection => "connection",
        }
    }

    /// The noun in messages.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Flow => "dataflow",
            Self::Connection => "connection",
        }
    }
}

impl fmt::Display for InletKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a lookup identifies its target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LookupBy {
    /// By name, which Adobe does not guarantee to be unique.
    Name(Arc<str>),
    /// By id, a UUID.
    Id(Arc<str>),
}

impl fmt::Display for LookupBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(text) | Self::Id(text) => f.write_str(text),
        }
    }
}

/// One lookup with an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lookup {
    /// The name of the account.
    pub account: Arc<str>,
    /// The kind of object to look up.
    pub kind: InletKind,
    /// The name or id to look up.
    pub by: LookupBy,
}

/// `dataflow "Shopify orders"`, `connection 4982698b-…`
impl fmt::Display for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.by {
            LookupBy::Name(name) => write!(f, "{} {name:?}", self.kind.noun()),
            LookupBy::Id(id) => write!(f, "{} {id}", self.kind.noun()),
        }
    }
}

/// A destination that the manifest defines, or an Adobe address that a binding names directly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Its name; `None` for an address of a binding.
    pub name: Option<Arc<str>>,
    /// The shop that defines it; `None` for a common destination.
    pub shop: Option<ShopDomain>,
    /// The key and the value of the label that choose it; `None` if it applies to all shops.
    pub label: Option<(Arc<str>, Arc<str>)>,
    /// The target.
    pub target: Target,
    /// The address to bind to, or the reason why there is none.
    pub address: Result<Address, NoAddress>,
    /// The place of the definition.
    pub source: Source,
}

/// The target of a destination or a binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An address in the manifest.
    Address(Address),
    /// An address that is looked up at Adobe.
    Lookup(Arc<Query>),
}

impl Target {
    /// Returns the address, if it is in the manifest or was found.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Address(address) => Some(address),
            Self::Lookup(_) => None,
        }
    }

    /// Returns the query, if the address is looked up.
    pub fn query(&self) -> Option<&Query> {
        match self {
            Self::Address(_) => None,
            Self::Lookup(query) => Some(query),
        }
    }

    /// Returns the text of the target for digests: the address, or the query regardless of its result.
    pub(crate) fn written(&self) -> Cow<'_, str> {
        match self {
            Self::Address(address) => Cow::Borrowed(address.as_str()),
            Self::Lookup(query) => Cow::Owned(query.written()),
        }
    }
}

/// A lookup and the form of the resulting address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Query {
    /// The lookup.
    pub lookup: Lookup,
    /// Whether the address contains the id of the dataflow: `?x-adobe-flow-id=`.
    pub with_flow_id: bool,
}

impl Query {
    /// Returns the text for digests. It is part of `manifest_digest` and `desired_digest`, so it must never change.
    fn written(&self) -> String {
        let Lookup { account, kind, by } = &self.lookup;
        let (key, text) = match by {
            LookupBy::Name(name) => ("name", name),
            LookupBy::Id(id) => ("id", id),
        };
        let flow_id = if self.with_flow_id { " with flow id" } else { "" };
        format!("https://dcs.adobedc.net/<{} {key} {text:?} of {account}{flow_id}>", kind.as_str())
    }
}

/// Why a destination has no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAddress {
    /// It was not looked up.
    NotLookedUp,
    /// Adobe answered, but there is no usable address.
    Unusable {
        /// The name of the verdict, such as `missing`.
        verdict: String,
        /// The problem.
        message: String,
    },
    /// No ownership prefix covers the address. The message applies to every destination on the same host.
    NotOwned {
        /// The name of the verdict.
        verdict: String,
        /// The prefix to add.
        message: String,
    },
    /// The lookup failed.
    Failed(LookupError),
}

/// Why a lookup failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupError {
    /// The stable name of the kind.
    pub kind: String,
    /// The HTTP status, if Adobe answered.
    pub http_status: Option<u16>,
    /// The problem.
    pub message: String,
    /// Whether another run may succeed.
    pub retryable: bool,
}

impl Destination {
    /// Returns the destination with the result of its query.
    #[must_use]
    pub fn resolved(&self, found: &Resolutions) -> Self {
        let address = match &self.target {
            Target::Address(address) => Ok(address.clone()),
            Target::Lookup(query) => found.get(&**query).cloned().unwrap_or(Err(NoAddress::NotLookedUp)),
        };
        Self { address, ..self.clone() }
    }
}

/// The query parameter with the id of the dataflow. Shopify cannot send it as a header (documented).
pub const FLOW_ID: &str = "x-adobe-flow-id";

/// Returns the address to bind to for the dataflow or connection `id` that has this inlet address at Adobe.
pub fn address_to_bind(id: &str, address: Address, with_flow_id: bool) -> Address {
    let Some(mut url) = address.url().filter(|_| with_flow_id) else { return address };
    if !url.query_pairs().any(|(key, _)| key == FLOW_ID) {
        url.query_pairs_mut().append_pair(FLOW_ID, id);
    }
    Address::new(url.as_str())
}

/// The results of queries. A query without an entry was not looked up.
pub type Resolutions = HashMap<Query, Result<Address, NoAddress>>;

/// Whether two addresses belong to the same inlet, ignoring the query and so the id of the dataflow.
pub fn same_inlet(a: &Address, b: &Address) -> bool {
    let bare = |address: &Address| {
        let mut url = Url::parse(&address.folded()).ok()?;
        url.set_query(None);
        Some(url)
    };
    a == b || bare(a).is_some_and(|a| bare(b) == Some(a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flow_id_is_added_once_and_only_on_request() {
        let bound =
            |address, with_flow_id| address_to_bind("4982698b", Address::new(address), with_flow_id).to_string();
        let bare = "https://dcs.adobedc.net/collection/e75d";
        assert_eq!(bound(bare, false), bare);
        assert_eq!(bound(bare, true), format!("{bare}?x-adobe-flow-id=4982698b"));
        let already = format!("{bare}?x-adobe-flow-id=1");
        assert_eq!(bound(&already, true), already);
    }

    #[test]
    fn an_inlet_is_the_same_with_any_flow_id() {
        let same = |a, b| same_inlet(&Address::new(a), &Address::new(b));
        assert!(same("https://dcs.adobedc.net/collection/a?x-adobe-flow-id=1", "https://DCS.adobedc.net/collection/a"));
        assert!(!same("https://dcs.adobedc.net/collection/a", "https://dcs.adobedc.net/collection/b"));
        assert!(!same("pubsub://p:t", "pubsub://p:u"));
    }
}
