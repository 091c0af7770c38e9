//! Adding a seed to a state.

use serde::{Deserialize, Serialize};
use serde_yaml::Spanned;

use crate::model::{Format, ShopDomain};
use crate::sandbox::error::SandboxError;
use crate::sandbox::store::{Policy, StoredShop, World};
use crate::sandbox::subscription::{Input, Subscription};

use super::{Seed, SeedShop, SeedSubscription, metafield, time};

/// The creation time of a seeded subscription without one.
const CREATED: &str = "2026-01-01T00:00:00Z";

/// The content of a state after a seed was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// Shops in the state.
    pub shops: usize,
    /// Subscriptions in the state.
    pub subscriptions: usize,
}

/// The objects that were added to a state for a manifest. One state serves several manifests, and each adds its own shops.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Added {
    /// Shops that the seed describes.
    pub seeded: Vec<ShopDomain>,
    /// Shops that no seed describes. They have no subscriptions.
    pub empty: Vec<ShopDomain>,
    /// Whether Adobe's side of the seed was added.
    pub adobe: bool,
}

impl Added {
    pub(in crate::sandbox) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl Seed {
    /// Adds the app, Adobe's side and the shops to `world`. `now` is in milliseconds since 1970. A shop that `world` has
    /// already is an error.
    pub(in crate::sandbox) fn fill(&self, world: &mut World, now: i64) -> Result<Summary, SandboxError> {
        let mut errors = Vec::new();
        if let Some((_, app)) = &self.app {
            world.app.clone_from(app);
        }
        if let Some((place, adobe)) = &self.adobe {
            if world.adobe.is_seeded() {
                let way_out = "add it only once, or replace the state with `--replace`";
                errors.push(format!("{place}: the sandbox already contains an `adobe` part; {way_out}"));
            }
            world.adobe = adobe.make(now);
        }
        for (place, domain, entry) in &self.shops {
            if world.shops.contains_key(domain) {
                errors.push(format!(
                    "{place}: duplicate shop {domain}; write it once, or replace the state with `--replace`"
                ));
                continue;
            }
            let shop = world.shop_mut(domain);
            shop.scopes = entry.scopes.clone().unwrap_or_default();
            shop.token.clone_from(&entry.token);
            shop.status = entry.status;
            shop.bucket = entry.bucket.unwrap_or_default();
            shop.api_client_id = entry.api_client_id.unwrap_or(shop.api_client_id);
            shop.domains.splice(1..1, entry.domains.iter().map(|domain| domain.to_ascii_lowercase()));
            shop.policy = Policy {
                require_oauth: entry.require_oauth.unwrap_or_default(),
                non_expiring: entry.non_expiring,
                category: entry.category,
                foreign_organization: entry.foreign_organization,
            };
            for seeded in &entry.subscriptions {
                let subscription = subscription(shop, seeded);
                if shop.subscriptions.contains_key(&subscription.id) {
                    errors.push(format!("{place}: duplicate subscription id {} in {domain}", subscription.id));
                }
                shop.put(subscription);
            }
        }
        if !errors.is_empty() {
            return Err(SandboxError::Seed(errors));
        }
        Ok(Summary { shops: world.shops.len(), subscriptions: world.subscription_count() })
    }

    /// Returns a seed with those of `shops` that `world` lacks. A shop that this seed does not describe gets the given
    /// scopes and no subscriptions. The app and Adobe's side are included if `world` has only the defaults.
    pub(in crate::sandbox) fn missing(&self, world: &World, shops: &[(ShopDomain, Vec<String>)]) -> (Self, Added) {
        let (mut part, mut added) = (Self::default(), Added::default());
        for (shop, scopes) in shops.iter().filter(|(shop, _)| !world.shops.contains_key(shop)) {
            let mut entries = self.shops.iter().filter(|(_, domain, _)| domain == shop).cloned().peekable();
            if entries.peek().is_some() {
                added.seeded.push(shop.clone());
                part.shops.extend(entries);
            } else {
                added.empty.push(shop.clone());
                let entry = SeedShop { scopes: Some(scopes.clone()), ..SeedShop::default() };
                part.shops.push(("the manifest".to_owned(), shop.clone(), entry));
            }
        }
        part.app = self.app.clone().filter(|_| world.app.is_default());
        part.adobe = self.adobe.clone().filter(|_| !world.adobe.is_seeded());
        added.adobe = part.adobe.is_some();
        (part, added)
    }
}

fn subscription(shop: &StoredShop, seeded: &SeedSubscription) -> Subscription {
    let SeedSubscription {
        topic,
        address,
        format,
        filter,
        include_fields,
        metafield_namespaces,
        metafields,
        name,
        created_at,
        updated_at,
        id,
    } = seeded;
    let topic = super::topic(&topic.value).unwrap_or_default(); // checked by the parser
    let given = |at: &Option<Spanned<String>>| at.as_ref().and_then(|at| time(&at.value));
    let created_at = given(created_at).unwrap_or_else(|| CREATED.to_owned());
    let input = Input {
        uri: Some(address.clone()),
        format: format.as_ref().and_then(|format| Format::parse(&format.value)),
        filter: Some(filter.clone()),
        include_fields: Some(include_fields.clone()),
        metafield_namespaces: Some(metafield_namespaces.clone()),
        metafields: Some(metafields.iter().filter_map(|m| metafield(&m.value)).collect()),
        name: name.clone(),
    };
    let subscription = shop.draft(&topic, input, &created_at);
    Subscription {
        id: id.unwrap_or(subscription.id),
        updated_at: given(updated_at).unwrap_or_else(|| subscription.updated_at.clone()),
        ..subscription
    }
}
