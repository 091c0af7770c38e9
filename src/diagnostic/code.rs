//! The table of codes. A code is never given a second meaning and never reused.

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

            /// A short name for people.
            pub fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug,)* }
            }

            /// Its severity when nothing raises or lowers it.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// Whether the JSON Schema of the manifest refuses the same thing.
            pub fn is_structural(self) -> bool {
                match self { $(Self::$variant => $structural,)* }
            }

            /// What it means, in one line.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

codes! {
    File "HW001" "file" Error false "a file cannot be read, or there is none";
    Encoding "HW002" "encoding" Error false "a file is not UTF-8 text";
    Syntax "HW003" "yaml-syntax" Error false "a file is not valid YAML";
    Budget "HW004" "yaml-budget" Error false "a file is nested too deeply or expands past the stated budget";
    NotAMapping "HW005" "not-a-mapping" Error true "a file is empty or has no mapping at the top";
    UnknownKey "HW010" "unknown-key" Error true "a key that the manifest does not have";
    DuplicateKey "HW011" "duplicate-key" Error false "a key stands twice in one mapping";
    WrongType "HW012" "wrong-type" Error true "a value has the wrong type, or is blank";
    MissingKey "HW013" "missing-key" Error true "a required key is missing";
    Conflict "HW014" "conflicting-keys" Error true "keys that exclude each other stand side by side";
    BadValue "HW015" "bad-value" Error true "a value is not among those allowed";
    LiteralSecret "HW016" "literal-secret" Error true "a secret stands in the manifest instead of a reference to it";
    // HW017 was "not in this version of the tool", as long as destinations could not be looked up.
    NoShop "HW020" "no-shop" Error false "no file names a shop";
    RepeatedBlock "HW021" "repeated-block" Error false "a block that may stand in one file stands in several";
    RepeatedName "HW022" "repeated-name" Error false "a shop, a destination or a set is defined twice";
    UnknownDestination "HW023" "unknown-destination" Error false "a binding names a destination that is not defined";
    UnknownSet "HW024" "unknown-set" Error false "a shop uses a binding set that is not defined";
    UnknownAccount "HW025" "unknown-account" Error false "a destination names an account at Adobe that is not defined";
    OthersSecret "HW026" "secret-of-another-shop" Error false "a shop's secret is looked up under the name of another shop";
    DuplicateBinding "HW030" "duplicate-binding" Error false "two bindings of a shop have the same topic, address, format and filter";
    DuplicateName "HW031" "duplicate-name" Error false "a subscription name is used twice in a shop";
    NotOwned "HW032" "address-not-owned" Error false "no ownership prefix covers an address";
    BadPrefix "HW033" "bad-prefix" Error false "an ownership prefix would cover everything or nothing";
    BadAddress "HW034" "bad-address" Error false "Shopify would refuse the address";
    NotSubscribable "HW035" "topic-not-subscribable" Error false "the Admin API cannot subscribe the topic";
    TopicAddress "HW036" "topic-and-address" Error false "the topic cannot be delivered to that kind of address or in that format";
    TypeFilter "HW037" "metaobject-type-filter" Error false "a metaobject topic needs a filter with its type";
    BadFilter "HW038" "bad-filter" Error false "Shopify would refuse the filter";
    BadNamespace "HW039" "bad-namespace" Error false "a metafield namespace or metafield is not usable";
    DcsAddress "HW040" "dcs-address" Error false "Adobe's collection endpoint cannot be used in that way";
    Rest "HW041" "rest-cannot" Error false "the REST Admin API cannot express it";
    OldVersion "HW042" "version-too-old" Error false "the Admin API version is older than this tool works with";
    AppConfig "HW043" "app-config" Error false "a file of app_config cannot be read";
    UnknownTopic "HW100" "unknown-topic" Error false "a topic that the catalogue does not know";
    TopicVersion "HW101" "topic-not-in-version" Error false "a topic that the catalogue does not know in this Admin API version";
    TopicSpelling "HW102" "topic-spelling" Warning false "a topic that is not written in its slash form";
    UnknownVersion "HW103" "unknown-version" Warning false "an Admin API version that this tool was not checked against";
    ScopeMissing "HW104" "scope-missing" Warning false "the listed scopes do not allow a topic";
    SampleId "HW105" "sample-address" Error false "the address is the sample from Adobe's documentation";
    UnusualDcs "HW106" "unusual-dcs-address" Error false "an address of Adobe's collection endpoint is incomplete or looks unlike the known ones";
    MixedInlet "HW107" "mixed-inlet" Warning false "many unlike topics go into one inlet";
    FilterField "HW108" "filter-field-not-included" Warning false "a filter looks at a field that include_fields leaves out";
    ExceptNothing "HW109" "except-without-effect" Warning false "an `except` names a topic that the set does not have";
    DoubleDelivery "HW110" "double-delivery" Warning false "a binding repeats what the app declares for itself, so that each event comes twice";
    SharedToken "HW111" "shared-token" Warning false "several shops have their access token in one environment variable";
    Undocumented "HW112" "undocumented-topic" Warning false "a topic that was seen in a live shop, but is in no published Admin API version";
    UnknownScope "HW113" "unknown-scope" Warning false "a scope that is unknown and close to a known one";
    RemovedField "HW114" "removed-field" Warning false "a field that Shopify removed from the payloads of a topic";
    ConstantPayload "HW115" "constant-payload" Warning false "the included fields of an update topic never change, so that Shopify drops deliveries as duplicates";
    NotCompared "HW116" "app-config-not-compared" Warning false "something that the app declares for itself could not be compared with the bindings";
    TwoPayloads "HW117" "two-payloads" Warning false "a binding and an event of the app send two payload shapes of one resource to one address";
    VersionSupport "HW118" "version-support" Warning false "an Admin API version that left support, or leaves it within 60 days";
}

impl Code {
    /// Takes `HWnnn` in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text))
    }

    /// Its severity, given whether the catalogue knows the Admin API version that the manifest uses. What cannot work in
    /// a known version may work in a newer one.
    pub fn severity_in(self, version_known: bool) -> Severity {
        match self {
            Self::UnknownTopic | Self::TopicVersion | Self::SampleId | Self::UnusualDcs if !version_known => {
                Severity::Warning
            }
            _ => self.severity(),
        }
    }

    /// Whether `lint.allow` can silence it.
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
                Some(code) => format!("no such code; did you mean {code}?"),
                None => "no such code; codes look like HW104 and stand in square brackets in the output".to_owned(),
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
        // HW0xx are errors in every version; HW1xx are warnings, apart from what cannot work in a known version. Nothing
        // structural can be silenced.
        for code in Code::ALL {
            let hard = code.as_str().starts_with("HW0");
            assert_eq!(code.severity_in(false) == Severity::Error, hard, "{code}");
            assert_ne!(code.can_be_silenced(), hard, "{code}");
        }
        assert!(Code::silenceable().all(|c| !c.is_structural()));
    }
}
