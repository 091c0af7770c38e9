//! Which parts of a run several plans are, by what they say of their shards. May not look at shops.

use std::collections::BTreeSet;

use crate::wire::plan::Selection;

/// So many missing shards are named.
const NAMED: usize = 8;

/// What is wrong with plans as one run, if they are shards: `3 of 4 shards: 2/4 is missing`.
pub fn lacking<'a>(selections: impl IntoIterator<Item = &'a Selection>) -> Option<String> {
    let shards: Vec<Option<&str>> = selections.into_iter().map(|selection| selection.shard.as_deref()).collect();
    if shards.iter().all(Option::is_none) {
        return None;
    }
    let Some(places) = shards.iter().map(|shard| place((*shard)?)).collect::<Option<BTreeSet<_>>>() else {
        return Some(STRANGERS.to_owned());
    };
    let counts: BTreeSet<u32> = places.iter().map(|(count, _)| *count).collect();
    let (Some(&count), 1) = (counts.first(), counts.len()) else { return Some(STRANGERS.to_owned()) };
    let missing = (count as usize).saturating_sub(places.len());
    if missing == 0 {
        return None;
    }
    // A file may say anything: nothing is as long as the count in it.
    let named = (1..=count).filter(|&index| !places.contains(&(count, index))).take(NAMED);
    let words = named.map(|index| format!("{index}/{count}")).collect::<Vec<_>>().join(", ");
    let more = if missing > NAMED { format!(" and {} more", missing - NAMED) } else { String::new() };
    let verb = if missing == 1 { "is" } else { "are" };
    Some(format!("{} of {count} shards: {words}{more} {verb} missing", places.len()))
}

const STRANGERS: &str = "The plans are not the shards of one run";

/// Count and index of `2/16`: the order that shards have.
pub fn place(shard: &str) -> Option<(u32, u32)> {
    let (index, count) = shard.split_once('/')?;
    let (index, count) = (index.parse().ok()?, count.parse().ok()?);
    (1..=count).contains(&index).then_some((count, index))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(shards: &[&str]) -> Option<String> {
        let of = |shard: &&str| Selection { shard: Some((*shard).to_owned()), ..Selection::default() };
        lacking(&shards.iter().map(of).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(said(&["2/2", "1/2"]), None);
        assert_eq!(said(&["4/4", "1/4", "3/4"]).as_deref(), Some("3 of 4 shards: 2/4 is missing"));
        assert_eq!(said(&["4/4", "1/4"]).as_deref(), Some("2 of 4 shards: 2/4, 3/4 are missing"));
        assert_eq!(said(&["1/4", "1/4"]).as_deref(), Some("1 of 4 shards: 2/4, 3/4, 4/4 are missing"));
        let many = "1 of 4294967295 shards: 1/4294967295, ";
        assert!(
            said(&["9/4294967295"])
                .is_some_and(|text| text.starts_with(many) && text.ends_with("and 4294967286 more are missing"))
        );
        for strangers in [&["1/2", "2/3"][..], &["5/4"], &["0/4"], &["a", "1/2"], &[""]] {
            assert_eq!(said(strangers).as_deref(), Some(STRANGERS), "{strangers:?}");
        }
        let [all, shard] = [None, Some("1/2".to_owned())].map(|shard| Selection { shard, ..Selection::default() });
        assert_eq!(lacking([&all, &all]), None);
        assert_eq!(lacking([&all, &shard]).as_deref(), Some(STRANGERS));
    }
}
