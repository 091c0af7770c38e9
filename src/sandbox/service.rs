//! The state, its files and the faults behind one lock, with one method for each kind of request. It knows no HTTP.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::model::ShopDomain;

use super::access::{self, AccessContext};
use super::adobe::{self, AdobeRequest};
use super::bucket::Bucket;
use super::error::SandboxError;
use super::fault::{ExecutionFault, Fault};
use super::faults::{Faults, RequestKind};
use super::files::{Changes, Files, LockWait, State};
use super::graphql;
use super::injector::{InjectedFault, Injector};
use super::log::{LoggedRequest, RequestFacts, RequestLog};
use super::oauth::{self, App, Apps, Jwk, OAuthContext, OAuthRequest, RegisteredApp, Secret, UsedAssertions};
use super::reply::Reply;
use super::rest::{self, RestRequest};
use super::seed::{self, Added, Seed, Summary};
use super::shop_faults;
use super::store::{ShopStatus, StoredShop, World};

/// The sandbox without its HTTP server.
#[derive(Debug)]
pub(super) struct Service(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    state: State,
    /// `None` if the state is kept in memory only.
    files: Option<Files>,
    buckets: HashMap<ShopDomain, Buckets>,
    log: RequestLog,
    /// The seeds of the start: they fill an empty state, and a reset restores them.
    seed: Seed,
    injector: Injector,
    /// Apps of the embedding process by client id. They are not written to the state.
    registered: HashMap<String, RegisteredApp>,
    used_assertions: UsedAssertions,
    /// The date for rules that start on a date; `None` is the present.
    today: Option<jiff::Timestamp>,
}

/// The app and the time of a request.
struct RequestContext<'a> {
    app: &'a App,
    /// RFC 3339.
    at: &'a str,
    /// Milliseconds since 1970.
    millis: u64,
}

/// The rate limit buckets of a shop. Each is full when it is first used.
#[derive(Debug, Default)]
struct Buckets {
    graphql: Option<Bucket>,
    rest: Option<Bucket>,
}

/// The shop and the access token of an Admin API request.
pub(super) struct ShopRequest<'a> {
    pub(super) shop: &'a ShopDomain,
    pub(super) token: Option<&'a str>,
}

