//! Resolves destinations that are given by the name or id of a dataflow or connection.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::assessment::{Assessment, named, shop_error};
use super::{Inlet, Verdict, verdict};
use crate::manifest::{DestinationIndex, Manifest, Unusable, unusable};
use crate::model::Address;
use crate::plan::{ErrorKind, ShopError};
use crate::state::Ownership;
use crate::state::aep::{AepAccount, Destination, Lookup, LookupError, NoAddress, Query, Resolutions, address_to_bind};

/// Answers of the accounts.
pub(crate) type Answers = HashMap<Lookup, Result<Vec<Inlet>, LookupError>>;

/// Results of the lookups.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    /// Addresses, or the reasons why there are none, for the manifest.
    pub(crate) addresses: Resolutions,
    pub(crate) assessments: BTreeMap<DestinationIndex, Assessment>,
}

/// Assesses these destinations of the manifest. Skips destinations without an answer.
pub(crate) fn assess(
    manifest: &Manifest,
    places: &BTreeSet<DestinationIndex>,
    answers: &Answers,
    now: Timestamp,
) -> Lookups {
    let mut lookups = Lookups::default();
    for at in places {
        let destination = &manifest[*at];
        let Some(query) = destination.target.query() else { continue };
        let account = manifest.aep.iter().find(|account| account.name == query.lookup.account);
        let (Some(answer), Some(account)) = (answers.get(&query.lookup), account) else { continue };
        let (assessment, addresses) = assess_one(destination, query, account, answer, &manifest.ownership, now);
        lookups.addresses.extend(addresses);
        lookups.assessments.insert(*at, assessment);
    }
    lookups
}

fn assess_one(
    destination: &Destination,
    query: &Query,
    account: &AepAccount,
    answer: &Result<Vec<Inlet>, LookupError>,
    ownership: &Ownership,
    now: Timestamp,
) -> (Assessment, Resolutions) {
    let wanted = &query.lookup;
    let blank = || Assessment::new(destination, Some(account));
    let without_address = |assessment: Assessment| {
        let (verdict, message) = (assessment.verdict.as_str().to_owned(), assessment.message.clone());
        (assessment, Resolutions::from([(query.clone(), Err(NoAddress::Unusable { verdict, message }))]))
    };
    let inlets = match answer {
        Ok(inlets) => inlets,
        Err(error) => {
            let failed = (query.clone(), Err(NoAddress::Failed(error.clone())));
            return (blank().unknown(error.clone()), Resolutions::from([failed]));
        }
    };
    let inlet = match inlets.as_slice() {
        [inlet] => inlet,
        [] => {
            let message = verdict::missing(wanted, &account.sandbox);
            return without_address(blank().with_attention(Verdict::Missing, message));
        }
        several => {
            let message = verdict::ambiguous(wanted, several);
            return without_address(blank().with_attention(Verdict::Ambiguous, message));
        }
    };
    let mut assessment = Assessment::of_inlet(destination, account, inlet, now);
    let Some(address) = &inlet.address else { return without_address(assessment) };
    let bound = |with_flow_id| {
        let address = address_to_bind(&inlet.id, Address::new(address), with_flow_id);
        match unusable(&address, ownership) {
            Some(why) => Err(why),
            None => Ok(address),
        }
    };
    match bound(query.with_flow_id) {
        Ok(address) => assessment.address = Some(address),
        // A rejected address can contain a password, so it is not shown.
        Err(why) => {
            let message = format!("the address of {} at Adobe cannot be bound: {why}", named(inlet));
            assessment = assessment.with_attention(Verdict::UnusableAddress, message);
        }
    }
    // Both forms of the query, because a base manifest can use the other form.
    let addresses = [false, true].map(|with_flow_id| {
        let query = Query { with_flow_id, ..query.clone() };
        (query, bound(with_flow_id).map_err(|why| no_address(&why, inlet)))
    });
    (assessment, addresses.into())
}

fn no_address(why: &Unusable, inlet: &Inlet) -> NoAddress {
    let verdict = Verdict::UnusableAddress.as_str().to_owned();
    match why {
        Unusable::NotOwned { prefix, line } => {
            let message = format!(
                "inlets of this manifest's destinations have addresses under {prefix}, which no prefix in `ownership` \
                 covers. If this is correct, add {line}"
            );
            NoAddress::NotOwned { verdict, message }
        }
        Unusable::Refused(_) => {
            let message = format!("the address of {} at Adobe cannot be bound: {why}", named(inlet));
            NoAddress::Unusable { verdict, message }
        }
    }
}

/// Returns the error of a shop that needs these destinations, if one of them has no address.
pub(crate) fn unresolved<'a>(needed: impl IntoIterator<Item = &'a Destination>) -> Option<ShopError> {
    let missing: Vec<_> =
        needed.into_iter().filter_map(|needed| Some((needed, needed.address.as_ref().err()?))).collect();
    if missing.iter().any(|(_, why)| **why == NoAddress::NotLookedUp) {
        return Some(not_looked_up());
    }
    let (destination, why) = missing.first()?;
    let of_one = |message: &str| match (&destination.name, destination.target.query()) {
        (Some(name), _) => format!("destination {name}: {message}"),
        (None, Some(query)) => format!("destination {}: {message}", query.lookup.by),
        (None, None) => message.to_owned(),
    };
    let of_verdict = |verdict: &str, message: String| ShopError {
        kind: ErrorKind::new(&format!("destination_{verdict}")),
        http_status: None,
        message,
        retryable: false,
    };
    Some(match why {
        NoAddress::NotLookedUp => not_looked_up(),
        NoAddress::Unusable { verdict, message } => of_verdict(verdict, of_one(message)),
        // The message is the same for every inlet on one host, so that one cause is reported once.
        NoAddress::NotOwned { verdict, message } => of_verdict(verdict, message.clone()),
        NoAddress::Failed(error) => ShopError { message: of_one(&error.message), ..shop_error(error) },
    })
}

/// Returns the error of a shop that needs a destination that was not looked up.
pub(crate) fn not_looked_up() -> ShopError {
    ShopError {
        kind: ErrorKind::new("destination_unknown"),
        http_status: None,
        message: "a destination was not looked up at Adobe; try again, and report the problem if it persists"
            .to_owned(),
        retryable: true,
    }
}
