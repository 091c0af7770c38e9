//! One binding of the manifest and its text.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::scalar::{address, list, quoted, scalar};
use crate::diagnostic::Code;
use crate::manifest::{AdminApi, Transport};
use crate::model::{Address, Binding, Format, Live, Topic, app_shorthand};
use crate::state::Entry;

/// The fields of a binding except its topic. Bindings of the same form can share one item with `topics: [...]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BindingForm {
    pub(super) address: Address,
    pub(super) format: Format,
    pub(super) filter: Option<String>,
    /// Sorted, because the order has no meaning.
    pub(super) include_fields: Vec<String>,
    /// Sorted, in the form with `$app`.
    pub(super) metafield_namespaces: Vec<String>,
    /// Sorted, in the form with `$app`; empty if the binding does not set them.
    pub(super) metafields: Vec<String>,
    /// The name with its topic, because a name belongs to one subscription of a shop.
    pub(super) name: Option<(String, Topic)>,
}

impl BindingForm {
    pub(super) fn of(live: &Entry<Live>, rest: bool) -> Self {
        let Binding { topic, address, format, filter, include_fields, metafield_namespaces, name, metafields } =
            &live.binding;
        let app = live.meta.app;
        // With REST, a manifest cannot set metafields, a filter or a name.
        let metafields = metafields.as_deref().filter(|_| !rest).unwrap_or_default();
        Self {
            address: address.clone(),
            format: *format,
            filter: filter.clone().filter(|_| !rest),
            include_fields: sorted(include_fields.clone()),
            metafield_namespaces: own_app(metafield_namespaces, app),
            metafields: own_app(metafields, app),
            name: name.clone().filter(|_| !rest).map(|name| (name, topic.clone())),
        }
    }

    /// Whether it names a namespace of the app itself.
    pub(super) fn names_own_app(&self) -> bool {
        self.metafield_namespaces.iter().chain(&self.metafields).any(|text| text.starts_with("$app:"))
    }
}

/// Returns a manifest with one binding, to check whether the binding is valid.
pub(super) fn probe(api: &AdminApi, topic: &Topic, form: &BindingForm, prefix: &str, allow: &BTreeSet<Code>) -> String {
    let mut out = format!("version: 1\n{}", admin_api(api));
    let _ = writeln!(out, "ownership: {{ address_prefixes: [{}] }}", scalar(prefix));
    lint(&mut out, allow);
    out.push_str("shops:\n  - shop: probe\n    bindings:\n");
    let target = format!("address: {}", address(form.address.as_str()));
    binding(&mut out, "      ", &BTreeSet::from([topic.clone()]), &target, form);
    out
}

pub(super) fn lint(out: &mut String, allow: &BTreeSet<Code>) {
    if !allow.is_empty() {
        let codes: Vec<&str> = allow.iter().map(|code| code.as_str()).collect();
        let _ = writeln!(out, "\nlint:\n  allow: {}", list(&codes, 9));
    }
}

pub(super) fn admin_api(api: &AdminApi) -> String {
    let mut out = format!("\nadmin_api:\n  version: \"{}\"\n", api.version);
    if api.transport != Transport::default() {
        let _ = writeln!(out, "  transport: {}", api.transport.as_str());
    }
    out
}

/// Writes one item of a list of bindings.
pub(super) fn binding(out: &mut String, indent: &str, topics: &BTreeSet<Topic>, target: &str, form: &BindingForm) {
    let BindingForm { address: _, format, filter, include_fields, metafield_namespaces, metafields, name } = form;
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
        let _ = writeln!(out, "{indent}  filter: {}", quoted(filter));
    }
    if let Some((name, _)) = name {
        let _ = writeln!(out, "{indent}  name: {}", scalar(name));
    }
}

fn sorted(mut list: Vec<String>) -> Vec<String> {
    list.sort();
    list.dedup();
    list
}

/// Writes the app's own namespaces with `$app`, the form that works with any app; namespaces of other apps stay
/// unchanged. If the app's number is unknown, the only app in a list is taken for the own one; of several apps, none
/// is.
fn own_app(list: &[String], own: Option<u64>) -> Vec<String> {
    let apps: BTreeSet<&str> = list.iter().filter_map(|text| app_shorthand(text)).map(|(app, _)| app).collect();
    let is_own = |app: &str| own.map_or(apps.len() == 1, |own| app == own.to_string());
    let readable = |text: &String| match app_shorthand(text) {
        Some((app, short)) if is_own(app) => short,
        _ => text.clone(),
    };
    sorted(list.iter().map(readable).collect())
}
