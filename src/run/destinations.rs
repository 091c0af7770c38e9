//! Sends the requests to Adobe about the destinations of a run: to resolve them before the shops are read, to check
//! them on request, and to explain a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::accounts::{Account, AccountSetup, Accounts, lookup_error};
use super::events::emit_shop;
use super::load::{print, valid};
use super::target::{self, Target};
use super::{Opened, Run, Session, folded};
use crate::adobe::{Inlet, InletKind};
use crate::clock::clock;
use crate::concurrency::for_each_bounded;
use crate::destinations::verdict::fails;
use crate::destinations::{
    Answers, Assessment, Lookups, addresses_before, assess, check_pasted, flow_id, has_id, not_looked_up, pasted,
    replaced, unchecked, unresolved,
};
use crate::error::Failure;
use crate::manifest::{DestinationIndex, Manifest, ShopIndex, is_dcs};
use crate::model::Address;
use crate::output::Output;
use crate::plan::{self, Hazard, Plan, PlannedShop, ShopError, ShopPlan};
use crate::state::Unresolved;
use crate::state::aep::{AepAccount, Destination, Lookup, LookupBy, LookupError, Resolutions, Target as Leads};

/// Maximum time to find the reason for a change of address.
const EXPLANATION: Duration = Duration::from_secs(10);
/// Maximum number of lookups at a time. Adobe documents no limit; a manifest has few destinations.
const AT_A_TIME: usize = 8;

type Places = BTreeSet<DestinationIndex>;

impl Opened {
    /// Resolves the destinations of the selected shops, or of the shops with changes in a saved plan. Sends no requests
    /// if there is nothing to look up or, with `check`, to check.
    pub(crate) async fn resolve(self, saved: Option<&Plan>, check: bool, output: Output) -> Result<Run, Failure> {
        let Self { session, manifest: unresolved, shops, draft, printed, selection } = self;
        let mut places = match saved {
            Some(plan) => lookups_of_changes(&unresolved, plan),
            None => lookups(&unresolved, shops.iter().copied()),
        };
        if saved.is_none() && !places.is_empty() {
            // Common destinations are resolved even if no selected shop uses them, because live subscriptions can have
            // their addresses.
            let applies = |destination: &Destination| {
                let chosen = |(key, value): &(Arc<str>, Arc<str>)| {
                    let label =
                        |at: &ShopIndex| unresolved[*at].labels.get(&**key).is_some_and(|found| **found == **value);
                    shops.iter().any(label)
                };
                // Another environment can have an account whose secrets this run does not have.
                destination.shop.is_none() && destination.label.as_ref().is_none_or(chosen)
            };
            let common = unresolved.indexed_destinations().filter(|(_, destination)| applies(destination));
            places.extend(common.map(|(at, _)| at));
        }
        if check && unresolved.aep.is_empty() {
            return Err(no_account());
        }
        let needed: BTreeSet<&str> = places.iter().filter_map(|at| account(&unresolved, *at)).collect();
        let opened = Accounts::open(&unresolved, |name| check || needed.contains(name), &session.accounts()).await?;
        let (mut lookups, mut manifest) = (Lookups::default(), unresolved);
        if !places.is_empty() {
            lookups = look_up(&manifest, &places, &opened).await;
            let loaded = draft.resolve(&lookups.addresses);
            print(&loaded, &printed, session.settings.verbosity, output);
            let about = "the errors concern the addresses that Adobe has for the manifest's destinations";
            let (resolved, _) = valid(loaded).map_err(|failure| failure.hint(about))?;
            manifest = Arc::new(resolved);
        }
        let checked =
            if check { check_destinations(&manifest, &shops, &opened, &mut lookups).await } else { Vec::new() };
        Ok(Run::new(session, manifest, shops, selection, lookups, checked, opened))
    }

    /// Returns the common destinations and those of the selected shops, as Adobe describes them.
    pub(crate) async fn all_destinations(&self) -> Result<Vec<plan::Destination>, Failure> {
        let manifest = &self.manifest;
        let selected: BTreeSet<_> = self.shops.iter().map(|at| &manifest[*at].shop).collect();
        let places = manifest.indexed_destinations().filter(|(_, destination)| {
            let of_selected = destination.shop.as_ref().is_none_or(|shop| selected.contains(shop));
            let of_adobe = match &destination.target {
                Leads::Address(address) => is_dcs(address),
                Leads::Lookup(_) => true,
            };
            of_selected && of_adobe
        });
        let places: Places = places.map(|(at, _)| at).collect();
        if manifest.aep.is_empty() {
            // In the order of the manifest.
            return Ok(unchecked(manifest, &places).iter().map(Assessment::to_plan).collect());
        }
        let accounts = Accounts::open(manifest, |_| true, &self.session.accounts()).await?;
        let lookups = look_up(manifest, &places, &accounts).await;
        let mut all: Vec<_> = lookups.assessments.into_values().collect();
        all.extend(check_addresses(manifest, &places, &accounts).await);
        add_runs(&mut all, &accounts).await;
        let mut all: Vec<_> = all.iter().map(Assessment::to_plan).collect();
        all.sort_by(plan::destination_order);
        Ok(all)
    }
}

