//! Assessments of destinations.

use jiff::Timestamp;

use super::verdict::{self, Failing, Verdict, judge, judge_run, settles_at};
use super::{FlowRun, Inlet};
use crate::model::Address;
use crate::plan::{self, ErrorKind, Replaced, Severity, ShopError};
use crate::state::aep::{AepAccount, Destination, LookupBy, LookupError, Target};

/// A destination with the verdict about it.
#[derive(Debug, Clone)]
pub(crate) struct Assessment {
    pub(super) destination: Destination,
    /// Account of the destination.
    account: Option<AepAccount>,
    /// Dataflow or connection that was found.
    inlet: Option<Inlet>,
    /// Address to which bindings are bound.
    pub(super) address: Option<Address>,
    pub(super) verdict: Verdict,
    severity: Severity,
    /// Problem and remedy; empty if there is no problem.
    pub(super) message: String,
    settles_at: Option<Timestamp>,
    failing: Option<Failing>,
    pub(crate) replaces: Vec<Replaced>,
    /// Why a request to Adobe failed.
    error: Option<LookupError>,
}

impl Assessment {
    /// Creates an assessment of a destination about which nothing is known yet.
    pub(super) fn new(destination: &Destination, account: Option<&AepAccount>) -> Self {
        let address = match &destination.target {
            Target::Address(address) => Some(address.clone()),
            Target::Lookup(_) => None,
        };
        Self {
            destination: destination.clone(),
            account: account.cloned(),
            inlet: None,
            address,
            verdict: Verdict::Ok,
            severity: Severity::Info,
            message: String::new(),
            settles_at: None,
            failing: None,
            replaces: Vec::new(),
            error: None,
        }
    }

    /// Creates an assessment from the dataflow or connection that was found.
    pub(super) fn of_inlet(destination: &Destination, account: &AepAccount, inlet: &Inlet, now: Timestamp) -> Self {
        let verdict = judge(inlet, now);
        let settles_at = settles_at(inlet, now).filter(|_| verdict == Verdict::Settling);
        let known = Self { inlet: Some(inlet.clone()), settles_at, ..Self::new(destination, Some(account)) };
        known.judged(verdict, None, now)
    }

    fn judged(self, verdict: Verdict, run: Option<&FlowRun>, now: Timestamp) -> Self {
        let severity = match &verdict {
            Verdict::Ok | Verdict::Quiet => Severity::Info,
            Verdict::Settling | Verdict::Unknown => Severity::Warning,
            _ => Severity::Attention,
        };
        let wrong = self.inlet.as_ref().filter(|_| verdict != Verdict::Ok);
        let message = wrong.map(|inlet| verdict::message(&verdict, inlet, run, self.failing.as_ref(), now));
        Self { verdict, severity, message: message.unwrap_or_default(), ..self }
    }

    /// Replaces the verdict with one that needs attention.
    pub(super) fn with_attention(self, verdict: Verdict, message: String) -> Self {
        Self { verdict, severity: Severity::Attention, message, ..self }
    }

    /// Replaces the verdict with `Unknown`, because a request failed. This is not drift.
    pub(super) fn unknown(self, error: LookupError) -> Self {
        let (verdict, severity, message) = (Verdict::Unknown, Severity::Warning, error.message.clone());
        Self { verdict, severity, message, error: Some(error), ..self }
    }

    /// Replaces the verdict with `Unknown`, because the manifest has no account at Adobe.
    pub(super) fn unchecked(self) -> Self {
        let message = "not checked, because the manifest has no `aep`. To check it, add `aep`".to_owned();
        Self { verdict: Verdict::Unknown, severity: Severity::Info, message, ..self }
    }

    /// Returns the account and the id of the dataflow, if the destination is one.
    pub(crate) fn flow(&self) -> Option<(&str, &str)> {
        let inlet = self.inlet.as_ref().filter(|inlet| inlet.kind == super::InletKind::Flow)?;
        Some((&self.account.as_ref()?.name, &inlet.id))
    }

