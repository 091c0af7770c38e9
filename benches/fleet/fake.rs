//! A fast Admin API for the benchmark, in a separate process so that its CPU time is measured separately.
//!
//! It keeps state for each shop, waits for the latency before each response and counts requests. Over TLS, the host name
//! identifies the shop, and a connection adds two latencies (one for TCP, one for TLS 1.3). It has no rate limit.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{Version, header};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::args::Args;
use crate::graphql::{Documents, Execution, Shop};
use crate::measure;
use crate::tls::{self, Counters};
use crate::world::{self, Live};

/// The measurements of a fake, returned at its end.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Seen {
    pub requests: usize,
    pub http2: usize,
    pub mutations: usize,
    pub connections: usize,
    pub most_open: usize,
    /// User and system time in seconds.
    pub cpu: f64,
    /// Live subscriptions in the shops that received requests.
    pub subscriptions: usize,
}

/// The parameters of a fake.
#[derive(Clone)]
pub struct Setting {
    pub live: Live,
    pub bindings: usize,
    pub latency_ms: u64,
    /// The folder with a certificate. The fake then uses TLS on port 443 instead of a free port.
    pub tls: Option<String>,
    /// The protocols that TLS offers, in order of preference.
    pub alpn: &'static str,
}

/// A running fake.
pub struct Fake {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
    /// The value for HOOKWRIGHT_ADMIN_URL.
    pub url: String,
}

impl Fake {
    pub fn start(setting: &Setting) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["serve", "--live", setting.live.name(), "--bindings", &setting.bindings.to_string()]);
        command.args(["--latency", &setting.latency_ms.to_string(), "--alpn", setting.alpn]);
        if let Some(folder) = &setting.tls {
            command.args(["--tls", folder]);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut url = String::new();
        out.read_line(&mut url).unwrap();
        Self { child, out, url: url.trim().to_owned() }
    }

    /// Stops the fake and returns its measurements.
    pub fn finish(mut self) -> Seen {
        drop(self.child.stdin.take());
        let mut text = String::new();
        self.out.read_to_string(&mut text).unwrap();
        self.child.wait().unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    query: std::borrow::Cow<'a, str>,
    #[serde(default)]
    variables: Option<Map<String, Value>>,
}

/// The state of the fake.
struct Desk {
    live: Live,
    bindings: usize,
    shops: HashMap<String, Shop>,
    documents: Documents,
}

impl Desk {
    fn answer(&mut self, domain: &str, body: &[u8], counters: &Counters) -> String {
        let Body { query, variables } = serde_json::from_slice(body).unwrap();
        if query.trim_start().starts_with("mutation") {
            counters.mutations.fetch_add(1, Relaxed);
        }
        let document = self.documents.parsed(&query);
        if !self.shops.contains_key(domain) {
            let n = world::number(domain).unwrap_or_else(|| panic!("{domain} is not a shop of the fleet"));
            self.shops.insert(domain.to_owned(), Shop::seeded(self.live, n, self.bindings));
        }
        let shop = self.shops.get_mut(domain).unwrap();
        Execution { document: &document, variables: &variables.unwrap_or_default() }.run(shop)
    }
}

#[derive(Clone)]
struct Shared {
    desk: Arc<Mutex<Desk>>,
    counters: Arc<Counters>,
    latency: Duration,
}

/// Returns the shop from the path, as in HOOKWRIGHT_ADMIN_URL, or else from the host.
fn domain_of(request: &Request) -> String {
    let first = request.uri().path().split('/').nth(1).unwrap_or_default();
    let header = || request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let domain = if first == "admin" { request.uri().host().or_else(header) } else { Some(first) };
    domain.unwrap_or_default().to_owned()
}

async fn answer(State(shared): State<Shared>, request: Request) -> ([(header::HeaderName, &'static str); 2], String) {
    let counters = &shared.counters;
    let version = header::HeaderName::from_static("x-shopify-api-version");
    let headers = [(header::CONTENT_TYPE, "application/json"), (version, "2026-10")];
    if !request.uri().path().contains("/admin/") {
        // The tool asks whether this is the sandbox; it is not.
        return (headers, "{}".to_owned());
    }
    counters.requests.fetch_add(1, Relaxed);
    if request.version() == Version::HTTP_2 {
        counters.http2.fetch_add(1, Relaxed);
    }
    let domain = domain_of(&request);
    let body: Bytes = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    if !shared.latency.is_zero() {
        tokio::time::sleep(shared.latency).await;
    }
    let text = shared.desk.lock().unwrap().answer(&domain, &body, counters);
    (headers, text)
}

/// The main function of the process: serves until stdin ends, then prints its measurements.
pub fn serve(args: &Args) {
    let latency = Duration::from_millis(args.value("latency", 0));
    let (live, bindings) = (Live::parse(args.text("live").unwrap_or("full")), args.value("bindings", 12));
    let desk = Desk { live, bindings, shops: HashMap::new(), documents: Documents::default() };
    let desk = Arc::new(Mutex::new(desk));
    let counters = Arc::new(Counters::default());
    let shared = Shared { desk: Arc::clone(&desk), counters: Arc::clone(&counters), latency };
    let app = Router::new().fallback(answer).with_state(shared);
    // One thread, so that it uses at most one core.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        let port = if args.text("tls").is_some() { 443 } else { args.value("port", 0) };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        if let Some(folder) = args.text("tls") {
            let alpn = args.text("alpn").unwrap_or_default();
            let listener = tls::Listener::start(listener, folder, alpn, latency, Arc::clone(&counters));
            println!("https://127.0.0.1:{port}");
            tokio::select! { _ = axum::serve(listener, app) => {} _ = ended => {} }
        } else {
            let listener = tls::Plain { listener, counters: Arc::clone(&counters) };
            println!("http://127.0.0.1:{port}/{{shop}}");
            tokio::select! { _ = axum::serve(listener, app) => {} _ = ended => {} }
        }
    });
    let counters = &*counters;
    let seen = Seen {
        requests: counters.requests.load(Relaxed),
        http2: counters.http2.load(Relaxed),
        mutations: counters.mutations.load(Relaxed),
        connections: counters.connections.load(Relaxed),
        most_open: counters.most_open.load(Relaxed),
        cpu: measure::own_cpu(),
        subscriptions: desk.lock().unwrap().shops.values().map(Shop::len).sum(),
    };
    println!("{}", serde_json::to_string(&seen).unwrap());
}
