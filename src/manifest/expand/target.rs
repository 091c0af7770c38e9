//! The targets of destinations and bindings: an address in the manifest, or a lookup at Adobe.

use std::sync::Arc;

use super::by_label::{self, View};
use super::{Expander, nearest};
use crate::diagnostic::Code;
use crate::manifest::document::{self, DestinationAddress, Span};
use crate::manifest::findings::Reporter;
use crate::manifest::{DestinationIndex, address, decode};
use crate::model::{Address, ShopDomain};
use crate::state::Source;
use crate::state::aep::{Destination, NoAddress, Query, Target};

/// The target of a binding.
pub(super) struct ResolvedTarget {
    pub(super) target: Target,
    /// The name of the destination, if the binding names one.
    pub(super) destination: Option<Arc<str>>,
    /// The place of the definition of the destination.
    pub(super) span: Option<Span>,
    /// The destination, if it is looked up.
    pub(super) lookup: Option<DestinationIndex>,
}

impl<'a> Expander<'a> {
    /// Checks a destination. Returns it with its target, or each destination that a label can choose; nothing if it is
    /// invalid, which was reported.
    pub(super) fn destination(
        &mut self,
        destination: &'a document::DestinationBlock,
        reporter: &mut Reporter<'_, '_>,
    ) -> Vec<(&'a document::DestinationBlock, Target)> {
        let name = self.name(&destination.name.value);
        let DestinationAddress::ByLabel(by_label) = &destination.address else {
            let target = self.destination_target(destination, &name, None, reporter);
            return target.map(|target| (destination, target)).into_iter().collect();
        };
        let mut targets = Vec::new();
        for value in &by_label.values {
            let choice = (by_label.label.value.as_str().into(), value.name.value.as_str().into());
            let target = self.destination_target(value, &name, Some(choice), reporter);
            targets.extend(target.map(|target| (value, target)));
        }
        targets
    }

    /// Checks a destination that no label chooses, or one value of a label.
    fn destination_target(
        &mut self,
        destination: &'a document::DestinationBlock,
        name: &Arc<str>,
        label: Option<(Arc<str>, Arc<str>)>,
        reporter: &mut Reporter<'_, '_>,
    ) -> Option<Target> {
        let span = destination.name.span;
        let target = match &destination.address {
            DestinationAddress::Address(at) => {
                self.rules.address(at, reporter);
                self.addresses.insert(at.value.clone());
                Target::Address(at.value.clone())
            }
            DestinationAddress::Lookup(wanted) => {
                let Some(lookup) = self.common.accounts.lookup(wanted, reporter.findings()) else {
                    self.looked_up.insert(span, None);
                    return None;
                };
                Target::Lookup(Arc::new(Query { lookup, with_flow_id: wanted.with_flow_id }))
            }
            // A value of a label is not chosen by another label; that was reported.
            DestinationAddress::ByLabel(_) | DestinationAddress::Broken => return None,
        };
        let shop = reporter.shop().cloned();
        let index = self.define(Some(Arc::clone(name)), shop, label, target.clone(), reporter.source(span));
        if let Target::Lookup(_) = &target {
            self.looked_up.insert(span, Some(index));
        }
        Some(target)
    }

    fn define(
        &mut self,
        name: Option<Arc<str>>,
        shop: Option<ShopDomain>,
        label: Option<(Arc<str>, Arc<str>)>,
        target: Target,
        source: Source,
    ) -> DestinationIndex {
        let address = match &target {
            Target::Address(address) => Ok(address.clone()),
            Target::Lookup(_) => Err(NoAddress::NotLookedUp),
        };
        self.defined.push(Destination { name, shop, label, target, address, source });
        DestinationIndex(self.defined.len() - 1)
    }

    /// Returns the target of a binding, or `None` if it is invalid, which was reported.
    pub(super) fn target(
        &mut self,
        target: &'a document::BindingTarget,
        view: &View<'a>,
        reporter: &mut Reporter<'_, '_>,
    ) -> Option<ResolvedTarget> {
        let to = |address: &Address, destination, span| {
            let target = Target::Address(address.clone());
            Some(ResolvedTarget { target, destination, span, lookup: None })
        };
        let name = match target {
            document::BindingTarget::Broken => return None,
            document::BindingTarget::Address(at) => {
                self.rules.address(at, reporter);
                if self.addresses.insert(at.value.clone()) && address::is_dcs(&at.value) {
                    self.define(None, None, None, Target::Address(at.value.clone()), reporter.source(at.span));
                }
                return to(&at.value, None, None);
            }
            document::BindingTarget::Destination(name) => name,
        };
        let found = view.own.get(name.value.as_str()).or_else(|| self.common.destinations.get(name.value.as_str()));
        let Some(found) = found.copied() else {
            let message = format!("unknown destination `{}`", decode::short(&name.value));
            let known: Vec<&str> = self.common.destinations.keys().copied().chain(view.own.keys().copied()).collect();
            let otherwise = if name.value.contains("://") {
                "to bind to an address, write `address: URL` instead of `destination`"
            } else {
                "define it under `destinations`, or write `address: …`"
            };
            let hint = nearest(&name.value, &known, reporter.findings(), otherwise);
            reporter.report(reporter.diagnostic(Code::UnknownDestination, name.span, message).hint(hint));
            return None;
        };
        // A label without a value was reported at the shop.
        let found = by_label::chosen(found, &view.labels)?;
        let span = Some(found.name.span);
        match &found.address {
            DestinationAddress::Address(at) => to(&at.value, Some(self.name(&name.value)), span),
            DestinationAddress::Lookup(_) => {
                let index = self.looked_up.get(&found.name.span).copied().flatten()?;
                let target = self.defined.get(index.0)?.target.clone();
                Some(ResolvedTarget { target, destination: Some(self.name(&name.value)), span, lookup: Some(index) })
            }
            DestinationAddress::ByLabel(_) | DestinationAddress::Broken => None,
        }
    }
}
