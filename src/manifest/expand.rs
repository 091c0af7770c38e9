//! Expands the destinations and sets of each shop. Checks that depend on lookups are part of `resolve`.

mod by_label;
mod scopes;
mod target;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::diagnostic::Code;
use crate::model::{Address, Auth, Binding, Scope, ShopDomain, TokenExpiry, Topic};
use crate::state::aep::{Destination, Target};
use crate::state::{Entry, ShopLimits, Source, Wanted};

use self::by_label::{Chosen, Commons, View};
use self::scopes::ScopeLists;
pub(super) use self::scopes::Scopes;
use self::target::ResolvedTarget;
use super::aep::Accounts;
use super::check::{Checked, Rules};
use super::document::{self, Span, Spanned};
use super::findings::{Findings, Reporter};
use super::{DestinationIndex, Tolerable, digest, suggest};

/// The definitions that all shops share.
pub(super) struct Common<'a> {
    pub(super) auth: Option<Arc<Auth>>,
    pub(super) token_expiry: Option<TokenExpiry>,
    pub(super) scopes: Option<&'a Spanned<Vec<Spanned<Scope>>>>,
    pub(super) destinations: BTreeMap<&'a str, &'a document::DestinationBlock>,
    pub(super) sets: BTreeMap<&'a str, &'a document::SetBlock>,
    /// The sets of shops that name none.
    pub(super) uses: Option<&'a [document::UseBlock]>,
    pub(super) accounts: Accounts<'a>,
}

/// A binding with its target, and the places for diagnostics.
pub(super) struct Ready {
    pub(super) entry: Entry<Wanted, Target>,
    /// The place of the topic.
    pub(super) span: Span,
    pub(super) name: Option<Span>,
    pub(super) format: Span,
    /// The place of the definition of the destination.
    pub(super) destination: Option<Span>,
    digest: crate::digest::Hash,
    /// The destination, if its address is looked up.
    lookup: Option<DestinationIndex>,
}

/// A set that a shop uses, or the shop's own bindings.
pub(super) struct Part {
    pub(super) bindings: Arc<Vec<Ready>>,
    /// The topics that the shop leaves out.
    pub(super) except: HashSet<Topic>,
    /// Whether it is a set with the common destinations; shops share its bindings.
    pub(super) is_common: bool,
}

impl Part {
    /// Returns the bindings that the shop uses.
    pub(super) fn used(&self) -> impl Iterator<Item = &Ready> {
        self.bindings.iter().filter(|ready| !self.except.contains(&ready.entry.binding.topic))
    }
}

/// A shop before its destinations are resolved.
pub(super) struct DraftShop {
    /// `None` if it is invalid, which was reported. The shop is checked nevertheless.
    pub(super) domain: Option<ShopDomain>,
    pub(super) allow: Vec<Code>,
    pub(super) labels: Arc<BTreeMap<String, String>>,
    pub(super) scopes: Option<Arc<Scopes>>,
    pub(super) auth: Option<Arc<Auth>>,
    pub(super) token_expiry: Option<TokenExpiry>,
    /// The common destinations that apply to the shop. Shops with the same labels share them.
    pub(super) common: Arc<Vec<(Arc<str>, Target)>>,
    /// The shop's own destinations.
    pub(super) own: Vec<(Arc<str>, Target)>,
    pub(super) parts: Vec<Part>,
    pub(super) lookups: Vec<DestinationIndex>,
    pub(super) limits: ShopLimits,
    pub(super) tolerate: BTreeSet<Tolerable>,
    pub(super) source: Source,
}

struct CheckedSet<'a> {
    bindings: Vec<Checked<'a>>,
    /// The destinations that the bindings name.
    destinations: BTreeSet<&'a str>,
    topics: HashSet<Topic>,
    used: bool,
}

