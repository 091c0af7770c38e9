//! Reads the shops of a run and plans them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::events::emit_shop;
use super::target::approval;
use super::tokens::{Planned, token_finding};
use super::{Run, folded, tolerates};
use crate::admin::{self, AdminError, Reading};
use crate::apply::error as wire_error;
use crate::clock::now;
use crate::destinations::Assessment;
use crate::manifest::{Manifest, ManifestShop, ShopDesired, ShopIndex, Tolerable};
use crate::model::{ApiVersion, Auth, ShopDomain};
use crate::plan::{
    self, Base, BaseDesired, Context, DestinationHealth, Plan, PlanConsent, PlanHeader, PlannedShop, SharedParts,
    ShopInput, ShopStatus, Unread,
};
use crate::since::{self, History};
use crate::state::{Desired, Ownership, ReviewedConsent};
use crate::wire;

/// What the run does with a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlanPurpose {
    /// The plan is shown or saved.
    Nothing,
    /// The plan is a drift report.
    Drift,
    /// The plan is shown, and applied after confirmation.
    Confirm,
    /// The plan is applied.
    Apply,
}

/// The wanted state of a shop, and its digest.
type WithDigest = (Arc<Desired>, Arc<str>);

impl Run {
    /// Reads the selected shops concurrently, and plans them. `base` is the manifest of `--base`.
    pub(crate) async fn plan(
        &self,
        then: PlanPurpose,
        base: Option<&Comparison>,
        earlier: Option<&History>,
        exit_code: impl FnOnce(&Plan) -> u8,
    ) -> Plan {
        let started_at = (then == PlanPurpose::Drift).then(|| now().to_string());
        let (manifest, for_base) = (Arc::clone(&self.manifest), base.cloned());
        let only = base.and_then(|base| base.only);
        let base = base.map(|base| &base.manifest);
        // Addresses of the base manifest belonged to this manifest, so they do not count as those of another manifest.
        let mut base_addresses = base.map(|base| folded(base)).unwrap_or_default();
        base_addresses.retain(|address| !self.addresses.contains(address));
        let addresses: HashSet<String> = self.addresses.union(&base_addresses).cloned().collect();
        let (tolerate, addresses) = (self.session.settings.tolerate.clone(), Arc::new(addresses));
        let (recorder, here) = (Arc::clone(&self.session.recorder), self.session.target.options.clone());
        let sandbox = self.session.target.sandbox.clone();
        let mut assessments = self.assessments(&self.lookups);
        let inlets = Arc::new(DestinationHealth::of(&to_plan(&assessments)));
        let mut unplanned = self.unplanned();
        let tokens = self.session.tokens.clone();
        let parts = Mutex::new(SharedParts::default());
        let of_shop = move |at: ShopIndex, (desired, digest): WithDigest, reading: Result<Reading, AdminError>| {
            let context = context(&manifest, &addresses, &inlets);
            let shop = &manifest[at];
            let granted = reading.as_ref().ok().and_then(|reading| reading.observed.scopes.as_ref());
            let approval = approval(shop, granted, sandbox.as_ref(), &here);
            let asked = Planning {
                manifest: &manifest,
                shop,
                desired: &desired,
                desired_digest: &digest,
                base: for_base.as_ref(),
            };
            let mut part = part(&context, asked, &tolerate, &approval, reading.as_ref());
            let app = reading.map(|reading| reading.app).unwrap_or_default();
            if part.shop.unread.is_none() {
                plan::add(&mut part.shop, token_finding(shop, tokens.life(&shop.shop), &app, &here));
            }
            parts.lock().unwrap_or_else(PoisonError::into_inner).share(&mut part.shop);
            emit_shop(&recorder, &part.shop);
            Planned { at, desired, part, app }
        };
        let goes_on: fn(&Planned) -> bool = match then {
            PlanPurpose::Confirm | PlanPurpose::Apply => |planned| planned.part.shop.status() == ShopStatus::Changed,
            PlanPurpose::Nothing | PlanPurpose::Drift => |_| false,
        };
        let mut planned = self.session.read(&self.manifest, self.with_digests(), of_shop, goes_on).await;
        self.mixed_apps(&mut planned);
        let mut parts: Vec<_> = planned.into_iter().map(|planned| planned.part).collect();
        parts.append(&mut unplanned);
        self.dismiss_known_addresses(parts.iter_mut().map(|part| &mut part.hazards)).await;
        // The explanation is only for display, so a plan that is applied immediately does not wait for it.
        if then != PlanPurpose::Apply {
            self.explain(&mut assessments, &parts).await;
        }
        let destinations = to_plan(&assessments);
        plan::drop_gone_endpoints(&destinations, parts.iter_mut().map(|part| &mut part.shop));
        let since = earlier.map(|history| since::explain(history, parts.iter_mut().map(|part| &mut part.shop)));
        let header = PlanHeader {
            settings: self.settings(),
            selection: plan::Selection { only, ..self.selection.clone() },
            destinations,
            manifest: self.session.manifest_paths.clone(),
            manifest_digest: self.manifest.digest.clone(),
            consents: self.valid_consents().map(PlanConsent::new).collect(),
            created_at: now().to_string(),
            shops_left: base.map(|base| left(base, &self.manifest)).unwrap_or_default(),
            base_addresses,
            is_drift: then == PlanPurpose::Drift,
            started_at,
            since,
        };
        plan::assemble(header, parts, exit_code, wire::plan::digest)
    }

