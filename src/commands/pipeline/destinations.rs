//! Destinations at Adobe, as a run sees them: looked up before the shops are read, checked if asked, explained after.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::super::aep::{self, Accounts, Setting};
use super::super::target::{self, Target};
use super::super::{Output, clock, manifest_options};
use super::loaded::load_with;
use super::{Run, Unread, context, event_log, folded, input};
use crate::error::Failure;
use crate::manifest::{Manifest, ManifestShop, Options, is_placeholder};
use crate::model::Address;
use crate::plan::{self, DestinationHealth, Hazard, Plan, PlannedShop, ShopPlan};
use crate::state::aep::{self as found, Destination};
use crate::wire;
use crate::wire::plan::{ErrorKind, ShopError};

/// How long the reason of a change of address may take.
const EXPLANATION: Duration = Duration::from_secs(10);

impl Run {
    /// Looks up what the bindings of the selected shops lead to (of a saved plan's shops with changes), and puts the
    /// addresses into the manifest. Sends nothing if there is nothing to look up.
    pub(crate) async fn look_up(
        &mut self,
        files: &[PathBuf],
        output: Output,
        saved: Option<&Plan>,
    ) -> Result<(), Failure> {
        let of_shops: BTreeSet<usize> = match saved {
            Some(plan) => {
                let changed = plan.shops.iter().filter(|shop| !shop.changes.is_empty());
                changed.filter_map(|shop| self.shop_index(shop.shop.as_str())).collect()
            }
            None => self.shops.iter().copied().collect(),
        };
        let mut places = self.lookups(of_shops);
        if places.is_empty() {
            return Ok(());
        }
        if saved.is_none() {
            // A live address of a destination that no selected shop uses is still one of the manifest's.
            let common = self.manifest.destinations.iter().enumerate();
            places.extend(common.filter(|(_, d)| d.shop.is_none()).map(|(at, _)| at));
        }
        let needed: BTreeSet<&str> = places.iter().filter_map(|at| account(&self.manifest, *at)).collect();
        let (manifest, setting) = (Arc::clone(&self.manifest), self.setting());
        self.accounts.open(&manifest, |name| needed.contains(name), &setting).await?;
        self.looked = aep::look_up(&self.manifest, &places, &self.accounts, clock).await;
        let options = Options { found: self.looked.found.clone(), ..manifest_options() };
        let loaded = load_with(files, &options, self.verbosity, &self.said, output);
        let manifest = loaded
            .map_err(|failure| failure.hint("this is about the addresses that Adobe has for its destinations"))?
            .manifest;
        if manifest.digest != self.manifest.digest || manifest.destinations != self.manifest.destinations {
            return Err(Failure::invalid("the manifest was changed while it was read; nothing was sent to a shop"));
        }
        self.addresses = Arc::new(folded(&manifest));
        self.manifest = Arc::new(manifest);
        Ok(())
    }

    /// Asks Adobe again what the shops with changes lead to: it may have changed while they were read, or somebody asked.
    pub(crate) async fn look_again(&mut self, plan: &Plan) {
        let changed = plan.shops.iter().filter(|shop| !shop.changes.is_empty());
        let places = self.lookups(changed.filter_map(|shop| self.shop_index(shop.shop.as_str())));
        self.looked = aep::look_up(&self.manifest, &places, &self.accounts, clock).await;
    }

    /// Checks the pasted addresses of the selected shops at Adobe, and how the dataflows fare.
    pub(crate) async fn verify(&mut self) -> Result<(), Failure> {
        if self.manifest.aep.is_empty() {
            return Err(Failure::invalid(
                "--verify-destinations needs an account at Adobe, and the manifest has no `aep`",
            )
            .hint(
                "add `aep:` with org, client_id, client_secret and scopes; `hookwright schema manifest` has them all",
            ));
        }
        let (manifest, setting) = (Arc::clone(&self.manifest), self.setting());
        self.accounts.open(&manifest, |_| true, &setting).await?;
        let bound: BTreeSet<_> = self
            .shops
            .iter()
            .flat_map(|at| &self.manifest.shops[*at].desired.entries)
            .map(|entry| &entry.binding.address)
            .collect();
        let places = self.manifest.destinations.iter().enumerate().filter(|(_, d)| match &d.target {
            found::Target::Address(address) => crate::manifest::is_dcs(address) && bound.contains(address),
            found::Target::Lookup { .. } => false,
        });
        let places = places.map(|(at, _)| at).collect();
        self.verified = aep::verify(&self.manifest, &places, &self.accounts, clock).await;
        let looked = self.looked.destinations.values_mut();
        aep::with_runs(looked.chain(&mut self.verified), &self.accounts, clock).await;
        Ok(())
    }

    /// Everything that Adobe says of the common destinations and those of the selected shops.
    pub(crate) async fn all_destinations(&mut self) -> Result<Vec<wire::plan::Destination>, Failure> {
        let selected: BTreeSet<_> = self.shops.iter().map(|at| &self.manifest.shops[*at].shop).collect();
        let of_selected = |d: &Destination| d.shop.as_ref().is_none_or(|shop| selected.contains(shop));
        let of_adobe = |d: &Destination| match &d.target {
            found::Target::Address(address) => crate::manifest::is_dcs(address),
            found::Target::Lookup { .. } => true,
        };
        let places = self.manifest.destinations.iter().enumerate().filter(|(_, d)| of_selected(d) && of_adobe(d));
        let places: BTreeSet<usize> = places.map(|(at, _)| at).collect();
        if self.manifest.aep.is_empty() {
            return Ok(aep::unchecked(&self.manifest, &places));
        }
        let (manifest, setting) = (Arc::clone(&self.manifest), self.setting());
        self.accounts.open(&manifest, |_| true, &setting).await?;
        let looked = aep::look_up(&self.manifest, &places, &self.accounts, clock).await;
        let mut all: Vec<_> = looked.destinations.into_values().collect();
        all.extend(aep::verify(&self.manifest, &places, &self.accounts, clock).await);
        aep::with_runs(&mut all, &self.accounts, clock).await;
        all.sort_by(wire::plan::destination_order);
        Ok(all)
    }

