//! The lookups in Flow Service: one dataflow or connection, all of them, the last run.
//!
//! Names are compared here, exactly; Adobe's filter only keeps the response short. A response about another
//! organisation or Adobe sandbox is an error.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use url::Url;

use super::classify::{AdobeError, AdobeErrorKind};
use super::exchange::encoded;
use super::{Account, AdobeClient, FlowRun, Inlet, InletKind, decode};
use crate::state::aep::{Lookup, LookupBy};

/// The maximum number of pages of a list: 500 pages of 20 are 10,000 dataflows, and more suggest a loop.
const MOST_PAGES: usize = 500;
/// The maximum number of source connections. All of Adobe's examples have one per dataflow.
const MOST_SOURCES: usize = 4;

/// The number of runs of a dataflow that are read to determine since when it fails: one an hour for 30 days, and one
/// before. Adobe documents no limit of a page; a shorter page only makes the result less exact.
const MOST_RUNS: usize = 721;

const FLOWS: &str = "flows";
const CONNECTIONS: &str = "connections";

/// Connections that were already read, by id.
type Known = BTreeMap<String, Inlet>;

impl AdobeClient {
    /// Returns everything that has the id or exactly the name. An empty result is not an error; a missing response is
    /// one.
    pub(crate) async fn find(&self, wanted: &Lookup) -> Result<Vec<Inlet>, AdobeError> {
        let Lookup { account: _, kind, by } = wanted;
        let items = match by {
            LookupBy::Id(id) => self.by_id(collection(*kind), id).await?.into_iter().collect(),
            LookupBy::Name(name) => self.by_name(*kind, name).await?,
        };
        let mut found = Vec::with_capacity(items.len());
        for item in items {
            let inlet = decode::inlet(*kind, &item, &self.redactor());
            let inlet = self.checked(inlet.ok_or_else(|| self.nameless())?)?;
            found.push(self.whole(inlet, &item, &Known::new()).await?);
        }
        Ok(found)
    }

