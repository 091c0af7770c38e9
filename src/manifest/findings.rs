//! Collects what the checks find: the same warning over many shops once, what is silenced not at all.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Deref;
use std::sync::Arc;

use crate::catalog;
use crate::diagnostic::{Code, Diagnostic, Place, Severity, Shops};
use crate::model::{ApiVersion, ShopDomain};
use crate::state::Source;

use super::document::Span;
use super::tree::TextRange;

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

/// Reports problems of one shop, or of what all shops share.
pub(super) struct Reporter<'f, 's> {
    findings: &'f mut Findings,
    /// `None` for what all shops share, and for a shop whose domain is broken.
    shop: Option<&'s ShopDomain>,
    /// The codes that the shop silences, besides those that are silenced for all shops.
    allow: &'s [Code],
}

impl<'s> Reporter<'_, 's> {
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.findings.report_for(diagnostic, self.shop, self.allow);
    }

    /// Whether the manifest silences this code here.
    pub(super) fn is_silenced(&self, code: Code) -> bool {
        self.findings.is_silenced(code, self.allow)
    }

    pub(super) fn shop(&self) -> Option<&'s ShopDomain> {
        self.shop
    }

    /// The findings, for problems that are not this shop's alone.
    pub(super) fn findings(&mut self) -> &mut Findings {
        self.findings
    }
}

/// For places and new diagnostics, which are the same for every shop.
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

    /// No findings yet, with the same files and rules.
    pub(super) fn emptied(&self) -> Self {
        let Self { files, allow, version_known, suggestions, .. } = self;
        let (order, index) = (Vec::new(), HashMap::new());
        let (files, allow) = (files.clone(), allow.clone());
        Self { files, allow, version_known: *version_known, order, index, suggestions: *suggestions }
    }

    pub(super) fn set_version(&mut self, version: &ApiVersion) {
        self.version_known = catalog::knows_version(version);
    }

    /// Reports for one shop, with the codes that it silences.
    pub(super) fn of_shop<'s>(&mut self, shop: Option<&'s ShopDomain>, allow: &'s [Code]) -> Reporter<'_, 's> {
        Reporter { findings: self, shop, allow }
    }

    /// Reports for all shops.
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

    /// Takes what was found until now.
    pub(super) fn take_diagnostics(&mut self) -> Vec<Diagnostic> {
        self.index.clear();
        std::mem::take(&mut self.order)
    }
}
