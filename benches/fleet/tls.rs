//! The connections of the fake, with counts; over TLS with a certificate of its own authority.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::server::TlsStream;

/// Counts requests and connections.
#[derive(Default)]
pub struct Counters {
    pub requests: AtomicUsize,
    pub http2: AtomicUsize,
    pub mutations: AtomicUsize,
    pub connections: AtomicUsize,
    open: AtomicUsize,
    pub most_open: AtomicUsize,
}

/// Writes an authority and a certificate for every shop into `folder`.
pub fn make_certificates(folder: &std::path::Path) {
    let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "hookwright benchmark");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["*.myshopify.com".to_owned()];
    let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    std::fs::write(folder.join("authority.pem"), authority.pem()).unwrap();
    std::fs::write(folder.join("leaf.pem"), leaf.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}

/// A connection that reports its end.
pub struct Counted<S> {
    stream: S,
    counters: Arc<Counters>,
}

impl<S> Counted<S> {
    fn new(stream: S, counters: &Arc<Counters>) -> Self {
        counters.connections.fetch_add(1, Relaxed);
        let open = counters.open.fetch_add(1, Relaxed) + 1;
        counters.most_open.fetch_max(open, Relaxed);
        Self { stream, counters: Arc::clone(counters) }
    }
}

impl<S> Drop for Counted<S> {
    fn drop(&mut self) {
        self.counters.open.fetch_sub(1, Relaxed);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
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

/// Plain connections.
pub struct Plain {
    pub listener: TcpListener,
    pub counters: Arc<Counters>,
}

impl axum::serve::Listener for Plain {
    type Io = Counted<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, peer) = self.listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        (Counted::new(stream, &self.counters), peer)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

type Ready = (Counted<TlsStream<TcpStream>>, SocketAddr);

/// TLS connections; handshakes run in parallel.
pub struct Listener {
    ready: mpsc::Receiver<Ready>,
    address: SocketAddr,
}

impl Listener {
    pub fn start(listener: TcpListener, folder: &str, alpn: &str, latency: Duration, counters: Arc<Counters>) -> Self {
        let chain = vec![CertificateDer::from_pem_file(format!("{folder}/leaf.pem")).unwrap()];
        let key = PrivateKeyDer::from_pem_file(format!("{folder}/key.pem")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = builder.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap();
        config.alpn_protocols = alpn.split(',').map(|name| name.as_bytes().to_vec()).collect();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let address = listener.local_addr().unwrap();
        let (sender, ready) = mpsc::channel(64);
        tokio::spawn(async move {
            loop {
                let (stream, peer) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let (acceptor, sender, counters) = (acceptor.clone(), sender.clone(), Arc::clone(&counters));
                tokio::spawn(async move {
                    // A round trip for TCP and one for TLS 1.3; the client sends its Finished message with the request.
                    if !latency.is_zero() {
                        tokio::time::sleep(latency * 2).await;
                    }
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let _ = sender.send((Counted::new(stream, &counters), peer)).await;
                    }
                });
            }
        });
        Self { ready, address }
    }
}

impl axum::serve::Listener for Listener {
    type Io = Counted<TlsStream<TcpStream>>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        self.ready.recv().await.expect("the task that accepts never ends")
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}
