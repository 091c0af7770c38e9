//! Connections to the login listener. Idle connections must not keep the browser out: each has a few seconds to send
//! its request, and above a limit the oldest one is closed.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep};

/// The time that a connection has to send its request. Browsers open some connections in advance and leave them idle.
const PATIENCE: Duration = Duration::from_secs(5);
/// The maximum number of connections that wait for a request, far below any limit of open files.
const MAX_WAITING: usize = 64;

/// Accepts connections.
pub(super) struct Connections {
    listener: TcpListener,
    /// The oldest first. Dropping a sender ends its connection, unless the request has been received.
    waiting: VecDeque<oneshot::Sender<()>>,
}

impl Connections {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self { listener, waiting: VecDeque::new() }
    }
}

impl Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        self.waiting.retain(|waiting| !waiting.is_closed());
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.pop_front();
        }
        let (keep, dropped) = oneshot::channel();
        self.waiting.push_back(keep);
        let limits = Some((Box::pin(sleep(PATIENCE)), dropped));
        (Connection { stream, handle: Handle::default(), limits }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Whether the request of a connection has been received.
#[derive(Debug, Clone, Default)]
pub(super) struct Handle(Arc<AtomicBool>);

impl Handle {
    /// Keeps the connection open from now on, because a browser waits for the page.
    pub(super) fn received(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Connected<IncomingStream<'_, Connections>> for Handle {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Self {
        stream.io().handle.clone()
    }
}

/// A connection.
pub(super) struct Connection {
    stream: TcpStream,
    handle: Handle,
    /// Ends the connection before its request is received; `None` after that, or after the connection ended.
    limits: Option<(Pin<Box<Sleep>>, oneshot::Receiver<()>)>,
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.handle.0.load(Ordering::Relaxed) {
            self.limits = None;
        }
        let over = self.limits.as_mut().is_some_and(|(patience, dropped)| {
            patience.as_mut().poll(cx).is_ready() || Pin::new(dropped).poll(cx).is_ready()
        });
        if over {
            self.limits = None;
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
