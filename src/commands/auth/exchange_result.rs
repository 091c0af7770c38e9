//! The result of exchanging an authorization code or a token. Contains no secret.

use std::fmt::Write as _;

use crate::auth::{Entry, Grant};
use crate::exit::Exit;
use crate::model::{Scope, ScopeSet, ShopDomain};

/// A connected shop.
pub(super) struct ExchangeResult {
    pub(super) shop: String,
    pub(super) granted: Vec<String>,
    pub(super) missing: Vec<String>,
    /// Where the token is, and when it expires, as sentences.
    storage: String,
}

impl ExchangeResult {
    /// Creates a result. `wanted`: the scopes in the manifest. `stored`: the entry in the token store and the store's
    /// path; `None`: the token was printed.
    pub(super) fn new(shop: &ShopDomain, wanted: Vec<String>, grant: &Grant, stored: Option<(&Entry, String)>) -> Self {
        let granted: ScopeSet = grant.scopes.iter().map(|scope| Scope::observed(scope)).collect();
        let missing = wanted.into_iter().filter(|scope| !granted.grants(scope)).collect();
        let storage = match stored {
            Some((entry, path)) => format!("The token is stored in {path}; {}.", expiry(entry)),
            None => "The token was printed and is not stored.".to_owned(),
        };
        Self { shop: shop.to_string(), granted: grant.scopes.clone(), missing, storage }
    }

    pub(super) fn exit(&self) -> Exit {
        if self.missing.is_empty() { Exit::Done } else { Exit::Changes }
    }

    pub(super) fn text(&self) -> String {
        let escape = crate::text::escape;
        let granted = if self.granted.is_empty() { "none".to_owned() } else { self.granted.join(", ") };
        let mut text =
            format!("{} is connected. {}\nGranted scopes: {}\n", self.shop, escape(&self.storage), escape(&granted));
        if !self.missing.is_empty() {
            let _ = writeln!(
                text,
                "Missing scopes: {}\n  help: add them to the app's configuration, release it, and log in again",
                self.missing.join(", ")
            );
        }
        text
    }
}

fn expiry(entry: &Entry) -> String {
    match (&entry.expires_at, &entry.refresh) {
        (None, _) => "it does not expire".to_owned(),
        (Some(end), None) => format!("it expires at {end}, and then requires a new login"),
        (Some(end), Some(refresh)) => match &refresh.expires_at {
            Some(last) => format!("it expires at {end} and is refreshed automatically until {last}"),
            None => format!("it expires at {end} and is refreshed automatically"),
        },
    }
}
