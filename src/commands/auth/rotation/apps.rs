//! The apps of a manifest, as far as it names them, and where Shopify delivers for them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::auth::describe;
use crate::manifest::{Manifest, ManifestShop, is_dcs, is_placeholder};
use crate::model::{Address, AddressKind, Auth};
use crate::state::aep::{LookupBy, Target};

/// Shops by domain.
type Shops = BTreeSet<String>;

/// What identifies an app: the place of its client id. `None`: the manifest has only access tokens.
pub(super) type Key = Option<String>;

/// One app.
#[derive(Default)]
pub(super) struct App {
    pub(super) shops: Shops,
    /// Places of the client secret; none with client assertions only.
    pub(super) secrets: BTreeSet<String>,
    /// Places of former secrets that the manifest names.
    pub(super) old: BTreeSet<String>,
    /// Paths of token stores.
    pub(super) stores: BTreeSet<String>,
    /// Whether tokens are fetched for each run with the client secret.
    pub(super) fetches: bool,
    /// Whether tokens are fetched for each run with a client assertion.
    pub(super) asserts: bool,
    /// Adobe's, by description.
    pub(super) inlets: BTreeMap<String, Endpoint>,
    /// HTTPS endpoints other than Adobe's, by address.
    pub(super) others: BTreeMap<String, Endpoint>,
}

/// Where deliveries go.
#[derive(Default)]
pub(super) struct Endpoint {
    /// Names of destinations in the manifest.
    pub(super) names: BTreeSet<String>,
    pub(super) shops: Shops,
}

/// The apps of these shops, sorted. Deliveries to Pub/Sub and EventBridge have no signature (documented).
pub(super) fn of(manifest: &Manifest, shops: &[usize]) -> BTreeMap<Key, App> {
    let mut apps: BTreeMap<Key, App> = BTreeMap::new();
    for shop in shops.iter().map(|at| &manifest.shops[*at]) {
        let app = apps.entry(key(shop)).or_default();
        app.shops.insert(shop.shop.to_string());
        app.take_auth(shop);
        for entry in &shop.desired.entries {
            let (address, name) = (&entry.binding.address, entry.meta.destination.as_deref());
            let (endpoints, what) = if is_dcs(address) {
                (&mut app.inlets, inlet(manifest, shop, address, name))
            } else if address.kind() == AddressKind::Https {
                (&mut app.others, address.masked().into_owned())
            } else {
                continue;
            };
            let endpoint = endpoints.entry(what).or_default();
            endpoint.names.extend(name.map(str::to_owned));
            endpoint.shops.insert(shop.shop.to_string());
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

impl App {
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

/// An inlet in words: what is looked up at Adobe, or the address without its query, which does not tell inlets apart.
fn inlet(manifest: &Manifest, shop: &ManifestShop, address: &Address, name: Option<&str>) -> String {
    if !is_placeholder(address) {
        return address.as_str().split(['?', '#']).next().unwrap_or_default().to_owned();
    }
    let of_shop = shop.lookups.iter().filter_map(|at| manifest.destinations.get(*at));
    let lookup = of_shop.filter(|d| d.name.as_deref() == name).find_map(|d| match &d.target {
        Target::Lookup { lookup, .. } => Some(lookup),
        Target::Address(_) => None,
    });
    let Some(lookup) = lookup else { return address.to_string() };
    let sandbox = manifest.aep.iter().find(|account| account.name == lookup.account).map(|account| &account.sandbox);
    let sandbox = sandbox.map_or_else(String::new, |sandbox| format!(" in sandbox {sandbox}"));
    match &lookup.by {
        LookupBy::Name(name) => format!("{} \"{name}\"{sandbox}", lookup.kind.noun()),
        LookupBy::Id(id) => format!("{} {id}{sandbox}", lookup.kind.noun()),
    }
}
