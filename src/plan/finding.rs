//! Findings: what a plan reports and no change can resolve.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{BindingKey, Verdict};
use crate::model::{SubscriptionId, Topic};

/// Something that a plan reports and that no change can resolve.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Kind of the finding.
    pub kind: FindingKind,
    /// Severity of the finding.
    pub severity: Severity,
    /// The topic, if the finding concerns one.
    pub topic: Option<Topic>,
    /// The live subscription, if the finding concerns one.
    pub id: Option<SubscriptionId>,
    /// Problem and remedy.
    pub message: String,
    /// Figures and names for other programs. Hookwright itself uses only the data in the kind.
    pub details: Arc<Map<String, Value>>,
}

/// Severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Information only.
    Info,
    /// Should be checked at some time. Never changes an exit code.
    Warning,
    /// Needs attention: `drift` and `plan --detailed-exitcode` exit with 2.
    Attention,
}

/// How a create relates to the files of `drift --since`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Index of the change among the changes of its shop, from 0.
    pub index: usize,
    /// Key of the binding that is created.
    pub key: BindingKey,
    /// Time at which it was last seen live, or removed by an apply.
    pub last_known: Option<Timestamp>,
    /// Time of the first earlier report that has the change.
    pub known_since: Option<Timestamp>,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal;)*) => {
        /// Kinds of findings, with the data that Hookwright uses.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum FindingKind {
            $($(#[$doc])* $kind,)*
            /// Shopify sends retries to the address that a change replaces.
            OldEndpoint {
                /// The replaced address.
                address: String,
            },
            /// An earlier report has the same update or delete.
            KnownDrift {
                /// Index of the change among the changes of its shop, from 0.
                index: usize,
                /// Time of the first earlier report that has the change.
                known_since: Timestamp,
            },
            /// No earlier file shows the binding of a create live.
            NeverMade(Earlier),
            /// An apply removed the subscription that is created again.
            RemovedByApply(Earlier),
            /// The subscription that is created again was live and was removed outside Hookwright.
            RemovedRemotely(Earlier),
            /// Live subscriptions deliver to a destination with this verdict.
            Destination(Verdict),
            /// A kind from a later minor version of the format, or with invalid data.
            Other(String),
        }

        impl FindingKind {
            /// All kinds without data.
            #[cfg(test)]
            pub(crate) const WITHOUT_DATA: &[Self] = &[$(Self::$kind),*];

            /// Returns the name of the kind in a plan.
            pub fn name(&self) -> Cow<'_, str> {
                Cow::Borrowed(match self {
                    $(Self::$kind => $name,)*
                    Self::OldEndpoint { .. } => "old_endpoint",
                    Self::KnownDrift { .. } => "known_drift",
                    Self::NeverMade(_) => "never_made",
                    Self::RemovedByApply(_) => "removed_by_apply",
                    Self::RemovedRemotely(_) => "removed_remotely",
                    Self::Destination(verdict) => return Cow::Owned(format!("destination_{}", verdict.as_str())),
                    Self::Other(name) => name,
                })
            }

            /// Returns the kind with this name, if it is a kind without data.
            pub fn without_data(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$kind),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// A binding repeats a subscription that the app configuration declares.
    DoubleDelivery = "double_delivery";
    /// A delete is not planned, because a binding of its topic is blocked.
    HeldBack = "held_back";
    /// A delete loses metafields.
    MetafieldsLost = "metafields_lost";
    /// A live subscription keeps metafields that its binding does not name.
    MetafieldsUnnamed = "metafields_unnamed";
    /// Shops of different apps bind the same address.
    MixedApps = "mixed_apps";
    /// A live subscription keeps a name that its binding does not have.
    NameKept = "name_kept";
    /// Shopify will or may reject the token from 2027-01-01.
    NonExpiringToken = "non_expiring_token";
    /// REST does not show the fields by which two subscriptions differ.
    NotReadable = "not_readable";
    /// A live subscription lacks its scope.
    ScopeLost = "scope_lost";
    /// A wanted scope is not granted.
    ScopeMissing = "scope_missing";
    /// A granted scope is not wanted.
    ScopeSuperfluous = "scope_superfluous";
    /// A binding and an event of the app send different payloads to the same address.
    TwoPayloads = "two_payloads";
    /// The shop could not be read, for a reason that is tolerated.
    Unavailable = "unavailable";
    /// A live subscription is not managed by the manifest.
    Unmanaged = "unmanaged";
    /// Shopify served another API version than the requested one.
    VersionServed = "version_served";
}
