//! The scope lists of a manifest, and checks of topics against them.

use std::collections::HashMap;
use std::sync::Arc;

use super::Ready;
use crate::catalog;
use crate::diagnostic::Code;
use crate::manifest::decode::either;
use crate::manifest::document::{Span, Spanned};
use crate::manifest::findings::Reporter;
use crate::model::{Scope, ScopeSet, Topic};

/// A scope list with an id for its content.
pub(in crate::manifest) struct Scopes {
    pub(in crate::manifest) id: usize,
    /// The scopes as written, which a shop should have granted.
    pub(in crate::manifest) written: ScopeSet,
    /// The scopes with misspelt ones replaced, so that one mistake is reported once.
    meant: ScopeSet,
}

#[derive(Default)]
pub(super) struct ScopeLists {
    /// The lists by content, and by whether misspelt scopes are kept as written.
    lists: HashMap<(Vec<String>, bool), Arc<Scopes>>,
    /// The scopes of which a list lacks one, for each topic.
    missing: HashMap<(usize, Topic), Option<Vec<&'static str>>>,
}

impl ScopeLists {
    /// Checks the scope list that applies to a shop.
    pub(super) fn of(&mut self, list: &Spanned<Vec<Spanned<Scope>>>, reporter: &mut Reporter<'_, '_>) -> Arc<Scopes> {
        let trusted = reporter.is_silenced(Code::UnknownScope);
        let meant = |scope: &Scope| if trusted { None } else { catalog::meant_scope(scope) };
        for at in &list.value {
            if let Some(meant) = meant(&at.value) {
                let message = format!("unknown scope `{}`", at.value);
                let hint = format!(
                    "did you mean `{meant}`? If the scope is new at Shopify, write `lint: {{ allow: [HW113] }}`"
                );
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

    /// Reports a binding whose topic needs a scope that is not in the list.
    pub(super) fn coverage(&mut self, ready: &Ready, scopes: &Scopes, list: Span, reporter: &mut Reporter<'_, '_>) {
        let topic = &ready.entry.binding.topic;
        let missing = self.missing.entry((scopes.id, topic.clone()));
        let missing = missing.or_insert_with(|| catalog::missing_scopes(topic, &scopes.meant));
        let Some(missing) = missing else { return };
        if reporter.is_silenced(Code::ScopeMissing) {
            return;
        }
        let alternatives = either(missing);
        let message = format!("`scopes` do not allow the topic `{topic}`, which needs {alternatives}");
        let hint = match missing.as_slice() {
            [only] => match only.strip_prefix("read_") {
                Some(rest) => format!("add `{only}` to `scopes`; `write_{rest}` includes it"),
                None => format!("add `{only}` to `scopes`"),
            },
            _ => "add one of them to `scopes`; a `write_` scope includes its `read_` scope".to_owned(),
        };
        let diagnostic = reporter.diagnostic(Code::ScopeMissing, ready.span, message).hint(hint);
        reporter.report(diagnostic.related(reporter.place(list), "the scopes that apply here"));
    }
}
