//! Where destinations and bindings lead: to an address that somebody wrote down, or to what is looked up at Adobe.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Resolver, nearest};
use crate::diagnostic::Code;
use crate::manifest::document::{self, DestinationAddress, Spot, Target};
use crate::manifest::findings::{Behalf, Findings};
use crate::manifest::{address, aep, decode};
use crate::model::Address;
use crate::state::Source;
use crate::state::aep::{Destination, Target as Leads};

/// Where a binding leads.
pub(super) struct Led {
    pub(super) address: Address,
    /// What the manifest says, which is the address unless that is looked up.
    pub(super) written: Address,
    pub(super) destination: Option<Arc<str>>,
    pub(super) lookup: Option<usize>,
}

impl<'a> Resolver<'a> {
    /// Checks a destination where it is defined.
    pub(super) fn destination(
        &mut self,
        destination: &'a document::Destination,
        public: &mut BTreeMap<Arc<str>, Address>,
        findings: &mut Findings,
        behalf: Behalf<'_>,
    ) {
        match &destination.address {
            DestinationAddress::Address(at) => {
                self.rules.address(at, findings, behalf);
                self.named(&at.value);
                let name = self.name(&destination.name.value);
                self.define(
                    Some(Arc::clone(&name)),
                    Leads::Address(at.value.clone()),
                    destination.name.spot,
                    findings,
                    behalf,
                );
                public.insert(name, at.value.clone());
            }
            DestinationAddress::Lookup(wanted) => {
                let lookup = self.common.accounts.lookup(wanted, findings);
                let led = lookup.map(|lookup| {
                    let written = aep::placeholder(&lookup, wanted.with_flow_id);
                    let found = self.common.found.get(&lookup).map(|found| found.address(wanted.with_flow_id));
                    if let Some(address) = &found {
                        self.addresses.insert(address.clone());
                        public.insert(self.name(&destination.name.value), address.clone());
                    }
                    self.written.insert(written.clone());
                    let target = Leads::Lookup { lookup, with_flow_id: wanted.with_flow_id };
                    let name = self.name(&destination.name.value);
                    let at = self.define(Some(name), target, destination.name.spot, findings, behalf);
                    (at, found.unwrap_or_else(|| written.clone()), written)
                });
                self.looked_up.insert(destination.name.spot, led);
            }
            DestinationAddress::Broken => {}
        }
    }

    fn named(&mut self, address: &Address) {
        self.addresses.insert(address.clone());
        self.written.insert(address.clone());
    }

    /// Gives back its place.
    fn define(
        &mut self,
        name: Option<Arc<str>>,
        target: Leads,
        spot: Spot,
        findings: &Findings,
        behalf: Behalf<'_>,
    ) -> usize {
        let source = Source { file: findings.file(spot), line: spot.span.line };
        self.defined.push(Destination { name, shop: behalf.shop.cloned(), target, source });
        self.defined.len() - 1
    }

    pub(super) fn target(
        &mut self,
        target: &'a Target,
        own: &BTreeMap<&str, &'a document::Destination>,
        findings: &mut Findings,
        behalf: Behalf<'_>,
    ) -> Option<Led> {
        let led = |address: &Address, destination| {
            Some(Led { address: address.clone(), written: address.clone(), destination, lookup: None })
        };
        let name = match target {
            Target::Broken => return None,
            Target::Address(at) => {
                self.rules.address(at, findings, behalf);
                // `written`, since it is the same whatever was found: places must not move.
                if address::is_dcs(&at.value) && !self.written.contains(&at.value) {
                    self.define(None, Leads::Address(at.value.clone()), at.spot, findings, Behalf::default());
                }
                self.named(&at.value);
                return led(&at.value, None);
            }
            Target::Destination(name) => name,
        };
        let found = own.get(name.value.as_str()).or_else(|| self.common.destinations.get(name.value.as_str()));
        let Some(found) = found.copied() else {
            let message = format!("there is no destination `{}`", decode::short(&name.value));
            let known: Vec<&str> = self.common.destinations.keys().copied().chain(own.keys().copied()).collect();
            let hint = nearest(&name.value, &known, findings, "define it under `destinations`, or write `address:`");
            findings.report_for(findings.diagnostic(Code::UnknownDestination, name.spot, message).hint(hint), behalf);
            return None;
        };
        match &found.address {
            DestinationAddress::Address(at) => led(&at.value, Some(self.name(&name.value))),
            DestinationAddress::Lookup(_) => {
                let (lookup, address, written) = self.looked_up.get(&found.name.spot).cloned().flatten()?;
                let destination = Some(self.name(&name.value));
                Some(Led { address, written, destination, lookup: Some(lookup) })
            }
            DestinationAddress::Broken => None,
        }
    }
}
