//! Runs over the shops of a manifest, from the command line to a plan in memory.
//! Each phase is a type. `load` reads the files of a manifest. [`Opened`] has everything that a request needs, but
//! nothing was sent yet. [`Run`] has the addresses of the destinations. Only a [`Run`] can plan and apply.

mod accounts;
mod apply;
mod destinations;
#[cfg_attr(not(feature = "sandbox"), path = "run/no_embedded.rs")]
pub(crate) mod embedded;
mod events;
pub(crate) mod files;
mod load;
mod network;
mod open_files;
mod plan;
mod saved;
mod select;
pub(crate) mod target;
mod tokens;

use std::collections::HashSet;
use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::accounts::Accounts;
use self::target::{Target, refused};
use crate::admin::{self, AdminClient, AdminError, Reading};
use crate::auth::Tokens;
use crate::cli::{AccessArgs, ManifestArgs, RunArgs, SelectArgs, Tolerate};
use crate::concurrency::for_each_bounded;
use crate::destinations::{Assessment, Lookups};
use crate::diagnostic::Diagnostic;
use crate::error::Failure;
use crate::exit::Exit;
use crate::journal::Recorder;
use crate::manifest::{Draft, Manifest, ManifestShop, ShopIndex, Tolerable};
use crate::model::{Address, ApiVersion, Transport};
use crate::output::Output;
use crate::plan::{Plan, ShopError};
use crate::progress::{Progress, Verbosity};
use crate::select::Selection;
use crate::state::{Desired, Unresolved};
use crate::wire::events::{Event, Wait};

pub(crate) use self::apply::{ApplyRun, Freshness};
pub(crate) use self::events::emit_planned_changes;
pub(crate) use self::load::{LoadedManifest, load, manifest_options};
pub(crate) use self::plan::{Comparison, PlanPurpose};
pub(crate) use self::saved::{
    ManifestPaths, manifest_is_of, manifest_is_there, manifest_paths, named_manifest_is_unchanged,
};
pub(crate) use self::select::{meant_shop, select};
pub(crate) use self::tokens::token_finding;

/// The clients and the settings of a command.
pub(crate) struct Session {
    pub(crate) target: Target,
    pub(crate) client: AdminClient,
    pub(crate) tokens: Tokens,
    pub(crate) settings: Settings,
    pub(crate) progress: Arc<Progress>,
    /// Paths of the manifest, as given.
    manifest_paths: Vec<String>,
    /// Journal and events.
    pub(crate) recorder: Arc<Recorder>,
    /// Cancelled when the run must stop.
    pub(crate) stop: CancellationToken,
}

/// Settings of a command.
pub(crate) struct Settings {
    /// Maximum number of shops at a time.
    pub(crate) parallelism: usize,
    tolerate: Vec<Tolerable>,
    deadline: Option<Instant>,
    access: AccessArgs,
    verbosity: Verbosity,
    /// Name of the run (`--name`).
    pub(crate) name: Option<String>,
}

/// A valid manifest and a session. No request was sent yet.
pub(crate) struct Opened {
    pub(crate) session: Session,
    /// The manifest, whose destinations are not resolved yet.
    pub(crate) manifest: Arc<Manifest>,
    /// The selected shops.
    pub(crate) shops: Vec<ShopIndex>,
    draft: Draft,
    /// Problems of the manifest that were printed.
    printed: Vec<Diagnostic>,
    selection: crate::plan::Selection,
}

/// A manifest whose destinations are resolved, and a session.
pub(crate) struct Run {
    pub(crate) session: Session,
    pub(crate) manifest: Arc<Manifest>,
    /// The selected shops.
    shops: Vec<ShopIndex>,
    /// Shops that can be planned, with their wanted states.
    ready: Vec<(ShopIndex, Arc<Desired>)>,
    /// Shops that cannot be planned, because a destination has no address.
    unresolved: Vec<(ShopIndex, Arc<Unresolved>, ShopError)>,
    /// Results of the lookups at Adobe.
    pub(crate) lookups: Lookups,
    /// Assessments of addresses in the manifest that were checked at Adobe.
    checked: Vec<Assessment>,
    accounts: Accounts,
    /// All addresses of the manifest, with scheme and host in lower case.
    addresses: Arc<HashSet<String>>,
    selection: crate::plan::Selection,
}

/// Loads the manifest and opens the session. Sends no requests, except to the sandbox in this process.
pub(crate) async fn open(
    manifest: &ManifestArgs,
    select: &SelectArgs,
    run: &RunArgs,
    verbosity: Verbosity,
    output: Output,
    recorder: Arc<Recorder>,
) -> Result<Opened, Failure> {
    open_loaded(load(&manifest.paths(), verbosity, output)?, select, run, verbosity, None, recorder).await
}

