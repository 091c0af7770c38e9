//! Hazards: properties of a plan that require consent, with their figures.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::model::ShopDomain;
use crate::state::HazardName;

/// A property of a plan that requires consent before apply.
#[derive(Debug, Clone, PartialEq)]
pub struct Hazard {
    /// Kind of the hazard, with its figures.
    pub kind: HazardKind,
    /// The shop; `None` for a hazard of the run.
    pub shop: Option<ShopDomain>,
}

/// Kinds of hazards, with the figures of each.
#[derive(Debug, Clone, PartialEq)]
pub enum HazardKind {
    /// The plan deletes too many subscriptions of the shop.
    MaxDeletePercent {
        /// Number of subscriptions that are deleted.
        deletes: usize,
        /// Number of live subscriptions.
        of: usize,
        /// The limit, in percent.
        limit_percent: u8,
    },
    /// The plan deletes too many subscriptions of the run.
    MaxTotalDeletePercent {
        /// Number of subscriptions that are deleted.
        deletes: usize,
        /// Number of live subscriptions.
        of: usize,
        /// The limit, in percent.
        limit_percent: u8,
    },
    /// The plan changes the address of too many subscriptions of the run.
    MaxAddressChangePercent {
        /// Number of subscriptions whose address changes.
        address_changes: usize,
        /// Number of live subscriptions.
        of: usize,
        /// Number of shops with such changes.
        shops: usize,
        /// The limit, in percent.
        limit_percent: u8,
    },
    /// The plan deletes or moves too many subscriptions of single destinations.
    MaxDestinationLossPercent {
        /// The destinations, sorted.
        destinations: Vec<DestinationLoss>,
        /// The limit, in percent.
        limit_percent: u8,
    },
    /// The plan leaves the shop without managed subscriptions.
    EmptyShop {
        /// Number of managed subscriptions that the shop has.
        managed: usize,
    },
    /// The manifest takes the shop over for the first time, and the plan deletes managed subscriptions.
    AdoptionDelete {
        /// Number of subscriptions that are deleted.
        deletes: usize,
        /// Number of managed subscriptions.
        of: usize,
        /// Addresses of the deleted subscriptions.
        addresses: BTreeSet<String>,
    },
    /// The plan deletes managed subscriptions whose address is not in the manifest. Another manifest may own them.
    DeleteForeign {
        /// Addresses of the subscriptions.
        addresses: Vec<String>,
    },
    /// The plan changes managed subscriptions whose address is not in the manifest. Another manifest may own them.
    RerouteForeign {
        /// Pairs of the address before and the address after.
        moves: BTreeSet<(String, String)>,
    },
    /// The plan deletes subscriptions that are not managed by the manifest.
    DeleteUnmanaged {
        /// Number of subscriptions that are deleted.
        deletes: usize,
    },
    /// The plan deletes subscriptions of protected topics, or changes their address or filter.
    ProtectedTopic {
        /// The topics, sorted.
        topics: Vec<String>,
    },
    /// The plan binds subscriptions to destinations at which Adobe may still lose events.
    DestinationSettling {
        /// Names of the destinations, or their addresses if they have no names.
        destinations: Vec<String>,
        /// Number of subscriptions that are bound to them.
        subscriptions: usize,
        /// Time until which Adobe may lose events.
        until: Timestamp,
    },
    /// A hazard of a plan file whose kind or figures this version does not know. No consent exists for it.
    Other {
        /// Kind of the hazard.
        name: String,
        /// Message of the hazard.
        message: String,
        /// Figures of the hazard.
        details: Map<String, Value>,
    },
}

/// What a run takes from one destination.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DestinationLoss {
    /// Name of the destination, or its address if it has no name.
    pub destination: String,
    /// Number of subscriptions that are deleted.
    pub deleted: usize,
    /// Number of subscriptions that move to another address.
    pub moved: usize,
    /// Number of live managed subscriptions.
    pub of: usize,
    /// Number of shops that lose subscriptions.
    pub shops: usize,
}

macro_rules! named {
    ($($hazard:ident)*) => {
        impl HazardKind {
            /// Returns the name; `None` for `Other`.
            pub fn name(&self) -> Option<HazardName> {
                match self {
                    $(Self::$hazard { .. } => Some(HazardName::$hazard),)*
                    Self::Other { .. } => None,
                }
            }
        }
    };
}

named! {
    MaxDeletePercent MaxTotalDeletePercent MaxAddressChangePercent MaxDestinationLossPercent EmptyShop AdoptionDelete
    DeleteForeign RerouteForeign DeleteUnmanaged ProtectedTopic DestinationSettling
}

impl HazardKind {
    /// Returns the name in a plan.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other { name, .. } => name,
            known => known.name().map(HazardName::as_str).unwrap_or_default(),
        }
    }
}

