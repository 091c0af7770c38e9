//! The bare client: sends only the necessary requests, reuses its connections and discards the responses.
//!
//! It measures the cost of the network and of a fake on the same machine. It is a separate process, so that it is measured
//! like the tool. Like the tool, it reads every shop before it changes one and sends the changes of a shop in one document.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::args::Args;
use crate::world::{self, Live};

const READ: &str = "query { webhookSubscriptions(first: 250) { nodes { id topic uri format filter includeFields \
                    metafieldNamespaces name } pageInfo { hasNextPage endCursor } } currentAppInstallation { \
                    accessScopes { handle } } }";

struct Job {
    live: Live,
    shops: usize,
    bindings: usize,
    address: String,
    /// One connection for each shop.
    tls: Option<tokio_rustls::TlsConnector>,
}

/// The main function of the process.
pub fn run(args: &Args) {
    let tls = args.text("tls").map(|folder| {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(format!("{folder}/authority.pem")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = builder.unwrap().with_root_certificates(roots).with_no_client_auth();
        tokio_rustls::TlsConnector::from(Arc::new(config))
    });
    let job = Arc::new(Job {
        live: Live::parse(args.text("live").unwrap_or("full")),
        shops: args.value("shops", 200),
        bindings: args.value("bindings", 12),
        address: args.text("address").unwrap_or_default().to_owned(),
        tls,
    });
    let parallelism = args.value("parallelism", 64_usize);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        if job.tls.is_some() {
            side_by_side(&job, parallelism, Part::Both).await;
        } else {
            side_by_side(&job, parallelism, Part::Read).await;
            side_by_side(&job, parallelism, Part::Change).await;
        }
    });
}

/// The requests for each shop.
#[derive(Clone, Copy)]
enum Part {
    Read,
    Change,
    /// Uses one connection, so that it is opened only once.
    Both,
}

async fn side_by_side(job: &Arc<Job>, parallelism: usize, part: Part) {
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..parallelism.min(job.shops) {
        let (job, next) = (Arc::clone(job), Arc::clone(&next));
        workers.spawn(async move { job.work(&next, part).await.unwrap() });
    }
    workers.join_all().await;
}

impl Job {
    async fn work(&self, next: &AtomicUsize, part: Part) -> io::Result<()> {
        let mut kept = None;
        loop {
            let n = next.fetch_add(1, Relaxed);
            if n >= self.shops {
                return Ok(());
            }
            let changes = self.live.differs(n);
            if matches!(part, Part::Change) && !changes {
                continue;
            }
            let domain = format!("{}.myshopify.com", world::handle(n));
            if let Some(connector) = &self.tls {
                let stream = TcpStream::connect((domain.as_str(), 443)).await?;
                stream.set_nodelay(true)?;
                let name = ServerName::try_from(domain.clone()).unwrap();
                let mut stream = connector.connect(name, stream).await?;
                self.shop(&mut stream, n, &domain, "", part, changes).await?;
                continue;
            }
            if kept.is_none() {
                let stream = TcpStream::connect(&self.address).await?;
                stream.set_nodelay(true)?;
                kept = Some(stream);
            }
            let stream = kept.as_mut().unwrap();
            self.shop(stream, n, &domain, &format!("/{domain}"), part, changes).await?;
        }
    }

    async fn shop<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        n: usize,
        host: &str,
        base: &str,
        part: Part,
        changes: bool,
    ) -> io::Result<()> {
        if !matches!(part, Part::Change) {
            exchange(stream, host, base, READ).await?;
        }
        if !matches!(part, Part::Read) && changes {
            exchange(stream, host, base, &self.mutation(n)).await?;
        }
        Ok(())
    }

    /// Returns all changes of shop `n` in one document.
    fn mutation(&self, n: usize) -> String {
        let mut text = "mutation {".to_owned();
        let input = format!("webhookSubscription: {{uri: \"{}\", format: JSON, includeFields: []}}", world::ADDRESS);
        let answer = "webhookSubscription { id } userErrors { message }";
        let create = |text: &mut String, topic: usize| {
            let name = world::graphql_topic(topic);
            let _ = write!(text, " c{topic}: webhookSubscriptionCreate(topic: {name}, {input}) {{ {answer} }}");
        };
        let gid = |topic| format!("gid://shopify/WebhookSubscription/{}", world::id(n, topic));
        if self.live == Live::Empty {
            (0..self.bindings).for_each(|topic| create(&mut text, topic));
        } else {
            create(&mut text, 0);
            for topic in [1, 2] {
                let id = gid(topic);
                let _ = write!(text, " u{topic}: webhookSubscriptionUpdate(id: \"{id}\", {input}) {{ {answer} }}");
            }
            let id = gid(world::TOPICS.len() - 1);
            let _ = write!(text, " d: webhookSubscriptionDelete(id: \"{id}\") {{ userErrors {{ message }} }}");
        }
        text.push_str(" }");
        text
    }
}

/// Sends one request over HTTP/1.1 and reads the complete response.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    host: &str,
    base: &str,
    query: &str,
) -> io::Result<()> {
    let body = serde_json::json!({ "query": query }).to_string();
    let length = body.len();
    let request = format!(
        "POST {base}/admin/api/2026-10/graphql.json HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
         x-shopify-access-token: benchmark\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = Vec::with_capacity(8192);
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&answer[..end]).map_err(io::Error::other)?;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
        let length: usize = length.parse().map_err(io::Error::other)?;
        while answer.len() < end + 4 + length {
            if stream.read_buf(&mut answer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        return Ok(());
    }
}
