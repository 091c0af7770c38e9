//! Names of addresses. A change names a live address only if a destination of the manifest has it; other parts of the plan can
//! name it, too.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::render::changes::{brief_address, shown_address};
use crate::wire::plan::{Change, Destination, Reason, Subscription};

/// The names of addresses in a plan or a report.
#[derive(Default)]
pub(super) struct Names<'a>(HashMap<&'a str, Cow<'a, str>>);

impl<'a> Names<'a> {
    /// Collects the names of the destinations at Adobe and of the addresses that they replace.
    pub(super) fn new(destinations: &[&'a Destination], former: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names = HashMap::new();
        for address in former {
            names.insert(address, format!("{} (former)", brief_address(address)).into());
        }
        let named = destinations.iter().filter_map(|d| Some((*d, d.name.as_deref()?)));
        for (destination, name) in named.clone() {
            for replaced in &destination.replaces {
                names.insert(&replaced.address, format!("{name} (former)").into());
            }
        }
        for (destination, name) in named {
            names.extend(destination.address.as_deref().map(|address| (address, Cow::Borrowed(name))));
        }
        Self(names)
    }

    /// Returns the name of the destination on one side of a change, or the address if it has no name.
    pub(super) fn of(&self, name: Option<&'a str>, change: &Change, side: &'a Subscription) -> Cow<'a, str> {
        let known = || self.0.get(side.address.as_str()).filter(|_| change.reason != Reason::Unmanaged).cloned();
        name.map(Cow::Borrowed).or_else(known).unwrap_or_else(|| shown_address(change, side))
    }
}