impl Hazard {
    /// Returns the value of `--allow` that gives consent.
    pub fn allow(&self) -> String {
        let kind = self.kind.as_str();
        self.shop.as_ref().map_or_else(|| kind.to_owned(), |shop| format!("{kind}:{}", shop.handle()))
    }

    /// Returns whether the hazard concerns subscriptions that another manifest may own.
    pub fn is_foreign(&self) -> bool {
        matches!(self.kind, HazardKind::DeleteForeign { .. } | HazardKind::RerouteForeign { .. })
    }

    /// Returns whether two hazards have the same kind and shop, regardless of their figures.
    pub fn is_like(&self, other: &Self) -> bool {
        (self.kind.as_str(), &self.shop) == (other.kind.as_str(), &other.shop)
    }

    /// Returns a description of the hazard, with figures.
    pub fn message(&self) -> String {
        match &self.kind {
            HazardKind::MaxDeletePercent { deletes, of, limit_percent } => format!(
                "deletes {deletes} of {of} live subscriptions ({} %); the limit is {limit_percent} %",
                percent(*deletes, *of)
            ),
            HazardKind::MaxTotalDeletePercent { deletes, of, limit_percent } => format!(
                "deletes {deletes} of the run's {of} live subscriptions ({} %); the limit is {limit_percent} %",
                percent(*deletes, *of)
            ),
            HazardKind::MaxAddressChangePercent { address_changes, of, shops, limit_percent } => format!(
                "changes the address of {address_changes} of the run's {of} live subscriptions ({} %) in {}; the \
                 limit is {limit_percent} %",
                percent(*address_changes, *of),
                plural(*shops, "shop")
            ),
            HazardKind::MaxDestinationLossPercent { destinations, limit_percent } => format!(
                "deletes or moves away more than {limit_percent} % of the live subscriptions of {}: {}",
                plural(destinations.len(), "destination"),
                losses(destinations)
            ),
            HazardKind::AdoptionDelete { deletes, of, addresses: _ } => format!(
                "deletes {deletes} of {of} managed subscriptions in a shop that this manifest takes over for the first time"
            ),
            HazardKind::EmptyShop { managed } => {
                format!("leaves the shop without managed subscriptions (it has {managed} now)")
            }
            HazardKind::DeleteForeign { addresses } => format!(
                "deletes subscriptions to addresses that this manifest does not contain ({}). {FOREIGN}",
                foreign_addresses(&addresses.iter().map(String::as_str).collect::<Vec<_>>())
            ),
            HazardKind::RerouteForeign { moves } => {
                let from: BTreeSet<&str> = moves.iter().map(|(from, _)| from.as_str()).collect();
                format!(
                    "moves subscriptions away from addresses that this manifest does not contain ({}). {FOREIGN}",
                    foreign_addresses(&from.into_iter().collect::<Vec<_>>())
                )
            }
            HazardKind::DeleteUnmanaged { deletes } => {
                let subscriptions = plural(*deletes, "subscription");
                format!("deletes {subscriptions} not managed by this manifest (`unmanaged: delete`)")
            }
            HazardKind::ProtectedTopic { topics } => {
                format!(
                    "deletes subscriptions of protected topics, or changes their address or filter: {}",
                    topics.join(", ")
                )
            }
            HazardKind::DestinationSettling { destinations, subscriptions, until } => format!(
                "binds {} to destinations that were created or changed less than five minutes before the plan ({}): \
                 Adobe may lose events that are delivered before {until}; apply the same plan after that time",
                plural(*subscriptions, "subscription"),
                destinations.join(", ")
            ),
            HazardKind::Other { message, .. } => message.clone(),
        }
    }
}

