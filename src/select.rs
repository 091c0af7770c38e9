//! Selects the shops of a manifest for a run. Pure.

use sha2::{Digest as _, Sha256};

use crate::model::{ShopDomain, ShopPattern};
use crate::plan::{self, Shard};

/// A parsed selection.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    only: Vec<ShopPattern>,
    not: Vec<ShopPattern>,
    labels: Vec<LabelTerm>,
    shard: Option<Shard>,
}

#[derive(Debug, Clone)]
struct LabelTerm {
    key: String,
    value: String,
    equal: bool,
}

/// Why a selection is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SelectError {
    #[error("{0:?} is not a valid pattern for shops")]
    Pattern(String),
    #[error("invalid value {0:?} of `--label`: expected `KEY=VALUE` or `KEY!=VALUE`")]
    Label(String),
    #[error("invalid value {0:?} of `--shard`: expected `K/N` with 1 <= K <= N, such as `2/16`")]
    Shard(String),
    #[error("`--shard-index {index}` must be less than `--shard-count {count}`, because the index is 0-based")]
    ShardIndex { index: u32, count: u32 },
}

/// The selection options of the command line.
#[derive(Debug, Default)]
pub(crate) struct Terms<'a> {
    pub(crate) shop: &'a [String],
    pub(crate) exclude_shop: &'a [String],
    pub(crate) label: &'a [String],
    pub(crate) shard: Option<&'a str>,
    pub(crate) shard_index: Option<(u32, u32)>,
}

impl Selection {
    pub(crate) fn parse(terms: &Terms<'_>) -> Result<Self, SelectError> {
        let glob = |text: &String| ShopPattern::parse(text).map_err(|_| SelectError::Pattern(text.clone()));
        let shard = match (terms.shard, terms.shard_index) {
            (Some(text), _) => Some(Shard::parse(text).ok_or_else(|| SelectError::Shard(text.to_owned()))?),
            (None, Some((index, count))) if index < count => Shard::new(index + 1, count),
            (None, Some((index, count))) => return Err(SelectError::ShardIndex { index, count }),
            (None, None) => None,
        };
        Ok(Self {
            only: terms.shop.iter().map(glob).collect::<Result<_, _>>()?,
            not: terms.exclude_shop.iter().map(glob).collect::<Result<_, _>>()?,
            labels: terms.label.iter().map(|text| label(text)).collect::<Result<_, _>>()?,
            shard,
        })
    }

    /// Returns the patterns of `--shop`, in the order given.
    pub(crate) fn only(&self) -> &[ShopPattern] {
        &self.only
    }

    /// Returns the required labels, as keys and values.
    pub(crate) fn wanted_labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.labels.iter().filter(|term| term.equal).map(|term| (term.key.as_str(), term.value.as_str()))
    }

    /// Whether a shop is selected, ignoring the shard.
    pub(crate) fn matches<'a>(&self, shop: &ShopDomain, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        let hit = |patterns: &[ShopPattern]| patterns.iter().any(|pattern| pattern.matches(shop));
        let of_key = |key: &str| {
            let terms = || self.labels.iter().filter(|t| t.key == key);
            terms().any(|t| (label(key) == Some(t.value.as_str())) == t.equal)
        };
        (self.only.is_empty() || hit(&self.only)) && !hit(&self.not) && self.labels.iter().all(|t| of_key(&t.key))
    }

    /// Whether a shop is in the selected shard. `true` without a shard.
    pub(crate) fn in_shard(&self, shop: &ShopDomain) -> bool {
        self.shard.is_none_or(|shard| holds(shard, shop))
    }

    /// Returns the selection in the form of the plan.
    pub(crate) fn for_plan(&self, terms: &Terms<'_>) -> plan::Selection {
        let sorted = |mut list: Vec<String>| {
            list.sort();
            list
        };
        let mut shops = terms.shop.to_vec();
        shops.extend(terms.exclude_shop.iter().map(|p| format!("!{p}")));
        plan::Selection { shops: sorted(shops), labels: sorted(terms.label.to_vec()), shard: self.shard, only: None }
    }
}

