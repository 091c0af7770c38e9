//! Folds hazards into decisions: the hazards of one kind and state are one decision, with merged figures and one consent.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::document::Point;
use super::group::group_by;
use super::text::handle;
use crate::plan::{self, Consent, HazardName};
use crate::text::plural;
use crate::wire;
use crate::wire::plan::{Hazard, PlanConsent, Source};

/// The maximum number of shops for which separate consents are proposed.
const MAX_CONSENTS: usize = 10;

/// Hazards of one kind, of shops or of the run, with consent or without.
pub(super) struct Decision<'a> {
    pub(super) kind: &'a str,
    /// The shops, sorted; empty for a hazard of the run.
    pub(super) shops: Vec<&'a str>,
    /// The description with the figures of all hazards.
    pub(super) message: String,
    /// The values of `--allow` that consent to all of the hazards; empty if they have consent.
    pub(super) allow: Vec<String>,
    /// The consents that cover the hazards; empty if they have none.
    pub(super) consents: Vec<Given>,
    pub(super) hazards: Vec<&'a Hazard>,
}

/// A consent that covers a hazard.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Given {
    /// A value of `--allow`.
    Option(String),
    /// A consent of the manifest with its reason, its last day and its place.
    Manifest(String),
}

impl Given {
    /// Returns the consent as the text and the Markdown print it.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Option(allow) => format!("`--allow {allow}`"),
            Self::Manifest(text) => text.clone(),
        }
    }
}

/// The hazards of a plan, and what their presentation depends on.
#[derive(Clone, Copy)]
pub(super) struct Judged<'a> {
    pub(super) hazards: &'a [Hazard],
    pub(super) consents: &'a [PlanConsent],
    /// Values of `--allow`.
    pub(super) allowed: &'a [String],
    /// All shops of the plan.
    pub(super) shops: &'a [&'a str],
}

/// Folds the hazards of a plan.
pub(super) fn decisions<'a>(judged: Judged<'a>) -> Vec<Decision<'a>> {
    let given: Vec<Consent> = judged.allowed.iter().filter_map(|text| Consent::parse(text).ok()).collect();
    let covered = |hazard: &'a Hazard| {
        let name = HazardName::ALL.iter().copied().find(|name| name.as_str() == hazard.kind.as_str());
        let shop = hazard.shop.as_deref().map(crate::model::ShopDomain::parse).transpose().ok()?;
        let consent = given.iter().find(|consent| consent.covers(name, shop.as_ref()));
        consent.map(|consent| Given::Option(consent.as_str().to_owned()))
    };
    let consent = |hazard: &'a Hazard| match &hazard.consent {
        Some(allow) => Some(Given::Manifest(described(allow, judged.consents))),
        None => covered(hazard),
    };
    folded(judged.hazards.iter().map(|hazard| (hazard, consent(hazard))), judged.shops)
}

fn folded<'a>(hazards: impl Iterator<Item = (&'a Hazard, Option<Given>)>, all_shops: &[&str]) -> Vec<Decision<'a>> {
    let groups = group_by(hazards.map(|(hazard, consent)| {
        let key = (hazard.kind.as_str(), hazard.shop.is_some(), consent.is_some());
        (key, "", (hazard, consent))
    }));
    let decisions = groups.into_iter().map(|((kind, _, has_consent), members)| {
        let consents: BTreeSet<Given> = members.iter().filter_map(|(_, (_, consent))| consent.clone()).collect();
        let hazards: Vec<&Hazard> = members.into_iter().map(|(_, (hazard, _))| hazard).collect();
        let shops: BTreeSet<&str> = hazards.iter().filter_map(|hazard| hazard.shop.as_deref()).collect();
        let shops: Vec<&str> = shops.into_iter().collect();
        Decision {
            kind,
            message: merged(&hazards),
            allow: if has_consent { Vec::new() } else { patterns(&hazards, &shops, all_shops) },
            shops,
            consents: consents.into_iter().collect(),
            hazards,
        }
    });
    decisions.collect()
}

/// Returns the description of several hazards of one kind.
fn merged(hazards: &[&Hazard]) -> String {
    let Some(first) = hazards.first() else { return String::new() };
    if hazards.iter().all(|hazard| hazard.message == first.message) {
        return first.message.clone();
    }
    let known: Option<Vec<plan::Hazard>> = hazards.iter().map(|hazard| wire::plan::to_hazard(hazard)).collect();
    let message = known.and_then(|known| plan::merged_message(&known));
    message.unwrap_or_else(|| format!("for example: {}", first.message))
}

/// Returns the consents that cover these hazards of one kind, and no others if that is possible: the handle of one shop; the
/// common prefix, if no other shop of the plan has it; up to [`MAX_CONSENTS`] handles; otherwise all shops.
fn patterns(hazards: &[&Hazard], shops: &[&str], all_shops: &[&str]) -> Vec<String> {
    let (Some(first), Some(shop)) = (hazards.first(), shops.first()) else {
        return hazards.iter().map(|hazard| hazard.allow.clone()).take(1).collect();
    };
    if let [one] = hazards {
        return vec![one.allow.clone()];
    }
    let kind = first.kind.as_str();
    let others: Vec<&str> =
        all_shops.iter().filter(|other| shops.binary_search(other).is_err()).map(|other| handle(other)).collect();
    let shop = handle(shop);
    let common = |start: &str| shops.iter().all(|shop| handle(shop).starts_with(start));
    let starts = shop.char_indices().map(|(at, c)| &shop[..at + c.len_utf8()]);
    let longest = starts.take_while(|start| common(start)).last();
    match longest.filter(|start| !others.iter().any(|other| other.starts_with(start))) {
        Some(start) => vec![format!("{kind}:{start}*")],
        None if hazards.len() <= MAX_CONSENTS => hazards.iter().map(|hazard| hazard.allow.clone()).collect(),
        None => vec![format!("{kind}:*")],
    }
}