    /// Returns the shops that can be planned, with their wanted states and the digests of these. Many shops share a wanted
    /// state, whose digest is computed once.
    fn with_digests(&self) -> Vec<(ShopIndex, WithDigest)> {
        let mut known: HashMap<*const Desired, Arc<str>> = HashMap::new();
        let with_digest = |(at, desired): &(ShopIndex, Arc<Desired>)| {
            let digest = known
                .entry(Arc::as_ptr(desired))
                .or_insert_with(|| plan::desired_digest(desired, &self.manifest.ownership).into());
            (*at, (Arc::clone(desired), Arc::clone(digest)))
        };
        self.ready.iter().map(with_digest).collect()
    }

    /// Returns the consents of the manifest that are valid today.
    fn valid_consents(&self) -> impl Iterator<Item = &ReviewedConsent> {
        let today = plan::day(now());
        self.manifest.consents.iter().filter(move |consent| !consent.is_expired(today))
    }

    pub(super) fn settings(&self) -> plan::Settings {
        let Manifest { admin_api, ownership, safety, .. } = &*self.manifest;
        plan::Settings {
            name: self.session.settings.name.clone(),
            endpoint: self.session.target.name.clone(),
            sandbox: self.session.target.sandbox.clone(),
            adobe: self.adobe(),
            admin_api: plan::AdminApi {
                version: admin_api.version.to_string(),
                transport: admin_api.transport.as_str().to_owned(),
            },
            ownership: ownership.clone(),
            safety: safety.clone(),
        }
    }
}

/// The base manifest of a plan (`--base`).
#[derive(Clone)]
pub(crate) struct Comparison {
    pub(crate) manifest: Arc<Manifest>,
    /// The origin of the changes that the plan contains; `None` for all changes.
    pub(crate) only: Option<plan::Origin>,
}

/// Converts assessments to their form in a plan.
fn to_plan(assessments: &[Assessment]) -> Vec<plan::Destination> {
    assessments.iter().map(Assessment::to_plan).collect()
}

pub(super) fn context<'a>(
    manifest: &'a Manifest,
    addresses: &'a HashSet<String>,
    inlets: &'a DestinationHealth,
) -> Context<'a> {
    Context { ownership: &manifest.ownership, safety: &manifest.safety, addresses, inlets }
}

/// Appended to the error of a rejected token if `uninstalled` is tolerated: a rejected token does not prove that
/// the app was uninstalled.
const NOT_EVIDENCE: &str = ". Tolerating `uninstalled` has no effect here, because with `access_token` Shopify answers 401 both \
                       for an uninstalled app and for a wrong token. Remove the shop from the manifest, or use \
                       `client_assertion`, `client_credentials` or `token_store`, with which Shopify reports that the app is \
                       not installed";

