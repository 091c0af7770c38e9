//! What an exchange came to, in words. No secret in it.

use std::fmt::Write as _;

use super::one::One;
use crate::auth::{Entry, Grant};
use crate::exit::Exit;
use crate::model::{Scope, ScopeSet};

/// A shop that is connected.
pub(super) struct Settled {
    pub(super) shop: String,
    pub(super) granted: Vec<String>,
    pub(super) missing: Vec<String>,
    kept: String,
}

impl Settled {
    pub(super) fn of(one: &One, grant: &Grant, kept: Option<(&Entry, String)>) -> Self {
        let granted: ScopeSet = grant.scopes.iter().map(|scope| Scope::observed(scope)).collect();
        let missing = one.wanted().into_iter().filter(|scope| !granted.grants(scope)).collect();
        let life = |entry: &Entry| match (&entry.expires_at, &entry.refresh) {
            (None, _) => "it has no end".to_owned(),
            (Some(end), None) => format!("it ends at {end}, and a login is needed then"),
            (Some(end), Some(refresh)) => match &refresh.expires_at {
                Some(last) => format!("it ends at {end} and is refreshed by itself, until {last}"),
                None => format!("it ends at {end} and is refreshed by itself"),
            },
        };
        let kept = match kept {
            Some((entry, place)) => format!("The token is kept in {place}; {}.", life(entry)),
            None => "The token was printed and is kept nowhere.".to_owned(),
        };
        Self { shop: one.shop().to_string(), granted: grant.scopes.clone(), missing, kept }
    }

    pub(super) fn exit(&self) -> Exit {
        if self.missing.is_empty() { Exit::Done } else { Exit::Changes }
    }

    pub(super) fn text(&self) -> String {
        let escape = crate::render::escape;
        let granted = if self.granted.is_empty() { "none".to_owned() } else { self.granted.join(", ") };
        let mut text =
            format!("{} is connected. {}\nGranted scopes: {}\n", self.shop, escape(&self.kept), escape(&granted));
        if !self.missing.is_empty() {
            let _ = writeln!(
                text,
                "Wanted, but not granted: {}\n  Add them to the app's configuration, release it, and log in again.",
                self.missing.join(", ")
            );
        }
        text
    }
}
