//! Finds what shops have in common: destinations and sets of bindings.

use std::collections::{BTreeMap, BTreeSet};

use super::binding::BindingForm;
use super::name::{self, Names};
use super::select::SelectedShop;
use crate::model::{Address, Topic};

/// Bindings that differ only in their topics.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Item {
    pub(super) form: BindingForm,
    pub(super) topics: BTreeSet<Topic>,
}

/// The shops that use a set, by index, and the topics that each leaves out.
pub(super) type Users = BTreeMap<usize, BTreeSet<Topic>>;

/// A binding set, which several shops use.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) name: String,
    pub(super) items: Vec<Item>,
    pub(super) users: Users,
}

/// An address with a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Destination {
    pub(super) name: String,
    pub(super) address: Address,
    /// The number of shops that use the address.
    pub(super) shops: usize,
}

/// The bindings and destinations of the manifest.
pub(super) struct Factored {
    /// The sets, sorted by name.
    pub(super) sets: Vec<Set>,
    /// The bindings of each shop that are in no set.
    pub(super) rest: Vec<Vec<Item>>,
    /// The common destinations, sorted by name.
    pub(super) common: Vec<Destination>,
    /// Each shop's own destinations.
    pub(super) own: Vec<Vec<Destination>>,
    pub(super) names: BTreeMap<Address, String>,
}

pub(super) fn factor(shops: &[SelectedShop], given: &[(String, Address)]) -> Factored {
    let mut left: BTreeMap<BindingForm, BTreeMap<usize, BTreeSet<Topic>>> = BTreeMap::new();
    for (at, shop) in shops.iter().enumerate() {
        for (form, topics) in &shop.forms {
            left.entry(form.clone()).or_default().insert(at, topics.clone());
        }
    }
    let mut sets = Vec::new();
    let mut rest: Vec<Vec<Item>> = shops.iter().map(|_| Vec::new()).collect();
    for (form, mut topics_of) in left {
        while let Some((topics, users)) = shared(&topics_of) {
            for at in users.keys() {
                if let Some(left) = topics_of.get_mut(at) {
                    left.retain(|topic| !topics.contains(topic));
                }
            }
            sets.push((vec![Item { form: form.clone(), topics }], users));
        }
        for (at, topics) in topics_of.into_iter().filter(|(_, topics)| !topics.is_empty()) {
            rest[at].push(Item { form: form.clone(), topics });
        }
    }

    let (names, common, own) = destinations(shops, given);
    Factored { sets: named(together(sets), &names), rest, common, own, names }
}

/// A set without a name: its items and its users.
type Nameless = (Vec<Item>, Users);

/// Returns topics that at least two shops have in common, and the topics that each of these shops lacks.
///
/// The set consists of the topics that most shops have, and a shop that has most of them uses the set with exceptions.
/// So one deleted subscription does not split a set of forty shops.
fn shared(topics_of: &BTreeMap<usize, BTreeSet<Topic>>) -> Option<(BTreeSet<Topic>, Users)> {
    let mut shops_of: BTreeMap<&Topic, BTreeSet<usize>> = BTreeMap::new();
    for (at, topics) in topics_of {
        for topic in topics {
            shops_of.entry(topic).or_default().insert(*at);
        }
    }
    shops_of.retain(|_, shops| shops.len() > 1);
    let any: BTreeSet<usize> = shops_of.values().flatten().copied().collect();

    let usual: BTreeSet<&Topic> =
        shops_of.iter().filter(|(_, shops)| 2 * shops.len() > any.len()).map(|(topic, _)| *topic).collect();
    let has = |at: usize, topic: &Topic| topics_of.get(&at).is_some_and(|topics| topics.contains(topic));
    let most = |at: &usize| 2 * usual.iter().filter(|topic| has(*at, topic)).count() > usual.len();
    let mut users: BTreeSet<usize> = any.into_iter().filter(most).collect();
    let mut topics = usual;
    topics.retain(|topic| users.iter().filter(|at| has(**at, topic)).count() > 1);
    users.retain(|at| topics.iter().any(|topic| has(*at, topic)));

    if topics.is_empty() {
        // No topic has a majority: take the most frequent topic, and all topics that exactly the same shops have.
        let (_, most) = shops_of.iter().max_by_key(|(topic, shops)| (shops.len(), std::cmp::Reverse(*topic)))?;
        users.clone_from(most);
        topics = shops_of.iter().filter(|(_, shops)| **shops == users).map(|(topic, _)| *topic).collect();
    }
    let except = |at: usize| topics.iter().filter(|topic| !has(at, topic)).map(|topic| (*topic).clone()).collect();
    let users = users.into_iter().map(|at| (at, except(at))).collect();
    Some((topics.into_iter().cloned().collect(), users))
}

