//! The listener on loopback that a browser is sent back to. Serves one page to whoever brings the right state.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::page::Page;
use crate::auth::carries_state;
use crate::error::Failure;
use crate::exit::Exit;

/// A browser that waits for its page.
pub(super) struct Answered {
    /// The query as it came.
    pub(super) query: String,
    /// Takes the page.
    pub(super) reply: oneshot::Sender<String>,
}

pub(super) struct Listener {
    address: SocketAddr,
    visits: tokio::sync::Mutex<mpsc::Receiver<Visit>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

struct Visit {
    query: String,
    reply: oneshot::Sender<String>,
}

impl Listener {
    pub(super) async fn bind(address: SocketAddr) -> Result<Self, Failure> {
        let failed = |e: std::io::Error| {
            Failure::new(Exit::Error, format!("cannot listen on {address}: {e}")).hint(
                "another login may be waiting there; --listen names another address, which the app must allow, too",
            )
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (send, visits) = mpsc::channel(8);
        let (stop, stopped) = oneshot::channel::<()>();
        let app = Router::new().route("/callback", get(visit)).with_state(Arc::new(send));
        // A tunnel may lead to another path.
        let app =
            app.fallback(|| async { (StatusCode::NOT_FOUND, headers(), "Not found: the way back is /callback\n") });
        let serve = axum::serve(listener, app).with_graceful_shutdown(async {
            let _ = stopped.await;
        });
        Ok(Self { address, visits: visits.into(), stop, task: tokio::spawn(serve.into_future()) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The first visit with this state. Others get a page that says so: whoever guesses must not end the login.
    pub(super) async fn next(&self, state: &str, turned_away: impl Fn(&str)) -> Result<Answered, ()> {
        let mut visits = self.visits.lock().await;
        while let Some(Visit { query, reply }) = visits.recv().await {
            if carries_state(&query, state) {
                return Ok(Answered { query, reply });
            }
            turned_away(&query);
            let _ = reply.send(Page::Stranger.html());
        }
        Err(())
    }

    /// Lets the browser have its page, and ends.
    pub(super) async fn close(self) {
        let _ = self.stop.send(());
        let abort = self.task.abort_handle();
        if tokio::time::timeout(Duration::from_secs(2), self.task).await.is_err() {
            abort.abort();
        }
    }
}

async fn visit(State(visits): State<Arc<mpsc::Sender<Visit>>>, RawQuery(query): RawQuery) -> Response {
    let (reply, page) = oneshot::channel();
    let visit = Visit { query: query.unwrap_or_default(), reply };
    let page = match visits.send(visit).await {
        Ok(()) => page.await.ok(),
        Err(_) => None,
    };
    match page {
        Some(page) => (headers(), Html(page)).into_response(),
        None => (StatusCode::GONE, headers(), "This login is over.\n").into_response(),
    }
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
