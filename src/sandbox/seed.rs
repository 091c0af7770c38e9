//! Seed files (`*.sandbox.yaml`): the initial state of a sandbox.
//!
//! ```yaml
//! sandbox: 1
//! app:                            # the app that OAuth knows; default: sandbox-client with the secret sandbox-secret
//!   client_id: my-app
//!   client_secret: my-secret
//!   old_client_secret: before     # also accepted; `sign_with: old` signs callbacks with it
//!   redirect_uris: ["https://app.example/callback"]   # in addition to http on 127.0.0.1, [::1] and localhost
//!   name: My app
//!   resilient_refresh: false      # a used refresh token is invalid at once, as before 2026-08-28
//!   category: public              # custom, private, public, other, or denied (the field cannot be read); also per shop
//!   non_expiring: refused         # 403 for non-expiring tokens, as for public apps from 2027-01-01; also per shop
//!   token_seconds: 3600           # and refresh_token_seconds, code_seconds
//!   keys: [{ kty: RSA, kid: k1, n: …, e: AQAB }]     # public keys that verify client assertions
//!   assertion_audiences: ["https://{shop}/"]         # accepted in addition to the token endpoint of the shop
//!   clock_ahead_seconds: 600      # for the clock that checks assertions and the Date header of the token endpoint
//! adobe:                          # Adobe's side, for destination lookups
//!   org: 0123456789ABCDEF01234567@AdobeOrg    # default: any
//!   client_id: aep-client         # default: any client
//!   client_secret: aep-secret
//!   token_seconds: 86399          # and page_size
//!   flows:
//!     - name: Shopify orders (prod)           # id and address are derived from it unless they are given
//!       state: enabled            # sandbox: prod, age: 30d (since its creation and last change)
//!       inlet: flow               # `connection`: the base connection of its source has the address
//!       authentication_required: false        # true only with `inlet: connection`
//!       runs: [{ age: 1h, status: success, received: 120 }]   # or partial, failed; every: 1h repeats it until now
//!   connections: [{ name: ACME raw, authentication_required: true }]
//! require_oauth: true             # accept only tokens that OAuth issued; also per shop
//! defaults: { scopes: [write_orders], bucket: { max: 2000, restore: 100 } }
//! shops:
//!   - shop: acme                  # or several: `shops: { prefix: shop-, count: 3 }`
//!     status: uninstalled         # ok, token_refused, frozen, payment_required, forbidden, not_found, locked
//!     token: only-this-one        # the only accepted token; default: any
//!     domains: [www.acme.example] # its own, in addition to Shopify's
//!     api_client_id: 347000000002 # the number of the app that is installed here
//!     foreign_organization: true  # client credentials: shop_not_permitted
//!     subscriptions: [{ topic: orders/create, address: "https://a.example/" }]
//! faults: [{ fault: drop, on: oauth, commit: after, times: 1 }]
//! fault_seed: 7
//! ```
//!
//! A seed describes a state, not a request. It may contain what Shopify would refuse now, such as a subscription without its
//! scope or a duplicate. Ids and times that it does not give are the same on every run.

mod fill;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};
use serde_yaml::Spanned;

use crate::catalog;
use crate::files;
use crate::model::{Format, Scope, ShopDomain, Topic};

use super::adobe::SeedAdobe;
use super::error::SandboxError;
use super::faults::{Faults, Rule};
use super::oauth::{App, Category, NonExpiring};
use super::store::{BucketSize, ShopStatus};
use super::subscription::Metafield;
use super::suggest;

pub(crate) use fill::{Added, Summary};

