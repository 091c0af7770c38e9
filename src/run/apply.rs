//! Applies a plan. For each shop: obtains the token, reads the shop, judges the plan, and sends the changes.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::Run;
use super::target::{refused, whole};
use crate::admin::{self, AdminError, AdminErrorKind, ShopWriter};
use crate::apply::{self, ApplyContext};
use crate::clock::now;
use crate::concurrency::for_each_bounded;
use crate::destinations::{self, Assessment, Lookups};
use crate::diff::Change;
use crate::error::Failure;
use crate::manifest::ShopIndex;
use crate::plan::{self, Asked, DestinationHealth, Plan, ShopPlan, ShopStatus, Task};
use crate::wire::events::{Event, ReadStatus, ShopRead, StepOutcome};
use crate::wire::plan::SharedSubscriptions;
use crate::wire::report::{ReportShop, ReportShopStatus};

/// Applies the changes of a plan.
#[derive(Clone)]
pub(crate) struct ApplyRun(Arc<Shared>);

/// Whether a shop must be read before its changes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Freshness {
    /// The shop must be read, because time has passed since the plan was made.
    Again,
    /// The shop need not be read, because the plan was made immediately before.
    Fresh,
}

struct Shared {
    plan: Arc<Plan>,
    run: Run,
    /// Lookups that were repeated after the plan was made.
    again: Option<Lookups>,
    /// Verdicts about addresses at the time of the plan.
    inlets: DestinationHealth,
    reading: Freshness,
    /// The subscriptions of the reports so far.
    subscriptions: Mutex<SharedSubscriptions>,
}

impl ApplyRun {
    /// `again` contains the lookups that were repeated after the plan was made.
    pub(crate) fn new(plan: Arc<Plan>, run: Run, again: Option<Lookups>, reading: Freshness) -> Self {
        let inlets = DestinationHealth::of(&plan.destinations);
        Self(Arc::new(Shared { plan, run, again, inlets, reading, subscriptions: Mutex::default() }))
    }

    /// Applies the shops with changes concurrently.
    pub(crate) async fn shops(&self) -> Vec<ReportShop> {
        let Shared { plan, run, .. } = &*self.0;
        let changed: Vec<usize> =
            (0..plan.shops.len()).filter(|&at| plan.shops[at].status() == ShopStatus::Changed).collect();
        run.session.progress.start("applied", changed.len());
        let applied = for_each_bounded(changed, run.session.settings.parallelism, |at| {
            let shared = Arc::clone(&self.0);
            async move { shared.shop(at).await }
        });
        let applied = applied.await;
        run.session.progress.finish();
        applied
    }

    /// Closes the target of the run, if no task uses it.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        match Arc::try_unwrap(self.0) {
            Ok(shared) => shared.run.session.target.close().await,
            Err(_) => Ok(()),
        }
    }
}

