//! What plan, apply and drift have in common: from the command line to a plan in memory.

use std::collections::HashSet;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

mod destinations;
mod loaded;
mod saved;
mod selected;
mod tokens;

use super::aep::{Accounts, Looked};
use super::target::{Target, approval, refused};
use super::{Output, event_log, now, open_files};
use crate::admin::{self, AdminClient, AdminError, Reading};
use crate::apply::error as wire_error;
use crate::auth::Tokens;
use crate::cli::{AccessArgs, ManifestArgs, RunArgs, SelectArgs, Tolerate};
use crate::concurrency::for_each_bounded;
use crate::diagnostic::Diagnostic;
use crate::error::Failure;
use crate::exit::{self, Cause, Exit};
use crate::journal::Recorder;
use crate::manifest::{Manifest, ManifestShop, Tolerable, Transport, is_placeholder};
use crate::model::{ApiVersion, Auth, ShopDomain};
use crate::plan::{
    self, Base, Context, DestinationHealth, Plan, PlanHeader, PlannedShop, ShopInput, ShopStatus, Unread,
};
use crate::progress::{Progress, Verbosity};
use crate::select::Selection;
use crate::since::{self, History};
use crate::state::Observed;
use crate::wire;
use crate::wire::events::{Event, Wait};
use tokens::Planned;

/// A manifest that is valid, and what a run over it needs.
pub(crate) struct Run {
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) shops: Vec<usize>,
    pub(crate) selection: plan::Selection,
    pub(crate) target: Target,
    pub(crate) client: AdminClient,
    pub(crate) tokens: Tokens,
    pub(crate) progress: Arc<Progress>,
    /// Where the run is written down.
    pub(crate) recorder: Arc<Recorder>,
    /// Cancelled when the run is to stop.
    pub(crate) stop: CancellationToken,
    /// What was looked up at Adobe, and by whom.
    pub(crate) looked: Looked,
    pub(crate) accounts: Accounts,
    /// Pasted addresses that were checked there.
    verified: Vec<wire::plan::Destination>,
    access: AccessArgs,
    deadline: Option<tokio::time::Instant>,
    tolerate: Vec<Tolerable>,
    parallelism: usize,
    /// Every address of the manifest, with scheme and host in lower case.
    addresses: Arc<HashSet<String>>,
    /// What was said of the manifest when it was read first, and whether anybody listens.
    said: Vec<Diagnostic>,
    verbosity: Verbosity,
}

/// Opens everything; sends nothing.
pub(crate) async fn open(
    manifest: &ManifestArgs,
    select: &SelectArgs,
    run: &RunArgs,
    verbosity: Verbosity,
    output: Output,
    recorder: Arc<Recorder>,
) -> Result<Run, Failure> {
    open_loaded(load(&manifest.file, verbosity, output)?, select, run, verbosity, None, recorder).await
}

/// What becomes of a plan in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlanPurpose {
    /// It is shown or saved.
    Nothing,
    /// It is shown, and applied if somebody agrees.
    Confirm,
    /// It is applied.
    Apply,
}

/// Opens everything for a manifest that is loaded. A saved plan brings its own version, transport and shops.
pub(crate) async fn open_loaded(
    loaded: Loaded,
    select: &SelectArgs,
    run: &RunArgs,
    verbosity: Verbosity,
    saved: Option<&Plan>,
    recorder: Arc<Recorder>,
) -> Result<Run, Failure> {
    let terms = selected::terms(select);
    let selection = Selection::parse(&terms).map_err(Failure::invalid)?;
    let Loaded { manifest, paths, seeds, said } = loaded;
    let manifest = Arc::new(manifest);
    let shops = selected::selected(&manifest, &selection, &terms)?;
    let mut target = Target::open(&run.access, &manifest, seeds).await?;
    target.lead_to(&paths, &run.access);
    target.check_shops(saved.map_or(shops.len(), |plan| plan.shops.len()))?;
    let (version, transport) = match saved {
        Some(plan) => api_of(plan)?,
        None => (manifest.admin_api.version.clone(), manifest.admin_api.transport),
    };

    let progress = Arc::new(Progress::new(verbosity));
    let (waiting, told) = (Arc::clone(&progress), Arc::clone(&recorder));
    let stop = CancellationToken::new();
    let deadline = tokio::time::Instant::now().checked_add(run.timeout);
    let shares = open_files::shares(usize::from(run.parallelism));
    for remark in [&shares.remark, &target.remark].into_iter().flatten() {
        progress.remark(remark);
    }
    let options = admin::AdminOptions {
        transport,
        deadline,
        jitter_seed: fastrand::u64(..),
        on_wait: Some(Arc::new(move |shop, wait, why| {
            waiting.wait(shop.handle(), wait, why);
            let (shop, reason) = (shop.to_string(), why.to_owned());
            told.event(Event::Wait(Wait { shop, seconds: wait.as_secs_f64(), reason }));
        })),
        stop: stop.clone(),
        most_waiting: shares.waiting,
        ..admin::AdminOptions::new(target.endpoint.clone(), version)
    };
    let client = AdminClient::new(options).map_err(|e| Failure::new(Exit::Error, e))?;
    let tokens = target.tokens(&run.access, &client);
    let tolerate = run.tolerate.iter().map(|kind| match kind {
        Tolerate::Uninstalled => Tolerable::Uninstalled,
        Tolerate::Frozen => Tolerable::Frozen,
        Tolerate::Locked => Tolerable::Locked,
    });
    Ok(Run {
        addresses: Arc::new(folded(&manifest)),
        said,
        verbosity,
        looked: Looked::default(),
        accounts: Accounts::default(),
        verified: Vec::new(),
        access: run.access.clone(),
        deadline,
        selection: selection.for_plan(&terms),
        tolerate: tolerate.collect(),
        parallelism: shares.at_a_time,
        manifest,
        shops,
        target,
        client,
        tokens,
        progress,
        recorder,
        stop,
    })
}

