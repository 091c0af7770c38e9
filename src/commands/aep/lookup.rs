//! Destinations by the name or id of a dataflow or connection: one question each, whatever the number of shops.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::accounts::{Accounts, Opened, wire};
use super::tell::{Told, blank, describe};
use crate::adobe::{By, Inlet, Wanted};
use crate::concurrency::for_each_bounded;
use crate::manifest::{Manifest, Unusable, unusable};
use crate::model::Address;
use crate::state::aep::{Found, Lookup, LookupBy, Lookups, Target};
use crate::wire;
use crate::wire::plan::{ErrorKind, ShopError};

/// Questions at a time. Adobe names no limit; a manifest has few destinations.
const AT_A_TIME: usize = 8;

/// What came of looking.
#[derive(Default)]
pub(crate) struct Looked {
    /// The addresses, for the manifest.
    pub(crate) found: Lookups,
    /// By their place in the manifest.
    pub(crate) destinations: BTreeMap<usize, wire::plan::Destination>,
    /// Why the addresses at these places cannot be bound, where no ownership prefix covers them. The message does not name
    /// the destination: it is the same for every inlet on one host, so that one cause is reported once.
    not_owned: BTreeMap<usize, String>,
}

impl Looked {
    /// Why a shop that needs these destinations cannot be planned.
    pub(crate) fn missing(&self, needed: &[usize]) -> Option<ShopError> {
        // A place that was not looked up is as good as one that was not found.
        let told = needed.iter().map(|at| Some((at, self.destinations.get(at)?)));
        let Some(told) = told.collect::<Option<Vec<_>>>() else {
            let message =
                "a destination was not looked up at Adobe; try again, and report it if it stays so".to_owned();
            let kind = ErrorKind::DestinationUnknown;
            return Some(ShopError { kind, http_status: None, message, retryable: true });
        };
        let (at, unresolved) = told.into_iter().find(|(_, told)| told.address.is_none())?;
        let name = unresolved.name.as_deref().unwrap_or(&unresolved.wanted);
        let of_one = || format!("destination {name}: {}", unresolved.message);
        let message = self.not_owned.get(at).cloned().unwrap_or_else(of_one);
        Some(match &unresolved.error {
            Some(error) => ShopError { message, ..error.clone() },
            None => ShopError {
                kind: format!("destination_{}", unresolved.verdict.as_str()).as_str().into(),
                http_status: None,
                message,
                retryable: false,
            },
        })
    }
}

/// Looks up the destinations of the manifest at these places.
pub(crate) async fn look_up(
    manifest: &Manifest,
    places: &BTreeSet<usize>,
    accounts: &Accounts,
    now: fn() -> Timestamp,
) -> Looked {
    let end = accounts.patience();
    let asked = places.iter().filter_map(|at| match &manifest.destinations.get(*at)?.target {
        Target::Lookup { lookup, .. } => Some(lookup.clone()),
        Target::Address(_) => None,
    });
    let questions: Vec<(Lookup, Opened)> = asked
        .collect::<BTreeSet<_>>()
        .into_iter()
        .filter_map(|lookup| {
            let opened = accounts.all.get(&lookup.account)?.clone();
            Some((lookup, opened))
        })
        .collect();
    let answers = for_each_bounded(questions, AT_A_TIME, |(lookup, opened)| async move {
        let answer = match &opened.client {
            Ok(client) => client.until(end).find(&wanted(&lookup)).await.map_err(|e| wire(&e)),
            Err(error) => Err(error.clone()),
        };
        (lookup, answer)
    });
    let answers: HashMap<Lookup, Result<Vec<Inlet>, ShopError>> = answers.await.into_iter().collect();
    let mut looked = Looked::default();
    for at in places {
        let Some(destination) = manifest.destinations.get(*at) else { continue };
        let Target::Lookup { lookup, with_flow_id } = &destination.target else { continue };
        let (Some(answer), Some(opened)) = (answers.get(lookup), accounts.all.get(&lookup.account)) else { continue };
        let mut told = blank(destination, Some(&opened.account));
        match answer {
            Ok(inlets) => match inlets.as_slice() {
                [one] => {
                    describe(&mut told, one, now());
                    if let Some(address) = &one.address {
                        let found = Found { id: one.id.clone(), address: Address::new(address) };
                        let bound = found.address(*with_flow_id);
                        if let Some(why) = unusable(&bound, &manifest.ownership) {
                            Told::unusable(one, &why).put(&mut told);
                            if let Unusable::NotOwned { prefix, line } = &why {
                                looked.not_owned.insert(*at, not_owned(prefix, line));
                            }
                        } else {
                            told.address = Some(bound.to_string());
                            looked.found.insert(lookup.clone(), found);
                        }
                    }
                }
                [] => Told::missing(&wanted(lookup), &opened.account).put(&mut told),
                several => Told::ambiguous(&wanted(lookup), several).put(&mut told),
            },
            Err(error) => Told::unknown(error).put(&mut told),
        }
        looked.destinations.insert(*at, told);
    }
    looked
}

fn not_owned(prefix: &str, line: &str) -> String {
    format!(
        "Adobe has inlets of this manifest's destinations at {prefix}, which no prefix of `ownership` covers. If that is \
         right, write {line}"
    )
}

fn wanted(lookup: &Lookup) -> Wanted {
    Wanted {
        kind: lookup.kind,
        by: match &lookup.by {
            LookupBy::Name(name) => By::Name(name.to_string()),
            LookupBy::Id(id) => By::Id(id.to_string()),
        },
    }
}
