//! Seed files (`*.sandbox.yaml`): the shops that a sandbox starts with.
//!
//! ```yaml
//! sandbox: 1
//! app:                            # whom OAuth knows; without it sandbox-client with the secret sandbox-secret
//!   client_id: my-app
//!   client_secret: my-secret
//!   old_client_secret: before     # accepted, too; with `sign_with: old` callbacks are signed with it
//!   redirect_uris: ["https://app.example/callback"]   # besides http to 127.0.0.1, [::1] and localhost
//!   name: My app
//!   resilient_refresh: false      # a used refresh token is dead at once, as before 2026-08-28
//!   category: public              # custom, private, public, other, or denied: the field cannot be read; a shop may say so, too
//!   non_expiring: refused         # 403 for tokens without an end, as for public apps from 2027-01-01; a shop may say so, too
//!   token_seconds: 3600           # and refresh_token_seconds, code_seconds
//!   keys: [{ kty: RSA, kid: k1, n: …, e: AQAB }]     # public keys that verify client assertions
//!   assertion_audiences: ["https://{shop}/"]         # accepted in an assertion besides the shop's token endpoint
//!   clock_ahead_seconds: 600      # the clock that judges assertions, and the Date header of the token endpoint
//! adobe:                          # Adobe's side, for destinations that are looked up
//!   org: 0123456789ABCDEF01234567@AdobeOrg    # without it any is served
//!   client_id: aep-client         # without these two any client is
//!   client_secret: aep-secret
//!   token_seconds: 86399          # and page_size
//!   flows:
//!     - name: Shopify orders (prod)           # id and address follow from it, unless they are given
//!       state: enabled            # sandbox: prod, age: 30d (when it was made and last changed)
//!       inlet: flow               # `connection`: its address is at the base connection of its source
//!       authentication_required: false        # true only with `inlet: connection`
//!       runs: [{ age: 1h, status: success, received: 120 }]   # or partial, failed; every: 1h repeats it until now
//!   connections: [{ name: ACME raw, authentication_required: true }]
//! require_oauth: true             # only tokens that OAuth gave; a shop may say so, too
//! defaults: { scopes: [write_orders], bucket: { max: 2000, restore: 100 } }
//! shops:
//!   - shop: acme                  # or many: `shops: { prefix: shop-, count: 3 }`
//!     status: uninstalled         # ok, token_refused, frozen, payment_required, forbidden, not_found, locked
//!     token: only-this-one        # instead of any
//!     domains: [www.acme.example] # its own, besides those that Shopify gives it
//!     api_client_id: 347000000002 # the number of the app that is installed here
//!     foreign_organization: true  # client credentials: shop_not_permitted
//!     subscriptions: [{ topic: orders/create, address: "https://a.example/" }]
//! faults: [{ fault: drop, on: oauth, commit: after, times: 1 }]
//! fault_seed: 7
//! ```
//!
//! A seed says what is, not what somebody asks for, so it may hold what Shopify would refuse by now: a subscription whose
//! scope is gone, a look-alike. Ids and times that it does not give are the same on every run.

mod missing;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use serde_yaml::Spanned;

use crate::catalog;
use crate::files;
use crate::model::{Format, Scope, ShopDomain, Topic};
use crate::words;

use super::adobe::SeedAdobe;
use super::error::SandboxError;
use super::faults::{Faults, Rule};
use super::oauth::{App, Category, NonExpiring};
use super::store::{BucketSize, Input, Metafield, Policy, Shop, Status, Subscription, World};
use super::suggest;

pub use missing::Added;

/// When a seeded subscription was created, unless the seed says so.
const CREATED: &str = "2026-01-01T00:00:00Z";

/// What seed files say, with the place of each shop.
#[derive(Debug, Clone, Default)]
pub(super) struct Seed {
    shops: Vec<(String, ShopDomain, Entry)>,
    /// What goes wrong from the start.
    pub(super) faults: Faults,
    /// The app, with its place.
    app: Option<(String, App)>,
    /// Adobe's side, with its place.
    adobe: Option<(String, SeedAdobe)>,
}