/// Every address of the manifest, to be compared.
fn folded(manifest: &Manifest) -> HashSet<String> {
    manifest.addresses.iter().filter(|a| !is_placeholder(a)).map(crate::model::Address::folded).collect()
}

/// The Admin API that a saved plan was made with.
fn api_of(plan: &Plan) -> Result<(ApiVersion, Transport), Failure> {
    let plan::AdminApi { version, transport } = &plan.settings.admin_api;
    let spoken = Transport::parse(transport)
        .ok_or_else(|| Failure::invalid(format!("the plan was made over {transport:?}, which is not known here")))?;
    Ok((ApiVersion::parse(version).map_err(Failure::invalid)?, spoken))
}

impl Run {
    /// Reads shops, side by side, and keeps of each what `keep` makes of it. Where `goes_on` says so,
    /// something is sent to the shop soon.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        what: &'static str,
        shops: Vec<usize>,
        keep: impl Fn(usize, Result<Reading, AdminError>) -> T + Send + Sync + 'static,
        goes_on: fn(&T) -> bool,
    ) -> Vec<T> {
        let keep = Arc::new(keep);
        self.progress.start(what, shops.len());
        let kept = for_each_bounded(shops, self.parallelism, |at| {
            let (manifest, tokens, keep) = (Arc::clone(&self.manifest), self.tokens.clone(), Arc::clone(&keep));
            let (client, progress) = (self.client.clone(), Arc::clone(&self.progress));
            let here = self.target.options.clone();
            async move {
                let shop = &manifest.shops[at];
                let read = |token| {
                    let mut reader = client.reader(&shop.shop, &token);
                    async move { reader.read().await }
                };
                let reading = tokens.with(&shop.shop, shop.auth.as_deref(), read).await;
                let reading = reading.map_err(|error| refused(error, shop, tokens.life(&shop.shop), &here));
                progress.tick(reading.is_ok());
                let kept = keep(at, reading);
                if goes_on(&kept) {
                    client.pause(&shop.shop);
                } else {
                    client.close(&shop.shop);
                }
                kept
            }
        })
        .await;
        self.progress.finish();
        kept
    }

    /// Whether a shop that cannot be read for this kind of reason makes no failure.
    pub(crate) fn tolerates(&self, shop: usize, kind: &str) -> bool {
        tolerates(&self.tolerate, &self.manifest.shops[shop], kind)
    }

    /// Reads the selected shops, side by side, and plans them.
    pub(crate) async fn plan(
        &self,
        then: PlanPurpose,
        base: Option<&Arc<Manifest>>,
        earlier: Option<&History>,
        exit_code: impl FnOnce(&Plan) -> u8,
    ) -> Plan {
        let (manifest, for_base) = (Arc::clone(&self.manifest), base.map(Arc::clone));
        // An address of the base manifest belonged to this manifest, so no other one loses its routes.
        let mut base_addresses = base.map(|base| folded(base)).unwrap_or_default();
        base_addresses.retain(|address| !self.addresses.contains(address));
        let addresses: HashSet<String> = self.addresses.union(&base_addresses).cloned().collect();
        let (tolerate, addresses) = (self.tolerate.clone(), Arc::new(addresses));
        let (recorder, here) = (Arc::clone(&self.recorder), self.target.options.clone());
        let sandbox = self.target.sandbox.clone();
        let mut destinations = self.destinations();
        let inlets = Arc::new(DestinationHealth::of(&destinations.iter().cloned().map(Into::into).collect::<Vec<_>>()));
        let (shops, mut unplanned) = self.unplanned(&inlets);
        let tokens = self.tokens.clone();
        let of_shop = move |at: usize, reading: Result<Reading, AdminError>| {
            let context = context(&manifest, &addresses, &inlets);
            let shop = &manifest.shops[at];
            let granted = reading.as_ref().ok().and_then(|reading| reading.observed.scopes.as_ref());
            let approval = approval(shop, granted, sandbox.as_ref(), &here);
            let mut part = part(&context, &manifest, shop, for_base.as_deref(), &tolerate, &approval, reading.as_ref());
            let app = reading.map(|reading| reading.app).unwrap_or_default();
            if part.shop.unread.is_none() {
                plan::add(&mut part.shop, token(shop, tokens.life(&shop.shop), &app, &here));
            }
            event_log::emit_shop(&recorder, &part.shop);
            Planned { at, part, app }
        };
        let parts = self.read(
            "read",
            shops,
            of_shop,
            match then {
                PlanPurpose::Confirm | PlanPurpose::Apply => {
                    |planned: &Planned| planned.part.shop.status() == ShopStatus::Changed
                }
                PlanPurpose::Nothing => |_| false,
            },
        );
        let mut planned = parts.await;
        self.mixed_apps(&mut planned);
        let mut parts: Vec<_> = planned.into_iter().map(|planned| planned.part).collect();
        parts.append(&mut unplanned);
        self.dismiss_known_addresses(parts.iter_mut().map(|part| &mut part.hazards)).await;
        // Where nobody reads it, what is to be done does not wait for it.
        if then != PlanPurpose::Apply {
            self.explain(&mut destinations, &parts).await;
        }
        let destinations: Vec<plan::Destination> = destinations.into_iter().map(Into::into).collect();
        plan::drop_gone_endpoints(&destinations, parts.iter_mut().map(|part| &mut part.shop));
        let since = earlier.map(|history| since::explain(history, parts.iter_mut().map(|part| &mut part.shop)));
        let header = PlanHeader {
            settings: self.settings(),
            selection: self.selection.clone(),
            destinations,
            manifest_digest: self.manifest.digest.clone(),
            created_at: now().to_string(),
            shops_left: base.map(|base| left(base, &self.manifest)).unwrap_or_default(),
            base_addresses,
            since,
        };
        plan::assemble(header, parts, exit_code, wire::plan::digest)
    }

    fn settings(&self) -> plan::Settings {
        let Manifest { admin_api, ownership, safety, .. } = &*self.manifest;
        plan::Settings {
            endpoint: self.target.name.clone(),
            sandbox: self.target.sandbox.clone(),
            adobe: self.adobe(),
            admin_api: plan::AdminApi {
                version: admin_api.version.to_string(),
                transport: admin_api.transport.as_str().to_owned(),
            },
            ownership: ownership.clone(),
            safety: safety.clone(),
        }
    }

    /// The place of a shop in the manifest.
    pub(crate) fn shop_index(&self, shop: &str) -> Option<usize> {
        self.manifest.index_of(shop)
    }

    pub(crate) fn parallelism(&self) -> usize {
        self.parallelism
    }
}

