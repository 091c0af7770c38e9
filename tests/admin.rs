//! The Admin API client over real HTTP, against small servers that answer what a test tells them.

#[path = "admin/answers.rs"]
mod answers;
#[path = "admin/echo.rs"]
mod echo;
#[path = "admin/reads.rs"]
mod reads;
#[path = "admin/writes.rs"]
mod writes;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use hookwright::admin::{AdminClient, AdminOptions, Backoff, Endpoint, ShopReader, ShopWriter};
use hookwright::model::{ApiVersion, ShopDomain};
use secrecy::SecretString;
use serde_json::{Value, json};

/// Nothing that is printed may contain it.
const TOKEN: &str = "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";

/// A request as a server saw it.
#[derive(Clone)]
struct Seen {
    path: String,
    headers: HeaderMap,
    body: Value,
}

/// A server on a loopback port; answers the nth request with what `respond` makes of it.
struct Server {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    async fn start(respond: impl Fn(usize, &Value) -> Response<Body> + Send + Sync + 'static) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (log, respond) = (seen.clone(), Arc::new(respond));
        let app = Router::new().fallback(move |request: Request| {
            let (log, respond) = (log.clone(), respond.clone());
            async move {
                let (parts, body) = request.into_parts();
                let bytes = to_bytes(body, usize::MAX).await.expect("body");
                let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
                let n = {
                    let mut log = log.lock().expect("log");
                    log.push(Seen { path: parts.uri.path().into(), headers: parts.headers, body: body.clone() });
                    log.len() - 1
                };
                respond(n, &body)
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, seen }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("log").clone()
    }

    fn reader(&self) -> ShopReader {
        client(&self.url).reader(&shop(), &SecretString::from(TOKEN))
    }

    fn writer(&self) -> ShopWriter {
        client(&self.url).writer(&shop(), &SecretString::from(TOKEN))
    }
}

fn shop() -> ShopDomain {
    ShopDomain::parse("a").expect("shop")
}

/// Like the real one, but it does not dawdle.
fn options(url: &str) -> AdminOptions {
    let endpoint = Endpoint::parse(&format!("{url}/{{shop}}"), &[]).expect("endpoint");
    let retry = Backoff { base: Duration::from_millis(1), cap: Duration::from_millis(4), ..Backoff::default() };
    AdminOptions { retry, ..AdminOptions::new(endpoint, ApiVersion::default()) }
}

fn client(url: &str) -> AdminClient {
    AdminClient::new(options(url)).expect("client")
}

fn respond(status: u16, body: impl Into<String>) -> Response<Body> {
    Response::builder().status(status).body(Body::from(body.into())).expect("response")
}

fn ok(body: &Value) -> Response<Body> {
    respond(200, body.to_string())
}

/// A subscription as the API describes it.
fn node(id: usize) -> Value {
    json!({
        "id": format!("gid://shopify/WebhookSubscription/{id}"), "topic": "ORDERS_CREATE",
        "uri": format!("https://x.example/{id}"), "format": "JSON", "filter": "", "includeFields": ["id"],
        "metafieldNamespaces": ["app--1--ns"], "metafields": [{ "namespace": "custom", "key": "size" }], "name": null,
        "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-02T00:00:00Z", "apiVersion": { "handle": "2026-07" },
    })
}

fn connection(nodes: &[Value], next: Option<&str>) -> Value {
    json!({ "nodes": nodes, "pageInfo": { "hasNextPage": next.is_some(), "endCursor": next } })
}

fn scopes() -> Value {
    json!({ "accessScopes": [{ "handle": "write_orders" }, { "handle": "read_orders" }] })
}

/// The answer to a read of a shop with one subscription.
fn one_shop() -> Value {
    json!({ "data": { "webhookSubscriptions": connection(&[node(1)], None), "currentAppInstallation": scopes() } })
}

fn cost(requested: u32, available: f64) -> Value {
    json!({ "cost": { "requestedQueryCost": requested, "actualQueryCost": null,
        "throttleStatus": { "maximumAvailable": 1000.0, "currentlyAvailable": available, "restoreRate": 5000 } } })
}

fn throttled() -> Value {
    json!({ "errors": [{ "message": "Throttled", "extensions": { "code": "THROTTLED" } }], "extensions": cost(30, 29.0) })
}
