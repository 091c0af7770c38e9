//! The sandbox that `--sandbox` runs in this process.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::catalog;
use crate::cli::AccessArgs;
use crate::clock::fixed_now;
use crate::error::Failure;
use crate::exit::Exit;
use crate::manifest::{Manifest, ManifestShop};
use crate::model::ShopDomain;
use crate::render::{Style, title};
pub(super) use crate::sandbox::Registrar;
use crate::sandbox::{self, Added, OpenOptions, Running, SandboxError};

/// Converts an error of the sandbox to a failure. The lines after the first one become details.
pub(crate) fn failure(exit: Exit, error: &SandboxError) -> Failure {
    let text = error.to_string();
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let details = rest.lines().map(str::to_owned).collect();
    Failure { details, ..Failure::new(exit, format!("sandbox: {first}")) }
}

/// The sandbox of `--sandbox`, which runs in this process.
pub(super) struct Embedded(Running);

impl Embedded {
    /// Starts the sandbox. If `seeds` is given, even an empty list, adds the shops of the manifest that the state does
    /// not contain, and returns a description of the added shops.
    pub(super) async fn start(
        access: &AccessArgs,
        manifest: &Manifest,
        seeds: Option<Vec<PathBuf>>,
    ) -> Result<(Self, Option<String>), Failure> {
        let failed = |error| failure(Exit::Invalid, &error);
        let add_shops = seeds.is_some();
        let state = Some(access.sandbox_state.clone());
        let options = OpenOptions { state, seeds: seeds.unwrap_or_default(), today: fixed_now() };
        let running = sandbox::start(&options, ([127, 0, 0, 1], 0).into()).await.map_err(failed)?;
        let mut remark = None;
        if add_shops {
            let shops: Vec<_> = manifest.shops.iter().map(shop_of).collect();
            remark = describe(&running.add_missing(&shops).map_err(failed)?);
        }
        Ok((Self(running), remark))
    }

    /// Returns the URL of the Admin API.
    pub(super) fn url(&self) -> String {
        self.0.url()
    }

    /// Returns the URL that replaces Adobe.
    pub(super) fn adobe_url(&self) -> String {
        self.0.adobe_url()
    }

    /// Returns the random id of the state.
    pub(super) fn id(&self) -> &str {
        self.0.id()
    }

    /// Returns a registrar for the apps of this process.
    pub(super) fn registrar(&self) -> Registrar {
        self.0.registrar()
    }

    /// Writes the state and stops the sandbox.
    pub(super) async fn stop(self) -> Result<(), Failure> {
        self.0.stop().await.map_err(|error| failure(Exit::Error, &error))
    }
}

/// Returns a shop for the sandbox, with the scopes of the manifest or those that its topics need.
fn shop_of(shop: &ManifestShop) -> (ShopDomain, Vec<String>) {
    let needed = || {
        let infos = shop.topics().into_iter().filter_map(catalog::lookup);
        let first: BTreeSet<&str> = infos.filter_map(|info| info.scopes().next()).collect();
        first.into_iter().map(ToOwned::to_owned).collect()
    };
    let wanted = shop.scopes().map(|set| set.iter().map(ToString::to_string).collect());
    (shop.shop.clone(), wanted.unwrap_or_else(needed))
}

/// Returns a description of the objects that were added to the sandbox, with one line for each kind.
fn describe(added: &Added) -> Option<String> {
    let title =
        |shops: &[ShopDomain]| title(&shops.iter().map(ShopDomain::as_str).collect::<Vec<_>>(), &Style::default());
    let line = |shops: &[ShopDomain], how: &str| {
        (!shops.is_empty()).then(|| format!("Added to the sandbox{how}: {}", title(shops)))
    };
    let lines = [
        line(&added.seeded, " from the seed beside the manifest"),
        line(&added.empty, " without subscriptions, because no seed beside the manifest lists them"),
        added.adobe.then(|| "Added to the sandbox from the seed beside the manifest: the objects at Adobe".to_owned()),
    ];
    let lines: Vec<String> = lines.into_iter().flatten().collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
