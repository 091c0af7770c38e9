//! What the manifest asks and what the Admin API said, as one type, and the rule of what is ours.
//!
//! `State<Wanted>` is desired, `State<Live>` is observed; the bindings inside compare with each other. Pure.

pub mod aep;
mod app;
mod compared;
mod excluding;
mod ownership;
mod safety;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

pub use app::{AppEvent, AppSubscription};
pub(crate) use compared::{Compared, compared, compared_at, set};
pub use ownership::{Ownership, Prefix, PrefixError, Unmanaged};
pub use safety::{Safety, ShopLimits};

use crate::model::{Address, Binding, Field, Live, ScopeSet, ShopDomain, SubscriptionId, Visibility};

/// The shops of one side.
pub type State<M> = BTreeMap<ShopDomain, ShopState<M>>;

/// What the manifest asks of one shop.
pub type Desired = ShopState<Wanted>;

/// What the manifest asks of one shop before its destinations are resolved. It cannot be compared with a shop.
pub type Unresolved = ShopState<Wanted, aep::Target>;

/// What the Admin API said of one shop.
pub type Observed = ShopState<Live>;

/// One side of one shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopState<M, A = Address> {
    /// Wanted or granted scopes. `None`: the manifest wants none in particular, or the transport could not say.
    pub scopes: Option<ScopeSet>,
    /// The bindings, in no particular order.
    pub entries: Vec<Entry<M, A>>,
}

impl<M, A> Default for ShopState<M, A> {
    fn default() -> Self {
        Self { scopes: None, entries: Vec::new() }
    }
}

/// A binding and what its side knows besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<M, A = Address> {
    /// What is compared.
    pub binding: Binding<A>,
    /// What is not.
    pub meta: M,
}

impl Observed {
    /// An id that the list has twice. Such a list is no reading: pages shifted while it was read, or the answer is broken.
    pub fn repeated_id(&self) -> Option<&SubscriptionId> {
        let mut seen = HashSet::with_capacity(self.entries.len());
        self.entries.iter().map(|entry| &entry.meta.id).find(|id| !seen.insert(*id))
    }

    /// Whether both show the same subscriptions with the same fields, in whatever order.
    pub(crate) fn same_subscriptions(&self, other: &Self) -> bool {
        let sorted = |of: &Self| {
            let mut list: Vec<_> = of.entries.iter().map(|e| (e.meta.id.clone(), e.binding.clone())).collect();
            list.sort_by(|x, y| x.0.cmp(&y.0));
            list
        };
        sorted(self) == sorted(other)
    }
}

impl Entry<Live> {
    /// The fields in which this subscription is known to differ from `wanted`. Where its app is known, `$app:NS` equals
    /// `app--<its number>--NS` and no other app's.
    pub fn differs_from(&self, wanted: &Binding) -> Vec<Field> {
        let mut fields = match self.meta.app {
            Some(app) => wanted.of_app(app).differing_fields(&self.binding),
            None => wanted.differing_fields(&self.binding),
        };
        fields.retain(|field| self.meta.visibility.shows(*field));
        let metafields_known = self.binding.metafields.is_some() || self.meta.visibility == Visibility::Whole;
        fields.retain(|field| *field != Field::Metafields || metafields_known);
        fields
    }
}

/// What the manifest knows of a binding besides the binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Name of the destination, if the binding names one and not an address.
    pub destination: Option<Arc<str>>,
    /// Where the binding stands.
    pub source: Source,
}

/// A place in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The path as the user gave it.
    pub file: Arc<str>,
    /// 1-based.
    pub line: u32,
}
