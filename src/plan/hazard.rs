//! A property of a plan that needs consent, with its figures.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::model::ShopDomain;
use crate::text::plural;

/// What needs consent before apply.
#[derive(Debug, Clone, PartialEq)]
pub struct Hazard {
    /// What it is, with its figures.
    pub kind: HazardKind,
    /// The shop; none for a hazard of the run.
    pub shop: Option<ShopDomain>,
}

/// Kinds of hazards, with the figures of each.
#[derive(Debug, Clone, PartialEq)]
pub enum HazardKind {
    /// The shop loses too many of its subscriptions.
    MaxDeletePercent {
        /// Subscriptions that are deleted.
        deletes: usize,
        /// Live ones.
        of: usize,
        /// The limit.
        limit_percent: u8,
    },
    /// The run loses too many.
    MaxTotalDeletePercent {
        /// Subscriptions that are deleted.
        deletes: usize,
        /// Live ones.
        of: usize,
        /// The limit.
        limit_percent: u8,
    },
    /// The run sends too many to another address.
    MaxAddressChangePercent {
        /// Subscriptions whose address changes.
        address_changes: usize,
        /// Live ones.
        of: usize,
        /// Shops with such changes.
        shops: usize,
        /// The limit.
        limit_percent: u8,
    },
    /// The shop is left without a managed subscription.
    EmptyShop {
        /// Managed subscriptions that it has.
        managed: usize,
    },
    /// Managed subscriptions are deleted whose address is not in the manifest; another manifest may own them.
    DeleteForeign {
        /// Their addresses.
        addresses: Vec<String>,
    },
    /// Managed subscriptions are changed whose address is not in the manifest.
    RerouteForeign {
        /// From and to which address.
        moves: BTreeSet<(String, String)>,
    },
    /// Subscriptions outside the ownership rule are deleted.
    DeleteUnmanaged {
        /// How many.
        deletes: usize,
    },
    /// Protected topics are deleted or rerouted.
    ProtectedTopic {
        /// The topics, sorted.
        topics: Vec<String>,
    },
    /// Subscriptions are bound to destinations at which Adobe may still lose what is delivered.
    DestinationSettling {
        /// Names of the destinations, else their addresses.
        destinations: Vec<String>,
        /// Subscriptions that are bound to them.
        subscriptions: usize,
        /// Until when.
        until: Timestamp,
    },
    /// One in a file whose kind or figures this version does not know. Nothing consents to it.
    Other {
        /// Its kind.
        name: String,
        /// Its message.
        message: String,
        /// Its figures.
        details: Map<String, Value>,
    },
}

macro_rules! names {
    ($($hazard:ident = $name:literal, $of_shop:literal;)*) => {
        /// The kind of a hazard that `--allow` can name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum HazardName {
            $(#[doc = concat!("`", $name, "`")] $hazard,)*
        }

        impl HazardName {
            /// Every name.
            pub const ALL: &[Self] = &[$(Self::$hazard),*];

            /// The word in a plan and in `--allow`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$hazard => $name,)* }
            }

            /// Whether it is a hazard of one shop, not of the run.
            pub fn is_of_shop(self) -> bool {
                match self { $(Self::$hazard => $of_shop,)* }
            }
        }

        impl HazardKind {
            /// The name; none where this version does not know the hazard.
            pub fn name(&self) -> Option<HazardName> {
                match self {
                    $(Self::$hazard { .. } => Some(HazardName::$hazard),)*
                    Self::Other { .. } => None,
                }
            }
        }
    };
}

names! {
    MaxDeletePercent = "max_delete_percent", true;
    MaxTotalDeletePercent = "max_total_delete_percent", false;
    MaxAddressChangePercent = "max_address_change_percent", false;
    EmptyShop = "empty_shop", true;
    DeleteForeign = "delete_foreign", true;
    RerouteForeign = "reroute_foreign", true;
    DeleteUnmanaged = "delete_unmanaged", true;
    ProtectedTopic = "protected_topic", true;
    DestinationSettling = "destination_settling", false;
}

impl HazardKind {
    /// The word in a plan.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other { name, .. } => name,
            known => known.name().map(HazardName::as_str).unwrap_or_default(),
        }
    }
}

impl Hazard {
    /// What to pass to `--allow`.
    pub fn allow(&self) -> String {
        let kind = self.kind.as_str();
        self.shop.as_ref().map_or_else(|| kind.to_owned(), |shop| format!("{kind}:{}", shop.handle()))
    }

    /// Whether it is about routes that another manifest may own.
    pub fn is_foreign(&self) -> bool {
        matches!(self.kind, HazardKind::DeleteForeign { .. } | HazardKind::RerouteForeign { .. })
    }

    /// Whether `other` is of the same kind and shop, whatever its figures.
    pub fn is_like(&self, other: &Self) -> bool {
        (self.kind.as_str(), &self.shop) == (other.kind.as_str(), &other.shop)
    }

    /// What is the matter, with figures.
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
            HazardKind::EmptyShop { managed } => {
                format!("leaves the shop without managed subscriptions (it has {managed} now)")
            }
            HazardKind::DeleteForeign { addresses } => format!(
                "deletes managed subscriptions whose address is not in this manifest: {}",
                foreign_addresses(&addresses.iter().map(String::as_str).collect::<Vec<_>>())
            ),
            HazardKind::RerouteForeign { moves } => {
                let from: BTreeSet<&str> = moves.iter().map(|(from, _)| from.as_str()).collect();
                format!(
                    "changes managed subscriptions whose address is not in this manifest: {}",
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

fn percent(part: usize, whole: usize) -> usize {
    part.saturating_mul(100).checked_div(whole).unwrap_or(0)
}

fn foreign_addresses(addresses: &[&str]) -> String {
    let first = addresses.first().copied().unwrap_or_default();
    let others = if addresses.len() > 1 { format!(" and {} more", addresses.len() - 1) } else { String::new() };
    format!(
        "{first}{others}; another manifest may own them. If an earlier version of this manifest had the address, pass \
         that version with `--base` when planning"
    )
}
