//! Compares a saved plan with the manifest given to `apply`, before anything is sent. A plan file is not signed.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::Run;
use super::files::given;
use super::plan::context;
use super::target::word;
use crate::cli::DEFAULT_MANIFEST;
use crate::error::Failure;
use crate::files;
use crate::manifest::{Manifest, ManifestShop};
use crate::model::{Address, Binding, Transport};
use crate::plan::{self, DestinationHealth, Hazard, Plan, ShopPlan, Stale, Task, Unasked};
use crate::state::{Desired, Observed};

/// Maximum number of manifest files in a message.
const NAMED: usize = 5;

/// The manifest of a saved plan.
pub(crate) struct ManifestPaths {
    pub(crate) paths: Vec<PathBuf>,
    /// Whether only the plan file names the paths. It is not signed, so the manifest must then have the digest of the plan.
    pub(crate) named_by_plan: bool,
}

/// Returns the paths of a saved plan's manifest: those of `-f`, or those that the plan names.
///
/// The plan is not signed, so an edited plan can name another manifest. Paths of a plan are accepted only if they are relative
/// and inside the working directory. A program that can write there could as well edit the manifest itself.
pub(crate) fn manifest_paths(given: &[PathBuf], plan: &Plan) -> Result<ManifestPaths, Failure> {
    let paths: Vec<PathBuf> = plan.manifest.iter().map(PathBuf::from).collect();
    // The default manifest is used whether the plan names it or not.
    let is_default = paths.iter().all(|path| path == Path::new(DEFAULT_MANIFEST));
    if !given.is_empty() || is_default {
        return Ok(ManifestPaths { paths: given.to_vec(), named_by_plan: false });
    }
    let is_plain = |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    match paths.iter().find(|path| !is_plain(path) || !files::is_inside(Path::new("."), path)) {
        None => Ok(ManifestPaths { paths, named_by_plan: true }),
        Some(path) => Err(Failure::invalid(format!(
            "the plan names the manifest {}, which is not a relative path inside the working directory",
            path.display()
        ))
        .hint("pass the manifest that the plan was created from: `-f PATH`")),
    }
}

/// Fails if a manifest file does not exist. The hint lists the files that the plan names.
pub(crate) fn manifest_is_there(paths: &[PathBuf], plan: &Plan) -> Result<(), Failure> {
    let missing =
        |path: &&Path| std::fs::metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    let Some(path) = given(paths).into_iter().find(missing) else { return Ok(()) };
    Err(Failure::invalid(format!(
        "a plan is applied together with its manifest, but {} does not exist",
        path.display()
    ))
    .hint(if plan.manifest.iter().any(|named| Path::new(named) == path) {
        "apply the plan in the folder where it was created, or pass its manifest: `-f PATH`".to_owned()
    } else {
        pass(plan)
    }))
}

/// Fails if the manifest contains none of the shops that the plan changes, because it is then another manifest. Runs
/// before anything is sent or added to a sandbox.
pub(crate) fn manifest_is_of(paths: &[PathBuf], manifest: &Manifest, plan: &Plan) -> Result<(), Failure> {
    let mut changed = plan.shops.iter().filter(|shop| !shop.changes.is_empty()).peekable();
    if changed.peek().is_none() || changed.any(|shop| manifest.index_of(shop.shop.as_str()).is_some()) {
        return created_from(manifest, plan);
    }
    let (given, files) = (given(paths), files_of(plan));
    let names = given.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let is_given = |file: &&str| given.iter().any(|path| Path::new(file).starts_with(path));
    let hint = if !files.is_empty() && files.iter().all(is_given) {
        "the plan was created from files with these names. Apply it in the folder where it was created; if the shops were \
         removed from the manifest, create a new plan"
            .to_owned()
    } else {
        pass(plan)
    };
    Err(Failure::invalid(format!("the manifest {names} contains none of the shops that the plan changes")).hint(hint))
}

/// Fails if the manifest has another digest than the plan's, and wants something else for each shop that the plan changes. A
/// shop whose destinations are not looked up yet can still be as planned.
fn created_from(manifest: &Manifest, plan: &Plan) -> Result<(), Failure> {
    let differs = |planned: &ShopPlan| match manifest.index_of(planned.shop.as_str()).map(|at| manifest[at].desired()) {
        Some(Ok(desired)) => plan::desired_digest(desired, &manifest.ownership) != *planned.desired_digest,
        Some(Err(_)) => false,
        None => true,
    };
    let mut changed = plan.shops.iter().filter(|shop| !shop.changes.is_empty()).peekable();
    if manifest.digest == plan.manifest_digest || changed.peek().is_none() || !changed.all(differs) {
        return Ok(());
    }
    Err(another_manifest(manifest, plan, "the plan was made from another manifest"))
}

/// Fails if the manifest that only the plan names has another digest than the plan's.
pub(crate) fn named_manifest_is_unchanged(manifest: &Manifest, plan: &Plan) -> Result<(), Failure> {
    if manifest.digest == plan.manifest_digest {
        return Ok(());
    }
    let names = plan.manifest.iter().map(|path| word(path)).collect::<Vec<_>>().join(", ");
    let what = format!("the manifest {names}, which the plan names, is not the one that the plan was created from");
    Err(another_manifest(manifest, plan, &what))
}

fn another_manifest(manifest: &Manifest, plan: &Plan, what: &str) -> Failure {
    let mut failure = Failure::invalid(what);
    failure.details = vec![
        format!("digest of the plan's manifest: {}", plan.manifest_digest),
        format!("digest of this manifest: {}", manifest.digest),
    ];
    failure.hint(format!("if the manifest changed, create a new plan. Otherwise {}", pass(plan)))
}

