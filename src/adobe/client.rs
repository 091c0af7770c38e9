//! Flow Service: what is there by name or id, everything, and the last run of a dataflow.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{Method, Request, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;
use url::Url;

use super::endpoints::Endpoints;
use super::error::{AdobeError, ErrorKind};
use super::exchange::{Answer, Exchange, code};
use super::read::{self, Belongs, Inlet, Run};
use super::token::Tokens;
use crate::admin::{Redactor, plain_client};
use crate::state::aep::{InletKind, Lookup, LookupBy};

/// More pages than any organisation has; a list that does not end is a mistake of somebody's.
const MAX_PAGES: usize = 1_000;
/// Items a page, of lists that are read whole.
const PAGE: &str = "100";

/// Credentials, and whom they are for.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) endpoints: Endpoints,
    pub(crate) org: String,
    pub(crate) sandbox: String,
    pub(crate) client_id: SecretString,
    pub(crate) client_secret: SecretString,
    pub(crate) scopes: Vec<String>,
}

/// Told of each wait: how long, and why.
pub(crate) type OnWait = Arc<dyn Fn(Duration, &str) + Send + Sync>;

/// How a client behaves.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) deadline: Option<Instant>,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) jitter_seed: u64,
    pub(crate) on_wait: OnWait,
}

/// Reads from one sandbox of one organisation. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    account: Account,
    exchange: Exchange,
    tokens: Tokens,
}

impl Client {
    /// Sends nothing.
    pub(crate) fn new(account: Account, options: Options) -> Result<Self, AdobeError> {
        let failed = |why: String| AdobeError::new(ErrorKind::Unavailable, format!("aep `{}`: {why}", account.name));
        let Endpoints { token_url, base_url, loopback } = &account.endpoints;
        let plain = token_url.scheme() == "http" || base_url.scheme() == "http";
        let http = plain_client(plain, *loopback).map_err(failed)?;
        let redactor = Redactor::of_all([account.client_id.clone(), account.client_secret.clone()]);
        let exchange = Exchange { http, options, redactor, account: account.name.clone() };
        Ok(Self { inner: Arc::new(Inner { account, exchange, tokens: Tokens::default() }) })
    }

    /// What has that name, exactly, or that id. Names need not be unique.
    pub(crate) async fn find(&self, wanted: &Lookup) -> Result<Vec<Inlet>, AdobeError> {
        let list = list(wanted.kind);
        let found: Vec<Value> = match &wanted.by {
            LookupBy::Id(id) => self.one(list, id).await?.into_iter().collect(),
            LookupBy::Name(name) => {
                // A comma means "or" in a filter, so that answers are compared here, too.
                let filter = format!("name=={name}");
                let mut filters = vec![("property", filter)];
                if wanted.kind == InletKind::Connection {
                    filters.push(("property", format!("connectionSpec.id=={}", read::HTTP_API)));
                }
                let items = self.list(list, &filters).await?;
                items.into_iter().filter(|item| item.get("name").and_then(Value::as_str) == Some(name)).collect()
            }
        };
        let mut inlets = Vec::new();
        for item in found.iter().filter(|item| wanted.kind == InletKind::Flow || read::is_http_api(item)) {
            self.check_owner(item)?;
            inlets.extend(self.inlet(wanted.kind, item).await?);
        }
        Ok(inlets)
    }

    /// Every dataflow and HTTP API connection that has an address of its own.
    pub(crate) async fn all(&self) -> Result<Vec<Inlet>, AdobeError> {
        let limit = [("limit", PAGE.to_owned())];
        let flows = self.list("flows", &limit).await?;
        let spec = ("property", format!("connectionSpec.id=={}", read::HTTP_API));
        let connections = self.list("connections", &[limit[0].clone(), spec]).await?;
        for item in flows.iter().chain(&connections) {
            self.check_owner(item)?;
        }
        let http = connections.iter().filter(|item| read::is_http_api(item)).filter_map(read::connection);
        Ok(flows.iter().filter_map(read::flow).chain(http).filter(|inlet| inlet.address.is_some()).collect())
    }