pub(super) struct Expander<'a> {
    rules: Rules,
    pub(super) common: Common<'a>,
    commons: Commons<'a>,
    names: HashMap<&'a str, Arc<str>>,
    sets: BTreeMap<&'a str, CheckedSet<'a>>,
    /// Sets with the common destinations, by the labels that choose these. Most shops share them.
    ready: HashMap<(&'a str, Chosen<'a>), Arc<Vec<Ready>>>,
    scope_lists: ScopeLists,
    /// The names of the shops' own destinations.
    own_names: HashSet<&'a str>,
    /// The addresses in the manifest.
    pub(super) addresses: BTreeSet<Address>,
    /// The addresses that appear only in unused sets.
    pub(super) unused_addresses: BTreeSet<Address>,
    /// Every destination, and the Adobe addresses that bindings name directly.
    pub(super) defined: Vec<Destination>,
    /// The destinations that are looked up, by the place of their name; `None` if the account is unknown, which was
    /// reported.
    looked_up: HashMap<Span, Option<DestinationIndex>>,
}

impl<'a> Expander<'a> {
    pub(super) fn new(mut rules: Rules, common: Common<'a>, findings: &mut Findings) -> Self {
        let mut sets = BTreeMap::new();
        for (name, set) in &common.sets {
            let bindings: Vec<_> = set.bindings.iter().map(|raw| rules.binding(raw, findings)).collect();
            let topics = bindings.iter().flat_map(|b| b.topics.iter().map(|topic| topic.value.clone())).collect();
            let destinations = set.bindings.iter().filter_map(document::BindingBlock::destination).collect();
            sets.insert(*name, CheckedSet { bindings, destinations, topics, used: false });
        }
        let mut expander = Self {
            rules,
            commons: Commons::new(&common),
            names: HashMap::new(),
            sets,
            ready: HashMap::new(),
            scope_lists: ScopeLists::default(),
            own_names: HashSet::new(),
            addresses: BTreeSet::new(),
            unused_addresses: BTreeSet::new(),
            defined: Vec::new(),
            looked_up: HashMap::new(),
            common,
        };
        let common: Vec<_> = expander.common.destinations.values().copied().collect();
        for destination in common {
            let targets = expander.destination(destination, &mut findings.of_all());
            expander.commons.add(destination, targets);
        }
        expander
    }

    fn name(&mut self, name: &'a str) -> Arc<str> {
        Arc::clone(self.names.entry(name).or_insert_with(|| name.into()))
    }

