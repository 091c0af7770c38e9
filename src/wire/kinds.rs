//! Enumerations of the formats that a later minor version may extend. Only values that this program distinguishes have
//! a variant; any other value is kept as text. The core defines the values themselves.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! open_enums {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $word, "`")] $variant,)*
            /// Any other value.
            Other(String),
        }

        impl $name {
            /// Returns the value in the JSON.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }

            /// Every value that has a variant.
            #[cfg(test)]
            pub(crate) const ALL: &[&str] = &[$($word),*];
        }

        /// Dereferences to the value in the JSON.
        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                self.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(|word| Self::from(word.as_str()))
            }
        }

        /// A string without an enumeration, because minor versions add values.
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                String::schema_name()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                String::json_schema(generator)
            }
        }
    )*};
}

open_enums! {
    /// Why a change is made.
    Reason {
        Missing = "missing",
        Differs = "differs",
        Repurposed = "repurposed",
        NameStep = "name_step",
        NotInManifest = "not_in_manifest",
        Duplicate = "duplicate",
        Replaced = "replaced",
        Unmanaged = "unmanaged",
    }

    /// A field that an update changes.
    Field {
        Address = "address",
        Format = "format",
        Filter = "filter",
        IncludeFields = "include_fields",
        MetafieldNamespaces = "metafield_namespaces",
        Name = "name",
        Metafields = "metafields",
    }

    /// Kind of a hazard.
    HazardKind {
        MaxDeletePercent = "max_delete_percent",
        MaxTotalDeletePercent = "max_total_delete_percent",
        MaxAddressChangePercent = "max_address_change_percent",
        MaxDestinationLossPercent = "max_destination_loss_percent",
        EmptyShop = "empty_shop",
        AdoptionDelete = "adoption_delete",
        DeleteForeign = "delete_foreign",
        RerouteForeign = "reroute_foreign",
        DeleteUnmanaged = "delete_unmanaged",
        ProtectedTopic = "protected_topic",
        DestinationSettling = "destination_settling",
    }

    /// Why a binding is blocked.
    BlockedReason {
        Scope = "scope",
        NameTaken = "name_taken",
    }

    /// Kind of a finding.
    FindingKind {
        KnownDrift = "known_drift",
        MetafieldsUnnamed = "metafields_unnamed",
        NameKept = "name_kept",
        NeverMade = "never_made",
        NonExpiringToken = "non_expiring_token",
        OldEndpoint = "old_endpoint",
        RemovedByApply = "removed_by_apply",
        RemovedRemotely = "removed_remotely",
        ScopeLost = "scope_lost",
        ScopeMissing = "scope_missing",
        Unavailable = "unavailable",
        Unmanaged = "unmanaged",
    }

    /// What a plan does about unmanaged subscriptions.
    Unmanaged {
        Report = "report",
        Ignore = "ignore",
        Delete = "delete",
    }

    /// Kind of an error.
    ErrorKind {
        Stale = "stale",
        FieldNotTaken = "field_not_taken",
        ChangedMeanwhile = "changed_meanwhile",
        OutcomeUnknown = "outcome_unknown",
        NameTaken = "name_taken",
    }
}
