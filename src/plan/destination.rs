//! What Adobe says of a destination, as a plan carries it.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::{Severity, ShopError};
use crate::model::Address;
use crate::state::Source;

/// A destination that was looked up or checked at Adobe.
#[derive(Debug, Clone, PartialEq)]
pub struct Destination {
    /// Its name in the manifest; none for an address that stands in a binding.
    pub name: Option<String>,
    /// The shop that has it of its own; none if it is every shop's.
    pub shop: Option<String>,
    /// Where it is defined.
    pub source: Source,
    /// How it was found: `name`, `id`, or `address` for a pasted one.
    pub found_by: String,
    /// The name, id or address that was looked for.
    pub wanted: String,
    /// The account under `aep`; none if a pasted address was found under none.
    pub account: Option<String>,
    /// IMS organisation that was asked.
    pub org: Option<String>,
    /// Adobe's sandbox that was asked.
    pub sandbox: Option<String>,
    /// `flow` or `connection`; none for a pasted address that was not found.
    pub kind: Option<String>,
    /// Id of the dataflow or connection.
    pub id: Option<String>,
    /// Its name at Adobe.
    pub title: Option<String>,
    /// As Adobe says it: `enabled`, `disabled`, …
    pub state: Option<String>,
    /// The address to bind to.
    pub address: Option<Address>,
    /// RFC 3339.
    pub created_at: Option<String>,
    /// RFC 3339.
    pub updated_at: Option<String>,
    /// What the answer means.
    pub verdict: Verdict,
    /// How much that matters.
    pub severity: Severity,
    /// What is the matter and what to do; empty if all is well.
    pub message: String,
    /// Until then Adobe may lose what is delivered.
    pub settles_at: Option<Timestamp>,
    /// Since when the dataflow has been failing.
    pub failing: Option<Failing>,
    /// Addresses that live subscriptions have instead.
    pub replaces: Vec<Replaced>,
    /// Why Adobe did not say.
    pub error: Option<ShopError>,
}

/// An address that gives way to the one of a destination.
#[derive(Debug, Clone, PartialEq)]
pub struct Replaced {
    /// The address.
    pub address: String,
    /// How many live subscriptions have it.
    pub subscriptions: usize,
    /// In how many shops.
    pub shops: usize,
    /// What Adobe says of it.
    pub message: String,
    /// Whether Adobe has no dataflow or connection with that address any more.
    pub gone: bool,
}

/// A series of failing runs of a dataflow that lasts until now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// RFC 3339: start of the first run of the series.
    pub since: String,
    /// Whether a successful run before it was read.
    pub exact: bool,
    /// The day (`2026-12-26`, UTC) on which Adobe disables the dataflow unless a run succeeds.
    pub disabled_on: Option<String>,
}

macro_rules! verdicts {
    ($($(#[$doc:meta])* $verdict:ident = $name:literal;)*) => {
        /// What Adobe's answer means for a destination, the least first: of two verdicts the greater one counts.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Verdict {
            $($(#[$doc])* $verdict,)*
            /// One that only a later minor version of the format knows.
            Other(String),
        }

        impl Verdict {
            /// Every verdict that this version knows.
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$verdict),*];

            /// The stable name.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$verdict => $name,)*
                    Self::Other(name) => name,
                }
            }

            /// The verdict of this name.
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
    /// Nothing speaks against it.
    Ok = "ok";
    /// No run within two hours; a shop without orders does that, too.
    Quiet = "quiet";
    /// Records of the last run failed.
    IngestFailing = "ingest_failing";
    /// Created or changed less than five minutes ago.
    Settling = "settling";
    /// Its address is not the one pasted in the manifest.
    AddressDiffers = "address_differs";
    /// It has no streaming address.
    NoAddress = "no_address";
    /// Its address must not be bound, such as one on another host.
    UnusableAddress = "unusable_address";
    /// It is not enabled.
    Disabled = "disabled";
    /// Its address requires a token of IMS, which Shopify cannot send.
    AuthenticationRequired = "authentication_required";
    /// Several have the name.
    Ambiguous = "ambiguous";
    /// None has that name or id.
    Missing = "missing";
    /// Adobe did not say; never taken for a change.
    Unknown = "unknown";
}

impl Verdict {
    /// Whether nothing may be newly bound to the address: what is delivered there is refused or lost.
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

/// Sorts destinations, in plans and wherever they are listed.
pub fn destination_order(a: &Destination, b: &Destination) -> Ordering {
    (&a.name, &a.shop, &a.wanted).cmp(&(&b.name, &b.shop, &b.wanted))
}