/// Returns a consent of the manifest with its reason, its last day and its place.
fn described(allow: &str, consents: &[PlanConsent]) -> String {
    let Some(consent) = consents.iter().find(|consent| consent.allow == allow) else { return format!("`{allow}`") };
    let PlanConsent { allow, reason, expires, source: Source { file, line }, covers: _ } = consent;
    format!("`{allow}` until {expires}: {reason} ({file}:{line})")
}

/// Returns how many of the decisions have consent, and what happens without it.
pub(super) fn state(decisions: &[Decision<'_>]) -> String {
    let all = plural(decisions.len(), "hazard");
    let with = decisions.iter().filter(|decision| decision.allow.is_empty()).count();
    let without = decisions.len() - with;
    let (need, has) = (if without == 1 { "needs" } else { "need" }, if with == 1 { "has" } else { "have" });
    let refused = "without it, `hookwright apply` sends nothing";
    match (with, without) {
        (0, _) => format!("{all} {need} consent; {refused}"),
        (_, 0) => format!("{all} {has} consent"),
        _ => format!("{all}: {with} {has} consent, {without} {need} consent; {refused}"),
    }
}

/// Returns the consents that cover no hazard.
pub(super) fn unused<'a>(consents: &[PlanConsent]) -> Vec<Point<'a>> {
    let unused = consents.iter().filter(|consent| consent.covers.is_empty());
    let words = unused.map(|PlanConsent { allow, reason, expires, source: Source { file, line }, covers: _ }| {
        Point::Words(format!(
            "the consent `{allow}` covers no hazard of this plan (until {expires}: {reason}; {file}:{line})"
        ))
    });
    words.collect()
}

/// Returns a value of `--allow` as an option for a shell.
pub(super) fn option(allow: &str) -> String {
    if allow.contains('*') { format!("--allow '{allow}'") } else { format!("--allow {allow}") }
}

/// Returns the lines of a manifest that consent to hazards.
pub(super) fn yaml<'a>(allow: impl IntoIterator<Item = &'a String>, expires: Date) -> Vec<String> {
    let item = |allow: &String| {
        [format!("  - allow: \"{allow}\""), "    reason: \"…\"".to_owned(), format!("    expires: {expires}")]
    };
    std::iter::once("consents:".to_owned()).chain(allow.into_iter().flat_map(item)).collect()
}

/// Hazards without consent, and how to consent to them.
pub(crate) struct Refused {
    /// A line for each decision.
    pub(crate) lines: Vec<String>,
    /// The options of a command that consent to all.
    pub(crate) options: String,
    /// The lines of a manifest that consent to all.
    pub(crate) yaml: Vec<String>,
}

/// Describes hazards without consent in a plan with these shops. `expires` is the last day of the proposed consents.
pub(crate) fn refused(hazards: &[Hazard], shops: &[&str], expires: Date) -> Refused {
    let decisions = folded(hazards.iter().map(|hazard| (hazard, None)), shops);
    let line = |decision: &Decision<'_>| {
        let Decision { kind, shops, message, .. } = decision;
        match &shops[..] {
            [] => format!("{kind}: {message}"),
            [shop] => format!("{kind}, {shop}: {message}"),
            many => format!("{kind}, {}: {message}", super::text::title(many, &super::Style::default())),
        }
    };
    let allow: BTreeSet<&String> = decisions.iter().flat_map(|decision| &decision.allow).collect();
    Refused {
        lines: decisions.iter().map(line).collect(),
        options: allow.iter().map(|allow| option(allow)).collect::<Vec<_>>().join(" "),
        yaml: yaml(allow.iter().copied(), expires),
    }
}

#[cfg(test)]
mod tests {
    use super::super::support::hazard;
    use super::*;

    #[test]
    fn the_proposed_consent_matches_only_the_shops_with_the_hazard_if_that_is_possible() {
        let proposed = |shops: &[&str], others: &[&str]| {
            let hazards: Vec<Hazard> = shops.iter().map(|shop| hazard("empty_shop", Some(shop), "gone")).collect();
            let all: Vec<String> = shops.iter().chain(others).map(|shop| format!("{shop}.myshopify.com")).collect();
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            refused(&hazards, &all, jiff::civil::date(2026, 12, 11)).options
        };
        assert_eq!(proposed(&["acme"], &["acme-2"]), "--allow empty_shop:acme");
        assert_eq!(proposed(&["acme-de", "acme-fr"], &["apex"]), "--allow 'empty_shop:acme-*'");
        let each = "--allow empty_shop:acme-de --allow empty_shop:acme-fr";
        assert_eq!(proposed(&["acme-de", "acme-fr"], &["acme-us"]), each, "a prefix would match acme-us");
        let many: Vec<String> = ('a'..='k').map(|c| format!("{c}-shop")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(proposed(&many, &["z"]), "--allow 'empty_shop:*'");
        assert_eq!(proposed(&many[..10], &["z"]).matches("--allow").count(), 10);
        let of_run = [hazard("max_total_delete_percent", None, "deletes 6 of 50")];
        assert_eq!(refused(&of_run, &[], jiff::civil::date(2026, 12, 11)).options, "--allow max_total_delete_percent");
    }
}