/// The time in milliseconds since 1970.
pub(super) fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// RFC 3339 in UTC with whole seconds, the form of times in GraphQL.
pub(super) fn rfc3339(millis: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl Service {
    /// Opens the state, in memory if `path` is `None`, and fills it from `seeds` if it is empty. `today` is the date for
    /// rules that start on a date; the default is the present.
    pub(super) fn open(
        path: Option<&Path>,
        seeds: &[PathBuf],
        wait: LockWait,
        today: Option<jiff::Timestamp>,
    ) -> Result<Self, SandboxError> {
        let seed = seed::read(seeds)?;
        let (files, state, seq) = match path {
            Some(path) => {
                let (files, state, seq) = Files::open(path, wait)?;
                (Some(files), state, seq)
            }
            None => (None, State::new(), 0),
        };
        let empty = state.world.shops.is_empty() && !state.world.adobe.is_seeded();
        let mut injector = Injector::default();
        injector.set(seed.faults.clone());
        let service = Self(Mutex::new(Inner {
            state,
            files,
            buckets: HashMap::new(),
            log: RequestLog { seq, ..RequestLog::default() },
            seed: seed.clone(),
            injector,
            registered: HashMap::new(),
            used_assertions: UsedAssertions::default(),
            today,
        }));
        if empty {
            service.seed(&seed, false)?;
        }
        Ok(service)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the address of the server into the lock file, where other processes find it.
    pub(super) fn announce(&self, address: SocketAddr) -> Result<(), SandboxError> {
        match &mut self.inner().files {
            Some(files) => files.announce(address).map_err(SandboxError::io("the lock of the sandbox state")),
            None => Ok(()),
        }
    }

    /// The random id of the state.
    pub(super) fn id(&self) -> String {
        self.inner().state.id.clone()
    }

    /// Whether a seed described Adobe's side.
    pub(super) fn has_adobe(&self) -> bool {
        self.inner().state.world.adobe.is_seeded()
    }

    /// The client id of the app in the state.
    pub(super) fn client_id(&self) -> String {
        self.inner().state.world.app.client_id.clone()
    }

    /// Registers an app of the embedding process with its client secret.
    pub(super) fn register_app(&self, client_id: &str, client_secret: &str) {
        let mut inner = self.inner();
        let app = inner.registered.entry(client_id.to_owned()).or_default();
        app.client_secret = Some(Secret::new(client_secret));
    }

    /// Registers an app of the embedding process with a public key that verifies its client assertions.
    pub(super) fn register_key(&self, client_id: &str, key: Jwk, audience: Option<&str>) {
        let mut inner = self.inner();
        let app = inner.registered.entry(client_id.to_owned()).or_default();
        if !app.keys.contains(&key) {
            app.keys.push(key);
        }
        if let Some(audience) =
            audience.filter(|audience| !app.assertion_audiences.iter().any(|known| known == audience))
        {
            app.assertion_audiences.push(audience.to_owned());
        }
    }

    /// Writes the snapshot.
    pub(super) fn close(&self) -> Result<(), SandboxError> {
        self.inner().save()
    }

    /// Adds the shops of `seed`; with `replace` they replace the whole state.
    pub(super) fn seed(&self, seed: &Seed, replace: bool) -> Result<Summary, SandboxError> {
        let mut inner = self.inner();
        let mut world = if replace { World::default() } else { inner.state.world.clone() };
        let summary = seed.fill(&mut world, now())?;
        inner.state.world = world;
        inner.buckets.clear();
        if !seed.faults.rules.is_empty() {
            inner.injector.set(seed.faults.clone());
        }
        inner.save()?;
        Ok(summary)
    }

    /// Adds the shops that the state lacks. A shop that the seeds of the start describe is added as described there.
    pub(super) fn add_missing(&self, shops: &[(ShopDomain, Vec<String>)]) -> Result<Added, SandboxError> {
        let (part, added) = {
            let inner = self.inner();
            inner.seed.missing(&inner.state.world, shops)
        };
        if !added.is_nothing() {
            self.seed(&part, false)?;
        }
        Ok(added)
    }

    /// Restores the seeds of the start and empties the log.
    pub(super) fn reset(&self) -> Result<Summary, SandboxError> {
        let seed = {
            let mut inner = self.inner();
            inner.log = RequestLog::default();
            if let Some(files) = &mut inner.files {
                files.clear_log().map_err(SandboxError::io("the log of requests"))?;
            }
            inner.seed.clone()
        };
        self.seed(&seed, true)
    }

    /// Changes the state by hand and writes it.
    pub(super) fn edit<T>(
        &self,
        change: impl FnOnce(&mut State) -> Result<T, SandboxError>,
    ) -> Result<T, SandboxError> {
        let mut inner = self.inner();
        let done = change(&mut inner.state)?;
        inner.save()?;
        Ok(done)
    }

    /// The whole state as JSON.
    pub(super) fn snapshot(&self) -> Value {
        json!(self.inner().state)
    }

    /// The requests in memory as JSON.
    pub(super) fn log(&self) -> Value {
        json!(self.inner().log.entries)
    }

    /// Logs a request and returns its number.
    pub(super) fn note(
        &self,
        method: &str,
        path: &str,
        shop: Option<&ShopDomain>,
        facts: RequestFacts,
        status: u16,
    ) -> u64 {
        let RequestFacts { operation, fields, cost, grant, faults } = facts;
        let (at, shop) = (rfc3339(now()), shop.map(|shop| shop.as_str().to_owned()));
        let (method, path) = (method.to_owned(), path.to_owned());
        let mut inner = self.inner();
        let Inner { log, files, .. } = &mut *inner;
        let entry =
            log.push(LoggedRequest { seq: 0, at, shop, method, path, operation, fields, status, cost, grant, faults });
        if let Some(Err(error)) = files.as_mut().map(|files| files.log(entry)) {
            tracing::warn!(%error, "cannot write the log of requests");
        }
        entry.seq
    }

    /// Replaces the fault rules and resets their counts.
    pub(super) fn set_faults(&self, faults: Faults) {
        self.inner().injector.set(faults);
    }

    /// The fault rules and their counts as JSON.
    pub(super) fn faults(&self) -> Value {
        self.inner().injector.to_json()
    }

    /// Returns the faults that the rules inject into a request to `shop`. Faults that change the shop are carried out
    /// first. `kind` is only called if there are rules, because it parses the request.
    pub(super) fn inject(&self, shop: &ShopDomain, kind: impl FnOnce() -> RequestKind) -> InjectedFault {
        if self.inner().injector.is_idle() {
            return InjectedFault::default();
        }
        let kind = kind();
        let at = rfc3339(now());
        let mut inner = self.inner();
        let injected = inner.injector.next(shop, kind);
        for (fault, roll) in &injected.shop_faults {
            let world = &mut inner.state.world;
            let message = shop_faults::carry_out(world, shop, fault, *roll, injected.request, &at);
            inner.injector.carried_out.extend(message);
        }
        inner.save_after(&injected);
        injected
    }

    /// Returns the faults that the rules inject into a request to Adobe's side.
    pub(super) fn inject_at_adobe(&self, kind: RequestKind) -> InjectedFault {
        let mut inner = self.inner();
        if inner.injector.is_idle() {
            return InjectedFault::default();
        }
        let injected = inner.injector.next_at_adobe(kind);
        for (fault, _) in &injected.shop_faults {
            if matches!(fault, Fault::TokenRevoked {}) {
                inner.state.world.adobe.revoke_tokens();
                inner.injector.carried_out.push("Adobe: all tokens revoked".to_owned());
            }
        }
        inner.save_after(&injected);
        injected
    }

    /// Answers a request to Adobe's side.
    pub(super) fn adobe(&self, request: &AdobeRequest<'_>) -> Reply {
        adobe::answer(&self.inner().state.world.adobe, request)
    }

    /// Returns the error response if the status of the shop or the token refuses the request.
    pub(super) fn check_access(&self, request: &ShopRequest<'_>) -> Option<Reply> {
        let mut inner = self.inner();
        let state = &inner.state;
        let now = now();
        let today = inner.today.map_or(now, jiff::Timestamp::as_millisecond);
        let context = AccessContext { issuer: state.token_issuer(), app: &state.world.app, now, today };
        if let Some(reply) = access::check(state.world.shops.get(request.shop), request.token, &context) {
            return Some(reply);
        }
        let Inner { state, files, .. } = &mut *inner;
        let shop = state.world.shops.get_mut(request.shop)?;
        // The first use of a refreshed token invalidates the token that it replaces.
        let access = request.token.is_some_and(|token| shop.grants.used(token));
        record(files.as_mut(), request.shop, shop, &Changes { access, ..Changes::default() }).err()
    }

    /// Answers an OAuth request of a shop.
    pub(super) fn oauth(&self, shop: &ShopDomain, request: &OAuthRequest<'_>) -> Reply {
        let mut inner = self.inner();
        let Inner { state, files, registered, used_assertions, .. } = &mut *inner;
        let State { id, world, .. } = state;
        let apps = Apps { own: &world.app, registered };
        let mut context = OAuthContext { apps, issuer: oauth::TokenIssuer::new(id), used_assertions, now: now() };
        let done = oauth::answer(shop, world.shops.get_mut(shop), request, &mut context);
        let Some(changed) = world.shops.get(shop).filter(|_| done.changed) else { return done.reply };
        let changes = Changes { access: true, ..Changes::default() };
        record(files.as_mut(), shop, changed, &changes).err().unwrap_or(done.reply)
    }

    /// `DELETE /admin/api_permissions/current.json`: the app uninstalls itself.
    pub(super) fn uninstall(&self, request: &ShopRequest<'_>) -> Reply {
        self.on_shop(request, |shop, _, _| {
            let ids = shop.subscriptions.keys().copied().collect();
            shop.set_status(ShopStatus::Uninstalled);
            (Reply::json(200, json!({})), Changes { ids, access: true })
        })
    }

    /// `GET /admin/oauth/access_scopes.json`
    pub(super) fn access_scopes(&self, request: &ShopRequest<'_>) -> Reply {
        let inner = self.inner();
        let handles = inner.state.world.shops.get(request.shop).map(StoredShop::scope_handles).unwrap_or_default();
        let scopes: Vec<_> = handles.into_iter().map(|handle| json!({ "handle": handle })).collect();
        Reply::json(200, json!({ "access_scopes": scopes }))
    }

    /// Answers a GraphQL request that passed the access check.
    pub(super) fn graphql(
        &self,
        request: &ShopRequest<'_>,
        version: &'static str,
        body: &[u8],
        fault: Option<&ExecutionFault>,
    ) -> (Reply, RequestFacts) {
        let Ok(parsed) = serde_json::from_slice::<graphql::Request>(body) else {
            let errors = json!({"query": "Required parameter missing or invalid"});
            return (Reply::errors(400, errors), RequestFacts::default());
        };
        let prepared = match graphql::prepare(version, &parsed) {
            Ok(prepared) => prepared,
            Err(body) => return (Reply::json(200, body), RequestFacts::default()),
        };
        let (operation, fields) = (Some(prepared.kind), prepared.fields.clone());
        let mut facts = RequestFacts { operation, fields, ..RequestFacts::default() };
        let mut reply = self.on_shop(request, |shop, buckets, context| {
            let RequestContext { app, at, millis } = *context;
            let size = shop.bucket;
            let bucket = buckets.graphql.get_or_insert_with(|| Bucket::full(size, millis));
            bucket.refill(size, millis);
            let executed = prepared.execute((request.shop, app), shop, bucket, at, fault);
            facts.cost = executed.cost;
            (Reply::json(200, executed.body), executed.touched.into())
        });
        if !prepared.deprecated.is_empty() {
            let fields: Vec<_> = prepared.deprecated.iter().cloned().collect();
            reply = reply.header("x-shopify-api-deprecated-reason", fields.join(", "));
        }
        (reply, facts)
    }

    /// Answers a REST request that passed the access check.
    pub(super) fn rest(&self, shop: &ShopRequest<'_>, version: &'static str, request: &RestRequest<'_>) -> Reply {
        self.on_shop(shop, |stored, buckets, &RequestContext { at, millis, .. }| {
            let size = rest::bucket_size(stored.bucket);
            let bucket = buckets.rest.get_or_insert_with(|| Bucket::full(size, millis));
            bucket.refill(size, millis);
            let done = rest::answer(shop.shop, stored, bucket, version, request, at);
            (done.reply, done.touched.into())
        })
    }

    /// Runs `work` on a shop and makes its changes durable before the response is returned.
    fn on_shop(
        &self,
        request: &ShopRequest<'_>,
        work: impl FnOnce(&mut StoredShop, &mut Buckets, &RequestContext<'_>) -> (Reply, Changes),
    ) -> Reply {
        let now = now();
        let mut inner = self.inner();
        let Inner { state, files, buckets, .. } = &mut *inner;
        let World { shops, app, .. } = &mut state.world;
        let Some(shop) = shops.get_mut(request.shop) else { return Reply::errors(404, "Not Found") };
        let buckets = buckets.entry(request.shop.clone()).or_default();
        let context = RequestContext { app, at: &rfc3339(now), millis: u64::try_from(now).unwrap_or_default() };
        let (reply, changes) = work(shop, buckets, &context);
        record(files.as_mut(), request.shop, shop, &changes).err().unwrap_or(reply)
    }
}

/// Makes the changes of a shop durable. Returns the error response if that fails.
fn record(files: Option<&mut Files>, domain: &ShopDomain, shop: &StoredShop, changes: &Changes) -> Result<(), Reply> {
    let Some(Err(error)) = files.map(|files| files.record(domain, shop, changes)) else { return Ok(()) };
    tracing::error!(%error, "cannot write the sandbox state");
    Err(Reply::errors(500, "An unexpected error occurred"))
}

impl Inner {
    fn save(&mut self) -> Result<(), SandboxError> {
        match &mut self.files {
            Some(files) => files.save(&self.state),
            None => Ok(()),
        }
    }

    /// Saves the state if injected faults changed it.
    fn save_after(&mut self, injected: &InjectedFault) {
        if !injected.shop_faults.is_empty()
            && let Err(error) = self.save()
        {
            tracing::error!(%error, "cannot write the sandbox state");
        }
    }
}
