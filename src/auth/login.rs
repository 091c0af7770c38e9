//! The loopback listener of `auth login`, to which Shopify redirects the browser. It serves one page to the request
//! with the expected state.
//!
//! Only navigations with an expected Host header are answered: a page of another site cannot try out callbacks in
//! scripts, and cannot read an answer after DNS rebinding.

mod connections;
mod page;

pub(crate) use page::Page;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::carries_state;
use connections::{Connections, Handle};

/// The longest accepted query, in bytes. Shopify's queries are far shorter.
const LONGEST: usize = 8 * 1024;

/// A callback whose browser waits for its page.
pub(crate) struct Answered {
    /// The query as received.
    pub(crate) query: String,
    /// Receives the page.
    pub(crate) reply: oneshot::Sender<String>,
}

pub(crate) struct Listener {
    address: SocketAddr,
    visits: tokio::sync::Mutex<mpsc::Receiver<Visit>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

struct Visit {
    query: String,
    reply: oneshot::Sender<String>,
}

/// The path that callbacks use, and the receiver of their queries.
struct Route {
    path: String,
    /// The host of the redirect URI, which a tunnel may send as Host.
    host: Option<String>,
    visits: mpsc::Sender<Visit>,
}

impl Listener {
    /// Binds the listener. `path`: the only path that is served. `host`: the host of the redirect URI, if one is given.
    pub(crate) async fn bind(address: SocketAddr, path: &str, host: Option<&str>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (send, visits) = mpsc::channel(8);
        let route = Arc::new(Route { path: path.to_owned(), host: host.map(str::to_owned), visits: send });
        let (stop, stopped) = oneshot::channel::<()>();
        // A fallback, not a route: the given path is not a pattern.
        let app = Router::new().fallback(visit).with_state(route).into_make_service_with_connect_info::<Handle>();
        let serve = axum::serve(Connections::new(listener), app).with_graceful_shutdown(async {
            let _ = stopped.await;
        });
        Ok(Self { address, visits: visits.into(), stop, task: tokio::spawn(serve.into_future()) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the first callback with this state. Requests with another state get an error page, and do not end
    /// the login. `turned_away` is called for the first of them only, so that many requests do not fill the screen.
    pub(crate) async fn next(&self, state: &str, turned_away: impl FnOnce()) -> Result<Answered, ()> {
        let mut turned_away = Some(turned_away);
        let mut visits = self.visits.lock().await;
        while let Some(Visit { query, reply }) = visits.recv().await {
            if carries_state(&query, state) {
                return Ok(Answered { query, reply });
            }
            if let Some(report) = turned_away.take() {
                report();
            }
            let _ = reply.send(Page::Stranger.html());
        }
        Err(())
    }

    /// Lets the browser receive its page (for up to 2 seconds), then stops the listener.
    pub(crate) async fn close(self) {
        let _ = self.stop.send(());
        let abort = self.task.abort_handle();
        if tokio::time::timeout(Duration::from_secs(2), self.task).await.is_err() {
            abort.abort();
        }
    }
}

async fn visit(
    State(route): State<Arc<Route>>,
    ConnectInfo(line): ConnectInfo<Handle>,
    method: Method,
    uri: Uri,
    request: HeaderMap,
) -> Response {
    line.received();
    if !is_expected_host(&request, route.host.as_deref()) {
        let text = "The Host header must be localhost or the host of the redirect URI.\n";
        return (StatusCode::FORBIDDEN, headers(), text).into_response();
    }
    // Browsers mark navigations, and send an Origin header with the requests of scripts and forms.
    if request.contains_key(header::ORIGIN) || request.get("sec-fetch-mode").is_some_and(|mode| mode != "navigate") {
        let text = "Requests of scripts and forms are refused. Open the URL in the browser.\n";
        return (StatusCode::FORBIDDEN, headers(), text).into_response();
    }
    if uri.path() != route.path {
        let text = format!("Not found. The path of the callback is {}\n", route.path);
        return (StatusCode::NOT_FOUND, headers(), text).into_response();
    }
    // The HEAD request of a link preview must not use the code.
    if method != Method::GET {
        let allow = [(header::ALLOW, HeaderValue::from_static("GET"))];
        return (StatusCode::METHOD_NOT_ALLOWED, headers(), allow, "Only GET is supported.\n").into_response();
    }
    let query = uri.query().unwrap_or_default().to_owned();
    if query.len() > LONGEST {
        return (StatusCode::URI_TOO_LONG, headers(), "The query is too long for a callback.\n").into_response();
    }
    let (reply, page) = oneshot::channel();
    let page = match route.visits.send(Visit { query, reply }).await {
        Ok(()) => page.await.ok(),
        Err(_) => None,
    };
    match page {
        Some(page) => (headers(), Html(page)).into_response(),
        None => (StatusCode::GONE, headers(), "This login has ended.\n").into_response(),
    }
}

/// Returns whether the Host header names this machine, or the host of the redirect URI.
fn is_expected_host(request: &HeaderMap, redirect: Option<&str>) -> bool {
    let here = |host: &str| {
        let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|c| c.is_ascii_digit()));
        let name = name.map_or(host, |(name, _)| name);
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        name.eq_ignore_ascii_case("localhost")
            || redirect.is_some_and(|redirect| name.eq_ignore_ascii_case(redirect))
            || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    };
    request.contains_key(header::HOST) && request.get_all(header::HOST).iter().all(|host| host.to_str().is_ok_and(here))
}

/// Headers of every answer. The address of the page contains the code: it must not be cached or sent to another site.
fn headers() -> HeaderMap {
    HeaderMap::from_iter([
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONNECTION, HeaderValue::from_static("close")),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        ),
    ])
}
