//! The apps that a manifest names, and the endpoints to which Shopify delivers for them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::auth::describe;
use crate::manifest::{Manifest, ManifestShop, ShopDesired, ShopIndex, is_dcs};
use crate::model::{Address, AddressKind, Auth};
use crate::state::aep::{LookupBy, Query, Target};

/// Shops by domain.
type Shops = BTreeSet<String>;

/// Identifies an app by the source of its client id. `None`: the manifest has only access tokens.
pub(super) type Key = Option<String>;

/// One app.
#[derive(Default)]
pub(super) struct App {
    pub(super) shops: Shops,
    /// Sources of the client secret; none with client assertions only.
    pub(super) secrets: BTreeSet<String>,
    /// Sources of previous secrets in the manifest.
    pub(super) old: BTreeSet<String>,
    /// Paths of token stores.
    pub(super) stores: BTreeSet<String>,
    /// Whether each run fetches tokens with the client secret.
    pub(super) fetches: bool,
    /// Whether each run fetches tokens with a client assertion.
    pub(super) asserts: bool,
    /// Adobe's inlets, by description.
    pub(super) inlets: BTreeMap<String, Endpoint>,
    /// HTTPS endpoints other than Adobe's, by address.
    pub(super) others: BTreeMap<String, Endpoint>,
}

/// An endpoint of deliveries.
#[derive(Default)]
pub(super) struct Endpoint {
    /// Names of destinations in the manifest.
    pub(super) names: BTreeSet<String>,
    pub(super) shops: Shops,
}

/// Returns the apps of these shops, sorted. Deliveries to Pub/Sub and EventBridge are not signed (documented).
pub(super) fn of(manifest: &Manifest, shops: &[ShopIndex]) -> BTreeMap<Key, App> {
    let mut apps: BTreeMap<Key, App> = BTreeMap::new();
    for shop in shops.iter().map(|at| &manifest[*at]) {
        let app = apps.entry(key(shop)).or_default();
        app.shops.insert(shop.shop.to_string());
        app.take_auth(shop);
        match &shop.desired {
            ShopDesired::Resolved(desired) => {
                for entry in &desired.entries {
                    app.take_address(shop, &entry.binding.address, entry.meta.destination.as_deref());
                }
            }
            ShopDesired::Unresolved(unresolved) => {
                for entry in &unresolved.entries {
                    let name = entry.meta.destination.as_deref();
                    match &entry.binding.address {
                        Target::Address(address) => app.take_address(shop, address, name),
                        Target::Lookup(query) => {
                            app.inlets.entry(inlet(manifest, query)).or_default().take(shop, name);
                        }
                    }
                }
            }
        }
    }
    apps
}

fn key(shop: &ManifestShop) -> Key {
    let client_id = match shop.auth.as_deref()? {
        Auth::AccessToken(_) => return None,
        Auth::ClientAssertion(of) => &of.client_id,
        Auth::ClientCredentials(app) | Auth::TokenStore { app, .. } => &app.client_id,
    };
    Some(describe(client_id, &shop.shop))
}

impl Endpoint {
    fn take(&mut self, shop: &ManifestShop, name: Option<&str>) {
        self.names.extend(name.map(str::to_owned));
        self.shops.insert(shop.shop.to_string());
    }
}

impl App {
    /// Adds a delivery address. Addresses that differ only in their query belong to the same inlet.
    fn take_address(&mut self, shop: &ManifestShop, address: &Address, name: Option<&str>) {
        let endpoint = if is_dcs(address) {
            let inlet = address.as_str().split(['?', '#']).next().unwrap_or_default();
            self.inlets.entry(inlet.to_owned()).or_default()
        } else if address.kind() == AddressKind::Https {
            self.others.entry(address.masked().into_owned()).or_default()
        } else {
            return;
        };
        endpoint.take(shop, name);
    }

    fn take_auth(&mut self, shop: &ManifestShop) {
        let app = match shop.auth.as_deref() {
            None | Some(Auth::AccessToken(_)) => return,
            Some(Auth::ClientAssertion(_)) => {
                self.asserts = true;
                return;
            }
            Some(Auth::ClientCredentials(app)) => {
                self.fetches = true;
                app
            }
            Some(Auth::TokenStore { path, app }) => {
                self.stores.insert(path.clone());
                app
            }
        };
        self.secrets.insert(describe(&app.client_secret, &shop.shop));
        self.old.extend(app.old_client_secret.as_ref().map(|old| describe(old, &shop.shop)));
    }
}

/// Describes a lookup at Adobe.
fn inlet(manifest: &Manifest, Query { lookup, .. }: &Query) -> String {
    let sandbox = manifest.aep.iter().find(|account| account.name == lookup.account).map(|account| &account.sandbox);
    let sandbox = sandbox.map_or_else(String::new, |sandbox| format!(" in Adobe sandbox {sandbox}"));
    match &lookup.by {
        LookupBy::Name(name) => format!("{} \"{name}\"{sandbox}", lookup.kind.noun()),
        LookupBy::Id(id) => format!("{} {id}{sandbox}", lookup.kind.noun()),
    }
}