fn context<'a>(manifest: &'a Manifest, addresses: &'a HashSet<String>, inlets: &'a DestinationHealth) -> Context<'a> {
    Context { ownership: &manifest.ownership, safety: &manifest.safety, addresses, inlets }
}

/// Why a refused token is no evidence that the app is gone.
const IN_VAIN: &str = ". That `uninstalled` is tolerated has no effect here: with `access_token` Shopify answers 401 both for \
                       an app that is gone and for a wrong token. Remove the shop from the manifest, or use \
                       `client_assertion`, `client_credentials` or `token_store`, with which Shopify says that the app is gone";

fn part(
    context: &Context<'_>,
    manifest: &Manifest,
    shop: &ManifestShop,
    base: Option<&Manifest>,
    tolerate: &[Tolerable],
    approval: &str,
    reading: Result<&Reading, &AdminError>,
) -> PlannedShop {
    let mut findings = reading.map(|r| of_reading(r, &manifest.admin_api.version)).unwrap_or_default();
    if reading.is_ok() {
        findings.extend(plan::double_delivery(&shop.desired, &manifest.app));
        findings.extend(plan::two_payloads(&shop.desired, &manifest.app_events));
    }
    let failure = |error: &AdminError| {
        let tolerated = tolerates(tolerate, shop, error.kind.as_str());
        let mut wired = plan::ShopError::from(wire_error(error));
        let has_own_token = matches!(shop.auth.as_deref(), Some(Auth::AccessToken(_)) | None);
        if error.kind == admin::AdminErrorKind::TokenRefused
            && has_own_token
            && tolerates(tolerate, shop, "uninstalled")
        {
            wired.message += IN_VAIN;
        }
        Unread { error: wired, tolerated }
    };
    let reading = reading.map(|r| &r.observed).map_err(failure);
    plan::shop(context, input(shop, approval, base, reading, findings))
}

