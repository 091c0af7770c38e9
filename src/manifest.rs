//! YAML text as the desired state, with complaints that point at the line.
//!
//! Pure: files are read by `commands::load`. `tree` parses a file into nodes that know where they stand, `decode` makes a
//! document of them and collects every structural problem, `merge` puts the documents together, and `expand` puts
//! destinations and sets in their places and checks what only the whole shows. The result is a `Draft`, made once a run.
//! `resolve` gives it the addresses of destinations that are looked up, and checks what depends on them. Nothing stops at
//! the first problem; a manifest comes out only if there is no error.

mod address;
mod aep;
mod app_config;
mod brackets;
mod check;
mod decode;
mod digest;
mod document;
mod draft;
mod expand;
mod filter;
mod findings;
mod habits;
mod merge;
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
use crate::state::{AppEvent, AppSubscription, Desired, Ownership, Safety, ShopLimits, Source, Unresolved};

/// One file as it was read.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The path as the user gave it.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// How to judge.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Warnings that are errors this time. What `lint.allow` silences stays silent.
    pub deny: Vec<Code>,
    /// The day of the run. Without it nothing is said of versions that leave support.
    pub today: Option<Date>,
}

/// A whole manifest, resolved.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// `sha256:…` over what it means, whatever files, order, comments and sets say it.
    pub digest: String,
    /// How to talk to Shopify.
    pub admin_api: AdminApi,
    /// Which live subscriptions are ours.
    pub ownership: Ownership,
    /// The limits.
    pub safety: Safety,
    /// Sorted by domain.
    pub shops: Vec<ManifestShop>,
    /// Every address that is named anywhere in it.
    pub addresses: BTreeSet<Address>,
    /// Accounts at Adobe, by name.
    pub aep: Vec<AepAccount>,
    /// Every destination that is defined, and addresses of Adobe's that bindings name themselves.
    pub destinations: Vec<Destination>,
    /// What the app declares for itself, sorted: a binding that repeats it is delivered twice.
    pub app: Vec<AppSubscription>,
    /// The events that the app declares for itself, sorted: beside a binding of the same resource an address gets two
    /// payload shapes.
    pub app_events: Vec<AppEvent>,
    /// Where the app lets a browser be sent after its approval, as `app_config` lists it. No part of what is wanted: the
    /// digest leaves it out.
    pub app_redirects: Vec<String>,
}

impl Manifest {
    /// What it says of a shop.
    pub fn shop(&self, shop: &ShopDomain) -> Option<&ManifestShop> {
        self.index_of(shop.as_str()).map(|at| &self[at])
    }

    /// The place of a shop, by its full domain.
    pub fn index_of(&self, shop: &str) -> Option<ShopIndex> {
        self.shops.binary_search_by(|s| s.shop.as_str().cmp(shop)).ok().map(ShopIndex)
    }

    /// The shops with their places.
    pub fn indexed_shops(&self) -> impl Iterator<Item = (ShopIndex, &ManifestShop)> {
        self.shops.iter().enumerate().map(|(at, shop)| (ShopIndex(at), shop))
    }

    /// The destinations with their places.
    pub fn indexed_destinations(&self) -> impl Iterator<Item = (DestinationIndex, &Destination)> {
        self.destinations.iter().enumerate().map(|(at, destination)| (DestinationIndex(at), destination))
    }
}

/// The place of a shop in [`Manifest::shops`] of the manifest that gave it, whatever its destinations were resolved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShopIndex(usize);

/// The place of a destination in [`Manifest::destinations`], likewise.
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

/// How to talk to Shopify.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdminApi {
    /// The version asked for.
    pub version: ApiVersion,
    /// GraphQL or REST.
    pub transport: Transport,
}

/// One shop.
#[derive(Debug, Clone)]
pub struct ManifestShop {
    /// Its domain.
    pub shop: ShopDomain,
    /// For selection.
    pub labels: BTreeMap<String, String>,
    /// Its bindings, those of sets included, and the scopes it should have granted.
    pub desired: ShopDesired,
    /// Where its token is to be had; `None`: the manifest does not say.
    pub auth: Option<Arc<Auth>>,
    /// What is said of the expiry of its token.
    pub token_expiry: Option<TokenExpiry>,
    /// Its own destinations over the common ones.
    pub destinations: Arc<BTreeMap<Arc<str>, Address>>,
    /// The destinations that its bindings need to have looked up: in the order of their places.
    pub lookups: Vec<DestinationIndex>,
    /// Its own limits.
    pub limits: ShopLimits,
    /// What does not make the run fail.
    pub tolerate: BTreeSet<Tolerable>,
    /// Where it stands.
    pub source: Source,
}

/// What a manifest asks of a shop.
#[derive(Debug, Clone)]
pub enum ShopDesired {
    /// Every binding has an address. Shops that ask for the same by the same sets share it.
    Resolved(Arc<Desired>),
    /// A binding has none, so the shop cannot be planned.
    Unresolved(Arc<Unresolved>),
}

impl ManifestShop {
    /// What the manifest asks of the shop; `Err` if a binding has no address.
    pub fn desired(&self) -> Result<&Arc<Desired>, &Arc<Unresolved>> {
        match &self.desired {
            ShopDesired::Resolved(desired) => Ok(desired),
            ShopDesired::Unresolved(unresolved) => Err(unresolved),
        }
    }

    /// The addresses that its bindings have.
    pub fn addresses(&self) -> Vec<&Address> {
        match &self.desired {
            ShopDesired::Resolved(desired) => desired.entries.iter().map(|entry| &entry.binding.address).collect(),
            ShopDesired::Unresolved(all) => {
                let targets = all.entries.iter().map(|entry| &entry.binding.address);
                targets.filter_map(|target| target.address()).collect()
            }
        }
    }

    /// The scopes that the shop should have granted, if the manifest says which.
    pub fn scopes(&self) -> Option<&ScopeSet> {
        match &self.desired {
            ShopDesired::Resolved(desired) => desired.scopes.as_ref(),
            ShopDesired::Unresolved(unresolved) => unresolved.scopes.as_ref(),
        }
    }

    /// The topic of each binding.
    pub fn topics(&self) -> Vec<&Topic> {
        match &self.desired {
            ShopDesired::Resolved(desired) => desired.entries.iter().map(|entry| &entry.binding.topic).collect(),
            ShopDesired::Unresolved(all) => all.entries.iter().map(|entry| &entry.binding.topic).collect(),
        }
    }
}

/// A state of a shop that a run may tolerate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tolerable {
    /// The app is gone.
    Uninstalled,
    /// The shop's plan lapsed.
    Frozen,
    /// Shopify locked the shop.
    Locked,
}

impl Tolerable {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Uninstalled, Self::Frozen, Self::Locked];

    /// The word in the manifest and on the command line.
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