/// Returns the manifest files that the changes of a plan name.
fn files_of(plan: &Plan) -> BTreeSet<&str> {
    let changes = plan.shops.iter().flat_map(|shop| &shop.changes);
    changes.filter_map(|planned| Some(&*planned.source()?.file)).collect()
}

/// Returns the hint to pass the manifest of a plan.
fn pass(plan: &Plan) -> String {
    if !plan.manifest.is_empty() {
        let names = plan.manifest.iter().map(|path| word(path)).collect::<Vec<_>>().join(" -f ");
        return format!("pass the manifest that the plan was created from: `-f {names}`");
    }
    let files = files_of(plan);
    let names = files.iter().take(NAMED).map(|file| word(file)).collect::<Vec<_>>().join(", ");
    match files.len() {
        0 => "pass the manifest that the plan was created from: `-f PATH`".to_owned(),
        1 => format!("pass the manifest that the plan was created from: `-f {names}`"),
        _ => {
            let more = if files.len() > NAMED { format!(" and {} more", files.len() - NAMED) } else { String::new() };
            format!(
                "pass the manifest that the plan was created from, as files or folders: `-f PATH`. The plan names \
                 {names}{more}"
            )
        }
    }
}

/// Returns whether REST, which has no filters, names and metafields, can express a binding.
fn over_rest(binding: &Binding) -> bool {
    binding.filter.is_none() && binding.name.is_none() && binding.metafields.is_none()
}

impl Run {
    /// Fails if the plan cannot have been made from this manifest. Skips shops whose wanted state has changed: they are
    /// reported as stale before their changes.
    pub(crate) fn comes_from_manifest(&self, plan: &Plan) -> Result<(), Failure> {
        created_from(&self.manifest, plan)?;
        let hint = "the file was edited or written by another version of Hookwright; create a new plan";
        if plan.settings.safety != self.settings().safety {
            return Err(Failure::invalid("the `safety` limits of the plan differ from those of the manifest")
                .hint("create a new plan"));
        }
        for planned in &plan.shops {
            let Some((_, desired)) = self.as_planned(planned) else { continue };
            let over_rest_only = Transport::parse(&plan.settings.admin_api.transport) == Some(Transport::Rest);
            if over_rest_only && !desired.entries.iter().all(|e| over_rest(&e.binding)) {
                let what = format!(
                    "the plan uses REST, which cannot express the bindings of {} in the manifest",
                    planned.shop
                );
                return Err(Failure::invalid(what).hint(hint));
            }
            match plan::unasked(planned, desired, &self.manifest.ownership) {
                None => {}
                Some(Unasked::Counts) => {
                    return Err(Failure::invalid(format!(
                        "the plan's counts for {} do not match its changes and the manifest",
                        planned.shop
                    ))
                    .hint(hint));
                }
                Some(Unasked::Change(change)) => {
                    let side = change.after().or(change.before().map(|before| &before.binding));
                    let address = side.map(|side| side.address.as_str()).unwrap_or_default();
                    return Err(Failure::invalid(format!(
                        "the plan has a change for {} that the manifest does not require: {} {} -> {address}",
                        planned.shop,
                        change.action(),
                        change.topic()
                    ))
                    .hint(hint));
                }
            }
        }
        Ok(())
    }

    /// Returns the hazards of a plan's changes by the rules of the given manifest, regardless of the hazards in the
    /// file.
    pub(crate) async fn hazards_of(&self, plan: &Plan) -> Vec<Hazard> {
        let inlets = DestinationHealth::default();
        // These addresses are not verified: they only remove the need for consent to changes that the manifest
        // requires.
        let former = plan.former_addresses.iter().map(|address| Address::new(address).folded());
        let addresses = self.addresses.iter().cloned().chain(former).collect();
        let context = context(&self.manifest, &addresses, &inlets);
        let limits = |planned: &ShopPlan| self.as_planned(planned).map(|(shop, _)| &shop.limits);
        let mut hazards = plan::hazards_of(&context, &self.settings(), plan, limits);
        self.dismiss_known_addresses([&mut hazards]).await;
        plan::drop_repeated(&mut hazards);
        hazards
    }

    /// Returns a function that judges the limits of a shop with the figures of its reading, because those in a plan
    /// file are not reliable. `known` contains the hazards of the plan, for which consent was given.
    pub(crate) fn within_limits<'a>(
        &'a self,
        planned: &'a ShopPlan,
        known: &'a [Hazard],
        observed: &'a Observed,
    ) -> impl Fn(&[Task]) -> Result<(), Stale> + 'a {
        move |tasks| {
            let Some((shop, _)) = self.as_planned(planned) else { return Ok(()) };
            let inlets = DestinationHealth::default();
            let context = context(&self.manifest, &self.addresses, &inlets);
            plan::within_limits(&context, &shop.limits, planned, known, observed, tasks)
        }
    }

    /// Replaces the names of addresses and the limits of shops in a plan with those of the manifest.
    pub(crate) fn relabel(&self, plan: &mut Plan) {
        for planned in &mut plan.shops {
            let Some((shop, desired)) = self.as_planned(planned) else { continue };
            plan::relabel(planned, desired, &shop.destinations);
            planned.limits = shop.limits.clone();
        }
    }

    /// Returns the shop in the manifest, if its wanted state has not changed since the plan was made.
    fn as_planned(&self, planned: &ShopPlan) -> Option<(&ManifestShop, &Desired)> {
        let shop = &self.manifest[self.shop_index(planned.shop.as_str())?];
        let desired = shop.desired().ok()?;
        let asked = plan::desired_digest(desired, &self.manifest.ownership);
        (asked == *planned.desired_digest).then_some((shop, desired))
    }
}
