//! The settings of a plan or a report that differ from the default, and the selection.

use std::collections::BTreeSet;

use super::changes::bracketed;
use super::document::{Emphasis, Fact};
use super::group::group_by;
use crate::plan::run_name;
use crate::state;
use crate::wire::plan::{AdminApi, Origin, Ownership, Safety, Selection, Settings, Shop, ShopSafety, Unmanaged, place};

fn fact<'a>(label: &'static str, emphasis: Emphasis, value: impl Into<String>) -> Fact<'a> {
    Fact { label, shops: Vec::new(), value: value.into(), words: None, emphasis }
}

/// Returns the names of the runs. A report file can have any text there, but the marker of a comment must stay one.
pub(super) fn names<'a>(settings: &[&'a Settings]) -> BTreeSet<&'a str> {
    let names = settings.iter().filter_map(|settings| settings.name.as_deref());
    names.filter(|name| run_name(name).is_ok()).collect()
}

/// Returns the target, Admin API, limits and ownership that differ from the default.
pub(super) fn settings<'a>(settings: &Settings) -> impl Iterator<Item = Fact<'a>> {
    let Settings { name, endpoint, sandbox, adobe, admin_api, ownership, safety } = settings;
    let target = match (endpoint.as_str(), sandbox) {
        ("shopify", _) => None,
        ("sandbox", Some(sandbox)) => Some(format!("sandbox ({})", sandbox.state)),
        (url, _) => Some(url.to_owned()),
    };
    let AdminApi { version, transport } = admin_api;
    let rules = |label, rules: Vec<String>| (!rules.is_empty()).then(|| fact(label, Emphasis::Plain, rules.join(", ")));
    [
        name.as_deref().map(|name| fact("Name", Emphasis::Strong, name)),
        target.map(|target| fact("Target", Emphasis::Target, target)),
        adobe.as_deref().map(|adobe| fact("Adobe", Emphasis::Strong, adobe)),
        (transport != "graphql").then(|| fact("Admin API", Emphasis::Plain, format!("{version} over {transport}"))),
        rules("Safety", safety_rules(safety)),
        rules("Ownership", ownership_rules(ownership)),
    ]
    .into_iter()
    .flatten()
}

fn safety_rules(safety: &Safety) -> Vec<String> {
    let Safety {
        max_delete_percent,
        max_total_delete_percent,
        max_address_change_percent,
        max_destination_loss_percent,
        protected_topics,
    } = safety;
    let default = state::Safety::default();
    let mut out = Vec::new();
    for (name, value, usual) in [
        ("max_delete_percent", max_delete_percent, default.max_delete_percent),
        ("max_total_delete_percent", max_total_delete_percent, default.max_total_delete_percent),
        ("max_address_change_percent", max_address_change_percent, default.max_address_change_percent),
        ("max_destination_loss_percent", max_destination_loss_percent, default.max_destination_loss_percent),
    ] {
        if *value != usual {
            out.push(format!("{name}={value}"));
        }
    }
    if !protected_topics.is_empty() {
        out.push(format!("protected_topics={}", bracketed(protected_topics)));
    }
    out
}

fn ownership_rules(ownership: &Ownership) -> Vec<String> {
    let Ownership { address_prefixes, unmanaged } = ownership;
    let mut out = Vec::new();
    if *address_prefixes != [state::Prefix::DEFAULT] {
        out.push(format!("address_prefixes={}", bracketed(address_prefixes)));
    }
    if *unmanaged != Unmanaged::Report {
        out.push(format!("unmanaged={}", unmanaged.as_str()));
    }
    out
}

/// Returns the limits that are set for single shops.
pub(super) fn limits<'a>(shops: &[&'a Shop]) -> impl Iterator<Item = Fact<'a>> + use<'a> {
    let limits = shops.iter().filter_map(|shop| {
        let ShopSafety { max_delete_percent, protected_topics } = shop.safety.as_ref()?;
        let percent = max_delete_percent.map(|p| format!("max_delete_percent={p}"));
        let topics = protected_topics.as_ref().map(|t| format!("protected_topics={}", bracketed(t)));
        let rules: Vec<String> = percent.into_iter().chain(topics).collect();
        (!rules.is_empty()).then(|| (rules.join(", "), shop.shop.as_str(), ()))
    });
    group_by(limits).into_iter().map(|(rules, group)| Fact {
        shops: group.iter().map(|(shop, ())| *shop).collect(),
        ..fact("Safety of", Emphasis::Prose, rules)
    })
}

/// Returns the selection of shops, unless it contains all.
pub(super) fn selection<'a>(selections: &[&Selection]) -> Option<Fact<'a>> {
    // Each part as an option and in words.
    let mut parts: Vec<(String, String)> = Vec::new();
    let mut shards: Vec<&str> = Vec::new();
    for Selection { shops, labels, shard, only } in selections {
        let shops = shops.iter().map(|pattern| match pattern.strip_prefix('!') {
            Some(pattern) => (format!("--exclude-shop {pattern}"), format!("without shop {pattern}")),
            None => (format!("--shop {pattern}"), format!("shop {pattern}")),
        });
        let labels = labels.iter().map(|label| (format!("--label {label}"), format!("label {label}")));
        let only = only.map(|origin| {
            let words = match origin {
                Origin::Manifest => "only changes of the manifest",
                Origin::Drift => "only drift",
            };
            (format!("--only {}", origin.as_str()), words.to_owned())
        });
        for part in shops.chain(labels).chain(only) {
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
        shards.extend(shard.as_deref());
    }
    parts.extend(shards_counted(shards).map(|shards| (shards.clone(), shards)));
    let (options, words): (Vec<String>, Vec<String>) = parts.into_iter().unzip();
    let words = Some(words.join(", "));
    (!options.is_empty()).then(|| Fact { words, ..fact("Selection", Emphasis::Prose, options.join(", ")) })
}

/// Returns `shard 2/16`, `shards 1/3, 3/3` or `all 16 shards`.
fn shards_counted(mut shards: Vec<&str>) -> Option<String> {
    shards.sort_by_key(|shard| (place(shard), *shard));
    shards.dedup();
    let all =
        |n: usize| shards.iter().zip(1..).all(|(s, i)| place(s).is_some_and(|(of, at)| of as usize == n && at == i));
    match shards.as_slice() {
        [] => None,
        [one] => Some(format!("shard {one}")),
        many if all(many.len()) => Some(format!("all {} shards", many.len())),
        many => Some(format!("shards {}", many.join(", "))),
    }
}
