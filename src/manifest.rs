//! Turns the YAML files of a manifest into the desired state, with diagnostics that point to lines.
//!
//! Pure: the caller reads the files. `tree` parses a file into nodes with places, `decode` turns them into a document
//! and collects every structural problem, `merge` combines the documents, and `expand` replaces the names of
//! destinations and sets and runs the checks of the whole manifest. The result is a `Draft`, created once in a run.
//! `resolve` adds the addresses of destinations that are looked up, and runs the checks that depend on them. No step
//! stops at the first problem; the result has a manifest only if there is no error.

mod address;
mod aep;
mod app_config;
mod brackets;
mod check;
mod consents;
mod decode;
mod digest;
mod document;
mod draft;
mod expand;
mod filter;
mod findings;
mod habits;
mod merge;
mod policy;
mod resolve;
pub mod schema;
mod secrets;
pub(crate) mod suggest;
mod syntax;
mod topic_mix;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Index;
use std::sync::Arc;

use jiff::civil::Date;

pub(crate) use address::{Unusable, is_dcs, prefix_for, unusable};
pub(crate) use digest::auth_value;
pub use draft::{Draft, Loaded, ReadFile, load, load_with};

use crate::diagnostic::Code;
pub use crate::model::Transport;
use crate::model::{Address, ApiVersion, Auth, ScopeSet, ShopDomain, TokenExpiry, Topic};
use crate::state::aep::{AepAccount, Destination};
use crate::state::{
    AppEvent, AppSubscription, Desired, Ownership, ReviewedConsent, Safety, ShopLimits, Source, Unresolved,
};

/// The content of one file.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The path as the user gave it.
    pub path: String,
    /// The bytes of the file.
    pub bytes: Vec<u8>,
}

/// Options of the checks.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Warnings that are errors in this run. Diagnostics that `lint.allow` silences stay silent.
    pub deny: Vec<Code>,
    /// Whether policies are not judged: those of a base manifest concern its own branch.
    pub ignore_policies: bool,
    /// The date of the run. Without it, the end of support of versions is not checked.
    pub today: Option<Date>,
}

/// A complete, resolved manifest.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// `sha256:…`, the digest of its meaning, independent of files, order, comments and sets.
    pub digest: String,
    /// The Admin API to use.
    pub admin_api: AdminApi,
    /// The rule that decides which live subscriptions are managed.
    pub ownership: Ownership,
    /// The limits above which a plan needs consent.
    pub safety: Safety,
    /// The consents to hazards, also those that are expired. They do not change what is wanted, so the digest does not
    /// cover them.
    pub consents: Vec<ReviewedConsent>,
    /// The shops, sorted by domain.
    pub shops: Vec<ManifestShop>,
    /// Every address in the manifest.
    pub addresses: BTreeSet<Address>,
    /// The Adobe accounts, sorted by name.
    pub aep: Vec<AepAccount>,
    /// Every defined destination, and the Adobe addresses that bindings name directly.
    pub destinations: Vec<Destination>,
    /// The subscriptions in the app's own configuration, sorted. Shopify delivers the events of a binding that
    /// duplicates one of them twice.
    pub app: Vec<AppSubscription>,
    /// The event subscriptions in the app's own configuration, sorted. If a binding delivers the same resource to the
    /// same address, the address receives two payload shapes.
    pub app_events: Vec<AppEvent>,
    /// The redirect URLs that the app's own configuration allows after approval. They are not part of the desired
    /// state, so the digest does not cover them.
    pub app_redirects: Vec<String>,
}

impl Manifest {
    /// Returns a shop, if the manifest has it.
    pub fn shop(&self, shop: &ShopDomain) -> Option<&ManifestShop> {
        self.index_of(shop.as_str()).map(|at| &self[at])
    }

    /// Returns the index of a shop, given its full domain.
    pub fn index_of(&self, shop: &str) -> Option<ShopIndex> {
        self.shops.binary_search_by(|s| s.shop.as_str().cmp(shop)).ok().map(ShopIndex)
    }

    /// Returns the shops with their indices.
    pub fn indexed_shops(&self) -> impl Iterator<Item = (ShopIndex, &ManifestShop)> {
        self.shops.iter().enumerate().map(|(at, shop)| (ShopIndex(at), shop))
    }

