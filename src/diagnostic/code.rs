//! The table of diagnostic codes. The meaning of a code never changes, and a removed code is never reused.

use std::fmt;

use super::Severity;

macro_rules! codes {
    ($($variant:ident $code:literal $slug:literal $severity:ident $structural:literal $meaning:literal;)*) => {
        /// What kind of problem a diagnostic reports.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $variant,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// `HWnnn`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// A short, readable name, such as `unknown-key`.
            pub fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug,)* }
            }

            /// The default severity.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// Whether the JSON Schema of the manifest also rejects the problem.
            pub fn is_structural(self) -> bool {
                match self { $(Self::$variant => $structural,)* }
            }

            /// The meaning, in one line.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

codes! {
    File "HW001" "file" Error false "a file does not exist or cannot be read";
    Encoding "HW002" "encoding" Error false "a file is not UTF-8 text";
    Syntax "HW003" "yaml-syntax" Error false "a file is not valid YAML";
    Budget "HW004" "yaml-budget" Error false "a file is nested too deeply, or expands to more values than the limit";
    NotAMapping "HW005" "not-a-mapping" Error true "a file is empty, or its top level is not a mapping";
    UnknownKey "HW010" "unknown-key" Error true "unknown key";
    DuplicateKey "HW011" "duplicate-key" Error false "duplicate key in a mapping";
    WrongType "HW012" "wrong-type" Error true "a value has the wrong type, or a key has no value";
    MissingKey "HW013" "missing-key" Error true "a required key is missing";
    Conflict "HW014" "conflicting-keys" Error true "keys that exclude each other are both set";
    BadValue "HW015" "bad-value" Error true "invalid value";
    LiteralSecret "HW016" "literal-secret" Error true "the manifest contains a secret instead of a reference to one";
    // HW017 meant "not in this version of the tool" before Hookwright could look up destinations.
    NoShop "HW020" "no-shop" Error false "no file defines a shop";
    RepeatedBlock "HW021" "repeated-block" Error false "a block that may appear in only one file appears in several";
    RepeatedName "HW022" "repeated-name" Error false "a shop, a destination or a binding set is defined twice";
    UnknownDestination "HW023" "unknown-destination" Error false "a binding names a destination that is not defined";
    UnknownSet "HW024" "unknown-set" Error false "a shop uses a binding set that is not defined";
    UnknownAccount "HW025" "unknown-account" Error false "a destination names an Adobe account that is not defined";
    OthersSecret "HW026" "secret-of-another-shop" Error false "the reference to a shop's secret contains the name of another shop";
    DuplicateBinding "HW030" "duplicate-binding" Error false "two bindings of a shop have the same topic, address, format and filter";
    DuplicateName "HW031" "duplicate-name" Error false "a subscription name is used twice in a shop";
    NotOwned "HW032" "address-not-owned" Error false "no ownership prefix covers an address";
    BadPrefix "HW033" "bad-prefix" Error false "an ownership prefix is invalid, or would cover everything or nothing";
    BadAddress "HW034" "bad-address" Error false "Shopify rejects the address";
    NotSubscribable "HW035" "topic-not-subscribable" Error false "a topic cannot be subscribed to through the Admin API";
    TopicAddress "HW036" "topic-and-address" Error false "a topic cannot be delivered to this kind of address or in this format";
    TypeFilter "HW037" "metaobject-type-filter" Error false "a metaobject topic requires a filter on its type";
    BadFilter "HW038" "bad-filter" Error false "Shopify rejects the filter";
    BadNamespace "HW039" "bad-namespace" Error false "a metafield namespace or a metafield is invalid";
    DcsAddress "HW040" "dcs-address" Error false "Adobe's collection endpoint does not support the format or the query parameter";
    Rest "HW041" "rest-cannot" Error false "the REST Admin API does not support a field of a binding";
    OldVersion "HW042" "version-too-old" Error false "the Admin API version is older than the oldest that Hookwright supports";
    AppConfig "HW043" "app-config" Error false "a file that `app_config` names cannot be read";
    BadConsent "HW044" "bad-consent" Error false "a consent has an invalid pattern or day, or is valid for more than 90 days";
    LabelWithoutValue "HW045" "label-without-value" Error false "a label of a shop chooses no address of a destination";
    NoBindings "HW046" "no-bindings" Error false "a shop has neither `use` nor `bindings`";
    BadPolicy "HW047" "bad-policy" Error false "a policy is not a valid expression, or cannot be evaluated";
    Policy "HW048" "policy" Error false "a policy does not allow a binding";
    UnknownTopic "HW100" "unknown-topic" Error false "unknown topic: it is not in the catalogue";
    TopicVersion "HW101" "topic-not-in-version" Error false "the Admin API version of the manifest does not have a topic";
    TopicSpelling "HW102" "topic-spelling" Warning false "a topic is not written in its slash form";
    UnknownVersion "HW103" "unknown-version" Warning false "this version of Hookwright was not checked against the Admin API version";
    ScopeMissing "HW104" "scope-missing" Warning false "the listed scopes do not allow a topic";
    SampleId "HW105" "sample-address" Error false "an address is the sample from Adobe's documentation";
    UnusualDcs "HW106" "unusual-dcs-address" Error false "an address of Adobe's collection endpoint is incomplete or does not have the usual form";
    MixedInlet "HW107" "mixed-inlet" Warning false "many unrelated topics are delivered to one inlet";
    FilterField "HW108" "filter-field-not-included" Warning false "a filter uses a field that `include_fields` leaves out";
    ExceptNothing "HW109" "except-without-effect" Warning false "an `except` names a topic that is not in the set";
    DoubleDelivery "HW110" "double-delivery" Warning false "a binding duplicates a subscription in the app's own configuration, so each event is delivered twice";
    SharedToken "HW111" "shared-token" Warning false "several shops read their access token from the same environment variable";
    Undocumented "HW112" "undocumented-topic" Warning false "a topic was observed in a live shop, but is in no published Admin API version";
    UnknownScope "HW113" "unknown-scope" Warning false "an unknown scope is close to a known one";
    RemovedField "HW114" "removed-field" Warning false "a binding uses a field that Shopify removed from the payloads of its topic";
    ConstantPayload "HW115" "constant-payload" Warning false "the included fields of an update topic never change, so Shopify drops deliveries as duplicates";
    NotCompared "HW116" "app-config-not-compared" Warning false "a part of the app's own configuration could not be compared with the bindings";
    TwoPayloads "HW117" "two-payloads" Warning false "a binding and an event of the app deliver two payload shapes of one resource to one address";
    VersionSupport "HW118" "version-support" Warning false "the Admin API version has left support, or leaves it within 60 days";
    ExpiredConsent "HW119" "expired-consent" Warning false "a consent is expired, so it covers nothing";
    UselessConsent "HW120" "consent-without-effect" Warning false "a consent matches no shop of the manifest";
    BroadConsent "HW121" "broad-consent" Warning false "a consent matches every shop of a manifest with several shops";
}

