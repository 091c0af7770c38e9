//! Explains why addresses change: describes the addresses that live subscriptions have now.

use std::collections::{BTreeMap, BTreeSet};

use super::Inlet;
use super::assessment::named;
use crate::diff::Change;
use crate::manifest::is_dcs;
use crate::model::{Address, Field};
use crate::plan::{Replaced, ShopPlan};
use crate::state::aep::same_inlet;

/// Number of subscriptions, and their shops, by the address before the change.
pub(crate) type Before<'a> = BTreeMap<&'a str, (usize, BTreeSet<&'a str>)>;

/// Returns the addresses that changes replace with `address`.
pub(crate) fn addresses_before<'a>(address: &Address, shops: &[&'a ShopPlan]) -> Before<'a> {
    let mut before = Before::new();
    for shop in shops {
        for planned in &shop.changes {
            let Change::Update { before: live, after, fields, .. } = &planned.change else { continue };
            if fields.contains(&Field::Address) && after.address == *address {
                let (subscriptions, in_shops) = before.entry(live.binding.address.as_str()).or_default();
                *subscriptions += 1;
                in_shops.insert(shop.shop.as_str());
            }
        }
    }
    before
}

/// Describes each replaced address. `all` contains all dataflows and connections in the Adobe sandbox; `None` if the
/// request failed.
pub(crate) fn replaced(before: Before<'_>, address: &Address, sandbox: &str, all: Option<&[Inlet]>) -> Vec<Replaced> {
    let replaced = before.into_iter().map(|(old, (subscriptions, shops))| {
        let fate = fate(&Address::new(old), address, all);
        Replaced {
            address: old.to_owned(),
            subscriptions,
            shops: shops.len(),
            gone: matches!(fate, Fate::Gone),
            message: fate.message(sandbox),
        }
    });
    replaced.collect()
}

/// State of a replaced address at Adobe.
enum Fate<'a> {
    SameInlet,
    NotAsked,
    /// The address is not an address of Adobe.
    NotAdobes,
    Held(&'a Inlet),
    Gone,
}

fn fate<'a>(old: &Address, new: &Address, all: Option<&'a [Inlet]>) -> Fate<'a> {
    if same_inlet(old, new) {
        return Fate::SameInlet;
    }
    if !is_dcs(old) {
        return Fate::NotAdobes;
    }
    let Some(all) = all else { return Fate::NotAsked };
    let has_it = |inlet: &&Inlet| inlet.address.as_deref().is_some_and(|a| same_inlet(&Address::new(a), old));
    all.iter().find(has_it).map_or(Fate::Gone, Fate::Held)
}

impl Fate<'_> {
    fn message(&self, sandbox: &str) -> String {
        match self {
            Self::SameInlet => "the same inlet with another flow id".to_owned(),
            Self::NotAsked => "its state at Adobe is unknown".to_owned(),
            Self::NotAdobes => "it is not an Adobe address".to_owned(),
            Self::Held(inlet) => format!("it is the address of {}, which is {}", named(inlet), inlet.state),
            Self::Gone => format!(
                "no dataflow or connection in Adobe sandbox `{sandbox}` has this address: it was deleted or \
                 recreated, or it belongs to another Adobe sandbox"
            ),
        }
    }
}
