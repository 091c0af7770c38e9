//! What was found, in the words of a plan.

use jiff::Timestamp;

use crate::adobe::verdict::{self, Failing, judge, judge_run, settles_at};
use crate::adobe::{Inlet, InletKind, Run, Verdict, Wanted};
use crate::manifest::Unusable;
use crate::state::aep::{AepAccount, Destination, Lookup, LookupBy, Target};
use crate::wire;
use crate::wire::plan::{FoundBy, Severity, ShopError};

/// A verdict with its words.
pub(super) struct Told {
    verdict: &'static str,
    severity: Severity,
    message: String,
    error: Option<ShopError>,
}

impl Told {
    fn new(verdict: Verdict, severity: Severity, message: String) -> Self {
        Self { verdict: verdict.as_str(), severity, message, error: None }
    }

    pub(super) fn missing(wanted: &Wanted, account: &AepAccount) -> Self {
        Self::new(Verdict::Missing, Severity::Attention, verdict::missing(wanted, &account.sandbox))
    }

    pub(super) fn ambiguous(wanted: &Wanted, candidates: &[Inlet]) -> Self {
        Self::new(Verdict::Ambiguous, Severity::Attention, verdict::ambiguous(wanted, candidates))
    }

    /// Adobe has an address for it that must not be bound. It may hold a password, so that it is shown only where
    /// Shopify would take it.
    pub(super) fn unusable(inlet: &Inlet, why: &Unusable) -> Self {
        let message = format!("the address that Adobe has for {} cannot be bound: {why}", named(inlet));
        Self::new(Verdict::UnusableAddress, Severity::Attention, message)
    }

    /// Nobody could say; that is no drift.
    pub(super) fn unknown(error: &ShopError) -> Self {
        let told = Self::new(Verdict::Unknown, Severity::Warning, error.message.clone());
        Self { error: Some(error.clone()), ..told }
    }

    pub(super) fn unchecked() -> Self {
        let message = "not checked: the manifest has no `aep`, so nobody was asked".to_owned();
        Self::new(Verdict::Unknown, Severity::Info, message)
    }

    pub(super) fn nowhere(accounts: &[String]) -> Self {
        let message = format!(
            "no dataflow or connection has this address in {}: it was deleted or recreated, or it belongs to an \
             organisation or sandbox that `aep` does not name",
            accounts.join(", ")
        );
        Self::new(Verdict::Missing, Severity::Attention, message)
    }

    pub(super) fn differs(inlet: &Inlet, wanted_flow: &str) -> Self {
        let message = format!(
            "the address belongs to {}, but its x-adobe-flow-id is {wanted_flow}: what is delivered goes nowhere; \
             copy the address anew",
            named(inlet)
        );
        Self::new(Verdict::AddressDiffers, Severity::Attention, message)
    }

    /// Nothing worse is forgotten for it, but that something could not be asked is not, either.
    pub(super) fn put_where_well(self, told: &mut wire::plan::Destination) {
        if told.verdict == wire::plan::Verdict::Ok {
            self.put(told);
        } else {
            told.error = self.error;
        }
    }

    pub(super) fn put(self, told: &mut wire::plan::Destination) {
        let Self { verdict, severity, message, error } = self;
        (told.verdict, told.severity, told.message, told.error) = (verdict.into(), severity, message, error);
    }
}

/// `dataflow "Shopify orders (prod)" (4982698b-…)`
pub(super) fn named(inlet: &Inlet) -> String {
    format!("{} {:?} ({})", inlet.kind.noun(), inlet.name, inlet.id)
}

/// A destination of which nothing is known yet.
pub(super) fn blank(destination: &Destination, account: Option<&AepAccount>) -> wire::plan::Destination {
    let (found_by, wanted) = match &destination.target {
        Target::Address(address) => (FoundBy::Address, address.to_string()),
        Target::Lookup { lookup: Lookup { by: LookupBy::Name(name), .. }, .. } => (FoundBy::Name, name.to_string()),
        Target::Lookup { lookup: Lookup { by: LookupBy::Id(id), .. }, .. } => (FoundBy::Id, id.to_string()),
    };
    let kind = match &destination.target {
        Target::Address(_) => None,
        Target::Lookup { lookup, .. } => Some(lookup.kind.as_str().into()),
    };
    let address = match &destination.target {
        Target::Address(address) => Some(address.to_string()),
        Target::Lookup { .. } => None,
    };
    wire::plan::Destination {
        name: destination.name.as_deref().map(str::to_owned),
        shop: destination.shop.as_ref().map(ToString::to_string),
        source: wire::plan::Source { file: destination.source.file.to_string(), line: destination.source.line },
        found_by,
        wanted,
        account: account.map(|account| account.name.to_string()),
        org: account.map(|account| account.org.clone()),
        sandbox: account.map(|account| account.sandbox.clone()),
        kind,
        id: None,
        title: None,
        state: None,
        address,
        created_at: None,
        updated_at: None,
        verdict: wire::plan::Verdict::Ok,
        severity: Severity::Info,
        message: String::new(),
        settles_at: None,
        failing: None,
        replaces: Vec::new(),
        error: None,
    }
}

/// What is known of the one that was found; its address is put by whoever asked.
pub(super) fn describe(told: &mut wire::plan::Destination, inlet: &Inlet, now: Timestamp) {
    let time = |time: &Option<Timestamp>| time.map(whole_seconds);
    told.kind = Some(inlet.kind.as_str().into());
    told.id = Some(inlet.id.clone());
    told.title = Some(inlet.name.clone());
    told.state = Some(inlet.state.clone());
    told.created_at = time(&inlet.created_at);
    told.updated_at = time(&inlet.updated_at);
    let verdict = judge(inlet, now);
    told.settles_at = settles_at(inlet, now).filter(|_| verdict == Verdict::Settling).map(whole_seconds);
    put(told, verdict, inlet, None, None, now);
}

fn put(
    told: &mut wire::plan::Destination,
    verdict: Verdict,
    inlet: &Inlet,
    run: Option<&Run>,
    failing: Option<&Failing>,
    now: Timestamp,
) {
    let severity = match verdict {
        Verdict::Ok | Verdict::Quiet => Severity::Info,
        Verdict::Settling | Verdict::Unknown => Severity::Warning,
        _ => Severity::Attention,
    };
    // Where all is well there is nothing to say.
    let message =
        if verdict == Verdict::Ok { String::new() } else { verdict::message(verdict, inlet, run, failing, now) };
    Told::new(verdict, severity, message).put(told);
}

/// What the last run of a dataflow says, where nothing worse is known. `earlier` are runs before it, read if it failed.
pub(super) fn describe_run(told: &mut wire::plan::Destination, run: Option<&Run>, earlier: &[Run], now: Timestamp) {
    let inlet = Inlet {
        kind: InletKind::Flow,
        id: told.id.clone().unwrap_or_default(),
        name: told.title.clone().unwrap_or_default(),
        state: told.state.clone().unwrap_or_default(),
        address: told.address.clone(),
        authentication_required: false,
        created_at: None,
        updated_at: None,
        org: None,
        sandbox: None,
        last_run_state: None,
    };
    let failing = run.and_then(|run| verdict::failing(run, earlier));
    told.failing = failing.map(|failing| wire::plan::Failing {
        since: whole_seconds(failing.since),
        exact: failing.exact,
        disabled_on: failing.disabled_on.map(|date| date.to_string()),
    });
    put(told, judge_run(run, now), &inlet, run, failing.as_ref(), now);
}

fn whole_seconds(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}
