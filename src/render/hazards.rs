//! Groups hazards by kind, and lists those without consent.

use std::collections::BTreeSet;

use super::group::group_by;
use crate::text::plural;
use crate::wire::plan::Hazard;

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

/// Returns a line for each hazard without consent, or for many of a kind, and the remedy: the options that consent to all.
pub(crate) fn refused(hazards: &[&Hazard]) -> (Vec<String>, String) {
    let (mut lines, mut consents) = (Vec::new(), BTreeSet::new());
    for group in by_kind(hazards.iter().copied(), MAX_HAZARDS) {
        match group {
            Hazards::Together { kind, shops, example } => {
                lines.push(format!("{kind}: {}; for example: {example}", plural(shops.len(), "shop")));
                consents.insert(format!("--allow '{kind}:*'"));
            }
            Hazards::Each(all) => {
                for Hazard { kind, shop, message, allow, details: _ } in all {
                    let shop = shop.as_ref().map_or_else(String::new, |shop| format!(", {shop}"));
                    lines.push(format!("{kind}{shop}: {message}"));
                    consents.insert(format!("--allow {allow}"));
                }
            }
        }
    }
    (lines, format!("to consent, add `{}`", consents.into_iter().collect::<Vec<_>>().join(" ")))
}
