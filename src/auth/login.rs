//! The listener on loopback that a browser is sent back to. Serves one page to whoever brings the right state.
//!
//! Only a navigation is answered, and only by a name that leads here: no page of another site can try out callbacks in
//! scripts, and none can read an answer after DNS rebinding.

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

/// No query of Shopify's comes near it, in bytes.
const LONGEST: usize = 8 * 1024;

/// A browser that waits for its page.
pub(crate) struct Answered {
    /// The query as it came.
    pub(crate) query: String,
    /// Takes the page.
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

/// Where a browser comes to, and where its query goes.
struct Way {
    path: String,
    /// The host of the redirect URI, under which a tunnel may pass requests on.
    host: Option<String>,
    visits: mpsc::Sender<Visit>,
}

impl Listener {
    /// `path`: the one that the browser is sent to; no other is served. `host`: that of the redirect URI, if one is given.
    pub(crate) async fn bind(address: SocketAddr, path: &str, host: Option<&str>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (send, visits) = mpsc::channel(8);
        let way = Arc::new(Way { path: path.to_owned(), host: host.map(str::to_owned), visits: send });
        let (stop, stopped) = oneshot::channel::<()>();
        // No route: what the user gave as a path is no pattern.
        let app = Router::new().fallback(visit).with_state(way).into_make_service_with_connect_info::<Handle>();
        let serve = axum::serve(Connections::new(listener), app).with_graceful_shutdown(async {
            let _ = stopped.await;
        });
        Ok(Self { address, visits: visits.into(), stop, task: tokio::spawn(serve.into_future()) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The first visit with this state. Others get a page that says so: whoever guesses must not end the login.
    /// `turned_away` is told of the first of them: who knocks a thousand times must not fill a screen.
    pub(crate) async fn next(&self, state: &str, turned_away: impl FnOnce()) -> Result<Answered, ()> {
        let mut turned_away = Some(turned_away);
        let mut visits = self.visits.lock().await;
        while let Some(Visit { query, reply }) = visits.recv().await {
            if carries_state(&query, state) {
                return Ok(Answered { query, reply });
            }
            if let Some(tell) = turned_away.take() {
                tell();
            }
            let _ = reply.send(Page::Stranger.html());
        }
        Err(())
    }

    /// Lets the browser have its page, and ends.
    pub(crate) async fn close(self) {
        let _ = self.stop.send(());
        let abort = self.task.abort_handle();
        if tokio::time::timeout(Duration::from_secs(2), self.task).await.is_err() {
            abort.abort();
        }
    }
}

async fn visit(
    State(way): State<Arc<Way>>,
    ConnectInfo(line): ConnectInfo<Handle>,
    method: Method,
    uri: Uri,
    asked: HeaderMap,
) -> Response {
    line.heard();
    if !leads_here(&asked, way.host.as_deref()) {
        let text = "The Host is neither localhost nor that of the redirect URI.\n";
        return (StatusCode::FORBIDDEN, headers(), text).into_response();
    }
    // Browsers say so of a navigation, and send an Origin with the requests of scripts and forms.
    if asked.contains_key(header::ORIGIN) || asked.get("sec-fetch-mode").is_some_and(|mode| mode != "navigate") {
        let text = "Only the browser itself is answered here, no script or form of a page.\n";
        return (StatusCode::FORBIDDEN, headers(), text).into_response();
    }
    if uri.path() != way.path {
        let text = format!("Not found: the way back is {}\n", way.path);
        return (StatusCode::NOT_FOUND, headers(), text).into_response();
    }
    // A HEAD of a link preview must not use up the code.
    if method != Method::GET {
        let allow = [(header::ALLOW, HeaderValue::from_static("GET"))];
        return (StatusCode::METHOD_NOT_ALLOWED, headers(), allow, "Only GET is answered here.\n").into_response();
    }
    let query = uri.query().unwrap_or_default().to_owned();
    if query.len() > LONGEST {
        return (StatusCode::URI_TOO_LONG, headers(), "That is longer than any callback.\n").into_response();
    }
    let (reply, page) = oneshot::channel();
    let page = match way.visits.send(Visit { query, reply }).await {
        Ok(()) => page.await.ok(),
        Err(_) => None,
    };
    match page {
        Some(page) => (headers(), Html(page)).into_response(),
        None => (StatusCode::GONE, headers(), "This login is over.\n").into_response(),
    }
}

/// Whether the Host names this machine, or what the browser was sent to.
fn leads_here(asked: &HeaderMap, redirect: Option<&str>) -> bool {
    let here = |host: &str| {
        let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|c| c.is_ascii_digit()));
        let name = name.map_or(host, |(name, _)| name);
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        name.eq_ignore_ascii_case("localhost")
            || redirect.is_some_and(|redirect| name.eq_ignore_ascii_case(redirect))
            || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    };
    asked.contains_key(header::HOST) && asked.get_all(header::HOST).iter().all(|host| host.to_str().is_ok_and(here))
}

/// The address of the page has a code in it: it goes nowhere else, and nothing is loaded.
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