impl Session {
    fn accounts(&self) -> AccountSetup {
        let progress = Arc::clone(&self.progress);
        AccountSetup {
            secrets: Target::secrets(&self.settings.access, self.settings.deadline),
            stand_in: self.target.adobe(),
            sandbox: self.target.sandbox.is_some(),
            trusted: target::trusted_hosts(),
            deadline: self.settings.deadline,
            stop: self.stop.clone(),
            on_wait: Arc::new(move |wait, why| progress.wait("Adobe", wait, why)),
        }
    }
}

impl Run {
    fn new(
        session: Session,
        manifest: Arc<Manifest>,
        shops: Vec<ShopIndex>,
        selection: plan::Selection,
        lookups: Lookups,
        checked: Vec<Assessment>,
        accounts: Accounts,
    ) -> Self {
        let (mut ready, mut without) = (Vec::new(), Vec::new());
        for &at in &shops {
            let shop = &manifest[at];
            match shop.desired() {
                Ok(desired) => ready.push((at, Arc::clone(desired))),
                Err(asked) => {
                    let needed = shop.lookups.iter().map(|at| &manifest[*at]);
                    without.push((at, Arc::clone(asked), unresolved(needed).unwrap_or_else(not_looked_up)));
                }
            }
        }
        let addresses = Arc::new(folded(&manifest));
        Self { session, manifest, shops, ready, unresolved: without, lookups, checked, accounts, addresses, selection }
    }

    /// Repeats the lookups for the shops with changes, because destinations can change after the plan was made.
    pub(crate) async fn look_again(&self, plan: &Plan) -> Lookups {
        look_up(&self.manifest, &lookups_of_changes(&self.manifest, plan), &self.accounts).await
    }

    /// Returns the URL that replaces Adobe, if requests were sent there and it is not the sandbox in this process.
    pub(crate) fn adobe(&self) -> Option<String> {
        let asked = !self.lookups.assessments.is_empty() || !self.checked.is_empty();
        self.session.target.adobe().filter(|_| asked && self.session.target.sandbox.is_none())
    }

    /// Returns the assessments for a plan: of the destinations that the selected shops use, and of the checked
    /// addresses.
    pub(crate) fn assessments(&self, lookups: &Lookups) -> Vec<Assessment> {
        let used = self::lookups(&self.manifest, self.shops.iter().copied());
        let looked_up =
            lookups.assessments.iter().filter(|(at, _)| used.contains(at)).map(|(_, assessment)| assessment);
        looked_up.chain(&self.checked).cloned().collect()
    }

    /// Returns the parts of shops that have a destination without an address. These shops are not read.
    pub(super) fn unplanned(&self) -> Vec<PlannedShop> {
        let part = |(at, unresolved, error): &(ShopIndex, Arc<Unresolved>, ShopError)| {
            let shop = &self.manifest[*at];
            let ownership = &self.manifest.ownership;
            let part = plan::unresolved(&shop.shop, &shop.labels, &shop.limits, unresolved, ownership, error.clone());
            emit_shop(&self.session.recorder, &part.shop);
            part
        };
        self.unresolved.iter().map(part).collect()
    }

    /// Removes addresses that this manifest owns from the hazards `delete_foreign` and `reroute_foreign`. Looks up the
    /// destinations that the selected shops do not need.
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

    /// Looks up the destinations that were not looked up yet. Returns their addresses in lower case; empty if the
    /// requests fail.
    async fn other_addresses(&self) -> BTreeSet<String> {
        let manifest = &self.manifest;
        let all = manifest.indexed_destinations().filter(|(_, destination)| destination.target.query().is_some());
        let rest: Places = all.map(|(at, _)| at).filter(|at| !self.lookups.assessments.contains_key(at)).collect();
        if rest.is_empty() {
            return BTreeSet::new();
        }
        let Ok(accounts) = Accounts::open(manifest, |_| true, &self.session.accounts()).await else {
            return BTreeSet::new();
        };
        let lookups = look_up(manifest, &rest, &accounts).await;
        lookups.assessments.values().filter_map(Assessment::address).map(Address::folded).collect()
    }

