//! An HTTP server for the tests of this module, and an account that uses it. Knows nothing of Adobe's rules: each test
//! determines the responses.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Account, AdobeClient, AdobeOptions, Endpoints};
use crate::http::Backoff;

pub(super) const ORG: &str = "0123456789ABCDEF@AdobeOrg";
pub(super) const CLIENT_ID: &str = "cl1ent-id&";
/// Contains the client id, and characters that a form encodes.
pub(super) const CLIENT_SECRET: &str = "cl1ent-id&p/s3cr3t =";
pub(super) const TOKEN_PATH: &str = "/ims/token/v3";
pub(super) const ROOT: &str = "/data/foundation/flowservice";

/// A received request.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) method: String,
    /// Without the root of Flow Service.
    pub(super) path: String,
    /// As sent.
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Seen {
    pub(super) fn is_token(&self) -> bool {
        self.path == TOKEN_PATH
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Returns the query's values of this name, decoded.
    pub(super) fn values(&self, name: &str) -> Vec<String> {
        let pairs = url::form_urlencoded::parse(self.query.as_bytes());
        pairs.filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
    }
}

pub(super) struct Server {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Starts a server. `answer` receives a request and the number of earlier requests.
    pub(super) async fn start(answer: impl Fn(usize, &Seen) -> Response<Body> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&seen), Arc::new(answer));
        let handle = move |request: Request<Body>| {
            let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
            async move {
                let (head, body) = request.into_parts();
                let body = to_bytes(body, 1 << 20).await.expect("a body");
                let path = head.uri.path();
                let seen = Seen {
                    method: head.method.to_string(),
                    path: path.strip_prefix(ROOT).unwrap_or(path).to_owned(),
                    query: head.uri.query().unwrap_or_default().to_owned(),
                    headers: head.headers,
                    body: String::from_utf8_lossy(&body).into_owned(),
                };
                let before = {
                    let mut log = log.lock().expect("log");
                    log.push(seen.clone());
                    log.len() - 1
                };
                answer(before, &seen)
            }
        };
        let app = axum::Router::new().fallback(handle);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, seen }
    }

    /// Starts a server whose IMS issues `tok3n-1` and so on. `answer` responds to all other requests, and counts only
    /// those.
    pub(super) async fn with_tokens(answer: impl Fn(usize, &Seen) -> Response<Body> + Send + Sync + 'static) -> Self {
        let counts = Mutex::new((0, 0));
        Self::start(move |_, seen| {
            let mut counts = counts.lock().expect("counts");
            if seen.is_token() {
                counts.0 += 1;
                return granted(counts.0, &json!(86_399));
            }
            counts.1 += 1;
            answer(counts.1 - 1, seen)
        })
        .await
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("log").clone()
    }

    /// Returns everything but token requests, as `path?query`.
    pub(super) fn asked(&self) -> Vec<String> {
        let asked = self.seen().into_iter().filter(|seen| !seen.is_token());
        asked.map(|seen| format!("{}?{}", seen.path, seen.query).trim_end_matches('?').to_owned()).collect()
    }

    pub(super) fn tokens(&self) -> usize {
        self.seen().iter().filter(|seen| seen.is_token()).count()
    }

    pub(super) fn client(&self) -> AdobeClient {
        self.client_with(AdobeOptions::default())
    }

    pub(super) fn client_with(&self, options: AdobeOptions) -> AdobeClient {
        client(&self.url, options)
    }
}

/// Like the real client, but without delays.
pub(super) fn client(url: &str, options: AdobeOptions) -> AdobeClient {
    let backoff = Backoff { base: Duration::from_millis(1), cap: Duration::from_millis(4), ..Backoff::default() };
    let account = Account {
        name: "default".to_owned(),
        endpoints: Endpoints::stand_in(url, &[]).expect("endpoints"),
        org: ORG.to_owned(),
        sandbox: "prod".to_owned(),
        client_id: CLIENT_ID.into(),
        client_secret: CLIENT_SECRET.into(),
        scopes: vec!["openid".to_owned(), "AdobeID".to_owned()],
    };
    AdobeClient::with_backoff(account, options, backoff).expect("client")
}

pub(super) fn granted(n: usize, expires_in: &Value) -> Response<Body> {
    ok(&json!({ "access_token": format!("tok3n-{n}"), "token_type": "bearer", "expires_in": expires_in }))
}

pub(super) fn respond(status: u16, body: impl Into<Body>) -> Response<Body> {
    Response::builder().status(status).body(body.into()).expect("response")
}

pub(super) fn ok(body: &Value) -> Response<Body> {
    respond(200, body.to_string())
}

/// The last page of a list.
pub(super) fn page(items: &[Value]) -> Response<Body> {
    ok(&json!({ "items": items, "_links": {} }))
}

/// A dataflow with its own address.
pub(super) fn flow(id: &str, name: &str) -> Value {
    json!({
        "id": id, "name": name, "state": "enabled", "createdAt": 1_676_629_979_503_i64, "updatedAt": 1_676_629_985_390_i64,
        "imsOrgId": ORG, "sandboxName": "prod", "flowSpec": { "id": "e77fde5a-22a8-11ed-861d-0242ac120002" },
        "sourceConnectionIds": [format!("source-of-{id}")],
        "options": { "inletUrl": format!("https://dcs.adobedc.net/collection/{id}") },
    })
}

/// A connection of the HTTP API source.
pub(super) fn connection(id: &str, name: &str, authentication_required: bool) -> Value {
    json!({
        "id": id, "name": name, "state": "enabled", "imsOrgId": ORG, "sandboxName": "prod",
        "connectionSpec": { "id": "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb" },
        "auth": { "params": { "inletUrl": format!("https://dcs.adobedc.net/collection/{id}"),
            "authenticationRequired": authentication_required } },
    })
}
