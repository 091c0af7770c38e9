//! A server on a loopback port with the responses of a test. The integration tests also include this file.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use serde_json::Value;

/// A received request.
#[derive(Clone)]
pub(crate) struct Seen {
    /// `GET /a.myshopify.com/admin/…?query`
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    /// Null if the body is not JSON.
    pub(crate) body: Value,
}

pub(crate) struct Server {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Starts a server that responds to the nth request with `respond`.
    pub(crate) async fn start(respond: impl Fn(usize, &Seen) -> Response<Body> + Send + Sync + 'static) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (log, respond) = (seen.clone(), Arc::new(respond));
        let app = Router::new().fallback(move |request: Request| {
            let (log, respond) = (log.clone(), respond.clone());
            async move {
                let (parts, body) = request.into_parts();
                let bytes = to_bytes(body, usize::MAX).await.expect("body");
                let body = serde_json::from_slice(&bytes).unwrap_or_default();
                let line = format!("{} {}", parts.method, parts.uri);
                let seen = Seen { line, headers: parts.headers, body };
                let n = {
                    let mut log = log.lock().expect("log");
                    log.push(seen.clone());
                    log.len() - 1
                };
                respond(n, &seen)
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("log").clone()
    }
}

pub(crate) fn respond(status: u16, body: impl Into<String>) -> Response<Body> {
    Response::builder().status(status).body(Body::from(body.into())).expect("response")
}