impl Code {
    /// Parses `HWnnn` in upper or lower case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text))
    }

    /// The severity, given whether the catalogue knows the Admin API version of the manifest. Some problems are errors
    /// in a known version, but only warnings in an unknown one, which may have changed.
    pub fn severity_in(self, version_known: bool) -> Severity {
        match self {
            Self::UnknownTopic | Self::TopicVersion | Self::SampleId | Self::UnusualDcs if !version_known => {
                Severity::Warning
            }
            _ => self.severity(),
        }
    }

    /// Whether `lint.allow` can silence the code.
    pub fn can_be_silenced(self) -> bool {
        self.as_str() >= "HW100"
    }

    /// The codes that `lint.allow` can silence.
    pub fn silenceable() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|code| code.can_be_silenced())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Code {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text).ok_or_else(|| {
            let meant = Self::ALL.iter().find(|code| code.slug() == text);
            match meant {
                Some(code) => format!("unknown code; did you mean {code}?"),
                None => "unknown code; a code looks like HW104, and the output shows it in square brackets".to_owned(),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_slugs_are_unique_and_in_order() {
        let codes: Vec<_> = Code::ALL.iter().map(|c| c.as_str()).collect();
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "{codes:?}");
        let slugs: std::collections::BTreeSet<_> = Code::ALL.iter().map(|c| c.slug()).collect();
        assert_eq!(slugs.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|c| Code::parse(&c.as_str().to_lowercase()) == Some(*c)));
        // HW0xx are errors in every version. HW1xx are warnings, except for problems that are errors in a known
        // version. No structural code can be silenced.
        for code in Code::ALL {
            let hard = code.as_str().starts_with("HW0");
            assert_eq!(code.severity_in(false) == Severity::Error, hard, "{code}");
            assert_ne!(code.can_be_silenced(), hard, "{code}");
        }
        assert!(Code::silenceable().all(|c| !c.is_structural()));
    }
}
