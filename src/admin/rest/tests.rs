//! Tests of the REST transport over real HTTP, with small test servers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod garbage;
mod reads;
mod writes;

use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::admin::tests::server::{Seen, Server, respond};
use crate::admin::{AdminClient, AdminOptions, Backoff, Endpoint, ShopReader, ShopWriter};
use crate::model::{ApiVersion, ShopDomain, Transport};

/// A token that no output may contain.
const TOKEN: &str = "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";
const SCOPES: &str = "/a.myshopify.com/admin/oauth/access_scopes.json";

impl Seen {
    fn is_scopes(&self) -> bool {
        self.line.ends_with(SCOPES)
    }
}

/// Starts a server that responds to the nth request with `respond`, if the request has the token.
async fn start(respond: impl Fn(usize, &Seen) -> Response<Body> + Send + Sync + 'static) -> Server {
    Server::start(move |n, seen| {
        assert_eq!(seen.headers["x-shopify-access-token"], TOKEN);
        respond(n, seen)
    })
    .await
}

impl Server {
    /// Returns the requests without the shop and the version.
    fn lines(&self) -> Vec<String> {
        self.seen().iter().map(|s| s.line.replace("/a.myshopify.com/admin/api/2026-10/", "")).collect()
    }

    fn rest_reader(&self) -> ShopReader {
        client(&self.url).reader(&shop(), &SecretString::from(TOKEN))
    }

    fn rest_writer(&self) -> ShopWriter {
        client(&self.url).writer(&shop(), &SecretString::from(TOKEN))
    }
}

fn shop() -> ShopDomain {
    ShopDomain::parse("a").unwrap()
}

/// Like the real client, but without delays.
fn client(url: &str) -> AdminClient {
    let endpoint = Endpoint::parse(&format!("{url}/{{shop}}"), &[]).unwrap();
    let retry = Backoff { base: Duration::from_millis(1), cap: Duration::from_millis(4), ..Backoff::default() };
    let version = ApiVersion::parse("2026-10").unwrap();
    AdminClient::new(AdminOptions { retry, transport: Transport::Rest, ..AdminOptions::new(endpoint, version) })
        .unwrap()
}

fn with(mut response: Response<Body>, name: &'static str, value: &str) -> Response<Body> {
    response.headers_mut().insert(name, value.parse().unwrap());
    response
}

/// A subscription in the format of REST.
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
