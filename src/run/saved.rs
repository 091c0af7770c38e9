//! A saved plan, held against the manifest given to apply before anything is sent. The file is sealed, not signed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Run;
use super::files::given;
use super::plan::context;
use super::target::word;
use crate::error::Failure;
use crate::manifest::{Manifest, ManifestShop};
use crate::model::{Address, Binding, Transport};
use crate::plan::{self, DestinationHealth, Hazard, Plan, ShopPlan, Stale, Task, Unasked};
use crate::state::{Desired, Observed};

/// So many files of a plan's manifest are named in a message.
const NAMED: usize = 5;

/// Refuses a manifest that is missing, with the files that the plan names. The plan is not signed, so none of them is
/// opened: the operator has to name one.
pub(crate) fn manifest_is_there(paths: &[PathBuf], plan: &Plan) -> Result<(), Failure> {
    let missing =
        |path: &&Path| std::fs::metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    let Some(path) = given(paths).into_iter().find(missing) else { return Ok(()) };
    Err(Failure::invalid(format!(
        "a plan is applied together with its manifest, but {} does not exist",
        path.display()
    ))
    .hint(pass(&files_of(plan))))
}

/// Refuses a manifest that has none of the shops that the plan changes: it is another one. Before anything is sent, or
/// added to a sandbox.
pub(crate) fn manifest_is_of(paths: &[PathBuf], manifest: &Manifest, plan: &Plan) -> Result<(), Failure> {
    let mut changed = plan.shops.iter().filter(|shop| !shop.changes.is_empty()).peekable();
    if changed.peek().is_none() || changed.any(|shop| manifest.index_of(shop.shop.as_str()).is_some()) {
        return Ok(());
    }
    let (given, files) = (given(paths), files_of(plan));
    let names = given.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let is_given = |file: &&str| given.iter().any(|path| Path::new(file).starts_with(path));
    let hint = if !files.is_empty() && files.iter().all(is_given) {
        "the plan was made from files with these names. Apply it in the folder where it was made; if the shops were \
         removed from the manifest, make a new plan"
            .to_owned()
    } else {
        pass(&files)
    };
    Err(Failure::invalid(format!("the manifest {names} contains none of the shops that the plan changes")).hint(hint))
}

/// The files of the manifest that a plan was made from, as far as its changes name them.
fn files_of(plan: &Plan) -> BTreeSet<&str> {
    let changes = plan.shops.iter().flat_map(|shop| &shop.changes);
    changes.filter_map(|planned| Some(&*planned.source()?.file)).collect()
}

/// How the manifest of these files is given.
fn pass(files: &BTreeSet<&str>) -> String {
    let names = files.iter().take(NAMED).map(|file| word(file)).collect::<Vec<_>>().join(", ");
    match files.len() {
        0 => "pass the manifest that the plan was made from: `-f PATH`".to_owned(),
        1 => format!("pass the manifest that the plan was made from: `-f {names}`"),
        _ => {
            let more = if files.len() > NAMED { format!(" and {} more", files.len() - NAMED) } else { String::new() };
            format!(
                "pass the manifest that the plan was made from, as files or folders: `-f PATH`. The plan names \
                 {names}{more}"
            )
        }
    }
}

/// Whether REST, which has neither filters nor names, can express a binding.
fn over_rest(binding: &Binding) -> bool {
    binding.filter.is_none() && binding.name.is_none() && binding.metafields.is_none()
}

impl Run {
    /// Refuses a plan that no plan of this manifest could be. A shop of which the manifest asks something else by now is
    /// left to the judgement before its changes: it is stale.
    pub(crate) fn comes_from_manifest(&self, plan: &Plan) -> Result<(), Failure> {
        let hint = "the file was edited or written by another version of Hookwright; make a new plan";
        if plan.settings.safety != self.settings().safety {
            return Err(Failure::invalid("the `safety` limits of the plan differ from those of the manifest")
                .hint("make a new plan"));
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

    /// The hazards of a plan's changes by the manifest given, whatever the file says of them.
    pub(crate) async fn hazards_of(&self, plan: &Plan) -> Vec<Hazard> {
        let inlets = DestinationHealth::default();
        // Not verified: they only lift consents from changes that the manifest asks for.
        let former = plan.former_addresses.iter().map(|address| Address::new(address).folded());
        let addresses = self.addresses.iter().cloned().chain(former).collect();
        let context = context(&self.manifest, &addresses, &inlets);
        let limits = |planned: &ShopPlan| self.as_planned(planned).map(|(shop, _)| &shop.limits);
        let mut hazards = plan::hazards_of(&context, &self.settings(), plan, limits);
        self.dismiss_known_addresses([&mut hazards]).await;
        hazards
    }

    /// Judges the limits of a shop by what was read of it: its numbers in a plan file may be anything. `known` are the
    /// hazards that have a consent.
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

    /// Gives the addresses of a plan the names that the manifest has for them.
    pub(crate) fn relabel(&self, plan: &mut Plan) {
        for planned in &mut plan.shops {
            let Some((shop, desired)) = self.as_planned(planned) else { continue };
            plan::relabel(planned, desired, &shop.destinations);
        }
    }

    /// The shop of the manifest, if it asks of it what it asked when the plan was made.
    fn as_planned(&self, planned: &ShopPlan) -> Option<(&ManifestShop, &Desired)> {
        let shop = &self.manifest[self.shop_index(planned.shop.as_str())?];
        let desired = shop.desired().ok()?;
        let asked = plan::desired_digest(desired, &self.manifest.ownership);
        (asked == planned.desired_digest).then_some((shop, desired))
    }
}