/// What a seed brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Shops in the state.
    pub shops: usize,
    /// Subscriptions in the state.
    pub subscriptions: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    sandbox: Spanned<u32>,
    /// The app that OAuth knows; without one `sandbox-client` with the secret `sandbox-secret`.
    app: Option<Spanned<App>>,
    /// Adobe's side: accounts, dataflows, connections.
    adobe: Option<Spanned<SeedAdobe>>,
    /// For every shop of this file: only tokens that OAuth gave are accepted.
    #[serde(default)]
    require_oauth: bool,
    #[serde(default)]
    defaults: Defaults,
    #[serde(default)]
    shops: Vec<Spanned<Entry>>,
    #[serde(default)]
    faults: Vec<Spanned<Map<String, Value>>>,
    /// What the chances of the faults start from.
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
struct Entry {
    shop: Option<Spanned<String>>,
    /// Many alike: `<prefix>1` to `<prefix><count>`.
    shops: Option<Many>,
    scopes: Option<Vec<String>>,
    token: Option<String>,
    #[serde(default)]
    status: Status,
    bucket: Option<BucketSize>,
    api_client_id: Option<u64>,
    #[serde(default)]
    domains: Vec<String>,
    /// Only tokens that OAuth gave are accepted.
    require_oauth: Option<bool>,
    /// What the Admin API makes of tokens without an end: `accepted` or `refused`.
    non_expiring: Option<NonExpiring>,
    /// How the app that is installed here is distributed.
    category: Option<Category>,
    /// The shop is of another organization, so that client credentials bring no token.
    #[serde(default)]
    foreign_organization: bool,
    #[serde(default)]
    subscriptions: Vec<Seeded>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Many {
    prefix: String,
    count: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seeded {
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

/// Reads seed files; every mistake in them is told, with its place.
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

/// Parses the text of one seed file; `path` is for messages.
pub(super) fn parse_one(text: &str, path: &Path) -> Result<Seed, SandboxError> {
    parse(text, path).map_err(SandboxError::Seed)
}

impl Seed {
    /// Adds what another file says; what can't stand in both is told.
    fn extend(&mut self, more: Self) -> Option<String> {
        self.shops.extend(more.shops);
        self.faults.extend(more.faults);
        let twice = |what: &str, place: &str, first: &str| {
            Some(format!("{place}: there is an {what} at {first} already; name it in one file"))
        };
        match (&self.app, more.app) {
            (Some((first, _)), Some((place, _))) => return twice("app", &place, first),
            (None, app) => self.app = app,
            (Some(_), None) => {}
        }
        match (&self.adobe, more.adobe) {
            (Some((first, _)), Some((place, _))) => return twice("adobe part", &place, first),
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
    let file: File = serde_yaml::from_str_with_options(text, options).map_err(|error| {
        let at = error.location().map_or_else(String::new, |at| format!("{}:{}:", at.line(), at.column()));
        let message = words::of_yaml(&error);
        vec![format!("{}:{at} {message}", path.display())]
    })?;
    let mut errors = Vec::new();
    let mut wrong = |at: serde_yaml::Location, message: String| {
        errors.push(format!("{}:{}:{}: {message}", path.display(), at.line(), at.column()));
    };
    if file.sandbox.value != 1 {
        wrong(file.sandbox.referenced, format!("sandbox: {} is not known; write `sandbox: 1`", file.sandbox.value));
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
            wrong(at, format!("`{scope}` is no scope; write it like read_orders"));
        }
        for seeded in &entry.subscriptions {
            check(seeded, &mut wrong);
        }
        let names = match (&entry.shop, &entry.shops) {
            (Some(shop), None) => vec![(shop.referenced, shop.value.clone())],
            (None, Some(many)) => (1..=many.count).map(|n| (at, format!("{}{n}", many.prefix))).collect(),
            _ => {
                wrong(at, "an entry names one `shop`, or many by `shops: {prefix: …, count: …}`".into());
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

fn check(seeded: &Seeded, wrong: &mut impl FnMut(serde_yaml::Location, String)) {
    let Seeded { topic, format, metafields, created_at, updated_at, .. } = seeded;
    if let Err(message) = self::topic(&topic.value) {
        wrong(topic.referenced, message);
    }
    if let Some(format) = format
        && Format::parse(&format.value).is_none()
    {
        wrong(format.referenced, format!("`{}` is no format; write json or xml", format.value));
    }
    for metafield in metafields {
        if self::metafield(&metafield.value).is_none() {
            wrong(metafield.referenced, format!("`{}` is no metafield; write namespace.key", metafield.value));
        }
    }
    for time in [created_at, updated_at].into_iter().flatten() {
        if self::time(&time.value).is_none() {
            wrong(time.referenced, format!("`{}` is no time; write it like 2026-01-31T12:00:00Z", time.value));
        }
    }
}

/// The GraphQL name of a topic that can be subscribed, in either spelling.
pub(super) fn topic(text: &str) -> Result<String, String> {
    match catalog::lookup(&Topic::from_slash(text)) {
        Some(info) if info.is_compliance() => {
            Err(format!("`{text}` can't be subscribed through the Admin API; the app's configuration has it"))
        }
        Some(info) => Ok(info.graphql()),
        None => {
            let names = catalog::all().iter().map(|info| info.name);
            Err(format!("`{text}` is no topic that the sandbox knows{}", suggest(text, names)))
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

/// Adds the shops of `seed` to `world` at the time `now`, in milliseconds since 1970; a shop that is there already is an error.
pub(super) fn fill(world: &mut World, seed: &Seed, now: i64) -> Result<Summary, SandboxError> {
    let mut errors = Vec::new();
    if let Some((_, app)) = &seed.app {
        world.app.clone_from(app);
    }
    if let Some((place, adobe)) = &seed.adobe {
        if world.adobe.is_seeded() {
            let way_out = "seed it once, or start over with --replace";
            errors.push(format!("{place}: Adobe's side is in the sandbox already; {way_out}"));
        }
        world.adobe = adobe.make(now);
    }
    for (place, domain, entry) in &seed.shops {
        if world.shops.contains_key(domain) {
            errors.push(format!(
                "{place}: {domain} is in the sandbox already; name it once, or start over with --replace"
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
                errors.push(format!("{place}: {domain} has the id {} twice", subscription.id));
            }
            shop.put(subscription);
        }
    }
    if !errors.is_empty() {
        return Err(SandboxError::Seed(errors));
    }
    Ok(Summary { shops: world.shops.len(), subscriptions: world.subscription_count() })
}

fn subscription(shop: &Shop, seeded: &Seeded) -> Subscription {
    let Seeded {
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
    let topic = self::topic(&topic.value).unwrap_or_default(); // checked when it was read
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

#[cfg(test)]
#[path = "seed_test.rs"]
mod tests;