    /// Checks and expands a shop. Returns it with its digest if its domain is valid.
    pub(super) fn shop(
        &mut self,
        shop: &'a document::ShopBlock,
        findings: &mut Findings,
    ) -> (DraftShop, Option<crate::digest::Hash>) {
        let domain = shop.domain.as_ref().map(|at| &at.value);
        let reporter = &mut findings.of_shop(domain, &shop.allow);

        let own: BTreeMap<&str, &'a document::DestinationBlock> =
            shop.destinations.iter().map(|d| (d.name.value.as_str(), d)).collect();
        self.own_names.extend(shop.destinations.iter().map(|d| d.name.value.as_str()));
        let view = View { own, labels: shop.labels.iter().map(|(key, value)| (key.as_str(), value)).collect() };
        let own_targets = self.own_targets(&view, reporter);
        let uses = shop.uses.as_deref().or(self.common.uses);
        if uses.is_none() && shop.bindings.is_none() {
            let message = "the shop has neither `use` nor `bindings`";
            let hint = "name a set, such as `use: [orders]`, or list the bindings; for none, write `bindings: []`. A \
                        `use` at the top level applies to all shops that have none";
            reporter.report(reporter.diagnostic(Code::NoBindings, shop.span, message).hint(hint));
        }

        let uses = uses.unwrap_or_default();
        let mut parts: Vec<Part> = Vec::with_capacity(uses.len());
        let mut used: HashMap<&str, Span> = HashMap::new();
        for used_set in uses {
            if let Some(first) = used.insert(&used_set.set.value, used_set.set.span) {
                let message = format!("the shop uses the set `{}` twice", used_set.set.value);
                let diagnostic = reporter.diagnostic(Code::RepeatedName, used_set.set.span, message);
                let diagnostic = diagnostic.related(reporter.place(first), "first used here");
                reporter.findings().report(diagnostic);
                continue;
            }
            parts.extend(self.used_set(used_set, &view, reporter));
        }
        let inline = shop.bindings.as_deref().unwrap_or_default();
        self.labels(shop, &view, &used, inline, reporter);
        let inline: Vec<_> = inline.iter().map(|raw| self.rules.binding(raw, reporter.findings())).collect();
        for warning in inline.iter().flat_map(|checked| &checked.warnings) {
            reporter.report(warning.clone());
        }
        let bindings = self.make_ready(&inline, &view, reporter);
        if !bindings.is_empty() {
            parts.push(Part { bindings: Arc::new(bindings), except: HashSet::new(), is_common: false });
        }

        let scopes = shop.scopes.as_ref().or(self.common.scopes);
        let scopes = scopes.map(|list| (self.scope_lists.of(list, reporter), list.span));
        let mut digests = Vec::new();
        let mut lookups = BTreeSet::new();
        for ready in parts.iter().flat_map(Part::used) {
            if let Some((scopes, span)) = &scopes {
                self.scope_lists.coverage(ready, scopes, *span, reporter);
            }
            digests.push(ready.digest);
            lookups.extend(ready.lookup);
        }
        let limits = shop.safety.as_ref().map(|safety| self.limits(safety, reporter)).unwrap_or_default();
        let labels = shop.labels.iter().map(|(key, value)| (key.clone(), value.value.clone()));
        let draft = DraftShop {
            domain: domain.cloned(),
            allow: shop.allow.clone(),
            labels: Arc::new(labels.collect()),
            scopes: scopes.map(|(scopes, _)| scopes),
            auth: shop.auth.as_ref().map_or_else(|| self.common.auth.clone(), |at| at.value.clone()),
            token_expiry: shop.token_expiry.or(self.common.token_expiry),
            common: self.commons.of(&view.labels),
            own: own_targets,
            parts,
            lookups: lookups.into_iter().collect(),
            limits,
            tolerate: shop.tolerate.iter().copied().collect(),
            source: reporter.source(shop.span),
        };
        let digest = domain.map(|domain| digest::shop(&draft, domain, digests));
        (draft, digest)
    }

    fn used_set(
        &mut self,
        used: &'a document::UseBlock,
        view: &View<'a>,
        reporter: &mut Reporter<'_, '_>,
    ) -> Option<Part> {
        let Some((&name, set)) = self.sets.get_key_value(used.set.value.as_str()) else {
            let message = format!("unknown binding set `{}`", super::decode::short(&used.set.value));
            let known: Vec<&str> = self.sets.keys().copied().collect();
            let hint = nearest(&used.set.value, &known, reporter.findings(), "define it under `binding_sets`");
            reporter.report(reporter.diagnostic(Code::UnknownSet, used.set.span, message).hint(hint));
            return None;
        };
        let mut except = HashSet::new();
        let mut ignored = Vec::new();
        for written in &used.except {
            let topic = self.rules.topic(written, reporter.findings(), &mut ignored);
            if !set.topics.contains(&topic.value) {
                let message =
                    format!("`except` names the topic `{}`, which the set `{name}` does not contain", topic.value);
                let mut here: Vec<&str> = set.topics.iter().map(Topic::as_str).collect();
                here.sort_unstable();
                let hint = nearest(topic.value.as_str(), &here, reporter.findings(), "correct the topic, or remove it");
                reporter.report(reporter.diagnostic(Code::ExceptNothing, written.span, message).hint(hint));
            }
            except.insert(topic.value);
        }
        for warning in set.bindings.iter().flat_map(|checked| &checked.warnings) {
            reporter.report(warning.clone());
        }
        let is_common = view.own.is_empty();
        let key = (name, self.commons.chosen(set.destinations.iter().copied(), &view.labels));
        let bindings = if is_common && let Some(ready) = self.ready.get(&key) {
            Arc::clone(ready)
        } else {
            let bindings = self.sets.get_mut(name).map(|set| std::mem::take(&mut set.bindings)).unwrap_or_default();
            let ready = Arc::new(self.make_ready(&bindings, view, reporter));
            if let Some(set) = self.sets.get_mut(name) {
                set.bindings = bindings;
                set.used = true;
            }
            if is_common {
                self.ready.insert(key, Arc::clone(&ready));
            }
            ready
        };
        Some(Part { bindings, except, is_common })
    }

