//! Groups hazards by kind, and lists those without consent.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::document::Point;
use super::group::group_by;
use crate::text::plural;
use crate::wire::plan::{Hazard, PlanConsent, Source};

/// The maximum number of hazards of one kind that are listed separately.
pub(super) const MAX_HAZARDS: usize = 5;

/// Hazards of one kind, listed separately, or together if there are many.
pub(super) enum Hazards<'a> {
    Each(Vec<&'a Hazard>),
    /// Many hazards of shops.
    Together {
        kind: &'a str,
        /// The shops, sorted.
        shops: Vec<&'a str>,
        /// The message of the first hazard.
        example: &'a str,
    },
}

/// Groups hazards by kind; hazards of shops and hazards of the run are separate. More than `most` of a kind are one group.
pub(super) fn by_kind<'a>(hazards: impl IntoIterator<Item = &'a Hazard>, most: usize) -> Vec<Hazards<'a>> {
    let kinds = group_by(hazards.into_iter().map(|h| ((h.kind.as_str(), h.shop.is_some()), "", h)));
    let kinds = kinds.into_iter().map(|((kind, of_shops), group)| {
        let group: Vec<&Hazard> = group.into_iter().map(|(_, hazard)| hazard).collect();
        match group.first() {
            Some(first) if of_shops && group.len() > most => {
                let shops: BTreeSet<&str> = group.iter().filter_map(|h| h.shop.as_deref()).collect();
                Hazards::Together { kind, shops: shops.into_iter().collect(), example: &first.message }
            }
            _ => Hazards::Each(group),
        }
    });
    kinds.collect()
}

/// Returns how many hazards have consent, and what happens without it.
pub(super) fn state(hazards: &[Hazard]) -> String {
    let all = plural(hazards.len(), "hazard");
    let without = hazards.iter().filter(|hazard| hazard.consent.is_none()).count();
    let (need, has) = (verb(without, "needs", "need"), verb(hazards.len() - without, "has", "have"));
    let refused = "without it, `hookwright apply` sends nothing";
    match hazards.len() - without {
        0 => format!("{all} {need} consent; {refused}"),
        with if without == 0 => format!("{all} {has} consent", all = plural(with, "hazard")),
        with => format!("{all}: {with} {has} consent, {without} {need} consent; {refused}"),
    }
}

fn verb(n: usize, one: &'static str, several: &'static str) -> &'static str {
    if n == 1 { one } else { several }
}

/// Returns the consents that cover no hazard.
pub(super) fn unused<'a>(consents: &[PlanConsent]) -> Vec<Point<'a>> {
    let unused = consents.iter().filter(|consent| consent.covers.is_empty());
    let words = unused.map(|PlanConsent { allow, reason, expires, source, covers: _ }| {
        let Source { file, line } = source;
        Point::Words(format!(
            "the consent `{allow}` covers no hazard of this plan ({file}:{line}, valid until {expires}): {reason}"
        ))
    });
    words.collect()
}

/// Hazards without consent, and how to consent to them.
pub(crate) struct Refused {
    /// A line for each hazard, or for many of a kind.
    pub(crate) lines: Vec<String>,
    /// The values of `--allow` that consent to all, sorted.
    pub(crate) consents: BTreeSet<String>,
}

/// Describes hazards without consent.
pub(crate) fn refused(hazards: &[&Hazard]) -> Refused {
    let (mut lines, mut consents) = (Vec::new(), BTreeSet::new());
    for group in by_kind(hazards.iter().copied(), MAX_HAZARDS) {
        match group {
            Hazards::Together { kind, shops, example } => {
                lines.push(format!("{kind}: {}; for example: {example}", plural(shops.len(), "shop")));
                consents.insert(format!("{kind}:*"));
            }
            Hazards::Each(all) => {
                for Hazard { kind, shop, message, allow, .. } in all {
                    let shop = shop.as_ref().map_or_else(String::new, |shop| format!(", {shop}"));
                    lines.push(format!("{kind}{shop}: {message}"));
                    consents.insert(allow.clone());
                }
            }
        }
    }
    Refused { lines, consents }
}

impl Refused {
    /// Returns the options of a command that consent to all.
    pub(crate) fn options(&self) -> String {
        let option = |consent: &String| match consent.contains('*') {
            true => format!("--allow '{consent}'"),
            false => format!("--allow {consent}"),
        };
        self.consents.iter().map(option).collect::<Vec<_>>().join(" ")
    }

    /// Returns the lines of a manifest that consent to all.
    pub(crate) fn yaml(&self, expires: Date) -> Vec<String> {
        let item = |consent: &String| {
            [format!("  - allow: \"{consent}\""), "    reason: \"…\"".to_owned(), format!("    expires: {expires}")]
        };
        std::iter::once("consents:".to_owned()).chain(self.consents.iter().flat_map(item)).collect()
    }
}
