//! Words of the formats to which a later minor version may add. A word that is unknown here stays as it is.

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
            /// A word that this version does not know.
            Other(String),
        }

        impl $name {
            /// The word in the JSON.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        /// The word in the JSON.
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

        /// A text, since a minor version adds words.
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

    /// Kinds of hazards.
    HazardKind {
        MaxDeletePercent = "max_delete_percent",
        MaxTotalDeletePercent = "max_total_delete_percent",
        MaxAddressChangePercent = "max_address_change_percent",
        EmptyShop = "empty_shop",
        DeleteForeign = "delete_foreign",
        RerouteForeign = "reroute_foreign",
        DeleteUnmanaged = "delete_unmanaged",
        ProtectedTopic = "protected_topic",
        DestinationSettling = "destination_settling",
    }

    /// Why a binding cannot be made.
    BlockedReason {
        Scope = "scope",
        NameTaken = "name_taken",
        DestinationDisabled = "destination_disabled",
        DestinationAuthenticationRequired = "destination_authentication_required",
        DestinationAddressDiffers = "destination_address_differs",
        DestinationNoAddress = "destination_no_address",
        DestinationUnusableAddress = "destination_unusable_address",
    }

    /// Kinds of findings.
    FindingKind {
        DoubleDelivery = "double_delivery",
        HeldBack = "held_back",
        KnownDrift = "known_drift",
        MetafieldsLost = "metafields_lost",
        MetafieldsUnnamed = "metafields_unnamed",
        MixedApps = "mixed_apps",
        NameKept = "name_kept",
        NeverMade = "never_made",
        NonExpiringToken = "non_expiring_token",
        NotReadable = "not_readable",
        OldEndpoint = "old_endpoint",
        RemovedByApply = "removed_by_apply",
        RemovedRemotely = "removed_remotely",
        ScopeLost = "scope_lost",
        ScopeMissing = "scope_missing",
        ScopeSuperfluous = "scope_superfluous",
        TwoPayloads = "two_payloads",
        Unavailable = "unavailable",
        Unmanaged = "unmanaged",
        VersionServed = "version_served",
        DestinationAddressDiffers = "destination_address_differs",
        DestinationAuthenticationRequired = "destination_authentication_required",
        DestinationDisabled = "destination_disabled",
        DestinationIngestFailing = "destination_ingest_failing",
        DestinationMissing = "destination_missing",
        DestinationNoAddress = "destination_no_address",
        DestinationUnusableAddress = "destination_unusable_address",
    }

    /// What Adobe's answer means for a destination.
    Verdict {
        Ok = "ok",
        Quiet = "quiet",
        IngestFailing = "ingest_failing",
        Settling = "settling",
        AddressDiffers = "address_differs",
        NoAddress = "no_address",
        UnusableAddress = "unusable_address",
        Disabled = "disabled",
        AuthenticationRequired = "authentication_required",
        Ambiguous = "ambiguous",
        Missing = "missing",
        Unknown = "unknown",
    }

    /// How a destination was found.
    FoundBy {
        Name = "name",
        Id = "id",
        Address = "address",
    }

    /// What has an address of its own at Adobe.
    InletKind {
        Flow = "flow",
        Connection = "connection",
    }

    /// What a plan does about unmanaged subscriptions.
    Unmanaged {
        Report = "report",
        Ignore = "ignore",
        Delete = "delete",
    }

    /// Kinds of errors.
    ErrorKind {
        Stale = "stale",
        FieldNotTaken = "field_not_taken",
        ChangedMeanwhile = "changed_meanwhile",
        OutcomeUnknown = "outcome_unknown",
        TokenRefused = "token_refused",
        NonExpiringToken = "non_expiring_token",
        MissingScope = "missing_scope",
        Forbidden = "forbidden",
        UnavailableShop = "unavailable_shop",
        Frozen = "frozen",
        PaymentRequired = "payment_required",
        NotFound = "not_found",
        Locked = "locked",
        RateLimited = "rate_limited",
        SecurityRejection = "security_rejection",
        Throttled = "throttled",
        AccessDenied = "access_denied",
        CostExceeded = "cost_exceeded",
        GraphqlError = "graphql_error",
        InternalError = "internal_error",
        ShopInactive = "shop_inactive",
        ServerError = "server_error",
        Redirected = "redirected",
        UnexpectedAnswer = "unexpected_answer",
        TooLarge = "too_large",
        ConnectFailed = "connect_failed",
        Tls = "tls",
        Timeout = "timeout",
        ConnectionLost = "connection_lost",
        Uninstalled = "uninstalled",
        ClientRefused = "client_refused",
        ShopNotPermitted = "shop_not_permitted",
        CodeRefused = "code_refused",
        LoginRequired = "login_required",
        SecretUnavailable = "secret_unavailable",
        TimeBudget = "time_budget",
        Interrupted = "interrupted",
        AlreadyTaken = "already_taken",
        DoesNotExist = "does_not_exist",
        NameTaken = "name_taken",
        TopicRefused = "topic_refused",
        ProtectedData = "protected_data",
        InvalidAddress = "invalid_address",
        InvalidFilter = "invalid_filter",
        InvalidFormat = "invalid_format",
        InvalidName = "invalid_name",
        Invalid = "invalid",
        AdobeClientRefused = "adobe_client_refused",
        AdobeTokenRefused = "adobe_token_refused",
        AdobeForbidden = "adobe_forbidden",
        AdobeRateLimited = "adobe_rate_limited",
        AdobeUnavailable = "adobe_unavailable",
        AdobeBadAnswer = "adobe_bad_answer",
        AdobeNotFound = "adobe_not_found",
        AdobeOtherOrg = "adobe_other_org",
        AdobeOtherSandbox = "adobe_other_sandbox",
        DestinationMissing = "destination_missing",
        DestinationAmbiguous = "destination_ambiguous",
        DestinationNoAddress = "destination_no_address",
        DestinationUnusableAddress = "destination_unusable_address",
        DestinationUnknown = "destination_unknown",
    }
}