    /// Looks up the destinations of a base manifest that were not looked up yet; empty if no account can be opened. Their
    /// destinations then count as unresolved.
    pub(super) async fn addresses_of_base(&self, base: &Manifest) -> Resolutions {
        let is_unknown = |destination: &Destination| {
            destination.target.query().is_some_and(|query| !self.lookups.addresses.contains_key(query))
        };
        let unknown = base.indexed_destinations().filter(|(_, destination)| is_unknown(destination));
        let places: Places = unknown.map(|(at, _)| at).collect();
        if places.is_empty() {
            return Resolutions::new();
        }
        let needed: BTreeSet<&str> = places.iter().filter_map(|at| account(base, *at)).collect();
        match Accounts::open(base, |name| needed.contains(name), &self.session.accounts()).await {
            Ok(accounts) => look_up(base, &places, &accounts).await.addresses,
            Err(_) => Resolutions::new(),
        }
    }

    /// Adds explanations of changes of addresses.
    pub(super) async fn explain(&self, assessments: &mut [Assessment], parts: &[PlannedShop]) {
        let shops: Vec<&ShopPlan> = parts.iter().map(|part| &part.shop).collect();
        // The explanation is optional, so the wait is short.
        let patience = self.accounts.patience().saturating_duration_since(Instant::now()).min(EXPLANATION);
        let mut explained = assessments.to_vec();
        if tokio::time::timeout(patience, explain(&mut explained, &shops, &self.accounts)).await.is_ok() {
            assessments.clone_from_slice(&explained);
        }
    }
}

fn no_account() -> Failure {
    Failure::invalid("`--verify-destinations` requires an Adobe account, but the manifest has no `aep`").hint(
        "add `aep` with `org`, `client_id`, `client_secret` and `scopes`; `hookwright schema manifest` describes them",
    )
}

/// Returns the destinations of these shops that must be looked up.
fn lookups(manifest: &Manifest, shops: impl IntoIterator<Item = ShopIndex>) -> Places {
    shops.into_iter().flat_map(|at| manifest[at].lookups.iter().copied()).collect()
}

/// Returns the destinations that must be looked up for the shops that a plan changes.
fn lookups_of_changes(manifest: &Manifest, plan: &Plan) -> Places {
    let changed = plan.shops.iter().filter(|shop| !shop.changes.is_empty());
    lookups(manifest, changed.filter_map(|shop| manifest.index_of(shop.shop.as_str())))
}

fn account(manifest: &Manifest, at: DestinationIndex) -> Option<&str> {
    manifest[at].target.query().map(|query| &*query.lookup.account)
}

/// Looks up destinations, with one request for each name or id, regardless of the number of shops.
async fn look_up(manifest: &Manifest, places: &Places, accounts: &Accounts) -> Lookups {
    let end = accounts.patience();
    let lookups = places.iter().filter_map(|at| Some(manifest[*at].target.query()?.lookup.clone()));
    let questions: Vec<(Lookup, Account)> = lookups
        .collect::<BTreeSet<_>>()
        .into_iter()
        .filter_map(|lookup| {
            let account = accounts.all.get(&lookup.account)?.clone();
            Some((lookup, account))
        })
        .collect();
    let answers = for_each_bounded(questions, AT_A_TIME, |(lookup, account)| async move {
        let answer = match &account.client {
            Ok(client) => client.until(end).find(&lookup).await.map_err(|e| lookup_error(&e)),
            Err(error) => Err(error.clone()),
        };
        (lookup, answer)
    });
    let answers: Answers = answers.await.into_iter().collect();
    assess(manifest, places, &answers, clock())
}

/// Checks the addresses of the manifest to which the selected shops are bound, and the runs of all dataflows.
async fn check_destinations(
    manifest: &Manifest,
    shops: &[ShopIndex],
    accounts: &Accounts,
    lookups: &mut Lookups,
) -> Vec<Assessment> {
    let bound: BTreeSet<_> = shops.iter().flat_map(|at| manifest[*at].addresses()).collect();
    let places = manifest.indexed_destinations().filter(|(_, destination)| match &destination.target {
        Leads::Address(address) => is_dcs(address) && bound.contains(address),
        Leads::Lookup(_) => false,
    });
    let places = places.map(|(at, _)| at).collect();
    let mut checked = check_addresses(manifest, &places, accounts).await;
    add_runs(lookups.assessments.values_mut().chain(&mut checked), accounts).await;
    checked
}

