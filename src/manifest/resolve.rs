//! Turns a draft and the results of its lookups into a manifest. Pure; a destination without an address is a variant.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Address, AddressKind, Format, Topic};
use crate::state::aep::{Destination, Query, Resolutions, Target};
use crate::state::{Desired, Entry, Unresolved};

use super::address::is_dcs;
use super::check;
use super::document::Span;
use super::expand::{DraftShop, Part, Ready};
use super::findings::{Findings, Reporter};
use super::merge::Merged;
use super::policy::Judged;
use super::topic_mix::TopicMix;
use super::{Manifest, ManifestShop, ShopDesired};

/// The endpoint of a binding, for the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Endpoint<'a> {
    Address(&'a Address),
    /// An Adobe inlet whose address is not known. Equal queries have the same inlet.
    Query(&'a Query),
}

impl Endpoint<'_> {
    pub(super) fn kind(self) -> AddressKind {
        match self {
            Self::Address(address) => address.kind(),
            Self::Query(_) => AddressKind::Https,
        }
    }

    /// Whether the endpoint is an Adobe inlet.
    pub(super) fn is_inlet(self) -> bool {
        match self {
            Self::Address(address) => is_dcs(address),
            Self::Query(_) => true,
        }
    }
}

/// Resolves the destinations of a draft, and returns the problems of their addresses. The manifest is `None` if
/// `ownership` is invalid.
pub(super) fn resolve(draft: &Merged, found: &Resolutions) -> (Option<Manifest>, Vec<Diagnostic>) {
    let mut findings = draft.findings.emptied();
    let mut resolver = Resolver::new(draft, found);
    let mut shops = Vec::with_capacity(draft.shops.len());
    shops.extend(draft.shops.iter().filter_map(|shop| resolver.shop(shop, &mut findings)));
    resolver.topics.report(&mut findings);
    shops.sort_by(|a, b| a.shop.cmp(&b.shop));

    let destinations: Vec<Destination> = draft.destinations.iter().map(|one| one.resolved(found)).collect();
    let looked_up = destinations.iter().filter(|one| one.target.query().is_some());
    let looked_up: Vec<&Address> = looked_up.filter_map(|one| one.address.as_ref().ok()).collect();
    let used: Vec<&Address> = draft.addresses.difference(&draft.unused_addresses).chain(looked_up.clone()).collect();
    draft.app.unknown_events(&used, &mut findings);
    let addresses = draft.addresses.iter().chain(looked_up).cloned().collect();
    let manifest = draft.head.clone().map(|head| Manifest { shops, addresses, destinations, ..head });
    (manifest, findings.take_diagnostics())
}

fn endpoint_of<'a>(target: &'a Target, found: &'a Resolutions) -> Endpoint<'a> {
    match target {
        Target::Address(address) => Endpoint::Address(address),
        Target::Lookup(query) => match found.get(&**query) {
            Some(Ok(address)) => Endpoint::Address(address),
            Some(Err(_)) | None => Endpoint::Query(query),
        },
    }
}

/// Identifies the bindings of a part by their address in memory.
type Bindings = *const Vec<Ready>;
/// Identifies a shared list of destinations in the same way.
type Targets = *const Vec<(Arc<str>, Target)>;

struct Resolver<'a> {
    draft: &'a Merged,
    found: &'a Resolutions,
    /// The common destinations that have an address, for each list that shops share.
    common: HashMap<Targets, Arc<BTreeMap<Arc<str>, Address>>>,
    /// Parts whose topics and formats were checked, and parts whose topics were recorded.
    checked: HashSet<Bindings>,
    noted: HashSet<Bindings>,
    topics: TopicMix<'a>,
    /// The desired state of shops that use only sets, by scope list and sets.
    shared: HashMap<(Option<usize>, Vec<Bindings>), ShopDesired>,
    judged: Judged<'a>,
}

impl<'a> Resolver<'a> {
    fn new(draft: &'a Merged, found: &'a Resolutions) -> Self {
        let (checked, noted, topics) = Default::default();
        Self {
            draft,
            found,
            common: HashMap::new(),
            checked,
            noted,
            topics,
            shared: HashMap::new(),
            judged: Judged::default(),
        }
    }

