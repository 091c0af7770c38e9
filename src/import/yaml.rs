//! The manifest as text. Values are quoted unless they can be nothing but the text that they are.

mod scalar;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use super::Request;
use super::factor::{Destination, Factored, Item, Set};
use super::remarks::count;
use super::take::{Kind, Taken};
use crate::diagnostic::Code;
use crate::manifest::{AdminApi, Transport};
use crate::model::{Format, Scope, ScopeSet, Topic};
use crate::state::{Ownership, Prefix, Unmanaged};
use scalar::{address, comment, flow, list, scalar};

/// Everything that stands in the manifest.
pub(super) struct Document<'a> {
    request: &'a Request,
    taken: &'a Taken,
    factored: Factored,
    /// Where it is the same for all shops, or for most of those that have any.
    auth: Option<&'a Value>,
    scopes: Option<&'a ScopeSet>,
}

impl<'a> Document<'a> {
    pub(super) fn new(request: &'a Request, taken: &'a Taken, factored: Factored) -> Self {
        let auth = common(request.shops.iter().map(|shop| shop.auth.as_ref()), Value::to_string);
        let scopes = common(request.shops.iter().map(|shop| shop.scopes.as_ref()), |scopes| handles(scopes).join(" "));
        Self { request, taken, factored, auth, scopes }
    }

    /// Destinations, and sets.
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
        lint(out, &self.taken.allow);
        if self.taken.ownership != Ownership::default() {
            let Ownership { address_prefixes, unmanaged } = &self.taken.ownership;
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
        let name = self.factored.names.get(&item.kind.address);
        let target = match name {
            Some(name) => format!("destination: {}", scalar(name)),
            None => format!("address: {}", address(item.kind.address.as_str())),
        };
        binding(out, indent, &item.topics, &target, &item.kind);
    }

    fn shop(&self, out: &mut String, at: usize) {
        let (Some(shop), Some(taken)) = (self.request.shops.get(at), self.taken.shops.get(at)) else { return };
        for remark in &taken.remarks {
            push_comment(out, "  ", remark);
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

/// A manifest with one binding, to ask whether it is one.
pub(super) fn probe(api: &AdminApi, topic: &Topic, kind: &Kind, prefix: &str, allow: &BTreeSet<Code>) -> String {
    let mut out = format!("version: 1\n{}", admin_api(api));
    let _ = writeln!(out, "ownership: {{ address_prefixes: [{}] }}", scalar(prefix));
    lint(&mut out, allow);
    out.push_str("shops:\n  - shop: probe\n    bindings:\n");
    let target = format!("address: {}", address(kind.address.as_str()));
    binding(&mut out, "      ", &BTreeSet::from([topic.clone()]), &target, kind);
    out
}

fn lint(out: &mut String, allow: &BTreeSet<Code>) {
    if !allow.is_empty() {
        let codes: Vec<&str> = allow.iter().map(|code| code.as_str()).collect();
        let _ = writeln!(out, "\nlint:\n  allow: {}", list(&codes, 9));
    }
}

fn admin_api(api: &AdminApi) -> String {
    let mut out = format!("\nadmin_api:\n  version: \"{}\"\n", api.version);
    if api.transport != Transport::default() {
        let _ = writeln!(out, "  transport: {}", api.transport.as_str());
    }
    out
}

fn binding(out: &mut String, indent: &str, topics: &BTreeSet<Topic>, target: &str, kind: &Kind) {
    let Kind { address: _, format, filter, include_fields, metafield_namespaces, metafields, name } = kind;
    let mut names: Vec<&str> = topics.iter().map(Topic::as_str).collect();
    names.sort_unstable();
    let _ = match names.as_slice() {
        [only] => writeln!(out, "{indent}- topic: {}", scalar(only)),
        several => writeln!(out, "{indent}- topics: {}", list(several, indent.len() + 10)),
    };
    let _ = writeln!(out, "{indent}  {target}");
    if *format != Format::default() {
        let _ = writeln!(out, "{indent}  format: {}", format.as_str());
    }
    let lists = [
        ("include_fields", include_fields),
        ("metafield_namespaces", metafield_namespaces),
        ("metafields", metafields),
    ];
    for (key, items) in lists.into_iter().filter(|(_, items)| !items.is_empty()) {
        let items: Vec<&str> = items.iter().map(String::as_str).collect();
        let _ = writeln!(out, "{indent}  {key}: {}", list(&items, indent.len() + key.len() + 4));
    }
    if let Some(filter) = filter {
        let _ = writeln!(out, "{indent}  filter: {}", scalar::quoted(filter));
    }
    if let Some((name, _)) = name {
        let _ = writeln!(out, "{indent}  name: {}", scalar(name));
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

/// How a shop uses a set, if it does.
fn used(set: &Set, at: usize) -> Option<String> {
    let except: Vec<&str> = set.users.get(&at)?.iter().map(Topic::as_str).collect();
    if except.is_empty() {
        return Some(scalar(&set.name));
    }
    Some(format!("{{ set: {}, except: {} }}", scalar(&set.name), scalar::on_a_line(&except)))
}

/// What a manifest takes as scopes.
fn handles(scopes: &ScopeSet) -> Vec<&str> {
    scopes.iter().map(Scope::as_str).filter(|text| Scope::parse(text).is_some()).collect()
}

/// What most shops have; nothing if one shop has none, since it would inherit it.
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