/// Checks those of the destinations whose address is written in the manifest, with the list of all dataflows and
/// connections of the accounts.
async fn check_addresses(manifest: &Manifest, places: &Places, accounts: &Accounts) -> Vec<Assessment> {
    let pasted = pasted(manifest, places);
    if pasted.is_empty() {
        return Vec::new();
    }
    let mut known: Vec<(AepAccount, Inlet)> = Vec::new();
    let mut trouble: Option<LookupError> = None;
    let end = accounts.quarter();
    for account in accounts.all.values() {
        let all = match &account.client {
            Ok(client) => client.until(end).all().await.map_err(|e| lookup_error(&e)),
            Err(error) => Err(error.clone()),
        };
        match all {
            Ok(all) => known.extend(all.into_iter().map(|inlet| (account.account.clone(), inlet))),
            Err(error) => trouble = Some(error),
        }
    }
    // A dataflow over an HTTP API source has no address of its own, so it cannot be found by address. A dataflow that
    // an address names is looked up by its id.
    let mut named_flows: Vec<(AepAccount, Inlet)> = Vec::new();
    for flow in pasted.iter().filter_map(|(_, address)| flow_id(address)) {
        for account in accounts.all.values().filter(|_| !known.iter().any(|(_, inlet)| has_id(inlet, &flow))) {
            let Ok(client) = &account.client else { continue };
            let (account_name, by) = (Arc::clone(&account.account.name), LookupBy::Id(flow.as_str().into()));
            let by_id = Lookup { account: account_name, kind: InletKind::Flow, by };
            match client.until(end).find(&by_id).await {
                Ok(found) => named_flows.extend(found.into_iter().map(|inlet| (account.account.clone(), inlet))),
                Err(error) => trouble = Some(lookup_error(&error)),
            }
        }
    }
    known.append(&mut named_flows);
    let asked: Vec<String> =
        accounts.all.values().map(|o| format!("sandbox {} of {}", o.account.sandbox, o.account.org)).collect();
    check_pasted(&pasted, &known, trouble.as_ref(), &asked, clock())
}

/// Adds the verdicts of the last runs: one request for each dataflow, and a second one for a failing dataflow to find
/// the start of the series. If the first request fails, a verdict that is worse is kept; if the second one fails, the
/// series begins with the last run.
async fn add_runs(assessments: impl IntoIterator<Item = &mut Assessment>, accounts: &Accounts) {
    let end = accounts.quarter();
    for assessment in assessments {
        let Some((account, id)) = assessment.flow() else { continue };
        let Some(Ok(client)) = accounts.all.get(account).map(|account| &account.client) else { continue };
        let (client, id) = (client.until(end), id.to_owned());
        match client.last_run(&id).await {
            Ok(run) => {
                let earlier = match &run {
                    Some(run) if assessment.is_ok() && fails(run) => client.runs(&id).await.unwrap_or_default(),
                    _ => Vec::new(),
                };
                assessment.add_run(run.as_ref(), &earlier, clock());
            }
            Err(error) => {
                let message =
                    format!("its last run is unknown, because Adobe did not return the runs of the dataflow: {error}");
                assessment.add_error(LookupError { message, ..lookup_error(&error) });
            }
        }
    }
}

/// Adds to each destination that was looked up the addresses that it replaces, and their state at Adobe. Lists the
/// dataflows and connections of an account at most once, and only if an address is replaced.
async fn explain(assessments: &mut [Assessment], shops: &[&ShopPlan], accounts: &Accounts) {
    let mut listed: BTreeMap<Arc<str>, Option<Vec<Inlet>>> = BTreeMap::new();
    for assessment in assessments {
        let Some((address, account)) = assessment.looked_up() else { continue };
        let before = addresses_before(address, shops);
        if before.is_empty() {
            continue;
        }
        if !listed.contains_key(&account.name) {
            let client = accounts.all.get(&account.name).and_then(|opened| opened.client.as_ref().ok());
            let all = match client {
                Some(client) => client.all().await.ok(),
                None => None,
            };
            listed.insert(Arc::clone(&account.name), all);
        }
        let all = listed.get(&account.name).and_then(Option::as_deref);
        assessment.replaces = replaced(before, address, &account.sandbox, all);
    }
}
