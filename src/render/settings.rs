//! What stands above everything else: where the plan was made, and which rules differ from the usual ones.

use super::merge::Plans;
use super::page::{Ink, Page};
use super::values::bracketed;
use super::{escape, group, shops};
use crate::state;
use crate::wire::plan::{AdminApi, Ownership, Safety, Selection, Settings, Shop, ShopSafety, Unmanaged, place};

/// Target, limits and ownership, where they are not the default.
pub(super) fn write(page: &mut Page<'_>, settings: &Settings) {
    let Settings { endpoint, sandbox, adobe, admin_api, ownership, safety } = settings;
    let target = match (endpoint.as_str(), sandbox) {
        ("shopify", _) => None,
        ("sandbox", Some(sandbox)) => Some(format!("sandbox ({})", escape(&sandbox.state))),
        (url, _) => Some(escape(url).into_owned()),
    };
    if let Some(target) = target {
        let line = page.style.paint(Ink::Strong, &format!("Target: {target}"));
        page.line(0, &line);
    }
    if let Some(adobe) = adobe {
        let line = page.style.paint(Ink::Strong, &format!("Adobe: {}", escape(adobe)));
        page.line(0, &line);
    }
    let AdminApi { version, transport } = admin_api;
    if transport != "graphql" {
        page.line(0, &format!("Admin API: {} over {}", escape(version), escape(transport)));
    }
    rules(page, "Safety", &safety_rules(safety));
    rules(page, "Ownership", &ownership_rules(ownership));
}

fn rules(page: &mut Page<'_>, what: &str, rules: &[String]) {
    if !rules.is_empty() {
        page.line(0, &format!("{what}: {}", rules.join(", ")));
    }
}

fn safety_rules(safety: &Safety) -> Vec<String> {
    let Safety { max_delete_percent, max_total_delete_percent, max_address_change_percent, protected_topics } = safety;
    let default = state::Safety::default();
    let mut out = Vec::new();
    for (name, value, usual) in [
        ("max_delete_percent", max_delete_percent, default.max_delete_percent),
        ("max_total_delete_percent", max_total_delete_percent, default.max_total_delete_percent),
        ("max_address_change_percent", max_address_change_percent, default.max_address_change_percent),
    ] {
        if *value != usual {
            out.push(format!("{name} {value}"));
        }
    }
    if !protected_topics.is_empty() {
        out.push(format!("protected_topics {}", bracketed(protected_topics)));
    }
    out
}

fn ownership_rules(ownership: &Ownership) -> Vec<String> {
    let Ownership { address_prefixes, unmanaged } = ownership;
    let mut out = Vec::new();
    if *address_prefixes != [state::Prefix::DEFAULT] {
        out.push(format!("address_prefixes {}", bracketed(address_prefixes)));
    }
    if *unmanaged != Unmanaged::Report {
        out.push(format!("unmanaged {}", escape(unmanaged)));
    }
    out
}

/// Limits that shops have of their own.
pub(super) fn shop_limits(page: &mut Page<'_>, all: &[&Shop]) {
    let limits = all.iter().filter_map(|shop| {
        let ShopSafety { max_delete_percent, protected_topics } = shop.safety.as_ref()?;
        let percent = max_delete_percent.map(|p| format!("max_delete_percent {p}"));
        let topics = protected_topics.as_ref().map(|t| format!("protected_topics {}", bracketed(t)));
        let rules: Vec<String> = percent.into_iter().chain(topics).collect();
        (!rules.is_empty()).then(|| (rules.join(", "), shop.shop.as_str(), ()))
    });
    for (rules, group) in group::group_by(limits) {
        let names: Vec<&str> = group.iter().map(|(shop, ())| *shop).collect();
        page.prose(0, &format!("Safety of {}: {rules}", shops::title(&names, page.style)));
    }
}

/// Which shops were looked at, if not all.
pub(super) fn selection(page: &mut Page<'_>, selections: &[&Selection]) {
    let mut parts: Vec<String> = Vec::new();
    let mut shards: Vec<&str> = Vec::new();
    for Selection { shops, labels, shard } in selections {
        let shops = shops.iter().map(|pattern| match pattern.strip_prefix('!') {
            Some(pattern) => format!("--exclude-shop {}", escape(pattern)),
            None => format!("--shop {}", escape(pattern)),
        });
        let labels = labels.iter().map(|label| format!("--label {}", escape(label)));
        for part in shops.chain(labels) {
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
        shards.extend(shard.as_deref());
    }
    parts.extend(shard_words(&shards));
    if !parts.is_empty() {
        page.prose(0, &format!("Selection: {}", parts.join(", ")));
    }
}

/// What several plans lack to be a whole run.
pub(super) fn lacking(plan: &Plans<'_>) -> Option<String> {
    let rest = "This is not the whole run; hazards of the run are judged over these shops only.";
    plan.lacking.as_ref().map(|lacking| format!("{lacking}. {rest}"))
}

/// `shard 2/16`, `shards 1/3 and 3/3`, `all 16 shards`.
fn shard_words(shards: &[&str]) -> Option<String> {
    let mut shards: Vec<&str> = shards.to_vec();
    shards.sort_by_key(|shard| (place(shard), *shard));
    shards.dedup();
    let all =
        |n: usize| shards.iter().zip(1..).all(|(s, i)| place(s).is_some_and(|(of, at)| of as usize == n && at == i));
    match shards.as_slice() {
        [] => None,
        [one] => Some(format!("shard {}", escape(one))),
        many if all(many.len()) => Some(format!("all {} shards", many.len())),
        many => Some(format!("shards {}", many.iter().map(|s| escape(s)).collect::<Vec<_>>().join(", "))),
    }
}
