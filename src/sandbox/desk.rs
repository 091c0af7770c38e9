//! The state with its files behind one lock, and what a request does with it. No HTTP.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::model::ShopDomain;

use super::adobe;
use super::bucket::Bucket;
use super::deeds;
use super::error::SandboxError;
use super::fault::Fault;
use super::faults::{Faults, Injector, On, Strike};
use super::files::{Files, State, Touched, Wait};
use super::gate;
use super::graphql::{self, Mishap};
use super::log::Entry;
use super::oauth::{self, App, Apps, End, Jwk, Registered, Secret, Seen, With};
use super::reply::Reply;
use super::rest;
use super::seed::{self, Added, Seed, Summary};
use super::store::{Shop, Status, World};

/// How many requests the log in memory holds; the file holds all.
const REMEMBERED: usize = 10_000;

/// Everything that outlives a request.
#[derive(Debug)]
pub(super) struct Desk(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    state: State,
    files: Option<Files>,
    buckets: HashMap<ShopDomain, Buckets>,
    log: VecDeque<Entry>,
    seq: u64,
    /// What an empty state is filled with.
    seed: Seed,
    faults: Injector,
    /// Apps of the embedding process, by client id; in memory only.
    registered: HashMap<String, Registered>,
    /// Client assertions that were accepted.
    seen: Seen,
    /// The date for what holds from a date on; `None`: the present.
    today: Option<jiff::Timestamp>,
}

/// The app and the time of a request.
struct Setting<'a> {
    app: &'a App,
    /// RFC 3339.
    at: &'a str,
    /// Since 1970.
    millis: u64,
}

/// The buckets of a shop, each from its first use on.
#[derive(Debug, Default)]
struct Buckets {
    graphql: Option<Bucket>,
    rest: Option<Bucket>,
}

/// A request to a shop, as far as HTTP is concerned.
pub(super) struct Call<'a> {
    pub(super) shop: &'a ShopDomain,
    pub(super) token: Option<&'a str>,
}

/// What the log says of a request besides its address.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) operation: Option<&'static str>,
    pub(super) fields: Vec<String>,
    pub(super) cost: Option<u32>,
    /// What a token was asked for with.
    pub(super) grant: Option<&'static str>,
    /// Names of the faults that struck it.
    pub(super) faults: Vec<&'static str>,
}