/// Opens the session for a loaded manifest. The version, the transport and the shops of a saved plan take precedence.
pub(crate) async fn open_loaded(
    loaded: LoadedManifest,
    select: &SelectArgs,
    run: &RunArgs,
    verbosity: Verbosity,
    saved: Option<&Plan>,
    recorder: Arc<Recorder>,
) -> Result<Opened, Failure> {
    let terms = select::terms(select);
    let selection = Selection::parse(&terms).map_err(Failure::invalid)?;
    let LoadedManifest { draft, manifest, paths, seeds, printed } = loaded;
    let shops = select::selected(&manifest, &selection, &terms)?;
    let mut target = Target::open(&run.access, &manifest, seeds).await?;
    target.lead_to(&paths, &run.access);
    target.check_shops(saved.map_or(shops.len(), |plan| plan.shops.len()))?;
    let (version, transport) = match saved {
        Some(plan) => api_of(plan)?,
        None => (manifest.admin_api.version.clone(), manifest.admin_api.transport),
    };

    let progress = Arc::new(Progress::new(verbosity));
    let (waiting, events) = (Arc::clone(&progress), Arc::clone(&recorder));
    let stop = CancellationToken::new();
    let deadline = Instant::now().checked_add(run.timeout);
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
            events.event(Event::Wait(Wait { shop, seconds: wait.as_secs_f64(), reason }));
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
    let settings = Settings {
        parallelism: shares.at_a_time,
        tolerate: tolerate.collect(),
        deadline,
        access: run.access.clone(),
        verbosity,
        name: None,
    };
    let manifest_paths = paths.iter().map(|path| path.display().to_string()).collect();
    let session = Session { target, client, tokens, settings, progress, manifest_paths, recorder, stop };
    Ok(Opened { session, manifest: Arc::new(manifest), shops, draft, printed, selection: selection.for_plan(&terms) })
}

/// Returns the version and the transport of the Admin API with which a saved plan was made.
fn api_of(plan: &Plan) -> Result<(ApiVersion, Transport), Failure> {
    let crate::plan::AdminApi { version, transport } = &plan.settings.admin_api;
    let known = Transport::parse(transport)
        .ok_or_else(|| Failure::invalid(format!("the plan has the unknown transport `{transport}`")))?;
    Ok((ApiVersion::parse(version).map_err(Failure::invalid)?, known))
}

/// Returns all addresses of the manifest, with scheme and host in lower case for comparisons.
fn folded(manifest: &Manifest) -> HashSet<String> {
    manifest.addresses.iter().map(Address::folded).collect()
}

impl Session {
    /// Reads shops concurrently, and returns what `keep` makes of each reading. If `goes_on` returns true, the
    /// connection to the shop is kept for its changes.
    pub(crate) async fn read<I: Send + 'static, T: Send + 'static>(
        &self,
        manifest: &Arc<Manifest>,
        shops: Vec<(ShopIndex, I)>,
        keep: impl Fn(ShopIndex, I, Result<Reading, AdminError>) -> T + Send + Sync + 'static,
        goes_on: fn(&T) -> bool,
    ) -> Vec<T> {
        let keep = Arc::new(keep);
        self.progress.start("read", shops.len());
        let kept = for_each_bounded(shops, self.settings.parallelism, |(at, item)| {
            let (manifest, tokens, keep) = (Arc::clone(manifest), self.tokens.clone(), Arc::clone(&keep));
            let (client, progress) = (self.client.clone(), Arc::clone(&self.progress));
            let here = self.target.options.clone();
            async move {
                let shop = &manifest[at];
                let read = |token| {
                    let mut reader = client.reader(&shop.shop, &token);
                    async move { reader.read().await }
                };
                let reading = tokens.with(&shop.shop, shop.auth.as_deref(), read).await;
                let reading = reading.map_err(|error| refused(error, shop, tokens.life(&shop.shop), &here));
                progress.tick(reading.is_ok());
                let kept = keep(at, item, reading);
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

    /// Returns whether an error of this kind is tolerated for a shop.
    pub(crate) fn tolerates(&self, shop: &ManifestShop, kind: &str) -> bool {
        tolerates(&self.settings.tolerate, shop, kind)
    }
}

fn tolerates(tolerate: &[Tolerable], shop: &ManifestShop, kind: &str) -> bool {
    tolerate.iter().chain(&shop.tolerate).any(|tolerable| tolerable.as_str() == kind)
}

impl Run {
    /// Returns the index of a shop in the manifest.
    pub(crate) fn shop_index(&self, shop: &str) -> Option<ShopIndex> {
        self.manifest.index_of(shop)
    }
}
