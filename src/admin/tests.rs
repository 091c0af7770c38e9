//! Tests of the Admin API client over real HTTP, with small test servers.

mod answers;
mod reads;
pub(super) mod server;
mod writes;

use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::admin::{AdminClient, AdminOptions, Backoff, Endpoint, ShopReader, ShopWriter};
use crate::model::{ApiVersion, ShopDomain};
use server::{Server, respond};

/// A token that no output may contain.
const TOKEN: &str = "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";

/// Starts a server that responds to the nth request by its body.
async fn start(respond: impl Fn(usize, &Value) -> Response<Body> + Send + Sync + 'static) -> Server {
    Server::start(move |n, seen| respond(n, &seen.body)).await
}

impl Server {
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

/// Like the real options, but without delays.
fn options(url: &str) -> AdminOptions {
    let endpoint = Endpoint::parse(&format!("{url}/{{shop}}"), &[]).expect("endpoint");
    let retry = Backoff { base: Duration::from_millis(1), cap: Duration::from_millis(4), ..Backoff::default() };
    AdminOptions { retry, ..AdminOptions::new(endpoint, ApiVersion::default()) }
}

fn client(url: &str) -> AdminClient {
    AdminClient::new(options(url)).expect("client")
}

fn ok(body: &Value) -> Response<Body> {
    respond(200, body.to_string())
}

/// A subscription in the format of the API.
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

/// The response to a read of a shop with one subscription.
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
