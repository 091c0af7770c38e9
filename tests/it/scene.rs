//! A served sandbox that takes no tokens but those of OAuth, and the tool run against it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStderr, Stdio};

use serde_json::Value;

use crate::advice;
use crate::world::{A, Run, World};

/// `sandbox serve`, stopped when dropped.
pub struct Server {
    child: Child,
    pub url: String,
}

impl Server {
    pub fn start(world: &World) -> Self {
        Self::start_with(world, &[])
    }

    /// With more options, such as faults.
    pub fn start_with(world: &World, more: &[&str]) -> Self {
        let args =
            ["sandbox", "serve", "--state", "served.json", "--listen", "127.0.0.1:0", "--seed", "world.sandbox.yaml"];
        let mut child = world.command(&[&args, more].concat()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().trim_start_matches("export HOOKWRIGHT_ADMIN_URL=").trim_matches('\'').to_owned();
        Self { child, url }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub const CLIENT_ID: &str = "client-0123456789abcdef";
pub const CLIENT_SECRET: &str = "shpss_c1ient5ecret0123456789abcdef";

/// Two shops whose tokens come from the store, of which acme lacks what the manifest wants.
pub fn manifest(auth: &str) -> String {
    format!(
        "version: 1\nauth: {auth}\nscopes: [write_orders, read_customers]\ndestinations: {{ a: {A} }}\nshops:\n  \
         - {{ shop: acme, bindings: [{{ topic: orders/create, destination: a }}, {{ topic: customers/update, destination: a }}] }}\n  \
         - {{ shop: bolt, bindings: [{{ topic: orders/create, destination: a }}] }}\n"
    )
}

pub const STORE: &str =
    "{ token_store: { path: tokens.json, client_id: { env: ID }, client_secret: { env: SECRET } } }";
pub const CREDENTIALS: &str = "{ client_credentials: { client_id: { env: ID }, client_secret: { env: SECRET } } }";

/// The key is `app.pem` in the world of a scene, and registered in its seed.
pub const ASSERTION: &str =
    "{ client_assertion: { client_id: { env: ID }, private_key: { file: app.pem }, key_id: k1 } }";

/// A private key as `auth key new` makes it, and its JWK under the id `k1`. Made once.
pub fn key() -> &'static (String, Value) {
    static KEY: std::sync::OnceLock<(String, Value)> = std::sync::OnceLock::new();
    KEY.get_or_init(|| new_key("k1"))
}

/// Another private key and its JWK.
pub fn new_key(id: &str) -> (String, Value) {
    let world = World::new("", "");
    let run = world.run(&["auth", "key", "new", "--out", "app.pem", "--key-id", id]);
    (world.read("app.pem"), run.exits(0).json())
}

pub fn seed(app: &str, shops: &str) -> String {
    format!(
        "sandbox: 1\nrequire_oauth: true\napp: {{ client_id: {CLIENT_ID}, client_secret: {CLIENT_SECRET}, \
         redirect_uris: [\"https://example.com/callback\"]{app} }}\nshops:\n{shops}"
    )
}

pub const SHOPS: &str =
    "  - { shop: acme, scopes: [write_orders] }\n  - { shop: bolt, scopes: [write_orders, read_customers] }\n";

/// A world, its server, and everything that the tool said there.
pub struct Scene {
    pub world: World,
    pub server: Server,
}

impl Scene {
    pub fn new(auth: &str, app: &str, shops: &str) -> Self {
        let (pem, app) = if auth.contains("client_assertion") {
            let (pem, jwk) = key();
            (Some(pem), format!("{app}, keys: [{jwk}]"))
        } else {
            (None, app.to_owned())
        };
        let world = World::new(&manifest(auth), &seed(&app, shops));
        if let Some(pem) = pem {
            world.write("app.pem", pem);
        }
        let server = Server::start(&world);
        Self { world, server }
    }

    pub fn command(&self, args: &[&str]) -> std::process::Command {
        let mut command = self.world.command(args);
        command.env("HOOKWRIGHT_ADMIN_URL", &self.server.url).env("ID", CLIENT_ID).env("SECRET", CLIENT_SECRET);
        command
    }

    pub fn run(&self, args: &[&str]) -> Run {
        advised(Run::of(&self.command(args).output().unwrap()))
    }

    /// With something on stdin.
    pub fn run_with(&self, args: &[&str], input: &str) -> Run {
        let mut command = self.command(args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        advised(Run::of(&child.wait_with_output().unwrap()))
    }

    /// The options of the sandbox.
    pub fn edit(&self, args: &[&str]) {
        self.world.run(&[&["sandbox", "edit", "--state", "served.json"], args].concat()).exits(0);
    }

    /// What goes wrong from now on; the YAML of a file of faults.
    pub fn faults(&self, faults: &str) {
        let base = self.server.url.trim_end_matches("/{shop}");
        let (status, _, body) = http("POST", &format!("{base}/__sandbox/faults"), faults);
        assert_eq!(status, 200, "{body}");
    }

    /// Where the tokens are: beside the path of the manifest, since this is not Shopify.
    pub fn store(&self) -> String {
        use sha2::Digest as _;
        let host = self.server.url.trim_start_matches("http://").split('/').next().unwrap().replace(':', "_");
        // One name for one URL, whatever signs of it a file name cannot have.
        let digest = sha2::Sha256::digest(&self.server.url);
        let [a, b, c, d, ..] = *digest else { unreachable!("32 bytes") };
        format!("tokens.json.{host}-{a:02x}{b:02x}{c:02x}{d:02x}")
    }

    pub fn tokens(&self, shop: &str) -> Value {
        let store: Value = serde_json::from_str(&self.world.read(&self.store())).unwrap();
        store["shops"][format!("{shop}.myshopify.com")].clone()
    }

    /// The requests for tokens so far: what was asked, how it was answered.
    pub fn grants(&self) -> Vec<(String, u64)> {
        let log = self.world.read("served.json.log.jsonl");
        let requests = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        requests
            .filter_map(|r| Some((r["grant"].as_str()?.to_owned(), r["status"].as_u64().unwrap_or_default())))
            .collect()
    }

    /// `auth url`, and a merchant who says yes: where their browser ends up.
    pub fn approved(&self, shop: &str, more: &[&str]) -> String {
        let args = ["auth", "url", "--shop", shop, "--redirect-uri", "https://example.com/callback"];
        let run = self.run(&[&args[..], more].concat());
        run.exits(0);
        approve(run.out.trim())
    }

    /// Gets a token for a shop, with the scopes that the manifest wants.
    pub fn log_in(&self, shop: &str) {
        let callback = self.approved(shop, &[]);
        self.run_with(&["auth", "exchange", "--shop", shop, "--callback", "-"], &callback).exits(0);
    }
}

/// A run whose suggested commands were tried.
fn advised(run: Run) -> Run {
    advice::try_out(&run.out);
    advice::try_out(&run.err);
    run
}

/// The URL with another value of one of its parameters.
pub fn with(url: &str, name: &str, value: &str) -> String {
    let (start, rest) = url.split_once(&format!("{name}=")).unwrap();
    let end = rest.find('&').map_or("", |at| &rest[at..]);
    format!("{start}{name}={value}{end}")
}

/// The value of one parameter of a URL, not decoded.
pub fn parameter(url: &str, name: &str) -> String {
    let rest = url.split_once(&format!("{name}=")).unwrap().1;
    rest.split('&').next().unwrap().to_owned()
}

/// The merchant opens the URL and clicks the button; the address that the browser is sent to.
pub fn approve(url: &str) -> String {
    let (path, query) = url.split_once('?').unwrap();
    let (status, _, page) = http("GET", url, "");
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("id=\"install\"") && page.contains("write_orders"), "{page}");
    let (status, location, body) = http("POST", path, query);
    assert_eq!(status, 302, "{body}");
    location.unwrap()
}

/// One request as a browser sends it, over loopback: status, Location, body.
pub fn http(method: &str, url: &str, form: &str) -> (u16, Option<String>, String) {
    let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_mins(1))).unwrap();
    let length = form.len();
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nhost: {host}\r\naccept: text/html\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{form}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let location = head.lines().find_map(|line| line.strip_prefix("location: ")).map(str::to_owned);
    (status, location, body.to_owned())
}

/// `auth login`, waiting for a browser; stopped when dropped.
pub struct Login {
    child: Option<Child>,
    err: BufReader<ChildStderr>,
    pub url: String,
    pub said: String,
}

impl Login {
    pub fn start(command: &mut std::process::Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut err = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let mut url = String::new();
        // The URL is on a separate line, before the message about the wait.
        while !said.contains("Waiting for the browser") {
            let mut line = String::new();
            assert!(err.read_line(&mut line).unwrap() > 0, "it ended: {said}");
            if line.trim().starts_with("http") {
                line.trim().clone_into(&mut url);
            }
            said += &line;
        }
        Self { child: Some(child), err, url, said }
    }

    pub fn end(mut self) -> Run {
        self.err.read_to_string(&mut self.said).unwrap();
        let output = self.child.take().unwrap().wait_with_output().unwrap();
        let mut run = Run::of(&output);
        run.err.clone_from(&self.said);
        advised(run)
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
