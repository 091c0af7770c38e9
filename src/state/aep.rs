//! What a manifest says of Adobe Experience Platform: accounts, and the destinations that are looked up there.

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
    /// Where it stands.
    pub source: Source,
}

/// Where a destination leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// To an address that somebody wrote down.
    Address(Address),
    /// To what is found at Adobe.
    Lookup {
        /// What to look for.
        lookup: Lookup,
        /// Whether the address says which dataflow is meant: `?x-adobe-flow-id=`.
        with_flow_id: bool,
    },
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Id of the dataflow or connection.
    pub id: String,
    /// Its address, as Adobe says it.
    pub address: Address,
}

/// The query parameter that says which dataflow is meant; Shopify cannot send a header (documented).
pub const FLOW_ID: &str = "x-adobe-flow-id";

impl Found {
    /// The address to bind to.
    pub fn address(&self, with_flow_id: bool) -> Address {
        let Some(mut url) = self.address.url().filter(|_| with_flow_id) else { return self.address.clone() };
        if !url.query_pairs().any(|(key, _)| key == FLOW_ID) {
            url.query_pairs_mut().append_pair(FLOW_ID, &self.id);
        }
        Address::new(url.as_str())
    }
}

/// What was found for whom. What is not in it was not looked up, or not found.
pub type Lookups = HashMap<Lookup, Found>;

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
        let found = |address| Found { id: "4982698b".into(), address: Address::new(address) };
        let bare = "https://dcs.adobedc.net/collection/e75d";
        assert_eq!(found(bare).address(false).as_str(), bare);
        assert_eq!(found(bare).address(true).as_str(), format!("{bare}?x-adobe-flow-id=4982698b"));
        let already = format!("{bare}?x-adobe-flow-id=1");
        assert_eq!(found(&already).address(true).as_str(), already);
    }

    #[test]
    fn one_inlet_is_the_same_with_any_flow_id_and_another_is_not() {
        let same = |a, b| same_inlet(&Address::new(a), &Address::new(b));
        assert!(same("https://dcs.adobedc.net/collection/a?x-adobe-flow-id=1", "https://DCS.adobedc.net/collection/a"));
        assert!(!same("https://dcs.adobedc.net/collection/a", "https://dcs.adobedc.net/collection/b"));
        assert!(!same("pubsub://p:t", "pubsub://p:u"));
    }
}
