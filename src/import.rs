//! Observed states as a manifest: what is live in some shops, written down so that a plan right after it is empty.
//!
//! Pure. `select` decides what of a shop can be written and says what cannot, `factor` finds what shops share, `name`
//! gives it names, `document` writes text and `comments` says what is missing. Whether a binding can be written is not decided here: `manifest` is asked, so
//! that what comes out passes `validate` by construction. The result depends on what is live, never on its order.

mod binding;
mod comments;
mod document;
mod factor;
mod name;
mod scalar;
mod select;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::manifest::AdminApi;
use crate::model::{Address, ScopeSet, ShopDomain};
use crate::state::{Observed, Ownership};

/// What is to be written down.
#[derive(Debug)]
pub(crate) struct Request {
    /// Written as it is: what was read depends on it.
    pub admin_api: AdminApi,
    /// Which of the live subscriptions are managed.
    pub ownership: Ownership,
    /// Takes unmanaged ones, too, and adds the prefixes that they need.
    pub all: bool,
    /// Names that addresses have already, one pair for each shop that has it.
    pub destinations: Vec<(String, Address)>,
    /// The shops that were read.
    pub shops: Vec<ReadShop>,
    /// The shops that were not.
    pub unread: Vec<Unread>,
}

/// One shop that was read.
#[derive(Debug)]
pub(crate) struct ReadShop {
    /// Whose.
    pub shop: ShopDomain,
    /// Written as they are.
    pub labels: BTreeMap<String, String>,
    /// Written as they are.
    pub tolerate: Vec<&'static str>,
    /// How its token is had, in the shape of the manifest.
    pub auth: Option<Value>,
    /// The scopes to write, if any are to be written.
    pub scopes: Option<ScopeSet>,
    /// What is live.
    pub observed: Observed,
}

/// One shop of which nothing is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unread {
    /// Whose.
    pub shop: ShopDomain,
    /// Why it was not read.
    pub why: String,
}

/// A live subscription that no manifest can ask for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Refused {
    /// Whose.
    pub shop: ShopDomain,
    /// Its topic.
    pub topic: String,
    /// Its GraphQL id.
    pub id: String,
    /// What `validate` would say.
    pub why: String,
    /// Whether the written manifest manages its address, so that a plan deletes it.
    pub managed: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Imported {
    /// The manifest.
    pub yaml: String,
    /// Subscriptions that it holds.
    pub written: usize,
    /// Subscriptions outside the ownership rule that it does not hold.
    pub unmanaged: usize,
    /// What could not be written, sorted.
    pub refused: Vec<Refused>,
}

/// Writes the manifest for what is live.
pub(crate) fn import(mut request: Request) -> Imported {
    request.shops.sort_by(|a, b| a.shop.cmp(&b.shop));
    request.unread.sort();
    let selected = select::select(&request);
    let factored = factor::factor(&selected.shops, &request.destinations);
    let document = document::Document::new(&request, &selected, factored);
    let header = comments::header(&request, &selected, &document);
    Imported {
        yaml: document.write(&header),
        written: selected.shops.iter().map(select::SelectedShop::count).sum(),
        unmanaged: selected.unmanaged.iter().map(|(_, count)| count).sum(),
        refused: selected.refused,
    }
}

#[cfg(test)]
mod tests;
