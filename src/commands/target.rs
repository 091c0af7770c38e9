//! What a run talks to: Shopify, the embedded sandbox, or a URL that stands in for Shopify.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::admin::Endpoint;
use crate::auth::{self, SecretResolver};
use crate::catalog;
use crate::cli::RunArgs;
use crate::error::Failure;
use crate::exit::Exit;
use crate::manifest::{Manifest, ManifestShop};
use crate::model::ShopDomain;
use crate::plan::v1;
use crate::sandbox;

/// An open target. A sandbox runs as long as this lives.
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    pub(crate) name: String,
    pub(crate) sandbox: Option<v1::Sandbox>,
    running: Option<sandbox::Running>,
}

/// What stands for a token in the sandbox where a reference can't be resolved.
pub(crate) const SANDBOX_TOKEN: &str = "sandbox-token";

/// A shop as the sandbox makes it up: with the scopes that the manifest wants, or else those that its topics need.
fn start(shop: &ManifestShop) -> (ShopDomain, Vec<String>) {
    let needed = || {
        let infos = shop.desired.entries.iter().filter_map(|e| catalog::lookup(&e.binding.topic));
        let first: BTreeSet<&str> = infos.filter_map(|info| info.scopes().next()).collect();
        first.into_iter().map(ToOwned::to_owned).collect()
    };
    let wanted = shop.desired.scopes.as_ref().map(|set| set.iter().map(ToString::to_string).collect());
    (shop.shop.clone(), wanted.unwrap_or_else(needed))
}

/// Hosts besides loopback that HOOKWRIGHT_ADMIN_URL may name.
fn trusted_hosts() -> Vec<String> {
    let list = std::env::var("HOOKWRIGHT_TRUST_HOSTS").unwrap_or_default();
    list.split(',').map(|h| h.trim().to_owned()).filter(|h| !h.is_empty()).collect()
}

impl Target {
    /// Without `seeds` (not: with none) a sandbox is taken as it is.
    pub(crate) async fn open(run: &RunArgs, manifest: &Manifest, seeds: Option<Vec<PathBuf>>) -> Result<Self, Failure> {
        if run.sandbox {
            return Self::sandbox(run, manifest, seeds).await;
        }
        let Some(url) = std::env::var("HOOKWRIGHT_ADMIN_URL").ok().filter(|url| !url.is_empty()) else {
            return Ok(Self { endpoint: Endpoint::Shopify, name: "shopify".to_owned(), sandbox: None, running: None });
        };
        let endpoint = Endpoint::parse(&url, &trusted_hosts()).map_err(Failure::invalid)?;
        Ok(Self { endpoint, name: url, sandbox: None, running: None })
    }

    async fn sandbox(run: &RunArgs, manifest: &Manifest, seeds: Option<Vec<PathBuf>>) -> Result<Self, Failure> {
        let failed = |e: sandbox::SandboxError| Failure::invalid(format!("sandbox: {e}"));
        let unseeded = seeds.as_ref().is_some_and(Vec::is_empty);
        let options = sandbox::OpenOptions { state: Some(run.sandbox_state.clone()), seeds: seeds.unwrap_or_default() };
        let running = sandbox::start(&options, ([127, 0, 0, 1], 0).into()).await.map_err(failed)?;
        if unseeded {
            // Nobody said what is live, so a manifest of one's own can be tried at once: its shops start empty.
            running.add_missing(&manifest.shops.iter().map(start).collect::<Vec<_>>()).map_err(failed)?;
        }
        let endpoint = Endpoint::parse(&running.url(), &[]).map_err(|e| Failure::new(Exit::Error, e))?;
        let state = v1::Sandbox { id: running.id().to_owned(), state: run.sandbox_state.display().to_string() };
        Ok(Self { endpoint, name: "sandbox".to_owned(), sandbox: Some(state), running: Some(running) })
    }

    /// Whether one address serves many shops only by naming them.
    pub(crate) fn check_shops(&self, shops: usize) -> Result<(), Failure> {
        if self.endpoint.has_shop_placeholder() || shops <= 1 {
            return Ok(());
        }
        Err(Failure::invalid(format!("HOOKWRIGHT_ADMIN_URL has no {{shop}}, but the selection has {shops} shops"))
            .hint("put {shop} where the shop's domain belongs, or select one shop with --shop"))
    }

    /// How secrets are had against this target: in the sandbox nobody needs any.
    pub(crate) fn secrets(&self, run: &RunArgs) -> SecretResolver {
        let mut options = auth::Options::new(Arc::new(|name| std::env::var_os(name)));
        options.allow_commands = run.allow_commands;
        options.sandbox_fallback = self.sandbox.as_ref().map(|_| SANDBOX_TOKEN.to_owned());
        SecretResolver::new(options)
    }

    /// Flushes and stops a sandbox.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        match self.running {
            Some(running) => running.stop().await.map_err(|e| Failure::new(Exit::Error, format!("sandbox: {e}"))),
            None => Ok(()),
        }
    }
}