    fn endpoint(&self, target: &'a Target) -> Endpoint<'a> {
        endpoint_of(target, self.found)
    }

    /// Returns the names and addresses of the destinations that have an address.
    fn named(&self, targets: &'a [(Arc<str>, Target)]) -> impl Iterator<Item = (Arc<str>, Address)> {
        targets.iter().filter_map(|(name, target)| match self.endpoint(target) {
            Endpoint::Address(address) => Some((Arc::clone(name), address.clone())),
            Endpoint::Query(_) => None,
        })
    }

    fn shop(&mut self, shop: &'a DraftShop, findings: &mut Findings) -> Option<ManifestShop> {
        let reporter = &mut findings.of_shop(shop.domain.as_ref(), &shop.allow);
        for part in &shop.parts {
            // A problem of a set is reported for the first shop that uses it.
            if self.checked.insert(Arc::as_ptr(&part.bindings)) {
                for ready in part.bindings.iter() {
                    check::topic_and_endpoint(ready, self.endpoint(&ready.entry.binding.address), reporter);
                }
            }
        }
        let mut keys = HashMap::new();
        let mut names = HashMap::new();
        for ready in shop.parts.iter().flat_map(Part::used) {
            let endpoint = self.endpoint(&ready.entry.binding.address);
            duplicates(ready, endpoint, &mut keys, &mut names, reporter);
            // An unresolved inlet cannot be compared with the addresses of the app.
            if let Endpoint::Address(address) = endpoint {
                self.draft.app.repeated(ready, address, reporter);
                self.draft.app.two_payloads(ready, address, reporter);
            }
        }
        let (draft, found) = (self.draft, self.found);
        let endpoint = |ready: &'a Ready| endpoint_of(&ready.entry.binding.address, found);
        draft.policies.judge(shop, endpoint, &mut self.judged, reporter);
        if !reporter.is_silenced(Code::MixedInlet) {
            self.note_topics(shop);
        }
        let destinations = if shop.own.is_empty() {
            self.common(shop)
        } else {
            let mut named = BTreeMap::clone(&self.common(shop));
            named.extend(self.named(&shop.own));
            Arc::new(named)
        };
        let desired = self.desired(shop);
        Some(ManifestShop {
            shop: shop.domain.clone()?,
            labels: Arc::clone(&shop.labels),
            desired,
            auth: shop.auth.clone(),
            token_expiry: shop.token_expiry,
            destinations,
            lookups: shop.lookups.clone(),
            limits: shop.limits.clone(),
            tolerate: shop.tolerate.clone(),
            source: shop.source.clone(),
        })
    }

    /// Returns the common destinations that apply to a shop and have an address.
    fn common(&mut self, shop: &'a DraftShop) -> Arc<BTreeMap<Arc<str>, Address>> {
        let key = Arc::as_ptr(&shop.common);
        if let Some(known) = self.common.get(&key) {
            return Arc::clone(known);
        }
        let named: Arc<BTreeMap<_, _>> = Arc::new(self.named(&shop.common).collect());
        self.common.insert(key, Arc::clone(&named));
        named
    }

    /// Records the families of topics of each inlet. A complete set with the common destinations is recorded once.
    fn note_topics(&mut self, shop: &'a DraftShop) {
        for part in &shop.parts {
            let is_whole = part.is_common && part.except.is_empty();
            if is_whole && !self.noted.insert(Arc::as_ptr(&part.bindings)) {
                continue;
            }
            for ready in part.used() {
                self.topics.note(self.endpoint(&ready.entry.binding.address), ready);
            }
        }
    }

    /// Returns the desired state of a shop. Shops that use only the same sets share it.
    fn desired(&mut self, shop: &'a DraftShop) -> ShopDesired {
        let by_sets = shop.parts.iter().all(|part| part.is_common && part.except.is_empty());
        let sets = shop.parts.iter().map(|part| Arc::as_ptr(&part.bindings));
        let same = by_sets.then(|| (shop.scopes.as_ref().map(|scopes| scopes.id), sets.collect()));
        if let Some(known) = same.as_ref().and_then(|same| self.shared.get(same)) {
            return known.clone();
        }
        let scopes = shop.scopes.as_ref().map(|scopes| scopes.written.clone());
        let used = || shop.parts.iter().flat_map(Part::used).map(|ready| &ready.entry);
        let resolved = used().map(|Entry { binding, meta }| match self.endpoint(&binding.address) {
            Endpoint::Address(address) => {
                Some(Entry { binding: binding.with_address(address.clone()), meta: meta.clone() })
            }
            Endpoint::Query(_) => None,
        });
        let desired = if let Some(entries) = resolved.collect::<Option<Vec<_>>>() {
            ShopDesired::Resolved(Arc::new(Desired { scopes, entries }))
        } else {
            let entries = used().map(|Entry { binding, meta }| {
                let target = match self.endpoint(&binding.address) {
                    Endpoint::Address(address) => Target::Address(address.clone()),
                    Endpoint::Query(_) => binding.address.clone(),
                };
                Entry { binding: binding.with_address(target), meta: meta.clone() }
            });
            ShopDesired::Unresolved(Arc::new(Unresolved { scopes, entries: entries.collect() }))
        };
        if let Some(same) = same {
            self.shared.insert(same, desired.clone());
        }
        desired
    }
}

/// The fields that identify a binding within a shop.
type Key<'a> = (&'a Topic, Endpoint<'a>, Format, Option<&'a str>);

fn duplicates<'a>(
    ready: &'a Ready,
    endpoint: Endpoint<'a>,
    keys: &mut HashMap<Key<'a>, Span>,
    names: &mut HashMap<String, Span>,
    reporter: &mut Reporter<'_, '_>,
) {
    let binding = &ready.entry.binding;
    if let Some(first) = keys.insert((&binding.topic, endpoint, binding.format, binding.filter.as_deref()), ready.span)
    {
        let message = format!("duplicate binding: `{}` with the same address, format and filter", binding.topic);
        let diagnostic = reporter
            .diagnostic(Code::DuplicateBinding, ready.span, message)
            .hint(
                "remove one of the two. A shop that uses a set can leave a topic out: `{ set: NAME, except: [topic] }`",
            )
            .related(reporter.place(first), "first used here");
        reporter.report(diagnostic);
    }
    if let (Some(name), Some(span)) = (&binding.name, ready.name)
        && let Some(first) = names.insert(name.to_ascii_lowercase(), span)
        && first != span
    {
        let message = format!("duplicate name `{name}` in a shop");
        let diagnostic = reporter
            .diagnostic(Code::DuplicateName, span, message)
            .hint("choose another name; names must be unique in a shop, ignoring case")
            .related(reporter.place(first), "first used here");
        reporter.report(diagnostic);
    }
}