    /// The last run of a dataflow, if it ever ran.
    pub(crate) async fn last_run(&self, flow: &str) -> Result<Option<Run>, AdobeError> {
        let query =
            [("property", format!("flowId=={flow}")), ("orderby", "-createdAt".to_owned()), ("limit", "1".to_owned())];
        let answer = self.ask(self.url("runs", &query)).await?;
        let items = self.items(&answer)?;
        // What does not sort answers with more than one.
        let newest = items.iter().max_by_key(|item| item.get("createdAt").and_then(Value::as_i64));
        Ok(newest.map(read::run))
    }

    async fn inlet(&self, kind: InletKind, item: &Value) -> Result<Option<Inlet>, AdobeError> {
        if kind == InletKind::Connection {
            return Ok(read::connection(item));
        }
        let Some(mut inlet) = read::flow(item) else { return Ok(None) };
        // The address of a dataflow over an HTTP API source is that of its base connection.
        if let Some(source) = inlet.base.take()
            && let Some(source) = self.one("sourceConnections", &source).await?
            && let Some(base) = read::base_connection(&source)
            && let Some(base) = self.one("connections", base).await?
            && let Some(base) = read::connection(&base)
        {
            inlet.address = base.address;
            inlet.authentication_required = base.authentication_required;
        }
        Ok(Some(inlet))
    }

    /// An answer for somebody else is no answer.
    fn check_owner(&self, item: &Value) -> Result<(), AdobeError> {
        let Account { org, sandbox, .. } = &self.inner.account;
        let Belongs { org: its_org, sandbox: its_sandbox } = read::belongs(item);
        let wrong = |kind, what: &str, its: &str, wanted: &str| {
            let its = self.inner.exchange.redactor.clean(its);
            Err(self.error(kind, &format!("Adobe answered for the {what} {its}, and {wanted} was asked")))
        };
        match (its_org.filter(|its| its != org), its_sandbox.filter(|its| its != sandbox)) {
            (Some(its), _) => wrong(ErrorKind::OtherOrg, "organisation", its, org),
            (None, Some(its)) => wrong(ErrorKind::OtherSandbox, "sandbox", its, sandbox),
            (None, None) => Ok(()),
        }
    }

    fn error(&self, kind: ErrorKind, message: &str) -> AdobeError {
        self.inner.exchange.error(kind, message)
    }

