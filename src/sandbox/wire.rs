//! The line to a caller, as far as it can fail: cut before or in the middle of an answer, or slow.
//!
//! A handler can only answer; so it tells the line how to fail, and the line fails when the answer is written.

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

/// How what is written next fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Trouble {
    #[default]
    None,
    /// Not a byte gets through.
    Cut,
    /// Half of it gets through.
    CutHalfway,
    /// It takes so long.
    Slow(Duration),
}

/// The handler's hold on the line of its caller.
#[derive(Debug, Clone, Default)]
pub(super) struct Handle(Arc<Mutex<Trouble>>);

impl Handle {
    pub(super) fn set(&self, trouble: Trouble) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    fn get(&self) -> Trouble {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connected<IncomingStream<'_, Lines>> for Handle {
    fn connect_info(stream: IncomingStream<'_, Lines>) -> Self {
        stream.io().handle.clone()
    }
}

/// Hands out lines.
#[derive(Debug)]
pub(super) struct Lines(pub(super) TcpListener);

impl Listener for Lines {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        (Line { stream, handle: Handle::default(), parts: PARTS, pause: None }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// In how many parts a slow answer comes.
const PARTS: u32 = 8;

/// A connection that may be told to fail.
#[derive(Debug)]
pub(super) struct Line {
    stream: TcpStream,
    handle: Handle,
    /// How many parts of a slow answer are still to come.
    parts: u32,
    pause: Option<Pin<Box<Sleep>>>,
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let part = match self.handle.get() {
            Trouble::None => buf,
            Trouble::Cut => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            Trouble::CutHalfway => {
                self.handle.set(Trouble::Cut);
                &buf[..buf.len().div_ceil(2)]
            }
            Trouble::Slow(all) => {
                let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(all / PARTS)));
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
                let part = &buf[..buf.len().div_ceil(usize::try_from(self.parts).unwrap_or(1))];
                self.parts -= 1;
                if self.parts == 0 {
                    self.parts = PARTS;
                    self.handle.set(Trouble::None);
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
