//! Collects diagnostics: folds the same warning of many shops into one, and drops silenced ones.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Deref;
use std::sync::Arc;

use crate::catalog;
use crate::diagnostic::{Code, Diagnostic, Place, Severity, Shops};
use crate::model::{ApiVersion, ShopDomain};
use crate::state::Source;

use super::document::Span;
use super::tree::TextRange;

/// Identifies a diagnostic for folding. Warnings with the same text are folded at all places, errors only if they have
/// one cause.
type Key = (Code, String, Option<Place>);

pub(super) struct Findings {
    files: Vec<Arc<str>>,
    allow: BTreeSet<Code>,
    /// Whether the catalogue knows the Admin API version; some problems are errors only in a known version.
    version_known: bool,
    order: Vec<Diagnostic>,
    index: HashMap<Key, Folded>,
    /// The remaining budget of comparisons for "did you mean" suggestions.
    suggestions: usize,
}

struct Folded {
    at: usize,
    last_shop: Option<ShopDomain>,
    /// The places of an error.
    places: HashSet<Place>,
}

/// Whether equal errors have one cause, such as a forgotten file: a missing definition is reported at each place that
/// names it.
fn has_one_cause(code: Code) -> bool {
    matches!(code, Code::UnknownDestination | Code::UnknownSet | Code::UnknownAccount | Code::NotOwned)
}

/// Reports problems of one shop, or of the parts that all shops share.
pub(super) struct Reporter<'f, 's> {
    findings: &'f mut Findings,
    /// `None` for the parts that all shops share, and for a shop with an invalid domain.
    shop: Option<&'s ShopDomain>,
    /// The codes that the shop silences, in addition to those that are silenced for all shops.
    allow: &'s [Code],
}

impl<'s> Reporter<'_, 's> {
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.findings.report_for(diagnostic, self.shop, self.allow);
    }

    /// Whether the manifest silences the code for this shop.
    pub(super) fn is_silenced(&self, code: Code) -> bool {
        self.findings.is_silenced(code, self.allow)
    }

    pub(super) fn shop(&self) -> Option<&'s ShopDomain> {
        self.shop
    }

    /// Returns the findings, for problems that do not belong to this shop only.
    pub(super) fn findings(&mut self) -> &mut Findings {
        self.findings
    }
}

/// Gives access to places and new diagnostics, which do not depend on the shop.
impl Deref for Reporter<'_, '_> {
    type Target = Findings;

    fn deref(&self) -> &Findings {
        self.findings
    }
}

impl Findings {
    pub(super) fn new(files: Vec<Arc<str>>, allow: BTreeSet<Code>) -> Self {
        Self { files, allow, version_known: true, order: Vec::new(), index: HashMap::new(), suggestions: 2_000_000 }
    }

    /// Returns empty findings with the same files and rules.
    pub(super) fn emptied(&self) -> Self {
        let Self { files, allow, version_known, suggestions, .. } = self;
        let (order, index) = (Vec::new(), HashMap::new());
        let (files, allow) = (files.clone(), allow.clone());
        Self { files, allow, version_known: *version_known, order, index, suggestions: *suggestions }
    }

    pub(super) fn set_version(&mut self, version: &ApiVersion) {
        self.version_known = catalog::knows_version(version);
    }

    /// Returns a reporter for one shop, with the codes that it silences.
    pub(super) fn of_shop<'s>(&mut self, shop: Option<&'s ShopDomain>, allow: &'s [Code]) -> Reporter<'_, 's> {
        Reporter { findings: self, shop, allow }
    }

    /// Returns a reporter for all shops.
    pub(super) fn of_all(&mut self) -> Reporter<'_, 'static> {
        self.of_shop(None, &[])
    }

    pub(super) fn place(&self, span: Span) -> Place {
        let TextRange { line, column, start, end } = span.range;
        let file = self.files.get(span.file as usize).cloned().unwrap_or_default();
        Place { file, line, column, start, end }
    }

    pub(super) fn file(&self, span: Span) -> Arc<str> {
        self.files.get(span.file as usize).cloned().unwrap_or_default()
    }

    pub(super) fn source(&self, span: Span) -> Source {
        Source { file: self.file(span), line: span.range.line }
    }

    pub(super) fn diagnostic(&self, code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        let severity = code.severity_in(self.version_known);
        Diagnostic { severity, ..Diagnostic::new(code, self.place(span), message) }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.report_for(diagnostic, None, &[]);
    }

    fn is_silenced(&self, code: Code, allow: &[Code]) -> bool {
        code.can_be_silenced() && (self.allow.contains(&code) || allow.contains(&code))
    }

    fn report_for(&mut self, mut diagnostic: Diagnostic, shop: Option<&ShopDomain>, allow: &[Code]) {
        if self.is_silenced(diagnostic.code, allow) {
            return;
        }
        let error = diagnostic.severity == Severity::Error;
        let place = (error && !has_one_cause(diagnostic.code)).then(|| diagnostic.place.clone());
        let key = (diagnostic.code, diagnostic.message.clone(), place);
        if let Some(folded) = self.index.get_mut(&key) {
            let Some(existing) = self.order.get_mut(folded.at) else { return };
            // Shops are checked one after another, so comparing with the last one is enough to count each shop once.
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

    /// Whether the budget allows a search among this many candidates.
    pub(super) fn may_suggest(&mut self, candidates: usize) -> bool {
        let affordable = self.suggestions >= candidates;
        self.suggestions = self.suggestions.saturating_sub(candidates);
        affordable
    }

    /// Removes and returns the collected diagnostics.
    pub(super) fn take_diagnostics(&mut self) -> Vec<Diagnostic> {
        self.index.clear();
        std::mem::take(&mut self.order)
    }
}
