//! The sandbox: an embedded Shopify Admin API, for first use, demos and tests.
//!
//! It imports `model` and `catalog` and nothing else of the crate, so that it stays an independent witness of what the
//! client and the planner do. `store` and `rules` hold what Shopify does, purely; GraphQL documents are parsed, validated
//! and executed by apollo-compiler against `schema.graphql`; `desk` puts state and files behind one lock; `server` is the
//! thin HTTP side. `oauth` gives codes and tokens, with a signature of its own; `adobe` is IMS and Flow Service.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod adobe;
mod bucket;
mod control;
mod cost;
mod deeds;
mod desk;
mod edit;
mod error;
mod fault;
mod fault_file;
mod faults;
mod files;
mod gate;
mod graphql;
mod log;
mod oauth;
mod page;
mod refusal;
mod reply;
mod rest;
mod rules;
mod seed;
mod server;
mod store;
mod tree;
mod version;
mod visitor;
mod wire;

pub use adobe::{Act, InletEdit, InletKind, RunStatus};
pub use edit::{Edit, age};
pub use error::SandboxError;
pub use faults::Faults;
pub use oauth::{End, Jwk};
pub use seed::{Added, Summary};
pub use store::Status;

use crate::model::ShopDomain;
use desk::Desk;
use files::Wait;
use server::Server;

/// Where a sandbox keeps its state, and what it starts with.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// The state file, made if it is not there; `None`: in memory.
    pub state: Option<PathBuf>,
    /// Seed files: all of them if the state holds nothing yet, later the shops that [`Running::add_missing`] names.
    pub seeds: Vec<PathBuf>,
    /// The date for what holds from a date on; `None`: the present.
    pub today: Option<jiff::Timestamp>,
}

/// A sandbox that listens. Dropped without [`Running::stop`] it stops, too; nothing answered is lost.
#[derive(Debug)]
pub struct Running {
    desk: Arc<Desk>,
    server: Server,
    id: String,
}

/// Opens the state and listens on `bind`; port 0 means any.
pub async fn start(options: &OpenOptions, bind: SocketAddr) -> Result<Running, SandboxError> {
    // Synchronous: a lock may be waited for, at most two seconds, before there is anything else to do.
    let desk = Arc::new(Desk::open_at(options.state.as_deref(), &options.seeds, Wait::Always, options.today)?);
    let server = Server::start(Arc::clone(&desk), bind).await?;
    desk.announce(server.address)?;
    let id = desk.id();
    Ok(Running { desk, server, id })
}

/// Registers apps of the embedding process. They are kept in memory only, as a secret may be a real one.
#[derive(Debug, Clone)]
pub struct Registrar {
    desk: Arc<Desk>,
}

impl Registrar {
    /// An app that authenticates by its secret.
    pub fn app(&self, client_id: &str, client_secret: &str) {
        self.desk.register_app(client_id, client_secret);
    }

    /// An app that authenticates by client assertions, which this key verifies and which may name this audience, with `{shop}`
    /// for the shop's domain, besides the shop's token endpoint.
    pub fn key(&self, client_id: &str, key: Jwk, audience: Option<&str>) {
        self.desk.register_key(client_id, key, audience);
    }
}

impl Running {
    /// The value for `HOOKWRIGHT_ADMIN_URL`, with a literal `{shop}` in it.
    pub fn url(&self) -> String {
        format!("http://{}/{{shop}}", self.server.address)
    }

    /// Where Adobe's side is: IMS at `/ims/token/v3` below it, Flow Service at `/data/foundation/flowservice`.
    pub fn adobe_url(&self) -> String {
        format!("http://{}/__adobe", self.server.address)
    }

    /// Whether a seed said anything of Adobe's side.
    pub fn has_adobe(&self) -> bool {
        self.desk.has_adobe()
    }

    /// The address that other machines reach it at, too, if it listens beyond loopback.
    pub fn open_to_others(&self) -> Option<SocketAddr> {
        Some(self.server.bound).filter(|address| !address.ip().is_loopback())
    }

    /// The random id of the state.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The client id of the app that the state knows; its secret stands in the seed.
    pub fn client_id(&self) -> String {
        self.desk.client_id()
    }

    /// Lets other apps ask for access, too.
    pub fn registrar(&self) -> Registrar {
        Registrar { desk: Arc::clone(&self.desk) }
    }

    /// From now on these go wrong; their counts begin anew.
    pub fn set_faults(&self, faults: Faults) {
        self.desk.set_faults(faults);
    }

    /// Adds those of the shops that the state does not know: as the seeds of the start have them, or else with these scopes
    /// and without subscriptions.
    pub fn add_missing(&self, shops: &[(ShopDomain, Vec<String>)]) -> Result<Added, SandboxError> {
        self.desk.add_missing(shops)
    }

    /// Answers what is under way, stops and writes the state.
    pub async fn stop(self) -> Result<(), SandboxError> {
        self.server.stop().await;
        self.desk.close()
    }
}

/// Fills a state from seed files; with `replace` whatever it held is gone. A state that a server holds is filled through
/// that server.
pub fn seed(state: &Path, files: &[PathBuf], replace: bool) -> Result<Summary, SandboxError> {
    let seed = seed::read(files)?;
    match Desk::open(Some(state), &[], Wait::UnlessServed) {
        Ok(desk) => desk.seed(&seed, replace),
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

/// Changes a state by hand and tells what happened. A state that a server holds is changed through that server.
pub fn edit(state: &Path, edit: &Edit) -> Result<String, SandboxError> {
    if !state.exists() {
        let message = format!("there is no sandbox state {}; `hookwright sandbox seed` makes one", state.display());
        return Err(SandboxError::Edit(message));
    }
    match Desk::open(Some(state), &[], Wait::UnlessServed) {
        Ok(desk) => desk.edit(|state| edit::apply(&mut state.world, edit, &desk::rfc3339(desk::now()))),
        Err(SandboxError::InUse { server: Some(server), .. }) => {
            control::post(server, "edit", &serde_json::json!(edit).to_string())
        }
        Err(error) => Err(error),
    }
}

/// `; did you mean …?`, if one of the names is close.
fn suggest<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let near = names.into_iter().map(|name| (strsim::jaro_winkler(&text.to_lowercase(), name), name));
    let best = near.filter(|(score, _)| *score > 0.85).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or_else(String::new, |(_, name)| format!("; did you mean {name}?"))
}

#[cfg(test)]
mod tests;