fn label(text: &str) -> Result<LabelTerm, SelectError> {
    let error = || SelectError::Label(text.to_owned());
    let (key, value) = text.split_once('=').ok_or_else(error)?;
    let (key, equal) = key.strip_suffix('!').map_or((key, true), |key| (key, false));
    if key.is_empty() {
        return Err(error());
    }
    Ok(LabelTerm { key: key.to_owned(), value: value.to_owned(), equal })
}

/// Whether a shard contains a shop: the first 8 bytes (big-endian) of the SHA-256 of the full domain, modulo N. It
/// depends on nothing else, so a shop moves to another shard only if N changes.
fn holds(shard: Shard, shop: &ShopDomain) -> bool {
    let hash = Sha256::digest(shop.as_str().as_bytes());
    let head = hash.iter().take(8).fold(0_u64, |acc, byte| acc << 8 | u64::from(*byte));
    head % u64::from(shard.count()) == u64::from(shard.index() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop(text: &str) -> ShopDomain {
        ShopDomain::parse(text).expect("shop")
    }

    fn owned(list: &[&str]) -> Vec<String> {
        list.iter().map(|&s| s.to_owned()).collect()
    }

    fn labels(terms: &[&str], labels: &[(&str, &str)]) -> bool {
        let label = owned(terms);
        let selection = Selection::parse(&Terms { label: &label, ..Terms::default() }).expect("terms");
        let labels = labels.to_vec();
        selection.matches(&shop("a"), |key| labels.iter().find(|(k, _)| *k == key).map(|(_, v)| *v))
    }

    #[test]
    fn labels_with_the_same_key_are_alternatives_and_all_keys_must_match() {
        let emea = [("env", "prod"), ("region", "emea")];
        assert!(labels(&["env=prod"], &emea));
        assert!(labels(&["env=prod", "env=stage"], &emea));
        assert!(!labels(&["env=prod", "region=apac"], &emea));
        assert!(labels(&["region!=apac"], &emea) && labels(&["missing!=x"], &emea));
        assert!(!labels(&["region!=emea"], &emea) && !labels(&["missing=x"], &emea));
        assert_eq!(label("env").err(), Some(SelectError::Label("env".into())));
    }

    #[test]
    fn patterns_match_handle_or_domain() {
        let (only, not) = (owned(&["eu-*", "UK.myshopify.com"]), owned(&["*-test"]));
        let selection =
            Selection::parse(&Terms { shop: &only, exclude_shop: &not, ..Terms::default() }).expect("terms");
        let hit = |name: &str| selection.matches(&shop(name), |_| None);
        assert!(hit("eu-one") && hit("uk") && !hit("us") && !hit("eu-test"));
    }

    #[test]
    fn every_shop_is_in_exactly_one_shard_in_any_notation() {
        let shards: Vec<Selection> = (0..16)
            .map(|i| Selection::parse(&Terms { shard_index: Some((i, 16)), ..Terms::default() }).expect("terms"))
            .collect();
        let mut counts = [0; 16];
        for n in 0..4000 {
            let shop = shop(&format!("shop-{n}"));
            let holding: Vec<usize> = (0..16).filter(|&i| shards[i].in_shard(&shop)).collect();
            assert_eq!(holding.len(), 1);
            counts[holding[0]] += 1;
        }
        assert!(counts.iter().all(|&c| (200..300).contains(&c)), "{counts:?}");
        // The SHA-256 of acme.myshopify.com starts with a2c4087dd8e4cc71 (computed with Python), which is 1 modulo 16.
        let text = Selection::parse(&Terms { shard: Some("2/16"), ..Terms::default() }).expect("terms");
        assert_eq!(text.shard, shards[1].shard);
        assert!(text.in_shard(&shop("acme")));
        for bad in ["0/4", "5/4", "1", "a/b", "1/0"] {
            assert!(Selection::parse(&Terms { shard: Some(bad), ..Terms::default() }).is_err(), "{bad}");
        }
    }
}
