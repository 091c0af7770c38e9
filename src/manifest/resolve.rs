//! Documents as a manifest: destinations and sets put in place, shop by shop.

mod lead;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::catalog;
use crate::diagnostic::Code;
use crate::model::{Address, Auth, Binding, Format, Scope, ScopeSet, TokenExpiry, Topic};
use crate::state::aep::{Destination, Lookups};
use crate::state::{Desired, Entry, ShopLimits, Source, Wanted};

use self::lead::Led;
use super::aep::Accounts;
use super::app_config::Declared;
use super::check::{self, Checked, Rules};
use super::digest;
use super::document::{self, At, Spot, Target};
use super::findings::{Behalf, Findings};
use super::topic_mix::TopicMix;
use super::{ManifestShop, suggest};

/// What every shop has in common.
pub(super) struct Common<'a> {
    pub(super) auth: Option<Arc<Auth>>,
    pub(super) token_expiry: Option<TokenExpiry>,
    pub(super) scopes: Option<&'a At<Vec<At<Scope>>>>,
    pub(super) destinations: BTreeMap<&'a str, &'a document::Destination>,
    pub(super) sets: BTreeMap<&'a str, &'a document::Set>,
    pub(super) app: Declared,
    pub(super) accounts: Accounts<'a>,
    /// What was found at Adobe, if anybody looked.
    pub(super) found: &'a Lookups,
}

/// A binding for one table of destinations.
struct Ready {
    entry: Entry<Wanted>,
    spot: Spot,
    name: Option<Spot>,
    digest: crate::digest::Hash,
    /// Where its address comes from, if it is looked up.
    lookup: Option<usize>,
}

/// A scope list, with a number for its content.
struct Scopes {
    id: usize,
    /// As written: what a shop should have granted.
    written: ScopeSet,
    /// With what misspelt ones probably mean, so that one mistake is reported once.
    meant: ScopeSet,
}

struct CheckedSet<'a> {
    bindings: Vec<Checked<'a>>,
    topics: HashSet<Topic>,
    used: bool,
}

