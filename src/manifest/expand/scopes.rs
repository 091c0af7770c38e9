//! The scope lists of a manifest, and the topics that they do not allow.

use std::collections::HashMap;
use std::sync::Arc;

use super::Ready;
use crate::catalog;
use crate::diagnostic::Code;
use crate::manifest::decode::either;
use crate::manifest::document::{Span, Spanned};
use crate::manifest::findings::Reporter;
use crate::model::{Scope, ScopeSet, Topic};

/// A scope list, with a number for its content.
pub(in crate::manifest) struct Scopes {
    pub(in crate::manifest) id: usize,
    /// As written: what a shop should have granted.
    pub(in crate::manifest) written: ScopeSet,
    /// With what misspelt ones probably mean, so that one mistake is reported once.
    meant: ScopeSet,
}

#[derive(Default)]
pub(super) struct ScopeLists {
    /// By content and by whether misspelt scopes count as what they probably mean.
    lists: HashMap<(Vec<String>, bool), Arc<Scopes>>,
    /// The scopes that each list lacks for a topic.
    missing: HashMap<(usize, Topic), Option<Vec<&'static str>>>,
}

impl ScopeLists {
    /// Checks the scope list that counts for a shop.
    pub(super) fn of(&mut self, list: &Spanned<Vec<Spanned<Scope>>>, reporter: &mut Reporter<'_, '_>) -> Arc<Scopes> {
        let trusted = reporter.is_silenced(Code::UnknownScope);
        let meant = |scope: &Scope| if trusted { None } else { catalog::meant_scope(scope) };
        for at in &list.value {
            if let Some(meant) = meant(&at.value) {
                let message = format!("unknown scope `{}`; did you mean `{meant}`?", at.value);
                let hint =
                    format!("write {meant}; for a scope that is new at Shopify, write lint: {{ allow: [HW113] }}");
                reporter.report(reporter.diagnostic(Code::UnknownScope, at.span, message).hint(hint));
            }
        }
        let mut names: Vec<String> = list.value.iter().map(|at| at.value.as_str().to_owned()).collect();
        names.sort_unstable();
        let id = self.lists.len();
        let scopes = self.lists.entry((names, trusted)).or_insert_with(|| {
            let written = list.value.iter().map(|at| at.value.clone());
            let meant = written.clone().map(|scope| meant(&scope).unwrap_or(scope)).collect();
            Arc::new(Scopes { id, written: written.collect(), meant })
        });
        Arc::clone(scopes)
    }

    /// Reports a binding whose topic needs a scope that the list does not have.
    pub(super) fn coverage(&mut self, ready: &Ready, scopes: &Scopes, list: Span, reporter: &mut Reporter<'_, '_>) {
        let topic = &ready.entry.binding.topic;
        let missing = self.missing.entry((scopes.id, topic.clone()));
        let missing = missing.or_insert_with(|| catalog::missing_scopes(topic, &scopes.meant));
        let Some(missing) = missing else { return };
        if reporter.is_silenced(Code::ScopeMissing) {
            return;
        }
        let alternatives = either(missing);
        let message = format!("`scopes` do not allow `{topic}`: it needs {alternatives}");
        let hint = match missing.as_slice() {
            [only] => match only.strip_prefix("read_") {
                Some(rest) => format!("add {only} to `scopes` (write_{rest} brings it along)"),
                None => format!("add {only} to `scopes`"),
            },
            _ => "add one of them to `scopes`; a write_ scope brings its read_ scope along".to_owned(),
        };
        let diagnostic = reporter.diagnostic(Code::ScopeMissing, ready.span, message).hint(hint);
        reporter.report(diagnostic.related(reporter.place(list), "the scopes that count here"));
    }
}
