//! What was found, in the words of a plan.

use jiff::Timestamp;

use crate::adobe::{Inlet, Run, Verdict, judge, judge_run, settles_at};
use crate::plan::v1::{self, Severity, ShopError};
use crate::state::aep::{AepAccount, Destination, Lookup, LookupBy, Target};

/// So many candidates are named.
const CANDIDATES: usize = 5;

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

    pub(super) fn missing(lookup: &Lookup, account: &AepAccount) -> Self {
        let message = format!(
            "no {lookup} in sandbox {} of {}: make it in Adobe Experience Platform, or correct the manifest",
            account.sandbox, account.org
        );
        Self::new(Verdict::Missing, Severity::Attention, message)
    }

    pub(super) fn ambiguous(lookup: &Lookup, candidates: &[Inlet]) -> Self {
        let mut named: Vec<String> = candidates.iter().map(|inlet| format!("{} ({})", inlet.id, inlet.state)).collect();
        named.sort();
        let more = named.len().saturating_sub(CANDIDATES);
        named.truncate(CANDIDATES);
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        let message = format!(
            "{} {}s have that name: {}{rest}; write the id of the one that is meant: {}: {{ id: … }}",
            candidates.len(),
            lookup.kind.noun(),
            named.join(", "),
            lookup.kind.as_str()
        );
        Self::new(Verdict::Ambiguous, Severity::Attention, message)
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

    pub(super) fn put(self, told: &mut v1::Destination) {
        let Self { verdict, severity, message, error } = self;
        (told.verdict, told.severity, told.message, told.error) = (verdict.to_owned(), severity, message, error);
    }
}

/// `dataflow "Shopify orders (prod)" (4982698b-…)`
pub(super) fn named(inlet: &Inlet) -> String {
    format!("{} {:?} ({})", inlet.kind.noun(), inlet.name, inlet.id)
}

/// A destination of which nothing is known yet.
pub(super) fn blank(destination: &Destination, account: Option<&AepAccount>) -> v1::Destination {
    let (found_by, wanted) = match &destination.target {
        Target::Address(address) => ("address", address.to_string()),
        Target::Lookup { lookup: Lookup { by: LookupBy::Name(name), .. }, .. } => ("name", name.to_string()),
        Target::Lookup { lookup: Lookup { by: LookupBy::Id(id), .. }, .. } => ("id", id.to_string()),
    };
    let kind = match &destination.target {
        Target::Address(_) => None,
        Target::Lookup { lookup, .. } => Some(lookup.kind.as_str().to_owned()),
    };
    let address = match &destination.target {
        Target::Address(address) => Some(address.to_string()),
        Target::Lookup { .. } => None,
    };
    v1::Destination {
        name: destination.name.as_deref().map(str::to_owned),
        shop: destination.shop.as_ref().map(ToString::to_string),
        source: v1::Source { file: destination.source.file.to_string(), line: destination.source.line },
        found_by: found_by.to_owned(),
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
        verdict: Verdict::Ok.as_str().to_owned(),
        severity: Severity::Info,
        message: String::new(),
        settles_at: None,
        replaces: Vec::new(),
        error: None,
    }
}

/// What is known of the one that was found; its address is put by whoever asked.
pub(super) fn describe(told: &mut v1::Destination, inlet: &Inlet, now: Timestamp) {
    let time = |time: &Option<Timestamp>| time.map(whole_seconds);
    told.kind = Some(inlet.kind.as_str().to_owned());
    told.id = Some(inlet.id.clone());
    told.title = Some(inlet.name.clone());
    told.state = Some(inlet.state.clone());
    told.created_at = time(&inlet.created_at);
    told.updated_at = time(&inlet.updated_at);
    let verdict = judge(inlet, now);
    let what = named(inlet);
    let (severity, message) = match verdict {
        Verdict::Disabled => (
            Severity::Attention,
            format!(
                "{what} is {}: what is delivered to it is lost; enable it in Adobe Experience Platform, or name another",
                inlet.state
            ),
        ),
        Verdict::AuthenticationRequired => (
            Severity::Attention,
            format!(
                "{what} takes only requests with a bearer token of Adobe's, which Shopify cannot send: make one without authentication"
            ),
        ),
        Verdict::NoAddress => (
            Severity::Attention,
            format!("{what} has no streaming endpoint: only streaming sources have one; is it the right one?"),
        ),
        Verdict::Settling => {
            told.settles_at = settles_at(inlet).map(whole_seconds);
            let until = told.settles_at.as_deref().unwrap_or_default();
            let message = format!(
                "{what} was made or changed less than five minutes ago: Adobe may lose what is delivered before {until}"
            );
            (Severity::Warning, message)
        }
        _ => (Severity::Info, String::new()),
    };
    Told::new(verdict, severity, message).put(told);
}

/// What the last run of a dataflow says, where nothing worse is known.
pub(super) fn describe_run(told: &mut v1::Destination, run: Option<&Run>, now: Timestamp) {
    if told.verdict != Verdict::Ok.as_str() {
        return;
    }
    let what = format!(
        "dataflow {:?} ({})",
        told.title.as_deref().unwrap_or_default(),
        told.id.as_deref().unwrap_or_default()
    );
    let verdict = judge_run(run, now);
    match (verdict, run) {
        (Verdict::IngestFailing, Some(run)) => {
            let failed = run.failed.map_or_else(String::new, |failed| format!(", {failed} records failed"));
            let first = run.first_error.as_deref().map_or_else(String::new, |error| format!("; Adobe says: {error}"));
            let status = run.status.as_deref().unwrap_or("failed");
            let message = format!(
                "the last run of {what} is {status}{failed}{first}: look at its runs in Adobe Experience Platform"
            );
            Told::new(verdict, Severity::Attention, message).put(told);
        }
        (Verdict::Quiet, _) => {
            let since = run.and_then(|run| run.started_at).map(whole_seconds);
            let message = match since {
                Some(since) => {
                    format!("{what} had its last run at {since}: nothing arrived since, which may be as it should")
                }
                None => format!("{what} never had a run: nothing arrived yet"),
            };
            Told::new(verdict, Severity::Info, message).put(told);
        }
        _ => {}
    }
}

fn whole_seconds(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}
