//! Something that a plan must say but cannot do.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{BindingKey, Verdict};
use crate::model::{SubscriptionId, Topic};

/// Something that a plan must say but cannot do.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// How much it matters.
    pub severity: Severity,
    /// The topic, where it concerns one.
    pub topic: Option<Topic>,
    /// The live subscription, where it concerns one.
    pub id: Option<SubscriptionId>,
    /// What is the matter and what to do.
    pub message: String,
    /// Figures and names for other programs. Hookwright itself reads only what is in the kind.
    pub details: Map<String, Value>,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look at it some day. Never changes an exit code.
    Warning,
    /// Needs a person: exit 2 of `drift` and of `plan --detailed-exitcode`.
    Attention,
}

/// What `drift --since` finds out about a create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Place of the change among those of its shop, from 0.
    pub index: usize,
    /// What is created.
    pub key: BindingKey,
    /// When it was last seen, or taken away.
    pub last_known: Option<Timestamp>,
    /// Since when earlier reports have had the change.
    pub known_since: Option<Timestamp>,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal;)*) => {
        /// Kinds of findings, with the data that something reads.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum FindingKind {
            $($(#[$doc])* $kind,)*
            /// Retries of Shopify keep the address that a change gives up.
            OldEndpoint {
                /// The address.
                address: String,
            },
            /// An earlier report had an update or delete, too.
            KnownDrift {
                /// Place of the change among those of its shop, from 0.
                index: usize,
                /// Since when.
                known_since: Timestamp,
            },
            /// No earlier file shows a create live.
            NeverMade(Earlier),
            /// An apply took away what is created again.
            RemovedByApply(Earlier),
            /// What is created was live, and nothing of Hookwright took it away.
            RemovedRemotely(Earlier),
            /// Something is live at a destination of which Adobe says this.
            Destination(Verdict),
            /// One that only a later minor version of the format knows, or whose data does not fit.
            Other(String),
        }

        impl FindingKind {
            /// The kinds without data.
            #[cfg(test)]
            pub(crate) const WITHOUT_DATA: &[Self] = &[$(Self::$kind),*];

            /// The word in a plan.
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

            /// The kind of this name, if it has no data.
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
    /// The app declares for itself what a binding repeats.
    DoubleDelivery = "double_delivery";
    /// A delete waits for a blocked binding of its topic.
    HeldBack = "held_back";
    /// A delete loses metafields.
    MetafieldsLost = "metafields_lost";
    /// Metafields stay that no binding names.
    MetafieldsUnnamed = "metafields_unnamed";
    /// Shops of different apps bind one address.
    MixedApps = "mixed_apps";
    /// A name stays that no binding names.
    NameKept = "name_kept";
    /// Shopify rejects the token from 2027 on, or may.
    NonExpiringToken = "non_expiring_token";
    /// REST does not show what tells two subscriptions apart.
    NotReadable = "not_readable";
    /// A live subscription lacks its scope.
    ScopeLost = "scope_lost";
    /// A wanted scope is not granted.
    ScopeMissing = "scope_missing";
    /// Granted scopes are not wanted.
    ScopeSuperfluous = "scope_superfluous";
    /// A binding and an event of the app send different payloads to one address.
    TwoPayloads = "two_payloads";
    /// The shop was not read, and that is tolerated.
    Unavailable = "unavailable";
    /// A live subscription is outside the ownership rule.
    Unmanaged = "unmanaged";
    /// Shopify served another version than the one asked for.
    VersionServed = "version_served";
}