    /// One item by its id; `None` if there is none.
    async fn one(&self, list: &str, id: &str) -> Result<Option<Value>, AdobeError> {
        let mut url = self.url(list, &[]);
        if let Ok(mut path) = url.path_segments_mut() {
            path.push(id);
        }
        match self.ask(url).await {
            Ok(answer) => {
                // By id it is wrapped in `items`, too (documented); an item of another id is not the one.
                let items = self.items(&answer)?;
                Ok(items.iter().find(|item| item.get("id").and_then(Value::as_str) == Some(id)).cloned())
            }
            Err(error) if error.kind == ErrorKind::NotFound && error.http_status == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A list to its end.
    async fn list(&self, list: &str, query: &[(&str, String)]) -> Result<Vec<Value>, AdobeError> {
        let mut url = self.url(list, query);
        let (mut all, mut seen) = (Vec::new(), HashSet::new());
        for _ in 0..MAX_PAGES {
            if !seen.insert(url.clone()) {
                return Err(self.error(ErrorKind::BadAnswer, &format!("the pages of {list} lead in a circle")));
            }
            let answer = self.ask(url.clone()).await?;
            all.extend(self.items(&answer)?.iter().cloned());
            let next = answer.body.get("_links").and_then(|links| links.get("next")?.get("href")?.as_str());
            let Some(next) = next.filter(|next| !next.is_empty()) else { return Ok(all) };
            url = self.next(list, next, query);
        }
        Err(self.error(ErrorKind::BadAnswer, &format!("{list} has more than {MAX_PAGES} pages")))
    }

    /// The next page: of a link only the query is taken, so that it leads nowhere else. What was asked stays asked.
    fn next(&self, list: &str, href: &str, query: &[(&str, String)]) -> Url {
        let linked: Vec<(String, String)> = href
            .split_once('?')
            .map(|(_, linked)| url::form_urlencoded::parse(linked.as_bytes()).into_owned().collect())
            .unwrap_or_default();
        let mut url = self.url(list, &[]);
        let kept = query.iter().filter(|(key, _)| linked.iter().all(|(other, _)| other != key));
        url.query_pairs_mut()
            .extend_pairs(kept.map(|(key, value)| (*key, value.as_str())))
            .extend_pairs(linked.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        url
    }

    fn items<'a>(&self, answer: &'a Answer) -> Result<&'a [Value], AdobeError> {
        let items = answer.body.get("items").and_then(Value::as_array);
        items
            .map(Vec::as_slice)
            .ok_or_else(|| self.error(ErrorKind::BadAnswer, "an answer of Flow Service has no `items`"))
    }

    fn url(&self, list: &str, query: &[(&str, String)]) -> Url {
        let mut url = self.inner.account.endpoints.base_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.push(list);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query.iter().map(|(key, value)| (*key, value.as_str())));
        }
        url
    }

    /// With a token; with another one if that was refused.
    async fn ask(&self, url: Url) -> Result<Answer, AdobeError> {
        let Inner { account, exchange, tokens } = &*self.inner;
        let token = tokens.get(account, exchange, None).await?;
        let mut answer = exchange.send(&self.request(&url, &token)?).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            let another = tokens.get(account, exchange, Some(&token)).await?;
            answer = exchange.send(&self.request(&url, &another)?).await?;
        }
        if answer.status.is_success() { Ok(answer) } else { Err(self.refused(&answer)) }
    }

    fn request(&self, url: &Url, token: &SecretString) -> Result<Request, AdobeError> {
        let Account { org, sandbox, client_id, .. } = &self.inner.account;
        let header = |text: &str| {
            let mut value = HeaderValue::from_str(text).map_err(|_| {
                self.error(ErrorKind::ClientRefused, "the client id or the token cannot stand in an HTTP header")
            })?;
            value.set_sensitive(true);
            Ok(value)
        };
        let mut request = Request::new(Method::GET, url.clone());
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(AUTHORIZATION, header(&format!("Bearer {}", token.expose_secret()))?);
        headers.insert("x-api-key", header(client_id.expose_secret())?);
        headers.insert("x-gw-ims-org-id", header(org)?);
        // Without it Adobe answers 2105-400 (documented), or for another sandbox than meant.
        headers.insert("x-sandbox-name", header(sandbox)?);
        Ok(request)
    }

    fn refused(&self, answer: &Answer) -> AdobeError {
        let Account { org, sandbox, .. } = &self.inner.account;
        let (status, said) = (answer.status.as_u16(), self.inner.exchange.said(&answer.body));
        let code = code(&answer.body).unwrap_or_default();
        let (kind, message) = match answer.status {
            StatusCode::UNAUTHORIZED => (
                ErrorKind::TokenRefused,
                format!(
                    "Flow Service refused a token that IMS had just given{said}: is the Experience Platform API in the project?"
                ),
            ),
            StatusCode::FORBIDDEN => (
                ErrorKind::Forbidden,
                format!(
                    "not allowed to read dataflows in sandbox {sandbox} of {org}{said}: the credential needs the permission to \
                     view sources in that sandbox"
                ),
            ),
            StatusCode::NOT_FOUND if code.starts_with("2100") => (
                // Not a 404 of an item: that one is for whoever asked for it.
                ErrorKind::Forbidden,
                format!("{org} has no sandbox {sandbox}{said}: correct `sandbox` under `aep`"),
            ),
            StatusCode::NOT_FOUND => (ErrorKind::NotFound, format!("there is no such thing at Adobe{said}")),
            _ => (ErrorKind::BadAnswer, format!("Flow Service answered {status}{said}")),
        };
        self.error(kind, &message).with_status(status)
    }
}

fn list(kind: InletKind) -> &'static str {
    match kind {
        InletKind::Flow => "flows",
        InletKind::Connection => "connections",
    }
}
