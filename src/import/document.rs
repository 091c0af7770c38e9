//! The manifest as text. Values are quoted unless every YAML parser reads them as the same string.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::Request;
use super::binding::{admin_api, binding, lint};
use super::factor::{Destination, Factored, Item, Set};
use super::scalar::{self, address, comment, flow, list, scalar};
use super::select::Selected;
use crate::model::{Scope, ScopeSet, Topic};
use crate::state::{Ownership, Prefix, Unmanaged};

/// The content of the manifest.
pub(super) struct Document<'a> {
    request: &'a Request,
    selected: &'a Selected,
    factored: Factored,
    /// The `auth` that all or most shops have, if every shop has one.
    auth: Option<&'a Value>,
    scopes: Option<&'a ScopeSet>,
}

impl<'a> Document<'a> {
    pub(super) fn new(request: &'a Request, selected: &'a Selected, factored: Factored) -> Self {
        let auth = common(request.shops.iter().map(|shop| shop.auth.as_ref()), Value::to_string);
        let scopes = common(request.shops.iter().map(|shop| shop.scopes.as_ref()), |scopes| handles(scopes).join(" "));
        Self { request, selected, factored, auth, scopes }
    }

    /// Returns the number of destinations and of sets.
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.factored.names.len(), self.factored.sets.len())
    }

    pub(super) fn write(&self, header: &[String]) -> String {
        let mut out = String::new();
        for line in header {
            push_comment(&mut out, "", line);
        }
        out.push_str("version: 1\n");
        self.settings(&mut out);
        if !self.factored.common.is_empty() {
            out.push_str("\ndestinations:\n");
            destinations(&mut out, "  ", &self.factored.common, self.request.shops.len() > 1);
        }
        if !self.factored.sets.is_empty() {
            out.push_str("\nbinding_sets:\n");
            for set in &self.factored.sets {
                self.set(&mut out, set);
            }
        }
        out.push_str("\nshops:\n");
        for at in 0..self.request.shops.len() {
            self.shop(&mut out, at);
        }
        out
    }

    fn settings(&self, out: &mut String) {
        out.push_str(&admin_api(&self.request.admin_api));
        if let Some(auth) = self.auth {
            out.push_str("\nauth:\n");
            auth_forms(out, "  ", auth);
        }
        if let Some(scopes) = self.scopes {
            let _ = writeln!(out, "\nscopes: {}", list(&handles(scopes), 8));
        }
        lint(out, &self.selected.allow);
        if self.selected.ownership != Ownership::default() {
            let Ownership { address_prefixes, unmanaged } = &self.selected.ownership;
            out.push_str("\nownership:\n  address_prefixes:\n");
            for prefix in address_prefixes {
                let _ = writeln!(out, "    - {}", address(Prefix::as_str(prefix)));
            }
            if *unmanaged != Unmanaged::default() {
                let _ = writeln!(out, "  unmanaged: {}", unmanaged.as_str());
            }
        }
    }

    fn set(&self, out: &mut String, set: &Set) {
        let _ = writeln!(out, "  {}:  # {}", scalar(&set.name), count(set.users.len(), "shop"));
        for item in &set.items {
            self.item(out, "    ", item);
        }
    }

    fn item(&self, out: &mut String, indent: &str, item: &Item) {
        let name = self.factored.names.get(&item.form.address);
        let target = match name {
            Some(name) => format!("destination: {}", scalar(name)),
            None => format!("address: {}", address(item.form.address.as_str())),
        };
        binding(out, indent, &item.topics, &target, &item.form);
    }

    fn shop(&self, out: &mut String, at: usize) {
        let (Some(shop), Some(selected)) = (self.request.shops.get(at), self.selected.shops.get(at)) else { return };
        for line in &selected.comments {
            push_comment(out, "  ", line);
        }
        let _ = writeln!(out, "  - shop: {}", shop.shop);
        if !shop.labels.is_empty() {
            let labels = shop.labels.iter().map(|(key, value)| (key.clone(), Value::String(value.clone()))).collect();
            let _ = writeln!(out, "    labels: {}", flow(&Value::Object(labels)));
        }
        if let Some(auth) = shop.auth.as_ref().filter(|auth| self.auth != Some(auth)) {
            out.push_str("    auth:\n");
            auth_forms(out, "      ", auth);
        }
        if let Some(scopes) = shop.scopes.as_ref().filter(|scopes| self.scopes.map(handles) != Some(handles(scopes))) {
            let _ = writeln!(out, "    scopes: {}", list(&handles(scopes), 12));
        }
        if !shop.tolerate.is_empty() {
            let _ = writeln!(out, "    tolerate: {}", list(&shop.tolerate, 14));
        }
        if let Some(own) = self.factored.own.get(at).filter(|own| !own.is_empty()) {
            out.push_str("    destinations:\n");
            destinations(out, "      ", own, false);
        }
        let uses: Vec<String> = self.factored.sets.iter().filter_map(|set| used(set, at)).collect();
        if !uses.is_empty() {
            let _ = writeln!(out, "    use: {}", scalar::joined(&uses, 9));
        }
        match self.factored.rest.get(at) {
            Some(items) if !items.is_empty() => {
                out.push_str("    bindings:\n");
                for item in items {
                    self.item(out, "      ", item);
                }
            }
            _ if uses.is_empty() => out.push_str("    bindings: []\n"),
            _ => {}
        }
    }
}

fn destinations(out: &mut String, indent: &str, list: &[Destination], with_counts: bool) {
    for Destination { name, address: to, shops } in list {
        let shops = if with_counts { format!("  # {}", count(*shops, "shop")) } else { String::new() };
        let _ = writeln!(out, "{indent}{}: {}{shops}", scalar(name), address(to.as_str()));
    }
}

fn auth_forms(out: &mut String, indent: &str, auth: &Value) {
    for (form, value) in auth.as_object().into_iter().flatten() {
        let _ = writeln!(out, "{indent}{}: {}", scalar(form), flow(value));
    }
}

/// Returns the item of `use` for a set, if the shop uses it.
fn used(set: &Set, at: usize) -> Option<String> {
    let except: Vec<&str> = set.users.get(&at)?.iter().map(Topic::as_str).collect();
    if except.is_empty() {
        return Some(scalar(&set.name));
    }
    Some(format!("{{ set: {}, except: {} }}", scalar(&set.name), scalar::on_a_line(&except)))
}

/// Returns the scopes that a manifest accepts.
fn handles(scopes: &ScopeSet) -> Vec<&str> {
    scopes.iter().map(Scope::as_str).filter(|text| Scope::parse(text).is_some()).collect()
}

/// Returns the value that most shops have. `None` if a shop has no value, because it would inherit the common one.
fn common<'a, T>(values: impl Iterator<Item = Option<&'a T>>, key: impl Fn(&T) -> String) -> Option<&'a T> {
    let mut counts: BTreeMap<String, (usize, &T)> = BTreeMap::new();
    for value in values {
        let value = value?;
        counts.entry(key(value)).or_insert((0, value)).0 += 1;
    }
    let all: usize = counts.values().map(|(n, _)| n).sum();
    let (_, (n, value)) = counts.into_iter().max_by(|(a, (m, _)), (b, (n, _))| m.cmp(n).then_with(|| b.cmp(a)))?;
    (n > 1 || all == 1).then_some(value)
}

fn push_comment(out: &mut String, indent: &str, line: &str) {
    let _ = writeln!(out, "{}", format!("{indent}# {}", comment(line)).trim_end());
}

/// `1 shop`, `2 shops`.
pub(super) fn count(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}
