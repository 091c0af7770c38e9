//! The first lines of a drift report: how many subscriptions are concerned, when, and what they have in common.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::window::between;
use super::{Cause, Difference, by_shop};
use crate::render::changes::target;
use crate::render::merge::Plans;
use crate::text::{plural, thousands};
use crate::wire::plan::{BlockedReason, Finding, FindingKind, Severity, Shop, ShopStatus};

/// Returns the sentences about all differences.
pub(super) fn of(plan: &Plans<'_>, all: &[Difference<'_>]) -> String {
    let mut out = Vec::new();
    let quiet = plan.summary.blocked == 0 && plan.summary.shops.failed == 0;
    if quiet && plan.since.is_some_and(|since| since.new == 0 && since.known > 0) {
        out.push("No new drift.".to_owned());
    }
    for same in all.chunk_by(|a, b| a.cause == b.cause) {
        let (known, new): (Vec<_>, Vec<_>) = same.iter().partition(|one| one.window.known_since.is_some());
        for group in [new, known].iter().filter(|group| !group.is_empty()) {
            out.push(sentence(plan, group));
        }
    }
    out.extend(blocked(plan));
    out.extend(unread(plan, ShopStatus::Failed));
    out.extend(unread(plan, ShopStatus::Unavailable));
    out.extend(attention(plan));
    let unchecked = plan.destinations.iter().filter(|destination| destination.error.is_some()).count();
    out.extend((unchecked > 0).then(|| format!("{} could not be checked at Adobe.", plural(unchecked, "destination"))));
    let read = plan.summary.shops.changed + plan.summary.shops.unchanged;
    if all.is_empty() && plan.summary.blocked == 0 && read > 0 {
        out.insert(0, format!("The live subscriptions of {} match the manifest.", plural(read, "shop")));
    }
    out.join(" ")
}

/// Returns the sentence about differences of one cause, all new or all known.
fn sentence(plan: &Plans<'_>, group: &[Difference<'_>]) -> String {
    let cause = group[0].cause;
    let known = group[0].window.known_since.is_some();
    let one = group.len() == 1;
    let noun = if cause == Cause::NotCreated { "binding" } else { "subscription" };
    let what = plural(group.len(), noun);
    let shops: Vec<&Shop> = {
        let names: BTreeSet<&str> = by_shop(group).into_iter().map(|(shop, _)| shop).collect();
        plan.shops.iter().copied().filter(|shop| names.contains(shop.shop.as_str())).collect()
    };
    let place = place(plan, &shops);
    let (is, was) = if one { ("is", "was") } else { ("are", "were") };
    let still = if known { "still " } else { "" };
    let when = between(group, plan.created_at).map(|when| format!(" {when}")).unwrap_or_default();
    let verb = match (cause, known) {
        (Cause::Removed, false) => format!("{was} removed outside Hookwright{when}"),
        (Cause::Removed, true) => format!("{is} still missing: removed outside Hookwright{when}"),
        (Cause::Changed, _) => format!("{still}differ{} from the manifest", if one { "s" } else { "" }),
        (Cause::Extra, _) => format!("{is} {still}live, but not in the manifest"),
        (Cause::NotCreated, _) => format!("{is} {still}not live, and {was} not live in any earlier file"),
        (Cause::RemovedByApply, _) => {
            format!("{was} removed by an apply, but the manifest contains {}", if one { "it" } else { "them" })
        }
        (Cause::Missing, _) => format!("{is} missing"),
    };
    format!("{what} {place} {verb}{}.", common(plan, group, &shops))
}

/// Returns `in acme.myshopify.com`, `in 7 of 40 shops` or `in all 40 shops`.
fn place(plan: &Plans<'_>, shops: &[&Shop]) -> String {
    match (shops, plan.shops.len()) {
        ([shop], _) => format!("in {}", shop.shop),
        (some, 2) if some.len() == 2 => "in both shops".to_owned(),
        (some, all) if some.len() == all => format!("in all {} shops", thousands(all)),
        (some, all) => format!("in {} of {} shops", thousands(some.len()), thousands(all)),
    }
}

/// Returns what several differences have in common and others do not: the destination, else the topic, and a label.
fn common(plan: &Plans<'_>, group: &[Difference<'_>], shops: &[&Shop]) -> String {
    let mut parts = Vec::new();
    let missing = matches!(group[0].cause, Cause::Removed | Cause::Missing | Cause::NotCreated);
    let targets: BTreeSet<_> = group.iter().filter_map(|one| target(one.change)).collect();
    let topics: BTreeSet<&str> = group.iter().map(|one| &*one.change.topic).collect();
    let name = |target: &str| if target.contains("://") { target.to_owned() } else { format!("`{target}`") };
    let delivered = if group[0].cause == Cause::Removed { "delivered to" } else { "for" };
    match (targets.first().filter(|_| targets.len() == 1), topics.first().filter(|_| topics.len() == 1)) {
        (Some(target), Some(topic)) if missing => return format!(": {topic} -> {target}"),
        (Some(target), _) if missing => parts.push(format!("all of them {delivered} {}", name(target))),
        (_, Some(topic)) if group.len() > 1 => parts.push(format!("all of them for {topic}")),
        _ => {}
    }
    parts.extend(label(plan, shops));
    if parts.is_empty() { String::new() } else { format!("; {}", parts.join("; ")) }
}