    /// Returns the destinations with their indices.
    pub fn indexed_destinations(&self) -> impl Iterator<Item = (DestinationIndex, &Destination)> {
        self.destinations.iter().enumerate().map(|(at, destination)| (DestinationIndex(at), destination))
    }
}

/// The index of a shop in [`Manifest::shops`]. It is valid for all manifests that are resolved from the same draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShopIndex(usize);

/// The index of a destination in [`Manifest::destinations`], with the same validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DestinationIndex(usize);

impl Index<ShopIndex> for Manifest {
    type Output = ManifestShop;

    fn index(&self, ShopIndex(at): ShopIndex) -> &ManifestShop {
        &self.shops[at]
    }
}

impl Index<DestinationIndex> for Manifest {
    type Output = Destination;

    fn index(&self, DestinationIndex(at): DestinationIndex) -> &Destination {
        &self.destinations[at]
    }
}

/// The Admin API to use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdminApi {
    /// The requested version.
    pub version: ApiVersion,
    /// GraphQL or REST.
    pub transport: Transport,
}

/// One shop.
#[derive(Debug, Clone)]
pub struct ManifestShop {
    /// Its domain.
    pub shop: ShopDomain,
    /// The labels, for selection. The shop's part of a plan shares them.
    pub labels: Arc<BTreeMap<String, String>>,
    /// Its bindings, including those of sets, and the scopes that it should have granted.
    pub desired: ShopDesired,
    /// The source of its token; `None` if the manifest does not define one.
    pub auth: Option<Arc<Auth>>,
    /// The declared expiry of its token.
    pub token_expiry: Option<TokenExpiry>,
    /// The common destinations, replaced by its own ones with the same name.
    pub destinations: Arc<BTreeMap<Arc<str>, Address>>,
    /// The destinations of its bindings that must be looked up, in the order of their indices.
    pub lookups: Vec<DestinationIndex>,
    /// The shop's own limits.
    pub limits: ShopLimits,
    /// The states that do not cause the run to fail.
    pub tolerate: BTreeSet<Tolerable>,
    /// The place of its entry.
    pub source: Source,
}

/// The desired state of a shop.
#[derive(Debug, Clone)]
pub enum ShopDesired {
    /// Every binding has an address. Shops that use only the same sets share the value.
    Resolved(Arc<Desired>),
    /// A binding has no address, so the shop cannot be planned.
    Unresolved(Arc<Unresolved>),
}

impl ManifestShop {
    /// Returns the desired state; `Err` if a binding has no address.
    pub fn desired(&self) -> Result<&Arc<Desired>, &Arc<Unresolved>> {
        match &self.desired {
            ShopDesired::Resolved(desired) => Ok(desired),
            ShopDesired::Unresolved(unresolved) => Err(unresolved),
        }
    }

    /// Returns the known addresses of the bindings.
    pub fn addresses(&self) -> Vec<&Address> {
        match &self.desired {
            ShopDesired::Resolved(desired) => desired.entries.iter().map(|entry| &entry.binding.address).collect(),
            ShopDesired::Unresolved(all) => {
                let targets = all.entries.iter().map(|entry| &entry.binding.address);
                targets.filter_map(|target| target.address()).collect()
            }
        }
    }

    /// Returns the scopes that the shop should have granted, if the manifest lists them.
    pub fn scopes(&self) -> Option<&ScopeSet> {
        match &self.desired {
            ShopDesired::Resolved(desired) => desired.scopes.as_ref(),
            ShopDesired::Unresolved(unresolved) => unresolved.scopes.as_ref(),
        }
    }

    /// Returns the topic of each binding.
    pub fn topics(&self) -> Vec<&Topic> {
        match &self.desired {
            ShopDesired::Resolved(desired) => desired.entries.iter().map(|entry| &entry.binding.topic).collect(),
            ShopDesired::Unresolved(all) => all.entries.iter().map(|entry| &entry.binding.topic).collect(),
        }
    }
}

/// A state of a shop that a run can tolerate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tolerable {
    /// The app is no longer installed.
    Uninstalled,
    /// The shop's Shopify plan lapsed.
    Frozen,
    /// Shopify locked the shop.
    Locked,
}

impl Tolerable {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Uninstalled, Self::Frozen, Self::Locked];

    /// The name in the manifest and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Uninstalled => "uninstalled",
            Self::Frozen => "frozen",
            Self::Locked => "locked",
        }
    }
}

#[cfg(test)]
mod tests;
