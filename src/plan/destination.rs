//! Destinations and verdicts about them, as a plan contains them.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::{Severity, ShopError};
use crate::model::Address;
use crate::state::Source;

/// A destination that was looked up or checked at Adobe.
#[derive(Debug, Clone, PartialEq)]
pub struct Destination {
    /// Name in the manifest; `None` for an address that is written in a binding.
    pub name: Option<String>,
    /// Shop to which the destination belongs; `None` if it is common to all shops.
    pub shop: Option<String>,
    /// Where the destination is defined.
    pub source: Source,
    /// How the destination was looked up: by `name`, by `id`, or by `address` for an address that is written in the
    /// manifest.
    pub found_by: String,
    /// Name, id or address that was looked up.
    pub wanted: String,
    /// Account under `aep`; `None` if no account has the address.
    pub account: Option<String>,
    /// IMS organisation of the account.
    pub org: Option<String>,
    /// Adobe sandbox of the account.
    pub sandbox: Option<String>,
    /// `flow` or `connection`; `None` for an address that was not found.
    pub kind: Option<String>,
    /// Id of the dataflow or connection.
    pub id: Option<String>,
    /// Name at Adobe.
    pub title: Option<String>,
    /// State at Adobe: `enabled`, `disabled` and others.
    pub state: Option<String>,
    /// Address to which bindings are bound.
    pub address: Option<Address>,
    /// Time of creation at Adobe, RFC 3339.
    pub created_at: Option<String>,
    /// Time of the last change at Adobe, RFC 3339.
    pub updated_at: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// Severity of the verdict.
    pub severity: Severity,
    /// Problem and remedy; empty if there is no problem.
    pub message: String,
    /// Adobe may lose events that are delivered before this time.
    pub settles_at: Option<Timestamp>,
    /// The current series of failing runs, if there is one.
    pub failing: Option<Failing>,
    /// Addresses that the plan replaces with the address of this destination.
    pub replaces: Vec<Replaced>,
    /// Why Adobe did not answer; `None` if it did.
    pub error: Option<ShopError>,
}

/// An address that a plan replaces with the address of a destination.
#[derive(Debug, Clone, PartialEq)]
pub struct Replaced {
    /// The address.
    pub address: String,
    /// Number of live subscriptions with the address.
    pub subscriptions: usize,
    /// Number of shops with such subscriptions.
    pub shops: usize,
    /// What is known about the address at Adobe.
    pub message: String,
    /// Whether Adobe no longer has a dataflow or connection with this address.
    pub gone: bool,
}

/// The current series of failing runs of a dataflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// Start of the first run of the series, RFC 3339.
    pub since: String,
    /// Whether a successful run before the series was read. If not, the series may have started earlier.
    pub exact: bool,
    /// Day (`2026-12-26`, UTC) on which Adobe disables the dataflow unless a run succeeds.
    pub disabled_on: Option<String>,
}

macro_rules! verdicts {
    ($($(#[$doc:meta])* $verdict:ident = $name:literal;)*) => {
        /// The verdict about a destination, from the least to the most serious. Of two verdicts the greater one counts.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Verdict {
            $($(#[$doc])* $verdict,)*
            /// A verdict from a later minor version of the format.
            Other(String),
        }

        impl Verdict {
            /// All verdicts except `Other`.
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$verdict),*];

            /// Returns the stable name.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$verdict => $name,)*
                    Self::Other(name) => name,
                }
            }

            /// Returns the verdict with this name.
            pub fn parse(name: &str) -> Self {
                match name {
                    $($name => Self::$verdict,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }
    };
}

verdicts! {
    /// No problem is known.
    Ok = "ok";
    /// No run within two hours, which is normal for a shop without events.
    Quiet = "quiet";
    /// Records of the last run failed.
    IngestFailing = "ingest_failing";
    /// Created or changed less than five minutes ago.
    Settling = "settling";
    /// The address is not the one that is written in the manifest.
    AddressDiffers = "address_differs";
    /// The dataflow or connection has no streaming address.
    NoAddress = "no_address";
    /// The address must not be bound, for example because it is on another host.
    UnusableAddress = "unusable_address";
    /// The dataflow or connection is not enabled.
    Disabled = "disabled";
    /// The address requires an IMS token, which Shopify cannot send.
    AuthenticationRequired = "authentication_required";
    /// Several dataflows or connections have the name.
    Ambiguous = "ambiguous";
    /// No dataflow or connection has the name or id.
    Missing = "missing";
    /// Adobe did not answer. Never treated as a change.
    Unknown = "unknown";
}

impl Verdict {
    /// Returns whether no new binding may use the address, because events that are delivered there are rejected or
    /// lost.
    pub fn is_closed(&self) -> bool {
        match self {
            Self::Disabled
            | Self::AuthenticationRequired
            | Self::AddressDiffers
            | Self::NoAddress
            | Self::UnusableAddress => true,
            Self::Ok
            | Self::Quiet
            | Self::IngestFailing
            | Self::Settling
            | Self::Ambiguous
            | Self::Missing
            | Self::Unknown
            | Self::Other(_) => false,
        }
    }
}

/// Compares destinations by name, shop and lookup: the order of plans and lists.
pub fn destination_order(a: &Destination, b: &Destination) -> Ordering {
    (&a.name, &a.shop, &a.wanted).cmp(&(&b.name, &b.shop, &b.wanted))
}