/// Returns the label that all of several shops have, but not all shops of the run.
fn label(plan: &Plans<'_>, shops: &[&Shop]) -> Option<String> {
    let (first, rest) = shops.split_first()?;
    let has = |shop: &Shop, key: &str, value: &str| shop.labels.get(key).is_some_and(|own| own == value);
    let common = first.labels.iter().find(|(key, value)| {
        rest.iter().all(|shop| has(shop, key, value)) && !plan.shops.iter().all(|shop| has(shop, key, value))
    });
    common.filter(|_| !rest.is_empty()).map(|(key, value)| format!("all in shops with the label {key}={value}"))
}

fn blocked(plan: &Plans<'_>) -> Option<String> {
    let all = || plan.shops.iter().flat_map(|shop| shop.blocked.iter().map(move |blocked| (*shop, blocked)));
    let n = all().count();
    if n == 0 {
        return None;
    }
    let mut shops: Vec<&Shop> = all().map(|(shop, _)| shop).collect();
    shops.dedup_by_key(|shop| &shop.shop);
    let scopes: HashSet<_> = all().map(|(_, blocked)| (&blocked.reason, &blocked.any_of)).collect();
    let scope = scopes.iter().find(|(reason, _)| scopes.len() == 1 && **reason == BlockedReason::Scope);
    let scope = scope.map(|(_, any_of)| format!(", because the scope {} is not granted", any_of.join(" or ")));
    let place = place(plan, &shops);
    Some(format!(
        "{} {place} cannot be created or updated, so they are not live as wanted{}.",
        plural(n, "binding"),
        scope.unwrap_or_default()
    ))
}

/// Returns the sentence about the shops that were not read, with this status.
fn unread(plan: &Plans<'_>, status: ShopStatus) -> Option<String> {
    let unread: Vec<&Shop> = plan.shops.iter().copied().filter(|shop| shop.status == status).collect();
    let place = match &unread[..] {
        [] => return None,
        [shop] => shop.shop.clone(),
        many => format!("{} of {} shops", thousands(many.len()), thousands(plan.shops.len())),
    };
    let (was, their) = if unread.len() == 1 { ("was", "its") } else { ("were", "their") };
    let tolerated = if status == ShopStatus::Unavailable { " (tolerated)" } else { "" };
    Some(format!("{place} {was} not read{tolerated}, so {their} drift is unknown."))
}

/// Returns the sentences about findings that need attention and are not differences. Destinations that lose events come first.
fn attention(plan: &Plans<'_>) -> Vec<String> {
    let bad = bad_destinations(plan);
    let findings = plan.shops.iter().flat_map(|shop| &shop.findings);
    let others = findings.filter(|finding| {
        finding.severity == Severity::Attention
            && finding.kind != FindingKind::RemovedRemotely
            && bad_destination(finding).is_none()
    });
    let others = others.count();
    let sentences = bad.into_iter().map(|((name, verdict), shops)| {
        let what = match verdict {
            "disabled" => "which is disabled at Adobe, so the events are lost".to_owned(),
            "ingest_failing" => "where Adobe rejected records".to_owned(),
            other => format!("which has a problem at Adobe ({other})"),
        };
        format!("Live subscriptions {} send events to `{name}`, {what}.", place(plan, &shops))
    });
    let other = if others == 1 { "needs" } else { "need" };
    let others = (others > 0).then(|| format!("{} {other} attention (below).", plural(others, "finding")));
    sentences.chain(others).collect()
}

/// Returns the destinations with problems to which live subscriptions send events, with the verdict and the shops.
pub(super) fn bad_destinations<'a>(plan: &Plans<'a>) -> BTreeMap<(&'a str, &'a str), Vec<&'a Shop>> {
    let mut out = BTreeMap::<_, Vec<_>>::new();
    for shop in plan.shops.iter().copied() {
        for bad in shop.findings.iter().filter_map(bad_destination) {
            out.entry(bad).or_default().push(shop);
        }
    }
    out
}

fn bad_destination(finding: &Finding) -> Option<(&str, &str)> {
    let name = finding.details.get("destination")?.as_str()?;
    let verdict = finding.kind.as_str().strip_prefix("destination_")?;
    (finding.severity == Severity::Attention).then_some((name, verdict))
}