    fn make_ready(&mut self, bindings: &[Checked<'a>], view: &View<'a>, reporter: &mut Reporter<'_, '_>) -> Vec<Ready> {
        let mut ready = Vec::new();
        for checked in bindings {
            let raw = checked.raw;
            let Some(resolved) = self.target(&raw.target, view, reporter) else { continue };
            let ResolvedTarget { target, destination, span, lookup } = resolved;
            for topic in &checked.topics {
                let texts = |list: &[Spanned<String>]| list.iter().map(|at| at.value.clone()).collect::<Vec<_>>();
                let binding = Binding {
                    topic: topic.value.clone(),
                    address: target.clone(),
                    format: raw.format.value,
                    filter: raw.filter.as_ref().map(|at| at.value.clone()),
                    include_fields: texts(&raw.include_fields),
                    metafield_namespaces: texts(&raw.metafield_namespaces),
                    name: raw.name.as_ref().map(|at| at.value.clone()),
                    metafields: raw.metafields.as_ref().map(|list| texts(&list.value)),
                };
                let source = reporter.source(topic.span);
                ready.push(Ready {
                    digest: digest::binding(&binding, destination.as_deref()),
                    entry: Entry { binding, meta: Wanted { destination: destination.clone(), source } },
                    span: topic.span,
                    name: raw.name.as_ref().map(|at| at.span),
                    format: raw.format.span,
                    destination: span,
                    lookup,
                });
            }
        }
        ready
    }

    fn limits(&mut self, safety: &document::SafetyBlock, reporter: &mut Reporter<'_, '_>) -> ShopLimits {
        let protected = safety.protected_topics.as_ref().map(|topics| self.topics(topics, reporter));
        ShopLimits { max_delete_percent: safety.max_delete_percent, protected_topics: protected }
    }

    /// Reports the problems of sets that no shop uses, after all shops were expanded.
    pub(super) fn finish(&mut self, findings: &mut Findings) {
        let used = self.addresses.clone();
        let unused: Vec<&str> = self.sets.iter().filter(|(_, set)| !set.used).map(|(name, _)| *name).collect();
        for name in unused {
            let bindings = self.sets.get_mut(name).map(|set| std::mem::take(&mut set.bindings)).unwrap_or_default();
            for warning in bindings.iter().flat_map(|checked| &checked.warnings) {
                findings.report(warning.clone());
            }
            for checked in &bindings {
                // The binding may mean the own destination of a shop.
                let elsewhere = match &checked.raw.target {
                    document::BindingTarget::Destination(name) => self.own_names.contains(name.value.as_str()),
                    document::BindingTarget::Address(_) | document::BindingTarget::Broken => false,
                };
                if !elsewhere {
                    self.target(&checked.raw.target, &View::default(), &mut findings.of_all());
                }
            }
        }
        self.unused_addresses = self.addresses.difference(&used).cloned().collect();
    }

    pub(super) fn topics(&mut self, topics: &[Spanned<Topic>], reporter: &mut Reporter<'_, '_>) -> Vec<Topic> {
        let mut warnings = Vec::new();
        let rules = &mut self.rules;
        let topics = topics.iter().map(|topic| rules.topic(topic, reporter.findings(), &mut warnings).value).collect();
        for warning in warnings {
            reporter.report(warning);
        }
        topics
    }
}

fn nearest(word: &str, known: &[&str], findings: &mut Findings, otherwise: &str) -> String {
    if findings.may_suggest(known.len())
        && let Some(meant) = suggest::closest(word, known.iter().copied())
    {
        return format!("did you mean `{meant}`?");
    }
    match known {
        [] => otherwise.to_owned(),
        few if few.len() <= 8 => format!("{otherwise}; defined: {}", super::decode::listed(few)),
        _ => otherwise.to_owned(),
    }
}
