//! The desired state of the manifest and the observed state of the Admin API as one type, and the ownership rule.
//!
//! `State<Wanted>` is desired and `State<Live>` is observed; both contain bindings that can be compared. Pure.

pub mod aep;
mod app;
mod compared;
mod consent;
mod excluding;
mod ownership;
mod safety;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

pub use app::{AppEvent, AppSubscription};
pub(crate) use compared::{Compared, compared, compared_at, set};
pub use consent::{Consent, ConsentError, HazardName, LONGEST_CONSENT_DAYS, ReviewedConsent};
pub use ownership::{Ownership, Prefix, PrefixError, Unmanaged};
pub use safety::{Safety, ShopLimits};

use crate::model::{Address, Binding, Field, Live, ScopeSet, ShopDomain, SubscriptionId, Visibility};

/// The shops of one side.
pub type State<M> = BTreeMap<ShopDomain, ShopState<M>>;

/// The desired state of one shop.
pub type Desired = ShopState<Wanted>;

/// The desired state of one shop before its destinations are resolved. It cannot be compared with an observed state.
pub type Unresolved = ShopState<Wanted, aep::Target>;

/// The observed state of one shop.
pub type Observed = ShopState<Live>;

/// One side of one shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopState<M, A = Address> {
    /// The wanted or granted scopes. `None` if the manifest lists none, or the transport does not show them.
    pub scopes: Option<ScopeSet>,
    /// The bindings, in no particular order.
    pub entries: Vec<Entry<M, A>>,
}

impl<M, A> Default for ShopState<M, A> {
    fn default() -> Self {
        Self { scopes: None, entries: Vec::new() }
    }
}

/// A binding with additional data of its side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<M, A = Address> {
    /// The binding, which is compared.
    pub binding: Binding<A>,
    /// The additional data, which is not compared.
    pub meta: M,
}

impl Observed {
    /// Returns an id that appears twice. Such a list is not a valid reading: the pages shifted while it was read, or
    /// the response is broken.
    pub fn repeated_id(&self) -> Option<&SubscriptionId> {
        let mut seen = HashSet::with_capacity(self.entries.len());
        self.entries.iter().map(|entry| &entry.meta.id).find(|id| !seen.insert(*id))
    }

    /// Whether both contain the same subscriptions with the same fields, in any order.
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
    /// Returns the fields in which this subscription is known to differ from `wanted`. If its app is known, `$app:NS`
    /// equals only `app--<number of the app>--NS`.
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

/// Additional data of a binding in the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Name of the destination, if the binding names a destination instead of an address.
    pub destination: Option<Arc<str>>,
    /// The place of the binding.
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