/// Returns the description of several hazards of one kind in several shops, with the sums of their figures. `None` if they
/// cannot be merged.
pub fn merged_message(hazards: &[Hazard]) -> Option<String> {
    let kinds = || hazards.iter().map(|hazard| &hazard.kind);
    let sum = |figure: fn(&HazardKind) -> usize| kinds().map(figure).fold(0, usize::saturating_add);
    let kind = match kinds().next()? {
        HazardKind::MaxDeletePercent { .. } => {
            let deletes =
                sum(|kind| if let HazardKind::MaxDeletePercent { deletes, .. } = kind { *deletes } else { 0 });
            let of = sum(|kind| if let HazardKind::MaxDeletePercent { of, .. } = kind { *of } else { 0 });
            let limit = |kind: &HazardKind| match kind {
                HazardKind::MaxDeletePercent { limit_percent, .. } => Some(*limit_percent),
                _ => None,
            };
            let limits: BTreeSet<u8> = kinds().filter_map(limit).collect();
            let limits: Vec<String> = limits.iter().map(|limit| format!("{limit} %")).collect();
            let of_each = if limits.len() == 1 { "limit of each shop is" } else { "limits of the shops are" };
            let share = percent(deletes, of);
            let limits = limits.join(", ");
            return Some(format!("deletes {deletes} of {of} live subscriptions ({share} %); the {of_each} {limits}"));
        }
        HazardKind::EmptyShop { .. } => {
            let managed = sum(|kind| if let HazardKind::EmptyShop { managed } = kind { *managed } else { 0 });
            return Some(format!("leaves each shop without managed subscriptions (together they have {managed} now)"));
        }
        HazardKind::AdoptionDelete { .. } => {
            let deletes = sum(|kind| if let HazardKind::AdoptionDelete { deletes, .. } = kind { *deletes } else { 0 });
            let of = sum(|kind| if let HazardKind::AdoptionDelete { of, .. } = kind { *of } else { 0 });
            return Some(format!(
                "deletes {deletes} of {of} managed subscriptions in shops that this manifest takes over for the first time"
            ));
        }
        HazardKind::DeleteForeign { .. } => {
            let addresses = kinds().filter_map(|kind| match kind {
                HazardKind::DeleteForeign { addresses } => Some(addresses),
                _ => None,
            });
            let addresses: BTreeSet<String> = addresses.flatten().cloned().collect();
            HazardKind::DeleteForeign { addresses: addresses.into_iter().collect() }
        }
        HazardKind::RerouteForeign { .. } => {
            let moves = kinds().filter_map(|kind| match kind {
                HazardKind::RerouteForeign { moves } => Some(moves),
                _ => None,
            });
            HazardKind::RerouteForeign { moves: moves.flatten().cloned().collect() }
        }
        HazardKind::DeleteUnmanaged { .. } => HazardKind::DeleteUnmanaged {
            deletes: sum(|kind| if let HazardKind::DeleteUnmanaged { deletes } = kind { *deletes } else { 0 }),
        },
        HazardKind::ProtectedTopic { .. } => {
            let topics = kinds().filter_map(|kind| match kind {
                HazardKind::ProtectedTopic { topics } => Some(topics),
                _ => None,
            });
            let topics: BTreeSet<String> = topics.flatten().cloned().collect();
            HazardKind::ProtectedTopic { topics: topics.into_iter().collect() }
        }
        HazardKind::MaxTotalDeletePercent { .. }
        | HazardKind::MaxAddressChangePercent { .. }
        | HazardKind::MaxDestinationLossPercent { .. }
        | HazardKind::DestinationSettling { .. }
        | HazardKind::Other { .. } => return None,
    };
    Some(Hazard { kind, shop: None }.message())
}

/// Maximum number of destinations in a message.
const NAMED: usize = 5;

/// Returns `customers (4 of 5 moved, 1 of 5 deleted, in 5 shops)` for each destination.
fn losses(destinations: &[DestinationLoss]) -> String {
    let loss = |DestinationLoss { destination, deleted, moved, of, shops }: &DestinationLoss| {
        let counts = [(moved, "moved"), (deleted, "deleted")].into_iter().filter(|(n, _)| **n > 0);
        let counts: Vec<String> = counts.map(|(n, what)| format!("{n} of {of} {what}")).collect();
        format!("{} ({}, in {})", shortened(destination), counts.join(", "), plural(*shops, "shop"))
    };
    let named = destinations.iter().take(NAMED).map(loss).collect::<Vec<_>>().join("; ");
    let more = destinations.len().saturating_sub(NAMED);
    if more > 0 { format!("{named}; and {more} more") } else { named }
}

/// Shortens the id at the end of an address: `https://dcs.adobedc.net/collection/5e331f99…`.
fn shortened(destination: &str) -> String {
    const SHOWN: usize = 8;
    let Some((start, id)) = destination.rsplit_once('/').filter(|_| destination.contains("://")) else {
        return destination.to_owned();
    };
    let id: Vec<char> = id.chars().collect();
    if id.len() <= 2 * SHOWN {
        destination.to_owned()
    } else {
        format!("{start}/{}…", id[..SHOWN].iter().collect::<String>())
    }
}

/// Returns a count with its noun: `1 shop`, `2 shops`.
fn plural(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

fn percent(part: usize, whole: usize) -> usize {
    part.saturating_mul(100).checked_div(whole).unwrap_or(0)
}

fn foreign_addresses(addresses: &[&str]) -> String {
    let first = addresses.first().copied().unwrap_or_default();
    let others = if addresses.len() > 1 { format!(" and {} more", addresses.len() - 1) } else { String::new() };
    format!("{first}{others}")
}

/// The remedy for a hazard about addresses that the manifest does not contain.
const FOREIGN: &str = "If an earlier version of this manifest contained them, create the plan again with `--base` and the file \
                       of that version; no consent is needed then. If another manifest manages the subscriptions, do \
                       not consent";
