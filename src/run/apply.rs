//! Carries out a plan, shop by shop: token, reading, judgement, changes.

use std::sync::Arc;

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
use crate::wire::report::{ReportShop, ReportShopStatus};

/// A plan on its way: carries out the changes of each shop.
#[derive(Clone)]
pub(crate) struct ApplyRun(Arc<Shared>);

/// Whether a shop has to be read before its changes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Freshness {
    /// Some time has passed since the plan.
    Again,
    /// The plan was made a moment ago.
    Fresh,
}

struct Shared {
    plan: Arc<Plan>,
    run: Run,
    /// What was looked up after the plan was made.
    again: Option<Lookups>,
    /// What nothing could be bound to when the plan was made.
    inlets: DestinationHealth,
    reading: Freshness,
}

impl ApplyRun {
    /// `again` is what was looked up after the plan was made.
    pub(crate) fn new(plan: Arc<Plan>, run: Run, again: Option<Lookups>, reading: Freshness) -> Self {
        let inlets = DestinationHealth::of(&plan.destinations);
        Self(Arc::new(Shared { plan, run, again, inlets, reading }))
    }

    /// Applies the shops with changes, side by side.
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

    /// Ends the run, once every task has ended.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        match Arc::try_unwrap(self.0) {
            Ok(shared) => shared.run.session.target.close().await,
            Err(_) => Ok(()),
        }
    }
}

impl Shared {
    /// One shop: token, reading, judgement, changes.
    async fn shop(&self, at: usize) -> ReportShop {
        let planned = &self.plan.shops[at];
        let mut report = self.try_shop(planned).await.unwrap_or_else(|report| {
            self.emit_untouched(&report);
            *report
        });
        let errors = report.outcomes.iter_mut().filter_map(|outcome| outcome.error.as_mut()).chain(&mut report.error);
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
        if plan::desired_digest(desired, &manifest.ownership) != planned.desired_digest {
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
        // A shop's changes may take longer than its token lives.
        let mut writer = writer.renewing(self.renew(index));
        let context = ApplyContext { stop: &self.run.session.stop, now: &now, recorder: &self.run.session.recorder };
        Ok(apply::shop(&mut writer, planned, tasks, &context).await)
    }

    /// All shops are read before the first is applied, so a reading may be minutes old by the time that its shop's turn
    /// comes, and a subscription may be somebody else's by then. A create cannot harm one: Shopify refuses a second
    /// subscription with the same key.
    fn reading_of(&self, planned: &ShopPlan) -> Freshness {
        let touches = planned.changes.iter().any(|planned| !matches!(planned.change, Change::Create { .. }));
        if touches { Freshness::Again } else { self.reading }
    }

    /// Whether the shop's destinations are at Adobe what they were when the plan was made.
    fn same_destinations(&self, planned: &ShopPlan, index: ShopIndex) -> Result<(), Box<ReportShop>> {
        let manifest = &self.run.manifest;
        let lookups = &manifest[index].lookups;
        let now = self.again.as_ref().unwrap_or(&self.run.lookups);
        let needed: Vec<_> = lookups.iter().map(|at| manifest[*at].resolved(&now.addresses)).collect();
        if let Some(error) = destinations::unresolved(&needed) {
            return Err(Box::new(apply::not_read(planned, (&error).into())));
        }
        // Each has an assessment, since each has an address.
        for told in lookups.iter().filter_map(|at| now.assessments.get(at)).map(Assessment::to_plan) {
            let same = |d: &&plan::Destination| (&d.name, &d.shop) == (&told.name, &told.shop);
            let changed = match self.plan.destinations.iter().find(same) {
                Some(before) => destinations::changed(before, &told),
                None => Some(format!("destination {} is not in the plan", told.wanted)),
            };
            if let Some(what) = changed {
                return Err(Box::new(apply::stale(planned, &plan::Stale::Destination { what })));
            }
        }
        Ok(())
    }

    /// How a writer of this shop gets another token.
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

    /// For the events: what a reading before the changes found.
    fn emit_reading(&self, planned: &ShopPlan, tasks: &[Task]) {
        let changes = tasks.iter().filter(|task| matches!(task, Task::Do)).count();
        let (shop, status) = (planned.shop.to_string(), ReadStatus::Changed);
        self.run.session.recorder.event(Event::ShopRead(ShopRead { shop, status, changes, error: None }));
    }

    /// For the events: a shop of which nothing was sent.
    fn emit_untouched(&self, report: &ReportShop) {
        let stale = report.status == ReportShopStatus::Stale;
        let status = if stale { ReadStatus::Stale } else { ReadStatus::Failed };
        let (shop, changes, error) = (report.shop.clone(), report.outcomes.len(), report.error.clone());
        self.run.session.recorder.event(Event::ShopRead(ShopRead { shop, status, changes, error }));
        let outcome = |(index, outcome)| StepOutcome::of(&report.shop, index, outcome, 0);
        self.run.session.recorder.outcomes_of_untouched(report.outcomes.iter().enumerate().map(outcome).collect());
    }
}

/// Reads a shop before its changes, unless somebody asks to stop: nothing was sent yet, so nobody has to wait for this.
async fn read(writer: &mut ShopWriter, stop: &CancellationToken) -> Result<admin::Reading, AdminError> {
    tokio::select! {
        reading = writer.read() => reading,
        () = stop.cancelled() => Err(AdminError::new(AdminErrorKind::Interrupted, INTERRUPTED)),
    }
}

/// The report of a shop whose turn did not come.
fn interrupted(planned: &ShopPlan) -> Box<ReportShop> {
    Box::new(apply::not_read(planned, apply::error(&AdminError::new(AdminErrorKind::Interrupted, INTERRUPTED))))
}

const INTERRUPTED: &str = "interrupted before any change of this shop was sent";
