//! Collects what the checks find: the same warning over many shops once, what is silenced not at all.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::catalog;
use crate::diagnostic::{Code, Diagnostic, Place, Severity, Shops};
use crate::model::{ApiVersion, ShopDomain};

use super::document::Spot;
use super::tree::Span;

/// Identifies a diagnostic for folding. Warnings with the same text are one wherever they stand, errors only if they
/// have one cause.
type Key = (Code, String, Option<Place>);

pub(super) struct Findings {
    files: Vec<Arc<str>>,
    allow: BTreeSet<Code>,
    /// Whether the catalogue knows the Admin API version; some problems are errors only there.
    version_known: bool,
    order: Vec<Diagnostic>,
    index: HashMap<Key, Folded>,
    /// Did-you-mean comparisons that are still affordable.
    suggestions: usize,
}

struct Folded {
    at: usize,
    last_shop: Option<ShopDomain>,
    /// Where an error stands.
    places: HashSet<Place>,
}

/// Whether equal errors come from one mistake, such as a file that was forgotten: what is missing is missing wherever it
/// is named.
fn has_one_cause(code: Code) -> bool {
    matches!(code, Code::UnknownDestination | Code::UnknownSet | Code::UnknownAccount | Code::NotOwned)
}

/// On whose behalf something is reported.
#[derive(Clone, Copy, Default)]
pub(super) struct Behalf<'a> {
    /// The shop; `None` where it is a matter of all, or where the shop's domain is broken.
    pub(super) shop: Option<&'a ShopDomain>,
    /// What the shop silences besides what all do.
    pub(super) allow: &'a [Code],
}

impl Findings {
    pub(super) fn new(files: Vec<Arc<str>>, allow: BTreeSet<Code>) -> Self {
        Self { files, allow, version_known: true, order: Vec::new(), index: HashMap::new(), suggestions: 2_000_000 }
    }

    pub(super) fn set_version(&mut self, version: &ApiVersion) {
        self.version_known = catalog::knows_version(version);
    }

    pub(super) fn place(&self, spot: Spot) -> Place {
        let Span { line, column, start, end } = spot.span;
        let file = self.files.get(spot.file as usize).cloned().unwrap_or_default();
        Place { file, line, column, start, end }
    }

    pub(super) fn file(&self, spot: Spot) -> Arc<str> {
        self.files.get(spot.file as usize).cloned().unwrap_or_default()
    }

    pub(super) fn diagnostic(&self, code: Code, spot: Spot, message: impl Into<String>) -> Diagnostic {
        let severity = code.severity_in(self.version_known);
        Diagnostic { severity, ..Diagnostic::new(code, self.place(spot), message) }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.report_for(diagnostic, Behalf::default());
    }

    /// Whether the manifest silences this code.
    pub(super) fn is_silenced(&self, code: Code, behalf: Behalf<'_>) -> bool {
        code.can_be_silenced() && (self.allow.contains(&code) || behalf.allow.contains(&code))
    }

    pub(super) fn report_for(&mut self, mut diagnostic: Diagnostic, behalf: Behalf<'_>) {
        if self.is_silenced(diagnostic.code, behalf) {
            return;
        }
        let error = diagnostic.severity == Severity::Error;
        let place = (error && !has_one_cause(diagnostic.code)).then(|| diagnostic.place.clone());
        let key = (diagnostic.code, diagnostic.message.clone(), place);
        let shop = behalf.shop;
        if let Some(folded) = self.index.get_mut(&key) {
            let Some(existing) = self.order.get_mut(folded.at) else { return };
            // Shops come one after another, so the last one is enough to count each once.
            if let Some(shop) = shop.filter(|shop| folded.last_shop.as_ref() != Some(shop)) {
                folded.last_shop = Some(shop.clone());
                match &mut existing.shops {
                    Some(shops) => shops.others.push(shop.clone()),
                    none => *none = Some(Shops { first: shop.clone(), others: Vec::new() }),
                }
            }
            if error && folded.places.insert(diagnostic.place.clone()) {
                existing.also.push(diagnostic.place);
            }
            return;
        }
        diagnostic.shops = shop.map(|shop| Shops { first: shop.clone(), others: Vec::new() });
        let places = HashSet::from([diagnostic.place.clone()]);
        self.index.insert(key, Folded { at: self.order.len(), last_shop: shop.cloned(), places });
        self.order.push(diagnostic);
    }

    /// Whether a search among this many candidates is still affordable.
    pub(super) fn may_suggest(&mut self, candidates: usize) -> bool {
        let affordable = self.suggestions >= candidates;
        self.suggestions = self.suggestions.saturating_sub(candidates);
        affordable
    }

    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.order
    }
}