pub(super) struct Resolver<'a> {
    rules: Rules,
    pub(super) common: Common<'a>,
    common_public: Arc<BTreeMap<Arc<str>, Address>>,
    names: HashMap<&'a str, Arc<str>>,
    sets: BTreeMap<&'a str, CheckedSet<'a>>,
    /// Sets over the common destinations, which most shops share.
    ready: HashMap<&'a str, Arc<Vec<Ready>>>,
    /// Scope lists by content and by whether misspelt ones count as what they probably mean.
    scope_lists: HashMap<(Vec<String>, bool), Arc<Scopes>>,
    /// What each scope list lacks for a topic.
    missing: HashMap<(usize, Topic), Option<Vec<&'static str>>>,
    /// What shops ask for by sets alone: by scope list and sets.
    shared: HashMap<(Option<usize>, Vec<&'a str>), Arc<Desired>>,
    inlets: TopicMix,
    mixed_sets: HashSet<&'a str>,
    /// Destinations that some shop has of its own.
    own_names: HashSet<&'a str>,
    pub(super) addresses: BTreeSet<Address>,
    /// As `addresses`, but what is looked up stands there as it is written: for the digest.
    pub(super) written: BTreeSet<Address>,
    /// Every destination, and addresses of Adobe's that bindings name themselves.
    pub(super) defined: Vec<Destination>,
    /// Place in `defined`, address and what is written of destinations that are looked up, by the place of the name.
    looked_up: HashMap<Spot, Option<(usize, Address, Address)>>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(mut rules: Rules, common: Common<'a>, findings: &mut Findings) -> Self {
        let mut sets = BTreeMap::new();
        for (name, set) in &common.sets {
            let bindings: Vec<_> = set.bindings.iter().map(|raw| rules.binding(raw, findings)).collect();
            let topics = bindings.iter().flat_map(|b| b.topics.iter().map(|topic| topic.value.clone())).collect();
            sets.insert(*name, CheckedSet { bindings, topics, used: false });
        }
        let mut resolver = Self {
            rules,
            common_public: Arc::default(),
            names: HashMap::new(),
            sets,
            ready: HashMap::new(),
            scope_lists: HashMap::new(),
            missing: HashMap::new(),
            shared: HashMap::new(),
            inlets: TopicMix::default(),
            mixed_sets: HashSet::new(),
            own_names: HashSet::new(),
            addresses: BTreeSet::new(),
            written: BTreeSet::new(),
            defined: Vec::new(),
            looked_up: HashMap::new(),
            common,
        };
        let mut public = BTreeMap::new();
        let common: Vec<_> = resolver.common.destinations.values().copied().collect();
        for destination in common {
            resolver.destination(destination, &mut public, findings, Behalf::default());
        }
        resolver.common_public = Arc::new(public);
        resolver
    }

    fn name(&mut self, name: &'a str) -> Arc<str> {
        Arc::clone(self.names.entry(name).or_insert_with(|| name.into()))
    }

    /// Checks a shop and puts it together. `None` if its domain is unusable, which was reported.
    pub(super) fn shop(
        &mut self,
        shop: &'a document::Shop,
        findings: &mut Findings,
    ) -> Option<(ManifestShop, crate::digest::Hash)> {
        // A shop with a broken domain is checked all the same.
        let behalf = Behalf { shop: shop.domain.as_ref().map(|at| &at.value), allow: &shop.allow };

        let own: BTreeMap<&str, &'a document::Destination> =
            shop.destinations.iter().map(|d| (d.name.value.as_str(), d)).collect();
        self.own_names.extend(shop.destinations.iter().map(|d| d.name.value.as_str()));
        let mut public = Arc::clone(&self.common_public);
        for destination in own.values() {
            self.destination(destination, Arc::make_mut(&mut public), findings, behalf);
        }

        let mut parts: Vec<(Arc<Vec<Ready>>, HashSet<Topic>)> = Vec::new();
        let mut used: HashMap<&str, Spot> = HashMap::new();
        for used_set in &shop.uses {
            if let Some(first) = used.insert(&used_set.set.value, used_set.set.spot) {
                let message = format!("the set `{}` is used twice by the same shop", used_set.set.value);
                let diagnostic = findings.diagnostic(Code::RepeatedName, used_set.set.spot, message);
                findings.report(diagnostic.related(findings.place(first), "it is used here first"));
                continue;
            }
            if let Some(part) = self.used_set(used_set, &own, findings, behalf) {
                parts.push(part);
            }
        }
        let inline: Vec<_> = shop.bindings.iter().map(|raw| self.rules.binding(raw, findings)).collect();
        for warning in inline.iter().flat_map(|checked| &checked.warnings) {
            findings.report_for(warning.clone(), behalf);
        }
        parts.push((Arc::new(self.make_ready(&inline, &own, findings, behalf)), HashSet::new()));

        let scopes = self.scopes(shop, findings, behalf);
        let by_sets = own.is_empty() && shop.bindings.is_empty() && parts.iter().all(|(_, except)| except.is_empty());
        let sets = shop.uses.iter().map(|used| used.set.value.as_str());
        let same = by_sets.then(|| (scopes.as_ref().map(|(scopes, _)| scopes.id), sets.collect()));
        let known = same.as_ref().and_then(|same| self.shared.get(same).cloned());
        let count = parts.iter().map(|(ready, _)| ready.len()).sum();
        let mut entries = Vec::with_capacity(if known.is_some() { 0 } else { count });
        let mut digests = Vec::with_capacity(count);
        let mut lookups = BTreeSet::new();
        let mut keys: HashMap<(&Topic, &Address, Format, Option<&str>), Spot> = HashMap::with_capacity(count);
        let mut names: HashMap<String, Spot> = HashMap::new();
        for (ready, except) in &parts {
            for ready in ready.iter().filter(|ready| !except.contains(&ready.entry.binding.topic)) {
                duplicates(ready, &mut keys, &mut names, findings, behalf);
                if let Some((scopes, spot)) = &scopes {
                    self.scope_coverage(ready, scopes, *spot, findings, behalf);
                }
                self.common.app.repeated(&ready.entry.binding, ready.spot, findings, behalf);
                self.common.app.two_payloads(&ready.entry.binding, ready.spot, findings, behalf);
                if known.is_none() {
                    entries.push(ready.entry.clone());
                }
                digests.push(ready.digest);
                lookups.extend(ready.lookup);
            }
        }
        self.mixed_inlets(shop, &own, &parts, findings, behalf);
        let desired = known.unwrap_or_else(|| {
            let scopes = scopes.map(|(scopes, _)| scopes.written.clone());
            let desired = Arc::new(Desired { scopes, entries });
            if let Some(same) = same {
                self.shared.insert(same, Arc::clone(&desired));
            }
            desired
        });

        let limits = shop.safety.as_ref().map(|safety| self.limits(safety, findings, behalf)).unwrap_or_default();
        let auth = match &shop.auth {
            Some(at) => at.value.clone(),
            None => self.common.auth.clone(),
        };
        let domain = shop.domain.as_ref()?;
        let shop = ManifestShop {
            shop: domain.value.clone(),
            labels: shop.labels.iter().cloned().collect(),
            desired,
            auth,
            token_expiry: shop.token_expiry.or(self.common.token_expiry),
            destinations: public,
            lookups: lookups.into_iter().collect(),
            limits,
            tolerate: shop.tolerate.iter().copied().collect(),
            source: Source { file: findings.file(shop.spot), line: shop.spot.span.line },
        };
        let digest = digest::shop(&shop, digests);
        Some((shop, digest))
    }

    fn used_set(
        &mut self,
        used: &'a document::Use,
        own: &BTreeMap<&str, &'a document::Destination>,
        findings: &mut Findings,
        behalf: Behalf<'_>,
    ) -> Option<(Arc<Vec<Ready>>, HashSet<Topic>)> {
        let Some((&name, set)) = self.sets.get_key_value(used.set.value.as_str()) else {
            let message = format!("there is no binding set `{}`", super::decode::short(&used.set.value));
            let known: Vec<&str> = self.sets.keys().copied().collect();
            let hint = nearest(&used.set.value, &known, findings, "define it under `binding_sets`");
            findings.report_for(findings.diagnostic(Code::UnknownSet, used.set.spot, message).hint(hint), behalf);
            return None;
        };
        let mut except = HashSet::new();
        let mut ignored = Vec::new();
        for written in &used.except {
            let topic = self.rules.topic(written, findings, &mut ignored);
            if !set.topics.contains(&topic.value) {
                let message = format!("the set `{name}` has no topic `{}` to leave out", topic.value);
                let mut here: Vec<&str> = set.topics.iter().map(Topic::as_str).collect();
                here.sort_unstable();
                let hint = nearest(topic.value.as_str(), &here, findings, "remove it, or correct it");
                let diagnostic = findings.diagnostic(Code::ExceptNothing, written.spot, message).hint(hint);
                findings.report_for(diagnostic, behalf);
            }
            except.insert(topic.value);
        }
        for warning in set.bindings.iter().flat_map(|checked| &checked.warnings) {
            findings.report_for(warning.clone(), behalf);
        }
        let ready = if own.is_empty()
            && let Some(ready) = self.ready.get(name)
        {
            Arc::clone(ready)
        } else {
            let bindings = self.sets.get_mut(name).map(|set| std::mem::take(&mut set.bindings)).unwrap_or_default();
            let ready = Arc::new(self.make_ready(&bindings, own, findings, behalf));
            if let Some(set) = self.sets.get_mut(name) {
                set.bindings = bindings;
                set.used = true;
            }
            if own.is_empty() {
                self.ready.insert(name, Arc::clone(&ready));
            }
            ready
        };
        Some((ready, except))
    }

    fn make_ready(
        &mut self,
        bindings: &[Checked<'a>],
        own: &BTreeMap<&str, &'a document::Destination>,
        findings: &mut Findings,
        behalf: Behalf<'_>,
    ) -> Vec<Ready> {
        let mut ready = Vec::new();
        for checked in bindings {
            let raw = checked.raw;
            let Some(led) = self.target(&raw.target, own, findings, behalf) else { continue };
            let Led { address, written, destination, lookup } = led;
            for topic in &checked.topics {
                check::topic_and_address(topic, raw, &address, findings, behalf);
                let texts = |list: &[At<String>]| list.iter().map(|at| at.value.clone()).collect::<Vec<_>>();
                let binding = Binding {
                    topic: topic.value.clone(),
                    address: address.clone(),
                    format: raw.format.value,
                    filter: raw.filter.as_ref().map(|at| at.value.clone()),
                    include_fields: texts(&raw.include_fields),
                    metafield_namespaces: texts(&raw.metafield_namespaces),
                    name: raw.name.as_ref().map(|at| at.value.clone()),
                    metafields: raw.metafields.as_ref().map(|list| texts(&list.value)),
                };
                let source = Source { file: findings.file(topic.spot), line: topic.spot.span.line };
                let digest = digest::binding(&binding, &written, destination.as_deref());
                let meta = Wanted { destination: destination.clone(), source };
                let name = raw.name.as_ref().map(|at| at.spot);
                ready.push(Ready { entry: Entry { binding, meta }, spot: topic.spot, name, digest, lookup });
            }
        }
        ready
    }

    /// The scope list that counts for a shop, and where it stands.
    fn scopes(
        &mut self,
        shop: &'a document::Shop,
        findings: &mut Findings,
        behalf: Behalf<'_>,
    ) -> Option<(Arc<Scopes>, Spot)> {
        let list = shop.scopes.as_ref().or(self.common.scopes)?;
        let trusted = findings.is_silenced(Code::UnknownScope, behalf);
        let meant = |scope: &Scope| if trusted { None } else { catalog::meant_scope(scope) };
        for at in &list.value {
            if let Some(meant) = meant(&at.value) {
                let message = format!("unknown scope `{}`; did you mean `{meant}`?", at.value);
                let hint =
                    format!("write {meant}; for a scope that is new at Shopify, write lint: {{ allow: [HW113] }}");
                findings.report_for(findings.diagnostic(Code::UnknownScope, at.spot, message).hint(hint), behalf);
            }
        }
        let mut names: Vec<String> = list.value.iter().map(|at| at.value.as_str().to_owned()).collect();
        names.sort_unstable();
        let id = self.scope_lists.len();
        let scopes = self.scope_lists.entry((names, trusted)).or_insert_with(|| {
            let written = list.value.iter().map(|at| at.value.clone());
            let meant = written.clone().map(|scope| meant(&scope).unwrap_or(scope)).collect();
            Arc::new(Scopes { id, written: written.collect(), meant })
        });
        Some((Arc::clone(scopes), list.spot))
    }

    fn scope_coverage(
        &mut self,
        ready: &Ready,
        scopes: &Scopes,
        list: Spot,
        findings: &mut Findings,
        behalf: Behalf<'_>,
    ) {
        let topic = &ready.entry.binding.topic;
        let missing = self.missing.entry((scopes.id, topic.clone()));
        let missing = missing.or_insert_with(|| catalog::missing_scopes(topic, &scopes.meant));
        let Some(missing) = missing else { return };
        if findings.is_silenced(Code::ScopeMissing, behalf) {
            return;
        }
        let alternatives = super::decode::either(missing);
        let message = format!("`scopes` do not allow `{topic}`: it needs {alternatives}");
        let hint = match missing.as_slice() {
            [only] => match only.strip_prefix("read_") {
                Some(rest) => format!("add {only} to `scopes` (write_{rest} brings it along)"),
                None => format!("add {only} to `scopes`"),
            },
            _ => "add one of them to `scopes`; a write_ scope brings its read_ scope along".to_owned(),
        };
        let diagnostic = findings.diagnostic(Code::ScopeMissing, ready.spot, message).hint(hint);
        findings.report_for(diagnostic.related(findings.place(list), "the scopes that count here"), behalf);
    }

    fn limits(&mut self, safety: &document::SafetyBlock, findings: &mut Findings, behalf: Behalf<'_>) -> ShopLimits {
        let protected = safety.protected_topics.as_ref().map(|topics| {
            let mut warnings = Vec::new();
            let topics = topics.iter().map(|topic| self.rules.topic(topic, findings, &mut warnings).value).collect();
            for warning in warnings {
                findings.report_for(warning, behalf);
            }
            topics
        });
        ShopLimits { max_delete_percent: safety.max_delete_percent, protected_topics: protected }
    }

    /// Notes which families of topics go into which inlet, apart from shops that allow it.
    fn mixed_inlets(
        &mut self,
        shop: &'a document::Shop,
        own: &BTreeMap<&str, &'a document::Destination>,
        parts: &[(Arc<Vec<Ready>>, HashSet<Topic>)],
        findings: &Findings,
        behalf: Behalf<'_>,
    ) {
        if findings.is_silenced(Code::MixedInlet, behalf) {
            return;
        }
        let sets = shop.uses.iter().map(|used| used.set.value.as_str());
        for (at, (ready, except)) in parts.iter().enumerate() {
            // A set as it stands, over the common destinations, needs to be looked at once.
            if own.is_empty()
                && except.is_empty()
                && let Some(set) = sets.clone().nth(at)
                && at + 1 < parts.len()
                && !self.mixed_sets.insert(set)
            {
                continue;
            }
            for ready in ready.iter().filter(|ready| !except.contains(&ready.entry.binding.topic)) {
                let Binding { topic, address, .. } = &ready.entry.binding;
                let name = ready.entry.meta.destination.as_deref();
                let defined = name.and_then(|name| own.get(name).or_else(|| self.common.destinations.get(name)));
                self.inlets.note(topic, address, defined.map(|destination| destination.name.spot), ready.spot);
            }
        }
    }

    /// What can be said only when all shops were seen.
    pub(super) fn finish(&mut self, findings: &mut Findings) {
        self.inlets.report(findings);
        self.common.app.unknown_events(&self.addresses, findings);
        // Sets that no shop uses: said on nobody's behalf.
        let unused: Vec<&str> = self.sets.iter().filter(|(_, set)| !set.used).map(|(name, _)| *name).collect();
        for name in unused {
            let bindings = self.sets.get_mut(name).map(|set| std::mem::take(&mut set.bindings)).unwrap_or_default();
            for warning in bindings.iter().flat_map(|checked| &checked.warnings) {
                findings.report(warning.clone());
            }
            for checked in &bindings {
                // A destination that some shop has may be the one that is meant.
                let elsewhere = match &checked.raw.target {
                    Target::Destination(name) => self.own_names.contains(name.value.as_str()),
                    Target::Address(_) | Target::Broken => false,
                };
                if !elsewhere {
                    self.target(&checked.raw.target, &BTreeMap::new(), findings, Behalf::default());
                }
            }
        }
    }

    pub(super) fn topics(&mut self, topics: &[At<Topic>], findings: &mut Findings) -> Vec<Topic> {
        let mut warnings = Vec::new();
        let topics = topics.iter().map(|topic| self.rules.topic(topic, findings, &mut warnings).value).collect();
        for warning in warnings {
            findings.report(warning);
        }
        topics
    }
}

fn duplicates<'r>(
    ready: &'r Ready,
    keys: &mut HashMap<(&'r Topic, &'r Address, Format, Option<&'r str>), Spot>,
    names: &mut HashMap<String, Spot>,
    findings: &mut Findings,
    behalf: Behalf<'_>,
) {
    if let Some(first) = keys.insert(ready.entry.binding.key(), ready.spot) {
        let message =
            format!("`{}` is bound twice to one address with the same format and filter", ready.entry.binding.topic);
        let diagnostic = findings
            .diagnostic(Code::DuplicateBinding, ready.spot, message)
            .hint("remove one of the two; a shop that uses a set can leave a topic out: { set: NAME, except: [topic] }")
            .related(findings.place(first), "the first one");
        findings.report_for(diagnostic, behalf);
    }
    if let (Some(name), Some(spot)) = (&ready.entry.binding.name, ready.name)
        && let Some(first) = names.insert(name.to_ascii_lowercase(), spot)
        && first != spot
    {
        let message = format!("the name `{name}` is used twice in one shop");
        let diagnostic = findings
            .diagnostic(Code::DuplicateName, spot, message)
            .hint("choose another name: Shopify wants names unique in a shop, and ignores case")
            .related(findings.place(first), "the first one");
        findings.report_for(diagnostic, behalf);
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
        few if few.len() <= 8 => format!("{otherwise}; there is {}", super::decode::listed(few)),
        _ => otherwise.to_owned(),
    }
}