    pub(crate) fn is_ok(&self) -> bool {
        self.verdict == Verdict::Ok
    }

    /// Adds the verdict of the last run, unless the verdict is already worse than `Ok`. `earlier` contains runs before
    /// the last one, which are read only if the last run failed.
    pub(crate) fn add_run(&mut self, run: Option<&FlowRun>, earlier: &[FlowRun], now: Timestamp) {
        if !self.is_ok() {
            return;
        }
        let failing = run.and_then(|run| verdict::failing(run, earlier));
        *self = Self { failing, ..self.clone() }.judged(judge_run(run, now), run, now);
    }

    /// Adds the error of reading the runs. Replaces the verdict only if it is `Ok`.
    pub(crate) fn add_error(&mut self, error: LookupError) {
        if self.is_ok() {
            *self = self.clone().unknown(error);
        } else {
            self.error = Some(error);
        }
    }

    /// Returns the address and the account of a destination that was looked up.
    pub(crate) fn looked_up(&self) -> Option<(&Address, &AepAccount)> {
        self.destination.target.query()?;
        self.address.as_ref().zip(self.account.as_ref())
    }

    pub(crate) fn address(&self) -> Option<&Address> {
        self.address.as_ref()
    }

    /// Converts the assessment to its form in a plan.
    pub(crate) fn to_plan(&self) -> plan::Destination {
        let Self { destination, account, inlet, address, verdict, severity, message, .. } = self;
        let Destination { name, shop, label, target, address: _, source } = destination;
        let (found_by, wanted) = match target {
            Target::Address(address) => ("address", address.to_string()),
            Target::Lookup(query) => match &query.lookup.by {
                LookupBy::Name(name) => ("name", name.to_string()),
                LookupBy::Id(id) => ("id", id.to_string()),
            },
        };
        let found = inlet.as_ref();
        let kind = found.map(|inlet| inlet.kind).or_else(|| target.query().map(|query| query.lookup.kind));
        let failing = self.failing.as_ref().map(|failing| plan::Failing {
            since: whole_seconds(failing.since),
            exact: failing.exact,
            disabled_on: failing.disabled_on.map(|date| date.to_string()),
        });
        plan::Destination {
            name: name.as_deref().map(|name| match label {
                // The name alone does not distinguish the destinations that a label chooses.
                Some((key, value)) => format!("{name} ({key}={value})"),
                None => name.to_owned(),
            }),
            shop: shop.as_ref().map(ToString::to_string),
            source: source.clone(),
            found_by: found_by.to_owned(),
            wanted,
            account: account.as_ref().map(|account| account.name.to_string()),
            org: account.as_ref().map(|account| account.org.clone()),
            sandbox: account.as_ref().map(|account| account.sandbox.clone()),
            kind: kind.map(|kind| kind.as_str().to_owned()),
            id: found.map(|inlet| inlet.id.clone()),
            title: found.map(|inlet| inlet.name.clone()),
            state: found.map(|inlet| inlet.state.clone()),
            address: address.clone(),
            created_at: found.and_then(|inlet| inlet.created_at).map(whole_seconds),
            updated_at: found.and_then(|inlet| inlet.updated_at).map(whole_seconds),
            verdict: verdict.clone(),
            severity: *severity,
            message: message.clone(),
            settles_at: self.settles_at,
            failing,
            replaces: self.replaces.clone(),
            error: self.error.as_ref().map(shop_error),
        }
    }
}

/// Converts the error of a lookup to its form in a plan.
pub(super) fn shop_error(error: &LookupError) -> ShopError {
    let LookupError { kind, http_status, message, retryable } = error.clone();
    ShopError { kind: ErrorKind::new(&kind), http_status, message, retryable }
}

/// Returns kind, name and id: `dataflow "Shopify orders (prod)" (4982698b-…)`.
pub(super) fn named(inlet: &Inlet) -> String {
    format!("{} {:?} ({})", inlet.kind.noun(), inlet.name, inlet.id)
}

fn whole_seconds(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}
