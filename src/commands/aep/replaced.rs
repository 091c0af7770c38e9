//! Why an address changes: what became of the one that live subscriptions have.

use std::collections::{BTreeMap, BTreeSet};

use super::accounts::Accounts;
use super::tell::named;
use crate::adobe::Inlet;
use crate::model::Address;
use crate::plan::v1::{Action, Destination, Replaced, Shop};
use crate::state::aep::same_inlet;

/// Tells of each destination that was looked up which addresses give way to its own, and what Adobe says of those. One
/// pass through an account's dataflows and connections, and only where something gives way.
pub(crate) async fn explain(destinations: &mut [Destination], shops: &[&Shop], accounts: &Accounts) {
    let mut listed: BTreeMap<String, Option<Vec<Inlet>>> = BTreeMap::new();
    for destination in destinations.iter_mut().filter(|d| d.found_by != "address") {
        let (Some(address), Some(name)) = (&destination.address, destination.account.clone()) else { continue };
        let mut old: BTreeMap<&str, (usize, BTreeSet<&str>)> = BTreeMap::new();
        for shop in shops {
            let moves =
                shop.changes.iter().filter(|c| c.action == Action::Update && c.fields.iter().any(|f| f == "address"));
            let to_here = moves.filter(|c| c.after.as_ref().is_some_and(|after| after.address == *address));
            for before in to_here.filter_map(|c| c.before.as_ref()) {
                let (subscriptions, in_shops) = old.entry(&before.address).or_default();
                *subscriptions += 1;
                in_shops.insert(&shop.shop);
            }
        }
        if old.is_empty() {
            continue;
        }
        if !listed.contains_key(&name) {
            let client = accounts.all.get(name.as_str()).and_then(|opened| opened.client.as_ref().ok());
            let all = match client {
                Some(client) => client.all().await.ok(),
                None => None,
            };
            listed.insert(name.clone(), all);
        }
        let all = listed.get(&name).and_then(Option::as_deref);
        let here = Address::new(address);
        let replaces = old.into_iter().map(|(before, (subscriptions, in_shops))| Replaced {
            address: before.to_owned(),
            subscriptions,
            shops: in_shops.len(),
            message: became(&Address::new(before), &here, all, destination.sandbox.as_deref().unwrap_or_default()),
        });
        destination.replaces = replaces.collect();
    }
}

fn became(old: &Address, new: &Address, all: Option<&[Inlet]>, sandbox: &str) -> String {
    if same_inlet(old, new) {
        return "the same inlet, with another flow id".to_owned();
    }
    let Some(all) = all else { return "what became of it could not be asked at Adobe".to_owned() };
    let holder = all.iter().find(|inlet| inlet.address.as_deref().is_some_and(|a| same_inlet(&Address::new(a), old)));
    match holder {
        Some(inlet) => format!("that is the address of {}, which is {}", named(inlet), inlet.state),
        None => format!(
            "no dataflow or connection in sandbox {sandbox} has that address any more: it was deleted or recreated"
        ),
    }
}
