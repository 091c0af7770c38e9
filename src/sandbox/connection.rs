//! Connections that can fail: closed before or in the middle of a response, or slow.
//!
//! A handler can only return a response. It sets the fault on the handle of its connection, and the connection applies it
//! when the response is written.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};

/// How the next write fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum ConnectionFault {
    #[default]
    None,
    /// Nothing is sent.
    Cut,
    /// Half of the bytes are sent.
    CutHalfway,
    /// The bytes are sent in parts over this time.
    Slow(Duration),
}

/// Sets the fault of a connection.
#[derive(Debug, Clone, Default)]
pub(super) struct ConnectionHandle(Arc<Mutex<ConnectionFault>>);

impl ConnectionHandle {
    pub(super) fn set(&self, fault: ConnectionFault) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    fn get(&self) -> ConnectionFault {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connected<IncomingStream<'_, FaultyListener>> for ConnectionHandle {
    fn connect_info(stream: IncomingStream<'_, FaultyListener>) -> Self {
        stream.io().handle.clone()
    }
}

/// Accepts connections that can fail.
#[derive(Debug)]
pub(super) struct FaultyListener(pub(super) TcpListener);

impl Listener for FaultyListener {
    type Io = FaultyStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (FaultyStream, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        (FaultyStream { stream, handle: ConnectionHandle::default(), parts: PARTS, pause: None }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// The number of parts of a slow response.
const PARTS: u32 = 8;

/// A connection that can fail.
#[derive(Debug)]
pub(super) struct FaultyStream {
    stream: TcpStream,
    handle: ConnectionHandle,
    /// The number of parts of a slow response that are not sent yet.
    parts: u32,
    pause: Option<Pin<Box<Sleep>>>,
}

impl AsyncRead for FaultyStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for FaultyStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let part = match self.handle.get() {
            ConnectionFault::None => buf,
            ConnectionFault::Cut => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            ConnectionFault::CutHalfway => {
                self.handle.set(ConnectionFault::Cut);
                &buf[..buf.len().div_ceil(2)]
            }
            ConnectionFault::Slow(all) => {
                let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(all / PARTS)));
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
                let part = &buf[..buf.len().div_ceil(usize::try_from(self.parts).unwrap_or(1))];
                self.parts -= 1;
                if self.parts == 0 {
                    self.parts = PARTS;
                    self.handle.set(ConnectionFault::None);
                }
                part
            }
        };
        Pin::new(&mut self.stream).poll_write(cx, part)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