/// The time, in milliseconds since 1970.
pub(super) fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// RFC 3339 in UTC with whole seconds, as GraphQL shows times.
pub(super) fn rfc3339(millis: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl Desk {
    /// Opens the state, in memory if there is no path, and fills it from `seeds` if it holds nothing.
    pub(super) fn open(path: Option<&Path>, seeds: &[PathBuf], wait: Wait) -> Result<Self, SandboxError> {
        Self::open_at(path, seeds, wait, None)
    }

    /// The same; `today` is the date for what holds from a date on, by default the present.
    pub(super) fn open_at(
        path: Option<&Path>,
        seeds: &[PathBuf],
        wait: Wait,
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
        let mut faults = Injector::default();
        faults.set(seed.faults.clone());
        let (buckets, log, registered) = (HashMap::new(), VecDeque::new(), HashMap::new());
        let seen = Seen::default();
        let inner = Inner { state, files, buckets, log, seq, seed: seed.clone(), faults, registered, seen, today };
        let desk = Self(Mutex::new(inner));
        if empty {
            desk.seed(&seed, false)?;
        }
        Ok(desk)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells other processes where this one answers.
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

    /// Whether a seed said anything of Adobe's side.
    pub(super) fn has_adobe(&self) -> bool {
        self.inner().state.world.adobe.is_seeded()
    }

    /// A request to Adobe's side, with what it meets.
    pub(super) fn adobe(&self, ask: &adobe::Ask<'_>) -> Reply {
        adobe::answer(&self.inner().state.world.adobe, ask)
    }

    /// What a request to Adobe's side meets.
    pub(super) fn strike_adobe(&self, on: On) -> Strike {
        let mut inner = self.inner();
        if inner.faults.is_idle() {
            return Strike::default();
        }
        let strike = inner.faults.next_at_adobe(on);
        for (deed, _) in &strike.deeds {
            if matches!(deed, Fault::TokenRevoked {}) {
                inner.state.world.adobe.revoke_tokens();
                inner.faults.deeds.push("Adobe: all tokens revoked".to_owned());
            }
        }
        if !strike.deeds.is_empty()
            && let Err(error) = inner.save()
        {
            tracing::error!(%error, "the sandbox state can't be written");
        }
        strike
    }

    /// The client id of the app.
    pub(super) fn client_id(&self) -> String {
        self.inner().state.world.app.client_id.clone()
    }

    /// Lets another app ask for access, too.
    pub(super) fn register_app(&self, client_id: &str, client_secret: &str) {
        let mut inner = self.inner();
        let app = inner.registered.entry(client_id.to_owned()).or_default();
        app.client_secret = Some(Secret::new(client_secret));
    }

    /// Lets another app ask for access with what this key verifies, too.
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

    /// Adds shops, or starts over with them.
    pub(super) fn seed(&self, seed: &Seed, replace: bool) -> Result<Summary, SandboxError> {
        let mut inner = self.inner();
        let mut world = if replace { World::default() } else { inner.state.world.clone() };
        let summary = seed::fill(&mut world, seed, now())?;
        inner.state.world = world;
        inner.buckets.clear();
        if !seed.faults.rules.is_empty() {
            inner.faults.set(seed.faults.clone());
        }
        inner.save()?;
        Ok(summary)
    }

    /// Adds the shops that the state does not know, from the seeds of the start where they name them.
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

    /// Back to the seeds of the start, with an empty log.
    pub(super) fn reset(&self) -> Result<Summary, SandboxError> {
        let seed = {
            let mut inner = self.inner();
            inner.log.clear();
            inner.seq = 0;
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

    /// The whole state.
    pub(super) fn snapshot(&self) -> Value {
        json!(self.inner().state)
    }

    /// The requests that are remembered.
    pub(super) fn log(&self) -> Value {
        json!(self.inner().log)
    }

    /// Notes a request and gives its number.
    pub(super) fn note(&self, method: &str, path: &str, shop: Option<&ShopDomain>, facts: Facts, status: u16) -> u64 {
        let mut inner = self.inner();
        inner.seq += 1;
        let entry = Entry {
            seq: inner.seq,
            at: rfc3339(now()),
            shop: shop.map(|shop| shop.as_str().to_owned()),
            method: method.to_owned(),
            path: path.to_owned(),
            operation: facts.operation,
            fields: facts.fields,
            status,
            cost: facts.cost,
            grant: facts.grant,
            faults: facts.faults,
        };
        if let Some(Err(error)) = inner.files.as_mut().map(|files| files.log(&entry)) {
            tracing::warn!(%error, "the log of requests can't be written");
        }
        if inner.log.len() == REMEMBERED {
            inner.log.pop_front();
        }
        inner.log.push_back(entry);
        inner.seq
    }

    /// From now on these go wrong; their counts begin anew.
    pub(super) fn set_faults(&self, faults: Faults) {
        self.inner().faults.set(faults);
    }

    /// The faults at work and what they did.
    pub(super) fn faults(&self) -> Value {
        self.inner().faults.to_json()
    }

    /// What a request to `shop` meets; what happens to the shop first has happened when this returns. `on`, because to
    /// know what a request does takes reading it.
    pub(super) fn strike(&self, shop: &ShopDomain, on: impl FnOnce() -> On) -> Strike {
        if self.inner().faults.is_idle() {
            return Strike::default();
        }
        let on = on();
        let at = rfc3339(now());
        let mut inner = self.inner();
        let strike = inner.faults.next(shop, on);
        for (deed, roll) in &strike.deeds {
            let told = deeds::carry_out(&mut inner.state.world, shop, deed, *roll, strike.request, &at);
            inner.faults.deeds.extend(told);
        }
        if !strike.deeds.is_empty()
            && let Err(error) = inner.save()
        {
            tracing::error!(%error, "the sandbox state can't be written");
        }
        strike
    }

    /// The answer that a request gets before it is looked at.
    pub(super) fn gate(&self, call: &Call<'_>) -> Option<Reply> {
        let mut inner = self.inner();
        let state = &inner.state;
        let now = now();
        let today = inner.today.map_or(now, jiff::Timestamp::as_millisecond);
        let judge = gate::Judge { mint: state.mint(), app: &state.world.app, now, today };
        if let Some(reply) = gate::before(state.world.shops.get(call.shop), call.token, &judge) {
            return Some(reply);
        }
        let Inner { state, files, .. } = &mut *inner;
        let shop = state.world.shops.get_mut(call.shop)?;
        // The token is in use, so what it replaced ends.
        let access = call.token.is_some_and(|token| shop.grants.used(token));
        record(files.as_mut(), call.shop, shop, &Touched { access, ..Touched::default() }).err()
    }

    /// A request to the OAuth side of a shop.
    pub(super) fn oauth(&self, shop: &ShopDomain, ask: &oauth::Ask<'_>) -> Reply {
        let mut inner = self.inner();
        let Inner { state, files, registered, seen, .. } = &mut *inner;
        let State { id, world, .. } = state;
        let apps = Apps { own: &world.app, registered };
        let mut with = With { apps, mint: oauth::Mint::new(id), seen, now: now() };
        let done = oauth::answer(shop, world.shops.get_mut(shop), ask, &mut with);
        let Some(changed) = world.shops.get(shop).filter(|_| done.changed) else { return done.reply };
        let access = Touched { access: true, ..Touched::default() };
        record(files.as_mut(), shop, changed, &access).err().unwrap_or(done.reply)
    }

    /// `DELETE /admin/api_permissions/current.json`: the app uninstalls itself.
    pub(super) fn uninstall(&self, call: &Call<'_>) -> Reply {
        self.on_shop(call, |shop, _, _| {
            let ids = shop.subscriptions.keys().copied().collect();
            set_status(shop, Status::Uninstalled);
            (Reply::json(200, json!({})), Touched { ids, access: true })
        })
    }

    /// `GET /admin/oauth/access_scopes.json`
    pub(super) fn access_scopes(&self, call: &Call<'_>) -> Reply {
        let inner = self.inner();
        let handles = inner.state.world.shops.get(call.shop).map(Shop::scope_handles).unwrap_or_default();
        let scopes: Vec<_> = handles.into_iter().map(|handle| json!({ "handle": handle })).collect();
        Reply::json(200, json!({ "access_scopes": scopes }))
    }

    /// A GraphQL request to a shop that the gate let through.
    pub(super) fn graphql(
        &self,
        call: &Call<'_>,
        version: &'static str,
        body: &[u8],
        mishap: Option<&Mishap>,
    ) -> (Reply, Facts) {
        let Ok(request) = serde_json::from_slice::<graphql::Request>(body) else {
            let errors = json!({"query": "Required parameter missing or invalid"});
            return (gate::refused(400, errors), Facts::default());
        };
        let prepared = match graphql::prepare(version, &request) {
            Ok(prepared) => prepared,
            Err(body) => return (Reply::json(200, body), Facts::default()),
        };
        let (operation, fields) = (Some(prepared.kind), prepared.fields.clone());
        let mut facts = Facts { operation, fields, ..Facts::default() };
        let mut reply = self.on_shop(call, |shop, buckets, setting| {
            let Setting { app, at, millis } = *setting;
            let size = shop.bucket;
            let bucket = buckets.graphql.get_or_insert_with(|| Bucket::full(size, millis));
            bucket.refill(size, millis);
            let ran = prepared.run((call.shop, app), shop, bucket, at, mishap);
            facts.cost = ran.cost;
            (Reply::json(200, ran.body), ran.touched.into())
        });
        if !prepared.deprecated.is_empty() {
            let fields: Vec<_> = prepared.deprecated.iter().cloned().collect();
            reply = reply.header("x-shopify-api-deprecated-reason", fields.join(", "));
        }
        (reply, facts)
    }

    /// A REST request to a shop that the gate let through.
    pub(super) fn rest(&self, call: &Call<'_>, version: &'static str, ask: &rest::Ask<'_>) -> Reply {
        self.on_shop(call, |shop, buckets, &Setting { at, millis, .. }| {
            let size = rest::bucket_size(shop.bucket);
            let bucket = buckets.rest.get_or_insert_with(|| Bucket::full(size, millis));
            bucket.refill(size, millis);
            let done = rest::answer(call.shop, shop, bucket, version, ask, at);
            (done.reply, done.touched.into())
        })
    }

    /// Works on a shop and makes durable what that touched, before anything is answered.
    fn on_shop(
        &self,
        call: &Call<'_>,
        work: impl FnOnce(&mut Shop, &mut Buckets, &Setting<'_>) -> (Reply, Touched),
    ) -> Reply {
        let now = now();
        let mut inner = self.inner();
        let Inner { state, files, buckets, .. } = &mut *inner;
        let World { shops, app, .. } = &mut state.world;
        let Some(shop) = shops.get_mut(call.shop) else { return gate::refused(404, "Not Found") };
        let buckets = buckets.entry(call.shop.clone()).or_default();
        let setting = Setting { app, at: &rfc3339(now), millis: u64::try_from(now).unwrap_or_default() };
        let (reply, touched) = work(shop, buckets, &setting);
        record(files.as_mut(), call.shop, shop, &touched).err().unwrap_or(reply)
    }
}

/// Makes durable what a request did to a shop; `Err`: the answer if that can't be.
fn record(files: Option<&mut Files>, domain: &ShopDomain, shop: &Shop, touched: &Touched) -> Result<(), Reply> {
    let Some(Err(error)) = files.map(|files| files.record(domain, shop, touched)) else { return Ok(()) };
    tracing::error!(%error, "the sandbox state can't be written");
    Err(gate::refused(500, "An unexpected error occurred"))
}

impl Inner {
    fn save(&mut self) -> Result<(), SandboxError> {
        match &mut self.files {
            Some(files) => files.save(&self.state),
            None => Ok(()),
        }
    }
}

/// On uninstall Shopify removes the app's subscriptions and its access.
pub(super) fn set_status(shop: &mut Shop, status: Status) {
    shop.status = status;
    if status == Status::Uninstalled {
        shop.subscriptions.clear();
        shop.grants.end(End::Revoke);
    }
}