/// What a shop's part of the plan is made from.
fn input<'a>(
    shop: &'a ManifestShop,
    approval: &'a str,
    base: Option<&'a Manifest>,
    reading: Result<&'a Observed, Unread>,
    findings: Vec<plan::Finding>,
) -> ShopInput<'a> {
    let base = base.map(|manifest| Base {
        desired: manifest.shop(&shop.shop).map(|s| &*s.desired),
        ownership: &manifest.ownership,
    });
    ShopInput {
        shop: &shop.shop,
        approval,
        labels: &shop.labels,
        desired: &shop.desired,
        destinations: &shop.destinations,
        limits: &shop.limits,
        base,
        reading,
        findings,
    }
}

fn tolerates(tolerate: &[Tolerable], shop: &ManifestShop, kind: &str) -> bool {
    tolerate.iter().chain(&shop.tolerate).any(|tolerable| tolerable.as_str() == kind)
}

/// What the answer's headers say.
fn of_reading(reading: &Reading, asked: &ApiVersion) -> Vec<plan::Finding> {
    let served = reading.served_version.as_deref().filter(|served| *served != asked.as_str());
    served.map(|served| plan::version_served(asked, served)).into_iter().collect()
}

fn left(base: &Manifest, now: &Manifest) -> Vec<String> {
    let there: std::collections::HashSet<&ShopDomain> = now.shops.iter().map(|s| &s.shop).collect();
    base.shops.iter().filter(|s| !there.contains(&s.shop)).map(|s| s.shop.to_string()).collect()
}

pub(crate) use loaded::{Loaded, base, load};
pub(crate) use saved::{manifest_is_of, manifest_is_there};
pub(crate) use selected::{meant_shop, select};
pub(crate) use tokens::token;

/// Why shops of a plan were not read.
pub(crate) fn causes(plan: &Plan) -> impl Iterator<Item = Cause> {
    let failed = plan.shops.iter().filter(|s| s.status() == ShopStatus::Failed);
    // What was to be checked at Adobe and could not be is not done, either.
    let unknown = plan.destinations.iter().filter_map(|d| d.error.as_ref());
    failed.filter_map(|s| s.error()).chain(unknown).map(|e| Cause::of_kind(&e.kind.as_str().into()))
}

/// What `drift` exits with. A blocked binding is something to look at there, not something that was not done.
pub(crate) fn exit_of_drift(plan: &Plan) -> Exit {
    exit_of(plan, causes(plan), Exit::Changes)
}

/// What `plan` exits with; `on_changes` if there is anything to do or to look at. A blocked binding is something that was
/// not done.
pub(crate) fn exit_of_plan(plan: &Plan, on_changes: Exit) -> Exit {
    let blocked = plan.shops.iter().flat_map(|s| &s.blocked).map(|b| Cause::of_blocked(&(&b.obstacle).into()));
    match exit_of(plan, causes(plan).chain(blocked), on_changes) {
        // Every shop was read: what is missing are bindings that cannot be made.
        Exit::Partial if causes(plan).next().is_none() => Exit::Error,
        exit => exit,
    }
}

fn exit_of(plan: &Plan, causes: impl Iterator<Item = Cause>, on_changes: Exit) -> Exit {
    let read = plan.summary.shops.changed + plan.summary.shops.unchanged > 0;
    match exit::of_causes(causes, read) {
        Exit::Done if needs_somebody(plan) => on_changes,
        exit => exit,
    }
}

/// Whether there are changes, blocked bindings or findings that need attention.
pub(crate) fn needs_somebody(plan: &Plan) -> bool {
    let plan::Summary { add, change, destroy, blocked, attention, .. } = &plan.summary;
    add + change + destroy + blocked + attention > 0
}
