//! Checks addresses that are written in the manifest: finds the dataflow or connection to which they belong.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::assessment::{Assessment, named};
use super::verdict::judge;
use super::{Inlet, Verdict};
use crate::manifest::{DestinationIndex, Manifest};
use crate::model::Address;
use crate::state::aep::{AepAccount, Destination, FLOW_ID, InletKind, LookupError, Target, same_inlet};

/// Returns those of the destinations whose address is written in the manifest.
pub(crate) fn pasted<'a>(
    manifest: &'a Manifest,
    places: &BTreeSet<DestinationIndex>,
) -> Vec<(&'a Destination, &'a Address)> {
    let all = places.iter().map(|at| &manifest[*at]);
    let pasted = all.filter_map(|destination| match &destination.target {
        Target::Address(address) => Some((destination, address)),
        Target::Lookup(_) => None,
    });
    pasted.collect()
}

/// Finds each address among the dataflows and connections of the accounts. `trouble` is the error of a failed request,
/// and `asked` contains the names of the accounts.
pub(crate) fn check_pasted(
    pasted: &[(&Destination, &Address)],
    known: &[(AepAccount, Inlet)],
    trouble: Option<&LookupError>,
    asked: &[String],
    now: Timestamp,
) -> Vec<Assessment> {
    let check = |(destination, address): &(&Destination, &Address)| {
        let of = |inlet: &Inlet| inlet.address.as_deref().is_some_and(|a| same_inlet(&Address::new(a), address));
        let flow_id = flow_id(address);
        // Several dataflows can share an inlet. The dataflow that the address names takes precedence.
        let named_flow =
            known.iter().find(|(_, inlet)| of(inlet) && flow_id.as_deref().is_some_and(|id| has_id(inlet, id)));
        // If the address names no dataflow, use the healthiest match.
        let any = known.iter().filter(|(_, inlet)| of(inlet)).min_by_key(|(_, inlet)| {
            let verdict = judge(inlet, now);
            (
                inlet.kind == InletKind::Connection,
                matches!(verdict, Verdict::Disabled | Verdict::AuthenticationRequired),
            )
        });
        // If a request failed, a named dataflow that was not found may still exist.
        let found = named_flow.or_else(|| any.filter(|_| flow_id.is_none() || trouble.is_none()));
        match (found, trouble) {
            (Some((account, inlet)), _) => {
                let found = Assessment::of_inlet(destination, account, inlet, now);
                match flow_id.filter(|_| named_flow.is_none()) {
                    Some(flow_id) => found.with_attention(Verdict::AddressDiffers, differs(inlet, &flow_id)),
                    None => found,
                }
            }
            (None, Some(error)) => Assessment::new(destination, None).unknown(error.clone()),
            (None, None) => Assessment::new(destination, None).with_attention(Verdict::Missing, not_found(asked)),
        }
    };
    pasted.iter().map(check).collect()
}

/// Returns assessments for a manifest without an account at Adobe.
pub(crate) fn unchecked(manifest: &Manifest, places: &BTreeSet<DestinationIndex>) -> Vec<Assessment> {
    places.iter().map(|at| Assessment::new(&manifest[*at], None).unchecked()).collect()
}

fn not_found(accounts: &[String]) -> String {
    format!(
        "no dataflow or connection in {} has this address: it was deleted or recreated, or it belongs to an \
         organisation or Adobe sandbox that is not under `aep`",
        accounts.join(", ")
    )
}

fn differs(inlet: &Inlet, wanted_flow: &str) -> String {
    format!(
        "the address belongs to {}, but its `x-adobe-flow-id` is `{wanted_flow}`, so events sent to it are lost; copy \
         the address again",
        named(inlet)
    )
}

/// Returns whether an inlet has an id, ignoring case.
pub(crate) fn has_id(inlet: &Inlet, id: &str) -> bool {
    inlet.id.eq_ignore_ascii_case(id)
}

/// Returns the id of the dataflow that an address names in its query.
pub(crate) fn flow_id(address: &Address) -> Option<String> {
    let url = address.url()?;
    url.query_pairs().find(|(key, _)| key == FLOW_ID).map(|(_, value)| value.to_ascii_lowercase())
}