/// Merges sets with the same address that the same shops use without exceptions.
fn together(sets: Vec<Nameless>) -> Vec<Nameless> {
    let mut whole: BTreeMap<(Address, Vec<usize>), Vec<Item>> = BTreeMap::new();
    let mut out = Vec::new();
    for (items, users) in sets {
        let address = items.first().map(|item| item.form.address.clone());
        match address {
            Some(address) if users.values().all(BTreeSet::is_empty) => {
                whole.entry((address, users.keys().copied().collect())).or_default().extend(items);
            }
            _ => out.push((items, users)),
        }
    }
    out.extend(whole.into_iter().map(|((_, users), mut items)| {
        items.sort_by(|a, b| (&a.topics, &a.form).cmp(&(&b.topics, &b.form)));
        (items, users.into_iter().map(|at| (at, BTreeSet::new())).collect())
    }));
    out
}

/// Names the sets. The sets with the most users get names without a number.
fn named(mut sets: Vec<Nameless>, destinations: &BTreeMap<Address, String>) -> Vec<Set> {
    sets.sort_by(|(a, m), (b, n)| n.len().cmp(&m.len()).then_with(|| a.cmp(b)).then_with(|| m.cmp(n)));
    let mut names = Names::default();
    let mut sets: Vec<Set> = sets
        .into_iter()
        .map(|(items, users)| {
            let topics = items.iter().flat_map(|item| &item.topics);
            let address = items.first().and_then(|item| destinations.get(&item.form.address));
            let name = names.unique(&name::of_set(topics, address.map_or("set", String::as_str)));
            Set { name, items, users }
        })
        .collect();
    sets.sort_by(|a, b| a.name.cmp(&b.name));
    sets
}

type Destinations = (BTreeMap<Address, String>, Vec<Destination>, Vec<Vec<Destination>>);

/// Names every address. It is a common destination if several shops use it, if it already was one, or if there is only
/// one shop.
fn destinations(shops: &[SelectedShop], given: &[(String, Address)]) -> Destinations {
    let mut users: BTreeMap<&Address, BTreeSet<usize>> = BTreeMap::new();
    for (at, shop) in shops.iter().enumerate() {
        for form in shop.forms.keys() {
            users.entry(&form.address).or_default().insert(at);
        }
    }
    let mut taken = Names::default();
    let mut names: BTreeMap<Address, String> = BTreeMap::new();
    let mut common_already: BTreeSet<&Address> = BTreeSet::new();
    for (name, address, known_to) in known(given) {
        if users.contains_key(address) && !names.contains_key(address) && taken.take(name) {
            names.insert(address.clone(), name.to_owned());
            common_already.extend((known_to > 1).then_some(address));
        }
    }
    for address in users.keys() {
        if !names.contains_key(*address) {
            names.insert((*address).clone(), taken.unique(&name::of_address(address)));
        }
    }

    let (mut common, mut own) = (Vec::new(), shops.iter().map(|_| Vec::new()).collect::<Vec<_>>());
    for (address, at) in users {
        let Some(name) = names.get(address) else { continue };
        let destination = Destination { name: name.clone(), address: address.clone(), shops: at.len() };
        match at.first() {
            Some(&only) if at.len() == 1 && shops.len() > 1 && !common_already.contains(address) => {
                own[only].push(destination);
            }
            _ => common.push(destination),
        }
    }
    for list in own.iter_mut().chain([&mut common]) {
        list.sort_by(|a, b| a.name.cmp(&b.name));
    }
    (names, common, own)
}

/// Returns the existing names of addresses with the number of their shops, the most frequent first.
fn known(given: &[(String, Address)]) -> Vec<(&str, &Address, usize)> {
    let mut counts: BTreeMap<(&str, &Address), usize> = BTreeMap::new();
    for (name, address) in given {
        *counts.entry((name.as_str(), address)).or_default() += 1;
    }
    let mut known: Vec<_> = counts.into_iter().collect();
    known.sort_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
    known.into_iter().map(|((name, address), count)| (name, address, count)).collect()
}
