//! What a manifest says of Adobe Experience Platform: accounts, and the destinations that are looked up there.

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
    /// The name that destinations use; `default` where the manifest names none.
    pub name: Arc<str>,
    /// The IMS organisation, `…@AdobeOrg`.
    pub org: String,
    /// The sandbox of Adobe's, such as `prod`.
    pub sandbox: String,
    /// Where the client id is to be had.
    pub client_id: SecretRef,
    /// Where the client secret is to be had.
    pub client_secret: SecretRef,
    /// What is asked of IMS.
    pub scopes: Vec<String>,
    /// Where tokens are given, if not at Adobe's usual address.
    pub token_url: Option<String>,
    /// Where Flow Service is, if not at Adobe's usual address.
    pub base_url: Option<String>,
    /// Where it stands.
    pub source: Source,
}

/// What has an address of its own at Adobe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InletKind {
    /// A dataflow: its address is `options.inletUrl`.
    Flow,
    /// An HTTP API connection: its address is `auth.params.inletUrl`.
    Connection,
}

impl InletKind {
    /// The word in the manifest and in the plan.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Connection => "connection",
        }
    }

    /// The word for people.
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

/// By what something is looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LookupBy {
    /// Its name, which Adobe does not promise to be unique.
    Name(Arc<str>),
    /// Its id, a UUID.
    Id(Arc<str>),
}

impl fmt::Display for LookupBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(text) | Self::Id(text) => f.write_str(text),
        }
    }
}

/// One question to an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lookup {
    /// The name of the account.
    pub account: Arc<str>,
    /// Among what to look.
    pub kind: InletKind,
    /// For what.
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

/// A destination that the manifest defines, or an address of Adobe's that a binding names itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Its name; `None` for an address that stands in a binding.
    pub name: Option<Arc<str>>,
    /// Whose it is; `None`: every shop's.
    pub shop: Option<ShopDomain>,
    /// Where it leads.
    pub target: Target,
    /// The address to bind to, or why there is none.
    pub address: Result<Address, NoAddress>,
    /// Where it stands.
    pub source: Source,
}

/// Where a destination or a binding leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// To an address that the manifest has.
    Address(Address),
    /// To what is found at Adobe.
    Lookup(Arc<Query>),
}

impl Target {
    /// The address, if the manifest has it or it was found.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Address(address) => Some(address),
            Self::Lookup(_) => None,
        }
    }

    /// The query, if the address is looked up.
    pub fn query(&self) -> Option<&Query> {
        match self {
            Self::Address(_) => None,
            Self::Lookup(query) => Some(query),
        }
    }

    /// The text that stands for the target in digests: the address or, whatever is found, the query.
    pub(crate) fn written(&self) -> Cow<'_, str> {
        match self {
            Self::Address(address) => Cow::Borrowed(address.as_str()),
            Self::Lookup(query) => Cow::Owned(query.written()),
        }
    }
}

/// A lookup and the form of the address that is made of what it finds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Query {
    /// What to look for.
    pub lookup: Lookup,
    /// Whether the address says which dataflow is meant: `?x-adobe-flow-id=`.
    pub with_flow_id: bool,
}

impl Query {
    /// The text for digests. It is part of `manifest_digest` and `desired_digest`, so it never changes.
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
    /// Adobe answered, and there is no address that can be bound.
    Unusable {
        /// The name of the verdict, such as `missing`.
        verdict: String,
        /// What is wrong.
        message: String,
    },
    /// No ownership prefix covers the address that Adobe has. The message holds for every destination on the same host.
    NotOwned {
        /// The name of the verdict.
        verdict: String,
        /// Which prefix to add.
        message: String,
    },
    /// The lookup failed.
    Failed(LookupError),
}

/// Why Adobe could not be asked, or did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupError {
    /// The stable name of the kind.
    pub kind: String,
    /// The HTTP status, if Adobe answered.
    pub http_status: Option<u16>,
    /// What is wrong.
    pub message: String,
    /// Whether another run may succeed.
    pub retryable: bool,
}

impl Destination {
    /// The destination with the answer to its query.
    #[must_use]
    pub fn resolved(&self, found: &Resolutions) -> Self {
        let address = match &self.target {
            Target::Address(address) => Ok(address.clone()),
            Target::Lookup(query) => found.get(&**query).cloned().unwrap_or(Err(NoAddress::NotLookedUp)),
        };
        Self { address, ..self.clone() }
    }
}

/// The query parameter that says which dataflow is meant; Shopify cannot send a header (documented).
pub const FLOW_ID: &str = "x-adobe-flow-id";

/// Returns the address to bind to for the dataflow or connection `id` with this address at Adobe.
pub fn address_to_bind(id: &str, address: Address, with_flow_id: bool) -> Address {
    let Some(mut url) = address.url().filter(|_| with_flow_id) else { return address };
    if !url.query_pairs().any(|(key, _)| key == FLOW_ID) {
        url.query_pairs_mut().append_pair(FLOW_ID, id);
    }
    Address::new(url.as_str())
}

/// The answers to queries. A query that is not in it was not looked up.
pub type Resolutions = HashMap<Query, Result<Address, NoAddress>>;

/// Two addresses of one inlet, whatever flow id stands behind.
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
    fn the_flow_id_is_added_once_and_only_where_it_is_wanted() {
        let bound =
            |address, with_flow_id| address_to_bind("4982698b", Address::new(address), with_flow_id).to_string();
        let bare = "https://dcs.adobedc.net/collection/e75d";
        assert_eq!(bound(bare, false), bare);
        assert_eq!(bound(bare, true), format!("{bare}?x-adobe-flow-id=4982698b"));
        let already = format!("{bare}?x-adobe-flow-id=1");
        assert_eq!(bound(&already, true), already);
    }

    #[test]
    fn one_inlet_is_the_same_with_any_flow_id_and_another_is_not() {
        let same = |a, b| same_inlet(&Address::new(a), &Address::new(b));
        assert!(same("https://dcs.adobedc.net/collection/a?x-adobe-flow-id=1", "https://DCS.adobedc.net/collection/a"));
        assert!(!same("https://dcs.adobedc.net/collection/a", "https://dcs.adobedc.net/collection/b"));
        assert!(!same("pubsub://p:t", "pubsub://p:u"));
    }
}
