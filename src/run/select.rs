//! Selects shops of a manifest by the command line, and explains an empty selection.

use std::collections::BTreeSet;

use crate::cli::SelectArgs;
use crate::error::Failure;
use crate::manifest::{Manifest, ShopIndex, suggest};
use crate::model::ShopPattern;
use crate::select::{Selection, Terms};
use crate::text::plural;

/// Maximum number of names in a message. If there are more, the message has their number.
const LISTED: usize = 10;

/// Converts the options to terms of a selection.
pub(super) fn terms(select: &SelectArgs) -> Terms<'_> {
    Terms {
        shop: &select.shop,
        exclude_shop: &select.exclude_shop,
        label: &select.label,
        shard: select.shard.as_deref(),
        shard_index: select.shard_index.zip(select.shard_count),
    }
}

/// Returns the shops that the options select, as indices into the manifest.
pub(crate) fn select(manifest: &Manifest, select: &SelectArgs) -> Result<Vec<ShopIndex>, Failure> {
    let terms = terms(select);
    let selection = Selection::parse(&terms).map_err(Failure::invalid)?;
    selected(manifest, &selection, &terms)
}

/// Returns the selected shops, as indices into the manifest. Fails if no shop matches, or if a shop that is given by
/// name does not exist.
pub(super) fn selected(
    manifest: &Manifest,
    selection: &Selection,
    terms: &Terms<'_>,
) -> Result<Vec<ShopIndex>, Failure> {
    let matches = |pattern: &ShopPattern| manifest.shops.iter().any(|shop| pattern.matches(&shop.shop));
    let unmatched = || terms.shop.iter().zip(selection.only()).filter(|(_, pattern)| !matches(pattern));
    // A misspelt name among others would be ignored without notice. A pattern may match nothing.
    if let Some((name, _)) = unmatched().find(|(text, _)| !text.contains(['*', '?', '[', '{'])) {
        return Err(no_such_shop(manifest, name));
    }
    let matching: Vec<ShopIndex> = manifest
        .indexed_shops()
        .filter(|(_, shop)| selection.matches(&shop.shop, |key| shop.labels.get(key).map(String::as_str)))
        .map(|(at, _)| at)
        .collect();
    if matching.is_empty() {
        let unmatched = unmatched().next().map(|(text, _)| no_such_shop(manifest, text));
        return Err(unmatched.unwrap_or_else(|| nothing(manifest, selection)));
    }
    Ok(matching.into_iter().filter(|&at| selection.in_shard(&manifest[at].shop)).collect())
}

fn no_such_shop(manifest: &Manifest, text: &str) -> Failure {
    let handles = || manifest.shops.iter().map(|shop| shop.shop.handle());
    let hint = meant_shop(manifest, text).unwrap_or_else(|| the_manifest_has("shops", handles().collect()));
    let hint = if text.contains(',') {
        "commas do not separate shops; repeat `--shop` for each shop".to_owned()
    } else {
        hint
    };
    Failure::invalid(format!("`--shop {text}` matches no shop in the manifest")).hint(hint)
}

/// Returns a question with the most similar shop in the manifest, if there is one.
pub(crate) fn meant_shop(manifest: &Manifest, text: &str) -> Option<String> {
    let handle = text.strip_suffix(".myshopify.com").unwrap_or(text);
    let meant = suggest::closest(handle, manifest.shops.iter().map(|shop| shop.shop.handle()))?;
    Some(format!("did you mean `--shop {meant}`?"))
}

/// Explains why no shop is selected: names the first label that no shop has.
fn nothing(manifest: &Manifest, selection: &Selection) -> Failure {
    let keys = || manifest.shops.iter().flat_map(|shop| shop.labels.keys()).map(|key| &**key).collect::<BTreeSet<_>>();
    let values = |key: &str| {
        manifest.shops.iter().filter_map(|shop| shop.labels.get(key)).map(|v| &**v).collect::<BTreeSet<&str>>()
    };
    for (key, value) in selection.wanted_labels() {
        let known = values(key);
        if known.is_empty() {
            let failure = Failure::invalid(format!("no shop in the manifest has a label with the key `{key}`"));
            return failure.hint(meant(key, keys()).unwrap_or_else(|| the_manifest_has("label keys", keys())));
        }
        if !known.contains(value) {
            let failure = Failure::invalid(format!("no shop in the manifest has the label `{key}={value}`"));
            let hint = meant(value, known.clone())
                .unwrap_or_else(|| the_manifest_has(&format!("values of the label `{key}`"), known));
            return failure.hint(hint);
        }
    }
    let hint = format!(
        "`--shop`, `--exclude-shop` and `--label` exclude every shop in the manifest ({})",
        plural(manifest.shops.len(), "shop")
    );
    Failure::invalid("the selection matches no shop").hint(hint)
}

fn meant(word: &str, known: BTreeSet<&str>) -> Option<String> {
    suggest::closest(word, known.into_iter()).map(|meant| format!("did you mean `{meant}`?"))
}

fn the_manifest_has(what: &str, known: BTreeSet<&str>) -> String {
    let names: Vec<&str> = known.into_iter().collect();
    match names.len() {
        0 => format!("the manifest has no {what}"),
        n if n > LISTED => format!("the manifest has {n} {what}, such as {}", names[0]),
        _ => format!("the manifest has these {what}: {}", names.join(", ")),
    }
}
