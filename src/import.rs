//! Turns observed states into a manifest, so that a plan directly after the import is empty.
//!
//! Pure. `select` decides which subscriptions of a shop the manifest can contain, `factor` finds what shops have in
//! common, `name` creates names, `document` writes the text, and `comments` lists what is missing. `manifest` decides
//! whether a binding is valid, so that the result passes `validate` by construction. The result does not depend on the
//! order of the subscriptions.

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

/// The input of an import.
#[derive(Debug)]
pub(crate) struct Request {
    /// The Admin API that was read with; written unchanged.
    pub admin_api: AdminApi,
    /// The rule that decides which live subscriptions are managed.
    pub ownership: Ownership,
    /// Whether to include unmanaged subscriptions, and add the prefixes that they need.
    pub all: bool,
    /// Existing names of addresses, one pair for each shop that has the name.
    pub destinations: Vec<(String, Address)>,
    /// The shops that were read.
    pub shops: Vec<ReadShop>,
    /// The shops that were not read.
    pub unread: Vec<Unread>,
}

/// One shop that was read.
#[derive(Debug)]
pub(crate) struct ReadShop {
    /// The shop.
    pub shop: ShopDomain,
    /// Its labels, written unchanged.
    pub labels: BTreeMap<String, String>,
    /// Its tolerated states, written unchanged.
    pub tolerate: Vec<&'static str>,
    /// The source of its token, in the shape of the manifest.
    pub auth: Option<Value>,
    /// The scopes to write, if any.
    pub scopes: Option<ScopeSet>,
    /// Its live subscriptions.
    pub observed: Observed,
}

/// One shop that was not read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unread {
    /// The shop.
    pub shop: ShopDomain,
    /// Why it was not read.
    pub why: String,
}

/// A live subscription that a manifest cannot contain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Refused {
    /// The shop.
    pub shop: ShopDomain,
    /// Its topic.
    pub topic: String,
    /// Its GraphQL id.
    pub id: String,
    /// The message of `validate`.
    pub why: String,
    /// Whether the written manifest manages its address, so that a plan deletes it.
    pub managed: bool,
}

/// The result of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Imported {
    /// The manifest.
    pub yaml: String,
    /// The number of subscriptions in the manifest.
    pub written: usize,
    /// The number of unmanaged subscriptions that are not in the manifest.
    pub unmanaged: usize,
    /// The subscriptions that the manifest cannot contain, sorted.
    pub refused: Vec<Refused>,
}

/// Returns the manifest of the live subscriptions.
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
