//! The sandbox: an embedded Shopify Admin API for first use, demos and tests. It is the Cargo feature `sandbox`.
//!
//! It imports only `catalog`, `files`, `model` and `words`, so that it is independent of the client and the planner whose
//! behavior it checks. `store`, `rules` and `filter` implement Shopify's rules without input or output. apollo-compiler
//! parses, validates and executes GraphQL documents against `schema.graphql`; `resolvers` and `objects` return the values.
//! `service` puts the state and its files behind one lock, and `server` is the HTTP server. `oauth` issues codes and tokens.
//! `adobe` is IMS and Flow Service. `injector` applies fault rules to requests.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod access;
mod adobe;
mod bucket;
mod connection;
mod control;
mod cost;
mod edit;
mod error;
mod fault;
mod faults;
mod files;
mod filter;
mod graphql;
mod graphql_errors;
mod injector;
mod log;
mod oauth;
mod objects;
mod origin;
mod page;
mod reply;
mod resolvers;
mod rest;
mod rules;
mod seed;
mod server;
mod service;
mod shop_faults;
mod store;
mod subscription;
mod version;

pub(crate) use adobe::{InletAction, InletEdit, InletKind, RunStatus};
pub(crate) use edit::{Edit, age};
pub(crate) use error::SandboxError;
pub(crate) use faults::Faults;
pub(crate) use oauth::{Invalidation, Jwk};
pub(crate) use seed::{Added, Summary};
pub(crate) use store::ShopStatus;

use crate::model::ShopDomain;
use files::LockWait;
use server::Server;
use service::Service;

/// The state of a sandbox and its initial content.
#[derive(Debug, Clone, Default)]
pub(crate) struct OpenOptions {
    /// The state file, which is created if it does not exist; `None` keeps the state in memory.
    pub state: Option<PathBuf>,
    /// Seed files. They fill an empty state; later they describe the shops of [`Running::add_missing`].
    pub seeds: Vec<PathBuf>,
    /// The date for rules that start on a date; `None` is the present.
    pub today: Option<jiff::Timestamp>,
}

/// A running sandbox. If it is dropped without [`Running::stop`], it stops without losing an answered request.
#[derive(Debug)]
pub(crate) struct Running {
    service: Arc<Service>,
    server: Server,
    id: String,
}

/// Opens the state and listens on `bind`; port 0 means any.
pub(crate) async fn start(options: &OpenOptions, bind: SocketAddr) -> Result<Running, SandboxError> {
    // Blocks for at most two seconds while another process has the state open; nothing else runs yet.
    let service = Arc::new(Service::open(options.state.as_deref(), &options.seeds, LockWait::Always, options.today)?);
    let server = Server::start(Arc::clone(&service), bind).await?;
    service.announce(server.address)?;
    let id = service.id();
    Ok(Running { service, server, id })
}

/// Registers apps of the embedding process. They are kept in memory only, because their secrets may be real ones.
#[derive(Debug, Clone)]
pub(crate) struct Registrar {
    service: Arc<Service>,
}

impl Registrar {
    /// Registers an app that authenticates by its secret.
    pub(crate) fn app(&self, client_id: &str, client_secret: &str) {
        self.service.register_app(client_id, client_secret);
    }

    /// Registers an app that authenticates by client assertions. The key verifies them. They may name `audience`, in which
    /// `{shop}` is replaced by the domain of the shop, instead of the token endpoint.
    pub(crate) fn key(&self, client_id: &str, jwk: serde_json::Value, audience: Option<&str>) {
        match serde_json::from_value(jwk) {
            Ok(key) => self.service.register_key(client_id, key, audience),
            Err(error) => tracing::warn!(%error, "the sandbox cannot read the public key"),
        }
    }
}

impl Running {
    /// The value for `HOOKWRIGHT_ADMIN_URL`, with a literal `{shop}` in it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/{{shop}}", self.server.address)
    }

    /// The base URL of Adobe's side: IMS is at `/ims/token/v3` below it, Flow Service at `/data/foundation/flowservice`.
    pub(crate) fn adobe_url(&self) -> String {
        format!("http://{}/__adobe", self.server.address)
    }

    /// Whether a seed described Adobe's side.
    pub(crate) fn has_adobe(&self) -> bool {
        self.service.has_adobe()
    }

    /// The address that other machines can reach, if the server does not listen on loopback.
    pub(crate) fn open_to_others(&self) -> Option<SocketAddr> {
        Some(self.server.bound).filter(|address| !address.ip().is_loopback())
    }

    /// The random id of the state.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The client id of the app in the state. The seed has its secret.
    pub(crate) fn client_id(&self) -> String {
        self.service.client_id()
    }

    /// Registers further apps.
    pub(crate) fn registrar(&self) -> Registrar {
        Registrar { service: Arc::clone(&self.service) }
    }

    /// Replaces the fault rules and resets their counts.
    pub(crate) fn set_faults(&self, faults: Faults) {
        self.service.set_faults(faults);
    }

    /// Adds the shops that the state lacks. A shop that the seeds do not describe gets these scopes and no subscriptions.
    pub(crate) fn add_missing(&self, shops: &[(ShopDomain, Vec<String>)]) -> Result<Added, SandboxError> {
        self.service.add_missing(shops)
    }

    /// Finishes the requests in flight, stops the server and writes the state.
    pub(crate) async fn stop(self) -> Result<(), SandboxError> {
        self.server.stop().await;
        self.service.close()
    }
}

/// Fills a state from seed files; with `replace` they replace its content. If a server has the state open, the request goes
/// to that server.
pub(crate) fn seed(state: &Path, files: &[PathBuf], replace: bool) -> Result<Summary, SandboxError> {
    let seed = seed::read(files)?;
    match Service::open(Some(state), &[], LockWait::UnlessServed, None) {
        Ok(service) => service.seed(&seed, replace),
        Err(SandboxError::InUse { server: Some(server), .. }) => {
            let mut summary = Summary { shops: 0, subscriptions: 0 };
            for (at, file) in files.iter().enumerate() {
                let text = crate::files::read_text(file, crate::files::WRITTEN).map_err(SandboxError::io(file))?;
                let query = if replace && at == 0 { "?replace=true" } else { "" };
                summary = control::post(server, &format!("seed{query}"), &text)?;
            }
            Ok(summary)
        }
        Err(error) => Err(error),
    }
}

/// Carries out an edit on a state and returns a message about it. If a server has the state open, the request goes to that
/// server.
pub(crate) fn edit(state: &Path, edit: &Edit) -> Result<String, SandboxError> {
    if !state.exists() {
        let message = format!("sandbox state {} not found; create it with `hookwright sandbox seed`", state.display());
        return Err(SandboxError::Edit(message));
    }
    match Service::open(Some(state), &[], LockWait::UnlessServed, None) {
        Ok(service) => service.edit(|state| edit::apply(&mut state.world, edit, &service::rfc3339(service::now()))),
        Err(SandboxError::InUse { server: Some(server), .. }) => {
            control::post(server, "edit", &serde_json::json!(edit).to_string())
        }
        Err(error) => Err(error),
    }
}

/// Returns `; did you mean …?` if one of the names is similar.
fn suggest<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let near = names.into_iter().map(|name| (strsim::jaro_winkler(&text.to_lowercase(), name), name));
    let best = near.filter(|(score, _)| *score > 0.85).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or_else(String::new, |(_, name)| format!("; did you mean {name}?"))
}

#[cfg(test)]
mod tests;