impl Shared {
    /// Applies one shop.
    async fn shop(&self, at: usize) -> ReportShop {
        let planned = &self.plan.shops[at];
        let mut report = self.try_shop(planned).await.unwrap_or_else(|report| {
            self.emit_untouched(&report);
            *report
        });
        let changes = report.outcomes.iter_mut().map(|outcome| &mut outcome.change);
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner).share(changes);
        let errors =
            report.outcomes.iter_mut().filter_map(|outcome| outcome.error.as_deref_mut()).chain(&mut report.error);
        errors.for_each(|error| error.message = whole(&error.message, &self.run.session.target.options));
        if let Some(at) = self.run.shop_index(planned.shop.as_str()) {
            self.run.session.client.close(&self.run.manifest[at].shop);
        }
        self.run.session.progress.tick(report.status == ReportShopStatus::Done);
        report
    }

    async fn try_shop(&self, planned: &ShopPlan) -> Result<ReportShop, Box<ReportShop>> {
        let manifest = &self.run.manifest;
        let stale = |why: plan::Stale| Box::new(apply::stale(planned, &why));
        let index = self.run.shop_index(planned.shop.as_str()).ok_or_else(|| stale(plan::Stale::NoShop))?;
        self.same_destinations(planned, index)?;
        let shop = &manifest[index];
        let Ok(desired) = shop.desired() else { return Err(stale(plan::Stale::Manifest)) };
        if plan::desired_digest(desired, &manifest.ownership) != *planned.desired_digest {
            return Err(stale(plan::Stale::Manifest));
        }
        if self.run.session.stop.is_cancelled() {
            return Err(interrupted(planned));
        }
        let (tokens, auth) = (&self.run.session.tokens, shop.auth.as_deref());
        let not_read = |e| {
            let error = refused(e, shop, tokens.life(&shop.shop), &self.run.session.target.options);
            Box::new(apply::not_read(planned, apply::error(&error)))
        };
        let writer = |token: &_| self.run.session.client.writer(&shop.shop, token);
        let (writer, tasks) = match self.reading_of(planned) {
            Freshness::Fresh => {
                let token = tokens.token(&shop.shop, auth).await.map_err(not_read)?;
                (writer(&token), Ok(vec![Task::Do; planned.changes.len()]))
            }
            Freshness::Again => {
                let read = |token| {
                    let (mut writer, stop) = (writer(&token), self.run.session.stop.clone());
                    async move { read(&mut writer, &stop).await.map(|reading| (writer, reading)) }
                };
                let (writer, reading) = tokens.with(&shop.shop, auth, read).await.map_err(not_read)?;
                let asked = Asked { desired, ownership: &manifest.ownership, inlets: &self.inlets };
                let tasks = plan::judge(planned, &reading.observed, asked);
                let limits = self.run.within_limits(planned, &self.plan.hazards, &reading.observed);
                (writer, tasks.and_then(|tasks| limits(&tasks).map(|()| tasks)))
            }
        };
        let tasks = tasks.map_err(stale)?;
        if self.reading_of(planned) == Freshness::Again {
            self.emit_reading(planned, &tasks);
        }
        // The token can expire while the changes of the shop are sent.
        let mut writer = writer.renewing(self.renew(index));
        let context = ApplyContext { stop: &self.run.session.stop, now: &now, recorder: &self.run.session.recorder };
        Ok(apply::shop(&mut writer, planned, tasks, &context).await)
    }

    /// Returns whether a shop must be read again. All shops are read before the first is applied, so a reading can be
    /// minutes old, and another program may own a subscription by then. Creates alone need no reading, because Shopify
    /// rejects a second subscription with the same key.
    fn reading_of(&self, planned: &ShopPlan) -> Freshness {
        let touches = planned.changes.iter().any(|planned| !matches!(planned.change, Change::Create { .. }));
        if touches { Freshness::Again } else { self.reading }
    }

    /// Checks that the shop's destinations at Adobe are the same as when the plan was made.
    fn same_destinations(&self, planned: &ShopPlan, index: ShopIndex) -> Result<(), Box<ReportShop>> {
        let manifest = &self.run.manifest;
        let lookups = &manifest[index].lookups;
        let now = self.again.as_ref().unwrap_or(&self.run.lookups);
        let needed: Vec<_> = lookups.iter().map(|at| manifest[*at].resolved(&now.addresses)).collect();
        if let Some(error) = destinations::unresolved(&needed) {
            return Err(Box::new(apply::not_read(planned, (&error).into())));
        }
        // Each destination has an assessment, because each has an address.
        for current in lookups.iter().filter_map(|at| now.assessments.get(at)).map(Assessment::to_plan) {
            let same = |d: &&plan::Destination| (&d.name, &d.shop) == (&current.name, &current.shop);
            let changed = match self.plan.destinations.iter().find(same) {
                Some(before) => destinations::changed(before, &current),
                None => Some(format!("destination {} is not in the plan", current.wanted)),
            };
            if let Some(what) = changed {
                return Err(Box::new(apply::stale(planned, &plan::Stale::Destination { what })));
            }
        }
        Ok(())
    }

    /// Returns a function with which a writer of this shop obtains another token.
    fn renew(&self, index: ShopIndex) -> admin::Renew {
        let (tokens, manifest) = (self.run.session.tokens.clone(), Arc::clone(&self.run.manifest));
        Arc::new(move |refused| {
            let (tokens, manifest) = (tokens.clone(), Arc::clone(&manifest));
            Box::pin(async move {
                let shop = &manifest[index];
                tokens.another(&shop.shop, shop.auth.as_deref(), &refused).await
            })
        })
    }

    /// Emits the result of the reading before the changes.
    fn emit_reading(&self, planned: &ShopPlan, tasks: &[Task]) {
        let changes = tasks.iter().filter(|task| matches!(task, Task::Do)).count();
        let (shop, status) = (planned.shop.to_string(), ReadStatus::Changed);
        self.run.session.recorder.event(Event::ShopRead(ShopRead { shop, status, changes, error: None }));
    }

    /// Emits the events of a shop to which nothing was sent.
    fn emit_untouched(&self, report: &ReportShop) {
        let stale = report.status == ReportShopStatus::Stale;
        let status = if stale { ReadStatus::Stale } else { ReadStatus::Failed };
        let (shop, changes, error) = (report.shop.clone(), report.outcomes.len(), report.error.clone());
        self.run.session.recorder.event(Event::ShopRead(ShopRead { shop, status, changes, error }));
        let outcome = |(index, outcome)| StepOutcome::of(&report.shop, index, outcome, 0);
        self.run.session.recorder.outcomes_of_untouched(report.outcomes.iter().enumerate().map(outcome).collect());
    }
}

/// Reads a shop before its changes. An interrupt stops the reading, because nothing was sent yet.
async fn read(writer: &mut ShopWriter, stop: &CancellationToken) -> Result<admin::Reading, AdminError> {
    tokio::select! {
        reading = writer.read() => reading,
        () = stop.cancelled() => Err(AdminError::new(AdminErrorKind::Interrupted, INTERRUPTED)),
    }
}

/// Returns the report of a shop to which nothing was sent, because the run was interrupted.
fn interrupted(planned: &ShopPlan) -> Box<ReportShop> {
    Box::new(apply::not_read(planned, apply::error(&AdminError::new(AdminErrorKind::Interrupted, INTERRUPTED))))
}

const INTERRUPTED: &str = "interrupted before any change of this shop was sent";