    fn setting(&self) -> Setting {
        let progress = Arc::clone(&self.progress);
        Setting {
            secrets: Target::secrets(&self.access, self.deadline),
            stand_in: self.target.adobe(),
            sandbox: self.target.sandbox.is_some(),
            trusted: target::trusted_hosts(),
            deadline: self.deadline,
            stop: self.stop.clone(),
            on_wait: Arc::new(move |wait, why| progress.wait("Adobe", wait, why)),
        }
    }

    fn lookups(&self, shops: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        shops.into_iter().flat_map(|at| self.manifest.shops[at].lookups.iter().copied()).collect()
    }

    /// What stands in for Adobe, if anything was asked there and it is not in the sandbox.
    pub(crate) fn adobe(&self) -> Option<String> {
        let asked = !self.looked.destinations.is_empty() || !self.verified.is_empty();
        self.target.adobe().filter(|_| asked && self.target.sandbox.is_none())
    }

    /// What the plan says of destinations: those that the selected shops use.
    pub(crate) fn destinations(&self) -> Vec<wire::plan::Destination> {
        let used = self.lookups(self.shops.iter().copied());
        let looked = self.looked.destinations.iter().filter(|(at, _)| used.contains(at)).map(|(_, told)| told);
        looked.chain(&self.verified).cloned().collect()
    }

    /// The shops that can be read, and the parts of those whose destinations have no address: nothing is asked of them.
    pub(super) fn unplanned(&self, inlets: &DestinationHealth) -> (Vec<usize>, Vec<PlannedShop>) {
        let (mut readable, mut parts) = (Vec::new(), Vec::new());
        for &at in &self.shops {
            let shop = &self.manifest.shops[at];
            let Some(error) = self.looked.missing(&shop.lookups).or_else(|| placeholder(shop)) else {
                readable.push(at);
                continue;
            };
            let context = context(&self.manifest, &self.addresses, inlets);
            let failure = Unread { error: error.into(), tolerated: false };
            let part = plan::shop(&context, input(shop, "", None, Err(failure), Vec::new()));
            event_log::emit_shop(&self.recorder, &part.shop);
            parts.push(part);
        }
        (readable, parts)
    }

    /// Removes addresses that this manifest owns from the hazards about foreign routes. Destinations that the selected shops
    /// do not need are looked up only for this.
    pub(super) async fn dismiss_known_addresses<'a>(&self, hazards: impl IntoIterator<Item = &'a mut Vec<Hazard>>) {
        let is_foreign = |hazards: &Vec<Hazard>| hazards.iter().any(Hazard::is_foreign);
        let foreign: Vec<&mut Vec<Hazard>> = hazards.into_iter().filter(|hazards| is_foreign(hazards)).collect();
        if foreign.is_empty() {
            return;
        }
        let own = self.other_addresses().await;
        for hazards in foreign {
            plan::dismiss_known_addresses(hazards, &own);
        }
    }

    /// The addresses of destinations that were not looked up yet, in lower case; none if Adobe cannot be asked.
    async fn other_addresses(&self) -> BTreeSet<String> {
        let all = (0..self.manifest.destinations.len()).filter(|at| account(&self.manifest, *at).is_some());
        let rest: BTreeSet<usize> = all.filter(|at| !self.looked.destinations.contains_key(at)).collect();
        let mut accounts = Accounts::default();
        if rest.is_empty() || accounts.open(&self.manifest, |_| true, &self.setting()).await.is_err() {
            return BTreeSet::new();
        }
        let looked = aep::look_up(&self.manifest, &rest, &accounts, clock).await;
        let known = looked.destinations.values().filter_map(|told| told.address.as_deref());
        known.map(|address| Address::new(address).folded()).collect()
    }

    /// Says why addresses change.
    pub(super) async fn explain(&self, destinations: &mut [wire::plan::Destination], parts: &[PlannedShop]) {
        let shops: Vec<&ShopPlan> = parts.iter().map(|part| &part.shop).collect();
        // Good to know, and nothing to wait long for.
        let patience = self.accounts.patience().saturating_duration_since(Instant::now()).min(EXPLANATION);
        let mut explained = destinations.to_vec();
        if tokio::time::timeout(patience, aep::explain(&mut explained, &shops, &self.accounts)).await.is_ok() {
            destinations.clone_from_slice(&explained);
        }
    }
}

/// What has no address is never planned, whatever went wrong before.
fn placeholder(shop: &ManifestShop) -> Option<ShopError> {
    let mut addresses = shop.desired.entries.iter().map(|entry| &entry.binding.address);
    addresses.any(is_placeholder).then(|| ShopError {
        kind: ErrorKind::DestinationUnknown,
        http_status: None,
        message: "a destination of this shop has no address; please report this".to_owned(),
        retryable: false,
    })
}

fn account(manifest: &Manifest, at: usize) -> Option<&str> {
    match &manifest.destinations.get(at)?.target {
        found::Target::Lookup { lookup, .. } => Some(&lookup.account),
        found::Target::Address(_) => None,
    }
}