/// Appended to the error of a shop whose wanted state is equal in the base manifest.
const OUTSIDE: &str = ". With `--only manifest` this is tolerated, because the manifest does not change the shop";

/// Returns whether a shop has the same wanted state in the base manifest.
fn same_as_base(base: Base<'_>, desired: &Desired, ownership: &Ownership) -> bool {
    match base.desired {
        Some(BaseDesired::Resolved(of_base)) => {
            plan::desired_digest(of_base, base.ownership) == plan::desired_digest(desired, ownership)
        }
        Some(BaseDesired::Unresolved(_)) | None => false,
    }
}

/// Inputs for the plan of a shop, except for its reading.
#[derive(Clone, Copy)]
struct Planning<'a> {
    manifest: &'a Manifest,
    shop: &'a ManifestShop,
    desired: &'a Desired,
    desired_digest: &'a Arc<str>,
    base: Option<&'a Comparison>,
}

fn part(
    context: &Context<'_>,
    asked: Planning<'_>,
    tolerate: &[Tolerable],
    approval: &str,
    reading: Result<&Reading, &AdminError>,
) -> PlannedShop {
    let Planning { manifest, shop, desired, desired_digest, base } = asked;
    let mut findings = reading.map(|r| of_reading(r, &manifest.admin_api.version)).unwrap_or_default();
    if reading.is_ok() {
        findings.extend(plan::double_delivery(desired, &manifest.app));
        findings.extend(plan::two_payloads(desired, &manifest.app_events));
    }
    let base_desired = base.and_then(|base| base.manifest.shop(&shop.shop)).map(|shop| shop.desired.clone());
    let base = base.map(|base| Base {
        desired: base_desired.as_ref().map(|desired| match desired {
            ShopDesired::Resolved(desired) => BaseDesired::Resolved(desired),
            ShopDesired::Unresolved(unresolved) => BaseDesired::Unresolved(unresolved),
        }),
        ownership: &base.manifest.ownership,
        only: base.only,
    });
    let failure = |error: &AdminError| {
        let tolerated = tolerates(tolerate, shop, error.kind.as_str());
        let mut wired = plan::ShopError::from(wire_error(error));
        if tolerated && let Some(cause) = wired.message.strip_suffix(&admin::tolerance(error.kind.as_str())) {
            wired.message = cause.to_owned();
        }
        let has_own_token = matches!(shop.auth.as_deref(), Some(Auth::AccessToken(_)) | None);
        if error.kind == admin::AdminErrorKind::TokenRefused
            && has_own_token
            && tolerates(tolerate, shop, "uninstalled")
        {
            wired.message += NOT_EVIDENCE;
        }
        let outside = base.is_some_and(|base| {
            base.only == Some(plan::Origin::Manifest) && same_as_base(base, desired, &manifest.ownership)
        });
        if outside && !tolerated {
            wired.message += OUTSIDE;
        }
        Unread { error: wired, tolerated: tolerated || outside }
    };
    let input = ShopInput {
        shop: &shop.shop,
        approval,
        labels: &shop.labels,
        desired,
        desired_digest,
        destinations: &shop.destinations,
        limits: &shop.limits,
        base,
        reading: reading.map(|r| &r.observed).map_err(failure),
        findings,
    };
    plan::shop(context, input)
}

/// Returns the findings from the headers of the answer.
fn of_reading(reading: &Reading, asked: &ApiVersion) -> Vec<plan::Finding> {
    let served = reading.served_version.as_deref().filter(|served| *served != asked.as_str());
    served.map(|served| plan::version_served(asked, served)).into_iter().collect()
}

fn left(base: &Manifest, now: &Manifest) -> BTreeMap<String, Option<usize>> {
    let there: std::collections::HashSet<&ShopDomain> = now.shops.iter().map(|s| &s.shop).collect();
    base.shops
        .iter()
        .filter(|s| !there.contains(&s.shop))
        .map(|s| (s.shop.to_string(), Some(s.topics().len())))
        .collect()
}
