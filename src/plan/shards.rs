//! Shards, and checks that several plans are the shards of one run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Destination, Plan, Settings};
use crate::model::ShopDomain;

/// Maximum number of missing shards in a message.
const NAMED: usize = 8;

/// A part of the shops: the `index`-th (1-based) of `count`. Ordered by count, then by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    count: u32,
    index: u32,
}

impl Shard {
    /// Creates the `index`-th (1-based) shard of `count`. Returns `None` if the index is out of range.
    pub fn new(index: u32, count: u32) -> Option<Self> {
        (1..=count).contains(&index).then_some(Self { count, index })
    }

    /// Parses a shard such as `2/16`.
    pub fn parse(text: &str) -> Option<Self> {
        let (index, count) = text.split_once('/')?;
        Self::new(index.parse().ok()?, count.parse().ok()?)
    }

    /// Returns the 1-based index of the shard.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Returns the number of shards.
    pub fn count(self) -> u32 {
        self.count
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// Why plans cannot be shown or judged as one run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOneRun {
    /// The plans were made from different manifests.
    #[error("the plans were made from different manifests (their `manifest_digest` differs)")]
    Manifests,
    /// The plans were made with different settings.
    #[error("the plans were made with different settings")]
    Settings,
    /// A destination changed at Adobe between the plans. Contains its name.
    #[error("the address or state of destination {0} at Adobe changed between the plans of two shards")]
    Adobe(String),
    /// A shop is in two of the plans.
    #[error("{0} is in two of the plans")]
    Shop(ShopDomain),
}

/// Groups plans by run: those with the same manifest and settings. The runs are in the order of their names.
pub fn by_run(plans: Vec<Plan>) -> Vec<Vec<Plan>> {
    let mut runs: Vec<Vec<Plan>> = Vec::new();
    for plan in plans {
        let is_same = |run: &&mut Vec<Plan>| {
            run.first().is_some_and(|first| {
                first.manifest_digest == plan.manifest_digest && without_adobe(first) == without_adobe(&plan)
            })
        };
        match runs.iter_mut().find(is_same) {
            Some(run) => run.push(plan),
            None => runs.push(vec![plan]),
        }
    }
    runs.sort_by(|a, b| a.first().map(|plan| &plan.settings.name).cmp(&b.first().map(|plan| &plan.settings.name)));
    runs
}

/// Returns the settings without the URL for Adobe, which a shard does not have if it sent no request there.
fn without_adobe(plan: &Plan) -> Settings {
    Settings { adobe: None, ..plan.settings.clone() }
}

/// Checks that plans are parts of one run and do not overlap.
pub fn one_run(plans: &[Plan]) -> Result<(), NotOneRun> {
    let digests: BTreeSet<&str> = plans.iter().map(|p| p.manifest_digest.as_str()).collect();
    if digests.len() > 1 {
        return Err(NotOneRun::Manifests);
    }
    let adobe: BTreeSet<&String> = plans.iter().filter_map(|p| p.settings.adobe.as_ref()).collect();
    if plans.windows(2).any(|p| without_adobe(&p[0]) != without_adobe(&p[1])) || adobe.len() > 1 {
        return Err(NotOneRun::Settings);
    }
    same_destinations(plans)?;
    let mut seen = BTreeSet::new();
    match plans.iter().flat_map(|p| &p.shops).find(|shop| !seen.insert(&shop.shop)) {
        Some(twice) => Err(NotOneRun::Shop(twice.shop.clone())),
        None => Ok(()),
    }
}

/// Checks that all plans have the same id, address and state for a destination.
fn same_destinations(plans: &[Plan]) -> Result<(), NotOneRun> {
    let mut first: BTreeMap<_, &Destination> = BTreeMap::new();
    // A shard whose lookup failed does not contradict the others.
    for destination in plans.iter().flat_map(|p| &p.destinations).filter(|d| d.error.is_none()) {
        let known = *first.entry((&destination.name, &destination.shop, &destination.wanted)).or_insert(destination);
        if (&known.id, &known.address, &known.state) != (&destination.id, &destination.address, &destination.state) {
            let name = destination.name.as_ref().unwrap_or(&destination.wanted);
            return Err(NotOneRun::Adobe(name.clone()));
        }
    }
    Ok(())
}

/// Returns what is missing if the plans are shards of one run: `3 of 4 shards: 2/4 is missing`. A plan over all shops
/// has no shard.
pub fn lacking(shards: impl IntoIterator<Item = Option<Shard>>) -> Option<String> {
    let shards: Vec<Option<Shard>> = shards.into_iter().collect();
    let plans = shards.len();
    let unrelated = || Some(format!("{plans} plans are not the shards of one run"));
    if shards.iter().all(Option::is_none) {
        return None;
    }
    let Some(shards) = shards.into_iter().collect::<Option<BTreeSet<Shard>>>() else {
        return unrelated();
    };
    let counts: BTreeSet<u32> = shards.iter().map(|shard| shard.count).collect();
    let (Some(&count), 1) = (counts.first(), counts.len()) else { return unrelated() };
    let missing = (count as usize).saturating_sub(shards.len());
    if missing == 0 {
        return None;
    }
    // The count comes from a file and can be very large, so no list has that length.
    let others = (1..=count).map(|index| Shard { count, index }).filter(|shard| !shards.contains(shard));
    let words = others.take(NAMED).map(|shard| shard.to_string()).collect::<Vec<_>>().join(", ");
    let more = if missing > NAMED { format!(" and {} more", missing - NAMED) } else { String::new() };
    let verb = if missing == 1 { "is" } else { "are" };
    Some(format!("{} of {count} shards: {words}{more} {verb} missing", shards.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(shards: &[&str]) -> Option<String> {
        lacking(shards.iter().map(|shard| Some(Shard::parse(shard).expect("a shard"))))
    }

    #[test]
    fn missing_shards_are_named() {
        assert_eq!(said(&["2/2", "1/2"]), None);
        assert_eq!(said(&["4/4", "1/4", "3/4"]).as_deref(), Some("3 of 4 shards: 2/4 is missing"));
        assert_eq!(said(&["4/4", "1/4"]).as_deref(), Some("2 of 4 shards: 2/4, 3/4 are missing"));
        assert_eq!(said(&["1/4", "1/4"]).as_deref(), Some("1 of 4 shards: 2/4, 3/4, 4/4 are missing"));
        let many = "1 of 4294967295 shards: 1/4294967295, ";
        assert!(
            said(&["9/4294967295"])
                .is_some_and(|text| text.starts_with(many) && text.ends_with("and 4294967286 more are missing"))
        );
        let unrelated = Some("2 plans are not the shards of one run");
        assert_eq!(said(&["1/2", "2/3"]).as_deref(), unrelated);
        for none in ["5/4", "0/4", "a", ""] {
            assert_eq!(Shard::parse(none), None, "{none}");
        }
        assert_eq!(lacking([None, None]), None);
        assert_eq!(lacking([None, Shard::parse("1/2")]).as_deref(), unrelated);
    }
}
