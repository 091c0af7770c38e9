//! Why an address changes: what became of the one that live subscriptions have.

use std::collections::{BTreeMap, BTreeSet};

use super::accounts::Accounts;
use super::tell::named;
use crate::adobe::Inlet;
use crate::diff::Change;
use crate::manifest::is_dcs;
use crate::model::{Address, Field};
use crate::plan::ShopPlan;
use crate::state::aep::same_inlet;
use crate::wire::plan::{Destination, FoundBy, Replaced};

/// Tells of each destination that was looked up which addresses give way to its own, and what Adobe says of those. One
/// pass through an account's dataflows and connections, and only where something gives way.
pub(crate) async fn explain(destinations: &mut [Destination], shops: &[&ShopPlan], accounts: &Accounts) {
    let mut listed: BTreeMap<String, Option<Vec<Inlet>>> = BTreeMap::new();
    for destination in destinations.iter_mut().filter(|d| d.found_by != FoundBy::Address) {
        let (Some(address), Some(name)) = (&destination.address, destination.account.clone()) else { continue };
        let mut old: BTreeMap<&str, (usize, BTreeSet<&str>)> = BTreeMap::new();
        for shop in shops {
            for planned in &shop.changes {
                let Change::Update { before, after, fields, .. } = &planned.change else { continue };
                if fields.contains(&Field::Address) && after.address.as_str() == address {
                    let (subscriptions, in_shops) = old.entry(before.binding.address.as_str()).or_default();
                    *subscriptions += 1;
                    in_shops.insert(shop.shop.as_str());
                }
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
        let sandbox = destination.sandbox.as_deref().unwrap_or_default();
        let replaces = old.into_iter().map(|(before, (subscriptions, in_shops))| {
            let became = became(&Address::new(before), &here, all);
            Replaced {
                address: before.to_owned(),
                subscriptions,
                shops: in_shops.len(),
                gone: matches!(became, Became::Gone),
                message: became.message(sandbox),
            }
        });
        destination.replaces = replaces.collect();
    }
}

/// What became of an address that gives way to another one.
enum Became<'a> {
    SameInlet,
    NotAsked,
    /// No address that Adobe could have.
    NotAdobes,
    Held(&'a Inlet),
    Gone,
}

fn became<'a>(old: &Address, new: &Address, all: Option<&'a [Inlet]>) -> Became<'a> {
    if same_inlet(old, new) {
        return Became::SameInlet;
    }
    if !is_dcs(old) {
        return Became::NotAdobes;
    }
    let Some(all) = all else { return Became::NotAsked };
    let has_it = |inlet: &&Inlet| inlet.address.as_deref().is_some_and(|a| same_inlet(&Address::new(a), old));
    all.iter().find(has_it).map_or(Became::Gone, Became::Held)
}

impl Became<'_> {
    fn message(&self, sandbox: &str) -> String {
        match self {
            Self::SameInlet => "the same inlet, with another flow id".to_owned(),
            Self::NotAsked => "what became of it could not be asked at Adobe".to_owned(),
            Self::NotAdobes => "that is no address of Adobe's".to_owned(),
            Self::Held(inlet) => format!("that is the address of {}, which is {}", named(inlet), inlet.state),
            Self::Gone => format!(
                "no dataflow or connection in sandbox {sandbox} has that address any more: it was deleted or recreated"
            ),
        }
    }
}
