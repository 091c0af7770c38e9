//! Destinations that a label of the shop chooses.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Common, Expander, nearest};
use crate::diagnostic::Code;
use crate::manifest::decode::{listed, short};
use crate::manifest::document::{self, BindingBlock, ByLabel, DestinationAddress, DestinationBlock, Span, Spanned};
use crate::manifest::findings::Reporter;
use crate::state::aep::Target;

/// The labels of a shop.
pub(super) type Labels<'a> = BTreeMap<&'a str, &'a Spanned<String>>;
/// The values of some labels; `None` for a label that the shop does not have.
pub(super) type Chosen<'a> = Vec<Option<&'a str>>;
type Targets = Vec<(Arc<str>, Target)>;

/// What determines the destinations of a shop's bindings, apart from the common destinations.
#[derive(Default)]
pub(super) struct View<'a> {
    /// The shop's own destinations.
    pub(super) own: BTreeMap<&'a str, &'a DestinationBlock>,
    pub(super) labels: Labels<'a>,
}

/// Returns the destination itself, or the one that the labels choose, if they choose one.
pub(super) fn chosen<'a>(destination: &'a DestinationBlock, labels: &Labels<'_>) -> Option<&'a DestinationBlock> {
    match &destination.address {
        DestinationAddress::ByLabel(by_label) => {
            let value = labels.get(by_label.label.value.as_str())?;
            by_label.values.iter().find(|one| one.name.value == value.value)
        }
        _ => Some(destination),
    }
}

/// The names and targets of the common destinations, for all labels.
pub(super) struct Commons<'a> {
    /// The label that chooses a destination, by name of the destination.
    label_of: BTreeMap<&'a str, &'a str>,
    /// Destinations that apply to all shops.
    fixed: Targets,
    /// Destinations that a value of a label chooses, under their own names: label, value, destination.
    by_value: BTreeMap<(&'a str, &'a str), Targets>,
    shared: HashMap<Chosen<'a>, Arc<Targets>>,
}

impl<'a> Commons<'a> {
    pub(super) fn new(common: &Common<'a>) -> Self {
        let label_of = common.destinations.iter().filter_map(|(name, destination)| match &destination.address {
            DestinationAddress::ByLabel(by_label) => Some((*name, by_label.label.value.as_str())),
            _ => None,
        });
        let (fixed, by_value, shared) = Default::default();
        Self { label_of: label_of.collect(), fixed, by_value, shared }
    }

    /// Adds a destination with its target, or each destination that a label can choose.
    pub(super) fn add(&mut self, destination: &'a DestinationBlock, targets: Vec<(&'a DestinationBlock, Target)>) {
        let name: Arc<str> = destination.name.value.as_str().into();
        for (one, target) in targets {
            let list = match &destination.address {
                DestinationAddress::ByLabel(by_label) => {
                    self.by_value.entry((&by_label.label.value, &one.name.value)).or_default()
                }
                _ => &mut self.fixed,
            };
            list.push((Arc::clone(&name), target));
        }
    }

    /// Returns the values of the labels that choose among these destinations.
    pub(super) fn chosen(&self, destinations: impl Iterator<Item = &'a str>, labels: &Labels<'a>) -> Chosen<'a> {
        let keys = destinations.filter_map(|name| self.label_of.get(name));
        keys.map(|key| labels.get(key).map(|value| value.value.as_str())).collect()
    }

    /// Returns the destinations that apply to a shop with these labels, and the others with their values as names of
    /// addresses. Shops with the same values share them.
    pub(super) fn of(&mut self, labels: &Labels<'a>) -> Arc<Targets> {
        let chosen = self.chosen(self.label_of.keys().copied(), labels);
        if let Some(known) = self.shared.get(&chosen) {
            return Arc::clone(known);
        }
        let mut all = self.fixed.clone();
        for ((key, value), targets) in &self.by_value {
            let is_chosen = labels.get(key).is_some_and(|label| label.value == **value);
            // A live subscription can still have the address of another value.
            let named = targets.iter().map(|(name, target)| {
                let listed = || Arc::from(format!("{name} ({key}={value})"));
                (if is_chosen { Arc::clone(name) } else { listed() }, target.clone())
            });
            all.extend(named);
        }
        let all = Arc::new(all);
        self.shared.insert(chosen, Arc::clone(&all));
        all
    }
}

impl<'a> Expander<'a> {
    /// Checks the shop's own destinations, and returns those that apply to it.
    pub(super) fn own_targets(&mut self, view: &View<'a>, reporter: &mut Reporter<'_, '_>) -> Targets {
        let mut targets = Vec::new();
        for (name, destination) in &view.own {
            let applies = chosen(destination, &view.labels);
            let all = self.destination(destination, reporter).into_iter();
            let all = all.filter(|(one, _)| applies.is_some_and(|applies| std::ptr::eq(applies, *one)));
            targets.extend(all.map(|(_, target)| (Arc::from(*name), target)));
        }
        targets
    }

    /// Reports each destination of the shop's bindings for which a label chooses nothing.
    pub(super) fn labels(
        &mut self,
        shop: &'a document::ShopBlock,
        view: &View<'a>,
        used: &HashMap<&str, Span>,
        inline: &'a [BindingBlock],
        reporter: &mut Reporter<'_, '_>,
    ) {
        let of_sets = used.keys().filter_map(|set| self.sets.get(set)).flat_map(|set| set.destinations.iter().copied());
        let mut names: Vec<&str> = of_sets.chain(inline.iter().filter_map(BindingBlock::destination)).collect();
        names.sort_unstable();
        names.dedup();
        let mut missing: BTreeMap<&str, Vec<(&'a DestinationBlock, &'a ByLabel)>> = BTreeMap::new();
        for name in names {
            let found = view.own.get(name).or_else(|| self.common.destinations.get(name)).copied();
            if let Some(destination) = found
                && let DestinationAddress::ByLabel(by_label) = &destination.address
                && chosen(destination, &view.labels).is_none()
            {
                missing.entry(&by_label.label.value).or_default().push((destination, by_label));
            }
        }
        for (label, destinations) in missing {
            let Some((first, by_label)) = destinations.first() else { continue };
            let names: Vec<&str> = destinations.iter().map(|(one, _)| one.name.value.as_str()).collect();
            let of = format!("destination{} {}", if names.len() == 1 { "" } else { "s" }, listed(&names));
            let known: Vec<&str> = by_label.values.iter().map(|value| value.name.value.as_str()).collect();
            let diagnostic = if let Some(value) = view.labels.get(label) {
                let message = format!("the label `{label}: {}` chooses no address of the {of}", short(&value.value));
                let hint = nearest(&value.value, &known, reporter.findings(), "correct the label, or add the value");
                reporter.diagnostic(Code::LabelWithoutValue, value.span, message).hint(hint)
            } else {
                let message = format!("the shop has no label `{label}`, which chooses the address of the {of}");
                let example = known.first().copied().unwrap_or_default();
                let values = if known.len() > 1 { format!("; values: {}", listed(&known)) } else { String::new() };
                let hint = format!("add the label, such as `labels: {{ {label}: {example} }}`{values}");
                reporter.diagnostic(Code::LabelWithoutValue, shop.span, message).hint(hint)
            };
            let related = reporter.place(first.name.span);
            reporter.report(diagnostic.related(related, "a destination with `by_label` is defined here"));
        }
    }
}
