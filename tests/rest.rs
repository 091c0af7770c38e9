//! The REST transport over real HTTP, against small servers that answer what a test tells them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "rest/garbage.rs"]
mod garbage;
#[path = "rest/lost.rs"]
mod lost;
#[path = "rest/reads.rs"]
mod reads;
#[path = "rest/writes.rs"]
mod writes;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::Response;
use hookwright::admin::{AdminClient, AdminOptions, Backoff, Endpoint, ShopReader, ShopWriter};
use hookwright::model::{ApiVersion, ShopDomain, Transport};
use secrecy::SecretString;
use serde_json::{Value, json};

/// Nothing that is printed may contain it.
const TOKEN: &str = "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";
const SCOPES: &str = "/a.myshopify.com/admin/oauth/access_scopes.json";

/// A request as a server saw it.
#[derive(Clone)]
struct Seen {
    /// `GET /a.myshopify.com/admin/…?query`
    line: String,
    body: Value,
}

impl Seen {
    fn is_scopes(&self) -> bool {
        self.line.ends_with(SCOPES)
    }
}

/// A server on a loopback port.
struct Server {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Answers the nth request with what `respond` makes of it.
    async fn start(respond: impl Fn(usize, &Seen) -> Response<Body> + Send + Sync + 'static) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (log, respond) = (seen.clone(), Arc::new(respond));
        let app = Router::new().fallback(move |request: Request| {
            let (log, respond) = (log.clone(), respond.clone());
            async move {
                let (parts, body) = request.into_parts();
                let bytes = to_bytes(body, usize::MAX).await.unwrap();
                assert_eq!(parts.headers["x-shopify-access-token"], TOKEN);
                let body = serde_json::from_slice(&bytes).unwrap_or_default();
                let seen = Seen { line: format!("{} {}", parts.method, parts.uri), body };
                let n = {
                    let mut log = log.lock().unwrap();
                    log.push(seen.clone());
                    log.len() - 1
                };
                respond(n, &seen)
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, seen }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The requests without the shop and the version.
    fn lines(&self) -> Vec<String> {
        self.seen().iter().map(|s| s.line.replace("/a.myshopify.com/admin/api/2026-10/", "")).collect()
    }

    fn reader(&self) -> ShopReader {
        client(&self.url).reader(&shop(), &SecretString::from(TOKEN))
    }

    fn writer(&self) -> ShopWriter {
        client(&self.url).writer(&shop(), &SecretString::from(TOKEN))
    }
}

fn shop() -> ShopDomain {
    ShopDomain::parse("a").unwrap()
}

/// Like the real one, but it does not dawdle.
fn client(url: &str) -> AdminClient {
    let endpoint = Endpoint::parse(&format!("{url}/{{shop}}"), &[]).unwrap();
    let retry = Backoff { base: Duration::from_millis(1), cap: Duration::from_millis(4), ..Backoff::default() };
    let version = ApiVersion::parse("2026-10").unwrap();
    AdminClient::new(AdminOptions { retry, transport: Transport::Rest, ..AdminOptions::new(endpoint, version) })
        .unwrap()
}

fn respond(status: u16, body: impl Into<String>) -> Response<Body> {
    Response::builder().status(status).body(Body::from(body.into())).unwrap()
}

fn with(mut response: Response<Body>, name: &'static str, value: &str) -> Response<Body> {
    response.headers_mut().insert(name, value.parse().unwrap());
    response
}

/// A subscription as REST describes it.
fn webhook(id: usize) -> Value {
    json!({
        "id": id, "address": format!("https://x.example/{id}"), "topic": "orders/create", "format": "json",
        "created_at": "2026-01-09T17:45:49-05:00", "updated_at": "2026-01-09T17:45:49-05:00", "fields": ["id"],
        "metafield_namespaces": [], "api_version": "2026-07", "private_metafield_namespaces": [],
    })
}

fn page(ids: impl IntoIterator<Item = usize>) -> Response<Body> {
    respond(200, json!({ "webhooks": ids.into_iter().map(webhook).collect::<Vec<_>>() }).to_string())
}

fn scopes() -> Response<Body> {
    respond(200, json!({ "access_scopes": [{ "handle": "write_orders" }] }).to_string())
}