/// The content of seed files.
#[derive(Debug, Clone, Default)]
pub(super) struct Seed {
    /// The shops, each with its place in the files.
    shops: Vec<(String, ShopDomain, SeedShop)>,
    /// The faults that are active from the start.
    pub(super) faults: Faults,
    /// The app, with its place.
    app: Option<(String, App)>,
    /// Adobe's side, with its place.
    adobe: Option<(String, SeedAdobe)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedFile {
    sandbox: Spanned<u32>,
    app: Option<Spanned<App>>,
    adobe: Option<Spanned<SeedAdobe>>,
    /// The default for the shops of this file.
    #[serde(default)]
    require_oauth: bool,
    #[serde(default)]
    defaults: Defaults,
    #[serde(default)]
    shops: Vec<Spanned<SeedShop>>,
    #[serde(default)]
    faults: Vec<Spanned<Map<String, Value>>>,
    /// The seed of the random numbers of the faults.
    fault_seed: Option<u64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Defaults {
    #[serde(default)]
    scopes: Option<Vec<String>>,
    bucket: Option<BucketSize>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedShop {
    shop: Option<Spanned<String>>,
    /// Several shops with the same settings: `<prefix>1` to `<prefix><count>`.
    shops: Option<ShopRange>,
    scopes: Option<Vec<String>>,
    token: Option<String>,
    #[serde(default)]
    status: ShopStatus,
    bucket: Option<BucketSize>,
    api_client_id: Option<u64>,
    #[serde(default)]
    domains: Vec<String>,
    require_oauth: Option<bool>,
    /// Whether the Admin API accepts non-expiring tokens.
    non_expiring: Option<NonExpiring>,
    /// The category of the app that is installed here.
    category: Option<Category>,
    /// The shop belongs to another organization, so client credentials are refused.
    #[serde(default)]
    foreign_organization: bool,
    #[serde(default)]
    subscriptions: Vec<SeedSubscription>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShopRange {
    prefix: String,
    count: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedSubscription {
    topic: Spanned<String>,
    address: String,
    format: Option<Spanned<String>>,
    filter: Option<String>,
    #[serde(default)]
    include_fields: Vec<String>,
    #[serde(default)]
    metafield_namespaces: Vec<String>,
    #[serde(default)]
    metafields: Vec<Spanned<String>>,
    name: Option<String>,
    created_at: Option<Spanned<String>>,
    updated_at: Option<Spanned<String>>,
    id: Option<u64>,
}

/// Reads seed files. The error lists all mistakes with their places.
pub(super) fn read(files: &[PathBuf]) -> Result<Seed, SandboxError> {
    let mut seed = Seed::default();
    let mut errors = Vec::new();
    for path in files {
        let text = files::read_text(path, files::WRITTEN).map_err(SandboxError::io(path))?;
        match parse(&text, path) {
            Ok(more) => errors.extend(seed.extend(more)),
            Err(more) => errors.extend(more),
        }
    }
    if errors.is_empty() { Ok(seed) } else { Err(SandboxError::Seed(errors)) }
}

/// Parses a seed file. `path` is used in error messages.
pub(super) fn parse_one(text: &str, path: &Path) -> Result<Seed, SandboxError> {
    parse(text, path).map_err(SandboxError::Seed)
}

impl Seed {
    /// Adds the content of another file. Returns an error message if both have an app or an Adobe part.
    fn extend(&mut self, more: Self) -> Option<String> {
        self.shops.extend(more.shops);
        self.faults.extend(more.faults);
        let twice = |what: &str, place: &str, first: &str| {
            Some(format!("{place}: duplicate {what}; the first is at {first}. Write it in one file only"))
        };
        match (&self.app, more.app) {
            (Some((first, _)), Some((place, _))) => return twice("`app`", &place, first),
            (None, app) => self.app = app,
            (Some(_), None) => {}
        }
        match (&self.adobe, more.adobe) {
            (Some((first, _)), Some((place, _))) => return twice("`adobe` part", &place, first),
            (None, adobe) => self.adobe = adobe,
            (Some(_), None) => {}
        }
        None
    }
}

fn parse(text: &str, path: &Path) -> Result<Seed, Vec<String>> {
    let options = serde_yaml::options! {
        strict_booleans: true,
        budget: serde_yaml::budget! {
            max_events: 20_000_000, max_nodes: 10_000_000, enforce_alias_anchor_ratio: false
        }
    };
    let file: SeedFile =
        serde_yaml::from_str_with_options(text, options).map_err(|error| vec![SandboxError::yaml(path, &error)])?;
    let mut errors = Vec::new();
    let mut wrong = |at: serde_yaml::Location, message: String| {
        errors.push(format!("{}:{}:{}: {message}", path.display(), at.line(), at.column()));
    };
    if file.sandbox.value != 1 {
        wrong(
            file.sandbox.referenced,
            format!("unknown seed format `sandbox: {}`; write `sandbox: 1`", file.sandbox.value),
        );
    }
    let app = file.app.map(|app| {
        app.value.check().unwrap_or_else(|message| wrong(app.referenced, message));
        (format!("{}:{}:{}", path.display(), app.referenced.line(), app.referenced.column()), app.value)
    });
    let adobe = file.adobe.map(|adobe| {
        adobe.value.check(&mut wrong);
        (format!("{}:{}:{}", path.display(), adobe.referenced.line(), adobe.referenced.column()), adobe.value)
    });
    let mut shops = Vec::new();
    for Spanned { value: mut entry, referenced: at, .. } in file.shops {
        entry.scopes = entry.scopes.or_else(|| file.defaults.scopes.clone());
        entry.bucket = entry.bucket.or(file.defaults.bucket);
        entry.require_oauth = entry.require_oauth.or(Some(file.require_oauth));
        for scope in entry.scopes.iter().flatten().filter(|scope| Scope::parse(scope).is_none()) {
            wrong(at, format!("`{scope}` is not a scope; expected the form `read_orders`"));
        }
        for seeded in &entry.subscriptions {
            check(seeded, &mut wrong);
        }
        let names = match (&entry.shop, &entry.shops) {
            (Some(shop), None) => vec![(shop.referenced, shop.value.clone())],
            (None, Some(many)) => (1..=many.count).map(|n| (at, format!("{}{n}", many.prefix))).collect(),
            _ => {
                wrong(at, "an entry must have either `shop` or `shops: {prefix: …, count: …}`".into());
                continue;
            }
        };
        for (at, name) in names {
            match ShopDomain::parse(&name) {
                Ok(domain) => {
                    let place = format!("{}:{}:{}", path.display(), at.line(), at.column());
                    shops.push((place, domain, entry.clone()));
                }
                Err(error) => wrong(at, format!("`{name}` is {error}")),
            }
        }
    }
    let mut faults = Faults { seed: file.fault_seed.unwrap_or_default(), rules: Vec::new() };
    for Spanned { value: rule, referenced: at, .. } in file.faults {
        match Rule::parse(rule) {
            Ok(rule) => faults.rules.push(rule),
            Err(message) => errors.push(format!("{}:{}:{}: {message}", path.display(), at.line(), at.column())),
        }
    }
    if errors.is_empty() { Ok(Seed { shops, faults, app, adobe }) } else { Err(errors) }
}

fn check(seeded: &SeedSubscription, wrong: &mut impl FnMut(serde_yaml::Location, String)) {
    let SeedSubscription { topic, format, metafields, created_at, updated_at, .. } = seeded;
    if let Err(message) = self::topic(&topic.value) {
        wrong(topic.referenced, message);
    }
    if let Some(format) = format
        && Format::parse(&format.value).is_none()
    {
        wrong(format.referenced, format!("`{}` is not a format; expected `json` or `xml`", format.value));
    }
    for metafield in metafields {
        if self::metafield(&metafield.value).is_none() {
            wrong(metafield.referenced, format!("`{}` is not a metafield; expected `namespace.key`", metafield.value));
        }
    }
    for time in [created_at, updated_at].into_iter().flatten() {
        if self::time(&time.value).is_none() {
            wrong(time.referenced, format!("`{}` is not a time; expected the form `2026-01-31T12:00:00Z`", time.value));
        }
    }
}

/// Returns the GraphQL name of a topic, given in either spelling. The topic must be available for subscriptions.
pub(super) fn topic(text: &str) -> Result<String, String> {
    match catalog::lookup(&Topic::from_slash(text)) {
        Some(info) if info.is_compliance() => Err(format!(
            "`{text}` is a compliance topic and cannot be subscribed through the Admin API; it belongs in the configuration of the app"
        )),
        Some(info) => Ok(info.graphql()),
        None => {
            let names = catalog::all().iter().map(|info| info.name);
            Err(format!("unknown topic `{text}`{}", suggest(text, names)))
        }
    }
}

/// `namespace.key`
pub(super) fn metafield(text: &str) -> Option<Metafield> {
    let (namespace, key) = text.split_once('.')?;
    let whole = !namespace.is_empty() && !key.is_empty();
    whole.then(|| Metafield { namespace: namespace.to_owned(), key: key.to_owned() })
}

fn time(text: &str) -> Option<String> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[cfg(test)]
#[path = "seed_test.rs"]
mod tests;