    /// Returns every streaming dataflow and every connection of the HTTP API source that has an address, sorted by kind
    /// and id, for a lookup by address. An address may occur several times, because a connection can feed several
    /// dataflows.
    pub(crate) async fn all(&self) -> Result<Vec<Inlet>, AdobeError> {
        let redactor = self.redactor();
        let mut known = Known::new();
        for item in self.list(CONNECTIONS, &http_api()).await?.into_iter().filter(decode::is_http_api) {
            let inlet = decode::inlet(InletKind::Connection, &item, &redactor).ok_or_else(|| self.nameless())?;
            known.insert(inlet.id.clone(), self.checked(inlet)?);
        }
        let mut found = Vec::new();
        for item in self.list(FLOWS, "").await? {
            let inlet = decode::inlet(InletKind::Flow, &item, &redactor).ok_or_else(|| self.nameless())?;
            let inlet = self.checked(inlet)?;
            // Dataflows of batch sources have no address.
            let streams = inlet.address.is_some() || decode::is_streaming(&item);
            found.push(if streams { self.whole(inlet, &item, &known).await? } else { inlet });
        }
        found.extend(known.into_values());
        found.retain(|inlet| inlet.address.is_some());
        found.sort_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id)));
        Ok(found)
    }

    /// Returns the last run of a dataflow; `None` if it never ran.
    pub(crate) async fn last_run(&self, flow_id: &str) -> Result<Option<FlowRun>, AdobeError> {
        // Adobe sorts the runs; the latest is selected in any order.
        Ok(self.latest_runs(flow_id, 1).await?.into_iter().max_by_key(|run| run.started_at))
    }

    /// Returns the runs of a dataflow in the last 30 days, as far as they fit on one page. One request.
    pub(crate) async fn runs(&self, flow_id: &str) -> Result<Vec<FlowRun>, AdobeError> {
        self.latest_runs(flow_id, MOST_RUNS).await
    }

    async fn latest_runs(&self, flow_id: &str, limit: usize) -> Result<Vec<FlowRun>, AdobeError> {
        let query = format!("property=flowId=={}&orderby=-createdAt&limit={limit}", encoded(flow_id));
        let page = self.get(&self.url(&["runs"], &query)).await?.ok_or_else(|| self.bad("has no list of runs"))?;
        let items = decode::items(&page).ok_or_else(|| self.bad("is not a list"))?;
        let redactor = self.redactor();
        Ok(items.iter().filter_map(|item| decode::run(item, &redactor)).collect())
    }

    async fn by_id(&self, collection: &str, id: &str) -> Result<Option<Value>, AdobeError> {
        let Some(page) = self.get(&self.url(&[collection, id], "")).await? else { return Ok(None) };
        let Some(items) = decode::items(&page) else { return Err(self.bad("is not a list")) };
        if items.is_empty() {
            return Ok(None);
        }
        let same = |item: &&Value| decode::id(item).is_some_and(|found| found.eq_ignore_ascii_case(id));
        items.iter().find(same).cloned().map(Some).ok_or_else(|| self.bad("is about an id that was not requested"))
    }

    async fn by_name(&self, kind: InletKind, name: &str) -> Result<Vec<Value>, AdobeError> {
        let mut query = if kind == InletKind::Connection { http_api() } else { String::new() };
        // A comma means "or" in Adobe's filters, and it is undocumented whether a comparison operator may be part of a
        // value: such names are searched for in the whole list.
        if !name.contains([',', '=', '<', '>', '!', '~']) {
            let and = if query.is_empty() { "" } else { "&" };
            query = format!("{query}{and}property=name=={}", encoded(name));
        }
        let mut items = self.list(collection(kind), &query).await?;
        if items.iter().any(|item| decode::id(item).is_none()) {
            return Err(self.nameless());
        }
        items.retain(|item| item.get("name").and_then(Value::as_str) == Some(name));
        if kind == InletKind::Connection {
            items.retain(decode::is_http_api);
        }
        Ok(items)
    }

    /// Reads all pages. A duplicate item, which occurs if another one was added meanwhile, is returned once.
    async fn list(&self, collection: &str, query: &str) -> Result<Vec<Value>, AdobeError> {
        let (mut items, mut ids, mut seen) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        let mut of_page = query.to_owned();
        while seen.insert(of_page.clone()) {
            if seen.len() > MOST_PAGES {
                return Err(self.bad(&format!("has more than {MOST_PAGES} pages of {collection}")));
            }
            let url = self.url(&[collection], &of_page);
            let page = self.get(&url).await?.ok_or_else(|| self.bad(&format!("has no list of {collection}")))?;
            let found = decode::items(&page).ok_or_else(|| self.bad("is not a list"))?;
            items.extend(
                found.iter().filter(|item| decode::id(item).is_none_or(|id| ids.insert(id.to_owned()))).cloned(),
            );
            match decode::next(&page) {
                Some(next) => of_page = continued(next, query),
                None => return Ok(items),
            }
        }
        Err(self.bad("refers to a page that was already read"))
    }

    /// Completes an inlet with its address. Adobe's description of lists does not guarantee `options`, which has a
    /// dataflow's address, so a dataflow without it is requested by its id.
    async fn whole(&self, inlet: Inlet, item: &Value, known: &Known) -> Result<Inlet, AdobeError> {
        let inlet = self.followed(inlet, item, known).await?;
        if inlet.kind == InletKind::Connection || inlet.address.is_some() || item.get("options").is_some() {
            return Ok(inlet);
        }
        let Some(item) = self.by_id(FLOWS, &inlet.id).await? else { return Ok(inlet) };
        let inlet = decode::inlet(InletKind::Flow, &item, &self.redactor()).ok_or_else(|| self.nameless())?;
        self.followed(self.checked(inlet)?, &item, known).await
    }

    /// Completes an inlet with the address, the state and the authentication requirement of its base connection.
    async fn followed(&self, mut inlet: Inlet, item: &Value, known: &Known) -> Result<Inlet, AdobeError> {
        if inlet.kind == InletKind::Connection || (inlet.address.is_some() && !decode::is_http_api_flow(item)) {
            return Ok(inlet);
        }
        let sources = decode::sources(item);
        let mut bases: Vec<String> = sources.bases.into_iter().take(MOST_SOURCES).map(str::to_owned).collect();
        if bases.is_empty() {
            for source in sources.sources.into_iter().take(MOST_SOURCES) {
                let source = self.by_id("sourceConnections", source).await?;
                bases.extend(source.and_then(|source| Some(source.get("baseConnectionId")?.as_str()?.to_owned())));
            }
        }
        for id in bases {
            let base = match known.get(&id) {
                Some(base) => Some(base.clone()),
                None => match self.by_id(CONNECTIONS, &id).await? {
                    Some(item) => decode::inlet(InletKind::Connection, &item, &self.redactor()),
                    None => None,
                },
            };
            let Some(base) = base.map(|base| self.checked(base)).transpose()? else { continue };
            if base.address.is_none()
                || inlet.address.as_ref().is_some_and(|address| Some(address) != base.address.as_ref())
            {
                continue;
            }
            inlet.address = base.address;
            inlet.authentication_required = base.authentication_required;
            if inlet.state == "enabled" && !base.state.is_empty() {
                inlet.state = base.state;
            }
            break;
        }
        Ok(inlet)
    }

    /// Refuses an inlet of another organisation or Adobe sandbox.
    fn checked(&self, inlet: Inlet) -> Result<Inlet, AdobeError> {
        let Account { name, org, sandbox, .. } = &self.inner.account;
        let other = |kind, setting: &str, asked: &str, got: &Option<String>| match got {
            Some(got) if !got.eq_ignore_ascii_case(asked) => {
                let got = self.redactor().clean(got);
                let message =
                    format!("requested {setting} `{asked}`, but the response is about `{got}`. Check `{setting}`");
                Err(AdobeError::new(kind, message).of(name))
            }
            _ => Ok(()),
        };
        other(AdobeErrorKind::OtherOrg, "org", org, &inlet.org)?;
        other(AdobeErrorKind::OtherSandbox, "sandbox", sandbox, &inlet.sandbox)?;
        Ok(inlet)
    }

    fn nameless(&self) -> AdobeError {
        self.bad("has an item without an id")
    }

    fn bad(&self, what: &str) -> AdobeError {
        let message = format!(
            "the response of Flow Service {what}. If this persists, check the proxies between this machine and Adobe"
        );
        AdobeError::new(AdobeErrorKind::BadAnswer, message).of(&self.inner.account.name)
    }

    /// Returns a URL of Flow Service. Path segments are encoded, the query is not.
    fn url(&self, path: &[&str], query: &str) -> Url {
        let mut url = self.inner.account.endpoints.base_url().clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url.set_query(Some(query).filter(|query| !query.is_empty()));
        url
    }
}

fn collection(kind: InletKind) -> &'static str {
    match kind {
        InletKind::Flow => FLOWS,
        InletKind::Connection => CONNECTIONS,
    }
}

fn http_api() -> String {
    format!("property=connectionSpec.id=={}", decode::HTTP_API)
}

/// Returns the query of a next page, with the requested filter if Adobe omits it.
fn continued(next: &str, query: &str) -> String {
    let filtered = next.split('&').any(|pair| pair.starts_with("property="));
    if filtered || query.is_empty() { next.to_owned() } else { format!("{next}&{query}") }
}
