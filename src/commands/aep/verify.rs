//! Addresses that somebody pasted: whose they are, found by going through all dataflows and connections of the accounts.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::accounts::{Accounts, wire};
use super::tell::{Told, blank, describe, describe_run};
use crate::adobe::verdict::{fails, judge};
use crate::adobe::{By, Inlet, InletKind, Verdict, Wanted};
use crate::manifest::Manifest;
use crate::model::Address;
use crate::state::aep::{AepAccount, Destination, FLOW_ID, Target, same_inlet};
use crate::wire;
use crate::wire::plan::ShopError;

/// Checks the pasted addresses of the manifest at these places.
pub(crate) async fn verify(
    manifest: &Manifest,
    places: &BTreeSet<usize>,
    accounts: &Accounts,
    now: fn() -> Timestamp,
) -> Vec<wire::plan::Destination> {
    let pasted = places.iter().filter_map(|at| manifest.destinations.get(*at));
    let pasted: Vec<_> = pasted.filter(|d| matches!(&d.target, Target::Address(_))).collect();
    if pasted.is_empty() {
        return Vec::new();
    }
    let mut known: Vec<(AepAccount, Inlet)> = Vec::new();
    let mut named_flows: Vec<(AepAccount, Inlet)> = Vec::new();
    let mut trouble: Option<ShopError> = None;
    let end = accounts.quarter();
    for opened in accounts.all.values() {
        let all = match &opened.client {
            Ok(client) => client.until(end).all().await.map_err(|e| wire(&e)),
            Err(error) => Err(error.clone()),
        };
        match all {
            Ok(all) => known.extend(all.into_iter().map(|inlet| (opened.account.clone(), inlet))),
            Err(error) => trouble = Some(error),
        }
    }
    // A dataflow over an HTTP API source has no address of its own, so it is in no list of addresses: one that an address
    // names is looked up by its id.
    for flow in pasted.iter().filter_map(|d| flow_of(d)) {
        for opened in accounts.all.values().filter(|_| !known.iter().any(|(_, inlet)| is(inlet, &flow))) {
            let Ok(client) = &opened.client else { continue };
            let by_id = Wanted { kind: InletKind::Flow, by: By::Id(flow.clone()) };
            match client.until(end).find(&by_id).await {
                Ok(found) => named_flows.extend(found.into_iter().map(|inlet| (opened.account.clone(), inlet))),
                Err(error) => trouble = Some(wire(&error)),
            }
        }
    }
    known.append(&mut named_flows);
    let asked: Vec<String> =
        accounts.all.values().map(|o| format!("sandbox {} of {}", o.account.sandbox, o.account.org)).collect();
    let told = pasted.into_iter().map(|destination| {
        let Target::Address(address) = &destination.target else { return blank(destination, None) };
        let of = |inlet: &Inlet| inlet.address.as_deref().is_some_and(|a| same_inlet(&Address::new(a), address));
        let flow_id = flow_id(address);
        // One inlet may feed several dataflows: the one that the address names counts.
        let named = known.iter().find(|(_, inlet)| of(inlet) && flow_id.as_deref().is_some_and(|id| is(inlet, id)));
        // Without a name, it has the best one's fate.
        let any = known.iter().filter(|(_, inlet)| of(inlet)).min_by_key(|(_, inlet)| {
            let verdict = judge(inlet, now());
            (
                inlet.kind == InletKind::Connection,
                matches!(verdict, Verdict::Disabled | Verdict::AuthenticationRequired),
            )
        });
        // Whether the flow that it names is there may be what could not be asked.
        let found = named.or_else(|| any.filter(|_| flow_id.is_none() || trouble.is_none()));
        match (found, &trouble) {
            (Some((account, inlet)), _) => {
                let mut told = blank(destination, Some(account));
                describe(&mut told, inlet, now());
                if let Some(flow_id) = flow_id.filter(|_| named.is_none()) {
                    Told::differs(inlet, &flow_id).put(&mut told);
                }
                told
            }
            (None, Some(error)) => {
                let mut told = blank(destination, None);
                Told::unknown(error).put(&mut told);
                told
            }
            (None, None) => {
                let mut told = blank(destination, None);
                Told::nowhere(&asked).put(&mut told);
                told
            }
        }
    });
    told.collect()
}

/// Where there is no account to ask: what the manifest says, and that nobody checked it.
pub(crate) fn unchecked(manifest: &Manifest, places: &BTreeSet<usize>) -> Vec<wire::plan::Destination> {
    let there = places.iter().filter_map(|at| manifest.destinations.get(*at));
    let told = there.map(|destination| {
        let mut told = blank(destination, None);
        Told::unchecked().put(&mut told);
        told
    });
    told.collect()
}

/// The dataflow that a pasted address names.
fn flow_of(destination: &Destination) -> Option<String> {
    match &destination.target {
        Target::Address(address) => flow_id(address),
        Target::Lookup { .. } => None,
    }
}

fn is(inlet: &Inlet, id: &str) -> bool {
    inlet.id.eq_ignore_ascii_case(id)
}

fn flow_id(address: &Address) -> Option<String> {
    let url = address.url()?;
    url.query_pairs().find(|(key, _)| key == FLOW_ID).map(|(_, value)| value.to_ascii_lowercase())
}

/// Adds what the last runs of the dataflows say: one question for each, and one more for each that is failing, to find out
/// since when. A question that fails leaves what is known and worse; without an answer to the second one the series of
/// failing runs begins with the last run.
pub(crate) async fn with_runs(
    destinations: impl IntoIterator<Item = &mut wire::plan::Destination>,
    accounts: &Accounts,
    now: fn() -> Timestamp,
) {
    let end = accounts.quarter();
    for told in destinations {
        let account = told.account.as_deref().and_then(|name| accounts.all.get(name));
        let (Some(opened), Some(id), Some(wire::plan::InletKind::Flow)) = (account, told.id.clone(), &told.kind) else {
            continue;
        };
        let Ok(client) = &opened.client else { continue };
        let client = client.until(end);
        match client.last_run(&id).await {
            // Where something worse is known it stays.
            Ok(_) if told.verdict != wire::plan::Verdict::Ok => {}
            Ok(run) => {
                let earlier = match &run {
                    Some(run) if fails(run) => client.runs(&id).await.unwrap_or_default(),
                    _ => Vec::new(),
                };
                describe_run(told, run.as_ref(), &earlier, now());
            }
            Err(error) => {
                let message = format!("its runs could not be read: {error}");
                Told::unknown(&ShopError { message, ..wire(&error) }).put_where_well(told);
            }
        }
    }
}
