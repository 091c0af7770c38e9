//! The part of a seed that a state lacks: one state serves several manifests, and each brings its own shops.

use crate::model::ShopDomain;

use super::super::store::World;
use super::{Entry, Seed};

/// What was added to a state for a manifest.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Shops as the seed describes them.
    pub seeded: Vec<ShopDomain>,
    /// Shops that no seed names: they have no subscriptions.
    pub empty: Vec<ShopDomain>,
    /// Whether Adobe's side of the seed was added.
    pub adobe: bool,
}

impl Added {
    pub(in super::super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl Seed {
    /// Those of `shops` that `world` does not know, as this seed has them, or else with the given scopes and without
    /// subscriptions. Adobe's side and the app are taken where the state has none of its own.
    pub(in super::super) fn missing(&self, world: &World, shops: &[(ShopDomain, Vec<String>)]) -> (Self, Added) {
        let (mut part, mut added) = (Self::default(), Added::default());
        for (shop, scopes) in shops.iter().filter(|(shop, _)| !world.shops.contains_key(shop)) {
            let mut entries = self.shops.iter().filter(|(_, domain, _)| domain == shop).cloned().peekable();
            if entries.peek().is_some() {
                added.seeded.push(shop.clone());
                part.shops.extend(entries);
            } else {
                added.empty.push(shop.clone());
                let entry = Entry { scopes: Some(scopes.clone()), ..Entry::default() };
                part.shops.push(("the manifest".to_owned(), shop.clone(), entry));
            }
        }
        part.app = self.app.clone().filter(|_| world.app.is_default());
        part.adobe = self.adobe.clone().filter(|_| !world.adobe.is_seeded());
        added.adobe = part.adobe.is_some();
        (part, added)
    }
}
